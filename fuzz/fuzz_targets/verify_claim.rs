//! Any bytes, as bytes and as text: no panic, and what decodes encodes to the same.
#![no_main]

use livechat_wire::verify;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = verify::Claim::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(value) = verify::Claim::from_text(text)
    {
        assert_eq!(verify::Claim::from_text(&value.to_text()), Ok(value));
    }
});
