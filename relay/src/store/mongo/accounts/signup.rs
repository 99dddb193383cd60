//! Sign-ups: begun, confirmed; accounts deleted, and what is over.

use futures::TryStreamExt;
use mongodb::options::ReturnDocument;

use super::*;

pub(super) async fn hold(db: Database, pending: Pending, now: u64) -> Result<bool> {
    names::free(&db, pending.name, pending.skeleton, now).await?;
    let mut name = names::write(pending.name, pending.skeleton);
    name.insert("until", int(pending.expires_at));
    let row = doc! {
        "_id": bin(pending.account),
        "names": [name],
        "state": PENDING,
        "token": bin(pending.token),
        "tries": 0_i64,
        "expires_at": int(pending.expires_at),
        "sealed": bin(pending.sealed.0),
    };
    insert_new(&of(&db, "accounts"), row).await
}

pub(super) async fn try_sign_up(db: Database, token: TokenKey, max_tries: u32, now: u64) -> Result<Option<SignUp>> {
    let filter = doc! {
        "token": bin(token),
        "state": { "$ne": DELETED },
        "expires_at": { "$gt": int(now) },
        "tries": { "$lt": i64::from(max_tries) },
    };
    let accounts = of(&db, "accounts");
    let found = accounts.find_one_and_update(filter, doc! { "$inc": { "tries": 1_i64 } });
    let found = found.return_document(ReturnDocument::After).await?;
    let Some(row) = found else { return Ok(None) };
    Ok(Some(match row.get_i32("state") {
        Ok(PENDING) => SignUp::Pending {
            account: key(&row, "_id")?,
            sealed: sealed(&row, "sealed")?,
            tries: u32::try_from(uint(&row, "tries")?).unwrap_or(u32::MAX),
        },
        _ => SignUp::Confirmed(read_account(&row)?),
    }))
}

pub(super) async fn activate(db: Database, token: TokenKey, activation: Activation, now: u64) -> Result<bool> {
    // The session first: it counts for nothing until its account is active, and then it must be there.
    let session = activation.session.token;
    sessions::insert(&db, &activation.session).await?;
    let filter = doc! { "token": bin(token), "state": PENDING, "expires_at": { "$gt": int(now) } };
    let change = doc! { "$unset": { "names.0.until": "" }, "$set": {
        "state": ACTIVE,
        "sealed": bin(activation.sealed.0),
        "vault": bin(activation.vault.0),
        "authenticators": [write_authenticator(&activation.authenticator)],
        "codes": write_codes(&activation.codes),
        "devices": [{ "device": bin(activation.device), "bundle": bin(activation.bundle.0) }],
    } };
    let done = update(&of(&db, "accounts"), filter, change).await?;
    if !done {
        of(&db, "sessions").delete_one(doc! { "_id": bin(session) }).await?;
    }
    Ok(done)
}

pub(super) async fn delete(db: Database, account: AccountKey, held_until: u64) -> Result<bool> {
    let change = doc! {
        "$set": { "state": DELETED, "expires_at": int(held_until), "sealed": bin([]),
            "names.$[current].until": int(held_until) },
        "$unset": { "token": "", "tries": "", "vault": "", "authenticators": "", "setup": "", "codes": "", "devices": "",
            "pending_device": "" },
    };
    let ours = doc! { "_id": bin(account), "state": ACTIVE };
    let current = [doc! { "current.until": { "$exists": false } }];
    let done = of(&db, "accounts").update_one(ours, change).array_filters(current).await?.matched_count == 1;
    if done {
        sweep(&db, account).await?;
    }
    Ok(done)
}

/// Removes what hangs on a deleted account. Interrupted, it is done again by [`expire`].
async fn sweep(db: &Database, account: AccountKey) -> Result<u64> {
    let mut gone = 0;
    for collection in ["sessions", "key_packages"] {
        gone += of(db, collection).delete_many(doc! { "account": bin(account) }).await?.deleted_count;
    }
    Ok(gone)
}

pub(super) async fn expire(db: Database, now: u64) -> Result<u64> {
    let now = int(now);
    let mut gone = 0;
    let mut deleted = of(&db, "accounts").find(doc! { "state": DELETED }).projection(doc! { "_id": 1 }).await?;
    while let Some(row) = deleted.try_next().await? {
        gone += sweep(&db, key(&row, "_id")?).await?;
    }
    let over = doc! { "expires_at": { "$lte": now } };
    for (collection, filter) in [
        ("accounts", doc! { "state": { "$in": [PENDING, DELETED] }, "expires_at": { "$lte": now } }),
        ("sessions", over.clone()),
        ("budgets", doc! { "resets_at": { "$lte": now } }),
        ("proofs", over),
    ] {
        gone += of(&db, collection).delete_many(filter).await?.deleted_count;
    }
    gone += names::expire(&db, now).await?;
    let setup = doc! { "setup.expires_at": { "$lte": now } };
    let waits = doc! { "pending_device.expires_at": { "$lte": now } };
    gone += of(&db, "accounts").update_many(waits, doc! { "$unset": { "pending_device": "" } }).await?.modified_count;
    gone += of(&db, "accounts").update_many(setup, doc! { "$unset": { "setup": "" } }).await?.modified_count;
    Ok(gone)
}
