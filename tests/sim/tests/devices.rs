//! People with several devices: what is said on one is on all, whoever is removed reads on nowhere, and nobody comes in
//! whom no device let in (PROTOCOL ).

use livechat_engine::view::{Delivery, Membership, Message, MessageBody, Notice};
use livechat_engine::{CommandError, Input};
use livechat_sim::{World, mins, on_big_stack, secs};

/// Alice with a chat and a group, and then a second device.
fn alice_with_a_phone(seed: u64) -> World {
    let mut world = World::of(&["alice", "bob", "carol"], seed);
    world.person("alice").adds("bob");
    world.person("alice").founds("hike", &["bob", "carol"]);
    world.run_for(secs(20));
    world.person("alice").says("before").to("bob");
    world.run_for(secs(10));
    world.person("alice").links("phone");
    world.run_for(secs(60));
    world
}

/// What a history says: author, text, reactions.
fn said(history: &[Message]) -> Vec<String> {
    let line = |m: &Message| match &m.body {
        MessageBody::Text { text } => {
            let reactions: Vec<_> = m.reactions.iter().map(|r| format!(" {}{}", r.emoji, r.by.join("+"))).collect();
            Some(format!(
                "{}: {text}{}{}",
                m.author_name,
                if m.edited_at.is_some() { "*" } else { "" },
                reactions.concat()
            ))
        }
        MessageBody::Deleted => Some(format!("{}: (deleted)", m.author_name)),
        _ => None,
    };
    history.iter().filter_map(line).collect()
}

#[test]
fn a_linked_device_is_in_every_room_and_speaks_for_its_account() {
    on_big_stack(|| {
        let mut world = alice_with_a_phone(1);
        let devices = world.devices("alice");
        assert_eq!(devices.len(), 2, "{devices:?}");
        assert_eq!((devices[0].this, devices[1].this, devices[1].pending), (true, false, false));
        assert_eq!(world.devices("phone")[1].device, world.device("phone"));
        assert_eq!(world.group("phone", "hike").map(|g| g.standing), Some(Membership::Joined));
        assert_eq!(world.group("phone", "hike").map(|g| g.members.len()), Some(3), "accounts, not devices");
        world.person("phone").says("from the phone").to("bob");
        world.person("phone").says("all of you").in_group("hike");
        world.run_for(secs(5));
        world.person("alice").says("from the desk").to("bob");
        world.run_for(secs(10));
        world.person("bob").says("hi both").to("alice");
        world.person("bob").reacts("alice", "from the phone", "👍", true);
        world.run_for(secs(10));
        // What was said on the other device is one's own: it can be changed here.
        world.person("alice").edits("bob", "from the phone", "from my phone");
        world.run_for(secs(10));
        let (desk, phone) = (said(&world.history("alice", "bob")), said(&world.history("phone", "bob")));
        assert_eq!(desk[1..], phone[..], "all but what was said before");
        assert!(desk.contains(&"alice: from my phone* 👍bob".to_owned()), "{desk:?}");
        assert_eq!(said(&world.history("bob", "alice")), desk);
        assert!(world.history("alice", "bob").iter().all(|m| m.own == (m.author_name == "alice")));
        assert_eq!(said(&world.group_history("carol", "hike")), ["alice: all of you"]);
        assert_eq!(said(&world.group_history("alice", "hike")), ["alice: all of you"]);
        assert!(world.person("phone").was_refused().is_empty());
    });
}

fn unread(world: &World, who: &str, with: &str) -> u32 {
    world.conversations(who).iter().find(|c| c.title == with).map_or(0, |c| c.unread)
}

