//! Names: whom they lead to, and how long they are nobody else's. They stand in their account's document, those that it
//! had with the time from which they are free; unique indexes keep one from standing in two.

use super::*;

pub(super) fn write(name: NameKey, skeleton: SkeletonKey) -> Document {
    doc! { "name": bin(name), "skeleton": bin(skeleton) }
}

fn is_or_looks_like(name: NameKey, skeleton: SkeletonKey) -> Vec<Document> {
    vec![doc! { "name": bin(name) }, doc! { "skeleton": bin(skeleton) }]
}

fn in_force(now: u64) -> Document {
    doc! { "$or": [{ "until": { "$exists": false } }, { "until": { "$gt": int(now) } }] }
}

pub(super) async fn is_taken(db: Database, name: NameKey, skeleton: SkeletonKey, now: u64) -> Result<bool> {
    let same = doc! { "$or": is_or_looks_like(name, skeleton) };
    let filter = doc! { "names": { "$elemMatch": { "$and": [same, in_force(now)] } } };
    Ok(of(&db, "accounts").find_one(filter).projection(doc! { "_id": 1 }).await?.is_some())
}

/// Takes what is over out of the way of a name, whoever runs this at the same time; a sign-up or deleted account goes
/// with its only one. Who then writes first has the name.
pub(super) async fn free(db: &Database, name: NameKey, skeleton: SkeletonKey, now: u64) -> Result<()> {
    let accounts = of(db, "accounts");
    let ended = doc! {
        "$or": [{ "names.name": bin(name) }, { "names.skeleton": bin(skeleton) }],
        "state": { "$ne": ACTIVE },
        "expires_at": { "$lte": int(now) },
    };
    accounts.delete_many(ended).await?;
    let over = doc! { "$or": is_or_looks_like(name, skeleton), "until": { "$lte": int(now) } };
    let had = doc! { "names": { "$elemMatch": over.clone() } };
    accounts.update_many(had, doc! { "$pull": { "names": over } }).await?;
    Ok(())
}

pub(super) async fn named(db: Database, name: NameKey, now: u64) -> Result<Option<Named>> {
    let filter = doc! {
        "names": { "$elemMatch": { "$and": [{ "name": bin(name) }, in_force(now)] } },
        "state": ACTIVE,
    };
    let found = of(&db, "accounts")
        .find_one(filter)
        .projection(doc! { "sealed": 1, "vault": 1, "authenticators": 1, "names": 1 })
        .await?;
    let Some(row) = found else { return Ok(None) };
    let mut current = false;
    for entry in documents(&row, "names")? {
        current |= key::<NameKey>(entry, "name")? == name && !entry.contains_key("until");
    }
    Ok(Some(Named { account: read_account(&row)?, current }))
}

pub(super) async fn rename(db: Database, account: AccountKey, rename: Rename, now: u64) -> Result<Renamed> {
    free(&db, rename.name, rename.skeleton, now).await?;
    let accounts = of(&db, "accounts");
    let ours = doc! { "_id": bin(account), "state": ACTIVE };
    let over = doc! { "$pull": { "names": { "until": { "$lte": int(now) } } } };
    accounts.update_one(ours.clone(), over).await?;
    let mut filter = doc! { "sealed": bin(&rename.was.0) };
    filter.extend(ours.clone());
    let full = format!("names.{}", rename.most.saturating_sub(1));
    filter.insert("$or", vec![doc! { "names.name": bin(rename.name) }, doc! { full: { "$exists": false } }]);
    let others = doc! { "$filter": {
        "input": "$names", "as": "n", "cond": { "$ne": ["$$n.name", bin(rename.name)] },
    } };
    let held = doc! { "$mergeObjects": ["$$n", { "until": { "$ifNull": ["$$n.until", int(rename.held_until)] } }] };
    let before = doc! { "$map": { "input": others, "as": "n", "in": held } };
    let change = vec![
        doc! { "$set": {
            "sealed": bin(&rename.sealed.0),
            "names": { "$concatArrays": [before, [write(rename.name, rename.skeleton)]] },
        } },
        doc! { "$unset": "pending_device" },
    ];
    match accounts.update_one(filter, change).await {
        Ok(done) if done.matched_count == 1 => return Ok(Renamed::Done),
        Ok(_) => {}
        Err(e) if is_duplicate(&e) => return Ok(Renamed::Taken),
        Err(e) => return Err(e.into()),
    }
    let found = accounts.find_one(ours).projection(doc! { "sealed": 1 }).await?;
    let as_it_was = found.map(|row| Ok::<_, StoreError>(sealed(&row, "sealed")? == rename.was)).transpose()?;
    Ok(if as_it_was == Some(true) { Renamed::TooMany } else { Renamed::Outdated })
}

/// Names that accounts had are free.
pub(super) async fn expire(db: &Database, now: i64) -> Result<u64> {
    let over = doc! { "until": { "$lte": now } };
    let had = doc! { "state": ACTIVE, "names": { "$elemMatch": over.clone() } };
    Ok(of(db, "accounts").update_many(had, doc! { "$pull": { "names": over } }).await?.modified_count)
}
