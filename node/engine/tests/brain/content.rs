//! Answers, edits, deletions, reactions: both ends come to the same, in whatever order things arrive.

use livechat_crypto::kv::{Kv, Namespace, Order};
use livechat_engine::view::{Message, MessageBody};
use livechat_engine::{Command, CommandError, Event, Reply, limits};
use livechat_wire::content::{Body, Content, Edit, Reactions, Target};
use livechat_wire::{ConversationId, Envelope, MessageId, limits as wire};

use crate::rig::{Person, accept, acquainted, added, roomy};

/// What both ends must agree on about each message.
fn state(who: &Person, at: ConversationId) -> Vec<String> {
    let show = |m: &Message| {
        let reactions: Vec<_> = m.reactions.iter().map(|r| (r.emoji.as_str(), r.by.join("+"))).collect();
        let quote = m.reply_to.as_ref().map(|q| q.text.as_deref().unwrap_or("?"));
        format!("{}: {:?} edited {} {reactions:?} {quote:?}", m.author_name, m.body, m.edited_at.is_some())
    };
    who.history(at).iter().map(show).collect()
}

fn position(who: &Person, at: ConversationId, text: &str) -> u64 {
    let has = |m: &Message| matches!(&m.body, MessageBody::Text { text: t } if t == text);
    who.history(at).iter().find(|m| has(m)).map(|m| m.position).expect("a message with this text")
}

/// Whether any value of the store holds these bytes.
fn holds(who: &Person, needle: &str) -> bool {
    (0..=u8::MAX).any(|ns| {
        let rows = who.kv.scan(Namespace(ns), &[], &[], 1_000_000, Order::Ascending).unwrap();
        rows.iter().any(|(_, v)| v.windows(needle.len()).any(|w| w == needle.as_bytes()))
    })
}

#[test]
fn an_answer_quotes_what_its_target_says_now() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (asked, envelopes) = alice.says(chat, "tea or coffee?");
        let _ = bob.gets(&envelopes.gossip);
        let to = position(&bob, chat, "tea or coffee?");
        let reply = |to| Command::Send { conversation: chat, text: "tea".into(), id: None, reply_to: to };
        let answer = bob.did(reply(Some(to)));
        let _ = alice.gets(&answer);
        let quote = alice.history(chat)[1].reply_to.clone().expect("a quote");
        assert_eq!((quote.id, quote.author_name.as_str()), (asked.id, "alice"));
        assert_eq!((quote.position, quote.text.as_deref()), (Some(asked.position), Some("tea or coffee?")));
        let text = "tea, coffee, or water?".to_owned();
        let edit = alice.did(Command::Edit { conversation: chat, position: asked.position, text });
        let _ = bob.gets(&edit);
        let gone = alice.did(Command::Delete { conversation: chat, position: asked.position, for_everyone: true });
        let quoted = |who: &Person| who.history(chat)[1].reply_to.clone().and_then(|q| q.text);
        assert_eq!(quoted(&bob).as_deref(), Some("tea, coffee, or water?"));
        let _ = bob.gets(&gone);
        assert_eq!((quoted(&alice), quoted(&bob)), (None, None), "nothing is left of it");
        assert_eq!(bob.fails(reply(Some(99))), CommandError::UnknownMessage);
    });
}

#[test]
fn the_same_answer_twice_is_once() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let (first, _) = alice.says(chat, "one");
        let id = Some(MessageId([4; 16]));
        let send = |reply_to| Command::Send { conversation: chat, text: "two".into(), id, reply_to };
        assert_eq!(alice.did(send(Some(first.position))).len(), 1);
        assert!(alice.did(send(Some(first.position))).is_empty());
        assert_eq!(alice.fails(send(None)), CommandError::IdTaken);
    });
}

#[test]
fn edits_keep_their_history() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let (said, envelopes) = alice.says(chat, "frist");
        let _ = accept(&mut alice, &envelopes.gossip);
        for text in ["fist", "first"] {
            alice.now += 1_000;
            let edit = || Command::Edit { conversation: chat, position: said.position, text: text.into() };
            let edited = alice.did(edit());
            let _ = accept(&mut alice, &edited);
            assert!(alice.did(edit()).is_empty(), "said twice is said once");
        }
        let texts: Vec<_> =
            alice.engine.revisions(&alice.kv, chat, said.position).unwrap().into_iter().map(|r| r.text).collect();
        assert_eq!(texts, ["frist", "fist", "first"]);
        alice.restarts();
        assert_eq!(alice.texts(chat), ["first"]);
        assert_eq!(alice.history(chat)[0].edited_at, Some(alice.now));
    });
}

