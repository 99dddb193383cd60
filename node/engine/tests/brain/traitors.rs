//! Members who claim what they may not, and a relay that tells two stories: a named, visible consequence, nothing lost.

use livechat_crypto::mls::GroupId;
use livechat_engine::Command;
use livechat_engine::view::Membership;
use livechat_wire::group::Role;
use livechat_wire::payload::Kind;
use livechat_wire::{ConversationId, SlotId};

use crate::circle::{Circle, put_at};
use crate::forge;
use crate::rig::roomy;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// Alice's group with Bob, a plain member, and Carol.
fn three() -> (Circle, ConversationId, GroupId) {
    let mut world = Circle::of(&["alice", "bob", "carol"]);
    let at = world.creates(A, "Bergfahrt", &[B, C]);
    world.settle(6);
    let group = world.mls_group(A, at);
    (world, at, group)
}

/// Bob puts a commit of his into the slot, first, and shows it to everyone.
fn claims(world: &mut Circle, group: &GroupId, commit: &[u8]) -> SlotId {
    let keys = world.people[B].session().order_keys(group).unwrap();
    let entry = world.append(keys.slot, keys.seal(commit, &[9; 32]).unwrap());
    assert_eq!(entry.receipt.index, 0, "he is the first");
    let envelopes = world.people[B].seals_kind(*group, 0, Kind::Commit, &entry.encode());
    world.published.extend(envelopes);
    keys.slot
}

#[test]
fn whoever_claims_what_they_may_not_is_named_and_the_group_goes_on() {
    roomy(|| {
        type Forgery = fn(&mut Circle, &GroupId) -> Vec<u8>;
        let forgeries: [(&str, Forgery); 3] = [
            ("bob", |world, group| {
                let mut charter = world.people[B].session().room(group).unwrap().unwrap().charter;
                charter.set_role(world.account(B), Role::Owner);
                forge::charter(&mut world.people[B], group, &charter)
            }),
            ("bob", |world, group| {
                let room = world.people[B].session().room(group).unwrap().unwrap();
                let carol = world.account(C);
                let leaf = room.seats.iter().find(|s| s.member.account == carol).unwrap().member.leaf;
                forge::remove(&mut world.people[B], group, leaf)
            }),
            // Not even a commit: nobody can say whose it is.
            ("", |_, _| b"claimed, and nothing there".to_vec()),
        ];
        for (name, forgery) in forgeries {
            let (mut world, at, group) = three();
            let before = world.group(A, at);
            let forged = forgery(&mut world, &group);
            let slot = claims(&mut world, &group, &forged);
            world.settle(8);
            let refused = format!("* refused what {name} tried");
            for who in [A, C] {
                assert_eq!(world.history(who, at).last(), Some(&refused));
                let after = world.group(who, at);
                assert_eq!((after.epoch, after.authenticator), (before.epoch, before.authenticator.clone()));
            }
            // What is said goes on, and the next valid commit counts although it comes second.
            world.says(C, at, "what was that?");
            world.does(A, Command::Remove { conversation: at, account: world.account(B) }).unwrap();
            world.settle(8);
            world.agree(&[A, C], at);
            assert_eq!(world.members(C, at), ["alice", "carol"]);
            assert_eq!(world.group(B, at).standing, Membership::Removed);
            assert_eq!(world.slots[&slot].len(), 2);
            assert_eq!(world.texts(A, at), ["carol: what was that?"]);
            for who in [A, C] {
                let said = world.history(who, at);
                assert_eq!(said.iter().filter(|l| **l == refused).count(), 1, "said once: {said:?}");
            }
        }
    });
}

/// A receipt that is not the relay's, or for another commit, or claims without any commit behind them: nothing.
#[test]
fn claims_without_commits_change_nothing() {
    roomy(|| {
        let (mut world, at, group) = three();
        let keys = world.people[B].session().order_keys(&group).unwrap();
        let sealed = keys.seal(b"x", &[1; 32]).unwrap();
        let mut forged = put_at(keys.slot, 0, &sealed);
        forged.receipt.signature[3] ^= 1;
        let mut swapped = put_at(keys.slot, 0, &sealed);
        swapped.commit = keys.seal(b"y", &[2; 32]).unwrap();
        let elsewhere = put_at(SlotId([7; 32]), 0, &sealed);
        let before = (world.group(A, at), world.history(A, at));
        let payloads = [forged.encode(), swapped.encode(), elsewhere.encode(), b"junk".to_vec()];
        let mut number = 0;
        for payload in payloads {
            let envelopes = world.people[B].seals_kind(group, number, Kind::Commit, &payload);
            number += envelopes.len() as u64;
            world.published.extend(envelopes);
        }
        world.settle(8);
        assert_eq!((world.group(A, at), world.history(A, at)), before);
        assert_eq!(world.people[A].engine.refused().malformed, 3);
    });
}

