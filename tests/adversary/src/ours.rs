//! The same talk, by our engine as it is: real keys, real envelopes, its receipts and renewals, and what a relay to
//! which everybody is connected sees of it.

use std::collections::{BTreeMap, BTreeSet};

use livechat_sim::crowd::{Act, Seen};
use livechat_sim::{Faults, World, secs};

use crate::dice::Dice;
use crate::view::{Sighting, View};
use crate::workload::{Moment, User, Workload};

/// How everybody's people came to know each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquaintance {
    /// Before the relay began to write down.
    Before,
    /// Before the eyes of the relay.
    Watched,
}

/// How long anything is on its way, milliseconds.
const WAY: u64 = 20;

/// What somebody does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Comes(User),
    Says(User, User),
    Reads(User, User),
    Goes(User),
}

/// How many messages arrived, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// In the history of whom it was for.
    pub arrived: usize,
    /// Said to somebody who was online later.
    pub said: usize,
}

fn name(user: User) -> String {
    format!("u{user:04}")
}

fn number(name: &str) -> User {
    name[1..].parse().unwrap_or_default()
}

/// Plays the workload. `all` hands every envelope to everybody instead of those alone who may open it; slow, and the
/// same to the relay.
#[must_use]
pub fn play(workload: &Workload, all: bool, seed: u64) -> (Vec<Seen>, Moment, Delivered) {
    let names: Vec<String> = (0..workload.users).map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::of(&names, seed);
    // One way for all, so that who else is handed an envelope changes nothing.
    world.faults(Faults { delay_min: WAY, delay_max: WAY, ..Faults::NONE });
    world.watch(if all { BTreeMap::new() } else { circles(workload) });
    let mut dice = Dice::new(seed ^ 0xad7e);
    for (a, b) in &workload.contacts {
        let (a, b) = if dice.chance(0.5) { (*a, *b) } else { (*b, *a) };
        world.person(&name(a)).adds(&name(b));
        world.run_for(secs(2));
        world.person(&name(a)).says("hello").to(&name(b));
        world.run_for(secs(10));
        world.person(&name(b)).accepts(&name(a));
        world.run_for(secs(2));
    }
    world.run_for(secs(120));
    for user in 0..workload.users {
        world.online(&name(user), false);
    }
    let midnight = world.elapsed();
    for (at, deed) in deeds(workload) {
        world.run_for((midnight + at).saturating_sub(world.elapsed()));
        match deed {
            Deed::Comes(user) => world.online(&name(user), true),
            Deed::Goes(user) => world.online(&name(user), false),
            Deed::Says(from, to) => world.person(&name(from)).says(&format!("at {at}")).to(&name(to)),
            Deed::Reads(user, whose) => world.person(&name(user)).reads(&name(whose)),
        }
    }
    world.run_for((midnight + workload.end()).saturating_sub(world.elapsed()));
    let delivered = delivered(&world, workload);
    (world.seen(), midnight, delivered)
}

/// What the relay saw, as something to attack. Times count from the first midnight of the workload.
#[must_use]
pub fn view(workload: &Workload, seen: &[Seen], midnight: Moment, acquaintance: Acquaintance) -> View {
    let watched = acquaintance == Acquaintance::Watched;
    let mut view = View { users: workload.users, time: 0..workload.end(), ..View::default() };
    view.online = vec![Vec::new(); workload.users];
    let mut since: BTreeMap<User, Moment> = BTreeMap::new();
    for Seen { at, who, act } in seen {
        let (who, at) = (number(who), at.saturating_sub(midnight));
        match act {
            Act::Publishes | Act::Orders if at > 0 => view.sent.push(Sighting { at, who }),
            Act::LooksUp(whom) if watched => view.named.push((who, number(whom))),
            Act::Came => {
                since.insert(who, at);
            }
            Act::Left => {
                view.online[who].extend(since.remove(&who).map(|from| from..at));
            }
            _ => {}
        }
    }
    for (who, from) in since {
        view.online[who].push(from..workload.end());
    }
    view
}

fn circles(workload: &Workload) -> BTreeMap<String, BTreeSet<String>> {
    let mut circles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (a, b) in &workload.contacts {
        circles.entry(name(*a)).or_default().insert(name(*b));
        circles.entry(name(*b)).or_default().insert(name(*a));
    }
    circles
}

fn deeds(workload: &Workload) -> Vec<(Moment, Deed)> {
    let mut deeds = Vec::new();
    for (user, hours) in workload.online.iter().enumerate() {
        for h in hours {
            deeds.push((h.start, Deed::Comes(user)));
            deeds.push((h.end, Deed::Goes(user)));
        }
    }
    for m in &workload.messages {
        deeds.push((m.at, Deed::Says(m.from, m.to)));
        deeds.extend(m.read.map(|at| (at, Deed::Reads(m.to, m.from))));
    }
    deeds.sort_unstable();
    deeds
}

fn delivered(world: &World, workload: &Workload) -> Delivered {
    let mut wanted: BTreeMap<(User, User), usize> = BTreeMap::new();
    // What is said in the last minute may still be on its way.
    for m in workload.messages.iter().filter(|m| m.arrives.is_some_and(|a| a + 60_000 < workload.end())) {
        *wanted.entry((m.from, m.to)).or_default() += 1;
    }
    let mut it = Delivered { arrived: 0, said: 0 };
    for ((from, to), said) in wanted {
        it.said += said;
        it.arrived += world.texts(&name(to), &name(from)).iter().filter(|t| t.starts_with("at ")).count().min(said);
    }
    it
}
