//! Groups whose relay is away, in the simulated world: admins put their own changes in order, and everybody goes back
//! when the relay knows better (PROTOCOL ).

use livechat_engine::view::{Membership, MessageBody, Notice, Order, Role};
use livechat_sim::{World, mins, on_big_stack, secs};

const HUT: &str = "Berghütte";

fn members(world: &World, who: &str) -> Vec<String> {
    world.group(who, HUT).map(|g| g.members.into_iter().map(|m| m.username).collect()).unwrap_or_default()
}

/// These see the same group.
fn agree(world: &World, people: &[&str]) {
    let seen = |who: &&str| {
        let g = world.group(who, HUT).expect("a group");
        (g.epoch, g.authenticator, g.title, members(world, who), g.forked, g.provisional)
    };
    let first = seen(&people[0]);
    for who in people {
        assert_eq!(seen(who), first, "{who} and {}", people[0]);
    }
}

fn texts(world: &World, who: &str) -> Vec<String> {
    let text = |body: MessageBody| if let MessageBody::Text { text } = body { Some(text) } else { None };
    let mut texts: Vec<_> = world.group_history(who, HUT).into_iter().filter_map(|m| text(m.body)).collect();
    texts.sort();
    texts
}

fn rewound(world: &World, who: &str) -> usize {
    let is = |body: &MessageBody| matches!(body, MessageBody::Notice { notice: Notice::Rewound { .. } });
    world.group_history(who, HUT).iter().filter(|m| is(&m.body)).count()
}

/// Alice's group with all of these; the second is an admin.
fn founded(people: &[&str], seed: u64) -> World {
    let mut world = World::of(people, seed);
    world.person(people[0]).founds(HUT, &people[1..]);
    world.run_for(secs(10));
    for who in &people[1..] {
        world.person(who).accepts(HUT);
    }
    world.person(people[0]).makes(people[1], Role::Admin, HUT);
    world.run_for(secs(10));
    world
}

#[test]
fn somebody_is_removed_although_the_relay_is_away() {
    on_big_stack(|| {
        let mut world = founded(&["alice", "bob", "carol"], 1);
        world.relay_online(false);
        world.person("alice").removes("carol", HUT);
        world.run_for(secs(50));
        assert_eq!(members(&world, "bob"), ["alice", "bob", "carol"], "the relay may come back");
        assert!(world.group("alice", HUT).expect("a group").waiting);
        world.run_for(secs(30));
        assert_eq!(members(&world, "bob"), ["alice", "bob"]);
        assert_eq!(world.group("bob", HUT).expect("a group").provisional, 1);
        world.person("bob").says("without carol, and without a relay").in_group(HUT);
        world.run_for(secs(20));
        world.person("alice").crashes();
        world.person("alice").restarts();
        world.relay_online(true);
        world.run_for(mins(2));
        agree(&world, &["alice", "bob"]);
        assert_eq!(world.group("alice", HUT).expect("a group").provisional, 0, "the relay has confirmed it");
        assert_eq!((rewound(&world, "alice"), rewound(&world, "bob")), (0, 0));
        assert_eq!(texts(&world, "alice"), texts(&world, "bob"));
        assert!(!texts(&world, "carol").iter().any(|t| t.contains("without carol")));
        // And the group goes on, in the relay's order.
        world.person("bob").calls(HUT, "Berghütte zu zweit");
        world.run_for(secs(20));
        agree(&world, &["alice", "bob"]);
    });
}

#[test]
fn what_can_wait_waits_for_a_day() {
    on_big_stack(|| {
        let mut world = founded(&["alice", "bob"], 2);
        world.relay_online(false);
        world.person("alice").calls(HUT, "Talstation");
        world.run_for(mins(23 * 60));
        assert_eq!(world.group("bob", HUT).expect("a group").title, HUT);
        world.run_for(mins(90));
        assert_eq!(world.group("bob", HUT).expect("a group").title, "Talstation");
        world.relay_online(true);
        world.run_for(mins(2));
        agree(&world, &["alice", "bob"]);
    });
}

