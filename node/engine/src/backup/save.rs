//! Reading a backup out of the store, a bounded part at a time.

use livechat_crypto::kv::{Kv, Order, prefix_end};
use livechat_wire::backup::{self, Head, Record, With};
use livechat_wire::{AccountId, ConversationId};

use crate::content::{Edit, Profile, Reactions, Timer};
use crate::errors::{StoreError, ViewError};
use crate::records::Message;
use crate::tables::Table;
use crate::timeline::message_key;
use crate::{Engine, limits};

/// A backup in the making.
#[derive(Debug, Default)]
pub struct Backup {
    stage: Stage,
    records: u64,
    messages: u64,
}

/// What comes next.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    People,
    /// Conversations after this one.
    Conversation(Option<ConversationId>),
    /// Messages of a conversation from a position on.
    Messages(ConversationId, u64),
    Done,
}

impl Backup {
    /// Messages read so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// The next records; none at the end.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn next(&mut self, engine: &Engine, kv: &dyn Kv, now: u64) -> Result<Option<Vec<Record>>, ViewError> {
        let mut part = Vec::new();
        self.stage = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Done => return Ok(None),
            Stage::People => {
                people(engine, kv, now, &mut part)?;
                Stage::Conversation(None)
            }
            Stage::Conversation(after) => {
                let next = match after {
                    None => engine.conversations.keys().next(),
                    Some(id) => engine.conversations.keys().find(|other| **other > id),
                };
                match next {
                    Some(id) => {
                        part.push(Record::Conversation(Box::new(conversation(engine, kv, *id)?)));
                        Stage::Messages(*id, 0)
                    }
                    None => {
                        part.push(Record::End { records: self.records });
                        Stage::Done
                    }
                }
            }
            Stage::Messages(at, from) => {
                let (from, end) = (message_key(at, from), prefix_end(&at.0));
                let rows =
                    Table::Messages.range::<Message>(kv, &from, &end, limits::PAGE as usize, Order::Ascending)?;
                let mut next = None;
                let full = rows.len() == limits::PAGE as usize;
                for (row, message) in rows {
                    let position = u64::from_be_bytes(Table::Messages.id(&row, at.0.len())?);
                    next = Some(position.saturating_add(1)).filter(|_| full);
                    part.extend(record(kv, at, position, message)?.map(|m| Record::Message(Box::new(m))));
                }
                self.messages += part.len() as u64;
                match next {
                    Some(next) => Stage::Messages(at, next),
                    None => Stage::Conversation(Some(at)),
                }
            }
        };
        self.records += part.len() as u64;
        Ok(Some(part))
    }
}

fn people(engine: &Engine, kv: &dyn Kv, now: u64, part: &mut Vec<Record>) -> Result<(), StoreError> {
    let Some(me) = &engine.me else { return Ok(()) };
    let account = me.identity.account();
    let display_name = |of: AccountId| -> Result<String, StoreError> {
        Ok(Table::Profiles.get(kv, &of.0)?.map_or_else(String::new, |p: Profile| p.name))
    };
    part.push(Record::Head(Head { account, log: me.log.clone(), display_name: display_name(account)?, made_at: now }));
    for (account, contact) in &engine.contacts {
        part.push(Record::Contact(backup::Contact {
            log: contact.log.clone(),
            username: contact.username.clone(),
            display_name: display_name(*account)?,
            confirmed: contact.confirmed,
            verified: engine.is_verified(kv, *account)?,
        }));
    }
    for account in engine.rooms.met() {
        part.push(Record::Name { account: *account, name: engine.name_of(account) });
    }
    Ok(())
}

fn conversation(engine: &Engine, kv: &dyn Kv, id: ConversationId) -> Result<backup::Conversation, StoreError> {
    let personal = engine.personal(id);
    let with = match engine.room(id) {
        Some(room) => With::Group(room.group.0, Box::new(room.charter.clone())),
        None => With::Direct(engine.conversations.get(&id).map_or(AccountId([0; 32]), |c| c.peer)),
    };
    Ok(backup::Conversation {
        with,
        accepted: personal.accepted,
        blocked: personal.blocked,
        pinned: personal.pinned,
        archived: personal.archived,
        muted_until: personal.muted_until.unwrap_or(0),
        timer: Table::Timers.get(kv, &id.0)?.map_or(0, |t: Timer| t.seconds),
        draft: Table::Drafts.get(kv, &id.0)?.unwrap_or_default(),
    })
}

/// None for a message that disappears: a backup would outlive it.
fn record(
    kv: &dyn Kv,
    at: ConversationId,
    position: u64,
    message: Message,
) -> Result<Option<backup::Message>, StoreError> {
    if crate::content::disappears(&message.body) {
        return Ok(None);
    }
    let place = message_key(at, position);
    let end = prefix_end(&place);
    let mut edits = Vec::new();
    for (row, Edit { sent_at, text }) in Table::Edits.range(kv, &place, &end, limits::EDITS, Order::Ascending)? {
        let revision = u32::from_be_bytes(Table::Edits.id(&row, place.len())?);
        let id = livechat_wire::MessageId(Table::Edits.id(&row, place.len() + 4)?);
        edits.push(backup::Edit { revision, id, sent_at, text });
    }
    let mut reactions = Vec::new();
    let rows = Table::Reactions.range(kv, &place, &end, limits::REACTORS, Order::Ascending)?;
    for (row, Reactions { stamp, emoji }) in rows {
        let account = AccountId(Table::Reactions.id(&row, place.len())?);
        reactions.push(backup::Reactions { account, revision: stamp.revision, id: stamp.id, emoji });
    }
    let (kind, body) = message.body.encode();
    Ok(Some(backup::Message {
        position,
        id: message.id,
        author: message.author,
        delivery: message.own.map(|(delivery, _)| delivery as u8),
        sent_at: message.sent_at,
        received_at: message.received_at,
        parents: message.parents,
        kind,
        body,
        edits,
        reactions,
    }))
}
