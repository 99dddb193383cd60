//! Sound, by its bytes: what a face may hand to a player. Nothing is decoded here; players in browsers are made for bytes
//! of strangers, and get only the three kinds that browsers record.

/// Which kind of sound these bytes begin, of those that are played.
pub(super) fn kind(first: &[u8]) -> Option<&'static str> {
    let at = |place: usize, bytes: &[u8]| first.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    // RFC 7845 §3: a page that begins a stream, and the packet in it.
    if at(0, b"OggS\0\x02") && at(28, b"OpusHead") {
        return Some("audio/ogg");
    }
    // EBML (RFC 8794) whose head says the document is WebM.
    if at(0, b"\x1a\x45\xdf\xa3") && first.iter().take(64).copied().collect::<Vec<_>>().windows(7).any(is_webm) {
        return Some("audio/webm");
    }
    // ISO/IEC 14496-12 §4.3: the first box says the file's type.
    if at(4, b"ftyp") {
        return Some("audio/mp4");
    }
    None
}

/// DocType, four bytes long, "webm".
fn is_webm(bytes: &[u8]) -> bool {
    bytes == b"\x42\x82\x84webm"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_browsers_record_is_sound() {
        let ogg = [b"OggS\0\x02", &[0; 21][..], b"\x13OpusHead\x01"].concat();
        let webm = [b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", &[0; 40][..]].concat();
        assert_eq!(kind(&ogg), Some("audio/ogg"));
        assert_eq!(kind(&webm), Some("audio/webm"));
        assert_eq!(kind(b"\0\0\0\x1cftypiso5\0\0"), Some("audio/mp4"));
        let matroska = [b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", &[0; 40][..]].concat();
        for other in
            [&matroska, &ogg[..30], &webm[..10], b"<svg/>", b"RIFF\0\0\0\0WAVE", b"ID3\x03", b"", b"OggS\0\x02"]
        {
            assert_eq!(kind(other), None, "{other:?}");
        }
        let other_stream = [b"OggS\0\x02", &[0; 22][..], b"\x80theora"].concat();
        assert_eq!(kind(&other_stream), None);
    }
}
