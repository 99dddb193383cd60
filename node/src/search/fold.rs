//! Letters as they are compared: without case, accents and forms. What folds to the same is the same to a search.

use unicode_normalization::UnicodeNormalization;

/// A text as it is compared, and where each of its characters came from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Folded {
    /// Blanks are single spaces, accents are gone, capitals are small.
    pub(crate) text: String,
    /// For each byte of `text`, where in the original the character begins that it came from; at the end its length.
    from: Vec<usize>,
}

impl Folded {
    pub(crate) fn new(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut from = Vec::with_capacity(original.len() + 1);
        for (at, c) in original.char_indices() {
            for c in std::iter::once(c).nfkd().flat_map(letters) {
                // Runs of blanks, and what can't be seen between them, are one blank.
                if c == ' ' && text.ends_with(' ') {
                    continue;
                }
                text.push(c);
                from.resize(text.len(), at);
            }
        }
        from.push(original.len());
        Self { text, from }
    }

    /// The part of the original that a part of the folded text came from, both in bytes.
    pub(crate) fn original(&self, start: usize, end: usize) -> (usize, usize) {
        let of = |at: usize| self.from.get(at).or(self.from.last()).copied().unwrap_or(0);
        // The last character reaches to where the next one, in the original, begins.
        let last = of(end.saturating_sub(1));
        let next = self.from.get(end..).unwrap_or_default().iter().find(|at| **at > last);
        (of(start), next.or(self.from.last()).copied().unwrap_or(last))
    }
}

/// A text as it is compared.
pub(crate) fn fold(original: &str) -> String {
    Folded::new(original).text
}

/// What a decomposed character is compared as. Capitals first: ß and SS, ς and σ are the same.
fn letters(c: char) -> impl Iterator<Item = char> {
    let dropped = matches!(c, '\u{300}'..='\u{36f}');
    let blank = c.is_whitespace() || c.is_control();
    let one = (!dropped).then_some(if blank { ' ' } else { c });
    one.into_iter().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_forms_do_not_count() {
        for (a, b) in [
            ("ÉCOLE", "ecole"),
            ("e\u{301}cole", "école"),
            ("Straße", "STRASSE"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("ﬁn", "FIN"),
            ("ｆｕｌｌ", "full"),
            ("İstanbul", "istanbul"),
            ("Ёлка", "елка"),
            ("a \n\u{a0}\t b", "a b"),
            ("nul\0l", "nul l"),
        ] {
            assert_eq!(fold(a), fold(b), "{a:?}");
        }
        for (a, b) in [("か", "が"), ("木", "本"), ("कि", "कु"), ("o", "0")] {
            assert_ne!(fold(a), fold(b), "{a:?}");
        }
    }

    #[test]
    fn a_part_is_found_back_in_the_original() {
        for (text, word, part) in [
            ("Die Straße.", "strasse", "Straße"),
            ("Die Straße.", "as", "aß"),
            ("die e\u{301}cole!", "ecole", "e\u{301}cole"),
            ("a   b c", "a b", "a   b"),
            ("das ﬁnale", "i", "ﬁ"),
            ("한국어", "하", "한"),
            ("x", "x", "x"),
        ] {
            let (folded, word) = (Folded::new(text), fold(word));
            let start = folded.text.find(&word).expect(text);
            let (from, to) = folded.original(start, start + word.len());
            assert_eq!(&text[from..to], part, "{text}");
        }
    }
}
