//! The lobby's door: one row, or none.

use rusqlite::{Connection, OptionalExtension, params};

use super::*;

pub(super) fn standing(db: &Connection) -> Result<Option<Lobby>> {
    let mut read = db.prepare_cached("SELECT version, sealed, renewed_at FROM lobby")?;
    let row = read.query_row([], |r| {
        Ok(Lobby { version: uint(r.get(0)?), sealed: Sealed(r.get(1)?), renewed_at: uint(r.get(2)?) })
    });
    Ok(row.optional()?)
}

pub(super) fn put(
    db: &Connection,
    sealed: &Sealed,
    replaces: Option<u64>,
    stale_before: u64,
    now: u64,
) -> Result<Lobby> {
    match (standing(db)?, replaces) {
        (None, _) => {
            db.prepare_cached("INSERT INTO lobby (one, version, sealed, renewed_at) VALUES (1, 1, ?1, ?2)")?
                .execute(params![sealed.0, int(now)])?;
        }
        (Some(there), Some(version)) if there.version == version && there.renewed_at < stale_before => {
            db.prepare_cached("UPDATE lobby SET version = version + 1, sealed = ?1, renewed_at = ?2")?
                .execute(params![sealed.0, int(now)])?;
        }
        (Some(there), _) => return Ok(there),
    }
    standing(db)?.ok_or(StoreError::Damaged("lobby"))
}

pub(super) fn renew(db: &Connection, version: u64, now: u64) -> Result<bool> {
    changes_one(
        db,
        "UPDATE lobby SET renewed_at = max(renewed_at, ?2) WHERE version = ?1",
        params![int(version), int(now)],
    )
}
