//! Bytes from outside never panic and never pass for what they aren't (P7).

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap")]

mod support;

use livechat_crypto::mls::Suite;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use support::{Person, pair, with_stack};

const CASES: u32 = 256;

/// One way of spoiling bytes.
#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Overwrite(prop::sample::Index, Vec<u8>),
    Replace(Vec<u8>),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let noise = || prop::collection::vec(any::<u8>(), 1..40);
        let at = any::<prop::sample::Index>;
        prop_oneof![
            4 => (at(), 0..8_u8).prop_map(|(at, bit)| Self::Flip(at, bit)),
            1 => at().prop_map(Self::Cut),
            1 => (at(), noise()).prop_map(|(at, noise)| Self::Insert(at, noise)),
            2 => (at(), noise()).prop_map(|(at, noise)| Self::Overwrite(at, noise)),
            1 => prop::collection::vec(any::<u8>(), 0..4_000).prop_map(Self::Replace),
        ]
    }

    fn apply(&self, honest: &[u8]) -> Vec<u8> {
        let mut bytes = honest.to_vec();
        match self {
            Self::Flip(at, bit) => bytes[at.index(honest.len())] ^= 1 << bit,
            Self::Cut(at) => bytes.truncate(at.index(honest.len())),
            Self::Insert(at, noise) => {
                let at = at.index(honest.len());
                bytes.splice(at..at, noise.iter().copied());
            }
            Self::Overwrite(at, noise) => {
                let at = at.index(honest.len());
                let end = honest.len().min(at + noise.len());
                bytes[at..end].copy_from_slice(&noise[..end - at]);
            }
            Self::Replace(noise) => bytes.clone_from(noise),
        }
        bytes
    }
}

/// Gives every damaged form of `honest` to `refuses`, which says whether it was refused.
fn damage(honest: &[u8], mut refuses: impl FnMut(&[u8]) -> bool) {
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    for _ in 0..CASES {
        let damage = Damage::any().new_tree(&mut runner).unwrap().current();
        let bytes = damage.apply(honest);
        assert!(bytes == honest || refuses(&bytes), "accepted after {damage:?}");
    }
}

#[test]
fn damaged_messages_are_refused_and_change_nothing() {
    with_stack(|| {
        for suite in [Suite::XWing, Suite::X25519] {
            let (mut alice, mut bob, group) = pair(suite);
            let sent = alice.session().encrypt(&group, b"hi bob", b"aad").unwrap();
            let before = bob.kv.clone();
            damage(&sent.message, |bytes| bob.session().decrypt(&group, bytes).is_err());
            assert!(before == bob.kv);
            assert_eq!(bob.session().decrypt(&group, &sent.message).unwrap().content, b"hi bob");
        }
    });
}

#[test]
fn damaged_welcomes_are_refused_and_change_nothing() {
    with_stack(|| {
        let (mut alice, mut bob) = (Person::new(1), Person::new(2));
        let key_package = bob.key_package(false);
        let created = alice.begin(&[bob.peer(&key_package)]).unwrap();
        let before = bob.kv.clone();
        damage(&created.welcomes[0], |bytes| bob.session().join(bytes).is_err());
        assert!(before == bob.kv);
        bob.session().join(&created.welcomes[0]).unwrap();
    });
}

#[test]
fn damaged_key_packages_are_refused_and_change_nothing() {
    with_stack(|| {
        let (mut alice, mut bob) = (Person::new(1), Person::new(2));
        let key_package = bob.key_package(false);
        let before = alice.kv.clone();
        damage(&key_package, |bytes| alice.begin(&[bob.peer(bytes)]).is_err());
        assert!(before == alice.kv);
        alice.begin(&[bob.peer(&key_package)]).unwrap();
    });
}

#[test]
fn damaged_state_is_an_error_never_a_panic() {
    use livechat_crypto::kv::{Kv, Namespace, Order};
    with_stack(|| {
        let (mut alice, mut bob, group) = pair(Suite::X25519);
        let sent = alice.session().encrypt(&group, b"hi", b"").unwrap();
        let honest = bob.kv.clone();
        let pairs = honest.scan(Namespace(1), b"", b"", usize::MAX, Order::Ascending).unwrap();
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        for (key, value) in pairs.iter().cycle().take(CASES as usize) {
            let damage = Damage::any().new_tree(&mut runner).unwrap().current();
            bob.kv = honest.clone();
            bob.kv.put(Namespace(1), key, &damage.apply(value)).unwrap();
            // State is trusted (it lives in the encrypted database), so some damage goes unnoticed here.
            if let Ok(opened) = bob.session().decrypt(&group, &sent.message) {
                assert_eq!(opened.content, b"hi");
            }
        }
    });
}
