//! Direct chats heal in the simulated world, with everything that a network does to them (R-68, P13).

use livechat_sim::{Faults, World, mins, on_big_stack, secs};

/// Two people talk for a week, with a bad network: keys are renewed every day, nothing is lost, nothing shows.
#[test]
fn a_week_of_talk() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 1);
        world.person("alice").adds("bob");
        world.person("bob").accepts("alice");
        world.run_for(secs(5));
        world.faults(Faults { loss: 300, duplicate: 200, delay_max: secs(2), relay_loss: 200, ..Faults::NONE });
        let (mut alices, mut bobs) = (Vec::new(), Vec::new());
        for day in 0..7 {
            for n in 0..3 {
                let (alice, bob) = (format!("alice on day {day}: {n}"), format!("bob on day {day}: {n}"));
                world.person("alice").says(&alice).to("bob");
                world.person("bob").says(&bob).to("alice");
                alices.push(alice);
                bobs.push(bob);
            }
            world.run_for(mins(4));
            // The machines are off for the night.
            ["alice", "bob"].iter().for_each(|who| world.person(who).crashes());
            world.run_for(mins(24 * 60));
            ["alice", "bob"].iter().for_each(|who| world.person(who).restarts());
        }
        world.heal();
        world.run_for(mins(4));
        for who in ["alice", "bob"] {
            assert_eq!((world.texts(who, "alice"), world.texts(who, "bob")), (alices.clone(), bobs.clone()), "{who}");
            assert_eq!(world.history(who, "alice").len() + world.history(who, "bob").len(), 42, "no notice of it");
        }
        let commits = world.relay.ordered();
        assert!((10..=14).contains(&commits), "each renews once a day: {commits}");
    });
}

/// One of them is away for ten days and writes, while the other renews every day: nothing is lost, all in order.
#[test]
fn away_for_many_renewals() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 2);
        world.person("alice").adds("bob");
        world.person("bob").accepts("alice");
        world.person("alice").says("see you in ten days").to("bob");
        world.run_for(secs(5));
        world.person("bob").goes_offline();
        let (mut alices, mut bobs) = (vec!["see you in ten days".to_owned()], Vec::new());
        for day in 0..10 {
            let (alice, bob) = (format!("letter {day}"), format!("from the mountains, day {day}"));
            world.person("alice").says(&alice).to("bob");
            world.person("bob").says(&bob).to("alice");
            alices.push(alice);
            bobs.push(bob);
            world.run_for(mins(4));
            ["alice", "bob"].iter().for_each(|who| world.person(who).crashes());
            world.run_for(mins(24 * 60));
            ["alice", "bob"].iter().for_each(|who| world.person(who).restarts());
        }
        assert!(world.relay.ordered() >= 8, "alice renewed: {}", world.relay.ordered());
        world.person("bob").comes_online();
        world.run_for(mins(1));
        for who in ["alice", "bob"] {
            assert_eq!((world.texts(who, "alice"), world.texts(who, "bob")), (alices.clone(), bobs.clone()), "{who}");
        }
        assert_eq!((world.queued("alice"), world.queued("bob")), (0, 0));
    });
}
