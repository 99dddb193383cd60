//! Slots in SQLite: the one writer thread gives the numbers.

use async_trait::async_trait;
use livechat_wire::order::SealedCommit;
use livechat_wire::{SlotId, limits as wire};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use crate::store::StoreError;
use crate::store::slots::{AppendError, Gather, Kept, Placed, ReadError, SlotStore, Stretch, limits, place};

#[async_trait]
impl SlotStore for Sqlite {
    async fn append(&self, slot: SlotId, commit: SealedCommit, now: u64) -> Result<Placed, AppendError> {
        let hash = commit.hash();
        self.write(move |db| {
            if let Some(there) = find(db, slot, hash)? {
                return Ok(Ok(there));
            }
            let placed = match place(next(db, slot)?, now) {
                Ok(placed) => placed,
                Err(full) => return Ok(Err(full)),
            };
            db.prepare_cached(
                "INSERT INTO slots (slot, next, time) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (slot) DO UPDATE SET next = ?2, time = ?3",
            )?
            .execute(params![slot.0, placed.index + 1, signed(placed.time)])?;
            db.prepare_cached(
                "INSERT INTO slot_entries (slot, position, hash, time, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![slot.0, placed.index, hash, signed(placed.time), commit.as_bytes()])?;
            Ok(Ok(placed))
        })
        .await?
    }

    async fn entries(&self, slot: SlotId, from: u32) -> Result<Stretch, ReadError> {
        let (gather, next) = self
            .read(move |db| {
                // The number first: an append in between is in the answer or after it, and no gap.
                let next = next(db, slot)?.map_or(0, |n| n.index);
                let mut read = db.prepare_cached(
                    "SELECT position, time, bytes FROM slot_entries WHERE slot = ?1 AND position >= ?2 \
                     ORDER BY position LIMIT ?3",
                )?;
                let mut rows = read.query(params![slot.0, from, wire::SLOT_PAGE as i64 + 1])?;
                let mut gather = Gather::default();
                while let Some(row) = rows.next()? {
                    let commit = SealedCommit::new(row.get(2)?).map_err(|_| StoreError::Damaged("slot"))?;
                    if !gather.take(Kept { placed: placed(row)?, commit }) {
                        break;
                    }
                }
                Ok((gather, next))
            })
            .await?;
        gather.finish(from, next)
    }

    async fn expire_before(&self, entries: u64, slots: u64) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            // In steps, so that appends and deposits get their turn between them.
            let n = self.write(move |db| expire_step(db, entries, slots)).await?;
            gone += n;
            if n < limits::EXPIRE_STEP {
                return Ok(gone);
            }
        }
    }
}

fn find(db: &Connection, slot: SlotId, hash: [u8; 32]) -> Result<Option<Placed>, StoreError> {
    let mut find = db.prepare_cached("SELECT position, time FROM slot_entries WHERE slot = ?1 AND hash = ?2")?;
    Ok(find.query_row(params![slot.0, hash], placed).optional()?)
}

fn next(db: &Connection, slot: SlotId) -> Result<Option<Placed>, StoreError> {
    let mut next = db.prepare_cached("SELECT next, time FROM slots WHERE slot = ?1")?;
    Ok(next.query_row([slot.0], placed).optional()?)
}

fn placed(row: &Row<'_>) -> rusqlite::Result<Placed> {
    Ok(Placed { index: row.get(0)?, time: row.get::<_, i64>(1)?.unsigned_abs() })
}

/// Deletes a step of the oldest entries, then the slots that nobody asks for any more. Within a slot times never go
/// back, so an entry never goes before one that stands before it: ties are broken by position.
fn expire_step(db: &Connection, entries: u64, slots: u64) -> Result<u64, StoreError> {
    let gone = db
        .prepare_cached(
            "DELETE FROM slot_entries WHERE rowid IN \
             (SELECT rowid FROM slot_entries WHERE time < ?1 ORDER BY time, position LIMIT ?2)",
        )?
        .execute([signed(entries), signed(limits::EXPIRE_STEP)])?;
    db.prepare_cached(
        "DELETE FROM slots WHERE time < ?1 AND NOT EXISTS (SELECT 1 FROM slot_entries e WHERE e.slot = slots.slot)",
    )?
    .execute([signed(slots)])?;
    Ok(gone as u64)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
