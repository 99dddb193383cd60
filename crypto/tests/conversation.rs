//! Two devices, from key package to conversation, and everything that must be refused on the way.

mod support;

use livechat_crypto::limits;
use livechat_crypto::mls::{
    CommitProblem, DecryptError, EncryptError, GroupError, GroupId, JoinError, KeyPackageProblem, PeerDevice, Sealed,
    StageError, Suite,
};
use livechat_wire::group::Charter;
use support::{NOW, Person, introduce, pair, with_stack};

#[test]
fn two_people_talk_both_ways_in_either_suite() {
    with_stack(|| {
        for suite in [Suite::XWing, Suite::X25519] {
            let (mut alice, mut bob, group) = pair(suite);
            for n in 0..20_u8 {
                let sent = alice.session().encrypt(&group, &[n; 256], b"to bob").unwrap();
                let opened = bob.session().decrypt(&group, &sent.message).unwrap();
                assert_eq!((opened.content, opened.aad, opened.epoch), (vec![n; 256], b"to bob".to_vec(), sent.epoch));
                assert_eq!(opened.sender.account, alice.identity.account());
                assert!(opened.sender.is_in(&alice.log) && !opened.sender.is_in(&bob.log));

                let back = bob.session().encrypt(&group, b"yes", b"").unwrap();
                assert_eq!(alice.session().decrypt(&group, &back.message).unwrap().content, b"yes");
            }
        }
    });
}

#[test]
fn both_see_the_same_members_and_epoch_secret() {
    with_stack(|| {
        let (mut alice, mut bob) = (Person::new(1), Person::new(2));
        let (created, joined) = introduce(Suite::XWing, &mut alice, &mut bob);
        assert_eq!(created.group, joined.group);
        assert!(joined.creator.is_in(&alice.log));
        assert_eq!(joined.room, created.room);
        let members: Vec<_> = joined.room.seats.into_iter().map(|s| s.member).collect();
        assert_eq!(members, alice.session().members(&created.group).unwrap());
        let (a, b) = (alice.session().envelope_secret(&created.group), bob.session().envelope_secret(&created.group));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((&a.secret, &a.leaves, a.epoch), (&b.secret, &b.leaves, b.epoch));
        assert_eq!((a.own_leaf, b.own_leaf, a.leaves), (0, 1, vec![0, 1]));
    });
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    with_stack(|| {
        let play = || {
            let (mut alice, mut bob) = (Person::new(1), Person::new(2));
            let (created, _) = introduce(Suite::XWing, &mut alice, &mut bob);
            let sent = alice.session().encrypt(&created.group, b"hi", b"").unwrap();
            let back = bob.session().encrypt(&created.group, b"hi", b"").unwrap();
            (created.welcomes, sent.message, back.message)
        };
        assert_eq!(play(), play());
    });
}

#[test]
fn messages_open_in_any_order_within_the_window() {
    with_stack(|| {
        let (mut alice, mut bob, group) = pair(Suite::X25519);
        let mut say = |n: u32| alice.session().encrypt(&group, &n.to_be_bytes(), b"").unwrap().message;
        let sent: Vec<_> = (0..limits::OUT_OF_ORDER).map(&mut say).collect();
        // The last of a thousand arrives first; every other one still opens.
        for n in (0..limits::OUT_OF_ORDER).rev() {
            let opened = bob.session().decrypt(&group, &sent[n as usize]).unwrap();
            assert_eq!(opened.content, n.to_be_bytes());
        }
        for message in &sent {
            assert!(matches!(bob.session().decrypt(&group, message), Err(DecryptError::Window)), "opened twice");
        }
    });
}

