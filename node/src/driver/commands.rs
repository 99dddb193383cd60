//! Commands given to the engine and not answered yet.

use std::collections::BTreeMap;

use livechat_engine::{CommandError, CommandId, Reply, view};
use tokio::sync::oneshot;

use super::refusals;
use crate::api::{Error, GroupLink, Response};
use crate::limits;

pub(crate) type Answer = oneshot::Sender<Result<Response, Error>>;

/// A link as faces show it, drawn in capitals: letters of that kind take less room in a code.
pub(super) fn group_link(link: view::GroupLink) -> GroupLink {
    let qr_svg = link.link.as_ref().and_then(|text| crate::qr::svg(&text.to_uppercase()));
    let view::GroupLink { door, link, made_by, expires_at, uses, used, state } = link;
    GroupLink { door, link, qr_svg, made_by, expires_at, uses, used, state }
}

#[derive(Default)]
pub(super) struct Commands {
    last: u64,
    waiting: BTreeMap<CommandId, Waiting>,
}

struct Waiting {
    answer: Answer,
    /// The engine has seen it and wants something else first (a look-up).
    seen: bool,
}

impl Commands {
    /// Takes a command's answer on, under a new id; gives it back when too many wait.
    pub(super) fn take(&mut self, answer: Answer) -> Result<CommandId, Answer> {
        if self.waiting.len() >= limits::COMMANDS {
            return Err(answer);
        }
        self.last += 1;
        let id = CommandId(self.last);
        self.waiting.insert(id, Waiting { answer, seen: false });
        Ok(id)
    }

    pub(super) fn reply(&mut self, id: CommandId, reply: Result<Reply, CommandError>) {
        self.answer(
            id,
            match reply {
                Ok(Reply::Contact(contact)) => Ok(Response::Contact(contact)),
                Ok(Reply::Sent(message)) => Ok(Response::Sent(*message)),
                Ok(Reply::Group(conversation)) => Ok(Response::GroupCreated { conversation }),
                Ok(Reply::Link(link)) => Ok(Response::Link(group_link(link))),
                Ok(Reply::Joining(joining)) => Ok(Response::Joining(joining)),
                Ok(_) => Ok(Response::Done),
                Err(e) => Err(refusals::of_command(e)),
            },
        );
    }

    pub(super) fn answer(&mut self, id: CommandId, result: Result<Response, Error>) {
        if let Some(w) = self.waiting.remove(&id)
            && w.answer.send(result).is_err()
        {
            tracing::debug!("a caller left before its answer");
        }
    }

    pub(super) fn seen(&mut self, ids: &[CommandId]) {
        for id in ids {
            if let Some(w) = self.waiting.get_mut(id) {
                w.seen = true;
            }
        }
    }

    /// The engine lost what it had in memory alone.
    pub(super) fn fail_seen(&mut self, error: &Error) {
        let ids: Vec<_> = self.waiting.iter().filter(|(_, w)| w.seen).map(|(id, _)| *id).collect();
        for id in ids {
            self.answer(id, Err(error.clone()));
        }
    }
}
