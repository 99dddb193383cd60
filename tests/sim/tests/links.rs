//! Coming into groups by a link, in the simulated world (PROTOCOL ).

use livechat_engine::view::{JoinRefusal, JoinState, LinkState, Role};
use livechat_sim::{World, mins, on_big_stack, secs};
use livechat_wire::door::{DoorSeed, Link};

const HUT: &str = "Berghütte";

fn refused(why: JoinRefusal) -> Vec<JoinState> {
    vec![JoinState::Refused { why }]
}

/// Who is in the group, as somebody in it sees it.
fn members(world: &World, who: &str) -> Vec<String> {
    world.group(who, HUT).map(|g| g.members.into_iter().map(|m| m.username).collect()).unwrap_or_default()
}

/// Alice's group with a link.
fn with_link(people: &[&str], seed: u64, expires_in: Option<u64>, uses: Option<u32>) -> World {
    let mut world = World::of(people, seed);
    world.person("alice").founds(HUT, &[]);
    world.person("alice").makes_link(HUT, expires_in, uses);
    world.run_for(secs(5));
    world
}

#[test]
fn a_stranger_comes_in_by_a_link_and_nothing_else_is_begun() {
    on_big_stack(|| {
        let mut world = with_link(&["alice", "bob"], 1, None, None);
        world.person("bob").joins_by_link(HUT);
        world.run_for(secs(10));
        assert_eq!(members(&world, "bob"), ["alice", "bob"]);
        assert_eq!(world.waits_at("bob"), []);
        world.person("bob").says("hi from the link").in_group(HUT);
        world.run_for(secs(10));
        let heard = world.group_history("alice", HUT).iter().filter(|m| m.author_name == "bob").count();
        assert_eq!(heard, 1);
        for who in ["alice", "bob"] {
            let titles: Vec<_> = world.conversations(who).into_iter().map(|c| c.title).collect();
            assert_eq!(titles, [HUT], "no stray direct chat");
        }
        insta::assert_snapshot!(world.group_timeline("bob", HUT));
    });
}

#[test]
fn what_is_shut_stays_shut_and_says_why() {
    on_big_stack(|| {
        let mut world = with_link(&["alice", "bob", "carol"], 2, Some(60), None);
        world.run_for(secs(61));
        world.person("bob").joins_by_link(HUT);
        world.run_for(secs(10));
        assert_eq!(world.waits_at("bob"), refused(JoinRefusal::Expired));
        world.person("alice").makes_link(HUT, None, None);
        world.run_for(secs(5));
        world.person("alice").revokes_link(HUT);
        world.run_for(secs(5));
        world.person("carol").joins_by_link(HUT);
        world.run_for(secs(10));
        assert_eq!(world.waits_at("carol"), refused(JoinRefusal::Revoked));
        assert_eq!(members(&world, "alice"), ["alice"]);
        let states: Vec<_> = world.links_into("alice", HUT).into_iter().map(|l| l.state).collect();
        assert_eq!(states, [LinkState::Expired], "the revoked one is gone");
    });
}

#[test]
fn many_at_once_and_only_as_many_as_it_is_for() {
    on_big_stack(|| {
        let people = ["alice", "bob", "carol", "dave", "erin", "frank"];
        let mut world = with_link(&people, 3, None, Some(3));
        for who in &people[1..] {
            world.person(who).joins_by_link(HUT);
        }
        world.run_for(secs(30));
        assert_eq!(members(&world, "alice").len(), 4);
        let out = people[1..].iter().filter(|who| world.waits_at(who) == refused(JoinRefusal::UsedUp)).count();
        assert_eq!(out, 2, "the others are told");
        let link = &world.links_into("alice", HUT)[0];
        assert_eq!((link.used, link.state), (3, LinkState::UsedUp));
    });
}

