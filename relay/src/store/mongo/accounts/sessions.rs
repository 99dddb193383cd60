//! Sessions.

use futures::TryStreamExt;

use super::*;

pub(super) async fn insert(db: &Database, session: &Session) -> Result<()> {
    let row = doc! {
        "_id": bin(session.token),
        "id": bin(session.id),
        "account": bin(session.account),
        "sealed": bin(&session.sealed.0),
        "expires_at": int(session.expires_at),
    };
    of(db, "sessions").insert_one(row).await?;
    Ok(())
}

async fn is_active(db: &Database, account: AccountKey) -> Result<bool> {
    let filter = doc! { "_id": bin(account), "state": ACTIVE };
    Ok(of(db, "accounts").find_one(filter).projection(doc! { "_id": 1 }).await?.is_some())
}

pub(super) async fn open(db: Database, session: Session) -> Result<bool> {
    // A deletion in between leaves a session that opens nothing and is swept later.
    let active = is_active(&db, session.account).await?;
    if active {
        insert(&db, &session).await?;
    }
    Ok(active)
}

pub(super) async fn by_token(db: Database, token: TokenKey, now: u64) -> Result<Option<Session>> {
    let filter = doc! { "_id": bin(token), "expires_at": { "$gt": int(now) } };
    let Some(row) = of(&db, "sessions").find_one(filter).await? else { return Ok(None) };
    let session = read(&row)?;
    Ok(is_active(&db, session.account).await?.then_some(session))
}

pub(super) async fn of_account(db: Database, account: AccountKey, now: u64) -> Result<Vec<Session>> {
    let filter = doc! { "account": bin(account), "expires_at": { "$gt": int(now) } };
    let mut rows = of(&db, "sessions").find(filter).await?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.try_next().await? {
        sessions.push(read(&row)?);
    }
    Ok(sessions)
}

fn read(row: &Document) -> Result<Session> {
    Ok(Session {
        token: key(row, "_id")?,
        id: key(row, "id")?,
        account: key(row, "account")?,
        sealed: sealed(row, "sealed")?,
        expires_at: uint(row, "expires_at")?,
    })
}
