//! The one loop: what happens when, to whom.

use std::collections::BTreeMap;

use livechat_crypto::kv::Overlay;
use livechat_engine::{Append, Effects, Engine, Fetch, Input, Lookup, Now, Upload};
use livechat_wire::account::AccountLog;
use livechat_wire::http::PublishKeyPackages;
use livechat_wire::sync::Cursor;
use livechat_wire::{ConversationId, Envelope, EnvelopeId, SlotId, limits};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use super::base::{self, NOON};
use super::crowd::Crowd;
use super::devices::Waiting;
use super::faults::{Faults, happens};
use super::person::{Island, Person};
use super::relay::Relay;

/// How often a node asks the relay for what is new; stands for the long poll.
pub(super) const POLL: u64 = 500;
/// How long a person waits before they try again what the network prevented, and HTTP for an answer.
pub(super) const RETRY: u64 = 1_000;
/// How long a node waits for the relay's answer to a fetch before it asks again.
pub(super) const FETCH_TIMEOUT: u64 = 5_000;

/// People, a relay, and time.
pub struct World {
    pub(super) seed: u64,
    pub(super) now: u64,
    pub(super) queue: BTreeMap<(u64, u64), Event>,
    pub(super) events: u64,
    pub(super) dice: ChaCha20Rng,
    pub(crate) people: BTreeMap<String, Person>,
    /// Groups, by the name under which they were founded.
    pub(crate) groups: BTreeMap<String, ConversationId>,
    /// The latest link into each group.
    pub(crate) links: BTreeMap<String, String>,
    /// Lobbies, and who founded them.
    pub(crate) founded: Vec<(String, String)>,
    /// Machines that wait to be let into somebody's account.
    pub(super) waiting: BTreeMap<String, Waiting>,
    /// The relay, for a look inside.
    pub relay: Relay,
    pub(super) relay_island: Island,
    pub(super) faults: Faults,
    pub(super) trace: Sha256,
    pub(super) crowd: Option<Crowd>,
    /// Switched off in every engine, from now on and after restarts.
    #[cfg(feature = "sabotage")]
    pub(super) sabotage: livechat_engine::Sabotage,
}

pub(super) enum Event {
    /// Something reaches a person in this life of theirs.
    Arrives {
        who: String,
        life: u64,
        what: Box<Input>,
    },
    /// A gossiped envelope reaches the relay.
    GossipAtRelay {
        from: String,
        envelope: Envelope,
    },
    /// A request of a person reaches the relay.
    Asks {
        who: String,
        life: u64,
        what: Question,
    },
    Timer {
        who: String,
        timer: u64,
    },
    Poll {
        who: String,
        life: u64,
    },
    /// A fetch was not answered in time.
    FetchLost {
        who: String,
        life: u64,
    },
    /// What a node does some time after its KeyPackages got lost on their way.
    Restock {
        who: String,
        life: u64,
    },
    Restart {
        who: String,
    },
    /// Somebody may have something left to do.
    GoOn {
        who: String,
    },
}

pub(super) enum Question {
    Deposit(Vec<Envelope>),
    Present(Vec<EnvelopeId>),
    Claim(Lookup),
    Publish(PublishKeyPackages),
    Fetch { bucket: u16, cursor: Cursor },
    Append(Append),
    Slot { slot: SlotId, from: u32 },
    PutLog(Box<AccountLog>),
    Log,
    Upload(Upload),
    Download(Fetch),
}

impl World {
    /// A world with these people, signed up and connected; nobody knows anybody.
    #[must_use]
    pub fn of(names: &[&str], seed: u64) -> Self {
        let base = base::of(names);
        let mut world = Self {
            seed,
            now: NOON,
            queue: BTreeMap::new(),
            events: 0,
            dice: ChaCha20Rng::seed_from_u64(seed),
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            links: BTreeMap::new(),
            founded: Vec::new(),
            waiting: BTreeMap::new(),
            relay: base.relay,
            relay_island: 0,
            faults: Faults::NONE,
            trace: Sha256::new(),
            crowd: None,
            #[cfg(feature = "sabotage")]
            sabotage: livechat_engine::Sabotage::default(),
        };
        for (name, store) in base.stores {
            let engine = Engine::open(&store).expect("the base opens");
            let dice = ChaCha20Rng::seed_from_u64(world.dice.next_u64());
            world.people.insert(name.clone(), Person::new(engine, store, dice));
            world.wake(&name);
        }
        world
    }

