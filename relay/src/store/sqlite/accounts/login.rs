//! What a log-in uses up: time steps, recovery codes, budgets, device proofs.

use rusqlite::{Connection, OptionalExtension, params};

use super::*;

pub(super) fn use_step(
    db: &Connection,
    account: AccountKey,
    authenticator: AuthenticatorId,
    step: u64,
) -> Result<bool> {
    changes_one(
        db,
        "UPDATE authenticators SET last_step = ?1 WHERE id = ?2 AND account = ?3 AND token IS NULL AND last_step < ?1",
        params![int(step), authenticator.0, account.0],
    )
}

pub(super) fn use_code(db: &Connection, account: AccountKey, code: CodeKey) -> Result<bool> {
    changes_one(db, "DELETE FROM recovery_codes WHERE account = ?1 AND code = ?2", params![account.0, code.0])
}

pub(super) fn replace_codes(db: &Connection, account: AccountKey, codes: &[CodeKey]) -> Result<bool> {
    if !is_active(db, account)? {
        return Ok(false);
    }
    db.prepare_cached("DELETE FROM recovery_codes WHERE account = ?1")?.execute([account.0])?;
    let mut insert = db.prepare_cached("INSERT INTO recovery_codes (account, code) VALUES (?1, ?2)")?;
    for code in codes {
        insert.execute(params![account.0, code.0])?;
    }
    Ok(true)
}

pub(super) fn charge(db: &Connection, budget: BudgetKey, limit: u32, window: u64, now: u64) -> Result<Charge> {
    // A reset further away than a whole window was written by a clock that has since gone back: it counts as over.
    let charged = changes_one(
        db,
        "INSERT INTO budgets (budget, used, resets_at) VALUES (?1, 1, ?3 + ?4)
         ON CONFLICT (budget) DO UPDATE SET
             used      = CASE WHEN resets_at <= ?3 OR resets_at > ?3 + ?4 THEN 1 ELSE used + 1 END,
             resets_at = CASE WHEN resets_at <= ?3 OR resets_at > ?3 + ?4 THEN ?3 + ?4 ELSE resets_at END
         WHERE used < ?2 OR resets_at <= ?3 OR resets_at > ?3 + ?4",
        params![budget.0, limit, int(now), int(window)],
    )?;
    if charged {
        return Ok(Charge::Charged);
    }
    let mut statement = db.prepare_cached("SELECT resets_at FROM budgets WHERE budget = ?1")?;
    let resets_at = statement.query_row([budget.0], |r| r.get(0)).optional()?;
    Ok(Charge::Spent { resets_at: uint(resets_at.unwrap_or(0)) })
}

pub(super) fn refund(db: &Connection, budget: BudgetKey) -> Result<()> {
    db.prepare_cached("UPDATE budgets SET used = used - 1 WHERE budget = ?1 AND used > 0")?.execute([budget.0])?;
    Ok(())
}

pub(super) fn spend_proof(db: &Connection, proof: ProofKey, expires_at: u64) -> Result<bool> {
    changes_one(
        db,
        "INSERT OR IGNORE INTO proofs (proof, expires_at) VALUES (?1, ?2)",
        params![proof.0, int(expires_at)],
    )
}
