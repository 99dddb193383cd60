//! The command line as clap sees it. Nothing is decided here; see [`crate::settings`].

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::exit::TABLE;
use crate::manual::{ENVIRONMENT, JSON};

/// Private chat between people, end to end encrypted, over peers and relays that can't read it.
#[derive(Debug, Parser)]
#[command(name = "livechat", version, after_help = TABLE, after_long_help = format!("{ENVIRONMENT}\n\n{JSON}\n\n{TABLE}"))]
pub struct Args {
    /// What holds for every verb.
    #[command(flatten)]
    pub common: Common,
    /// What to do; the interactive prompt when left out.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// The words as clap should read them. `cargo demo -- --script` arrives as `demo -- --script`, because cargo passes the
/// dashes of an alias on; after `demo` they mean nothing, so they go.
#[must_use]
pub fn words(typed: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = typed.into_iter().collect();
    if let Some(at) = words.windows(2).position(|pair| pair[0] == "demo" && pair[1] == "--") {
        words.remove(at + 1);
    }
    words
}

/// Options that every verb takes.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Common {
    /// Where the node lives
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub data_dir: Option<PathBuf>,
    /// The relay's address, e.g. https://relay.example.org; needed once, then remembered in the data directory
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub relay: Option<String>,
    /// Print one JSON object per line
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Global options")]
    pub color: ColorWhen,
    /// Print what happens inside (LIVECHAT_LOG chooses more finely), on standard error
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub verbose: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How far a message must get before `send` returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Wait {
    /// Safe on this device
    Queued,
    /// Kept by the relay
    Accepted,
    /// On a device of the recipient
    Delivered,
    /// Seen by the recipient
    Read,
}

/// Verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Send a message to a contact
    Send(SendArgs),
    /// Print messages that came in and weren't read yet, and mark them read
    Recv(RecvArgs),
    /// Print the conversation with a contact, oldest first
    History(HistoryArgs),
    /// Look for words in what was said
    #[command(
        long_about = "Look for words in what was said.\n\nA message is found when it holds every word, or part of a word, \
                      whatever the case and the accents; words in quotes stand together. from:NAME, after:2026-03 and \
                      before:2026-03-15 narrow it down."
    )]
    Search(SearchArgs),
    /// Write a readable copy of one conversation, or of all, to a file
    #[command(
        long_about = "Write a readable copy of one conversation, or of all, to a file.\n\nMessages that disappear are left \
                      out. No file is ever replaced, and none is there before it is whole."
    )]
    Export(ExportArgs),
    /// Write history, contacts and settings to a sealed file
    #[command(
        long_about = "Write history, contacts and settings to a sealed file.\n\nA secret that opens it again is made and \
                      printed, unless you bring one. Keys are in no backup: an old one is merely an old history. Files, and messages \
                      that disappear, are left out."
    )]
    Backup(BackupArgs),
    /// Give a backup's history, contacts and settings back, on a device that has signed in
    Restore(RestoreArgs),
    /// Save the file of a message, fetching it first if need be; prints where it is. Nothing is overwritten
    Save(SaveArgs),
    /// Give one of your messages another text
    Edit(EditArgs),
    /// Take one of your messages back from everybody, or delete a message here only
    Delete(DeleteArgs),
    /// Put an emoji under a message
    React(ReactArgs),
    /// Let new messages with a contact disappear some time after they were read
    Timer {
        /// The contact's username
        name: String,
        /// 30s, 5m, 2h, 1d, 1w or off
        after: String,
    },
    /// Talk to somebody who wrote to you first; until then they learn nothing of you
    Accept {
        /// Their username
        name: String,
    },
    /// Hear no more from somebody, and send them nothing
    Block {
        /// Their username
        name: String,
    },
    /// Hear from them again
    Unblock {
        /// Their username
        name: String,
    },
    /// List the people you can write to
    Contacts,
    /// Show account, relay and connections
    Status,
    /// Look up a name at the relay and add it to the contacts
    Add {
        /// Their username
        name: String,
    },
    /// Groups of many: found, list, invite, remove, roles, leave
    Group {
        /// What to do
        #[command(subcommand)]
        what: GroupVerb,
    },
    /// Come into a group by a link
    Join {
        /// The link, or `-` to read it from standard input
        link: String,
        /// Seconds to wait until somebody opens; the node goes on waiting afterwards (exit code 5)
        #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
        timeout: u64,
    },
    /// Go into the relay's lobby, the group that everybody of the relay may join
    Lobby {
        /// Seconds to wait until somebody lets you in; the node goes on waiting afterwards (exit code 5)
        #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
        timeout: u64,
    },
    /// List where you wait to be let in, or wait no longer
    Joining {
        /// Its number in the list, or its name (`door` in JSON)
        #[arg(long, value_name = "DOOR")]
        cancel: Option<String>,
    },
    /// Show the safety number of a contact, to compare with what they see
    Safety {
        /// Their username
        name: String,
    },
    /// Be sure whom you talk to: by a code, or by the safety number
    #[command(
        long_about = "Be sure whom you talk to: by a code, or by the safety number.\n\nWith a name it shows the safety \
                      number, and a code for the other one to scan or paste; with a code that the other one shows it \
                      compares, and notes that they are verified."
    )]
    Verify(VerifyArgs),
    /// Ask the relay for a username; prints what your authenticator app needs
    Signup {
        /// The name you want
        name: String,
    },
    /// Finish signing up with the first code of your authenticator app
    Confirm {
        /// Six digits, or `-` to read them from standard input
        code: String,
    },
    /// Add this device to an account that you have
    #[command(
        long_about = "Add this device to an account that you have.\n\nIt shows a code to be entered on another device of the \
                      account, and waits; with --phrase it adds itself by the recovery phrase, which is read from standard \
                      input."
    )]
    Link(LinkArgs),
    /// List the devices of this account, add one or remove one
    Devices {
        /// What to do; lists them when left out
        #[command(subcommand)]
        what: Option<DevicesVerb>,
    },
    /// Log in for ten days
    Login {
        /// Six digits or a recovery code, or `-` to read it from standard input
        code: String,
        /// Your username; the one of this device when left out
        #[arg(long)]
        name: Option<String>,
    },
    /// End the session, here and at the relay
    Logout,
    /// Close this device's store until a code, the recovery phrase or the passphrase opens it; the session goes on
    Lock,
    /// Open a locked device
    Unlock {
        /// Six digits or a recovery code, or `-` to read it from standard input
        #[arg(required_unless_present_any = ["phrase", "passphrase"])]
        code: Option<String>,
        /// Read the recovery phrase from standard input instead; needs no relay
        #[arg(long, conflicts_with_all = ["code", "passphrase"])]
        phrase: bool,
        /// Read the passphrase from standard input instead; needs no relay
        #[arg(long, conflicts_with = "code")]
        passphrase: bool,
    },
    /// Print everything that happens on the node, one JSON object per line, from now on
    Events {
        /// Go on when the node stops and is started again
        #[arg(long)]
        follow: bool,
        /// Stop after so many events
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        count: Option<u32>,
    },
    /// Show how this device's vault is kept, or change it
    Vault {
        /// Whether a log-in keeps the device open until the session ends, restarts included
        #[arg(long, value_name = "YES|NO")]
        stay_unlocked: Option<YesNo>,
        /// Lock after so long without use: 30s, 5m, 2h, 1d or off
        #[arg(long, value_name = "SPAN")]
        lock_after: Option<String>,
    },
    /// Show or set whether files go straight from device to device: either end then sees the other's network address
    DirectFiles {
        /// Whether they do, in chats with one person who wants it too
        #[arg(value_name = "YES|NO")]
        on: Option<YesNo>,
    },
    /// A passphrase as a further way into this device's vault
    Passphrase {
        /// What to do
        #[command(subcommand)]
        what: PassphraseVerb,
    },
    /// List where this account is logged in, or log one of them out
    Sessions {
        /// Its number in the list, or its id
        #[arg(long, value_name = "SESSION")]
        end: Option<String>,
    },
    /// Print fresh recovery codes; the ones before are void
    RecoveryCodes {
        /// Six digits or a recovery code, or `-` to read it from standard input
        code: String,
    },
    /// The 24 words that give the account back: show them once, prove that they are written down, check them later
    Phrase {
        /// What to do
        #[command(subcommand)]
        what: PhraseVerb,
    },
    /// Add a second authenticator app, or go back to one
    Authenticator {
        /// What to do
        #[command(subcommand)]
        what: AuthenticatorVerb,
    },
    /// Give the account another username; your contacts learn of it
    Rename {
        /// The new name
        name: String,
        /// Six digits or a recovery code, or `-` to read it from standard input
        code: String,
    },
    /// Delete the account at the relay, and on this device every key and every message
    DeleteAccount {
        /// Six digits or a recovery code, or `-` to read it from standard input
        code: String,
        /// That you mean it
        #[arg(long, required = true)]
        yes: bool,
    },
    /// Run a relay and two people on this machine, everything real, to look at or as a check
    Demo(DemoArgs),
    /// Check data directory, node, relay and connections, and say what to do
    Doctor,
    /// Print a completion script
    #[command(
        long_about = "Print a completion script, e.g. `livechat completions bash > ~/.local/share/bash-completion/completions/livechat`"
    )]
    Completions {
        /// For which shell
        shell: Shell,
    },
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// It is so
    Yes,
    /// It isn't
    No,
}

