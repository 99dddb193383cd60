//! What people do in some days: who knows whom, when each is online, who says something to whom and when it is read.
//!
//! Communities of about 25; most contacts are within one. Everybody is online by day, each with their own hours, with a
//! break now and then. Conversations come in bursts: somebody begins, answers follow after a log-normal pause, messages
//! to somebody who is away are answered once they are back. The same workload is played in every design, so that their
//! scores can be compared.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::dice::Dice;

/// A person's number.
pub type User = usize;
/// Milliseconds since the first midnight.
pub type Moment = u64;

const MINUTE: f64 = 60_000.0;
const HOUR: f64 = 60.0 * MINUTE;
/// Milliseconds of a day.
pub const DAY: u64 = 86_400_000;

/// People in one community.
const COMMUNITY: usize = 25;
/// Contacts of one person, about.
const CONTACTS: f64 = 8.0;
/// Of those, in other communities.
const ELSEWHERE: f64 = 0.15;
/// Conversations that one person begins in a day, about; what is said in one has this many messages, about.
const BEGUN: f64 = 2.5;
const LENGTH: f64 = 6.0;

/// Something said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// When.
    pub at: Moment,
    /// By whom.
    pub from: User,
    /// To whom.
    pub to: User,
    /// When it reaches them: at once, or when they come back. None when that is after the end.
    pub arrives: Option<Moment>,
    /// When they have looked at it.
    pub read: Option<Moment>,
}

/// What everybody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// How many people.
    pub users: usize,
    /// How many days.
    pub days: u64,
    /// Who knows whom, smaller number first.
    pub contacts: BTreeSet<(User, User)>,
    /// When each is online, in order.
    pub online: Vec<Vec<Range<Moment>>>,
    /// All that is said, in order.
    pub messages: Vec<Message>,
}

impl Workload {
    /// The same for the same numbers.
    #[must_use]
    pub fn generate(users: usize, days: u64, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let contacts = contacts(&mut dice, users);
        let online = (0..users).map(|_| hours(&mut dice, days)).collect();
        let mut it = Self { users, days, contacts, online, messages: Vec::new() };
        it.talk(&mut dice);
        it
    }

    /// When the last day ends.
    #[must_use]
    pub fn end(&self) -> Moment {
        self.days * DAY
    }

    /// Whether somebody is online.
    #[must_use]
    pub fn is_online(&self, user: User, at: Moment) -> bool {
        self.next_online(user, at) == Some(at)
    }

    /// Those who said something to each other: what an adversary wants to name.
    #[must_use]
    pub fn pairs(&self) -> BTreeSet<(User, User)> {
        self.messages.iter().map(|m| (m.from.min(m.to), m.from.max(m.to))).collect()
    }

    /// From when on they are online, at this moment or later.
    fn next_online(&self, user: User, at: Moment) -> Option<Moment> {
        let hours = &self.online[user];
        let next = hours.partition_point(|h| h.end <= at);
        hours.get(next).map(|h| h.start.max(at))
    }

    fn talk(&mut self, dice: &mut Dice) {
        let pairs: Vec<(User, User)> = self.contacts.iter().copied().collect();
        // Some pairs talk much, most little.
        let weights: Vec<f64> = pairs.iter().map(|_| dice.around(1.0, 1.2)).collect();
        let total: f64 = weights.iter().sum();
        let begun = BEGUN * self.users as f64;
        for (&(a, b), weight) in pairs.iter().zip(&weights) {
            let mean = DAY as f64 * total / (begun * weight);
            let mut at = dice.pause(mean);
            while at < self.end() as f64 {
                let (from, to) = if dice.chance(0.5) { (a, b) } else { (b, a) };
                self.converse(dice, from, to, at as Moment);
                at += dice.pause(mean);
            }
        }
        self.messages.sort_unstable();
    }

    /// One conversation, begun when whoever begins it is online next.
    fn converse(&mut self, dice: &mut Dice, mut from: User, mut to: User, begin: Moment) {
        let Some(mut at) = self.next_online(from, begin) else { return };
        loop {
            let arrives = self.next_online(to, at);
            let look = |dice: &mut Dice, since| self.next_online(to, since + dice.around(15_000.0, 1.0) as Moment);
            let read = arrives.and_then(|since| look(dice, since)).filter(|r| *r < self.end());
            self.messages.push(Message { at, from, to, arrives: arrives.filter(|a| *a < self.end()), read });
            if dice.chance(1.0 / LENGTH) {
                return;
            }
            // An answer mostly; else one goes on oneself.
            let next = if dice.chance(0.7) {
                let Some(read) = read else { return };
                (from, to) = (to, from);
                self.next_online(from, read + dice.around(20_000.0, 1.0) as Moment)
            } else {
                self.next_online(from, at + dice.around(12_000.0, 0.8) as Moment)
            };
            match next {
                Some(next) if next < self.end() => at = next,
                _ => return,
            }
        }
    }
}

fn contacts(dice: &mut Dice, users: usize) -> BTreeSet<(User, User)> {
    let mut found = BTreeSet::new();
    if users < 2 {
        return found;
    }
    let wanted = (users as f64 * CONTACTS / 2.0) as usize;
    let most = users * (users - 1) / 2;
    while found.len() < wanted.min(most / 2) {
        let a = dice.below(users);
        let home = a / COMMUNITY * COMMUNITY;
        let b = if dice.chance(ELSEWHERE) { dice.below(users) } else { home + dice.below(COMMUNITY.min(users - home)) };
        if a != b {
            found.insert((a.min(b), a.max(b)));
        }
    }
    found
}

/// Online by day, with breaks.
fn hours(dice: &mut Dice, days: u64) -> Vec<Range<Moment>> {
    let (up, down) = (7.5 * HOUR + 1.5 * HOUR * dice.normal(), 22.5 * HOUR + 1.2 * HOUR * dice.normal());
    let mut hours: Vec<Range<Moment>> = Vec::new();
    for day in 0..days {
        if dice.chance(0.05) {
            continue;
        }
        let midnight = (day * DAY) as f64;
        let begin = (midnight + up + 0.5 * HOUR * dice.normal()).max(midnight);
        let end = (midnight + down + 0.5 * HOUR * dice.normal()).min(midnight + 24.0 * HOUR - MINUTE);
        let mut at = begin;
        while at < end {
            let until = (at + dice.pause(6.0 * HOUR).max(2.0 * MINUTE)).min(end);
            hours.push(at as Moment..until as Moment);
            at = until + dice.pause(0.5 * HOUR).max(2.0 * MINUTE);
        }
    }
    hours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_talk_while_they_are_online_and_to_those_they_know() {
        let it = Workload::generate(60, 3, 1);
        assert_eq!(it, Workload::generate(60, 3, 1), "the same for the same seed");
        assert_ne!(it, Workload::generate(60, 3, 2));
        assert!(it.messages.len() > 1_000, "{}", it.messages.len());
        for m in &it.messages {
            assert!(it.is_online(m.from, m.at) && m.at < it.end());
            assert!(it.contacts.contains(&(m.from.min(m.to), m.from.max(m.to))));
            assert!(m.arrives.is_none_or(|a| a >= m.at && it.is_online(m.to, a)));
            assert!(m.read.is_none_or(|r| it.is_online(m.to, r) && m.arrives.is_some_and(|a| a <= r)));
        }
        for hours in &it.online {
            assert!(hours.iter().all(|h| h.start < h.end));
            assert!(hours.windows(2).all(|w| w[0].end < w[1].start), "in order");
        }
    }
}
