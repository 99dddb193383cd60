//! Knocks that aren't what they say, and links made and listed (PROTOCOL ).

use livechat_crypto::door::DoorKeys;
use livechat_crypto::envelope::{Address, HelloKeys, seal_hello};
use livechat_crypto::identity::Identity;
use livechat_engine::view::{GroupLink, LinkState};
use livechat_engine::{Command, CommandError, Reply, Secret};
use livechat_wire::door::{Knock, Link};
use livechat_wire::envelope::epoch_at;
use livechat_wire::hello::Hello;
use livechat_wire::payload::{Fragment, Kind};
use livechat_wire::{ConversationId, Envelope, limits as wire};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::{Digest, Sha256};

use crate::circle::Circle;
use crate::rig::{Person, START, roomy};

const NOW: u64 = START / 1_000;

fn makes_link(circle: &mut Circle, who: usize, at: ConversationId, uses: Option<u32>) -> GroupLink {
    let made = circle.does(who, Command::MakeLink { conversation: at, expires_in: None, uses });
    circle.settle(2);
    match made {
        Ok(Reply::Link(link)) => link,
        other => panic!("{other:?}"),
    }
}

fn keys(link: &GroupLink) -> DoorKeys {
    DoorKeys::of(&link.link.clone().unwrap().parse::<Link>().unwrap().seed)
}

/// Seals bytes as a knock to somebody.
fn sends(whom: &Person, bytes: &[u8], dice: &mut ChaCha20Rng) -> Vec<Envelope> {
    let fragments = Fragment::cut(Kind::Knock, [3; 8], bytes).unwrap();
    let count = u16::try_from(fragments.len()).unwrap();
    let hello = Hello { secret: [9; 32], fragments: count, digest: Sha256::digest(bytes).into() };
    let to = Address { bucket: 0, epoch: epoch_at(NOW), ephemeral: false };
    let hello_key = whom.engine.identity().unwrap().hello_key();
    let rest: Vec<_> = fragments.iter().map(|f| HelloKeys::new(&[9; 32]).seal(f.index, f, to, dice)).collect();
    std::iter::once(seal_hello(hello_key, &hello, to, dice).unwrap()).chain(rest).collect()
}

#[test]
fn nobody_comes_in_by_a_knock_that_does_not_hold() {
    roomy(|| {
        let mut circle = Circle::of(&["alice", "bob", "carol"]);
        let at = circle.creates(0, "Bergfahrt", &[]);
        let link = makes_link(&mut circle, 0, at, None);
        let door = keys(&link);
        let mut dice = ChaCha20Rng::seed_from_u64(1);
        let mallory = Identity::generate(&mut dice);
        let (to, other) = (circle.account(0).0, circle.account(2).0);
        let honest = |circle: &Circle| {
            let bob = circle.people[1].engine.identity().unwrap();
            door.knock(bob, circle.people[1].log.clone(), bob.bundle(NOW).encode(), NOW, [1; 16], &to)
        };
        let bob = circle.people[1].engine.identity().unwrap();
        let (log, bundle) = (circle.people[1].log.clone(), bob.bundle(NOW).encode());
        let theirs = mallory.found_log("mallory", crate::rig::relay(), NOW).unwrap().encode();
        let forged: [(&str, Knock); 7] = [
            ("in bob's name", door.knock(&mallory, log.clone(), bundle.clone(), NOW, [2; 16], &to)),
            ("with bob's log", door.knock(&mallory, log.clone(), mallory.bundle(NOW).encode(), NOW, [3; 16], &to)),
            ("with bob's device", door.knock(bob, theirs, bundle.clone(), NOW, [4; 16], &to)),
            ("for another", door.knock(bob, log.clone(), bundle.clone(), NOW, [5; 16], &other)),
            ("too old", door.knock(bob, log, bundle, NOW - 2 * wire::RETENTION.as_secs(), [6; 16], &to)),
            ("without the door's key", Knock { by_door: [0; 64], ..honest(&circle) }),
            ("under another token", Knock { token: [8; 16], ..honest(&circle) }),
        ];
        for (how, knock) in forged {
            let refused = circle.people[0].engine.refused().introductions;
            let envelopes = sends(&circle.people[0], &knock.encode(), &mut dice);
            circle.published.extend(envelopes);
            circle.settle(3);
            assert_eq!(circle.members(0, at), ["alice"], "{how}");
            assert_eq!(circle.people[0].engine.refused().introductions, refused + 1, "{how}");
        }
        let envelopes = sends(&circle.people[0], &honest(&circle).encode(), &mut dice);
        circle.published.extend(envelopes);
        circle.settle(3);
        assert_eq!(circle.members(0, at), ["alice", "bob"], "control: an honest one is heard");
    });
}

