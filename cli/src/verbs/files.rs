//! `send --file` and `save`: files, in and out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use livechat_node::api::{Event, Events, Message, MessageBody, Request, Response, Transfer, TransferState};
use serde::Serialize;
use tokio::time::Instant;

use super::send;
use crate::args::{SaveArgs, SendArgs};
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::said::bytes;
use crate::text;

/// Sends a file and waits until its message got as far as asked.
///
/// # Errors
/// Not a contact, not a file, no room at the relay; or it doesn't move on (it goes on by itself later).
pub async fn send(door: &Door, args: &SendArgs, path: &Path, out: &mut Out) -> Result<(), Failure> {
    let to = door.target(&args.name).await?;
    let mut events = door.events();
    let path = from_root(path)?;
    let request = Request::SendFile {
        conversation: to.conversation,
        path: path.to_string_lossy().into_owned(),
        name: None,
        id: None,
        as_is: args.as_is,
    };
    let Response::Transfer(transfer) = door.ask(request).await? else { return Err(Failure::odd_answer()) };
    out.line(&format!("{}, {}: on its way.", text::word(&transfer.name), bytes(transfer.size)))?;
    let message = arrive(door, transfer, &mut events, Duration::from_secs(args.timeout)).await?;
    send::follow(door, args, &to, message, &mut events, out).await
}

/// Waits until the relay has a file and its message is in the history.
async fn arrive(
    door: &Door,
    mut transfer: Transfer,
    events: &mut Events,
    patience: Duration,
) -> Result<Message, Failure> {
    let (conversation, id) = (transfer.conversation, transfer.message);
    let stuck = |t: &Transfer| {
        let why = match &t.state {
            TransferState::Waiting { reason } => format!("The file waits. {reason}"),
            _ => "The file doesn't move on.".to_owned(),
        };
        let hint = "It is kept and goes on by itself while a node runs; don't send it again.";
        Failure::new(Exit::Unreachable, why, hint)
    };
    let mut deadline = Instant::now() + patience;
    loop {
        // In any order: the event may have come before the answer, or got lost.
        if let Some(message) = door.newest(conversation, 1, |m| m.id == id).await?.pop() {
            return Ok(message);
        }
        if let TransferState::Failed { message, hint } = &transfer.state {
            return Err(Failure::new(Exit::Failure, message.clone(), hint.clone()));
        }
        if transfer.state == TransferState::Cancelled {
            return Err(Failure::new(Exit::Failure, "Somebody stopped the file.", ""));
        }
        let moved = async {
            loop {
                match events.next().await {
                    Some(Event::TransferChanged { transfer }) if transfer.message == id && transfer.up => {
                        return Ok(Some(transfer));
                    }
                    Some(Event::Lagged) => return Ok(None),
                    Some(_) => {}
                    None => {
                        return Err(Failure::new(Exit::Failure, "The node has stopped.", "The file goes on with it."));
                    }
                }
            }
        };
        match tokio::time::timeout_at(deadline, moved).await {
            Ok(Ok(Some(now))) => {
                if now.done > transfer.done {
                    deadline = Instant::now() + patience;
                }
                transfer = now;
            }
            Ok(Ok(None)) => {
                let Response::Transfers { transfers } = door.ask(Request::Transfers).await? else {
                    return Err(Failure::odd_answer());
                };
                if let Some(now) = transfers.into_iter().find(|t| t.message == id && t.up) {
                    transfer = now;
                }
            }
            Ok(Err(e)) => return Err(e),
            Err(_) => return Err(stuck(&transfer)),
        }
    }
}

#[derive(Serialize)]
struct Saved<'a> {
    path: &'a str,
}

/// Saves the file of a message: the last one with a file, unless told.
///
/// # Errors
/// Not a contact, no file, or nowhere to save to.
pub async fn save(door: &Door, args: &SaveArgs, out: &mut Out) -> Result<(), Failure> {
    let conversation = door.target(&args.name).await?.conversation;
    let position = match args.number {
        Some(number) => number,
        None => {
            let last = door.newest(conversation, 1, is_file).await?.pop();
            last.map(|m| m.position).ok_or_else(no_file)?
        }
    };
    let to = from_root(&args.to)?.to_string_lossy().into_owned();
    let Response::Saved { path } = door.ask(Request::SaveFile { conversation, position, to }).await? else {
        return Err(Failure::odd_answer());
    };
    out.object("saved", &Saved { path: &path })?;
    out.line(&text::word(&path))
}

#[derive(Serialize)]
struct Directly {
    on: bool,
}

/// Shows or sets whether files go directly.
///
/// # Errors
/// What the node refuses.
pub async fn direct(door: &Door, on: Option<bool>, out: &mut Out) -> Result<(), Failure> {
    if let Some(on) = on {
        door.ask(Request::SetDirectFiles { on }).await?;
    }
    let Response::DirectFiles { on } = door.ask(Request::DirectFiles).await? else {
        return Err(Failure::odd_answer());
    };
    out.object("direct_files", &Directly { on })?;
    out.line(directly(on))
}

/// The same for people.
#[must_use]
pub fn directly(on: bool) -> &'static str {
    if on {
        "Files go straight from device to device where the other wants it too; either sees the other's network address."
    } else {
        "Files go by the relay; nobody sees this device's network address because of them."
    }
}

/// Whether a message is a file that somebody else sent, or we did.
#[must_use]
pub fn is_file(message: &Message) -> bool {
    matches!(message.body, MessageBody::File { .. })
}

/// There is none.
#[must_use]
pub fn no_file() -> Failure {
    Failure::new(
        Exit::UnknownContact,
        "There is no file in that message.",
        "The history shows the messages with their numbers.",
    )
}

/// A path as the node wants it: it may run elsewhere.
///
/// # Errors
/// There is no current folder.
pub fn from_root(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|e| Failure::io("find the current folder", &e))
}
