//! `verify`: being sure whom one talks to.

use livechat_node::api::{Contact, Request, Response, SafetyCode};
use serde::Serialize;

use crate::args::VerifyArgs;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::render::Look;
use crate::style::Ink;
use crate::verbs::contacts::safety_lines;
use crate::{qr, text};

/// How every code begins.
const CODE: &str = "livechat-verify:";

/// What is printed for programs.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    contact: &'a Contact,
    code: &'a str,
}

/// What a word means where a name or a code may stand.
#[must_use]
pub fn is_code(word: &str) -> bool {
    word.to_lowercase().starts_with(CODE)
}

/// Shows what to compare, notes that it was compared, or compares a code.
///
/// # Errors
/// Not a contact; the code is none, or says something else than what is seen here.
pub async fn run(door: &Door, args: &VerifyArgs, columns: Option<usize>, out: &mut Out) -> Result<(), Failure> {
    let contact = match (&args.name, args.same, args.undo) {
        (code, false, false) if is_code(code) => check(door, code).await?,
        (code, ..) if is_code(code) => {
            return Err(Failure::new(Exit::Usage, "A code is compared by itself.", "Leave --same and --undo out."));
        }
        (name, false, false) => {
            let contact = door.contact(name).await?;
            let code = code(door, &contact).await?;
            out.object("contact", &Line { contact: &contact, code: &code.code })?;
            for line in lines(&out.look, &contact, &code, columns) {
                out.line(&line)?;
            }
            return Ok(());
        }
        (name, same, _) => note(door, name, same).await?,
    };
    out.object("contact", &contact)?;
    out.line(&said(&contact))
}

/// Notes that the safety number of somebody was compared, or must be again.
///
/// # Errors
/// Not a contact, or what the node refuses.
pub async fn note(door: &Door, name: &str, verified: bool) -> Result<Contact, Failure> {
    let contact = door.contact(name).await?;
    door.ask(Request::Verify { account: contact.account, verified }).await?;
    door.contact(name).await
}

/// Compares a code with what is seen here.
///
/// # Errors
/// It is none, or says something else.
pub async fn check(door: &Door, code: &str) -> Result<Contact, Failure> {
    match door.ask(Request::CheckCode { code: code.to_owned() }).await? {
        Response::Contact(contact) => Ok(contact),
        _ => Err(Failure::odd_answer()),
    }
}

/// What a contact scans or types.
///
/// # Errors
/// What the node refuses.
pub async fn code(door: &Door, contact: &Contact) -> Result<SafetyCode, Failure> {
    match door.ask(Request::SafetyCode { account: contact.account }).await? {
        Response::SafetyCode(code) => Ok(code),
        _ => Err(Failure::odd_answer()),
    }
}

/// What two people show each other, and what to do with it.
#[must_use]
pub fn lines(look: &Look, contact: &Contact, code: &SafetyCode, columns: Option<usize>) -> Vec<String> {
    let name = text::word(&contact.username);
    let mut lines = Vec::new();
    if contact.new_keys {
        lines.extend(look.prose(Ink::Warn, &changed(&name)));
    }
    lines.push(standing(look, contact));
    lines.extend(safety_lines(look, contact));
    let drawn = columns.and_then(|columns| qr::lines(&code.code, columns, look.style));
    lines.extend(drawn.into_iter().flatten());
    lines.push(format!("Or let {name} scan or paste this, and paste what {name} shows behind `verify`:"));
    lines.push(format!("    {}", look.style.paint(Ink::Strong, &text::prose(&code.code))));
    lines
}

/// What is said about a contact that was looked into.
#[must_use]
pub fn said(contact: &Contact) -> String {
    let name = text::word(&contact.username);
    match contact.verified {
        true => format!("✓ {name} is verified: nobody sits between you."),
        false => format!("{name} is no longer verified."),
    }
}

/// What new keys mean, and what to do.
#[must_use]
pub fn changed(name: &str) -> String {
    format!(
        "{name} is another account than the one you knew by that name: they signed up anew, or somebody else is there. \
         Nothing is sent before you verify them, or accept them on their word (`accept {name}`)."
    )
}

fn standing(look: &Look, contact: &Contact) -> String {
    match contact.verified {
        true => look.style.paint(Ink::Good, "✓ verified"),
        false => look.style.paint(Ink::Quiet, "not verified yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_from_names() {
        assert!(is_code("LIVECHAT-VERIFY:ABC") && is_code("livechat-verify:abc"));
        assert!(!is_code("livechat-verify") && !is_code("bob"));
    }
}
