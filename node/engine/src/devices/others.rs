//! Devices of others in rooms with us: when their own don't see to it that a room holds those that the account's
//! log names and no others, whoever notices does. Each waits a random time, so that one of them does it.

use std::collections::{BTreeMap, BTreeSet};

use livechat_crypto::kv::Kv;
use livechat_crypto::mls::GroupId;
use livechat_wire::account::{AccountLog, Statement};
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::group::RoomKind;
use livechat_wire::{AccountId, ConversationId, DecodeError, limits as wire};

use super::rooms::Amiss;
use crate::errors::{HandleError, StoreError};
use crate::membership::records::{Room, What};
use crate::membership::{RoomId, room_of};
use crate::tables::{Stored, Table};
use crate::turn::Turn;
use crate::view::{Membership, Standing};
use crate::{Engine, limits};

/// What is known and under way about devices of others.
#[derive(Default)]
pub(super) struct Others {
    /// Logs of those who are in groups with us and no contacts.
    logs: BTreeMap<AccountId, AccountLog>,
    /// When this device sees to it, if nobody has by then.
    due: BTreeMap<(RoomId, AccountId), u64>,
}

impl Others {
    pub fn wake(&self) -> Option<u64> {
        self.due.values().min().copied()
    }
}

impl Stored for AccountLog {
    fn write(&self, w: &mut Writer) {
        w.bytes(&self.encode());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode(r.bytes(wire::LOG, "account log")?)
    }
}

impl Engine {
    pub(super) fn open_others(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        Table::Logs.each(kv, |key, log: AccountLog| {
            self.devices.others.logs.insert(AccountId(Table::Logs.id(key, 0)?), log);
            Ok(())
        })
    }

    /// The newest log of an account that was seen here.
    pub(crate) fn known_log(&self, account: &AccountId) -> Option<&AccountLog> {
        if let Some(me) = self.me.as_ref().filter(|me| me.identity.account() == *account) {
            return Some(&me.log);
        }
        let met = self.devices.others.logs.get(account);
        match self.contacts.get(account).map(|c| &c.log) {
            Some(pinned) => Some(met.filter(|log| pinned.is_prefix_of(log)).unwrap_or(pinned)),
            None => met,
        }
    }

    /// Somebody's log, as a device carries it that is in a room with us.
    pub(crate) fn met_log(&mut self, turn: &mut Turn<'_>, log: &AccountLog) -> Result<(), HandleError> {
        let account = log.account();
        if self.known_log(&account).is_some_and(|known| *known == *log || !known.is_prefix_of(log)) {
            return Ok(());
        }
        Table::Logs.put(turn.kv, &account.0, log)?;
        self.devices.others.logs.insert(account, log.clone());
        self.look_at_rooms_with(account);
        Ok(())
    }

    /// What an account's log says of its devices changed: every room with it is looked at.
    pub(crate) fn look_at_rooms_with(&mut self, account: AccountId) {
        let with = |room: &Room| room.seats.iter().any(|s| s.member.account == account);
        let rooms = self.rooms.rooms.iter().filter(|(_, room)| with(room)).map(|(at, _)| *at);
        self.devices.rooms.extend(rooms);
    }

    /// Notes when this device sees to devices of others in a room that changed, or about which something was learned.
    pub(super) fn mind_others(&mut self, turn: &mut Turn<'_>, at: RoomId) -> Result<(), HandleError> {
        let amiss = self.amiss_others(at);
        self.devices.others.due.retain(|(room, account), _| *room != at || amiss.contains(account));
        for account in amiss {
            if !self.devices.others.due.contains_key(&(at, account)) {
                let due = self.due_for_others(turn, at, &account);
                self.devices.others.due.insert((at, account), due);
            }
        }
        Ok(())
    }

    /// Whose devices in a room aren't those that their log names. Nobody learns by it that we are there.
    fn amiss_others(&self, at: RoomId) -> BTreeSet<AccountId> {
        let Some(room) = self.room(at).filter(|r| r.standing == Membership::Joined) else { return BTreeSet::new() };
        let Some(me) = self.me.as_ref().filter(|_| self.standing(self.home(at)) == Standing::Accepted) else {
            return BTreeSet::new();
        };
        let own = me.identity.account();
        let accounts: BTreeSet<AccountId> = room.seats.iter().map(|s| s.member.account).filter(|a| *a != own).collect();
        accounts.into_iter().filter(|a| !self.amiss_of(room, a).is_nothing()).collect()
    }

    /// What is amiss with an account's leaves in a room, as far as we know its log.
    pub(crate) fn amiss_of(&self, room: &Room, account: &AccountId) -> Amiss {
        self.known_log(account).map(|log| Amiss::of(room, log)).unwrap_or_default()
    }

    /// In a direct chat somebody waits for an answer; in a group the account's own devices are left some hours.
    fn due_for_others(&self, turn: &mut Turn<'_>, at: RoomId, account: &AccountId) -> u64 {
        if self.room(at).is_some_and(|r| r.charter.kind == RoomKind::Direct) {
            return turn.clock + turn.between(limits::DEVICE_SPREAD, limits::OTHERS_DIRECT);
        }
        let changes = |s: &Statement| matches!(s, Statement::AddDevice { .. } | Statement::RevokeDevice { .. });
        let entries = self.known_log(account).into_iter().flat_map(AccountLog::entries);
        let since = entries.filter(|e| changes(&e.statement)).map(|e| e.time).max().unwrap_or(0).saturating_mul(1_000);
        let left = since.saturating_add(limits::OTHERS_GROUP).saturating_sub(turn.now).min(limits::OTHERS_GROUP);
        turn.clock + left + turn.between(0, limits::OTHERS_SPREAD)
    }

    /// Wishes what is due.
    pub(super) fn see_to_others(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let due = self.devices.others.due.iter().filter(|(_, due)| **due <= turn.clock).map(|(of, _)| *of);
        for (at, account) in due.collect::<Vec<_>>() {
            self.devices.others.due.remove(&(at, account));
            if self.amiss_others(at).contains(&account) && self.wish(turn, at, What::Theirs { account })?.is_some() {
                let drive = self.drive(at);
                drive.due = drive.due.min(turn.clock);
            }
        }
        Ok(())
    }

    /// How far a room is from holding the devices of all who are in it and no others: first, how many are there that
    /// speak for nobody any more, then, how many are missing.
    pub(crate) fn distance(&self, group: &GroupId) -> (usize, usize) {
        let Some(room) = self.room(room_of(group)).filter(|r| r.standing == Membership::Joined) else {
            return (usize::MAX, usize::MAX);
        };
        let accounts: BTreeSet<AccountId> = room.seats.iter().map(|s| s.member.account).collect();
        accounts
            .iter()
            .map(|a| self.amiss_of(room, a))
            .fold((0, 0), |(leftover, missing), amiss| (leftover + amiss.leftover.len(), missing + amiss.missing.len()))
    }

    /// A direct chat's rooms, or what is known of its devices, changed: what waits to be heard in one room is said in
    /// another that more hear.
    pub(super) fn mind_direct(&mut self, turn: &mut Turn<'_>, at: RoomId) -> Result<(), HandleError> {
        let home: ConversationId = self.home(at);
        if self.conversations.get(&home).is_some_and(|c| c.groups.len() > 1) {
            self.choose_group(turn, home)?;
        }
        Ok(())
    }
}
