//! Who a person is: the account identity key, this device's key, and the key that first contacts are sealed to
//! (DESIGN §3).

use core::fmt;

use ed25519_dalek::{Signer, SigningKey};
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, Serializable};
use livechat_wire::account::{AccountLog, Statement};
use livechat_wire::bundle::Bundle;
use livechat_wire::codec::{DecodeError, Reader};
use livechat_wire::http::{Bytes, DeviceProof};
use livechat_wire::{AccountId, DeviceId, RelayId, limits};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::draw;
use crate::phrase::RecoveryPhrase;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;
/// Bytes of an encoded identity: version, account key, device key, hello key, bucket seed.
pub const ENCODED: usize = 1 + 32 + 32 + 32 + 16;

/// The secrets of an account's first device. Zeroized on drop; `Debug` prints ids only.
pub struct Identity {
    account: SigningKey,
    device: SigningKey,
    hello: <XWing as Kem>::PrivateKey,
    hello_public: Box<[u8; limits::XWING_PUBLIC]>,
    bucket_seed: [u8; 16],
}

impl Identity {
    /// Makes the first device of the account that `phrase` gives back.
    #[must_use]
    pub fn of_phrase(phrase: &RecoveryPhrase, rng: &mut dyn CryptoRng) -> Self {
        let device = Zeroizing::new(draw(rng));
        let hello = Zeroizing::new(draw(rng));
        Self::from_parts(&phrase.account_key(), &device, &hello, draw(rng))
    }

