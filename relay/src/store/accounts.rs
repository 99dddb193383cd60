//! Accounts, sessions, budgets and KeyPackages, as the store sees them: keyed hashes, sealed bytes, counters, times.
//!
//! The store can read none of it. Keys are HMACs under the relay's key, so equal names meet in a unique index without
//! being there; everything else is [`Sealed`]. Verbs are atomic each for itself, whatever else runs at the time.

#[cfg(any(test, feature = "testing"))]
pub mod exam;

use async_trait::async_trait;

use super::StoreError;

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident($len:literal))*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $len]);

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = StoreError;

            fn try_from(bytes: &[u8]) -> Result<Self, StoreError> {
                bytes.try_into().map(Self).map_err(|_| StoreError::Damaged(stringify!($name)))
            }
        }
    )* };
}

keys! {
    /// Random: an account's key everywhere in the store. It outlives changes of the name.
    AccountKey(32)
    /// Keyed hash of a username: leads to an account.
    NameKey(32)
    /// Keyed hash of a username's confusable skeleton: unique, so that no two names look alike.
    SkeletonKey(32)
    /// Keyed hash of a bearer secret: a session's or a pending sign-up's.
    TokenKey(32)
    /// Keyed hash of a recovery code and its account.
    CodeKey(32)
    /// Keyed hash of an account's device.
    DeviceKey(32)
    /// Keyed hash of what a budget limits.
    BudgetKey(32)
    /// Keyed hash of a device proof.
    ProofKey(32)
    /// Random; names an authenticator.
    AuthenticatorId(16)
    /// Random; names a session in lists.
    SessionId(16)
}

/// Bytes that only the relay's key opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// A name held for somebody who is setting up an authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The key of the account that it may become.
    pub account: AccountKey,
    /// The name.
    pub name: NameKey,
    /// What it looks like.
    pub skeleton: SkeletonKey,
    /// Proves who began.
    pub token: TokenKey,
    /// Name and secret.
    pub sealed: Sealed,
    /// Unix seconds; afterwards the name is free.
    pub expires_at: u64,
}

/// What a sign-up token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignUp {
    /// Not confirmed yet.
    Pending {
        /// The key of the account that it may become.
        account: AccountKey,
        /// Name and secret.
        sealed: Sealed,
        /// Tries made, this one included.
        tries: u32,
    },
    /// Confirmed within its hour: whoever confirms again lost the first answer.
    Confirmed(Account),
}

/// An authenticator in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticator {
    /// Its name.
    pub id: AuthenticatorId,
    /// Its secret.
    pub sealed: Sealed,
    /// The last time step whose code was used.
    pub last_step: u64,
}

/// An authenticator being set up beside the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAuthenticator {
    /// Its name.
    pub id: AuthenticatorId,
    /// Proves who began.
    pub token: TokenKey,
    /// Its secret.
    pub sealed: Sealed,
    /// Unix seconds.
    pub expires_at: u64,
}

/// An active account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its key.
    pub key: AccountKey,
    /// Name, log, devices.
    pub sealed: Sealed,
    /// What its devices' vaults are opened with, after a code.
    pub vault: Sealed,
    /// One or two.
    pub authenticators: Vec<Authenticator>,
}

/// What makes a pending sign-up an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// Name, log, devices.
    pub sealed: Sealed,
    /// What its devices' vaults are opened with, after a code. Never changes: vaults depend on it.
    pub vault: Sealed,
    /// The first authenticator, its first code already used.
    pub authenticator: Authenticator,
    /// Recovery codes.
    pub codes: Vec<CodeKey>,
    /// The first device.
    pub device: DeviceKey,
    /// Its bundle.
    pub bundle: Sealed,
    /// Its session.
    pub session: Session,
}

/// Somebody logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What it is found by.
    pub token: TokenKey,
    /// What it is called.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountKey,
    /// Device and time of log-in.
    pub sealed: Sealed,
    /// Unix seconds.
    pub expires_at: u64,
}

/// Whether a budget allows another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// It does, and the try is counted.
    Charged,
    /// It doesn't until then (Unix seconds).
    Spent {
        /// When the budget is fresh again.
        resets_at: u64,
    },
}

/// What a device puts into the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Its bundle.
    pub bundle: Sealed,
    /// Handed out once each.
    pub one_time: Vec<Sealed>,
    /// Handed out when none is left; none keeps the one before.
    pub last_resort: Option<Sealed>,
}

