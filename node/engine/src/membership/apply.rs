//! Commits taking effect: ours, others', and what follows from them.

use std::collections::BTreeSet;

use livechat_crypto::mls::{Applied, ApplyError, Member};
use livechat_wire::group::Charter;
use livechat_wire::order::Entry;
use livechat_wire::payload::Kind;
use livechat_wire::{AccountId, ConversationId};

use super::broken;
use super::notices::Notice;
use super::records::{Pending, What, Wish};
use super::rewind::Aside;
use crate::errors::HandleError;
use crate::groups::session;
use crate::outbox::Commits;
use crate::tables::{Table, key};
use crate::turn::Turn;
use crate::view::{Membership, Standing};
use crate::{Engine, limits};

impl Engine {
    /// Our staged commit is the first valid one: it takes effect, the others get it with its receipt, the invited
    /// their Welcomes. Without an entry there is nobody else. `aside`: the relay may have another of ours.
    pub(super) fn own_was_first(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        entry: Option<Entry>,
        aside: Option<Aside>,
    ) -> Result<(), HandleError> {
        let missing = || HandleError::Inconsistent("a commit that isn't there");
        let Pending { wishes, invited, shared, .. } = self.drive(at).pending.take().ok_or_else(missing)?;
        Table::Pending.delete(turn.kv, &at.0)?;
        let room = self.room(at).ok_or_else(missing)?;
        let (group, epoch, readers) = (room.group, room.epoch, self.readers(at)?);
        if let Some(entry) = &entry {
            let of = |d: &super::Drive| wishes.iter().filter_map(|n| d.wishes.get(n)).cloned().collect();
            let wanted = self.rooms.drives.get(&at).map(of).unwrap_or_default();
            self.keep_snapshot(turn, at, entry, wanted, aside)?;
        }
        let applied = session(self.me()?, turn.kv, turn.rng, turn.now).merge_staged(&group).map_err(broken)?;
        if let Some(entry) = &entry {
            self.queue_payload(turn, group, epoch, Kind::Commit, &entry.encode(), &readers, None)?;
        }
        let adds = |n: &u64| {
            matches!(
                self.rooms.drives.get(&at).and_then(|d| d.wishes.get(n)),
                Some(Wish { what: What::Add { .. } | What::Admit(_) | What::Devices | What::Theirs { .. }, .. })
            )
        };
        // Adding alone makes no new key.
        if !wishes.iter().all(adds) || !applied.removed.is_empty() {
            self.renewed(turn, at)?;
        }
        for number in wishes {
            self.unwish(turn, at, number)?;
        }
        self.welcome(turn, at, invited, shared)?;
        self.advance(turn, at, epoch, entry, applied)
    }

    /// Judges somebody's commit, the first that isn't refused. `true`: it took effect.
    pub(super) fn judge_entry(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        entry: &Entry,
        from_slot: bool,
    ) -> Result<bool, HandleError> {
        let room = self.room(at).ok_or(HandleError::Inconsistent("a room that isn't there"))?;
        let (group, epoch, readers) = (room.group, room.epoch, self.readers(at)?);
        let mut mls = session(self.me()?, turn.kv, turn.rng, turn.now);
        let keys = mls.order_keys(&group).map_err(broken)?;
        // Kept before, and dropped again if it isn't valid.
        self.keep_snapshot(turn, at, entry, Vec::new(), None)?;
        let mut mls = session(self.me()?, turn.kv, turn.rng, turn.now);
        let applied = match keys.open(&entry.commit) {
            Some(commit) => mls.apply_commit(&group, &commit),
            None => {
                self.settle(turn, at, group, epoch)?;
                self.refuse(turn, at, entry.receipt.index, super::NOBODY)?;
                return Ok(false);
            }
        };
        if !applied.as_ref().is_ok_and(|a| a.room.is_some()) {
            // Nothing to go back from.
            self.settle(turn, at, group, epoch)?;
        }
        match applied {
            Ok(applied) => {
                // Whoever lost a race to it knows it from the slot only; so may its author have died of it.
                if from_slot && applied.room.is_some() && self.standing(self.home(at)) == Standing::Accepted {
                    self.queue_payload(turn, group, epoch, Kind::Commit, &entry.encode(), &readers, None)?;
                }
                // Whoever a deputy takes out may be in again by what the relay has of theirs.
                let provisional = applied.room.is_none() && self.rank(at, &entry.receipt) != Some(0);
                let ours = self.drive(at).pending.take_if(|_| provisional);
                self.drop_pending(turn, at)?;
                self.advance(turn, at, epoch, Some(entry.clone()), applied)?;
                if let Some(ours) = ours {
                    let pending = Pending { wishes: Vec::new(), ..ours };
                    Table::Pending.put(turn.kv, &at.0, &pending)?;
                    self.drive(at).pending = Some(pending);
                }
                Ok(true)
            }
            Err(ApplyError::Invalid { by, .. }) => {
                let author = by.map_or(super::NOBODY, |m| m.account);
                self.refuse(turn, at, entry.receipt.index, author)?;
                Ok(false)
            }
            Err(ApplyError::Own) => Ok(false),
            Err(ApplyError::Store(e)) => Err(broken(e)),
            // Whatever trips the library came from outside: it must not stop the engine.
            Err(_) => {
                self.refuse(turn, at, entry.receipt.index, super::NOBODY)?;
                Ok(false)
            }
        }
    }

