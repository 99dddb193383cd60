//! Rooms: who is in them, what they are called, and how that changes (PROTOCOL R-60 …, R-70 …).
//!
//! Every MLS group is a room, and each is driven on its own: a group of many is one conversation and one room, a direct
//! chat has a room for each time that it was begun.
//!
//! ```text
//! command ─► wish ─► (directory) ─► staged commit ─► append(slot) ─► receipt
//!                ▲                                     index 0 │        │ index > 0: read the slot
//!                │                                             ▼        ▼
//!                └── again, on the new epoch ◄── somebody's valid commit was first
//!                                               ours was: merged, published to the group, Welcomes sent
//! ```
//! Wishes and the staged commit are stored: a crash anywhere goes on where it was. What members send each other is the
//! commit as the sequencer has it, with its receipt, in the envelopes of the epoch that it ends. A commit at index 0
//! is judged at once; for any other the slot is read, and the first valid one counts. While the sequencer is away
//! nothing here stands in the way of talking.

mod apply;
mod deputies;
mod doors;
pub(crate) mod joining;
mod notices;
mod order;
mod publish;
pub(crate) mod records;
mod renewal;
mod rewind;
mod said;
mod stage;
mod views;
pub(crate) mod welcomes;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use livechat_crypto::door::DoorKeys;
use livechat_crypto::kv::Kv;
use livechat_crypto::mls;
use livechat_wire::account::AccountLog;
use livechat_wire::group::{MemberRecord, RoomKind};
use livechat_wire::{AccountId, BlobId, ConversationId, limits as wire};

use joining::Joining;
pub(crate) use notices::{KIND as NOTICE, Notice};
use records::{Name, OwnLink, Pending, Room, Said, Seat, Wish};
use renewal::Renewal;
use welcomes::Due;

use crate::contacts::unproven;
use crate::directory::Found;
use crate::errors::{CommandError, HandleError, StoreError};
use crate::groups::{Group, session};
use crate::outbox::Commits;
use crate::records::{self as kept, Conversation, Epoch};
use crate::tables::Table;
use crate::turn::Turn;
use crate::view::{Membership, Order};
use crate::{Engine, Me, limits};

/// Who stands in the peer's place of a group's conversation.
pub(crate) const NOBODY: AccountId = AccountId([0; 32]);

/// Names a room: the conversation that its MLS group is when it stands alone. Those of a direct chat belong to another
/// conversation ([`Engine::home`]).
pub(crate) type RoomId = ConversationId;

/// The name of the room that a group is.
pub(crate) fn room_of(group: &mls::GroupId) -> RoomId {
    ConversationId::group(&group.0)
}

/// All rooms.
#[derive(Default)]
pub(crate) struct Rooms {
    pub rooms: BTreeMap<RoomId, Room>,
    drives: BTreeMap<RoomId, Drive>,
    names: BTreeMap<AccountId, String>,
    /// Links made here, by door.
    links: BTreeMap<[u8; 32], OwnLink>,
    /// Doors of open groups, which we hear.
    open: BTreeMap<ConversationId, DoorKeys>,
    /// Doors at which we knocked.
    joinings: BTreeMap<[u8; 32], Joining>,
    /// Files that are on their way, and when they are asked about.
    departing: BTreeMap<BlobId, Due>,
    arriving: BTreeMap<BlobId, Due>,
    /// What is to be said again before this call ends.
    again: Vec<(RoomId, Said)>,
    /// Since when the relay can't be reached.
    offline_since: Option<u64>,
    /// Groups of many that changed in this call.
    changed: BTreeSet<ConversationId>,
}

/// What is under way in a room.
#[derive(Default)]
pub(crate) struct Drive {
    wishes: BTreeMap<u64, Wish>,
    pending: Option<Pending>,
    /// Nothing is done before.
    pub(crate) due: u64,
    failures: u32,
    /// Directory entries for those to be added, or why there is none.
    found: BTreeMap<String, Result<Found, CommandError>>,
    looking: BTreeSet<String>,
    /// The slot is to be read from here on.
    read: Option<u32>,
    /// A member showed a commit at this index: the slot must have it.
    shown: Option<u32>,
    /// Indices of the slot whose commits are refused.
    refused: BTreeSet<u32>,
    /// Who asked to be removed.
    leaving: BTreeSet<AccountId>,
    /// Since when the order service has not answered.
    unanswered_since: Option<u64>,
    /// Epochs that ended without the relay.
    unconfirmed: BTreeMap<u64, rewind::Unconfirmed>,
    /// This device doesn't stand in for the relay before.
    deputy_due: u64,
    /// Who put changes in order when that was last shown.
    order: Order,
    /// Wishes that wait for others to fulfil them first.
    pub(crate) not_before: BTreeMap<u64, u64>,
    /// How often devices of ours had published nothing to take them in with.
    unready: u32,
    renewal: Renewal,
}

