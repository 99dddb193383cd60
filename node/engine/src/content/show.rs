//! What faces see of the facts about a message.

use livechat_crypto::kv::{Kv, Order, prefix_end};
use livechat_wire::content::{Body, Target};
use livechat_wire::{AccountId, ConversationId};

use super::expiry::seconds;
use super::passages::{Place, latest_edit, passage};
use super::records::{Edit, Profile, Reactions};
use super::say::Words;
use crate::errors::{StoreError, ViewError};
use crate::membership::NOTICE;
use crate::records::{GONE, Message};
use crate::tables::{Table, key};
use crate::timeline::message_key;
use crate::view::{self, MessageBody, Quote, Reaction, Revision};
use crate::{Engine, limits};

impl Engine {
    /// How a message reads: its latest text, what is under it, what it answers.
    pub(crate) fn show_message(
        &self,
        kv: &dyn Kv,
        at: ConversationId,
        position: u64,
        message: Message,
    ) -> Result<view::Message, StoreError> {
        let own = message.own.is_some();
        let edit = latest_edit(kv, &message_key(at, position))?;
        let words = Words::of(&message.body);
        let (reply_to, forwarded) = match (&message.body, &words) {
            (Body::File(file), _) => (None, file.forwarded),
            (_, Some(words)) => (words.reply_to, words.forwarded),
            _ => (None, false),
        };
        let text = edit.as_ref().map(|e| e.text.clone()).or_else(|| words.map(|w| w.text));
        let mentions_me = !own && text.as_ref().is_some_and(|t| self.mentions_me(t));
        let timer = seconds(&message.body);
        let body = match (&message.body, text) {
            (_, Some(text)) => MessageBody::Text { text },
            (Body::File(file), _) => MessageBody::File {
                name: file.name.clone(),
                media: file.media.clone(),
                size: file.size,
                until: file.until,
                preview: file.preview.clone().map(livechat_wire::http::Bytes),
                voice: file.voice.as_ref().map(|v| view::Voice { millis: v.millis, levels: v.levels.clone() }),
                here: self.is_file_here(kv, file.blob)?,
            },
            (Body::Timer { seconds, .. }, _) => MessageBody::Timer { seconds: *seconds },
            (body, _) if *body == GONE => MessageBody::Deleted,
            (Body::Unknown { kind: NOTICE, data }, _) => self.notice_view(data),
            (Body::Unknown { kind, .. }, _) => MessageBody::NeedsNewerVersion { kind: *kind },
            // Nothing else is put into the history.
            _ => MessageBody::NeedsNewerVersion { kind: 0 },
        };
        Ok(view::Message {
            id: message.id,
            position,
            author: message.author,
            author_name: self.name_of(&message.author),
            own,
            sent_at: message.sent_at,
            received_at: message.received_at,
            body,
            delivery: message.own.map(|(delivery, _)| delivery),
            gap: message.gap,
            reply_to: reply_to.map(|target| self.quote(kv, at, target)).transpose()?,
            forwarded,
            edited_at: edit.map(|e| e.sent_at),
            reactions: self.reactions(kv, at, position)?,
            timer: (timer > 0).then_some(timer),
            expires_at: Table::Expiries.get(kv, &message_key(at, position))?,
            mentions_me,
        })
    }

