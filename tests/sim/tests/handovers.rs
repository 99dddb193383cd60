//! What a new device takes for its account's history comes from a device of that account (PROTOCOL R-133).

use livechat_sim::{World, on_big_stack, secs};
use livechat_wire::BlobId;
use livechat_wire::content::FileKey;
use livechat_wire::handover::Handover;
use livechat_wire::payload::Kind;

#[test]
fn a_device_takes_history_from_nobody_but_a_device_of_its_account() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob"], 1);
        world.person("alice").adds("bob");
        world.run_for(secs(20));
        world.person("alice").links("phone");
        world.run_for(secs(60));
        let now = (livechat_sim::base::NOON + world.elapsed()) / 1_000;
        let (phone, bobs) = (world.device("phone"), world.device("bob"));
        let (mut alice, mut bob) = (world.turns("alice"), world.turns("bob"));
        let by = |who: &livechat_sim::rogue::Rogue, to, time| {
            who.identity.hand_over(to, time, BlobId([1; 32]), FileKey([2; 32]), 1, [3; 32])
        };
        let own = by(&bob, &phone, now);
        let hers = by(&alice, &phone, now);
        let forged = [
            ("Bob's own", own.clone()),
            ("Bob's, under the name of Alice's device", Handover { from: hers.from, ..own }),
            ("Alice's, with another key", Handover { key: FileKey([9; 32]), ..hers.clone() }),
            ("Alice's, for another device", by(&alice, &bobs, now)),
            ("one from long ago", by(&alice, &phone, now - 40 * 86_400)),
        ];
        for (count, (what, handover)) in (1..).zip(forged) {
            bob.announces(&mut world, "phone", Kind::Handover, &handover.encode());
            world.run_for(secs(10));
            assert_eq!(world.handed_over("phone"), None, "{what}");
            assert_eq!(world.refused("phone").introductions, count, "{what}");
        }
        alice.announces(&mut world, "phone", Kind::Handover, &hers.encode());
        world.run_for(secs(10));
        assert!(world.handed_over("phone").is_some(), "control: what she signs for it is taken");
    });
}
