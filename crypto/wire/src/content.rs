//! What people say: the plaintext of an MLS application message (R-30 …). Versioned and self-describing; unknown kinds
//! are kept, so that a newer version can show them.

mod facts;
mod file;

pub use facts::{Edit, Post, Reactions, Target, is_display_name, is_emoji};
pub use file::{File, FileKey, Voice, is_file_name, is_media_type, is_preview};

use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::MessageId;
use crate::limits;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;

/// One message, or one fact about messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Chosen at random by the author.
    pub id: MessageId,
    /// Up to two latest messages the author had seen: causal history, so that gaps show.
    pub parents: Vec<MessageId>,
    /// Unix milliseconds at the author.
    pub sent_at: u64,
    /// What it says.
    pub body: Body,
}

/// Kinds of content. Numbers 11 … 63 are reserved. A mention is `@name` in the text, nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// Kind 1: text, UTF-8, 1 ..= [`limits::TEXT`] bytes.
    Text(String),
    /// Kind 2: what of yours has reached me, and what I have read.
    Receipts {
        /// On a device of mine.
        delivered: Vec<MessageId>,
        /// Seen by me.
        read: Vec<MessageId>,
    },
    /// Kind 3: text that answers, was forwarded, or disappears.
    Post(Post),
    /// Kind 4: another text for a message of the sender's own.
    Edit(Edit),
    /// Kind 5: a message of the sender's own is withdrawn, for everyone.
    Delete(Target),
    /// Kind 6: what the sender feels about a message.
    Reactions(Reactions),
    /// Kind 7: whether the sender is typing. Travels in ephemeral envelopes only.
    Typing(bool),
    /// Kind 8: for how long messages of this conversation stay, from now on.
    Timer {
        /// One more than the highest the sender knew; the highest counts, of equals the one with the greater id.
        revision: u32,
        /// Seconds, at most [`limits::TIMER`]; 0: for ever.
        seconds: u32,
    },
    /// Kind 9: how the sender wants to be called.
    Profile {
        /// As with [`Body::Timer`].
        revision: u32,
        /// At most [`limits::DISPLAY_NAME`] bytes without control characters; empty: the username alone.
        name: String,
    },
    /// Kind 10: a file, whose bytes are fetched from the relay.
    File(Box<File>),
    /// Anything else: "needs a newer version".
    Unknown {
        /// Its kind number.
        kind: u16,
        /// Its bytes.
        data: Vec<u8>,
    },
}

impl Content {
    /// The bytes that go into MLS.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (kind, body) = self.body.encode();
        let mut w = Writer::new();
        w.u8(VERSION).raw(&self.id.0);
        w.u8(u8::try_from(self.parents.len()).unwrap_or(u8::MAX));
        for p in &self.parents {
            w.raw(&p.0);
        }
        w.u64(self.sent_at).u16(kind).bytes(&body);
        w.finish()
    }

    /// Reads what came out of MLS.
    ///
    /// # Errors
    /// Another version, too many parents, or a body outside its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let id = MessageId(r.array()?);
        let n = r.u8()? as usize;
        if n > limits::PARENTS {
            return Err(DecodeError::Bounds("parents"));
        }
        let parents = (0..n).map(|_| r.array().map(MessageId)).collect::<Result<_, _>>()?;
        let sent_at = r.u64()?;
        let kind = r.u16()?;
        let data = r.bytes(limits::UNKNOWN_BODY, "body")?;
        r.end()?;
        Ok(Self { id, parents, sent_at, body: Body::decode(kind, data)? })
    }
}

impl Body {
    /// Its kind number and its bytes.
    #[must_use]
    pub fn encode(&self) -> (u16, Vec<u8>) {
        let mut w = Writer::new();
        let kind = match self {
            Self::Text(text) => {
                w.raw(text.as_bytes());
                1
            }
            Self::Receipts { delivered, read } => {
                let id = |w: &mut Writer, i: &MessageId| {
                    w.raw(&i.0);
                };
                w.list(delivered, id).list(read, id);
                2
            }
            Self::Post(post) => {
                post.write(&mut w);
                3
            }
            Self::Edit(edit) => {
                edit.write(&mut w);
                4
            }
            Self::Delete(target) => {
                target.write(&mut w);
                5
            }
            Self::Reactions(reactions) => {
                reactions.write(&mut w);
                6
            }
            Self::Typing(on) => {
                w.u8(u8::from(*on));
                7
            }
            Self::Timer { revision, seconds } => {
                w.u32(*revision).u32(*seconds);
                8
            }
            Self::Profile { revision, name } => {
                w.u32(*revision).raw(name.as_bytes());
                9
            }
            Self::File(file) => {
                file.write(&mut w);
                10
            }
            Self::Unknown { kind, data } => {
                w.raw(data);
                *kind
            }
        };
        (kind, w.finish())
    }

    /// Reads the bytes of a kind.
    ///
    /// # Errors
    /// They are no body of that kind.
    pub fn decode(kind: u16, data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(data);
        let body = match kind {
            0 => return Err(DecodeError::Unknown("body kind 0")),
            1 => Self::Text(facts::text(&mut r)?),
            2 => {
                let mut ids = || r.list(limits::RECEIPT_BATCH, "receipts", |r| r.array().map(MessageId));
                let (delivered, read) = (ids()?, ids()?);
                Self::Receipts { delivered, read }
            }
            3 => Self::Post(Post::read(&mut r)?),
            4 => Self::Edit(Edit::read(&mut r)?),
            5 => Self::Delete(Target::read(&mut r)?),
            6 => Self::Reactions(Reactions::read(&mut r)?),
            7 => Self::Typing(match r.u8()? {
                0 => false,
                1 => true,
                _ => return Err(DecodeError::NotCanonical("flag")),
            }),
            8 => Self::Timer { revision: r.u32()?, seconds: facts::timer(r.u32()?)? },
            9 => Self::Profile { revision: r.u32()?, name: facts::plain(r.rest(), 0, limits::DISPLAY_NAME, "name")? },
            10 => Self::File(Box::new(File::read(&mut r)?)),
            _ => Self::Unknown { kind, data: r.rest().to_vec() },
        };
        r.end()?;
        Ok(body)
    }
}
