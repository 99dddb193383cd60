use livechat_engine::{Command, CommandError, Effects, Input, Reply};
use livechat_wire::{ConversationId, MessageId, limits as wire};

use crate::rig::{Person, acquainted, roomy};

fn answer(effects: Effects) -> Result<Reply, CommandError> {
    effects.replies.into_iter().next().expect("an answer").1
}

fn send(who: &mut Person, at: ConversationId, text: &str, id: Option<MessageId>) -> Effects {
    who.does(Command::Send { conversation: at, text: text.to_owned(), id, reply_to: None }).1
}

#[test]
fn twice_under_one_id_is_once() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let id = Some(MessageId([5; 16]));
        let first = send(&mut alice, chat, "once", id);
        let _ = bob.gets(&first.gossip);
        let first = answer(first).unwrap();
        alice.restarts();
        let again = send(&mut alice, chat, "once", id);
        assert_eq!(again.events.len(), 0);
        assert_eq!(answer(again).unwrap(), first);
        assert_eq!(answer(send(&mut alice, chat, "other words", id)), Err(CommandError::IdTaken));
        assert_eq!((alice.texts(chat), alice.engine.queued()), (vec!["once".to_owned()], 1));
        assert_eq!(bob.texts(chat), ["once"]);
    });
}

#[test]
fn what_cannot_be_sent_says_why_and_leaves_no_trace() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let before = alice.kv.clone();
        let nowhere = ConversationId([1; 32]);
        assert_eq!(answer(send(&mut alice, nowhere, "x", None)), Err(CommandError::UnknownConversation));
        assert_eq!(answer(send(&mut alice, chat, "", None)), Err(CommandError::BadText));
        let long = "x".repeat(wire::TEXT + 1);
        assert_eq!(answer(send(&mut alice, chat, &long, None)), Err(CommandError::BadText));
        let mark = Command::MarkRead { conversation: nowhere, position: 1 };
        assert_eq!(answer(alice.does(mark).1), Err(CommandError::UnknownConversation));
        assert!(alice.kv == before);
    });
}

#[test]
fn nobody_signed_up_can_do_nothing_and_receives_nothing() {
    roomy(|| {
        let mut kv = livechat_crypto::kv::MemoryKv::default();
        let mut engine = livechat_engine::Engine::open(&kv).unwrap();
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let (_, said) = alice.says(chat, "hello");
        let mut take = |input| {
            let now = livechat_engine::Now(alice.now);
            engine.handle(now, &mut alice.dice, input, &mut kv).unwrap()
        };
        let send = Command::Send { conversation: chat, text: "x".into(), id: None, reply_to: None };
        let id = livechat_engine::CommandId(1);
        let refused = take(Input::Command { id, command: send });
        assert_eq!(refused.replies, [(id, Err(CommandError::NoAccount))]);
        let gossip = take(Input::Gossip(said.gossip[0].clone()));
        assert!(gossip.events.is_empty() && gossip.gossip.is_empty());
        assert_eq!((engine.account(), engine.bucket(), engine.queued()), (None, 0, 0));
    });
}
