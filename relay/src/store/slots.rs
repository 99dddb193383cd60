//! Slots, as the store sees them: commits in the order in which they came, for ever in that order (DESIGN §4, R-62).
//!
//! The relay signs "this commit is number `n` of this slot", and two such words about one number prove that it lied
//! . So a number is given once: the store remembers a slot's next number for much longer than its entries, appends
//! are numbered and stored in one step, whichever process does it, and entries go by their age alone, the oldest
//! first. A slot's times never go back, even if the clock does: what is left is always the end of the slot, whole.

#[cfg(any(test, feature = "testing"))]
pub mod exam;
pub mod limits;

use std::sync::Arc;

use async_trait::async_trait;
use livechat_wire::SlotId;
use livechat_wire::limits as wire;
use livechat_wire::order::{Receipt, SealedCommit};

use super::{Store, StoreError};

/// Where and since when a commit is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its number in the slot, from 0.
    pub index: u32,
    /// Unix seconds.
    pub time: u64,
}

/// A commit that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where.
    pub placed: Placed,
    /// What.
    pub commit: SealedCommit,
}

/// A stretch of one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretch {
    /// From the index asked for on, without a hole.
    pub entries: Vec<Kept>,
    /// Whether more is there already.
    pub more: bool,
}

/// Why a commit got no place.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The slot has had [`wire::SLOT_ENTRIES`] entries.
    #[error("the slot is full")]
    Full,
    /// The store failed. If it did so half-way the commit may have its place: the same again tells.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a slot couldn't be read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// What stood at this index is no longer kept.
    #[error("what stood there has expired")]
    Expired,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps slots. Times are Unix seconds.
#[async_trait]
pub trait SlotStore: Send + Sync + 'static {
    /// Puts a commit at the end of a slot; durable when it returns. The same commit keeps its first place as long as it
    /// is kept itself. Two appends to one slot, of this process or another, get different indices, without a hole.
    async fn append(&self, slot: SlotId, commit: SealedCommit, now: u64) -> Result<Placed, AppendError>;

    /// What stands in a slot from an index on: as much as one answer holds ([`limits::ROOM`], [`wire::SLOT_PAGE`]), and
    /// at least one entry if there is one. Everything told is durable.
    async fn entries(&self, slot: SlotId, from: u32) -> Result<Stretch, ReadError>;

    /// Drops entries placed before `entries`, and forgets slots whose last one was placed before `slots`; returns how
    /// many entries, about.
    async fn expire_before(&self, entries: u64, slots: u64) -> Result<u64, StoreError>;
}

/// The slot store of an open store.
#[must_use]
pub fn open(store: &Store) -> Arc<dyn SlotStore> {
    match store {
        Store::Sqlite(db) => Arc::new(db.clone()),
        Store::Mongo(db) => Arc::new(super::mongo::slots::MongoSlots::new(db.clone())),
    }
}

/// Where the next entry of a slot goes, given what is remembered of it.
pub(crate) fn place(remembered: Option<Placed>, now: u64) -> Result<Placed, AppendError> {
    let Some(next) = remembered else { return Ok(Placed { index: 0, time: now }) };
    if next.index >= wire::SLOT_ENTRIES {
        return Err(AppendError::Full);
    }
    Ok(Placed { index: next.index, time: now.max(next.time) })
}

/// Gathers entries until an answer is full.
#[derive(Default)]
pub(crate) struct Gather {
    stretch: Stretch,
    bytes: usize,
}

impl Gather {
    /// Takes the next entry; `false` when it doesn't fit any more.
    pub(crate) fn take(&mut self, kept: Kept) -> bool {
        let bytes = Receipt::ENCODED + 4 + kept.commit.as_bytes().len();
        if self.stretch.entries.len() == wire::SLOT_PAGE || self.bytes + bytes > limits::ROOM {
            self.stretch.more = true;
            return false;
        }
        self.bytes += bytes;
        self.stretch.entries.push(kept);
        true
    }

    /// The answer to a question from `from` on, about a slot whose next index is `next`.
    pub(crate) fn finish(self, from: u32, next: u32) -> Result<Stretch, ReadError> {
        let whole = (from..).zip(&self.stretch.entries).all(|(index, kept)| kept.placed.index == index);
        match self.stretch.entries.first() {
            Some(first) if first.placed.index > from => Err(ReadError::Expired),
            None if next > from => Err(ReadError::Expired),
            _ if !whole => Err(StoreError::Damaged("slot").into()),
            _ => Ok(self.stretch),
        }
    }
}
