use std::sync::LazyLock;

use blind_rsa_signatures::reexports::rsa::traits::PublicKeyParts;
use data_encoding::HEXLOWER;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde::Deserialize;

use self::scripted::Scripted;
use super::*;

#[path = "../../src/vectors/scripted.rs"]
mod scripted;

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap()
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// Two issuers' keys, made once for all tests here.
static KEYS: LazyLock<[IssuerKey; 2]> = LazyLock::new(|| [1, 2].map(|n| IssuerKey::generate(&mut rng(n)).unwrap()));

#[derive(Deserialize)]
struct File {
    secret_key_pkcs8: String,
    public_key: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    token_challenge: String,
    nonce: String,
    blind: String,
    salt: String,
    token_request: String,
    token_response: String,
    token: String,
}

#[test]
fn rfc_9578_vectors_through_our_functions() {
    let file: File = serde_json::from_str(include_str!("../vectors/rfc9578.json")).unwrap();
    let issuer = IssuerKey::decode(&hex(&file.secret_key_pkcs8)).unwrap();
    assert_eq!(issuer.public().key.to_spki().unwrap(), hex(&file.public_key));
    assert_eq!(file.vectors.len(), 5);
    for v in file.vectors {
        let (challenge, request, token) = (hex(&v.token_challenge), hex(&v.token_request), hex(&v.token));
        let public = PublicKey::of(issuer.public.key.clone(), *issuer.public().encode(), &challenge).unwrap();
        // type, last byte of the key's id, blinded message
        assert_eq!(request[..3], [0, 2, public.id()[31]]);
        let nonce: [u8; NONCE] = array(&hex(&v.nonce));
        assert_eq!(token[..98], public.input(&nonce));
        // Drawn: the salt, then a number below the modulus, least significant byte first.
        let drawn: Vec<u8> = hex(&v.salt).into_iter().chain(hex(&v.blind).into_iter().rev()).collect();
        let pending = Pending::new(&public, nonce, &mut Scripted::new(&drawn)).unwrap();
        assert_eq!(pending.blinded()[..], request[3..]);
        let answer = issuer.issue(pending.blinded(), &mut rng(3)).unwrap();
        assert_eq!(answer[..], hex(&v.token_response));
        let made = pending.finish(&public, &answer).unwrap();
        assert_eq!(made[..], token[98..]);
        public.verify(&nonce, &made).unwrap();
    }
}

#[test]
fn a_token_is_good_for_its_key_and_its_envelope_alone() {
    let [issuer, other] = &*KEYS;
    let nonce = [7; NONCE];
    let pending = Pending::new(issuer.public(), nonce, &mut rng(4)).unwrap();
    let answer = issuer.issue(pending.blinded(), &mut rng(5)).unwrap();
    let token = pending.finish(issuer.public(), &answer).unwrap();
    assert_eq!(issuer.public().verify(&nonce, &token), Ok(()));
    assert_eq!(other.public().verify(&nonce, &token), Err(Refused::Forged));
    assert_eq!(issuer.public().verify(&[8; NONCE], &token), Err(Refused::Forged));
    for bit in (0..SIZE * 8).step_by(61) {
        let mut bent = token;
        bent[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(issuer.public().verify(&nonce, &bent), Err(Refused::Forged), "bit {bit}");
    }
    for nonsense in [[0; SIZE], [255; SIZE]] {
        assert_eq!(issuer.public().verify(&nonce, &nonsense), Err(Refused::Forged));
    }
}

#[test]
fn an_answer_by_another_key_is_noticed() {
    let [issuer, other] = &*KEYS;
    let pending = Pending::new(issuer.public(), [7; NONCE], &mut rng(6)).unwrap();
    for answer in [other.issue(pending.blinded(), &mut rng(7)).unwrap_or([1; SIZE]), [0; SIZE], [255; SIZE]] {
        assert_eq!(pending.finish(issuer.public(), &answer), Err(Refused::Forged));
    }
}

#[test]
fn a_request_is_the_same_again_from_the_same_randomness() {
    let issuer = &KEYS[0];
    let of = |seed| *Pending::new(issuer.public(), [7; NONCE], &mut rng(seed)).unwrap().blinded();
    assert_eq!(of(8), of(8));
    assert_ne!(of(8), of(9));
}

#[test]
fn keys_come_back_as_they_were() {
    let issuer = &KEYS[0];
    let again = IssuerKey::decode(&issuer.encode().unwrap()).unwrap();
    assert_eq!(again.public(), issuer.public());
    assert_eq!(PublicKey::decode(issuer.public().encode()).as_ref(), Ok(issuer.public()));
}

#[test]
fn what_is_no_key_is_refused() {
    let mut even = *KEYS[0].public().encode();
    even[SIZE - 1] &= 0xfe;
    let mut short = *KEYS[0].public().encode();
    short[0] &= 0x7f;
    for modulus in [[0; SIZE], even, short] {
        assert_eq!(PublicKey::decode(&modulus).err(), Some(NotAKey));
    }
    for bytes in [&[][..], &[0; 300], b"-----BEGIN PRIVATE KEY-----"] {
        assert!(IssuerKey::decode(bytes).is_err());
    }
    // Not below the modulus.
    assert_eq!(KEYS[0].issue(&[255; SIZE], &mut rng(1)), Err(Refused::Malformed));
}

/// An issuer with its key and its whole transcript tries to tell which of two issues a token came from. In blind RSA every
/// pair of transcript and token is explained by exactly one blinding factor, so that nothing prefers one to the other.
#[test]
fn the_issuers_transcript_fits_every_token_alike() {
    use blind_rsa_signatures::reexports::rsa::hazmat;
    let issuer = &KEYS[0];
    let n = issuer.secret.as_ref().n().clone();
    let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, n.bits_precision()).unwrap();
    let mut made = Vec::new();
    for i in 0..4u8 {
        let pending = Pending::new(issuer.public(), [i; NONCE], &mut rng(u64::from(i) + 20)).unwrap();
        let answer = issuer.issue(pending.blinded(), &mut rng(30)).unwrap();
        made.push((*pending.blinded(), answer, pending.finish(issuer.public(), &answer).unwrap()));
    }
    for (blinded, answer, _) in &made {
        for (_, _, token) in &made {
            // The factor that would have led from this issue to this token: answer / token.
            let inverse = number(token).invert_mod(&n).unwrap();
            let factor = number(answer).mul_mod(&inverse, &n);
            // It explains what was asked, too: factor^e · token^e = blinded.
            let explained = hazmat::rsa_encrypt(issuer.secret.as_ref(), &factor)
                .unwrap()
                .mul_mod(&hazmat::rsa_encrypt(issuer.secret.as_ref(), &number(token)).unwrap(), &n);
            assert_eq!(explained, number(blinded));
        }
    }
}

#[test]
fn nothing_secret_prints() {
    let issuer = &KEYS[0];
    let pending = Pending::new(issuer.public(), [7; NONCE], &mut rng(4)).unwrap();
    assert_eq!(format!("{issuer:?} {pending:?}"), "IssuerKey(…) Pending(…)");
}
