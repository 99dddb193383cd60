use livechat_crypto::kv::{Kv, Namespace, Order};
use livechat_engine::view::MessageBody;
use livechat_engine::{Command, Event, Input};
use livechat_wire::ConversationId;

use crate::rig::{Person, accept, acquainted, roomy};

const MINUTE: u64 = 60_000;

fn rows(who: &Person, of: std::ops::RangeInclusive<u8>) -> usize {
    of.map(|ns| who.kv.scan(Namespace(ns), &[], &[], 10_000, Order::Ascending).unwrap().len()).sum()
}

/// Alice sets a minute; what follows disappears a minute after it was sent, at Bob a minute after he read it.
#[test]
fn time_counts_from_sending_here_and_from_reading_there() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, before) = alice.says(chat, "stays");
        let set = alice.did(Command::SetTimer { conversation: chat, seconds: 60 });
        let _ = bob.gets(&[before.gossip, set].concat());
        let (goes, sent) = alice.says(chat, "goes");
        assert_eq!((goes.timer, goes.expires_at), (Some(60), Some(alice.now + MINUTE)));
        let _ = accept(&mut alice, &sent.gossip);
        let _ = bob.gets(&sent.gossip);
        assert_eq!(bob.texts(chat), ["stays", "(timer: 60 s)", "goes"]);
        // Unread, it stays; at Alice it is gone on time, over a restart too.
        alice.restarts();
        let effects = alice.after(MINUTE);
        assert!(effects.events.iter().any(|e| matches!(e, Event::MessageRemoved { id, .. } if *id == goes.id)));
        assert_eq!(alice.texts(chat), ["stays", "(timer: 60 s)"]);
        let _ = bob.after(10 * MINUTE);
        assert_eq!(bob.texts(chat).len(), 3);
        assert_eq!(bob.history(chat)[2].expires_at, None);
        let _ = bob.did(Command::MarkRead { conversation: chat, position: u64::MAX });
        assert_eq!(bob.history(chat)[2].expires_at, Some(bob.now + MINUTE));
        bob.restarts();
        let _ = bob.after(MINUTE - 1);
        assert_eq!(bob.texts(chat).len(), 3);
        let _ = bob.after(1);
        assert_eq!(bob.texts(chat), ["stays", "(timer: 60 s)"]);
        // Nothing of it is left, and it doesn't come back.
        assert_eq!(rows(&bob, 73..=74), 0);
        let _ = bob.gets(&sent.gossip);
        assert_eq!(bob.texts(chat).len(), 2);
        let line = &bob.engine.conversations(&bob.kv).unwrap()[0];
        assert_eq!((line.timer, line.unread), (Some(60), 0));
        assert!(matches!(line.last.as_ref().map(|m| &m.body), Some(MessageBody::Timer { seconds: 60 })));
    });
}

#[test]
fn the_engine_asks_to_be_woken_and_goes_on_where_many_are_due() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let set = alice.did(Command::SetTimer { conversation: chat, seconds: 3_600 });
        let _ = accept(&mut alice, &set);
        for n in 0..70 {
            let (_, effects) = alice.says(chat, &format!("{n}"));
            let _ = accept(&mut alice, &effects.gossip);
        }
        assert_eq!(alice.engine.wake_at(), Some(alice.now + 3_600_000));
        let _ = alice.waits();
        assert_eq!(alice.engine.wake_at(), Some(alice.now), "64 at a time");
        let _ = alice.takes(Input::Timer);
        assert_eq!((alice.texts(chat).len(), alice.engine.wake_at()), (1, None));
    });
}

/// Both set a timer at once: both ends come to the same one.
#[test]
fn two_timers_at_once_are_one() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let one = alice.did(Command::SetTimer { conversation: chat, seconds: 10 });
        let two = bob.did(Command::SetTimer { conversation: chat, seconds: 20 });
        let _ = alice.gets(&two);
        let _ = bob.gets(&one);
        let timer = |who: &Person, at: ConversationId| {
            let all = who.engine.conversations(&who.kv).unwrap();
            all.iter().find(|c| c.id == at).and_then(|c| c.timer)
        };
        assert!(timer(&alice, chat).is_some());
        assert_eq!(timer(&alice, chat), timer(&bob, chat));
        let off = bob.did(Command::SetTimer { conversation: chat, seconds: 0 });
        let _ = alice.gets(&off);
        assert_eq!((timer(&alice, chat), timer(&bob, chat)), (None, None));
        let (message, _) = alice.says(chat, "stays");
        assert_eq!((message.timer, message.expires_at), (None, None));
    });
}

/// A withdrawn message has no time left to count.
#[test]
fn a_deletion_ends_the_countdown() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let _ = alice.did(Command::SetTimer { conversation: chat, seconds: 5 });
        let (said, _) = alice.says(chat, "oops");
        let _ = alice.did(Command::Delete { conversation: chat, position: said.position, for_everyone: true });
        assert_eq!(rows(&alice, 73..=74), 0);
        let _ = alice.after(10_000);
        assert_eq!(alice.texts(chat), ["(timer: 5 s)", "(deleted)"]);
    });
}
