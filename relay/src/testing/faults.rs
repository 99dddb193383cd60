//! Account, slot and blob stores that fail when told to: before a call takes effect, or after, when only its answer is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use async_trait::async_trait;
use livechat_wire::order::SealedCommit;
use livechat_wire::{BlobId, SlotId};

use crate::store::StoreError;
use crate::store::accounts::*;
use crate::store::blobs::{Begin, BeginError, BlobStore, OwnerKey, Progress, PutError};
use crate::store::slots::{AppendError, Placed, ReadError, SlotStore, Stretch};

const NONE: u8 = 0;
const BEFORE: u8 = 1;
const AFTER: u8 = 2;

/// What is to fail.
#[derive(Debug, Default)]
pub struct Faults {
    mode: AtomicU8,
    /// Calls that still succeed.
    skip: AtomicU64,
    calls: AtomicU64,
}

impl Faults {
    /// From the call after `skip` more on, nothing takes effect.
    pub fn fail_after(&self, skip: u64) {
        self.set(BEFORE, skip);
    }

    /// From the call after `skip` more on, calls take effect and their answers are lost.
    pub fn lose_answers_after(&self, skip: u64) {
        self.set(AFTER, skip);
    }

    /// All is well again.
    pub fn heal(&self) {
        self.set(NONE, 0);
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    async fn through<T, E: From<StoreError>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let mode = self.next();
        if mode == BEFORE {
            return Err(StoreError::Injected.into());
        }
        let result = call.await;
        if mode == AFTER { Err(StoreError::Injected.into()) } else { result }
    }

    fn set(&self, mode: u8, skip: u64) {
        self.skip.store(skip, Ordering::SeqCst);
        self.mode.store(mode, Ordering::SeqCst);
    }

    /// How this call is to end.
    fn next(&self) -> u8 {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mode = self.mode.load(Ordering::SeqCst);
        let spared = self.skip.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        if spared { NONE } else { mode }
    }
}

/// An account store with [`Faults`].
pub struct FaultyAccounts {
    /// The real one.
    pub inner: Arc<dyn AccountStore>,
    /// What is to fail.
    pub faults: Arc<Faults>,
}

macro_rules! forward {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl AccountStore for FaultyAccounts {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$out, StoreError> {
                let mode = self.faults.next();
                if mode == BEFORE {
                    return Err(StoreError::Injected);
                }
                let result = self.inner.$name($($arg),*).await;
                if mode == AFTER { Err(StoreError::Injected) } else { result }
            })*
        }
    };
}

