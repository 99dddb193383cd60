use livechat_engine::{Event, Input, limits};
use livechat_wire::Envelope;

use crate::rig::{Person, acquainted, added, roomy};

fn gaps(who: &Person, at: livechat_wire::ConversationId) -> Vec<bool> {
    who.history(at).iter().map(|m| m.gap).collect()
}

fn say(who: &mut Person, at: livechat_wire::ConversationId, texts: &[&str]) -> Vec<Vec<Envelope>> {
    texts.iter().map(|t| who.says(at, t).1.gossip).collect()
}

#[test]
fn what_is_overtaken_waits_and_then_stands_in_its_place() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let said = say(&mut bob, chat, &["one", "two", "three"]);
        assert!(added(&alice.gets(&said[2])).is_empty(), "two are missing: it waits");
        assert!(added(&alice.gets(&said[1])).is_empty());
        assert_eq!(added(&alice.gets(&said[0])), ["one", "two", "three"]);
        assert_eq!(gaps(&alice, chat), [false; 3]);
    });
}

#[test]
fn what_is_very_late_has_its_place_kept_free_and_closes_the_gap() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let said = say(&mut bob, chat, &["one", "two", "three", "four"]);
        let _ = alice.gets(&said[0]);
        let waits = alice.gets(&said[3]);
        assert!(added(&waits).is_empty());
        alice.restarts();
        assert!(added(&alice.after(limits::HOLD - 1)).is_empty());
        assert_eq!(added(&alice.after(1)), ["four"], "shown after the longest wait");
        assert_eq!(gaps(&alice, chat), [false, true]);
        let (_, answer) = alice.says(chat, "what did I miss?");
        alice.restarts();
        let late = alice.gets(&said[2]);
        assert_eq!(added(&late), ["three"]);
        assert_eq!(alice.texts(chat), ["one", "three", "four", "what did I miss?"]);
        assert_eq!(gaps(&alice, chat), [false, true, false, false], "the gap moved up");
        assert!(late.events.iter().any(|e| matches!(e, Event::MessageChanged { message, .. } if !message.gap)));
        let _ = alice.gets(&said[1]);
        assert_eq!(alice.texts(chat), ["one", "two", "three", "four", "what did I miss?"]);
        assert_eq!(gaps(&alice, chat), [false; 5]);
        let positions: Vec<_> = alice.history(chat).iter().map(|m| m.position).collect();
        assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
        let _ = bob.gets(&answer.gossip);
        assert_eq!(gaps(&bob, chat), [false; 5]);
    });
}

#[test]
fn pages_go_back_from_the_newest() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let texts: Vec<String> = (0..25).map(|n| format!("number {n}")).collect();
        for text in &texts {
            let (_, said) = bob.says(chat, text);
            let _ = alice.gets(&said.gossip);
        }
        let (mut before, mut pages) = (None, Vec::new());
        loop {
            let page = alice.engine.history(&alice.kv, chat, before, 10).unwrap().expect("the chat");
            before = page.messages.first().map(|m| m.position);
            pages.push((page.messages.len(), page.more));
            if !page.more {
                break;
            }
        }
        assert_eq!(pages, [(10, true), (10, true), (5, false)]);
        assert_eq!(alice.texts(chat), texts);
        let middle = alice.history(chat)[12].position;
        for (older, newer, from, to) in [(2, 3, 10, 15), (0, 5, 12, 17), (5, 0, 7, 12), (50, 50, 0, 25), (0, 0, 12, 12)]
        {
            let page = alice.engine.history_at(&alice.kv, chat, middle, older, newer).unwrap().expect("the chat");
            let said: Vec<_> = page.messages.iter().map(|m| m.position + 12 - middle).collect();
            assert_eq!(said, (from..to).collect::<Vec<_>>());
            assert_eq!((page.more, page.newer), (from > 0, to < 25), "{older} and {newer}");
        }
        let nowhere = livechat_wire::ConversationId([1; 32]);
        assert_eq!(alice.engine.history(&alice.kv, nowhere, None, 10).unwrap(), None);
    });
}

/// What faces get, in full: a change here changes the product surface.
#[test]
fn what_faces_see() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, hi) = alice.says(chat, "hi");
        let events = bob.gets(&hi.gossip).events;
        bob.now += 1_500;
        let (_, answer) = bob.says(chat, "hello");
        let _ = alice.gets(&answer.gossip);
        insta::assert_debug_snapshot!("events_of_a_first_message", events);
        insta::assert_debug_snapshot!("contacts", alice.engine.contacts(&alice.kv).unwrap());
        insta::assert_debug_snapshot!("conversations", alice.engine.conversations(&alice.kv).unwrap());
        insta::assert_debug_snapshot!("history", bob.engine.history(&bob.kv, chat, None, 50).unwrap());
    });
}

#[test]
fn envelopes_and_cursor_of_a_page_are_kept_together() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, said) = bob.says(chat, "hi");
        let relay = crate::rig::relay();
        let mut cursor = livechat_wire::sync::Cursor::default();
        cursor.advance(3, 17);
        let before = alice.kv.clone();
        let page = |cursor| Input::Page { relay, envelopes: said.gossip.clone(), cursor };
        let _ = alice.takes(page(cursor.clone()));
        assert_eq!(alice.engine.cursor(relay), cursor);
        // The commit fails: neither is there.
        alice.kv = before;
        alice.restarts();
        assert_eq!(alice.engine.cursor(relay), livechat_wire::sync::Cursor::default());
        assert!(alice.history(chat).is_empty());
        let _ = alice.takes(page(cursor.clone()));
        alice.restarts();
        assert_eq!((alice.engine.cursor(relay), alice.texts(chat)), (cursor, vec!["hi".to_owned()]));
    });
}

/// Other people's envelopes in the same bucket, and our own coming back: kept or known, never in the way.
#[test]
fn other_peoples_envelopes_are_nobodys_business() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let mut carol = Person::new("carol");
        let (_, said) = alice.says(chat, "not for carol");
        assert!(carol.gets(&said.gossip).events.is_empty());
        assert!(alice.gets(&said.gossip).events.is_empty(), "our own, back from the relay");
        for _ in 0..3 {
            let _ = bob.gets(&said.gossip);
            let _ = bob.takes(Input::Gossip(said.gossip[0].clone()));
        }
        assert_eq!(bob.texts(chat), ["not for carol"]);
        assert_eq!(carol.engine.refused(), livechat_engine::Refused::default());
    });
}