#[test]
fn two_sides_change_the_group_and_end_in_one() {
    on_big_stack(|| {
        let people = ["alice", "bob", "carol", "dave", "erin"];
        let mut world = founded(&people, 3);
        world.islands(&[&["alice", "carol", "erin"]]);
        world.person("alice").removes("dave", HUT);
        world.run_for(mins(2));
        assert_eq!(members(&world, "carol"), ["alice", "bob", "carol", "erin"]);
        for (who, text) in [("alice", "up here"), ("carol", "it snows"), ("bob", "down there"), ("dave", "rain")] {
            world.person(who).says(text).in_group(HUT);
        }
        world.person("bob").calls(HUT, "Talstation");
        world.run_for(secs(30));
        assert_eq!(world.group("dave", HUT).expect("a group").title, "Talstation");
        world.islands(&[]);
        world.run_for(mins(3));
        agree(&world, &["alice", "bob", "carol", "erin"]);
        assert_eq!(world.group("alice", HUT).expect("a group").title, "Talstation", "what the relay had first stands");
        assert_eq!(members(&world, "bob"), ["alice", "bob", "carol", "erin"], "and the removal is made again");
        assert_eq!((rewound(&world, "alice"), rewound(&world, "bob")), (1, 0));
        let said = ["down there", "it snows", "rain", "up here"];
        for who in ["alice", "bob", "carol", "erin"] {
            assert_eq!(texts(&world, who), said, "{who} has everything once");
        }
    });
}

/// An order service that hangs while the relay's store works; and what everybody is told meanwhile.
#[test]
fn who_puts_changes_in_order_is_shown() {
    on_big_stack(|| {
        let mut world = founded(&["alice", "bob", "carol"], 5);
        let orders = |world: &World| ["alice", "bob", "carol"].map(|w| world.group(w, HUT).expect("a group").order);
        assert_eq!(orders(&world), [Order::Relay; 3]);
        world.relay_online(false);
        world.run_for(secs(50));
        assert_eq!(orders(&world), [Order::Relay; 3], "it may come back");
        world.run_for(secs(20));
        assert_eq!(orders(&world), [Order::Here, Order::Here, Order::Nobody], "carol sees nobody");
        world.relay_online(true);
        world.run_for(secs(5));
        assert_eq!(orders(&world), [Order::Relay; 3]);
        world.relay.orders = false;
        world.person("alice").removes("bob", HUT);
        world.run_for(secs(100));
        assert_eq!(members(&world, "carol"), ["alice", "carol"]);
        assert_eq!(world.group("alice", HUT).expect("a group").order, Order::Here);
        world.relay_online(false);
        world.run_for(secs(70));
        assert_eq!(world.group("carol", HUT).expect("a group").order, Order::Deputy);
        world.relay.orders = true;
        world.relay_online(true);
        world.run_for(mins(2));
        agree(&world, &["alice", "carol"]);
        assert_eq!(world.group("carol", HUT).expect("a group").order, Order::Relay);
    });
}

/// Four changes are undone by one; all of them are made again, and nothing that was said in between is lost.
#[test]
fn everything_wanted_in_between_is_wanted_still() {
    on_big_stack(|| {
        let people = ["alice", "bob", "c1", "c2", "c3", "c4", "dave"];
        let mut world = founded(&people, 6);
        branch(&mut world);
        world.islands(&[]);
        world.run_for(mins(3));
        let stay = ["alice", "bob", "dave"];
        agree(&world, &stay);
        assert_eq!(world.group("alice", HUT).expect("a group").title, "Talstation");
        assert_eq!(members(&world, "bob"), stay);
        let said = ["dave after c1", "dave after c2", "dave after c3", "dave after c4"];
        for who in stay {
            assert_eq!(texts(&world, who), said, "{who} has everything once");
            assert!(!world.group(who, HUT).expect("a group").forked);
        }
        assert_eq!((rewound(&world, "alice"), rewound(&world, "dave")), (1, 1));
    });
}

/// Alice and Dave on an island remove four, Dave talks; Bob at the relay calls the group something else.
fn branch(world: &mut World) {
    world.islands(&[&["alice", "dave"]]);
    world.run_for(mins(2));
    for who in ["c1", "c2", "c3", "c4"] {
        world.person("alice").removes(who, HUT);
        world.run_for(secs(10));
        world.person("dave").says(&format!("dave after {who}")).in_group(HUT);
        world.run_for(secs(5));
    }
    assert_eq!(members(world, "dave"), ["alice", "bob", "dave"]);
    world.person("bob").calls(HUT, "Talstation");
    world.run_for(secs(20));
}

/// The relay puts in order what it is given, and its answers get lost.
fn answers_get_lost(world: &mut World, lost: bool) {
    world.relay.says_orders = !lost;
}

/// What alice gave the relay is what she puts in order in its stead: the relay has nothing else to say afterwards.
#[test]
fn a_deputy_stays_with_what_the_relay_was_given() {
    on_big_stack(|| {
        let mut world = founded(&["alice", "bob", "carol"], 7);
        answers_get_lost(&mut world, true);
        world.person("alice").removes("carol", HUT);
        world.run_for(secs(80));
        assert_eq!(members(&world, "bob"), ["alice", "bob"]);
        answers_get_lost(&mut world, false);
        world.run_for(mins(2));
        agree(&world, &["alice", "bob"]);
        assert_eq!(world.group("bob", HUT).expect("a group").provisional, 0);
        assert_eq!(world.relay.collisions(), 0, "one commit, wherever it was put in order");
        assert_eq!((rewound(&world, "alice"), rewound(&world, "bob")), (0, 0));
    });
}

