//! What every account store must do; each implementation passes all of it.
#![allow(clippy::unwrap_used, reason = "an exam fails by panicking")]

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use futures::future::{BoxFuture, join_all};

use super::*;

/// Some moment; every test counts from it.
pub const NOW: u64 = 1_795_348_800;

/// One test, on an empty store.
pub type Exam = fn(Arc<dyn AccountStore>) -> BoxFuture<'static, ()>;

type Store = Arc<dyn AccountStore>;

/// Names of the tests and the tests.
#[must_use]
pub fn all() -> Vec<(&'static str, Exam)> {
    macro_rules! exams {
        ($($name:ident),* $(,)?) => { vec![$((stringify!($name), (|s| Box::pin($name(s))) as Exam)),*] };
    }
    exams![
        keys_are_noted_once,
        seed_b12_a_name_is_held_by_one,
        seed_b12_lookalikes_are_one_name,
        seed_b11_a_pending_name_expires,
        tries_at_confirming_are_counted,
        confirming_is_once_and_whole,
        who_confirmed_may_ask_again_for_an_hour,
        p9_a_step_is_used_once,
        recovery_codes_are_used_once,
        budgets_allow_so_many,
        budgets_survive_clocks_that_jump,
        proofs_count_once,
        a_second_authenticator_comes_and_goes,
        sessions_are_found_listed_and_ended,
        key_packages_are_handed_out_once,
        the_newest_key_packages_are_kept,
        a_device_waits_for_its_hour,
        a_record_is_replaced_as_it_was_read,
        a_session_is_sealed_again,
        two_founders_at_once_end_in_one_lobby,
        a_lobby_is_replaced_when_nobody_was_heard_of,
        deletion_leaves_a_held_name_and_nothing_else,
        another_name_leads_to_the_same_account,
        two_claim_one_name_and_one_has_it,
        former_names_are_held_and_then_free,
        expiry_takes_what_is_over_and_nothing_else,
    ]
}

fn account(n: u8) -> AccountKey {
    AccountKey([n; 32])
}

fn called(n: u8) -> NameKey {
    NameKey([n; 32])
}

fn token(n: u8) -> TokenKey {
    TokenKey([n; 32])
}

fn sealed(text: &str) -> Sealed {
    Sealed(text.as_bytes().to_vec())
}

fn pending(n: u8, token_of: u8) -> Pending {
    Pending {
        account: account(n),
        name: called(n),
        skeleton: SkeletonKey([n; 32]),
        token: token(token_of),
        sealed: sealed("pending"),
        expires_at: NOW + 3_600,
    }
}

fn session(of: u8, n: u8) -> Session {
    Session {
        token: token(n),
        id: SessionId([n; 16]),
        account: account(of),
        sealed: Sealed(vec![n]),
        expires_at: NOW + 1_000,
    }
}

fn authenticator(n: u8) -> AuthenticatorId {
    AuthenticatorId([n; 16])
}

fn activation(of: u8, session_of: u8) -> Activation {
    Activation {
        sealed: sealed("record"),
        vault: Sealed(vec![of; 4]),
        authenticator: Authenticator { id: authenticator(of), sealed: sealed("secret"), last_step: 100 },
        codes: (0..10).map(|c| CodeKey([c; 32])).collect(),
        device: DeviceKey([of; 32]),
        bundle: sealed("bundle"),
        session: session(of, session_of),
    }
}

/// An active account `n`, with device `n` and session `n`.
async fn sign_up(s: &Store, n: u8) {
    assert!(s.hold(pending(n, n), NOW).await.unwrap());
    assert!(s.activate(token(n), activation(n, n), NOW).await.unwrap());
}

/// Runs 64 at once; how many said yes.
async fn at_once<F: Future<Output = Result<bool, StoreError>> + Send + 'static>(call: impl Fn(u8) -> F) -> usize {
    let calls = join_all((0..64).map(|n| tokio::spawn(call(n)))).await;
    calls.into_iter().filter(|c| *c.as_ref().unwrap().as_ref().unwrap()).count()
}

async fn keys_are_noted_once(s: Store) {
    assert!(s.same_keys([1; 32]).await.unwrap());
    assert!(s.same_keys([1; 32]).await.unwrap());
    assert!(!s.same_keys([2; 32]).await.unwrap());
    s.probe().await.unwrap();
    s.probe().await.unwrap();
}

