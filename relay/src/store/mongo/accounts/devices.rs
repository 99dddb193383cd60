//! Devices that come and go. The one that waits stands in its account's document.

use super::*;

pub(super) async fn pend(db: Database, account: AccountKey, bundle: Sealed, expires_at: u64) -> Result<bool> {
    let waits = doc! { "bundle": bin(&bundle.0), "expires_at": int(expires_at) };
    let filter = doc! { "_id": bin(account), "state": ACTIVE };
    update(&of(&db, "accounts"), filter, doc! { "$set": { "pending_device": waits } }).await
}

pub(super) async fn pending(db: Database, account: AccountKey, now: u64) -> Result<Option<(Sealed, u64)>> {
    let filter = doc! { "_id": bin(account), "state": ACTIVE, "pending_device.expires_at": { "$gt": int(now) } };
    let found = of(&db, "accounts").find_one(filter).projection(doc! { "pending_device": 1 }).await?;
    let Some(row) = found else { return Ok(None) };
    let waits = row.get_document("pending_device").map_err(|_| StoreError::Damaged("pending_device"))?;
    Ok(Some((sealed(waits, "bundle")?, uint(waits, "expires_at")?)))
}

/// The account first: whoever crashes after that puts the same log again, and the rest is done then.
pub(super) async fn relog(db: Database, account: AccountKey, relog: Relog) -> Result<bool> {
    let revoked: Vec<Bson> = relog.revoked.iter().map(bin).collect();
    let filter = doc! { "_id": bin(account), "state": ACTIVE, "sealed": bin(&relog.was.0) };
    let change = doc! {
        "$set": { "sealed": bin(&relog.sealed.0) },
        "$unset": { "pending_device": "" },
        "$pull": { "devices": { "device": { "$in": revoked.clone() } } },
    };
    if !update(&of(&db, "accounts"), filter, change).await? {
        return Ok(false);
    }
    let packages = doc! { "account": bin(account), "device": { "$in": revoked } };
    of(&db, "key_packages").delete_many(packages).await?;
    let ended: Vec<Bson> = relog.ended.iter().map(bin).collect();
    of(&db, "sessions").delete_many(doc! { "account": bin(account), "id": { "$in": ended } }).await?;
    Ok(true)
}
