//! Envelopes, as the store sees them: numbered, kept for a month, read by bucket in the order of their numbers.
//!
//! Numbers are the heart of it. A reader remembers, per *origin*, the last number it has read, and never looks below
//! again. So whoever numbers must hold the origin alone, number after number, and a commit that arrives
//! late must not slip in below. [`EnvelopeStore::lease_origin`] hands out an origin with a fencing token, and each
//! commit checks token and last number in the same transaction that stores the envelopes: the holder of an older token
//! can't commit anything any more, at no time and with no clock involved.

#[cfg(any(test, feature = "testing"))]
pub mod exam;
pub mod limits;

use std::sync::Arc;

use async_trait::async_trait;
use livechat_wire::limits::EPOCH_SECONDS;
use livechat_wire::sync::Cursor;
use livechat_wire::{Envelope, EnvelopeId};
use tokio::sync::watch;

use super::{Store, StoreError};

/// The right to number envelopes: an origin and the token that fences earlier holders off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The origin, random and positive as an `i64`.
    pub id: u64,
    /// Grows with each lease.
    pub token: u64,
}

/// Where and since when an envelope is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Which envelope.
    pub id: EnvelopeId,
    /// Who numbered it.
    pub origin: u64,
    /// Its number there, from 1.
    pub sequence: u64,
    /// Unix seconds.
    pub time: u64,
}

/// A stretch of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In the order of their numbers within each origin.
    pub envelopes: Vec<Envelope>,
    /// Covers them, and what isn't of this bucket before and between them.
    pub cursor: Cursor,
    /// Whether more may be there already.
    pub more: bool,
}

/// Why no origin could be leased.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// As many relay processes as a cursor has room for hold one.
    #[error("too many relay processes share this store")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why envelopes weren't stored. None of them was, unless the store failed half-way: then asking again tells.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DepositError {
    /// Another process holds the origin now: lease one again.
    #[error("another process has taken over this origin")]
    Fenced,
    /// An envelope's epoch is more than a day from now; the caller checks freshness.
    #[error("an envelope's epoch is far from now")]
    Epoch,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps envelopes. Times are Unix seconds.
#[async_trait]
pub trait EnvelopeStore: Send + Sync + 'static {
    /// Leases an origin, free or run out, to number envelopes with. `fresh` is random and names it should it be new.
    async fn lease_origin(&self, fresh: u64, now: u64) -> Result<Origin, LeaseError>;

    /// Holds the lease on; [`DepositError::Fenced`] says that it is gone. Deposits do the same by the way.
    async fn renew_origin(&self, origin: Origin, now: u64) -> Result<(), DepositError>;

    /// Gives the origin back, for another process to use at once.
    async fn release_origin(&self, origin: Origin) -> Result<(), StoreError>;

    /// Stores what isn't there yet; durable when it returns, and readable from then on. Answers in the order asked;
    /// what was there keeps its numbers. All or nothing. Two calls under one origin run one after the other.
    async fn deposit(&self, origin: Origin, envelopes: Vec<Envelope>, now: u64) -> Result<Vec<Stored>, DepositError>;

    /// Which of these are kept, in the order asked.
    async fn present(&self, ids: Vec<EnvelopeId>) -> Result<Vec<Option<Stored>>, StoreError>;

    /// Up to `limit` envelopes of `bucket` after `cursor`, of all origins. Origins unknown here leave the cursor.
    async fn fetch(&self, bucket: u16, cursor: &Cursor, limit: usize) -> Result<Page, StoreError>;

    /// Drops envelopes stored before `time` (MongoDB: whole days); returns how many, about.
    async fn expire_before(&self, time: u64) -> Result<u64, StoreError>;

    /// Whether the store can be read now.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Changes whenever something new can be fetched, stored by this process or another.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// The envelope store of an open store.
///
/// # Errors
/// [`StoreError`] when the store can't prepare.
pub async fn open(store: &Store) -> Result<Arc<dyn EnvelopeStore>, StoreError> {
    Ok(match store {
        Store::Sqlite(db) => Arc::new(super::sqlite::envelopes::SqliteEnvelopes::new(db.clone())),
        Store::Mongo(db) => Arc::new(super::mongo::envelopes::MongoEnvelopes::new(db.clone())),
    })
}

/// Whether an epoch is within a day of `now`: a store that took any would let strangers name its collections and choose
/// what is kept for how long.
pub(crate) fn is_near(epoch: u32, now: u64) -> bool {
    (u64::from(epoch) * EPOCH_SECONDS).abs_diff(now) <= 86_400
}
