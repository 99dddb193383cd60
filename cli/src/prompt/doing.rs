//! What each command does.

use livechat_node::api::{ConversationId, Delivery, MessageId, Request, Response, Standing};

use super::command::{COMMANDS, Command};
use super::keyboard::Keyboard;
use super::{Chat, emoji, wizard};
use crate::exit::{Exit, Failure};
use crate::render::mark;
use crate::style::Ink;
use crate::text;
use crate::verbs::contacts::safety_lines;
use crate::verbs::verify;

impl Chat {
    pub(super) fn command(&mut self, keyboard: &mut dyn Keyboard, command: Command) -> Result<(), Failure> {
        match command {
            Command::Add(name) => self.add(keyboard, &name),
            Command::History(n) => self.history(keyboard, n),
            Command::Around(number) => self.around(keyboard, number),
            Command::Search { words, here } => self.search(keyboard, &words, here),
            Command::Backup => self.backup(keyboard),
            Command::Export { here, files } => self.export(keyboard, here, files),
            Command::Contacts => self.contacts(keyboard),
            Command::Status => {
                let status = self.wait(self.door.status())?;
                for line in self.face.look().status(&status) {
                    keyboard.say(&line);
                }
                drop(self.face.learn_status(status));
                Ok(())
            }
            Command::Safety(name) => self.safety(keyboard, name),
            Command::Verify { of, noted } => self.verify(keyboard, of, noted),
            Command::Grouping(what) => self.grouping(keyboard, what),
            Command::Deed(number, deed) => self.deed(keyboard, number, deed),
            Command::Filing(what) => self.filing(keyboard, what),
            Command::Timer(typed) => self.timer(keyboard, typed.as_deref()),
            Command::Accept(name) => self.stand(keyboard, name, Standing::Accepted),
            Command::Block(name) => self.stand(keyboard, name, Standing::Blocked),
            Command::SignUp | Command::LogIn => {
                if wizard::enter(self, keyboard)? == wizard::End::In {
                    self.settle(keyboard)?;
                }
                Ok(())
            }
            Command::LogOut => {
                self.ask(Request::LogOut)?;
                self.account()?;
                self.face.forget_conversations();
                keyboard.say("Logged out. /login comes back; what you wrote and read stays on this device, encrypted.");
                Ok(())
            }
            Command::Lock => {
                self.ask(Request::Lock)?;
                self.account()?;
                self.face.forget_conversations();
                keyboard.say("Locked: /unlock opens it. What stands above stays on your screen.");
                Ok(())
            }
            Command::Vault(keeping) => self.vault(keyboard, keeping),
            Command::SetPassphrase => self.set_passphrase(keyboard),
            Command::RemovePassphrase => self.remove_passphrase(keyboard),
            Command::Sessions(end) => self.sessions(keyboard, end),
            Command::Devices(what) => self.devices(keyboard, what),
            Command::Recovery => self.recovery(keyboard),
            Command::Phrase => self.phrase(keyboard),
            Command::CheckPhrase => self.check_phrase(keyboard),
            Command::AddAuthenticator => self.add_authenticator(keyboard),
            Command::RemoveAuthenticator => self.remove_authenticator(keyboard),
            Command::Rename(name) => self.rename(keyboard, &name),
            Command::DeleteAccount => self.delete_account(keyboard),
            Command::Help => {
                self.help(keyboard);
                Ok(())
            }
            Command::Quit => {
                self.leaving = true;
                Ok(())
            }
        }
    }

    fn add(&mut self, keyboard: &mut dyn Keyboard, name: &str) -> Result<(), Failure> {
        let answer = self.ask(Request::AddContact { username: name.to_owned() })?;
        let Response::Contact(contact) = answer else { return Err(Failure::odd_answer()) };
        self.face.learn_contacts(self.wait(self.door.contacts())?);
        self.switch(contact.conversation, &contact.username)?;
        let name = text::word(&contact.username);
        keyboard.say(&self.paint(
            Ink::Quiet,
            &format!("You are talking to {name} now. /safety shows how to make sure it is {name}."),
        ));
        Ok(())
    }

    pub(super) fn switch(&mut self, conversation: ConversationId, name: &str) -> Result<(), Failure> {
        let page = self.wait(self.door.page(conversation, None, 1))?;
        self.face.switch(conversation, name, page.messages.last());
        Ok(())
    }

    pub(super) fn send_to(
        &mut self,
        keyboard: &mut dyn Keyboard,
        name: &str,
        text: Option<&str>,
    ) -> Result<(), Failure> {
        if let Some(contact) = self.face.contact(name) {
            self.switch(contact.conversation, &contact.username)?;
        } else {
            // Not in our list is not proof: another face may have added them.
            let target = self.wait(self.door.target(name)).map_err(|e| match e.code {
                Exit::UnknownContact => Failure::new(e.code, e.message, format!("/add {name} looks them up.")),
                _ => e,
            })?;
            self.switch(target.conversation, &target.name)?;
        }
        match text {
            Some(text) => self.send_to_current(keyboard, text),
            None => Ok(()),
        }
    }

    pub(super) fn send_to_current(&mut self, keyboard: &mut dyn Keyboard, text: &str) -> Result<(), Failure> {
        self.say(keyboard, text, None)
    }

