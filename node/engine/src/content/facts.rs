//! Facts about messages: who may state them, and what they change.

use livechat_crypto::kv::{Kv, Order, prefix_end};
use livechat_wire::content::{Body, Target};
use livechat_wire::{AccountId, ConversationId, MessageId};

use super::clear;
use super::records::{Edit, Profile, Reactions, Stamp, Timer};
use crate::errors::{HandleError, StoreError};
use crate::records::{GONE, Message};
use crate::tables::{Table, key};
use crate::timeline::message_key;
use crate::turn::Turn;
use crate::{Engine, limits};

/// Something somebody says about a message.
pub(super) struct Fact {
    /// Of the content that says so.
    pub id: MessageId,
    pub sent_at: u64,
    /// An edit, a deletion or reactions.
    pub body: Body,
}

impl Fact {
    fn target(&self) -> Option<Target> {
        match &self.body {
            Body::Edit(edit) => Some(edit.target),
            Body::Delete(target) => Some(*target),
            Body::Reactions(reactions) => Some(reactions.target),
            _ => None,
        }
    }

    /// Whether only the author of the target may say so.
    fn is_the_authors(&self) -> bool {
        matches!(self.body, Body::Edit(_) | Body::Delete(_))
    }
}

impl Engine {
    /// Takes a fact, ours or another's, whatever it speaks about being here or not.
    pub(super) fn take_fact(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        sender: AccountId,
        fact: Fact,
    ) -> Result<(), HandleError> {
        let Some(target) = fact.target() else { return Ok(()) };
        #[cfg(feature = "sabotage")]
        let any_author = self.sabotage.any_author;
        #[cfg(not(feature = "sabotage"))]
        let any_author = false;
        if fact.is_the_authors() && target.author != sender && !any_author {
            self.refused.foreign_changes += 1;
            return Ok(());
        }
        match self.position_of(turn, at, target.id, target.author)? {
            Some(position) => self.apply_fact(turn, at, position, sender, fact),
            None => self.keep_early(turn, at, sender, target, fact),
        }
    }

    /// Applies a fact whose sender was checked. What is withdrawn or disappeared is changed by nothing any more.
    pub(super) fn apply_fact(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        sender: AccountId,
        fact: Fact,
    ) -> Result<(), HandleError> {
        let place = message_key(at, position);
        let Some(message) = Table::Messages.get::<Message>(turn.kv, &place)? else { return Ok(()) };
        if message.body == GONE {
            return Ok(());
        }
        match fact.body {
            Body::Edit(edit) => {
                if !matches!(message.body, Body::Text(_) | Body::Post(_)) {
                    self.refused.malformed += 1;
                    return Ok(());
                }
                let row = key(&[&place, &edit.revision.to_be_bytes(), &fact.id.0]);
                Table::Edits.put(turn.kv, &row, &Edit { sent_at: fact.sent_at, text: edit.text })?;
                let rows = Table::Edits.keys(turn.kv, &place, limits::EDITS + 1, Order::Ascending)?;
                if let Some(lowest) = rows.first().filter(|_| rows.len() > limits::EDITS) {
                    Table::Edits.delete(turn.kv, lowest)?;
                }
            }
            Body::Delete(_) => {
                clear(Table::Edits, turn.kv, &place)?;
                clear(Table::Reactions, turn.kv, &place)?;
                self.stop_expiry(turn, at, position)?;
                self.unsay(turn, at, position, Target { author: message.author, id: message.id })?;
                self.uncount_file(turn, at, position, &message, true)?;
                Table::Messages.put(turn.kv, &place, &Message { body: GONE, ..message })?;
            }
            Body::Reactions(reactions) => {
                let stamp = Stamp { revision: reactions.revision, id: fact.id };
                let row = key(&[&place, &sender.0]);
                let before: Option<Reactions> = Table::Reactions.get(turn.kv, &row)?;
                if before.is_some_and(|b| b.stamp >= stamp) {
                    return Ok(());
                }
                Table::Reactions.put(turn.kv, &row, &Reactions { stamp, emoji: reactions.emoji })?;
            }
            _ => return Ok(()),
        }
        self.message_changed(turn, at, position);
        if Table::Unread.get::<MessageId>(turn.kv, &place)?.is_some() {
            // It may call us now, or no more.
            turn.touched.insert(at);
        }
        Ok(())
    }

