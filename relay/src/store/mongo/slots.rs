//! Slots in MongoDB: `slots {_id: slot, next, time}` and `slot_entries {_id: slot ‖ u32 index, slot, index, hash, time,
//! bytes}`.
//!
//! Inserting the entry under slot and number is what gives the number: the key is unique, whichever process comes second
//! looks again. It inserts number `n` only after it has read `n - 1` from the majority, so there is no hole, whatever
//! server dies. The slot's document follows, and matters only when the entries are gone: expiry makes sure of it before
//! it deletes. No transactions: one that a killed process leaves open would hold its slot for a minute.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::TryStreamExt;
use livechat_wire::order::SealedCommit;
use livechat_wire::{SlotId, limits as wire};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};
use tokio::sync::Mutex;

use super::Mongo;
use super::envelopes::is_duplicate;
use crate::store::StoreError;
use crate::store::slots::{AppendError, Gather, Kept, Placed, ReadError, SlotStore, Stretch, limits, place};

/// The slot store of a database.
pub struct MongoSlots(Arc<Shared>);

struct Shared {
    mongo: Mongo,
    /// One append at a time for each slot: within a process they needn't collide.
    stripes: [Mutex<()>; limits::STRIPES],
}

impl MongoSlots {
    /// Over a connected database.
    #[must_use]
    pub fn new(mongo: Mongo) -> Self {
        Self(Arc::new(Shared { mongo, stripes: std::array::from_fn(|_| Mutex::default()) }))
    }
}

#[async_trait]
impl SlotStore for MongoSlots {
    async fn append(&self, slot: SlotId, commit: SealedCommit, now: u64) -> Result<Placed, AppendError> {
        let s = self.0.clone();
        // Whether the caller waits on or not, the task goes on to its end, and the next one waits for it.
        self.0.mongo.call(async move { s.append(slot, &commit, now).await }).await?
    }

    async fn entries(&self, slot: SlotId, from: u32) -> Result<Stretch, ReadError> {
        let s = self.0.clone();
        let (gather, next) = self.0.mongo.call(async move { s.gather(slot, from).await }).await?;
        gather.finish(from, next)
    }

    async fn expire_before(&self, entries: u64, slots: u64) -> Result<u64, StoreError> {
        let s = self.0.clone();
        self.0
            .mongo
            .call(async move {
                s.remember_before(entries).await?;
                let gone = s.entries().delete_many(doc! { "time": { "$lt": signed(entries) } }).await?;
                s.slots().delete_many(doc! { "time": { "$lt": signed(slots.min(entries)) } }).await?;
                Ok(gone.deleted_count)
            })
            .await
    }
}

impl Shared {
    fn slots(&self) -> Collection<Document> {
        self.mongo.db().collection("slots")
    }

    fn entries(&self) -> Collection<Document> {
        self.mongo.db().collection("slot_entries")
    }

