//! Completion, hints and signs of life for rustyline.

use std::borrow::Cow;
use std::sync::Arc;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::arguments::{Listed, arguments, people};
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

/// What there is to complete from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Contacts.
    pub names: Vec<String>,
    /// Titles of groups.
    pub groups: Vec<String>,
    /// Numbers of messages that the conversation in the prompt showed lately, latest first.
    pub messages: Vec<u64>,
    /// Lengths of the lists that were shown last.
    pub listed: Listed,
}

/// Where the word to complete starts, and what could stand there: `(start, [(shown, inserted)])`.
#[must_use]
pub fn candidates(line: &str, pos: usize, known: &Known) -> (usize, Vec<(String, String)>) {
    let before = line.get(..pos).unwrap_or_default();
    let start =
        before.rfind(char::is_whitespace).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let word = &before[start..];
    let words: Vec<&str> = before[..start].split_whitespace().collect();
    let Some((command, words)) = words.split_first() else { return (start, first(word, known)) };
    if let Some(typed) = word.strip_prefix("from:").filter(|_| *command == "/search") {
        let found = known.names.iter().filter(|n| n.starts_with(&typed.to_lowercase()));
        return (start, found.map(|n| (n.clone(), format!("from:{n} "))).collect());
    }
    if let Some(colon) = word.rfind(':') {
        let code = &word[colon + 1..];
        let opens = word[..colon].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        if opens && code.len() >= 2 && code.chars().all(emoji::is_code) {
            return (start + colon, emojis(code));
        }
    }
    let mut found = Vec::new();
    for argument in arguments(command, words) {
        let (from, more) = argument.candidates(before, start, known);
        if !more.is_empty() {
            // Paths have blanks: they may begin before the last word, and then nothing else can stand there.
            if from < start {
                return (from, more);
            }
            found.extend(more);
        }
    }
    (start, found)
}

/// Commands, somebody to talk to, emoji.
fn first(word: &str, known: &Known) -> Vec<(String, String)> {
    if word.starts_with('/') && !word.starts_with("//") {
        let found = COMMANDS.iter().filter(|(name, ..)| name.starts_with(word));
        let pair = |(name, needs, what): &(&str, &str, &str)| {
            let blank = if needs.is_empty() { "" } else { " " };
            (format!("{name:<10} {what}"), format!("{name}{blank}"))
        };
        return found.map(pair).collect();
    }
    if word.starts_with('@') {
        return people(word, "@", &known.names);
    }
    match word.strip_prefix(':') {
        Some(code) if code.len() >= 2 && code.chars().all(emoji::is_code) => emojis(code),
        _ => Vec::new(),
    }
}

