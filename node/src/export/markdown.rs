//! For people. What somebody said stands in a quote, so that none of it can pass for a heading or for somebody else's
//! words, and nothing in it loads anything when the file is shown by a browser.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Beside, FOLDER};
use crate::api::{Conversation, Message, MessageBody, Quote};

pub(super) fn head(conversation: &Conversation) -> String {
    let what = if conversation.group { "Group" } else { "Chat with" };
    format!("# {what} {}\n\n", one_line(&conversation.title))
}

pub(super) fn day(message: &Message, zone: &TimeZone) -> String {
    format(message.received_at, zone, "%A, %-d %B %Y")
}

pub(super) fn message(message: &Message, zone: &TimeZone, beside: Beside<'_>) -> String {
    let time = format(message.received_at, zone, "%H:%M");
    let mut out = format!("**{}** {time}", one_line(&message.author_name));
    for mark in [message.forwarded.then_some("passed on"), message.edited_at.map(|_| "edited")].into_iter().flatten() {
        out.push_str(&format!(" *({mark})*"));
    }
    out.push_str("\n\n");
    if let Some(Quote { author_name, text, .. }) = &message.reply_to {
        let text = text.as_deref().map_or_else(|| "*(gone)*".into(), one_line);
        out.push_str(&format!("> *in answer to* **{}**: {text}\n>\n", one_line(author_name)));
    }
    match &message.body {
        MessageBody::Text { text } => {
            for line in text.replace("\r\n", "\n").split('\n') {
                // Two blanks at the end keep the line's end.
                out.push_str(&format!("> {}  \n", harmless(line)));
            }
        }
        MessageBody::File { name, size, voice, .. } => {
            let what = match voice {
                Some(voice) => format!("a voice note of {} seconds", voice.millis.div_ceil(1_000)),
                None => format!("a file of {size} bytes"),
            };
            out.push_str(&match beside {
                Beside::Nothing => format!("*({what})* {}\n", one_line(name)),
                Beside::Here(at) => format!("*({what})* [{}]({FOLDER}/{})\n", in_link(name), encoded(at)),
                Beside::Missing => format!("*({what}, which isn't on this device)* {}\n", one_line(name)),
            });
        }
        MessageBody::Notice { notice } => out.push_str(&format!("*{}*\n", one_line(&notice.to_string()))),
        MessageBody::Deleted => out.push_str("*(deleted)*\n"),
        MessageBody::Timer { seconds: 0 } => out.push_str("*(messages stay from here on)*\n"),
        MessageBody::Timer { seconds } => {
            out.push_str(&format!("*(messages disappear after {seconds} seconds from here on)*\n"));
        }
        MessageBody::NeedsNewerVersion { kind } => {
            out.push_str(&format!("*(a message of kind {kind}, for newer versions)*\n"));
        }
    }
    for reaction in &message.reactions {
        let by = reaction.by.iter().map(|name| one_line(name)).collect::<Vec<_>>().join(", ");
        out.push_str(&format!(">\n> {} {by}\n", one_line(&reaction.emoji)));
    }
    out.push('\n');
    out
}

fn one_line(text: &str) -> String {
    harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Text of a link, which nothing in it ends.
fn in_link(text: &str) -> String {
    one_line(text).replace(']', "\\]")
}

/// A name as part of an address (RFC 3986): no blanks, brackets or marks that end a link.
fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Text in which nothing is a tag, a link with another text, a picture, or an order to a terminal.
fn harmless(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\\' | '<' | '&' | '[' | '`' | '*' | '_' => {
                out.push('\\');
                out.push(c);
            }
            '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            c => out.push(c),
        }
    }
    out
}

fn format(unix_millis: u64, zone: &TimeZone, how: &str) -> String {
    let at = i64::try_from(unix_millis).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "–".to_owned(), |t| t.to_zoned(zone.clone()).strftime(how).to_string())
}
