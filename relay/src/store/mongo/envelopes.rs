//! Envelopes in MongoDB: a collection a day, dropped whole at the end.
//!
//! - An envelope lies in the collection of the day *its own epoch* names, not of the day it came. So the same bytes
//!   always meet the same `_id` index, and depositing twice is noticed over the whole retention at the price of one
//!   index.
//! - A commit is one transaction: the origin's document moves from the last number to the new one, guarded by the
//!   token, and the envelopes come in. Two commits of one origin touch the same document, so they happen one after the
//!   other, each visible as a whole; a late one of a former holder finds another token and is undone.
//! - The origin's document also says which days it has numbers in, first and last. A reader who is up to date costs one
//!   read of a few small documents, however many days there are.

mod days;
mod fetch;
mod ingest;
mod origins;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use livechat_wire::sync::Cursor;
use livechat_wire::{Envelope, EnvelopeId};
use mongodb::bson::{Document, doc};
use mongodb::{ClientSession, Collection};
use tokio::sync::{Mutex, watch};

pub(super) use self::origins::is_duplicate;

use self::days::Day;
use super::Mongo;
use crate::store::StoreError;
use crate::store::envelopes::limits;
use crate::store::envelopes::{DepositError, EnvelopeStore, LeaseError, Origin, Page, Stored, is_near};

/// The envelope store of a database. Cheap to clone.
#[derive(Clone)]
pub struct MongoEnvelopes(Arc<Shared>);

struct Shared {
    mongo: Mongo,
    /// Held across a whole commit: one at a time, in order.
    writer: Mutex<Writer>,
    /// Batches still to be checked for duplicates first (`limits::WARY_BATCHES`).
    wary: AtomicU32,
    changes: watch::Sender<u64>,
    /// The origin we number for; our own commits tell `changes` by themselves.
    own: AtomicU64,
}

#[derive(Default)]
struct Writer {
    /// The last number committed under the origin we number for, if known for sure.
    head: Option<(Origin, u64)>,
    /// Days whose collection and index are there.
    prepared: Vec<Day>,
}

impl MongoEnvelopes {
    /// Over a connected database; begins to watch for what other processes store.
    #[must_use]
    pub fn new(mongo: Mongo) -> Self {
        let shared = Shared {
            mongo,
            writer: Mutex::default(),
            wary: AtomicU32::new(0),
            changes: watch::Sender::new(0),
            own: AtomicU64::new(0),
        };
        let this = Self(Arc::new(shared));
        // Ends by itself when the store is gone.
        let watched = Arc::downgrade(&this.0);
        tokio::spawn(async move {
            let mut seen = None;
            loop {
                tokio::time::sleep(Duration::from_secs(limits::WATCH_SECONDS)).await;
                let Some(shared) = watched.upgrade() else { return };
                let this = Self(shared);
                // An unreachable database is noticed by everyone else; the next look finds it again.
                let Ok(records) = this.run(|s| async move { origins::all(&s, None).await }).await else { continue };
                let own = this.0.own.load(Ordering::Relaxed);
                let heads: Vec<_> = records.iter().filter(|r| r.id != own).map(|r| (r.id, r.head)).collect();
                if seen.as_ref().is_some_and(|s| *s != heads) {
                    this.0.changes.send_modify(|n| *n += 1);
                }
                seen = Some(heads);
            }
        });
        this
    }

    /// Runs `work` in a task of its own: the driver's futures must not be dropped half-way.
    async fn run<T, F>(&self, work: impl FnOnce(Arc<Shared>) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.0.mongo.call(work(self.0.clone())).await
    }
}

impl Shared {
    fn origins(&self) -> Collection<Document> {
        self.mongo.db().collection("origins")
    }

    fn day(&self, day: Day) -> Collection<Document> {
        self.mongo.db().collection(&day.collection())
    }

    /// Notes that somebody else numbers for what was our origin.
    fn fenced(&self) -> DepositError {
        self.own.store(0, Ordering::Relaxed);
        DepositError::Fenced
    }

    async fn session(&self) -> Result<ClientSession, StoreError> {
        // Causally consistent by default: what one read has seen, the next sees too, whichever server answers.
        Ok(self.mongo.client().start_session().await?)
    }

    async fn known_days(&self, session: &mut ClientSession) -> Result<Vec<Day>, StoreError> {
        let records = origins::all(self, Some(session)).await?;
        let mut days: Vec<_> = records.iter().flat_map(|r| r.days.iter().map(|d| d.day)).collect();
        days.sort_unstable();
        days.dedup();
        Ok(days)
    }
}

#[async_trait]
impl EnvelopeStore for MongoEnvelopes {
    async fn lease_origin(&self, fresh: u64, now: u64) -> Result<Origin, LeaseError> {
        let leased = self.run(move |s| async move { origins::lease(&s, fresh, now).await });
        let origin = leased.await?.ok_or(LeaseError::TooMany)?;
        self.0.own.store(origin.id, Ordering::Relaxed);
        Ok(origin)
    }

    async fn renew_origin(&self, origin: Origin, now: u64) -> Result<(), DepositError> {
        let held = self.run(move |s| async move { origins::renew(&s, origin, now + limits::LEASE).await });
        if held.await? { Ok(()) } else { Err(self.0.fenced()) }
    }

    async fn release_origin(&self, origin: Origin) -> Result<(), StoreError> {
        self.run(move |s| async move { origins::renew(&s, origin, 0).await }).await.map(|_| ())
    }

    async fn deposit(&self, origin: Origin, envelopes: Vec<Envelope>, now: u64) -> Result<Vec<Stored>, DepositError> {
        if envelopes.iter().any(|e| !is_near(e.epoch(), now)) {
            return Err(DepositError::Epoch);
        }
        // Whether the caller waits on or not, the task goes on to its end, and the next one waits for it.
        let (stored, added) = self
            .run(move |s| async move { ingest::commit(&s, origin, &envelopes, now).await })
            .await?
            .ok_or_else(|| self.0.fenced())?;
        if added {
            self.0.changes.send_modify(|n| *n += 1);
        }
        Ok(stored)
    }

    async fn present(&self, ids: Vec<EnvelopeId>) -> Result<Vec<Option<Stored>>, StoreError> {
        self.run(move |s| async move { fetch::present(&s, &ids).await }).await
    }

    async fn fetch(&self, bucket: u16, cursor: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let cursor = cursor.clone();
        self.run(move |s| async move { fetch::page(&s, bucket, &cursor, limit).await }).await
    }

    async fn expire_before(&self, time: u64) -> Result<u64, StoreError> {
        self.run(move |s| async move {
            let mut session = s.session().await?;
            let mut gone = 0;
            for day in s.known_days(&mut session).await?.into_iter().filter(|d| d.is_over_before(time)) {
                let collection = s.day(day);
                gone += collection.estimated_document_count().await?;
                // Only then forgotten: a crash between leaves a name without a collection, which reads as empty and is
                // dropped again next time.
                collection.drop().await?;
                origins::forget_day(&s, day).await?;
            }
            Ok(gone)
        })
        .await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.run(|s| async move {
            s.mongo.db().run_command(doc! { "ping": 1 }).await?;
            Ok(())
        })
        .await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }
}

pub(super) async fn create_indexes(_mongo: &Mongo) -> Result<(), StoreError> {
    // Each day's collection gets its index when its first envelope comes.
    Ok(())
}

/// BSON's integers are signed; ours stay below 2^63.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
