//! `contacts`, `add` and `safety`.

use livechat_node::api::{Contact, Request, Response};
use serde::Serialize;

use crate::door::Door;
use crate::exit::Failure;
use crate::out::Out;
use crate::style::Ink;
use crate::text;

#[derive(Serialize)]
struct ContactLine<'a> {
    #[serde(flatten)]
    contact: &'a Contact,
    unread: u32,
}

/// Lists everyone, with what is unread.
///
/// # Errors
/// What the node refuses.
pub async fn list(door: &Door, out: &mut Out) -> Result<(), Failure> {
    let contacts = door.contacts().await?;
    let conversations = door.conversations().await?;
    for contact in &contacts {
        let unread = conversations.iter().find(|c| c.id == contact.conversation).map_or(0, |c| c.unread);
        out.object("contact", &ContactLine { contact, unread })?;
        let line = out.look.contact(contact, unread);
        out.line(&line)?;
    }
    if contacts.is_empty() {
        out.line("No contacts yet: `livechat add NAME`.")?;
    }
    Ok(())
}

/// Adds a name.
///
/// # Errors
/// Nobody has that name, or the relay is away.
pub async fn add(door: &Door, name: &str, out: &mut Out) -> Result<(), Failure> {
    let name = name.trim_start_matches('@').to_owned();
    let Response::Contact(contact) = door.ask(Request::AddContact { username: name }).await? else {
        return Err(Failure::odd_answer());
    };
    out.object("contact", &ContactLine { contact: &contact, unread: 0 })?;
    let name = text::word(&contact.username);
    out.line(&format!("{name} is a contact now: `livechat send {name} hello`."))
}

/// Shows the number to compare.
///
/// # Errors
/// Not a contact.
pub async fn safety(door: &Door, name: &str, out: &mut Out) -> Result<(), Failure> {
    let contact = door.contact(name).await?;
    out.object("contact", &ContactLine { contact: &contact, unread: 0 })?;
    for line in safety_lines(&out.look, &contact) {
        out.line(&line)?;
    }
    Ok(())
}

/// The safety number in three rows, and what to do with it.
#[must_use]
pub fn safety_lines(look: &crate::render::Look, contact: &Contact) -> Vec<String> {
    let groups: Vec<&str> = contact.safety_number.split_whitespace().collect();
    let mut lines: Vec<String> = groups
        .chunks(4)
        .map(|row| format!("    {}", look.style.paint(Ink::Strong, &text::word(&row.join(" ")))))
        .collect();
    lines.push(format!(
        "Compare it with {} face to face or on the phone: the same digits mean that nobody sits between you.",
        text::word(&contact.username)
    ));
    lines
}