    /// Every text that a message had, the first one first; empty when there is no such message, or none any more.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn revisions(
        &self,
        kv: &dyn Kv,
        conversation: ConversationId,
        position: u64,
    ) -> Result<Vec<Revision>, ViewError> {
        let place = message_key(conversation, position);
        let Some(message) = Table::Messages.get::<Message>(kv, &place)? else { return Ok(Vec::new()) };
        let first = Words::of(&message.body).map(|w| Revision { sent_at: message.sent_at, text: w.text });
        let edits = Table::Edits.range::<Edit>(kv, &place, &prefix_end(&place), limits::EDITS, Order::Ascending)?;
        let edits = edits.into_iter().map(|(_, Edit { sent_at, text })| Revision { sent_at, text });
        Ok(first.into_iter().chain(edits).collect())
    }

    /// How we want to be called; empty: by the username alone.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn display_name(&self, kv: &dyn Kv) -> Result<String, ViewError> {
        let Some(me) = &self.me else { return Ok(String::new()) };
        Ok(self.display_name_of(kv, me.identity.account())?.unwrap_or_default())
    }

    pub(crate) fn display_name_of(&self, kv: &dyn Kv, account: AccountId) -> Result<Option<String>, StoreError> {
        let profile: Option<Profile> = Table::Profiles.get(kv, &account.0)?;
        Ok(profile.map(|p| p.name).filter(|name| !name.is_empty()))
    }

    /// A line of the list, with what is noted about the conversation: draft, timer, who types.
    pub(crate) fn line(
        &self,
        kv: &dyn Kv,
        at: ConversationId,
        title: String,
        last: Option<view::Message>,
        unread: u32,
    ) -> Result<view::Conversation, StoreError> {
        let personal = self.personal(at);
        let first = Table::Unread.keys(kv, &at.0, 1, Order::Ascending)?;
        let unread_from = first.first().map(|row| Table::Unread.id(row, at.0.len()).map(u64::from_be_bytes));
        let timer = self.timer(kv, at)?;
        let typing = self.content.typing.keys().filter(|(c, _)| *c == at);
        Ok(view::Conversation {
            id: at,
            title,
            group: self.room(at).is_some(),
            last,
            unread,
            standing: self.standing(at),
            verified: self.peer(at).map_or(Ok(false), |peer| self.is_verified(kv, peer))?,
            new_keys: self.peer(at).map_or(Ok(false), |peer| self.has_new_keys(kv, peer))?,
            draft: Table::Drafts.get(kv, &at.0)?,
            pinned: personal.pinned,
            archived: personal.archived,
            muted_until: personal.muted_until,
            timer: (timer > 0).then_some(timer),
            unread_from: unread_from.transpose()?,
            typing: typing.map(|(_, who)| self.name_of(who)).collect(),
        })
    }

    /// The text of a message as it is now; of a file its name.
    pub(super) fn current_text(
        &self,
        kv: &dyn Kv,
        at: ConversationId,
        position: u64,
    ) -> Result<Option<String>, StoreError> {
        Ok(passage(kv, Place { conversation: at, position })?.map(|p| p.text))
    }

    /// The revision of the latest edit; 0: never edited.
    pub(super) fn last_revision(&self, kv: &dyn Kv, at: ConversationId, position: u64) -> Result<u32, StoreError> {
        let place = message_key(at, position);
        let last = Table::Edits.keys(kv, &place, 1, Order::Descending)?;
        Ok(last.first().map(|row| Table::Edits.id(row, place.len())).transpose()?.map_or(0, u32::from_be_bytes))
    }

    fn reactions(&self, kv: &dyn Kv, at: ConversationId, position: u64) -> Result<Vec<Reaction>, StoreError> {
        let place = message_key(at, position);
        let end = prefix_end(&place);
        let rows = Table::Reactions.range::<Reactions>(kv, &place, &end, limits::REACTORS, Order::Ascending)?;
        let mut shown: Vec<Reaction> = Vec::new();
        for (row, reactions) in rows {
            let who = AccountId(Table::Reactions.id(&row, place.len())?);
            let own = self.me.as_ref().is_some_and(|me| me.identity.account() == who);
            for emoji in reactions.emoji {
                let at = shown.binary_search_by(|r| r.emoji.cmp(&emoji)).unwrap_or_else(|free| {
                    shown.insert(free, Reaction { emoji, own: false, by: Vec::new() });
                    free
                });
                if let Some(reaction) = shown.get_mut(at) {
                    reaction.own |= own;
                    reaction.by.push(self.name_of(&who));
                }
            }
        }
        Ok(shown)
    }

    /// What a reply answers, as it reads now.
    fn quote(&self, kv: &dyn Kv, at: ConversationId, target: Target) -> Result<Quote, StoreError> {
        let index = key(&[&at.0, &target.id.0, &target.author.0]);
        let position: Option<u64> = Table::MessageIds.get(kv, &index)?;
        let text = match position {
            Some(position) => self.current_text(kv, at, position)?,
            None => None,
        };
        Ok(Quote {
            id: target.id,
            author: target.author,
            author_name: self.name_of(&target.author),
            position,
            text: text.map(|t| t.chars().take(limits::QUOTE).collect()),
        })
    }

    /// Whether a text calls us by `@name`.
    fn mentions_me(&self, text: &str) -> bool {
        let Some(me) = &self.me else { return false };
        let (text, name) = (text.to_lowercase(), format!("@{}", me.username.to_lowercase()));
        text.match_indices(&name).any(|(start, found)| {
            let before = text[..start].chars().next_back();
            let mut rest = text[start + found.len()..].chars();
            let next = rest.next();
            // "@bob." ends a sentence, "@bob.smith" is somebody else.
            let goes_on = match next {
                Some('.' | '-') => rest.next().is_some_and(char::is_alphanumeric),
                Some(c) => c.is_alphanumeric() || c == '_',
                None => false,
            };
            !before.is_some_and(char::is_alphanumeric) && !goes_on
        })
    }
}
