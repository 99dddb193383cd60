//! Worlds of hundreds of people: what the relay sees is written down, and machines are handed only what they may open.
//!
//! A device downloads its whole bucket and throws most of it away. In a world of hundreds that is nearly all of the
//! work, and nothing of it can be seen from outside: what a device can't open makes it do nothing. So each envelope
//! goes to those alone who may know its tag. `the_crowd_changes_nothing` compares both ways.

use std::collections::{BTreeMap, BTreeSet};

use livechat_engine::Input;
use livechat_wire::{Envelope, EnvelopeId};

use super::World;
use super::person::Island;

/// Where those are who reach nobody.
const AWAY: Island = Island::MAX - 1;
/// How often a node in a crowd asks for what gossip may have lost.
const POLL: u64 = 10 * 60_000;

/// What the relay sees of somebody: of the account's log-in and of the connection that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// They are connected from now on.
    Came,
    /// They aren't any more.
    Left,
    /// Their connection brings an envelope.
    Publishes,
    /// They hand envelopes in over sync.
    Deposits,
    /// They ask whether envelopes are there.
    AsksFor,
    /// They look somebody up.
    LooksUp(String),
    /// They put a commit into a slot, or read one.
    Orders,
    /// They ask for a page of their bucket.
    Fetches,
    /// They bring or fetch a file.
    Files,
}

/// One thing that the relay saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Milliseconds since the world began.
    pub at: u64,
    /// Whose connection it was.
    pub who: String,
    /// What they did.
    pub act: Act,
}

/// A world's crowd.
#[derive(Default)]
pub(super) struct Crowd {
    /// From whom each may hear anything. Empty: from everybody.
    circles: BTreeMap<String, BTreeSet<String>>,
    audience: BTreeMap<EnvelopeId, BTreeSet<String>>,
    seen: Vec<Seen>,
}

impl World {
    /// From now on the relay writes down what it sees. With `circles`, which say for each who may ever write to them,
    /// envelopes go to those only who may be able to open them.
    pub fn watch(&mut self, circles: BTreeMap<String, BTreeSet<String>>) {
        self.crowd = Some(Crowd { circles, ..Crowd::default() });
    }

    /// What the relay saw since the last time.
    pub fn seen(&mut self) -> Vec<Seen> {
        self.crowd.as_mut().map(|c| std::mem::take(&mut c.seen)).unwrap_or_default()
    }

    /// Somebody's machine is on the network, or isn't.
    ///
    /// # Panics
    /// When nobody has that name.
    pub fn online(&mut self, who: &str, online: bool) {
        let island = if online { self.relay_island } else { AWAY };
        let person = self.people.get_mut(who).expect("a person");
        if person.island == island {
            return;
        }
        person.island = island;
        person.fetching = false;
        self.sees(who, if online { Act::Came } else { Act::Left });
        self.input(who, Input::Relay { online });
        if online {
            self.poll(who);
        }
    }

    pub(super) fn sees(&mut self, who: &str, act: Act) {
        let at = self.elapsed();
        if let Some(crowd) = &mut self.crowd {
            crowd.seen.push(Seen { at, who: who.to_owned(), act });
        }
    }

    /// Who may be able to open an envelope that somebody sends: those who know its tag; when nobody does, whoever may
    /// hear from them at all. None: everybody.
    pub(super) fn audience(&mut self, from: &str, envelope: &Envelope) -> Option<BTreeSet<String>> {
        let crowd = self.crowd.as_ref().filter(|c| !c.circles.is_empty())?;
        let circle = crowd.circles.get(from).cloned().unwrap_or_default();
        let tag = envelope.tag();
        let knows = |name: &&String| self.people[*name].engine.as_ref().is_some_and(|e| e.expects(tag));
        let knowing: BTreeSet<String> = circle.iter().filter(knows).cloned().collect();
        let audience = if knowing.is_empty() { circle } else { knowing };
        let crowd = self.crowd.as_mut()?;
        crowd.audience.entry(envelope.id()).or_default().extend(audience.clone());
        Some(audience)
    }

    /// Of a page, what somebody may be able to open.
    pub(super) fn of_use_to(&self, who: &str, envelopes: Vec<Envelope>) -> Vec<Envelope> {
        let Some(crowd) = self.crowd.as_ref().filter(|c| !c.circles.is_empty()) else { return envelopes };
        let is_for = |e: &Envelope| crowd.audience.get(&e.id()).is_some_and(|a| a.contains(who));
        envelopes.into_iter().filter(is_for).collect()
    }

    /// How long a node waits before it asks again.
    pub(super) fn poll_pause(&self, more: bool) -> u64 {
        match &self.crowd {
            Some(_) if !more => POLL,
            Some(_) => 1,
            None => super::world::POLL,
        }
    }

    /// Whether those on an island reach each other.
    pub(super) fn is_connected(island: Island) -> bool {
        island != AWAY
    }
}
