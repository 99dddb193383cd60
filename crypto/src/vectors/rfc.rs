//! The RFCs' own examples.

use ed25519_dalek::SigningKey;
use hpke::Deserializable;
use hpke::Kem as _;
use hpke::Serializable;
use hpke::kem::X25519HkdfSha256;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{AeadType, HashType, HpkeCiphertext, SignatureScheme};
use serde::Deserialize;

use super::{Scripted, X25519, crypto, file, hex, schedule};
use crate::kem;
use crate::phrase::RecoveryPhrase;

fn array(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

#[test]
fn rfc7748_x25519() {
    #[derive(Deserialize)]
    struct File {
        scalar_multiplication: Vec<Multiplication>,
        iterated: Vec<Iterated>,
        diffie_hellman: DiffieHellman,
    }
    #[derive(Deserialize)]
    struct Multiplication {
        scalar: String,
        point: String,
        out: String,
    }
    #[derive(Deserialize)]
    struct Iterated {
        times: usize,
        out: String,
    }
    #[derive(Deserialize)]
    struct DiffieHellman {
        alice: String,
        alice_public: String,
        bob: String,
        bob_public: String,
        shared: String,
    }
    let vectors: File = file("rfc7748.json");
    let x25519 = |k, u| *kem::x25519(k, u).expect("contributory");
    for v in vectors.scalar_multiplication {
        assert_eq!(x25519(array(&v.scalar), array(&v.point)), array(&v.out));
    }
    let mut base = [0; 32];
    base[0] = 9;
    for v in vectors.iterated {
        let (mut k, mut u) = (base, base);
        for _ in 0..v.times {
            (k, u) = (x25519(k, u), k);
        }
        assert_eq!(k, array(&v.out), "{} times", v.times);
    }
    let v = vectors.diffie_hellman;
    assert_eq!(x25519(array(&v.alice), base), array(&v.alice_public));
    assert_eq!(x25519(array(&v.bob), base), array(&v.bob_public));
    assert_eq!(x25519(array(&v.alice), array(&v.bob_public)), array(&v.shared));
    assert_eq!(x25519(array(&v.bob), array(&v.alice_public)), array(&v.shared));
}

#[test]
fn rfc8032_ed25519() {
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        secret: String,
        public: String,
        message: String,
        signature: String,
    }
    let vectors: Vec<Vector> = file("rfc8032.json");
    assert_eq!(vectors.len(), 5);
    for v in vectors {
        let (secret, public, message) = (hex(&v.secret), hex(&v.public), hex(&v.message));
        assert_eq!(SigningKey::from_bytes(&array(&v.secret)).verifying_key().to_bytes(), array(&v.public));
        let signature = crypto().sign(SignatureScheme::ED25519, &message, &secret).unwrap();
        assert_eq!(signature, hex(&v.signature), "{}", v.name);
        crypto().verify_signature(SignatureScheme::ED25519, &message, &public, &signature).unwrap();
    }
}

#[test]
fn rfc8439_chacha20_poly1305() {
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        key: String,
        nonce: String,
        aad: String,
        plaintext: String,
        ciphertext: String,
        tag: String,
    }
    let vectors: Vec<Vector> = file("rfc8439.json");
    assert_eq!(vectors.len(), 2);
    for v in vectors {
        let (key, nonce, aad, plaintext) = (hex(&v.key), hex(&v.nonce), hex(&v.aad), hex(&v.plaintext));
        let sealed = [hex(&v.ciphertext), hex(&v.tag)].concat();
        let alg = AeadType::ChaCha20Poly1305;
        assert_eq!(crypto().aead_encrypt(alg, &key, &plaintext, &nonce, &aad).unwrap(), sealed, "{}", v.name);
        assert_eq!(crypto().aead_decrypt(alg, &key, &sealed, &nonce, &aad).unwrap(), plaintext, "{}", v.name);
    }
}

