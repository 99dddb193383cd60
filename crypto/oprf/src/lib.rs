//! The oblivious pseudorandom function between a device's vault and its relay: RFC 9497, VOPRF(ristretto255, SHA-512).
//!
//! A device blinds a value of its own, the relay multiplies it by a key that nobody else has, the device unblinds: it
//! has a secret that it can't compute alone, and the relay has learned nothing. The verifiable mode is taken because a
//! vault remembers the relay's public key: an answer under another key is the relay's doing and is noticed before
//! anything depends on it, and is told apart from a damaged vault (docs/adr/0005).
//!
//! What you may assume: secrets here zeroize on drop and print redacted; decoders accept any bytes and never panic.
//! What is forbidden here: anything else; both the node and the relay link this crate. Randomness is a parameter.

use core::fmt;

use rand_core::CryptoRng;
use voprf::{BlindedElement, EvaluationElement, Group, Proof, Ristretto255, VoprfClient, VoprfServer};
use zeroize::Zeroizing;

/// Bytes of a point.
pub const ELEMENT: usize = 32;
/// Bytes of a proof.
pub const PROOF: usize = 64;
/// Bytes of what comes out.
pub const OUTPUT: usize = 64;

/// Bytes that are no element of the group, or the neutral one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no element of the group")]
pub struct NotAnElement;

/// Why an evaluation doesn't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Element, proof or key are no such thing.
    #[error("the answer is malformed")]
    Malformed,
    /// It was made with another key than the one expected.
    #[error("the answer was made with another key")]
    OtherKey,
}

/// The relay's key for one account.
pub struct Key(VoprfServer<Ristretto255>);

impl Key {
    /// `DeriveKeyPair` of RFC 9497 §3.2.1.
    ///
    /// # Errors
    /// With a negligible probability; or `info` is longer than 65,000 bytes.
    pub fn derive(seed: &[u8; 32], info: &[u8]) -> Result<Self, NotAnElement> {
        VoprfServer::new_from_seed(seed, info).map(Self).map_err(|_| NotAnElement)
    }

    /// What a vault remembers.
    #[must_use]
    pub fn public(&self) -> [u8; ELEMENT] {
        Ristretto255::serialize_elem(self.0.get_public_key()).into()
    }

    /// Evaluates a blinded value, and proves that it was done with this key.
    #[must_use]
    pub fn evaluate(&self, blinded: &Blinded, rng: &mut dyn CryptoRng) -> Evaluation {
        let result = self.0.blind_evaluate(&mut Older(rng), &blinded.0);
        Evaluation { element: result.message.serialize().into(), proof: result.proof.serialize().into() }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A blinded value, as the relay gets it: says nothing about the value.
#[derive(Debug)]
pub struct Blinded(BlindedElement<Ristretto255>);

impl Blinded {
    /// Reads an element.
    ///
    /// # Errors
    /// [`NotAnElement`].
    pub fn decode(bytes: &[u8]) -> Result<Self, NotAnElement> {
        let exact: &[u8; ELEMENT] = bytes.try_into().map_err(|_| NotAnElement)?;
        BlindedElement::deserialize(exact).map(Self).map_err(|_| NotAnElement)
    }
}

/// The relay's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The element.
    pub element: [u8; ELEMENT],
    /// That it was made with the relay's key.
    pub proof: [u8; PROOF],
}

/// A question under way, on the device.
pub struct Question {
    input: Zeroizing<Vec<u8>>,
    state: VoprfClient<Ristretto255>,
    blinded: [u8; ELEMENT],
}

impl Question {
    /// Blinds `input`.
    ///
    /// # Errors
    /// It hashes to the neutral element; nobody knows such an input.
    pub fn new(input: &[u8], rng: &mut dyn CryptoRng) -> Result<Self, NotAnElement> {
        let begun = VoprfClient::blind(input, &mut Older(rng)).map_err(|_| NotAnElement)?;
        let blinded = begun.message.serialize().into();
        Ok(Self { input: Zeroizing::new(input.to_vec()), state: begun.state, blinded })
    }

    /// What the relay gets.
    #[must_use]
    pub fn blinded(&self) -> [u8; ELEMENT] {
        self.blinded
    }

    /// Unblinds an answer made with the key `public`.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn finish(
        &self,
        element: &[u8],
        proof: &[u8],
        public: &[u8; ELEMENT],
    ) -> Result<Zeroizing<[u8; OUTPUT]>, Refused> {
        let element: &[u8; ELEMENT] = element.try_into().map_err(|_| Refused::Malformed)?;
        let proof: &[u8; PROOF] = proof.try_into().map_err(|_| Refused::Malformed)?;
        let element = EvaluationElement::deserialize(element).map_err(|_| Refused::Malformed)?;
        let proof = Proof::deserialize(proof).map_err(|_| Refused::Malformed)?;
        let public = Ristretto255::deserialize_elem(public).map_err(|_| Refused::Malformed)?;
        let output = self.state.finalize(&self.input, &element, &proof, public).map_err(|_| Refused::OtherKey)?;
        let mut out = Zeroizing::new([0; OUTPUT]);
        out.copy_from_slice(&output);
        Ok(out)
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question(…)")
    }
}

/// Today's randomness as `voprf` wants it.
struct Older<'a>(&'a mut dyn CryptoRng);

impl rand_core_06::RngCore for Older<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill_bytes(dest);
        Ok(())
    }
}

impl rand_core_06::CryptoRng for Older<'_> {}

#[cfg(test)]
mod tests;
