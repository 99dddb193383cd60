//! The values of the tables, and how they are laid out. Fields are described where they are used first.

use livechat_crypto::mls::GroupId;
use livechat_wire::account::AccountLog;
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::content::Body;
use livechat_wire::payload::Fragment;
use livechat_wire::{AccountId, ConversationId, DecodeError, MessageId, RelayId, limits as wire};
use zeroize::Zeroizing;

use crate::limits;
use crate::tables::Stored;
use crate::view::Delivery;

/// This account, on this device.
pub(crate) struct Me {
    /// [`livechat_crypto::identity::Identity::encode`].
    pub identity: Zeroizing<Vec<u8>>,
    pub username: String,
    pub relay: RelayId,
    pub log: AccountLog,
    pub bucket_bits: u8,
}

/// Somebody whose account log we pinned.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    /// As the log says. Two contacts never have the same.
    pub username: String,
    pub log: AccountLog,
    /// The directory named this account when asked for that name. Until then the name is only what they say.
    pub confirmed: bool,
    /// It was so under an earlier name, and their log binds this one since.
    pub renamed: bool,
    /// Sixty digits; a millisecond's work, so they are kept.
    pub safety_number: String,
}

/// A conversation and where its history stands.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub peer: AccountId,
    /// Every group whose messages belong here.
    pub groups: Vec<GroupId>,
    /// The one we write to.
    pub sending: GroupId,
    /// The next free place; places begin at 1.
    pub next: u64,
    /// The place of the last message.
    pub last: Option<u64>,
    pub unread: u32,
    /// Unix milliseconds of the latest addition.
    pub activity: u64,
    /// Our latest message: first parent of the next, so that a hole in what we said always shows.
    pub own_head: Option<MessageId>,
    /// The others' latest message: second parent.
    pub other_head: Option<MessageId>,
}

/// An MLS group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub conversation: ConversationId,
    /// Newest last.
    pub epochs: Vec<Epoch>,
    /// Own messages sent here that the other side hasn't confirmed to have. While there are some, we go on writing
    /// here although a smaller group is there: what is sent elsewhere could overtake them (rule O-5 in [`crate`]).
    pub unconfirmed: u32,
}

/// An epoch whose envelopes are still expected.
#[derive(Clone)]
pub(crate) struct Epoch {
    pub number: u64,
    pub own_leaf: u32,
    pub leaves: Vec<u32>,
    pub secret: Zeroizing<[u8; 32]>,
    /// Unix milliseconds since when.
    pub since: u64,
    /// Number of our next envelope.
    pub counter: u64,
}

/// A message in its place.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub id: MessageId,
    pub author: AccountId,
    pub sent_at: u64,
    pub received_at: u64,
    pub body: Body,
    pub parents: Vec<MessageId>,
    /// Of own messages: how far it got, and through which group it went.
    pub own: Option<(Delivery, GroupId)>,
    pub gap: bool,
}

/// What we owe the author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owed {
    Delivered,
    Read,
}

/// A payload on its way to the relay.
#[derive(Debug, Clone)]
pub(crate) struct Queued {
    /// The message it carries, if it is one that people see.
    pub message: Option<(ConversationId, u64)>,
    pub parcels: Vec<Parcel>,
}

/// One envelope of it, and what it takes to seal it again.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub bucket: u16,
    pub seal: Seal,
    /// The latest sealing, 2,048 bytes.
    pub envelope: Vec<u8>,
    /// Ids of the latest sealings, newest last: a receipt for any of them counts.
    pub ids: Vec<livechat_wire::EnvelopeId>,
    pub accepted: bool,
}

/// How a parcel is sealed.
#[derive(Clone)]
pub(crate) enum Seal {
    /// To a device's hello key.
    Hello { hello_key: Box<[u8; wire::XWING_PUBLIC]>, hello: Box<[u8; wire::HELLO_PLAIN]> },
    /// As a fragment announced by a hello.
    Introduction { secret: Zeroizing<[u8; 32]>, fragment: Fragment },
    /// As number `counter` of our leaf.
    Group { group: GroupId, epoch: u64, counter: u64, fragment: Fragment },
    /// As number `counter` of our leaf in an epoch that is left behind, whose secret is kept for this alone.
    Late { secret: Zeroizing<[u8; 32]>, leaf: u32, counter: u64, fragment: Fragment },
}

/// A first contact whose introduction isn't complete, or was dealt with.
pub(crate) struct Hello {
    pub secret: Zeroizing<[u8; 32]>,
    pub fragments: u16,
    /// Unix milliseconds.
    pub arrived: u64,
    pub done: bool,
}

/// A fragment that waits, and since when.
pub(crate) struct Piece {
    pub arrived: u64,
    pub fragment: Fragment,
}

/// An envelope that nothing opened yet, and since when it is here.
pub(crate) struct Pooled {
    pub arrived: u64,
    pub envelope: Vec<u8>,
}

