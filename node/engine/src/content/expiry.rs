//! Messages that disappear. Their time is the wall's, not [`crate::clock::Clock`]'s: it goes on while the machine is
//! off, and that is what people expect of it.

use livechat_crypto::kv::{Kv, Order};
use livechat_wire::ConversationId;
use livechat_wire::content::Body;

use crate::errors::{HandleError, StoreError};
use crate::records::Message;
use crate::tables::{Table, key};
use crate::timeline::message_key;
use crate::turn::Turn;
use crate::{Engine, limits};

/// The seconds a message carries; 0: it stays.
pub(super) fn seconds(body: &Body) -> u32 {
    match body {
        Body::Post(post) => post.timer,
        Body::File(file) => file.timer,
        _ => 0,
    }
}

fn due_key(due: u64, place: &[u8]) -> Vec<u8> {
    key(&[&due.to_be_bytes(), place])
}

impl Engine {
    pub(super) fn find_next_expiry(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        let first = Table::Expiring.keys_between(kv, &[], &[], 1, Order::Ascending)?;
        let due = first.first().map(|row| Table::Expiring.id(row, 0).map(u64::from_be_bytes));
        self.content.next_expiry = due.transpose()?;
        Ok(())
    }

    /// Begins to count for a message that disappears, unless that was begun before.
    pub(super) fn start_expiry(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        body: &Body,
    ) -> Result<(), HandleError> {
        let seconds = seconds(body);
        let place = message_key(at, position);
        if seconds == 0 || Table::Expiries.get::<u64>(turn.kv, &place)?.is_some() {
            return Ok(());
        }
        let due = turn.now.saturating_add(u64::from(seconds) * 1_000);
        Table::Expiries.put(turn.kv, &place, &due)?;
        Table::Expiring.put(turn.kv, &due_key(due, &place), &())?;
        self.content.next_expiry = Some(self.content.next_expiry.map_or(due, |next| next.min(due)));
        turn.changed.insert((at, position));
        Ok(())
    }

    /// A message of somebody else was read: from now on its time counts.
    pub(crate) fn was_read(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
    ) -> Result<(), HandleError> {
        match Table::Messages.get::<Message>(turn.kv, &message_key(at, position))? {
            Some(message) => self.start_expiry(turn, at, position, &message.body),
            None => Ok(()),
        }
    }

    pub(super) fn stop_expiry(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
    ) -> Result<(), HandleError> {
        let place = message_key(at, position);
        if let Some(due) = Table::Expiries.get::<u64>(turn.kv, &place)? {
            Table::Expiries.delete(turn.kv, &place)?;
            Table::Expiring.delete(turn.kv, &due_key(due, &place))?;
            self.find_next_expiry(turn.kv)?;
        }
        Ok(())
    }

    /// Removes what is over, a bounded number at a time.
    pub(super) fn expire(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        if self.content.next_expiry.is_none_or(|due| due > turn.now) {
            return Ok(());
        }
        let end = turn.now.saturating_add(1).to_be_bytes();
        for row in Table::Expiring.keys_between(turn.kv, &[], &end, limits::EXPIRE_AT_ONCE, Order::Ascending)? {
            let at = ConversationId(Table::Expiring.id(&row, 8)?);
            let position = u64::from_be_bytes(Table::Expiring.id(&row, 8 + at.0.len())?);
            self.remove_message(turn, at, position)?;
            // A row without its message would come up for ever.
            Table::Expiring.delete(turn.kv, &row)?;
        }
        Ok(self.find_next_expiry(turn.kv)?)
    }
}
