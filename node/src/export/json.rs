//! One message a line: what the API shows of it, with the conversation that it stands in.

use serde::Serialize;

use super::{Beside, FOLDER};
use crate::api::{Conversation, ConversationId, Message};

#[derive(Serialize)]
struct Line<'a> {
    r#type: &'static str,
    conversation: ConversationId,
    title: &'a str,
    group: bool,
    message: &'a Message,
    /// Where its file lies, from here; null when it isn't there, nothing when none goes along.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Option<String>>,
}

pub(super) fn line(conversation: &Conversation, message: &Message, beside: Beside<'_>) -> String {
    let Conversation { id, title, group, .. } = conversation;
    let file = match beside {
        Beside::Nothing => None,
        Beside::Here(name) => Some(Some(format!("{FOLDER}/{name}"))),
        Beside::Missing => Some(None),
    };
    let line = Line { r#type: "message", conversation: *id, title, group: *group, message, file };
    // Views are plain data: nothing in them can't be written.
    let json = serde_json::to_string(&line).unwrap_or_default();
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        // Whoever prints such a file on a terminal sees text, not orders to it. They occur inside strings only.
        if c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}