    /// The seed, for messages about failures.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Milliseconds since the world began.
    #[must_use]
    pub fn elapsed(&self) -> u64 {
        self.now - NOON
    }

    /// Changes what may go wrong from now on.
    pub fn faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Ends all faults and partitions; machines that are down come back at once, clocks go right.
    pub fn heal(&mut self) {
        self.faults = Faults::NONE;
        let names: Vec<String> = self.people.keys().cloned().collect();
        self.queue.retain(|_, e| !matches!(e, Event::Restart { .. }));
        for name in &names {
            self.people.get_mut(name).expect("a person").skew = 0;
            if self.people[name].engine.is_none() {
                self.restart(name);
            }
        }
        self.islands(&[]);
    }

    /// Splits the world: those named here reach only each other, and not the relay; the rest stay with the relay.
    pub fn islands(&mut self, islands: &[&[&str]]) {
        let names: Vec<String> = self.people.keys().cloned().collect();
        for name in names {
            let island = (1..).zip(islands).find(|(_, members)| members.contains(&name.as_str())).map_or(0, |(n, _)| n);
            let person = self.people.get_mut(&name).expect("a person");
            if person.island != island {
                person.island = island;
                let online = island == self.relay_island;
                self.input(&name, Input::Relay { online });
                if online {
                    self.poll(&name);
                }
            }
        }
    }

    /// The relay goes away, or comes back.
    pub fn relay_online(&mut self, online: bool) {
        self.relay_island = if online { 0 } else { Island::MAX };
        let names: Vec<String> = self.people.keys().cloned().collect();
        for name in names {
            let reachable = self.people[&name].island == self.relay_island;
            self.input(&name, Input::Relay { online: reachable });
            if reachable {
                self.poll(&name);
            }
        }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(entry) = self.queue.first_entry().filter(|e| e.key().0 <= end) {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happen(event);
        }
        self.now = end;
    }

    /// Lets time pass until this holds, looking every 100 ms; says how long it took, or `None` when it never did.
    pub fn run_until(&mut self, at_most: u64, mut holds: impl FnMut(&Self) -> bool) -> Option<u64> {
        let begin = self.now;
        while !holds(self) {
            if self.now - begin >= at_most {
                return None;
            }
            self.run_for(100);
        }
        Some(self.now - begin)
    }

    /// Hash of everything that any engine wanted done so far, and when.
    #[must_use]
    pub fn trace(&self) -> [u8; 32] {
        self.trace.clone().finalize().into()
    }

    /// Switches defences off in everybody's engine.
    #[cfg(feature = "sabotage")]
    pub fn sabotage(&mut self, sabotage: livechat_engine::Sabotage) {
        self.sabotage = sabotage;
        for person in self.people.values_mut() {
            if let Some(engine) = &mut person.engine {
                engine.sabotage(sabotage);
            }
        }
    }

    // ---- people's machines

    /// The machine dies; what was committed stays.
    pub(crate) fn crash(&mut self, who: &str) {
        let person = self.people.get_mut(who).expect("a person");
        person.engine = None;
        person.life += 1;
        person.under_way = None;
        person.fetching = false;
    }

    /// It comes back.
    pub(crate) fn restart(&mut self, who: &str) {
        let person = self.people.get_mut(who).expect("a person");
        let engine = Engine::open(&person.store).expect("what was committed opens");
        person.engine = Some(engine);
        #[cfg(feature = "sabotage")]
        if let Some(engine) = &mut person.engine {
            engine.sabotage(self.sabotage);
        }
        self.wake(who);
    }

