//! Groups as faces see them.

use livechat_crypto::kv::Kv;
use livechat_wire::group::RoomKind;
use livechat_wire::{AccountId, ConversationId};

use super::records::What;
use crate::Engine;
use crate::errors::ViewError;
use crate::view::{Group, GroupMember, Order};

impl Engine {
    /// What a group conversation has beside a direct one; `None` when it is no group.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn group(&self, _kv: &dyn Kv, conversation: ConversationId) -> Result<Option<Group>, ViewError> {
        Ok(self.group_view(conversation))
    }

    pub(crate) fn group_view(&self, at: ConversationId) -> Option<Group> {
        let room = self.room(at).filter(|r| r.charter.kind == RoomKind::Group)?;
        let own = self.me.as_ref()?.identity.account();
        let mut accounts: Vec<AccountId> = room.seats.iter().map(|s| s.member.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let member = |account: AccountId| GroupMember {
            account,
            username: self.name_of(&account),
            role: room.charter.role(&account).into(),
            own: account == own,
        };
        let mut members: Vec<_> = accounts.into_iter().map(member).collect();
        members.sort_by(|a, b| (&a.username, a.account).cmp(&(&b.username, b.account)));
        let drive = self.rooms.drives.get(&at);
        let asked_for = drive.map_or(0, |d| d.wishes.values().filter(|w| asked_for(&w.what)).count());
        let pending = u32::try_from(asked_for).unwrap_or(u32::MAX);
        let asked = pending > 0 || drive.is_some_and(|d| d.read.is_some());
        let unanswered = drive.is_some_and(|d| d.failures > 1);
        Some(Group {
            conversation: at,
            title: room.charter.title.clone(),
            members,
            own_role: room.charter.role(&own).into(),
            standing: room.standing,
            pending,
            waiting: asked && (unanswered || !self.outbox.is_online()),
            order: drive.map_or(Order::Relay, |d| d.order),
            forked: room.forked,
            provisional: drive.map_or(0, |d| u32::try_from(d.unconfirmed.len()).unwrap_or(u32::MAX)),
            open: room.charter.open.is_some(),
            epoch: room.epoch,
            authenticator: room.authenticator.iter().map(|b| format!("{b:02x}")).collect(),
        })
    }

    /// How many accounts are in a group of many.
    pub(crate) fn room_accounts(&self, at: ConversationId) -> Option<Vec<AccountId>> {
        let mut accounts: Vec<AccountId> = self.room(at)?.seats.iter().map(|s| s.member.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        Some(accounts)
    }
}

/// Whether somebody here wants it: new keys and devices are nobody's concern, and who knocks is told.
fn asked_for(what: &What) -> bool {
    !matches!(what, What::Renew | What::Admit(_) | What::Devices | What::Theirs { .. })
}