    pub(super) fn message_changed(&self, turn: &mut Turn<'_>, at: ConversationId, position: u64) {
        turn.changed.insert((at, position));
        if self.conversations.get(&at).is_some_and(|c| c.last == Some(position)) {
            turn.touched.insert(at);
        }
    }

    /// After how many seconds messages of a conversation disappear; 0: they stay. A group's charter says it.
    pub(super) fn timer(&self, kv: &dyn Kv, at: ConversationId) -> Result<u32, StoreError> {
        if let Some(room) = self.room(at) {
            return Ok(room.charter.timer);
        }
        Ok(Table::Timers.get(kv, &at.0)?.map_or(0, |t: Timer| t.seconds))
    }

    pub(super) fn take_timer(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        stamp: Stamp,
        seconds: u32,
    ) -> Result<(), HandleError> {
        let before: Option<Timer> = Table::Timers.get(turn.kv, &at.0)?;
        if before.is_none_or(|b| b.stamp < stamp) {
            Table::Timers.put(turn.kv, &at.0, &Timer { stamp, seconds })?;
            turn.touched.insert(at);
        }
        Ok(())
    }

    pub(super) fn take_profile(
        &mut self,
        turn: &mut Turn<'_>,
        of: AccountId,
        id: MessageId,
        revision: u32,
        name: String,
    ) -> Result<(), HandleError> {
        let stamp = Stamp { revision, id };
        let before: Option<Profile> = Table::Profiles.get(turn.kv, &of.0)?;
        if before.is_none_or(|b| b.stamp < stamp) {
            Table::Profiles.put(turn.kv, &of.0, &Profile { stamp, name })?;
            turn.touched.extend(self.direct_with(of));
        }
        Ok(())
    }

    /// Removes a message from this device, as if it had never been here; its id stays known, so that it doesn't come
    /// back.
    pub(super) fn remove_message(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
    ) -> Result<(), HandleError> {
        let place = message_key(at, position);
        let Some(message) = Table::Messages.get::<Message>(turn.kv, &place)? else { return Ok(()) };
        clear(Table::Edits, turn.kv, &place)?;
        clear(Table::Reactions, turn.kv, &place)?;
        clear(Table::Reached, turn.kv, &place)?;
        self.stop_expiry(turn, at, position)?;
        self.unsay(turn, at, position, Target { author: message.author, id: message.id })?;
        self.uncount_file(turn, at, position, &message, false)?;
        Table::Messages.delete(turn.kv, &place)?;
        let unread = Table::Unread.get::<MessageId>(turn.kv, &place)?.is_some();
        Table::Unread.delete(turn.kv, &place)?;
        let last = Table::Messages.keys_between(turn.kv, &at.0, &prefix_end(&at.0), 1, Order::Descending)?;
        let last = last.first().map(|row| Table::Messages.id(row, at.0.len()).map(u64::from_be_bytes)).transpose()?;
        if let Some(conversation) = self.conversations.get_mut(&at) {
            conversation.last = last;
            conversation.unread = conversation.unread.saturating_sub(u32::from(unread));
            Table::Conversations.put(turn.kv, &at.0, conversation)?;
        }
        // Whether it arrived can't be noted any more: it must not hold up the choice of the group (rule O-5).
        if let Some((delivery, group)) = message.own
            && delivery < crate::view::Delivery::Delivered
            && let Some(live) = self.groups.get_mut(&group)
        {
            live.record.unconfirmed = live.record.unconfirmed.saturating_sub(1);
            Table::Groups.put(turn.kv, &group.0, &live.record)?;
        }
        turn.touched.insert(at);
        turn.fx.events.push(crate::Event::MessageRemoved { conversation: at, id: message.id, position });
        Ok(())
    }
}
