//! Chunks of files that others sealed, of files that others describe: no panic, and nothing opens.
#![no_main]

use livechat_crypto::file::Opener;
use livechat_wire::BlobId;
use livechat_wire::content::{File, FileKey};

libfuzzer_sys::fuzz_target!(|input: (u64, u32, &[u8])| {
    let (size, index, bytes) = input;
    let file = File {
        name: "x".into(),
        media: "a/b".into(),
        size: size % (livechat_wire::limits::FILE + 1),
        blob: BlobId([0; 32]),
        key: FileKey([7; 32]),
        hash: [0; 32],
        until: 0,
        preview: None,
        voice: None,
        forwarded: false,
        timer: 0,
    };
    let opener = Opener::new(&file);
    assert!(opener.chunks() > 0);
    for index in [index, index % opener.chunks()] {
        assert!(opener.open(index, &mut bytes.to_vec()).is_err());
    }
});