    /// Makes a new account that no phrase gives back, with its first device.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let account = Zeroizing::new(draw(rng));
        let device = Zeroizing::new(draw(rng));
        let hello = Zeroizing::new(draw(rng));
        Self::from_parts(&account, &device, &hello, draw(rng))
    }

    fn from_parts(account: &[u8; 32], device: &[u8; 32], hello: &[u8; 32], bucket_seed: [u8; 16]) -> Self {
        let hello = <XWing as Kem>::PrivateKey::from_bytes(hello).expect("any 32 bytes are an X-Wing private key");
        let mut hello_public = Box::new([0; limits::XWING_PUBLIC]);
        hello_public.copy_from_slice(&XWing::sk_to_pk(&hello).to_bytes());
        Self {
            account: SigningKey::from_bytes(account),
            device: SigningKey::from_bytes(device),
            hello,
            hello_public,
            bucket_seed,
        }
    }

    /// The secrets as bytes, for the encrypted store.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(ENCODED));
        out.push(VERSION);
        out.extend_from_slice(self.account.as_bytes());
        out.extend_from_slice(self.device.as_bytes());
        out.extend_from_slice(Zeroizing::new(<[u8; 32]>::from(self.hello.to_bytes())).as_ref());
        out.extend_from_slice(&self.bucket_seed);
        out
    }

    /// Reads what [`Identity::encode`] wrote.
    ///
    /// # Errors
    /// Another version or length.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let account = Zeroizing::new(r.array()?);
        let device = Zeroizing::new(r.array()?);
        let hello = Zeroizing::new(r.array()?);
        let bucket_seed = r.array()?;
        r.end()?;
        Ok(Self::from_parts(&account, &device, &hello, bucket_seed))
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        AccountId::of(self.account.verifying_key().as_bytes())
    }

    /// This device.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        DeviceId::of(&self.device_key())
    }

    /// This device's public key (Ed25519).
    #[must_use]
    pub fn device_key(&self) -> [u8; 32] {
        self.device.verifying_key().to_bytes()
    }

    /// The X-Wing key that first contacts to this device are sealed to.
    #[must_use]
    pub fn hello_key(&self) -> &[u8; limits::XWING_PUBLIC] {
        &self.hello_public
    }

    /// Founds the account log: genesis, this device, and `username` at `relay`.
    ///
    /// # Errors
    /// [`DecodeError::Bounds`] when the name is empty or longer than [`limits::USERNAME`] bytes.
    pub fn found_log(&self, username: &str, relay: RelayId, unix_seconds: u64) -> Result<AccountLog, DecodeError> {
        let sign = |bytes: &[u8]| self.account.sign(bytes).to_bytes();
        let mut log = AccountLog::found(self.account.verifying_key().to_bytes(), unix_seconds, sign)?;
        log.append(unix_seconds, Statement::AddDevice { device_key: self.device_key() }, sign)?;
        log.append(unix_seconds, Statement::BindName { name: username.to_owned(), relay }, sign)?;
        Ok(log)
    }

    /// This device's bundle: how to reach it for the first time.
    #[must_use]
    pub fn bundle(&self, unix_seconds: u64) -> Bundle {
        Bundle::sign(self.device_key(), self.hello_public.clone(), self.bucket_seed, unix_seconds, |bytes| {
            self.sign_as_device(bytes)
        })
    }

    /// Proves to `relay` that the one who logs in as `username` holds this device's key.
    #[must_use]
    pub fn prove_device(&self, relay: &RelayId, username: &str, unix_seconds: u64) -> DeviceProof {
        let signature = self.sign_as_device(&DeviceProof::signed_bytes(relay, username, unix_seconds));
        DeviceProof {
            device_key: Bytes(self.device_key().to_vec()),
            time: unix_seconds,
            signature: Bytes(signature.to_vec()),
        }
    }

    /// The seed of the account key: what the recovery phrase gives, too.
    pub(crate) fn account_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.account.to_bytes())
    }

    pub(crate) fn sign_as_device(&self, bytes: &[u8]) -> [u8; 64] {
        self.device.sign(bytes).to_bytes()
    }

    pub(crate) fn hello_secret(&self) -> &<XWing as Kem>::PrivateKey {
        &self.hello
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("account", &self.account())
            .field("device", &self.device())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    const NOW: u64 = 1_800_000_000;
    const RELAY: RelayId = RelayId([7; 32]);

    fn identity() -> Identity {
        Identity::generate(&mut ChaCha20Rng::seed_from_u64(1))
    }

    #[test]
    fn survives_its_encoding() {
        let it = identity();
        let again = Identity::decode(&it.encode()).unwrap();
        assert_eq!(again.encode(), it.encode());
        assert_eq!((again.account(), again.device(), again.bundle(NOW)), (it.account(), it.device(), it.bundle(NOW)));
        let bytes = it.encode();
        assert_eq!(Identity::decode(&bytes[1..]).err(), Some(DecodeError::Version(bytes[1])));
        assert_eq!(Identity::decode(&bytes[..ENCODED - 1]).err(), Some(DecodeError::Truncated));
        assert_eq!(Identity::decode(&[&bytes[..], &[0]].concat()).err(), Some(DecodeError::Trailing));
    }

    #[test]
    fn two_are_never_alike() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (a, b) = (Identity::generate(&mut rng), Identity::generate(&mut rng));
        assert!(a.account() != b.account() && a.device() != b.device() && a.hello_key() != b.hello_key());
        assert_ne!(a.account().0, a.device().0);
    }

    #[test]
    fn the_founded_log_holds_and_names_device_and_account() {
        let it = identity();
        let log = it.found_log("alice", RELAY, NOW).unwrap();
        assert_eq!(AccountLog::decode(&log.encode()).as_ref(), Ok(&log));
        assert_eq!((log.account(), log.name()), (it.account(), Some(("alice", RELAY))));
        assert_eq!(log.device_keys(), [it.device_key()]);
        assert_eq!(it.found_log("", RELAY, NOW), Err(DecodeError::Bounds("name")));
        assert_eq!(it.found_log(&"x".repeat(65), RELAY, NOW), Err(DecodeError::Bounds("name")));
    }

    #[test]
    fn the_bundle_is_signed_by_the_device() {
        let it = identity();
        let bundle = it.bundle(NOW);
        assert_eq!(Bundle::decode(&bundle.encode()).as_ref(), Ok(&bundle));
        assert_eq!((bundle.device(), &*bundle.hello_key, bundle.issued_at), (it.device(), it.hello_key(), NOW));
    }

    #[test]
    fn the_device_proof_is_for_one_relay_name_and_time() {
        let it = identity();
        let proof = it.prove_device(&RELAY, "alice", NOW);
        assert_eq!(proof.verify(&RELAY, "alice"), Ok(it.device()));
        assert!(proof.verify(&RELAY, "bob").is_err());
        assert!(proof.verify(&RelayId([8; 32]), "alice").is_err());
        assert!(DeviceProof { time: NOW + 1, ..proof }.verify(&RELAY, "alice").is_err());
    }
}
