use ed25519_dalek::Signer as _;
use futures::future::join_all;
use livechat_wire::RelayId;
use livechat_wire::account::{AccountLog, Signer, Statement};
use livechat_wire::http::*;
use reqwest::Method;

use crate::world::{Answer, Keys, NOW, Person, World};

const NAME: &str = "/v1/account/name";
const DAYS_30: u64 = 30 * 86_400;

async fn own_log(w: &World, who: &Person) -> OwnLog {
    w.web.get_with("/v1/devices/log", who.token()).await.ok()
}

async fn continued(w: &World, who: &Person, statements: Vec<Statement>) -> AccountLog {
    let mut log = AccountLog::decode(&own_log(w, who).await.log.0).unwrap();
    for statement in statements {
        log.append(NOW, Signer::Identity, statement, |m| who.keys.identity.sign(m).to_bytes()).unwrap();
    }
    log
}

fn bound(name: &str, relay: RelayId) -> Statement {
    Statement::BindName { name: name.to_owned(), relay }
}

async fn put(w: &World, who: &Person, code: String, log: &AccountLog) -> Answer {
    let change = ChangeName { code, log: Bytes(log.encode()) };
    w.web.with(Method::PUT, NAME, who.token(), Some(&change)).await
}

/// With the code of now; afterwards it is a later moment.
async fn renames(w: &World, who: &Person, to: &str) -> Answer {
    let log = continued(w, who, vec![bound(to, w.relay.id())]).await;
    let answer = put(w, who, w.code(&who.setup_key), &log).await;
    w.clock.advance(30);
    answer
}

fn named(who: &Person, name: &str) -> Person {
    let Person { setup_key, keys, signed_up, .. } = who;
    Person { name: name.to_owned(), setup_key: setup_key.clone(), keys: keys.clone(), signed_up: signed_up.clone() }
}

pub async fn another_name_and_the_one_before_is_held(w: World) {
    let alice = w.sign_up("alice").await;
    let stock = PublishKeyPackages {
        bundle: Bytes(alice.keys.bundle().encode()),
        one_time: vec![Bytes(vec![1; 100])],
        last_resort: None,
    };
    w.web.with(Method::PUT, "/v1/key-packages", alice.token(), Some(&stock)).await.ok::<KeyPackageStock>();
    renames(&w, &alice, "alicia").await.done();

    let own = own_log(&w, &alice).await;
    let entry: DirectoryEntry = w.web.get("/v1/directory/Alicia").await.ok();
    assert_eq!((own.username.as_str(), entry.username.as_str(), &entry.log), ("alicia", "alicia", &own.log));
    assert_eq!((entry.devices.len(), AccountLog::decode(&entry.log.0).unwrap().account()), (1, alice.account()));
    let claimed: DirectoryEntry =
        w.web.post("/v1/directory/claim", &Claim { username: "alicia".to_owned() }).await.ok();
    assert_eq!(claimed.devices[0].key_package, Some(Bytes(vec![1; 100])), "all that hung on the account still does");
    // The name before leads nowhere, as one does that nobody ever had.
    let (held, unknown) = (w.web.get("/v1/directory/alice").await, w.web.get("/v1/directory/never").await);
    held.refused(404, ProblemCode::NotFound);
    assert_eq!((held.status, &held.body), (unknown.status, &unknown.body));
    let w = w.restart().await;
    // It opens the account for its owner, since a device that was away knows no other; and nobody else has it.
    assert!(alice.gets_in(&w, true).await.known_device);
    let now = named(&alice, "alicia");
    assert!(now.gets_in(&w, true).await.known_device);
    let recovered = now.log_in(&w, alice.signed_up.recovery_codes[0].0.clone());
    assert_eq!(w.web.post("/v1/sessions", &recovered).await.ok::<Session>().account, alice.account());
    for taken in ["alice", "a1ice", "alicia"] {
        let asked: UsernameAvailability = w.web.get(&format!("/v1/usernames/{taken}")).await.ok();
        assert!(!asked.available, "{taken}");
        let begin = BeginSignUp { username: taken.to_owned() };
        w.web.post("/v1/accounts", &begin).await.refused(409, ProblemCode::UsernameUnavailable);
    }
    // Back is possible, a third name is not.
    let again = now.gets_in(&w, true).await;
    let now = Person { signed_up: SignedUp { session: again, ..now.signed_up.clone() }, ..now };
    renames(&w, &now, "alina").await.done();
    let third = renames(&w, &now, "alisha").await;
    third.refused(400, ProblemCode::BadRequest);
    assert!(third.problem().message.contains("thirty days"));
    renames(&w, &now, "alicia").await.done();

    w.clock.advance(DAYS_30);
    let other = w.sign_up("alice").await;
    assert_ne!(other.account(), alice.account());
    let late = w.web.post("/v1/sessions", &alice.log_in(&w, w.code(&alice.setup_key))).await;
    late.refused(401, ProblemCode::InvalidCredentials);
    w.clock.advance(30);
    assert_eq!(now.gets_in(&w, true).await.account, alice.account());
    assert_eq!(other.gets_in(&w, true).await.account, other.account());
}

