//! Rooms: founding, adding, removing, roles, collisions, late messages, and what members refuse.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use livechat_crypto::mls::{
    ApplyError, Change, CommitProblem, DecryptError, GroupId, PeerDevice, Room, StageError, Staged,
};
use livechat_wire::group::{Charter, Role};
use support::{NOW, Person, with_stack};

fn charter(owner: &Person) -> Charter {
    Charter::new("Bergfahrt".into(), owner.identity.account(), [9; 32])
}

fn stage(who: &mut Person, group: &GroupId, change: Change<'_>) -> Result<Staged, StageError> {
    let record = who.record();
    who.session().stage_commit(group, change, &record)
}

fn room(who: &mut Person, group: &GroupId) -> Room {
    who.session().room(group).unwrap().expect("a room")
}

/// Stages and merges an addition; the newcomers join, everyone else applies.
fn add(by: &mut Person, group: &GroupId, others: &mut [&mut Person], new: &mut [&mut Person]) {
    let packages: Vec<_> = new.iter_mut().map(|p| p.key_package(false)).collect();
    let peers: Vec<PeerDevice<'_>> = new.iter().zip(&packages).map(|(p, k)| p.peer(k)).collect();
    let keys = by.session().order_keys(group).unwrap();
    let staged = stage(by, group, Change { add: &peers, ..Change::default() }).unwrap();
    assert_eq!(staged.welcomes.len(), new.len());
    by.session().merge_staged(group).unwrap();
    for other in others {
        let commit = keys.open(&staged.sealed).unwrap();
        let applied = other.session().apply_commit(group, &commit).unwrap();
        assert_eq!(applied.added.len(), new.len());
    }
    for (person, welcome) in new.iter_mut().zip(&staged.welcomes) {
        let joined = person.session().join(welcome).unwrap();
        assert_eq!(joined.room, room(by, group), "all see the same");
    }
}

/// A commit goes round: `by` merges, the others apply.
fn goes_round(by: &mut Person, group: &GroupId, others: &mut [&mut Person], change: Change<'_>) {
    let keys = by.session().order_keys(group).unwrap();
    let staged = stage(by, group, change).unwrap();
    by.session().merge_staged(group).unwrap();
    for other in others {
        other.session().apply_commit(group, &keys.open(&staged.sealed).unwrap()).unwrap();
        assert_eq!(room(other, group), room(by, group));
    }
}

fn three() -> (Person, Person, Person, GroupId) {
    let (mut alice, mut bob, mut carol) = (Person::new(1), Person::new(2), Person::new(3));
    let (charter, own) = (charter(&alice), alice.record());
    let group = alice.session().found_room(&charter, &own).unwrap();
    add(&mut alice, &group, &mut [], &mut [&mut bob, &mut carol]);
    (alice, bob, carol, group)
}

fn says(from: &mut Person, group: &GroupId, text: &[u8]) -> Vec<u8> {
    from.session().encrypt(group, text, b"").unwrap().message
}

#[test]
fn three_people_talk_and_one_is_removed() {
    with_stack(|| {
        let (mut alice, mut bob, mut carol, group) = three();
        let hi = says(&mut bob, &group, b"hi");
        for other in [&mut alice, &mut carol] {
            let opened = other.session().decrypt(&group, &hi).unwrap();
            assert_eq!((&opened.content[..], opened.sender.account), (&b"hi"[..], bob.identity.account()));
        }
        let late = says(&mut carol, &group, b"late");
        let leaf = room(&mut alice, &group)
            .seats
            .iter()
            .find(|s| s.member.account == carol.identity.account())
            .unwrap()
            .member
            .leaf;
        let keys = alice.session().order_keys(&group).unwrap();
        let staged = stage(&mut alice, &group, Change { remove: &[leaf], ..Change::default() }).unwrap();
        let commit = keys.open(&staged.sealed).unwrap();
        alice.session().merge_staged(&group).unwrap();
        bob.session().apply_commit(&group, &commit).unwrap();
        let out = carol.session().apply_commit(&group, &commit).unwrap();
        assert_eq!((out.room, out.removed.len(), out.by.account), (None, 1, alice.identity.account()));
        // P13: what is said from here on is not hers to read, and she says nothing here any more.
        let secret = says(&mut bob, &group, b"without carol");
        assert!(matches!(carol.session().decrypt(&group, &secret), Err(DecryptError::Epoch)));
        assert_eq!(alice.session().decrypt(&group, &secret).unwrap().content, b"without carol");
        let intruding = says(&mut carol, &group, b"still here");
        let from_before = alice.session().decrypt(&group, &late).unwrap();
        assert_eq!(from_before.sender.account, carol.identity.account(), "late, and still hers");
        // Written in the old epoch, so it opens like everything late; the engine bounds how long.
        assert!(alice.session().decrypt(&group, &intruding).is_ok());
        assert_eq!(room(&mut alice, &group), room(&mut bob, &group));
        // She may come back, with nothing of what she missed.
        add(&mut alice, &group, &mut [&mut bob], &mut []);
        let package = carol.key_package(false);
        let staged = stage(&mut alice, &group, Change { add: &[carol.peer(&package)], ..Change::default() }).unwrap();
        alice.session().merge_staged(&group).unwrap();
        assert!(carol.session().join(&staged.welcomes[0]).is_err(), "she is in it, as far as her store knows");
        carol.session().join_again(&staged.welcomes[0], |g| *g == group).unwrap();
        assert_eq!(room(&mut alice, &group), room(&mut carol, &group));
        assert!(carol.session().decrypt(&group, &secret).is_err());
    });
}

