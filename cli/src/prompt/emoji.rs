//! `:smile:` becomes 😄.

/// Replaces every known shortcode.
#[must_use]
pub fn expand(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(':') {
        out.push_str(&rest[..at]);
        let code = &rest[at + 1..];
        let end = code.find(|c| !is_code(c)).unwrap_or(code.len());
        match emojis::get_by_shortcode(&code[..end]).filter(|_| code[end..].starts_with(':')) {
            Some(emoji) => {
                out.push_str(emoji.as_str());
                rest = &code[end + 1..];
            }
            None => {
                out.push(':');
                rest = code;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Shortcodes that begin with `start`, with their emoji; the shortest first.
#[must_use]
pub fn beginning_with(start: &str) -> Vec<(&'static str, &'static str)> {
    let mut found: Vec<(&str, &str)> = emojis::iter()
        .flat_map(|e| e.shortcodes().map(move |code| (code, e.as_str())))
        .filter(|(code, _)| code.starts_with(start))
        .collect();
    found.sort_by_key(|(code, _)| (code.len(), *code));
    found
}

/// Whether `c` can be part of a shortcode.
#[must_use]
pub fn is_code(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_are_replaced_and_nothing_else() {
        assert_eq!(expand(":smile: :+1: ok"), "😄 👍 ok");
        assert_eq!(expand(":smile::heart:"), "😄❤️");
        for same in ["at 10:30:15", "https://x:80/a:b", ":nosuchcode:", "a : b :", "::", ":smile"] {
            assert_eq!(expand(same), same);
        }
    }

    #[test]
    fn codes_are_found_by_their_beginning() {
        let found = beginning_with("smil");
        assert!(found.iter().any(|(code, emoji)| *code == "smile" && *emoji == "😄"), "{found:?}");
        assert!(found.iter().all(|(code, _)| code.starts_with("smil")));
    }
}
