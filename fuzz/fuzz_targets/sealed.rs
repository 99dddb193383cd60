//! Envelopes of strangers: tried as a hello to us, and with keys of a conversation. No panic, and nothing opens.
#![no_main]

use std::sync::LazyLock;

use livechat_crypto::envelope::{EnvelopeKeys, open_hello};
use livechat_crypto::identity::Identity;
use livechat_wire::Envelope;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

static BOB: LazyLock<Identity> = LazyLock::new(|| Identity::generate(&mut ChaCha20Rng::seed_from_u64(1)));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Any 2,048 bytes that look like an envelope; who published it may have signed anything.
    let mut frame = [0; 2_048];
    let n = bytes.len().min(frame.len());
    frame[..n].copy_from_slice(&bytes[..n]);
    frame[0] = 1;
    frame[1] &= 1;
    frame[58..60].fill(0);
    let Ok(envelope) = Envelope::decode(&frame) else { return };
    assert!(open_hello(&BOB, &envelope).is_none());
    let keys = EnvelopeKeys::new(&[3; 32]);
    assert!(keys.open(1, u64::from(bytes.first().copied().unwrap_or(0)), &envelope).is_err());
});
