//! Files that can be had from the other end itself, for a while (PROTOCOL R-125). The engine carries offers and keeps the
//! latest of each file; who listens and who dials is the shell's business.

use livechat_crypto::kv::Kv;
use livechat_wire::content::{Body, Content, Offer};
use livechat_wire::{BlobId, ConversationId, DecodeError, MessageId};

use super::say::Answer;
use crate::Engine;
use crate::effects::{FileChore, Reply};
use crate::errors::{CommandError, HandleError, ViewError};
use crate::membership::room_of;
use crate::tables::{Stored, Table};
use crate::turn::Turn;
use crate::view::Standing;
use livechat_wire::codec::{Reader, Writer};

impl Engine {
    /// Whether files may be offered here: a direct chat that was agreed to, of two devices. Others would look for the
    /// file at the relay.
    #[must_use]
    pub fn may_offer(&self, at: ConversationId) -> bool {
        let Some(conversation) = self.conversations.get(&at).filter(|c| !c.groups.is_empty()) else { return false };
        let pair = |group| self.room(room_of(group)).is_some_and(|room| room.seats.len() == 2);
        self.room(at).is_none() && self.standing(at) == Standing::Accepted && conversation.groups.iter().all(pair)
    }

    /// Tells the contact where a file of ours can be had.
    pub(crate) fn offer_file(&mut self, turn: &mut Turn<'_>, at: ConversationId, offer: Offer) -> Answer {
        if !self.may_offer(at) {
            return Ok(Err(CommandError::NotOffered));
        }
        if let Err(e) = self.may_write(turn, at)? {
            return Ok(Err(e));
        }
        let id = MessageId(turn.draw());
        let content = Content { id, parents: Vec::new(), sent_at: turn.now, body: Body::Offer(offer) };
        Ok(self.encrypt_and_queue(turn, at, &content, |_, _, _| Ok(None))?.map(|_| Reply::Done))
    }

    /// Notes a contact's offer of a file that is spoken of here; the one that holds longest counts.
    pub(super) fn take_offer(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        offer: Offer,
    ) -> Result<(), HandleError> {
        let spoken_of = Table::Files.any(turn.kv, &[&offer.blob.0[..], &at.0].concat())?;
        if !spoken_of || !self.may_offer(at) {
            self.refused.malformed += 1;
            return Ok(());
        }
        let before: Option<Offer> = Table::Offers.get(turn.kv, &offer.blob.0)?;
        if before.is_none_or(|before| before.until < offer.until) {
            Table::Offers.put(turn.kv, &offer.blob.0, &offer)?;
            turn.fx.files.push(FileChore::Offered(offer.blob));
        }
        Ok(())
    }

    /// The latest offer of a file; it may be over.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn offer(&self, kv: &dyn Kv, blob: BlobId) -> Result<Option<Offer>, ViewError> {
        Ok(Table::Offers.get(kv, &blob.0)?)
    }
}

impl Stored for Offer {
    fn write(&self, w: &mut Writer) {
        w.raw(&Body::Offer(self.clone()).encode().1);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match Body::decode(11, r.rest())? {
            Body::Offer(offer) => Ok(offer),
            _ => Err(DecodeError::Unknown("offer")),
        }
    }
}
