//! What devices' vaults are opened with: for a code, for the account's devices, and in few tries.

use livechat_oprf::Question;
use livechat_wire::http::{Bytes, LogIn, SecretText, Session, VaultAnswer, VaultAsk};

use crate::world::{Person, World};

const LOG_IN: &str = "/v1/sessions";

/// What a vault of this device asks.
fn question() -> Question {
    Question::new(b"half of a secret", &mut livechat_relay::env::Env::system().dice().unwrap()).unwrap()
}

fn ask(question: &Question, knock: Option<&SecretText>) -> Option<VaultAsk> {
    Some(VaultAsk { blinded: Bytes(question.blinded().to_vec()), knock: knock.cloned() })
}

/// The function's value, if the answer is of `public`'s key.
fn output(question: &Question, answer: &VaultAnswer, public: &Bytes) -> Option<Vec<u8>> {
    let public = public.0.as_slice().try_into().unwrap();
    question.finish(&answer.evaluated.0, &answer.proof.0, public).ok().map(|o| o.to_vec())
}

async fn logs_in(w: &World, request: &LogIn) -> Session {
    let answer = w.web.post(LOG_IN, request).await;
    w.clock.advance(30);
    answer.ok()
}

/// From the unlocked device.
async fn wraps(w: &World, who: &Person, question: &Question) -> VaultAnswer {
    let request = LogIn { vault: ask(question, None), ..who.log_in_as(w, w.code(&who.setup_key), true) };
    logs_in(w, &request).await.vault.expect("a device of the account")
}

pub async fn a_code_and_a_device_of_the_account_get_the_function_evaluated(w: World) {
    let alice = w.sign_up("alice").await;
    let bob = w.sign_up("bob").await;
    w.clock.advance(300);
    let (first, second) = (question(), question());
    assert_ne!(first.blinded(), second.blinded(), "the relay sees that two are of one vault");
    let wrapped = wraps(&w, &alice, &first).await;
    let again = wraps(&w, &alice, &second).await;
    assert_eq!(wrapped.public_key, again.public_key);
    let value = output(&first, &wrapped, &wrapped.public_key).unwrap();
    assert_eq!(output(&second, &again, &wrapped.public_key), Some(value.clone()), "the same value each time");

    let bobs = wraps(&w, &bob, &first).await;
    assert_ne!(output(&first, &bobs, &bobs.public_key), Some(value), "another account's is another function");
    assert_eq!(output(&first, &bobs, &wrapped.public_key), None, "and can't pass for this one");

    // Somebody who has a code and no device gets in, and no answer.
    let stranger = LogIn { vault: ask(&first, None), ..alice.log_in(&w, w.code(&alice.setup_key)) };
    assert_eq!(logs_in(&w, &stranger).await.vault, None);
    let foreign = LogIn { vault: ask(&first, Some(&bobs.knock)), ..alice.log_in(&w, w.code(&alice.setup_key)) };
    let session = logs_in(&w, &foreign).await;
    assert_eq!((session.vault, session.known_device), (None, false), "another account's knock");

    // A recovery code opens the vault, too: the phone is lost, the disk isn't.
    let code = alice.signed_up.recovery_codes[0].0.clone();
    let lost = LogIn { vault: ask(&first, Some(&wrapped.knock)), ..alice.log_in(&w, code) };
    assert!(logs_in(&w, &lost).await.vault.is_some());
}

pub async fn a_locked_device_knocks_and_has_few_tries_of_its_own(w: World) {
    let alice = w.sign_up("alice").await;
    w.clock.advance(300);
    let first = question();
    let wrapped = wraps(&w, &alice, &first).await;
    let value = output(&first, &wrapped, &wrapped.public_key);

    // Strangers have used up theirs.
    for _ in 0..6 {
        w.web.post(LOG_IN, &alice.log_in(&w, "000000".into())).await;
    }
    let knocks = |code: String| LogIn { vault: ask(&first, Some(&wrapped.knock)), ..alice.log_in(&w, code) };
    let session = logs_in(&w, &knocks(w.code(&alice.setup_key))).await;
    assert!(session.known_device);
    let answer = session.vault.unwrap();
    assert_eq!(output(&first, &answer, &wrapped.public_key), value);

    // Whoever took the device may guess as often as a stranger, no more.
    let mut refused = Vec::new();
    for _ in 0..6 {
        refused.push(w.web.post(LOG_IN, &knocks("000000".into())).await.status.as_u16());
    }
    assert_eq!(refused, [401, 401, 401, 401, 401, 429]);
    assert_eq!(w.web.post(LOG_IN, &knocks(w.code(&alice.setup_key))).await.status, 429);
    // The same device, unlocked, has its own budget still.
    assert!(wraps(&w, &alice, &first).await.knock != wrapped.knock);
    w.clock.advance(24 * 3_600);
    assert!(logs_in(&w, &knocks(w.code(&alice.setup_key))).await.vault.is_some());
}

pub async fn what_is_no_question_uses_up_no_code(w: World) {
    let alice = w.sign_up("alice").await;
    w.clock.advance(300);
    let code = w.code(&alice.setup_key);
    for blinded in [vec![], vec![0; 32], vec![255; 32], vec![1; 31], vec![1; 64]] {
        let asked = Some(VaultAsk { blinded: Bytes(blinded), knock: None });
        let request = LogIn { vault: asked, ..alice.log_in_as(&w, code.clone(), true) };
        assert_eq!(w.web.post(LOG_IN, &request).await.status, 400);
    }
    let first = question();
    for knock in ["", "x", "AAAA", &"A".repeat(200)] {
        let request =
            LogIn { vault: ask(&first, Some(&SecretText(knock.into()))), ..alice.log_in(&w, "000000".into()) };
        assert_eq!(w.web.post(LOG_IN, &request).await.status, 401, "{knock}: a stranger's");
    }
    let request = LogIn { vault: ask(&first, None), ..alice.log_in_as(&w, code, true) };
    assert!(logs_in(&w, &request).await.vault.is_some(), "the code was still good");
}
