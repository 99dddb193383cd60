//! Commands that say something about messages.

use livechat_wire::content::{Body, Content, Edit, Post, Reactions, Target, is_emoji};
use livechat_wire::{ConversationId, MessageId, limits as wire};

use super::facts::Fact;
use super::records::{self, Profile, Stamp, Timer};
use crate::Engine;
use crate::effects::Reply;
use crate::errors::{CommandError, HandleError};
use crate::membership::NOTICE;
use crate::membership::records::What;
use crate::records::{GONE, Message};
use crate::tables::{Table, key};
use crate::timeline::{Draft, message_key};
use crate::turn::Turn;
use crate::view::Delivery;

pub(super) type Answer = Result<Result<Reply, CommandError>, HandleError>;

/// What of a text to be sent is the person's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub text: String,
    pub reply_to: Option<Target>,
    pub forwarded: bool,
}

impl Words {
    /// The words of a message, if it has any.
    pub fn of(body: &Body) -> Option<Self> {
        match body {
            Body::Text(text) => Some(Self { text: text.clone(), reply_to: None, forwarded: false }),
            Body::Post(Post { text, reply_to, forwarded, .. }) => {
                Some(Self { text: text.clone(), reply_to: *reply_to, forwarded: *forwarded })
            }
            _ => None,
        }
    }

    /// As content; text without marks is the plain kind.
    fn body(self, timer: u32) -> Body {
        let Self { text, reply_to, forwarded } = self;
        if reply_to.is_none() && !forwarded && timer == 0 {
            Body::Text(text)
        } else {
            Body::Post(Post { text, reply_to, forwarded, timer })
        }
    }
}

impl Engine {
    /// Says something: text, perhaps in answer to the message at a position.
    pub(crate) fn send(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        text: String,
        id: Option<MessageId>,
        reply_to: Option<u64>,
    ) -> Answer {
        if !self.conversations.contains_key(&at) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        let reply_to = match reply_to {
            Some(position) => match self.target(turn, at, position)? {
                Some((target, message)) if !is_notice(&message) => Some(target),
                _ => return Ok(Err(CommandError::UnknownMessage)),
            },
            None => None,
        };
        self.say(turn, at, Words { text, reply_to, forwarded: false }, id)
    }

    /// Passes the words of a message on, or its file.
    pub(crate) fn forward(
        &mut self,
        turn: &mut Turn<'_>,
        (from, position): (ConversationId, u64),
        to: ConversationId,
        id: Option<MessageId>,
    ) -> Answer {
        if let Some((_, Message { body: Body::File(file), .. })) = self.target(turn, from, position)? {
            return self.forward_file(turn, to, *file, id);
        }
        match self.current_text(turn.kv, from, position)? {
            Some(text) => self.say(turn, to, Words { text, reply_to: None, forwarded: true }, id),
            None => Ok(Err(CommandError::UnknownMessage)),
        }
    }

    fn say(&mut self, turn: &mut Turn<'_>, at: ConversationId, words: Words, id: Option<MessageId>) -> Answer {
        if let Some(id) = id
            && let Some(answer) = self.sent_before(turn, at, id, |body| Words::of(body).as_ref() == Some(&words))?
        {
            return Ok(answer);
        }
        if words.text.is_empty() || words.text.len() > wire::TEXT {
            return Ok(Err(CommandError::BadText));
        }
        let id = id.unwrap_or_else(|| MessageId(turn.draw()));
        let said = self.say_body(turn, at, id, |timer| words.body(timer))?;
        if said.is_ok() {
            Table::Drafts.delete(turn.kv, &at.0)?;
        }
        Ok(said)
    }

    /// Says what has a place in the history, with the conversation's timer.
    pub(super) fn say_body(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        id: MessageId,
        body: impl FnOnce(u32) -> Body,
    ) -> Answer {
        if let Err(e) = self.may_write(turn, at)? {
            return Ok(Err(e));
        }
        self.introduce_profile(turn, at)?;
        let timer = self.timer(turn.kv, at)?;
        match self.put_into_history(turn, at, id, body(timer))? {
            Ok(position) => self.sent(turn, at, position).map(Ok),
            Err(e) => Ok(Err(e)),
        }
    }