/// The relay was given one change and its deputy made another: the first stands, although only its author could have
/// kept what it takes to follow it.
#[test]
fn what_the_relay_had_of_a_deputy_first_stands() {
    on_big_stack(|| {
        let mut world = founded(&["alice", "bob", "carol"], 8);
        answers_get_lost(&mut world, true);
        world.person("alice").calls(HUT, "Talstation");
        world.run_for(secs(10));
        world.person("alice").removes("carol", HUT);
        world.run_for(secs(90));
        assert_eq!(members(&world, "bob"), ["alice", "bob"], "what can't wait didn't");
        assert_eq!(world.group("bob", HUT).expect("a group").title, HUT);
        world.person("bob").says("without carol").in_group(HUT);
        world.run_for(secs(5));
        world.person("alice").crashes();
        world.person("alice").restarts();
        answers_get_lost(&mut world, false);
        world.run_for(mins(3));
        agree(&world, &["alice", "bob"]);
        let group = world.group("alice", HUT).expect("a group");
        assert_eq!((group.title.as_str(), group.provisional, group.pending), ("Talstation", 0, 0));
        assert_eq!(members(&world, "bob"), ["alice", "bob"], "and the removal is made again");
        assert_eq!((rewound(&world, "alice"), rewound(&world, "bob")), (1, 1));
        for who in ["alice", "bob"] {
            assert_eq!(texts(&world, who), ["without carol"], "{who}");
        }
    });
}

/// The same with two people, one of whom the other takes out meanwhile: what the relay had of theirs brings them back.
#[test]
fn who_is_taken_out_is_back_by_what_the_relay_had_of_theirs() {
    on_big_stack(|| {
        let mut world = founded(&["alice", "bob", "carol"], 9);
        answers_get_lost(&mut world, true);
        world.person("bob").calls(HUT, "Talstation");
        world.run_for(secs(10));
        world.person("alice").removes("bob", HUT);
        world.run_for(secs(90));
        assert_eq!(members(&world, "carol"), ["alice", "carol"]);
        assert_eq!(world.group("bob", HUT).expect("a group").standing, Membership::Removed);
        let (before, history) = (world.relay.ordered(), world.group_history("bob", HUT).len());
        answers_get_lost(&mut world, false);
        world.run_for(mins(3));
        agree(&world, &["alice", "carol"]);
        assert_eq!(world.group("carol", HUT).expect("a group").title, "Talstation");
        assert_eq!(members(&world, "alice"), ["alice", "carol"], "taken out again");
        assert!(world.relay.ordered() > before);
        let notices: Vec<_> = world.group_history("bob", HUT).split_off(history);
        assert!(notices.iter().any(|m| matches!(&m.body, MessageBody::Notice { notice: Notice::Rewound { .. } })));
        assert_eq!(world.group("bob", HUT).expect("a group").standing, Membership::Removed);
    });
}

/// The control: who doesn't go back stays in another group than the rest.
#[cfg(feature = "sabotage")]
#[test]
fn without_going_back_groups_part() {
    on_big_stack(|| {
        let mut world = founded(&["alice", "bob", "c1", "c2", "c3", "c4", "dave"], 6);
        world.sabotage(livechat_engine::Sabotage { no_rewind: true, ..Default::default() });
        branch(&mut world);
        world.islands(&[]);
        world.run_for(mins(3));
        let seen = |who: &str| world.group(who, HUT).expect("a group").authenticator;
        assert_ne!(seen("alice"), seen("bob"));
        assert!(texts(&world, "bob").is_empty(), "and what dave said is nobody's to read");
    });
}

/// Nobody goes back further than five changes: then it is shown that people see different groups.
#[test]
fn a_fork_that_is_too_deep_is_shown() {
    on_big_stack(|| {
        let people = ["alice", "bob", "c1", "c2", "c3", "c4", "c5", "c6"];
        let mut world = founded(&people, 4);
        world.islands(&[&["alice", "c6"]]);
        world.run_for(mins(2));
        for who in ["c1", "c2", "c3", "c4", "c5", "c6"] {
            world.person("alice").removes(who, HUT);
            world.run_for(secs(20));
        }
        assert_eq!(members(&world, "alice"), ["alice", "bob"]);
        world.person("bob").calls(HUT, "Talstation");
        world.run_for(secs(20));
        world.islands(&[]);
        world.run_for(mins(3));
        assert!(world.group("alice", HUT).expect("a group").forked);
    });
}
