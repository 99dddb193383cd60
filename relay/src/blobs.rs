//! Files that people send each other, sealed by them (R-110 …): how large, how many, how long. [`Blobs`] knows no HTTP.

use std::sync::Arc;

use livechat_wire::http::{BlobSpace, BlobState};
use livechat_wire::{BlobId, blob};

use crate::env::Env;
use crate::limits::{self, Limits};
use crate::store::StoreError;
use crate::store::blobs::{Begin, BeginError, BlobStore, OwnerKey, Progress, PutError};

/// Why a file can't be put here, or be had.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// No such file, not any more, or not this account's.
    #[error("there is no such file")]
    NotFound,
    /// No file has a blob of that size.
    #[error("that is no size of a padded file")]
    Size,
    /// Larger than the whole quota.
    #[error("the file is too large")]
    TooLarge,
    /// Another one has the id.
    #[error("the id is taken")]
    Taken,
    /// The account's room is used up.
    #[error("the account's room is used up")]
    Quota,
    /// An earlier part is missing.
    #[error("part {0} comes first")]
    OutOfOrder(u32),
    /// A part of the wrong length.
    #[error("the part has the wrong length")]
    Length,
    /// Nobody's mistake.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The operations. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn BlobStore>,
    env: Env,
    quota: u64,
    seconds: u64,
}

impl Blobs {
    /// Sets up the operations.
    #[must_use]
    pub fn new(store: Arc<dyn BlobStore>, env: Env, limits: &Limits) -> Self {
        Self { store, env, quota: limits.file_quota, seconds: limits.file_seconds }
    }

    /// What an account has here, and may have.
    ///
    /// # Errors
    /// The store's.
    pub async fn space(&self, owner: OwnerKey) -> Result<BlobSpace, BlobError> {
        let used = self.store.used(owner, self.env.now()).await?;
        Ok(BlobSpace { used, quota: self.quota, largest: self.largest(), kept_seconds: self.seconds })
    }

    /// Begins a file, or tells how far it is.
    ///
    /// # Errors
    /// See [`BlobError`].
    pub async fn begin(&self, owner: OwnerKey, id: BlobId, size: u64) -> Result<BlobState, BlobError> {
        if size > self.largest() {
            return Err(BlobError::TooLarge);
        }
        if !blob::is_size(size) {
            return Err(BlobError::Size);
        }
        let now = self.env.now();
        let begin = Begin { id, owner, size, until: now.saturating_add(limits::BLOB_OPEN) };
        match self.store.begin(begin, self.quota, now).await {
            Ok(progress) => Ok(state(progress)),
            Err(BeginError::Quota) => Err(BlobError::Quota),
            Err(BeginError::Taken) => Err(BlobError::Taken),
            Err(BeginError::Store(e)) => Err(e.into()),
        }
    }

    /// Puts a part in.
    ///
    /// # Errors
    /// See [`BlobError`].
    pub async fn put(&self, owner: OwnerKey, id: BlobId, part: u32, bytes: Vec<u8>) -> Result<BlobState, BlobError> {
        let now = self.env.now();
        match self.store.put(id, owner, part, bytes, now.saturating_add(self.seconds), now).await {
            Ok(progress) => Ok(state(progress)),
            Err(PutError::Unknown) => Err(BlobError::NotFound),
            Err(PutError::OutOfOrder(next)) => Err(BlobError::OutOfOrder(next)),
            Err(PutError::Length) => Err(BlobError::Length),
            Err(PutError::Store(e)) => Err(e.into()),
        }
    }

    /// A part of a whole file.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], or the store's.
    pub async fn part(&self, id: BlobId, part: u32) -> Result<Vec<u8>, BlobError> {
        self.store.part(id, part, self.env.now()).await?.ok_or(BlobError::NotFound)
    }

    /// Takes a file of this account back.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], or the store's.
    pub async fn remove(&self, owner: OwnerKey, id: BlobId) -> Result<(), BlobError> {
        if self.store.remove(id, owner, self.env.now()).await? { Ok(()) } else { Err(BlobError::NotFound) }
    }

    /// Takes all files of an account back.
    ///
    /// # Errors
    /// The store's.
    pub async fn remove_all(&self, owner: OwnerKey) -> Result<(), StoreError> {
        self.store.remove_all(owner).await
    }

    /// Deletes what is over. Call it now and then.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        self.store.sweep(self.env.now()).await
    }

    fn largest(&self) -> u64 {
        self.quota.min(blob::MAX)
    }
}

fn state(p: Progress) -> BlobState {
    BlobState { parts: p.parts, whole: p.whole, until: p.until }
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blobs").finish_non_exhaustive()
    }
}
