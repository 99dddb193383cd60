//! The lobby's door: one document, or none.

use super::*;

const ONE: &str = "lobby";

pub(super) async fn standing(db: &Database) -> Result<Option<Lobby>> {
    let found = of(db, "lobby").find_one(doc! { "_id": ONE }).await?;
    found
        .map(|d| {
            Ok(Lobby {
                version: uint(&d, "version")?,
                sealed: sealed(&d, "sealed")?,
                renewed_at: uint(&d, "renewed_at")?,
            })
        })
        .transpose()
}

pub(super) async fn put(
    db: Database,
    door: Sealed,
    replaces: Option<u64>,
    stale_before: u64,
    now: u64,
) -> Result<Lobby> {
    let lobby = of(&db, "lobby");
    let first = doc! { "_id": ONE, "version": 1_i64, "sealed": bin(&door.0), "renewed_at": int(now) };
    if !insert_new(&lobby, first).await?
        && let Some(version) = replaces
    {
        let dead = doc! { "_id": ONE, "version": int(version), "renewed_at": { "$lt": int(stale_before) } };
        let next = doc! {
            "$inc": { "version": 1_i64 },
            "$set": { "sealed": bin(&door.0), "renewed_at": int(now) },
        };
        update(&lobby, dead, next).await?;
    }
    standing(&db).await?.ok_or(StoreError::Damaged("lobby"))
}

pub(super) async fn renew(db: Database, version: u64, now: u64) -> Result<bool> {
    let renewed = doc! { "$max": { "renewed_at": int(now) } };
    update(&of(&db, "lobby"), doc! { "_id": ONE, "version": int(version) }, renewed).await
}
