//! Sessions.

use rusqlite::{Connection, Row, params};

use super::*;

pub(super) fn open(db: &Connection, session: &Session) -> Result<bool> {
    if !is_active(db, session.name)? {
        return Ok(false);
    }
    changes_one(
        db,
        "INSERT INTO sessions (token, id, name, sealed, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![session.token.0, session.id.0, session.name.0, session.sealed.0, int(session.expires_at)],
    )
}

pub(super) fn by_token(db: &Connection, token: TokenKey, now: u64) -> Result<Option<Session>> {
    let found = all(
        db,
        "SELECT s.token, s.id, s.name, s.sealed, s.expires_at FROM sessions s JOIN accounts a ON a.name = s.name
         WHERE s.token = ?1 AND s.expires_at > ?2 AND a.state = ?3",
        params![token.0, int(now), ACTIVE],
        read,
    )?;
    Ok(found.into_iter().next())
}

pub(super) fn of_account(db: &Connection, name: NameKey, now: u64) -> Result<Vec<Session>> {
    all(
        db,
        "SELECT token, id, name, sealed, expires_at FROM sessions WHERE name = ?1 AND expires_at > ?2",
        params![name.0, int(now)],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        token: key(row, "token")?,
        id: key(row, "id")?,
        name: key(row, "name")?,
        sealed: sealed(row, "sealed")?,
        expires_at: uint(row.get("expires_at")?),
    })
}
