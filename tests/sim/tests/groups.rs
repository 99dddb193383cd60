//! Groups of many in the simulated world: stories, and seeded schedules after which all who are in a group see the
//! same (P6 with groups).
//!
//! `LIVECHAT_SIM_SEEDS=200` plays more schedules (the default is 6), `LIVECHAT_SIM_SEED=17` plays one; with
//! `cargo test --profile sim` that takes a seventh of the time;
//! `LIVECHAT_SIM_GROUP=200` founds a group of that size and lets everybody say something (the default is 8).

use livechat_engine::view::{Delivery, Role, Standing};
use livechat_sim::{Faults, World, each_seed, environment_number, group_schedule, mins, on_big_stack, secs};

#[test]
fn everybody_sees_the_same_group_afterwards() {
    each_seed(6, play);
}

fn play(seed: u64) {
    let size = 2 + usize::try_from(seed % 5).unwrap_or(0);
    let outcome = group_schedule::play(seed, size, |_| {});
    let replay = format!("replay: LIVECHAT_SIM_SEED={seed} cargo test -p livechat-sim --test groups everybody");
    assert!(outcome.complaints.is_empty(), "seed {seed}\n{}\n{replay}", outcome.complaints.join("\n"));
    let settled = outcome.settled_in.unwrap_or(u64::MAX);
    assert!(settled <= group_schedule::bound(seed), "seed {seed} settled only after {settled} ms\n{replay}");
    assert!(outcome.acknowledged > 0, "seed {seed} acknowledged nothing: it proves nothing");
}

#[test]
fn three_people_one_is_removed() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol"], 1);
        world.person("alice").founds("Bergfahrt", &["bob", "carol"]);
        world.run_for(secs(8));
        world.person("carol").accepts("Bergfahrt");
        world.person("bob").says("who brings the rope?").in_group("Bergfahrt");
        world.run_for(secs(5));
        world.person("alice").removes("carol", "Bergfahrt");
        world.run_for(secs(5));
        world.person("bob").says("not carol, then").in_group("Bergfahrt");
        world.run_for(secs(8));
        let all = ["alice", "bob", "carol"].map(|who| world.group_timeline(who, "Bergfahrt"));
        insta::assert_snapshot!("three_people_one_is_removed", all.join("\n"));
    });
}

/// Answers, edits, a withdrawal, reactions and a timer in a group, while one of them is away: all end up with the same.
#[test]
fn three_people_change_their_minds() {
    on_big_stack(|| {
        let (all, hut) = (["alice", "bob", "carol"], "Bergfahrt");
        let mut world = World::of(&all, 6);
        world.person("alice").founds(hut, &["bob", "carol"]);
        world.person("bob").accepts(hut);
        world.person("carol").accepts(hut);
        world.run_for(secs(10));
        world.person("alice").says("who brings the rope?").in_group(hut);
        world.run_for(secs(5));
        world.person("carol").goes_offline();
        world.person("bob").answers(hut, "who brings the rope?", "mee");
        world.person("bob").edits(hut, "mee", "me");
        world.person("bob").says("or Dave").in_group(hut);
        world.person("bob").withdraws(hut, "or Dave");
        world.run_for(secs(3));
        world.person("alice").reacts(hut, "me", "👍", true);
        world.person("carol").reacts(hut, "who brings the rope?", "🧗", true);
        world.person("alice").calls(hut, "Talfahrt");
        world.run_for(mins(20));
        world.person("carol").comes_online();
        world.run_for(secs(10));
        world.person("carol").reacts(hut, "me", "👍", true);
        world.person("alice").edits(hut, "who brings the rope?", "who brings both ropes?");
        world.run_for(secs(10));
        world.person("alice").sets_timer(hut, 120);
        world.run_for(secs(10));
        world.person("bob").says("what goes").in_group(hut);
        world.run_for(secs(10));
        insta::assert_snapshot!(
            "three_people_change_their_minds",
            all.map(|w| world.group_timeline(w, hut)).join("\n")
        );
        world.run_for(mins(2));
        let goes = |world: &World, who: &str| world.group_history(who, hut).iter().any(|m| m.timer.is_some());
        assert_eq!(all.map(|w| goes(&world, w)), [true, false, true], "nobody else has read it");
        for reader in ["alice", "carol"] {
            world.person(reader).reads(hut);
        }
        world.run_for(mins(2) + secs(5));
        assert_eq!(all.map(|w| goes(&world, w)), [false; 3]);
    });
}