impl Drive {
    fn busy(&self) -> bool {
        self.pending.is_some() || self.read.is_some() || (!self.wishes.is_empty() && self.looking.is_empty())
    }
}

impl Rooms {
    /// When something is due.
    pub fn wake(&self, online: bool) -> Option<u64> {
        let joined = |at: &ConversationId| self.rooms.get(at).is_some_and(|r| r.standing == Membership::Joined);
        let drives = self.drives.iter().filter(|(at, d)| online && d.busy() && joined(at));
        let knocks = self.joinings.values().filter(|j| online && j.is_busy()).map(|j| j.due);
        drives.map(|(_, d)| d.due).chain(knocks).min()
    }

    /// Everybody who is or was in a group with us.
    pub fn met(&self) -> impl Iterator<Item = &AccountId> {
        self.names.keys()
    }

    /// The relay came: whatever waited is tried at once.
    pub fn online(&mut self) {
        for drive in self.drives.values_mut() {
            (drive.due, drive.failures, drive.unanswered_since, drive.deputy_due) = (0, 0, None, 0);
            drive.found.retain(|_, found| found.is_ok());
            drive.looking.clear();
        }
        for joining in self.joinings.values_mut() {
            (joining.due, joining.failures) = (0, 0);
        }
        for due in self.departing.values_mut().chain(self.arriving.values_mut()) {
            *due = Due::default();
        }
    }
}

/// What our leaves say about us.
pub(crate) fn member_record(me: &Me) -> MemberRecord {
    MemberRecord { log: me.log.encode(), bucket_seed: me.identity.bundle(0).bucket_seed }
}

/// Whether our log fits a leaf.
pub(crate) fn can_join(me: &Me) -> bool {
    me.log.encode().len() <= wire::MEMBER_LOG
}

fn broken(e: impl std::error::Error + Send + Sync + 'static) -> HandleError {
    HandleError::Mls(Box::new(e))
}

impl Engine {
    pub(crate) fn open_rooms(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        Table::Rooms.each(kv, |key, room: Room| {
            self.rooms.rooms.insert(ConversationId(Table::Rooms.id(key, 0)?), room);
            Ok(())
        })?;
        let rooms: Vec<_> = self.rooms.rooms.keys().copied().collect();
        for at in rooms {
            self.mind_door(at);
        }
        Table::Snapshots.each(kv, |key, kept: records::Snapshot| {
            let group = mls::GroupId(Table::Snapshots.id(key, 0)?);
            let epoch = u64::from_be_bytes(Table::Snapshots.id(key, group.0.len())?);
            let at = ConversationId::group(&group.0);
            let (slot, commit) = (kept.entry.receipt.slot, kept.entry.commit.clone());
            let (taken, kept) = (kept.taken, kept.mls.is_some());
            let it = rewind::Unconfirmed { slot, commit, taken, kept, due: 0, read: None };
            self.rooms.drives.entry(at).or_default().unconfirmed.insert(epoch, it);
            Ok(())
        })?;
        self.open_welcomes(kv)?;
        Table::Links.each(kv, |key, link: OwnLink| {
            self.rooms.links.insert(Table::Links.id(key, 0)?, link);
            Ok(())
        })?;
        Table::Joinings.each(kv, |key, joining: Joining| {
            self.rooms.joinings.insert(Table::Joinings.id(key, 0)?, joining);
            Ok(())
        })?;
        Table::Names.each(kv, |key, name: Name| {
            self.rooms.names.insert(AccountId(Table::Names.id(key, 0)?), name.0);
            Ok(())
        })?;
        Table::Wishes.each(kv, |key, wish: Wish| {
            let at = ConversationId(Table::Wishes.id(key, 0)?);
            let number = u64::from_be_bytes(Table::Wishes.id(key, at.0.len())?);
            self.rooms.drives.entry(at).or_default().wishes.insert(number, wish);
            Ok(())
        })?;
        Table::Pending.each(kv, |key, pending: Pending| {
            let at = ConversationId(Table::Pending.id(key, 0)?);
            self.rooms.drives.entry(at).or_default().pending = Some(pending);
            Ok(())
        })?;
        Table::Renewals.each(kv, |key, renewal: Renewal| {
            let at = ConversationId(Table::Renewals.id(key, 0)?);
            self.rooms.drives.entry(at).or_default().renewal = renewal;
            Ok(())
        })
    }

    /// The room of this name; so the one of a group of many, and none of a direct chat, whose rooms have other names.
    pub(crate) fn room(&self, at: RoomId) -> Option<&Room> {
        self.rooms.rooms.get(&at)
    }

