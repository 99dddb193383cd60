//! The primitives of our two suites, and nothing else.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use chacha20::ChaCha20Rng;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable, Serializable};
use openmls::prelude::tls_codec::SecretVLBytes;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig,
    HpkeKdfType, HpkeKemType, HpkeKeyPair, KemOutput, SignatureScheme,
};
use rand_core::{CryptoRng, Rng, SeedableRng};
use sha2::{Digest, Sha256};

use zeroize::Zeroizing;

use crate::{draw, kem};

/// SHA-256, HMAC, HKDF, ChaCha20-Poly1305, Ed25519, and HPKE over X25519 or X-Wing; refuses everything else.
///
/// OpenMLS wants its randomness behind a shared reference that threads may share, so this is a generator of its own
/// (ChaCha20), seeded once per operation by the caller's.
pub struct Crypto(Mutex<ChaCha20Rng>);

impl Crypto {
    /// Seeds from `rng`.
    pub fn new(rng: &mut dyn CryptoRng) -> Self {
        Self(Mutex::new(ChaCha20Rng::from_seed(*Zeroizing::new(draw(rng)))))
    }

    fn with_rng<T>(&self, f: impl FnOnce(&mut ChaCha20Rng) -> T) -> T {
        // Nothing below panics while holding the lock, and a generator has no state that could be half-written.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Crypto(…)")
    }
}

impl OpenMlsRand for Crypto {
    type Error = Infallible;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Infallible> {
        Ok(self.with_rng(|rng| draw(rng)))
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Infallible> {
        let mut out = vec![0; len];
        self.with_rng(|rng| rng.fill_bytes(&mut out));
        Ok(out)
    }
}

/// Which KEM; HKDF-SHA-256 and ChaCha20-Poly1305 go with both.
enum Hpke {
    X25519,
    XWing,
}

impl TryFrom<HpkeConfig> for Hpke {
    type Error = CryptoError;

    fn try_from(config: HpkeConfig) -> Result<Self, CryptoError> {
        match config {
            HpkeConfig(kem, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305) => match kem {
                HpkeKemType::DhKem25519 => Ok(Self::X25519),
                HpkeKemType::XWingKemDraft6 => Ok(Self::XWing),
                _ => Err(CryptoError::UnsupportedCiphersuite),
            },
            _ => Err(CryptoError::UnsupportedCiphersuite),
        }
    }
}

/// Runs a generic function for the KEM that a configuration names.
macro_rules! with_kem {
    ($config:expr, $function:ident ( $($argument:expr),* )) => {
        match Hpke::try_from($config)? {
            Hpke::X25519 => $function::<X25519HkdfSha256>($($argument),*),
            Hpke::XWing => $function::<XWing>($($argument),*),
        }
    };
}

fn seal<K: kem::Suite>(
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<HpkeCiphertext, CryptoError> {
    let sealed = kem::seal::<K>(public, info, aad, plaintext, rng).map_err(|_| CryptoError::HpkeEncryptionError)?;
    Ok(HpkeCiphertext { kem_output: sealed.enc.into(), ciphertext: sealed.ciphertext.into() })
}

fn open<K: kem::Suite>(
    input: &HpkeCiphertext,
    private: &[u8],
    info: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let private = K::PrivateKey::from_bytes(private).map_err(|_| CryptoError::HpkeDecryptionError)?;
    kem::open::<K>(&private, input.kem_output.as_slice(), info, aad, input.ciphertext.as_slice())
        .map_err(|_| CryptoError::HpkeDecryptionError)
}

fn export_as_sender<K: kem::Suite>(
    public: &[u8],
    info: &[u8],
    context: &[u8],
    length: usize,
    rng: &mut dyn CryptoRng,
) -> Result<(KemOutput, ExporterSecret), CryptoError> {
    let (enc, sender) = kem::sender::<K>(public, info, rng).map_err(|_| CryptoError::SenderSetupError)?;
    let mut out = Zeroizing::new(vec![0; length]);
    sender.export(context, &mut out).map_err(|_| CryptoError::ExporterError)?;
    Ok((enc, out.to_vec().into()))
}

fn export_as_receiver<K: kem::Suite>(
    enc: &[u8],
    private: &[u8],
    info: &[u8],
    context: &[u8],
    length: usize,
) -> Result<ExporterSecret, CryptoError> {
    let private = K::PrivateKey::from_bytes(private).map_err(|_| CryptoError::ReceiverSetupError)?;
    let receiver = kem::receiver::<K>(&private, enc, info).map_err(|_| CryptoError::ReceiverSetupError)?;
    let mut out = Zeroizing::new(vec![0; length]);
    receiver.export(context, &mut out).map_err(|_| CryptoError::ExporterError)?;
    Ok(out.to_vec().into())
}

fn derive_keypair<K: kem::Suite>(ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
    let (private, public) = K::derive_keypair(ikm);
    Ok(HpkeKeyPair { private: private.to_bytes().as_slice().into(), public: public.to_bytes().to_vec() })
}

fn sha256_only(hash: HashType) -> Result<(), CryptoError> {
    match hash {
        HashType::Sha2_256 => Ok(()),
        _ => Err(CryptoError::UnsupportedHashAlgorithm),
    }
}

fn chacha_only(alg: AeadType) -> Result<(), CryptoError> {
    match alg {
        AeadType::ChaCha20Poly1305 => Ok(()),
        _ => Err(CryptoError::UnsupportedAeadAlgorithm),
    }
}

fn ed25519_only(alg: SignatureScheme) -> Result<(), CryptoError> {
    match alg {
        SignatureScheme::ED25519 => Ok(()),
        _ => Err(CryptoError::UnsupportedSignatureScheme),
    }
}

impl OpenMlsCrypto for Crypto {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        if self.supported_ciphersuites().contains(&suite) { Ok(()) } else { Err(CryptoError::UnsupportedCiphersuite) }
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![
            Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
            Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
        ]
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        sha256_only(hash)?;
        Ok(Hkdf::<Sha256>::extract(Some(salt), ikm).0.as_slice().into())
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        sha256_only(hash)?;
        let mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)?;
        Ok(mac.chain_update(message).finalize().into_bytes().as_slice().into())
    }

