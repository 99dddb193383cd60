//! Talking to the order service, and what it and members say about the order.

use livechat_wire::order::{Entry, Receipt};
use livechat_wire::sync::Refusal;
use livechat_wire::{ConversationId, SlotId};

use super::notices::Notice;
use super::records::Evidence;
use super::{broken, pause, room_of};
use crate::effects::Append;
use crate::errors::{CommandError, HandleError};
use crate::groups::{StreamKey, session};
use crate::tables::{Table, key};
use crate::turn::Turn;
use crate::view::Membership;
use crate::{Engine, limits};

impl Engine {
    /// Takes every step that is due in any room.
    pub(crate) fn drive_rooms(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let online = self.outbox.is_online();
        self.rooms.offline_since = if online { None } else { self.rooms.offline_since.or(Some(turn.clock)) };
        self.thin_snapshots(turn)?;
        self.deputise(turn)?;
        self.tell_who_orders(turn);
        if !online {
            return Ok(());
        }
        self.move_welcomes(turn)?;
        self.confirm_orders(turn)?;
        self.renew_what_is_due(turn)?;
        self.mind_devices(turn)?;
        let due = |(at, d): (&ConversationId, &super::Drive)| (d.busy() && d.due <= turn.clock).then_some(*at);
        let due: Vec<_> = self.rooms.drives.iter().filter_map(due).collect();
        for at in due {
            if self.room(at).is_some_and(|r| r.standing == Membership::Joined) {
                self.step(turn, at)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, turn: &mut Turn<'_>, at: ConversationId) -> Result<(), HandleError> {
        let drive = self.drive(at);
        if let Some(from) = drive.read {
            let slot = self.slot(turn, at)?;
            turn.fx.slots.push((slot, from));
        } else if let Some(pending) = &drive.pending {
            turn.fx.append.push(Append { slot: pending.slot, commit: pending.sealed.clone() });
        } else {
            self.stage(turn, at)?;
            // Whatever is next is done in a moment: this call has done enough.
            let drive = self.drive(at);
            if drive.pending.is_none() {
                drive.due = drive.due.max(turn.clock + limits::BACKOFF_FIRST);
                return Ok(());
            }
            return self.step(turn, at);
        }
        let drive = self.drive(at);
        drive.unanswered_since = drive.unanswered_since.or(Some(turn.clock));
        drive.due = turn.clock + pause(drive.failures);
        drive.failures = (drive.failures + 1).min(16);
        if drive.failures > 1 {
            self.room_changed(turn, at);
        }
        Ok(())
    }

    /// The slot of a room's epoch.
    fn slot(&self, turn: &mut Turn<'_>, at: ConversationId) -> Result<SlotId, HandleError> {
        let room = self.room(at).ok_or(HandleError::Inconsistent("a room that isn't there"))?;
        Ok(session(self.me()?, turn.kv, turn.rng, turn.now).order_keys(&room.group).map_err(broken)?.slot)
    }

    /// The order service's answer to an append.
    pub(crate) fn appended(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        answer: Result<Receipt, Refusal>,
    ) -> Result<(), HandleError> {
        let of = |d: &super::Drive| d.pending.as_ref().is_some_and(|p| p.slot == slot);
        let Some(at) = self.rooms.drives.iter().find(|(_, d)| of(d)).map(|(at, _)| *at) else {
            // Our commit is dealt with already; or a deputy had put it in order.
            return match answer {
                Ok(receipt) => self.order_confirmed(turn, slot, &receipt).map(|_| ()),
                Err(_) => Ok(()),
            };
        };
        let Some(pending) = self.drive(at).pending.clone() else { return Ok(()) };
        match answer {
            Ok(receipt) => {
                let about_it = receipt.slot == slot && receipt.hash == pending.sealed.hash();
                if !about_it || self.rank(at, &receipt) != Some(0) {
                    self.refused.verdicts += 1;
                    return Ok(());
                }
                self.drive(at).unanswered_since = None;
                if receipt.index == 0 {
                    return self.own_was_first(turn, at, Some(Entry { receipt, commit: pending.sealed }), None);
                }
                let drive = self.drive(at);
                drive.read = drive.read.or(Some(0));
                (drive.due, drive.failures) = (turn.clock, 0);
                Ok(())
            }
            Err(Refusal::Full | Refusal::Malformed) => {
                self.drive(at).unanswered_since = None;
                // No better answer will come in this epoch; somebody else's commit may end it.
                for number in pending.wishes {
                    self.give_up(turn, at, number, CommandError::TooMany)?;
                }
                self.drop_pending(turn, at)?;
                self.drive(at).read = Some(0);
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }

    /// What stands in a slot: the first valid commit counts.
    pub(crate) fn slot_read(
        &mut self,
        turn: &mut Turn<'_>,
        slot: SlotId,
        from: u32,
        answer: Result<(Vec<Entry>, bool), Refusal>,
    ) -> Result<(), HandleError> {
        let Ok((entries, more)) = answer else { return Ok(()) };
        if self.slot_of_past(turn, slot, from, &entries, more)? {
            return Ok(());
        }
        let asking: Vec<_> = self.rooms.drives.iter().filter(|(_, d)| d.read == Some(from)).map(|(a, _)| *a).collect();
        for at in asking {
            if self.is_closed(at) || self.slot(turn, at)? != slot {
                continue;
            }
            self.drive(at).unanswered_since = None;
            let count = entries.len();
            for (index, entry) in (from..).zip(entries) {
                if entry.receipt.slot != slot || entry.receipt.index != index || self.holds(at, &entry) != Some(0) {
                    self.refused.verdicts += 1;
                    return Ok(());
                }
                let own = self.drive(at).pending.as_ref().is_some_and(|p| p.sealed.hash() == entry.receipt.hash);
                if own {
                    return self.own_was_first(turn, at, Some(entry), None);
                }
                if self.judge_entry(turn, at, &entry, true)? {
                    return Ok(());
                }
            }
            let drive = self.drive(at);
            let next = from.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            if drive.shown.is_some_and(|shown| next <= shown) {
                // What a member showed is being withheld: asked for again, less and less often, and shown as waiting.
                drive.read = Some(next);
                return Ok(());
            }
            // Nothing valid is there: ours, if there is one, goes to the end.
            drive.read = Some(next).filter(|_| more && count > 0);
            (drive.due, drive.failures) = (turn.clock, 0);
            return Ok(());
        }
        Ok(())
    }

    /// A member shows the commit that ends an epoch.
    pub(crate) fn take_entry(
        &mut self,
        turn: &mut Turn<'_>,
        key: StreamKey,
        payload: &[u8],
    ) -> Result<(), HandleError> {
        let at = room_of(&key.group);
        let (Some(room), Ok(entry)) = (self.room(at), Entry::decode(payload)) else {
            self.refused.malformed += 1;
            return Ok(());
        };
        let current = room.epoch;
        if self.holds(at, &entry).is_none() {
            self.refused.malformed += 1;
            return Ok(());
        }
        if key.epoch < current {
            return self.reconsider(turn, at, key.epoch, &entry);
        }
        if key.epoch == current && self.comes_back_by(turn, at, &entry)? {
            return Ok(());
        }
        if self.is_closed(at) || key.epoch != current || entry.receipt.slot != self.slot(turn, at)? {
            return Ok(());
        }
        if entry.receipt.index == 0 && self.judge_entry(turn, at, &entry, false)? {
            return Ok(());
        }
        // Only the slot tells what stands before it, or after what is refused.
        let drive = self.drive(at);
        drive.shown = drive.shown.max(Some(entry.receipt.index));
        if drive.read.is_none() {
            drive.read = Some(0);
            (drive.due, drive.failures) = (turn.clock, 0);
            self.room_changed(turn, at);
        }
        Ok(())
    }

    /// How good the word of whoever put an entry in its place is in this room; none: it doesn't count, or hold.
    fn holds(&self, at: ConversationId, entry: &Entry) -> Option<usize> {
        entry.verify().is_ok().then(|| self.rank(at, &entry.receipt)).flatten()
    }

    /// Whoever a deputy's order removed is in again, when a better word has another commit in its place.
    fn comes_back_by(&mut self, turn: &mut Turn<'_>, at: ConversationId, entry: &Entry) -> Result<bool, HandleError> {
        let Some(room) = self.room(at).filter(|r| r.standing == Membership::Removed) else { return Ok(false) };
        let order = key(&[&room.group.0, &room.epoch.to_be_bytes()]);
        let Some(known) = Table::Order.get::<Receipt>(turn.kv, &order)? else { return Ok(false) };
        let rank = |r: &Receipt| self.rank(at, r).unwrap_or(usize::MAX);
        let better = rank(&entry.receipt) < rank(&known) && known.hash != entry.receipt.hash;
        let here = known.slot == entry.receipt.slot && entry.receipt.index == 0;
        if !better || !here {
            return Ok(false);
        }
        let closed = room.clone();
        if let Some(room) = self.rooms.rooms.get_mut(&at) {
            room.standing = Membership::Joined;
        }
        let own = self.drive(at).pending.as_ref().is_some_and(|p| p.sealed.hash() == entry.receipt.hash);
        if own {
            self.own_was_first(turn, at, Some(entry.clone()), None)?;
        }
        if own || self.judge_entry(turn, at, entry, false)? {
            self.notice(turn, at, super::NOBODY, &Notice::Rewound(1))?;
            return Ok(true);
        }
        self.rooms.rooms.insert(at, closed);
        Ok(false)
    }

    /// Two receipts for one place prove that the sequencer showed two orders: shown, and kept as evidence.
    pub(super) fn compare(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        epoch: u64,
        receipt: &Receipt,
    ) -> Result<(), HandleError> {
        let Some(group) = self.room(at).map(|r| r.group) else { return Ok(()) };
        let known: Option<Receipt> = Table::Order.get(turn.kv, &key(&[&group.0, &epoch.to_be_bytes()]))?;
        let Some(known) = known.filter(|k| k.contradicts(receipt)) else { return Ok(()) };
        self.forked(turn, at, Some(Evidence(known, receipt.clone())))
    }

    /// Members see different groups: shown, with the evidence if there is some.
    pub(super) fn forked(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        evidence: Option<Evidence>,
    ) -> Result<(), HandleError> {
        let Some(room) = self.rooms.rooms.get_mut(&at).filter(|r| !r.forked) else { return Ok(()) };
        room.forked = true;
        Table::Rooms.put(turn.kv, &at.0, room)?;
        if let Some(evidence) = evidence {
            Table::Evidence.put(turn.kv, &at.0, &evidence)?;
        }
        self.room_changed(turn, at);
        self.notice(turn, at, super::NOBODY, &Notice::Forked)
    }
}