#[test]
fn whoever_has_another_secret_stays_outside() {
    on_big_stack(|| {
        let mut world = with_link(&["alice", "bob"], 4, None, None);
        let link: Link = world.link_into(HUT).expect("a link").parse().expect("a link");
        let forged = Link { seed: DoorSeed([7; 32]), ..link };
        world.person("bob").joins_with(&forged.to_string());
        world.run_for(secs(10));
        assert_eq!(world.waits_at("bob"), refused(JoinRefusal::Revoked));
        assert_eq!(members(&world, "alice"), ["alice"]);
    });
}

#[test]
fn a_doorkeeper_who_is_away_lets_in_when_they_are_back() {
    on_big_stack(|| {
        let mut world = with_link(&["alice", "bob"], 5, None, None);
        world.person("alice").goes_offline();
        world.person("bob").joins_by_link(HUT);
        world.run_for(mins(90));
        assert_eq!(world.waits_at("bob"), [JoinState::Waiting]);
        world.person("bob").crashes();
        world.person("bob").restarts();
        world.person("alice").comes_online();
        world.run_for(secs(15));
        assert_eq!(members(&world, "bob"), ["alice", "bob"]);
    });
}

#[test]
fn one_doorkeeper_away_does_not_shut_the_door() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol"], 6);
        world.person("alice").founds(HUT, &["carol"]);
        world.run_for(secs(8));
        world.person("carol").accepts(HUT);
        world.person("alice").makes("carol", Role::Admin, HUT);
        world.run_for(secs(5));
        world.person("alice").makes_link(HUT, None, Some(1));
        world.run_for(secs(5));
        world.person("alice").goes_offline();
        world.person("bob").joins_by_link(HUT);
        world.run_for(secs(40));
        assert_eq!(members(&world, "bob"), ["alice", "bob", "carol"]);
        world.person("alice").comes_online();
        world.run_for(secs(20));
        assert_eq!(members(&world, "alice"), ["alice", "bob", "carol"], "once, though both were asked");
    });
}

#[test]
fn whom_the_doorkeeper_has_blocked_waits_in_vain_and_is_not_told() {
    on_big_stack(|| {
        let mut world = with_link(&["alice", "bob"], 7, None, None);
        world.person("alice").adds("bob");
        world.run_for(secs(8));
        world.person("alice").blocks("bob");
        world.run_for(secs(2));
        world.person("bob").joins_by_link(HUT);
        world.run_for(mins(2));
        assert_eq!(world.waits_at("bob"), [JoinState::Waiting]);
        assert_eq!(members(&world, "alice"), ["alice"]);
    });
}

#[test]
fn whoever_was_removed_comes_back_by_invitation_only() {
    on_big_stack(|| {
        let mut world = with_link(&["alice", "bob"], 8, None, None);
        world.person("bob").joins_by_link(HUT);
        world.run_for(secs(10));
        world.person("alice").removes("bob", HUT);
        world.run_for(secs(10));
        world.person("bob").joins_by_link(HUT);
        world.run_for(secs(10));
        assert_eq!(world.waits_at("bob"), refused(JoinRefusal::KeptOut));
        world.person("alice").invites("bob", HUT);
        world.run_for(secs(10));
        assert_eq!(members(&world, "bob"), ["alice", "bob"]);
    });
}

#[test]
fn whoever_left_may_come_back_by_the_link() {
    on_big_stack(|| {
        let mut world = with_link(&["alice", "bob"], 9, None, None);
        world.person("bob").joins_by_link(HUT);
        world.run_for(secs(10));
        world.person("bob").leaves(HUT);
        world.run_for(secs(15));
        assert_eq!(members(&world, "alice"), ["alice"]);
        world.person("bob").joins_by_link(HUT);
        world.run_for(secs(10));
        assert_eq!(members(&world, "alice"), ["alice", "bob"]);
    });
}

#[test]
fn a_relay_that_shows_somebody_else_under_a_doorkeepers_name_is_noticed() {
    on_big_stack(|| {
        let mut world = with_link(&["alice", "bob", "mallory"], 10, None, None);
        world.relay.lies.insert("alice".into(), "mallory".into());
        world.person("bob").joins_by_link(HUT);
        world.run_for(secs(10));
        assert_eq!(world.waits_at("bob"), refused(JoinRefusal::Untrusted));
    });
}
