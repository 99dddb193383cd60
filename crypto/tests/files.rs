//! Files: sealed the same way for ever, opened whole or not at all.
#![allow(clippy::unwrap_used, reason = "tests: helpers included")]
#![allow(clippy::disallowed_methods, reason = "vectors are a file")]

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use data_encoding::HEXLOWER;
use livechat_crypto::file::{Check, OpenFileError, Opener, SealFileError, Sealed, Sealer, draw_key};
use livechat_wire::blob::{self, CHUNK_PLAIN};
use livechat_wire::content::{File, FileKey};
use livechat_wire::{BlobId, limits};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const KEY: FileKey = FileKey([0x5a; 32]);

/// Bytes that look like nothing and are always the same.
fn bytes(n: usize) -> Vec<u8> {
    (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn seal(plain: &[u8], step: usize) -> (Sealed, Vec<Vec<u8>>) {
    let mut chunks = Vec::new();
    let mut out = |chunk: &[u8]| -> Result<(), SealFileError> {
        chunks.push(chunk.to_vec());
        Ok(())
    };
    let mut sealer = Sealer::new(&KEY);
    for piece in plain.chunks(step.max(1)) {
        sealer.push(piece, &mut out).unwrap();
    }
    let sealed = sealer.finish(&mut out).unwrap();
    (sealed, chunks)
}

fn file(sealed: Sealed) -> File {
    File {
        name: "x".into(),
        media: "a/b".into(),
        size: sealed.size,
        blob: BlobId([0; 32]),
        key: KEY,
        hash: sealed.hash,
        until: 0,
        preview: None,
        voice: None,
        forwarded: false,
        timer: 0,
    }
}

fn open(file: &File, chunks: &[Vec<u8>]) -> Result<Vec<u8>, OpenFileError> {
    let opener = Opener::new(file);
    let mut check = Check::default();
    let mut plain = Vec::new();
    for index in 0..opener.chunks() {
        let mut chunk = chunks.get(index as usize).cloned().unwrap_or_default();
        opener.open(index, &mut chunk)?;
        check.see(&chunk);
        plain.extend(chunk);
    }
    if chunks.len() > opener.chunks() as usize {
        return Err(OpenFileError::Content);
    }
    check.finish(&opener).map(|()| plain)
}

#[test]
fn what_was_sealed_opens_and_takes_the_room_it_should() {
    let chunk = CHUNK_PLAIN as usize;
    for size in [0, 1, 1_000, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk - 1, 5 * chunk + 7, 1_000_000] {
        let plain = bytes(size);
        for step in [1_000, chunk, 7 * chunk] {
            let (sealed, chunks) = seal(&plain, step);
            assert_eq!((sealed.size, sealed.hash), (size as u64, Sha256::digest(&plain).into()));
            let total: usize = chunks.iter().map(Vec::len).sum();
            assert_eq!(total as u64, blob::sealed(size as u64));
            assert!(chunks.iter().rev().skip(1).all(|c| c.len() == limits::BLOB_CHUNK));
            assert_eq!(open(&file(sealed), &chunks).unwrap(), plain, "{size}");
        }
    }
}

/// What somebody does to the chunks of a blob.
type Attack = fn(&mut Vec<Vec<u8>>);

/// Whatever is done to a blob whose key isn't known, it doesn't open. Control: the same is done to chunks that are sealed
/// each for itself, under nonces of their own, and most of it goes unnoticed there.
#[test]
fn truncation_reordering_and_duplication_are_refused() {
    let (sealed, good) = seal(&bytes(4 * CHUNK_PLAIN as usize - 5_000), 50_000);
    assert_eq!(good.len(), 4);
    let attacks: [(&str, Attack); 9] = [
        ("the last chunk is cut off", |c| c.truncate(3)),
        ("all but the first are", |c| c.truncate(1)),
        ("two change places", |c| c.swap(1, 2)),
        ("the first becomes the last", |c| c.swap(0, 3)),
        ("one stands twice", |c| c[2] = c[1].clone()),
        ("one is put in between", |c| c.insert(1, c[0].clone())),
        ("one is left out", |c| {
            c.remove(1);
        }),
        ("one is appended", |c| c.push(c[0].clone())),
        ("a bit is turned", |c| c[2][9_999] ^= 4),
    ];
    let naive: Vec<Vec<u8>> = (0..4u8).map(|n| naive(n).0).collect();
    let opens = |chunks: &[Vec<u8>]| chunks.iter().all(|c| open_naive(c));
    assert!(opens(&naive), "control");
    let mut unnoticed = 0;
    for (what, attack) in attacks {
        let mut chunks = good.clone();
        attack(&mut chunks);
        assert!(chunks != good);
        open(&file(sealed), &chunks).expect_err(what);
        let mut chunks = naive.clone();
        attack(&mut chunks);
        unnoticed += u32::from(opens(&chunks));
    }
    assert_eq!(unnoticed, 8, "all but the turned bit");
}

/// Each chunk for itself, its nonce in front: what STREAM is there to be better than.
fn naive(n: u8) -> (Vec<u8>, [u8; 12]) {
    let nonce = [n; 12];
    let cipher = ChaCha20Poly1305::new(&Key::from(KEY.0));
    let sealed = cipher.encrypt(&Nonce::from(nonce), &bytes(20_000)[..]).unwrap();
    ([&nonce[..], &sealed].concat(), nonce)
}

fn open_naive(chunk: &[u8]) -> bool {
    let (nonce, sealed) = chunk.split_first_chunk::<12>().unwrap();
    ChaCha20Poly1305::new(&Key::from(KEY.0)).decrypt(&Nonce::from(*nonce), sealed).is_ok()
}

/// A sender who knows the key can seal what they like; it still is the promised file or none.
#[test]
fn a_lying_sender_is_found_out() {
    let plain = bytes(100_000);
    let (sealed, chunks) = seal(&plain, 9_999);
    let honest = file(sealed);
    let lies = [
        File { hash: [0; 32], ..honest.clone() },
        File { size: sealed.size - 1, ..honest.clone() },
        File { size: sealed.size + 1, ..honest.clone() },
        File { size: sealed.size * 3, ..honest.clone() },
        File { size: 0, ..honest.clone() },
        File { key: FileKey([1; 32]), ..honest.clone() },
    ];
    for lie in lies {
        open(&lie, &chunks).expect_err("a lie");
    }
    assert_eq!(open(&honest, &chunks).unwrap(), plain);
}

/// STREAM, written down a second time: nonce, associated data and flag are where the paper puts them.
#[test]
fn chunks_are_what_the_construction_says() {
    let (_, chunks) = seal(&bytes(150_000), 4_096);
    let cipher = ChaCha20Poly1305::new(&Key::from(KEY.0));
    for (index, chunk) in chunks.iter().enumerate() {
        let mut nonce = [0; 12];
        nonce[7..11].copy_from_slice(&(index as u32).to_be_bytes());
        nonce[11] = u8::from(index + 1 == chunks.len());
        let payload = Payload { msg: chunk, aad: b"livechat file v1" };
        cipher.decrypt(&Nonce::from(nonce), payload).expect("opens");
    }
}

#[test]
fn every_key_is_another() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    assert!(draw_key(&mut rng) != draw_key(&mut rng));
    let (sealer, opener) = (Sealer::new(&KEY), Opener::new(&file(Sealed { size: 1, hash: [0; 32] })));
    let printed = format!("{KEY:?} {sealer:?} {opener:?} {:?}", Check::default());
    assert!(!printed.contains("90") && !printed.contains("5a"), "{printed}");
}

#[derive(Serialize, Deserialize, PartialEq, Eq, Debug)]
struct Vector {
    key: String,
    /// How many bytes `i * 2654435761 / 2^24` (modulo 2^32 and 256, `i` from 0).
    size: usize,
    hash: String,
    /// Bytes at the relay.
    blob: u64,
    blob_sha256: String,
}

/// `crypto/vectors/file-v1.json`: what any program must make of these files.
#[test]
fn vectors() {
    let made: Vec<Vector> = [0, 1, 65_519, 65_520, 65_521, 200_000, 3_000_000]
        .map(|size| {
            let (sealed, chunks) = seal(&bytes(size), 65_536);
            let blob = chunks.concat();
            Vector {
                key: HEXLOWER.encode(&KEY.0),
                size,
                hash: HEXLOWER.encode(&sealed.hash),
                blob: blob.len() as u64,
                blob_sha256: HEXLOWER.encode(&Sha256::digest(&blob)),
            }
        })
        .into();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/file-v1.json");
    if std::env::var_os("LIVECHAT_WRITE").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
    }
    let kept: Vec<Vector> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(made, kept);
}
