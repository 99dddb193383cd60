//! Devices that come and go.

use rusqlite::{Connection, OptionalExtension, params};

use super::*;

pub(super) fn pend(db: &Connection, account: AccountKey, bundle: &Sealed, expires_at: u64) -> Result<bool> {
    if !is_active(db, account)? {
        return Ok(false);
    }
    changes_one(
        db,
        "INSERT OR REPLACE INTO pending_devices (account, bundle, expires_at) VALUES (?1, ?2, ?3)",
        params![account.0, bundle.0, int(expires_at)],
    )
}

pub(super) fn pending(db: &Connection, account: AccountKey, now: u64) -> Result<Option<(Sealed, u64)>> {
    let mut read =
        db.prepare_cached("SELECT bundle, expires_at FROM pending_devices WHERE account = ?1 AND expires_at > ?2")?;
    let row = read.query_row(params![account.0, int(now)], |r| Ok((Sealed(r.get(0)?), uint(r.get(1)?))));
    Ok(row.optional()?)
}

pub(super) fn relog(db: &Connection, account: AccountKey, relog: &Relog) -> Result<bool> {
    let replaced = changes_one(
        db,
        "UPDATE accounts SET sealed = ?3 WHERE account = ?1 AND sealed = ?2 AND state = ?4",
        params![account.0, relog.was.0, relog.sealed.0, ACTIVE],
    )?;
    if !replaced {
        return Ok(false);
    }
    db.prepare_cached("DELETE FROM pending_devices WHERE account = ?1")?.execute([account.0])?;
    for device in &relog.revoked {
        db.prepare_cached("DELETE FROM devices WHERE account = ?1 AND device = ?2")?
            .execute(params![account.0, device.0])?;
    }
    for id in &relog.ended {
        db.prepare_cached("DELETE FROM sessions WHERE account = ?1 AND id = ?2")?.execute(params![account.0, id.0])?;
    }
    Ok(true)
}
