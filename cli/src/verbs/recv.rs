//! `recv`: what came in and wasn't read. Printed first, marked read afterwards: a crash between shows it twice, never
//! not at all.

use std::time::Duration;

use livechat_node::api::{ConversationId, Message};
use tokio::time::Instant;

use crate::args::RecvArgs;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;

/// Prints and marks.
///
/// # Errors
/// Not a contact, or nothing (too little) came in time.
pub async fn run(door: &Door, args: &RecvArgs, out: &mut Out) -> Result<(), Failure> {
    // Before looking: nothing that arrives in between can be missed.
    let mut events = door.events();
    let only = match &args.from {
        Some(name) => Some(door.target(name).await?.conversation),
        None => None,
    };
    let waits = args.follow || args.count.is_some() || args.timeout.is_some();
    if !waits {
        // The relay being away is no reason to hide what is here.
        if let Err(away) = door.caught_up().await {
            if away.code != Exit::Unreachable {
                return Err(away);
            }
            eprintln!("livechat: {away}");
        }
    }
    let deadline = args.timeout.map(|s| Instant::now() + Duration::from_secs(s));
    let mut printed = 0;
    loop {
        let room = args.count.map_or(usize::MAX, |n| n as usize - printed);
        printed += drain(door, only, room, out).await?;
        let enough = match args.count {
            Some(n) => printed == n as usize,
            None => !args.follow && (printed > 0 || args.timeout.is_none()),
        };
        if enough {
            return Ok(());
        }
        let next = match deadline {
            Some(at) => tokio::time::timeout_at(at, events.next()).await,
            None => Ok(events.next().await),
        };
        match next {
            // Whatever it was, the state is asked again: events are hints.
            Ok(Some(_)) => {}
            Ok(None) => return Err(Failure::new(Exit::Failure, "The node has stopped.", "Start it again.")),
            Err(_) if args.follow && args.count.is_none() && printed > 0 => return Ok(()),
            Err(_) => {
                let seconds = args.timeout.unwrap_or_default();
                let words = match args.count {
                    Some(n) => format!("{printed} of {n} messages came within {seconds} s."),
                    None => format!("No message came within {seconds} s."),
                };
                return Err(Failure::new(Exit::Unreachable, words, ""));
            }
        }
    }
}

/// Prints up to `room` unread messages of others, in the order they came in, and marks them read.
async fn drain(door: &Door, only: Option<ConversationId>, room: usize, out: &mut Out) -> Result<usize, Failure> {
    let mut unread: Vec<(String, ConversationId, Message)> = Vec::new();
    for conversation in door.conversations().await? {
        if conversation.unread == 0 || only.is_some_and(|o| o != conversation.id) {
            continue;
        }
        let messages = door.newest(conversation.id, conversation.unread as usize, |m| !m.own).await?;
        unread.extend(messages.into_iter().map(|m| (conversation.title.clone(), conversation.id, m)));
    }
    unread.sort_by_key(|(_, _, m)| (m.received_at, m.position));
    unread.truncate(room);
    let mut marks: Vec<(ConversationId, u64)> = Vec::new();
    for (contact, conversation, message) in &unread {
        out.message(contact, message)?;
        match marks.iter_mut().find(|(c, _)| c == conversation) {
            Some((_, position)) => *position = (*position).max(message.position),
            None => marks.push((*conversation, message.position)),
        }
    }
    for (conversation, position) in marks {
        door.mark_read(conversation, position).await?;
    }
    Ok(unread.len())
}
