//! People with devices, for the tests of this crate.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its own part, and helpers of tests may unwrap")]

use livechat_crypto::identity::Identity;
use livechat_crypto::kv::MemoryKv;
use livechat_crypto::limits::MLS_STACK;
use livechat_crypto::mls::{Begun, GroupId, Joined, PeerDevice, Session, StageError, Suite};
use livechat_wire::RelayId;
use livechat_wire::account::AccountLog;
use livechat_wire::group::{Charter, MemberRecord};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// When the tests play: far from the machine's clock, to show that results depend on `now` alone.
pub const NOW: u64 = 1_234_567_890;

/// Somebody with one device.
pub struct Person {
    pub identity: Identity,
    pub kv: MemoryKv,
    pub rng: ChaCha20Rng,
    pub now: u64,
    pub log: AccountLog,
}

impl Person {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let identity = Identity::generate(&mut rng);
        let log = identity.found_log("somebody", RelayId([7; 32]), NOW).unwrap();
        Self { identity, kv: MemoryKv::default(), rng, now: NOW, log }
    }

    pub fn session(&mut self) -> Session<'_> {
        Session { identity: &self.identity, kv: &mut self.kv, rng: &mut self.rng, now: self.now }
    }

    pub fn peer<'a>(&'a self, key_package: &'a [u8]) -> PeerDevice<'a> {
        PeerDevice { log: &self.log, device_key: self.identity.device_key(), key_package }
    }

    pub fn record(&self) -> MemberRecord {
        MemberRecord { log: self.log.encode(), bucket_seed: [1; 16] }
    }

    pub fn key_package(&mut self, last_resort: bool) -> Vec<u8> {
        let record = self.record();
        self.session().key_package(&record, last_resort).unwrap()
    }

    /// Begins a direct chat.
    pub fn begin(&mut self, peers: &[PeerDevice<'_>]) -> Result<Begun, StageError> {
        self.begin_in(Suite::default(), peers)
    }

    pub fn begin_in(&mut self, suite: Suite, peers: &[PeerDevice<'_>]) -> Result<Begun, StageError> {
        let (charter, record) = (Charter::direct(self.identity.account(), [9; 32]), self.record());
        self.session().begin_room_in(suite, &charter, &record, peers)
    }
}

/// Alice begins a chat with Bob.
pub fn pair(suite: Suite) -> (Person, Person, GroupId) {
    let (mut alice, mut bob) = (Person::new(1), Person::new(2));
    let group = introduce(suite, &mut alice, &mut bob).0.group;
    (alice, bob, group)
}

/// One begins a chat with the other.
pub fn introduce(suite: Suite, from: &mut Person, to: &mut Person) -> (Begun, Joined) {
    let record = to.record();
    let key_package = to.session().key_package_in(suite, &record, false).unwrap();
    let begun = from.begin_in(suite, &[to.peer(&key_package)]).unwrap();
    let joined = to.session().join(&begun.welcomes[0]).unwrap();
    (begun, joined)
}

/// Runs a test on a thread with the stack that unoptimised OpenMLS needs.
pub fn with_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(MLS_STACK).spawn(test).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
