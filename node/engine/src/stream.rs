//! What comes from one sender leaf in one epoch: which counters are awaited, which payloads are complete, and in which
//! order they are shown. Pure: no store, no clock, no keys.
//!
//! The sender numbers its envelopes 0, 1, 2 … ; a payload of `n` fragments takes `n` numbers in a row. So the true
//! order of what a sender said is known, however it travels (rules O-1 … O-4 in [`crate`]). Where a stream ends is
//! learned from what the same sender sent in a later epoch (rule O-7).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use livechat_wire::DecodeError;
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::payload::{Fragment, Kind};

use crate::limits;
use crate::tables::Stored;

/// The state of one sender leaf in one epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stream {
    /// One more than the highest counter seen: the window of expected tags begins here.
    next: u64,
    /// Everything below was shown, or was given up waiting for.
    shown: u64,
    /// Below `next`, not seen yet, still expected.
    skipped: BTreeSet<u64>,
    /// Counters that were not waited for, and the places kept for them.
    late: Vec<Late>,
    /// Fragments that are here and wait for others.
    pieces: BTreeMap<u64, Piece>,
    /// Payloads given up waiting for that are complete now: first counter and number of fragments.
    completed_late: Vec<(u64, u16)>,
    /// How many envelopes there are, and since when something waits for the last of them. Not stored: what waits
    /// says it again.
    end: Option<(u64, u64)>,
}

/// Counters `from .. to` have the places `base ..` of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Late {
    from: u64,
    to: u64,
    base: u64,
}

/// What is known of a waiting fragment without reading it from the store.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    kind: Kind,
    payload: [u8; 8],
    index: u16,
    count: u16,
    arrived: u64,
}

/// What accepting a fragment changes about the expected counters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Expected from now on.
    pub expect: Range<u64>,
    /// No longer expected although never seen.
    pub forget: Vec<u64>,
}

/// What to do next with a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Show the payload of the fragments `first .. first + count`; at `place` when one was kept for it.
    Show { first: u64, count: u16, place: Option<u64> },
    /// Throw this fragment away: an honest sender makes none like it.
    Broken { counter: u64 },
    /// Keep as many places as this range has counters and tell [`Stream::gave_up`] where they begin.
    GiveUp { counters: Range<u64> },
    /// Nothing before this time.
    Wait { until: u64 },
    /// Nothing until another fragment comes.
    Idle,
}

