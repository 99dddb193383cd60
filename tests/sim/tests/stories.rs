//! Stories in the simulated world, and the timelines that come out of them.

use livechat_engine::CommandError;
use livechat_sim::{Faults, World, mins, on_big_stack, secs};

#[test]
fn two_people_meet_and_chat() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 1);
        world.person("alice").adds("bob");
        world.person("alice").says("hi bob").to("bob");
        world.run_for(secs(5));
        world.person("bob").reads("alice");
        world.person("bob").says_all(&["hi alice", "nice to see you"]).to("alice");
        world.run_for(secs(5));
        insta::assert_snapshot!("two_people_meet_and_chat", both(&world, "alice", "bob"));
    });
}

#[test]
fn both_add_each_other_at_once() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 2);
        world.person("alice").adds("bob");
        world.person("bob").adds("alice");
        world.person("alice").says_all(&["I was first", "or was I?"]).to("bob");
        world.person("bob").says_all(&["no, I was", "it makes no difference"]).to("alice");
        world.run_for(secs(8));
        world.person("alice").says("one chat it is").to("bob");
        world.person("bob").says("one chat").to("alice");
        world.run_for(secs(8));
        assert_eq!(world.conversations("alice").len(), 1);
        insta::assert_snapshot!("both_add_each_other_at_once", both(&world, "alice", "bob"));
    });
}

#[test]
fn somebody_offline_gets_three_messages_in_order() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 3);
        world.person("alice").adds("bob");
        world.person("bob").accepts("alice");
        world.run_for(secs(5));
        world.person("bob").goes_offline();
        world.person("alice").says_all(&["first", "second", "third"]).to("bob");
        world.run_for(mins(20));
        insta::assert_snapshot!("while_bob_is_away", both(&world, "alice", "bob"));
        world.person("bob").comes_online();
        world.run_for(secs(10));
        insta::assert_snapshot!("after_bob_came_back", both(&world, "alice", "bob"));
    });
}

#[test]
fn the_relay_is_away_and_people_nearby_chat_on() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 4);
        world.person("alice").adds("bob");
        world.run_for(secs(5));
        world.relay_online(false);
        world.person("alice").says("can you still hear me?").to("bob");
        world.run_for(secs(1));
        world.person("bob").says("yes, directly").to("alice");
        world.run_for(secs(10));
        assert_eq!(world.queued("alice"), 1, "no relay has signed for it");
        insta::assert_snapshot!("while_the_relay_is_away", both(&world, "alice", "bob"));
        world.relay_online(true);
        world.run_for(secs(5));
        assert_eq!((world.queued("alice"), world.queued("bob")), (0, 0));
        let stored = world.relay.envelopes();
        world.run_for(mins(10));
        assert_eq!(world.relay.envelopes(), stored, "nothing is handed over twice");
    });
}

#[test]
fn machines_that_die_forget_nothing() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 5);
        world.person("alice").adds("bob");
        world.person("bob").accepts("alice");
        world.run_for(secs(5));
        world.person("alice").goes_offline();
        world.person("alice").says_all(&["written on a train", "in a tunnel"]).to("bob");
        world.run_for(secs(1));
        world.person("alice").crashes();
        world.run_for(mins(30));
        world.person("alice").restarts();
        world.run_for(secs(5));
        assert_eq!(world.queued("alice"), 2);
        world.person("alice").comes_online();
        world.run_for(secs(10));
        insta::assert_snapshot!("machines_that_die_forget_nothing", both(&world, "alice", "bob"));
    });
}

#[test]
fn names_that_lead_nowhere() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 6);
        world.person("alice").adds("nobody");
        world.person("alice").adds("Alice ");
        world.person("alice").adds("bob");
        world.person("alice").adds("BOB");
        world.run_for(secs(5));
        let refused = world.person("alice").was_refused();
        assert!(
            matches!(
                refused[..],
                [CommandError::Lookup(livechat_engine::LookupFailure::NotFound), CommandError::Oneself]
            ),
            "{refused:?}"
        );
        assert_eq!(world.conversations("alice").len(), 1);
    });
}

/// A year's leap and an hour back, at both ends: everything arrives, in order (P23, first form).
#[test]
fn clocks_may_jump() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 7);
        world.faults(Faults { loss: 300, ..Faults::NONE });
        world.person("alice").adds("bob");
        world.run_for(secs(5));
        let year = 365 * 86_400_000;
        for (number, skew) in [year, -3_600_000, 0, -86_400_000, 86_400_000, 0].into_iter().enumerate() {
            world.person("alice").sets_clock(skew);
            world.person("bob").sets_clock(-skew);
            world.person("alice").says(&format!("message {number}")).to("bob");
            world.run_for(secs(20));
        }
        world.heal();
        world.run_for(mins(2));
        let read: Vec<_> = world.texts("bob", "alice");
        assert_eq!(read, (0..6).map(|n| format!("message {n}")).collect::<Vec<_>>());
        assert_eq!((world.queued("alice"), world.queued("bob")), (0, 0));
    });
}

/// Answers, edits, a withdrawal, reactions, while one of them is away; a stranger learns nothing before he is accepted.
#[test]
fn people_change_their_minds() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 8);
        world.person("alice").adds("bob");
        world.person("alice").says("lunch at noon?").to("bob");
        world.run_for(secs(5));
        world.person("bob").reads("alice");
        world.run_for(secs(5));
        insta::assert_snapshot!("before_bob_accepts", both(&world, "alice", "bob"));
        world.person("bob").accepts("alice");
        world.run_for(secs(5));
        world.person("bob").goes_offline();
        world.person("bob").answers("alice", "lunch at noon?", "wiht pleasure");
        world.person("bob").edits("alice", "wiht pleasure", "with pleasure");
        world.person("alice").edits("bob", "lunch at noon?", "lunch at one?");
        world.person("alice").says("bring Carol").to("bob");
        world.person("alice").withdraws("bob", "bring Carol");
        world.run_for(mins(20));
        world.person("bob").comes_online();
        world.run_for(secs(10));
        world.person("bob").reacts("alice", "lunch at one?", "🍝", true);
        world.person("bob").reacts("alice", "lunch at one?", "👍", true);
        world.person("alice").reacts("bob", "with pleasure", "👍", true);
        world.person("alice").reacts("bob", "with pleasure", "👍", false);
        world.run_for(secs(5));
        insta::assert_snapshot!("people_change_their_minds", both(&world, "alice", "bob"));
    });
}

/// Secrets that disappear: at Alice two minutes after she sent it, at Bob two minutes after he read it, and for ever.
#[test]
fn messages_disappear() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 9);
        world.person("alice").adds("bob");
        world.person("alice").says("what stays").to("bob");
        world.person("bob").accepts("alice");
        world.person("alice").sets_timer("bob", 120);
        world.person("alice").says("what goes").to("bob");
        world.run_for(mins(1));
        world.person("bob").reads("alice");
        world.run_for(secs(61));
        assert_eq!(world.texts("alice", "alice"), ["what stays", "(Timer { seconds: 120 })"]);
        assert_eq!(world.texts("bob", "alice"), ["what stays", "(Timer { seconds: 120 })", "what goes"]);
        world.person("bob").crashes();
        world.run_for(mins(2));
        world.person("bob").restarts();
        world.run_for(secs(1));
        insta::assert_snapshot!("messages_disappear", both(&world, "alice", "bob"));
    });
}

fn both(world: &World, one: &str, other: &str) -> String {
    format!("{}\n{}", world.timeline(one), world.timeline(other))
}
