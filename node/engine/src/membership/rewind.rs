//! What was put in order without the relay (PROTOCOL R-121 to R-123): when the relay knows better afterwards, everybody
//! goes back to where the orders parted.
//!
//! ```text
//! relay away ─► the admin's own receipt ─► everybody applies it, and keeps how the group was
//!                                                 │ relay back: the commit is put into its slot
//!                            ours is first there ─┴─ another is
//!                            confirmed: forgotten     back to how it was, the other applied,
//!                                                     what was said since is said again
//! ```

use std::collections::BTreeSet;

use livechat_crypto::kv::Overlay;
use livechat_crypto::mls::{GroupId, Snapshot as Kept};
use livechat_wire::order::{Entry, Receipt, SealedCommit};
use livechat_wire::payload::Kind;
use livechat_wire::{ConversationId, SlotId};

use super::notices::Notice;
use super::records::{Pending, Said, Snapshot, Wish};
use super::{Drive, broken};
use crate::effects::Append;
use crate::errors::HandleError;
use crate::groups::session;
use crate::outbox::Commits;
use crate::tables::{Table, key};
use crate::turn::Turn;
use crate::{Engine, limits};

/// An epoch that ended without the relay, until the relay has said what ended it.
pub(super) struct Unconfirmed {
    pub slot: SlotId,
    pub commit: SealedCommit,
    /// When it ended.
    pub taken: (u64, u64),
    /// Whether one can go back to it.
    pub kept: bool,
    /// When the relay is asked.
    pub due: u64,
    /// The slot is being read from here on.
    pub read: Option<u32>,
}

impl Unconfirmed {
    fn is_older(&self, age: u64, now: (u64, u64)) -> bool {
        self.taken.0.saturating_add(age) <= now.0 || self.taken.1.saturating_add(age) <= now.1
    }
}

/// A group as it was while a commit of ours waited for the relay.
pub(super) struct Aside {
    pub mls: Kept,
    pub pending: Option<Pending>,
}

fn row(group: &GroupId, epoch: u64) -> Vec<u8> {
    key(&[&group.0, &epoch.to_be_bytes()])
}

impl Engine {
    /// How good the word of whoever signed a receipt is in a room: 0 is best.
    pub(super) fn rank(&self, at: ConversationId, receipt: &Receipt) -> Option<usize> {
        let ranked = &self.room(at)?.charter.sequencers;
        let rank = ranked.iter().position(|key| *key == receipt.sequencer)?;
        // Only the relay keeps more than one commit for a slot.
        (receipt.verify().is_ok() && (rank == 0 || receipt.index == 0)).then_some(rank)
    }

    /// Keeps how a group is, before a commit takes effect that the relay has not put in order; `aside`, how it was
    /// before that commit took the place of one that the relay may have.
    pub(super) fn keep_snapshot(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        entry: &Entry,
        wishes: Vec<Wish>,
        aside: Option<Aside>,
    ) -> Result<(), HandleError> {
        if self.rank(at, &entry.receipt) == Some(0) {
            // It goes, too, if one has to go back further.
            let before = self.room(at).map_or(0, |r| r.epoch);
            return self.wishes_go_back(turn, at, before, wishes);
        }
        let room = self.room(at).ok_or(HandleError::Inconsistent("a room that isn't there"))?.clone();
        let (group, epoch) = (room.group, room.epoch);
        let aside = match aside {
            Some(aside) => aside,
            None => self.set_aside(turn, at, group)?,
        };
        let own = entry.receipt.sequencer == self.me()?.identity.device_key();
        let due = turn.clock + if own { 0 } else { turn.between(0, limits::CONFIRM_SPREAD) };
        let taken = (turn.clock, turn.now);
        let (entry_kept, mls) = (entry.clone(), Some(aside.mls));
        let snapshot = Snapshot { taken, room, wishes, entry: entry_kept, pending: aside.pending, mls };
        Table::Snapshots.put(turn.kv, &row(&group, epoch), &snapshot)?;
        let (slot, commit) = (entry.receipt.slot, entry.commit.clone());
        let unconfirmed = Unconfirmed { slot, commit, taken, kept: true, due, read: None };
        self.drive(at).unconfirmed.insert(epoch, unconfirmed);
        while self.drive(at).unconfirmed.len() > limits::UNCONFIRMED {
            let Some(oldest) = self.drive(at).unconfirmed.keys().next().copied() else { break };
            self.settle(turn, at, group, oldest)?;
        }
        self.room_changed(turn, at);
        Ok(())
    }

