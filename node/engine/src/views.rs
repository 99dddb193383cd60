//! What faces see, built from what is stored.

use livechat_crypto::kv::{Kv, Order};
use livechat_wire::{AccountId, ConversationId};

use crate::errors::{StoreError, ViewError};
use crate::records;
use crate::tables::Table;
use crate::timeline::message_key;
use crate::view::{Contact, Conversation, HistoryPage, Message};
use crate::{Engine, limits};

impl Engine {
    /// Everyone we can write to, by name.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn contacts(&self, kv: &dyn Kv) -> Result<Vec<Contact>, ViewError> {
        let mut contacts = Vec::new();
        for account in self.contacts.keys() {
            contacts.extend(self.contact_view(kv, *account)?);
        }
        contacts.sort_by(|a, b| (&a.username, a.account).cmp(&(&b.username, b.account)));
        Ok(contacts)
    }

    /// All conversations, pinned ones first, then latest first.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn conversations(&self, kv: &dyn Kv) -> Result<Vec<Conversation>, ViewError> {
        let pinned = |id| self.personal(id).pinned;
        let mut ids: Vec<_> = self.conversations.iter().map(|(id, c)| ((pinned(*id), c.activity), *id)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let mut views = Vec::new();
        for (_, id) in ids {
            views.extend(self.conversation_view(kv, id)?);
        }
        Ok(views)
    }

    /// A page of history: the `limit` messages (at most [`limits::PAGE`]) before a position, or the newest. `None`
    /// when there is no such conversation.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn history(
        &self,
        kv: &dyn Kv,
        conversation: ConversationId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Option<HistoryPage>, ViewError> {
        if !self.conversations.contains_key(&conversation) {
            return Ok(None);
        }
        let end = message_key(conversation, before.unwrap_or(u64::MAX));
        let limit = limit.clamp(1, limits::PAGE) as usize;
        let rows: Vec<(_, records::Message)> =
            Table::Messages.range(kv, &conversation.0, &end, limit + 1, Order::Descending)?;
        let more = rows.len() > limit;
        let mut messages = Vec::new();
        for (row, message) in rows.into_iter().take(limit) {
            let position = u64::from_be_bytes(Table::Messages.id(&row, conversation.0.len())?);
            messages.push(self.show_message(kv, conversation, position, message)?);
        }
        messages.reverse();
        Ok(Some(HistoryPage { messages, more }))
    }

    pub(crate) fn contact_view(&self, kv: &dyn Kv, account: AccountId) -> Result<Option<Contact>, StoreError> {
        let (Some(me), Some(contact)) = (&self.me, self.contacts.get(&account)) else { return Ok(None) };
        let conversation = ConversationId::direct(&me.identity.account(), &account);
        Ok(Some(Contact {
            account,
            username: contact.username.clone(),
            conversation,
            safety_number: contact.safety_number.clone(),
            display_name: self.display_name_of(kv, account)?,
            standing: self.standing(conversation),
        }))
    }

    pub(crate) fn conversation_view(
        &self,
        kv: &dyn Kv,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        let Some(conversation) = self.conversations.get(&id) else { return Ok(None) };
        let last = match conversation.last {
            Some(position) => self.message_view(kv, id, position)?,
            None => None,
        };
        let title = match self.room(id) {
            Some(room) => room.charter.title.clone(),
            None => self.contacts.get(&conversation.peer).map(|c| c.username.clone()).unwrap_or_default(),
        };
        self.line(kv, id, title, last, conversation.unread).map(Some)
    }

    pub(crate) fn message_view(
        &self,
        kv: &dyn Kv,
        conversation: ConversationId,
        position: u64,
    ) -> Result<Option<Message>, StoreError> {
        let message = Table::Messages.get(kv, &message_key(conversation, position))?;
        message.map(|m| self.show_message(kv, conversation, position, m)).transpose()
    }
}
