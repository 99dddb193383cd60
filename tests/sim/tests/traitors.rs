//! A member whose program doesn't check: whatever they try is refused by everybody, said with their name where that is
//! known, and nothing else comes of it (PROTOCOL ).

use livechat_crypto::identity::Identity;
use livechat_crypto::kv::MemoryKv;
use livechat_crypto::mls::{GroupId, Session};
use livechat_engine::view::{Group, MessageBody, Notice};
use livechat_sim::rogue::Rogue;
use livechat_sim::{World, mins, on_big_stack, secs};
use livechat_wire::group::{MemberRecord, Role};
use livechat_wire::limits as wire;
use livechat_wire::sync::Refusal;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const HUT: &str = "hut";
const HONEST: [&str; 2] = ["alice", "carol"];

/// Alice's group with Bob, a plain member, and Carol; Alice and Carol also talk elsewhere.
fn three(seed: u64) -> World {
    let mut world = World::of(&["alice", "bob", "carol"], seed);
    world.person("alice").adds("carol");
    world.person("alice").founds(HUT, &["bob", "carol"]);
    world.person("alice").founds("elsewhere", &["carol"]);
    world.person("carol").accepts("alice");
    for group in [HUT, "elsewhere"] {
        world.person("carol").accepts(group);
    }
    world.person("bob").accepts(HUT);
    world.run_for(secs(20));
    world.person("bob").says("from when he was honest").in_group(HUT);
    world.run_for(secs(10));
    world
}

/// Who was refused, and how often, as somebody's history of the group says.
fn refused(world: &World, who: &str) -> Vec<String> {
    let is = |body: &MessageBody| matches!(body, MessageBody::Notice { notice: Notice::CommitRefused });
    world.group_history(who, HUT).into_iter().filter(|m| is(&m.body)).map(|m| m.author_name).collect()
}

fn texts(world: &World, who: &str, group: &str) -> Vec<String> {
    let text = |body: MessageBody| if let MessageBody::Text { text } = body { Some(text) } else { None };
    world.group_history(who, group).into_iter().filter_map(|m| text(m.body)).collect()
}

fn hut(world: &World, who: &str) -> Group {
    world.group(who, HUT).expect("a group")
}

/// Those who are honest talk and change the group, and see the same; so it is everywhere else.
fn goes_on(world: &mut World, what: &str) {
    world.person("carol").says("what was that?").in_group(HUT);
    world.person("alice").calls(HUT, "hut without him");
    world.run_for(secs(30));
    world.person("alice").removes("bob", HUT);
    world.run_for(secs(30));
    world.person("alice").says("among us").in_group(HUT);
    world.person("carol").says("in private").to("alice");
    world.person("carol").says("there").in_group("elsewhere");
    world.run_for(secs(10));
    let all = HONEST.map(|who| hut(world, who));
    assert_eq!((&all[0].title, all[0].members.len()), (&"hut without him".to_owned(), 2), "{what}");
    assert_eq!((all[0].epoch, &all[0].authenticator), (all[1].epoch, &all[1].authenticator), "{what}");
    for who in HONEST {
        let expected = ["from when he was honest", "what was that?", "among us"];
        assert_eq!(texts(world, who, HUT), expected, "{what}: {who}");
        assert!(world.group_history(who, HUT).iter().all(|m| !m.gap), "{what}: {who}");
        assert_eq!(texts(world, who, "elsewhere"), ["there"], "{what}: {who}");
        assert!(world.person(who).was_refused().is_empty(), "{what}: {who}");
    }
    assert_eq!(world.texts("alice", "carol"), ["in private"], "{what}");
    for group in [HUT, "elsewhere"] {
        assert!(!world.group("alice", group).expect("a group").forked, "{what}: {group}");
    }
}

/// A device that no log of its account names, with a KeyPackage that says it were one of Alice's.
fn no_device_of(world: &World, who: &str) -> Vec<u8> {
    let mut dice = ChaCha20Rng::seed_from_u64(99);
    let identity = Identity::linked(world.account_of(who), &mut dice);
    let record = MemberRecord { log: world.relay.log(who).expect("a log").encode(), bucket_seed: [1; 16] };
    let now = livechat_sim::base::NOON / 1_000;
    let mut kv = MemoryKv::default();
    let mut session = Session { identity: &identity, kv: &mut kv, rng: &mut dice, now };
    session.key_package(&record, false).expect("a KeyPackage")
}