    /// Sends content that has a place in the history.
    fn put_into_history(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        id: MessageId,
        body: Body,
    ) -> Result<Result<u64, CommandError>, HandleError> {
        let own = self.me()?.identity.account();
        let heads = self.conversations.get(&at).map(|c| [c.own_head, c.other_head]);
        let parents: Vec<_> = heads.into_iter().flatten().flatten().collect();
        let content = Content { id, parents, sent_at: turn.now, body };
        let sent = self.encrypt_and_queue(turn, at, &content, |engine, turn, group| {
            let Content { id, sent_at, body, parents } = content.clone();
            let draft = Draft { id, author: own, sent_at, parents, body, own: Some((Delivery::Queued, group)) };
            engine.add_message(turn, at, draft, None)
        })?;
        match sent {
            Ok(Some(position)) => Ok(Ok(position)),
            Ok(None) => Err(HandleError::Inconsistent("a message that was not there is there")),
            Err(e) => Ok(Err(e)),
        }
    }

    /// Gives an own message another text.
    pub(crate) fn edit(&mut self, turn: &mut Turn<'_>, at: ConversationId, position: u64, text: String) -> Answer {
        let target = match self.own_target(turn, at, position)? {
            Ok(Some(target)) => target,
            Ok(None) => return Ok(Err(CommandError::UnknownMessage)),
            Err(e) => return Ok(Err(e)),
        };
        if matches!(self.target(turn, at, position)?, Some((_, Message { body: Body::File(_), .. }))) {
            return Ok(Err(CommandError::UnknownMessage));
        }
        let Some(current) = self.current_text(turn.kv, at, position)? else {
            return Ok(Err(CommandError::UnknownMessage));
        };
        if text.is_empty() || text.len() > wire::TEXT {
            return Ok(Err(CommandError::BadText));
        }
        // Said twice is said once.
        if current == text {
            return self.sent(turn, at, position).map(Ok);
        }
        let revision = self.last_revision(turn.kv, at, position)?.saturating_add(1);
        match self.state(turn, at, Body::Edit(Edit { target, revision, text }))? {
            Ok(()) => self.sent(turn, at, position).map(Ok),
            Err(e) => Ok(Err(e)),
        }
    }

    /// Deletes a message: here, or, when it is an own one, everywhere.
    pub(crate) fn delete(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        for_everyone: bool,
    ) -> Answer {
        if !self.conversations.contains_key(&at) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        if !for_everyone {
            self.remove_message(turn, at, position)?;
            return Ok(Ok(Reply::Done));
        }
        let target = match self.own_target(turn, at, position)? {
            Ok(Some(target)) => target,
            // Withdrawn before, or gone: there is nothing left to withdraw.
            Ok(None) => return Ok(Ok(Reply::Done)),
            Err(e) => return Ok(Err(e)),
        };
        Ok(self.state(turn, at, Body::Delete(target))?.map(|()| Reply::Done))
    }

    /// Puts an emoji under a message, or takes it away.
    pub(crate) fn react(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        emoji: String,
        on: bool,
    ) -> Answer {
        if !self.conversations.contains_key(&at) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        if !is_emoji(&emoji) {
            return Ok(Err(CommandError::BadEmoji));
        }
        let Some((target, _)) = self.target(turn, at, position)?.filter(|(_, m)| m.body != GONE && !is_notice(m))
        else {
            return Ok(Err(CommandError::UnknownMessage));
        };
        let own = self.me()?.identity.account();
        let row = key(&[&message_key(at, position), &own.0]);
        let before: Option<records::Reactions> = Table::Reactions.get(turn.kv, &row)?;
        let (revision, mut all) = before.map_or((0, Vec::new()), |b| (b.stamp.revision, b.emoji));
        match (all.binary_search(&emoji), on) {
            (Ok(_), true) | (Err(_), false) => return self.sent(turn, at, position).map(Ok),
            (Ok(place), false) => {
                all.remove(place);
            }
            (Err(_), true) if all.len() >= wire::REACTIONS => return Ok(Err(CommandError::TooMany)),
            (Err(place), true) => all.insert(place, emoji),
        }
        let reactions = Reactions { target, revision: revision.saturating_add(1), emoji: all };
        match self.state(turn, at, Body::Reactions(reactions))? {
            Ok(()) => self.sent(turn, at, position).map(Ok),
            Err(e) => Ok(Err(e)),
        }
    }

