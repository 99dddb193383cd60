//! What is done with messages: answering, changing, taking back, reacting; and with whom one talks at all.

use livechat_node::api::{Conversation, ConversationId, Message, MessageBody, Request, Response, Standing};

use super::keyboard::Keyboard;
use super::{Chat, emoji};
use crate::exit::{Exit, Failure};
use crate::said::{seconds, span};
use crate::style::Ink;
use crate::text;

/// Something done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Answer it.
    Reply(String),
    /// Give it another text.
    Edit(String),
    /// Take it back everywhere, or remove it here.
    Delete {
        /// Only here.
        here: bool,
    },
    /// Put an emoji under it, or take it away again.
    React(String),
}

impl Deed {
    /// Whether it is about one's own messages, when no number says which.
    fn is_about_own(&self) -> bool {
        matches!(self, Self::Edit(_) | Self::Delete { .. })
    }
}

impl Chat {
    /// Does something with the message of a number, or with the last one that it can be done with.
    pub(super) fn deed(&mut self, keyboard: &mut dyn Keyboard, number: Option<u64>, deed: Deed) -> Result<(), Failure> {
        let (conversation, _) = self.someone()?;
        let message = self.find(conversation, number, deed.is_about_own())?;
        let position = message.position;
        let plain = |t: &str| text::plain_newlines(&emoji::expand(t));
        let request = match deed {
            Deed::Reply(words) => return self.say(keyboard, &words, Some(position)),
            Deed::Edit(words) => Request::Edit { conversation, position, text: plain(&words) },
            Deed::Delete { here } => Request::Delete { conversation, position, for_everyone: !here },
            Deed::React(typed) => {
                let emoji = emoji::expand(&typed);
                let on = !message.reactions.iter().any(|r| r.own && r.emoji == emoji);
                Request::React { conversation, position, emoji, on }
            }
        };
        let answer = self.ask(request)?;
        match answer {
            Response::Sent(message) => keyboard.say(&self.face.look().message(&message, None)),
            _ => keyboard.say(&self.paint(Ink::Quiet, &format!("Deleted: #{position}"))),
        }
        Ok(())
    }

    /// Shows how long messages stay, or changes it.
    pub(super) fn timer(&mut self, keyboard: &mut dyn Keyboard, typed: Option<&str>) -> Result<(), Failure> {
        let (conversation, name) = self.someone()?;
        let name = text::word(&name);
        let timer = match typed {
            Some(typed) => {
                let seconds = seconds(typed)
                    .ok_or_else(|| Failure::new(Exit::Usage, "That is written /timer 30s|5m|2h|1d|1w|off", ""))?;
                self.ask(Request::SetTimer { conversation, seconds })?;
                Some(seconds).filter(|s| *s > 0)
            }
            None => {
                let all = self.wait(self.door.conversations())?;
                all.into_iter().find(|c| c.id == conversation).and_then(|c| c.timer)
            }
        };
        let line = match timer {
            Some(seconds) => {
                format!("New messages with {name} disappear {} after they were read.", span(seconds))
            }
            None => format!("New messages with {name} stay."),
        };
        self.tell(keyboard, Ink::Quiet, &line);
        Ok(())
    }

    /// Accepts, blocks or unblocks somebody: the one of that name, or the one in the prompt.
    pub(super) fn stand(
        &mut self,
        keyboard: &mut dyn Keyboard,
        name: Option<String>,
        standing: Standing,
    ) -> Result<(), Failure> {
        let meant = self.meant(name)?;
        let conversation = meant.id;
        let request = match standing {
            Standing::Accepted if meant.standing == Standing::Blocked => {
                Request::Block { conversation, blocked: false }
            }
            Standing::Accepted => Request::Accept { conversation },
            _ => Request::Block { conversation, blocked: true },
        };
        self.ask(request)?;
        self.face.learn_contacts(self.wait(self.door.contacts())?);
        let name = text::word(&meant.title);
        let line = match standing {
            Standing::Accepted => format!("{name} can see now what reached you and what you read."),
            _ => format!("Nothing of {name} is shown any more, and nothing is sent. /unblock {name} takes it back."),
        };
        self.tell(keyboard, Ink::Quiet, &line);
        Ok(())
    }

    /// The conversation with whom was named, else the one in the prompt, else the only one that is asked for.
    fn meant(&mut self, name: Option<String>) -> Result<Conversation, Failure> {
        let mut all = self.wait(self.door.conversations())?;
        let hint = "/contacts lists everyone, /group the groups.";
        if let Some(name) = name {
            let same = |c: &&Conversation| c.title.to_lowercase() == name.to_lowercase();
            let unknown = || Failure::new(Exit::UnknownContact, format!("{name} is nobody you know."), hint);
            return all.iter().find(same).cloned().ok_or_else(unknown);
        }
        match self.face.current() {
            Some((current, _)) => all.retain(|c| c.id == current),
            None => all.retain(|c| c.standing == Standing::Request),
        }
        match all.len() {
            1 => Ok(all.remove(0)),
            _ => Err(Failure::new(Exit::UnknownContact, "Whom?", hint)),
        }
    }

    pub(super) fn someone(&self) -> Result<(ConversationId, String), Failure> {
        self.face.current().ok_or_else(|| Failure::new(Exit::UnknownContact, "Whose?", "@NAME chooses somebody."))
    }

    /// The message with a number, or the last one of one's own or of the others that is still there.
    fn find(&self, conversation: ConversationId, number: Option<u64>, own: bool) -> Result<Message, Failure> {
        let nothing = || {
            let hint = "/history shows the messages with their numbers.";
            Failure::new(Exit::UnknownContact, "There is no such message.", hint)
        };
        match number {
            Some(number) => {
                let page = self.wait(self.door.page(conversation, number.checked_add(1), 1))?;
                page.messages.into_iter().find(|m| m.position == number).ok_or_else(nothing)
            }
            None => {
                let fits = |m: &Message| m.own == own && matches!(m.body, MessageBody::Text { .. });
                self.wait(self.door.newest(conversation, 1, fits))?.pop().ok_or_else(nothing)
            }
        }
    }
}