type Forgery = fn(&mut World, &mut Rogue, &GroupId) -> Vec<u8>;

/// What Bob tries: a name for it, who is named for it, and the commit.
const FORGERIES: [(&str, &str, Forgery); 14] = [
    ("no commit at all", "", |_, _, _| b"claimed, and nothing there".to_vec()),
    ("nothing", "", |_, _, _| Vec::new()),
    ("as much rubbish as fits", "", |_, _, _| vec![0xa5; 200_000]),
    ("a message in place of a commit", "", |world, bob, hut| {
        bob.session(world).encrypt(hut, b"hi", b"").expect("a message").message
    }),
    ("a commit of another group", "", |world, bob, _| {
        let record = bob.record(world);
        let charter = livechat_wire::group::Charter::new("his".into(), bob.identity.account(), world.relay.id().0);
        let other = bob.session(world).found_room(&charter, &record).expect("a room");
        bob.commit(&other, &[], |b| b.force_self_update(true))
    }),
    ("himself an owner", "bob", |world, bob, hut| {
        let mut charter = bob.room(world, hut).charter;
        charter.set_role(bob.identity.account(), Role::Owner);
        bob.commits_charter(hut, &charter)
    }),
    ("himself an admin", "bob", |world, bob, hut| {
        let mut charter = bob.room(world, hut).charter;
        charter.set_role(bob.identity.account(), Role::Admin);
        bob.commits_charter(hut, &charter)
    }),
    ("the owner no owner", "bob", |world, bob, hut| {
        let mut charter = bob.room(world, hut).charter;
        charter.set_role(world.account_of("alice"), Role::Member);
        bob.commits_charter(hut, &charter)
    }),
    ("a role for nobody in it", "bob", |world, bob, hut| {
        let mut charter = bob.room(world, hut).charter;
        charter.set_role(livechat_wire::AccountId([9; 32]), Role::Admin);
        bob.commits_charter(hut, &charter)
    }),
    ("another title", "bob", |world, bob, hut| {
        let charter = bob.room(world, hut).charter;
        bob.commits_charter(hut, &livechat_wire::group::Charter { title: "his".into(), ..charter })
    }),
    ("himself a sequencer", "bob", |world, bob, hut| {
        let mut charter = bob.room(world, hut).charter;
        charter.sequencers.insert(0, bob.identity.device_key());
        bob.commits_charter(hut, &charter)
    }),
    ("the owner out", "bob", |world, bob, hut| {
        let leaf = bob.leaf_of(world, hut, "alice");
        bob.commits_removal(hut, &[leaf], &[])
    }),
    ("another member out", "bob", |world, bob, hut| {
        let leaf = bob.leaf_of(world, hut, "carol");
        bob.commits_removal(hut, &[leaf], &[])
    }),
    ("a device that isn't in its account's log", "bob", |world, bob, hut| {
        let package = no_device_of(world, "alice");
        bob.commits_addition(hut, &package)
    }),
];

#[test]
fn whatever_a_member_tries_is_refused_and_the_others_go_on() {
    on_big_stack(|| {
        for (what, named, forgery) in FORGERIES {
            let mut world = three(1);
            let mut bob = world.turns("bob");
            let group = bob.mls_group(world.group_id(HUT));
            let before = HONEST.map(|who| hut(&world, who));
            let commit = forgery(&mut world, &mut bob, &group);
            let entry = bob.claims(&mut world, &group, &commit).expect("a place");
            assert_eq!(entry.receipt.index, 0, "{what}: he is the first");
            bob.shows(&mut world, &group, &entry);
            world.run_for(secs(10));
            for (who, before) in HONEST.into_iter().zip(before) {
                assert_eq!(refused(&world, who), [named], "{what}: {who}");
                assert_eq!(hut(&world, who), before, "{what}: {who}");
            }
            goes_on(&mut world, what);
            for who in HONEST {
                assert_eq!(refused(&world, who), [named], "{what}: said once: {who}");
            }
        }
    });
}

