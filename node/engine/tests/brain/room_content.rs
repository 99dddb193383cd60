//! What people do with messages in groups: as in direct chats, and no role helps to anybody else's words.

use livechat_crypto::kv::{Kv, Namespace, Order};
use livechat_engine::view::{Conversation, Message, MessageBody, Standing};
use livechat_engine::{Command, CommandError, Reply};
use livechat_wire::ConversationId;

use crate::circle::Circle;
use crate::rig::{introduce, roomy};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;
const D: usize = 3;

/// Alice's group with Bob and Carol, who have agreed to it.
fn three() -> (Circle, ConversationId) {
    let mut world = Circle::of(&["alice", "bob", "carol", "dave"]);
    let at = world.creates(A, "Bergfahrt", &[B, C]);
    world.settle(6);
    for who in [B, C] {
        assert_eq!(world.does(who, Command::Accept { conversation: at }), Ok(Reply::Done));
    }
    world.settle(6);
    (world, at)
}

fn line(world: &Circle, who: usize, at: ConversationId) -> Option<Conversation> {
    let person = &world.people[who];
    person.engine.conversations(&person.kv).unwrap().into_iter().find(|c| c.id == at)
}

fn message(world: &Circle, who: usize, at: ConversationId, text: &str) -> Message {
    let of = |m: &Message| m.body == MessageBody::Text { text: text.to_owned() };
    world.people[who].history(at).into_iter().find(of).unwrap_or_else(|| panic!("{text} isn't there"))
}

fn position(world: &Circle, who: usize, at: ConversationId, text: &str) -> u64 {
    message(world, who, at, text).position
}

#[test]
fn everybody_sees_what_the_author_changed_and_nobody_else_may() {
    roomy(|| {
        let (mut world, conversation) = three();
        world.says(B, conversation, "at sxi");
        world.says(B, conversation, "never mind");
        world.settle(6);
        let at = |world: &Circle, who, text: &str| position(world, who, conversation, text);
        // Alice owns the group.
        for who in [A, C] {
            let position = at(&world, who, "at sxi");
            let edit = Command::Edit { conversation, position, text: "at noon".into() };
            assert_eq!(world.does(who, edit), Err(CommandError::NotYours));
            let delete = Command::Delete { conversation, position, for_everyone: true };
            assert_eq!(world.does(who, delete), Err(CommandError::NotYours));
        }
        let position = at(&world, B, "at sxi");
        let edited = world.does(B, Command::Edit { conversation, position, text: "at six".into() });
        assert!(matches!(edited, Ok(Reply::Sent(_))), "{edited:?}");
        let position = at(&world, B, "never mind");
        let delete = Command::Delete { conversation, position, for_everyone: true };
        assert_eq!(world.does(B, delete), Ok(Reply::Done));
        world.settle(3);
        for who in [A, C] {
            let position = at(&world, who, "at six");
            let react = Command::React { conversation, position, emoji: "👍".into(), on: true };
            assert!(matches!(world.does(who, react), Ok(Reply::Sent(_))));
        }
        let answer =
            Command::Send { conversation, text: "good".into(), id: None, reply_to: Some(at(&world, C, "at six")) };
        assert!(matches!(world.does(C, answer), Ok(Reply::Sent(_))));
        world.settle(6);
        for who in [A, B, C] {
            assert_eq!(
                world.texts(who, conversation),
                ["bob: at six", "bob: (deleted)", "carol: good"],
                "{}",
                world.people[who].name
            );
            let six = message(&world, who, conversation, "at six");
            let mut by = six.reactions[0].by.clone();
            by.sort();
            assert_eq!((six.reactions.len(), by), (1, vec!["alice".to_owned(), "carol".to_owned()]));
            let quote = message(&world, who, conversation, "good").reply_to.expect("an answer");
            assert_eq!((quote.author_name.as_str(), quote.text.as_deref()), ("bob", Some("at six")));
        }
        // Nobody else has the notice under the same id.
        let notice = world.people[B].history(conversation)[0].position;
        let react = Command::React { conversation, position: notice, emoji: "👍".into(), on: true };
        assert_eq!(world.does(B, react), Err(CommandError::UnknownMessage));
        let answer = Command::Send { conversation, text: "so?".into(), id: None, reply_to: Some(notice) };
        assert_eq!(world.does(B, answer), Err(CommandError::UnknownMessage));
    });
}