    fn hkdf_expand(&self, hash: HashType, prk: &[u8], info: &[u8], len: usize) -> Result<SecretVLBytes, CryptoError> {
        sha256_only(hash)?;
        let hkdf = Hkdf::<Sha256>::from_prk(prk).map_err(|_| CryptoError::HkdfOutputLengthInvalid)?;
        let mut okm = vec![0; len];
        hkdf.expand(info, &mut okm).map_err(|_| CryptoError::HkdfOutputLengthInvalid)?;
        Ok(okm.into())
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        sha256_only(hash)?;
        Ok(Sha256::digest(data).to_vec())
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        chacha_only(alg)?;
        let cipher = ChaCha20Poly1305::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)?;
        let nonce = nonce.try_into().map_err(|_| CryptoError::InvalidLength)?;
        cipher.encrypt(nonce, Payload { msg: data, aad }).map_err(|_| CryptoError::CryptoLibraryError)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        chacha_only(alg)?;
        let cipher = ChaCha20Poly1305::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)?;
        let nonce = nonce.try_into().map_err(|_| CryptoError::InvalidLength)?;
        cipher.decrypt(nonce, Payload { msg: ct_tag, aad }).map_err(|_| CryptoError::AeadDecryptionError)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        ed25519_only(alg)?;
        let key = self.with_rng(|rng| SigningKey::from_bytes(&Zeroizing::new(draw(rng))));
        Ok((key.to_bytes().to_vec(), key.verifying_key().to_bytes().to_vec()))
    }

    /// Strictly: canonical encodings, no small-order keys (RFC 8032 with `verify_strict`).
    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        ed25519_only(alg)?;
        let key = VerifyingKey::try_from(pk).map_err(|_| CryptoError::InvalidPublicKey)?;
        let signature = Signature::from_slice(signature).map_err(|_| CryptoError::InvalidSignature)?;
        key.verify_strict(data, &signature).map_err(|_| CryptoError::InvalidSignature)
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        ed25519_only(alg)?;
        let key = SigningKey::try_from(key).map_err(|_| CryptoError::SigningError)?;
        Ok(key.sign(data).to_bytes().to_vec())
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.with_rng(|rng| with_kem!(config, seal(pk_r, info, aad, ptxt, rng)))
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        with_kem!(config, open(input, sk_r, info, aad))
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        self.with_rng(|rng| with_kem!(config, export_as_sender(pk_r, info, exporter_context, exporter_length, rng)))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        with_kem!(config, export_as_receiver(enc, sk_r, info, exporter_context, exporter_length))
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        with_kem!(config, derive_keypair(ikm))
    }
}
