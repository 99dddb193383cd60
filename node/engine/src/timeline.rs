//! The history of a conversation: places, gaps, delivery, what is unread.

use livechat_crypto::kv::{Order, prefix_end};
use livechat_crypto::mls::GroupId;
use livechat_wire::content::Body;
use livechat_wire::{AccountId, ConversationId, MessageId};

use crate::effects::Reply;
use crate::errors::{CommandError, HandleError, StoreError};
use crate::groups::StreamKey;
use crate::records::{Message, Owed};
use crate::tables::{Table, key};
use crate::turn::Turn;
use crate::view::Delivery;
use crate::{Engine, limits};

/// A message without its place.
#[derive(Debug)]
pub(crate) struct Draft {
    pub id: MessageId,
    pub author: AccountId,
    pub sent_at: u64,
    pub parents: Vec<MessageId>,
    pub body: Body,
    /// Of own messages: how far it got, and the group it goes through.
    pub own: Option<(Delivery, GroupId)>,
}

pub(crate) fn message_key(conversation: ConversationId, position: u64) -> Vec<u8> {
    key(&[&conversation.0, &position.to_be_bytes()])
}

fn id_key(conversation: ConversationId, id: MessageId, author: AccountId) -> Vec<u8> {
    key(&[&conversation.0, &id.0, &author.0])
}

impl Engine {
    /// Keeps places free for what a stream's sender said and we don't have yet (rule O-3).
    pub(crate) fn keep_places(
        &mut self,
        turn: &mut Turn<'_>,
        stream: StreamKey,
        places: u64,
    ) -> Result<u64, HandleError> {
        let id = self.groups.get(&stream.group).map(|g| g.record.conversation);
        let (id, conversation) = id
            .and_then(|id| Some((id, self.conversations.get_mut(&id)?)))
            .ok_or(HandleError::Inconsistent("a group without its conversation"))?;
        let base = conversation.next;
        conversation.next = base.saturating_add(places);
        Table::Conversations.put(turn.kv, &id.0, conversation)?;
        Ok(base)
    }

    /// Where a message of this author is, if it is here.
    pub(crate) fn position_of(
        &self,
        turn: &Turn<'_>,
        conversation: ConversationId,
        id: MessageId,
        author: AccountId,
    ) -> Result<Option<u64>, StoreError> {
        Table::MessageIds.get(turn.kv, &id_key(conversation, id, author))
    }

    /// Adds a message at the end, or at the place kept for it. `None`: it is here already.
    pub(crate) fn add_message(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        draft: Draft,
        place: Option<u64>,
    ) -> Result<Option<u64>, HandleError> {
        let Draft { id, author, sent_at, parents, body, own } = draft;
        let index = id_key(at, id, author);
        if Table::MessageIds.get::<u64>(turn.kv, &index)?.is_some() {
            self.refused.duplicates += 1;
            return Ok(None);
        }
        let mut gap = false;
        for parent in &parents {
            if !Table::MessageIds.any(turn.kv, &key(&[&at.0, &parent.0]))? {
                gap = true;
            }
        }
        let conversation =
            self.conversations.get_mut(&at).ok_or(HandleError::Inconsistent("a message without its conversation"))?;
        let position = place.unwrap_or(conversation.next);
        conversation.next = conversation.next.max(position.saturating_add(1));
        conversation.activity = turn.now;
        let is_last = conversation.last.is_none_or(|last| last < position);
        if is_last {
            conversation.last = Some(position);
        }
        if let Some((_, group)) = own {
            if is_last || conversation.own_head.is_none() {
                conversation.own_head = Some(id);
            }
            if let Some(live) = self.groups.get_mut(&group) {
                live.record.unconfirmed = live.record.unconfirmed.saturating_add(1);
                Table::Groups.put(turn.kv, &group.0, &live.record)?;
            }
        } else {
            if is_last || conversation.other_head.is_none() {
                conversation.other_head = Some(id);
            }
            if !self.was_read_elsewhere(turn, at, id)? {
                if let Some(conversation) = self.conversations.get_mut(&at) {
                    conversation.unread = conversation.unread.saturating_add(1);
                }
                Table::Unread.put(turn.kv, &message_key(at, position), &id)?;
                self.owe(turn, at, id, Owed::Delivered)?;
            }
        }
        if let Some(conversation) = self.conversations.get(&at) {
            Table::Conversations.put(turn.kv, &at.0, conversation)?;
        }
        if gap {
            for parent in &parents {
                Table::Missing.put(turn.kv, &key(&[&at.0, &parent.0, &position.to_be_bytes()]), &())?;
            }
        }
        let message = Message { id, author, sent_at, received_at: turn.now, body, parents, own, gap };
        Table::Messages.put(turn.kv, &message_key(at, position), &message)?;
        Table::MessageIds.put(turn.kv, &index, &position)?;
        turn.added.push((at, position));
        turn.touched.insert(at);
        self.settle_message(turn, at, position, &message)?;
        self.close_gaps(turn, at, id)?;
        Ok(Some(position))
    }