async fn seed_b12_a_name_is_held_by_one(s: Store) {
    let one = s.clone();
    let held = at_once(move |n| {
        let s = one.clone();
        async move { s.hold(pending(7, n), NOW).await }
    });
    assert_eq!(held.await, 1);
    assert!(s.is_taken(called(7), SkeletonKey([0; 32]), NOW).await.unwrap());
    assert!(!s.is_taken(called(8), SkeletonKey([8; 32]), NOW).await.unwrap());
}

async fn seed_b12_lookalikes_are_one_name(s: Store) {
    let one = s.clone();
    let held = at_once(move |n| {
        let s = one.clone();
        async move { s.hold(Pending { skeleton: SkeletonKey([9; 32]), ..pending(n, n) }, NOW).await }
    });
    assert_eq!(held.await, 1);
    assert!(s.is_taken(called(200), SkeletonKey([9; 32]), NOW).await.unwrap());
}

async fn seed_b11_a_pending_name_expires(s: Store) {
    assert!(s.hold(pending(1, 1), NOW).await.unwrap());
    assert!(!s.hold(pending(1, 2), NOW + 3_599).await.unwrap());
    assert!(s.try_sign_up(token(1), 10, NOW + 3_599).await.unwrap().is_some());

    let later = NOW + 3_600;
    assert!(!s.is_taken(called(1), SkeletonKey([1; 32]), later).await.unwrap());
    assert!(s.try_sign_up(token(1), 10, later).await.unwrap().is_none());
    assert!(!s.activate(token(1), activation(1, 1), later).await.unwrap());
    let one = s.clone();
    let held = at_once(move |n| {
        let s = one.clone();
        async move { s.hold(Pending { expires_at: later + 3_600, ..pending(1, 100 + n) }, later).await }
    });
    assert_eq!(held.await, 1, "replaced by one");
    assert!(s.account(account(1)).await.unwrap().is_none());
}

async fn tries_at_confirming_are_counted(s: Store) {
    assert!(s.hold(pending(1, 1), NOW).await.unwrap());
    for made in 1..=3 {
        let expected = SignUp::Pending { account: account(1), sealed: sealed("pending"), tries: made };
        assert_eq!(s.try_sign_up(token(1), 3, NOW).await.unwrap(), Some(expected));
    }
    assert_eq!(s.try_sign_up(token(1), 3, NOW).await.unwrap(), None);
    assert_eq!(s.try_sign_up(token(2), 3, NOW).await.unwrap(), None);
    s.abandon(token(1)).await.unwrap();
    assert!(s.hold(pending(1, 2), NOW).await.unwrap(), "free again");
    sign_up(&s, 3).await;
    s.abandon(token(3)).await.unwrap();
    assert!(s.account(account(3)).await.unwrap().is_some(), "only what is pending is given back");
}

async fn confirming_is_once_and_whole(s: Store) {
    assert!(s.hold(pending(1, 1), NOW).await.unwrap());
    let one = s.clone();
    let done = at_once(move |n| {
        let s = one.clone();
        async move { s.activate(token(1), activation(1, 100 + n), NOW).await }
    });
    assert_eq!(done.await, 1);
    let active = s.account(account(1)).await.unwrap().unwrap();
    assert_eq!(active.authenticators, vec![activation(1, 0).authenticator]);
    assert_eq!(active.sealed, sealed("record"));
    assert_eq!(active.vault, Sealed(vec![1; 4]), "the vault's key came with the account");
    assert_eq!(s.sessions(account(1), NOW).await.unwrap().len(), 1, "the losers left no session");
    assert_eq!(s.devices(account(1)).await.unwrap().len(), 1);
    assert!(!s.hold(pending(1, 2), NOW + 10_000).await.unwrap(), "active names don't expire");
    assert!(s.is_taken(called(1), SkeletonKey([1; 32]), NOW + 10_000).await.unwrap());
}

async fn who_confirmed_may_ask_again_for_an_hour(s: Store) {
    sign_up(&s, 1).await;
    let again = s.try_sign_up(token(1), 10, NOW + 3_599).await.unwrap();
    assert_eq!(again, s.account(account(1)).await.unwrap().map(SignUp::Confirmed));
    assert_eq!(s.try_sign_up(token(1), 10, NOW + 3_600).await.unwrap(), None);
}

