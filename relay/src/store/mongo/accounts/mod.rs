//! [`AccountStore`] in MongoDB. An account is one document, authenticators, recovery codes and devices inside, so that
//! each verb is one conditional update; sessions, KeyPackages and budgets have collections of their own.

mod authenticators;
mod devices;
mod directory;
mod lobby;
mod login;
mod names;
mod sessions;
mod signup;

use async_trait::async_trait;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use mongodb::error::{ErrorKind, WriteFailure};
use mongodb::options::IndexOptions;
use mongodb::{Collection, Database, IndexModel};

use super::Mongo;
use crate::store::StoreError;
use crate::store::accounts::*;

type Result<T> = std::result::Result<T, StoreError>;

const PENDING: i32 = 0;
const ACTIVE: i32 = 1;
const DELETED: i32 = 2;

/// The server's code for a violated unique index.
const DUPLICATE_KEY: i32 = 11_000;

/// Creates the indexes; doing it again changes nothing.
pub(super) async fn create_indexes(mongo: &Mongo) -> Result<()> {
    let db = mongo.db().clone();
    mongo
        .call(async move {
            let unique = |keys: Document| {
                IndexModel::builder().keys(keys).options(IndexOptions::builder().unique(true).build()).build()
            };
            let plain = |keys: Document| IndexModel::builder().keys(keys).build();
            let token_held = IndexOptions::builder()
                .unique(true)
                .partial_filter_expression(doc! { "token": { "$exists": true } })
                .build();
            let token = IndexModel::builder().keys(doc! { "token": 1 }).options(token_held).build();
            // Each in an array: unique from one account to another.
            let names = [unique(doc! { "names.name": 1 }), unique(doc! { "names.skeleton": 1 })];
            of(&db, "accounts").create_indexes(names).await?;
            let accounts = [plain(doc! { "names.until": 1 }), token, plain(doc! { "state": 1, "expires_at": 1 })];
            of(&db, "accounts").create_indexes(accounts).await?;
            let sessions = [unique(doc! { "id": 1 }), plain(doc! { "account": 1 }), plain(doc! { "expires_at": 1 })];
            of(&db, "sessions").create_indexes(sessions).await?;
            of(&db, "key_packages").create_index(plain(doc! { "account": 1, "device": 1, "_id": 1 })).await?;
            of(&db, "budgets").create_index(plain(doc! { "resets_at": 1 })).await?;
            of(&db, "proofs").create_index(plain(doc! { "expires_at": 1 })).await?;
            Ok(())
        })
        .await
}

fn of(db: &Database, collection: &str) -> Collection<Document> {
    db.collection(collection)
}

fn bin(bytes: impl AsRef<[u8]>) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: bytes.as_ref().to_vec() })
}

/// MongoDB counts in `i64`; no time or step of ours comes near its end.
fn int(v: u64) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}

fn bytes<'a>(d: &'a Document, field: &'static str) -> Result<&'a [u8]> {
    d.get_binary_generic(field).map(Vec::as_slice).map_err(|_| StoreError::Damaged(field))
}

fn key<'a, T: TryFrom<&'a [u8], Error = StoreError>>(d: &'a Document, field: &'static str) -> Result<T> {
    T::try_from(bytes(d, field)?)
}

fn sealed(d: &Document, field: &'static str) -> Result<Sealed> {
    Ok(Sealed(bytes(d, field)?.to_vec()))
}

fn uint(d: &Document, field: &'static str) -> Result<u64> {
    let v = d.get_i64(field).map_err(|_| StoreError::Damaged(field))?;
    Ok(u64::try_from(v).unwrap_or(0))
}

/// The documents of an array field; a missing one is empty.
fn documents<'a>(d: &'a Document, field: &'static str) -> Result<Vec<&'a Document>> {
    let Ok(array) = d.get_array(field) else { return Ok(Vec::new()) };
    array.iter().map(|b| b.as_document().ok_or(StoreError::Damaged(field))).collect()
}

fn is_duplicate(e: &mongodb::error::Error) -> bool {
    match &*e.kind {
        ErrorKind::Write(WriteFailure::WriteError(e)) => e.code == DUPLICATE_KEY,
        ErrorKind::Command(e) => e.code == DUPLICATE_KEY,
        _ => false,
    }
}

