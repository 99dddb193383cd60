//! [`AccountStore`] in SQLite. Each verb is one job of the writer, hence one savepoint: atomic by itself.

mod authenticators;
mod devices;
mod directory;
mod lobby;
mod login;
mod names;
mod sessions;
mod signup;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use crate::store::StoreError;
use crate::store::accounts::*;

type Result<T> = std::result::Result<T, StoreError>;

const PENDING: i64 = 0;
const ACTIVE: i64 = 1;
const DELETED: i64 = 2;

/// SQLite counts in `i64`; no time or step of ours comes near its end.
fn int(v: u64) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}

fn uint(v: i64) -> u64 {
    u64::try_from(v).unwrap_or(0)
}

/// Reads a key column.
fn key<'a, T: TryFrom<&'a [u8], Error = StoreError>>(row: &'a Row<'_>, column: &str) -> Result<T> {
    T::try_from(row.get_ref(column)?.as_blob().map_err(|_| StoreError::Damaged("key"))?)
}

/// Reads a sealed column.
fn sealed(row: &Row<'_>, column: &str) -> Result<Sealed> {
    Ok(Sealed(row.get(column)?))
}

/// Runs a query and turns each row by a function with our error type.
fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    mut each: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(each(row)?);
    }
    Ok(out)
}

