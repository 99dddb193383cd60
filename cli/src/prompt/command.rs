//! What a typed line means: a pure function.

use livechat_node::api::Role;

use super::deeds::Deed;
use super::devices::Devices;
use super::files::Filing;
use super::groups::Grouping;
use crate::limits;
use crate::said::seconds;
use crate::verbs::links::Wanted;

/// A line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Nothing typed.
    Empty,
    /// Text for the current conversation.
    Text(String),
    /// `@name`, perhaps with text: switches, and sends.
    To {
        /// The contact.
        name: String,
        /// What to say, if anything.
        text: Option<String>,
    },
    /// A command.
    Command(Command),
    /// A slash and a word that is no command; the nearest one, if any is near.
    Unknown {
        /// As typed.
        word: String,
        /// What may have been meant.
        near: Option<&'static str>,
    },
    /// A command without what it needs.
    Usage(&'static str),
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `/add name`
    Add(String),
    /// `/history [n]`
    History(u32),
    /// `/history #n`
    Around(u64),
    /// `/search WORDS`, `/search here WORDS`
    Search {
        /// What to look for.
        words: String,
        /// Only in the conversation in the prompt.
        here: bool,
    },
    /// `/export [here] [files]`
    Export {
        /// Only the conversation in the prompt.
        here: bool,
        /// The files that are on this device too.
        files: bool,
    },
    /// `/backup`
    Backup,
    /// `/contacts`
    Contacts,
    /// `/status`
    Status,
    /// `/safety [name]`
    Safety(Option<String>),
    /// `/verify [NAME]`, `/verify CODE`, `/verify NAME same`, `/verify NAME undo`
    Verify {
        /// Whose, or what they show; the one in the prompt when left out.
        of: Option<String>,
        /// Compared, or no longer; only shown when left out.
        noted: Option<bool>,
    },
    /// `/reply`, `/edit`, `/delete`, `/react`: with the message of a number, or the last
    Deed(Option<u64>, Deed),
    /// `/file`, `/save`, `/files`
    Filing(Filing),
    /// `/timer [SPAN|off]`
    Timer(Option<String>),
    /// `/accept [name]`, `/unblock [name]`
    Accept(Option<String>),
    /// `/block [name]`
    Block(Option<String>),
    /// `/group`, `/link`, `/links`, `/unlink`, `/join`, `/lobby`, `/members`, `/invite`, `/kick`, `/role`, `/title`, `/leave`
    Grouping(Grouping),
    /// `/signup`
    SignUp,
    /// `/login`
    LogIn,
    /// `/logout`
    LogOut,
    /// `/lock`
    Lock,
    /// `/vault`, `/vault stay yes|no`, `/vault lock SPAN|off`
    Vault(Option<Keeping>),
    /// `/passphrase set`
    SetPassphrase,
    /// `/passphrase remove`
    RemovePassphrase,
    /// `/sessions`, `/sessions end n`
    Sessions(Option<u32>),
    /// `/devices`, `/devices add CODE`, `/devices give N`, `/devices remove N`, `/devices erase`
    Devices(Devices),
    /// `/recovery`
    Recovery,
    /// `/phrase`
    Phrase,
    /// `/phrase check`
    CheckPhrase,
    /// `/authenticator add`
    AddAuthenticator,
    /// `/authenticator remove`
    RemoveAuthenticator,
    /// `/rename NAME`
    Rename(String),
    /// `/delete-account`
    DeleteAccount,
    /// `/help`
    Help,
    /// `/quit`
    Quit,
}

/// What `/vault` changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeping {
    /// Whether it stays open.
    Stay(bool),
    /// After how long it locks, as typed.
    LockAfter(String),
}

