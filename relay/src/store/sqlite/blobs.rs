//! Blobs in SQLite: a file beside the database, with threads of its own, so that no message waits behind a file's bytes
//! and what is deleted gives its room back (docs/adr/0005).

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use livechat_wire::BlobId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Migrations, Sqlite};
use crate::store::blobs::{Begin, BeginError, BlobStore, Kept, OwnerKey, Progress, PutError, limits};
use crate::store::{OpenError, StoreError};

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The blob store of an SQLite database.
pub struct SqliteBlobs(Sqlite);

impl SqliteBlobs {
    /// Opens or creates the file beside a database.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn beside(db: &Sqlite) -> Result<Self, OpenError> {
        Sqlite::open_as(beside(db.path()), Migrations::Blobs).await.map(Self)
    }

    /// The file as a database.
    #[must_use]
    pub fn database(&self) -> &Sqlite {
        &self.0
    }
}

/// `relay.db` becomes `relay.files.db`.
fn beside(database: &Path) -> PathBuf {
    database.with_extension("files.db")
}

#[async_trait]
impl BlobStore for SqliteBlobs {
    async fn begin(&self, begin: Begin, quota: u64, now: u64) -> Result<Progress, BeginError> {
        self.0
            .write(move |db| {
                if let Some((_, kept)) = find(db, begin.id)? {
                    return Ok(kept.again(&begin, now));
                }
                if used(db, begin.owner, now)?.saturating_add(begin.size) > quota {
                    return Ok(Err(BeginError::Quota));
                }
                let Begin { id, owner, size, until } = begin;
                db.prepare_cached("INSERT INTO blobs (id, owner, size, parts, until) VALUES (?1, ?2, ?3, 0, ?4)")?
                    .execute(params![id.0, owner.0, signed(size), signed(until)])?;
                Ok(Ok(Kept { owner, size, parts: 0, until }.progress()))
            })
            .await?
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
        self.0
            .write(move |db| {
                let Some((number, kept)) = find(db, id)?.filter(|(_, k)| k.owner == owner && k.until > now) else {
                    return Ok(Err(PutError::Unknown));
                };
                let more = match kept.with(part, bytes.len(), whole_until) {
                    Ok(Some(more)) => more,
                    Ok(None) => return Ok(Ok(kept.progress())),
                    Err(e) => return Ok(Err(e)),
                };
                db.prepare_cached("INSERT INTO blob_parts (number, position, bytes) VALUES (?1, ?2, ?3)")?
                    .execute(params![number, part, bytes])?;
                db.prepare_cached("UPDATE blobs SET parts = ?2, until = ?3 WHERE number = ?1")?.execute(params![
                    number,
                    more.parts,
                    signed(more.until)
                ])?;
                Ok(Ok(more.progress()))
            })
            .await?
    }

    async fn part(&self, id: BlobId, part: u32, now: u64) -> Result<Option<Vec<u8>>> {
        self.0
            .read(move |db| {
                let Some((number, _)) = find(db, id)?.filter(|(_, k)| k.is_whole() && k.until > now) else {
                    return Ok(None);
                };
                let mut read = db.prepare_cached("SELECT bytes FROM blob_parts WHERE number = ?1 AND position = ?2")?;
                Ok(read.query_row(params![number, part], |r| r.get(0)).optional()?)
            })
            .await
    }

    async fn remove(&self, id: BlobId, owner: OwnerKey, now: u64) -> Result<bool> {
        self.0
            .write(move |db| {
                let over = "UPDATE blobs SET until = 0 WHERE id = ?1 AND owner = ?2 AND until > ?3";
                Ok(db.prepare_cached(over)?.execute(params![id.0, owner.0, signed(now)])? == 1)
            })
            .await
    }

    async fn remove_all(&self, owner: OwnerKey) -> Result<()> {
        self.0
            .write(move |db| {
                db.prepare_cached("UPDATE blobs SET until = 0 WHERE owner = ?1")?.execute([owner.0])?;
                Ok(())
            })
            .await
    }

    async fn used(&self, owner: OwnerKey, now: u64) -> Result<u64> {
        self.0.read(move |db| used(db, owner, now)).await
    }

    async fn sweep(&self, now: u64) -> Result<u64> {
        let mut gone = 0;
        loop {
            let step = self.0.write(move |db| step(db, now)).await?;
            gone += step.blobs;
            if step.parts > 0 {
                // Outside of the transaction that freed them; what isn't given back now is used again or comes next time.
                self.0.write(vacuum).await?;
            }
            if step.parts + step.blobs == 0 {
                return Ok(gone);
            }
        }
    }
}

/// Gives free pages back; each row of the answer is one.
fn vacuum(db: &Connection) -> Result<()> {
    let mut statement = db.prepare(&format!("PRAGMA incremental_vacuum({})", limits::VACUUM_PAGES))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

struct Step {
    parts: u64,
    blobs: u64,
}

/// Deletes some parts of what is over, then blobs that have none left.
fn step(db: &Connection, now: u64) -> Result<Step> {
    let parts = db
        .prepare_cached(
            "DELETE FROM blob_parts WHERE rowid IN (SELECT p.rowid FROM blobs b JOIN blob_parts p USING (number) \
             WHERE b.until <= ?1 LIMIT ?2)",
        )?
        .execute(params![signed(now), limits::SWEEP_PARTS])?;
    let blobs = db
        .prepare_cached(
            "DELETE FROM blobs WHERE until <= ?1 AND NOT EXISTS \
             (SELECT 1 FROM blob_parts p WHERE p.number = blobs.number)",
        )?
        .execute([signed(now)])?;
    Ok(Step { parts: parts as u64, blobs: blobs as u64 })
}

fn find(db: &Connection, id: BlobId) -> Result<Option<(i64, Kept)>> {
    let mut find = db.prepare_cached("SELECT number, owner, size, parts, until FROM blobs WHERE id = ?1")?;
    Ok(find.query_row([id.0], kept).optional()?)
}

fn kept(row: &Row<'_>) -> rusqlite::Result<(i64, Kept)> {
    let kept = Kept {
        owner: OwnerKey(row.get(1)?),
        size: row.get::<_, i64>(2)?.unsigned_abs(),
        parts: row.get(3)?,
        until: row.get::<_, i64>(4)?.unsigned_abs(),
    };
    Ok((row.get(0)?, kept))
}

fn used(db: &Connection, owner: OwnerKey, now: u64) -> Result<u64> {
    let mut sum = db.prepare_cached("SELECT coalesce(sum(size), 0) FROM blobs WHERE owner = ?1 AND until > ?2")?;
    Ok(sum.query_row(params![owner.0, signed(now)], |r| r.get::<_, i64>(0))?.unsigned_abs())
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
