//! Devices that their account has revoked, in groups whose other members take them out because the account's own devices
//! are away (PROTOCOL R-134, last part).

use std::collections::BTreeMap;

use livechat_crypto::mls::GroupId;
use livechat_engine::view::{MessageBody, Notice};
use livechat_sim::rogue::Rogue;
use livechat_sim::{World, mins, on_big_stack, secs};
use livechat_wire::DeviceId;
use livechat_wire::account::{AccountLog, Statement};
use livechat_wire::group::Evidence;

const HIKE: &str = "hike";

/// Alice's group with Bob, whom she knows, and Carol, whom nobody told anything; Alice has two devices in it.
fn two_devices(seed: u64) -> World {
    let mut world = World::of(&["alice", "bob", "carol"], seed);
    world.person("alice").adds("bob");
    world.person("bob").accepts("alice");
    world.person("alice").founds(HIKE, &["bob", "carol"]);
    for who in ["bob", "carol"] {
        world.person(who).accepts(HIKE);
    }
    world.run_for(secs(20));
    world.person("alice").links("phone");
    world.run_for(secs(60));
    world.person("phone").says("from the phone").in_group(HIKE);
    world.run_for(secs(20));
    world
}

fn reads(world: &World, who: &str, text: &str) -> bool {
    let is = |body: &MessageBody| matches!(body, MessageBody::Text { text: t } if t == text);
    world.group_history(who, HIKE).iter().any(|m| is(&m.body))
}

fn refused(world: &World, who: &str) -> Vec<String> {
    let is = |body: &MessageBody| matches!(body, MessageBody::Notice { notice: Notice::CommitRefused });
    world.group_history(who, HIKE).into_iter().filter(|m| is(&m.body)).map(|m| m.author_name).collect()
}

/// Both devices that sit in the group are off, and the one that revokes the stolen one has never been in it.
#[test]
fn members_take_out_a_device_whose_owner_is_away() {
    on_big_stack(|| {
        let mut world = two_devices(1);
        world.person("phone").crashes();
        world.steal("phone", "thief");
        world.person("alice").crashes();
        world.person("carol").says("the thief reads this").in_group(HIKE);
        world.run_for(secs(20));
        assert!(reads(&world, "thief", "the thief reads this"), "control");
        world.person("alice").links_by_phrase("tablet");
        world.run_for(secs(5));
        world.person("tablet").unlinks("phone");
        world.run_for(secs(30));
        // Bob learns of it; Carol can't but by what he shows.
        world.person("tablet").adds("bob");
        world.person("tablet").says("my phone was stolen").to("bob");
        world.run_for(mins(2));
        world.person("tablet").crashes();
        // Hours pass; nobody asks for pages twice a second meanwhile.
        world.watch(BTreeMap::new());
        world.run_for(mins(7 * 60));
        for who in ["bob", "carol"] {
            assert!(refused(&world, who).is_empty(), "{who}");
            assert_eq!(world.group(who, HIKE).expect("a group").members.len(), 3, "the account stays");
        }
        world.person("carol").says("and this it doesn't").in_group(HIKE);
        world.run_for(secs(20));
        assert!(reads(&world, "bob", "and this it doesn't"));
        assert!(!reads(&world, "thief", "and this it doesn't"));
        world.person("thief").says("it is me").in_group(HIKE);
        world.run_for(secs(20));
        assert!(!reads(&world, "bob", "it is me") && !reads(&world, "carol", "it is me"));
        let gone = world.device("phone");
        let mut carol = world.turns("carol");
        let group = carol.mls_group(world.group_id(HIKE));
        let seats = carol.room(&world, &group).seats;
        assert!(seats.iter().all(|s| DeviceId::of(&s.member.device_key) != gone), "no leaf of it is left");
        // The owner's first device has stayed in, and finds everything when it is back.
        world.person("alice").restarts();
        world.run_for(mins(20));
        assert!(reads(&world, "alice", "and this it doesn't"));
    });
}

/// Leaves of these machines of Alice's, in this order.
fn leaves(world: &World, bob: &mut Rogue, group: &GroupId, machines: &[&str]) -> Vec<u32> {
    let seats = bob.room(world, group).seats;
    let leaf = |machine: &&str| {
        let device = world.device(machine);
        seats.iter().find(|s| DeviceId::of(&s.member.device_key) == device).expect("a seat").member.leaf
    };
    machines.iter().map(leaf).collect()
}

/// A member who takes devices of others out with everything that isn't evidence, and then with what is.
#[test]
fn nobody_takes_out_a_device_without_the_log_that_revokes_it() {
    on_big_stack(|| {
        let mut world = two_devices(2);
        let (phone, desk) = (world.device("phone"), world.device("alice"));
        let alice = world.turns("alice");
        world.person("phone").crashes();
        let mut bob = world.turns("bob");
        let group = bob.mls_group(world.group_id(HIKE));
        let real = world.relay.log("alice").expect("a log").clone();
        let now = real.entries().last().expect("an entry").time;
        let revoking = |mut log: AccountLog, devices: &[DeviceId]| {
            for device in devices {
                alice.identity.state(&mut log, Statement::RevokeDevice { device: *device }, now).expect("room");
            }
            Evidence { logs: vec![log] }.encode()
        };
        // Signed by the same key, but as if the phone had never been added: of no chain with what the leaves carry.
        let fork = alice.identity.found_log("alice", world.relay.id(), now).expect("a log");
        let [of_phone, of_desk] = leaves(&world, &mut bob, &group, &["phone", "alice"])[..] else { panic!("two") };
        let tries = [
            ("no evidence", vec![of_phone], Vec::new()),
            ("the log as it is, which revokes nobody", vec![of_phone], Evidence { logs: vec![real.clone()] }.encode()),
            ("a fork of the log", vec![of_phone], revoking(fork, &[phone])),
            ("a log that revokes another device", vec![of_desk], revoking(real.clone(), &[phone])),
            ("all devices of an account", vec![of_phone, of_desk], revoking(real.clone(), &[phone, desk])),
            ("rubbish", vec![of_phone], b"\x01\0\x01\0\0\0\x05hello".to_vec()),
        ];
        let before = world.group("carol", HIKE).expect("a group");
        for (what, leaves, evidence) in &tries {
            let commit = bob.commits_removal(&group, leaves, evidence);
            let entry = bob.claims(&mut world, &group, &commit).expect("a place");
            bob.shows(&mut world, &group, &entry);
            world.run_for(mins(5));
            assert_eq!(world.group("carol", HIKE).expect("a group"), before, "{what}");
            assert_eq!(refused(&world, "carol").last(), Some(&"bob".to_owned()), "{what}");
        }
        assert_eq!(refused(&world, "carol").len(), tries.len());
        // Control: with the log that does revoke it, it goes, although Bob is a plain member.
        let commit = bob.commits_removal(&group, &[of_phone], &revoking(real, &[phone]));
        let entry = bob.claims(&mut world, &group, &commit).expect("a place");
        bob.shows(&mut world, &group, &entry);
        world.run_for(mins(20));
        let after = world.group("carol", HIKE).expect("a group");
        assert_eq!((after.epoch, after.members.len()), (before.epoch + 1, 3));
        assert_eq!(refused(&world, "carol").len(), tries.len());
    });
}