    /// Lets messages of a conversation disappear from now on; 0: no more.
    pub(crate) fn set_timer(&mut self, turn: &mut Turn<'_>, at: ConversationId, seconds: u32) -> Answer {
        if seconds > wire::TIMER {
            return Ok(Err(CommandError::BadTimer));
        }
        if self.room(at).is_some() {
            return self.change_group(turn, at, What::SetTimer { seconds });
        }
        if self.timer(turn.kv, at)? == seconds && self.conversations.contains_key(&at) {
            return Ok(Ok(Reply::Done));
        }
        if let Err(e) = self.may_write(turn, at)? {
            return Ok(Err(e));
        }
        let before: Option<Timer> = Table::Timers.get(turn.kv, &at.0)?;
        let revision = before.map_or(0, |t| t.stamp.revision).saturating_add(1);
        let id = MessageId(turn.draw());
        Ok(self.put_into_history(turn, at, id, Body::Timer { revision, seconds })?.map(|_| Reply::Done))
    }

    /// Tells everybody in a conversation a fact, and ourselves.
    fn state(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        body: Body,
    ) -> Result<Result<(), CommandError>, HandleError> {
        if let Err(e) = self.may_write(turn, at)? {
            return Ok(Err(e));
        }
        let own = self.me()?.identity.account();
        let content = Content { id: MessageId(turn.draw()), parents: Vec::new(), sent_at: turn.now, body };
        if let Err(e) = self.encrypt_and_queue(turn, at, &content, |_, _, _| Ok(None))? {
            return Ok(Err(e));
        }
        let Content { id, sent_at, body, .. } = content;
        self.take_fact(turn, at, own, Fact { id, sent_at, body })?;
        Ok(Ok(()))
    }

    /// Tells a conversation how we want to be called, when it doesn't know yet.
    fn introduce_profile(&mut self, turn: &mut Turn<'_>, at: ConversationId) -> Result<(), HandleError> {
        let own = self.me()?.identity.account();
        let profile: Option<Profile> = Table::Profiles.get(turn.kv, &own.0)?;
        let Some(Profile { stamp: Stamp { revision, id }, name }) = profile else { return Ok(()) };
        if self.personal(at).profile_sent >= revision {
            return Ok(());
        }
        let body = Body::Profile { revision, name };
        let content = Content { id, parents: Vec::new(), sent_at: turn.now, body };
        if self.encrypt_and_queue(turn, at, &content, |_, _, _| Ok(None))?.is_ok() {
            self.arrange(turn, at, |p| p.profile_sent = revision)?;
        }
        Ok(())
    }

    /// The message at a position.
    fn target(
        &self,
        turn: &Turn<'_>,
        at: ConversationId,
        position: u64,
    ) -> Result<Option<(Target, Message)>, HandleError> {
        let message: Option<Message> = Table::Messages.get(turn.kv, &message_key(at, position))?;
        Ok(message.map(|m| (Target { author: m.author, id: m.id }, m)))
    }

    /// The own message at a position, `None` when there is nothing any more.
    fn own_target(
        &self,
        turn: &Turn<'_>,
        at: ConversationId,
        position: u64,
    ) -> Result<Result<Option<Target>, CommandError>, HandleError> {
        if !self.conversations.contains_key(&at) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        Ok(match self.target(turn, at, position)? {
            Some((_, message)) if message.own.is_none() => Err(CommandError::NotYours),
            Some((target, message)) => Ok((message.body != GONE).then_some(target)),
            None => Ok(None),
        })
    }
}

/// Nobody else has our notices under the same id: nothing can be said about them.
fn is_notice(message: &Message) -> bool {
    matches!(message.body, Body::Unknown { kind: NOTICE.., .. })
}
