//! Looks for texts that must not be somewhere, in the forms in which they could hide (P2).

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

use aho_corasick::AhoCorasick;
use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

/// Canaries and every form to look for.
#[derive(Debug)]
pub struct Canaries {
    search: AhoCorasick,
    /// The canary that each pattern stands for.
    of: Vec<String>,
}

impl Canaries {
    /// Raw UTF-8, UTF-16 (both ends), hex (both cases), base32 and base64 (both alphabets, every alignment).
    ///
    /// # Panics
    /// When a canary is shorter than six bytes: it would be found by chance.
    #[must_use]
    pub fn new(canaries: &[String]) -> Self {
        Self::with_keys(canaries, &[])
    }

    /// The same, and secrets that are bytes, each with a name to report it by.
    ///
    /// # Panics
    /// When one is shorter than six bytes.
    #[must_use]
    pub fn with_keys(canaries: &[String], keys: &[(String, Vec<u8>)]) -> Self {
        let (mut patterns, mut of) = (Vec::new(), Vec::new());
        let mut add = |name: &String, forms: Vec<Vec<u8>>| {
            of.extend(std::iter::repeat_n(name.clone(), forms.len()));
            patterns.extend(forms);
        };
        for canary in canaries {
            assert!(canary.len() >= 6, "{canary:?} would be found by chance");
            add(canary, wide(canary));
            add(canary, forms(canary.as_bytes()));
        }
        for (name, key) in keys {
            assert!(key.len() >= 6, "{name} would be found by chance");
            add(name, forms(key));
        }
        Self { search: AhoCorasick::new(&patterns).expect("patterns"), of }
    }

    /// Which of them stand in `bytes`.
    #[must_use]
    pub fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<&str> {
        self.spans(bytes).map(|(name, _)| name).collect()
    }

    /// The same, with where each stands.
    pub fn spans(&self, bytes: &[u8]) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.search.find_overlapping_iter(bytes).map(|m| (self.of[m.pattern().as_usize()].as_str(), m.range()))
    }

    /// Which of them stand in files under `folder`, as (file, canary), and how many bytes were read.
    ///
    /// # Panics
    /// When a file can't be read.
    #[must_use]
    pub fn in_files(&self, folder: &Path) -> (Vec<(String, String)>, u64) {
        let (mut found, mut read) = (Vec::new(), 0);
        for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                let (more, bytes) = self.in_files(&path);
                found.extend(more);
                read += bytes;
            } else if path.is_file() {
                let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                read += bytes.len() as u64;
                found.extend(self.in_bytes(&bytes).into_iter().map(|c| (path.display().to_string(), c.to_owned())));
            }
        }
        (found, read)
    }
}

/// UTF-16, both ends.
fn wide(canary: &str) -> Vec<Vec<u8>> {
    let wide: Vec<u16> = canary.encode_utf16().collect();
    let bytes = |f: fn(u16) -> [u8; 2]| wide.iter().flat_map(|c| f(*c)).collect();
    vec![bytes(u16::to_le_bytes), bytes(u16::to_be_bytes)]
}

fn forms(raw: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![
        raw.to_vec(),
        HEXLOWER.encode(raw).into_bytes(),
        HEXUPPER.encode(raw).into_bytes(),
        BASE32_NOPAD.encode(raw).into_bytes(),
    ];
    // In the middle of something longer, only whole groups of base64 are certain: drop what neighbours decide.
    for skip in 0..3 {
        let inner = &raw[skip..];
        let whole = &inner[..inner.len() - inner.len() % 3];
        if whole.len() >= 6 {
            forms.push(BASE64_NOPAD.encode(whole).into_bytes());
            forms.push(BASE64URL_NOPAD.encode(whole).into_bytes());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_form_and_nothing_else() {
        let canary = "canary-7f3a".to_owned();
        let c = Canaries::new(std::slice::from_ref(&canary));
        let framed = |form: &[u8]| [b"....", form, b"...."].concat();
        for form in forms(canary.as_bytes()).into_iter().chain(wide(&canary)) {
            assert_eq!(c.in_bytes(&framed(&form)).len(), 1, "{form:?}");
        }
        for at in 0..3 {
            let text = format!("{}{canary}{}", "x".repeat(at), "y".repeat(5));
            assert_eq!(c.in_bytes(&framed(BASE64_NOPAD.encode(text.as_bytes()).as_bytes())).len(), 1);
        }
        assert!(c.in_bytes(b"canary-7f3b and other birds").is_empty());
    }
}
