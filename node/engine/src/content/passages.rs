//! The words of messages, for whoever keeps an index of them. The engine knows no index: what it writes into
//! [`Table::Messages`] and [`Table::Edits`] is the truth, and [`place_of`] says which message a row there belongs to.

use livechat_crypto::kv::{Kv, Namespace, Order, prefix_end};
use livechat_wire::content::Body;
use livechat_wire::{AccountId, ConversationId};

use super::records::Edit;
use super::say::Words;
use crate::errors::StoreError;
use crate::records::Message;
use crate::tables::Table;
use crate::timeline::message_key;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// In which conversation.
    pub conversation: ConversationId,
    /// Where in it.
    pub position: u64,
}

/// What a message says, as it reads now.
#[derive(Clone, PartialEq, Eq)]
pub struct Passage {
    /// Who wrote it.
    pub author: AccountId,
    /// Unix milliseconds by this device's clock.
    pub received_at: u64,
    /// Its latest text; of a file its name.
    pub text: String,
}

impl core::fmt::Debug for Passage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Passage").field("author", &self.author).finish_non_exhaustive()
    }
}

/// The message whose words a row of the store takes part in, if it does.
#[must_use]
pub fn place_of(ns: Namespace, key: &[u8]) -> Option<Place> {
    if ns.0 != Table::Messages as u8 && ns.0 != Table::Edits as u8 {
        return None;
    }
    let (conversation, rest) = key.split_first_chunk::<32>()?;
    let position = rest.first_chunk().copied().map(u64::from_be_bytes)?;
    Some(Place { conversation: ConversationId(*conversation), position })
}

/// What the message at a place says; none when there is none, or it has no words (any more).
///
/// # Errors
/// The store fails, or holds what this version can't read.
pub fn passage(kv: &dyn Kv, Place { conversation, position }: Place) -> Result<Option<Passage>, StoreError> {
    let place = message_key(conversation, position);
    match Table::Messages.get::<Message>(kv, &place)? {
        Some(message) => of(kv, &place, message),
        None => Ok(None),
    }
}

/// Shows every message that has words to `each`.
///
/// # Errors
/// The store fails, or holds what this version can't read; or `each` does.
pub fn each_passage<E: From<StoreError>>(
    kv: &dyn Kv,
    mut each: impl FnMut(Place, Passage) -> Result<(), E>,
) -> Result<(), E> {
    const CHUNK: usize = 256;
    let mut from = Vec::new();
    loop {
        let rows = Table::Messages.range::<Message>(kv, &from, &[], CHUNK, Order::Ascending)?;
        let full = rows.len() == CHUNK;
        for (key, message) in rows {
            if let (Some(place), Some(passage)) =
                (place_of(Namespace(Table::Messages as u8), &key), of(kv, &key, message)?)
            {
                each(place, passage)?;
            }
            from = key;
        }
        from.push(0);
        if !full {
            return Ok(());
        }
    }
}

fn of(kv: &dyn Kv, place: &[u8], message: Message) -> Result<Option<Passage>, StoreError> {
    let text = match (Words::of(&message.body), message.body) {
        (Some(words), _) => latest_edit(kv, place)?.map_or(words.text, |edit| edit.text),
        (None, Body::File(file)) => file.name,
        (None, _) => return Ok(None),
    };
    Ok(Some(Passage { author: message.author, received_at: message.received_at, text }))
}

/// The latest text of the message at a place, when it was edited.
pub(super) fn latest_edit(kv: &dyn Kv, place: &[u8]) -> Result<Option<Edit>, StoreError> {
    let mut last = Table::Edits.range(kv, place, &prefix_end(place), 1, Order::Descending)?;
    Ok(last.pop().map(|(_, edit)| edit))
}