    /// How a group is, with the commit that waits for the relay.
    pub(super) fn set_aside(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        group: GroupId,
    ) -> Result<Aside, HandleError> {
        let mls = session(self.me()?, turn.kv, turn.rng, turn.now).snapshot(&group).map_err(broken)?;
        let pending = self.drive(at).pending.clone().map(|pending| Pending { wishes: Vec::new(), ..pending });
        Ok(Aside { mls, pending })
    }

    /// Drops the keys of epochs that are too many or too old to go back to. What ended them is asked about still: if
    /// the relay has something else, that is shown.
    pub(super) fn thin_snapshots(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let now = (turn.clock, turn.now);
        let mut thin = Vec::new();
        for (at, drive) in self.rooms.drives.iter_mut().filter(|(_, d)| !d.unconfirmed.is_empty()) {
            let surplus = drive.unconfirmed.values().filter(|it| it.kept).count().saturating_sub(limits::REWIND);
            for (place, (epoch, it)) in drive.unconfirmed.iter_mut().filter(|(_, it)| it.kept).enumerate() {
                if place < surplus || it.is_older(limits::REWIND_AGE, now) {
                    it.kept = false;
                    thin.push((*at, *epoch));
                }
            }
        }
        for (at, epoch) in thin {
            let Some(group) = self.room(at).map(|r| r.group) else { continue };
            if let Some(kept) = Table::Snapshots.get::<Snapshot>(turn.kv, &row(&group, epoch))? {
                Table::Snapshots.put(turn.kv, &row(&group, epoch), &Snapshot { mls: None, pending: None, ..kept })?;
            }
        }
        Ok(())
    }

    /// The first epoch of a room to which one may have to go back.
    pub(super) fn rewinds_to(&self, at: ConversationId) -> Option<u64> {
        let drive = self.rooms.drives.get(&at)?;
        drive.unconfirmed.iter().find(|(_, it)| it.kept).map(|(epoch, _)| *epoch)
    }

    /// What ended an epoch is no longer in question, or can't be changed any more.
    pub(super) fn settle(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        group: GroupId,
        epoch: u64,
    ) -> Result<(), HandleError> {
        self.drive(at).unconfirmed.remove(&epoch);
        let kept: Option<Snapshot> = Table::Snapshots.get(turn.kv, &row(&group, epoch))?;
        Table::Snapshots.delete(turn.kv, &row(&group, epoch))?;
        self.wishes_go_back(turn, at, epoch, kept.map(|k| k.wishes).unwrap_or_default())?;
        self.room_changed(turn, at);
        Ok(())
    }

    /// What a commit that ended an epoch fulfilled is kept with the epoch before it that is in question still, if there
    /// is one: whoever goes back there wants it again.
    fn wishes_go_back(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        epoch: u64,
        wishes: Vec<Wish>,
    ) -> Result<(), HandleError> {
        let earlier = self.drive(at).unconfirmed.range(..epoch).next_back().map(|(earlier, _)| *earlier);
        let (Some(earlier), Some(group)) = (earlier, self.room(at).map(|r| r.group)) else { return Ok(()) };
        if wishes.is_empty() {
            return Ok(());
        }
        if let Some(mut kept) = Table::Snapshots.get::<Snapshot>(turn.kv, &row(&group, earlier))? {
            kept.wishes.extend(wishes);
            Table::Snapshots.put(turn.kv, &row(&group, earlier), &kept)?;
        }
        Ok(())
    }

