//! What is typed into a search field: words, phrases, and what narrows them down.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::fold::fold;
use crate::api::{Error, ErrorCode};
use crate::limits;

/// A question, understood. Everything in it must be true of a message.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Query {
    /// Folded; each stands somewhere in the text.
    pub(crate) words: Vec<String>,
    /// Folded beginnings of names; the author's is one of them.
    pub(crate) from: Vec<String>,
    /// Unix milliseconds: it came in at this time or later, …
    pub(crate) after: Option<u64>,
    /// … and before this one.
    pub(crate) before: Option<u64>,
}

impl Query {
    pub(crate) fn parse(typed: &str, zone: &TimeZone) -> Result<Self, Error> {
        let mut query = Self::default();
        for token in tokens(typed) {
            let (key, value) = match &token {
                Token::Phrase(_) => ("", ""),
                Token::Word(word) => word.split_once(':').unwrap_or(("", "")),
            };
            match key.to_ascii_lowercase().as_str() {
                "from" if !value.is_empty() => query.from.push(fold(value.trim_start_matches('@'))),
                // Several narrow further down.
                "after" if !value.is_empty() => query.after = query.after.max(Some(beginning(value, zone)?)),
                "before" if !value.is_empty() => {
                    let then = beginning(value, zone)?;
                    query.before = Some(query.before.map_or(then, |b| b.min(then)));
                }
                _ => {
                    let (Token::Word(text) | Token::Phrase(text)) = token;
                    let word = fold(text).trim().to_owned();
                    if !word.is_empty() && !query.words.contains(&word) {
                        query.words.push(word);
                    }
                }
            }
        }
        if query.words.len() > limits::SEARCH_WORDS || query.from.len() > limits::SEARCH_WORDS {
            let message = format!("A search takes at most {} words.", limits::SEARCH_WORDS);
            return Err(Error::new(ErrorCode::BadText, message, "Leave some out."));
        }
        Ok(query)
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

enum Token<'a> {
    Word(&'a str),
    Phrase(&'a str),
}

/// Words between blanks, phrases between quotes; a quote that never closes reaches to the end.
fn tokens(typed: &str) -> Vec<Token<'_>> {
    const QUOTES: [char; 5] = ['"', '“', '”', '„', '«'];
    const CLOSING: [char; 4] = ['"', '“', '”', '»'];
    let mut found = Vec::new();
    let mut rest = typed.trim_start();
    while let Some(first) = rest.chars().next() {
        if QUOTES.contains(&first) {
            let inside = &rest[first.len_utf8()..];
            let end = inside.find(CLOSING).unwrap_or(inside.len());
            found.push(Token::Phrase(&inside[..end]));
            rest = inside[end..].trim_start_matches(|c: char| CLOSING.contains(&c));
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            found.push(Token::Word(&rest[..end]));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    found
}

/// The first moment of a day, month or year, in Unix milliseconds.
fn beginning(value: &str, zone: &TimeZone) -> Result<u64, Error> {
    let mut parts = value.split('-');
    let mut number = |digits| match parts.next() {
        None => Some(1),
        Some(part) if part.len() <= digits && part.bytes().all(|b| b.is_ascii_digit()) => part.parse::<i16>().ok(),
        Some(_) => None,
    };
    let day = || {
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    let instant = Some(day).filter(|_| value.matches('-').count() <= 2).and_then(|mut day| {
        let then = day()?.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond();
        Some(u64::try_from(then).unwrap_or(0))
    });
    instant.ok_or_else(|| {
        let message = format!("{value} is no date.");
        Error::new(ErrorCode::BadText, message, "Write a day, a month or a year, such as after:2026-03-01.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> Query {
        Query::parse(typed, &TimeZone::UTC).unwrap()
    }

    #[test]
    fn words_phrases_and_filters() {
        let words = |typed: &str| parse(typed).words;
        assert_eq!(words("  Grüße   aus\tWien "), ["grusse", "aus", "wien"]);
        assert_eq!(words("\"zwei  Wörter\" eins"), ["zwei worter", "eins"]);
        assert_eq!(words("„so auch“ «et ainsi» “offen bis"), ["so auch", "et ainsi", "offen bis"]);
        assert_eq!(words("a\"b \"\" http://x.example from: 12:30"), ["a\"b", "http://x.example", "from:", "12:30"]);
        assert_eq!(words("eins EINS"), ["eins"]);
        assert_eq!(words("\"from:bob\""), ["from:bob"], "a phrase is only itself");
        let query = parse("FROM:@Bob from:zoë after:2026-03-01 before:2026 kuchen");
        assert_eq!((query.words, query.from), (vec!["kuchen".to_owned()], vec!["bob".to_owned(), "zoe".to_owned()]));
        assert_eq!((query.after, query.before), (Some(1_772_323_200_000), Some(1_767_225_600_000)));
        assert_eq!(parse("after:2026-02 after:2026-03-01 before:2026 before:2025-12").before, Some(1_764_547_200_000));
        assert!(parse(" \u{a0} \"\" ").is_empty() && !parse("from:bob").is_empty());
    }

    #[test]
    fn days_begin_where_the_person_is() {
        let vienna = TimeZone::fixed(jiff::tz::offset(2));
        let query = Query::parse("after:2026-03-01", &vienna).unwrap();
        assert_eq!(query.after, Some(1_772_323_200_000 - 2 * 3_600_000));
    }

    #[test]
    fn what_is_no_date_says_so() {
        for bad in ["soon", "2026-13", "2026-02-30", "2026-1-1-1", "-1", "+2026", "99999", "2026-", "２０２６"] {
            let refused = Query::parse(&format!("after:{bad}"), &TimeZone::UTC).unwrap_err();
            assert_eq!(refused.code, ErrorCode::BadText, "{bad}");
            assert!(refused.message.contains(bad));
        }
        assert!(Query::parse(&(0..20).map(|n| format!("w{n} ")).collect::<String>(), &TimeZone::UTC).is_err());
    }
}