/// A stranger's invitation is a request: nobody learns that it was read, until it is accepted.
#[test]
fn a_stranger_invites() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol"], 7);
        world.person("bob").adds("alice");
        world.run_for(secs(8));
        world.person("alice").founds("Bergfahrt", &["bob", "carol"]);
        world.run_for(secs(10));
        let standing = |world: &World, who: &str| {
            world.conversations(who).into_iter().find(|c| c.title == "Bergfahrt").map(|c| c.standing)
        };
        assert_eq!(standing(&world, "bob"), Some(Standing::Accepted), "he knows her");
        assert_eq!(standing(&world, "carol"), Some(Standing::Request));
        world.person("alice").says("hello both").in_group("Bergfahrt");
        world.run_for(secs(10));
        let tick = |world: &World| world.group_history("alice", "Bergfahrt").last().and_then(|m| m.delivery);
        assert_eq!(tick(&world), Some(Delivery::Accepted));
        world.person("carol").accepts("Bergfahrt");
        world.run_for(secs(10));
        assert_eq!(tick(&world), Some(Delivery::Delivered));
    });
}

/// Two admins at once, again and again: everything that both want happens, in one order for all.
#[test]
fn two_admins_at_once() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol"], 2);
        world.faults(Faults { delay_max: 800, ..Faults::NONE });
        world.person("alice").founds("Bergfahrt", &["bob", "carol"]);
        world.run_for(secs(8));
        world.person("alice").makes("bob", Role::Admin, "Bergfahrt");
        world.run_for(secs(8));
        for round in 0..5 {
            world.person("alice").calls("Bergfahrt", &format!("alice's {round}"));
            world.person("bob").calls("Bergfahrt", &format!("bob's {round}"));
            world.run_for(secs(12));
        }
        let titles = |world: &World, who: &str| -> Vec<String> {
            let history = world.group_history(who, "Bergfahrt");
            history
                .into_iter()
                .filter(|m| format!("{:?}", m.body).contains("TitleChanged"))
                .map(|m| format!("{:?}", m.body))
                .collect()
        };
        let of_alice = titles(&world, "alice");
        assert_eq!(of_alice.len(), 10, "{of_alice:#?}");
        assert_eq!(of_alice, titles(&world, "bob"));
        assert_eq!(of_alice, titles(&world, "carol"));
        assert!(world.relay.collisions() > 0, "they never met");
    });
}

/// The relay's order service is away, its store isn't: people chat on, changes wait, and are made when it is back.
#[test]
fn without_an_order_service_people_chat_on() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 3);
        world.person("alice").founds("Bergfahrt", &["bob"]);
        world.run_for(secs(8));
        world.relay.orders = false;
        world.person("alice").calls("Bergfahrt", "Talfahrt");
        world.person("alice").says("can you read this?").in_group("Bergfahrt");
        world.run_for(mins(2));
        let group = world.group("alice", "Bergfahrt").expect("a group");
        assert!(group.waiting && group.pending == 1 && group.title == "Bergfahrt", "{group:?}");
        assert_eq!(world.group_history("bob", "Bergfahrt").len(), 2);
        world.relay.orders = true;
        world.run_for(mins(2));
        assert_eq!(world.group("bob", "Bergfahrt").expect("a group").title, "Talfahrt");
        assert!(!world.group("alice", "Bergfahrt").expect("a group").waiting);
    });
}

/// One of three is away for thirty changes of the group.
#[test]
fn away_for_thirty_epochs() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol"], 4);
        world.person("alice").founds("Bergfahrt", &["bob", "carol"]);
        world.run_for(secs(8));
        world.person("carol").goes_offline();
        for n in 0..30 {
            world.person("alice").calls("Bergfahrt", &format!("title {n}"));
            world.person("bob").says(&format!("message {n}")).in_group("Bergfahrt");
            world.run_for(secs(3));
        }
        world.person("carol").says("from the hut").in_group("Bergfahrt");
        world.run_for(secs(3));
        world.person("carol").comes_online();
        world.run_for(secs(30));
        let [alice, carol] = ["alice", "carol"].map(|w| world.group(w, "Bergfahrt").expect("a group"));
        assert_eq!((alice.epoch, alice.authenticator, alice.title), (carol.epoch, carol.authenticator, carol.title));
        assert_eq!(world.texts("carol", "bob").len(), 0, "he is no contact of hers");
        let from_bob = world.group_history("carol", "Bergfahrt").iter().filter(|m| m.author_name == "bob").count();
        assert_eq!(from_bob, 30);
        let from_carol = world.group_history("bob", "Bergfahrt").iter().filter(|m| m.author_name == "carol").count();
        assert_eq!(from_carol, 1);
    });
}