    /// Puts what deputies put in order into the relay's slots, the oldest first; drops what is too old.
    pub(super) fn confirm_orders(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let rooms = self.rooms.drives.iter().filter(|(_, d)| !d.unconfirmed.is_empty()).map(|(at, _)| *at);
        for at in rooms.collect::<Vec<_>>() {
            let Some((group, relay)) = self.room(at).map(|r| (r.group, r.charter.sequencers.first().copied())) else {
                continue;
            };
            let Some(epoch) = self.drive(at).unconfirmed.keys().next().copied() else { continue };
            let now = (turn.clock, turn.now);
            let old = |it: &Unconfirmed| it.is_older(limits::UNCONFIRMED_AGE, now);
            if self.drive(at).unconfirmed.get(&epoch).is_some_and(old) {
                self.settle(turn, at, group, epoch)?;
                continue;
            }
            let ours = self.me.as_ref().is_some_and(|me| relay == Some(me.relay.0));
            let clock = turn.clock;
            if let Some(it) = self.drive(at).unconfirmed.get_mut(&epoch).filter(|it| ours && it.due <= clock) {
                it.due = clock + limits::BACKOFF_MAX;
                match it.read {
                    Some(from) => turn.fx.slots.push((it.slot, from)),
                    None => turn.fx.append.push(Append { slot: it.slot, commit: it.commit.clone() }),
                }
            }
        }
        Ok(())
    }

    /// When the relay is asked next what ended an epoch.
    pub(crate) fn confirm_wake(&self) -> Option<u64> {
        self.rooms.drives.values().filter_map(|d| d.unconfirmed.values().next()).map(|it| it.due).min()
    }

    fn unconfirmed_at(&self, slot: SlotId) -> Option<(ConversationId, u64)> {
        let of = |d: &Drive| d.unconfirmed.iter().find(|(_, it)| it.slot == slot).map(|(epoch, _)| *epoch);
        self.rooms.drives.iter().find_map(|(at, d)| Some((*at, of(d)?)))
    }

    /// The relay's word on a commit that a deputy had put in order. `false`: it is about none.
    pub(super) fn order_confirmed(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        receipt: &Receipt,
    ) -> Result<bool, HandleError> {
        let Some((at, epoch)) = self.unconfirmed_at(slot) else { return Ok(false) };
        let Some(it) = self.rooms.drives.get(&at).and_then(|d| d.unconfirmed.get(&epoch)) else { return Ok(false) };
        let commit = it.commit.clone();
        if self.rank(at, receipt) != Some(0) || receipt.hash != commit.hash() || receipt.slot != slot {
            return Ok(false);
        }
        let clock = turn.clock;
        self.drive(at).unanswered_since = None;
        if receipt.index > 0 {
            if let Some(it) = self.drive(at).unconfirmed.get_mut(&epoch) {
                (it.read, it.due) = (Some(0), clock);
            }
            return Ok(true);
        }
        let entry = Entry { receipt: receipt.clone(), commit };
        self.is_confirmed(turn, at, epoch, &entry)?;
        Ok(true)
    }

    /// What stands in the slot of an epoch that a deputy ended. `false`: it is about none.
    pub(super) fn slot_of_past(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        from: u32,
        entries: &[Entry],
        more: bool,
    ) -> Result<bool, HandleError> {
        let Some((at, epoch)) = self.unconfirmed_at(slot) else { return Ok(false) };
        let asked = |d: &Drive| d.unconfirmed.get(&epoch).is_some_and(|it| it.read == Some(from));
        if !self.rooms.drives.get(&at).is_some_and(asked) {
            return Ok(false);
        }
        for (index, entry) in (from..).zip(entries) {
            let right = entry.receipt.slot == slot && entry.receipt.index == index && entry.verify().is_ok();
            if !right || self.rank(at, &entry.receipt) != Some(0) {
                self.refused.verdicts += 1;
                return Ok(true);
            }
            let own = self.drive(at).unconfirmed.get(&epoch).is_some_and(|it| it.commit.hash() == entry.receipt.hash);
            if own {
                self.is_confirmed(turn, at, epoch, entry)?;
                return Ok(true);
            }
            if self.rewind(turn, at, epoch, entry, true)? {
                return Ok(true);
            }
        }
        let next = from.saturating_add(u32::try_from(entries.len()).unwrap_or(u32::MAX));
        let clock = turn.clock;
        if let Some(it) = self.drive(at).unconfirmed.get_mut(&epoch) {
            (it.read, it.due) = (Some(next), clock + if more { 0 } else { limits::BACKOFF_MAX });
        }
        Ok(true)
    }