#[test]
fn a_groups_timer_is_set_by_admins_and_holds_for_newcomers() {
    roomy(|| {
        let (mut world, conversation) = three();
        let set = |seconds| Command::SetTimer { conversation, seconds };
        assert_eq!(world.does(B, set(60)), Err(CommandError::NotAllowed));
        // Of several the last one counts.
        for seconds in [60, 3_600, 60] {
            assert_eq!(world.does(A, set(seconds)), Ok(Reply::Done));
        }
        world.settle(6);
        assert_eq!(world.does(A, Command::Invite { conversation, username: "dave".into() }), Ok(Reply::Done));
        world.settle(6);
        for who in [A, B, C, D] {
            assert_eq!(line(&world, who, conversation).expect("the group").timer, Some(60));
        }
        world.says(D, conversation, "what goes");
        world.settle(6);
        assert_eq!(message(&world, B, conversation, "what goes").timer, Some(60));
        for who in [A, B, C] {
            let read = Command::MarkRead { conversation, position: u64::MAX };
            assert_eq!(world.does(who, read), Ok(Reply::Done));
        }
        world.settle(62);
        for who in [A, B, C, D] {
            assert!(world.texts(who, conversation).is_empty(), "{:?}", world.texts(who, conversation));
        }
        assert!(world.history(C, conversation).contains(&"* alice set the timer to 60 s".to_owned()));
        assert_eq!(world.does(A, set(0)), Ok(Reply::Done));
        world.settle(6);
        assert_eq!(line(&world, D, conversation).expect("the group").timer, None);
    });
}

#[test]
fn what_is_withdrawn_or_has_disappeared_is_kept_nowhere() {
    roomy(|| {
        let (mut world, conversation) = three();
        let holds = |world: &Circle, words: &str| {
            let of = |ns| world.people[B].kv.scan(Namespace(ns), &[], &[], usize::MAX, Order::Ascending).unwrap();
            let has = |value: &[u8]| value.windows(words.len()).any(|w| w == words.as_bytes());
            (0..=255).filter(|ns| of(*ns).iter().any(|(_, value)| has(value))).collect::<Vec<u8>>()
        };
        world.leaves_the_net(B);
        for text in ["the first secret", "another secret"] {
            world.says(B, conversation, text);
            let position = position(&world, B, conversation, text);
            let text = format!("{text} in other words");
            let edited = world.does(B, Command::Edit { conversation, position, text });
            assert!(matches!(edited, Ok(Reply::Sent(_))), "{edited:?}");
        }
        // In the history, among the edits, and in case it has to be said again.
        assert_eq!(holds(&world, "the first secret").len(), 3);
        for (text, for_everyone) in [("the first secret", true), ("another secret", false)] {
            let position = position(&world, B, conversation, &format!("{text} in other words"));
            assert_eq!(world.does(B, Command::Delete { conversation, position, for_everyone }), Ok(Reply::Done));
            assert_eq!(holds(&world, text), Vec::<u8>::new());
        }
    });
}

#[test]
fn typing_shows_in_groups() {
    roomy(|| {
        let (mut world, conversation) = three();
        assert_eq!(world.does(B, Command::Typing { conversation, typing: true }), Ok(Reply::Done));
        world.carry();
        for who in [A, C] {
            assert_eq!(line(&world, who, conversation).expect("the group").typing, ["bob"]);
        }
        world.says(B, conversation, "hi");
        world.carry();
        assert!(line(&world, A, conversation).expect("the group").typing.is_empty());
    });
}

#[test]
fn a_strangers_invitation_is_a_request_and_a_blocked_persons_is_none() {
    roomy(|| {
        let (mut world, conversation) = three();
        // Dave is new to Alice; Bob knows her.
        let (alices, bobs) = world.people.split_at_mut(1);
        let direct = introduce(&mut bobs[0], &mut alices[0]);
        assert_eq!(world.does(A, Command::Invite { conversation, username: "dave".into() }), Ok(Reply::Done));
        let second = world.creates(A, "second", &[B]);
        world.settle(6);
        assert_eq!(line(&world, D, conversation).expect("the group").standing, Standing::Request);
        assert_eq!(line(&world, B, second).expect("the group").standing, Standing::Accepted);
        assert_eq!(world.does(B, Command::Block { conversation: direct, blocked: true }), Ok(Reply::Done));
        let third = world.creates(A, "third", &[B]);
        world.settle(6);
        assert!(line(&world, B, third).is_none());
        assert_eq!(world.people[B].engine.refused().blocked, 1);
        // What is agreed to stays so, whoever invited.
        assert_eq!(line(&world, B, second).expect("the group").standing, Standing::Accepted);
    });
}

#[test]
fn a_blocked_group_is_silent_but_keeps_up() {
    roomy(|| {
        let (mut world, conversation) = three();
        assert_eq!(world.does(C, Command::Block { conversation, blocked: true }), Ok(Reply::Done));
        world.says(A, conversation, "hello?");
        assert_eq!(world.does(A, Command::SetTitle { conversation, title: "Talfahrt".into() }), Ok(Reply::Done));
        world.settle(6);
        assert!(world.texts(C, conversation).is_empty());
        let send = Command::Send { conversation, text: "no".into(), id: None, reply_to: None };
        assert_eq!(world.does(C, send), Err(CommandError::Blocked));
        assert_eq!(world.does(C, Command::Block { conversation, blocked: false }), Ok(Reply::Done));
        world.says(A, conversation, "hello again");
        world.settle(6);
        world.agree(&[A, B, C], conversation);
        assert_eq!(world.texts(C, conversation), ["alice: hello again"]);
    });
}