impl core::fmt::Debug for Epoch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Epoch").field("number", &self.number).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Seal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Hello { .. } => "Seal::Hello(…)",
            Self::Introduction { .. } => "Seal::Introduction(…)",
            Self::Group { .. } => "Seal::Group(…)",
            Self::Late { .. } => "Seal::Late(…)",
        })
    }
}

/// What stands for a body that was withdrawn: a kind that nobody sends.
pub(crate) const GONE: Body = Body::Unknown { kind: 0, data: Vec::new() };

pub(crate) fn option<T>(w: &mut Writer, value: Option<&T>, write: impl FnOnce(&mut Writer, &T)) {
    match value {
        Some(value) => write(w.u8(1), value),
        None => {
            w.u8(0);
        }
    }
}

pub(crate) fn read_option<'a, T>(
    r: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    if flag(r)? { read(r).map(Some) } else { Ok(None) }
}

pub(crate) fn flag(r: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::NotCanonical("flag")),
    }
}

fn read_fragment(r: &mut Reader<'_>) -> Result<Fragment, DecodeError> {
    Fragment::decode(r.take(wire::BODY_PLAIN)?)
}

impl Stored for Me {
    fn write(&self, w: &mut Writer) {
        w.bytes(&self.identity).bytes(self.username.as_bytes()).raw(&self.relay.0);
        w.bytes(&self.log.encode()).u8(self.bucket_bits);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            identity: Zeroizing::new(r.bytes(wire::LOG, "identity")?.to_vec()),
            username: r.text(wire::USERNAME, "name")?.to_owned(),
            relay: RelayId(r.array()?),
            log: AccountLog::decode(r.bytes(wire::LOG, "account log")?)?,
            bucket_bits: r.u8()?,
        })
    }
}

impl Stored for Contact {
    fn write(&self, w: &mut Writer) {
        w.bytes(self.username.as_bytes()).bytes(&self.log.encode());
        w.u8(u8::from(self.confirmed)).u8(u8::from(self.renamed)).bytes(self.safety_number.as_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            username: r.text(wire::USERNAME, "name")?.to_owned(),
            log: AccountLog::decode(r.bytes(wire::LOG, "account log")?)?,
            confirmed: flag(r)?,
            renamed: flag(r)?,
            safety_number: r.text(limits::SAFETY_NUMBER, "safety number")?.to_owned(),
        })
    }
}

impl Stored for Conversation {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.peer.0);
        w.list(&self.groups, |w, g| {
            w.raw(&g.0);
        });
        w.raw(&self.sending.0).u64(self.next);
        option(w, self.last.as_ref(), |w, p| {
            w.u64(*p);
        });
        w.u32(self.unread).u64(self.activity);
        for head in [&self.own_head, &self.other_head] {
            option(w, head.as_ref(), |w, id| {
                w.raw(&id.0);
            });
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            peer: AccountId(r.array()?),
            groups: r.list(limits::GROUPS, "groups", |r| r.array().map(GroupId))?,
            sending: GroupId(r.array()?),
            next: r.u64()?,
            last: read_option(r, Reader::u64)?,
            unread: r.u32()?,
            activity: r.u64()?,
            own_head: read_option(r, |r| r.array().map(MessageId))?,
            other_head: read_option(r, |r| r.array().map(MessageId))?,
        })
    }
}

impl Stored for Group {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.conversation.0).u32(self.unconfirmed);
        w.list(&self.epochs, |w, e| {
            w.u64(e.number).u32(e.own_leaf).raw(&e.secret[..]).u64(e.since).u64(e.counter);
            w.list(&e.leaves, |w, l| {
                w.u32(*l);
            });
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            conversation: ConversationId(r.array()?),
            unconfirmed: r.u32()?,
            epochs: r.list(limits::EPOCHS, "epochs", |r| {
                Ok(Epoch {
                    number: r.u64()?,
                    own_leaf: r.u32()?,
                    secret: Zeroizing::new(r.array()?),
                    since: r.u64()?,
                    counter: r.u64()?,
                    leaves: r.list(usize::from(u16::MAX), "leaves", Reader::u32)?,
                })
            })?,
        })
    }
}