    /// What a node does when it starts: connect, stock up, ask for what is new.
    pub(super) fn wake(&mut self, who: &str) {
        let online = self.people[who].island == self.relay_island;
        self.input(who, Input::Relay { online });
        let person = &self.people[who];
        let stock = self.relay.stock(&person.username, person.device);
        self.input(who, Input::Stock(stock));
        self.ask(who, Question::Log);
        self.poll(who);
        self.go_on(who);
    }

    /// One input: engine, commit, effects; with the machine dying in between, if the faults say so.
    pub(crate) fn input(&mut self, who: &str, input: Input) {
        let person = self.people.get_mut(who).expect("a person");
        let Some(mut engine) = person.engine.take() else { return };
        if happens(&mut self.dice, self.faults.clock_jump) {
            let span = self.faults.skew_max.cast_signed();
            person.skew = (self.dice.next_u64() % (2 * self.faults.skew_max + 1)).cast_signed() - span;
        }
        let now = Now(person.clock(self.now));
        let mut transaction = Overlay::new(&mut person.store);
        let effects = engine.handle(now, &mut person.dice, input, &mut transaction);
        let effects = effects.unwrap_or_else(|e| panic!("seed {}: {who}'s engine failed: {e:?}", self.seed));
        let dies = happens(&mut self.dice, self.faults.crash);
        let before_commit = happens(&mut self.dice, 500);
        let down = 1 + self.dice.next_u64() % self.faults.down_max.max(1);
        if dies && before_commit {
            drop(transaction);
        } else {
            transaction.keep().expect("memory takes everything");
        }
        if dies {
            self.crash(who);
            self.at(self.now + down, Event::Restart { who: who.to_owned() });
            return;
        }
        person.engine = Some(engine);
        self.perform(who, effects);
    }

    pub(super) fn perform(&mut self, who: &str, effects: Effects) {
        self.note(who, &effects);
        for envelope in effects.gossip {
            self.gossip(who, &envelope);
        }
        if !effects.deposit.is_empty() {
            assert!(effects.deposit.len() <= limits::DEPOSIT, "a deposit that the wire allows");
            self.ask(who, Question::Deposit(effects.deposit));
        }
        if !effects.present.is_empty() {
            assert!(effects.present.len() <= limits::PRESENT, "a presence query that the wire allows");
            self.ask(who, Question::Present(effects.present));
        }
        for append in effects.append {
            self.ask(who, Question::Append(append));
        }
        for (slot, from) in effects.slots {
            self.ask(who, Question::Slot { slot, from });
        }
        for upload in effects.uploads {
            self.ask(who, Question::Upload(upload));
        }
        for fetch in effects.fetches {
            self.ask(who, Question::Download(fetch));
        }
        for lookup in effects.lookups {
            self.ask(who, Question::Claim(lookup));
        }
        if let Some(keys) = effects.publish_keys {
            self.ask(who, Question::Publish(keys));
        }
        if let Some(log) = effects.publish_log {
            self.ask(who, Question::PutLog(Box::new(log)));
        }
        let person = self.people.get_mut(who).expect("a person");
        if let Some(at) = effects.wake_at {
            person.timer += 1;
            let pause = at.saturating_sub(person.clock(self.now));
            let timer = person.timer;
            self.at(self.now + pause.max(1), Event::Timer { who: who.to_owned(), timer });
        }
        for (id, reply) in effects.replies {
            self.replied(who, id, reply);
        }
        self.go_on(who);
    }

    /// Everything observable goes into the trace.
    fn note(&mut self, who: &str, effects: &Effects) {
        self.trace.update(self.now.to_be_bytes());
        self.trace.update(who);
        for envelope in effects.gossip.iter().chain(&effects.deposit) {
            self.trace.update(envelope.as_bytes());
        }
        for id in &effects.present {
            self.trace.update(id.0);
        }
        for append in &effects.append {
            self.trace.update(append.slot.0);
            self.trace.update(append.commit.as_bytes());
        }
        for upload in &effects.uploads {
            self.trace.update(&upload.bytes);
        }
        self.trace.update(format!("{:?}{:?}{:?}", effects.replies, effects.events, effects.lookups));
        if let Some(log) = &effects.publish_log {
            self.trace.update(log.head());
        }
    }
}