#[test]
fn later_than_the_window_is_refused_and_so_is_too_far_ahead() {
    with_stack(|| {
        let (mut alice, mut bob, group) = pair(Suite::X25519);
        let first = alice.session().encrypt(&group, b"first", b"").unwrap();
        let mut last = first.clone();
        for _ in 0..=limits::OUT_OF_ORDER {
            last = alice.session().encrypt(&group, b"", b"").unwrap();
        }
        bob.session().decrypt(&group, &last.message).unwrap();
        assert!(matches!(bob.session().decrypt(&group, &first.message), Err(DecryptError::Window)));

        for _ in 0..limits::FORWARD + 2 {
            last = alice.session().encrypt(&group, b"", b"").unwrap();
        }
        assert!(matches!(bob.session().decrypt(&group, &last.message), Err(DecryptError::Window)));
    });
}

#[test]
fn a_message_that_fails_changes_nothing() {
    with_stack(|| {
        let (mut alice, mut bob, group) = pair(Suite::XWing);
        let sent = alice.session().encrypt(&group, b"hi", b"").unwrap();
        let before = bob.kv.clone();
        for at in [sent.message.len() - 1, sent.message.len() / 2] {
            let mut forged = sent.message.clone();
            forged[at] ^= 1;
            let refused = bob.session().decrypt(&group, &forged).unwrap_err();
            assert!(matches!(refused, DecryptError::Forged), "{refused:?}");
        }
        assert!(before == bob.kv);
        assert_eq!(bob.session().decrypt(&group, &sent.message).unwrap().content, b"hi");
    });
}

#[test]
fn what_is_not_content_for_this_group_is_refused() {
    with_stack(|| {
        let (mut alice, mut bob, group) = pair(Suite::X25519);
        let sent = alice.session().encrypt(&group, b"hi", b"").unwrap();
        let other = GroupId([9; 16]);
        let mut bob = bob.session();
        assert!(matches!(bob.decrypt(&other, &sent.message), Err(DecryptError::OtherGroup)));
        assert!(matches!(bob.decrypt(&group, b"nonsense"), Err(DecryptError::Malformed)));
        assert!(matches!(bob.decrypt(&group, &[&sent.message[..], b"."].concat()), Err(DecryptError::Malformed)));
        assert!(matches!(bob.encrypt(&other, b"hi", b""), Err(EncryptError::UnknownGroup)));
        assert!(matches!(bob.members(&other), Err(GroupError::UnknownGroup)));
        assert!(matches!(bob.envelope_secret(&other), Err(GroupError::UnknownGroup)));
        assert!(matches!(alice.session().decrypt(&group, &sent.message), Err(DecryptError::Own)));

        let stranger = Person::new(3).session().decrypt(&group, &sent.message).unwrap_err();
        assert!(matches!(stranger, DecryptError::UnknownGroup));
    });
}

#[test]
fn aad_is_bound_to_the_message() {
    with_stack(|| {
        let (mut alice, mut bob, group) = pair(Suite::X25519);
        let Sealed { message, .. } = alice.session().encrypt(&group, b"hi", b"conversation one").unwrap();
        let at = message.windows(16).position(|w| w == b"conversation one").expect("readable in the message");
        let mut forged = message.clone();
        forged[at + 13] = b'w';
        assert!(matches!(bob.session().decrypt(&group, &forged), Err(DecryptError::Forged)));
        assert_eq!(bob.session().decrypt(&group, &message).unwrap().aad, b"conversation one");
    });
}

#[test]
fn a_one_time_key_package_is_used_up_by_the_welcome_that_succeeds() {
    with_stack(|| {
        let (mut alice, mut bob, mut carol) = (Person::new(1), Person::new(2), Person::new(3));
        let key_package = bob.key_package(false);
        let first = alice.begin(&[bob.peer(&key_package)]).unwrap();
        let second = carol.begin(&[bob.peer(&key_package)]).unwrap();

        let mut forged = first.welcomes[0].clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(matches!(bob.session().join(&forged), Err(JoinError::Invalid(_))));
        bob.session().join(&first.welcomes[0]).expect("the forged welcome used nothing up");
        assert!(matches!(bob.session().join(&second.welcomes[0]), Err(JoinError::NotForUs)));
        assert!(matches!(alice.session().join(&first.welcomes[0]), Err(JoinError::NotForUs)));
    });
}

