//! The relay's secrets, kept outside the database: what signs receipts, what hashes names, what seals records.
//!
//! Whoever has the database alone has nothing; whoever loses `relay.key` has lost the accounts. Back it up, apart
//! from the database. Several processes over one database share one file.

mod file;
mod seal;

use std::fmt;
use std::path::Path;

use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use livechat_wire::RelayId;
use sha2::Sha256;
use zeroize::Zeroizing;

pub use file::{FILE, KeyFileError};
pub use seal::{OpenError, Sealer};

use crate::env::Env;

/// The relay's secrets.
#[derive(Clone)]
pub struct Keys {
    signing: SigningKey,
    hashing: Zeroizing<[u8; 32]>,
    sealer: Sealer,
}

impl Keys {
    /// Reads `relay.key` in `data_dir`; the first start makes it.
    ///
    /// # Errors
    /// See [`KeyFileError`].
    pub fn load(data_dir: &Path, env: &Env) -> Result<Self, KeyFileError> {
        file::load(&data_dir.join(FILE), env)
    }

    /// The relay's public name: the key that verifies its receipts.
    #[must_use]
    pub fn relay(&self) -> RelayId {
        RelayId(self.signing.verifying_key().to_bytes())
    }

    /// What signs receipts.
    #[must_use]
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// What seals records.
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// HMAC-SHA-256 over a domain and length-prefixed parts: how names, tokens and codes become keys in the database.
    #[must_use]
    pub fn hash(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC takes keys of any length, so this can't fail; an all-zero result would only ever find nothing.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.hashing[..]) else { return [0; 32] };
        for part in std::iter::once(&domain.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("relay", &self.relay()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Username;
    use crate::recovery::RecoveryCode;
    use crate::store::MongoUrl;
    use crate::totp::TotpSecret;

    /// What prints a secret prints none of it.
    #[test]
    fn secrets_are_not_printed() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::load(dir.path(), &Env::system()).unwrap();
        let relay = format!("{:?}", keys.relay());
        let code = RecoveryCode::parse("000g-40zt-zfyf-vzqz").unwrap();
        let printed = [
            (format!("{keys:?}"), format!("Keys {{ relay: {relay}, .. }}")),
            (format!("{:?}", keys.sealer()), "Sealer { keys: 1, .. }".to_owned()),
            (format!("{:?}", TotpSecret::new([7; 20])), "TotpSecret(…)".to_owned()),
            (format!("{code:?}"), "RecoveryCode(…)".to_owned()),
            (format!("{:?}", Username::parse("alice").unwrap()), "Username(…)".to_owned()),
            (format!("{:?}", MongoUrl("mongodb://a:b@c".into())), "MongoUrl(…)".to_owned()),
        ];
        for (printed, expected) in printed {
            assert_eq!(printed, expected);
        }
    }
}