    /// The conversation that a room belongs to.
    pub(crate) fn home(&self, room: RoomId) -> ConversationId {
        let group = self.room(room).and_then(|r| self.groups.get(&r.group));
        group.map_or(room, |g| g.record.conversation)
    }

    /// Whether this is a group that we are no longer in.
    pub(crate) fn is_closed(&self, at: ConversationId) -> bool {
        self.room(at).is_some_and(|r| r.standing != Membership::Joined)
    }

    /// What somebody is called: contacts by the name we know them by, others by their account log, and nobody by the
    /// name of somebody else whom we know.
    pub(crate) fn name_of(&self, account: &AccountId) -> String {
        match &self.me {
            Some(me) if me.identity.account() == *account => return me.username.clone(),
            _ => {}
        }
        if let Some(contact) = self.contacts.get(account) {
            return contact.username.clone();
        }
        match self.rooms.names.get(account) {
            Some(name) if self.contact_named(name).is_none() && !self.is_own_name(name) => name.clone(),
            Some(_) => unproven(*account),
            None => String::new(),
        }
    }

    pub(crate) fn is_own_name(&self, name: &str) -> bool {
        self.me.as_ref().is_some_and(|me| crate::contacts::same_name(&me.username, name))
    }

    /// Makes a room a conversation, new or come back to, or part of the direct chat with the other person. `by` brought
    /// us in.
    pub(crate) fn enter_room(
        &mut self,
        turn: &mut Turn<'_>,
        group: mls::GroupId,
        room: mls::Room,
        by: AccountId,
    ) -> Result<ConversationId, HandleError> {
        let at = room_of(&group);
        let own = self.me()?.identity.account();
        let (home, peer) = match room.charter.kind {
            RoomKind::Group => (at, NOBODY),
            RoomKind::Direct => {
                let other = room.seats.iter().map(|s| s.member.account).find(|a| *a != own);
                let other = other.ok_or(HandleError::Inconsistent("a direct chat with nobody"))?;
                (ConversationId::direct(&own, &other), other)
            }
        };
        if let Some(old) = self.groups.get(&group) {
            let epochs: Vec<u64> = old.record.epochs.iter().map(|e| e.number).collect();
            for epoch in epochs {
                self.outbox.drop_epoch(turn, group, epoch, Commits::Go)?;
                self.close_streams(turn, group, epoch)?;
            }
        }
        let first = if self.me()?.is_first_device() { 1 } else { limits::FIRST_PLACE_LATER };
        let record = kept::Group { conversation: home, epochs: Vec::new(), unconfirmed: 0 };
        self.groups.insert(group, Group::new(record));
        let conversation = self.conversations.entry(home).or_insert_with(|| Conversation {
            peer,
            groups: Vec::new(),
            sending: group,
            next: first,
            last: None,
            unread: 0,
            activity: turn.now,
            own_head: None,
            other_head: None,
        });
        if !conversation.groups.contains(&group) {
            conversation.groups.push(group);
        }
        Table::Conversations.put(turn.kv, &home.0, conversation)?;
        turn.touched.insert(home);
        let (kind, title) = (room.charter.kind, room.charter.title.clone());
        self.rooms.drives.insert(at, Drive::default());
        Table::Pending.delete(turn.kv, &at.0)?;
        self.renewed(turn, at)?;
        self.renew_room(turn, at, group, room)?;
        if kind == RoomKind::Group {
            self.notice(turn, at, by, &Notice::Joined { title })?;
        }
        Ok(home)
    }