/// Inserts unless a unique index says that it is there.
async fn insert_new(c: &Collection<Document>, d: Document) -> Result<bool> {
    match c.insert_one(d).await {
        Ok(_) => Ok(true),
        Err(e) if is_duplicate(&e) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Applies an update to at most one document; whether one matched.
async fn update(c: &Collection<Document>, filter: Document, update: Document) -> Result<bool> {
    Ok(c.update_one(filter, update).await?.matched_count == 1)
}

fn read_account(d: &Document) -> Result<Account> {
    let authenticators = documents(d, "authenticators")?
        .into_iter()
        .map(|a| {
            Ok(Authenticator { id: key(a, "id")?, sealed: sealed(a, "sealed")?, last_step: uint(a, "last_step")? })
        })
        .collect::<Result<_>>()?;
    Ok(Account { key: key(d, "_id")?, sealed: sealed(d, "sealed")?, vault: sealed(d, "vault")?, authenticators })
}

fn write_authenticator(a: &Authenticator) -> Document {
    doc! { "id": bin(a.id), "sealed": bin(&a.sealed.0), "last_step": int(a.last_step) }
}

fn write_codes(codes: &[CodeKey]) -> Vec<Bson> {
    codes.iter().map(bin).collect()
}

#[async_trait]
impl AccountStore for Mongo {
    async fn same_keys(&self, fingerprint: [u8; 32]) -> Result<bool> {
        let db = self.db().clone();
        self.call(async move {
            let meta = of(&db, "meta");
            if insert_new(&meta, doc! { "_id": "keys", "value": bin(fingerprint) }).await? {
                return Ok(true);
            }
            let kept = meta.find_one(doc! { "_id": "keys" }).await?.ok_or(StoreError::Damaged("keys"))?;
            Ok(bytes(&kept, "value")? == fingerprint)
        })
        .await
    }

    async fn probe(&self) -> Result<()> {
        let db = self.db().clone();
        self.call(async move {
            of(&db, "meta")
                .update_one(doc! { "_id": "probe" }, doc! { "$inc": { "value": 1_i64 } })
                .upsert(true)
                .await?;
            Ok(())
        })
        .await
    }

    async fn is_taken(&self, name: NameKey, skeleton: SkeletonKey, now: u64) -> Result<bool> {
        self.call(names::is_taken(self.db().clone(), name, skeleton, now)).await
    }

    async fn hold(&self, pending: Pending, now: u64) -> Result<bool> {
        self.call(signup::hold(self.db().clone(), pending, now)).await
    }

    async fn try_sign_up(&self, token: TokenKey, max_tries: u32, now: u64) -> Result<Option<SignUp>> {
        self.call(signup::try_sign_up(self.db().clone(), token, max_tries, now)).await
    }

    async fn activate(&self, token: TokenKey, activation: Activation, now: u64) -> Result<bool> {
        self.call(signup::activate(self.db().clone(), token, activation, now)).await
    }

    async fn abandon(&self, token: TokenKey) -> Result<()> {
        let db = self.db().clone();
        self.call(async move {
            of(&db, "accounts").delete_one(doc! { "token": bin(token), "state": PENDING }).await?;
            Ok(())
        })
        .await
    }

    async fn named(&self, name: NameKey, now: u64) -> Result<Option<Named>> {
        self.call(names::named(self.db().clone(), name, now)).await
    }

    async fn rename(&self, account: AccountKey, rename: Rename, now: u64) -> Result<Renamed> {
        self.call(names::rename(self.db().clone(), account, rename, now)).await
    }

    async fn account(&self, account: AccountKey) -> Result<Option<Account>> {
        let db = self.db().clone();
        self.call(async move {
            let found = of(&db, "accounts")
                .find_one(doc! { "_id": bin(account), "state": ACTIVE })
                .projection(doc! { "sealed": 1, "vault": 1, "authenticators": 1 })
                .await?;
            found.as_ref().map(read_account).transpose()
        })
        .await
    }

    async fn use_step(&self, account: AccountKey, authenticator: AuthenticatorId, step: u64) -> Result<bool> {
        self.call(login::use_step(self.db().clone(), account, authenticator, step)).await
    }

    async fn use_code(&self, account: AccountKey, code: CodeKey) -> Result<bool> {
        self.call(login::use_code(self.db().clone(), account, code)).await
    }

    async fn replace_codes(&self, account: AccountKey, codes: Vec<CodeKey>) -> Result<bool> {
        let db = self.db().clone();
        self.call(async move {
            let filter = doc! { "_id": bin(account), "state": ACTIVE };
            update(&of(&db, "accounts"), filter, doc! { "$set": { "codes": write_codes(&codes) } }).await
        })
        .await
    }

    async fn charge(&self, budget: BudgetKey, limit: u32, window: u64, now: u64) -> Result<Charge> {
        self.call(login::charge(self.db().clone(), budget, limit, window, now)).await
    }

    async fn refund(&self, budget: BudgetKey) -> Result<()> {
        let db = self.db().clone();
        self.call(async move {
            let filter = doc! { "_id": bin(budget), "used": { "$gt": 0_i64 } };
            update(&of(&db, "budgets"), filter, doc! { "$inc": { "used": -1_i64 } }).await.map(drop)
        })
        .await
    }

    async fn spend_proof(&self, proof: ProofKey, expires_at: u64) -> Result<bool> {
        let db = self.db().clone();
        self.call(async move {
            insert_new(&of(&db, "proofs"), doc! { "_id": bin(proof), "expires_at": int(expires_at) }).await
        })
        .await
    }

    async fn begin_authenticator(
        &self,
        account: AccountKey,
        pending: PendingAuthenticator,
        max: usize,
    ) -> Result<bool> {
        self.call(authenticators::begin(self.db().clone(), account, pending, max)).await
    }

    async fn try_authenticator(
        &self,
        account: AccountKey,
        token: TokenKey,
        max_tries: u32,
        now: u64,
    ) -> Result<Option<(AuthenticatorId, Sealed)>> {
        self.call(authenticators::attempt(self.db().clone(), account, token, max_tries, now)).await
    }

    async fn add_authenticator(&self, account: AccountKey, token: TokenKey, step: u64, max: usize) -> Result<bool> {
        self.call(authenticators::add(self.db().clone(), account, token, step, max)).await
    }

    async fn keep_authenticator(&self, account: AccountKey, keep: AuthenticatorId) -> Result<bool> {
        self.call(authenticators::keep(self.db().clone(), account, keep)).await
    }

    async fn open_session(&self, session: Session) -> Result<bool> {
        self.call(sessions::open(self.db().clone(), session)).await
    }

    async fn session(&self, token: TokenKey, now: u64) -> Result<Option<Session>> {
        self.call(sessions::by_token(self.db().clone(), token, now)).await
    }

    async fn sessions(&self, account: AccountKey, now: u64) -> Result<Vec<Session>> {
        self.call(sessions::of_account(self.db().clone(), account, now)).await
    }

    async fn end_session(&self, account: AccountKey, id: SessionId) -> Result<bool> {
        let db = self.db().clone();
        self.call(async move {
            let gone = of(&db, "sessions").delete_one(doc! { "account": bin(account), "id": bin(id) }).await?;
            Ok(gone.deleted_count == 1)
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
        self.call(directory::publish(self.db().clone(), account, device, publication, cap)).await
    }

    async fn stock(&self, account: AccountKey, device: DeviceKey) -> Result<Stock> {
        self.call(directory::stock(self.db().clone(), account, device)).await
    }

    async fn devices(&self, account: AccountKey) -> Result<Vec<Device>> {
        self.call(directory::devices(self.db().clone(), account)).await
    }

    async fn claim(&self, account: AccountKey) -> Result<Vec<Device>> {
        self.call(directory::claim(self.db().clone(), account)).await
    }

    async fn pend_device(&self, account: AccountKey, bundle: Sealed, expires_at: u64) -> Result<bool> {
        self.call(devices::pend(self.db().clone(), account, bundle, expires_at)).await
    }

    async fn pending_device(&self, account: AccountKey, now: u64) -> Result<Option<(Sealed, u64)>> {
        self.call(devices::pending(self.db().clone(), account, now)).await
    }

    async fn relog(&self, account: AccountKey, relog: Relog) -> Result<bool> {
        self.call(devices::relog(self.db().clone(), account, relog)).await
    }

    async fn reseal_session(&self, account: AccountKey, id: SessionId, sealed: Sealed) -> Result<bool> {
        let db = self.db().clone();
        self.call(async move {
            let session = doc! { "account": bin(account), "id": bin(id) };
            update(&of(&db, "sessions"), session, doc! { "$set": { "sealed": bin(&sealed.0) } }).await
        })
        .await
    }

    async fn lobby(&self) -> Result<Option<Lobby>> {
        let db = self.db().clone();
        self.call(async move { lobby::standing(&db).await }).await
    }

    async fn put_lobby(&self, sealed: Sealed, replaces: Option<u64>, stale_before: u64, now: u64) -> Result<Lobby> {
        self.call(lobby::put(self.db().clone(), sealed, replaces, stale_before, now)).await
    }

    async fn renew_lobby(&self, version: u64, now: u64) -> Result<bool> {
        self.call(lobby::renew(self.db().clone(), version, now)).await
    }

    async fn delete(&self, account: AccountKey, held_until: u64) -> Result<bool> {
        self.call(signup::delete(self.db().clone(), account, held_until)).await
    }

    async fn expire(&self, now: u64) -> Result<u64> {
        self.call(signup::expire(self.db().clone(), now)).await
    }
}
