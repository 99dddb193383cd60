//! Names of files: from what somebody chose to what can be shown, and from what is shown to what can be a file here.

use livechat_wire::content::{is_file_name, is_media_type};
use livechat_wire::limits as wire;

use crate::limits;

/// What nothing better is known of.
pub(super) const OCTETS: &str = "application/octet-stream";

/// A name as it can stand in a message: no path, nothing that turns writing round.
pub(super) fn display(raw: &str) -> String {
    let last = raw.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or_default();
    let mut name = String::new();
    for c in last.chars() {
        let c = if is_file_name(c.encode_utf8(&mut [0; 4])) { c } else { '_' };
        if name.len() + c.len_utf8() > wire::FILE_NAME {
            break;
        }
        name.push(c);
    }
    if name.is_empty() { "file".to_owned() } else { name }
}

/// A name for a new file on this device: letters, digits, blanks and `._-()` in any script, not hidden, not an option,
/// not a device, not too long.
pub(crate) fn safe(shown: &str) -> String {
    let keep = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '(' | ')' | ' ');
    let name: String = shown.chars().map(|c| if keep(c) { c } else { '_' }).collect();
    let name = name.trim_start_matches(['.', '-', ' ']).trim_end_matches(['.', ' ']);
    let (stem, ending) = split(name);
    let mut stem = stem.to_owned();
    while stem.len() + ending.len() > limits::SAVE_NAME {
        stem.pop();
    }
    // Windows takes these for devices, whatever follows the first dot.
    let first = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let device = matches!(first.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (first.chars().count() == 4 && (first.starts_with("COM") || first.starts_with("LPT")));
    match (stem.is_empty(), device) {
        (true, _) => format!("file{ending}"),
        (_, true) => format!("_{stem}{ending}"),
        _ => format!("{stem}{ending}"),
    }
}

/// The `n`th name to try: `a.txt`, `a (1).txt` …
pub(crate) fn numbered(name: &str, n: u32) -> String {
    let (stem, ending) = split(name);
    if n == 0 { name.to_owned() } else { format!("{stem} ({n}){ending}") }
}

/// Stem and ending; an ending is short, or it is no ending.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// The media type that somebody said, or that the ending suggests. A hint for whoever gets it, nothing more.
pub(super) fn media(said: Option<&str>, name: &str) -> String {
    let said = said.map(|m| m.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if let Some(said) = said.filter(|m| is_media_type(m)) {
        return said;
    }
    let ending = split(name).1.to_ascii_lowercase();
    let by_ending = match ending.as_str() {
        ".txt" | ".log" => "text/plain",
        ".md" => "text/markdown",
        ".csv" => "text/csv",
        ".json" => "application/json",
        ".pdf" => "application/pdf",
        ".zip" => "application/zip",
        ".gz" | ".tgz" => "application/gzip",
        ".jpg" | ".jpeg" => "image/jpeg",
        ".png" => "image/png",
        ".webp" => "image/webp",
        ".gif" => "image/gif",
        ".svg" => "image/svg+xml",
        ".mp3" => "audio/mpeg",
        ".ogg" | ".oga" | ".opus" => "audio/ogg",
        ".wav" => "audio/wav",
        ".mp4" => "video/mp4",
        ".webm" => "video/webm",
        _ => OCTETS,
    };
    by_ending.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_display_text() {
        for (raw, shown) in [
            ("a.txt", "a.txt"),
            ("/home/me/Grüße.pdf", "Grüße.pdf"),
            ("C:\\Users\\me\\a.txt", "a.txt"),
            ("photo\u{202e}gpj.exe", "photo_gpj.exe"),
            ("a\nb", "a_b"),
            ("../..", ".."),
            ("", "file"),
            ("///", "file"),
        ] {
            assert_eq!(display(raw), shown);
            assert!(is_file_name(&display(raw)));
        }
        assert!(is_file_name(&display(&"ä".repeat(300))));
    }

    #[test]
    fn saved_names_are_harmless() {
        for (shown, saved) in [
            ("a.txt", "a.txt"),
            ("..", "file"),
            (".bashrc", "bashrc"),
            ("-rf", "rf"),
            ("a/b", "a_b"),
            ("~$HOME;rm *", "__HOME_rm _"),
            ("CON", "_CON"),
            ("com1.txt", "_com1.txt"),
            ("LPT³", "_LPT³"),
            ("写真 (2).png", "写真 (2).png"),
            ("trailing. ", "trailing"),
        ] {
            assert_eq!(safe(shown), saved, "{shown}");
        }
        assert!(safe(&format!("{}.pdf", "x".repeat(255))).len() <= limits::SAVE_NAME);
        assert!(safe(&format!("{}.pdf", "x".repeat(255))).ends_with("x.pdf"));
        assert_eq!(numbered("a.tar", 2), "a (2).tar");
        assert_eq!(numbered("a", 1), "a (1)");
    }

    #[test]
    fn media_types_are_hints() {
        assert_eq!(media(Some("text/html; charset=utf-8"), "x"), "text/html");
        assert_eq!(media(Some("nonsense"), "a.PDF"), "application/pdf");
        assert_eq!(media(None, "a"), OCTETS);
    }
}
