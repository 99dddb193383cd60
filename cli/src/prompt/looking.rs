//! `/search`, `/history #N`, `/export` and `/backup`: what was said earlier.

use livechat_node::api::SearchOrder;
use livechat_node::export::Format;

use super::Chat;
use super::keyboard::Keyboard;
use crate::exit::Failure;
use crate::limits;
use crate::style::Ink;
use crate::verbs::backup;
use crate::verbs::export::{said, save, save_with_files};
use crate::verbs::search::{around, find};

impl Chat {
    /// Looks for words, the latest hit nearest to the prompt.
    pub(super) fn search(&mut self, keyboard: &mut dyn Keyboard, words: &str, here: bool) -> Result<(), Failure> {
        let conversation = if here { Some(self.someone()?.0) } else { None };
        let mut hits = self.wait(find(&self.door, words, conversation, SearchOrder::Newest, limits::HITS + 1))?;
        let more = hits.len() > limits::HITS;
        hits.truncate(limits::HITS);
        hits.reverse();
        let look = self.face.look();
        for line in hits.iter().flat_map(|hit| look.hit(hit)) {
            keyboard.say(&line);
        }
        self.tell(
            keyboard,
            Ink::Quiet,
            match (hits.is_empty(), more) {
                (true, _) => "Nothing was found.",
                (false, true) => "These are the latest; more words, from:NAME or before:2026-03 narrow it down.",
                (false, false) => "@NAME, then /history #NUMBER, shows what stands around one.",
            },
        );
        Ok(())
    }

    /// Writes a copy of everything, or of this conversation, to a file; or to a folder, with the files that are here.
    pub(super) fn export(&mut self, keyboard: &mut dyn Keyboard, here: bool, files: bool) -> Result<(), Failure> {
        let name = if here { Some(self.someone()?.1) } else { None };
        let (door, name) = (&self.door, name.as_deref());
        let done = if files {
            self.wait(save_with_files(door, name, Format::Markdown, None, |_| {}))?
        } else {
            self.wait(save(door, name, Format::Markdown, None, |_| {}))?
        };
        self.tell(keyboard, Ink::Plain, &said(&done));
        Ok(())
    }

    /// Writes a backup, and says what opens it.
    pub(super) fn backup(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        let done = self.wait(backup::write(&self.door, None, None))?;
        for line in backup::said(&self.face.look(), &done) {
            keyboard.say(&line);
        }
        Ok(())
    }

    /// Shows the messages around a number.
    pub(super) fn around(&mut self, keyboard: &mut dyn Keyboard, number: u64) -> Result<(), Failure> {
        let (conversation, _) = self.someone()?;
        let messages = self.wait(around(&self.door, conversation, number, limits::HISTORY))?;
        for line in self.face.look().history(&messages) {
            keyboard.say(&line);
        }
        Ok(())
    }
}
