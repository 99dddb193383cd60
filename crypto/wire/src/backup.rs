//! What a backup holds, record by record: history, contacts with their pinned logs, settings. There is no record for a
//! key, a ratchet or an MLS group, so none can be in one (R-91).
//!
//! ```text
//! record   kind (1) ‖ fields
//! 1 head          version (1) account (32) log (bytes) display name (bytes) made at, Unix ms (8)
//! 2 contact       log (bytes) name (bytes) how they call themselves (bytes) flags (1)
//! 3 name          account (32) name (bytes)
//! 4 conversation  1 peer (32) | 2 group (16) charter (bytes); flags (1); muted until (8); timer (4); draft (bytes)
//! 5 message       position (8) id (16) author (32) delivery (1; 0xff: not ours) sent at (8) received at (8)
//!                 parents (list of 16) kind (2) body (bytes)
//!                 edits (list of revision (4) content (16) sent at (8) text)
//!                 reactions (list of account (32) revision (4) content (16) emoji (list))
//! 6 end           records before it (8)
//! ```
//! A message belongs to the conversation before it. In a file each record is preceded by its `u32` length.

use crate::account::AccountLog;
use crate::codec::{DecodeError, Reader, Writer};
use crate::group::Charter;
use crate::ids::{AccountId, MessageId};
use crate::limits;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;
/// What stands for the delivery of somebody else's message.
const THEIRS: u8 = 0xff;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The first one.
    Head(Head),
    /// Somebody one can write to.
    Contact(Contact),
    /// What somebody was called who is or was in a group with us.
    Name {
        /// Who.
        account: AccountId,
        /// Their name.
        name: String,
    },
    /// A conversation; its messages follow.
    Conversation(Box<Conversation>),
    /// A message of the conversation before it.
    Message(Box<Message>),
    /// The last one: nothing was cut off.
    End {
        /// How many came before it.
        records: u64,
    },
}

/// Whose backup it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Whose.
    pub account: AccountId,
    /// Their account log.
    pub log: AccountLog,
    /// How they want to be called; may be empty.
    pub display_name: String,
    /// Unix milliseconds.
    pub made_at: u64,
}

/// Somebody, as pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Their account log.
    pub log: AccountLog,
    /// The name they are known by here.
    pub username: String,
    /// How they call themselves; may be empty.
    pub display_name: String,
    /// Whether the directory said that the name is theirs.
    pub confirmed: bool,
    /// Whether their safety number was compared.
    pub verified: bool,
}

/// Whom a conversation is with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum With {
    /// One other account.
    Direct(AccountId),
    /// A group of many: its id and what it was when the backup was made.
    Group([u8; 16], Box<Charter>),
}

/// A conversation and how it was arranged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// With whom.
    pub with: With,
    /// Agreed to.
    pub accepted: bool,
    /// Nothing is heard from it.
    pub blocked: bool,
    /// At the top.
    pub pinned: bool,
    /// Out of sight.
    pub archived: bool,
    /// Unix milliseconds; 0: not.
    pub muted_until: u64,
    /// Seconds after which a direct chat's new messages disappear; 0: never.
    pub timer: u32,
    /// What was begun to be written.
    pub draft: String,
}

/// A message with everything that is known of it. Those that disappear are in no backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its place.
    pub position: u64,
    /// Its id.
    pub id: MessageId,
    /// Who wrote it.
    pub author: AccountId,
    /// How far an own message got (0 ..= 3); none for others'.
    pub delivery: Option<u8>,
    /// Unix milliseconds at the author.
    pub sent_at: u64,
    /// Unix milliseconds at this device.
    pub received_at: u64,
    /// What the author had seen before.
    pub parents: Vec<MessageId>,
    /// Kind of [`crate::content::Body`].
    pub kind: u16,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Later texts.
    pub edits: Vec<Edit>,
    /// What is under it.
    pub reactions: Vec<Reactions>,
}

/// A later text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The highest counts.
    pub revision: u32,
    /// Of equals the one with the greater id.
    pub id: MessageId,
    /// Unix milliseconds at the author.
    pub sent_at: u64,
    /// The text.
    pub text: String,
}

/// What somebody put under a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reactions {
    /// Who.
    pub account: AccountId,
    /// As with [`Edit`].
    pub revision: u32,
    /// As with [`Edit`].
    pub id: MessageId,
    /// Which.
    pub emoji: Vec<String>,
}

