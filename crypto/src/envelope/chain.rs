//! Tags and bodies from a shared secret: of an MLS epoch, or of a hello.

use core::convert::Infallible;
use core::fmt;

use chacha20poly1305::aead::array::Array;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use livechat_wire::payload::Fragment;
use livechat_wire::{DecodeError, Envelope, Tag, limits};
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Address, assemble};

/// An envelope that these keys don't open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Wrong keys, leaf or counter, or changed bytes.
    #[error("the envelope's body doesn't authenticate")]
    Sealed,
    /// It was sealed by someone who has the keys and holds no fragment.
    #[error("the envelope's body is no fragment")]
    Fragment(#[from] DecodeError),
}

/// The keys of one MLS epoch of a conversation, from its exporter secret (label [`EnvelopeKeys::LABEL`]).
///
/// Every sender leaf has its own sequence of counters from 0. A counter must not be used for two payload fragments;
/// sealing the *same* fragment again (a fresh one-time key, a later envelope epoch) is what retries do.
pub struct EnvelopeKeys(Chain);

/// The keys of the fragments of one introduction, from the secret in its hello.
pub struct HelloKeys(Chain);

struct Chain {
    secret: Zeroizing<[u8; 32]>,
    tags: Zeroizing<[u8; 32]>,
    body_info: &'static [u8],
}

impl EnvelopeKeys {
    /// The MLS exporter label that yields the secret (RFC 9420 §8.5).
    pub const LABEL: &'static str = "livechat envelope";

    /// Derives the keys of an epoch.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Chain::new(secret, b"livechat envelope tags v1", b"livechat envelope body v1"))
    }

    /// The tag of the envelope number `counter` of the member at `leaf`.
    #[must_use]
    pub fn tag(&self, leaf: u32, counter: u64) -> Tag {
        self.0.tag(leaf, counter)
    }

    /// Seals a fragment into an envelope as number `counter` of the member at `leaf`.
    #[must_use]
    pub fn seal(&self, leaf: u32, counter: u64, fragment: &Fragment, to: Address, rng: &mut dyn CryptoRng) -> Envelope {
        self.0.seal(leaf, counter, fragment, to, rng)
    }

    /// Opens an envelope as number `counter` of the member at `leaf`.
    ///
    /// # Errors
    /// [`OpenError`]; its tag says beforehand whether it is worth trying.
    pub fn open(&self, leaf: u32, counter: u64, envelope: &Envelope) -> Result<Fragment, OpenError> {
        self.0.open(leaf, counter, envelope)
    }

    /// Seals a fragment that may get lost: no number is used up, and the tag derives from the one-time key.
    #[must_use]
    pub fn seal_passing(&self, fragment: &Fragment, to: Address, rng: &mut dyn CryptoRng) -> Envelope {
        self.0.seal_under(|pk1| self.0.passing_tag(pk1), PASSING, fragment, to, rng)
    }

    /// Whether an envelope was made by [`EnvelopeKeys::seal_passing`] with these keys.
    #[must_use]
    pub fn is_passing(&self, envelope: &Envelope) -> bool {
        self.0.passing_tag(&envelope.pk1()) == envelope.tag()
    }

    /// Opens what [`EnvelopeKeys::is_passing`] recognised.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_passing(&self, envelope: &Envelope) -> Result<Fragment, OpenError> {
        let (leaf, counter) = PASSING;
        self.0.open(leaf, counter, envelope)
    }
}

impl HelloKeys {
    /// Derives the keys from [`livechat_wire::hello::Hello::secret`].
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Chain::new(secret, b"livechat hello tags v1", b"livechat hello body v1"))
    }

    /// The tag of fragment `index`.
    #[must_use]
    pub fn tag(&self, index: u16) -> Tag {
        self.0.tag(0, index.into())
    }

    /// Seals fragment `index` of the introduction.
    #[must_use]
    pub fn seal(&self, index: u16, fragment: &Fragment, to: Address, rng: &mut dyn CryptoRng) -> Envelope {
        self.0.seal(0, index.into(), fragment, to, rng)
    }

    /// Opens fragment `index` of the introduction.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, index: u16, envelope: &Envelope) -> Result<Fragment, OpenError> {
        self.0.open(0, index.into(), envelope)
    }
}

