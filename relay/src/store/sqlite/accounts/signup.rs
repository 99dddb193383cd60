//! Names: held, confirmed, deleted, expired.

use rusqlite::{Connection, OptionalExtension, params};

use super::*;

pub(super) fn is_taken(db: &Connection, name: NameKey, skeleton: SkeletonKey, now: u64) -> Result<bool> {
    let mut statement = db.prepare_cached(
        "SELECT 1 FROM accounts WHERE (name = ?1 OR skeleton = ?2) AND (state = ?3 OR expires_at > ?4)",
    )?;
    Ok(statement.exists(params![name.0, skeleton.0, ACTIVE, int(now)])?)
}

pub(super) fn hold(db: &Connection, pending: &Pending, now: u64) -> Result<bool> {
    db.prepare_cached("DELETE FROM accounts WHERE (name = ?1 OR skeleton = ?2) AND state <> ?3 AND expires_at <= ?4")?
        .execute(params![pending.name.0, pending.skeleton.0, ACTIVE, int(now)])?;
    changes_one(
        db,
        "INSERT OR IGNORE INTO accounts (name, skeleton, state, token, expires_at, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            pending.name.0,
            pending.skeleton.0,
            PENDING,
            pending.token.0,
            int(pending.expires_at),
            pending.sealed.0
        ],
    )
}

pub(super) fn try_sign_up(db: &Connection, token: TokenKey, max_tries: u32, now: u64) -> Result<Option<SignUp>> {
    let mut statement = db.prepare_cached(
        "UPDATE accounts SET tries = tries + 1
         WHERE token = ?1 AND state <> ?2 AND expires_at > ?3 AND tries < ?4
         RETURNING name, state, sealed, tries",
    )?;
    let mut rows = statement.query(params![token.0, DELETED, int(now), max_tries])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (name, state, sealed) = (key(row, "name")?, row.get::<_, i64>("state")?, sealed(row, "sealed")?);
    let tries = row.get("tries")?;
    Ok(match state {
        PENDING => Some(SignUp::Pending { name, sealed, tries }),
        _ => account(db, name)?.map(SignUp::Confirmed),
    })
}

pub(super) fn activate(db: &Connection, token: TokenKey, activation: &Activation, now: u64) -> Result<bool> {
    let mut statement = db.prepare_cached(
        "UPDATE accounts SET state = ?1, sealed = ?2
         WHERE token = ?3 AND state = ?4 AND expires_at > ?5 RETURNING name",
    )?;
    let name: Option<[u8; 32]> = statement
        .query_row(params![ACTIVE, activation.sealed.0, token.0, PENDING, int(now)], |r| r.get(0))
        .optional()?;
    let Some(name) = name.map(NameKey) else { return Ok(false) };
    let first = &activation.authenticator;
    db.prepare_cached("INSERT INTO authenticators (id, name, sealed, last_step) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![first.id.0, name.0, first.sealed.0, int(first.last_step)])?;
    login::replace_codes(db, name, &activation.codes)?;
    db.prepare_cached("INSERT INTO devices (name, device, bundle) VALUES (?1, ?2, ?3)")?.execute(params![
        name.0,
        activation.device.0,
        activation.bundle.0
    ])?;
    sessions::open(db, &activation.session)
}

pub(super) fn delete(db: &Connection, name: NameKey, held_until: u64) -> Result<bool> {
    let done = changes_one(
        db,
        "UPDATE accounts SET state = ?1, sealed = x'', token = NULL, expires_at = ?2 WHERE name = ?3 AND state = ?4",
        params![DELETED, int(held_until), name.0, ACTIVE],
    )?;
    if done {
        for table in ["authenticators", "recovery_codes", "sessions", "devices", "pending_devices"] {
            db.execute(&format!("DELETE FROM {table} WHERE name = ?1"), [name.0])?;
        }
    }
    Ok(done)
}

pub(super) fn expire(db: &Connection, now: u64) -> Result<u64> {
    let now = int(now);
    let mut gone = 0;
    for sql in [
        "DELETE FROM accounts WHERE state <> 1 AND expires_at <= ?1",
        "DELETE FROM authenticators WHERE token IS NOT NULL AND expires_at <= ?1",
        "DELETE FROM sessions WHERE expires_at <= ?1",
        "DELETE FROM budgets WHERE resets_at <= ?1",
        "DELETE FROM proofs WHERE expires_at <= ?1",
        "DELETE FROM pending_devices WHERE expires_at <= ?1",
    ] {
        gone += db.execute(sql, [now])?;
    }
    Ok(gone as u64)
}
