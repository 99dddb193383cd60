//! Sign-ups: begun, confirmed; accounts deleted, and what is over.

use rusqlite::{Connection, OptionalExtension, params};

use super::*;

pub(super) fn hold(db: &Connection, pending: &Pending, now: u64) -> Result<bool> {
    names::free(db, pending.name, pending.skeleton, now)?;
    if names::is_taken(db, pending.name, pending.skeleton, now)? {
        return Ok(false);
    }
    let begun = changes_one(
        db,
        "INSERT OR IGNORE INTO accounts (account, state, token, expires_at, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![pending.account.0, PENDING, pending.token.0, int(pending.expires_at), pending.sealed.0],
    )?;
    if begun {
        names::put(db, pending.account, pending.name, pending.skeleton, Some(pending.expires_at))?;
    }
    Ok(begun)
}

pub(super) fn try_sign_up(db: &Connection, token: TokenKey, max_tries: u32, now: u64) -> Result<Option<SignUp>> {
    let mut statement = db.prepare_cached(
        "UPDATE accounts SET tries = tries + 1
         WHERE token = ?1 AND state <> ?2 AND expires_at > ?3 AND tries < ?4
         RETURNING account, state, sealed, tries",
    )?;
    let mut rows = statement.query(params![token.0, DELETED, int(now), max_tries])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (of, state, sealed) = (key(row, "account")?, row.get::<_, i64>("state")?, sealed(row, "sealed")?);
    let tries = row.get("tries")?;
    Ok(match state {
        PENDING => Some(SignUp::Pending { account: of, sealed, tries }),
        _ => read_account(db, of)?.map(SignUp::Confirmed),
    })
}

pub(super) fn activate(db: &Connection, token: TokenKey, activation: &Activation, now: u64) -> Result<bool> {
    let mut statement = db.prepare_cached(
        "UPDATE accounts SET state = ?1, sealed = ?2, vault = ?6
         WHERE token = ?3 AND state = ?4 AND expires_at > ?5 RETURNING account",
    )?;
    let account: Option<[u8; 32]> = statement
        .query_row(params![ACTIVE, activation.sealed.0, token.0, PENDING, int(now), activation.vault.0], |r| r.get(0))
        .optional()?;
    let Some(account) = account.map(AccountKey) else { return Ok(false) };
    db.prepare_cached("UPDATE names SET held_until = NULL WHERE account = ?1")?.execute([account.0])?;
    let first = &activation.authenticator;
    db.prepare_cached("INSERT INTO authenticators (id, account, sealed, last_step) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![first.id.0, account.0, first.sealed.0, int(first.last_step)])?;
    login::replace_codes(db, account, &activation.codes)?;
    db.prepare_cached("INSERT INTO devices (account, device, bundle) VALUES (?1, ?2, ?3)")?.execute(params![
        account.0,
        activation.device.0,
        activation.bundle.0
    ])?;
    sessions::open(db, &activation.session)
}

pub(super) fn delete(db: &Connection, account: AccountKey, held_until: u64) -> Result<bool> {
    let done = changes_one(
        db,
        "UPDATE accounts SET state = ?1, sealed = x'', vault = x'', token = NULL, expires_at = ?2 WHERE account = ?3 AND state = ?4",
        params![DELETED, int(held_until), account.0, ACTIVE],
    )?;
    if done {
        names::release(db, account, held_until)?;
        for table in ["authenticators", "recovery_codes", "sessions", "devices", "pending_devices"] {
            db.execute(&format!("DELETE FROM {table} WHERE account = ?1"), [account.0])?;
        }
    }
    Ok(done)
}

pub(super) fn expire(db: &Connection, now: u64) -> Result<u64> {
    let now = int(now);
    let mut gone = 0;
    for sql in [
        "DELETE FROM accounts WHERE state <> 1 AND expires_at <= ?1",
        "DELETE FROM names WHERE held_until <= ?1",
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
