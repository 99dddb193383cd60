//! Any bytes as an issuer's key, a request, an answer or a token: no panic, and nothing counts that wasn't issued.
#![no_main]

use std::sync::OnceLock;

use livechat_token::{IssuerKey, Pending, PublicKey, SIZE};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

static ISSUER: OnceLock<IssuerKey> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    drop(IssuerKey::decode(bytes));
    let mut block = [0; SIZE];
    let taken = bytes.len().min(SIZE);
    block[SIZE - taken..].copy_from_slice(&bytes[..taken]);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let signer = ISSUER.get_or_init(|| IssuerKey::generate(&mut ChaCha20Rng::seed_from_u64(2)).unwrap());
    let issuer = signer.public();
    assert!(issuer.verify(&[7; 32], &block).is_err());
    let pending = Pending::new(issuer, [7; 32], &mut rng).unwrap();
    assert!(pending.finish(issuer, &block).is_err());
    drop(signer.issue(&block, &mut rng));
    if let Ok(key) = PublicKey::decode(&block) {
        assert_eq!(*key.encode(), block);
        assert!(key.verify(&[7; 32], &[3; SIZE]).is_err());
        drop(Pending::new(&key, [7; 32], &mut rng));
    }
});