/// Alice says something and edits it twice, takes her reaction back, and so on: each step one envelope.
fn steps(alice: &mut Person, chat: ConversationId) -> Vec<Vec<Envelope>> {
    let (said, first) = alice.says(chat, "zero");
    let edit = |text: &str| Command::Edit { conversation: chat, position: said.position, text: text.into() };
    let react =
        |emoji: &str, on| Command::React { conversation: chat, position: said.position, emoji: emoji.into(), on };
    let mut all = vec![first.gossip];
    for command in [edit("one"), react("👍", true), edit("two"), react("❤️", true), react("👍", false)] {
        all.push(alice.did(command));
    }
    all
}

#[test]
fn both_ends_agree_whatever_the_order() {
    roomy(|| {
        // Each is given up waiting for and comes late, one after the other, the message itself too.
        for late in 0..6 {
            let (mut alice, mut bob, chat) = acquainted("alice", "bob");
            let steps = steps(&mut alice, chat);
            for (n, step) in steps.iter().enumerate().filter(|(n, _)| *n != late) {
                let _ = bob.gets(step);
                if n == 5 {
                    let _ = bob.after(limits::HOLD);
                }
            }
            let _ = bob.after(limits::HOLD);
            bob.restarts();
            let _ = bob.gets(&steps[late]);
            assert_eq!(state(&bob, chat), state(&alice, chat), "step {late} came last");
            assert_eq!(bob.texts(chat), ["two"]);
            let reactions = &bob.history(chat)[0].reactions;
            assert_eq!(reactions.iter().map(|r| (r.emoji.as_str(), r.own)).collect::<Vec<_>>(), [("❤️", false)]);
        }
    });
}

#[test]
fn a_deletion_leaves_nothing_but_a_trace() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (said, envelopes) = alice.says(chat, "canary one");
        let edit = Command::Edit { conversation: chat, position: said.position, text: "canary two".into() };
        let _ = bob.gets(&[envelopes.gossip, alice.did(edit)].concat());
        let react = Command::React { conversation: chat, position: 1, emoji: "🐤".into(), on: true };
        let _ = alice.gets(&bob.did(react));
        assert!(holds(&bob, "canary one") && holds(&bob, "canary two") && holds(&alice, "🐤"));
        let delete = Command::Delete { conversation: chat, position: said.position, for_everyone: true };
        let gone = alice.did(delete.clone());
        let _ = accept(&mut alice, &gone);
        let effects = bob.gets(&gone);
        assert!(
            effects
                .events
                .iter()
                .any(|e| matches!(e, Event::MessageChanged { message, .. } if message.body == MessageBody::Deleted))
        );
        for who in [&mut alice, &mut bob] {
            assert!(!holds(who, "canary") && !holds(who, "🐤"), "{} still has it", who.name);
            who.restarts();
            assert_eq!(who.texts(chat), ["(deleted)"]);
            assert!(who.engine.revisions(&who.kv, chat, 1).unwrap().is_empty());
        }
        let queued = |who: &Person| who.kv.scan(Namespace(45), &[], &[], 99, Order::Ascending).unwrap().len();
        let before = queued(&alice);
        let _ = alice.did(delete);
        assert_eq!(queued(&alice), before, "once is enough");
        let edit = |position| Command::Edit { conversation: chat, position, text: "back".into() };
        assert_eq!(alice.fails(edit(said.position)), CommandError::UnknownMessage);
        let react = Command::React { conversation: chat, position: 1, emoji: "🐤".into(), on: true };
        assert_eq!(bob.fails(react), CommandError::UnknownMessage);
    });
}

#[test]
fn a_deletion_that_comes_first_suppresses() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (said, envelopes) = alice.says(chat, "canary");
        let delete = Command::Delete { conversation: chat, position: said.position, for_everyone: true };
        let _ = bob.gets(&alice.did(delete));
        let _ = bob.after(limits::HOLD);
        bob.restarts();
        assert_eq!(added(&bob.gets(&envelopes.gossip)), ["Deleted"]);
        assert!(!holds(&bob, "canary"));
        assert_eq!(state(&bob, chat), state(&alice, chat));
    });
}

