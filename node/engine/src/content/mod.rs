//! What people do with messages: answer, edit, delete, react, let them disappear; and how they arrange conversations.
//! Knows nothing of whether a conversation has two members or two hundred.
//!
//! Everything that speaks about a message is a *fact* (PROTOCOL R-80 … R-88). Facts may come in any order, twice, and
//! before what they speak about; both ends come to the same state:
//! - what may only be said by the author is checked against the author first (`facts`);
//! - what replaces an earlier statement carries a stamp, and the greatest counts;
//! - a deletion beats all else;
//! - what speaks about something unknown waits for it (`early`), bounded.

mod early;
mod expiry;
mod facts;
mod files;
mod offers;
pub(crate) mod passages;
mod personal;
mod records;
mod say;
mod show;
mod typing;

use std::collections::{BTreeMap, BTreeSet};

use livechat_crypto::kv::{Kv, Order};
use livechat_crypto::mls::GroupId;
use livechat_wire::content::{Body, Content};
use livechat_wire::{AccountId, ConversationId};

use crate::Engine;
use crate::errors::{HandleError, StoreError};
use crate::membership::NOTICE;
use crate::tables::Table;
use crate::timeline::Draft;
use crate::turn::Turn;
use crate::view::{Delivery, Standing};

pub use files::FileOf;
pub(crate) use records::{Edit, Personal, Profile, Reactions, Stamp, Timer};

/// When a fact came, and its key.
type Waiting = (u64, Vec<u8>);

/// The part of what is stored that is wanted at every turn.
#[derive(Default)]
pub(crate) struct State {
    /// Conversations with something noted about them.
    personal: BTreeMap<ConversationId, Personal>,
    /// Facts that wait, per sender.
    early: BTreeMap<(ConversationId, AccountId), BTreeSet<Waiting>>,
    /// Unix milliseconds at which the next message disappears.
    next_expiry: Option<u64>,
    /// Who types, and when that lapses (our milliseconds). In memory only, like the next.
    typing: BTreeMap<(ConversationId, AccountId), u64>,
    /// What was said about our own typing.
    told: BTreeMap<ConversationId, typing::Told>,
}

impl State {
    /// When something is due, by our own milliseconds.
    pub fn wake(&self) -> Option<u64> {
        self.typing.values().min().copied()
    }

    /// When something is due, in Unix milliseconds.
    pub fn wake_wall(&self) -> Option<u64> {
        self.next_expiry
    }
}

impl Engine {
    pub(crate) fn open_content(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        Table::Personal.each(kv, |key, personal: Personal| {
            self.content.personal.insert(ConversationId(Table::Personal.id(key, 0)?), personal);
            Ok(())
        })?;
        self.open_early(kv)?;
        self.find_next_expiry(kv)
    }

    /// Takes an opened content of another device; `author` is who MLS says. It came through this group.
    pub(crate) fn take_content(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        author: AccountId,
        through: GroupId,
        content: Content,
        place: Option<u64>,
    ) -> Result<(), HandleError> {
        if self.standing(at) == Standing::Blocked {
            self.refused.blocked += 1;
            return Ok(());
        }
        let own = self.me()?.identity.account() == author;
        if own {
            self.agreed_elsewhere(turn, at)?;
        }
        let Content { id, parents, sent_at, body } = content;
        match body {
            // What this device says to itself is not for others to say.
            Body::Unknown { kind: NOTICE.., .. } => {
                self.refused.malformed += 1;
                Ok(())
            }
            Body::Receipts { delivered, read } if own => self.own_receipts(turn, at, &delivered, &read),
            Body::Receipts { delivered, read } => self.receipts(turn, at, author, &delivered, &read),
            Body::Edit(_) | Body::Delete(_) | Body::Reactions(_) => {
                self.take_fact(turn, at, author, facts::Fact { id, sent_at, body })
            }
            Body::Profile { revision, name } => self.take_profile(turn, author, id, revision, name),
            // What another device of ours offers is for the contact.
            Body::Offer(_) if own => Ok(()),
            Body::Offer(offer) => self.take_offer(turn, at, offer),
            // A group's timer stands in its charter.
            Body::Timer { .. } if self.room(at).is_some() => {
                self.refused.malformed += 1;
                Ok(())
            }
            // Where it belongs is an envelope that isn't stored.
            Body::Typing(_) => {
                self.refused.malformed += 1;
                Ok(())
            }
            body => {
                let own = own.then_some((Delivery::Accepted, through));
                self.add_message(turn, at, Draft { id, author, sent_at, parents, body, own }, place).map(|_| ())
            }
        }
    }

    /// A message has just been put into its place: what waited for it, and what follows from it.
    pub(crate) fn settle_message(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        message: &crate::records::Message,
    ) -> Result<(), HandleError> {
        let own = message.own.is_some();
        if let Body::Timer { revision, seconds } = message.body {
            self.take_timer(turn, at, records::Stamp { revision, id: message.id }, seconds)?;
        }
        self.count_file(turn, at, position, &message.body)?;
        if own {
            self.content.told.remove(&at);
            self.start_expiry(turn, at, position, &message.body)?;
        } else {
            self.stops_typing(turn, at, message.author);
            let personal = self.personal(at);
            if personal.archived && personal.muted_until.is_none_or(|until| until <= turn.now) {
                self.arrange(turn, at, |p| p.archived = false)?;
            }
        }
        self.apply_early(turn, at, position, message.id, message.author)
    }

    /// What time has made due.
    pub(crate) fn content_due(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        self.lapse_typing(turn);
        self.expire(turn)
    }
}

/// Whether a message is one that disappears.
pub(crate) fn disappears(body: &Body) -> bool {
    expiry::seconds(body) > 0
}

/// Deletes every row whose key begins with `prefix`.
fn clear(table: Table, kv: &mut dyn Kv, prefix: &[u8]) -> Result<(), StoreError> {
    const CHUNK: usize = 256;
    loop {
        let keys = table.keys(kv, prefix, CHUNK, Order::Ascending)?;
        for key in &keys {
            table.delete(kv, key)?;
        }
        if keys.len() < CHUNK {
            return Ok(());
        }
    }
}
