//! HPKE base mode (RFC 9180) over X25519 and X-Wing, HKDF-SHA-256 and ChaCha20-Poly1305; refuses X25519 points that
//! contribute nothing.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// X25519 (RFC 7748 §5) that refuses the all-zero result, as RFC 9180 §7.1.4 demands and RFC 7748 §6.1 allows.
pub(crate) fn x25519(secret: [u8; 32], public: [u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let shared = StaticSecret::from(secret).diffie_hellman(&PublicKey::from(public));
    shared.was_contributory().then(|| Zeroizing::new(shared.to_bytes()))
}

/// A KEM whose public and encapsulated keys end in an X25519 point.
pub(crate) trait Suite: Kem {
    /// Whether the library below already refuses points that contribute nothing.
    const CHECKS_POINTS: bool;
}

impl Suite for X25519HkdfSha256 {
    const CHECKS_POINTS: bool = true;
}

impl Suite for XWing {
    // The draft leaves it open; ML-KEM would still protect the secret, but "half the hybrid is missing" must not pass.
    const CHECKS_POINTS: bool = false;
}

/// A context to seal or export with.
pub(crate) type Sender<K> = hpke::aead::AeadCtxS<ChaCha20Poly1305, HkdfSha256, K>;
/// A context to open or export with.
pub(crate) type Receiver<K> = hpke::aead::AeadCtxR<ChaCha20Poly1305, HkdfSha256, K>;

/// A sealed message and the encapsulated key that opens it.
pub(crate) struct Sealed {
    pub enc: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

/// Seals to a public key.
pub(crate) fn seal<K: Suite>(
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<Sealed, HpkeError> {
    let (enc, mut context) = sender::<K>(public, info, rng)?;
    Ok(Sealed { enc, ciphertext: context.seal(plaintext, aad)? })
}

/// Opens with the private key.
pub(crate) fn open<K: Suite>(
    private: &K::PrivateKey,
    enc: &[u8],
    info: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Vec<u8>, HpkeError> {
    receiver::<K>(private, enc, info)?.open(ciphertext, aad)
}

/// Sets up a sender: the encapsulated key, and the context.
pub(crate) fn sender<K: Suite>(
    public: &[u8],
    info: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<(Vec<u8>, Sender<K>), HpkeError> {
    check_point::<K>(public).ok_or(HpkeError::EncapError)?;
    let public = K::PublicKey::from_bytes(public)?;
    let mut rng = rng;
    let (enc, context) =
        hpke::setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(&OpModeS::Base, &public, info, &mut rng)?;
    Ok((enc.to_bytes().to_vec(), context))
}

/// Sets up a receiver.
pub(crate) fn receiver<K: Suite>(private: &K::PrivateKey, enc: &[u8], info: &[u8]) -> Result<Receiver<K>, HpkeError> {
    check_point::<K>(enc).ok_or(HpkeError::DecapError)?;
    let enc = K::EncappedKey::from_bytes(enc)?;
    hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, K>(&OpModeR::Base, private, &enc, info)
}

/// `None` when the X25519 point at the end of a key is of low order: any secret times it gives zero.
fn check_point<K: Suite>(key: &[u8]) -> Option<()> {
    if K::CHECKS_POINTS {
        return Some(());
    }
    x25519([1; 32], *key.last_chunk()?).map(|_| ())
}