/// What newcomers of a large group are told alike is one file at the relay: without it they wait, a damaged one
/// lets nobody in, and a relay that keeps none is done without.
#[test]
fn a_large_welcome_is_a_file() {
    on_big_stack(|| {
        let names = group_schedule::names(14);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (first, last) = (names[0], names[13]);
        let mut world = World::of(&names, 11);
        world.person(first).founds(group_schedule::GROUP, &names[1..13]);
        let inside = |world: &World, who: &str| world.group(who, group_schedule::GROUP).is_some();
        let all = world.run_until(mins(2), |w| names[1..13].iter().all(|who| inside(w, who)));
        assert!(all.is_some() && world.relay.files() == 1, "twelve came in by one file: {}", world.relay.files());
        // Who is away when the others come in fetches it afterwards.
        world.person(last).crashes();
        world.person(first).invites(last, group_schedule::GROUP);
        world.run_for(secs(20));
        assert_eq!(world.relay.files(), 2);
        world.relay.damages_files();
        world.person(last).restarts();
        world.run_for(secs(20));
        assert!(!inside(&world, last), "not by a file that was touched");
        assert_eq!(world.refused(last).introductions, 1);
        // And a relay that keeps no files doesn't stand in the way.
        world.person(first).removes(last, group_schedule::GROUP);
        world.run_for(secs(10));
        world.relay.keeps_files = false;
        world.person(first).invites(last, group_schedule::GROUP);
        world.run_for(secs(30));
        assert!(inside(&world, last));
        assert_eq!(world.relay.files(), 2);
        world.person(last).says("at last").in_group(group_schedule::GROUP);
        world.run_for(secs(10));
        let said = world.group_history(names[5], group_schedule::GROUP);
        assert_eq!(said.iter().filter(|m| m.author_name == last).count(), 1);
    });
}

/// Everybody in a larger group says something, and one is removed.
#[test]
fn a_larger_group() {
    let size = usize::try_from(environment_number("LIVECHAT_SIM_GROUP").unwrap_or(8)).expect("a size");
    on_big_stack(move || {
        let began = std::time::Instant::now();
        let mut world = group_schedule::founded(size, 5);
        println!("{size} members: founded after {:?}, {} envelopes", began.elapsed(), world.relay.envelopes());
        let names = group_schedule::names(size);
        for name in &names {
            world.person(name).says(&format!("hi from {name}")).in_group(group_schedule::GROUP);
        }
        world.person(&names[0]).removes(&names[size - 1], group_schedule::GROUP);
        let outside = [names[size - 1].clone()].into();
        let settled = world.run_until(mins(5), |w| w.is_idle() && group_schedule::complaints(w, &outside).is_empty());
        assert!(settled.is_some(), "{:?}", group_schedule::complaints(&world, &outside));
        println!("settled {settled:?} ms after, {:?}, {} envelopes", began.elapsed(), world.relay.envelopes());
    });
}

/// Who has said much, and who has been there for a day, gets new keys; nobody is told, nothing is lost.
#[test]
fn keys_are_renewed() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol"], 7);
        world.person("alice").founds("Bergfahrt", &["bob", "carol"]);
        world.run_for(secs(8));
        let epoch = |world: &World, who: &str| world.group(who, "Bergfahrt").expect("a group").epoch;
        let founded = epoch(&world, "carol");
        for n in 0..50 {
            world.person("bob").says(&format!("line {n}")).in_group("Bergfahrt");
        }
        world.run_for(mins(3));
        assert_eq!(epoch(&world, "carol"), founded + 1, "after fifty messages bob renews, once");
        world.person("alice").says("that is much").in_group("Bergfahrt");
        world.run_for(secs(10));
        let all = ["alice", "bob", "carol"];
        all.iter().for_each(|who| world.person(who).crashes());
        world.run_for(mins(25 * 60));
        all.iter().for_each(|who| world.person(who).restarts());
        world.run_for(mins(3));
        let after_a_day = epoch(&world, "carol");
        assert_eq!(after_a_day, founded + 3, "alice and bob renew; carol has not agreed to be there yet");
        world.person("carol").says("still here").in_group("Bergfahrt");
        world.run_for(mins(3));
        for who in all {
            assert_eq!(epoch(&world, who), after_a_day + 1, "now carol does");
        }
        for who in ["alice", "bob"] {
            let of_carol = world.group_history(who, "Bergfahrt").into_iter().filter(|m| m.author_name == "carol");
            assert_eq!(of_carol.count(), 1, "{who}");
            let group = world.group(who, "Bergfahrt").expect("a group");
            assert_eq!((group.pending, group.waiting), (0, false), "nothing shows of it");
        }
        let lines = world.group_history("carol", "Bergfahrt").iter().filter(|m| m.author_name == "bob").count();
        assert_eq!(lines, 50);
    });
}