async fn p9_a_step_is_used_once(s: Store) {
    sign_up(&s, 1).await;
    sign_up(&s, 2).await;
    for step in [101, 102, 110] {
        let one = s.clone();
        let used = at_once(move |_| {
            let s = one.clone();
            async move { s.use_step(account(1), authenticator(1), step).await }
        });
        assert_eq!(used.await, 1, "step {step}");
    }
    for (who, with, step) in [(1, 1, 100), (1, 1, 109), (1, 1, 110), (1, 2, 200), (2, 1, 200), (9, 9, 200)] {
        assert!(!s.use_step(account(who), authenticator(with), step).await.unwrap(), "{who} {with} {step}");
    }
    assert!(s.use_step(account(2), authenticator(2), 101).await.unwrap(), "another's steps are another's");
    assert_eq!(s.account(account(1)).await.unwrap().unwrap().authenticators[0].last_step, 110);
}

async fn recovery_codes_are_used_once(s: Store) {
    sign_up(&s, 1).await;
    sign_up(&s, 2).await;
    let one = s.clone();
    let used = at_once(move |_| {
        let s = one.clone();
        async move { s.use_code(account(1), CodeKey([3; 32])).await }
    });
    assert_eq!(used.await, 1);
    assert!(s.use_code(account(1), CodeKey([4; 32])).await.unwrap());
    assert!(!s.use_code(account(1), CodeKey([99; 32])).await.unwrap());
    assert!(!s.use_code(account(9), CodeKey([5; 32])).await.unwrap());
    assert!(s.replace_codes(account(1), vec![CodeKey([50; 32])]).await.unwrap());
    assert!(!s.replace_codes(account(9), vec![CodeKey([50; 32])]).await.unwrap());
    assert!(!s.use_code(account(1), CodeKey([5; 32])).await.unwrap(), "void");
    assert!(s.use_code(account(1), CodeKey([50; 32])).await.unwrap());
    assert!(s.use_code(account(2), CodeKey([5; 32])).await.unwrap(), "another's codes are another's");
}

async fn budgets_allow_so_many(s: Store) {
    let budget = BudgetKey([1; 32]);
    let one = s.clone();
    let charged = at_once(move |_| {
        let s = one.clone();
        async move { Ok(s.charge(budget, 10, 100, NOW).await? == Charge::Charged) }
    });
    assert_eq!(charged.await, 10);
    assert_eq!(s.charge(budget, 10, 100, NOW + 99).await.unwrap(), Charge::Spent { resets_at: NOW + 100 });
    s.refund(budget).await.unwrap();
    assert_eq!(s.charge(budget, 10, 100, NOW + 99).await.unwrap(), Charge::Charged);
    assert_eq!(s.charge(budget, 10, 100, NOW + 99).await.unwrap(), Charge::Spent { resets_at: NOW + 100 });
    for _ in 0..10 {
        assert_eq!(s.charge(budget, 10, 100, NOW + 100).await.unwrap(), Charge::Charged, "a new window");
    }
    assert_eq!(s.charge(budget, 10, 100, NOW + 100).await.unwrap(), Charge::Spent { resets_at: NOW + 200 });
    assert_eq!(s.charge(BudgetKey([2; 32]), 1, 100, NOW).await.unwrap(), Charge::Charged, "another budget");
    s.refund(BudgetKey([3; 32])).await.unwrap();
}

async fn budgets_survive_clocks_that_jump(s: Store) {
    let budget = BudgetKey([1; 32]);
    let year = 365 * 86_400;
    assert_eq!(s.charge(budget, 1, 100, NOW + year).await.unwrap(), Charge::Charged);
    assert_eq!(s.charge(budget, 1, 100, NOW).await.unwrap(), Charge::Charged, "not locked for a year");
    assert_eq!(s.charge(budget, 1, 100, NOW).await.unwrap(), Charge::Spent { resets_at: NOW + 100 });
}

async fn proofs_count_once(s: Store) {
    let one = s.clone();
    let spent = at_once(move |_| {
        let s = one.clone();
        async move { s.spend_proof(ProofKey([1; 32]), NOW + 10).await }
    });
    assert_eq!(spent.await, 1);
    assert!(s.spend_proof(ProofKey([2; 32]), NOW + 10).await.unwrap());
}

