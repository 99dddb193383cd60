//! `/file`, `/save` and `/files`: files, in and out of the conversation in the prompt.

use std::path::PathBuf;

use livechat_node::api::{MessageBody, Request, Response, Transfer, TransferState};

use super::Chat;
use super::keyboard::Keyboard;
use crate::exit::{Exit, Failure};
use crate::said::bytes;
use crate::style::Ink;
use crate::text;
use crate::verbs::files::{directly, from_root, is_file, no_file};

/// Something about files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filing {
    /// Send one.
    Send {
        /// As typed.
        path: String,
        /// With everything that is stored in an image.
        as_is: bool,
    },
    /// Save the file of a message, of the last one that has one unless told.
    Save {
        /// Which message.
        number: Option<u64>,
        /// Where to; the current folder unless told.
        to: Option<String>,
    },
    /// What is on its way.
    List,
    /// Stop one of those, by its number in the list.
    Stop(usize),
    /// Whether they go directly.
    Direct(Option<bool>),
}

impl Chat {
    pub(super) fn filing(&mut self, keyboard: &mut dyn Keyboard, what: Filing) -> Result<(), Failure> {
        match what {
            Filing::Send { path, as_is } => self.send_file(keyboard, &path, as_is),
            Filing::Save { number, to } => self.save_file(keyboard, number, to),
            Filing::List => {
                let transfers = self.transfers()?;
                if transfers.is_empty() {
                    keyboard.say("No file is on its way.");
                }
                for (n, transfer) in (1..).zip(&transfers) {
                    keyboard.say(&format!("  {n}  {}", line(transfer)));
                }
                Ok(())
            }
            Filing::Direct(on) => {
                if let Some(on) = on {
                    self.ask(Request::SetDirectFiles { on })?;
                }
                let Response::DirectFiles { on } = self.ask(Request::DirectFiles)? else {
                    return Err(Failure::odd_answer());
                };
                self.tell(keyboard, Ink::Quiet, directly(on));
                Ok(())
            }
            Filing::Stop(n) => {
                let nothing = || Failure::new(Exit::Usage, "There is no such number.", "/files lists them.");
                let all = self.transfers()?;
                let transfer = n.checked_sub(1).and_then(|n| all.get(n)).ok_or_else(nothing)?;
                let (conversation, message) = (transfer.conversation, transfer.message);
                self.ask(Request::CancelTransfer { conversation, message })?;
                self.tell(keyboard, Ink::Quiet, &format!("Stopped: {}", text::word(&transfer.name)));
                Ok(())
            }
        }
    }

    fn send_file(&mut self, keyboard: &mut dyn Keyboard, path: &str, as_is: bool) -> Result<(), Failure> {
        let none = || Failure::new(Exit::UnknownContact, "To whom?", "@NAME chooses somebody.");
        let (conversation, _) = self.face.current().ok_or_else(none)?;
        let path = self.typed(path)?;
        // Said before anything is read: what it costs, and for how long it is there.
        if let Ok(Response::FileSpace(space)) = self.ask(Request::FileSpace) {
            let days = space.kept_seconds / 86_400;
            let left = bytes(space.quota.saturating_sub(space.used));
            let line = format!("The relay keeps files for {days} days; {left} of your room there are left.");
            self.tell(keyboard, Ink::Quiet, &line);
        }
        let answer = self.ask(Request::SendFile { conversation, path, name: None, id: None, as_is })?;
        let Response::Transfer(transfer) = answer else { return Err(Failure::odd_answer()) };
        let name = text::word(&transfer.name);
        let line = format!("{name}, {}: on its way. /files shows how far it is.", bytes(transfer.size));
        self.tell(keyboard, Ink::Quiet, &line);
        Ok(())
    }

    fn save_file(
        &mut self,
        keyboard: &mut dyn Keyboard,
        number: Option<u64>,
        to: Option<String>,
    ) -> Result<(), Failure> {
        let whose = || Failure::new(Exit::UnknownContact, "Whose?", "@NAME chooses somebody.");
        let (conversation, _) = self.face.current().ok_or_else(whose)?;
        let message = match number {
            Some(n) => {
                let page = self.wait(self.door.page(conversation, n.checked_add(1), 1))?;
                page.messages.into_iter().find(|m| m.position == n && is_file(m))
            }
            None => self.wait(self.door.newest(conversation, 1, is_file))?.pop(),
        };
        let message = message.ok_or_else(no_file)?;
        if let MessageBody::File { here: false, size, .. } = &message.body {
            let line = format!("Fetching {} … Ctrl-C goes on with something else meanwhile.", bytes(*size));
            self.tell(keyboard, Ink::Quiet, &line);
        }
        let to = self.typed(to.as_deref().unwrap_or("."))?;
        let answer = self.ask(Request::SaveFile { conversation, position: message.position, to })?;
        let Response::Saved { path } = answer else { return Err(Failure::odd_answer()) };
        keyboard.say(&format!("Saved: {}", text::word(&path)));
        Ok(())
    }

    /// `~/` is what people type.
    fn typed(&self, path: &str) -> Result<String, Failure> {
        let path = match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        };
        Ok(from_root(&path)?.to_string_lossy().into_owned())
    }

    fn transfers(&self) -> Result<Vec<Transfer>, Failure> {
        match self.ask(Request::Transfers)? {
            Response::Transfers { transfers } => {
                self.face.listed(|known| known.transfers = transfers.len());
                Ok(transfers)
            }
            _ => Err(Failure::odd_answer()),
        }
    }
}

/// A transfer in a line.
#[must_use]
pub fn line(t: &Transfer) -> String {
    let way = if t.up { "⇧" } else { "⇩" };
    let percent = t.done.saturating_mul(100) / t.total.max(1);
    let state = match &t.state {
        TransferState::Waiting { reason } => format!("waits at {percent} %: {}", text::prose(reason)),
        TransferState::Running if t.direct => format!("{percent} % directly"),
        TransferState::Running => format!("{percent} % by the relay"),
        TransferState::Done => "done".to_owned(),
        TransferState::Cancelled => "stopped".to_owned(),
        TransferState::Failed { message, hint } => format!("failed: {} {}", text::prose(message), text::prose(hint)),
    };
    format!("{way} {}, {}: {state}", text::word(&t.name), bytes(t.size))
}
