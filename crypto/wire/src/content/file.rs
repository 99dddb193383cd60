//! A file, as its message speaks of it: what it is called, where its bytes are, and the key to them.

use core::fmt;

use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::BlobId;
use crate::limits;

use super::facts;

/// Opens a file; drawn anew for each file that is sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FileKey(pub [u8; 32]);

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// Flags (1: bit 0 forwarded, bit 1 disappears, bit 2 preview), seconds (4, bit 1), blob (32), key (32), hash (32),
/// size (8), kept until (8), media type and name with lengths, preview (the rest, bit 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What to call it: display text and nothing else. See [`is_file_name`].
    pub name: String,
    /// What the sender takes it for; a hint, never trusted. See [`is_media_type`].
    pub media: String,
    /// Bytes, at most [`limits::FILE`].
    pub size: u64,
    /// Where its blob is.
    pub blob: BlobId,
    /// Opens the blob.
    pub key: FileKey,
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
    /// Unix seconds until which the relay keeps the blob, as it told the sender.
    pub until: u64,
    /// A small JPEG of an image, 1 ..= [`limits::PREVIEW`] bytes, at most [`limits::PREVIEW_SIDE`] pixels each way. See
    /// [`is_preview`].
    pub preview: Option<Vec<u8>>,
    /// Somebody else's, passed on.
    pub forwarded: bool,
    /// As in [`super::Post::timer`].
    pub timer: u32,
}

impl File {
    pub(super) fn write(&self, w: &mut Writer) {
        let flags = u8::from(self.forwarded) | u8::from(self.timer > 0) << 1 | u8::from(self.preview.is_some()) << 2;
        w.u8(flags);
        if self.timer > 0 {
            w.u32(self.timer);
        }
        w.raw(&self.blob.0).raw(&self.key.0).raw(&self.hash).u64(self.size).u64(self.until);
        w.bytes(self.media.as_bytes()).bytes(self.name.as_bytes());
        w.raw(self.preview.as_deref().unwrap_or_default());
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags = r.u8()?;
        if flags > 7 {
            return Err(DecodeError::NotCanonical("marks"));
        }
        let timer = if flags & 2 == 0 { 0 } else { facts::timer(r.u32()?)? };
        if flags & 2 != 0 && timer == 0 {
            return Err(DecodeError::NotCanonical("timer"));
        }
        let (blob, key, hash) = (BlobId(r.array()?), FileKey(r.array()?), r.array()?);
        let (size, until) = (r.u64()?, r.u64()?);
        if size > limits::FILE {
            return Err(DecodeError::Bounds("file"));
        }
        let media = r.text(limits::MEDIA_TYPE, "media type")?;
        let name = r.text(limits::FILE_NAME, "file name")?;
        if !is_media_type(media) {
            return Err(DecodeError::NotCanonical("media type"));
        }
        if !is_file_name(name) {
            return Err(DecodeError::NotCanonical("file name"));
        }
        let rest = r.rest();
        let preview = (flags & 4 != 0).then(|| rest.to_vec());
        if preview.as_ref().map_or(!rest.is_empty(), |p| !is_preview(p)) {
            return Err(DecodeError::NotCanonical("preview"));
        }
        let (media, name) = (media.to_owned(), name.to_owned());
        Ok(Self { name, media, size, blob, key, hash, until, preview, forwarded: flags & 1 != 0, timer })
    }
}

/// Whether a text can stand in [`File::name`]: 1 ..= [`limits::FILE_NAME`] bytes, no control characters, none that turn
/// the direction of writing round (`photo\u{202e}gpj.exe` reads as a picture), and no separators of paths.
#[must_use]
pub fn is_file_name(text: &str) -> bool {
    let turns =
        |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (1..=limits::FILE_NAME).contains(&text.len())
        && !text.chars().any(|c| c.is_control() || turns(c) || matches!(c, '/' | '\\'))
}