forward! {
    fn same_keys(fingerprint: [u8; 32]) -> bool;
    fn probe() -> ();
    fn is_taken(name: NameKey, skeleton: SkeletonKey, now: u64) -> bool;
    fn hold(pending: Pending, now: u64) -> bool;
    fn try_sign_up(token: TokenKey, max_tries: u32, now: u64) -> Option<SignUp>;
    fn activate(token: TokenKey, activation: Activation, now: u64) -> bool;
    fn abandon(token: TokenKey) -> ();
    fn named(name: NameKey, now: u64) -> Option<Named>;
    fn rename(account: AccountKey, rename: Rename, now: u64) -> Renamed;
    fn account(account: AccountKey) -> Option<Account>;
    fn use_step(account: AccountKey, authenticator: AuthenticatorId, step: u64) -> bool;
    fn use_code(account: AccountKey, code: CodeKey) -> bool;
    fn replace_codes(account: AccountKey, codes: Vec<CodeKey>) -> bool;
    fn charge(budget: BudgetKey, limit: u32, window: u64, now: u64) -> Charge;
    fn refund(budget: BudgetKey) -> ();
    fn spend_proof(proof: ProofKey, expires_at: u64) -> bool;
    fn begin_authenticator(account: AccountKey, pending: PendingAuthenticator, max: usize) -> bool;
    fn try_authenticator(account: AccountKey, token: TokenKey, max_tries: u32, now: u64)
        -> Option<(AuthenticatorId, Sealed)>;
    fn add_authenticator(account: AccountKey, token: TokenKey, step: u64, max: usize) -> bool;
    fn keep_authenticator(account: AccountKey, keep: AuthenticatorId) -> bool;
    fn open_session(session: Session) -> bool;
    fn session(token: TokenKey, now: u64) -> Option<Session>;
    fn sessions(account: AccountKey, now: u64) -> Vec<Session>;
    fn end_session(account: AccountKey, id: SessionId) -> bool;
    fn publish(account: AccountKey, device: DeviceKey, publication: Publication, cap: usize) -> Option<Stock>;
    fn stock(account: AccountKey, device: DeviceKey) -> Stock;
    fn devices(account: AccountKey) -> Vec<Device>;
    fn claim(account: AccountKey) -> Vec<Device>;
    fn pend_device(account: AccountKey, bundle: Sealed, expires_at: u64) -> bool;
    fn pending_device(account: AccountKey, now: u64) -> Option<(Sealed, u64)>;
    fn relog(account: AccountKey, relog: Relog) -> bool;
    fn reseal_session(account: AccountKey, id: SessionId, sealed: Sealed) -> bool;
    fn lobby() -> Option<Lobby>;
    fn put_lobby(sealed: Sealed, replaces: Option<u64>, stale_before: u64, now: u64) -> Lobby;
    fn renew_lobby(version: u64, now: u64) -> bool;
    fn delete(account: AccountKey, held_until: u64) -> bool;
    fn expire(now: u64) -> u64;
}

/// A slot store with [`Faults`].
pub struct FaultySlots {
    /// The real one.
    pub inner: Arc<dyn SlotStore>,
    /// What is to fail.
    pub faults: Arc<Faults>,
}

#[async_trait]
impl SlotStore for FaultySlots {
    async fn append(&self, slot: SlotId, commit: SealedCommit, now: u64) -> Result<Placed, AppendError> {
        self.faults.through(self.inner.append(slot, commit, now)).await
    }

    async fn entries(&self, slot: SlotId, from: u32) -> Result<Stretch, ReadError> {
        self.faults.through(self.inner.entries(slot, from)).await
    }

    async fn expire_before(&self, entries: u64, slots: u64) -> Result<u64, StoreError> {
        self.faults.through(self.inner.expire_before(entries, slots)).await
    }
}

/// A blob store with [`Faults`].
pub struct FaultyBlobs {
    /// The real one.
    pub inner: Arc<dyn BlobStore>,
    /// What is to fail.
    pub faults: Arc<Faults>,
}

#[async_trait]
impl BlobStore for FaultyBlobs {
    async fn begin(&self, begin: Begin, quota: u64, now: u64) -> Result<Progress, BeginError> {
        self.faults.through(self.inner.begin(begin, quota, now)).await
    }

    async fn put(
        &self,
        id: BlobId,
        owner: OwnerKey,
        part: u32,
        bytes: Vec<u8>,
        whole_until: u64,
        now: u64,
    ) -> Result<Progress, PutError> {
        self.faults.through(self.inner.put(id, owner, part, bytes, whole_until, now)).await
    }

    async fn part(&self, id: BlobId, part: u32, now: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.faults.through(self.inner.part(id, part, now)).await
    }

    async fn remove(&self, id: BlobId, owner: OwnerKey, now: u64) -> Result<bool, StoreError> {
        self.faults.through(self.inner.remove(id, owner, now)).await
    }

    async fn remove_all(&self, owner: OwnerKey) -> Result<(), StoreError> {
        self.faults.through(self.inner.remove_all(owner)).await
    }

    async fn used(&self, owner: OwnerKey, now: u64) -> Result<u64, StoreError> {
        self.faults.through(self.inner.used(owner, now)).await
    }

    async fn sweep(&self, now: u64) -> Result<u64, StoreError> {
        self.faults.through(self.inner.sweep(now)).await
    }
}