    /// Says something to the one in the prompt, perhaps in answer to a message.
    pub(super) fn say(
        &mut self,
        keyboard: &mut dyn Keyboard,
        text: &str,
        reply_to: Option<u64>,
    ) -> Result<(), Failure> {
        let Some((conversation, name)) = self.face.current() else {
            let hint =
                if self.face.names().is_empty() { "/add NAME looks somebody up." } else { "@NAME chooses somebody." };
            return Err(Failure::new(Exit::UnknownContact, "To whom?", hint));
        };
        let id = fresh_id()?;
        self.face.will_send(id);
        let text = text::plain_newlines(&emoji::expand(text));
        let answer = self.ask(Request::Send { conversation, text, id: Some(id), reply_to })?;
        let Response::Sent(message) = answer else { return Err(Failure::odd_answer()) };
        let drawn = self.face.learn_delivery(conversation, &message, true);
        tracing::trace!(drawn, "sent");
        if message.delivery == Some(Delivery::Queued) && self.face.is_away() {
            let line = format!("  … kept on this device for {} until the relay is back", text::word(&name));
            keyboard.say(&self.paint(Ink::Quiet, &line));
        }
        Ok(())
    }

    fn history(&mut self, keyboard: &mut dyn Keyboard, count: u32) -> Result<(), Failure> {
        let Some((conversation, name)) = self.face.current() else {
            return Err(Failure::new(Exit::UnknownContact, "Whose?", "@NAME chooses somebody."));
        };
        let messages = self.wait(self.door.newest(conversation, count as usize, |_| true))?;
        if messages.is_empty() {
            keyboard.say(&format!("Nothing was said with {} yet.", text::word(&name)));
        }
        for line in self.face.look().history(&messages) {
            keyboard.say(&line);
        }
        if let Some(last) = messages.iter().rev().find(|m| !m.own) {
            self.face.seen(conversation, last.position);
        }
        Ok(())
    }

    fn contacts(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        let contacts = self.wait(self.door.contacts())?;
        let conversations = self.wait(self.door.conversations())?;
        if contacts.is_empty() {
            keyboard.say("No contacts yet: /add NAME");
        }
        let look = self.face.look();
        for contact in &contacts {
            let unread = conversations.iter().find(|c| c.id == contact.conversation).map_or(0, |c| c.unread);
            keyboard.say(&format!("  {}", look.contact(contact, unread)));
        }
        self.face.learn_contacts(contacts);
        Ok(())
    }

    fn safety(&mut self, keyboard: &mut dyn Keyboard, name: Option<String>) -> Result<(), Failure> {
        let name = match name.or_else(|| self.face.current().map(|(_, name)| name)) {
            Some(name) => name,
            None => return Err(Failure::new(Exit::UnknownContact, "Whose?", "/safety NAME")),
        };
        let contact = self.wait(self.door.contact(&name))?;
        for line in safety_lines(&self.face.look(), &contact) {
            keyboard.say(&line);
        }
        Ok(())
    }

    /// Shows what to compare with somebody, notes that it was compared, or compares what they show.
    fn verify(&mut self, keyboard: &mut dyn Keyboard, of: Option<String>, noted: Option<bool>) -> Result<(), Failure> {
        let of = match of.or_else(|| self.face.current().map(|(_, name)| name)) {
            Some(of) => of,
            None => return Err(Failure::new(Exit::UnknownContact, "Whom?", "/verify NAME")),
        };
        let contact = if verify::is_code(&of) {
            self.wait(verify::check(&self.door, &of))?
        } else if let Some(verified) = noted {
            self.wait(verify::note(&self.door, &of, verified))?
        } else {
            let contact = self.wait(self.door.contact(&of))?;
            let code = self.wait(verify::code(&self.door, &contact))?;
            for line in verify::lines(&self.face.look(), &contact, &code, keyboard.columns()) {
                keyboard.say(&line);
            }
            self.tell(keyboard, Ink::Quiet, "/verify NAME same notes that the digits are the same on both sides.");
            return Ok(());
        };
        keyboard.say(&verify::said(&contact));
        Ok(())
    }

    fn help(&self, keyboard: &mut dyn Keyboard) {
        let how = "Just type to write to the one in the prompt. @NAME switches, @NAME TEXT switches and sends.";
        self.tell(keyboard, Ink::Plain, how);
        for (name, needs, what) in COMMANDS {
            let usage = format!("{name} {needs}");
            keyboard.say(&format!("  {usage:<26} {}", self.paint(Ink::Quiet, what)));
        }
        let marks = [
            (Delivery::Queued, "waiting on this device"),
            (Delivery::Accepted, "accepted by the relay"),
            (Delivery::Delivered, "on their device"),
            (Delivery::Read, "read"),
        ];
        let marks: Vec<String> = marks.iter().map(|(d, words)| format!("{} {words}", mark(*d))).collect();
        self.tell(keyboard, Ink::Plain, &format!("Your last message in the prompt: {}.", marks.join(", ")));
        let keys = "Tab completes commands, names and :emoji:. // and @@ at the start of a line send / and @.";
        self.tell(keyboard, Ink::Plain, keys);
    }
}

fn fresh_id() -> Result<MessageId, Failure> {
    let mut id = [0; 16];
    getrandom::fill(&mut id)
        .map_err(|_| Failure::new(Exit::Failure, "The system gives no random numbers.", "Restart this machine."))?;
    Ok(MessageId(id))
}