/// Runs a statement; whether it changed exactly one row.
fn changes_one(db: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<bool> {
    Ok(db.prepare_cached(sql)?.execute(params)? == 1)
}

fn is_active(db: &Connection, account: AccountKey) -> Result<bool> {
    let mut statement = db.prepare_cached("SELECT 1 FROM accounts WHERE account = ?1 AND state = ?2")?;
    Ok(statement.exists(params![account.0, ACTIVE])?)
}

/// An active account with its authenticators.
fn read_account(db: &Connection, account: AccountKey) -> Result<Option<Account>> {
    let mut statement = db.prepare_cached("SELECT sealed, vault FROM accounts WHERE account = ?1 AND state = ?2")?;
    let found = statement.query_row(params![account.0, ACTIVE], |r| Ok((Sealed(r.get(0)?), Sealed(r.get(1)?))));
    let Some((record, vault)) = found.optional()? else { return Ok(None) };
    let authenticators = all(
        db,
        "SELECT id, sealed, last_step FROM authenticators WHERE account = ?1 AND token IS NULL ORDER BY id",
        params![account.0],
        |r| Ok(Authenticator { id: key(r, "id")?, sealed: sealed(r, "sealed")?, last_step: uint(r.get("last_step")?) }),
    )?;
    Ok(Some(Account { key: account, sealed: record, vault, authenticators }))
}

#[async_trait]
impl AccountStore for Sqlite {
    async fn same_keys(&self, fingerprint: [u8; 32]) -> Result<bool> {
        self.write(move |db| {
            db.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('keys', ?1)", [fingerprint])?;
            let kept: Vec<u8> = db.query_row("SELECT value FROM meta WHERE name = 'keys'", [], |r| r.get(0))?;
            Ok(kept == fingerprint)
        })
        .await
    }

    async fn probe(&self) -> Result<()> {
        self.write(|db| {
            db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', x'01')", [])?;
            Ok(())
        })
        .await
    }

    async fn is_taken(&self, name: NameKey, skeleton: SkeletonKey, now: u64) -> Result<bool> {
        self.read(move |db| names::is_taken(db, name, skeleton, now)).await
    }

    async fn hold(&self, pending: Pending, now: u64) -> Result<bool> {
        self.write(move |db| signup::hold(db, &pending, now)).await
    }

    async fn try_sign_up(&self, token: TokenKey, max_tries: u32, now: u64) -> Result<Option<SignUp>> {
        self.write(move |db| signup::try_sign_up(db, token, max_tries, now)).await
    }

    async fn activate(&self, token: TokenKey, activation: Activation, now: u64) -> Result<bool> {
        self.write(move |db| signup::activate(db, token, &activation, now)).await
    }

    async fn abandon(&self, token: TokenKey) -> Result<()> {
        self.write(move |db| {
            db.execute("DELETE FROM accounts WHERE token = ?1 AND state = ?2", params![token.0, PENDING])?;
            Ok(())
        })
        .await
    }

    async fn named(&self, name: NameKey, now: u64) -> Result<Option<Named>> {
        self.read(move |db| names::named(db, name, now)).await
    }

    async fn rename(&self, account: AccountKey, rename: Rename, now: u64) -> Result<Renamed> {
        self.write(move |db| names::rename(db, account, &rename, now)).await
    }

    async fn account(&self, account: AccountKey) -> Result<Option<Account>> {
        self.read(move |db| read_account(db, account)).await
    }

    async fn use_step(&self, account: AccountKey, authenticator: AuthenticatorId, step: u64) -> Result<bool> {
        self.write(move |db| login::use_step(db, account, authenticator, step)).await
    }

    async fn use_code(&self, account: AccountKey, code: CodeKey) -> Result<bool> {
        self.write(move |db| login::use_code(db, account, code)).await
    }

    async fn replace_codes(&self, account: AccountKey, codes: Vec<CodeKey>) -> Result<bool> {
        self.write(move |db| login::replace_codes(db, account, &codes)).await
    }

    async fn charge(&self, budget: BudgetKey, limit: u32, window: u64, now: u64) -> Result<Charge> {
        self.write(move |db| login::charge(db, budget, limit, window, now)).await
    }

    async fn refund(&self, budget: BudgetKey) -> Result<()> {
        self.write(move |db| login::refund(db, budget)).await
    }

    async fn spend_proof(&self, proof: ProofKey, expires_at: u64) -> Result<bool> {
        self.write(move |db| login::spend_proof(db, proof, expires_at)).await
    }

    async fn begin_authenticator(
        &self,
        account: AccountKey,
        pending: PendingAuthenticator,
        max: usize,
    ) -> Result<bool> {
        self.write(move |db| authenticators::begin(db, account, &pending, max)).await
    }

    async fn try_authenticator(
        &self,
        account: AccountKey,
        token: TokenKey,
        max_tries: u32,
        now: u64,
    ) -> Result<Option<(AuthenticatorId, Sealed)>> {
        self.write(move |db| authenticators::attempt(db, account, token, max_tries, now)).await
    }

    async fn add_authenticator(&self, account: AccountKey, token: TokenKey, step: u64, max: usize) -> Result<bool> {
        self.write(move |db| authenticators::add(db, account, token, step, max)).await
    }

    async fn keep_authenticator(&self, account: AccountKey, keep: AuthenticatorId) -> Result<bool> {
        self.write(move |db| authenticators::keep(db, account, keep)).await
    }

    async fn open_session(&self, session: Session) -> Result<bool> {
        self.write(move |db| sessions::open(db, &session)).await
    }

    async fn session(&self, token: TokenKey, now: u64) -> Result<Option<Session>> {
        self.read(move |db| sessions::by_token(db, token, now)).await
    }

    async fn sessions(&self, account: AccountKey, now: u64) -> Result<Vec<Session>> {
        self.read(move |db| sessions::of_account(db, account, now)).await
    }

    async fn end_session(&self, account: AccountKey, id: SessionId) -> Result<bool> {
        self.write(move |db| {
            changes_one(db, "DELETE FROM sessions WHERE account = ?1 AND id = ?2", params![account.0, id.0])
        })
        .await
    }

    async fn publish(
        &self,
        account: AccountKey,
        device: DeviceKey,
        publication: Publication,
        cap: usize,
    ) -> Result<Option<Stock>> {
        self.write(move |db| directory::publish(db, account, device, &publication, cap)).await
    }

    async fn stock(&self, account: AccountKey, device: DeviceKey) -> Result<Stock> {
        self.read(move |db| directory::stock(db, account, device)).await
    }

    async fn devices(&self, account: AccountKey) -> Result<Vec<Device>> {
        self.read(move |db| directory::devices(db, account)).await
    }

    async fn claim(&self, account: AccountKey) -> Result<Vec<Device>> {
        self.write(move |db| directory::claim(db, account)).await
    }

    async fn pend_device(&self, account: AccountKey, bundle: Sealed, expires_at: u64) -> Result<bool> {
        self.write(move |db| devices::pend(db, account, &bundle, expires_at)).await
    }

    async fn pending_device(&self, account: AccountKey, now: u64) -> Result<Option<(Sealed, u64)>> {
        self.read(move |db| devices::pending(db, account, now)).await
    }

    async fn relog(&self, account: AccountKey, relog: Relog) -> Result<bool> {
        self.write(move |db| devices::relog(db, account, &relog)).await
    }

    async fn reseal_session(&self, account: AccountKey, id: SessionId, sealed: Sealed) -> Result<bool> {
        let sql = "UPDATE sessions SET sealed = ?3 WHERE account = ?1 AND id = ?2";
        self.write(move |db| changes_one(db, sql, params![account.0, id.0, sealed.0])).await
    }

    async fn lobby(&self) -> Result<Option<Lobby>> {
        self.read(lobby::standing).await
    }

    async fn put_lobby(&self, sealed: Sealed, replaces: Option<u64>, stale_before: u64, now: u64) -> Result<Lobby> {
        self.write(move |db| lobby::put(db, &sealed, replaces, stale_before, now)).await
    }

    async fn renew_lobby(&self, version: u64, now: u64) -> Result<bool> {
        self.write(move |db| lobby::renew(db, version, now)).await
    }

    async fn delete(&self, account: AccountKey, held_until: u64) -> Result<bool> {
        self.write(move |db| signup::delete(db, account, held_until)).await
    }

    async fn expire(&self, now: u64) -> Result<u64> {
        self.write(move |db| signup::expire(db, now)).await
    }
}
