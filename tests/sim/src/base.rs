//! People who signed up, made once: fifty KeyPackages each are dear without optimisation.

use std::collections::BTreeMap;
use std::sync::Mutex;

use livechat_crypto::identity::Identity;
use livechat_crypto::kv::MemoryKv;
use livechat_engine::{Engine, Input, Now};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::relay::Relay;

/// When every world begins: 22 November 2026, 12:00 UTC, in Unix milliseconds.
pub const NOON: u64 = 1_795_348_800_000;

/// A relay with signed-up people, and their stores.
#[derive(Clone)]
pub(crate) struct Base {
    pub relay: Relay,
    pub stores: BTreeMap<String, MemoryKv>,
}

static MADE: Mutex<BTreeMap<Vec<String>, Base>> = Mutex::new(BTreeMap::new());

/// The same every time for the same names.
pub(crate) fn of(names: &[&str]) -> Base {
    let key: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let mut made = MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    made.entry(key).or_insert_with(|| make(names)).clone()
}

fn make(names: &[&str]) -> Base {
    let mut relay = Relay::new([42; 32]);
    let mut stores = BTreeMap::new();
    for (number, name) in (0u64..).zip(names) {
        let mut dice = ChaCha20Rng::seed_from_u64(number);
        let mut store = MemoryKv::default();
        let mut engine = Engine::open(&store).expect("an empty store opens");
        let identity = Box::new(Identity::generate(&mut dice));
        let log = identity.found_log(name, relay.id(), NOON / 1_000).expect("a log");
        let device = identity.device();
        relay.list(name, log.clone());
        let input = Input::Activate { identity, username: (*name).to_owned(), relay: relay.id(), log, bucket_bits: 0 };
        let effects = engine.handle(Now(NOON), &mut dice, input, &mut store).expect("activation");
        relay.publish(name, device, effects.publish_keys.expect("a full stock"));
        stores.insert((*name).to_owned(), store);
    }
    Base { relay, stores }
}
