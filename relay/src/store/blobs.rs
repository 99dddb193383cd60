//! Blobs, as the store sees them: sealed bytes under an unguessable id, with an owner to count them for and a time to go
//! (R-110 …).
//!
//! A blob is begun, filled part by part from the first one on, and can be read once it is whole. What is over, or was
//! taken back, can't be read, filled or begun again from that moment; its bytes go when [`BlobStore::sweep`] comes by.

#[cfg(any(test, feature = "testing"))]
pub mod exam;
pub mod limits;

use std::sync::Arc;

use async_trait::async_trait;
use livechat_wire::{BlobId, blob};

use super::{OpenError, Store, StoreError};

/// Keyed hash of an account: whom a blob counts for, without saying who that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnerKey(pub [u8; 32]);

/// How far a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Parts that are kept, from the first one on.
    pub parts: u32,
    /// Whether that is all of it.
    pub whole: bool,
    /// Unix seconds: from then on it is over.
    pub until: u64,
}

/// Why a blob couldn't be begun.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BeginError {
    /// The owner has too much here already.
    #[error("the owner's room is used up")]
    Quota,
    /// Another blob has, or had, this id.
    #[error("the id is taken")]
    Taken,
    /// The store failed. If it did so half-way the blob may be begun: the same again tells.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a part couldn't be put in.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PutError {
    /// The owner has no such blob, or not any more.
    #[error("there is no such blob")]
    Unknown,
    /// An earlier part is missing.
    #[error("part {0} comes first")]
    OutOfOrder(u32),
    /// The part has another length than its place in the blob.
    #[error("the part has the wrong length")]
    Length,
    /// The store failed. If it did so half-way the part may be in: the same again tells.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// Its name.
    pub id: BlobId,
    /// Whom it counts for.
    pub owner: OwnerKey,
    /// Bytes.
    pub size: u64,
    /// Unix seconds until which it may be filled.
    pub until: u64,
}

/// Keeps blobs. Times are Unix seconds, given by the caller.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
    /// Begins a blob, if all that its owner has here stays within `quota` bytes; or tells how far it is, if the same was
    /// begun before.
    async fn begin(&self, begin: Begin, quota: u64, now: u64) -> Result<Progress, BeginError>;

    /// Puts a part in; durable when it returns. One that is in already stays as it is. With the last one the blob is
    /// whole, and kept until `whole_until`.
    async fn put(
        &self,
        id: BlobId,
        owner: OwnerKey,
        part: u32,
        bytes: Vec<u8>,
        whole_until: u64,
        now: u64,
    ) -> Result<Progress, PutError>;

    /// A part of a whole blob.
    async fn part(&self, id: BlobId, part: u32, now: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Takes a blob back. False: the owner has no such blob.
    async fn remove(&self, id: BlobId, owner: OwnerKey, now: u64) -> Result<bool, StoreError>;

    /// Takes all blobs of an owner back.
    async fn remove_all(&self, owner: OwnerKey) -> Result<(), StoreError>;

    /// Bytes of all blobs that an owner has here, begun ones as if they were whole.
    async fn used(&self, owner: OwnerKey, now: u64) -> Result<u64, StoreError>;

    /// Deletes the bytes of what is over by `now`; returns how many blobs.
    async fn sweep(&self, now: u64) -> Result<u64, StoreError>;
}

/// The blob store of an open store.
///
/// # Errors
/// SQLite keeps blobs in a file of their own, which may not open.
pub async fn open(store: &Store) -> Result<Arc<dyn BlobStore>, OpenError> {
    Ok(match store {
        Store::Sqlite(db) => Arc::new(super::sqlite::blobs::SqliteBlobs::beside(db).await?),
        Store::Mongo(db) => Arc::new(super::mongo::blobs::MongoBlobs::new(db.clone())),
    })
}

/// What a stored blob says of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub owner: OwnerKey,
    pub size: u64,
    pub parts: u32,
    pub until: u64,
}

impl Kept {
    pub(crate) fn is_whole(&self) -> bool {
        self.parts == blob::parts(self.size)
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress { parts: self.parts, whole: self.is_whole(), until: self.until }
    }

    /// What beginning it again means.
    pub(crate) fn again(&self, begin: &Begin, now: u64) -> Result<Progress, BeginError> {
        let same = self.owner == begin.owner && self.size == begin.size && self.until > now;
        if same { Ok(self.progress()) } else { Err(BeginError::Taken) }
    }

    /// What putting part number `part` in means: `None` when it is in already, else how far the blob is then.
    pub(crate) fn with(&self, part: u32, length: usize, whole_until: u64) -> Result<Option<Self>, PutError> {
        if blob::part_len(self.size, part) != length || length == 0 {
            return Err(PutError::Length);
        }
        if part > self.parts {
            return Err(PutError::OutOfOrder(self.parts));
        }
        let more = Self { parts: part + 1, ..*self };
        let until = if more.is_whole() { whole_until } else { more.until };
        Ok((part == self.parts).then_some(Self { until, ..more }))
    }
}
