//! The envelope: 2,048 bytes that look like everything else (DESIGN §5, R-01 … R-06).
//!
//! ```text
//!  0  u8  version            1  u8 flags (bit 0: ephemeral)   2  u16 bucket   4  u32 epoch (10-minute units)
//!  8  [16] tag               24 [32] pk1 (one-time Ed25519 key)
//! 56  u8 issuer, u8 day, [2] zero                             60 [256] token (all zero until tokens exist)
//! 316 [1668] sealed body     1984 [64] signature by pk1 over bytes 0..1984
//! ```

use core::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

use crate::codec::DecodeError;
use crate::ids::{EnvelopeId, Tag};
use crate::limits;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;
/// Flag bit 0: never stored, only gossiped.
pub const EPHEMERAL: u8 = 1;
/// Bytes covered by the signature.
pub const SIGNED: usize = 1_984;

const BODY_AT: usize = 316;

/// The fields a sender chooses; everything else follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Gossiped only, never stored.
    pub ephemeral: bool,
    /// The recipient's anonymity bucket.
    pub bucket: u16,
    /// Ten-minute units since the Unix epoch ([`epoch_at`]).
    pub epoch: u32,
    /// How the recipient finds it.
    pub tag: Tag,
    /// The one-time key that signs this envelope.
    pub pk1: [u8; 32],
}

/// An envelope whose shape is right: length, version, flags, zero fields. Its signature is checked by
/// [`Envelope::verify`], apart, since that costs a hundred times more.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope(Box<[u8; limits::ENVELOPE]>);

/// The envelope epoch at a Unix time in seconds.
#[must_use]
pub fn epoch_at(unix_seconds: u64) -> u32 {
    u32::try_from(unix_seconds / limits::EPOCH_SECONDS).unwrap_or(u32::MAX)
}

impl Envelope {
    /// Lays out and signs an envelope; `sign` is given bytes 0..1984 and must sign with the key of `header.pk1`.
    #[must_use]
    pub fn assemble(header: &Header, body: &[u8; limits::BODY], sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Self {
        let mut b = Box::new([0u8; limits::ENVELOPE]);
        b[0] = VERSION;
        b[1] = if header.ephemeral { EPHEMERAL } else { 0 };
        b[2..4].copy_from_slice(&header.bucket.to_be_bytes());
        b[4..8].copy_from_slice(&header.epoch.to_be_bytes());
        b[8..24].copy_from_slice(&header.tag.0);
        b[24..56].copy_from_slice(&header.pk1);
        b[BODY_AT..SIGNED].copy_from_slice(body);
        let signature = sign(&b[..SIGNED]);
        b[SIGNED..].copy_from_slice(&signature);
        Self(b)
    }

    /// Reads an envelope and checks its shape (not its signature).
    ///
    /// # Errors
    /// Any length but 2,048, another version, unknown flags, or non-zero reserved bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let b: &[u8; limits::ENVELOPE] = bytes.try_into().map_err(|_| DecodeError::Bounds("envelope length"))?;
        if b[0] != VERSION {
            return Err(DecodeError::Version(b[0]));
        }
        if b[1] & !EPHEMERAL != 0 {
            return Err(DecodeError::NotCanonical("envelope flags"));
        }
        if b[58..60] != [0, 0] {
            return Err(DecodeError::NotCanonical("envelope reserved bytes"));
        }
        Ok(Self(Box::new(*b)))
    }

    /// All 2,048 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; limits::ENVELOPE] {
        &self.0
    }

    /// SHA-256 over all bytes.
    #[must_use]
    pub fn id(&self) -> EnvelopeId {
        EnvelopeId::of(&self.0[..])
    }

    /// Whether it must never be stored.
    #[must_use]
    pub fn is_ephemeral(&self) -> bool {
        self.0[1] & EPHEMERAL != 0
    }

    /// The anonymity bucket it is for.
    #[must_use]
    pub fn bucket(&self) -> u16 {
        u16::from_be_bytes([self.0[2], self.0[3]])
    }

    /// Ten-minute units since the Unix epoch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        u32::from_be_bytes([self.0[4], self.0[5], self.0[6], self.0[7]])
    }

    /// The recipient's mark.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag(self.field(8))
    }

    /// The one-time key.
    #[must_use]
    pub fn pk1(&self) -> [u8; 32] {
        self.field(24)
    }

    /// Token issuer, key day and token (all zero while relays issue none).
    #[must_use]
    pub fn token(&self) -> (u8, u8, &[u8]) {
        (self.0[56], self.0[57], &self.0[60..BODY_AT])
    }

    /// The bytes a body's AEAD authenticates beside itself: everything before the body.
    #[must_use]
    pub fn associated_data(&self) -> &[u8] {
        &self.0[..BODY_AT]
    }

    /// The sealed body.
    #[must_use]
    pub fn body(&self) -> &[u8; limits::BODY] {
        self.0[BODY_AT..].first_chunk().unwrap_or(&[0; limits::BODY])
    }

    /// Checks the signature by `pk1`, strictly (RFC 8032 with the canonical encodings of `verify_strict`).
    ///
    /// # Errors
    /// [`DecodeError::Signature`] when the key isn't one or the signature doesn't match.
    pub fn verify(&self) -> Result<(), DecodeError> {
        verify(&self.pk1(), &self.0[..SIGNED], &self.field(SIGNED), "envelope")
    }

    /// Whether its epoch is within [`limits::EPOCH_SKEW`] of `now` (in epochs).
    #[must_use]
    pub fn is_fresh(&self, now: u32) -> bool {
        self.epoch().abs_diff(now) <= limits::EPOCH_SKEW
    }

    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.0[at..at + N]);
        out
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("id", &self.id())
            .field("bucket", &self.bucket())
            .field("epoch", &self.epoch())
            .finish()
    }
}

/// Verifies an Ed25519 signature strictly; shared by every signed structure of this crate.
pub(crate) fn verify(
    key: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
    what: &'static str,
) -> Result<(), DecodeError> {
    VerifyingKey::from_bytes(key)
        .and_then(|k| k.verify_strict(message, &Signature::from_bytes(signature)))
        .map_err(|_| DecodeError::Signature(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    fn sample() -> Envelope {
        let key = SigningKey::from_bytes(&[7; 32]);
        let header = Header {
            ephemeral: false,
            bucket: 3,
            epoch: 2_955_000,
            tag: Tag([9; 16]),
            pk1: key.verifying_key().to_bytes(),
        };
        Envelope::assemble(&header, &[0xab; limits::BODY], |m| key.sign(m).to_bytes())
    }

    #[test]
    fn fields_sit_at_their_offsets() {
        let e = sample();
        assert_eq!(Envelope::decode(e.as_bytes()).as_ref(), Ok(&e));
        assert_eq!((e.bucket(), e.epoch(), e.tag(), e.is_ephemeral()), (3, 2_955_000, Tag([9; 16]), false));
        assert_eq!(&e.as_bytes()[316..320], &[0xab; 4]);
        assert_eq!(e.body(), &[0xab; limits::BODY]);
        e.verify().expect("honest signature");
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let honest = sample();
        for bit in 0..limits::ENVELOPE * 8 {
            let mut b = *honest.as_bytes();
            b[bit / 8] ^= 1 << (bit % 8);
            let accepted = Envelope::decode(&b).is_ok_and(|e| e.verify().is_ok());
            assert!(!accepted, "bit {bit}");
        }
    }
}
