//! `backup` and `restore`: history, contacts and settings as a sealed file.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use livechat_node::api::{BackedUp, Request, Response, Restored};

use crate::args::{BackupArgs, RestoreArgs};
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::style::Ink;
use crate::text;

/// Bytes of a secret that are read: a long sentence.
const SECRET: u64 = 1_024;

/// The secret as typed on standard input, for those who bring one.
///
/// # Errors
/// Standard input is closed or isn't text.
pub fn secret(asked: bool) -> Result<String, Failure> {
    if !asked {
        return Ok(String::new());
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("Secret of the backup: ");
    }
    let mut line = String::new();
    let mut limited = std::io::Read::take(stdin.lock(), SECRET);
    limited.read_line(&mut line).map_err(|e| Failure::io("read the secret from standard input", &e))?;
    let line = line.trim().to_owned();
    if line.is_empty() {
        return Err(Failure::new(Exit::Usage, "No secret was given.", "Type it, or pipe it in."));
    }
    Ok(line)
}

/// Writes a backup.
///
/// # Errors
/// The place is taken, the secret too short, the disk full, or what else the node refuses.
pub async fn save(door: &Door, args: &BackupArgs, typed: String, out: &mut Out) -> Result<(), Failure> {
    let done = write(door, args.output.as_deref(), args.passphrase.then_some(typed)).await?;
    out.object("backed_up", &done)?;
    for line in said(&out.look, &done) {
        out.line(&line)?;
    }
    Ok(())
}

/// Gives a backup back.
///
/// # Errors
/// The secret is another one, the file is damaged, or what else the node refuses.
pub async fn restore(door: &Door, args: &RestoreArgs, typed: String, out: &mut Out) -> Result<(), Failure> {
    let path = absolute(&args.file)?.display().to_string();
    let Response::Restored(done) = door.ask(Request::Restore { path, secret: typed }).await? else {
        return Err(Failure::odd_answer());
    };
    out.object("restored", &done)?;
    let Restored { contacts, conversations, messages, left } = done;
    out.line(&format!("{messages} messages in {conversations} conversations are back, and {contacts} contacts."))?;
    if left > 0 {
        out.line(&format!("{left} conversations are as they were: something was said in them here already."))?;
    }
    out.line("Keys don't come back: `livechat add NAME` lets you write to somebody again; groups let you in again.")
}

/// Has the node write a backup, under a name of its own unless one is given.
///
/// # Errors
/// As [`save`].
pub async fn write(door: &Door, output: Option<&Path>, secret: Option<String>) -> Result<BackedUp, Failure> {
    let day = jiff::Zoned::now().strftime("%Y-%m-%d").to_string();
    let named = PathBuf::from(format!("livechat-{day}.backup"));
    let path = absolute(output.unwrap_or(&named))?.display().to_string();
    match door.ask(Request::Backup { path, secret }).await? {
        Response::BackedUp(done) => Ok(done),
        _ => Err(Failure::odd_answer()),
    }
}

/// What is said about a backup that is made.
#[must_use]
pub fn said(look: &crate::render::Look, done: &BackedUp) -> Vec<String> {
    let mut lines = vec![format!("{} messages are in {}, sealed.", done.messages, text::prose(&done.path))];
    if let Some(secret) = &done.secret {
        lines.push("Only this opens it, and it is kept nowhere else. Write it down:".to_owned());
        lines.push(format!("    {}", look.style.paint(Ink::Strong, &text::word(secret))));
    }
    lines
}

/// The node may live in another directory.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|e| Failure::io(&format!("understand {}", path.display()), &e))
}
