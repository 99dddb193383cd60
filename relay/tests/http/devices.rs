use ed25519_dalek::Signer as _;
use futures::future::join_all;
use livechat_wire::DeviceId;
use livechat_wire::account::{AccountLog, Signer, Statement};
use livechat_wire::http::*;
use reqwest::Method;

use crate::world::{Answer, Keys, NOW, Person, World};

const PENDING: &str = "/v1/devices/pending";
const LOG: &str = "/v1/devices/log";
const CLAIM: &str = "/v1/sessions/current/device";

/// What the relay has, continued by the account's identity key.
async fn continued(w: &World, who: &Person, statement: Statement) -> AccountLog {
    let entry: DirectoryEntry = w.web.get(&format!("/v1/directory/{}", who.name)).await.ok();
    let mut log = AccountLog::decode(&entry.log.0).unwrap();
    log.append(NOW, Signer::Identity, statement, |m| who.keys.identity.sign(m).to_bytes()).unwrap();
    log
}

fn added(keys: &Keys) -> Statement {
    Statement::AddDevice { device_key: keys.device.verifying_key().to_bytes() }
}

fn id(keys: &Keys) -> DeviceId {
    DeviceId::of(&keys.device.verifying_key().to_bytes())
}

async fn put(w: &World, token: &str, log: &AccountLog) -> Answer {
    w.web.with(Method::PUT, LOG, token, Some(&PutLog { log: Bytes(log.encode()) })).await
}

fn claim(device: DeviceProof) -> ClaimSession {
    ClaimSession { device, vault: None }
}

/// A second device of somebody, from waiting to a session of its own.
async fn link(w: &World, who: &Person) -> (Keys, Session) {
    let second = Keys { identity: who.keys.identity.clone(), device: Keys::new().device };
    let session = who.gets_in(w, false).await;
    let pend = PendDevice { bundle: Bytes(second.bundle().encode()) };
    let waits: PendingDevice = w.web.with(Method::PUT, PENDING, &session.token.0, Some(&pend)).await.ok();
    assert_eq!(waits.bundle, pend.bundle);
    let seen: PendingDevice = w.web.get_with(PENDING, who.token()).await.ok();
    assert_eq!(seen, waits);
    let log = continued(w, who, added(&second)).await;
    assert_eq!(put(w, who.token(), &log).await.status, 204);
    let proof = second.prove(w.relay.id(), &who.name, w.clock.now());
    let claimed: ClaimedSession = w.web.with(Method::PUT, CLAIM, &session.token.0, Some(&claim(proof))).await.ok();
    assert_eq!(claimed.vault, None, "nothing was asked");
    (second, session)
}

pub async fn a_device_waits_is_added_and_is_known(w: World) {
    let alice = w.sign_up("alice").await;
    w.web.get(PENDING).await.refused(401, ProblemCode::Unauthenticated);
    w.web.get_with(PENDING, alice.token()).await.refused(404, ProblemCode::NotFound);
    let early = alice.gets_in(&w, false).await;
    let stranger = Keys::new().prove(w.relay.id(), &alice.name, w.clock.now());
    let refused = w.web.with(Method::PUT, CLAIM, &early.token.0, Some(&claim(stranger))).await;
    refused.refused(403, ProblemCode::DeviceRequired);

    let (second, session) = link(&w, &alice).await;
    w.web.get_with(PENDING, alice.token()).await.refused(404, ProblemCode::NotFound);
    let list: SessionList = w.web.get_with("/v1/sessions", &session.token.0).await.ok();
    let known = list.sessions.iter().find(|s| s.current).unwrap();
    assert_eq!(known.device, Some(id(&second)));
    let stock = PublishKeyPackages {
        bundle: Bytes(second.bundle().encode()),
        one_time: vec![Bytes(vec![1; 100])],
        last_resort: None,
    };
    let stock: KeyPackageStock = w.web.with(Method::PUT, "/v1/key-packages", &session.token.0, Some(&stock)).await.ok();
    assert_eq!(stock.one_time, 1);
    let entry: DirectoryEntry = w.web.get("/v1/directory/alice").await.ok();
    assert_eq!(entry.devices.len(), 2);
    let pend = PendDevice { bundle: Bytes(vec![1; 9]) };
    w.web.with(Method::PUT, PENDING, alice.token(), Some(&pend)).await.refused(400, ProblemCode::BadRequest);
}

