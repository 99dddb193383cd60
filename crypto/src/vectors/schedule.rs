//! RFC 9180's key schedule once more, straight from its text, so that a KEM's shared secret, which HPKE never shows,
//! can be compared by what HPKE exports.

use hkdf::Hkdf;
use sha2::Sha256;

/// KEM ids of RFC 9180 §7.1 and of the X-Wing draft.
pub const X25519: u16 = 0x0020;
pub const XWING: u16 = 0x647a;

fn labeled_extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> [u8; 32] {
    Hkdf::<Sha256>::extract(Some(salt), &[b"HPKE-v1", suite, label, ikm].concat()).0.into()
}

fn labeled_expand(suite: &[u8], prk: &[u8], label: &[u8], info: &[u8], out: &mut [u8]) {
    let length = u16::try_from(out.len()).unwrap().to_be_bytes();
    let info = [&length, &b"HPKE-v1"[..], suite, label, info].concat();
    Hkdf::<Sha256>::from_prk(prk).unwrap().expand(&info, out).unwrap();
}

/// DHKEM's shared secret from the Diffie-Hellman one (§4.1).
pub fn dhkem_secret(dh: &[u8], enc: &[u8], public: &[u8]) -> [u8; 32] {
    let suite = [&b"KEM"[..], &X25519.to_be_bytes()].concat();
    let prk = labeled_extract(&suite, b"", b"eae_prk", dh);
    let mut out = [0; 32];
    labeled_expand(&suite, &prk, b"shared_secret", &[enc, public].concat(), &mut out);
    out
}

/// What a context in base mode exports (§5.1, §5.3), HKDF-SHA-256 and ChaCha20-Poly1305.
pub fn export(kem: u16, shared_secret: &[u8], info: &[u8], context: &[u8]) -> [u8; 32] {
    let suite = [&b"HPKE"[..], &kem.to_be_bytes(), &1_u16.to_be_bytes(), &3_u16.to_be_bytes()].concat();
    let psk_id_hash = labeled_extract(&suite, b"", b"psk_id_hash", b"");
    let info_hash = labeled_extract(&suite, b"", b"info_hash", info);
    let schedule = [&[0], &psk_id_hash[..], &info_hash].concat();
    let secret = labeled_extract(&suite, shared_secret, b"secret", b"");
    let (mut exporter, mut out) = ([0; 32], [0; 32]);
    labeled_expand(&suite, &secret, b"exp", &schedule, &mut exporter);
    labeled_expand(&suite, &exporter, b"sec", context, &mut out);
    out
}