#[test]
fn deleting_for_oneself_is_nobody_elses_business() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, one) = alice.says(chat, "one");
        let (_, two) = alice.says(chat, "canary");
        let _ = bob.gets(&[one.gossip, two.gossip.clone()].concat());
        let at = position(&bob, chat, "canary");
        let delete = |position| Command::Delete { conversation: chat, position, for_everyone: false };
        let (_, effects) = bob.does(delete(at));
        assert!(effects.gossip.is_empty());
        assert!(effects.events.iter().any(|e| matches!(e, Event::MessageRemoved { position, .. } if *position == at)));
        let line = &bob.engine.conversations(&bob.kv).unwrap()[0];
        assert_eq!((line.unread, line.last.as_ref().map(|m| m.position)), (1, Some(1)));
        assert!(!holds(&bob, "canary"));
        bob.restarts();
        let _ = bob.gets(&two.gossip);
        assert_eq!((bob.texts(chat), alice.texts(chat)), (vec!["one".to_owned()], vec!["one".into(), "canary".into()]));
        let (_, three) = alice.says(chat, "three");
        let _ = bob.gets(&three.gossip);
        assert_eq!(bob.history(chat).iter().map(|m| m.gap).collect::<Vec<_>>(), [false; 2], "it is missing nothing");
        let others = Command::Delete { conversation: chat, position: 1, for_everyone: true };
        assert_eq!(bob.fails(others), CommandError::NotYours);
    });
}

#[test]
fn commands_that_make_no_sense_are_refused() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, said) = alice.says(chat, "hi");
        let _ = bob.gets(&said.gossip);
        let nowhere = ConversationId([1; 32]);
        let edit = |conversation, text: String| Command::Edit { conversation, position: 1, text };
        let react = |emoji: &str| Command::React { conversation: chat, position: 1, emoji: emoji.into(), on: true };
        assert_eq!(bob.fails(edit(chat, "mine".into())), CommandError::NotYours);
        assert_eq!(alice.fails(edit(nowhere, "x".into())), CommandError::UnknownConversation);
        assert_eq!(alice.fails(edit(chat, String::new())), CommandError::BadText);
        assert_eq!(alice.fails(edit(chat, "x".repeat(wire::TEXT + 1))), CommandError::BadText);
        assert_eq!(bob.fails(react("")), CommandError::BadEmoji);
        assert_eq!(bob.fails(react("\u{1b}[31m")), CommandError::BadEmoji);
        for n in 0..wire::REACTIONS {
            assert!(!bob.did(react(&n.to_string())).is_empty());
        }
        assert_eq!(bob.fails(react("one too many")), CommandError::TooMany);
        let timer = Command::SetTimer { conversation: chat, seconds: wire::TIMER + 1 };
        assert_eq!(bob.fails(timer), CommandError::BadTimer);
        let forward = |from| Command::Forward { from, position: 1, to: chat, id: None };
        assert_eq!(alice.fails(forward(nowhere)), CommandError::UnknownMessage);
    });
}

#[test]
fn what_is_passed_on_says_so() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let mut carol = Person::new("carol");
        let other = crate::rig::introduce(&mut bob, &mut carol);
        let (_, said) = alice.says(chat, "the meeting is at nine");
        let _ = bob.gets(&said.gossip);
        let passed = bob.did(Command::Forward { from: chat, position: 1, to: other, id: None });
        let _ = carol.gets(&passed);
        let message = &carol.history(other)[0];
        assert_eq!((message.author_name.as_str(), message.forwarded), ("bob", true));
        assert_eq!(carol.texts(other), ["the meeting is at nine"]);
    });
}

