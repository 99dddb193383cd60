use futures::future::join_all;
use livechat_wire::http::*;

use crate::world::{Keys, World};

const CONFIRM: &str = "/v1/accounts/confirm";

pub async fn seed_b01_an_account_needs_a_correct_code(w: World) {
    let pending = w.begin("alice").await;
    let keys = Keys::new();
    let wrong = keys.confirm(&w, &pending, w.wrong_code(&pending.setup_key));
    for code in [&wrong.code, "", "12345", "1234567", "abcdef", "000 00"] {
        let request = ConfirmSignUp { code: code.to_owned(), ..wrong.clone() };
        w.web.post(CONFIRM, &request).await.refused(401, ProblemCode::InvalidCredentials);
    }
    w.web.get("/v1/directory/alice").await.refused(404, ProblemCode::NotFound);
    let log_in = LogIn { username: "alice".into(), code: w.code(&pending.setup_key), device: None };
    w.web.post("/v1/sessions", &log_in).await.refused(401, ProblemCode::InvalidCredentials);

    // Typed with a blank, and by many at once: one account, one session.
    let code = w.code(&pending.setup_key);
    let right = keys.confirm(&w, &pending, format!(" {} {} ", &code[..3], &code[3..]));
    let all = join_all((0..8).map(|_| w.web.post(CONFIRM, &right))).await;
    let won: Vec<SignedUp> = all.iter().filter(|a| a.status.is_success()).map(|a| a.ok()).collect();
    assert_eq!(won.len(), 1);
    assert!(all.iter().all(|a| !a.status.is_server_error()));
    assert_eq!(won[0].account, keys.log("alice", w.relay.id()).account());
    assert_eq!((won[0].recovery_codes.len(), won[0].session.known_device), (10, true));
    let list: SessionList = w.web.get_with("/v1/sessions", &won[0].session.token.0).await.ok();
    assert_eq!(list.sessions.len(), 1);
    assert_eq!(list.sessions[0].expires_at, w.clock.now() + 10 * 86_400);
    // The code of the sign-up was a code used.
    w.web.post("/v1/sessions", &log_in).await.refused(401, ProblemCode::InvalidCredentials);
}

pub async fn seed_b11_abandoned_sign_ups_give_their_name_back(w: World) {
    let first = w.begin("carol").await;
    assert_eq!(first.expires_at, w.clock.now() + 3_600);
    let again = BeginSignUp { username: "carol".into() };
    w.web.post("/v1/accounts", &again).await.refused(409, ProblemCode::UsernameUnavailable);
    let shown: UsernameAvailability = w.web.get("/v1/usernames/carol").await.ok();
    assert_eq!((shown.available, shown.problem), (false, Some(UsernameProblem::Taken)));

    w.clock.advance(3_600);
    let shown: UsernameAvailability = w.web.get("/v1/usernames/carol").await.ok();
    assert!(shown.available);
    let late = Keys::new().confirm(&w, &first, w.code(&first.setup_key));
    w.web.post(CONFIRM, &late).await.refused(410, ProblemCode::PendingExpired);
    let second = w.begin("carol").await;
    let confirm = Keys::new().confirm(&w, &second, w.code(&second.setup_key));
    let _: SignedUp = w.web.post(CONFIRM, &confirm).await.ok();
    w.clock.advance(100 * 86_400);
    w.web.post("/v1/accounts", &again).await.refused(409, ProblemCode::UsernameUnavailable);
}

pub async fn seed_b12_one_name_for_all_its_spellings(w: World) {
    let spellings = ["Alice", "alice", "ALICE", "ａｌｉｃｅ", "aliCe", "AlicE", "a1ice", "alıce"];
    let requests: Vec<_> = spellings.iter().cycle().take(32).map(|s| BeginSignUp { username: (*s).into() }).collect();
    let all = join_all(requests.iter().map(|r| w.web.post("/v1/accounts", r))).await;
    let held = all.iter().filter(|a| a.status.is_success()).count();
    assert_eq!(held, 1, "{:?}", all.iter().map(|a| a.text()).collect::<Vec<_>>());
    for a in all.iter().filter(|a| !a.status.is_success()) {
        a.refused(409, ProblemCode::UsernameUnavailable);
    }
    let dave = w.sign_up("Dave").await;
    assert_eq!(dave.name, "dave");
    let found: DirectoryEntry = w.web.get("/v1/directory/DAVE").await.ok();
    assert_eq!(found.username, "dave");
    for (name, problem) in [
        ("x", UsernameProblem::TooShort),
        ("support", UsernameProblem::Reserved),
        ("аlice", UsernameProblem::MixedScripts),
        ("a%20b", UsernameProblem::Forbidden),
    ] {
        let shown: UsernameAvailability = w.web.get(&format!("/v1/usernames/{name}")).await.ok();
        assert_eq!((shown.available, shown.problem), (false, Some(problem)), "{name}");
    }
}