async fn a_second_authenticator_comes_and_goes(s: Store) {
    sign_up(&s, 1).await;
    let setup = |n: u8| PendingAuthenticator {
        id: authenticator(n),
        token: token(n),
        sealed: Sealed(vec![n]),
        expires_at: NOW + 100,
    };
    assert!(!s.begin_authenticator(account(9), setup(50), 2).await.unwrap());
    assert!(!s.keep_authenticator(account(1), authenticator(1)).await.unwrap(), "the last one stays");
    assert!(s.begin_authenticator(account(1), setup(50), 2).await.unwrap());
    assert!(s.begin_authenticator(account(1), setup(51), 2).await.unwrap(), "begun again");
    assert!(s.try_authenticator(account(1), token(50), 3, NOW).await.unwrap().is_none());
    assert!(s.try_authenticator(account(1), token(51), 3, NOW + 100).await.unwrap().is_none(), "over");
    for _ in 0..3 {
        let found = s.try_authenticator(account(1), token(51), 3, NOW).await.unwrap();
        assert_eq!(found, Some((authenticator(51), Sealed(vec![51]))));
    }
    assert!(s.try_authenticator(account(1), token(51), 3, NOW).await.unwrap().is_none(), "tried too often");
    assert_eq!(s.account(account(1)).await.unwrap().unwrap().authenticators.len(), 1, "not in force yet");
    assert!(!s.use_step(account(1), authenticator(51), 500).await.unwrap(), "not in force yet");

    let one = s.clone();
    let added = at_once(move |_| {
        let s = one.clone();
        async move { s.add_authenticator(account(1), token(51), 77, 2).await }
    });
    assert_eq!(added.await, 1);
    let both = s.account(account(1)).await.unwrap().unwrap().authenticators;
    let ids: BTreeSet<_> = both.iter().map(|a| (a.id, a.last_step)).collect();
    assert_eq!(ids, [(authenticator(1), 100), (authenticator(51), 77)].into());
    assert!(!s.begin_authenticator(account(1), setup(52), 2).await.unwrap(), "two are enough");
    assert!(s.use_step(account(1), authenticator(51), 78).await.unwrap());
    assert!(s.use_step(account(1), authenticator(1), 101).await.unwrap(), "each has its own steps");

    assert!(!s.keep_authenticator(account(1), authenticator(9)).await.unwrap());
    assert!(s.keep_authenticator(account(1), authenticator(51)).await.unwrap());
    assert!(!s.keep_authenticator(account(1), authenticator(51)).await.unwrap(), "the last one stays");
    let left = s.account(account(1)).await.unwrap().unwrap().authenticators;
    assert_eq!(left.iter().map(|a| a.id).collect::<Vec<_>>(), vec![authenticator(51)]);
}

async fn sessions_are_found_listed_and_ended(s: Store) {
    sign_up(&s, 1).await;
    sign_up(&s, 2).await;
    assert!(s.open_session(session(1, 10)).await.unwrap());
    assert!(!s.open_session(session(9, 11)).await.unwrap(), "no such account");
    assert!(s.hold(pending(3, 3), NOW).await.unwrap());
    assert!(!s.open_session(session(3, 12)).await.unwrap(), "not an account yet");
    assert_eq!(s.session(token(10), NOW).await.unwrap(), Some(session(1, 10)));
    assert_eq!(s.session(token(10), NOW + 1_000).await.unwrap(), None, "over");
    assert_eq!(s.session(token(99), NOW).await.unwrap(), None);
    let ids = |l: Vec<Session>| l.into_iter().map(|s| s.id).collect::<BTreeSet<_>>();
    assert_eq!(ids(s.sessions(account(1), NOW).await.unwrap()), [SessionId([1; 16]), SessionId([10; 16])].into());
    assert_eq!(s.sessions(account(1), NOW + 1_000).await.unwrap(), vec![]);
    assert!(!s.end_session(account(2), SessionId([10; 16])).await.unwrap(), "another's");
    assert!(s.end_session(account(1), SessionId([10; 16])).await.unwrap());
    assert!(!s.end_session(account(1), SessionId([10; 16])).await.unwrap());
    assert_eq!(s.session(token(10), NOW).await.unwrap(), None);
    assert!(s.session(token(2), NOW).await.unwrap().is_some());
}

fn publication(packages: std::ops::Range<u8>, last_resort: Option<u8>) -> Publication {
    Publication {
        bundle: sealed("newer bundle"),
        one_time: packages.map(|p| Sealed(vec![p])).collect(),
        last_resort: last_resort.map(|p| Sealed(vec![p])),
    }
}