#[test]
fn read_here_is_read_there_and_delivered_means_to_others() {
    on_big_stack(|| {
        let mut world = alice_with_a_phone(2);
        world.person("bob").says_all(&["one", "two", "three"]).to("alice");
        world.run_for(secs(10));
        assert_eq!([unread(&world, "alice", "bob"), unread(&world, "phone", "bob")], [3, 3]);
        world.person("phone").reads("bob");
        world.run_for(secs(10));
        assert_eq!([unread(&world, "alice", "bob"), unread(&world, "phone", "bob")], [0, 0]);
        let ticks = |world: &World, who: &str| -> Vec<_> {
            let history = world.history(who, if who == "bob" { "alice" } else { "bob" });
            history.iter().filter(|m| m.author_name == "bob").filter_map(|m| m.delivery).collect()
        };
        assert_eq!(ticks(&world, "bob"), [Delivery::Read; 3]);
        // With bob away, the other device of the author is nobody whom it was delivered to.
        world.person("bob").goes_offline();
        world.person("phone").says("are you there?").to("bob");
        world.run_for(secs(20));
        for who in ["alice", "phone"] {
            let last = world.history(who, "bob").pop().expect("a message");
            assert_eq!((last.own, last.delivery), (true, Some(Delivery::Accepted)), "{who}");
        }
        world.person("bob").comes_online();
        world.run_for(secs(20));
        world.person("bob").reads("alice");
        world.run_for(secs(10));
        for who in ["alice", "phone"] {
            assert_eq!(world.history(who, "bob").pop().and_then(|m| m.delivery), Some(Delivery::Read), "{who}");
        }
        assert_eq!(world.conversations("alice").iter().map(|c| c.unread).sum::<u32>(), 0, "one's own is never unread");
    });
}

#[test]
fn a_removed_device_reads_on_nowhere() {
    on_big_stack(|| {
        let mut world = alice_with_a_phone(3);
        world.person("phone").crashes();
        world.steal("phone", "thief");
        world.person("bob").says("while it is in the account").to("alice");
        world.person("carol").says("in the group, too").in_group("hike");
        world.run_for(secs(10));
        let reads = |world: &World, text: &str| {
            let mut all = world.history("thief", "bob");
            all.extend(world.group_history("thief", "hike"));
            all.iter().any(|m| matches!(&m.body, MessageBody::Text { text: t } if t == text))
        };
        assert!(reads(&world, "while it is in the account"), "control: what a thief has opens everything until then");
        assert!(reads(&world, "in the group, too"), "control");
        world.person("alice").unlinks("phone");
        world.run_for(secs(60));
        let ledger = world.devices("alice");
        assert!(ledger[1].removed_at.is_some() && !ledger[1].pending, "{ledger:?}");
        world.person("bob").says("after the removal").to("alice");
        world.person("carol").says("in the group, after it").in_group("hike");
        world.person("alice").says("I lost my phone").to("bob");
        world.run_for(secs(30));
        assert!(!reads(&world, "after the removal") && !reads(&world, "in the group, after it"));
        assert!(!reads(&world, "I lost my phone"));
        assert!(said(&world.history("alice", "bob")).contains(&"bob: after the removal".to_owned()));
        assert!(said(&world.group_history("alice", "hike")).contains(&"carol: in the group, after it".to_owned()));
        // Nor does anybody hear what the thief says.
        world.person("thief").says("it is me, alice").to("bob");
        world.run_for(secs(30));
        assert!(!said(&world.history("bob", "alice")).contains(&"alice: it is me, alice".to_owned()));
        // The phone itself, should it come back, finds that out and keeps what it had.
        world.person("phone").restarts();
        world.run_for(secs(10));
        assert!(world.is_removed("phone") && !world.is_removed("alice"));
        assert!(said(&world.history("phone", "bob")).iter().all(|line| !line.contains("after the removal")));
        world.person("phone").says("hello?").to("bob");
        world.run_for(secs(10));
        assert_eq!(world.person("phone").was_refused(), [CommandError::DeviceRemoved]);
        // Bob was told of both.
        let notice = |m: Message| match m.body {
            MessageBody::Notice { notice } => Some((m.author_name, notice)),
            _ => None,
        };
        let told: Vec<_> = world.history("bob", "alice").into_iter().filter_map(notice).collect();
        let expected = [Notice::DevicesAdded { count: 1 }, Notice::DevicesRemoved { count: 1 }];
        assert_eq!(told, expected.map(|notice| ("alice".to_owned(), notice)));
    });
}

