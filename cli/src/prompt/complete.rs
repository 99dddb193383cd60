//! Completion, hints and signs of life for rustyline.

use std::borrow::Cow;
use std::sync::Arc;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::command::COMMANDS;
use super::emoji;
use super::face::Face;
use crate::style::Ink;
use crate::text;

/// Emoji offered at once: more scroll the chat away.
const OFFERED: usize = 30;

/// What rustyline asks while a line is typed.
#[derive(Debug)]
pub struct Assistant {
    face: Arc<Face>,
}

impl Assistant {
    /// Completes from what the face knows.
    #[must_use]
    pub fn new(face: Arc<Face>) -> Self {
        Self { face }
    }
}

/// Where the word to complete starts, and what could stand there: `(start, [(shown, inserted)])`.
#[must_use]
pub fn candidates(line: &str, pos: usize, names: &[String], groups: &[String]) -> (usize, Vec<(String, String)>) {
    let before = line.get(..pos).unwrap_or_default();
    let start =
        before.rfind(char::is_whitespace).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let word = &before[start..];
    let first = before[..start].trim().is_empty();
    if first && word.starts_with('/') && !word.starts_with("//") {
        let found = COMMANDS.iter().filter(|(name, ..)| name.starts_with(word));
        let pairs = found.map(|(name, needs, what)| {
            let blank = if needs.is_empty() { "" } else { " " };
            (format!("{name:<10} {what}"), format!("{name}{blank}"))
        });
        return (start, pairs.collect());
    }
    if before[..start].trim() == "/authenticator" {
        let found = ["add", "remove"].into_iter().filter(|w| w.starts_with(word));
        return (start, found.map(|w| (w.to_owned(), w.to_owned())).collect());
    }
    if before[..start].trim() == "/devices" {
        let found = ["add", "give", "remove"].into_iter().filter(|w| w.starts_with(word));
        return (start, found.map(|w| (w.to_owned(), format!("{w} "))).collect());
    }
    if before[..start].trim() == "/passphrase" {
        let found = ["set", "remove"].into_iter().filter(|w| w.starts_with(word));
        return (start, found.map(|w| (w.to_owned(), w.to_owned())).collect());
    }
    if before[..start].trim() == "/phrase" && "check".starts_with(word) {
        return (start, vec![("check".to_owned(), "check".to_owned())]);
    }
    if before[..start].trim_end() == "/group" {
        let typed = word.to_lowercase();
        let found = groups.iter().filter(|g| g.to_lowercase().starts_with(&typed));
        return (start, found.map(|g| (g.clone(), g.clone())).collect());
    }
    if before[..start].split_whitespace().count() == 2 && before.trim_start().starts_with("/role ") {
        let found = ["owner", "admin", "member"].into_iter().filter(|w| w.starts_with(word));
        return (start, found.map(|w| (w.to_owned(), w.to_owned())).collect());
    }
    let takes_name = matches!(
        before.split_whitespace().next(),
        Some("/add" | "/safety" | "/accept" | "/block" | "/unblock" | "/invite" | "/kick" | "/role" | "/verify")
    ) && !first;
    if (first && word.starts_with('@')) || takes_name {
        let typed = word.trim_start_matches('@').to_lowercase();
        let at = if takes_name { "" } else { "@" };
        let found = names.iter().filter(|n| n.to_lowercase().starts_with(&typed));
        return (start, found.map(|n| (n.clone(), format!("{at}{n} "))).collect());
    }
    if let Some(typed) = word.strip_prefix("from:").filter(|_| before.trim_start().starts_with("/search ")) {
        let found = names.iter().filter(|n| n.starts_with(&typed.to_lowercase()));
        return (start, found.map(|n| (n.clone(), format!("from:{n} "))).collect());
    }
    if let Some(colon) = word.rfind(':') {
        let code = &word[colon + 1..];
        let opens = word[..colon].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        if opens && code.len() >= 2 && code.chars().all(emoji::is_code) {
            let found = emoji::beginning_with(code).into_iter().take(OFFERED);
            return (start + colon, found.map(|(code, e)| (format!("{e} :{code}:"), e.to_owned())).collect());
        }
    }
    (start, Vec::new())
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = candidates(line, pos, &self.face.names(), &self.face.group_titles());
        let pairs = found.into_iter().map(|(display, replacement)| Pair { display: text::word(&display), replacement });
        Ok((start, pairs.collect()))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    /// Called with every key: somebody is there and has what is on the screen before their eyes.
    fn hint(&self, _: &str, _: usize, _: &Context<'_>) -> Option<String> {
        self.face.somebody_is_there();
        None
    }
}

impl Highlighter for Assistant {
    fn highlight_candidate<'c>(&self, candidate: &'c str, _: rustyline::CompletionType) -> Cow<'c, str> {
        match candidate.split_once(char::is_whitespace) {
            Some((first, rest)) => format!("{first} {}", self.face.style().paint(Ink::Quiet, rest)).into(),
            None => candidate.into(),
        }
    }
}

impl Validator for Assistant {}
impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::*;

    fn inserted(line: &str) -> Vec<String> {
        let names = ["bob".to_owned(), "bobby".to_owned(), "zoë".to_owned()];
        candidates(line, line.len(), &names, &["Bergfahrt".to_owned()]).1.into_iter().map(|(_, i)| i).collect()
    }

    #[test]
    fn commands_names_and_emoji_complete() {
        assert_eq!(inserted("/ad"), ["/add "]);
        assert_eq!(inserted("/s"), ["/search ", "/save ", "/safety ", "/status", "/signup", "/sessions "]);
        assert_eq!(inserted("/search x from:b"), ["from:bob ", "from:bobby "]);
        assert_eq!(inserted("/authenticator r"), ["remove"]);
        assert_eq!(inserted("/devices a"), ["add "]);
        assert_eq!(inserted("/group be"), ["Bergfahrt"]);
        assert_eq!(inserted("/kick b"), ["bob ", "bobby "]);
        assert_eq!(inserted("/role bob a"), ["admin"]);
        assert_eq!(inserted("/re"), ["/reply ", "/react ", "/recovery", "/rename "]);
        assert_eq!(inserted("/block b"), ["bob ", "bobby "]);
        assert_eq!(inserted("/react :unicor"), ["🦄"]);
        assert_eq!(inserted("@bo"), ["@bob ", "@bobby "]);
        assert_eq!(inserted("@Z"), ["@zoë "]);
        assert_eq!(inserted("/safety b"), ["bob ", "bobby "]);
        assert!(inserted("nice :smil").contains(&"😄".to_owned()));
        assert_eq!(inserted(":unicor"), ["🦄"]);
    }

    #[test]
    fn plain_words_are_left_alone() {
        for line in ["", "hello", "mail @bo", "10:30", "http://x", "a :s", "//ad"] {
            assert_eq!(inserted(line), [""; 0], "{line:?}");
        }
        let names = ["ä".to_owned()];
        // Positions inside a character can't happen, but must not panic.
        assert_eq!(candidates("ä", 1, &names, &[]).1, []);
    }
}
