//! A relay that says it keeps what it loses: the next message shows that something is missing (P12).

use livechat_engine::view::{Delivery, MessageBody};
use livechat_sim::{Faults, World, on_big_stack, secs};

#[test]
fn what_the_relay_acknowledged_and_lost_shows_with_the_next_message() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 1);
        world.person("alice").adds("bob");
        world.run_for(secs(20));
        world.person("bob").accepts("alice");
        world.person("alice").says("before").to("bob");
        world.run_for(secs(20));
        // Nothing comes but by the relay.
        world.faults(Faults { loss: 1_000, ..Faults::NONE });
        world.relay.loses = 1;
        world.person("alice").says("lost").to("bob");
        world.run_for(secs(60));
        assert_eq!(world.relay.loses, 0, "control: it was given something to lose");
        world.person("alice").says("after").to("bob");
        world.run_for(secs(60));
        let text = |body: &MessageBody| if let MessageBody::Text { text } = body { Some(text.clone()) } else { None };
        let seen: Vec<_> = world.history("bob", "alice").iter().filter_map(|m| Some((text(&m.body)?, m.gap))).collect();
        assert_eq!(seen, [("before".to_owned(), false), ("after".to_owned(), true)]);
        // And no tick says that it came.
        let ticks: Vec<_> = world.history("alice", "bob").iter().filter_map(|m| m.delivery).collect();
        assert_eq!(ticks, [Delivery::Delivered, Delivery::Accepted, Delivery::Delivered]);
    });
}
