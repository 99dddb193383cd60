//! Who is typing. Travels in envelopes that nobody stores, is never written down, and lapses by itself.

use livechat_crypto::envelope::Address;
use livechat_crypto::mls::{DecryptError, EncryptError};
use livechat_wire::content::{Body, Content};
use livechat_wire::envelope::epoch_at;
use livechat_wire::payload::{Fragment, Kind, Message};
use livechat_wire::{AccountId, ConversationId, Envelope, MessageId};

use crate::effects::{Event, Reply};
use crate::errors::{CommandError, HandleError};
use crate::groups::{StreamKey, session};
use crate::membership::room_of;
use crate::turn::Turn;
use crate::view::Standing;
use crate::{Engine, limits};

/// What others were told since our last message.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Told {
    /// The last that was said.
    typing: bool,
    /// When it was last said that we type.
    at: Option<u64>,
    /// How often anything was said.
    times: u32,
}

impl Engine {
    /// Tells others that we type, or stopped to; not too often, and not where we haven't agreed to talk.
    pub(crate) fn tell_typing(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        typing: bool,
    ) -> Result<Result<Reply, CommandError>, HandleError> {
        if !self.conversations.contains_key(&at) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        let crowd = self.room_accounts(at).map_or(0, |a| a.len());
        if self.is_closed(at) || crowd > limits::RECEIPTS_GROUP {
            return Ok(Ok(Reply::Done));
        }
        let mut told = self.content.told.get(&at).copied().unwrap_or_default();
        let too_soon = told.at.is_some_and(|last| last + limits::TYPING_EVERY > turn.clock);
        let nothing_new = if typing { too_soon } else { !told.typing };
        if nothing_new || told.times >= limits::TYPING_TIMES || self.standing(at) != Standing::Accepted {
            return Ok(Ok(Reply::Done));
        }
        if self.pass(turn, at, Body::Typing(typing))? {
            told = Told { typing, at: if typing { Some(turn.clock) } else { told.at }, times: told.times + 1 };
            self.content.told.insert(at, told);
        }
        Ok(Ok(Reply::Done))
    }

    /// Sends content that may get lost; says whether it went.
    fn pass(&mut self, turn: &mut Turn<'_>, at: ConversationId, body: Body) -> Result<bool, HandleError> {
        if turn.fx.gossip.len() >= limits::GOSSIP_BATCH {
            return Ok(false);
        }
        let group = self.choose_group(turn, at)?;
        let content = Content { id: MessageId(turn.draw()), parents: Vec::new(), sent_at: turn.now, body };
        let sealed = session(self.me()?, turn.kv, turn.rng, turn.now).encrypt(&group, &content.encode(), &at.0);
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(EncryptError::Store(e)) => return Err(HandleError::Mls(Box::new(e))),
            Err(_) => return Ok(false),
        };
        let message = Message { after: None, mls: sealed.message };
        let Ok([fragment]) =
            <[Fragment; 1]>::try_from(Fragment::cut(Kind::Mls, turn.draw(), &message.encode()).unwrap_or_default())
        else {
            return Ok(false);
        };
        for bucket in self.readers(room_of(&group))? {
            let Some(keys) = self.groups.get(&group).and_then(|g| g.keys.get(&sealed.epoch)) else { break };
            let to = Address { bucket, epoch: epoch_at(turn.seconds()), ephemeral: true };
            let envelope = keys.seal_passing(&fragment, to, turn.rng);
            self.seen.put(turn.kv, envelope.id(), turn.clock)?;
            turn.fx.gossip.push(envelope);
        }
        Ok(true)
    }

    /// An envelope that nobody stores: ours if the keys of a conversation know it. What opens nothing is forgotten.
    pub(crate) fn take_passing(&mut self, turn: &mut Turn<'_>, envelope: &Envelope) -> Result<(), HandleError> {
        let Some((group, epoch)) = self.passing_group(envelope) else { return Ok(()) };
        self.seen.put(turn.kv, envelope.id(), turn.clock)?;
        let keys = self.groups.get(&group).and_then(|g| g.keys.get(&epoch));
        let fragment = keys.and_then(|k| k.open_passing(envelope).ok()).filter(|f| f.kind == Kind::Mls && f.count == 1);
        let Some(message) = fragment.and_then(|f| Message::decode(&f.data).ok()) else {
            self.refused.malformed += 1;
            return Ok(());
        };
        let opened = match session(self.me()?, turn.kv, turn.rng, turn.now).decrypt(&group, &message.mls) {
            Ok(opened) => opened,
            Err(DecryptError::Store(e)) => return Err(HandleError::Mls(Box::new(e))),
            Err(_) => {
                self.refused.malformed += 1;
                return Ok(());
            }
        };
        let Some((at, author)) = self.bound_to(StreamKey { group, epoch, leaf: opened.sender.leaf }, &opened) else {
            self.refused.misbound += 1;
            return Ok(());
        };
        match Content::decode(&opened.content).map(|c| c.body) {
            Ok(Body::Typing(true)) => {
                let until = turn.clock + limits::TYPING_LASTS;
                if self.content.typing.insert((at, author), until).is_none() {
                    self.say_typing(turn, at, author, true);
                }
            }
            Ok(Body::Typing(false)) => self.stops_typing(turn, at, author),
            _ => self.refused.malformed += 1,
        }
        Ok(())
    }

    /// Whose keys know an envelope, among the conversations that were talked in most lately.
    fn passing_group(&self, envelope: &Envelope) -> Option<(livechat_crypto::mls::GroupId, u64)> {
        let talks = |id: &ConversationId| self.standing(*id) == Standing::Accepted && !self.is_closed(*id);
        let accepted = self.conversations.iter().filter(|(id, _)| talks(id));
        let mut lately: Vec<_> = accepted.map(|(id, c)| (c.activity, *id, &c.groups)).collect();
        lately.sort_unstable_by_key(|(activity, id, _)| std::cmp::Reverse((*activity, *id)));
        lately.truncate(limits::PASSING);
        for group in lately.into_iter().flat_map(|(_, _, groups)| groups) {
            let mut keys = self.groups.get(group).into_iter().flat_map(|g| &g.keys);
            if let Some((epoch, _)) = keys.find(|(_, keys)| keys.is_passing(envelope)) {
                return Some((*group, *epoch));
            }
        }
        None
    }

    pub(super) fn stops_typing(&mut self, turn: &mut Turn<'_>, at: ConversationId, who: AccountId) {
        if self.content.typing.remove(&(at, who)).is_some() {
            self.say_typing(turn, at, who, false);
        }
    }

    pub(super) fn lapse_typing(&mut self, turn: &mut Turn<'_>) {
        let over = |until: &u64| *until <= turn.clock;
        let lapsed: Vec<_> = self.content.typing.iter().filter(|(_, u)| over(u)).map(|(k, _)| *k).collect();
        for (at, who) in lapsed {
            self.stops_typing(turn, at, who);
        }
    }

    fn say_typing(&self, turn: &mut Turn<'_>, at: ConversationId, account: AccountId, typing: bool) {
        let name = self.name_of(&account);
        turn.fx.events.push(Event::Typing { conversation: at, account, name, typing });
    }
}