async fn key_packages_are_handed_out_once(s: Store) {
    sign_up(&s, 1).await;
    sign_up(&s, 2).await;
    let (d1, d2) = (DeviceKey([1; 32]), DeviceKey([2; 32]));
    assert_eq!(s.stock(account(1), d1).await.unwrap(), Stock::default());
    let first = s.claim(account(1)).await.unwrap();
    assert_eq!(first, vec![Device { device: d1, bundle: sealed("bundle"), key_package: None }]);
    assert!(s.publish(account(9), d1, publication(0..1, None), 100).await.unwrap().is_none());
    let stocked = s.publish(account(1), d1, publication(0..40, Some(200)), 100).await.unwrap();
    assert_eq!(stocked, Some(Stock { one_time: 40, last_resort: true }));
    let kept = s.publish(account(1), d1, publication(40..41, None), 100).await.unwrap();
    assert_eq!(kept, Some(Stock { one_time: 41, last_resort: true }), "the last resort before is kept");
    s.publish(account(2), d2, publication(0..3, None), 100).await.unwrap();

    let claims = join_all((0..64).map(|_| {
        let s = s.clone();
        tokio::spawn(async move { s.claim(account(1)).await })
    }));
    let mut once = BTreeSet::new();
    let mut last = 0;
    for claim in claims.await {
        let devices = claim.unwrap().unwrap();
        assert_eq!((devices.len(), &devices[0].bundle), (1, &sealed("newer bundle")));
        match devices[0].key_package.clone().unwrap() {
            (package, true) => {
                assert_eq!(package, Sealed(vec![200]));
                last += 1;
            }
            (package, false) => assert!(once.insert(package.0), "handed out twice"),
        }
    }
    assert_eq!((once.len(), last), (41, 23));
    assert_eq!(s.stock(account(1), d1).await.unwrap(), Stock { one_time: 0, last_resort: true });
    assert_eq!(s.stock(account(2), d2).await.unwrap(), Stock { one_time: 3, last_resort: false });
    let replaced = s.publish(account(1), d1, publication(0..0, Some(201)), 100).await.unwrap().unwrap();
    assert!(replaced.last_resort);
    assert_eq!(s.claim(account(1)).await.unwrap()[0].key_package, Some((Sealed(vec![201]), true)));
    assert_eq!(s.devices(account(1)).await.unwrap()[0].key_package, None);
    assert_eq!(s.claim(account(9)).await.unwrap(), vec![]);
}

async fn the_newest_key_packages_are_kept(s: Store) {
    sign_up(&s, 1).await;
    let device = DeviceKey([1; 32]);
    s.publish(account(1), device, publication(0..8, None), 10).await.unwrap();
    let stock = s.publish(account(1), device, publication(8..13, None), 10).await.unwrap().unwrap();
    assert_eq!(stock.one_time, 10);
    let first = s.claim(account(1)).await.unwrap().remove(0).key_package.unwrap();
    assert_eq!(first, (Sealed(vec![3]), false), "the oldest that is left goes first");
}

async fn deletion_leaves_a_held_name_and_nothing_else(s: Store) {
    sign_up(&s, 1).await;
    sign_up(&s, 2).await;
    let device = DeviceKey([1; 32]);
    s.publish(account(1), device, publication(0..5, Some(9)), 100).await.unwrap();
    assert!(!s.delete(account(9), NOW + 500).await.unwrap());
    assert!(s.delete(account(1), NOW + 500).await.unwrap());
    assert!(!s.delete(account(1), NOW + 900).await.unwrap());
    assert!(s.account(account(1)).await.unwrap().is_none());
    assert!(s.session(token(1), NOW).await.unwrap().is_none());
    assert!(s.try_sign_up(token(1), 10, NOW).await.unwrap().is_none());
    assert!(!s.use_code(account(1), CodeKey([1; 32])).await.unwrap());
    assert!(!s.use_step(account(1), authenticator(1), 1_000).await.unwrap());
    assert!(!s.open_session(session(1, 20)).await.unwrap());
    assert_eq!(s.claim(account(1)).await.unwrap(), vec![]);
    assert_eq!(s.stock(account(1), device).await.unwrap(), Stock::default());
    assert!(s.is_taken(called(1), SkeletonKey([1; 32]), NOW + 499).await.unwrap());
    assert!(!s.hold(pending(1, 30), NOW + 499).await.unwrap());
    assert!(s.hold(pending(1, 30), NOW + 500).await.unwrap(), "free at last");
    let again = Activation { vault: sealed("another"), ..activation(1, 31) };
    assert!(s.activate(token(30), again, NOW + 500).await.unwrap());
    let vault = s.account(account(1)).await.unwrap().unwrap().vault;
    assert_eq!(vault, sealed("another"), "whoever has the name next opens no vault of the one before");
    assert!(s.account(account(2)).await.unwrap().is_some());
    assert!(s.session(token(2), NOW).await.unwrap().is_some());
}

