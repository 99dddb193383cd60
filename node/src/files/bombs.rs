//! What bombs cost: each is handed to a process of its own, whose memory and processor time are read afterwards.
//!
//! The promise is 200 ms and 128 MiB for whatever is refused. Processor time, so that a busy machine tells the same.

mod files;

use std::path::Path;
use std::process::Command;

use livechat_crypto::file::Sealed;
use livechat_wire::content::{self, FileKey, is_preview};
use livechat_wire::{BlobId, limits as wire};

use super::image::{ImageError, clean, kind};
use super::open::harmless;
use super::shelf::Shelf;
use crate::limits;

const FILE: &str = "LIVECHAT_BOMB";
const MIB: u64 = 1_024 * 1_024;
/// Milliseconds and bytes.
const PROMISED: (u64, u64) = (200, 128 * MIB);

/// What came of a file, and what that cost.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    /// When it is sent.
    sent: String,
    /// When it came from somebody else: not at all, or as a picture, or sound.
    shown: String,
    millis: u64,
    bytes: u64,
}

impl Cost {
    fn is_as_promised(&self) -> bool {
        self.millis <= PROMISED.0 && self.bytes <= PROMISED.1
    }
}

fn cost(name: &str, file: &[u8]) -> Cost {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb");
    std::fs::write(&path, file).unwrap();
    let told = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "files::bombs::one"])
        .env(FILE, &path)
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let line = told.lines().find_map(|l| l.strip_prefix("cost: ")).unwrap_or_else(|| panic!("{name}: {told}"));
    let [sent, shown, millis, bytes] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
    let (millis, bytes) = (millis.parse().unwrap(), bytes.parse().unwrap());
    println!("{name}: {} bytes, sent {sent}, shown {shown}: {millis} ms, {} KiB", file.len(), bytes / 1_024);
    Cost { sent: sent.to_owned(), shown: shown.to_owned(), millis, bytes }
}

/// The other process: everything that a node does with the bytes of a file before a person asks for more.
#[test]
#[ignore = "run by the tests beside it, with a file to look at"]
fn one() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let bytes = std::fs::read(Path::new(&path)).unwrap();
    let (time, memory) = (on_cpu(), status("VmRSS:"));
    let image = kind(&bytes).is_some();
    let mut sent = match image.then(|| clean(&bytes)) {
        Some(Ok(_)) => "clean",
        Some(Err(ImageError::TooLarge)) => "too-large",
        Some(Err(ImageError::Broken)) => "broken",
        Some(Err(ImageError::Moves)) => "moves",
        None => "unread",
    };
    let shown = match harmless(&bytes[..bytes.len().min(wire::BLOB_CHUNK)], bytes.len() as u64, true) {
        (Some(_), _) => "picture",
        (_, Some(_)) => "sound",
        _ => "nothing",
    };
    let time = on_cpu() - time;
    if !image {
        // Sealing takes its time by the megabyte, as of any file; but no more memory.
        seal(Path::new(&path).parent().unwrap(), &bytes);
        sent = "untouched";
    }
    println!("\ncost: {sent} {shown} {time} {}", status("VmHWM:").saturating_sub(memory));
}

/// Seals a file and opens it again: it has the same bytes.
fn seal(dir: &Path, bytes: &[u8]) {
    let shelf = Shelf::open(dir, |_| true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sealed = runtime.block_on(shelf.seal(BlobId([1; 32]), FileKey([2; 32]), &mut &bytes[..])).unwrap();
    let mut left = bytes;
    let each = |piece: &[u8]| {
        left = left.strip_prefix(piece).expect("the same bytes");
        Ok(())
    };
    shelf.open_each(&message(sealed), each).unwrap();
    assert!(left.is_empty());
}

fn message(sealed: Sealed) -> content::File {
    content::File {
        name: "letter.docx".into(),
        media: "a/b".into(),
        size: sealed.size,
        blob: BlobId([1; 32]),
        key: FileKey([2; 32]),
        hash: sealed.hash,
        until: 0,
        preview: None,
        voice: None,
        forwarded: false,
        timer: 0,
    }
}

/// Milliseconds that this process has been on processors, of threads that have ended too.
fn on_cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Counted after the name, which may hold blanks; in hundredths of seconds (proc_pid_stat(5)).
    let (_, behind) = stat.rsplit_once(')').unwrap();
    behind.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum()
}

