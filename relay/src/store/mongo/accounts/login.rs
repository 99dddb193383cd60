//! What a log-in uses up: time steps, recovery codes, budgets.

use mongodb::options::ReturnDocument;

use super::*;

pub(super) async fn use_step(
    db: Database,
    account: AccountKey,
    authenticator: AuthenticatorId,
    step: u64,
) -> Result<bool> {
    let filter = doc! {
        "_id": bin(account),
        "state": ACTIVE,
        "authenticators": { "$elemMatch": { "id": bin(authenticator), "last_step": { "$lt": int(step) } } },
    };
    update(&of(&db, "accounts"), filter, doc! { "$set": { "authenticators.$.last_step": int(step) } }).await
}

pub(super) async fn use_code(db: Database, account: AccountKey, code: CodeKey) -> Result<bool> {
    let filter = doc! { "_id": bin(account), "state": ACTIVE, "codes": bin(code) };
    update(&of(&db, "accounts"), filter, doc! { "$pull": { "codes": bin(code) } }).await
}

pub(super) async fn charge(db: Database, budget: BudgetKey, limit: u32, window: u64, now: u64) -> Result<Charge> {
    let (limit, now, end) = (i64::from(limit), int(now), int(now.saturating_add(window)));
    // A reset further away than a whole window was written by a clock that has since gone back: it counts as over.
    let over = doc! { "$or": [
        { "$lte": [{ "$ifNull": ["$resets_at", 0_i64] }, now] },
        { "$gt": ["$resets_at", end] },
    ] };
    let counted = doc! { "$cond": [{ "$lt": ["$used", limit] }, { "$add": ["$used", 1_i64] }, "$used"] };
    let steps = vec![
        doc! { "$set": { "over": over } },
        doc! { "$set": {
            "used": { "$cond": ["$over", 1_i64, counted] },
            "resets_at": { "$cond": ["$over", end, "$resets_at"] },
        } },
        doc! { "$unset": "over" },
    ];
    let budgets = of(&db, "budgets");
    let run = || {
        budgets
            .find_one_and_update(doc! { "_id": bin(budget) }, steps.clone())
            .upsert(true)
            .return_document(ReturnDocument::Before)
    };
    let before = match run().await {
        // Two first tries at once: one inserts, the other finds it there.
        Err(e) if is_duplicate(&e) => run().await?,
        other => other?,
    };
    let Some(before) = before else { return Ok(Charge::Charged) };
    let (used, resets_at) = (uint(&before, "used")?, uint(&before, "resets_at")?);
    let was_over = int(resets_at) <= now || int(resets_at) > end;
    Ok(if was_over || int(used) < limit { Charge::Charged } else { Charge::Spent { resets_at } })
}