    /// The relay put the commit first that a deputy had: it stays, and those who trust the relay alone are told.
    fn is_confirmed(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        epoch: u64,
        entry: &Entry,
    ) -> Result<(), HandleError> {
        let Some(group) = self.room(at).map(|r| r.group) else { return Ok(()) };
        let before: Option<Receipt> = Table::Order.get(turn.kv, &row(&group, epoch))?;
        Table::Order.put(turn.kv, &row(&group, epoch), &entry.receipt)?;
        self.settle(turn, at, group, epoch)?;
        let ours = before.is_some_and(|r| self.me.as_ref().is_some_and(|me| r.sequencer == me.identity.device_key()));
        let live = self.groups.get(&group).is_some_and(|g| g.record.epochs.iter().any(|e| e.number == epoch));
        if ours && live && !self.is_closed(at) {
            let readers = self.readers(at)?;
            self.queue_payload(turn, group, epoch, Kind::Commit, &entry.encode(), &readers, None)?;
        }
        Ok(())
    }

    /// A member shows another word on what ended a past epoch.
    pub(super) fn reconsider(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        epoch: u64,
        entry: &Entry,
    ) -> Result<(), HandleError> {
        let Some(group) = self.room(at).map(|r| r.group) else { return Ok(()) };
        let known: Option<Receipt> = Table::Order.get(turn.kv, &row(&group, epoch))?;
        let Some(known) = known else { return Ok(()) };
        let Some(better) = self.rank(at, &entry.receipt) else { return Ok(()) };
        // Whoever signed may have lost that right since.
        let now = self.rank(at, &known).unwrap_or(usize::MAX);
        if known.contradicts(&entry.receipt) || better >= now {
            return self.compare(turn, at, epoch, &entry.receipt);
        }
        if known.hash == entry.receipt.hash {
            Table::Order.put(turn.kv, &row(&group, epoch), &entry.receipt)?;
            return if better == 0 { self.settle(turn, at, group, epoch) } else { Ok(()) };
        }
        if entry.receipt.index > 0 {
            // Only the slot tells what stands before it.
            let clock = turn.clock;
            if let Some(it) = self.drive(at).unconfirmed.get_mut(&epoch) {
                (it.read, it.due) = (Some(0), clock);
            }
            return Ok(());
        }
        self.rewind(turn, at, epoch, entry, false)?;
        Ok(())
    }

    /// Goes back to how a group was in an epoch and ends that by another commit, or shows that it is too late for that.
    /// `false`: the commit isn't valid, and nothing changed.
    fn rewind(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        epoch: u64,
        entry: &Entry,
        from_slot: bool,
    ) -> Result<bool, HandleError> {
        #[cfg(feature = "sabotage")]
        if self.sabotage.no_rewind {
            return Ok(false);
        }
        let Some(group) = self.room(at).map(|r| r.group) else { return Ok(false) };
        let kept: Option<Snapshot> = Table::Snapshots.get(turn.kv, &row(&group, epoch))?;
        // Our own, given to the relay before another took its place, can't be applied like somebody else's.
        let own = kept.as_ref().and_then(|k| k.pending.clone()).filter(|p| p.sealed.hash() == entry.receipt.hash);
        let live = self.groups.get(&group).is_some_and(|g| g.record.epochs.iter().any(|e| e.number == epoch));
        let Some((kept, mls)) = kept.and_then(|mut k| k.mls.take().map(|mls| (k, mls))).filter(|_| live) else {
            // Too late: the others may have gone back.
            self.forked(turn, at, None)?;
            self.settle(turn, at, group, epoch)?;
            return Ok(true);
        };
        let here = kept.entry.receipt.slot == entry.receipt.slot;
        if !here || (own.is_none() && !self.would_be_valid(turn, group, &mls, entry)?) {
            return Ok(false);
        }
        let (lost, wanted) = self.forget_branch(turn, at, group, epoch)?;
        session(self.me()?, turn.kv, turn.rng, turn.now).restore(&group, &mls).map_err(broken)?;
        let room = kept.room;
        if let Some(live) = self.groups.get(&group) {
            Table::Groups.put(turn.kv, &group.0, &live.record)?;
        }
        Table::Rooms.put(turn.kv, &at.0, &room)?;
        self.rooms.rooms.insert(at, room);
        self.drive(at).refused.clear();
        self.notice(turn, at, super::NOBODY, &Notice::Rewound(lost))?;
        if let Some(own) = own {
            self.drive(at).pending = Some(own);
            self.own_was_first(turn, at, Some(entry.clone()), None)?;
        } else if !self.judge_entry(turn, at, entry, from_slot)? {
            return Err(HandleError::Inconsistent("a commit that was valid a moment ago"));
        }
        for wish in kept.wishes.into_iter().chain(wanted) {
            self.wish(turn, at, wish.what)?;
        }
        Ok(true)
    }