async fn expiry_takes_what_is_over_and_nothing_else(s: Store) {
    sign_up(&s, 1).await;
    assert!(s.hold(pending(2, 2), NOW).await.unwrap());
    s.charge(BudgetKey([1; 32]), 1, 100, NOW).await.unwrap();
    assert!(s.spend_proof(ProofKey([1; 32]), NOW + 100).await.unwrap());
    assert_eq!(s.expire(NOW + 99).await.unwrap(), 0);
    assert_eq!(s.expire(NOW + 100).await.unwrap(), 2, "budget and proof");
    assert!(s.spend_proof(ProofKey([1; 32]), NOW + 200).await.unwrap());
    assert_eq!(s.expire(NOW + 10_000).await.unwrap(), 3, "pending name, session, proof");
    assert!(s.account(account(1)).await.unwrap().is_some());
    assert_eq!(s.sessions(account(1), 0).await.unwrap(), vec![]);
    assert!(s.try_sign_up(token(2), 10, NOW).await.unwrap().is_none());
}

async fn a_device_waits_for_its_hour(s: Store) {
    assert!(!s.pend_device(account(1), sealed("nobody's"), NOW + 60).await.unwrap());
    sign_up(&s, 1).await;
    sign_up(&s, 2).await;
    assert_eq!(s.pending_device(account(1), NOW).await.unwrap(), None);
    assert!(s.pend_device(account(1), sealed("first"), NOW + 60).await.unwrap());
    assert!(s.pend_device(account(1), sealed("second"), NOW + 70).await.unwrap(), "replaces the first");
    assert_eq!(s.pending_device(account(1), NOW + 69).await.unwrap(), Some((sealed("second"), NOW + 70)));
    assert_eq!(s.pending_device(account(2), NOW).await.unwrap(), None, "another account's");
    assert_eq!(s.pending_device(account(1), NOW + 70).await.unwrap(), None);
    assert_eq!(s.expire(NOW + 69).await.unwrap(), 0);
    assert_eq!(s.expire(NOW + 70).await.unwrap(), 1);
    assert!(s.pend_device(account(1), sealed("third"), NOW + 60).await.unwrap());
    assert!(s.delete(account(1), NOW + 10).await.unwrap());
    assert_eq!(s.pending_device(account(1), NOW).await.unwrap(), None, "gone with its account");
}

fn relog(was: &str, becomes: &str) -> Relog {
    Relog { was: sealed(was), sealed: sealed(becomes), revoked: Vec::new(), ended: Vec::new() }
}

async fn a_record_is_replaced_as_it_was_read(s: Store) {
    assert!(!s.relog(account(1), relog("record", "next")).await.unwrap(), "there is none");
    sign_up(&s, 1).await;
    sign_up(&s, 2).await;
    let second = DeviceKey([9; 32]);
    for device in [DeviceKey([1; 32]), second] {
        let publication =
            Publication { bundle: sealed("bundle"), one_time: vec![sealed("package")], last_resort: None };
        s.publish(account(1), device, publication, 100).await.unwrap();
    }
    assert!(s.open_session(session(1, 7)).await.unwrap());
    s.pend_device(account(1), sealed("waits"), NOW + 60).await.unwrap();
    assert!(!s.relog(account(1), relog("another", "next")).await.unwrap(), "it isn't what it was");
    assert!(s.pending_device(account(1), NOW).await.unwrap().is_some(), "and nothing happened");
    let next = Relog { revoked: vec![second], ended: vec![SessionId([7; 16])], ..relog("record", "next") };
    assert!(s.relog(account(1), next).await.unwrap());
    assert_eq!(s.account(account(1)).await.unwrap().unwrap().sealed, sealed("next"));
    assert_eq!(s.pending_device(account(1), NOW).await.unwrap(), None);
    let left: Vec<_> = s.claim(account(1)).await.unwrap().into_iter().map(|d| d.device).collect();
    assert_eq!(left, [DeviceKey([1; 32])]);
    assert_eq!(s.stock(account(1), second).await.unwrap(), Stock::default());
    assert!(s.session(token(7), NOW).await.unwrap().is_none());
    assert!(s.session(token(1), NOW).await.unwrap().is_some());
    assert_eq!(s.account(account(2)).await.unwrap().unwrap().sealed, sealed("record"), "the other's is what it was");
    let rivals = {
        let s = s.clone();
        at_once(move |n| {
            let (s, to) = (s.clone(), format!("by {n}"));
            async move { s.relog(account(1), relog("next", &to)).await }
        })
        .await
    };
    assert_eq!(rivals, 1);
}

