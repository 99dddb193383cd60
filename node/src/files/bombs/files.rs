//! The bombs themselves: as small as they can be made.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbaImage};

/// One colour, which packs to next to nothing.
pub(super) fn blank_png(w: u32, h: u32) -> Vec<u8> {
    let rows = u64::from(h) * (1 + 4 * u64::from(w));
    [&png(w, h)[..33], &chunk(b"IDAT", &zeros(rows)), &chunk(b"IEND", &[])].concat()
}

pub(super) fn blank_webp(w: u32, h: u32) -> Vec<u8> {
    blank(w, h, ImageFormat::WebP)
}

fn blank(w: u32, h: u32, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let blank = DynamicImage::from(RgbaImage::new(w, h));
    let blank = if format == ImageFormat::Jpeg { blank.to_rgb8().into() } else { blank };
    blank.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A small picture whose head says something else.
pub(super) fn png(w: u32, h: u32) -> Vec<u8> {
    let mut png = blank(8, 8, ImageFormat::Png);
    png[16..20].copy_from_slice(&w.to_be_bytes());
    png[20..24].copy_from_slice(&h.to_be_bytes());
    let crc = crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc);
    png
}

pub(super) fn jpeg(w: u16, h: u16) -> Vec<u8> {
    let mut jpeg = blank(8, 8, ImageFormat::Jpeg);
    let at = head_of(&jpeg);
    jpeg[at + 5..at + 7].copy_from_slice(&h.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&w.to_be_bytes());
    jpeg
}

/// The first one is honest.
pub(super) fn jpeg_with_two_heads(w: u16, h: u16) -> Vec<u8> {
    let mut jpeg = jpeg(8, 8);
    let at = head_of(&jpeg);
    let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    let mut second = jpeg[at..end].to_vec();
    second[5..7].copy_from_slice(&h.to_be_bytes());
    second[7..9].copy_from_slice(&w.to_be_bytes());
    jpeg.splice(end..end, second);
    jpeg
}

fn head_of(jpeg: &[u8]) -> usize {
    jpeg.windows(2).position(|m| m == [0xff, 0xc0]).unwrap()
}

/// A grey progressive JPEG in which each scan says, in three bytes, that nothing changes anywhere.
pub(super) fn jpeg_of_scans(w: u16, h: u16, scans: usize) -> Vec<u8> {
    let [[h1, h2], [w1, w2]] = [h.to_be_bytes(), w.to_be_bytes()];
    let mut jpeg = [&[0xff, 0xd8, 0xff, 0xdb, 0, 67, 0][..], &[1; 64]].concat();
    jpeg.extend([0xff, 0xc2, 0, 11, 8, h1, h2, w1, w2, 1, 1, 0x11, 0]);
    // One code of one bit in each table: no difference (DC); a run of 16,384 blocks or more without anything (AC).
    jpeg.extend([&[0xff, 0xc4, 0, 20, 0x00, 1][..], &[0; 15], &[0]].concat());
    jpeg.extend([&[0xff, 0xc4, 0, 20, 0x10, 1][..], &[0; 15], &[0xe0]].concat());
    // The first scan has a bit for each block, which is all that nothing takes.
    let blocks = usize::from(w.div_ceil(8)) * usize::from(h.div_ceil(8));
    jpeg.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0]);
    jpeg.extend(vec![0; blocks.div_ceil(8)]);
    let runs = blocks.div_ceil(16_384);
    for _ in 1..scans {
        jpeg.extend([0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0]);
        jpeg.extend([0; 2].repeat(runs));
    }
    jpeg.extend([0xff, 0xd9]);
    jpeg
}

/// The canvas says so.
pub(super) fn webp(w: u32, h: u32) -> Vec<u8> {
    canvas(w, h, 0, &[])
}

/// The one picture says so.
pub(super) fn vp8l(w: u32, h: u32) -> Vec<u8> {
    let mut webp = blank(8, 8, ImageFormat::WebP);
    let at = webp.windows(4).position(|m| m == b"VP8L").unwrap() + 9;
    let bits = u32::from_le_bytes(*webp[at..].first_chunk().unwrap()) & !0x0fff_ffff | (w - 1) | (h - 1) << 14;
    webp[at..at + 4].copy_from_slice(&bits.to_le_bytes());
    webp
}

pub(super) fn webp_of_frames(frames: usize) -> Vec<u8> {
    let still = blank(8, 8, ImageFormat::WebP);
    let picture = &still[12..];
    // Place, size, duration, flags.
    let frame = [&[0, 0, 0, 0, 0, 0, 7, 0, 0, 7, 0, 0, 1, 0, 0, 0][..], picture].concat();
    let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
    let mut all = b"ANIM\x06\0\0\0\0\0\0\0\0\0".to_vec();
    all.extend([b"ANMF".as_slice(), &length, &frame].concat().repeat(frames));
    canvas(8, 8, 0b10, &all)
}

fn canvas(w: u32, h: u32, flags: u8, behind: &[u8]) -> Vec<u8> {
    let mut webp = blank(8, 8, ImageFormat::WebP);
    let mut head = [b"VP8X\x0a\0\0\0".as_slice(), &[flags, 0, 0, 0]].concat();
    head.extend(&(w - 1).to_le_bytes()[..3]);
    head.extend(&(h - 1).to_le_bytes()[..3]);
    head.extend(behind);
    webp.splice(12..12, head);
    let len = u32::try_from(webp.len() - 8).unwrap().to_le_bytes();
    webp[4..8].copy_from_slice(&len);
    webp
}

