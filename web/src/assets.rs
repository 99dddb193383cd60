//! The front end, as `build.rs` put it into the program.

/// A file of the front end.
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    /// Its media type.
    pub(crate) kind: &'static str,
    pub(crate) etag: &'static str,
    pub(crate) bytes: &'static [u8],
}

impl Asset {
    /// Whether its name changes with its content, so that a browser may keep it for ever.
    pub(crate) fn immutable(&self) -> bool {
        self.path.starts_with("/assets/")
    }
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The file at a path.
pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|a| a.path == path)
}

/// The page, with `nonce` in the places that wait for one.
pub(crate) fn page(nonce: &str) -> String {
    INDEX.replace("__CSP_NONCE__", nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses in a text, namespaces of XML aside.
    fn foreign(text: &str) -> Vec<&str> {
        let starts = text.match_indices("http").map(|(i, _)| &text[i..]);
        starts
            .filter(|t| t.starts_with("http://") || t.starts_with("https://"))
            .filter(|t| !t.starts_with("http://www.w3.org/"))
            .map(|t| t.split(['"', '\'', '`', ' ', ')']).next().unwrap_or(t))
            .collect()
    }

    #[test]
    fn seed_b19_nothing_in_the_front_end_names_another_origin() {
        assert_eq!(foreign("a https://cdn.example/x.js b"), ["https://cdn.example/x.js"], "control");
        for asset in ASSETS {
            let text = String::from_utf8_lossy(asset.bytes);
            assert_eq!(foreign(&text), Vec::<&str>::new(), "{}", asset.path);
        }
        assert_eq!(foreign(INDEX), Vec::<&str>::new());
        assert!(!INDEX.contains("//"), "an address without a scheme");
    }

    #[test]
    fn the_page_has_no_script_or_style_of_its_own() {
        let page = page("N0NCE");
        assert!(!page.contains("__CSP_NONCE__"));
        assert!(!page.contains("<style"));
        for script in page.match_indices("<script").map(|(i, _)| &page[i..]) {
            assert!(script.contains("></script>"), "only scripts with a source");
        }
    }
}
