use livechat_wire::http::*;
use reqwest::Method;

use crate::world::{Answer, Person, World};

const AUTHENTICATORS: &str = "/v1/account/authenticators";

async fn with_code(w: &World, who: &Person, method: Method, path: &str, code: String) -> Answer {
    w.web.with(method, path, who.token(), Some(&WithCode { code })).await
}

/// Adds one and returns its setup key.
async fn add(w: &World, who: &Person) -> SecretText {
    let code = w.code(&who.setup_key);
    let pending: PendingSignUp = with_code(w, who, Method::POST, AUTHENTICATORS, code).await.ok();
    assert!(pending.otpauth_uri.0.contains(&format!("LiveChat:{}", who.name)));
    let confirm = ConfirmAuthenticator { pending: pending.pending, code: w.code(&pending.setup_key) };
    w.web.with(Method::POST, "/v1/account/authenticators/confirm", who.token(), Some(&confirm)).await.done();
    w.clock.advance(30);
    pending.setup_key
}

async fn opens(w: &World, who: &Person, setup_key: &SecretText) -> bool {
    let answer = w.web.post("/v1/sessions", &who.log_in_as(w, w.code(setup_key), true)).await;
    w.clock.advance(30);
    if answer.status.is_success() {
        // One token per device: the tests go on with the one they have.
        let session: Session = answer.ok();
        w.web.delete_with("/v1/sessions/current", &session.token.0).await.done();
    }
    answer.status.is_success()
}

pub async fn seed_b18_a_second_authenticator_replaces_a_lost_phone(w: World) {
    let mut alice = w.sign_up("alice").await;
    let refused = with_code(&w, &alice, Method::POST, AUTHENTICATORS, w.wrong_code(&alice.setup_key)).await;
    refused.refused(401, ProblemCode::InvalidCredentials);
    let last = with_code(&w, &alice, Method::DELETE, AUTHENTICATORS, w.code(&alice.setup_key)).await;
    last.refused(400, ProblemCode::BadRequest);
    w.clock.advance(30);

    let spare = add(&w, &alice).await;
    assert!(opens(&w, &alice, &alice.setup_key.clone()).await);
    assert!(opens(&w, &alice, &spare).await);
    // `opens` ended the device's session; a browser's does as well.
    alice.signed_up.session = alice.gets_in(&w, false).await;
    let third = with_code(&w, &alice, Method::POST, AUTHENTICATORS, w.code(&alice.setup_key)).await;
    third.refused(400, ProblemCode::BadRequest);
    w.clock.advance(30);

    // The first phone is lost. A recovery code doesn't say which one is to stay, and isn't used up by asking.
    let recovery = alice.signed_up.recovery_codes[0].0.clone();
    let unclear = with_code(&w, &alice, Method::DELETE, AUTHENTICATORS, recovery.clone()).await;
    unclear.refused(400, ProblemCode::BadRequest);
    with_code(&w, &alice, Method::DELETE, AUTHENTICATORS, w.code(&spare)).await.done();
    w.clock.advance(30);
    assert!(!opens(&w, &alice, &alice.setup_key.clone()).await, "the lost one opens nothing");
    assert!(opens(&w, &alice, &spare).await);
    let session: Session = w.web.post("/v1/sessions", &alice.log_in(&w, recovery)).await.ok();
    assert!(!session.known_device);
}

pub async fn seed_b18_recovery_codes_are_renewed(w: World) {
    let alice = w.sign_up("alice").await;
    let path = "/v1/account/recovery-codes";
    with_code(&w, &alice, Method::POST, path, w.wrong_code(&alice.setup_key)).await.problem();
    let old = alice.signed_up.recovery_codes.clone();
    // A recovery code does where the authenticator is gone.
    let fresh: RecoveryCodes = with_code(&w, &alice, Method::POST, path, old[0].0.clone()).await.ok();
    assert_eq!(fresh.recovery_codes.len(), 10);
    for code in &old {
        let request = alice.log_in(&w, code.0.clone());
        w.web.post("/v1/sessions", &request).await.refused(401, ProblemCode::InvalidCredentials);
    }
    for code in &fresh.recovery_codes {
        w.web.post("/v1/sessions", &alice.log_in(&w, code.0.clone())).await.ok::<Session>();
    }
}

pub async fn seed_b18_an_account_is_deleted(w: World) {
    let (alice, bob) = (w.sign_up("alice").await, w.sign_up("bobby").await);
    let wrong = with_code(&w, &alice, Method::DELETE, "/v1/account", w.wrong_code(&alice.setup_key)).await;
    wrong.refused(401, ProblemCode::InvalidCredentials);
    let w = w.restart().await;
    with_code(&w, &alice, Method::DELETE, "/v1/account", w.code(&alice.setup_key)).await.done();
    w.clock.advance(30);
    w.web.get_with("/v1/live", alice.token()).await.refused(401, ProblemCode::Unauthenticated);
    w.web.get("/v1/directory/alice").await.refused(404, ProblemCode::NotFound);
    let log_in = alice.log_in_as(&w, w.code(&alice.setup_key), true);
    w.web.post("/v1/sessions", &log_in).await.refused(401, ProblemCode::InvalidCredentials);
    let recovery = alice.log_in(&w, alice.signed_up.recovery_codes[0].0.clone());
    w.web.post("/v1/sessions", &recovery).await.refused(401, ProblemCode::InvalidCredentials);
    // The name is kept for a month, so that nobody is taken for the one who left.
    let begin = BeginSignUp { username: "alice".into() };
    w.web.post("/v1/accounts", &begin).await.refused(409, ProblemCode::UsernameUnavailable);
    w.clock.advance(30 * 86_400);
    let next = w.sign_up("alice").await;
    assert_ne!(next.account(), alice.account());
    let again: DirectoryEntry = w.web.get("/v1/directory/bobby").await.ok();
    assert_eq!(again.username, bob.name);
}

pub async fn wrong_codes_in_a_session_are_few(w: World) {
    let alice = w.sign_up("alice").await;
    for _ in 0..10 {
        let wrong = w.wrong_code(&alice.setup_key);
        with_code(&w, &alice, Method::DELETE, "/v1/account", wrong).await.refused(401, ProblemCode::InvalidCredentials);
    }
    let right = with_code(&w, &alice, Method::DELETE, "/v1/account", w.code(&alice.setup_key)).await;
    right.refused(429, ProblemCode::TooManyRequests);
    // Another session of the owner isn't touched by what the stolen one did.
    let session = alice.gets_in(&w, true).await;
    let code = WithCode { code: w.code(&alice.setup_key) };
    w.web.with(Method::POST, "/v1/account/recovery-codes", &session.token.0, Some(&code)).await.ok::<RecoveryCodes>();

    let pending = {
        w.clock.advance(30);
        let code = WithCode { code: w.code(&alice.setup_key) };
        let begun = w.web.with(Method::POST, AUTHENTICATORS, &session.token.0, Some(&code)).await;
        begun.ok::<PendingSignUp>()
    };
    let path = "/v1/account/authenticators/confirm";
    let confirm = |code: String| ConfirmAuthenticator { pending: pending.pending.clone(), code };
    for _ in 0..10 {
        let wrong = confirm(w.wrong_code(&pending.setup_key));
        let answer = w.web.with(Method::POST, path, &session.token.0, Some(&wrong)).await;
        answer.refused(401, ProblemCode::InvalidCredentials);
    }
    let late = confirm(w.code(&pending.setup_key));
    let answer = w.web.with(Method::POST, path, &session.token.0, Some(&late)).await;
    answer.refused(410, ProblemCode::PendingExpired);
}
