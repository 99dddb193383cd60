use livechat_engine::{Command, CommandError, Effects, Input, LookupFailure, Reply};
use livechat_wire::RelayId;
use livechat_wire::http::{Bytes, DirectoryEntry};

use crate::rig::{Person, START, relay, roomy};

fn outcome(effects: &Effects) -> Vec<Result<String, CommandError>> {
    let name = |r: &Result<Reply, CommandError>| match r {
        Ok(Reply::Contact(contact)) => Ok(contact.username.clone()),
        Ok(other) => panic!("{other:?}"),
        Err(e) => Err(*e),
    };
    effects.replies.iter().map(|(_, r)| name(r)).collect()
}

#[test]
fn a_known_contact_is_answered_at_once() {
    roomy(|| {
        let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
        let _ = alice.adds(&mut bob);
        for spelling in ["bob", " Bob ", "BOB"] {
            let (_, effects) = alice.does(Command::AddContact { username: spelling.into() });
            assert_eq!(outcome(&effects), [Ok("bob".to_owned())]);
            assert!(effects.lookups.is_empty() && effects.gossip.is_empty());
        }
        assert_eq!(alice.engine.contacts(&alice.kv).unwrap().len(), 1);
    });
}

#[test]
fn one_name_is_asked_for_once_and_everybody_gets_the_answer() {
    roomy(|| {
        let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
        let (_, lookup) = alice.looks_up("bob");
        let (_, second) = alice.does(Command::AddContact { username: "bob".into() });
        assert!(second.lookups.is_empty() && second.replies.is_empty());
        let effects = alice.is_told(&lookup, Ok(bob.entry()));
        assert_eq!(outcome(&effects), [Ok("bob".to_owned()), Ok("bob".to_owned())]);
        let late = alice.is_told(&lookup, Ok(bob.entry()));
        assert!(late.replies.is_empty() && late.gossip.is_empty(), "a second answer means nothing");
    });
}

#[test]
fn failures_are_passed_on() {
    roomy(|| {
        let mut alice = Person::new("alice");
        let failures = [
            LookupFailure::NotFound,
            LookupFailure::Unreachable,
            LookupFailure::TooMany { retry_after: 30 },
            LookupFailure::Failed,
        ];
        for failure in failures {
            let (_, lookup) = alice.looks_up("bob");
            let effects = alice.is_told(&lookup, Err(failure));
            assert_eq!(outcome(&effects), [Err(CommandError::Lookup(failure))]);
        }
        for own in ["alice", "ALICE "] {
            let (_, effects) = alice.does(Command::AddContact { username: own.into() });
            assert_eq!(outcome(&effects), [Err(CommandError::Oneself)]);
        }
    });
}

#[test]
fn a_crash_while_looking_up_leaves_nothing_half_done() {
    roomy(|| {
        let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
        let before = alice.kv.clone();
        let (_, lookup) = alice.looks_up("bob");
        assert!(alice.kv == before, "nothing of it is written");
        alice.restarts();
        let effects = alice.is_told(&lookup, Ok(bob.entry()));
        assert!(effects.replies.is_empty() && effects.gossip.is_empty());
        let _ = alice.adds(&mut bob);
    });
}

