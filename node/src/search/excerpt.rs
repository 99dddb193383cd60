//! The part of a text that shows why it was found.

use super::fold::Folded;
use crate::api::Piece;
use crate::limits;

/// Cuts a text around the first of the words that were found in it, and marks all of them.
pub(crate) fn excerpt(text: &str, words: &[String]) -> Vec<Piece> {
    let hits = hits(text, words);
    let first = hits.first().map_or(0, |(start, _)| *start);
    // The first hit stands in the first third, so that it is seen in a narrow line too.
    let from = back(text, first, limits::EXCERPT / 3);
    let to = on(text, from, limits::EXCERPT);
    let mut pieces = Vec::new();
    let mut add = |text: &str, hit| {
        if !text.is_empty() {
            pieces.push(Piece { text: text.to_owned(), hit });
        }
    };
    add(if from > 0 { "…" } else { "" }, false);
    let mut at = from;
    for (start, end) in hits {
        let (start, end) = (start.clamp(at, to), end.clamp(at, to));
        add(&text[at..start], false);
        add(&text[start..end], true);
        at = end;
    }
    add(&text[at..to], false);
    add(if to < text.len() { "…" } else { "" }, false);
    pieces
}

/// Where the words stand, in order and without overlaps, in bytes of the text.
fn hits(text: &str, words: &[String]) -> Vec<(usize, usize)> {
    let folded = Folded::new(text);
    let mut all: Vec<_> = words
        .iter()
        .filter(|word| !word.is_empty())
        .flat_map(|word| {
            folded.text.match_indices(word.as_str()).map(|(at, found)| folded.original(at, at + found.len()))
        })
        .collect();
    all.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (start, end) in all {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// At most `characters` before a place, preferably from the beginning of a word on.
fn back(text: &str, at: usize, characters: usize) -> usize {
    let before = &text[..at];
    let Some((start, _)) = before.char_indices().rev().take(characters).last() else { return at };
    if start == 0 {
        return 0;
    }
    before[start..].find(char::is_whitespace).map_or(start, |blank| {
        let rest = &before[start + blank..];
        at - rest.trim_start().len()
    })
}

/// At most `characters` after a place.
fn on(text: &str, at: usize, characters: usize) -> usize {
    text[at..].char_indices().nth(characters).map_or(text.len(), |(end, _)| at + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, words: &[&str]) -> String {
        let words: Vec<_> = words.iter().map(|w| (*w).to_owned()).collect();
        let mark = |p: Piece| if p.hit { format!("[{}]", p.text) } else { p.text };
        excerpt(text, &words).into_iter().map(mark).collect()
    }

    #[test]
    fn hits_are_marked_where_they_stand() {
        assert_eq!(shown("Grüße aus Wien", &["wien", "gru"]), "[Grü]ße aus [Wien]");
        assert_eq!(shown("aaaa", &["aa"]), "[aaaa]");
        assert_eq!(shown("Straße", &["as", "ss"]), "Str[aß]e");
        assert_eq!(shown("nothing", &["x"]), "nothing");
        assert_eq!(shown("", &["x"]), "");
        assert_eq!(shown("nothing", &[]), "nothing");
    }

    #[test]
    fn long_texts_are_cut_around_the_first_hit() {
        let text = format!("{}the needle{}", "hay ".repeat(200), " straw".repeat(200));
        let cut = shown(&text, &["needle"]);
        assert!(cut.starts_with("…hay ") && cut.contains("the [needle] straw") && cut.ends_with('…'), "{cut}");
        assert!(cut.chars().count() <= limits::EXCERPT + 4);
        let unbroken = "木".repeat(500);
        assert_eq!(shown(&unbroken, &["本"]), format!("{}…", "木".repeat(limits::EXCERPT)));
        let late = format!("{}本", "木".repeat(500));
        assert_eq!(shown(&late, &["本"]), format!("…{}[本]", "木".repeat(limits::EXCERPT / 3)));
    }
}