/// Every command with its arguments and what it does: for `/help` and completion.
pub const COMMANDS: &[(&str, &str, &str)] = &[
    ("/add", "NAME", "add somebody by username, and talk to them"),
    ("/contacts", "", "everyone you can write to, with what is unread"),
    ("/history", "[N|#N]", "the last N messages of this conversation, or those around number N"),
    (
        "/search",
        "[here] WORDS",
        "look for words, everywhere or in this conversation; from:NAME, after:2026-03, before:2026",
    ),
    ("/export", "[here] [files]", "write a readable copy of everything, or of this chat; with its files"),
    ("/backup", "", "write history, contacts and settings to a sealed file"),
    ("/reply", "[#N] TEXT", "answer their last message, or number N of /history"),
    ("/edit", "[#N] TEXT", "give your last message, or number N, another text"),
    ("/delete", "[#N] [here]", "take your last message, or number N, back from everybody; or delete it here only"),
    ("/react", "[#N] EMOJI", "put an emoji under their last message, or number N; again takes it away"),
    ("/file", "[as-is] PATH", "send a file; images lose place and time of the shot, unless sent as-is"),
    ("/save", "[#N] [PLACE]", "save the last file, or that of number N, into this folder or another place"),
    ("/files", "[stop N | direct [yes|no]]", "files on their way; stop one; whether they go from device to device"),
    ("/timer", "[SPAN|off]", "how long new messages stay: 30s, 5m, 2h, 1d, 1w"),
    ("/accept", "[NAME]", "talk to somebody who wrote to you first; writing to them does it too"),
    ("/block", "[NAME]", "hear no more from somebody"),
    ("/unblock", "[NAME]", "hear from them again"),
    ("/group", "[TITLE]", "the groups, or talk to one; /group new TITLE @NAME @NAME founds one"),
    ("/link", "[SPAN] [N]", "a link into this group, for so long and so many; /links lists, /unlink N revokes"),
    ("/links", "", "the links into this group"),
    ("/unlink", "N", "revoke a link into this group"),
    ("/join", "LINK", "come into a group by a link"),
    ("/lobby", "", "go into the group that everybody of this relay may join"),
    ("/members", "", "who is in this group, and what they may do"),
    ("/invite", "NAME", "take somebody into this group"),
    ("/kick", "NAME", "take somebody out of this group"),
    ("/role", "NAME owner|admin|member", "what somebody may do in this group"),
    ("/title", "TEXT", "call this group otherwise"),
    ("/leave", "", "leave this group"),
    ("/safety", "[NAME]", "the safety number to compare with them"),
    ("/verify", "[NAME [same|undo]|CODE]", "be sure whom you talk to: what to show, and what they show"),
    ("/status", "", "account, relay, connections, people online"),
    ("/signup", "", "sign up on this device"),
    ("/login", "", "log in for ten days"),
    ("/logout", "", "end the session on this device"),
    ("/lock", "", "close this device until a code, the recovery phrase or the passphrase opens it"),
    ("/unlock", "", "open it again"),
    ("/vault", "[stay yes|no | lock SPAN|off]", "how this device is locked"),
    ("/passphrase", "set|remove", "a passphrase as a further way in"),
    ("/sessions", "[end N]", "where this account is logged in; log one of them out"),
    (
        "/devices",
        "[add CODE [--history] | give N | remove N]",
        "the devices of this account; let one in, give it your history, end one",
    ),
    ("/recovery", "", "new recovery codes in place of the old ones"),
    ("/phrase", "[check]", "write down the 24 words that give the account back, or check what you wrote"),
    ("/authenticator", "add|remove", "a second authenticator app, or one only"),
    ("/rename", "NAME", "give your account another username"),
    ("/delete-account", "", "delete the account, here and at the relay"),
    ("/help", "", "this list"),
    ("/quit", "", "leave (Ctrl-D does too)"),
];

/// Letters a command may be mistyped by and still be guessed.
const NEAR: usize = 2;

/// Understands a line. `//` and `@@` at the start stand for a message that begins with `/` or `@`.
#[must_use]
pub fn parse(line: &str) -> Line {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        Line::Empty
    } else if trimmed.starts_with("//") || trimmed.starts_with("@@") {
        Line::Text(trimmed[1..].to_owned())
    } else if let Some(rest) = trimmed.strip_prefix('@') {
        addressed(rest)
    } else if trimmed.starts_with('/') {
        command(trimmed)
    } else {
        // Blanks at the front may be meant (a list, a drawing), those at the end never are.
        Line::Text(line.trim_end().to_owned())
    }
}

