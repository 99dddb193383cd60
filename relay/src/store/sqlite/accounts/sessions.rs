//! Sessions.

use rusqlite::{Connection, Row, params};

use super::*;

pub(super) fn open(db: &Connection, session: &Session) -> Result<bool> {
    if !is_active(db, session.account)? {
        return Ok(false);
    }
    changes_one(
        db,
        "INSERT INTO sessions (token, id, account, sealed, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![session.token.0, session.id.0, session.account.0, session.sealed.0, int(session.expires_at)],
    )
}

pub(super) fn by_token(db: &Connection, token: TokenKey, now: u64) -> Result<Option<Session>> {
    let found = all(
        db,
        "SELECT s.token, s.id, s.account, s.sealed, s.expires_at FROM sessions s JOIN accounts a ON a.account = s.account
         WHERE s.token = ?1 AND s.expires_at > ?2 AND a.state = ?3",
        params![token.0, int(now), ACTIVE],
        read,
    )?;
    Ok(found.into_iter().next())
}

pub(super) fn of_account(db: &Connection, account: AccountKey, now: u64) -> Result<Vec<Session>> {
    all(
        db,
        "SELECT token, id, account, sealed, expires_at FROM sessions WHERE account = ?1 AND expires_at > ?2",
        params![account.0, int(now)],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        token: key(row, "token")?,
        id: key(row, "id")?,
        account: key(row, "account")?,
        sealed: sealed(row, "sealed")?,
        expires_at: uint(row.get("expires_at")?),
    })
}
