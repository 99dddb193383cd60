//! What can stand behind each command, for completion; `/help` says the same in words.

use std::path::Path;

use super::complete::Known;

/// Files offered at once: more scroll the chat away.
const FILES: usize = 50;
/// Emoji that need no code.
const QUICK: [&str; 6] = ["👍", "❤️", "😂", "😮", "😢", "🎉"];
const SPANS: [&str; 5] = ["30s", "5m", "1h", "1d", "1w"];

/// How long the lists were that were shown last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Listed {
    /// By `/devices`.
    pub devices: usize,
    /// By `/sessions`.
    pub sessions: usize,
    /// By `/links`.
    pub links: usize,
    /// By `/files`.
    pub transfers: usize,
}

/// What can stand at a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Argument {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A contact.
    Name,
    /// A contact behind an at-sign.
    AtName,
    /// A group, whose title may have blanks.
    Group,
    /// `#N`: a message.
    Message,
    /// `N`: one of so many in a list.
    Number(fn(&Listed) -> usize),
    /// From here to the end, blanks and all.
    Path {
        /// How many words of the command stand before it.
        behind: usize,
    },
}

/// What can stand behind these words of a command.
pub(super) fn arguments(command: &str, words: &[&str]) -> Vec<Argument> {
    use Argument::{AtName, Group, Message, Name, Number, Path, Words};
    let numbered = words.first().is_some_and(|w| w.starts_with('#'));
    match (command, words) {
        ("/add" | "/safety" | "/accept" | "/block" | "/unblock" | "/invite" | "/kick" | "/role" | "/verify", []) => {
            vec![Name]
        }
        ("/role", [_]) => vec![Words(&["owner", "admin", "member"])],
        ("/verify", [_]) => vec![Words(&["same", "undo"])],
        ("/history", []) => vec![Message, Words(&["20", "100"])],
        ("/search", []) => vec![Words(&["here"])],
        ("/export", []) => vec![Words(&["here", "files"])],
        ("/export", ["here"]) => vec![Words(&["files"])],
        ("/reply" | "/edit", []) => vec![Message],
        ("/delete", []) => vec![Message, Words(&["here"])],
        ("/delete", [_]) if numbered => vec![Words(&["here"])],
        ("/react", []) => vec![Message, Words(&QUICK)],
        ("/react", [_]) if numbered => vec![Words(&QUICK)],
        ("/file", ["as-is", ..]) => vec![Path { behind: 1 }],
        ("/file", []) => vec![Words(&["as-is"]), Path { behind: 0 }],
        ("/save", []) => vec![Message, Path { behind: 0 }],
        ("/save", _) if numbered => vec![Path { behind: 1 }],
        ("/file" | "/save", _) => vec![Path { behind: 0 }],
        ("/files", []) => vec![Words(&["stop", "direct"])],
        ("/files", ["stop"]) => vec![Number(|listed| listed.transfers)],
        ("/files", ["direct"]) | ("/vault", ["stay"]) => vec![Words(&["yes", "no"])],
        ("/timer", []) | ("/vault", ["lock"]) => vec![Words(&SPANS), Words(&["off"])],
        ("/group", []) => vec![Group, Words(&["new"])],
        ("/group", ["new", _, ..]) => vec![AtName],
        ("/link", []) => vec![Words(&SPANS[2..]), Words(&["1", "10"])],
        ("/link", [_]) => vec![Words(&["1", "10"])],
        ("/unlink", []) => vec![Number(|listed| listed.links)],
        ("/vault", []) => vec![Words(&["stay", "lock"])],
        ("/passphrase", []) => vec![Words(&["set", "remove"])],
        ("/sessions", []) => vec![Words(&["end"])],
        ("/sessions", ["end"]) => vec![Number(|listed| listed.sessions)],
        ("/devices", []) => vec![Words(&["add", "give", "remove", "erase"])],
        ("/devices", ["give" | "remove"]) => vec![Number(|listed| listed.devices)],
        ("/devices", ["add", _, ..]) => vec![Words(&["--history"])],
        ("/phrase", []) => vec![Words(&["check"])],
        ("/authenticator", []) => vec![Words(&["add", "remove"])],
        _ => Vec::new(),
    }
}

impl Argument {
    /// Where what is completed starts, and what could stand there.
    pub(super) fn candidates(self, before: &str, start: usize, known: &Known) -> (usize, Vec<(String, String)>) {
        let word = &before[start..];
        let starting = |all: &mut dyn Iterator<Item = String>| {
            let found = all.filter(|w| w.starts_with(word));
            found.map(|w| (w.clone(), format!("{w} "))).collect::<Vec<_>>()
        };
        let found = match self {
            Self::Words(words) => starting(&mut words.iter().map(|w| (*w).to_owned())),
            Self::Message => starting(&mut known.messages.iter().map(|n| format!("#{n}"))),
            Self::Number(of) => starting(&mut (1..=of(&known.listed)).map(|n| n.to_string())),
            Self::Name => people(word, "", &known.names),
            Self::AtName if word.starts_with('@') => people(word, "@", &known.names),
            Self::AtName => Vec::new(),
            Self::Group => people(word, "", &known.groups),
            Self::Path { behind } => return path(before, behind),
        };
        (start, found)
    }
}

pub(super) fn people(word: &str, at: &str, names: &[String]) -> Vec<(String, String)> {
    let typed = word.trim_start_matches('@').to_lowercase();
    let found = names.iter().filter(|n| n.to_lowercase().starts_with(&typed));
    found.map(|n| (n.clone(), format!("{at}{n} "))).collect()
}

/// Files and folders that go on like what stands behind the command and `behind` words.
fn path(before: &str, behind: usize) -> (usize, Vec<(String, String)>) {
    let mut start = before.len() - before.trim_start().len();
    for _ in 0..=behind {
        let rest = &before[start..];
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        start += word + (rest[word..].len() - rest[word..].trim_start().len());
    }
    let typed = &before[start..];
    let (folder, name) = typed.rsplit_once('/').map_or(("", typed), |(f, n)| (&typed[..=f.len()], n));
    let place = match folder {
        "" => ".".to_owned(),
        // The prompt knows the home folder only once it is asked to send; what begins so is left alone.
        _ if folder.starts_with("~/") => return (start, Vec::new()),
        _ => folder.to_owned(),
    };
    let Ok(entries) = std::fs::read_dir(Path::new(&place)) else { return (start, Vec::new()) };
    let mut found: Vec<_> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            // What can't be typed can't be completed either; nor is anything hidden unless it is asked for.
            let fits = file.starts_with(name)
                && !file.contains(char::is_control)
                && (name.starts_with('.') || !file.starts_with('.'));
            let slash = if entry.path().is_dir() { "/" } else { "" };
            fits.then(|| (format!("{file}{slash}"), format!("{folder}{file}{slash}")))
        })
        .collect();
    found.sort_unstable();
    found.truncate(FILES);
    (start, found)
}
