//! What another device or the relay hands to MLS: KeyPackages, Welcomes and messages, invented or damaged. No panic;
//! and what isn't the honest bytes never opens as if it were.
#![no_main]

use std::sync::LazyLock;

use livechat_crypto::identity::Identity;
use livechat_crypto::kv::MemoryKv;
use livechat_crypto::mls::{Begun, GroupId, PeerDevice, Session, StageError};
use livechat_wire::RelayId;
use livechat_wire::account::AccountLog;
use livechat_wire::group::{Charter, MemberRecord};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const NOW: u64 = 1_790_000_000;

struct World {
    alice: Identity,
    bob: Identity,
    log: AccountLog,
    /// Bob before he joins, and when he is in.
    before: MemoryKv,
    member: MemoryKv,
    group: GroupId,
    key_package: Vec<u8>,
    welcome: Vec<u8>,
    message: Vec<u8>,
}

fn session<'a>(identity: &'a Identity, kv: &'a mut MemoryKv, rng: &'a mut ChaCha20Rng) -> Session<'a> {
    Session { identity, kv, rng, now: NOW }
}

fn record(log: &AccountLog) -> MemberRecord {
    MemberRecord { log: log.encode(), bucket_seed: [1; 16] }
}

fn begin(
    alice: &Identity,
    kv: &mut MemoryKv,
    rng: &mut ChaCha20Rng,
    peer: PeerDevice<'_>,
) -> Result<Begun, StageError> {
    let log = alice.found_log("alice", RelayId([7; 32]), NOW).unwrap();
    let charter = Charter::direct(alice.account(), [7; 32]);
    session(alice, kv, rng).begin_room(&charter, &record(&log), &[peer])
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (alice, bob) = (Identity::generate(&mut rng), Identity::generate(&mut rng));
    let log = bob.found_log("bob", RelayId([7; 32]), NOW).unwrap();
    let (mut hers, mut his) = (MemoryKv::default(), MemoryKv::default());
    let record = record(&log);
    let key_package = session(&bob, &mut his, &mut rng).key_package(&record, true).unwrap();
    let before = his.clone();
    let peer = PeerDevice { log: &log, device_key: bob.device_key(), key_package: &key_package };
    let begun = begin(&alice, &mut hers, &mut rng, peer).unwrap();
    let (group, welcome) = (begun.group, begun.welcomes.into_iter().next().unwrap());
    session(&bob, &mut his, &mut rng).join(&welcome).unwrap();
    let message = session(&alice, &mut hers, &mut rng).encrypt(&group, b"hello", b"").unwrap().message;
    World { alice, bob, log, before, member: his, group, key_package, welcome, message }
});

/// The input itself, or the honest bytes with some changed: pairs of place and difference.
fn material(honest: &[u8], input: &[u8]) -> Vec<u8> {
    let Some((how, rest)) = input.split_first() else { return Vec::new() };
    if how & 1 == 0 {
        return rest.to_vec();
    }
    let mut bytes = honest.to_vec();
    for patch in rest.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([patch[0], patch[1]])) % bytes.len();
        bytes[place] ^= patch[2];
    }
    if how & 2 != 0 {
        bytes.truncate(usize::from(*how) * bytes.len() / 256);
    }
    bytes
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((what, rest)) = input.split_first() else { return };
    let world = &*WORLD;
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    match what % 4 {
        0 => {
            let key_package = material(&world.key_package, rest);
            let peer = PeerDevice { log: &world.log, device_key: world.bob.device_key(), key_package: &key_package };
            let made = begin(&world.alice, &mut MemoryKv::default(), &mut rng, peer);
            assert!(made.is_err() || key_package == world.key_package, "a damaged KeyPackage was taken");
        }
        1 => {
            let welcome = material(&world.welcome, rest);
            let joined = session(&world.bob, &mut world.before.clone(), &mut rng).join(&welcome);
            assert!(joined.is_err() || welcome == world.welcome, "a damaged Welcome was taken");
        }
        2 => {
            let message = material(&world.message, rest);
            let opened = session(&world.bob, &mut world.member.clone(), &mut rng).decrypt(&world.group, &message);
            assert!(opened.is_err() || message == world.message, "a damaged message was opened");
        }
        _ => {
            let honest = world.bob.encode();
            let bytes = material(&honest, rest);
            if let Ok(identity) = Identity::decode(&bytes) {
                assert_eq!(identity.encode().as_slice(), bytes);
            }
        }
    }
});
