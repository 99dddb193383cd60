//! The lobby, in the simulated world: whoever has its link comes in, whoever of its members is about (PROTOCOL R-79).

use livechat_engine::view::{JoinRefusal, JoinState, Role};
use livechat_sim::{World, mins, on_big_stack, secs};

const LOBBY: &str = "Lobby";

fn members(world: &World, who: &str) -> Vec<String> {
    world.group(who, LOBBY).map(|g| g.members.into_iter().map(|m| m.username).collect()).unwrap_or_default()
}

#[test]
fn anybody_comes_in_whoever_is_about() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol", "dave"], 1);
        world.person("alice").founds_lobby(LOBBY);
        world.run_for(secs(2));
        world.person("bob").joins_by_link(LOBBY);
        world.run_for(secs(10));
        assert_eq!(members(&world, "bob"), ["alice", "bob"]);
        assert!(world.group("bob", LOBBY).expect("a group").open);
        // The founder is gone for good.
        world.person("alice").crashes();
        world.person("carol").joins_by_link(LOBBY);
        world.run_for(secs(15));
        assert_eq!(members(&world, "carol"), ["alice", "bob", "carol"]);
        world.person("carol").says("hi all").in_group(LOBBY);
        world.run_for(secs(5));
        world.person("bob").goes_offline();
        world.person("dave").joins_by_link(LOBBY);
        world.run_for(secs(15));
        assert_eq!(members(&world, "dave"), ["alice", "bob", "carol", "dave"]);
        world.person("bob").comes_online();
        world.run_for(secs(15));
        assert_eq!(members(&world, "bob"), members(&world, "dave"), "though he heard the knock too");
        let titles: Vec<_> = world.conversations("dave").into_iter().map(|c| c.title).collect();
        assert_eq!(titles, [LOBBY], "no stray direct chat");
    });
}

#[test]
fn a_lobby_in_which_nobody_is_about_keeps_one_waiting() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 2);
        world.person("alice").founds_lobby(LOBBY);
        world.run_for(secs(2));
        world.person("alice").goes_offline();
        world.person("bob").joins_by_link(LOBBY);
        world.run_for(mins(10));
        assert_eq!(world.waits_at("bob"), [JoinState::Waiting]);
        world.person("alice").comes_online();
        world.run_for(secs(15));
        assert_eq!(members(&world, "bob"), ["alice", "bob"]);
    });
}

#[test]
fn members_take_in_and_do_nothing_else_and_whoever_was_removed_stays_out() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol"], 3);
        world.person("alice").founds_lobby(LOBBY);
        world.run_for(secs(2));
        for who in ["bob", "carol"] {
            world.person(who).joins_by_link(LOBBY);
        }
        world.run_for(secs(20));
        assert_eq!(members(&world, "alice"), ["alice", "bob", "carol"]);
        world.person("bob").removes("carol", LOBBY);
        world.person("bob").calls(LOBBY, "Bob's");
        world.person("bob").makes("bob", Role::Admin, LOBBY);
        world.run_for(secs(5));
        assert_eq!(world.person("bob").was_refused().len(), 3);
        world.person("alice").removes("carol", LOBBY);
        world.run_for(secs(10));
        world.person("carol").joins_by_link(LOBBY);
        world.run_for(secs(20));
        assert_eq!(members(&world, "bob"), ["alice", "bob"], "no member lets her in again");
        assert_eq!(world.waits_at("carol"), [JoinState::Refused { why: JoinRefusal::KeptOut }]);
    });
}

#[test]
fn many_at_once_come_into_a_lobby_of_some() {
    on_big_stack(|| {
        let people = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
        let mut world = World::of(&people, 4);
        world.person("alice").founds_lobby(LOBBY);
        world.run_for(secs(2));
        for who in &people[1..] {
            world.person(who).joins_by_link(LOBBY);
        }
        let all_in = |w: &World| people.iter().all(|who| members(w, who).len() == people.len());
        assert!(world.run_until(mins(2), all_in).is_some(), "{:?}", people.map(|who| members(&world, who)));
    });
}