impl Stored for Message {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.id.0).raw(&self.author.0).u64(self.sent_at).u64(self.received_at);
        let (kind, data) = match &self.body {
            Body::Text(_) | Body::Post(_) | Body::Timer { .. } | Body::File(_) | Body::Unknown { .. } => {
                self.body.encode()
            }
            // No other kind is put into the history.
            _ => GONE.encode(),
        };
        w.u16(kind).bytes(&data);
        w.list(&self.parents, |w, p| {
            w.raw(&p.0);
        });
        option(w, self.own.as_ref(), |w, (delivery, group)| {
            w.u8(*delivery as u8).raw(&group.0);
        });
        w.u8(u8::from(self.gap));
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            id: MessageId(r.array()?),
            author: AccountId(r.array()?),
            sent_at: r.u64()?,
            received_at: r.u64()?,
            body: match (r.u16()?, r.bytes(wire::UNKNOWN_BODY, "body")?) {
                (1, data) => Body::decode(1, data)?,
                // An earlier version kept these unread.
                (kind @ (3 | 8 | 10), data) => {
                    Body::decode(kind, data).unwrap_or_else(|_| Body::Unknown { kind, data: data.to_vec() })
                }
                (kind, data) => Body::Unknown { kind, data: data.to_vec() },
            },
            parents: r.list(wire::PARENTS, "parents", |r| r.array().map(MessageId))?,
            own: read_option(r, |r| Ok((read_delivery(r)?, GroupId(r.array()?))))?,
            gap: flag(r)?,
        })
    }
}

fn read_delivery(r: &mut Reader<'_>) -> Result<Delivery, DecodeError> {
    Ok(match r.u8()? {
        0 => Delivery::Queued,
        1 => Delivery::Accepted,
        2 => Delivery::Delivered,
        3 => Delivery::Read,
        _ => return Err(DecodeError::Unknown("delivery")),
    })
}

impl Stored for Owed {
    fn write(&self, w: &mut Writer) {
        w.u8(u8::from(*self == Self::Read));
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(if flag(r)? { Self::Read } else { Self::Delivered })
    }
}

impl Stored for Queued {
    fn write(&self, w: &mut Writer) {
        option(w, self.message.as_ref(), |w, (conversation, position)| {
            w.raw(&conversation.0).u64(*position);
        });
        w.list(&self.parcels, |w, p| {
            w.u16(p.bucket).u8(u8::from(p.accepted)).raw(&p.envelope);
            w.list(&p.ids, |w, id| {
                w.raw(&id.0);
            });
            p.seal.write(w);
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            message: read_option(r, |r| Ok((ConversationId(r.array()?), r.u64()?)))?,
            parcels: r.list(usize::from(u16::MAX), "parcels", |r| {
                Ok(Parcel {
                    bucket: r.u16()?,
                    accepted: flag(r)?,
                    envelope: r.take(wire::ENVELOPE)?.to_vec(),
                    ids: r.list(limits::SEALINGS, "sealings", |r| r.array().map(livechat_wire::EnvelopeId))?,
                    seal: Seal::read(r)?,
                })
            })?,
        })
    }
}

impl Seal {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::Hello { hello_key, hello } => w.u8(1).raw(&hello_key[..]).raw(&hello[..]),
            Self::Introduction { secret, fragment } => w.u8(2).raw(&secret[..]).raw(&fragment.encode()),
            Self::Group { group, epoch, counter, fragment } => {
                w.u8(3).raw(&group.0).u64(*epoch).u64(*counter).raw(&fragment.encode())
            }
            Self::Late { secret, leaf, counter, fragment } => {
                w.u8(4).raw(&secret[..]).u32(*leaf).u64(*counter).raw(&fragment.encode())
            }
        };
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match r.u8()? {
            1 => Self::Hello { hello_key: Box::new(r.array()?), hello: Box::new(r.array()?) },
            2 => Self::Introduction { secret: Zeroizing::new(r.array()?), fragment: read_fragment(r)? },
            3 => Self::Group {
                group: GroupId(r.array()?),
                epoch: r.u64()?,
                counter: r.u64()?,
                fragment: read_fragment(r)?,
            },
            4 => Self::Late {
                secret: Zeroizing::new(r.array()?),
                leaf: r.u32()?,
                counter: r.u64()?,
                fragment: read_fragment(r)?,
            },
            _ => return Err(DecodeError::Unknown("seal")),
        })
    }
}

impl Stored for Hello {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.secret[..]).u16(self.fragments).u64(self.arrived).u8(u8::from(self.done));
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { secret: Zeroizing::new(r.array()?), fragments: r.u16()?, arrived: r.u64()?, done: flag(r)? })
    }
}

impl Stored for Piece {
    fn write(&self, w: &mut Writer) {
        w.u64(self.arrived).raw(&self.fragment.encode());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { arrived: r.u64()?, fragment: read_fragment(r)? })
    }
}

impl Stored for Pooled {
    fn write(&self, w: &mut Writer) {
        w.u64(self.arrived).raw(&self.envelope);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { arrived: r.u64()?, envelope: r.take(wire::ENVELOPE)?.to_vec() })
    }
}

impl Stored for MessageId {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.0);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array().map(Self)
    }
}

impl Stored for livechat_wire::sync::Cursor {
    fn write(&self, w: &mut Writer) {
        w.bytes(&self.encode());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode(r.bytes(wire::SYNC_FRAME, "cursor")?)
    }
}

#[cfg(test)]
pub(crate) mod tests;
