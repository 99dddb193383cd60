//! `/devices`, and adding this device to an account that there is.

use std::time::Duration;

use livechat_node::api::{AccountState, DeviceTicket, Request, Response};

use super::Chat;
use super::account::answer;
use super::keyboard::{Input, Keyboard};
use super::wizard::End;
use crate::exit::Failure;
use crate::style::Ink;
use crate::text;
use crate::verbs::devices::{find, lines, list, ticket_lines};
use crate::verbs::handover;

/// What `/devices` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Devices {
    /// Lists them.
    List,
    /// Adds the one that shows this code.
    Add {
        /// As typed.
        code: String,
        /// Whether history goes along, without a question.
        history: bool,
    },
    /// Gives the one with this number or id the history.
    Give(String),
    /// Removes the one with this number or id.
    Remove(String),
    /// Erases this one, once it was removed.
    Erase,
}

/// Between two looks whether this device was added, while Enter wasn't pressed.
const LOOK: Duration = Duration::from_millis(500);

/// Looks after one Enter: half a minute.
const LOOKS: u32 = 60;

impl Chat {
    pub(super) fn devices(&mut self, keyboard: &mut dyn Keyboard, what: Devices) -> Result<(), Failure> {
        match what {
            Devices::List => {
                let devices = self.wait(list(&self.door))?;
                self.face.listed(|known| known.devices = devices.len());
                for line in lines(&self.face.look(), &devices) {
                    keyboard.say(&line);
                }
                for handover in self.wait(handover::list(&self.door))? {
                    self.tell(keyboard, Ink::Warn, &handover::words(&handover));
                }
                let more = "/devices add CODE lets another one in; /devices give N gives it your history; /devices remove N \
                            ends one.";
                self.tell(keyboard, Ink::Quiet, more);
            }
            Devices::Add { code, history } => {
                let history = history || self.agrees_to_give(keyboard)?;
                self.ask(Request::AddDevice { code, history })?;
                keyboard.say(&self.paint(Ink::Good, "✓ It is added, and comes into your chats within a minute."));
            }
            Devices::Give(which) => {
                let device = find(&self.wait(list(&self.door))?, &which)?.device;
                let under_way = self.wait(handover::list(&self.door))?.into_iter().find(|h| h.device == Some(device));
                if let Some(handover) = under_way {
                    self.tell(keyboard, Ink::Warn, &handover::words(&handover));
                    if answer(keyboard, "Type stop to stop it, Enter to let it be: ")?.as_deref() == Some("stop") {
                        self.ask(Request::CancelHandover { device: Some(device) })?;
                        keyboard.say("Stopped. /devices give N begins anew.");
                    }
                } else if self.agrees_to_give(keyboard)? {
                    self.ask(Request::GiveHistory { device })?;
                    keyboard.say("It goes on by itself; you are told when it is done.");
                }
            }
            Devices::Remove(which) => {
                let device = find(&self.wait(list(&self.door))?, &which)?.device;
                let warning = "It is told, reads and writes nothing new, and can't be added again. What it has already \
                               stays on it.";
                self.tell(keyboard, Ink::Warn, warning);
                if answer(keyboard, "Type yes to remove it: ")?.as_deref() != Some("yes") {
                    keyboard.say("Nothing was changed.");
                    return Ok(());
                }
                self.ask(Request::RemoveDevice { device })?;
                keyboard.say(&self.paint(Ink::Good, "✓ It is removed."));
            }
            Devices::Erase => {
                self.tell(keyboard, Ink::Bad, "This deletes every key and every message on this device.");
                if answer(keyboard, "Type ERASE to go on: ")?.as_deref() != Some("ERASE") {
                    keyboard.say("Nothing was deleted.");
                    return Ok(());
                }
                self.ask(Request::Erase)?;
                self.account()?;
                self.face.forget_conversations();
                keyboard.say("Everything is gone from this device. /signup begins again.");
            }
        }
        Ok(())
    }

    /// Whether a device is to get what is here.
    fn agrees_to_give(&mut self, keyboard: &mut dyn Keyboard) -> Result<bool, Failure> {
        let offer = self.wait(handover::offer(&self.door))?;
        self.tell(keyboard, Ink::Warn, &offer);
        Ok(answer(keyboard, "Type yes to give it, Enter not to: ")?.as_deref() == Some("yes"))
    }

    /// Name, code and, where no other device is at hand, the phrase.
    pub(super) fn link(&mut self, keyboard: &mut dyn Keyboard) -> Result<End, Failure> {
        keyboard.say("Adding this device to an account that you have. Have a device at hand where you are logged in.");
        loop {
            let Some(name) = answer(keyboard, "Username: ")? else { return Ok(End::Stopped) };
            let Some(code) = answer(keyboard, "Code (six digits, or a recovery code): ")? else {
                return Ok(End::Stopped);
            };
            let question = "Enter if you have another device, else your recovery phrase (24 words): ";
            let phrase = match keyboard.ask(question)? {
                Input::Line(line) => Some(line.trim().to_owned()).filter(|l| !l.is_empty()),
                Input::Interrupt => return Ok(End::Stopped),
                Input::End => return Ok(End::Leave),
            };
            let username = name.trim_start_matches('@').to_owned();
            match self.ask(Request::Link { username, code, phrase }) {
                Ok(Response::Linking(ticket)) => return self.waits(keyboard, &ticket),
                Ok(Response::Done) => return self.was_added(keyboard),
                Ok(_) => return Err(Failure::odd_answer()),
                Err(e) => {
                    if !self.complain(keyboard, &e)? {
                        return Ok(End::Stopped);
                    }
                }
            }
        }
    }

    /// Shows the code until the device was added, or somebody stops waiting.
    pub(super) fn waits(&mut self, keyboard: &mut dyn Keyboard, ticket: &DeviceTicket) -> Result<End, Failure> {
        keyboard.say("");
        for line in ticket_lines(&self.face.look(), ticket, keyboard.columns()) {
            keyboard.say(&line);
        }
        loop {
            let typed = match keyboard.ask("Press Enter when you have entered it there (or `cancel`): ")? {
                Input::Line(line) => line.trim().to_owned(),
                Input::Interrupt => {
                    keyboard.say("Kept waiting: /login goes on.");
                    return Ok(End::Stopped);
                }
                Input::End => return Ok(End::Leave),
            };
            if typed.eq_ignore_ascii_case("cancel") {
                self.ask(Request::CancelLink)?;
                keyboard.say("Dropped.");
                return Ok(End::Stopped);
            }
            for _ in 0..LOOKS {
                match self.account()? {
                    AccountState::Linking { .. } => self.wait(async {
                        tokio::time::sleep(LOOK).await;
                        Ok(())
                    })?,
                    AccountState::None => {
                        self.tell(keyboard, Ink::Warn, "✗ This device waited an hour and wasn't added. Begin again.");
                        return Ok(End::Stopped);
                    }
                    _ => return self.was_added(keyboard),
                }
            }
            self.tell(keyboard, Ink::Warn, "Not yet. Look whether the other device took the code.");
        }
    }

    fn was_added(&mut self, keyboard: &mut dyn Keyboard) -> Result<End, Failure> {
        match self.account()? {
            AccountState::Active { username, .. } => {
                let done =
                    format!("✓ This is a device of {} now. Chats come in as others are online.", text::word(&username));
                keyboard.say(&self.paint(Ink::Good, &done));
                Ok(End::In)
            }
            _ => {
                keyboard.say("This device was added; /login with the next code.");
                Ok(End::Stopped)
            }
        }
    }
}
