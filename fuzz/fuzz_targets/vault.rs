//! Any bytes as a vault's file, a recovery phrase or a blinded element: no panic, and what is read is written the same.
#![no_main]

use livechat_crypto::phrase::RecoveryPhrase;
use livechat_crypto::vault::Vault;
use livechat_oprf::Blinded;
use sha2::{Digest, Sha256};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // With a checksum that holds, or nothing behind it would be reached.
    let whole = [bytes, &Sha256::digest(bytes)].concat();
    if let Ok(vault) = Vault::decode(&whole) {
        assert_eq!(vault.encode(), whole);
        drop(vault.open_by_code(&[7; 64]));
    }
    drop(Vault::decode(bytes));
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(phrase) = RecoveryPhrase::parse(text)
    {
        let words = phrase.words().join(" ");
        assert_eq!(RecoveryPhrase::parse(&words).map(|p| *p.entropy()), Ok(*phrase.entropy()));
    }
    drop(Blinded::decode(bytes));
});
