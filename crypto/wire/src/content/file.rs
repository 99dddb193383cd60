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

/// Spoken into a microphone: how long it takes, and how loud it is along the way, so that there is something to see and
/// to seek by before its bytes are here. Only what the sender says: nothing is computed with it but a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// 1 ..= [`limits::VOICE`].
    pub millis: u32,
    /// 1 ..= [`limits::VOICE_LEVELS`] equal stretches, each 0 (silent) … 255.
    pub levels: Vec<u8>,
}

impl Voice {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (millis, levels) = (r.u32()?, r.rest());
        let voice = Self { millis, levels: levels.to_vec() };
        if voice.is_sound() { Ok(voice) } else { Err(DecodeError::Bounds("voice")) }
    }

    /// Whether it can stand in [`File::voice`].
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (1..=limits::VOICE).contains(&self.millis) && (1..=limits::VOICE_LEVELS).contains(&self.levels.len())
    }
}

/// Flags (1: bit 0 forwarded, bit 1 disappears, bit 2 preview, bit 3 voice, never both), seconds (4, bit 1), blob (32),
/// key (32), hash (32), size (8), kept until (8), media type and name with lengths; the rest: preview (bit 2), or
/// milliseconds (4) and levels (1 each, bit 3).
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
    /// It is a voice note; then there is no preview.
    pub voice: Option<Voice>,
    /// Somebody else's, passed on.
    pub forwarded: bool,
    /// As in [`super::Post::timer`].
    pub timer: u32,
}

impl File {
    pub(super) fn write(&self, w: &mut Writer) {
        let flags = [self.forwarded, self.timer > 0, self.preview.is_some(), self.voice.is_some()];
        let flags = (0..).zip(flags).fold(0, |all, (bit, set)| all | u8::from(set) << bit);
        w.u8(flags);
        if self.timer > 0 {
            w.u32(self.timer);
        }
        w.raw(&self.blob.0).raw(&self.key.0).raw(&self.hash).u64(self.size).u64(self.until);
        w.bytes(self.media.as_bytes()).bytes(self.name.as_bytes());
        w.raw(self.preview.as_deref().unwrap_or_default());
        if let Some(voice) = &self.voice {
            w.u32(voice.millis).raw(&voice.levels);
        }
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags = r.u8()?;
        if flags > 11 {
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
        let voice = (flags & 8 != 0).then(|| Voice::read(r)).transpose()?;
        let rest = r.rest();
        let preview = (flags & 4 != 0).then(|| rest.to_vec());
        if preview.as_ref().map_or(!rest.is_empty(), |p| !is_preview(p)) {
            return Err(DecodeError::NotCanonical("preview"));
        }
        let (media, name) = (media.to_owned(), name.to_owned());
        Ok(Self { name, media, size, blob, key, hash, until, preview, voice, forwarded: flags & 1 != 0, timer })
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
/// asked for more memory or time than it is worth: the frame header of a JPEG is read here, and there has to be exactly
/// one, and one scan.
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
            0xda => return found.filter(|_| is_last_scan(&mut r)),
            _ => return None,
        }
    }
}

/// Whether no other marker than restarts and the end follows (ITU T.81, B.1.1.2): a scan takes a few bytes, and whoever
/// decodes it goes through the whole picture.
fn is_last_scan(r: &mut Reader<'_>) -> bool {
    r.rest().windows(2).all(|w| w[0] != 0xff || matches!(w[1], 0 | 0xd0..=0xd7 | 0xd9 | 0xff))
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
        assert!(!is_preview(&[&good[..], &good[17..]].concat()), "two scans");
        assert!(!is_preview(b"\x89PNG\r\n\x1a\n") && !is_preview(b"<svg/>"));
        assert!(!is_preview(&[good, vec![0; limits::PREVIEW]].concat()), "too long");
    }

    fn spoken(millis: u32, levels: usize) -> Vec<u8> {
        let file = File {
            name: "voice.ogg".into(),
            media: "audio/ogg".into(),
            size: 9,
            blob: BlobId([1; 32]),
            key: FileKey([2; 32]),
            hash: [3; 32],
            until: 4,
            preview: None,
            voice: Some(Voice { millis, levels: vec![7; levels] }),
            forwarded: false,
            timer: 0,
        };
        let mut w = Writer::new();
        file.write(&mut w);
        w.finish()
    }

    #[test]
    fn voices_have_bounds() {
        let read = |bytes: &[u8]| File::read(&mut Reader::new(bytes));
        for (millis, levels) in [(1, 1), (limits::VOICE, limits::VOICE_LEVELS)] {
            assert!(read(&spoken(millis, levels)).is_ok_and(|f| f.voice.is_some_and(|v| v.millis == millis)));
        }
        for (millis, levels) in [(0, 9), (limits::VOICE + 1, 9), (u32::MAX, 9), (9, 0), (9, limits::VOICE_LEVELS + 1)] {
            assert!(matches!(read(&spoken(millis, levels)), Err(DecodeError::Bounds(_))), "{millis} {levels}");
        }
        let good = spoken(9, 1);
        assert!((0..good.len()).all(|n| read(&good[..n]).is_err()), "cut");
        let mut both = good;
        both[0] |= 4;
        assert!(read(&both).is_err(), "a voice with a preview");
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
