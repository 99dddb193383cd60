//! What scripts do with messages and contacts: `edit`, `delete`, `react`, `timer`, `accept`, `block`, `unblock`.

use livechat_node::api::{Request, Response};

use crate::args::{DeleteArgs, EditArgs, ReactArgs};
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::said::{seconds, span};
use crate::text;

/// Gives an own message another text.
///
/// # Errors
/// Not a contact, not one's own message, or what else the node refuses.
pub async fn edit(door: &Door, args: &EditArgs, out: &mut Out) -> Result<(), Failure> {
    let to = door.target(&args.name).await?;
    let text = args.text.join(" ");
    let request = Request::Edit { conversation: to.conversation, position: args.number, text };
    message(door, request, &to.name, out).await
}

/// Takes an own message back everywhere, or removes any message here.
///
/// # Errors
/// Not a contact, or what the node refuses.
pub async fn delete(door: &Door, args: &DeleteArgs, out: &mut Out) -> Result<(), Failure> {
    let conversation = door.target(&args.name).await?.conversation;
    let for_everyone = !args.here;
    door.ask(Request::Delete { conversation, position: args.number, for_everyone }).await?;
    out.done("Deleted.")
}

/// Puts an emoji under a message, or takes it away.
///
/// # Errors
/// Not a contact, or what the node refuses.
pub async fn react(door: &Door, args: &ReactArgs, out: &mut Out) -> Result<(), Failure> {
    let to = door.target(&args.name).await?;
    let (conversation, on) = (to.conversation, !args.remove);
    let request = Request::React { conversation, position: args.number, emoji: args.emoji.clone(), on };
    message(door, request, &to.name, out).await
}

/// Lets messages disappear.
///
/// # Errors
/// Not a contact, no span of time, or what the node refuses.
pub async fn timer(door: &Door, name: &str, after: &str, out: &mut Out) -> Result<(), Failure> {
    let seconds = seconds(after)
        .ok_or_else(|| Failure::new(Exit::Usage, "That is no span of time.", "Write 30s, 5m, 2h, 1d, 1w or off."))?;
    let to = door.target(name).await?;
    door.ask(Request::SetTimer { conversation: to.conversation, seconds }).await?;
    let name = text::word(&to.name);
    out.done(&match seconds {
        0 => format!("New messages with {name} stay."),
        n => format!("New messages with {name} disappear {} after they were read.", span(n)),
    })
}

/// Agrees to talk to somebody who wrote first.
///
/// # Errors
/// Nobody of that name has written, or what the node refuses.
pub async fn accept(door: &Door, name: &str, out: &mut Out) -> Result<(), Failure> {
    let to = door.target(name).await?;
    door.ask(Request::Accept { conversation: to.conversation }).await?;
    out.done(&format!("{} can see now what reached you and what you read.", text::word(&to.name)))
}

/// Hears no more from somebody, or again.
///
/// # Errors
/// Not a contact, or what the node refuses.
pub async fn block(door: &Door, name: &str, blocked: bool, out: &mut Out) -> Result<(), Failure> {
    let to = door.target(name).await?;
    door.ask(Request::Block { conversation: to.conversation, blocked }).await?;
    let name = text::word(&to.name);
    out.done(&match blocked {
        true => format!("Nothing of {name} is shown any more, and nothing is sent."),
        false => format!("{name} is heard again."),
    })
}

/// Asks for something that is answered with a message.
async fn message(door: &Door, request: Request, contact: &str, out: &mut Out) -> Result<(), Failure> {
    match door.ask(request).await? {
        Response::Sent(message) => out.message(contact, &message),
        _ => Err(Failure::odd_answer()),
    }
}
