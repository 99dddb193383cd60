//! Receipts, both ways: what we owe the authors of what reached us, and what others say about what we wrote.

use std::collections::BTreeSet;

use livechat_crypto::kv::{Kv, Order, prefix_end};
use livechat_wire::content::{Body, Content};
use livechat_wire::{AccountId, ConversationId, MessageId, limits as wire};

use crate::errors::{HandleError, StoreError};
use crate::records::Owed;
use crate::tables::{Table, key};
use crate::timeline::message_key;
use crate::turn::Turn;
use crate::view::{Delivery, Standing};
use crate::{Engine, limits};

impl Engine {
    pub(crate) fn open_owed(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        let mut owed = BTreeSet::new();
        Table::Owed.each(kv, |key, _: Owed| {
            owed.insert(ConversationId(Table::Owed.id(key, 0)?));
            Ok(())
        })?;
        let accepted = owed.into_iter().filter(|at| self.standing(*at) == Standing::Accepted);
        self.owed = accepted.map(|at| (at, None)).collect();
        Ok(())
    }

    /// Notes that a receipt is owed; it goes out with others in a while, or once the conversation is accepted.
    pub(crate) fn owe(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        message: MessageId,
        what: Owed,
    ) -> Result<(), HandleError> {
        Table::Owed.put(turn.kv, &key(&[&at.0, &message.0]), &what)?;
        if self.standing(at) == Standing::Accepted {
            self.owed.entry(at).or_insert(None);
        }
        Ok(())
    }

    /// Sends the receipts that are due.
    pub(crate) fn pay_receipts(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let conversations: Vec<_> = self.owed.iter().map(|(at, due)| (*at, *due)).collect();
        for (at, due) in conversations {
            match due {
                None => {
                    let pause = turn.between(limits::RECEIPTS_MIN, limits::RECEIPTS_MAX);
                    self.owed.insert(at, Some(turn.clock + pause));
                }
                Some(due) if due <= turn.clock => self.pay(turn, at)?,
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn pay(&mut self, turn: &mut Turn<'_>, at: ConversationId) -> Result<(), HandleError> {
        let crowd = self.room_accounts(at).map_or(0, |a| a.len());
        if self.is_closed(at) || crowd > limits::RECEIPTS_GROUP {
            // Nobody to tell, or too many who would.
            for (row, _) in
                Table::Owed.range::<Owed>(turn.kv, &at.0, &prefix_end(&at.0), usize::MAX, Order::Ascending)?
            {
                Table::Owed.delete(turn.kv, &row)?;
            }
            self.owed.remove(&at);
            return Ok(());
        }
        if self.outbox.is_full() {
            self.owed.insert(at, Some(turn.clock + limits::BACKOFF_MAX));
            return Ok(());
        }
        let rows =
            Table::Owed.range::<Owed>(turn.kv, &at.0, &prefix_end(&at.0), wire::RECEIPT_BATCH, Order::Ascending)?;
        let (mut delivered, mut read) = (Vec::new(), Vec::new());
        for (row, what) in &rows {
            let id = MessageId(Table::Owed.id(row, at.0.len())?);
            match what {
                Owed::Delivered => delivered.push(id),
                Owed::Read => read.push(id),
            }
        }
        if !rows.is_empty() {
            let id = MessageId(turn.draw());
            let body = Body::Receipts { delivered, read };
            let content = Content { id, parents: Vec::new(), sent_at: turn.now, body };
            if self.encrypt_and_queue(turn, at, &content, |_, _, _| Ok(None))?.is_err() {
                self.owed.insert(at, Some(turn.clock + limits::BACKOFF_MAX));
                return Ok(());
            }
        }
        for (row, _) in &rows {
            Table::Owed.delete(turn.kv, row)?;
        }
        if rows.len() < wire::RECEIPT_BATCH {
            self.owed.remove(&at);
        } else {
            self.owed.insert(at, Some(turn.clock + limits::BATCH_PAUSE));
        }
        Ok(())
    }

    /// A member of a group has a message of ours: it is delivered, or read, when everyone else in it has or did.
    fn reached(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        by: AccountId,
        to: Delivery,
    ) -> Result<(), HandleError> {
        let place = message_key(at, position);
        let row = |account: &AccountId| key(&[&place, &account.0]);
        let how_far = |delivery: Delivery| delivery as u64;
        let before: Option<u64> = Table::Reached.get(turn.kv, &row(&by))?;
        if before.is_none_or(|b| b < how_far(to)) {
            Table::Reached.put(turn.kv, &row(&by), &how_far(to))?;
        }
        let own = self.me()?.identity.account();
        let mut least = how_far(Delivery::Read);
        for account in self.room_accounts(at).unwrap_or_default().iter().filter(|a| **a != own) {
            least = least.min(Table::Reached.get(turn.kv, &row(account))?.unwrap_or(0));
        }
        for step in [Delivery::Delivered, Delivery::Read] {
            if how_far(step) <= least {
                self.advance_delivery(turn, at, position, step)?;
            }
        }
        Ok(())
    }

    /// Takes the word of the other account in a conversation about messages of ours. Whoever the group says sent it is
    /// not us ([`Engine::bound_to`] found them among our contacts), and only messages of ours are looked up: a receipt
    /// for anybody else's changes nothing (P4).
    pub(crate) fn receipts(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        from: AccountId,
        delivered: &[MessageId],
        read: &[MessageId],
    ) -> Result<(), HandleError> {
        let own = self.me()?.identity.account();
        let claims = delivered.iter().map(|id| (id, Delivery::Delivered));
        for (id, to) in claims.chain(read.iter().map(|id| (id, Delivery::Read))) {
            match self.position_of(turn, at, *id, own)? {
                Some(position) if self.room(at).is_some() => self.reached(turn, at, position, from, to)?,
                Some(position) => self.advance_delivery(turn, at, position, to)?,
                None => self.refused.foreign_receipts += 1,
            }
        }
        Ok(())
    }
}