/// `link`.
#[derive(Debug, ClapArgs)]
pub struct LinkArgs {
    /// The account's username
    #[arg(required_unless_present = "cancel")]
    pub name: Option<String>,
    /// Six digits or a recovery code; `-` to read it from standard input
    #[arg(required_unless_present = "cancel")]
    pub code: Option<String>,
    /// Read the recovery phrase from standard input; no other device is needed then
    #[arg(long, conflicts_with = "cancel")]
    pub phrase: bool,
    /// Wait for the history of the other device too, and say how it comes
    #[arg(long, conflicts_with_all = ["cancel", "phrase"])]
    pub history: bool,
    /// Seconds to wait until another device lets this one in; the node goes on waiting afterwards (exit code 5)
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub timeout: u64,
    /// Wait no longer
    #[arg(long, conflicts_with_all = ["name", "code"])]
    pub cancel: bool,
}

/// `devices`.
#[derive(Debug, Subcommand)]
pub enum DevicesVerb {
    /// Let the device that shows this code speak for the account
    Add {
        /// Sixteen letters and digits, or `-` to read them from standard input
        code: String,
        /// Give it contacts, names, settings and history too: whoever has it can read and search what is here
        #[arg(long)]
        history: bool,
        /// Seconds without progress after which it isn't waited for; it goes on by itself (exit code 5)
        #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
        timeout: u64,
    },
    /// Give a device that was added on this one what is here: contacts, names, settings and history
    Give {
        /// Its number in the list, or how its id begins
        device: String,
        /// Stop giving instead
        #[arg(long)]
        stop: bool,
        /// Seconds without progress after which it isn't waited for; it goes on by itself (exit code 5)
        #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
        timeout: u64,
    },
    /// End a device for good: it reads and writes nothing new
    Remove {
        /// Its number in the list, or how its id begins
        device: String,
    },
    /// Erase everything on this device, once it was removed from the account
    Erase {
        /// That you mean it
        #[arg(long, required = true)]
        yes: bool,
    },
}

