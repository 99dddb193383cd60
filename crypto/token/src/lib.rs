//! Blind tokens: "some account of this relay paid one of its tokens for this envelope", and nothing more.
//!
//! Privacy Pass (RFC 9576, RFC 9578) with token type 0x0002: RSABSSA-SHA384-PSS-Deterministic over 2,048 bits (RFC 9474),
//! which anybody can check who knows the issuer's public key. The nonce of a token is the one-time key of the envelope
//! that it pays for: a token is worth nothing with another envelope, and the same key twice is a token spent twice.
//! The issuer signs what it can't read, so that what it sees spent can't be told from anything else it signed that day.
//!
//! What an issuer could gain by a key made to be telling: nothing that goes unseen. A key given to one account alone is one
//! that nobody else accepts (keys are compared), and blinding fails openly under a modulus whose powers don't cover it
//! (RFC 9474 §7: the input is fresh randomness here, and [`Pending::finish`] checks each token).
//!
//! What you may assume: secrets here zeroize on drop and print redacted; decoders accept any bytes and never panic.
//! What is forbidden here: anything else; both the node and the relay link this crate. Randomness is a parameter.

use core::fmt;

use blind_rsa_signatures::reexports::rsa::{self, BoxedUint};
use blind_rsa_signatures::{
    BlindSignature, BlindingResult, KeyPairSha384PSSDeterministic, PublicKeySha384PSSDeterministic,
    SecretKeySha384PSSDeterministic, Signature,
};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of a modulus, of what is blinded, of an answer, and of a token.
pub const SIZE: usize = 256;
/// Bytes of a nonce: a one-time Ed25519 key.
pub const NONCE: usize = 32;

const TOKEN_TYPE: u16 = 0x0002;
const EXPONENT: u32 = 65_537;
/// What tokens are for: the issuer's name in the challenge (RFC 9577 §2.1.1), whose other fields are empty.
const ISSUER_NAME: &[u8] = b"livechat envelope v1";

/// Bytes that are no key of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no issuer's key")]
pub struct NotAKey;

/// Why something isn't signed, or a signature doesn't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// What is to be signed isn't below the modulus.
    #[error("nothing that can be signed")]
    Malformed,
    /// It isn't a signature by this key over this nonce.
    #[error("not a token of this issuer for this envelope")]
    Forged,
}

/// An issuer's key, as everybody knows it. It lives for a day.
#[derive(Clone)]
pub struct PublicKey {
    key: PublicKeySha384PSSDeterministic,
    modulus: [u8; SIZE],
    /// SHA-256 of the challenge.
    challenge: [u8; 32],
    /// SHA-256 of the key.
    id: [u8; 32],
}

impl PublicKey {
    /// Reads a modulus; the exponent is always 65,537.
    ///
    /// # Errors
    /// [`NotAKey`]: it hasn't 2,048 bits, or is even.
    pub fn decode(modulus: &[u8; SIZE]) -> Result<Self, NotAKey> {
        if modulus[0] & 0x80 == 0 || modulus[SIZE - 1] & 1 == 0 {
            return Err(NotAKey);
        }
        let n = BoxedUint::from_be_slice_vartime(modulus);
        let key = rsa::PublicKey::new(n, BoxedUint::from(EXPONENT)).map_err(|_| NotAKey)?;
        Self::of(PublicKeySha384PSSDeterministic::new(key), *modulus, &challenge(ISSUER_NAME))
    }

    fn of(key: PublicKeySha384PSSDeterministic, modulus: [u8; SIZE], challenge: &[u8]) -> Result<Self, NotAKey> {
        let spki = key.to_spki().map_err(|_| NotAKey)?;
        let (challenge, id) = (Sha256::digest(challenge).into(), Sha256::digest(spki).into());
        Ok(Self { key, modulus, challenge, id })
    }

    /// The modulus.
    #[must_use]
    pub fn encode(&self) -> &[u8; SIZE] {
        &self.modulus
    }

    /// `token_key_id` of RFC 9578 §6.5: SHA-256 of the key as a SubjectPublicKeyInfo for RSASSA-PSS.
    #[must_use]
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// Checks a token.
    ///
    /// # Errors
    /// [`Refused::Forged`].
    pub fn verify(&self, nonce: &[u8; NONCE], token: &[u8; SIZE]) -> Result<(), Refused> {
        let token = Signature(token.to_vec());
        self.key.verify(&token, None, self.input(nonce)).map_err(|_| Refused::Forged)
    }

