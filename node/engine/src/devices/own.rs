//! What another device of ours said in a conversation.

use livechat_crypto::kv::{Order, prefix_end};
use livechat_wire::{ConversationId, MessageId};

use crate::errors::HandleError;
use crate::records::Owed;
use crate::tables::{Table, key};
use crate::timeline::message_key;
use crate::turn::Turn;
use crate::view::Standing;
use crate::{Engine, limits};

impl Engine {
    /// Another device of ours speaks in a conversation: it was agreed to there.
    pub(crate) fn agreed_elsewhere(&mut self, turn: &mut Turn<'_>, at: ConversationId) -> Result<(), HandleError> {
        if self.standing(at) == Standing::Request {
            self.arrange(turn, at, |p| p.accepted = true)?;
        }
        Ok(())
    }

    /// Another device of ours told the others that messages are here, or were read: this one needn't say it again, and
    /// what was read there was read.
    pub(crate) fn own_receipts(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        delivered: &[MessageId],
        read: &[MessageId],
    ) -> Result<(), HandleError> {
        for id in delivered {
            let row = key(&[&at.0, &id.0]);
            if Table::Owed.get::<Owed>(turn.kv, &row)? == Some(Owed::Delivered) {
                Table::Owed.delete(turn.kv, &row)?;
            }
        }
        for id in read {
            Table::Owed.delete(turn.kv, &key(&[&at.0, &id.0]))?;
            self.read_elsewhere(turn, at, *id)?;
        }
        Ok(())
    }

    fn read_elsewhere(&mut self, turn: &mut Turn<'_>, at: ConversationId, id: MessageId) -> Result<(), HandleError> {
        let prefix = key(&[&at.0, &id.0]);
        let end = prefix_end(&prefix);
        // Whose message it is, a receipt doesn't say.
        let places = Table::MessageIds.range::<u64>(turn.kv, &prefix, &end, limits::GAP_WAITERS, Order::Ascending)?;
        if places.is_empty() {
            return self.read_early(turn, at, &prefix);
        }
        for (_, position) in places {
            let place = message_key(at, position);
            if Table::Unread.get::<MessageId>(turn.kv, &place)?.is_none() {
                continue;
            }
            Table::Unread.delete(turn.kv, &place)?;
            self.was_read(turn, at, position)?;
            if let Some(conversation) = self.conversations.get_mut(&at) {
                conversation.unread = conversation.unread.saturating_sub(1);
                Table::Conversations.put(turn.kv, &at.0, conversation)?;
                turn.touched.insert(at);
            }
        }
        Ok(())
    }

    /// The message itself is still on its way here.
    fn read_early(&self, turn: &mut Turn<'_>, at: ConversationId, row: &[u8]) -> Result<(), HandleError> {
        Table::ReadElsewhere.put(turn.kv, row, &())?;
        let rows = Table::ReadElsewhere.keys(turn.kv, &at.0, limits::READ_EARLY + 1, Order::Ascending)?;
        if let Some(any) = rows.first().filter(|_| rows.len() > limits::READ_EARLY) {
            Table::ReadElsewhere.delete(turn.kv, any)?;
        }
        Ok(())
    }

    /// Whether a message that has just come was read on another device before.
    pub(crate) fn was_read_elsewhere(
        &self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        id: MessageId,
    ) -> Result<bool, HandleError> {
        let row = key(&[&at.0, &id.0]);
        let read = Table::ReadElsewhere.get::<()>(turn.kv, &row)?.is_some();
        if read {
            Table::ReadElsewhere.delete(turn.kv, &row)?;
        }
        Ok(read)
    }
}