    /// A commit that everyone refuses: said once, with the name of its author.
    fn refuse(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        index: u32,
        author: AccountId,
    ) -> Result<(), HandleError> {
        if self.drive(at).refused.insert(index) {
            self.notice(turn, at, author, &Notice::Refused)?;
        }
        Ok(())
    }

    /// Our staged commit has lost: what it was for is wanted still.
    pub(super) fn drop_pending(&mut self, turn: &mut Turn<'_>, at: ConversationId) -> Result<(), HandleError> {
        let Some(pending) = self.drive(at).pending.take() else { return Ok(()) };
        Table::Pending.delete(turn.kv, &at.0)?;
        let group = self.room(at).map(|r| r.group);
        if let Some(group) = group {
            session(self.me()?, turn.kv, turn.rng, turn.now).drop_staged(&group).map_err(broken)?;
        }
        for number in pending.wishes {
            if let Some(wish) = self.drive(at).wishes.get_mut(&number) {
                wish.tries = wish.tries.saturating_add(1);
                let wish = wish.clone();
                Table::Wishes.put(turn.kv, &key(&[&at.0, &number.to_be_bytes()]), &wish)?;
            }
        }
        Ok(())
    }

    /// A commit took effect.
    fn advance(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        epoch: u64,
        entry: Option<Entry>,
        applied: Applied,
    ) -> Result<(), HandleError> {
        let missing = || HandleError::Inconsistent("a room that isn't there");
        let room = self.room(at).ok_or_else(missing)?;
        let (group, before) = (room.group, accounts(room.seats.iter().map(|s| &s.member)));
        if let Some(entry) = &entry {
            Table::Order.put(turn.kv, &key(&[&group.0, &epoch.to_be_bytes()]), &entry.receipt)?;
        }
        let Some(room) = applied.room else {
            let own = self.me()?.identity.account();
            let left = self.drive(at).leaving.contains(&own);
            self.close_room(turn, at, if left { Membership::Left } else { Membership::Removed })?;
            return match left {
                true => self.notice(turn, at, own, &Notice::Left(own)),
                false => self.notice(turn, at, applied.by.account, &Notice::Removed(vec![own])),
            };
        };
        let (after, now) = (room.charter.clone(), accounts(room.seats.iter().map(|s| &s.member)));
        self.renew_room(turn, at, group, room)?;
        let ended = entry.as_ref().map(|e| e.receipt.time);
        // By now the others may have dropped that epoch, although here it has only just ended.
        if entry.is_some_and(|e| e.receipt.time.saturating_add(limits::EPOCH_AGE / 1_000) < turn.seconds()) {
            self.leave_epoch_behind(turn, at, group, epoch, Commits::Stay)?;
        }
        // Those who lost try again one after the other, not all at once.
        let jitter = turn.between(0, limits::BACKOFF_FIRST);
        let drive = self.drive(at);
        (drive.read, drive.shown) = (None, None);
        drive.refused.clear();
        let lost = drive.wishes.values().any(|w| w.tries > 0);
        (drive.due, drive.failures) = (if lost { turn.clock + jitter } else { turn.clock }, 0);
        let by = applied.by.account;
        if !applied.added.is_empty() {
            // They don't know yet how we want to be called.
            self.arrange(turn, self.home(at), |p| p.profile_sent = 0)?;
        }
        let newcomers: Vec<Member> = applied.added.iter().filter(|m| before.contains(&m.account)).cloned().collect();
        if let Some(ended) = ended.filter(|_| !newcomers.is_empty()) {
            self.say_to_newcomers(turn, at, group, &newcomers, ended)?;
        }
        // Somebody's further devices come and go without a word here.
        let (mut added, mut removed) = (accounts(&applied.added), accounts(&applied.removed));
        added.retain(|a| !before.contains(a));
        removed.retain(|a| !now.contains(a));
        if !added.is_empty() {
            self.notice(turn, at, by, &Notice::Added(added))?;
        }
        let (left, removed): (Vec<_>, Vec<_>) =
            removed.into_iter().partition(|a| self.rooms.drives.get(&at).is_some_and(|d| d.leaving.contains(a)));
        for who in &left {
            self.drive(at).leaving.remove(who);
            self.notice(turn, at, *who, &Notice::Left(*who))?;
        }
        if !removed.is_empty() {
            self.notice(turn, at, by, &Notice::Removed(removed.clone()))?;
        }
        let gone: Vec<_> = left.into_iter().chain(removed).collect();
        self.tell_changes(turn, at, by, &applied.before, &after, &gone)
    }

    fn tell_changes(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        by: AccountId,
        before: &Charter,
        after: &Charter,
        gone: &[AccountId],
    ) -> Result<(), HandleError> {
        if before.title != after.title {
            self.notice(turn, at, by, &Notice::Title(after.title.clone()))?;
        }
        if before.timer != after.timer {
            self.notice(turn, at, by, &Notice::Timer(after.timer))?;
        }
        let mut named: Vec<_> = before.roles.keys().chain(after.roles.keys()).copied().collect();
        named.sort_unstable();
        named.dedup();
        for account in named.into_iter().filter(|a| !gone.contains(a)) {
            if before.role(&account) != after.role(&account) {
                self.notice(turn, at, by, &Notice::Role(account, after.role(&account)))?;
            }
        }
        Ok(())
    }
}

/// Whose these devices are, each account once.
fn accounts<'a>(members: impl IntoIterator<Item = &'a Member>) -> Vec<AccountId> {
    let accounts: BTreeSet<_> = members.into_iter().map(|m| m.account).collect();
    accounts.into_iter().collect()
}
