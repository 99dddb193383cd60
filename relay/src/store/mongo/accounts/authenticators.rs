//! The second authenticator.

use super::*;

/// Matches while fewer than `max` authenticators are in force.
fn room(max: usize) -> (String, Bson) {
    (format!("authenticators.{}", max.saturating_sub(1)), Bson::Document(doc! { "$exists": false }))
}

pub(super) async fn begin(
    db: Database,
    account: AccountKey,
    pending: PendingAuthenticator,
    max: usize,
) -> Result<bool> {
    let mut filter = doc! { "_id": bin(account), "state": ACTIVE };
    filter.extend([room(max)]);
    let setup = doc! {
        "id": bin(pending.id),
        "token": bin(pending.token),
        "sealed": bin(pending.sealed.0),
        "expires_at": int(pending.expires_at),
        "tries": 0_i64,
    };
    update(&of(&db, "accounts"), filter, doc! { "$set": { "setup": setup } }).await
}

pub(super) async fn attempt(
    db: Database,
    account: AccountKey,
    token: TokenKey,
    max_tries: u32,
    now: u64,
) -> Result<Option<(AuthenticatorId, Sealed)>> {
    let filter = doc! {
        "_id": bin(account),
        "state": ACTIVE,
        "setup.token": bin(token),
        "setup.expires_at": { "$gt": int(now) },
        "setup.tries": { "$lt": i64::from(max_tries) },
    };
    let found = of(&db, "accounts").find_one_and_update(filter, doc! { "$inc": { "setup.tries": 1_i64 } }).await?;
    let Some(row) = found else { return Ok(None) };
    let setup = row.get_document("setup").map_err(|_| StoreError::Damaged("setup"))?;
    Ok(Some((key(setup, "id")?, sealed(setup, "sealed")?)))
}

pub(super) async fn add(db: Database, account: AccountKey, token: TokenKey, step: u64, max: usize) -> Result<bool> {
    let accounts = of(&db, "accounts");
    let mut filter = doc! { "_id": bin(account), "state": ACTIVE, "setup.token": bin(token) };
    filter.extend([room(max)]);
    // One update reads and moves it, so that it can't be put into force twice.
    let moved = doc! { "id": "$setup.id", "sealed": "$setup.sealed", "last_step": int(step) };
    let steps = vec![
        doc! { "$set": { "authenticators": { "$concatArrays": ["$authenticators", [moved]] } } },
        doc! { "$unset": "setup" },
    ];
    Ok(accounts.update_one(filter, steps).await?.matched_count == 1)
}

pub(super) async fn keep(db: Database, account: AccountKey, keep: AuthenticatorId) -> Result<bool> {
    let filter = doc! {
        "_id": bin(account),
        "state": ACTIVE,
        "authenticators.id": bin(keep),
        "authenticators.1": { "$exists": true },
    };
    let others = doc! { "$pull": { "authenticators": { "id": { "$ne": bin(keep) } } } };
    update(&of(&db, "accounts"), filter, others).await
}
