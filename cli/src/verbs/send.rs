//! `send`: one message, and the proof of how far it got.

use std::io::Read;
use std::time::Duration;

use livechat_node::api::{ConversationId, Delivery, Event, Events, Message, MessageId, Request, Response};

use crate::args::{SendArgs, Wait};
use crate::door::{Door, Target};
use crate::exit::{Exit, Failure};
use crate::limits;
use crate::out::Out;
use crate::text;

/// What to send: the words given, or standard input to its end. Blocks, so it comes before a node is looked for.
///
/// # Errors
/// Nothing to send, or standard input isn't text.
pub fn text(args: &SendArgs) -> Result<String, Failure> {
    if args.file.is_some() {
        return Ok(String::new());
    }
    let text = match args.text.as_slice() {
        [] => read_text()?,
        [dash] if dash == "-" => read_text()?,
        words => words.join(" "),
    };
    if text.trim().is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "There is nothing to send.",
            "Write it after the name, or into standard input.",
        ));
    }
    Ok(text)
}

/// Sends and waits.
///
/// # Errors
/// Not a contact, or the state wasn't reached in time (the message stays queued).
pub async fn run(door: &Door, args: &SendArgs, text: String, out: &mut Out) -> Result<(), Failure> {
    if let Some(path) = &args.file {
        return super::files::send(door, args, path, out).await;
    }
    let to = door.target(&args.name).await?;
    // Before sending: no change of the message can be missed.
    let mut events = door.events();
    let request = Request::Send { conversation: to.conversation, text, id: None, reply_to: args.reply_to };
    let Response::Sent(message) = door.ask(request).await? else { return Err(Failure::odd_answer()) };
    follow(door, args, &to, message, &mut events, out).await
}

/// Waits until a message got as far as asked, and prints it.
pub(super) async fn follow(
    door: &Door,
    args: &SendArgs,
    to: &Target,
    mut message: Message,
    events: &mut Events,
    out: &mut Out,
) -> Result<(), Failure> {
    let wanted = wanted(args.wait);
    let reached = async {
        while message.delivery < Some(wanted) {
            match events.next().await {
                Some(Event::MessageChanged { message: changed, .. }) if changed.id == message.id => message = changed,
                Some(Event::Lagged) => {
                    if let Some(now) = find(door, to.conversation, message.id).await? {
                        message = now;
                    }
                }
                Some(_) => {}
                None => {
                    return Err(Failure::new(
                        Exit::Failure,
                        "The node has stopped.",
                        "The message is queued on its disk.",
                    ));
                }
            }
        }
        Ok(())
    };
    let outcome = tokio::time::timeout(Duration::from_secs(args.timeout), reached).await;
    out.message(&to.name, &message)?;
    match outcome {
        Ok(done) => done?,
        Err(_) => {
            let so_far = message.delivery.unwrap_or(Delivery::Queued);
            return Err(Failure::new(
                Exit::Unreachable,
                format!("After {} s the message is only {}.", args.timeout, say(so_far)),
                "It is kept and goes on by itself while a node runs; don't send it again.",
            ));
        }
    }
    let state = message.delivery.map(|d| out.look.delivery(d)).unwrap_or_default();
    out.line(&format!("  {state}"))
}

async fn find(door: &Door, conversation: ConversationId, id: MessageId) -> Result<Option<Message>, Failure> {
    Ok(door.newest(conversation, 1, |m| m.id == id).await?.pop())
}

fn wanted(wait: Wait) -> Delivery {
    match wait {
        Wait::Queued => Delivery::Queued,
        Wait::Accepted => Delivery::Accepted,
        Wait::Delivered => Delivery::Delivered,
        Wait::Read => Delivery::Read,
    }
}

fn say(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Queued => "queued on this device",
        Delivery::Accepted => "accepted by the relay",
        Delivery::Delivered => "on a device of theirs",
        Delivery::Read => "read",
    }
}

/// Standard input to its end, without the last line's end.
fn read_text() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin().take(limits::STDIN).read_to_end(&mut bytes).map_err(|e| Failure::io("read standard input", &e))?;
    let mut text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(Exit::Usage, "Standard input is not UTF-8 text.", "--file PATH sends files."))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text::plain_newlines(&text))
}
