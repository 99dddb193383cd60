//! Requests, blocking, and how one's own conversations are arranged.

use livechat_engine::view::{Conversation, Delivery, Standing};
use livechat_engine::{Command, CommandError, Event, Input};
use livechat_wire::ConversationId;

use crate::rig::{Person, accept, acquainted, added, roomy};

fn line(who: &Person, at: ConversationId) -> Conversation {
    who.engine.conversations(&who.kv).unwrap().into_iter().find(|c| c.id == at).expect("the conversation")
}

/// Alice writes to Bob, who has never heard of her.
fn request() -> (Person, Person, ConversationId) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    let hello = alice.adds(&mut bob);
    let chat = alice.chat_with(&bob);
    let (_, said) = alice.says(chat, "hello stranger");
    let _ = bob.gets(&[hello, said.gossip].concat());
    (alice, bob, chat)
}

#[test]
fn a_stranger_learns_nothing_until_accepted() {
    roomy(|| {
        let (mut alice, mut bob, chat) = request();
        assert_eq!((line(&alice, chat).standing, line(&bob, chat).standing), (Standing::Accepted, Standing::Request));
        assert_eq!(bob.texts(chat), ["hello stranger"], "Bob may look");
        let _ = bob.did(Command::MarkRead { conversation: chat, position: u64::MAX });
        assert!(bob.did(Command::Typing { conversation: chat, typing: true }).is_empty());
        assert_eq!(bob.engine.wake_at(), None, "no receipt is planned");
        bob.restarts();
        let _ = bob.takes(Input::Timer);
        assert_eq!(bob.engine.wake_at(), None, "nor after a restart");
        let (_, effects) = bob.does(Command::Accept { conversation: chat });
        assert!(effects.events.iter().any(
            |e| matches!(e, Event::ConversationChanged { conversation } if conversation.standing == Standing::Accepted)
        ));
        let receipts = bob.waits().gossip;
        let _ = alice.gets(&receipts);
        assert_eq!(alice.history(chat)[0].delivery, Some(Delivery::Read), "what was held back is said now");
    });
}

#[test]
fn answering_and_looking_up_are_accepting() {
    roomy(|| {
        let (_, mut bob, chat) = request();
        let _ = bob.says(chat, "hello yourself");
        assert_eq!(line(&bob, chat).standing, Standing::Accepted);
        bob.restarts();
        assert_eq!(line(&bob, chat).standing, Standing::Accepted);
        let (mut alice, mut bob, chat) = request();
        let (_, lookup) = bob.looks_up("alice");
        let _ = bob.is_told(&lookup, Ok(alice.entry()));
        assert_eq!(line(&bob, chat).standing, Standing::Accepted);
    });
}

#[test]
fn blocked_is_neither_heard_nor_told() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, said) = alice.says(chat, "one");
        let _ = bob.gets(&said.gossip);
        let block = |blocked| Command::Block { conversation: chat, blocked };
        let _ = bob.did(block(true));
        assert_eq!(bob.engine.wake_at(), None, "the receipt that was owed is not sent");
        bob.restarts();
        assert_eq!(line(&bob, chat).standing, Standing::Blocked);
        let (_, said) = alice.says(chat, "two");
        let effects = bob.gets(&said.gossip);
        assert!(effects.events.is_empty() && bob.engine.wake_at().is_none());
        assert_eq!(bob.texts(chat), ["one"]);
        assert_eq!(bob.engine.refused().blocked, 1);
        let send = |text: &str| Command::Send { conversation: chat, text: text.into(), id: None, reply_to: None };
        assert_eq!(bob.fails(send("x")), CommandError::Blocked);
        let react = Command::React { conversation: chat, position: 1, emoji: "x".into(), on: true };
        assert_eq!(bob.fails(react), CommandError::Blocked);
        assert!(bob.did(Command::Typing { conversation: chat, typing: true }).is_empty());
        // Back again: what was thrown away is gone, the rest goes on.
        let _ = bob.did(block(false));
        let (_, said) = alice.says(chat, "three");
        assert_eq!(added(&bob.gets(&said.gossip)), ["three"]);
        let receipts = bob.waits().gossip;
        let _ = alice.gets(&receipts);
        let delivery: Vec<_> = alice.history(chat).iter().map(|m| m.delivery).collect();
        assert_eq!(delivery, [Some(Delivery::Delivered), Some(Delivery::Queued), Some(Delivery::Delivered)]);
    });
}

