//! Any bytes, and any text: no panic, and what decodes encodes to the same bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = livechat_wire::door::Link::decode(bytes) {
        assert_eq!(value.encode().as_slice(), bytes);
    }
    if let Ok(text) = core::str::from_utf8(bytes)
        && let Ok(link) = text.parse::<livechat_wire::door::Link>()
    {
        assert_eq!(link.to_string().parse(), Ok(link));
    }
});