#[test]
fn the_last_resort_key_package_is_good_for_several_groups() {
    with_stack(|| {
        let (mut alice, mut bob, mut carol) = (Person::new(1), Person::new(2), Person::new(3));
        let key_package = bob.key_package(true);
        let first = alice.begin(&[bob.peer(&key_package)]).unwrap();
        let second = carol.begin(&[bob.peer(&key_package)]).unwrap();
        bob.session().join(&first.welcomes[0]).unwrap();
        assert!(matches!(bob.session().join(&first.welcomes[0]), Err(JoinError::Known)));
        bob.session().join(&second.welcomes[0]).unwrap();
    });
}

#[test]
fn key_packages_that_do_not_fit_the_log_are_refused() {
    with_stack(|| {
        let (mut alice, mut bob, carol) = (Person::new(1), Person::new(2), Person::new(3));
        let honest = bob.key_package(false);
        let mut problem = |peer: PeerDevice<'_>| match alice.begin(&[peer]) {
            Err(StageError::KeyPackage { problem, .. }) => problem,
            other => panic!("{other:?}"),
        };
        // A directory that swaps keys: Bob's package under Carol's name, or Carol's device under Bob's.
        assert_eq!(problem(carol.peer(&honest)), KeyPackageProblem::Account);
        let foreign = PeerDevice { log: &bob.log, device_key: carol.identity.device_key(), key_package: &honest };
        assert_eq!(problem(foreign), KeyPackageProblem::NotInLog);

        assert_eq!(problem(bob.peer(b"nonsense")), KeyPackageProblem::Malformed);
        assert_eq!(problem(bob.peer(&[0; 9_000])), KeyPackageProblem::Malformed);
        let mut flipped = honest.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert_eq!(problem(bob.peer(&flipped)), KeyPackageProblem::Invalid);
        let record = bob.record();
        let other_suite = bob.session().key_package_in(Suite::X25519, &record, false).unwrap();
        let with_carols_record = carol.record();
        let with_carols_record = bob.session().key_package(&with_carols_record, false).unwrap();
        assert_eq!(problem(bob.peer(&with_carols_record)), KeyPackageProblem::Record);
        assert_eq!(problem(bob.peer(&other_suite)), KeyPackageProblem::Suite);
    });
}

#[test]
fn a_device_of_the_same_account_cannot_stand_in_for_another() {
    with_stack(|| {
        // Two devices certified by one log; the package of the first is offered as the second's.
        let mut alice = Person::new(1);
        let mut bob = Person::new(2);
        let second = Person::new(3).identity.device_key();
        let add = livechat_wire::account::Statement::AddDevice { device_key: second };
        bob.identity.state(&mut bob.log, add, NOW).unwrap();
        let key_package = bob.key_package(false);
        let peer = PeerDevice { log: &bob.log, device_key: second, key_package: &key_package };
        let refused = alice.begin(&[peer]).unwrap_err();
        assert!(matches!(refused, StageError::KeyPackage { problem: KeyPackageProblem::Device, .. }), "{refused:?}");
    });
}