/// What the directory has left of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stock {
    /// One-time KeyPackages.
    pub one_time: u32,
    /// Whether there is a last-resort one.
    pub last_resort: bool,
}

/// A device in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its key.
    pub device: DeviceKey,
    /// Its bundle.
    pub bundle: Sealed,
    /// In the answer to a claim: a KeyPackage, and whether it is the last-resort one.
    pub key_package: Option<(Sealed, bool)>,
}

/// The door of the relay's lobby, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lobby {
    /// Grows by one whenever another door takes its place.
    pub version: u64,
    /// The link.
    pub sealed: Sealed,
    /// Unix seconds when somebody in it was last heard of.
    pub renewed_at: u64,
}

/// An account's record is replaced, and devices that it no longer names are put out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relog {
    /// The record as it was read; another one by now: nothing happens.
    pub was: Sealed,
    /// The record from now on.
    pub sealed: Sealed,
    /// Their bundles and KeyPackages go.
    pub revoked: Vec<DeviceKey>,
    /// They end.
    pub ended: Vec<SessionId>,
}

/// Whom a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// An active account.
    pub account: Account,
    /// Whether it is called that now; else it was, and the name is held for it.
    pub current: bool,
}

/// An account is called something else, and its record says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The record as it was read; another one by now: nothing happens.
    pub was: Sealed,
    /// The record from now on.
    pub sealed: Sealed,
    /// The name from now on.
    pub name: NameKey,
    /// What it looks like.
    pub skeleton: SkeletonKey,
    /// Unix seconds; until then the name before is nobody else's.
    pub held_until: u64,
    /// Names that one account may keep from others, this one included.
    pub most: usize,
}

/// Whether it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renamed {
    /// It is; nothing waits to be a device any more.
    Done,
    /// There is no such account, or its record isn't what it was.
    Outdated,
    /// Somebody else has this name, or one that looks like it, or had it lately.
    Taken,
    /// The account keeps as many names from others as it may.
    TooMany,
}

