//! The second authenticator.

use rusqlite::{Connection, OptionalExtension, params};

use super::*;

fn in_force(db: &Connection, account: AccountKey) -> Result<usize> {
    let mut statement =
        db.prepare_cached("SELECT count(*) FROM authenticators WHERE account = ?1 AND token IS NULL")?;
    let n: i64 = statement.query_row([account.0], |r| r.get(0))?;
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}

pub(super) fn begin(db: &Connection, account: AccountKey, pending: &PendingAuthenticator, max: usize) -> Result<bool> {
    if !is_active(db, account)? || in_force(db, account)? >= max {
        return Ok(false);
    }
    db.prepare_cached("DELETE FROM authenticators WHERE account = ?1 AND token IS NOT NULL")?.execute([account.0])?;
    changes_one(
        db,
        "INSERT INTO authenticators (id, account, sealed, last_step, token, expires_at) VALUES (?1, ?2, ?3, 0, ?4, ?5)",
        params![pending.id.0, account.0, pending.sealed.0, pending.token.0, int(pending.expires_at)],
    )
}

pub(super) fn attempt(
    db: &Connection,
    account: AccountKey,
    token: TokenKey,
    max_tries: u32,
    now: u64,
) -> Result<Option<(AuthenticatorId, Sealed)>> {
    let mut statement = db.prepare_cached(
        "UPDATE authenticators SET tries = tries + 1
         WHERE account = ?1 AND token = ?2 AND tries < ?3 AND expires_at > ?4 RETURNING id, sealed",
    )?;
    let found: Option<([u8; 16], Vec<u8>)> = statement
        .query_row(params![account.0, token.0, max_tries, int(now)], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    Ok(found.map(|(id, sealed)| (AuthenticatorId(id), Sealed(sealed))))
}

pub(super) fn add(db: &Connection, account: AccountKey, token: TokenKey, step: u64, max: usize) -> Result<bool> {
    if !is_active(db, account)? || in_force(db, account)? >= max {
        return Ok(false);
    }
    changes_one(
        db,
        "UPDATE authenticators SET token = NULL, expires_at = NULL, tries = 0, last_step = ?1
         WHERE account = ?2 AND token = ?3",
        params![int(step), account.0, token.0],
    )
}

pub(super) fn keep(db: &Connection, account: AccountKey, keep: AuthenticatorId) -> Result<bool> {
    let mut statement =
        db.prepare_cached("SELECT 1 FROM authenticators WHERE id = ?1 AND account = ?2 AND token IS NULL")?;
    if !statement.exists(params![keep.0, account.0])? {
        return Ok(false);
    }
    let gone = db
        .prepare_cached("DELETE FROM authenticators WHERE account = ?1 AND id <> ?2 AND token IS NULL")?
        .execute(params![account.0, keep.0])?;
    Ok(gone > 0)
}