/// `passphrase`.
#[derive(Debug, Subcommand)]
pub enum PassphraseVerb {
    /// Put one into force: reads it from standard input
    Set,
    /// Leave code and recovery phrase as the only ways in
    Remove,
}

/// `phrase`.
#[derive(Debug, Subcommand)]
pub enum PhraseVerb {
    /// Print the words; possible until they were confirmed
    Show,
    /// Show that they are written down: the two words that `show` asks for. They aren't shown again after that
    Confirm {
        /// The word at the first place asked for
        first: String,
        /// The word at the second place
        second: String,
    },
    /// Whether what you wrote down is right: reads 24 words from standard input
    Check,
}

/// `group`. A group is named by its title, or by its id when several are called the same.
#[derive(Debug, Subcommand)]
pub enum GroupVerb {
    /// List the groups on this device
    List,
    /// Found a group
    New {
        /// What it is called
        title: String,
        /// Usernames of those to take in
        members: Vec<String>,
    },
    /// List who is in a group and what they may do
    Members {
        /// The group
        title: String,
    },
    /// Take somebody into a group
    Invite {
        /// The group
        title: String,
        /// Their username
        name: String,
    },
    /// Take somebody out of a group
    Kick {
        /// The group
        title: String,
        /// Their username
        name: String,
    },
    /// Change what somebody may do in a group
    Role {
        /// The group
        title: String,
        /// Their username
        name: String,
        /// What they may do from then on
        role: RoleName,
    },
    /// Call a group otherwise
    Rename {
        /// The group
        title: String,
        /// Its title from then on
        to: String,
    },
    /// Make a link by which people come into a group
    Link {
        /// The group
        title: String,
        /// When it is shut: 30s, 5m, 2h, 1d, 1w; it stays open when left out
        #[arg(long, value_name = "SPAN")]
        expires: Option<String>,
        /// How many may come in by it; any number when left out
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        uses: Option<u32>,
    },
    /// List the links into a group
    Links {
        /// The group
        title: String,
    },
    /// Revoke a link into a group
    Unlink {
        /// The group
        title: String,
        /// Its number in the list, or its name (`door` in JSON)
        link: String,
    },
    /// Leave a group; its history stays on this device
    Leave {
        /// The group
        title: String,
        /// That you mean it: only an admin can let you in again
        #[arg(long, required = true)]
        yes: bool,
    },
}