/// A notice is made here, never taken from somebody: a content that pretends to be one is refused.
#[test]
fn nobody_can_send_a_notice() {
    roomy(|| {
        use livechat_wire::MessageId;
        use livechat_wire::content::{Body, Content};
        let (mut world, at, group) = three();
        let body = Body::Unknown { kind: 0xff00, data: vec![7] };
        let content = Content { id: MessageId([1; 16]), parents: vec![], sent_at: 5, body };
        let before = world.history(A, at);
        let envelopes = world.people[B].forges(group, 0, &content, &at.0);
        world.published.extend(envelopes);
        world.settle(8);
        assert_eq!(world.history(A, at), before);
        assert_eq!(world.people[A].engine.refused().malformed, 1);
    });
}

/// A relay that tells Alice that her commit is the first, and Carol that another is: two receipts prove it.
#[test]
fn two_orders_are_caught_and_shown() {
    roomy(|| {
        let (mut world, at, group) = three();
        let bob = world.account(B);
        world
            .does(A, Command::SetRole { conversation: at, account: bob, role: livechat_engine::view::Role::Admin })
            .unwrap();
        world.settle(8);
        let keys = world.people[C].session().order_keys(&group).unwrap();
        world.does(A, Command::SetTitle { conversation: at, title: "one".into() }).unwrap();
        world.settle(8);
        // Bob's node never saw it; the relay tells him that his commit is the first.
        let other = put_at(keys.slot, 0, &keys.seal(b"another", &[3; 32]).unwrap());
        assert!(!world.group(A, at).forked, "control");
        let envelopes = old_epoch(&mut world, &group, keys.epoch, &other.encode());
        world.published.extend(envelopes);
        world.settle(8);
        for who in [A, C] {
            assert!(world.group(who, at).forked, "{who}");
            assert_eq!(world.history(who, at).last().unwrap(), "* forked");
            world.people[who].restarts();
            assert!(world.group(who, at).forked, "and kept");
        }
        world.says(A, at, "we had better meet");
        world.settle(8);
        assert_eq!(world.texts(C, at), ["alice: we had better meet"], "talking goes on");
    });
}

/// Envelopes of Bob's in an epoch that is over, with the keys that his node keeps of it.
fn old_epoch(world: &mut Circle, group: &GroupId, epoch: u64, payload: &[u8]) -> Vec<livechat_wire::Envelope> {
    use livechat_crypto::envelope::{Address, EnvelopeKeys};
    use livechat_crypto::kv::{Kv, Namespace};
    use livechat_wire::codec::Reader;
    use livechat_wire::envelope::epoch_at;
    use livechat_wire::payload::Fragment;
    let bob = &mut world.people[B];
    let row = bob.kv.get(Namespace(livechat_engine::tables::Table::Groups as u8), &group.0).unwrap().unwrap();
    let mut r = Reader::new(&row);
    r.take(1 + 32 + 4).unwrap();
    let epochs = r
        .list(9, "epochs", |r| {
            let (number, leaf) = (r.u64()?, r.u32()?);
            let secret: [u8; 32] = r.array()?;
            let (_, counter) = (r.u64()?, r.u64()?);
            r.list(999, "leaves", Reader::u32)?;
            Ok((number, leaf, secret, counter))
        })
        .unwrap();
    let (_, leaf, secret, counter) = epochs.into_iter().find(|e| e.0 == epoch).expect("a kept epoch");
    let to = Address { bucket: 0, epoch: epoch_at(bob.now / 1_000), ephemeral: false };
    let fragments = Fragment::cut(Kind::Commit, [8; 8], payload).unwrap();
    let keys = EnvelopeKeys::new(&secret);
    (counter..).zip(&fragments).map(|(c, f)| keys.seal(leaf, c, f, to, &mut bob.dice)).collect()
}