#[test]
fn rfc5869_hkdf() {
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        ikm: String,
        salt: String,
        info: String,
        prk: String,
        okm: String,
    }
    let vectors: Vec<Vector> = file("rfc5869.json");
    assert_eq!(vectors.len(), 2);
    for v in vectors {
        let prk = crypto().hkdf_extract(HashType::Sha2_256, &hex(&v.salt), &hex(&v.ikm)).unwrap();
        assert_eq!(prk.as_slice(), hex(&v.prk), "{}", v.name);
        let okm = hex(&v.okm);
        let ours = crypto().hkdf_expand(HashType::Sha2_256, prk.as_slice(), &hex(&v.info), okm.len()).unwrap();
        assert_eq!(ours.as_slice(), okm, "{}", v.name);
    }
}

#[test]
fn rfc9180_hpke_base_mode() {
    #[derive(Deserialize)]
    struct Vector {
        info: String,
        ikm_e: String,
        enc: String,
        public: String,
        private: String,
        shared_secret: String,
        plaintext: String,
        encryptions: Vec<Encryption>,
        exports: Vec<Export>,
    }
    #[derive(Deserialize)]
    struct Encryption {
        sequence: usize,
        aad: String,
        ciphertext: String,
    }
    #[derive(Deserialize)]
    struct Export {
        context: String,
        out: String,
    }
    let vectors: Vec<Vector> = file("rfc9180.json");
    for v in vectors {
        let (info, public, private, enc) = (hex(&v.info), hex(&v.public), hex(&v.private), hex(&v.enc));
        let plaintext = hex(&v.plaintext);

        // What we use: one message for each context.
        let first = &v.encryptions[0];
        let sealed = HpkeCiphertext { kem_output: enc.clone().into(), ciphertext: hex(&first.ciphertext).into() };
        let opened = crypto().hpke_open(X25519, &sealed, &private, &info, &hex(&first.aad)).unwrap();
        assert_eq!(opened, plaintext);
        let mut rng = Scripted::new(&hex(&v.ikm_e));
        let ours = kem::seal::<X25519HkdfSha256>(&public, &info, &hex(&first.aad), &plaintext, &mut rng).unwrap();
        assert_eq!((ours.enc, ours.ciphertext), (enc.clone(), hex(&first.ciphertext)));

        // The rest of the vector: a context that goes on, and exports.
        let mut rng = Scripted::new(&hex(&v.ikm_e));
        let (_, mut sender) = kem::sender::<X25519HkdfSha256>(&public, &info, &mut rng).unwrap();
        let key = <X25519HkdfSha256 as hpke::Kem>::PrivateKey::from_bytes(&private).unwrap();
        assert_eq!(X25519HkdfSha256::sk_to_pk(&key).to_bytes().as_slice(), public);
        let mut receiver = kem::receiver::<X25519HkdfSha256>(&key, &enc, &info).unwrap();
        let mut checked = 0;
        for sequence in 0..=256 {
            let aad = format!("Count-{sequence}");
            let sealed = sender.seal(&plaintext, aad.as_bytes()).unwrap();
            assert_eq!(receiver.open(&sealed, aad.as_bytes()).unwrap(), plaintext);
            if let Some(e) = v.encryptions.iter().find(|e| e.sequence == sequence) {
                assert_eq!((aad.into_bytes(), sealed), (hex(&e.aad), hex(&e.ciphertext)));
                checked += 1;
            }
        }
        assert_eq!((checked, v.exports.len()), (6, 3));
        for e in &v.exports {
            let out = crypto().hpke_setup_receiver_and_export(X25519, &enc, &private, &info, &hex(&e.context), 32);
            assert_eq!(&*out.unwrap(), hex(&e.out));
            // And so does the schedule that the other vectors are compared through.
            let ours = schedule::export(schedule::X25519, &hex(&v.shared_secret), &info, &hex(&e.context));
            assert_eq!(ours.to_vec(), hex(&e.out));
        }
    }
}

/// BIP-39, both ways.
#[test]
fn bip39_phrases() {
    #[derive(Deserialize)]
    struct Vector {
        entropy: String,
        words: String,
    }
    let vectors: Vec<Vector> = file("bip39.json");
    assert_eq!(vectors.len(), 8);
    for v in vectors {
        let phrase = RecoveryPhrase::from_entropy(&array(&v.entropy));
        assert_eq!(phrase.words().join(" "), v.words);
        assert_eq!(RecoveryPhrase::parse(&v.words).unwrap().entropy(), &array(&v.entropy));
    }
}