#[test]
fn of_two_commits_in_one_epoch_the_first_counts() {
    with_stack(|| {
        let (mut alice, mut bob, mut carol, group) = three();
        let mut named = charter(&alice);
        named.set_role(bob.identity.account(), Role::Admin);
        goes_round(
            &mut alice,
            &group,
            &mut [&mut bob, &mut carol],
            Change { charter: Some(&named), ..Change::default() },
        );
        let keys = alice.session().order_keys(&group).unwrap();
        assert_eq!(keys.slot, bob.session().order_keys(&group).unwrap().slot);
        let (mut of_alice, mut of_bob) = (named.clone(), named.clone());
        of_alice.title = "A".into();
        of_bob.title = "B".into();
        stage(&mut alice, &group, Change { charter: Some(&of_alice), ..Change::default() }).unwrap();
        let theirs = stage(&mut bob, &group, Change { charter: Some(&of_bob), ..Change::default() }).unwrap();
        // What is said while a commit is under way is said in the epoch that ends.
        let meanwhile = says(&mut alice, &group, b"meanwhile");
        bob.session().merge_staged(&group).unwrap();
        let commit = keys.open(&theirs.sealed).unwrap();
        for other in [&mut alice, &mut carol] {
            other.session().apply_commit(&group, &commit).unwrap();
        }
        assert_eq!(bob.session().decrypt(&group, &meanwhile).unwrap().content, b"meanwhile");
        assert_eq!(carol.session().decrypt(&group, &meanwhile).unwrap().content, b"meanwhile");
        goes_round(
            &mut alice,
            &group,
            &mut [&mut bob, &mut carol],
            Change { charter: Some(&of_alice), ..Change::default() },
        );
        assert_eq!(room(&mut carol, &group).charter.title, "A");
        assert!(matches!(carol.session().apply_commit(&group, &commit), Err(ApplyError::Epoch)), "again");
    });
}