#[test]
fn a_mention_is_a_whole_name() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let table = [
            ("@bob, come!", true),
            ("ask @Bob.", true),
            ("(@bob)", true),
            ("@bobby knows", false),
            ("me@bob", false),
            ("@bob.smith knows", false),
            ("@bob-", true),
            ("bob", false),
            ("see https://x.example/@bob", false),
            ("HTTP://x.example/?to=@bob, please", false),
            ("<https://x.example>@bob", true),
            ("https://x.example @bob", true),
            ("ftp://@bob", true),
        ];
        for (text, mentioned) in table {
            let (own, said) = alice.says(chat, text);
            let _ = bob.gets(&said.gossip);
            assert_eq!(bob.history(chat).last().map(|m| m.mentions_me), Some(mentioned), "{text}");
            assert!(!own.mentions_me);
        }
        let calls = table.iter().filter(|(_, called)| *called).count();
        let counted = |bob: &Person| bob.engine.conversations(&bob.kv).unwrap()[0].unread_mentions as usize;
        assert_eq!(counted(&bob), calls);
        // A call that is taken back, or put in, counts as it reads now.
        let edited = alice.did(Command::Edit { conversation: chat, position: 1, text: "never mind".into() });
        let _ = bob.gets(&edited);
        assert_eq!(counted(&bob), calls - 1);
        let _ = bob.did(Command::MarkRead { conversation: chat, position: 2 });
        assert_eq!(counted(&bob), calls - 2);
        let _ = bob.did(Command::MarkRead { conversation: chat, position: u64::MAX });
        assert_eq!(counted(&bob), 0);
    });
}

/// A contact who talks about messages that never come fills nothing but the room that is theirs.
#[test]
fn what_waits_in_vain_is_bounded() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let group = bob.group_with(&alice);
        let (bobs, alices) = (bob.engine.account().unwrap().account, alice.engine.account().unwrap().account);
        let extra = 7;
        for n in 0..(limits::EARLY + extra) as u64 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&n.to_be_bytes());
            let target = Target { author: if n % 2 == 0 { bobs } else { alices }, id: MessageId(id) };
            let body = Body::Reactions(Reactions { target, revision: 1, emoji: vec!["👻".into()] });
            let content = Content { id: MessageId(id), parents: vec![], sent_at: 0, body };
            let envelopes = bob.forges(group, n, &content, &chat.0);
            alice.now += 1;
            assert!(alice.gets(&envelopes).events.is_empty());
        }
        assert_eq!(alice.engine.refused().unfounded, extra as u64);
        let rows = |who: &Person| who.kv.scan(Namespace(72), &[], &[], 10_000, Order::Ascending).unwrap().len();
        assert_eq!(rows(&alice), limits::EARLY);
        // The newest is still there, after a restart too.
        alice.restarts();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&((limits::EARLY + extra - 1) as u64).to_be_bytes());
        let mine = Command::Send { conversation: chat, text: "mine".into(), id: Some(MessageId(id)), reply_to: None };
        let _ = alice.did(mine);
        let late = (limits::EARLY + extra - 1) % 2 == 1;
        assert_eq!(alice.history(chat)[0].reactions.len(), usize::from(late));
        assert_eq!(rows(&alice), limits::EARLY - usize::from(late));
    });
}

/// Edits without end: the highest revisions stay.
#[test]
fn a_flood_of_edits_is_bounded() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let group = bob.group_with(&alice);
        let (said, envelopes) = bob.says(chat, "0");
        let _ = alice.gets(&envelopes.gossip);
        let target = Target { author: said.author, id: said.id };
        let last = limits::EDITS as u32 + 5;
        // From the last to the first: the order is of no consequence.
        for (number, revision) in (1u64..).zip((1..=last).rev()) {
            let body = Body::Edit(Edit { target, revision, text: revision.to_string() });
            let content = Content { id: MessageId([9; 16]), parents: vec![], sent_at: 0, body };
            let forged = bob.forges(group, number, &content, &chat.0);
            let _ = alice.gets(&forged);
        }
        let texts: Vec<_> = alice.engine.revisions(&alice.kv, chat, 1).unwrap().into_iter().map(|r| r.text).collect();
        let expected: Vec<_> = std::iter::once(0).chain(6..=last).map(|n: u32| n.to_string()).collect();
        assert_eq!(texts, expected);
        assert_eq!(alice.texts(chat), [last.to_string()]);
    });
}

#[test]
fn commands_about_messages_answer_with_the_message() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let (said, _) = alice.says(chat, "hi");
        let edit = Command::Edit { conversation: chat, position: said.position, text: "hello".into() };
        let react = Command::React { conversation: chat, position: said.position, emoji: "👋".into(), on: true };
        for command in [edit, react] {
            let (_, effects) = alice.does(command);
            let [(_, Ok(Reply::Sent(message)))] = &effects.replies[..] else { panic!("{:?}", effects.replies) };
            assert_eq!(Some(&**message), alice.history(chat).last());
            assert!(effects.events.iter().any(|e| matches!(e, Event::MessageChanged { .. })));
        }
    });
}