fn addressed(rest: &str) -> Line {
    let (name, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    // "@bob: hi" and "@bob, hi" are how people write.
    let name = name.trim_end_matches([':', ',']);
    if name.is_empty() {
        return Line::Usage("@NAME [TEXT]");
    }
    let text = text.trim();
    Line::To { name: name.to_owned(), text: (!text.is_empty()).then(|| text.to_owned()) }
}

fn command(trimmed: &str) -> Line {
    let (word, rest) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
    let lower = word.to_lowercase();
    let words = rest.trim();
    let rest = words.trim_start_matches('@');
    let name = || (!rest.is_empty() && !rest.contains(char::is_whitespace)).then(|| rest.to_owned());
    Line::Command(match lower.as_str() {
        "/add" => match name() {
            Some(name) => Command::Add(name),
            None => return Line::Usage("/add NAME"),
        },
        "/history" if rest.is_empty() => Command::History(limits::HISTORY),
        "/history" => match (rest.strip_prefix('#').map(str::parse), rest.parse()) {
            (Some(Ok(n)), _) => Command::Around(n),
            (None, Ok(n)) if n > 0 => Command::History(n),
            _ => return Line::Usage("/history [N|#N]"),
        },
        "/search" => match words.strip_prefix("here").filter(|w| w.is_empty() || w.starts_with(char::is_whitespace)) {
            Some(here) if !here.trim().is_empty() => Command::Search { words: here.trim().to_owned(), here: true },
            None if !words.is_empty() => Command::Search { words: words.to_owned(), here: false },
            _ => return Line::Usage("/search [here] WORDS"),
        },
        "/safety" if rest.is_empty() => Command::Safety(None),
        "/safety" => match name() {
            Some(name) => Command::Safety(Some(name)),
            None => return Line::Usage("/safety [NAME]"),
        },
        "/verify" => match words.split_whitespace().collect::<Vec<_>>()[..] {
            [] => Command::Verify { of: None, noted: None },
            [of] => Command::Verify { of: Some(of.trim_start_matches('@').to_owned()), noted: None },
            [of, how @ ("same" | "undo")] => {
                Command::Verify { of: Some(of.trim_start_matches('@').to_owned()), noted: Some(how == "same") }
            }
            _ => return Line::Usage("/verify [NAME [same|undo]|CODE]"),
        },
        "/file" | "/save" | "/files" => match filing(&lower, words) {
            Some(what) => Command::Filing(what),
            None if lower == "/file" => return Line::Usage("/file [as-is] PATH"),
            None => return Line::Usage("/files [stop N | direct [yes|no]]"),
        },
        "/timer" => Command::Timer((!rest.is_empty()).then(|| rest.to_owned())),
        "/accept" | "/unblock" if rest.is_empty() || name().is_some() => Command::Accept(name()),
        "/accept" => return Line::Usage("/accept [NAME]"),
        "/unblock" => return Line::Usage("/unblock [NAME]"),
        "/block" if rest.is_empty() || name().is_some() => Command::Block(name()),
        "/block" => return Line::Usage("/block [NAME]"),
        "/reply" | "/edit" | "/delete" | "/react" => return about_message(&lower, words),
        "/group" => match grouping(words) {
            Some(what) => Command::Grouping(what),
            None => return Line::Usage("/group new TITLE [@NAME …]"),
        },
        "/link" => match link(words) {
            Some(wanted) => Command::Grouping(Grouping::Link(wanted)),
            None => return Line::Usage("/link [SPAN] [N]"),
        },
        "/links" => Command::Grouping(Grouping::Links),
        "/unlink" => match name() {
            Some(which) => Command::Grouping(Grouping::Unlink(which)),
            None => return Line::Usage("/unlink N"),
        },
        "/lobby" => Command::Grouping(Grouping::Lobby),
        "/join" if words.is_empty() => return Line::Usage("/join LINK"),
        "/join" => Command::Grouping(Grouping::Join(words.to_owned())),
        "/members" => Command::Grouping(Grouping::Members),
        "/invite" => match name() {
            Some(name) => Command::Grouping(Grouping::Invite(name)),
            None => return Line::Usage("/invite NAME"),
        },
        "/kick" => match name() {
            Some(name) => Command::Grouping(Grouping::Kick(name)),
            None => return Line::Usage("/kick NAME"),
        },
        "/role" => match role(rest) {
            Some((name, role)) => Command::Grouping(Grouping::Role(name, role)),
            None => return Line::Usage("/role NAME owner|admin|member"),
        },
        "/title" if words.is_empty() => return Line::Usage("/title TEXT"),
        "/title" => Command::Grouping(Grouping::Title(words.to_owned())),
        "/leave" => Command::Grouping(Grouping::Leave),
        "/export" => match rest.split_whitespace().collect::<Vec<_>>()[..] {
            [] => Command::Export { here: false, files: false },
            ["here"] => Command::Export { here: true, files: false },
            ["files"] => Command::Export { here: false, files: true },
            ["here", "files"] => Command::Export { here: true, files: true },
            _ => return Line::Usage("/export [here] [files]"),
        },
        "/backup" => Command::Backup,
        "/contacts" => Command::Contacts,
        "/status" => Command::Status,
        "/signup" => Command::SignUp,
        "/login" | "/unlock" => Command::LogIn,
        "/lock" => Command::Lock,
        "/vault" => match keeping(words) {
            Some(keeping) => Command::Vault(keeping),
            None => return Line::Usage("/vault [stay yes|no | lock SPAN|off]"),
        },
        "/passphrase" => match rest {
            "set" => Command::SetPassphrase,
            "remove" => Command::RemovePassphrase,
            _ => return Line::Usage("/passphrase set|remove"),
        },
        "/logout" => Command::LogOut,
        "/sessions" if rest.is_empty() => Command::Sessions(None),
        "/sessions" => match rest.strip_prefix("end ").map(|n| n.trim().parse()) {
            Some(Ok(n)) => Command::Sessions(Some(n)),
            _ => return Line::Usage("/sessions [end N]"),
        },
        "/devices" => match devices(words) {
            Some(what) => Command::Devices(what),
            None => return Line::Usage("/devices [add CODE [--history] | give N | remove N]"),
        },
        "/recovery" => Command::Recovery,
        "/phrase" if rest.is_empty() => Command::Phrase,
        "/phrase" if rest == "check" => Command::CheckPhrase,
        "/phrase" => return Line::Usage("/phrase [check]"),
        "/authenticator" => match rest {
            "add" => Command::AddAuthenticator,
            "remove" => Command::RemoveAuthenticator,
            _ => return Line::Usage("/authenticator add|remove"),
        },
        "/rename" => match name() {
            Some(name) => Command::Rename(name),
            None => return Line::Usage("/rename NAME"),
        },
        "/delete-account" => Command::DeleteAccount,
        "/help" | "/?" | "/h" => Command::Help,
        "/quit" | "/exit" | "/q" => Command::Quit,
        _ => return Line::Unknown { word: word.to_owned(), near: nearest(&lower) },
    })
}

/// `/file`, `/save`, `/files`. Paths may have blanks.
fn filing(command: &str, words: &str) -> Option<Filing> {
    let (first, behind) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let behind = behind.trim_start();
    match command {
        "/file" if first == "as-is" && !behind.is_empty() => {
            Some(Filing::Send { path: behind.to_owned(), as_is: true })
        }
        "/file" => (!words.is_empty()).then(|| Filing::Send { path: words.to_owned(), as_is: false }),
        "/save" => {
            let number = first.strip_prefix('#').and_then(|n| n.parse().ok());
            let to = if number.is_some() { behind } else { words };
            Some(Filing::Save { number, to: (!to.is_empty()).then(|| to.to_owned()) })
        }
        _ if words.is_empty() => Some(Filing::List),
        _ if words == "direct" => Some(Filing::Direct(None)),
        _ if words == "direct yes" => Some(Filing::Direct(Some(true))),
        _ if words == "direct no" => Some(Filing::Direct(Some(false))),
        _ => words.strip_prefix("stop ").and_then(|n| n.trim().parse().ok()).map(Filing::Stop),
    }
}

/// `/group`: nothing, a title, or `new`, a title and names behind at-signs.
fn grouping(words: &str) -> Option<Grouping> {
    let Some(rest) = words.strip_prefix("new").filter(|r| r.is_empty() || r.starts_with(char::is_whitespace)) else {
        return Some(if words.is_empty() { Grouping::List } else { Grouping::Enter(words.to_owned()) });
    };
    let (members, title): (Vec<_>, Vec<_>) = rest.split_whitespace().partition(|w| w.starts_with('@') && w.len() > 1);
    let members = members.into_iter().map(|m| m.trim_start_matches('@').to_owned()).collect();
    (!title.is_empty()).then(|| Grouping::New { title: title.join(" "), members })
}

/// `/devices`: none when it isn't understood. A code may be typed in groups.
fn devices(words: &str) -> Option<Devices> {
    let (what, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let rest = rest.trim();
    Some(match (what, rest.is_empty()) {
        ("", _) => Devices::List,
        ("add", false) => match rest.strip_suffix("--history").map(str::trim) {
            Some("") => return None,
            Some(code) => Devices::Add { code: code.to_owned(), history: true },
            None => Devices::Add { code: rest.to_owned(), history: false },
        },
        ("give", false) if !rest.contains(char::is_whitespace) => Devices::Give(rest.to_owned()),
        ("remove", false) if !rest.contains(char::is_whitespace) => Devices::Remove(rest.to_owned()),
        ("erase", true) => Devices::Erase,
        _ => return None,
    })
}

/// `/vault`: none when it isn't understood.
fn keeping(words: &str) -> Option<Option<Keeping>> {
    let mut parts = words.split_whitespace();
    let keeping = match (parts.next(), parts.next()) {
        (None, _) => None,
        (Some("stay"), Some("yes")) => Some(Keeping::Stay(true)),
        (Some("stay"), Some("no")) => Some(Keeping::Stay(false)),
        (Some("lock"), Some(span)) => Some(Keeping::LockAfter(span.to_owned())),
        _ => return None,
    };
    parts.next().is_none().then_some(keeping)
}

/// `/link`: a span of time, a number of people, both or neither.
fn link(words: &str) -> Option<Wanted> {
    let mut wanted = Wanted::default();
    for word in words.split_whitespace() {
        if let Ok(uses) = word.parse::<u32>() {
            wanted.uses = Some(uses).filter(|n| *n > 0);
            wanted.uses?;
        } else {
            wanted.expires_in = Some(u64::from(seconds(word).filter(|s| *s > 0)?));
        }
    }
    Some(wanted)
}

fn role(words: &str) -> Option<(String, Role)> {
    let (name, role) = words.split_once(char::is_whitespace)?;
    let role = match role.trim() {
        "owner" => Role::Owner,
        "admin" => Role::Admin,
        "member" => Role::Member,
        _ => return None,
    };
    Some((name.to_owned(), role))
}

/// A command about a message: `[#N]`, then what it takes.
fn about_message(command: &str, rest: &str) -> Line {
    let (first, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let number: Option<u64> = first.strip_prefix('#').and_then(|n| n.parse().ok());
    let rest = if number.is_some() { behind.trim_start() } else { rest };
    let deed = match command {
        "/reply" if !rest.is_empty() => Deed::Reply(rest.to_owned()),
        "/edit" if !rest.is_empty() => Deed::Edit(rest.to_owned()),
        "/react" if !rest.is_empty() => Deed::React(rest.to_owned()),
        "/delete" if rest.is_empty() || rest == "here" => Deed::Delete { here: !rest.is_empty() },
        "/reply" => return Line::Usage("/reply [#N] TEXT"),
        "/edit" => return Line::Usage("/edit [#N] TEXT"),
        "/react" => return Line::Usage("/react [#N] EMOJI"),
        _ => return Line::Usage("/delete [#N] [here]"),
    };
    Line::Command(Command::Deed(number, deed))
}

fn nearest(word: &str) -> Option<&'static str> {
    COMMANDS
        .iter()
        .map(|(name, ..)| (if name.starts_with(word) { 0 } else { distance(name, word) }, *name))
        .filter(|(d, _)| *d <= NEAR)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance; words here are short.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(name: &str, text: Option<&str>) -> Line {
        Line::To { name: name.into(), text: text.map(Into::into) }
    }

    #[test]
    fn lines_mean_what_people_mean() {
        let text = |t: &str| Line::Text(t.into());
        let table = [
            ("", Line::Empty),
            ("  \t ", Line::Empty),
            ("hi there ", text("hi there")),
            ("  - item", text("  - item")),
            ("two\nlines", text("two\nlines")),
            ("//etc/passwd", text("/etc/passwd")),
            ("@@home", text("@home")),
            ("@bob", to("bob", None)),
            ("@bob hi you", to("bob", Some("hi you"))),
            ("@bob: hi", to("bob", Some("hi"))),
            ("@bob\nhi", to("bob", Some("hi"))),
            ("@", Line::Usage("@NAME [TEXT]")),
            ("@ hi", Line::Usage("@NAME [TEXT]")),
            ("/add bob", Line::Command(Command::Add("bob".into()))),
            ("/add @bob", Line::Command(Command::Add("bob".into()))),
            ("/ADD bob", Line::Command(Command::Add("bob".into()))),
            ("/add", Line::Usage("/add NAME")),
            ("/add bob and carol", Line::Usage("/add NAME")),
            ("/history", Line::Command(Command::History(limits::HISTORY))),
            ("/history 5", Line::Command(Command::History(5))),
            ("/history #5", Line::Command(Command::Around(5))),
            ("/history 0", Line::Usage("/history [N|#N]")),
            ("/history all", Line::Usage("/history [N|#N]")),
            ("/search", Line::Usage("/search [here] WORDS")),
            ("/search here", Line::Usage("/search [here] WORDS")),
            ("/search hereafter @bob", Line::Command(Command::Search { words: "hereafter @bob".into(), here: false })),
            ("/search here  a b ", Line::Command(Command::Search { words: "a b".into(), here: true })),
            ("/safety", Line::Command(Command::Safety(None))),
            ("/safety bob", Line::Command(Command::Safety(Some("bob".into())))),
            ("/q", Line::Command(Command::Quit)),
            ("/reply yes, @bob", Line::Command(Command::Deed(None, Deed::Reply("yes, @bob".into())))),
            ("/reply #12  two\nlines", Line::Command(Command::Deed(Some(12), Deed::Reply("two\nlines".into())))),
            ("/reply #1", Line::Usage("/reply [#N] TEXT")),
            ("/edit @bob, come", Line::Command(Command::Deed(None, Deed::Edit("@bob, come".into())))),
            ("/edit #tag stays", Line::Command(Command::Deed(None, Deed::Edit("#tag stays".into())))),
            ("/delete", Line::Command(Command::Deed(None, Deed::Delete { here: false }))),
            ("/delete #3 here", Line::Command(Command::Deed(Some(3), Deed::Delete { here: true }))),
            ("/delete everything", Line::Usage("/delete [#N] [here]")),
            ("/react 👍", Line::Command(Command::Deed(None, Deed::React("👍".into())))),
            ("/react", Line::Usage("/react [#N] EMOJI")),
            (
                "/file ~/my photo.jpg",
                Line::Command(Command::Filing(Filing::Send { path: "~/my photo.jpg".into(), as_is: false })),
            ),
            ("/file as-is a.jpg", Line::Command(Command::Filing(Filing::Send { path: "a.jpg".into(), as_is: true }))),
            ("/file", Line::Usage("/file [as-is] PATH")),
            ("/save", Line::Command(Command::Filing(Filing::Save { number: None, to: None }))),
            (
                "/save #3 /tmp/a b",
                Line::Command(Command::Filing(Filing::Save { number: Some(3), to: Some("/tmp/a b".into()) })),
            ),
            ("/files", Line::Command(Command::Filing(Filing::List))),
            ("/files stop 2", Line::Command(Command::Filing(Filing::Stop(2)))),
            ("/files stop", Line::Usage("/files [stop N | direct [yes|no]]")),
            ("/files direct", Line::Command(Command::Filing(Filing::Direct(None)))),
            ("/files direct no", Line::Command(Command::Filing(Filing::Direct(Some(false))))),
            ("/timer 5m", Line::Command(Command::Timer(Some("5m".into())))),
            ("/timer", Line::Command(Command::Timer(None))),
            ("/accept", Line::Command(Command::Accept(None))),
            ("/unblock @bob", Line::Command(Command::Accept(Some("bob".into())))),
            ("/block bob and carol", Line::Usage("/block [NAME]")),
            ("/unlock", Line::Command(Command::LogIn)),
            ("/vault", Line::Command(Command::Vault(None))),
            ("/vault stay no", Line::Command(Command::Vault(Some(Keeping::Stay(false))))),
            ("/vault lock 5m", Line::Command(Command::Vault(Some(Keeping::LockAfter("5m".into()))))),
            ("/vault stay maybe", Line::Usage("/vault [stay yes|no | lock SPAN|off]")),
            ("/passphrase", Line::Usage("/passphrase set|remove")),
            ("/contact", Line::Unknown { word: "/contact".into(), near: Some("/contacts") }),
            ("/hsitory", Line::Unknown { word: "/hsitory".into(), near: Some("/history") }),
            ("/group", Line::Command(Command::Grouping(Grouping::List))),
            (
                "/group new Berg fahrt @bob @zoë",
                Line::Command(Command::Grouping(Grouping::New {
                    title: "Berg fahrt".into(),
                    members: vec!["bob".into(), "zoë".into()],
                })),
            ),
            ("/group newcomers", Line::Command(Command::Grouping(Grouping::Enter("newcomers".into())))),
            ("/group new @bob", Line::Usage("/group new TITLE [@NAME …]")),
            ("/link", Line::Command(Command::Grouping(Grouping::Link(Wanted::default())))),
            (
                "/link 2d 5",
                Line::Command(Command::Grouping(Grouping::Link(Wanted { expires_in: Some(172_800), uses: Some(5) }))),
            ),
            ("/link soon", Line::Usage("/link [SPAN] [N]")),
            ("/link 0", Line::Usage("/link [SPAN] [N]")),
            ("/unlink 2", Line::Command(Command::Grouping(Grouping::Unlink("2".into())))),
            ("/join livechat:join:x", Line::Command(Command::Grouping(Grouping::Join("livechat:join:x".into())))),
            ("/lobby", Line::Command(Command::Grouping(Grouping::Lobby))),
            ("/join", Line::Usage("/join LINK")),
            ("/invite @bob", Line::Command(Command::Grouping(Grouping::Invite("bob".into())))),
            ("/role @bob admin", Line::Command(Command::Grouping(Grouping::Role("bob".into(), Role::Admin)))),
            ("/role bob king", Line::Usage("/role NAME owner|admin|member")),
            ("/title @home, soon", Line::Command(Command::Grouping(Grouping::Title("@home, soon".into())))),
            ("/title", Line::Usage("/title TEXT")),
            ("/sessions", Line::Command(Command::Sessions(None))),
            ("/sessions end 2", Line::Command(Command::Sessions(Some(2)))),
            ("/devices", Line::Command(Command::Devices(Devices::List))),
            (
                "/devices add abcd efgh",
                Line::Command(Command::Devices(Devices::Add { code: "abcd efgh".into(), history: false })),
            ),
            ("/devices remove 2", Line::Command(Command::Devices(Devices::Remove("2".into())))),
            ("/devices erase", Line::Command(Command::Devices(Devices::Erase))),
            ("/devices add", Line::Usage("/devices [add CODE [--history] | give N | remove N]")),
            ("/devices give 2", Line::Command(Command::Devices(Devices::Give("2".into())))),
            (
                "/devices add abcd --history",
                Line::Command(Command::Devices(Devices::Add { code: "abcd".into(), history: true })),
            ),
            ("/sessions 2", Line::Usage("/sessions [end N]")),
            ("/authenticator add", Line::Command(Command::AddAuthenticator)),
            ("/authenticator", Line::Usage("/authenticator add|remove")),
            ("/frobnicate", Line::Unknown { word: "/frobnicate".into(), near: None }),
        ];
        for (line, expected) in table {
            assert_eq!(parse(line), expected, "{line:?}");
        }
    }

    #[test]
    fn every_listed_command_is_one() {
        for (name, needs, _) in COMMANDS {
            // What stands in brackets may be left out.
            let mut depth = 0;
            let needed: String = needs
                .chars()
                .filter(|c| {
                    depth += i32::from(*c == '[') - i32::from(*c == ']');
                    depth == 0 && *c != ']'
                })
                .collect();
            let word = |n: &str| match n.split('|').next() {
                Some(choice) if choice.starts_with(char::is_lowercase) => choice.to_owned(),
                _ => "bob".to_owned(),
            };
            let words: Vec<String> = needed.split_whitespace().map(word).collect();
            let line = format!("{name} {}", words.join(" "));
            assert!(matches!(parse(&line), Line::Command(_)), "{line}");
        }
    }
}