    /// The message `id` is here now: those that missed it miss it no more.
    fn close_gaps(&mut self, turn: &mut Turn<'_>, at: ConversationId, id: MessageId) -> Result<(), HandleError> {
        let prefix = key(&[&at.0, &id.0]);
        let end = prefix_end(&prefix);
        let waiters = Table::Missing.range::<()>(turn.kv, &prefix, &end, limits::GAP_WAITERS, Order::Ascending)?;
        for (row, ()) in waiters {
            Table::Missing.delete(turn.kv, &row)?;
            let position = u64::from_be_bytes(Table::Missing.id(&row, prefix.len())?);
            let place = message_key(at, position);
            let Some(mut message) = Table::Messages.get::<Message>(turn.kv, &place)? else { continue };
            let mut gap = false;
            for parent in &message.parents {
                gap |= !Table::MessageIds.any(turn.kv, &key(&[&at.0, &parent.0]))?;
            }
            if message.gap && !gap {
                message.gap = false;
                Table::Messages.put(turn.kv, &place, &message)?;
                turn.changed.insert((at, position));
            }
        }
        Ok(())
    }

    /// Moves an own message's delivery forward; never back.
    pub(crate) fn advance_delivery(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        to: Delivery,
    ) -> Result<(), HandleError> {
        let place = message_key(at, position);
        let Some(mut message) = Table::Messages.get::<Message>(turn.kv, &place)? else { return Ok(()) };
        let Some((delivery, group)) = message.own.as_mut().filter(|(delivery, _)| *delivery < to) else {
            return Ok(());
        };
        let confirmed = *delivery < Delivery::Delivered && to >= Delivery::Delivered;
        *delivery = to;
        let group = *group;
        Table::Messages.put(turn.kv, &place, &message)?;
        turn.changed.insert((at, position));
        if let Some(live) = self.groups.get_mut(&group).filter(|_| confirmed) {
            live.record.unconfirmed = live.record.unconfirmed.saturating_sub(1);
            Table::Groups.put(turn.kv, &group.0, &live.record)?;
        }
        // The line in the list shows the last message with its delivery.
        if self.conversations.get(&at).is_some_and(|c| c.last == Some(position)) {
            turn.touched.insert(at);
        }
        Ok(())
    }

    /// Moves the read mark; receipts follow.
    pub(crate) fn mark_read(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
    ) -> Result<Result<Reply, CommandError>, HandleError> {
        const CHUNK: usize = 256;
        if !self.conversations.contains_key(&at) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        let end = message_key(at, position.saturating_add(1));
        let mut marked = 0u32;
        loop {
            let unread = Table::Unread.range::<MessageId>(turn.kv, &at.0, &end, CHUNK, Order::Ascending)?;
            let last = unread.len() < CHUNK;
            for (row, id) in unread {
                Table::Unread.delete(turn.kv, &row)?;
                self.owe(turn, at, id, Owed::Read)?;
                self.was_read(turn, at, u64::from_be_bytes(Table::Unread.id(&row, at.0.len())?))?;
                marked += 1;
            }
            if last {
                break;
            }
        }
        if let Some(conversation) = self.conversations.get_mut(&at).filter(|_| marked > 0) {
            conversation.unread = conversation.unread.saturating_sub(marked);
            Table::Conversations.put(turn.kv, &at.0, conversation)?;
            turn.touched.insert(at);
        }
        Ok(Ok(Reply::Done))
    }
}