#[test]
fn a_relay_puts_in_no_device_that_nobody_approved() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol"], 4);
        world.person("alice").adds("bob");
        world.run_for(secs(10));
        // Carol's device among alice's: the directory is believed by nobody any more, until it is honest again.
        let honest = world.relay.clone();
        world.relay.slip_in("carol", "alice");
        world.person("carol").adds("alice");
        world.run_for(secs(10));
        assert_eq!(world.person("carol").was_refused(), [CommandError::Untrusted]);
        world.person("alice").links("phone");
        world.run_for(secs(60));
        assert!(world.history("phone", "bob").is_empty(), "nobody is taken in from such a directory");
        // A log that nobody signed whom ours names, and somebody else's.
        let forged = honest.log("carol").expect("carol's log").clone();
        world.hears("alice", Input::OwnLog(forged));
        assert_eq!(world.refused("alice").own_logs, 1);
        assert_eq!(world.devices("alice").len(), 2);
        assert!(world.devices("alice").iter().all(|d| d.device != world.device("carol")));
    });
}

#[test]
fn two_devices_that_add_a_third_at_once_come_to_one_log() {
    on_big_stack(|| {
        let mut world = alice_with_a_phone(5);
        world.person("alice").links("tablet");
        world.person("phone").links("watch");
        world.run_for(mins(3));
        let ledgers = ["alice", "phone", "tablet", "watch"].map(|who| {
            let ledger = world.devices(who);
            assert!(ledger.iter().all(|d| !d.pending && d.removed_at.is_none()), "{ledger:?}");
            ledger.into_iter().map(|d| (d.device, d.added_by)).collect::<Vec<_>>()
        });
        assert!(ledgers.iter().all(|l| *l == ledgers[0] && l.len() == 4));
        let by = |who: &str| ledgers[0].iter().find(|(d, _)| *d == world.device(who)).and_then(|(_, by)| *by);
        assert_eq!((by("tablet"), by("watch")), (None, Some(world.device("phone"))), "the first has the identity key");
        world.person("watch").says("tick").to("bob");
        world.person("tablet").says("hello").in_group("hike");
        world.run_for(secs(10));
        for who in ["alice", "phone", "tablet", "watch"] {
            assert!(said(&world.history(who, "bob")).contains(&"alice: tick".to_owned()), "{who}");
            assert!(said(&world.group_history(who, "hike")).contains(&"alice: hello".to_owned()), "{who}");
        }
    });
}

#[test]
fn a_device_that_was_away_for_many_epochs_catches_up() {
    on_big_stack(|| {
        let mut world = alice_with_a_phone(6);
        world.person("phone").crashes();
        for epoch in 0..12 {
            world.person("alice").calls("hike", &format!("hike {epoch}"));
            world.person("bob").says(&format!("in epoch {epoch}")).in_group("hike");
            world.person("alice").says(&format!("to bob {epoch}")).to("bob");
            world.run_for(mins(2));
        }
        world.person("phone").restarts();
        world.run_for(mins(2));
        assert_eq!(world.group("phone", "hike").map(|g| g.title), Some("hike 11".to_owned()));
        assert_eq!(said(&world.group_history("phone", "hike")), said(&world.group_history("alice", "hike")));
        assert_eq!(said(&world.history("phone", "bob"))[..], said(&world.history("alice", "bob"))[1..]);
    });
}

#[test]
fn history_comes_to_a_new_device_also_after_something_new_was_said() {
    on_big_stack(|| {
        let mut world = alice_with_a_phone(7);
        world.person("bob").says("already on both").to("alice");
        world.run_for(secs(10));
        assert!(world.history("phone", "bob").iter().any(|m| m.gap), "control: something is missing above");
        let restored = world.hands_over("alice", "phone");
        world.run_for(secs(5));
        assert_eq!((restored.messages > 0, restored.left), (true, 0));
        assert_eq!(said(&world.history("phone", "bob")), said(&world.history("alice", "bob")));
        assert_eq!(said(&world.history("phone", "bob")), ["alice: before", "bob: already on both"]);
        assert!(world.history("phone", "bob").iter().all(|m| !m.gap));
        // The old words can be spoken about from here, and the new ones go on.
        world.person("phone").edits("bob", "before", "before, from the phone");
        world.person("bob").says("and now").to("alice");
        world.run_for(secs(10));
        let expected = ["alice: before, from the phone*", "bob: already on both", "bob: and now"];
        for (who, with) in [("alice", "bob"), ("phone", "bob"), ("bob", "alice")] {
            assert_eq!(said(&world.history(who, with)), expected, "{who}");
        }
        let mut refused = world.refused("phone");
        refused.duplicates = 0;
        assert_eq!(refused.introductions, 0, "{refused:?}");
    });
}