impl Stream {
    /// The counters whose tags are expected: those behind, then the window ahead.
    pub fn expected(&self) -> impl Iterator<Item = u64> + '_ {
        self.skipped.iter().copied().chain(self.next..self.next.saturating_add(limits::WINDOW))
    }

    /// Everything below was shown or given up.
    pub fn shown(&self) -> u64 {
        self.shown
    }

    /// Whether fragments wait here.
    pub fn holds_any(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Whether all of the `count` envelopes that there are were shown or given up; of those, as many as are expected.
    pub fn is_over(&self, count: u64) -> bool {
        self.shown >= self.within_reach(count)
    }

    /// Whether it is known where the stream ends, and nothing more is to be shown.
    pub fn has_ended(&self) -> bool {
        self.end.is_some_and(|(count, _)| self.is_over(count))
    }

    /// Something waits, since `since`, for the last of the `count` envelopes that there are. `false`: that was known.
    pub fn ends_at(&mut self, count: u64, since: u64) -> bool {
        let known = self.end;
        if known.is_none_or(|(c, _)| c < count) {
            self.end = Some((count, known.map_or(since, |(_, s)| s.min(since))));
        }
        known != self.end
    }

    fn within_reach(&self, count: u64) -> u64 {
        count.min(self.next.saturating_add(limits::WINDOW))
    }

    /// Whether a counter is expected.
    pub fn expects(&self, counter: u64) -> bool {
        self.skipped.contains(&counter) || (counter >= self.next && counter - self.next < limits::WINDOW)
    }

    /// Takes the fragment with this counter; the caller has asked [`Stream::expects`] and stores it.
    pub fn accept(&mut self, counter: u64, fragment: &Fragment, now: u64) -> Moved {
        let mut moved = Moved::default();
        if counter >= self.next {
            let ahead = self.next.saturating_add(limits::WINDOW);
            self.skipped.extend(self.next..counter);
            self.next = counter.saturating_add(1);
            moved.expect = ahead..self.next.saturating_add(limits::WINDOW);
            while self.skipped.len() > limits::SKIPPED {
                moved.forget.extend(self.skipped.pop_first());
            }
        } else {
            self.skipped.remove(&counter);
        }
        self.put_back(counter, fragment, now);
        if counter < self.shown {
            let first = counter.checked_sub(u64::from(fragment.index));
            if let Some((first, count)) = first.and_then(|f| Some((f, self.complete_at(f)?))) {
                self.completed_late.push((first, count));
            }
        }
        moved
    }

    /// Notes a fragment that the store holds.
    pub fn put_back(&mut self, counter: u64, fragment: &Fragment, arrived: u64) {
        let Fragment { kind, payload, index, count, .. } = *fragment;
        self.pieces.insert(counter, Piece { kind, payload, index, count, arrived });
    }

    /// The counters of fragments that wait.
    pub fn waiting(&self) -> impl Iterator<Item = u64> + '_ {
        self.pieces.keys().copied()
    }

    /// What to do next. After [`Step::Show`] call [`Stream::took`], after [`Step::Broken`] [`Stream::dropped`], after
    /// [`Step::GiveUp`] [`Stream::gave_up`]; then ask again.
    pub fn step(&self, now: u64) -> Step {
        if let Some(&(first, count)) = self.completed_late.first() {
            return Step::Show { first, count, place: self.place(first) };
        }
        if self.pieces.contains_key(&self.shown) {
            if let Some(count) = self.complete_at(self.shown) {
                return Step::Show { first: self.shown, count, place: None };
            }
            if self.is_broken(self.shown) {
                return Step::Broken { counter: self.shown };
            }
        }
        let waiting = self.pieces.range(self.shown..).find_map(|(c, _)| Some((*c, self.complete_at(*c)?)));
        let crowded = self.pieces.len() > limits::PIECES;
        let Some((first, count)) = waiting else {
            // Only a sender who never completes what it begins gets here.
            if let Some(counter) = self.pieces.keys().next().filter(|_| crowded) {
                return Step::Broken { counter: *counter };
            }
            let Some((count, since)) = self.end.filter(|(count, _)| !self.is_over(*count)) else { return Step::Idle };
            let until = since.saturating_add(limits::HOLD);
            return if until <= now {
                Step::GiveUp { counters: self.shown..self.within_reach(count) }
            } else {
                Step::Wait { until }
            };
        };
        let since = self.pieces.range(first..first + u64::from(count)).map(|(_, p)| p.arrived).max().unwrap_or(now);
        let until = since.saturating_add(limits::HOLD);
        if until <= now || crowded { Step::GiveUp { counters: self.shown..first } } else { Step::Wait { until } }
    }

    /// The payload was shown; its fragments are forgotten.
    pub fn took(&mut self, first: u64, count: u16) {
        let end = first + u64::from(count);
        for counter in first..end {
            self.pieces.remove(&counter);
        }
        self.completed_late.retain(|(f, _)| *f != first);
        self.shown = if first == self.shown { end } else { self.shown };
    }

    /// A broken fragment was thrown away.
    pub fn dropped(&mut self, counter: u64) {
        self.pieces.remove(&counter);
        self.shown = if counter == self.shown { counter + 1 } else { self.shown };
    }

    /// Places from `base` on are kept for the counters that were given up. Returns what is thrown away because it
    /// waited for the rest of its payload too long.
    pub fn gave_up(&mut self, counters: Range<u64>, base: u64, now: u64) -> Vec<u64> {
        self.late.push(Late { from: counters.start, to: counters.end, base });
        if self.late.len() > limits::LATE_RANGES {
            self.late.remove(0);
        }
        self.shown = counters.end;
        let old = |p: &Piece| p.arrived.saturating_add(limits::EPOCH_AGE) < now;
        let stale: Vec<u64> = self.pieces.range(..self.shown).filter(|(_, p)| old(p)).map(|(c, _)| *c).collect();
        for counter in &stale {
            self.pieces.remove(counter);
        }
        stale
    }

    fn place(&self, counter: u64) -> Option<u64> {
        self.late.iter().find(|l| (l.from..l.to).contains(&counter)).map(|l| l.base + (counter - l.from))
    }

    /// The number of fragments, when all of the payload that begins at `first` are here.
    fn complete_at(&self, first: u64) -> Option<u16> {
        let head = self.pieces.get(&first).filter(|p| p.index == 0)?;
        let fits = |(index, counter)| self.pieces.get(&counter).is_some_and(|p| p.follows(head, index));
        (0..head.count).zip(first..).all(fits).then_some(head.count)
    }

    /// Whether the fragment at `counter` can never become the beginning of a payload.
    fn is_broken(&self, counter: u64) -> bool {
        let Some(head) = self.pieces.get(&counter) else { return false };
        let wrong = |(index, counter)| self.pieces.get(&counter).is_some_and(|p| !p.follows(head, index));
        head.index != 0 || (0..head.count).zip(counter..).any(wrong)
    }
}

impl Piece {
    fn follows(&self, head: &Self, index: u16) -> bool {
        (self.kind, self.payload, self.count, self.index) == (head.kind, head.payload, head.count, index)
    }
}

impl Stored for Stream {
    fn write(&self, w: &mut Writer) {
        let skipped: Vec<u64> = self.skipped.iter().copied().collect();
        w.u64(self.next).u64(self.shown);
        w.list(&skipped, |w, c| {
            w.u64(*c);
        });
        w.list(&self.late, |w, l| {
            w.u64(l.from).u64(l.to).u64(l.base);
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (next, shown) = (r.u64()?, r.u64()?);
        let skipped = r.list(limits::SKIPPED, "skipped counters", Reader::u64)?.into_iter().collect();
        let late =
            r.list(limits::LATE_RANGES, "late ranges", |r| Ok(Late { from: r.u64()?, to: r.u64()?, base: r.u64()? }))?;
        Ok(Self { next, shown, skipped, late, ..Self::default() })
    }
}

#[cfg(test)]
mod tests;