async fn a_session_is_sealed_again(s: Store) {
    sign_up(&s, 1).await;
    sign_up(&s, 2).await;
    let id = SessionId([1; 16]);
    assert!(!s.reseal_session(account(2), id, sealed("other")).await.unwrap(), "not theirs");
    assert!(s.reseal_session(account(1), id, sealed("known")).await.unwrap());
    assert_eq!(s.session(token(1), NOW).await.unwrap().unwrap().sealed, sealed("known"));
    assert!(s.end_session(account(1), id).await.unwrap());
    assert!(!s.reseal_session(account(1), id, sealed("late")).await.unwrap(), "it is over");
}

async fn two_founders_at_once_end_in_one_lobby(s: Store) {
    assert_eq!(s.lobby().await.unwrap(), None);
    assert!(!s.renew_lobby(1, NOW).await.unwrap(), "there is none");
    let founders = (0..16).map(|n| {
        let s = s.clone();
        async move { s.put_lobby(sealed(&format!("door {n}")), None, NOW - 60, NOW).await.unwrap() }
    });
    let told = join_all(founders).await;
    let standing = s.lobby().await.unwrap().unwrap();
    assert!(told.iter().all(|l| *l == standing), "all are told the same: {told:?}");
    assert_eq!((standing.version, standing.renewed_at), (1, NOW));
}

async fn a_lobby_is_replaced_when_nobody_was_heard_of(s: Store) {
    let first = s.put_lobby(sealed("first"), Some(7), NOW, NOW).await.unwrap();
    assert_eq!((first.version, first.sealed.clone()), (1, sealed("first")), "there was none to replace");
    let put = async |door: &str, replaces, stale_before, now| {
        let stands = s.put_lobby(sealed(door), replaces, stale_before, now).await.unwrap();
        (String::from_utf8(stands.sealed.0).unwrap(), stands.version)
    };
    let stands = ("first".to_owned(), 1);
    assert_eq!(put("early", Some(1), NOW, NOW + 9).await, stands, "somebody was heard of");
    assert!(s.renew_lobby(1, NOW + 50).await.unwrap());
    assert!(s.renew_lobby(1, NOW + 20).await.unwrap(), "a clock that goes back");
    assert_eq!(put("early", Some(1), NOW + 50, NOW + 99).await, stands, "and again");
    assert_eq!(put("blind", None, NOW + 51, NOW + 100).await, stands, "only what one has seen is replaced");
    let rivals = ["a", "b", "c"].map(|door| put(door, Some(1), NOW + 51, NOW + 100));
    let told = join_all(rivals).await;
    assert!(told.iter().all(|l| *l == told[0] && l.1 == 2), "{told:?}");
    assert!(!s.renew_lobby(1, NOW + 200).await.unwrap(), "the dead don't come back");
    assert!(s.renew_lobby(2, NOW + 200).await.unwrap());
    assert_eq!(s.lobby().await.unwrap().unwrap().renewed_at, NOW + 200);
}

/// Account `of` is to be called `n`, from a record that says `was`.
fn rename(was: &str, n: u8) -> Rename {
    Rename {
        was: sealed(was),
        sealed: sealed(&format!("called {n}")),
        name: called(n),
        skeleton: SkeletonKey([n; 32]),
        held_until: NOW + 500,
        most: 3,
    }
}

async fn led_to(s: &Store, n: u8, now: u64) -> Option<(AccountKey, bool)> {
    s.named(called(n), now).await.unwrap().map(|n| (n.account.key, n.current))
}

async fn another_name_leads_to_the_same_account(s: Store) {
    assert_eq!(s.rename(account(1), rename("record", 9), NOW).await.unwrap(), Renamed::Outdated, "there is none");
    sign_up(&s, 1).await;
    assert!(s.hold(pending(2, 2), NOW).await.unwrap());
    assert_eq!(led_to(&s, 1, NOW).await, Some((account(1), true)));
    assert_eq!(led_to(&s, 2, NOW).await, None, "not an account yet");
    assert_eq!(s.rename(account(2), rename("pending", 9), NOW).await.unwrap(), Renamed::Outdated, "nor to be renamed");
    s.pend_device(account(1), sealed("waits"), NOW + 60).await.unwrap();
    assert_eq!(s.rename(account(1), rename("another", 9), NOW).await.unwrap(), Renamed::Outdated);
    assert_eq!(led_to(&s, 9, NOW).await, None, "nothing happened");
    assert_eq!(s.rename(account(1), rename("record", 2), NOW).await.unwrap(), Renamed::Taken, "a sign-up holds it");
    assert_eq!(s.account(account(1)).await.unwrap().unwrap().sealed, sealed("record"), "nothing happened");
    let before = s.account(account(1)).await.unwrap().unwrap();
    assert_eq!(s.rename(account(1), rename("record", 9), NOW).await.unwrap(), Renamed::Done);
    let after = s.account(account(1)).await.unwrap().unwrap();
    assert_eq!(after, Account { sealed: sealed("called 9"), ..before }, "all else is as it was");
    assert_eq!(s.named(called(9), NOW).await.unwrap(), Some(Named { account: after, current: true }));
    assert_eq!(led_to(&s, 1, NOW).await, Some((account(1), false)));
    assert_eq!(s.pending_device(account(1), NOW).await.unwrap(), None, "its code was about another log");
    assert!(s.session(token(1), NOW).await.unwrap().is_some());
    assert!(s.use_code(account(1), CodeKey([3; 32])).await.unwrap());
    assert_eq!(s.devices(account(1)).await.unwrap().len(), 1);
}