fn emojis(code: &str) -> Vec<(String, String)> {
    let found = emoji::beginning_with(code).into_iter().take(OFFERED);
    found.map(|(code, e)| (format!("{e} :{code}:"), e.to_owned())).collect()
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = candidates(line, pos, &self.face.known());
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

    fn known() -> Known {
        Known {
            names: ["bob", "bobby", "zoë"].map(str::to_owned).to_vec(),
            groups: vec!["Bergfahrt".to_owned()],
            messages: vec![17, 16, 3],
            listed: Listed { devices: 2, sessions: 3, links: 2, transfers: 1 },
        }
    }

    fn inserted(line: &str) -> Vec<String> {
        candidates(line, line.len(), &known()).1.into_iter().map(|(_, i)| i).collect()
    }

    #[test]
    fn commands_names_and_emoji_complete() {
        assert_eq!(inserted("/ad"), ["/add "]);
        assert_eq!(inserted("/s"), ["/search ", "/save ", "/safety ", "/status", "/signup", "/sessions "]);
        assert_eq!(inserted("/search x from:b"), ["from:bob ", "from:bobby "]);
        assert_eq!(inserted("/authenticator r"), ["remove "]);
        assert_eq!(inserted("/devices a"), ["add "]);
        assert_eq!(inserted("/group be"), ["Bergfahrt "]);
        assert_eq!(inserted("/kick b"), ["bob ", "bobby "]);
        assert_eq!(inserted("/role bob a"), ["admin "]);
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
        // Positions inside a character can't happen, but must not panic.
        assert_eq!(candidates("ä", 1, &known()).1, []);
    }

    /// What stands for something that nobody else can know: what is to be said, looked for, called, or was given by hand.
    const FREE: [(&str, &str); 8] = [
        ("/search", "WORDS"),
        ("/reply", "TEXT"),
        ("/edit", "TEXT"),
        ("/title", "TEXT"),
        ("/join", "LINK"),
        ("/verify", "CODE"),
        ("/devices", "CODE"),
        ("/rename", "NAME"),
    ];

    /// Everything that Tab can bring behind a command, however many words follow.
    fn reachable(line: &str, depth: usize, found: &mut std::collections::BTreeSet<String>) {
        for next in inserted(line) {
            let longer = format!("{}{next}", &line[..line.rfind(' ').map_or(0, |at| at + 1)]);
            found.insert(next.trim().to_owned());
            if depth > 0 && longer.ends_with(' ') {
                reachable(&longer, depth - 1, found);
            }
        }
        // Something that is typed by hand, and what may follow it.
        if depth > 0 {
            reachable(&format!("{line}ABCD "), depth - 1, found);
        }
    }

    /// What `/help` says a command takes is what Tab brings: a new command, or a new argument of an old one, has to come
    /// here or be named as free.
    #[test]
    fn every_argument_of_every_command_completes() {
        let mut free = FREE.to_vec();
        for (command, usage, _) in COMMANDS {
            assert_eq!(inserted(&command[..command.len() - 1]).iter().filter(|c| c.trim() == *command).count(), 1);
            let mut found = std::collections::BTreeSet::new();
            reachable(&format!("{command} "), 2, &mut found);
            for argument in usage.split(|c: char| c.is_whitespace() || "[]|".contains(c)).filter(|a| !a.is_empty()) {
                let wanted = match (*command, argument) {
                    (c, a) if FREE.contains(&(c, a)) => {
                        free.retain(|f| *f != (c, a));
                        continue;
                    }
                    (_, "NAME") => "bob",
                    (_, "TITLE") => "Bergfahrt",
                    (_, "#N") => "#17",
                    (_, "SPAN") => "1h",
                    ("/history", "N") => "100",
                    ("/link", "N") => "10",
                    ("/sessions", "N") => "3",
                    ("/devices" | "/unlink", "N") => "2",
                    ("/files", "N") => "1",
                    ("/file", "PATH") | ("/save", "PLACE") => "src/",
                    ("/react", "EMOJI") => "👍",
                    (_, word) if word.chars().all(|c| c.is_lowercase() || c == '-') => word,
                    other => panic!("{other:?} is no argument that anybody completes"),
                };
                assert!(found.contains(wanted), "{command}: {argument} doesn't bring {wanted}: {found:?}");
            }
            assert!(
                usage.is_empty() == found.is_empty() || FREE.iter().any(|(c, _)| c == command),
                "{command}: {found:?}"
            );
        }
        assert_eq!(free, [], "free, but of no command");
    }

    #[test]
    fn numbers_and_words_stand_where_they_belong() {
        assert_eq!(inserted("/reply #1"), ["#17 ", "#16 "]);
        assert_eq!(inserted("/delete #17 h"), ["here "]);
        assert_eq!(inserted("/reply #17 b"), [""; 0], "what is said is left alone");
        assert_eq!(inserted("/devices give "), ["1 ", "2 "]);
        assert_eq!(inserted("/vault lock "), ["30s ", "5m ", "1h ", "1d ", "1w ", "off "]);
        assert_eq!(inserted("/group new Berge @b"), ["@bob ", "@bobby "]);
        assert_eq!(inserted("/export here "), ["files "]);
        assert_eq!(inserted("/verify bob s"), ["same "]);
        assert_eq!(inserted("/react #17 :unicor"), ["🦄"]);
        assert_eq!(inserted("/kick bob "), [""; 0]);
    }

    #[test]
    fn paths_are_completed_with_their_blanks() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["my photo.jpg", "my plan.txt", ".hidden", "evil\u{1b}[2J"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("my pictures")).unwrap();
        let at = dir.path().display();
        let offered = |typed: &str| {
            let line = format!("{typed}{at}/my p");
            let (start, found) = candidates(&line, line.len(), &known());
            assert_eq!(start, typed.len());
            found.into_iter().map(|(_, i)| i).collect::<Vec<_>>()
        };
        let all = ["my photo.jpg", "my pictures/", "my plan.txt"].map(|name| format!("{at}/{name}"));
        assert_eq!(offered("/file "), all);
        assert_eq!(offered("/file as-is "), all);
        assert_eq!(offered("/save #17 "), all);
        let line = format!("/file {at}/");
        assert_eq!(
            candidates(&line, line.len(), &known()).1.len(),
            3,
            "nothing hidden, and nothing that can't be typed"
        );
    }
}
