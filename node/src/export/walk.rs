//! Through the conversations, page by page.

use std::collections::VecDeque;

use super::odd;
use crate::api::{Conversation, ConversationId, Error, ErrorCode, HistoryPage, Message, Request, Response};
use crate::limits;

/// Where a walk is.
#[derive(Debug)]
pub(super) struct Walk {
    wanted: Option<ConversationId>,
    /// None until the list was asked for.
    waiting: Option<VecDeque<Conversation>>,
    /// Nothing before this position is wanted any more.
    current: Option<(Conversation, u64)>,
}

/// What comes next.
pub(super) enum Step {
    /// A conversation.
    Begin(Conversation),
    /// Messages of it, oldest first; maybe none.
    Page(Conversation, Vec<Message>),
}

impl Walk {
    /// Through one conversation, or all, latest first.
    pub(super) fn new(wanted: Option<ConversationId>) -> Self {
        Self { wanted, waiting: None, current: None }
    }

    pub(super) async fn next<E, F>(&mut self, ask: impl Fn(Request) -> F) -> Result<Option<Step>, E>
    where
        E: From<Error>,
        F: Future<Output = Result<Response, E>>,
    {
        let Some((conversation, from)) = self.current.take() else {
            let waiting = match &mut self.waiting {
                Some(waiting) => waiting,
                list @ None => list.insert(conversations(&ask, self.wanted).await?),
            };
            let Some(conversation) = waiting.pop_front() else { return Ok(None) };
            self.current = Some((conversation.clone(), 0));
            return Ok(Some(Step::Begin(conversation)));
        };
        let (id, newer) = (conversation.id, limits::HISTORY);
        let request = Request::HistoryAt { conversation: id, position: from, older: 0, newer };
        let Response::History(HistoryPage { mut messages, newer: more, .. }) = ask(request).await? else {
            return Err(odd().into());
        };
        if more {
            let next = messages.last().map_or(from, |m| m.position.saturating_add(1));
            self.current = Some((conversation.clone(), next));
        }
        // A copy would outlive them.
        messages.retain(|m| m.timer.is_none());
        Ok(Some(Step::Page(conversation, messages)))
    }
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
