//! Names: whom they lead to, and how long they are nobody else's.

use rusqlite::{Connection, OptionalExtension, params};

use super::*;

pub(super) fn is_taken(db: &Connection, name: NameKey, skeleton: SkeletonKey, now: u64) -> Result<bool> {
    let mut statement = db.prepare_cached(
        "SELECT 1 FROM names WHERE (name = ?1 OR skeleton = ?2) AND (held_until IS NULL OR held_until > ?3)",
    )?;
    Ok(statement.exists(params![name.0, skeleton.0, int(now)])?)
}

/// Takes what is over out of the way of a name; a sign-up or deleted account goes with its only one.
pub(super) fn free(db: &Connection, name: NameKey, skeleton: SkeletonKey, now: u64) -> Result<()> {
    let over = params![name.0, skeleton.0, int(now), ACTIVE];
    db.prepare_cached(
        "DELETE FROM accounts WHERE state <> ?4 AND expires_at <= ?3
         AND account IN (SELECT account FROM names WHERE name = ?1 OR skeleton = ?2)",
    )?
    .execute(over)?;
    db.prepare_cached("DELETE FROM names WHERE (name = ?1 OR skeleton = ?2) AND held_until <= ?3")?
        .execute(params![name.0, skeleton.0, int(now)])?;
    Ok(())
}

pub(super) fn put(
    db: &Connection,
    account: AccountKey,
    name: NameKey,
    skeleton: SkeletonKey,
    held_until: Option<u64>,
) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO names (name, skeleton, account, held_until) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![name.0, skeleton.0, account.0, held_until.map(int)])?;
    Ok(())
}

/// An account's name is its own no more, and nobody else's yet.
pub(super) fn release(db: &Connection, account: AccountKey, held_until: u64) -> Result<()> {
    db.prepare_cached("UPDATE names SET held_until = ?2 WHERE account = ?1 AND held_until IS NULL")?
        .execute(params![account.0, int(held_until)])?;
    Ok(())
}

pub(super) fn named(db: &Connection, name: NameKey, now: u64) -> Result<Option<Named>> {
    let mut find = db.prepare_cached(
        "SELECT account, held_until IS NULL FROM names WHERE name = ?1 AND (held_until IS NULL OR held_until > ?2)",
    )?;
    let found = find.query_row(params![name.0, int(now)], |r| Ok((r.get::<_, [u8; 32]>(0)?, r.get::<_, bool>(1)?)));
    let Some((account, current)) = found.optional()? else { return Ok(None) };
    Ok(read_account(db, AccountKey(account))?.map(|account| Named { account, current }))
}

pub(super) fn rename(db: &Connection, account: AccountKey, rename: &Rename, now: u64) -> Result<Renamed> {
    free(db, rename.name, rename.skeleton, now)?;
    let mut others = db.prepare_cached("SELECT 1 FROM names WHERE (name = ?1 OR skeleton = ?2) AND account <> ?3")?;
    if others.exists(params![rename.name.0, rename.skeleton.0, account.0])? {
        return Ok(Renamed::Taken);
    }
    let mut count = db.prepare_cached(
        "SELECT count(*) FROM names WHERE account = ?1 AND name <> ?2 AND (held_until IS NULL OR held_until > ?3)",
    )?;
    let held: i64 = count.query_row(params![account.0, rename.name.0, int(now)], |r| r.get(0))?;
    if usize::try_from(held).unwrap_or(usize::MAX) >= rename.most {
        return Ok(Renamed::TooMany);
    }
    let replaced = changes_one(
        db,
        "UPDATE accounts SET sealed = ?3 WHERE account = ?1 AND sealed = ?2 AND state = ?4",
        params![account.0, rename.was.0, rename.sealed.0, ACTIVE],
    )?;
    if !replaced {
        return Ok(Renamed::Outdated);
    }
    release(db, account, rename.held_until)?;
    put(db, account, rename.name, rename.skeleton, None)?;
    db.prepare_cached("DELETE FROM pending_devices WHERE account = ?1")?.execute([account.0])?;
    Ok(Renamed::Done)
}
