//! Whom one has agreed to hear from, and how one's conversations are arranged.

use livechat_wire::content::is_display_name;
use livechat_wire::{AccountId, ConversationId, limits as wire};

use super::records::{Personal, Profile, Stamp};
use crate::Engine;
use crate::effects::Reply;
use crate::errors::{CommandError, HandleError};
use crate::membership::room_of;
use crate::tables::Table;
use crate::turn::Turn;
use crate::view::Standing;

type Answer = Result<Result<Reply, CommandError>, HandleError>;

impl Engine {
    pub(crate) fn personal(&self, at: ConversationId) -> Personal {
        self.content.personal.get(&at).copied().unwrap_or_default()
    }

    /// Whether a conversation was agreed to.
    pub(crate) fn standing(&self, at: ConversationId) -> Standing {
        match self.personal(at) {
            Personal { blocked: true, .. } => Standing::Blocked,
            Personal { accepted: true, .. } => Standing::Accepted,
            _ => Standing::Request,
        }
    }

    /// Changes how a conversation is arranged.
    pub(crate) fn arrange(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        change: impl FnOnce(&mut Personal),
    ) -> Result<(), HandleError> {
        let before = self.personal(at);
        let mut personal = before;
        change(&mut personal);
        if personal == before {
            return Ok(());
        }
        let stood = self.standing(at);
        self.content.personal.insert(at, personal);
        Table::Personal.put(turn.kv, &at.0, &personal)?;
        turn.touched.insert(at);
        match (stood, self.standing(at)) {
            (Standing::Accepted, Standing::Accepted) => {}
            (_, Standing::Accepted) => {
                // What was held back is owed from now on, and our other devices may come in.
                if Table::Owed.any(turn.kv, &at.0)? {
                    self.owed.entry(at).or_insert(None);
                }
                let groups = self.conversations.get(&at).map(|c| c.groups.clone()).unwrap_or_default();
                groups.iter().for_each(|group| self.look_at_room(room_of(group)));
            }
            _ => {
                self.owed.remove(&at);
            }
        }
        Ok(())
    }

    /// Somebody was looked up by name: that is agreeing to talk to them.
    pub(crate) fn agree_with(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Result<(), HandleError> {
        for at in self.direct_with(account) {
            self.arrange(turn, at, |p| p.accepted = true)?;
        }
        Ok(())
    }

    /// A command that changes how a conversation is arranged.
    pub(crate) fn arranged(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        change: impl FnOnce(&mut Personal),
    ) -> Answer {
        if !self.conversations.contains_key(&at) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        self.arrange(turn, at, change)?;
        Ok(Ok(Reply::Done))
    }

    /// Whether something may be said here; saying it is agreeing to the conversation.
    pub(crate) fn may_write(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
    ) -> Result<Result<(), CommandError>, HandleError> {
        if !self.conversations.contains_key(&at) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        if self.is_closed(at) {
            return Ok(Err(CommandError::NotMember));
        }
        if let Some(peer) = self.peer(at)
            && self.has_new_keys(turn.kv, peer)?
        {
            return Ok(Err(CommandError::KeyChanged));
        }
        match self.standing(at) {
            Standing::Blocked => return Ok(Err(CommandError::Blocked)),
            Standing::Request => self.arrange(turn, at, |p| p.accepted = true)?,
            Standing::Accepted => {}
        }
        Ok(if self.outbox.is_full() { Err(CommandError::QueueFull) } else { Ok(()) })
    }

    /// Keeps what was begun to be written; nothing is forgotten.
    pub(crate) fn set_draft(&mut self, turn: &mut Turn<'_>, at: ConversationId, text: String) -> Answer {
        if !self.conversations.contains_key(&at) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        if text.len() > wire::TEXT {
            return Ok(Err(CommandError::BadText));
        }
        let before: Option<String> = Table::Drafts.get(turn.kv, &at.0)?;
        if before.as_deref().unwrap_or_default() != text {
            if text.is_empty() {
                Table::Drafts.delete(turn.kv, &at.0)?;
            } else {
                Table::Drafts.put(turn.kv, &at.0, &text)?;
            }
            turn.touched.insert(at);
        }
        Ok(Ok(Reply::Done))
    }

    /// Sets how we want to be called; each conversation learns it with our next message there.
    pub(crate) fn set_profile(&mut self, turn: &mut Turn<'_>, name: String) -> Answer {
        let name = name.trim().to_owned();
        if !is_display_name(&name) {
            return Ok(Err(CommandError::BadName));
        }
        let own = self.me()?.identity.account();
        let before: Option<Profile> = Table::Profiles.get(turn.kv, &own.0)?;
        if before.as_ref().map_or("", |b| &b.name) != name {
            let revision = before.map_or(0, |b| b.stamp.revision).saturating_add(1);
            let id = livechat_wire::MessageId(turn.draw());
            Table::Profiles.put(turn.kv, &own.0, &Profile { stamp: Stamp { revision, id }, name })?;
        }
        Ok(Ok(Reply::Done))
    }

    /// The direct chats with somebody.
    pub(crate) fn direct_with(&self, account: AccountId) -> Vec<ConversationId> {
        let own = self.me.as_ref().map(|me| ConversationId::direct(&me.identity.account(), &account));
        own.into_iter().filter(|id| self.conversations.contains_key(id)).collect()
    }
}
