use livechat_engine::{Command, Event, Input, limits};
use livechat_wire::content::{Body, Content};
use livechat_wire::{ConversationId, Envelope, MessageId};

use crate::rig::{Person, acquainted, added, roomy};

fn typing(who: &mut Person, at: ConversationId, typing: bool) -> Vec<Envelope> {
    who.did(Command::Typing { conversation: at, typing })
}

fn heard(effects: &livechat_engine::Effects) -> Vec<(String, bool)> {
    let typing = |e: &Event| match e {
        Event::Typing { name, typing, .. } => Some((name.clone(), *typing)),
        _ => None,
    };
    effects.events.iter().filter_map(typing).collect()
}

fn types(who: &Person) -> Vec<String> {
    who.engine.conversations(&who.kv).unwrap()[0].typing.clone()
}

#[test]
fn typing_is_seen_lapses_and_ends_with_the_message() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let yes = vec![("bob".to_owned(), true)];
        let no = vec![("bob".to_owned(), false)];
        let on = typing(&mut bob, chat, true);
        assert_eq!((on.len(), on[0].is_ephemeral()), (1, true));
        assert_eq!(bob.engine.wake_at(), None, "nothing waits to be tried again");
        assert_eq!(heard(&alice.takes(Input::Gossip(on[0].clone()))), yes);
        assert_eq!(types(&alice), ["bob"]);
        assert!(heard(&alice.takes(Input::Gossip(on[0].clone()))).is_empty(), "twice is once");
        assert_eq!(heard(&alice.waits()), no, "it lapses");
        assert!(types(&alice).is_empty());
        bob.now += limits::TYPING_EVERY;
        let on = typing(&mut bob, chat, true);
        assert_eq!(heard(&alice.takes(Input::Gossip(on[0].clone()))), yes);
        let (_, said) = bob.says(chat, "there");
        let effects = alice.gets(&said.gossip);
        assert_eq!((heard(&effects), added(&effects)), (no.clone(), vec!["there".to_owned()]));
        bob.now += limits::TYPING_EVERY;
        let on = typing(&mut bob, chat, true);
        let off = typing(&mut bob, chat, false);
        assert_eq!(heard(&alice.takes(Input::Gossip(on[0].clone()))), yes);
        assert_eq!(heard(&alice.takes(Input::Gossip(off[0].clone()))), no);
    });
}

#[test]
fn typing_is_said_rarely_and_loses_nothing() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        assert!(typing(&mut bob, chat, false).is_empty(), "who said nothing has nothing to take back");
        assert_eq!(typing(&mut bob, chat, true).len(), 1);
        assert!(typing(&mut bob, chat, true).is_empty(), "not again so soon");
        let mut said = 1;
        for _ in 0..100 {
            bob.now += limits::TYPING_EVERY;
            said += typing(&mut bob, chat, true).len();
        }
        assert_eq!(said, limits::TYPING_TIMES as usize);
        // Alice was away and got none of them: what is said arrives at once all the same.
        let (_, said) = bob.says(chat, "at once");
        assert_eq!(added(&alice.gets(&said.gossip)), ["at once"]);
        assert_eq!(typing(&mut bob, chat, true).len(), 1, "and again after a message");
    });
}

/// Nothing of it is stored anywhere, and it is nothing to strangers.
#[test]
fn typing_is_kept_by_nobody() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let mut carol = Person::new("carol");
        let on = typing(&mut bob, chat, true);
        let before = carol.kv.clone();
        let _ = carol.takes(Input::Gossip(on[0].clone()));
        assert!(carol.kv == before, "not even put aside");
        let _ = alice.takes(Input::Gossip(on[0].clone()));
        alice.restarts();
        assert!(types(&alice).is_empty() && alice.history(chat).is_empty());
    });
}

/// A message in an envelope that nobody stores, and typing in one that is stored: neither counts.
#[test]
fn each_travels_in_its_own_kind_of_envelope() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let group = bob.group_with(&alice);
        let content = |body| Content { id: MessageId([1; 16]), parents: vec![], sent_at: 0, body };
        let stored = bob.forges(group, 0, &content(Body::Typing(true)), &chat.0);
        assert!(alice.gets(&stored).events.is_empty());
        let passing = bob.passes(group, &content(Body::Text("gone tomorrow".into())), &chat.0);
        assert!(alice.takes(Input::Gossip(passing)).events.is_empty());
        assert_eq!(alice.engine.refused().malformed, 2);
        let elsewhere = bob.passes(group, &content(Body::Typing(true)), &[7; 32]);
        assert!(alice.takes(Input::Gossip(elsewhere)).events.is_empty());
        assert_eq!(alice.engine.refused().misbound, 1);
        let right = bob.passes(group, &content(Body::Typing(true)), &chat.0);
        assert_eq!(alice.takes(Input::Gossip(right)).events.len(), 1);
    });
}