fn status(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

/// Cheap to write down, expensive to take at its word.
#[test]
fn bombs_are_refused_within_200_ms_and_128_mib() {
    let bombs: Vec<(&str, Vec<u8>)> = vec![
        ("a PNG of 50,000 × 50,000", files::png(50_000, 50_000)),
        ("a JPEG of 50,000 × 50,000", files::jpeg(50_000, 50_000)),
        ("a JPEG whose second head says so", files::jpeg_with_two_heads(50_000, 50_000)),
        ("a WebP of 50,000 × 50,000", files::webp(50_000, 50_000)),
        ("a WebP picture of 16,383 × 16,383", files::vp8l(16_383, 16_383)),
        ("a PNG of 16,384 × 16,384", files::png(16_384, 16_384)),
        ("a PNG of 2^31 × 1", files::png(u32::MAX >> 1, 1)),
        ("a PNG of 1 × 60,000", files::png(1, 60_000)),
        ("a blank PNG of 16,000 × 2,000 with all its pixels", files::blank_png(16_000, 2_000)),
        ("a blank WebP of 16,000 × 2,000 with all its pixels", files::blank_webp(16_000, 2_000)),
        ("a PNG of 10,000 frames", files::png_of_frames(10_000)),
        ("a WebP of 10,000 frames", files::webp_of_frames(10_000)),
        ("a JPEG of 1,000 scans", files::jpeg_of_scans(2_890, 2_890, 1_000)),
        ("a JPEG of 6,000 × 6,000 and nothing", files::jpeg(6_000, 6_000)),
        ("the largest cheap PNG, broken at its end", broken(files::blank_png(1_448, 1_448))),
        ("the largest cheap WebP, broken at its end", broken(files::blank_webp(1_448, 1_448))),
    ];
    for (name, bomb) in bombs {
        let cost = cost(name, &bomb);
        assert!(matches!(cost.sent.as_str(), "too-large" | "broken" | "moves"), "{name}: {cost:?}");
        // What a browser gets to see has a modest head at least.
        assert!(cost.shown == "nothing" || !name.contains("000 ×") && !name.contains('^'), "{name}: {cost:?}");
        assert!(cost.is_as_promised(), "{name}: {cost:?}");
    }
}

/// What is seen only once all is decoded.
fn broken(mut file: Vec<u8>) -> Vec<u8> {
    let end = file.len() - 40;
    file.truncate(end);
    file
}

/// What unpacks beside the pixels isn't unpacked, or not far.
#[test]
fn what_is_packed_beside_the_pixels_costs_nothing() {
    for (name, bomb) in [
        ("a colour profile of 100 MB", files::png_with_packed(b"iCCP", b"x\0\0")),
        ("a text of 100 MB", files::png_with_packed(b"zTXt", b"x\0\0")),
        ("another text of 100 MB", files::png_with_packed(b"iTXt", b"x\0\x01\0\0\0")),
        ("100 MB of zeros behind 64 pixels", files::png_with_pixels_to_spare()),
    ] {
        let cost = cost(name, &bomb);
        assert!(cost.is_as_promised(), "{name}: {cost:?}");
    }
}

/// Nothing opens them, whatever they are called: what was chosen goes out byte by byte, and is handed on as it came.
#[test]
fn archives_documents_and_what_is_nested_are_never_opened() {
    for (name, bomb) in [
        ("a zip that says it unpacks to 4 GiB, as .docx is one", files::zip()),
        ("an SVG in 200,000 layers", [b"<svg>".repeat(200_000), b"</svg>".repeat(200_000)].concat()),
        ("XML whose entities double 60 times", files::laughs()),
        ("JSON in a million layers", b"[".repeat(1_000_000)),
        ("a GIF of 50,000 × 50,000", files::gif(50_000, 50_000, 1)),
        ("a GIF of 100,000 frames", files::gif(9, 9, 100_000)),
        ("gzip that unpacks to 100 MB", files::gzip()),
    ] {
        let cost = cost(name, &bomb);
        assert_eq!((cost.sent.as_str(), cost.shown.as_str()), ("untouched", "nothing"), "{name}");
        assert!(cost.is_as_promised(), "{name}: {cost:?}");
    }
}

/// Previews come unasked for and are decoded at once: by the browser, whose cost nobody here can bound.
#[test]
fn previews_of_strangers_are_small_or_refused() {
    assert!(is_preview(&files::jpeg(8, 8)) && is_preview(&files::jpeg_of_scans(400, 400, 1)), "control");
    for (name, bomb) in [
        ("50,000 × 50,000", files::jpeg(50_000, 50_000)),
        ("a second head of 50,000 × 50,000", files::jpeg_with_two_heads(50_000, 50_000)),
        ("401 × 1", files::jpeg(401, 1)),
        ("a PNG", files::png(8, 8)),
        ("two scans", files::jpeg_of_scans(400, 400, 2)),
        ("as many scans as there is room for", files::jpeg_of_scans(400, 400, 1_300)),
    ] {
        assert!(!is_preview(&bomb), "{name}");
        let cost = cost(name, &bomb);
        assert!(cost.is_as_promised(), "{name}: {cost:?}");
    }
}

/// Sound is never decoded here, and what isn't called a voice isn't played.
#[test]
fn voice_notes_are_looked_at_and_no_more() {
    let ogg = [b"OggS\0\x02", &[0; 21][..], b"\x13OpusHead\x01", &[255; 5_000_000]].concat();
    let cost = cost("a voice note of 5 MB", &ogg);
    assert_eq!((cost.sent.as_str(), cost.shown.as_str()), ("untouched", "sound"));
    assert!(cost.is_as_promised(), "{cost:?}");
    assert_eq!(harmless(&ogg, 5_000_000, false), (None, None));
    let levels = content::Voice { millis: u32::MAX, levels: vec![255; 65] };
    assert!(!levels.is_sound());
}

/// The controls: what is decoded does cost, and both figures see it; the same files with honest heads are taken.
#[test]
fn what_is_taken_costs_what_the_limits_say() {
    let honest = cost("a small PNG", &files::png(8, 8));
    assert_eq!((honest.sent.as_str(), honest.shown.as_str()), ("clean", "picture"));
    let small = [files::jpeg(8, 8), files::webp(8, 8), files::vp8l(8, 8), files::jpeg_of_scans(80, 80, 9)];
    for (n, file) in small.iter().enumerate() {
        assert!(clean(file).is_ok(), "only the size was wrong: {n}");
    }
    // As much as anything gets for the asking.
    let side = (limits::IMAGE_CHEAP / 4).isqrt() as u32;
    let most = cost("the largest blank picture that is taken", &files::blank_png(side, side));
    assert_eq!((most.sent.as_str(), most.shown.as_str()), ("clean", "picture"));
    assert!(most.bytes > limits::IMAGE_CHEAP && most.millis > 0, "{most:?}");
    let scans = cost("the largest JPEG that is taken for nothing", &files::jpeg_of_scans(2_890, 2_890, 32));
    assert!(scans.sent == "clean" && scans.bytes <= PROMISED.1, "{scans:?}");
}
