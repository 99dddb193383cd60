//! `/phrase`: the words that give the account back, written down and checked.

use livechat_node::api::Request;

use super::Chat;
use super::account::answer;
use super::keyboard::Keyboard;
use crate::exit::{Exit, Failure};
use crate::style::Ink;
use crate::verbs::phrase::{lines, phrase};

impl Chat {
    /// Shows the words, then asks for two of them. Enter puts it off.
    pub(super) fn phrase(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        let phrase = phrase(self.ask(Request::Phrase)?)?;
        for line in lines(&phrase) {
            keyboard.say(&line);
        }
        keyboard.say("");
        loop {
            let mut words = Vec::new();
            for place in &phrase.ask {
                let Some(word) = answer(keyboard, &format!("Word {place} (Enter: later): "))? else {
                    keyboard.say(&self.paint(Ink::Warn, "Not checked yet. /phrase shows the words again until then."));
                    return Ok(());
                };
                words.push(word);
            }
            match self.ask(Request::ConfirmPhrase { words }) {
                Ok(_) => break,
                Err(e) if e.code == Exit::Refused => self.tell(keyboard, Ink::Warn, &format!("✗ {e}")),
                Err(e) => return Err(e),
            }
        }
        keyboard.say(&self.paint(Ink::Good, "✓ Right. The phrase isn't kept here any more: keep the paper."));
        Ok(())
    }

    /// Whether the paper is right.
    pub(super) fn check_phrase(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        let Some(phrase) = answer(keyboard, "The 24 words: ")? else { return Ok(()) };
        self.ask(Request::CheckPhrase { phrase })?;
        keyboard.say(&self.paint(Ink::Good, "✓ That is the recovery phrase of this account."));
        Ok(())
    }
}