/// What somebody may do in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Everything
    Owner,
    /// Add and remove members, change title and timer
    Admin,
    /// Talk and leave
    Member,
}

impl From<RoleName> for livechat_node::api::Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Member => Self::Member,
        }
    }
}

/// `authenticator`.
#[derive(Debug, Subcommand)]
pub enum AuthenticatorVerb {
    /// Print what the new one needs
    Add {
        /// A code of the one you have, or `-` to read it from standard input
        code: String,
    },
    /// Put the new one into force with its first code
    Confirm {
        /// Six digits of the new one, or `-` to read them from standard input
        code: String,
    },
    /// Keep the one that gives the code, remove the other
    Remove {
        /// Six digits of the one that stays, or `-` to read them from standard input
        code: String,
    },
}

/// `send`.
#[derive(Debug, ClapArgs)]
pub struct SendArgs {
    /// The contact's username
    pub name: String,
    /// What to say; `-` or nothing reads standard input to its end
    #[arg(conflicts_with = "file")]
    pub text: Vec<String>,
    /// Send this file instead of text. It goes on by itself over any interruption, and becomes a message once the relay
    /// has all of it
    #[arg(long, value_name = "PATH", conflicts_with = "reply_to")]
    pub file: Option<PathBuf>,
    /// Leave an image as it is, with place and time of the shot and whatever else is stored in it
    #[arg(long, requires = "file")]
    pub as_is: bool,
    /// Answer the message with this number, as `history` shows it (`position` in JSON)
    #[arg(long, value_name = "NUMBER")]
    pub reply_to: Option<u64>,
    /// How far it must get before this returns
    #[arg(long, value_name = "STATE", default_value = "accepted")]
    pub wait: Wait,
    /// Seconds to wait for that, and for each step of a file; what isn't done goes on by itself (exit code 5)
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub timeout: u64,
}

/// `save`.
#[derive(Debug, ClapArgs)]
pub struct SaveArgs {
    /// The contact's username
    pub name: String,
    /// The message's number, as `history` shows it (`position` in JSON); the last one with a file when left out
    pub number: Option<u64>,
    /// Where to: a folder, or a file that isn't there yet
    #[arg(long, value_name = "PLACE", default_value = ".")]
    pub to: PathBuf,
}

/// `edit`.
#[derive(Debug, ClapArgs)]
pub struct EditArgs {
    /// The contact's username
    pub name: String,
    /// The message's number, as `history` shows it (`position` in JSON)
    pub number: u64,
    /// Its new text
    #[arg(required = true)]
    pub text: Vec<String>,
}

/// `delete`.
#[derive(Debug, ClapArgs)]
pub struct DeleteArgs {
    /// The contact's username
    pub name: String,
    /// The message's number, as `history` shows it (`position` in JSON)
    pub number: u64,
    /// On this device only
    #[arg(long)]
    pub here: bool,
}