#[test]
fn key_packages_are_good_for_their_validity_by_the_callers_clock() {
    with_stack(|| {
        let (mut alice, mut bob) = (Person::new(1), Person::new(2));
        let key_package = bob.key_package(false);
        for (now, expected) in [
            (NOW - limits::CLOCK_SKEW - 1, Some(KeyPackageProblem::NotYet)),
            (NOW - limits::CLOCK_SKEW, None),
            (NOW + limits::KEY_PACKAGE_LIFETIME - 1, None),
            (NOW + limits::KEY_PACKAGE_LIFETIME, Some(KeyPackageProblem::Expired)),
        ] {
            alice.now = now;
            match alice.begin(&[bob.peer(&key_package)]) {
                Ok(_) => assert_eq!(expected, None, "at {now}"),
                Err(StageError::KeyPackage { problem, .. }) => assert_eq!(expected, Some(problem), "at {now}"),
                Err(other) => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn private_keys_of_expired_key_packages_are_forgotten() {
    with_stack(|| {
        let (mut alice, mut bob) = (Person::new(1), Person::new(2));
        let old = bob.key_package(true);
        let welcome = alice.begin(&[bob.peer(&old)]).unwrap().welcomes.remove(0);
        let end = NOW + limits::KEY_PACKAGE_LIFETIME + livechat_wire::limits::RETENTION.as_secs();
        bob.now = end - 1;
        bob.key_package(false);
        assert_eq!(bob.session().forget_key_packages().unwrap(), 0);
        bob.now = end;
        assert_eq!(bob.session().forget_key_packages().unwrap(), 1);
        assert!(matches!(bob.session().join(&welcome), Err(JoinError::NotForUs)));
        assert_eq!(bob.session().forget_key_packages().unwrap(), 0, "the newer one stays");
    });
}

#[test]
fn a_direct_chat_is_begun_with_one_other_account_and_each_device_once() {
    with_stack(|| {
        let (mut alice, mut bob, mut carol) = (Person::new(1), Person::new(2), Person::new(3));
        let (one, two, third) = (bob.key_package(false), bob.key_package(false), carol.key_package(false));
        let before = alice.kv.clone();
        let refused = |begun| match begun {
            Err(StageError::Refused(problem)) => problem,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(alice.begin(&[])), CommitProblem::NotTwo);
        assert_eq!(refused(alice.begin(&[bob.peer(&one), carol.peer(&third)])), CommitProblem::NotTwo);
        assert_eq!(refused(alice.begin(&[bob.peer(&one), bob.peer(&two)])), CommitProblem::Invalid);
        let own = alice.key_package(false);
        let (log, device_key) = (alice.log.clone(), alice.identity.device_key());
        let own = PeerDevice { log: &log, device_key, key_package: &own };
        let with_own = alice.kv.clone();
        assert_eq!(refused(alice.begin(&[bob.peer(&one), own])), CommitProblem::Invalid);
        assert!(alice.kv == with_own && before != with_own, "what is refused leaves nothing behind");
        alice.begin(&[bob.peer(&one)]).unwrap();
    });
}

#[test]
fn a_stranger_with_another_account_or_key_cannot_join_in_our_name() {
    with_stack(|| {
        let (mut alice, mut bob) = (Person::new(1), Person::new(2));
        let key_package = bob.key_package(false);
        let created = alice.begin(&[bob.peer(&key_package)]).unwrap();
        // Bob's store under another identity: the leaf isn't that device's.
        let mut mixed = Person { kv: bob.kv.clone(), ..Person::new(4) };
        assert!(matches!(mixed.session().join(&created.welcomes[0]), Err(JoinError::Foreign)));
        assert!(matches!(bob.session().join(b"nonsense"), Err(JoinError::Malformed)));
        assert!(matches!(bob.session().join(&key_package), Err(JoinError::Malformed)));
        bob.session().join(&created.welcomes[0]).unwrap();
    });
}

#[test]
fn three_devices_talk_in_one_group() {
    with_stack(|| {
        let (mut alice, mut bob, mut carol) = (Person::new(1), Person::new(2), Person::new(3));
        let (for_bob, for_carol) = (bob.key_package(false), carol.key_package(false));
        let (account, record) = (alice.identity.account(), alice.record());
        let charter = Charter::new("three".into(), account, [9; 32]);
        let peers = [bob.peer(&for_bob), carol.peer(&for_carol)];
        let created = alice.session().begin_room(&charter, &record, &peers).unwrap();
        for (person, welcome) in [&mut bob, &mut carol].into_iter().zip(&created.welcomes) {
            assert_eq!(person.session().join(welcome).unwrap().room.seats.len(), 3);
        }
        let sent = carol.session().encrypt(&created.group, b"hello both", b"").unwrap();
        for person in [&mut alice, &mut bob] {
            let opened = person.session().decrypt(&created.group, &sent.message).unwrap();
            assert!(opened.content == b"hello both" && opened.sender.is_in(&carol.log));
        }
    });
}
