//! A backup's head and first chunk, invented or damaged: no panic, and nothing opens. Work factors are kept small.
#![no_main]

use livechat_crypto::backup::{HEAD, Opener};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut file = b"livechat-backup\n\x01".to_vec();
    file.extend_from_slice(&[0, 0, 0, bytes.first().copied().unwrap_or(8), 0, 0, 0, 1, 1]);
    file.extend_from_slice(bytes);
    if file.len() > HEAD
        && let Ok(mut opener) = Opener::begin("secret", &file[..HEAD])
    {
        assert!(opener.open(&file[HEAD..], true).is_err());
    }
});
