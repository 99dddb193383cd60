//! Envelopes in SQLite: one writer thread numbers and commits them in order, so every number a reader has seen is above
//! all that it hasn't.

use async_trait::async_trait;
use livechat_wire::sync::Cursor;
use livechat_wire::{Envelope, EnvelopeId};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::watch;

use super::Sqlite;
use crate::store::StoreError;
use crate::store::envelopes::limits;
use crate::store::envelopes::{DepositError, EnvelopeStore, LeaseError, Origin, Page, Stored, is_near};

/// The envelope store of a SQLite file.
pub struct SqliteEnvelopes {
    db: Sqlite,
    changes: watch::Sender<u64>,
}

impl SqliteEnvelopes {
    /// Over an open file.
    #[must_use]
    pub fn new(db: Sqlite) -> Self {
        Self { db, changes: watch::Sender::new(0) }
    }
}

#[async_trait]
impl EnvelopeStore for SqliteEnvelopes {
    /// One file belongs to one process: whoever comes last holds it, at once, and fences the one before off.
    async fn lease_origin(&self, fresh: u64, _now: u64) -> Result<Origin, LeaseError> {
        let fresh = signed(fresh & (u64::MAX >> 1)).max(1);
        let lease = self.db.write(move |db| {
            let (id, token) = db.query_row(
                "INSERT INTO origin (one, id, token) VALUES (1, ?1, 1) \
                 ON CONFLICT DO UPDATE SET token = token + 1 RETURNING id, token",
                [fresh],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok(Origin { id: unsigned(id), token: unsigned(token) })
        });
        Ok(lease.await?)
    }

    async fn renew_origin(&self, origin: Origin, _now: u64) -> Result<(), DepositError> {
        if self.db.read(move |db| holds(db, origin)).await? { Ok(()) } else { Err(DepositError::Fenced) }
    }

    async fn release_origin(&self, _origin: Origin) -> Result<(), StoreError> {
        Ok(())
    }

    async fn deposit(&self, origin: Origin, envelopes: Vec<Envelope>, now: u64) -> Result<Vec<Stored>, DepositError> {
        if envelopes.iter().any(|e| !is_near(e.epoch(), now)) {
            return Err(DepositError::Epoch);
        }
        let stored = self.db.write(move |db| {
            if !holds(db, origin)? {
                return Ok(None);
            }
            envelopes.iter().map(|e| insert(db, origin.id, e, now)).collect::<Result<Vec<_>, _>>().map(Some)
        });
        let stored = stored.await?.ok_or(DepositError::Fenced)?;
        self.changes.send_modify(|n| *n += 1);
        Ok(stored)
    }

    async fn present(&self, ids: Vec<EnvelopeId>) -> Result<Vec<Option<Stored>>, StoreError> {
        self.db
            .read(move |db| {
                let Some(origin) = origin(db)? else { return Ok(vec![None; ids.len()]) };
                ids.iter().map(|id| find(db, origin, *id)).collect()
            })
            .await
    }

    async fn fetch(&self, bucket: u16, cursor: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let cursor = cursor.clone();
        self.db.read(move |db| page(db, bucket, &cursor, limit)).await
    }

    async fn expire_before(&self, time: u64) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            // In steps, so that deposits get their turn between them.
            let n = self.db.write(move |db| expire_step(db, time)).await?;
            gone += n;
            if n < limits::EXPIRE_STEP {
                return Ok(gone);
            }
        }
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.db.read(|db| Ok(db.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

fn insert(db: &Connection, origin: u64, envelope: &Envelope, now: u64) -> Result<Stored, StoreError> {
    let id = envelope.id();
    let mut insert = db.prepare_cached(
        "INSERT INTO envelopes (id, bucket, time, bytes) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
    )?;
    if insert.execute(params![id.0, envelope.bucket(), signed(now), &envelope.as_bytes()[..]])? == 1 {
        return Ok(Stored { id, origin, sequence: unsigned(db.last_insert_rowid()), time: now });
    }
    find(db, origin, id)?.ok_or(StoreError::Damaged("envelope"))
}

fn find(db: &Connection, origin: u64, id: EnvelopeId) -> Result<Option<Stored>, StoreError> {
    let mut find = db.prepare_cached("SELECT sequence, time FROM envelopes WHERE id = ?1")?;
    let found = find.query_row([id.0], |row| {
        Ok(Stored { id, origin, sequence: unsigned(row.get(0)?), time: unsigned(row.get(1)?) })
    });
    Ok(found.optional()?)
}

fn page(db: &Connection, bucket: u16, cursor: &Cursor, limit: usize) -> Result<Page, StoreError> {
    let mut page = Page { envelopes: vec![], cursor: Cursor::default(), more: false };
    let Some(origin) = origin(db)? else { return Ok(page) };
    // The head first: what is committed after this line is above it and left for the next page.
    let head = db
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'envelopes'")?
        .query_row([], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let after = cursor.after(origin);
    let mut read = db.prepare_cached(
        "SELECT sequence, bytes FROM envelopes WHERE bucket = ?1 AND sequence > ?2 AND sequence <= ?3 \
         ORDER BY sequence LIMIT ?4",
    )?;
    let mut rows = read.query(params![bucket, signed(after), head, signed(limit as u64 + 1)])?;
    let mut last = after;
    while let Some(row) = rows.next()? {
        if page.envelopes.len() == limit {
            page.more = true;
            break;
        }
        last = unsigned(row.get(0)?);
        let bytes = row.get_ref(1)?.as_blob().map_err(|_| StoreError::Damaged("envelope"))?;
        page.envelopes.push(Envelope::decode(bytes).map_err(|_| StoreError::Damaged("envelope"))?);
    }
    page.cursor.advance(origin, if page.more { last } else { unsigned(head).max(after) });
    Ok(page)
}

/// Deletes up to a step of the oldest. Numbers follow time closely enough to look at the front only; where the clock
/// went back, an old one waits for those before it.
fn expire_step(db: &Connection, time: u64) -> Result<u64, StoreError> {
    let mut front = db.prepare_cached("SELECT sequence, time FROM envelopes ORDER BY sequence LIMIT ?1")?;
    let mut rows = front.query([signed(limits::EXPIRE_STEP)])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        if unsigned(row.get(1)?) >= time {
            break;
        }
        last = Some(row.get::<_, i64>(0)?);
    }
    let Some(last) = last else { return Ok(0) };
    Ok(db.prepare_cached("DELETE FROM envelopes WHERE sequence <= ?1")?.execute([last])? as u64)
}

fn origin(db: &Connection) -> Result<Option<u64>, StoreError> {
    Ok(db.prepare_cached("SELECT id FROM origin")?.query_row([], |row| row.get(0).map(unsigned)).optional()?)
}

fn holds(db: &Connection, origin: Origin) -> Result<bool, StoreError> {
    let mut held = db.prepare_cached("SELECT 1 FROM origin WHERE id = ?1 AND token = ?2")?;
    Ok(held.exists([signed(origin.id), signed(origin.token)])?)
}

/// SQLite's integers are signed; ours stay below 2^63.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