#[test]
fn how_one_arranges_things_survives_and_stays_here() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let mut carol = Person::new("carol");
        alice.now += 1_000;
        let other = crate::rig::introduce(&mut alice, &mut carol);
        let first = |who: &Person| who.engine.conversations(&who.kv).unwrap()[0].id;
        assert_eq!(first(&alice), other, "the latest");
        let begun = || Command::SetDraft { conversation: chat, text: "what I wanted to s".into() };
        let commands = [
            begun(),
            Command::Pin { conversation: chat, pinned: true },
            Command::Mute { conversation: chat, until: Some(77) },
            Command::Archive { conversation: chat, archived: true },
        ];
        for command in commands {
            assert!(alice.did(command).is_empty(), "nobody learns of it");
        }
        alice.restarts();
        let now = line(&alice, chat);
        assert_eq!((first(&alice), now.pinned, now.muted_until), (chat, true, Some(77)));
        assert_eq!((now.draft.as_deref(), now.archived), (Some("what I wanted to s"), true));
        let (_, effects) = alice.does(begun());
        assert!(effects.events.is_empty(), "the same again changes nothing");
        let (_, said) = bob.says(chat, "something new");
        let _ = alice.gets(&said.gossip);
        assert!(!line(&alice, chat).archived, "the mute is over: something new brings it back");
        let _ = alice.did(Command::Mute { conversation: chat, until: Some(u64::MAX) });
        let _ = alice.did(Command::Archive { conversation: chat, archived: true });
        let (_, said) = bob.says(chat, "something else");
        let _ = alice.gets(&said.gossip);
        assert!(line(&alice, chat).archived, "muted: it stays away");
        let _ = alice.says(chat, "what I wanted to say");
        assert_eq!(line(&alice, chat).draft, None, "sent");
        let nowhere = ConversationId([9; 32]);
        assert_eq!(alice.fails(Command::Accept { conversation: nowhere }), CommandError::UnknownConversation);
        let long = Command::SetDraft { conversation: chat, text: "x".repeat(40_000) };
        assert_eq!(alice.fails(long), CommandError::BadText);
    });
}

#[test]
fn the_unread_line_is_the_first_unread() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        for text in ["one", "two", "three"] {
            let (_, said) = bob.says(chat, text);
            let _ = alice.gets(&said.gossip);
        }
        assert_eq!(line(&alice, chat).unread_from, Some(1));
        let _ = alice.did(Command::MarkRead { conversation: chat, position: 2 });
        assert_eq!((line(&alice, chat).unread_from, line(&alice, chat).unread), (Some(3), 1));
        let _ = alice.did(Command::MarkRead { conversation: chat, position: 3 });
        assert_eq!(line(&alice, chat).unread_from, None);
    });
}

#[test]
fn a_display_name_travels_with_the_next_message() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let name = |name: &str| Command::SetProfile { name: name.into() };
        assert!(alice.did(name("Alice Liddell")).is_empty(), "nobody is told yet");
        alice.restarts();
        assert_eq!(alice.engine.display_name(&alice.kv).unwrap(), "Alice Liddell");
        let (_, said) = alice.says(chat, "hi");
        assert_eq!(said.gossip.len(), 2);
        let _ = accept(&mut alice, &said.gossip);
        let _ = bob.gets(&said.gossip);
        let shown = |who: &Person| who.engine.contacts(&who.kv).unwrap()[0].clone();
        assert_eq!(shown(&bob).display_name.as_deref(), Some("Alice Liddell"));
        assert_eq!(shown(&bob).username, "alice", "the name that is proven stays");
        assert_eq!(alice.says(chat, "again").1.gossip.len(), 1, "once is enough");
        let _ = alice.did(name(""));
        let (_, said) = alice.says(chat, "and again");
        let _ = bob.gets(&said.gossip);
        let _ = bob.after(livechat_engine::limits::HOLD);
        assert_eq!(shown(&bob).display_name, None);
        assert_eq!(alice.fails(name("two\nlines")), CommandError::BadName);
    });
}