/// Where accounts are kept. Times are Unix seconds, given by the caller.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// Notes the fingerprint of the relay's keys on first use; tells whether it is the same later.
    async fn same_keys(&self, fingerprint: [u8; 32]) -> Result<bool, StoreError>;

    /// Reads and writes something, to see whether that works.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Whether this name, or one that looks like it, is held, active, or not yet free after a deletion.
    async fn is_taken(&self, name: NameKey, skeleton: SkeletonKey, now: u64) -> Result<bool, StoreError>;

    /// Holds a name; replaces what expired. False: taken.
    async fn hold(&self, pending: Pending, now: u64) -> Result<bool, StoreError>;

    /// Counts a try at confirming and returns what for. None: unknown, over, or `max_tries` were made.
    async fn try_sign_up(&self, token: TokenKey, max_tries: u32, now: u64) -> Result<Option<SignUp>, StoreError>;

    /// Makes a pending sign-up an active account with its first device and session, all or nothing. False: it was
    /// over, or confirmed by somebody faster.
    async fn activate(&self, token: TokenKey, activation: Activation, now: u64) -> Result<bool, StoreError>;

    /// Gives the name of a pending sign-up back.
    async fn abandon(&self, token: TokenKey) -> Result<(), StoreError>;

    /// The active account that has this name, or had it until lately.
    async fn named(&self, name: NameKey, now: u64) -> Result<Option<Named>, StoreError>;

    /// Gives an account another name, all or nothing. One that it had itself it may have again.
    async fn rename(&self, account: AccountKey, rename: Rename, now: u64) -> Result<Renamed, StoreError>;

    /// An active account.
    async fn account(&self, account: AccountKey) -> Result<Option<Account>, StoreError>;

    /// Uses up a time step: true for one caller only, and only if it is later than the last one used.
    async fn use_step(
        &self,
        account: AccountKey,
        authenticator: AuthenticatorId,
        step: u64,
    ) -> Result<bool, StoreError>;

    /// Uses up a recovery code: true for one caller only.
    async fn use_code(&self, account: AccountKey, code: CodeKey) -> Result<bool, StoreError>;

    /// Replaces all recovery codes. False: no such account.
    async fn replace_codes(&self, account: AccountKey, codes: Vec<CodeKey>) -> Result<bool, StoreError>;

    /// Counts a try against a budget of `limit` per `window` seconds, which begins with the first try.
    async fn charge(&self, budget: BudgetKey, limit: u32, window: u64, now: u64) -> Result<Charge, StoreError>;

    /// Takes a counted try back: it succeeded.
    async fn refund(&self, budget: BudgetKey) -> Result<(), StoreError>;

    /// Notes a device proof until `expires_at`. False: it was noted before.
    async fn spend_proof(&self, proof: ProofKey, expires_at: u64) -> Result<bool, StoreError>;

    /// Begins setting up another authenticator; replaces one begun before. False: no account, or it has `max`.
    async fn begin_authenticator(
        &self,
        account: AccountKey,
        pending: PendingAuthenticator,
        max: usize,
    ) -> Result<bool, StoreError>;

    /// Counts a try at confirming and returns id and secret. None: unknown, over, or `max_tries` were made.
    async fn try_authenticator(
        &self,
        account: AccountKey,
        token: TokenKey,
        max_tries: u32,
        now: u64,
    ) -> Result<Option<(AuthenticatorId, Sealed)>, StoreError>;

    /// Puts the authenticator begun under `token` into force, `step` used. False: it was over, or `max` are in force.
    async fn add_authenticator(
        &self,
        account: AccountKey,
        token: TokenKey,
        step: u64,
        max: usize,
    ) -> Result<bool, StoreError>;

    /// Removes all authenticators but `keep`. False: `keep` isn't in force, or is the only one.
    async fn keep_authenticator(&self, account: AccountKey, keep: AuthenticatorId) -> Result<bool, StoreError>;

    /// Begins a session. False: no such account any more.
    async fn open_session(&self, session: Session) -> Result<bool, StoreError>;

    /// The session with this token, if its account is active and it isn't over.
    async fn session(&self, token: TokenKey, now: u64) -> Result<Option<Session>, StoreError>;

    /// All sessions of an account that aren't over, in no order.
    async fn sessions(&self, account: AccountKey, now: u64) -> Result<Vec<Session>, StoreError>;

    /// Ends a session of this account. False: it has none of that id.
    async fn end_session(&self, account: AccountKey, id: SessionId) -> Result<bool, StoreError>;

    /// Stocks a device's KeyPackages, the oldest beyond `cap` dropped. None: no such account.
    async fn publish(
        &self,
        account: AccountKey,
        device: DeviceKey,
        publication: Publication,
        cap: usize,
    ) -> Result<Option<Stock>, StoreError>;

    /// What is left of a device's KeyPackages.
    async fn stock(&self, account: AccountKey, device: DeviceKey) -> Result<Stock, StoreError>;

    /// The devices of an account, without KeyPackages.
    async fn devices(&self, account: AccountKey) -> Result<Vec<Device>, StoreError>;

    /// The devices of an account, each with a KeyPackage if it has one: a one-time one is handed out once, ever.
    async fn claim(&self, account: AccountKey) -> Result<Vec<Device>, StoreError>;

    /// Notes a device that wants to be one of the account's; replaces the one before. False: no such account.
    async fn pend_device(&self, account: AccountKey, bundle: Sealed, expires_at: u64) -> Result<bool, StoreError>;

    /// The device that waits, and until when.
    async fn pending_device(&self, account: AccountKey, now: u64) -> Result<Option<(Sealed, u64)>, StoreError>;

    /// Replaces an account's record; nothing waits to be a device afterwards. False: the record isn't what it was.
    async fn relog(&self, account: AccountKey, relog: Relog) -> Result<bool, StoreError>;

    /// Seals another record into a session. False: it is over.
    async fn reseal_session(&self, account: AccountKey, id: SessionId, sealed: Sealed) -> Result<bool, StoreError>;

    /// The lobby's door, if there is one.
    async fn lobby(&self) -> Result<Option<Lobby>, StoreError>;

    /// Puts a door where none is, or in the place of version `replaces` when nobody in there was heard of since
    /// `stale_before`; one of many that try at once succeeds. Returns what stands there now, whoever put it.
    async fn put_lobby(
        &self,
        sealed: Sealed,
        replaces: Option<u64>,
        stale_before: u64,
        now: u64,
    ) -> Result<Lobby, StoreError>;

    /// Notes that somebody in the lobby behind this version was heard of. False: another stands there.
    async fn renew_lobby(&self, version: u64, now: u64) -> Result<bool, StoreError>;

    /// Deletes an account and all that hangs on it; its name stays held until `held_until`. False: no such account.
    async fn delete(&self, account: AccountKey, held_until: u64) -> Result<bool, StoreError>;

    /// Removes what is over by `now`; returns how many rows.
    async fn expire(&self, now: u64) -> Result<u64, StoreError>;
}
