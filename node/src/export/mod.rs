//! A readable copy of what was said, made page by page: whoever writes it never holds more than one page.
//!
//! It is made through the API alone, so what is deleted or over isn't in it. Messages that disappear are left out: a
//! copy would outlive them.

mod attached;
mod json;
mod markdown;
mod walk;

use jiff::tz::TimeZone;

pub use attached::{Attached, Attaching, FOLDER, Taken};
use walk::{Step, Walk};

use crate::api::{Conversation, ConversationId, Error, ErrorCode, Message, MessageBody, Request, Response};
use crate::env;

/// What the copy looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Markdown,
    /// For programs: one message a line.
    JsonLines,
}

impl Format {
    /// How names of such files end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::JsonLines => "jsonl",
        }
    }
}

/// A copy in the making.
#[derive(Debug)]
pub struct Export {
    format: Format,
    zone: TimeZone,
    walk: Walk,
    /// The day of the last message, for headings.
    day: String,
    messages: u64,
    beside: Option<Taken>,
}

/// What a copy says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside<'a> {
    /// Nothing goes along with this copy.
    Nothing,
    /// It lies there under this name.
    Here(&'a str),
    /// It isn't on this device.
    Missing,
}

impl Export {
    /// Copies one conversation, or all, latest first.
    #[must_use]
    pub fn new(wanted: Option<ConversationId>, format: Format) -> Self {
        Self { format, zone: env::zone(), walk: Walk::new(wanted), day: String::new(), messages: 0, beside: None }
    }

    /// Says of each file where it lies beside the copy, in [`FOLDER`], or that it isn't there.
    #[must_use]
    pub fn beside(self, files: Taken) -> Self {
        Self { beside: Some(files), ..self }
    }

    /// Messages copied so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// The next part of the copy; none at its end. An empty part is no end.
    ///
    /// # Errors
    /// What the node refuses; there is no such conversation.
    pub async fn next<E, F>(&mut self, ask: impl Fn(Request) -> F) -> Result<Option<String>, E>
    where
        E: From<Error>,
        F: Future<Output = Result<Response, E>>,
    {
        let (conversation, messages) = match self.walk.next(ask).await? {
            None => return Ok(None),
            Some(Step::Begin(conversation)) => {
                self.day.clear();
                return Ok(Some(match self.format {
                    Format::Markdown => markdown::head(&conversation),
                    Format::JsonLines => String::new(),
                }));
            }
            Some(Step::Page(conversation, messages)) => (conversation, messages),
        };
        let mut part = String::new();
        for message in &messages {
            self.messages += 1;
            self.write(&mut part, &conversation, message);
        }
        Ok(Some(part))
    }

    fn write(&mut self, part: &mut String, conversation: &Conversation, message: &Message) {
        let beside = match (&self.beside, &message.body) {
            (Some(taken), MessageBody::File { .. }) => {
                taken.name(conversation.id, message.position).map_or(Beside::Missing, Beside::Here)
            }
            _ => Beside::Nothing,
        };
        match self.format {
            Format::JsonLines => part.push_str(&json::line(conversation, message, beside)),
            Format::Markdown => {
                let day = markdown::day(message, &self.zone);
                if day != self.day {
                    part.push_str(&format!("## {day}\n\n"));
                    self.day = day;
                }
                part.push_str(&markdown::message(message, &self.zone, beside));
            }
        }
    }
}

/// A name for a file with a copy in it, made of a title and the day.
#[must_use]
pub fn file_name(title: Option<&str>, format: Format) -> String {
    format!("{}.{}", folder_name(title), format.extension())
}

/// The same for a folder with a copy and files in it.
#[must_use]
pub fn folder_name(title: Option<&str>) -> String {
    const LONGEST: usize = 40;
    let safe = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let title: String = title.unwrap_or("all").chars().take(LONGEST).map(safe).collect();
    let day = jiff::Timestamp::from_millisecond(i64::try_from(env::now_ms()).unwrap_or(0))
        .map(|t| t.to_zoned(env::zone()).strftime("%Y-%m-%d").to_string())
        .unwrap_or_default();
    format!("livechat-{title}-{day}")
}

fn odd() -> Error {
    Error::new(ErrorCode::Internal, "The node answered something else.", "Use programs of the same release.")
}

#[cfg(test)]
mod tests;
