//! Any kind and any bytes: no panic, and what decodes encodes to the same kind and bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u16, &[u8])| {
    let (kind, bytes) = input;
    if let Ok(value) = livechat_wire::content::Body::decode(kind, bytes) {
        assert_eq!(value.encode(), (kind, bytes.to_vec()));
    }
});
