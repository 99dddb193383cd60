//! What bombs cost: each is handed to a process of its own, whose memory and processor time are read afterwards.
//!
//! The promise is 200 ms and 128 MiB for whatever is refused. Processor time, so that a busy machine tells the same.

use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use image::{DynamicImage, ImageFormat, RgbaImage};

use super::image::{ImageError, clean, is_modest, kind};
use crate::limits;

const FILE: &str = "LIVECHAT_BOMB";
const MIB: u64 = 1_024 * 1_024;
/// Milliseconds and bytes.
const PROMISED: (u64, u64) = (200, 128 * MIB);

/// What came of a file, and what that cost.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    outcome: String,
    shown: bool,
    millis: u64,
    bytes: u64,
}

fn cost(name: &str, file: &[u8]) -> Cost {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb");
    std::fs::write(&path, file).unwrap();
    let test = "files::bombs::one";
    let told = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(FILE, &path)
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let line = told.lines().find_map(|l| l.strip_prefix("cost: ")).unwrap_or_else(|| panic!("{name}: {told}"));
    let [outcome, shown, millis, bytes] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
    println!("{name}: {} bytes, {outcome}, {millis} ms, {} KiB", file.len(), bytes.parse::<u64>().unwrap() / 1_024);
    Cost {
        outcome: outcome.to_owned(),
        shown: shown == "true",
        millis: millis.parse().unwrap(),
        bytes: bytes.parse().unwrap(),
    }
}

/// The other process.
#[test]
#[ignore = "run by the tests beside it, with a file to look at"]
fn one() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let bytes = std::fs::read(Path::new(&path)).unwrap();
    let (time, memory) = (on_cpu(), status("VmRSS:"));
    let first = &bytes[..bytes.len().min(livechat_wire::limits::BLOB_CHUNK)];
    let shown = kind(first).is_some() && is_modest(first, bytes.len() as u64);
    let outcome = match clean(&bytes) {
        Ok(_) => "clean",
        Err(ImageError::TooLarge) => "too-large",
        Err(ImageError::Broken) => "broken",
        Err(ImageError::Moves) => "moves",
    };
    let (time, memory) = (on_cpu() - time, status("VmHWM:").saturating_sub(memory));
    println!("\ncost: {outcome} {shown} {} {memory}", time / 1_000_000);
}

/// Nanoseconds that this thread has been on a processor.
fn on_cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse().unwrap()
}

fn status(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

/// One colour, which compresses to next to nothing.
fn blank(w: u32, h: u32, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let blank = DynamicImage::from(RgbaImage::new(w, h));
    let blank = if format == ImageFormat::Jpeg { blank.to_rgb8().into() } else { blank };
    blank.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let crc = bytes.iter().fold(u32::MAX, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    });
    (!crc).to_be_bytes()
}

fn png_of(w: u32, h: u32) -> Vec<u8> {
    let mut png = blank(8, 8, ImageFormat::Png);
    png[16..20].copy_from_slice(&w.to_be_bytes());
    png[20..24].copy_from_slice(&h.to_be_bytes());
    let crc = crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc);
    png
}

fn jpeg_of(w: u16, h: u16) -> Vec<u8> {
    let mut jpeg = blank(8, 8, ImageFormat::Jpeg);
    let at = jpeg.windows(2).position(|m| m == [0xff, 0xc0]).unwrap();
    jpeg[at + 5..at + 7].copy_from_slice(&h.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&w.to_be_bytes());
    jpeg
}

/// The canvas says so, or the one picture on it does.
fn webp_of(w: u32, h: u32) -> Vec<u8> {
    let mut webp = blank(8, 8, ImageFormat::WebP);
    let mut canvas = b"VP8X\x0a\0\0\0\0\0\0\0".to_vec();
    canvas.extend(&(w - 1).to_le_bytes()[..3]);
    canvas.extend(&(h - 1).to_le_bytes()[..3]);
    webp.splice(12..12, canvas);
    let len = u32::try_from(webp.len() - 8).unwrap().to_le_bytes();
    webp[4..8].copy_from_slice(&len);
    webp
}

fn vp8l_of(w: u32, h: u32) -> Vec<u8> {
    let mut webp = blank(8, 8, ImageFormat::WebP);
    let at = webp.windows(5).position(|m| m == b"VP8L\x0e" || &m[..4] == b"VP8L").unwrap() + 9;
    let bits = u32::from_le_bytes(*webp[at..].first_chunk().unwrap()) & !0x0fff_ffff | (w - 1) | (h - 1) << 14;
    webp[at..at + 4].copy_from_slice(&bits.to_le_bytes());
    webp
}

