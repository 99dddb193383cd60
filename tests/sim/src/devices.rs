//! A person with several machines. Each is one in the world's list, under a name of its own.

use livechat_crypto::identity::Identity;
use livechat_crypto::kv::MemoryKv;
use livechat_engine::backup::{Backup, Restored, restore};
use livechat_engine::{Engine, Input, Left, Now, view};
use livechat_wire::account::{AccountLog, Statement};
use livechat_wire::content::FileKey;
use livechat_wire::{BlobId, DeviceId};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::World;
use super::person::{Intention, Person};
use super::story::Actor;

/// A machine that wants to speak for somebody's account.
pub(crate) struct Waiting {
    identity: Box<Identity>,
    username: String,
}

impl World {
    /// The log names a machine that waited for it: it goes to work.
    pub(super) fn let_in(&mut self, log: &AccountLog) {
        let named = |w: &Waiting| log.has_device(&w.identity.device_key());
        let names: Vec<String> = self.waiting.iter().filter(|(_, w)| named(w)).map(|(n, _)| n.clone()).collect();
        for name in names {
            let Some(Waiting { identity, username }) = self.waiting.remove(&name) else { continue };
            let mut dice = ChaCha20Rng::seed_from_u64(self.dice.next_u64());
            let mut store = MemoryKv::default();
            let mut engine = Engine::open(&store).expect("an empty store opens");
            #[cfg(feature = "sabotage")]
            engine.sabotage(self.sabotage);
            let (relay, log) = (self.relay.id(), log.clone());
            let input = Input::Activate { identity, username, relay, log, bucket_bits: 0 };
            let effects = engine.handle(Now(self.now), &mut dice, input, &mut store).expect("activation");
            self.people.insert(name.clone(), Person::new(engine, store, dice));
            self.perform(&name, effects);
            self.wake(&name);
        }
    }

    /// Another machine with what this one had committed: what a thief has, under a name of its own. The relay knows
    /// nothing of it, nor does it ask the relay for its account's log.
    pub fn steal(&mut self, from: &str, thief: &str) {
        let store = self.people[from].store.clone();
        let engine = Engine::open(&store).expect("what was committed opens");
        let dice = ChaCha20Rng::seed_from_u64(self.dice.next_u64());
        let person = Person { thief: true, ..Person::new(engine, store, dice) };
        self.people.insert(thief.to_owned(), person);
        self.input(thief, Input::Relay { online: true });
        self.poll(thief);
    }

    /// Makes a backup of what one machine has and lets the other one take it, as their shells do; between that the
    /// second is told of it by the first.
    ///
    /// # Panics
    /// When a machine is down, or the second was told nothing within a minute.
    pub fn hands_over(&mut self, from: &str, to: &str) -> Restored {
        let (mut backup, mut records) = (Backup::default(), Vec::new());
        while let Some(part) = backup.next(self.engine(from), self.kv(from), self.now).expect("a backup") {
            records.extend(part);
        }
        let mut key = [0; 32];
        self.dice.fill_bytes(&mut key);
        let left = Left { blob: BlobId([1; 32]), key: FileKey(key), size: 1, hash: [2; 32] };
        let device = self.people[to].device;
        self.intend(from, Intention::HandOver { device, left: left.clone() });
        let told = |w: &Self| w.engine(to).handed_over(w.kv(to)).expect("a look") == Some(left.clone());
        assert!(self.run_until(60_000, told).is_some(), "{to} was told where to look");
        self.crash(to);
        let person = self.people.get_mut(to).expect("a person");
        let records = records.into_iter().map(Ok::<_, std::convert::Infallible>);
        let restored = restore(&mut person.store, records).expect("a whole backup");
        self.restart(to);
        self.intend(to, Intention::TakenOver);
        restored
    }

    /// Tells somebody's engine something that nobody else does.
    pub fn hears(&mut self, who: &str, what: Input) {
        self.input(who, what);
    }

    /// The ledger of devices, as one of them sees it.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn devices(&self, who: &str) -> Vec<view::Device> {
        self.engine(who).devices()
    }

    /// Where a machine was told that contacts and history lie for it.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn handed_over(&self, who: &str) -> Option<Left> {
        self.engine(who).handed_over(self.kv(who)).expect("a look")
    }

    /// Whether a machine knows that it was removed from its account.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn is_removed(&self, who: &str) -> bool {
        self.engine(who).is_removed()
    }

    /// The id of a machine.
    #[must_use]
    pub fn device(&self, who: &str) -> DeviceId {
        self.people[who].device
    }
}

impl Actor<'_> {
    /// Has a further machine, compares its code and lets it in.
    pub fn links(self, machine: &str) {
        let (world, name) = self.parts();
        let person = &world.people[&name];
        let (account, username) = (person.account, person.username.clone());
        let mut dice = ChaCha20Rng::seed_from_u64(world.dice.next_u64());
        let identity = Box::new(Identity::linked(account, &mut dice));
        let bundle = Box::new(identity.bundle(world.now / 1_000));
        world.waiting.insert(machine.to_owned(), Waiting { identity, username });
        world.intend(&name, Intention::AddDevice { bundle });
    }

    /// Takes another name at the relay, and is told so; further machines of theirs find out.
    ///
    /// # Panics
    /// When the machine is down.
    pub fn renames(self, to: &str) {
        let (world, name) = self.parts();
        let (account, username) = (world.people[&name].account, world.people[&name].username.clone());
        let log = world.engine(&name).log_with_name(to, world.now / 1_000).expect("an account");
        world.relay.rename(&username, to, log.clone());
        for person in world.people.values_mut().filter(|p| p.account == account) {
            to.clone_into(&mut person.username);
        }
        world.hears(&name, Input::OwnLog(log));
    }

    /// Says in their log that they are called otherwise, to everybody but the relay.
    ///
    /// # Panics
    /// When the machine is down.
    pub fn claims_name(self, to: &str) {
        let (world, name) = self.parts();
        let log = world.engine(&name).log_with_name(to, world.now / 1_000).expect("an account");
        world.people.get_mut(&name).expect("a person").thief = true;
        world.hears(&name, Input::OwnLog(log));
    }

    /// Has a further machine that adds itself, signed by the identity key, which the recovery phrase gives back: no other
    /// machine of theirs has to be up.
    ///
    /// # Panics
    /// When the name is of a machine that never had the identity key.
    pub fn links_by_phrase(self, machine: &str) {
        let (world, name) = self.parts();
        let person = &world.people[&name];
        let (account, username) = (person.account, person.username.clone());
        let first = Engine::open(&person.store).expect("what was committed opens");
        let key = first.identity().filter(|i| i.has_identity_key()).expect("the identity key");
        let mut dice = ChaCha20Rng::seed_from_u64(world.dice.next_u64());
        let identity = Box::new(Identity::linked(account, &mut dice));
        let mut log = world.relay.log(&username).expect("a log").clone();
        let statement = Statement::AddDevice { device_key: identity.device_key() };
        key.state(&mut log, statement, world.now / 1_000).expect("room in the log");
        world.waiting.insert(machine.to_owned(), Waiting { identity, username: username.clone() });
        let kept = world.relay.put_log(&username, log).expect("somebody with an account");
        world.let_in(&kept);
    }

    /// Removes a machine of theirs from the account.
    pub fn unlinks(self, machine: &str) {
        let (world, name) = self.parts();
        let device = world.people[machine].device;
        world.intend(&name, Intention::RevokeDevice { device });
    }
}