/// A commit of an epoch that is over, sealed anew for the present one.
#[test]
fn an_old_commit_in_a_new_slot_is_refused() {
    on_big_stack(|| {
        let mut world = three(2);
        let mut bob = world.turns("bob");
        let group = bob.mls_group(world.group_id(HUT));
        let old = bob.commit(&group, &[], |b| b.force_self_update(true));
        world.person("bob").restarts();
        world.person("alice").calls(HUT, "hut, later");
        world.run_for(secs(10));
        let before = HONEST.map(|who| hut(&world, who));
        let mut bob = world.turns("bob");
        let entry = bob.claims(&mut world, &group, &old).expect("a place");
        bob.shows(&mut world, &group, &entry);
        world.run_for(secs(10));
        for (who, before) in HONEST.into_iter().zip(before) {
            assert_eq!(refused(&world, who), [""], "{who}: nobody can say whose it is");
            assert_eq!(hut(&world, who), before, "{who}");
        }
        goes_on(&mut world, "an old commit");
    });
}

/// Claims without commits: places in the slot that nobody can use. The next honest commit comes after all of them.
#[test]
fn places_that_are_taken_for_nothing_are_skipped_by_all() {
    on_big_stack(|| {
        let mut world = three(3);
        let mut bob = world.turns("bob");
        let group = bob.mls_group(world.group_id(HUT));
        for n in 0..40_u32 {
            let entry = bob.claims(&mut world, &group, &n.to_be_bytes()).expect("a place");
            assert_eq!(entry.receipt.index, n);
        }
        world.person("alice").calls(HUT, "hut, behind all of them");
        // Who reads the slot because somebody showed something in it pauses longer after each page.
        world.run_for(mins(60));
        for who in HONEST {
            assert_eq!(hut(&world, who).title, "hut, behind all of them", "{who}");
        }
        goes_on(&mut world, "forty claims");
        for who in HONEST {
            let said = refused(&world, who);
            assert!(!said.is_empty() && said.iter().all(String::is_empty), "{who}: {said:?}");
        }
    });
}

/// All 256 places of a slot taken: that epoch is never ended by the relay's order. Talking goes on in it, whoever wants a
/// change is told why not, and nothing is harmed elsewhere.
#[test]
fn a_full_slot_keeps_the_group_as_it_is_and_says_so() {
    on_big_stack(|| {
        let mut world = three(4);
        let mut bob = world.turns("bob");
        let group = bob.mls_group(world.group_id(HUT));
        for n in 0..wire::SLOT_ENTRIES {
            bob.claims(&mut world, &group, &n.to_be_bytes()).expect("a place");
        }
        assert_eq!(bob.claims(&mut world, &group, b"one more").err(), Some(Refusal::Full));
        let before = hut(&world, "carol");
        world.person("alice").calls(HUT, "hut without him");
        world.person("alice").says("can you read this?").in_group(HUT);
        world.person("carol").says("yes").in_group(HUT);
        world.person("carol").says("in private").to("alice");
        world.run_for(secs(120));
        let told = |world: &World| {
            let not_done = |m: &MessageBody| matches!(m, MessageBody::Notice { notice: Notice::NotDone { .. } });
            world.group_history("alice", HUT).iter().filter(|m| not_done(&m.body)).count()
        };
        assert_eq!(told(&world), 1, "{}", world.group_timeline("alice", HUT));
        for who in HONEST {
            assert_eq!((hut(&world, who).epoch, hut(&world, who).title), (before.epoch, before.title.clone()));
            let said = texts(&world, who, HUT);
            assert!(said.contains(&"can you read this?".to_owned()) && said.contains(&"yes".to_owned()), "{said:?}");
        }
        assert_eq!(refused(&world, "alice").len(), 256, "each claim is told once");
        assert_eq!(world.texts("alice", "carol"), ["in private"]);
        assert!(!hut(&world, "alice").waiting && hut(&world, "alice").pending == 0);
    });
}