impl Chain {
    fn new(secret: &[u8; 32], tag_info: &[u8], body_info: &'static [u8]) -> Self {
        let mut tags = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, secret).expand(tag_info, tags.as_mut()).expect("32 bytes are within HKDF's bound");
        Self { secret: Zeroizing::new(*secret), tags, body_info }
    }

    fn tag(&self, leaf: u32, counter: u64) -> Tag {
        self.tag_over(&position(leaf, counter))
    }

    /// Longer than a position, so no other tag is made of the same bytes.
    fn passing_tag(&self, pk1: &[u8; 32]) -> Tag {
        self.tag_over(&[b"passing".as_slice(), pk1].concat())
    }

    fn tag_over(&self, what: &[u8]) -> Tag {
        let mac = Hmac::<Sha256>::new_from_slice(self.tags.as_ref()).expect("HMAC takes keys of any length");
        let full: [u8; 32] = mac.chain_update(what).finalize().into_bytes().into();
        let mut tag = Tag([0; Tag::LEN]);
        tag.0.copy_from_slice(&full[..Tag::LEN]);
        tag
    }

    fn seal(&self, leaf: u32, counter: u64, fragment: &Fragment, to: Address, rng: &mut dyn CryptoRng) -> Envelope {
        self.seal_under(|_| self.tag(leaf, counter), (leaf, counter), fragment, to, rng)
    }

    fn seal_under(
        &self,
        tag: impl FnOnce(&[u8; 32]) -> Tag,
        (leaf, counter): (u32, u64),
        fragment: &Fragment,
        to: Address,
        rng: &mut dyn CryptoRng,
    ) -> Envelope {
        let sealed = assemble::<Infallible>(tag, to, rng, |pk1, associated_data, _| {
            let mut body = [0; limits::BODY];
            let (plain, tag) = body.split_at_mut(limits::BODY_PLAIN);
            plain.copy_from_slice(&fragment.encode());
            let mac = self
                .cipher(pk1, leaf, counter)
                .encrypt_inout_detached(NONCE, associated_data, plain.into())
                .expect("1,652 bytes are within ChaCha20-Poly1305's bound");
            tag.copy_from_slice(&mac);
            Ok(body)
        });
        match sealed {
            Ok(envelope) => envelope,
            Err(never) => match never {},
        }
    }

    fn open(&self, leaf: u32, counter: u64, envelope: &Envelope) -> Result<Fragment, OpenError> {
        let mut plain = Zeroizing::new([0; limits::BODY_PLAIN]);
        let (sealed, tag) = envelope.body().split_at(limits::BODY_PLAIN);
        plain.copy_from_slice(sealed);
        let tag = tag.try_into().map_err(|_| OpenError::Sealed)?;
        self.cipher(&envelope.pk1(), leaf, counter)
            .decrypt_inout_detached(NONCE, envelope.associated_data(), plain.as_mut_slice().into(), tag)
            .map_err(|_| OpenError::Sealed)?;
        Ok(Fragment::decode(plain.as_ref())?)
    }

    /// The body's key: HKDF-SHA-256 (RFC 5869) with salt pk1 over secret ‖ leaf ‖ counter.
    fn cipher(&self, pk1: &[u8; 32], leaf: u32, counter: u64) -> ChaCha20Poly1305 {
        let mut ikm = Zeroizing::new([0; 32 + 12]);
        ikm[..32].copy_from_slice(self.secret.as_ref());
        ikm[32..].copy_from_slice(&position(leaf, counter));
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(pk1), ikm.as_ref())
            .expand(self.body_info, key.as_mut())
            .expect("32 bytes are within HKDF's bound");
        ChaCha20Poly1305::new((&*key).into())
    }
}

/// One nonce is enough: pk1 is drawn fresh for every envelope and salts the key, so each key seals exactly one body,
/// even when a restored backup makes a sender use the same leaf and counter again (P5).
const NONCE: &Nonce = &Array([0; 12]);

/// The position that stands for all passing envelopes: no leaf has this number. `pk1` keeps their keys apart.
const PASSING: (u32, u64) = (u32::MAX, u64::MAX);

fn position(leaf: u32, counter: u64) -> [u8; 12] {
    let mut out = [0; 12];
    out[..4].copy_from_slice(&leaf.to_be_bytes());
    out[4..].copy_from_slice(&counter.to_be_bytes());
    out
}

impl fmt::Debug for EnvelopeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvelopeKeys(…)")
    }
}

impl fmt::Debug for HelloKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HelloKeys(…)")
    }
}