    /// Whether a commit would be valid in the group as it was; nothing changes.
    fn would_be_valid(
        &self,
        turn: &mut Turn<'_>,
        group: GroupId,
        kept: &Kept,
        entry: &Entry,
    ) -> Result<bool, HandleError> {
        let mut trial = Overlay::new(turn.kv);
        let mut mls = session(self.me()?, &mut trial, turn.rng, turn.now);
        mls.restore(&group, kept).map_err(broken)?;
        let keys = mls.order_keys(&group).map_err(broken)?;
        Ok(keys.open(&entry.commit).is_some_and(|commit| mls.apply_commit(&group, &commit).is_ok()))
    }

    /// Forgets the epochs after one; what was said in them is to be said again. Returns how many there were, and what
    /// we had wanted of them.
    fn forget_branch(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        group: GroupId,
        epoch: u64,
    ) -> Result<(u32, Vec<Wish>), HandleError> {
        self.shelve_pending(turn, at)?;
        let live = self.groups.get(&group).ok_or(HandleError::Inconsistent("a group that isn't there"))?;
        let lost: BTreeSet<u64> = live.record.epochs.iter().map(|e| e.number).filter(|n| *n > epoch).collect();
        let mut wanted = Vec::new();
        for number in &lost {
            let kept: Option<Snapshot> = Table::Snapshots.get(turn.kv, &row(&group, *number))?;
            wanted.extend(kept.into_iter().flat_map(|k| k.wishes));
            self.outbox.drop_epoch(turn, group, *number, Commits::Go)?;
            self.close_streams(turn, group, *number)?;
            Table::Order.delete(turn.kv, &row(&group, *number))?;
            self.settle(turn, at, group, *number)?;
            let (from, to) = (row(&group, *number), row(&group, number + 1));
            let rows =
                Table::Said.range::<Said>(turn.kv, &from, &to, usize::MAX, livechat_crypto::kv::Order::Ascending)?;
            for (said_at, said) in rows {
                Table::Said.delete(turn.kv, &said_at)?;
                self.rooms.again.push((at, said));
            }
        }
        if let Some(live) = self.groups.get_mut(&group) {
            live.record.epochs.retain(|e| e.number <= epoch);
            live.keys.retain(|number, _| *number <= epoch);
        }
        self.settle(turn, at, group, epoch)?;
        Ok((u32::try_from(lost.len()).unwrap_or(u32::MAX), wanted))
    }

    /// What is staged is put back among the wishes, as if it had not been tried.
    pub(super) fn shelve_pending(&mut self, turn: &mut Turn<'_>, at: ConversationId) -> Result<(), HandleError> {
        if self.drive(at).pending.take().is_none() {
            return Ok(());
        }
        Table::Pending.delete(turn.kv, &at.0)?;
        if let Some(group) = self.room(at).map(|r| r.group) {
            session(self.me()?, turn.kv, turn.rng, turn.now).drop_staged(&group).map_err(broken)?;
        }
        Ok(())
    }
}
