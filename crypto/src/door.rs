//! The keys of a way into a group: whoever has its seed can knock; a lobby's members, who have it too,
//! hear those who do.

use ed25519_dalek::{Signer, SigningKey};
use hkdf::Hkdf;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, Serializable};
use livechat_wire::door::{DoorSeed, Knock};
use livechat_wire::hello::Hello;
use livechat_wire::{Envelope, limits};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::envelope::open_hello_with;
use crate::identity::Identity;

const HELLO: &[u8] = b"livechat door hello v1";

/// What a door's seed makes.
pub struct DoorKeys {
    signing: SigningKey,
    hello: <XWing as Kem>::PrivateKey,
    hello_public: Box<[u8; limits::XWING_PUBLIC]>,
}

impl core::fmt::Debug for DoorKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("DoorKeys")
            .field("key", &data_encoding::HEXLOWER.encode(&self.key()[..4]))
            .finish_non_exhaustive()
    }
}

impl DoorKeys {
    /// The keys of a door.
    #[must_use]
    pub fn of(seed: &DoorSeed) -> Self {
        let mut hello = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &seed.0).expand(HELLO, hello.as_mut()).expect("32 bytes are within HKDF's bound");
        let hello = <XWing as Kem>::PrivateKey::from_bytes(&*hello).expect("any 32 bytes are an X-Wing private key");
        let mut hello_public = Box::new([0; limits::XWING_PUBLIC]);
        hello_public.copy_from_slice(&XWing::sk_to_pk(&hello).to_bytes());
        Self { signing: SigningKey::from_bytes(&seed.0), hello, hello_public }
    }

    /// What the charter calls the door.
    #[must_use]
    pub fn key(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }

    /// What knocks are sealed to that every member hears.
    #[must_use]
    pub fn hello_key(&self) -> &[u8; limits::XWING_PUBLIC] {
        &self.hello_public
    }

    /// Knocks in the name of this device: at the doorkeeper's account, or at the door itself.
    #[must_use]
    pub fn knock(
        &self,
        identity: &Identity,
        log: Vec<u8>,
        bundle: Vec<u8>,
        time: u64,
        token: [u8; 16],
        to: &[u8; 32],
    ) -> Knock {
        let (by_device, by_door) = ([0; 64], [0; 64]);
        let mut knock = Knock { door: self.key(), log, bundle, time, token, by_device, by_door };
        let bytes = knock.signed_bytes(to);
        knock.by_device = identity.sign_as_device(&bytes);
        knock.by_door = self.signing.sign(&bytes).to_bytes();
        knock
    }

    /// Tries an envelope as a hello to this door; `None` when it isn't one.
    #[must_use]
    pub fn open_hello(&self, envelope: &Envelope) -> Option<Hello> {
        open_hello_with(&self.hello, envelope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_door() {
        let (a, again, b) =
            (DoorKeys::of(&DoorSeed([1; 32])), DoorKeys::of(&DoorSeed([1; 32])), DoorKeys::of(&DoorSeed([2; 32])));
        assert_eq!((a.key(), a.hello_key()), (again.key(), again.hello_key()));
        assert!(a.key() != b.key() && a.hello_key() != b.hello_key());
        assert_eq!(format!("{a:?}"), "DoorKeys { key: \"8a88e3dd\", .. }");
    }
}