/// Whoever claims a name in their log that the directory knows as somebody else's is not let in under it.
#[test]
fn a_name_is_not_taken_on_the_knockers_word() {
    roomy(|| {
        let mut circle = Circle::of(&["alice", "bob"]);
        let at = circle.creates(0, "Bergfahrt", &[]);
        let link = makes_link(&mut circle, 0, at, None);
        let mut dice = ChaCha20Rng::seed_from_u64(2);
        let mallory = Identity::generate(&mut dice);
        let log = mallory.found_log("bob", crate::rig::relay(), NOW).unwrap().encode();
        let to = circle.account(0).0;
        let knock = keys(&link).knock(&mallory, log, mallory.bundle(NOW).encode(), NOW, [1; 16], &to);
        let envelopes = sends(&circle.people[0], &knock.encode(), &mut dice);
        circle.published.extend(envelopes);
        circle.settle(3);
        assert_eq!(circle.members(0, at), ["alice"]);
    });
}

#[test]
fn links_are_for_admins_and_only_who_made_one_can_show_it() {
    roomy(|| {
        let mut circle = Circle::of(&["alice", "bob", "carol"]);
        let at = circle.creates(0, "Bergfahrt", &[1, 2]);
        circle.settle(3);
        let role = livechat_engine::view::Role::Admin;
        let account = circle.account(1);
        circle.does(0, Command::SetRole { conversation: at, account, role }).unwrap();
        circle.settle(2);
        let make = |uses| Command::MakeLink { conversation: at, expires_in: None, uses };
        assert_eq!(circle.does(2, make(None)), Err(CommandError::NotAllowed));
        circle.orders = false;
        let Ok(Reply::Link(pending)) = circle.does(0, make(Some(2))) else { panic!("no link") };
        assert_eq!(pending.state, LinkState::Pending);
        let seen = |circle: &Circle, who: usize| {
            let links = circle.people[who].engine.links(circle.people[who].now, at).unwrap().unwrap();
            links.into_iter().map(|l| (l.state, l.link.is_some(), l.made_by)).collect::<Vec<_>>()
        };
        assert_eq!(seen(&circle, 0), [(LinkState::Pending, true, "alice".into())]);
        circle.orders = true;
        circle.settle(20);
        assert_eq!(seen(&circle, 0), [(LinkState::Open, true, "alice".into())]);
        assert_eq!(seen(&circle, 1), [(LinkState::Open, false, "alice".into())]);
        let names: Vec<_> = pending.link.unwrap().parse::<Link>().unwrap().doorkeepers;
        assert_eq!(names.into_iter().map(|d| d.username).collect::<Vec<_>>(), ["alice", "bob"]);
        let door = pending.door;
        assert_eq!(
            circle.does(2, Command::RevokeLink { conversation: at, door: door.clone() }),
            Err(CommandError::NotAllowed)
        );
        circle.does(1, Command::RevokeLink { conversation: at, door: door.clone() }).unwrap();
        circle.settle(2);
        assert_eq!(seen(&circle, 0), []);
        let again = circle.does(1, Command::RevokeLink { conversation: at, door });
        assert_eq!(again, Err(CommandError::UnknownLink));
    });
}

#[test]
fn what_is_no_link_of_ours_is_refused() {
    roomy(|| {
        let mut bob = Person::new("bob");
        let link = Link {
            relay: livechat_wire::RelayId([1; 32]),
            seed: livechat_wire::door::DoorSeed([2; 32]),
            doorkeepers: Vec::new(),
        };
        assert_eq!(bob.fails(Command::JoinLink { link: Secret(link.to_string()) }), CommandError::OtherRelay);
        for text in ["", "livechat:join:", "https://example.org", &link.to_string()[..60]] {
            assert_eq!(bob.fails(Command::JoinLink { link: Secret(text.into()) }), CommandError::BadLink, "{text}");
        }
        assert_eq!(bob.fails(Command::CancelJoin { door: "00".repeat(32) }), CommandError::UnknownLink);
    });
}