    async fn append(
        &self,
        slot: SlotId,
        commit: &SealedCommit,
        now: u64,
    ) -> Result<Result<Placed, AppendError>, StoreError> {
        let stripe = usize::from(slot.0[0]) % limits::STRIPES;
        let _turn = match self.stripes.get(stripe) {
            Some(stripe) => stripe.lock().await,
            None => return Err(StoreError::Stopped),
        };
        let hash = commit.hash();
        for n in 0..limits::COLLISIONS {
            // Nothing the first time, then 2, 4, 8 … ms: whoever was faster has its entry on disk by then.
            tokio::time::sleep(Duration::from_millis((1 << n) & !1)).await;
            // Read from the majority: what is found is durable.
            if let Some(there) =
                self.entries().find_one(doc! { "slot": binary(&slot.0), "hash": binary(&hash) }).await?
            {
                return Ok(Ok(placed(&there, "index")?));
            }
            let placed = match place(self.next(slot).await?, now) {
                Ok(placed) => placed,
                Err(full) => return Ok(Err(full)),
            };
            let entry = doc! {
                "_id": binary(&key(slot, placed.index)),
                "slot": binary(&slot.0),
                "index": i64::from(placed.index),
                "hash": binary(&hash),
                "time": signed(placed.time),
                "bytes": binary(commit.as_bytes()),
            };
            match self.entries().insert_one(entry).await {
                Ok(_) => {
                    self.remember(slot, placed).await?;
                    return Ok(Ok(placed));
                }
                // Number or commit: somebody was faster.
                Err(e) if is_duplicate(&e) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(StoreError::Timeout)
    }

    async fn remember(&self, slot: SlotId, placed: Placed) -> Result<(), StoreError> {
        let next = doc! { "next": i64::from(placed.index) + 1, "time": signed(placed.time) };
        self.slots().update_one(doc! { "_id": binary(&slot.0) }, doc! { "$max": next }).upsert(true).await?;
        Ok(())
    }

    /// Makes sure that slots remember the numbers of entries placed before `time`: a process may have died before it
    /// said so.
    async fn remember_before(&self, time: u64) -> Result<(), StoreError> {
        let highest = doc! {
            "_id": "$slot",
            "next": { "$max": { "$add": ["$index", 1_i64] } },
            "time": { "$max": "$time" },
        };
        let higher = |field: &str| doc! { "$max": [format!("${field}"), format!("$$new.{field}")] };
        let pipeline = [
            doc! { "$match": { "time": { "$lt": signed(time) } } },
            doc! { "$group": highest },
            doc! { "$merge": {
                "into": "slots",
                "on": "_id",
                "whenMatched": [{ "$set": { "next": higher("next"), "time": higher("time") } }],
                "whenNotMatched": "insert",
            } },
        ];
        let mut done = self.entries().aggregate(pipeline).await?;
        while done.advance().await? {}
        Ok(())
    }

    /// Where the next entry goes, as far as is known: after the last one, or after those that were.
    async fn next(&self, slot: SlotId) -> Result<Option<Placed>, StoreError> {
        let remembered = self.slots().find_one(doc! { "_id": binary(&slot.0) }).await?;
        let remembered = remembered.map(|d| placed(&d, "next")).transpose()?;
        let last = self
            .entries()
            .find_one(doc! { "_id": { "$gte": binary(&key(slot, 0)), "$lte": binary(&key(slot, u32::MAX)) } })
            .sort(doc! { "_id": -1 })
            .projection(doc! { "index": 1, "time": 1 })
            .await?;
        let after = last.map(|d| placed(&d, "index")).transpose()?.map(|p| Placed { index: p.index + 1, ..p });
        Ok(match (remembered, after) {
            (Some(a), Some(b)) => Some(Placed { index: a.index.max(b.index), time: a.time.max(b.time) }),
            (a, b) => a.or(b),
        })
    }

    async fn gather(&self, slot: SlotId, from: u32) -> Result<(Gather, u32), StoreError> {
        // The number first: an append in between is in the answer or after it, and no gap. One session, so that the
        // second read is no older than the first, whichever server answers.
        let mut session = self.mongo.client().start_session().await?;
        let found = self.slots().find_one(doc! { "_id": binary(&slot.0) }).session(&mut session).await?;
        let next = found.map(|d| placed(&d, "next")).transpose()?.map_or(0, |n| n.index);
        // By primary key: the numbers of a slot stand next to each other.
        let range = doc! { "$gte": binary(&key(slot, from)), "$lte": binary(&key(slot, u32::MAX)) };
        let mut rows = self
            .entries()
            .find(doc! { "_id": range })
            .sort(doc! { "_id": 1 })
            .limit(wire::SLOT_PAGE as i64 + 1)
            .session(&mut session)
            .await?;
        let mut rows = rows.stream(&mut session);
        let mut gather = Gather::default();
        while let Some(row) = rows.try_next().await? {
            let bytes = row.get_binary_generic("bytes").map_err(damaged)?.clone();
            let commit = SealedCommit::new(bytes).map_err(damaged)?;
            if !gather.take(Kept { placed: placed(&row, "index")?, commit }) {
                break;
            }
        }
        Ok((gather, next))
    }
}

pub(super) async fn create_indexes(mongo: &Mongo) -> Result<(), StoreError> {
    let db = mongo.db().clone();
    mongo
        .call(async move {
            let by_time = || IndexModel::builder().keys(doc! { "time": 1 }).build();
            let once = IndexModel::builder()
                .keys(doc! { "slot": 1, "hash": 1 })
                .options(IndexOptions::builder().unique(true).build())
                .build();
            db.collection::<Document>("slots").create_index(by_time()).await?;
            db.collection::<Document>("slot_entries").create_indexes([once, by_time()]).await?;
            Ok(())
        })
        .await
}

fn placed(d: &Document, number: &str) -> Result<Placed, StoreError> {
    let index = d.get_i64(number).map_err(damaged)?.try_into().map_err(damaged)?;
    let time = d.get_i64("time").map_err(damaged)?.try_into().map_err(damaged)?;
    Ok(Placed { index, time })
}

/// A slot's entries, in order: the slot, then the number, high byte first.
fn key(slot: SlotId, index: u32) -> Vec<u8> {
    [&slot.0[..], &index.to_be_bytes()].concat()
}

fn damaged<E>(_: E) -> StoreError {
    StoreError::Damaged("slot")
}

fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
