//! `/sessions`, `/recovery`, `/authenticator`, `/rename`, `/delete-account`: what guards the account.

use livechat_node::api::{Request, Response};

use super::Chat;
use super::keyboard::{Input, Keyboard};
use crate::exit::{Exit, Failure};
use crate::style::Ink;
use crate::text;
use crate::verbs::account::{RENAMED, recovery_lines, ticket_lines};
use crate::verbs::sessions;

impl Chat {
    pub(super) fn sessions(&mut self, keyboard: &mut dyn Keyboard, end: Option<u32>) -> Result<(), Failure> {
        let list = self.wait(sessions::list(&self.door))?;
        self.face.listed(|known| known.sessions = list.len());
        if let Some(n) = end {
            let session = sessions::nth(&list, n)?;
            self.ask(Request::EndSession { id: session.id.clone() })?;
            keyboard.say(&self.paint(Ink::Good, "✓ Logged out there."));
            return Ok(());
        }
        for line in sessions::lines(&self.face.look(), &list) {
            keyboard.say(&line);
        }
        keyboard.say(&self.paint(Ink::Quiet, "/sessions end N logs one of them out."));
        Ok(())
    }

    pub(super) fn recovery(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        let question = "New recovery codes make the old ones void. Code (six digits, or an old recovery code): ";
        let Some(code) = answer(keyboard, question)? else { return Ok(()) };
        let Response::RecoveryCodes(fresh) = self.ask(Request::NewRecoveryCodes { code })? else {
            return Err(Failure::odd_answer());
        };
        for line in recovery_lines(&fresh.recovery_codes) {
            keyboard.say(&line);
        }
        keyboard.ask("Press Enter when you have kept them safe. ").map(drop)
    }

    pub(super) fn add_authenticator(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        let Some(code) = answer(keyboard, "Code of the authenticator you have: ")? else { return Ok(()) };
        let Response::Authenticator(ticket) = self.ask(Request::AddAuthenticator { code })? else {
            return Err(Failure::odd_answer());
        };
        for line in ticket_lines(&self.face.look(), &ticket, keyboard.columns()) {
            keyboard.say(&line);
        }
        loop {
            let Some(code) = answer(keyboard, "The six digits the new one shows: ")? else {
                keyboard.say("Nothing was changed; the first one goes on alone.");
                return Ok(());
            };
            match self.ask(Request::ConfirmAuthenticator { code }) {
                Ok(_) => break,
                Err(e) if e.code == Exit::Refused => self.tell(keyboard, Ink::Warn, &format!("✗ {e}")),
                Err(e) => return Err(e),
            }
        }
        keyboard.say(&self.paint(Ink::Good, "✓ Codes of both open the account now."));
        Ok(())
    }

    pub(super) fn remove_authenticator(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        let Some(code) = answer(keyboard, "Code of the authenticator that stays: ")? else { return Ok(()) };
        self.ask(Request::RemoveAuthenticator { code })?;
        keyboard.say(&self.paint(Ink::Good, "✓ The other one opens nothing any more."));
        Ok(())
    }

    pub(super) fn rename(&mut self, keyboard: &mut dyn Keyboard, name: &str) -> Result<(), Failure> {
        let question = format!("Your name will be {}. Code (six digits, or a recovery code): ", text::word(name));
        let Some(code) = answer(keyboard, &question)? else {
            keyboard.say("Your name is what it was.");
            return Ok(());
        };
        self.ask(Request::ChangeUsername { username: name.to_owned(), code })?;
        self.account()?;
        self.tell(keyboard, Ink::Good, &format!("✓ {RENAMED}"));
        Ok(())
    }

    pub(super) fn delete_account(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        let warning = "This deletes the account at the relay, and on this device every key and every message. Nobody can \
                       bring it back, and its name can't be had for thirty days.";
        self.tell(keyboard, Ink::Bad, warning);
        match answer(keyboard, "Type DELETE to go on: ")? {
            Some(word) if word == "DELETE" => {}
            _ => {
                keyboard.say("Nothing was deleted.");
                return Ok(());
            }
        }
        let Some(code) = answer(keyboard, "Code (six digits, or a recovery code): ")? else { return Ok(()) };
        self.ask(Request::DeleteAccount { code })?;
        self.account()?;
        self.face.forget_conversations();
        keyboard.say("The account is gone. /signup begins another one.");
        Ok(())
    }
}

/// What was typed; nothing, Ctrl-C and Ctrl-D take the question back.
pub(super) fn answer(keyboard: &mut dyn Keyboard, question: &str) -> Result<Option<String>, Failure> {
    Ok(match keyboard.ask(question)? {
        Input::Line(line) => Some(line.trim().to_owned()).filter(|l| !l.is_empty()),
        Input::Interrupt | Input::End => None,
    })
}
