//! Accounts by TOTP: sign-up, log-in, sessions, authenticators, recovery, directory (DESIGN §3, SEED B1–B18).
//!
//! [`Accounts`] knows no HTTP. It turns names and secrets into keyed hashes, seals what the store keeps, and asks the
//! store for single conditional updates wherever two requests could meet.

mod authenticators;
mod codes;
mod devices;
mod directory;
mod live;
mod lobby;
mod login;
mod names;
mod record;
mod sessions;
mod signup;
mod vault;

use std::sync::Arc;

use livechat_wire::{DeviceId, RelayId};
use record::Vault;
use zeroize::Zeroizing;

pub use authenticators::{AuthenticatorError, CodeError};
pub use devices::{LogError, PendError};
pub use directory::{LookupError, PublishError};
pub use lobby::LobbyError;
pub use login::LogInError;
pub use names::RenameError;
pub use sessions::{Authenticated, SessionError};
pub use signup::{BeginError, ConfirmError};
pub use vault::BadElement;

use crate::env::{Env, NoRandomness};
use crate::keys::Keys;
use crate::limits::Limits;
use crate::names::Username;
use crate::store::StoreError;
use crate::store::accounts::{
    Account, AccountKey, AccountStore, AuthenticatorId, BudgetKey, DeviceKey, NameKey, SkeletonKey, TokenKey,
};
use crate::store::blobs::OwnerKey;

/// What can go wrong in any operation and is nobody's mistake.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system's randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A record that doesn't open.
    #[error(transparent)]
    Sealed(#[from] crate::keys::OpenError),
}

/// The operations. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    store: Arc<dyn AccountStore>,
    vault: Vault,
    limits: Limits,
    issuer: String,
    live: live::Live,
    decoy: Account,
}

/// A bearer secret: 32 random bytes, base64url.
struct Token(Zeroizing<[u8; 32]>);

impl Token {
    fn text(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.0[..])
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
        bytes.as_slice().try_into().ok().map(|b| Self(Zeroizing::new(b)))
    }
}

impl Accounts {
    /// Sets up the operations; `issuer` is what authenticator apps show.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn new(
        store: Arc<dyn AccountStore>,
        keys: Keys,
        env: Env,
        limits: Limits,
        issuer: String,
    ) -> Result<Self, NoRandomness> {
        let vault = Vault { keys, env };
        let decoy = vault.decoy()?;
        Ok(Self(Arc::new(Inner { store, vault, limits, issuer, live: live::Live::default(), decoy })))
    }

    /// The relay these accounts are at.
    #[must_use]
    pub fn relay(&self) -> RelayId {
        self.0.vault.keys.relay()
    }

    /// Whether the database was written under these keys; notes them on first use.
    ///
    /// # Errors
    /// The store's.
    pub async fn keys_match(&self) -> Result<bool, StoreError> {
        self.0.store.same_keys(self.0.vault.keys.hash("fingerprint", &[])).await
    }

    /// Whether the store reads and writes.
    ///
    /// # Errors
    /// The store's.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.0.store.probe().await
    }

    /// How many accounts were heard of lately: exact below ten, then two digits (SEED B14).
    #[must_use]
    pub fn live(&self) -> u32 {
        self.0.live.count(self.0.vault.env.monotonic())
    }

    /// Removes what is over. Call it now and then.
    ///
    /// # Errors
    /// The store's.
    pub async fn expire(&self) -> Result<u64, StoreError> {
        self.0.live.forget(self.0.vault.env.monotonic());
        self.0.store.expire(self.0.vault.env.now()).await
    }

    /// Whom blobs of this account count for.
    #[must_use]
    pub fn blob_owner(&self, who: &Authenticated) -> OwnerKey {
        OwnerKey(self.0.vault.keys.hash("blob owner", &[&who.account.0]))
    }

    fn now(&self) -> u64 {
        self.0.vault.env.now()
    }

    fn token(&self) -> Result<Token, NoRandomness> {
        Ok(Token(Zeroizing::new(self.0.vault.env.random()?)))
    }

    fn name_key(&self, name: &Username) -> NameKey {
        NameKey(self.0.vault.keys.hash("name", &[name.as_str().as_bytes()]))
    }

    fn skeleton_key(&self, name: &Username) -> SkeletonKey {
        SkeletonKey(self.0.vault.keys.hash("skeleton", &[name.skeleton().as_bytes()]))
    }

    fn device_key(&self, who: AccountKey, device: &DeviceId) -> DeviceKey {
        DeviceKey(self.0.vault.keys.hash("device", &[&who.0, &device.0]))
    }

    fn token_key(&self, kind: &'static str, token: &Token) -> TokenKey {
        TokenKey(self.0.vault.keys.hash(kind, &[&token.0[..]]))
    }

    fn budget_key(&self, kind: &'static str, parts: &[&[u8]]) -> BudgetKey {
        BudgetKey(self.0.vault.keys.hash(kind, parts))
    }

    fn authenticator_id(&self) -> Result<AuthenticatorId, NoRandomness> {
        Ok(AuthenticatorId(self.0.vault.env.random()?))
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("relay", &self.relay()).finish_non_exhaustive()
    }
}