/// A small picture with a chunk before the pixels that unpacks to a hundred megabytes.
fn png_with_packed(chunk: &[u8; 4], before: &[u8]) -> Vec<u8> {
    // The pixels of a blank picture are a packed run of zeros like any.
    let packed = blank(5_000, 5_000, ImageFormat::Png);
    let at = packed.windows(4).position(|w| w == b"IDAT").unwrap();
    let len = u32::from_be_bytes(*packed[at - 4..].first_chunk().unwrap()) as usize;
    let body = [chunk.as_slice(), before, &packed[at + 4..at + 4 + len]].concat();
    let length = u32::try_from(body.len() - 4).unwrap().to_be_bytes();
    let chunk = [length.as_slice(), &body, &crc(&body)].concat();
    let mut png = blank(8, 8, ImageFormat::Png);
    png.splice(33..33, chunk);
    png
}

fn zip() -> Vec<u8> {
    let mut nested = b"PK\x03\x04".to_vec();
    nested.extend((0..5_000_000_u32).map(|n| (n % 251) as u8));
    nested
}

/// Cheap to write down, expensive to take at its word.
#[test]
fn bombs_are_refused_within_200_ms_and_128_mib() {
    let deep = [b"<svg>".repeat(200_000), b"\x89PNG\r\n\x1a\n".to_vec()].concat();
    let bombs: Vec<(&str, Vec<u8>)> = vec![
        ("a PNG of 50,000 × 50,000", png_of(50_000, 50_000)),
        ("a JPEG of 50,000 × 50,000", jpeg_of(50_000, 50_000)),
        ("a WebP of 50,000 × 50,000", webp_of(50_000, 50_000)),
        ("a WebP picture of 16,383 × 16,383", vp8l_of(16_383, 16_383)),
        ("a PNG of 16,384 × 16,384", png_of(16_384, 16_384)),
        ("a PNG of 2^31 × 1", png_of(u32::MAX >> 1, 1)),
        ("a blank PNG of 16,000 × 2,000 with all its pixels", blank(16_000, 2_000, ImageFormat::Png)),
        ("a blank WebP of 16,000 × 2,000 with all its pixels", blank(16_000, 2_000, ImageFormat::WebP)),
        ("a zip", zip()),
        ("deep nesting", deep),
    ];
    for (name, bomb) in bombs {
        let cost = cost(name, &bomb);
        assert!(matches!(cost.outcome.as_str(), "too-large" | "broken"), "{name}: {cost:?}");
        assert!(!cost.shown, "{name} isn't shown either");
        assert!(cost.millis <= PROMISED.0 && cost.bytes <= PROMISED.1, "{name}: {cost:?}");
    }
}

/// What unpacks beside the pixels isn't unpacked, or not far.
#[test]
fn what_is_packed_beside_the_pixels_costs_nothing() {
    for (name, bomb) in [
        ("a colour profile of 100 MB", png_with_packed(b"iCCP", b"x\0\0")),
        ("a text of 100 MB", png_with_packed(b"zTXt", b"x\0\0")),
        ("another text of 100 MB", png_with_packed(b"iTXt", b"x\0\x01\0\0\0")),
    ] {
        let cost = cost(name, &bomb);
        assert!(cost.millis <= PROMISED.0 && cost.bytes <= PROMISED.1, "{name}: {cost:?}");
    }
}

/// The controls: what is decoded does cost, and both figures see it; the same files with honest headers are taken.
#[test]
fn what_is_taken_costs_what_the_limits_say() {
    let honest = cost("a small PNG", &png_of(8, 8));
    assert_eq!((honest.outcome.as_str(), honest.shown), ("clean", true));
    let small = [jpeg_of(8, 8), webp_of(8, 8), vp8l_of(8, 8)];
    assert!(small.iter().all(|file| clean(file).is_ok()), "only the size was wrong");
    // As much as anything gets for the asking.
    let side = (limits::IMAGE_CHEAP / 4).isqrt() as u32;
    let most = cost("the largest blank picture that is taken", &blank(side, side, ImageFormat::Png));
    assert_eq!((most.outcome.as_str(), most.shown), ("clean", true));
    assert!(most.bytes > limits::IMAGE_CHEAP && most.bytes <= PROMISED.1, "{most:?}");
    assert!(most.millis > 0);
}
