//! Any bytes: no panic, and what decodes encodes to the same bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = livechat_wire::group::Evidence::decode(bytes) {
        assert_eq!(value.encode().as_slice(), bytes);
    }
});