/// The code that a linked device's session began with is good for its vault, once, and for nobody else's.
pub async fn a_linked_device_has_its_vault_from_the_beginning(w: World) {
    let alice = w.sign_up("alice").await;
    let mut dice = livechat_relay::env::Env::system().dice().unwrap();
    let question = livechat_oprf::Question::new(b"the second device's secret", &mut dice).unwrap();
    let ask = Some(VaultAsk { blinded: Bytes(question.blinded().to_vec()), knock: None });
    let second = Keys { identity: alice.keys.identity.clone(), device: Keys::new().device };
    let session = alice.gets_in(&w, false).await;
    let claims = async |keys: &Keys, vault: Option<VaultAsk>| {
        let device = keys.prove(w.relay.id(), &alice.name, w.clock.now());
        w.web.with(Method::PUT, CLAIM, &session.token.0, Some(&ClaimSession { device, vault })).await
    };
    claims(&second, ask.clone()).await.refused(403, ProblemCode::DeviceRequired);
    let log = continued(&w, &alice, added(&second)).await;
    assert_eq!(put(&w, alice.token(), &log).await.status, 204);
    w.clock.advance(1);
    let bent = Some(VaultAsk { blinded: Bytes(vec![0; 32]), knock: None });
    claims(&second, bent).await.refused(400, ProblemCode::BadRequest);
    let claimed: ClaimedSession = claims(&second, ask.clone()).await.ok();
    let answer = claimed.vault.expect("the code of the session's beginning");
    let public: [u8; 32] = answer.public_key.0.as_slice().try_into().unwrap();
    assert!(question.finish(&answer.evaluated.0, &answer.proof.0, &public).is_ok());
    w.clock.advance(1);
    assert_eq!(claims(&second, ask).await.ok::<ClaimedSession>().vault, None, "used up");
}

pub async fn a_revoked_device_is_put_out(w: World) {
    let alice = w.sign_up("alice").await;
    let (second, session) = link(&w, &alice).await;
    let log = continued(&w, &alice, Statement::RevokeDevice { device: id(&second) }).await;
    for _ in 0..2 {
        assert_eq!(put(&w, alice.token(), &log).await.status, 204, "again is as good as once");
    }
    w.web.get_with("/v1/sessions", &session.token.0).await.refused(401, ProblemCode::Unauthenticated);
    w.web.get_with("/v1/sessions", alice.token()).await.ok::<SessionList>();
    let entry: DirectoryEntry = w.web.get("/v1/directory/alice").await.ok();
    assert_eq!((entry.devices.len(), entry.log.0), (1, log.encode()));
    // With the account's code it gets in as any stranger's device does, and no further.
    let back = alice.gets_in(&w, false).await;
    let proof = claim(second.prove(w.relay.id(), &alice.name, w.clock.now()));
    let refused = w.web.with(Method::PUT, CLAIM, &back.token.0, Some(&proof)).await;
    refused.refused(403, ProblemCode::DeviceRequired);
}

pub async fn of_two_continuations_one_counts(w: World) {
    let alice = w.sign_up("alice").await;
    let (one, other) = (Keys::new(), Keys::new());
    let rivals = [continued(&w, &alice, added(&one)).await, continued(&w, &alice, added(&other)).await];
    let answers = join_all(rivals.iter().map(|log| put(&w, alice.token(), log))).await;
    let taken: Vec<usize> = (0..2).filter(|n| answers[*n].status == 204).collect();
    assert_eq!(taken.len(), 1, "{answers:?}");
    answers[1 - taken[0]].refused(409, ProblemCode::Outdated);
    let entry: DirectoryEntry = w.web.get("/v1/directory/alice").await.ok();
    assert_eq!(entry.log.0, rivals[taken[0]].encode());
}

pub async fn what_is_no_continuation(w: World) {
    let (alice, bob) = (w.sign_up("alice").await, w.sign_up("bobby").await);
    let own = continued(&w, &alice, added(&Keys::new())).await;
    let theirs = continued(&w, &bob, added(&Keys::new())).await;
    put(&w, alice.token(), &theirs).await.refused(400, ProblemCode::BadRequest);
    let renamed = Statement::BindName { name: "carol".to_owned(), relay: w.relay.id() };
    put(&w, alice.token(), &continued(&w, &alice, renamed).await).await.refused(400, ProblemCode::BadRequest);
    let nobody = Statement::RevokeDevice { device: id(&alice.keys) };
    put(&w, alice.token(), &continued(&w, &alice, nobody).await).await.refused(400, ProblemCode::BadRequest);
    // Another history of the same account: the relay keeps the one that it has.
    let mut forked = alice.keys.log("alice", w.relay.id());
    forked.append(NOW + 1, Signer::Identity, added(&Keys::new()), |m| alice.keys.identity.sign(m).to_bytes()).unwrap();
    let first = put(&w, alice.token(), &own).await;
    assert_eq!(first.status, 204);
    put(&w, alice.token(), &forked).await.refused(409, ProblemCode::Outdated);
    let mut bent = own.encode();
    let last = bent.len() - 1;
    bent[last] ^= 1;
    let bent = PutLog { log: Bytes(bent) };
    w.web.with(Method::PUT, LOG, alice.token(), Some(&bent)).await.refused(400, ProblemCode::BadRequest);
}