pub async fn seed_b17_what_the_authenticator_app_gets(w: World) {
    let pending = w.begin("josé").await;
    let key = &pending.setup_key.0;
    assert_eq!(
        pending.otpauth_uri.0,
        format!("otpauth://totp/LiveChat:jos%C3%A9?secret={key}&issuer=LiveChat&algorithm=SHA1&digits=6&period=30")
    );
    assert_eq!(data_encoding::BASE32_NOPAD.decode(key.as_bytes()).unwrap().len(), 20);
    let other = w.begin("zoé").await;
    assert_ne!(other.setup_key, pending.setup_key);
    assert_ne!(other.pending, pending.pending);
}

pub async fn ten_wrong_codes_end_a_sign_up(w: World) {
    let pending = w.begin("erin").await;
    let keys = Keys::new();
    let wrong = keys.confirm(&w, &pending, w.wrong_code(&pending.setup_key));
    for _ in 0..10 {
        w.web.post(CONFIRM, &wrong).await.refused(401, ProblemCode::InvalidCredentials);
    }
    let right = keys.confirm(&w, &pending, w.code(&pending.setup_key));
    w.web.post(CONFIRM, &right).await.refused(410, ProblemCode::PendingExpired);
    assert_ne!(w.begin("erin").await.pending, pending.pending, "the name is free again at once");
}

pub async fn the_log_must_be_that_of_this_sign_up(w: World) {
    use ed25519_dalek::Signer as _;
    use livechat_wire::account::{Signer, Statement};
    use livechat_wire::{DeviceId, RelayId};

    let pending = w.begin("frank").await;
    let (keys, other) = (Keys::new(), Keys::new());
    let good = keys.confirm(&w, &pending, w.code(&pending.setup_key));
    let relay = w.relay.id();
    let sign = |m: &[u8]| keys.identity.sign(m).to_bytes();
    let mut longer = keys.log("frank", relay);
    let device_key = other.device.verifying_key().to_bytes();
    longer.append(1, Signer::Identity, Statement::AddDevice { device_key }, sign).unwrap();
    let mut revoked = keys.log("frank", relay);
    let device = DeviceId::of(&keys.device.verifying_key().to_bytes());
    revoked.append(1, Signer::Identity, Statement::RevokeDevice { device }, sign).unwrap();
    let mut flipped = good.log.0.clone();
    *flipped.last_mut().unwrap() ^= 1;

    let logs = [
        keys.log("frankie", relay).encode(),
        keys.log("frank", RelayId([3; 32])).encode(),
        longer.encode(),
        revoked.encode(),
        flipped,
        Vec::new(),
        vec![0xff; 1_000],
    ];
    for log in logs {
        let request = ConfirmSignUp { log: Bytes(log), ..good.clone() };
        w.web.post(CONFIRM, &request).await.refused(400, ProblemCode::BadRequest);
    }
    for bundle in [other.bundle().encode(), Vec::new(), keys.bundle().encode()[1..].to_vec()] {
        let request = ConfirmSignUp { bundle: Bytes(bundle), ..good.clone() };
        w.web.post(CONFIRM, &request).await.refused(400, ProblemCode::BadRequest);
    }
    let forged = ConfirmSignUp { pending: SecretText("x".repeat(43)), ..good.clone() };
    w.web.post(CONFIRM, &forged).await.refused(410, ProblemCode::PendingExpired);
    w.web.get("/v1/directory/frank").await.refused(404, ProblemCode::NotFound);
    let _: SignedUp = w.web.post(CONFIRM, &good).await.ok();
}

pub async fn a_lost_confirmation_can_be_asked_for_again(w: World) {
    let pending = w.begin("grace").await;
    let keys = Keys::new();
    let confirm = keys.confirm(&w, &pending, w.code(&pending.setup_key));
    let first: SignedUp = w.web.post(CONFIRM, &confirm).await.ok();
    // The same code again is a code used twice.
    w.web.post(CONFIRM, &confirm).await.refused(401, ProblemCode::InvalidCredentials);
    w.clock.advance(30);
    let stranger = Keys::new().confirm(&w, &pending, w.code(&pending.setup_key));
    w.web.post(CONFIRM, &stranger).await.refused(400, ProblemCode::BadRequest);
    let again = keys.confirm(&w, &pending, w.code(&pending.setup_key));
    let second: SignedUp = w.web.post(CONFIRM, &again).await.ok();
    assert_eq!((first.account, second.session.known_device), (second.account, true));
    assert_ne!(first.recovery_codes, second.recovery_codes);
    w.web.get_with("/v1/live", &second.session.token.0).await.ok::<LiveCount>();
    w.web.get_with("/v1/live", &first.session.token.0).await.refused(401, ProblemCode::Unauthenticated);
}
