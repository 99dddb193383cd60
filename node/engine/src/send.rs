//! Sending: one encryption, perhaps one place in the history, one entry in the outbox, in one transaction.

use livechat_crypto::mls::{EncryptError, GroupId};
use livechat_wire::ConversationId;
use livechat_wire::content::{Body, Content};

use crate::Engine;
use crate::effects::Reply;
use crate::errors::{CommandError, HandleError};
use crate::groups::session;
use crate::membership::records::Said;
use crate::membership::room_of;
use crate::turn::Turn;

impl Engine {
    /// A message that was just sent, as faces show it.
    pub(crate) fn sent(&self, turn: &Turn<'_>, at: ConversationId, position: u64) -> Result<Reply, HandleError> {
        let message = self.message_view(turn.kv, at, position)?;
        message.map(Box::new).map(Reply::Sent).ok_or(HandleError::Inconsistent("a message that was just added"))
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
        let first = self.queue_said(turn, group, &sealed, position)?;
        if !matches!(content.body, Body::Receipts { .. }) {
            let said = Said { at: turn.seconds(), position, content: plain };
            self.note_said(turn, group, sealed.epoch, first, &said)?;
            self.count_use(turn, room_of(&group), true)?;
        }
        Ok(Ok(position))
    }
}
