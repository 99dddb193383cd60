//! Facts about messages that aren't here yet.

use livechat_crypto::kv::{Kv, Order, prefix_end};
use livechat_wire::content::Target;
use livechat_wire::{AccountId, ConversationId, MessageId};

use super::facts::Fact;
use super::records::Early;
use crate::errors::{HandleError, StoreError};
use crate::tables::{Table, key};
use crate::turn::Turn;
use crate::{Engine, limits};

/// Where the sender stands in a key: behind conversation, message and author.
const SENDER: usize = 32 + 16 + 32;

impl Engine {
    pub(super) fn open_early(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        Table::Early.each(kv, |row, early: Early| {
            let at = ConversationId(Table::Early.id(row, 0)?);
            let sender = AccountId(Table::Early.id(row, SENDER)?);
            self.content.early.entry((at, sender)).or_default().insert((early.arrived, row.to_vec()));
            Ok(())
        })
    }

    /// Lets a fact wait; too many of one sender push out that sender's oldest.
    pub(super) fn keep_early(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        sender: AccountId,
        target: Target,
        fact: Fact,
    ) -> Result<(), HandleError> {
        let row = key(&[&at.0, &target.id.0, &target.author.0, &sender.0, &fact.id.0]);
        let early = Early { arrived: turn.clock, sent_at: fact.sent_at, body: fact.body };
        if Table::Early.get::<Early>(turn.kv, &row)?.is_some() {
            return Ok(());
        }
        let waiting = self.content.early.entry((at, sender)).or_default();
        while waiting.len() >= limits::EARLY {
            let Some((_, oldest)) = waiting.pop_first() else { break };
            Table::Early.delete(turn.kv, &oldest)?;
            self.refused.unfounded += 1;
        }
        waiting.insert((turn.clock, row.clone()));
        Ok(Table::Early.put(turn.kv, &row, &early)?)
    }

    /// The message is here: what waited for it counts now.
    pub(super) fn apply_early(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        id: MessageId,
        author: AccountId,
    ) -> Result<(), HandleError> {
        if self.content.early.is_empty() {
            return Ok(());
        }
        const CHUNK: usize = 64;
        let prefix = key(&[&at.0, &id.0, &author.0]);
        let end = prefix_end(&prefix);
        loop {
            let rows = Table::Early.range::<Early>(turn.kv, &prefix, &end, CHUNK, Order::Ascending)?;
            let last = rows.len() < CHUNK;
            for (row, early) in rows {
                let sender = AccountId(Table::Early.id(&row, SENDER)?);
                let fact = Fact {
                    id: MessageId(Table::Early.id(&row, SENDER + sender.0.len())?),
                    sent_at: early.sent_at,
                    body: early.body,
                };
                Table::Early.delete(turn.kv, &row)?;
                if let Some(waiting) = self.content.early.get_mut(&(at, sender)) {
                    waiting.remove(&(early.arrived, row));
                    if waiting.is_empty() {
                        self.content.early.remove(&(at, sender));
                    }
                }
                self.apply_fact(turn, at, position, sender, fact)?;
            }
            if last {
                return Ok(());
            }
        }
    }
}
