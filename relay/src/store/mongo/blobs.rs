//! Blobs in MongoDB: `blobs {_id, owner, size, parts, until}` and `blob_parts {_id: blob ‖ u32 part, bytes}`.
//!
//! No transactions. A blob is inserted first and counted afterwards: whoever finds their owner's sum above the quota
//! takes their own back, so two at once may both be refused, and never both be let in. A part is written before it is
//! counted; until then writing it again replaces it.

use std::sync::Arc;

use async_trait::async_trait;
use futures::TryStreamExt;
use livechat_wire::BlobId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use mongodb::{Collection, IndexModel};

use super::Mongo;
use super::envelopes::is_duplicate;
use crate::store::StoreError;
use crate::store::blobs::{Begin, BeginError, BlobStore, Kept, OwnerKey, Progress, PutError, limits};

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The blob store of a database.
pub struct MongoBlobs(Arc<Shared>);

struct Shared(Mongo);

impl MongoBlobs {
    /// Over a connected database.
    #[must_use]
    pub fn new(mongo: Mongo) -> Self {
        Self(Arc::new(Shared(mongo)))
    }

    /// Runs `work` in a task of its own, which goes on to its end whether the caller waits or not.
    async fn run<T, F>(&self, work: impl FnOnce(Arc<Shared>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.0.0.call(work(self.0.clone())).await
    }
}

#[async_trait]
impl BlobStore for MongoBlobs {
    async fn begin(&self, begin: Begin, quota: u64, now: u64) -> Result<Progress, BeginError> {
        self.run(move |s| async move { s.begin(begin, quota, now).await }).await?
    }

    async fn put(
        &self,
        id: BlobId,
        owner: OwnerKey,
        part: u32,
        bytes: Vec<u8>,
        whole_until: u64,
        now: u64,
    ) -> Result<Progress, PutError> {
        self.run(move |s| async move { s.put(id, owner, part, bytes, whole_until, now).await }).await?
    }

    async fn part(&self, id: BlobId, part: u32, now: u64) -> Result<Option<Vec<u8>>> {
        self.run(move |s| async move {
            if s.find(id).await?.is_none_or(|k| !k.is_whole() || k.until <= now) {
                return Ok(None);
            }
            let found = s.parts().find_one(doc! { "_id": binary(&key(id, part)) }).await?;
            found.map(|d| Ok(d.get_binary_generic("bytes").map_err(damaged)?.clone())).transpose()
        })
        .await
    }

    async fn remove(&self, id: BlobId, owner: OwnerKey, now: u64) -> Result<bool> {
        self.run(move |s| async move {
            let live = doc! { "_id": binary(&id.0), "owner": binary(&owner.0), "until": { "$gt": signed(now) } };
            Ok(s.blobs().update_one(live, doc! { "$set": { "until": 0_i64 } }).await?.modified_count == 1)
        })
        .await
    }

    async fn remove_all(&self, owner: OwnerKey) -> Result<()> {
        self.run(move |s| async move {
            let of_owner = doc! { "owner": binary(&owner.0) };
            s.blobs().update_many(of_owner, doc! { "$set": { "until": 0_i64 } }).await?;
            Ok(())
        })
        .await
    }

    async fn used(&self, owner: OwnerKey, now: u64) -> Result<u64> {
        self.run(move |s| async move { s.used(owner, now).await }).await
    }

    async fn sweep(&self, now: u64) -> Result<u64> {
        let mut gone = 0;
        loop {
            let step = self.run(move |s| async move { s.sweep_some(now).await }).await?;
            gone += step;
            if step == 0 {
                return Ok(gone);
            }
        }
    }
}

impl Shared {
    fn blobs(&self) -> Collection<Document> {
        self.0.db().collection("blobs")
    }

    fn parts(&self) -> Collection<Document> {
        self.0.db().collection("blob_parts")
    }

    async fn find(&self, id: BlobId) -> Result<Option<Kept>> {
        self.blobs().find_one(doc! { "_id": binary(&id.0) }).await?.map(|d| kept(&d)).transpose()
    }

    async fn begin(&self, begin: Begin, quota: u64, now: u64) -> Result<Result<Progress, BeginError>> {
        let Begin { id, owner, size, until } = begin;
        let fresh = doc! {
            "_id": binary(&id.0),
            "owner": binary(&owner.0),
            "size": signed(size),
            "parts": 0_i64,
            "until": signed(until),
        };
        let kept = match self.blobs().insert_one(fresh).await {
            Ok(_) => Kept { owner, size, parts: 0, until },
            Err(e) if is_duplicate(&e) => match self.find(id).await? {
                Some(kept) => kept,
                // Swept between the two.
                None => return Ok(Err(BeginError::Taken)),
            },
            Err(e) => return Err(e.into()),
        };
        let progress = match kept.again(&begin, now) {
            Ok(progress) => progress,
            Err(taken) => return Ok(Err(taken)),
        };
        // One that has parts was let in before; one without may be left of a process that died before it counted.
        if progress.parts == 0 && self.used(owner, now).await? > quota {
            let untouched = doc! { "_id": binary(&id.0), "parts": 0_i64 };
            self.blobs().delete_one(untouched).await?;
            return Ok(Err(BeginError::Quota));
        }
        Ok(Ok(progress))
    }

