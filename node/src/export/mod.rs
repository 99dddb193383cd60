//! A readable copy of what was said, made page by page: whoever writes it never holds more than one page.
//!
//! It is made through the API alone, so what is deleted or over isn't in it. Messages that disappear are left out: a
//! copy would outlive them.

mod json;
mod markdown;

use std::collections::VecDeque;

use jiff::tz::TimeZone;

use crate::api::{Conversation, ConversationId, Error, ErrorCode, HistoryPage, Message, Request, Response};
use crate::{env, limits};

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
    wanted: Option<ConversationId>,
    /// None until the list was asked for.
    waiting: Option<VecDeque<Conversation>>,
    current: Option<Open>,
    messages: u64,
}

/// The conversation that is being copied.
#[derive(Debug)]
struct Open {
    conversation: Conversation,
    /// Nothing before this position is wanted any more.
    from: u64,
    /// The day of the last message, for headings.
    day: String,
}

impl Export {
    /// Copies one conversation, or all, latest first.
    #[must_use]
    pub fn new(wanted: Option<ConversationId>, format: Format) -> Self {
        Self { format, zone: env::zone(), wanted, waiting: None, current: None, messages: 0 }
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
        let Some(mut open) = self.current.take() else {
            let waiting = match &mut self.waiting {
                Some(waiting) => waiting,
                list @ None => list.insert(conversations(&ask, self.wanted).await?),
            };
            let Some(conversation) = waiting.pop_front() else { return Ok(None) };
            let head = match self.format {
                Format::Markdown => markdown::head(&conversation),
                Format::JsonLines => String::new(),
            };
            self.current = Some(Open { conversation, from: 0, day: String::new() });
            return Ok(Some(head));
        };
        let (id, newer) = (open.conversation.id, limits::HISTORY);
        let request = Request::HistoryAt { conversation: id, position: open.from, older: 0, newer };
        let Response::History(HistoryPage { messages, newer: more, .. }) = ask(request).await? else {
            return Err(odd().into());
        };
        let mut part = String::new();
        for message in &messages {
            open.from = message.position.saturating_add(1);
            if message.timer.is_none() {
                self.messages += 1;
                self.write(&mut part, &mut open, message);
            }
        }
        if more {
            self.current = Some(open);
        }
        Ok(Some(part))
    }

    fn write(&self, part: &mut String, open: &mut Open, message: &Message) {
        match self.format {
            Format::JsonLines => part.push_str(&json::line(&open.conversation, message)),
            Format::Markdown => {
                let day = markdown::day(message, &self.zone);
                if day != open.day {
                    part.push_str(&format!("## {day}\n\n"));
                    open.day = day;
                }
                part.push_str(&markdown::message(message, &self.zone));
            }
        }
    }
}

/// A name for a file with a copy in it, made of a title and the day.
#[must_use]
pub fn file_name(title: Option<&str>, format: Format) -> String {
    const LONGEST: usize = 40;
    let safe = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let title: String = title.unwrap_or("all").chars().take(LONGEST).map(safe).collect();
    let day = jiff::Timestamp::from_millisecond(i64::try_from(env::now_ms()).unwrap_or(0))
        .map(|t| t.to_zoned(env::zone()).strftime("%Y-%m-%d").to_string())
        .unwrap_or_default();
    format!("livechat-{title}-{day}.{}", format.extension())
}

async fn conversations<E, F>(
    ask: &impl Fn(Request) -> F,
    wanted: Option<ConversationId>,
) -> Result<VecDeque<Conversation>, E>
where
    E: From<Error>,
    F: Future<Output = Result<Response, E>>,
{
    let Response::Conversations { conversations } = ask(Request::Conversations).await? else {
        return Err(odd().into());
    };
    let found: VecDeque<_> = conversations.into_iter().filter(|c| wanted.is_none_or(|wanted| wanted == c.id)).collect();
    if found.is_empty() && wanted.is_some() {
        return Err(Error::new(ErrorCode::NotFound, "There is no such conversation.", "").into());
    }
    Ok(found)
}

fn odd() -> Error {
    Error::new(ErrorCode::Internal, "The node answered something else.", "Use programs of the same release.")
}

#[cfg(test)]
mod tests;