async fn two_claim_one_name_and_one_has_it(s: Store) {
    for n in 1..=16 {
        sign_up(&s, n).await;
    }
    let rivals = (1..=16).map(|n| {
        let s = s.clone();
        // Half of them look like it only.
        let wanted = Rename { name: called(100 + n % 2), skeleton: SkeletonKey([100; 32]), ..rename("record", 100) };
        tokio::spawn(async move { s.rename(account(n), wanted, NOW).await.unwrap() })
    });
    let told: Vec<_> = join_all(rivals).await.into_iter().map(|t| t.unwrap()).collect();
    assert_eq!(told.iter().filter(|t| **t == Renamed::Done).count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|t| **t == Renamed::Taken).count(), 15, "{told:?}");
    assert!(!s.hold(Pending { skeleton: SkeletonKey([100; 32]), ..pending(77, 77) }, NOW).await.unwrap());
    let one = s.clone();
    sign_up(&s, 50).await;
    let devices_at_once = at_once(move |n| {
        let s = one.clone();
        async move { Ok(s.rename(account(50), rename("record", 150 + n), NOW).await? == Renamed::Done) }
    });
    assert_eq!(devices_at_once.await, 1, "two devices of one account");
}

async fn former_names_are_held_and_then_free(s: Store) {
    sign_up(&s, 1).await;
    sign_up(&s, 2).await;
    let to = async |who: u8, was: &str, n: u8, now: u64| s.rename(account(who), rename(was, n), now).await.unwrap();
    assert_eq!(to(1, "record", 11, NOW).await, Renamed::Done);
    assert_eq!(to(1, "called 11", 12, NOW).await, Renamed::Done);
    assert_eq!(to(1, "called 12", 13, NOW).await, Renamed::TooMany, "three names are kept from others");
    assert_eq!(to(1, "called 12", 11, NOW).await, Renamed::Done, "what it had it may have again");
    assert_eq!(led_to(&s, 12, NOW + 499).await, Some((account(1), false)));
    for held in [1, 12] {
        assert_eq!(to(2, "record", held, NOW + 499).await, Renamed::Taken);
        assert!(!s.hold(pending(held, 60), NOW + 499).await.unwrap());
        assert!(s.is_taken(called(held), SkeletonKey([0; 32]), NOW + 499).await.unwrap());
        assert!(s.is_taken(called(0), SkeletonKey([held; 32]), NOW + 499).await.unwrap());
    }
    let later = NOW + 500;
    assert_eq!(led_to(&s, 1, later).await, None);
    assert!(!s.is_taken(called(1), SkeletonKey([1; 32]), later).await.unwrap());
    assert_eq!(to(2, "record", 1, later).await, Renamed::Done, "free before anything was swept");
    assert_eq!(led_to(&s, 1, later).await, Some((account(2), true)));
    assert_eq!(led_to(&s, 11, later).await, Some((account(1), true)), "whose it is now is no matter of time");
    let free = Pending { name: called(12), skeleton: SkeletonKey([12; 32]), ..pending(61, 61) };
    assert!(s.hold(free, later).await.unwrap());
    assert_eq!(to(1, "called 11", 14, later).await, Renamed::Done, "what is over counts no more");
    assert!(s.delete(account(1), later + 100).await.unwrap());
    assert!(s.is_taken(called(14), SkeletonKey([14; 32]), later + 99).await.unwrap());
    assert!(!s.is_taken(called(14), SkeletonKey([14; 32]), later + 100).await.unwrap());
    assert_eq!(led_to(&s, 14, later).await, None);
    s.expire(later + 10_000).await.unwrap();
    assert_eq!(led_to(&s, 1, later + 10_000).await, Some((account(2), true)));
    assert!(!s.is_taken(called(11), SkeletonKey([11; 32]), later + 10_000).await.unwrap());
}