/// Whether a text can stand in [`File::media`]: `type/subtype` of lower-case letters, digits and `.+-`.
#[must_use]
pub fn is_media_type(text: &str) -> bool {
    let part =
        |p: &str| !p.is_empty() && p.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'+' | b'-'));
    text.len() <= limits::MEDIA_TYPE && text.split_once('/').is_some_and(|(kind, sub)| part(kind) && part(sub))
}

/// Whether bytes can stand in [`File::preview`]. It is shown without being asked for, so what decodes it must never be
/// asked for more memory than it is worth: the frame header of a JPEG is read here, and there has to be exactly one.
#[must_use]
pub fn is_preview(bytes: &[u8]) -> bool {
    bytes.len() <= limits::PREVIEW && frame(bytes).is_some_and(|(w, h)| fits(w) && fits(h))
}

fn fits(side: u16) -> bool {
    (1..=limits::PREVIEW_SIDE).contains(&side)
}

/// Width and height of a JPEG up to its first scan (ITU T.81, B.2).
fn frame(bytes: &[u8]) -> Option<(u16, u16)> {
    let mut r = Reader::new(bytes);
    if r.u16().ok()? != 0xffd8 {
        return None;
    }
    let mut found = None;
    loop {
        let (0xff, marker, length) = (r.u8().ok()?, r.u8().ok()?, r.u16().ok()?) else { return None };
        let mut segment = Reader::new(r.take(usize::from(length).checked_sub(2)?).ok()?);
        match marker {
            // Tables, application data, comments.
            0xc4 | 0xdb | 0xdd | 0xe0..=0xef | 0xfe => {}
            // A frame: baseline, extended or progressive.
            0xc0..=0xc2 if found.is_none() => {
                segment.u8().ok()?;
                let (height, width) = (segment.u16().ok()?, segment.u16().ok()?);
                found = Some((width, height));
            }
            0xda => return found,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much of a JPEG as is looked at.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let [a, b] = width.to_be_bytes();
        let [c, d] = height.to_be_bytes();
        [&[0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 7, 8, c, d, a, b][..], &[0xff, 0xda, 0, 2, 9]].concat()
    }

    #[test]
    fn previews_are_small_jpegs() {
        let side = limits::PREVIEW_SIDE;
        assert!(is_preview(&jpeg(side, 1)) && is_preview(&jpeg(1, side)));
        for (w, h) in [(side + 1, 1), (1, side + 1), (0, 1), (1, 0), (50_000, 50_000)] {
            assert!(!is_preview(&jpeg(w, h)), "{w}×{h}");
        }
        let good = jpeg(9, 9);
        assert!((0..good.len() - 1).all(|n| !is_preview(&good[..n])), "cut");
        let two = [&good[..17], &jpeg(50_000, 50_000)[8..]].concat();
        assert!(!is_preview(&two), "two frames");
        assert!(!is_preview(b"\x89PNG\r\n\x1a\n") && !is_preview(b"<svg/>"));
        assert!(!is_preview(&[good, vec![0; limits::PREVIEW]].concat()), "too long");
    }

    #[test]
    fn names_are_display_text() {
        for good in ["a", "Bericht 2026.pdf", "写真.png", "..", "CON", ".bashrc", &"x".repeat(limits::FILE_NAME)] {
            assert!(is_file_name(good), "{good}");
        }
        for bad in ["", "a/b", "..\\b", "a\nb", "photo\u{202e}gpj.exe", "\u{1b}[2J", &"x".repeat(256)] {
            assert!(!is_file_name(bad), "{bad:?}");
        }
        assert!(is_media_type("application/vnd.ms-excel") && is_media_type("image/svg+xml"));
        for bad in ["", "image", "image/", "/png", "Image/png", "text/html; charset=x", "a/b/c", "a/b\n"] {
            assert!(!is_media_type(bad), "{bad:?}");
        }
    }
}
