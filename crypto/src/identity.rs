//! Who a person is: the account identity key, this device's key, and the key that first contacts are sealed to
//! (DESIGN §3).

use core::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, Serializable};
use livechat_wire::account::{AccountLog, Signer, Statement};
use livechat_wire::bundle::Bundle;
use livechat_wire::codec::{DecodeError, Reader};
use livechat_wire::http::{Bytes, DeviceProof};
use livechat_wire::{AccountId, DeviceId, RelayId, SlotId, limits, order};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::draw;
use crate::phrase::RecoveryPhrase;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;
/// Bytes of an encoded identity: version, whether the identity key follows or only the account's id, that, device key,
/// hello key, bucket seed.
pub const ENCODED: usize = 1 + 1 + 32 + 32 + 32 + 16;

/// The secrets of a device. Zeroized on drop; `Debug` prints ids only.
pub struct Identity {
    root: Root,
    device: SigningKey,
    hello: <XWing as Kem>::PrivateKey,
    hello_public: Box<[u8; limits::XWING_PUBLIC]>,
    bucket_seed: [u8; 16],
}

/// What a device has of the account itself. Whoever holds the identity key can add devices whatever was revoked, so
/// only the first device and the recovery phrase do (PROTOCOL R-130).
enum Root {
    Key(SigningKey),
    Linked(AccountId),
}

impl Identity {
    /// Makes a device of the account that `phrase` gives back.
    #[must_use]
    pub fn of_phrase(phrase: &RecoveryPhrase, rng: &mut dyn CryptoRng) -> Self {
        let device = Zeroizing::new(draw(rng));
        let hello = Zeroizing::new(draw(rng));
        let root = Root::Key(SigningKey::from_bytes(&phrase.account_key()));
        Self::from_parts(root, &device, &hello, draw(rng))
    }