impl Record {
    /// Its bytes, without the length before them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Self::Head(h) => {
                w.u8(1).u8(VERSION).raw(&h.account.0).bytes(&h.log.encode());
                w.bytes(h.display_name.as_bytes()).u64(h.made_at);
            }
            Self::Contact(c) => {
                w.u8(2).bytes(&c.log.encode()).bytes(c.username.as_bytes());
                w.bytes(c.display_name.as_bytes()).u8(u8::from(c.confirmed) | u8::from(c.verified) << 1);
            }
            Self::Name { account, name } => {
                w.u8(3).raw(&account.0).bytes(name.as_bytes());
            }
            Self::Conversation(c) => c.write(w.u8(4)),
            Self::Message(m) => m.write(w.u8(5)),
            Self::End { records } => {
                w.u8(6).u64(*records);
            }
        }
        w.finish()
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is of another version, out of bounds, or not as this build would have written it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let record = match r.u8()? {
            1 => {
                let version = r.u8()?;
                if version != VERSION {
                    return Err(DecodeError::Version(version));
                }
                Self::Head(Head {
                    account: AccountId(r.array()?),
                    log: AccountLog::decode(r.bytes(limits::LOG, "account log")?)?,
                    display_name: r.text(limits::DISPLAY_NAME, "name")?.to_owned(),
                    made_at: r.u64()?,
                })
            }
            2 => {
                let log = AccountLog::decode(r.bytes(limits::LOG, "account log")?)?;
                let username = r.text(limits::USERNAME, "name")?.to_owned();
                let display_name = r.text(limits::DISPLAY_NAME, "name")?.to_owned();
                let flags = r.u8()?;
                if flags > 0b11 {
                    return Err(DecodeError::NotCanonical("flags"));
                }
                let (confirmed, verified) = (flags & 1 == 1, flags & 2 == 2);
                Self::Contact(Contact { log, username, display_name, confirmed, verified })
            }
            3 => Self::Name { account: AccountId(r.array()?), name: r.text(limits::USERNAME, "name")?.to_owned() },
            4 => Self::Conversation(Box::new(Conversation::read(&mut r)?)),
            5 => Self::Message(Box::new(Message::read(&mut r)?)),
            6 => Self::End { records: r.u64()? },
            _ => return Err(DecodeError::Unknown("record")),
        };
        r.end()?;
        Ok(record)
    }
}

impl Conversation {
    fn write(&self, w: &mut Writer) {
        match &self.with {
            With::Direct(peer) => w.u8(1).raw(&peer.0),
            With::Group(group, charter) => w.u8(2).raw(group).bytes(&charter.encode()),
        };
        let flags = [self.accepted, self.blocked, self.pinned, self.archived];
        w.u8(flags.iter().enumerate().map(|(bit, on)| u8::from(*on) << bit).sum());
        w.u64(self.muted_until).u32(self.timer).bytes(self.draft.as_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let with = match r.u8()? {
            1 => With::Direct(AccountId(r.array()?)),
            2 => With::Group(r.array()?, Box::new(Charter::decode(r.bytes(limits::BACKUP_RECORD, "charter")?)?)),
            _ => return Err(DecodeError::Unknown("kind of conversation")),
        };
        let flags = r.u8()?;
        if flags > 0b1111 {
            return Err(DecodeError::NotCanonical("flags"));
        }
        let on = |bit: u8| flags >> bit & 1 == 1;
        Ok(Self {
            with,
            accepted: on(0),
            blocked: on(1),
            pinned: on(2),
            archived: on(3),
            muted_until: r.u64()?,
            timer: r.u32()?,
            draft: r.text(limits::TEXT, "draft")?.to_owned(),
        })
    }
}

impl Message {
    fn write(&self, w: &mut Writer) {
        w.u64(self.position).raw(&self.id.0).raw(&self.author.0).u8(self.delivery.unwrap_or(THEIRS));
        w.u64(self.sent_at).u64(self.received_at);
        w.list(&self.parents, |w, p| {
            w.raw(&p.0);
        });
        w.u16(self.kind).bytes(&self.body);
        w.list(&self.edits, |w, e| {
            w.u32(e.revision).raw(&e.id.0).u64(e.sent_at).bytes(e.text.as_bytes());
        });
        w.list(&self.reactions, |w, r| {
            w.raw(&r.account.0).u32(r.revision).raw(&r.id.0);
            w.list(&r.emoji, |w, e| {
                w.bytes(e.as_bytes());
            });
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            position: r.u64()?,
            id: MessageId(r.array()?),
            author: AccountId(r.array()?),
            delivery: match r.u8()? {
                THEIRS => None,
                step @ 0..=3 => Some(step),
                _ => return Err(DecodeError::Unknown("delivery")),
            },
            sent_at: r.u64()?,
            received_at: r.u64()?,
            parents: r.list(limits::PARENTS, "parents", |r| r.array().map(MessageId))?,
            kind: r.u16()?,
            body: r.bytes(limits::UNKNOWN_BODY, "body")?.to_vec(),
            edits: r.list(limits::BACKUP_EDITS, "edits", |r| {
                Ok(Edit {
                    revision: r.u32()?,
                    id: MessageId(r.array()?),
                    sent_at: r.u64()?,
                    text: r.text(limits::TEXT, "text")?.to_owned(),
                })
            })?,
            reactions: r.list(limits::BACKUP_REACTORS, "reactions", |r| {
                Ok(Reactions {
                    account: AccountId(r.array()?),
                    revision: r.u32()?,
                    id: MessageId(r.array()?),
                    emoji: r.list(limits::REACTIONS, "emoji", |r| r.text(limits::EMOJI, "emoji").map(str::to_owned))?,
                })
            })?,
        })
    }
}