/// Every way in which an entry can be wrong: refused, nothing is sent, nothing is kept.
#[test]
fn entries_that_do_not_hold_are_refused() {
    roomy(|| {
        let mut carol = Person::new("carol");
        let mallory = Person::new("mallory");
        type Spoil = fn(&mut DirectoryEntry, &Person);
        let spoil: [(&str, CommandError, Spoil); 10] = [
            ("another name", CommandError::Untrusted, |e, _| e.username = "bobby".into()),
            ("another account's log", CommandError::Untrusted, |e, m| e.log = Bytes(m.log.clone())),
            ("a log that was tampered with", CommandError::Untrusted, |e, _| e.log.0[70] ^= 1),
            ("no log", CommandError::Untrusted, |e, _| e.log = Bytes(vec![])),
            ("another device", CommandError::Untrusted, |e, m| e.devices[0].bundle = m.keys.bundle.clone()),
            ("a bundle that was tampered with", CommandError::Untrusted, |e, _| e.devices[0].bundle.0[40] ^= 1),
            ("another's KeyPackage", CommandError::Untrusted, |e, m| {
                e.devices[0].key_package = Some(m.keys.one_time[0].clone());
            }),
            ("a KeyPackage that isn't one", CommandError::Untrusted, |e, _| {
                e.devices[0].key_package = Some(Bytes(vec![1, 2, 3]));
            }),
            ("no KeyPackage", CommandError::NoDevice, |e, _| e.devices[0].key_package = None),
            ("no device", CommandError::NoDevice, |e, _| e.devices.clear()),
        ];
        for (what, expected, spoil) in spoil {
            let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
            let (_, lookup) = alice.looks_up("bob");
            let mut entry = bob.entry();
            spoil(&mut entry, &mallory);
            let before = alice.kv.clone();
            let effects = alice.is_told(&lookup, Ok(entry));
            assert_eq!(outcome(&effects), [Err(expected)], "{what}");
            assert!(effects.gossip.is_empty() && effects.deposit.is_empty(), "{what}");
            assert!(alice.kv == before, "{what}: something was kept");
        }
        // A name that is rightly somebody's, but not the one that was asked for.
        let mut alice = Person::new("alice");
        let (_, lookup) = alice.looks_up("bob");
        let effects = alice.is_told(&lookup, Ok(carol.entry()));
        assert_eq!(outcome(&effects), [Err(CommandError::Untrusted)]);
    });
}

#[test]
fn a_name_at_another_relay_is_not_a_name_here() {
    roomy(|| {
        let mut alice = Person::new("alice");
        let mut bob = Person::new("bob");
        let identity = bob.engine.identity().expect("an identity");
        bob.log = identity.found_log("bob", RelayId([8; 32]), START / 1_000).unwrap().encode();
        let (_, lookup) = alice.looks_up("bob");
        let effects = alice.is_told(&lookup, Ok(bob.entry()));
        assert_eq!(outcome(&effects), [Err(CommandError::Untrusted)]);
    });
}

/// The relay shows another identity history for somebody we know: nothing is believed of it.
#[test]
fn a_forked_log_of_a_known_account_is_refused() {
    roomy(|| {
        let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
        // Bob introduces himself, so that his name isn't confirmed and Alice's command asks the directory.
        let hello = bob.adds(&mut alice);
        let _ = alice.gets(&hello);
        let identity = bob.engine.identity().expect("an identity");
        let forked = identity.found_log("bob", relay(), START / 1_000 + 9).unwrap().encode();
        let honest = std::mem::replace(&mut bob.log, forked);
        let (_, lookup) = alice.looks_up("bob");
        let effects = alice.is_told(&lookup, Ok(bob.entry()));
        assert_eq!(outcome(&effects), [Err(CommandError::Untrusted)]);
        bob.log = honest;
        let (_, lookup) = alice.looks_up("bob");
        let effects = alice.is_told(&lookup, Ok(bob.entry()));
        assert_eq!(outcome(&effects), [Ok("bob".to_owned())]);
        assert!(effects.gossip.is_empty(), "there is a conversation already");
        let (_, again) = alice.does(Command::AddContact { username: "bob".into() });
        assert_eq!(outcome(&again), [Ok("bob".to_owned())], "confirmed now: no more look-ups");
    });
}

#[test]
fn look_ups_are_bounded() {
    roomy(|| {
        let mut alice = Person::new("alice");
        for n in 0..livechat_engine::limits::LOOKUPS {
            let _ = alice.looks_up(&format!("person{n}"));
        }
        let (_, effects) = alice.does(Command::AddContact { username: "onemore".into() });
        assert_eq!(outcome(&effects), [Err(CommandError::TooMany)]);
        let _ = alice.takes(Input::Timer);
    });
}