/// `react`.
#[derive(Debug, ClapArgs)]
pub struct ReactArgs {
    /// The contact's username
    pub name: String,
    /// The message's number, as `history` shows it (`position` in JSON)
    pub number: u64,
    /// The emoji
    pub emoji: String,
    /// Take it away instead
    #[arg(long)]
    pub remove: bool,
}

/// `recv`.
#[derive(Debug, ClapArgs)]
pub struct RecvArgs {
    /// Only messages of this contact
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// Go on printing what comes in until interrupted
    #[arg(long, short)]
    pub follow: bool,
    /// Wait up to so many seconds for a message (exit code 5 when none came)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub timeout: Option<u64>,
    /// Wait for so many messages, print no more, then return
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
}

/// `history`.
#[derive(Debug, ClapArgs)]
pub struct HistoryArgs {
    /// The contact's username
    pub name: String,
    /// How many messages, newest ones
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
    /// Those around the message with this number, as `search` shows it; at most 200
    #[arg(long, value_name = "NUMBER")]
    pub around: Option<u64>,
}

/// `verify`.
#[derive(Debug, ClapArgs)]
pub struct VerifyArgs {
    /// The contact's username, or the code that they show (LIVECHAT-VERIFY:…)
    #[arg(value_name = "NAME|CODE")]
    pub name: String,
    /// You have compared the safety number, and it is the same
    #[arg(long, conflicts_with = "undo")]
    pub same: bool,
    /// They are not verified any more
    #[arg(long)]
    pub undo: bool,
}

/// `backup`.
#[derive(Debug, ClapArgs)]
pub struct BackupArgs {
    /// The file, which must not be there yet; a name of its own in this directory when left out
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Seal it with a secret of yours, read from standard input: at least 12 characters
    #[arg(long)]
    pub passphrase: bool,
}

/// `restore`.
#[derive(Debug, ClapArgs)]
pub struct RestoreArgs {
    /// The file; its secret is read from standard input
    pub file: PathBuf,
}

/// `export`.
#[derive(Debug, ClapArgs)]
pub struct ExportArgs {
    /// The contact's username or the group's title; all conversations when left out
    pub name: Option<String>,
    /// What it looks like
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    pub format: ExportFormat,
    /// The file, which must not be there yet, or `-` for standard output; a name of its own in this directory when left out
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Take along the files that are on this device: the copy becomes a folder with the text and theirs in it
    #[arg(long)]
    pub files: bool,
}

/// What an export looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// For people
    Markdown,
    /// For programs: one JSON object a line
    Jsonl,
}

impl From<ExportFormat> for livechat_node::export::Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Markdown => Self::Markdown,
            ExportFormat::Jsonl => Self::JsonLines,
        }
    }
}

/// `search`.
#[derive(Debug, ClapArgs)]
pub struct SearchArgs {
    /// What to look for
    #[arg(required = true)]
    pub words: Vec<String>,
    /// Only in the conversation with this contact or group
    #[arg(long = "in", value_name = "NAME")]
    pub within: Option<String>,
    /// What came in last first, instead of what fits best
    #[arg(long)]
    pub newest: bool,
    /// How many hits
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub count: u32,
}

/// `demo`.
#[derive(Debug, ClapArgs)]
pub struct DemoArgs {
    /// Play a fixed conversation, check both ends, exit 0 when all is well
    #[arg(long)]
    pub script: bool,
    /// Keep everything in this directory instead of a temporary one
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_passes_its_dashes_on() {
        let script = |typed: &str| match Args::try_parse_from(words(typed.split(' ').map(OsString::from))).unwrap().verb
        {
            Some(Verb::Demo(DemoArgs { script, .. })) => script,
            other => panic!("{other:?}"),
        };
        assert!(script("livechat demo -- --script"));
        assert!(script("livechat demo --script"));
        assert!(script("livechat --json demo -- --script"));
        assert!(!script("livechat demo --"));
        let text =
            Args::try_parse_from(words(["livechat", "send", "bob", "--", "--script"].map(OsString::from))).unwrap();
        assert!(matches!(text.verb, Some(Verb::Send(SendArgs { text, .. })) if text == ["--script"]));
    }
}