pub async fn what_is_no_change_of_name(w: World) {
    let (alice, bob) = (w.sign_up("alice").await, w.sign_up("bobby").await);
    let here = w.relay.id();
    let wrong = w.wrong_code(&alice.setup_key);
    let log = continued(&w, &alice, vec![bound("alicia", here)]).await;
    put(&w, &alice, wrong, &log).await.refused(401, ProblemCode::InvalidCredentials);
    let nobody = ChangeName { code: w.code(&alice.setup_key), log: Bytes(log.encode()) };
    w.web.send(w.web.request(Method::PUT, NAME).json(&nobody)).await.refused(401, ProblemCode::Unauthenticated);

    let device = Statement::AddDevice { device_key: Keys::new().device.verifying_key().to_bytes() };
    for statements in [
        vec![],
        vec![device.clone()],
        vec![bound("alicia", here), device],
        vec![bound("alicia", here), bound("alina", here)],
        vec![bound("Alicia", here)],
        vec![bound("alice", here)],
        vec![bound("alicia", RelayId([1; 32]))],
    ] {
        let log = continued(&w, &alice, statements).await;
        put(&w, &alice, w.code(&alice.setup_key), &log).await.refused(400, ProblemCode::BadRequest);
    }
    for name in ["bobby", "b0bby", "admin", "a b"] {
        let log = continued(&w, &alice, vec![bound(name, here)]).await;
        put(&w, &alice, w.code(&alice.setup_key), &log).await.refused(409, ProblemCode::UsernameUnavailable);
    }
    let theirs = continued(&w, &bob, vec![bound("alicia", here)]).await;
    put(&w, &alice, w.code(&alice.setup_key), &theirs).await.refused(400, ProblemCode::BadRequest);
    let mut forged = continued(&w, &alice, vec![]).await;
    let by_bob = |m: &[u8]| bob.keys.identity.sign(m).to_bytes();
    assert!(forged.append(NOW, Signer::Identity, bound("alicia", here), by_bob).is_err());
    // None of that used the code up.
    let code = w.code(&alice.setup_key);
    put(&w, &alice, code.clone(), &log).await.done();
    let next = continued(&w, &alice, vec![bound("alina", here)]).await;
    put(&w, &alice, code, &next).await.refused(401, ProblemCode::InvalidCredentials);
    w.clock.advance(30);
    let mut forked = alice.keys.log("alice", here);
    forked.append(NOW + 1, Signer::Identity, bound("alina", here), |m| alice.keys.identity.sign(m).to_bytes()).unwrap();
    put(&w, &alice, w.code(&alice.setup_key), &forked).await.refused(409, ProblemCode::Outdated);
}

pub async fn of_two_who_want_a_name_one_has_it(w: World) {
    let people = [w.sign_up("alice").await, w.sign_up("bobby").await, w.sign_up("carol").await];
    let mut logs = Vec::new();
    for (person, name) in people.iter().zip(["modern", "modem", "modern"]) {
        logs.push(continued(&w, person, vec![bound(name, w.relay.id())]).await);
    }
    let puts = people.iter().zip(&logs).map(|(p, log)| put(&w, p, w.code(&p.setup_key), log));
    let answers = join_all(puts).await;
    assert_eq!(answers.iter().filter(|a| a.status == 204).count(), 1, "{answers:?}");
    for (person, answer) in people.iter().zip(&answers) {
        let own = own_log(&w, person).await;
        let bound = AccountLog::decode(&own.log.0).unwrap().name().map(|(name, _)| name.to_owned());
        assert_eq!(bound.as_deref(), Some(own.username.as_str()), "record and log agree");
        assert_eq!(own.username.starts_with("mod"), answer.status == 204);
    }
}