    /// Takes over what a group is now, and begins to expect the envelopes of its new epoch.
    fn renew_room(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        group: mls::GroupId,
        room: mls::Room,
    ) -> Result<(), HandleError> {
        let me = self.me()?;
        let secret = session(me, turn.kv, turn.rng, turn.now).envelope_secret(&group).map_err(broken)?;
        let own = me.identity.account();
        let relay = me.relay;
        // Somebody's devices may carry logs of different lengths: the longest knows the name.
        let mut newest: BTreeMap<AccountId, AccountLog> = BTreeMap::new();
        for seat in &room.seats {
            self.follow_log(turn, &seat.log)?;
            let kept = newest.entry(seat.member.account).or_insert_with(|| seat.log.clone());
            if kept.is_prefix_of(&seat.log) {
                *kept = seat.log.clone();
            }
        }
        let mut seats = Vec::new();
        for seat in room.seats {
            let account = seat.member.account;
            let log = newest.get(&account).unwrap_or(&seat.log);
            let name = shown_name(log, relay);
            if account != own && self.rooms.names.get(&account) != Some(&name) {
                Table::Names.put(turn.kv, &account.0, &Name(name.clone()))?;
                self.rooms.names.insert(account, name.clone());
            }
            let here = log.name().is_some_and(|(_, at)| at == relay);
            seats.push(Seat { member: seat.member, name, here, bucket_seed: seat.bucket_seed });
        }
        self.tell_names(turn, at, &seats)?;
        let epoch = Epoch {
            number: secret.epoch,
            own_leaf: secret.own_leaf,
            leaves: secret.leaves.clone(),
            secret: secret.secret.clone(),
            since: turn.clock,
            counter: 0,
        };
        let rewinds_to = self.rewinds_to(at);
        let live = self.groups.get_mut(&group).ok_or(HandleError::Inconsistent("a group that isn't there"))?;
        let dropped = live.push_epoch(epoch, turn.clock, rewinds_to);
        Table::Groups.put(turn.kv, &group.0, &live.record)?;
        let forked = self.room(at).is_some_and(|r| r.forked);
        let room = Room {
            group,
            standing: Membership::Joined,
            epoch: room.epoch,
            authenticator: room.authenticator,
            charter: room.charter,
            seats,
            forked,
        };
        Table::Rooms.put(turn.kv, &at.0, &room)?;
        self.rooms.rooms.insert(at, room);
        self.mind_door(at);
        for epoch in dropped {
            self.leave_epoch_behind(turn, at, group, epoch.number, Commits::Outlive(&epoch))?;
            self.close_streams(turn, group, epoch.number)?;
        }
        for leaf in secret.leaves.iter().copied().filter(|l| *l != secret.own_leaf) {
            self.open_stream(turn, crate::groups::StreamKey { group, epoch: secret.epoch, leaf })?;
        }
        self.look_at_room(at);
        self.room_changed(turn, at);
        Ok(())
    }

    /// Members of a group who are called otherwise than before.
    fn tell_names(&mut self, turn: &mut Turn<'_>, at: RoomId, seats: &[Seat]) -> Result<(), HandleError> {
        let own = self.me()?.identity.account();
        let Some(room) = self.room(at).filter(|r| r.charter.kind == RoomKind::Group) else { return Ok(()) };
        let mut told: BTreeMap<AccountId, (String, String)> = BTreeMap::new();
        for seat in seats.iter().filter(|s| s.member.account != own) {
            let before = room.seats.iter().find(|b| b.member.account == seat.member.account);
            if let Some(before) = before.filter(|b| b.name != seat.name) {
                told.insert(seat.member.account, (before.name.clone(), seat.name.clone()));
            }
        }
        for (account, (was, now)) in told {
            self.notice(turn, at, account, &Notice::Renamed { was, now })?;
        }
        Ok(())
    }

    /// Something that faces show of a group changed. Of what changes in a direct chat they show nothing.
    pub(crate) fn room_changed(&mut self, turn: &mut Turn<'_>, at: RoomId) {
        if self.room(at).is_some_and(|r| r.charter.kind == RoomKind::Group) {
            self.rooms.changed.insert(at);
            turn.touched.insert(at);
        }
    }

    /// A contact's log goes on, or ours: a device that is in a room with us carries it.
    fn follow_log(&mut self, turn: &mut Turn<'_>, log: &AccountLog) -> Result<(), HandleError> {
        let account = log.account();
        if account == self.me()?.identity.account() {
            return self.own_log(turn, log).map(|_| ());
        }
        let Some(contact) = self.contacts.get_mut(&account) else { return self.met_log(turn, log) };
        if contact.log != *log && contact.log.is_prefix_of(log) {
            let before = std::mem::replace(&mut contact.log, log.clone());
            Table::Contacts.put(turn.kv, &account.0, contact)?;
            self.tell_devices(turn, account, &before, log)?;
            self.follow_name(turn, account, &before, log)?;
            self.look_at_rooms_with(account);
        }
        Ok(())
    }

    /// What was changed since the last call of this.
    pub(crate) fn changed_rooms(&mut self) -> BTreeSet<ConversationId> {
        std::mem::take(&mut self.rooms.changed)
    }
}

/// `name` at our relay, `name@relay` elsewhere.
fn shown_name(log: &AccountLog, own: livechat_wire::RelayId) -> String {
    match log.name() {
        Some((name, relay)) if relay == own => name.to_owned(),
        Some((name, relay)) => {
            let mut relay = relay.to_string();
            relay.truncate(8);
            let mut name = name.to_owned();
            while name.len() + 1 + relay.len() > wire::USERNAME {
                name.pop();
            }
            format!("{name}@{relay}")
        }
        None => unproven(log.account()),
    }
}

#[cfg(test)]
mod tests;

/// Pause after so many failures.
pub(crate) fn pause(failures: u32) -> u64 {
    limits::VERDICT.checked_shl(failures).unwrap_or(limits::BACKOFF_MAX).min(limits::BACKOFF_MAX)
}