    /// `token_input` of RFC 9578 §6.
    fn input(&self, nonce: &[u8; NONCE]) -> [u8; 2 + NONCE + 64] {
        let mut input = [0; 2 + NONCE + 64];
        input[..2].copy_from_slice(&TOKEN_TYPE.to_be_bytes());
        input[2..34].copy_from_slice(nonce);
        input[34..66].copy_from_slice(&self.challenge);
        input[66..].copy_from_slice(&self.id);
        input
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.modulus == other.modulus
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:02x}{:02x}{:02x}{:02x}…)", self.id()[0], self.id()[1], self.id()[2], self.id()[3])
    }
}

/// `TokenChallenge` of RFC 9577 §2.1.1 without redemption context and origin.
fn challenge(issuer: &[u8]) -> Vec<u8> {
    let length = u16::try_from(issuer.len()).unwrap_or(u16::MAX);
    [&TOKEN_TYPE.to_be_bytes()[..], &length.to_be_bytes(), issuer, &[0, 0, 0]].concat()
}

/// An issuer's key, which signs for a day.
pub struct IssuerKey {
    secret: SecretKeySha384PSSDeterministic,
    public: PublicKey,
}

impl IssuerKey {
    /// A new key. Takes about a second.
    ///
    /// # Errors
    /// Never with sound randomness.
    pub fn generate(rng: &mut dyn CryptoRng) -> Result<Self, NotAKey> {
        let pair = KeyPairSha384PSSDeterministic::generate(rng, SIZE * 8).map_err(|_| NotAKey)?;
        Self::of(pair.sk)
    }

    /// Reads what [`IssuerKey::encode`] wrote.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn decode(pkcs8: &[u8]) -> Result<Self, NotAKey> {
        SecretKeySha384PSSDeterministic::from_der(pkcs8).map_err(|_| NotAKey).and_then(Self::of)
    }

    fn of(secret: SecretKeySha384PSSDeterministic) -> Result<Self, NotAKey> {
        use rsa::traits::PublicKeyParts;
        let key = secret.public_key().map_err(|_| NotAKey)?;
        let parts: &rsa::PublicKey = key.as_ref();
        let modulus: [u8; SIZE] = (*parts.n().to_be_bytes()).try_into().map_err(|_| NotAKey)?;
        Ok(Self { secret, public: PublicKey::decode(&modulus)? })
    }

    /// The key as PKCS#8 (RFC 5958), to be sealed before it is kept.
    ///
    /// # Errors
    /// Never for a key made or read here.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, NotAKey> {
        self.secret.to_der().map(Zeroizing::new).map_err(|_| NotAKey)
    }

    /// What everybody may know.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs what somebody blinded. `rng` blinds the computation against being timed.
    ///
    /// # Errors
    /// [`Refused::Malformed`].
    pub fn issue(&self, blinded: &[u8; SIZE], mut rng: &mut dyn CryptoRng) -> Result<[u8; SIZE], Refused> {
        let signed = self.secret.blind_sign_with_rng(&mut rng, blinded).map_err(|_| Refused::Malformed)?;
        signed.0.try_into().map_err(|_| Refused::Malformed)
    }
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuerKey(…)")
    }
}

/// A token that was asked for and isn't here yet.
pub struct Pending {
    blinding: BlindingResult,
    blinded: [u8; SIZE],
    nonce: [u8; NONCE],
}

impl Pending {
    /// Blinds a nonce. The same randomness makes the same request.
    ///
    /// # Errors
    /// [`NotAKey`]: the key is such that the input shares a factor with it; nobody has seen one.
    pub fn new(issuer: &PublicKey, nonce: [u8; NONCE], rng: &mut dyn CryptoRng) -> Result<Self, NotAKey> {
        let blinding = issuer.key.blind(rng, issuer.input(&nonce)).map_err(|_| NotAKey)?;
        let blinded = blinding.blind_message.0.as_slice().try_into().map_err(|_| NotAKey)?;
        Ok(Self { blinding, blinded, nonce })
    }

    /// What the issuer gets.
    #[must_use]
    pub fn blinded(&self) -> &[u8; SIZE] {
        &self.blinded
    }

    /// Unblinds the issuer's answer, and checks what comes out.
    ///
    /// # Errors
    /// [`Refused::Forged`].
    pub fn finish(&self, issuer: &PublicKey, answer: &[u8; SIZE]) -> Result<[u8; SIZE], Refused> {
        let answer = BlindSignature(answer.to_vec());
        let token =
            issuer.key.finalize(&answer, &self.blinding, issuer.input(&self.nonce)).map_err(|_| Refused::Forged)?;
        token.0.try_into().map_err(|_| Refused::Forged)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.blinding.secret.0.zeroize();
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending(…)")
    }
}

#[cfg(test)]
mod tests;