    async fn put(
        &self,
        id: BlobId,
        owner: OwnerKey,
        part: u32,
        bytes: Vec<u8>,
        whole_until: u64,
        now: u64,
    ) -> Result<Result<Progress, PutError>> {
        let Some(kept) = self.find(id).await?.filter(|k| k.owner == owner && k.until > now) else {
            return Ok(Err(PutError::Unknown));
        };
        let more = match kept.with(part, bytes.len(), whole_until) {
            Ok(Some(more)) => more,
            Ok(None) => return Ok(Ok(kept.progress())),
            Err(e) => return Ok(Err(e)),
        };
        let place = doc! { "_id": binary(&key(id, part)) };
        let write = doc! { "$set": { "bytes": binary(&bytes) } };
        match self.parts().update_one(place.clone(), write).upsert(true).await {
            Ok(_) => {}
            // Two that inserted at once: the other's is there, and it is the same part.
            Err(e) if is_duplicate(&e) => {}
            Err(e) => return Err(e.into()),
        }
        let before = doc! { "_id": binary(&id.0), "parts": i64::from(part), "until": { "$gt": signed(now) } };
        let counted = doc! { "$set": { "parts": i64::from(more.parts), "until": signed(more.until) } };
        if self.blobs().update_one(before, counted).await?.matched_count == 1 {
            return Ok(Ok(more.progress()));
        }
        // Somebody else counted it, or the blob was taken back meanwhile.
        match self.find(id).await?.filter(|k| k.until > now) {
            Some(kept) => Ok(Ok(kept.progress())),
            None => {
                self.parts().delete_one(place).await?;
                Ok(Err(PutError::Unknown))
            }
        }
    }

    async fn used(&self, owner: OwnerKey, now: u64) -> Result<u64> {
        let live = doc! { "owner": binary(&owner.0), "until": { "$gt": signed(now) } };
        let sum = [doc! { "$match": live }, doc! { "$group": { "_id": null, "size": { "$sum": "$size" } } }];
        let mut rows = self.blobs().aggregate(sum).await?;
        match rows.try_next().await? {
            Some(row) => Ok(unsigned(row.get_i64("size").map_err(damaged)?)),
            None => Ok(0),
        }
    }

    /// Parts first: a blob that is named can be swept again, parts without one could not.
    async fn sweep_some(&self, now: u64) -> Result<u64> {
        let over = doc! { "until": { "$lte": signed(now) } };
        let found: Vec<Document> = self
            .blobs()
            .find(over)
            .limit(limits::SWEEP_BLOBS)
            .projection(doc! { "_id": 1 })
            .await?
            .try_collect()
            .await?;
        let mut gone = 0;
        for blob in found {
            let id = blob.get_binary_generic("_id").map_err(damaged)?.as_slice().try_into().map_err(damaged)?;
            let (first, last) = (key(BlobId(id), 0), key(BlobId(id), u32::MAX));
            self.parts().delete_many(doc! { "_id": { "$gte": binary(&first), "$lte": binary(&last) } }).await?;
            gone += self.blobs().delete_one(doc! { "_id": binary(&id) }).await?.deleted_count;
        }
        Ok(gone)
    }
}

pub(super) async fn create_indexes(mongo: &Mongo) -> Result<()> {
    let db = mongo.db().clone();
    mongo
        .call(async move {
            let index = |keys| IndexModel::builder().keys(keys).build();
            let indexes = [index(doc! { "owner": 1 }), index(doc! { "until": 1 })];
            db.collection::<Document>("blobs").create_indexes(indexes).await?;
            Ok(())
        })
        .await
}

fn kept(d: &Document) -> Result<Kept> {
    Ok(Kept {
        owner: OwnerKey(d.get_binary_generic("owner").map_err(damaged)?.as_slice().try_into().map_err(damaged)?),
        size: unsigned(d.get_i64("size").map_err(damaged)?),
        parts: d.get_i64("parts").map_err(damaged)?.try_into().map_err(damaged)?,
        until: unsigned(d.get_i64("until").map_err(damaged)?),
    })
}

fn key(id: BlobId, part: u32) -> Vec<u8> {
    [&id.0[..], &part.to_be_bytes()].concat()
}

fn damaged<E>(_: E) -> StoreError {
    StoreError::Damaged("blob")
}

fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