    /// Makes a new account that no phrase gives back, with its first device.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let account = Zeroizing::new(draw(rng));
        let device = Zeroizing::new(draw(rng));
        let hello = Zeroizing::new(draw(rng));
        Self::from_parts(Root::Key(SigningKey::from_bytes(&account)), &device, &hello, draw(rng))
    }

    /// Makes a further device of an account, which another device has to let in: it never has the identity key.
    #[must_use]
    pub fn linked(account: AccountId, rng: &mut dyn CryptoRng) -> Self {
        let device = Zeroizing::new(draw(rng));
        let hello = Zeroizing::new(draw(rng));
        Self::from_parts(Root::Linked(account), &device, &hello, draw(rng))
    }

    fn from_parts(root: Root, device: &[u8; 32], hello: &[u8; 32], bucket_seed: [u8; 16]) -> Self {
        let hello = <XWing as Kem>::PrivateKey::from_bytes(hello).expect("any 32 bytes are an X-Wing private key");
        let mut hello_public = Box::new([0; limits::XWING_PUBLIC]);
        hello_public.copy_from_slice(&XWing::sk_to_pk(&hello).to_bytes());
        Self { root, device: SigningKey::from_bytes(device), hello, hello_public, bucket_seed }
    }

    /// The secrets as bytes, for the encrypted store.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(ENCODED));
        out.push(VERSION);
        match &self.root {
            Root::Key(key) => {
                out.push(1);
                out.extend_from_slice(key.as_bytes());
            }
            Root::Linked(account) => {
                out.push(0);
                out.extend_from_slice(&account.0);
            }
        }
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
        let root = match r.u8()? {
            0 => Root::Linked(AccountId(r.array()?)),
            1 => Root::Key(SigningKey::from_bytes(&Zeroizing::new(r.array()?))),
            _ => return Err(DecodeError::NotCanonical("identity key")),
        };
        let device = Zeroizing::new(r.array()?);
        let hello = Zeroizing::new(r.array()?);
        let bucket_seed = r.array()?;
        r.end()?;
        Ok(Self::from_parts(root, &device, &hello, bucket_seed))
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        match &self.root {
            Root::Key(key) => AccountId::of(key.verifying_key().as_bytes()),
            Root::Linked(account) => *account,
        }
    }

    /// Whether the account's identity key is on this device.
    #[must_use]
    pub fn has_identity_key(&self) -> bool {
        matches!(self.root, Root::Key(_))
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
    /// [`DecodeError::Bounds`] when the name is empty or longer than [`limits::USERNAME`] bytes;
    /// [`DecodeError::Signature`] on a linked device, whose account was founded elsewhere.
    pub fn found_log(&self, username: &str, relay: RelayId, unix_seconds: u64) -> Result<AccountLog, DecodeError> {
        let Root::Key(account) = &self.root else { return Err(DecodeError::Signature("genesis")) };
        let sign = |bytes: &[u8]| account.sign(bytes).to_bytes();
        let mut log = AccountLog::found(account.verifying_key().to_bytes(), unix_seconds, sign)?;
        self.state(&mut log, Statement::AddDevice { device_key: self.device_key() }, unix_seconds)?;
        self.state(&mut log, Statement::BindName { name: username.to_owned(), relay }, unix_seconds)?;
        Ok(log)
    }

    /// Appends a statement to our account's log, signed by the identity key if it is here and in force, else by this
    /// device (PROTOCOL R-130).
    ///
    /// # Errors
    /// What every reader would refuse: this device doesn't speak for the account, say, or may not say that.
    pub fn state(&self, log: &mut AccountLog, statement: Statement, unix_seconds: u64) -> Result<(), DecodeError> {
        match &self.root {
            Root::Key(key) if key.verifying_key().as_bytes() == log.identity_key() => {
                log.append(unix_seconds, Signer::Identity, statement, |bytes| key.sign(bytes).to_bytes())
            }
            _ => log.append(unix_seconds, Signer::Device(self.device()), statement, |bytes| self.sign_as_device(bytes)),
        }
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

    /// The seed of the account key, if it is here: what the recovery phrase gives, too.
    pub(crate) fn account_seed(&self) -> Option<Zeroizing<[u8; 32]>> {
        match &self.root {
            Root::Key(key) => Some(Zeroizing::new(key.to_bytes())),
            Root::Linked(_) => None,
        }
    }

    /// Puts a commit at the head of a slot, as a group's sequencer. Never two for one slot: R-63.
    #[must_use]
    pub fn put_first(&self, slot: SlotId, hash: [u8; 32], unix_seconds: u64) -> order::Receipt {
        order::Receipt::sign(slot, 0, hash, unix_seconds, self.device_key(), |bytes| self.sign_as_device(bytes))
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
        assert_eq!(Identity::decode(&[&[9], &bytes[1..]].concat()).err(), Some(DecodeError::Version(9)));
        assert_eq!(Identity::decode(&bytes[..ENCODED - 1]).err(), Some(DecodeError::Truncated));
        assert_eq!(Identity::decode(&[&bytes[..], &[0]].concat()).err(), Some(DecodeError::Trailing));
        let linked = Identity::linked(it.account(), &mut ChaCha20Rng::seed_from_u64(2));
        let again = Identity::decode(&linked.encode()).unwrap();
        assert_eq!((again.account(), again.device()), (it.account(), linked.device()));
        assert!(it.has_identity_key() && !again.has_identity_key());
        assert!(!linked.encode().windows(32).any(|w| w == it.account_seed().unwrap().as_slice()));
    }

    #[test]
    fn a_linked_device_speaks_for_the_account_once_it_is_let_in_and_never_again_once_removed() {
        let (first, mut rng) = (identity(), ChaCha20Rng::seed_from_u64(2));
        let mut log = first.found_log("alice", RELAY, NOW).unwrap();
        let [second, third] = [0; 2].map(|_| Identity::linked(first.account(), &mut rng));
        let add = |who: &Identity| Statement::AddDevice { device_key: who.device_key() };
        assert!(second.found_log("alice", RELAY, NOW).is_err(), "its account is founded");
        assert!(second.state(&mut log, add(&second), NOW).is_err(), "nobody lets themselves in");
        first.state(&mut log, add(&second), NOW).unwrap();
        second.state(&mut log, add(&third), NOW + 1).unwrap();
        let signers: Vec<_> = log.entries().iter().map(|e| e.signer).collect();
        assert_eq!(signers[3..], [Signer::Identity, Signer::Device(second.device())]);
        third.state(&mut log, Statement::RevokeDevice { device: second.device() }, NOW + 2).unwrap();
        assert!(second.state(&mut log, Statement::RevokeDevice { device: third.device() }, NOW + 3).is_err());
        assert_eq!(AccountLog::decode(&log.encode()).unwrap().device_keys(), [first.device_key(), third.device_key()]);
        let rotation = Statement::RotateIdentity { identity_key: third.device_key() };
        assert!(third.state(&mut log, rotation, NOW + 3).is_err(), "the identity is the phrase's to change");
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
