//! Sending: one encryption, perhaps one place in the history, one entry in the outbox, in one transaction.

use std::collections::BTreeSet;

use livechat_crypto::mls::{EncryptError, GroupId};
use livechat_wire::ConversationId;
use livechat_wire::content::{Body, Content};
use livechat_wire::payload::Kind;

use crate::Engine;
use crate::effects::Reply;
use crate::errors::{CommandError, HandleError};
use crate::groups::session;
use crate::turn::Turn;

impl Engine {
    /// A message that was just sent, as faces show it.
    pub(crate) fn sent(&self, turn: &Turn<'_>, at: ConversationId, position: u64) -> Result<Reply, HandleError> {
        let message = self.message_view(turn.kv, at, position)?;
        message.map(Reply::Sent).ok_or(HandleError::Inconsistent("a message that was just added"))
    }

    /// Encrypts content for a conversation and queues it; `place` puts it into the history, when it belongs there,
    /// between encryption and queueing.
    pub(crate) fn encrypt_and_queue(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        content: &Content,
        place: impl FnOnce(&mut Self, &mut Turn<'_>, GroupId) -> Result<Option<u64>, HandleError>,
    ) -> Result<Result<Option<u64>, CommandError>, HandleError> {
        if self.conversations.get(&at).is_some_and(|c| c.groups.is_empty()) {
            return Ok(Err(CommandError::NoKeys));
        }
        let group = self.choose_group(turn, at)?;
        let me = self.me()?;
        let plain = content.encode();
        let sealed = session(me, turn.kv, turn.rng, turn.now).encrypt(&group, &plain, &at.0);
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(EncryptError::Store(e)) => return Err(HandleError::Mls(Box::new(e))),
            Err(_) => return Ok(Err(CommandError::Encryption)),
        };
        let position = place(self, turn, group)?;
        let buckets = self.buckets(at)?;
        let message = position.map(|p| (at, p));
        let first = self.queue_payload(turn, group, sealed.epoch, Kind::Mls, &sealed.message, &buckets, message)?;
        if self.room(at).is_some() && !matches!(content.body, Body::Receipts { .. }) {
            self.note_said(turn, group, sealed.epoch, first, position, plain)?;
        }
        Ok(Ok(position))
    }

    /// The buckets in which the other devices of a conversation read.
    pub(crate) fn buckets(&self, at: ConversationId) -> Result<BTreeSet<u16>, HandleError> {
        if self.room(at).is_some() {
            return self.readers(at);
        }
        let contact = self.conversations.get(&at).and_then(|c| self.contacts.get(&c.peer));
        let contact = contact.ok_or(HandleError::Inconsistent("a conversation without its contact"))?;
        let bits = self.me()?.bucket_bits;
        Ok(contact.bundles.iter().map(|b| b.bucket(bits)).collect())
    }
}