/// Alice's first device is off; the second came by the phrase, and begins to talk.
fn alice_by_phrase(seed: u64) -> World {
    let mut world = World::of(&["alice", "bob", "carol"], seed);
    world.person("alice").adds("bob");
    world.person("alice").founds("hike", &["bob", "carol"]);
    world.run_for(secs(20));
    world.person("alice").says("before").to("bob");
    world.person("bob").says("hello").to("alice");
    world.run_for(secs(20));
    world.person("alice").crashes();
    world.person("alice").links_by_phrase("phone");
    world.run_for(secs(5));
    world.person("phone").adds("bob");
    world.person("phone").says("from the second").to("bob");
    world.run_for(secs(5));
    world.person("bob").says("welcome").to("alice");
    world.run_for(secs(60));
    world
}

#[test]
fn a_device_by_phrase_is_answered_while_the_first_one_is_off() {
    livechat_sim::each_seed(4, |seed| {
        let mut world = alice_by_phrase(seed);
        let heard = said(&world.history("phone", "bob"));
        assert!(heard.contains(&"bob: welcome".to_owned()), "seed {seed}: {heard:?}");
        world.person("bob").says("still there?").to("alice");
        world.person("phone").says("yes").to("bob");
        world.run_for(secs(10));
        // The first one comes back: what was said meanwhile is on both, whoever said it.
        world.person("alice").restarts();
        world.run_for(mins(2));
        world.person("alice").says("both here").to("bob");
        world.person("bob").says("hi both").to("alice");
        world.run_for(mins(1));
        let (first, second) = (said(&world.history("alice", "bob")), said(&world.history("phone", "bob")));
        let expected = ["alice: from the second", "bob: welcome", "bob: still there?", "alice: yes"];
        for line in expected.into_iter().chain(["alice: both here", "bob: hi both"]) {
            let line = line.to_owned();
            assert!(first.contains(&line) && second.contains(&line), "seed {seed}: {line}: {first:?} {second:?}");
        }
        let of = |lines: &[String], who: &str| -> Vec<String> {
            lines.iter().filter(|l| l.starts_with(who)).cloned().collect()
        };
        for who in ["alice", "bob"] {
            let (first, second) = (of(&first, who), of(&second, who));
            assert!(first.ends_with(&second), "seed {seed}, what {who} said: {first:?} {second:?}");
        }
        assert_eq!(world.group("phone", "hike").map(|g| g.standing), Some(Membership::Joined), "seed {seed}");
    });
}

/// Alice's only device is stolen. She adds another one by the phrase, tells Bob, and removes the stolen one; the new one is
/// in none of the old rooms.
fn stolen_and_removed(seed: u64) -> World {
    let mut world = World::of(&["alice", "bob", "carol"], seed);
    world.person("alice").adds("bob");
    world.person("alice").founds("hike", &["bob", "carol"]);
    world.run_for(secs(20));
    world.person("alice").says("before").to("bob");
    world.person("bob").says("hello").to("alice");
    world.run_for(secs(20));
    world.person("alice").crashes();
    world.steal("alice", "thief");
    world.person("alice").links_by_phrase("phone");
    world.run_for(secs(5));
    world.person("phone").adds("bob");
    world.person("phone").says("my desk was stolen").to("bob");
    world.run_for(secs(10));
    world.person("phone").unlinks("alice");
    world.run_for(mins(2));
    world
}

fn reads(world: &World, who: &str, text: &str) -> bool {
    let mut all = world.history(who, "bob");
    all.extend(world.group_history(who, "hike"));
    all.iter().any(|m| matches!(&m.body, MessageBody::Text { text: t } if t == text))
}

#[test]
fn what_a_contact_says_is_not_heard_by_a_removed_device_whose_account_has_a_new_one() {
    on_big_stack(|| {
        let mut world = stolen_and_removed(0);
        world.person("bob").says("to alice alone").to("alice");
        world.run_for(secs(20));
        assert!(!reads(&world, "thief", "to alice alone"));
        assert!(reads(&world, "phone", "to alice alone"));
    });
}