/// Someone whose program doesn't check: OpenMLS alone makes these commits, every member refuses them.
#[test]
fn nobody_applies_a_commit_that_its_author_may_not_make() {
    with_stack(|| {
        let (mut alice, mut bob, mut carol, group) = three();
        let mut usurped = charter(&alice);
        usurped.set_role(bob.identity.account(), Role::Owner);
        let change = Change { charter: Some(&usurped), ..Change::default() };
        assert!(matches!(stage(&mut bob, &group, change), Err(StageError::Refused(CommitProblem::MayNotChangeRoles))));
        let leaf = room(&mut bob, &group)
            .seats
            .iter()
            .find(|s| s.member.account == alice.identity.account())
            .unwrap()
            .member
            .leaf;
        let remove = Change { remove: &[leaf], ..Change::default() };
        assert!(matches!(stage(&mut bob, &group, remove), Err(StageError::Refused(CommitProblem::MayNotRemove))));
        let before = (room(&mut alice, &group), alice.kv.clone());
        for (forged, problem) in [
            (forge::charter(&mut bob, &group, &usurped), CommitProblem::MayNotChangeRoles),
            (forge::remove(&mut bob, &group, leaf), CommitProblem::MayNotRemove),
            (forge::no_charter(&mut bob, &group), CommitProblem::Foreign),
        ] {
            for other in [&mut alice, &mut carol] {
                match other.session().apply_commit(&group, &forged) {
                    Err(ApplyError::Invalid { by: Some(by), problem: found }) => {
                        assert_eq!((by.account, found), (bob.identity.account(), problem));
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(room(&mut alice, &group), before.0);
        assert!(alice.kv == before.1, "a refused commit changes nothing");
        // And an honest one of hers goes on from there: her staged forgeries were never merged.
        goes_round(&mut alice, &group, &mut [&mut carol, &mut bob], Change::default());
        for junk in [&b""[..], b"junk", &says(&mut bob, &group, b"no commit")] {
            assert!(matches!(alice.session().apply_commit(&group, junk), Err(ApplyError::Invalid { by: None, .. })));
        }
    });
}

#[test]
fn newcomers_must_prove_whose_device_they_are() {
    with_stack(|| {
        let (mut alice, ..) = three();
        let (charter, own) = (charter(&alice), alice.record());
        let group = alice.session().found_room(&charter, &own).unwrap();
        let mut dave = Person::new(4);
        let eve = Person::new(5);
        let of_another = dave.session().key_package(&eve.record(), false).unwrap();
        let change = Change { add: &[dave.peer(&of_another)], ..Change::default() };
        assert!(stage(&mut alice, &group, change).is_err());
        dave.now = NOW;
        let good = dave.key_package(false);
        assert!(stage(&mut alice, &group, Change { add: &[dave.peer(&good)], ..Change::default() }).is_ok(), "control");
    });
}

/// Past epochs open for as long as they are kept, each with the people who were in it.
#[test]
fn five_past_epochs_open() {
    with_stack(|| {
        let (mut alice, mut bob, mut carol, group) = three();
        let mut said = Vec::new();
        for _ in 0..7 {
            said.push(says(&mut bob, &group, b"x"));
            goes_round(&mut alice, &group, &mut [&mut bob, &mut carol], Change::default());
        }
        let opened: Vec<_> = said.iter().map(|m| carol.session().decrypt(&group, m).is_ok()).collect();
        assert_eq!(opened, [false, false, true, true, true, true, true]);
    });
}

/// What a program without our checks can make: OpenMLS asked directly.
mod forge {
    use livechat_crypto::mls::GroupId;
    use livechat_crypto::mls::provider::Provider;
    use livechat_wire::group::{Charter, MemberRecord};
    use openmls::prelude::tls_codec::Serialize;
    use openmls::prelude::*;
    use openmls_traits::OpenMlsProvider;
    use openmls_traits::signatures::{Signer, SignerError};

    use crate::support::Person;

    struct Key(ed25519_dalek::SigningKey);

    impl Signer for Key {
        fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
            Ok(ed25519_dalek::Signer::sign(&self.0, payload).to_bytes().to_vec())
        }

        fn signature_scheme(&self) -> SignatureScheme {
            SignatureScheme::ED25519
        }
    }

    fn made(
        who: &mut Person,
        group: &GroupId,
        change: impl for<'a> FnOnce(CommitBuilder<'a, Initial>) -> CommitBuilder<'a, Initial>,
    ) -> Vec<u8> {
        // The device key stands fourth in the encoded identity.
        let secret: [u8; 32] = who.identity.encode()[34..66].try_into().unwrap();
        let key = Key(ed25519_dalek::SigningKey::from_bytes(&secret));
        // On a copy: a forger who wants to go on doesn't advance their own ratchets.
        let mut kv = who.kv.clone();
        let provider = Provider::new(&mut kv, &mut who.rng);
        let id = openmls::group::GroupId::from_slice(&group.0);
        let mut group = MlsGroup::load(provider.storage(), &id).unwrap().unwrap();
        let builder = change(group.commit_builder());
        let bundle = builder.load_psks(provider.storage()).unwrap();
        let bundle = bundle.build(provider.rand(), provider.crypto(), &key, |_| true).unwrap();
        bundle.stage_commit(&provider).unwrap().commit().tls_serialize_detached().unwrap()
    }

    pub fn charter(who: &mut Person, group: &GroupId, charter: &Charter) -> Vec<u8> {
        let ours = [Charter::EXTENSION, MemberRecord::EXTENSION].map(ExtensionType::Unknown);
        let required = Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&ours, &[], &[]));
        let ours = Extension::Unknown(Charter::EXTENSION, UnknownExtension(charter.encode()));
        let extensions = Extensions::from_vec(vec![required, ours]).unwrap();
        made(who, group, |b| b.propose_group_context_extensions(extensions).unwrap())
    }

    pub fn no_charter(who: &mut Person, group: &GroupId) -> Vec<u8> {
        made(who, group, |b| b.propose_group_context_extensions(Extensions::empty()).unwrap())
    }

    pub fn remove(who: &mut Person, group: &GroupId, leaf: u32) -> Vec<u8> {
        made(who, group, |b| b.propose_removals([LeafNodeIndex::new(leaf)]))
    }
}
