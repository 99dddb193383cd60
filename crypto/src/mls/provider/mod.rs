//! What OpenMLS asks of its host: primitives, randomness and storage, each from ours.
//!
//! Public so that vectors and other implementations can be run against exactly what a [`super::Session`] uses.

mod codec;
mod crypto;
mod storage;

use openmls_traits::OpenMlsProvider;
use rand_core::CryptoRng;

pub use crypto::Crypto;
pub use storage::{Storage, StorageError};

use crate::kv::Kv;

/// One operation's view of the host. Writes are held back until [`Provider::commit`]: an operation that fails half-way
/// (a forged message, a Welcome that doesn't hold) leaves the store as it was.
#[derive(Debug)]
pub struct Provider<'a> {
    crypto: Crypto,
    storage: Storage<'a>,
}

impl<'a> Provider<'a> {
    /// Begins an operation on `kv`; `rng` is asked once, for a seed.
    pub fn new(kv: &'a mut dyn Kv, rng: &mut dyn CryptoRng) -> Self {
        Self { crypto: Crypto::new(rng), storage: Storage::new(kv) }
    }

    /// What is stored, without this operation's writes.
    pub(super) fn kv(&self) -> &dyn Kv {
        self.storage.kv()
    }

    /// Hands the operation's writes to the store.
    ///
    /// # Errors
    /// [`StorageError::Kv`] when the store fails.
    pub fn commit(self) -> Result<(), StorageError> {
        Ok(self.storage.commit()?)
    }
}

impl<'a> OpenMlsProvider for Provider<'a> {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = Storage<'a>;

    fn storage(&self) -> &Self::StorageProvider {
        &self.storage
    }

    fn crypto(&self) -> &Self::CryptoProvider {
        &self.crypto
    }

    fn rand(&self) -> &Self::RandProvider {
        &self.crypto
    }
}
