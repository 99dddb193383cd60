//! What faces see, built from what is stored.

use std::collections::BTreeSet;

use livechat_crypto::kv::{Kv, Order, prefix_end};
use livechat_wire::{AccountId, ConversationId};

use crate::content::passages::Place;
use crate::errors::{StoreError, ViewError};
use crate::records;
use crate::tables::Table;
use crate::timeline::message_key;
use crate::view::{Contact, Conversation, HistoryPage, Message, Person, Standing};
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
        self.history_at(kv, conversation, before.unwrap_or(u64::MAX), limit.max(1), 0)
    }

    /// A page of history around a position: at most so many before it, and so many from it on; [`limits::PAGE`] of
    /// each. `None` when there is no such conversation.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn history_at(
        &self,
        kv: &dyn Kv,
        conversation: ConversationId,
        position: u64,
        older: u32,
        newer: u32,
    ) -> Result<Option<HistoryPage>, ViewError> {
        if !self.conversations.contains_key(&conversation) {
            return Ok(None);
        }
        let [older, newer] = [older, newer].map(|n| n.min(limits::PAGE) as usize);
        let (cut, end) = (message_key(conversation, position), prefix_end(&conversation.0));
        let mut rows: Vec<(_, records::Message)> =
            Table::Messages.range(kv, &conversation.0, &cut, older + 1, Order::Descending)?;
        let more = rows.len() > older;
        rows.truncate(older);
        rows.reverse();
        let mut from = Table::Messages.range(kv, &cut, &end, newer + 1, Order::Ascending)?;
        let is_last = from.len() <= newer;
        from.truncate(newer);
        rows.append(&mut from);
        let mut messages = Vec::new();
        for (row, message) in rows {
            let position = u64::from_be_bytes(Table::Messages.id(&row, conversation.0.len())?);
            messages.push(self.show_message(kv, conversation, position, message)?);
        }
        Ok(Some(HistoryPage { messages, more, newer: !is_last }))
    }

    /// A message as it reads now, if it is there.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn message(&self, kv: &dyn Kv, place: Place) -> Result<Option<Message>, ViewError> {
        Ok(self.message_view(kv, place.conversation, place.position)?)
    }

    /// What a conversation is called, and whether it is a group of many; none when there is no such conversation.
    #[must_use]
    pub fn title(&self, conversation: ConversationId) -> Option<(String, bool)> {
        let known = self.conversations.get(&conversation)?;
        Some(match self.room(conversation) {
            Some(room) => (room.charter.title.clone(), true),
            None => (self.contacts.get(&known.peer).map(|c| c.username.clone()).unwrap_or_default(), false),
        })
    }

    /// Whether nothing of a conversation is to be heard.
    #[must_use]
    pub fn is_blocked(&self, conversation: ConversationId) -> bool {
        self.standing(conversation) == Standing::Blocked
    }

    /// Everybody who has a name here, ourselves first, with how they want to be called besides.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn people(&self, kv: &dyn Kv) -> Result<Vec<(Person, Option<String>)>, ViewError> {
        let own = self.me.as_ref().map(|me| me.identity.account());
        let others: BTreeSet<_> = self.contacts.keys().chain(self.rooms.met()).copied().collect();
        let others = others.into_iter().filter(|account| Some(*account) != own);
        own.into_iter()
            .chain(others)
            .map(|account| {
                let person = Person { account, username: self.name_of(&account) };
                Ok((person, self.display_name_of(kv, account)?))
            })
            .collect()
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
            verified: self.is_verified(kv, account)?,
            new_keys: self.has_new_keys(kv, account)?,
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
        let title = self.title(id).map(|(title, _)| title).unwrap_or_default();
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