/// A small picture with a chunk before the pixels that unpacks to a hundred megabytes.
pub(super) fn png_with_packed(kind: &[u8; 4], before: &[u8]) -> Vec<u8> {
    let mut png = blank(8, 8, ImageFormat::Png);
    png.splice(33..33, chunk(kind, &[before, &packed()].concat()));
    png
}

/// The pixels of a large picture under the head of a small one.
pub(super) fn png_with_pixels_to_spare() -> Vec<u8> {
    [&png(8, 8)[..33], &chunk(b"IDAT", &packed()), &chunk(b"IEND", &[])].concat()
}

pub(super) fn png_of_frames(frames: u32) -> Vec<u8> {
    let mut png = blank(8, 8, ImageFormat::Png);
    let mut all = chunk(b"acTL", &[frames.to_be_bytes(), [0; 4]].concat());
    let control = |n: u32| {
        let fields = [n, 8, 8, 0, 0].map(u32::to_be_bytes).concat();
        chunk(b"fcTL", &[&fields[..], &[0, 1, 0, 1, 0, 0]].concat())
    };
    all.extend(control(0));
    png.splice(33..33, all);
    let end = png.len() - 12;
    let pixels = pixels(&png);
    let frames = (1..frames).flat_map(|n| {
        let data = [&(2 * n).to_be_bytes()[..], &pixels].concat();
        [control(2 * n - 1), chunk(b"fdAT", &data)].concat()
    });
    let frames: Vec<u8> = frames.collect();
    png.splice(end..end, frames);
    png
}

const PACKED: u64 = 100_000_000;

fn packed() -> Vec<u8> {
    zeros(PACKED)
}

/// So many zeros as zlib packs them at best (RFC 1950, RFC 1951): two bits for 258 of them.
fn zeros(n: u64) -> Vec<u8> {
    let (mut out, mut bits) = (vec![0x78, 1, 0], 0);
    let mut put = |bit: bool| {
        if bits == 8 {
            out.push(0);
            bits = 0;
        }
        *out.last_mut().unwrap() |= u8::from(bit) << bits;
        bits += 1;
    };
    // The last block, with codes of its own: 286 for literals and lengths, 1 for distances, 18 for their lengths.
    let numbers = [(1, 1), (2, 2), (29, 5), (0, 5), (14, 4)];
    // In the order of the standard: 18 has one bit, 2 and 1 have two.
    let lengths = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2].map(|n| (n, 3));
    for (number, width) in numbers.into_iter().chain(lengths) {
        (0..width).for_each(|bit| put(number >> bit & 1 == 1));
    }
    // Literal 0 has two bits, 255 nothing; end has two, 28 nothing; length 258 has one; distance 1 has one.
    let mut codes = |code: &str, run: Option<u8>| {
        code.bytes().for_each(|bit| put(bit == b'1'));
        run.into_iter().for_each(|run| (0..7).for_each(|bit| put((run - 11) >> bit & 1 == 1)));
    };
    for (code, run) in
        [("11", None), ("0", Some(138)), ("0", Some(117)), ("11", None), ("0", Some(28)), ("10", None), ("10", None)]
    {
        codes(code, run);
    }
    (0..1 + (n - 1) % 258).for_each(|_| codes("10", None));
    (0..(n - 1) / 258).for_each(|_| codes("00", None));
    codes("11", None);
    // Adler-32 of nothing but zeros.
    out.extend([(n % 65_521) as u16, 1].map(u16::to_be_bytes).concat());
    out
}

/// What is in the first chunk of pixels.
fn pixels(png: &[u8]) -> Vec<u8> {
    let at = png.windows(4).position(|w| w == b"IDAT").unwrap();
    let len = u32::from_be_bytes(*png[at - 4..].first_chunk().unwrap()) as usize;
    png[at + 4..at + 4 + len].to_vec()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), data].concat();
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [length.as_slice(), &body, &crc(&body)].concat()
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let crc = bytes.iter().fold(u32::MAX, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    });
    (!crc).to_be_bytes()
}

pub(super) fn gif(w: u16, h: u16, frames: usize) -> Vec<u8> {
    let [[w1, w2], [h1, h2]] = [w.to_le_bytes(), h.to_le_bytes()];
    let head = [b"GIF89a".as_slice(), &[w1, w2, h1, h2, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]].concat();
    let frame = [0x2c, 0, 0, 0, 0, w1, w2, h1, h2, 0, 2, 1, 0x44, 0];
    [head, frame.repeat(frames), vec![0x3b]].concat()
}

/// One entry of which a hundred megabytes are here in little, and whose head says more.
pub(super) fn zip() -> Vec<u8> {
    let inner = packed();
    let deflated = &inner[2..inner.len() - 4];
    let length = u32::try_from(deflated.len()).unwrap().to_le_bytes();
    let sizes = [length, u32::MAX.to_le_bytes()].concat();
    let name = b"word/document.xml";
    let local = [&[20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &sizes, &[name.len() as u8, 0, 0, 0]].concat();
    [b"PK\x03\x04".as_slice(), &local, name, deflated].concat()
}

pub(super) fn gzip() -> Vec<u8> {
    let inner = packed();
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &inner[2..inner.len() - 4], &[0; 8]].concat()
}

pub(super) fn laughs() -> Vec<u8> {
    let mut xml = String::from("<!DOCTYPE x [<!ENTITY e0 \"ha\">");
    for n in 1..=60 {
        xml.push_str(&format!("<!ENTITY e{n} \"&e{};&e{};\">", n - 1, n - 1));
    }
    xml.push_str("]><x>&e60;</x>");
    xml.into_bytes()
}
