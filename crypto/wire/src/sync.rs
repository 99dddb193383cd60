//! `/livechat/sync/1`: how envelopes are handed over for keeps and fetched, between node and relay and between nodes
//! (DESIGN §6, R-21 …), and how commits are put in order ([`crate::order`], R-60 …). One request and one response per stream, each preceded by its `u32` length.

use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::Envelope;
use crate::ids::{EnvelopeId, SlotId};
use crate::limits;
use crate::order::{self, Entry, SealedCommit};
use crate::receipt::Receipt;

/// The libp2p protocol name.
pub const PROTOCOL: &str = "/livechat/sync/1";

/// How far a reader has read: the last sequence seen of each origin, sorted by origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor(pub std::collections::BTreeMap<u64, u64>);

impl Cursor {
    /// The last sequence read of `origin` (sequences start at 1).
    #[must_use]
    pub fn after(&self, origin: u64) -> u64 {
        self.0.get(&origin).copied().unwrap_or(0)
    }

    /// Notes that everything of `origin` up to `sequence` was read.
    pub fn advance(&mut self, origin: u64, sequence: u64) {
        let at = self.0.entry(origin).or_insert(0);
        *at = (*at).max(sequence);
    }

    /// The bytes on the wire, also fit for a store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write(&mut w);
        w.finish()
    }

    /// Reads what [`Cursor::encode`] wrote.
    ///
    /// # Errors
    /// More than [`limits::CURSOR`] origins, unsorted or doubled ones, leftovers.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let c = Self::read(&mut r)?;
        r.end()?;
        Ok(c)
    }

    fn write(&self, w: &mut Writer) {
        let pairs: Vec<_> = self.0.iter().collect();
        w.list(&pairs, |w, (o, s)| {
            w.u64(**o).u64(**s);
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let pairs = r.list(limits::CURSOR, "cursor", |r| Ok((r.u64()?, r.u64()?)))?;
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(DecodeError::NotCanonical("cursor"));
        }
        Ok(Self(pairs.into_iter().collect()))
    }
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Kind 1: envelopes of one bucket after a cursor.
    Fetch {
        /// Which bucket.
        bucket: u16,
        /// After where.
        cursor: Cursor,
        /// How long the answer may wait for something new, milliseconds, at most [`limits::LONG_POLL`].
        wait_ms: u32,
    },
    /// Kind 2: keep these, 1 ..= [`limits::DEPOSIT`] of them.
    Deposit {
        /// The envelopes.
        envelopes: Vec<Envelope>,
    },
    /// Kind 3: are these kept? 1 ..= [`limits::PRESENT`] of them.
    Present {
        /// Their ids.
        ids: Vec<EnvelopeId>,
    },
    /// Kind 4: put this commit at the end of a slot. The same commit again keeps its place.
    Append {
        /// Which slot.
        slot: SlotId,
        /// What.
        commit: SealedCommit,
    },
    /// Kind 5: what stands in a slot from an index on.
    Slot {
        /// Which slot.
        slot: SlotId,
        /// From where, less than [`limits::SLOT_ENTRIES`].
        from: u32,
    },
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Response {
    /// Kind 1, to a fetch; padded to a multiple of [`limits::PAGE_PADDING`].
    Page {
        /// Where reading goes on; covers what is in this page.
        cursor: Cursor,
        /// At most [`limits::PAGE_ENVELOPES`], in the order of their origins' numbers.
        envelopes: Vec<Envelope>,
        /// Whether more is there already.
        more: bool,
    },
    /// Kind 2, to a deposit or a presence query: one verdict for each, in order.
    Verdicts(Vec<Verdict>),
    /// Kind 3: the request as a whole was refused.
    Refused(Refusal),
    /// Kind 4, to an append: the commit's place, kept durably.
    Appended(Box<order::Receipt>),
    /// Kind 5, to a slot query: indices without a hole, beginning with the one asked for; none when nothing is there.
    Entries {
        /// At most [`limits::SLOT_PAGE`], within [`limits::SYNC_FRAME`].
        entries: Vec<Entry>,
        /// Whether more is there already.
        more: bool,
    },
}

/// What became of one envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Kept durably; here is the relay's word.
    Kept(Box<Receipt>),
    /// Not here.
    Absent,
    /// Not taken.
    Refused(Refusal),
}

/// Why something was refused. Coarse: a stranger learns no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[repr(u8)]
pub enum Refusal {
    /// Shape or signature is wrong; sending it again is useless.
    #[error("malformed")]
    Malformed = 1,
    /// Its epoch is too far from now; seal it again.
    #[error("stale")]
    Stale = 2,
    /// Too much at once; later.
    #[error("busy")]
    Busy = 3,
    /// The store can't write at present (disk full, database away); later.
    #[error("the store is unavailable")]
    Unavailable = 4,
    /// This peer doesn't serve that.
    #[error("not served here")]
    NotServed = 5,
    /// The slot has [`limits::SLOT_ENTRIES`] entries.
    #[error("the slot is full")]
    Full = 6,
}

impl Refusal {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match r.u8()? {
            1 => Self::Malformed,
            2 => Self::Stale,
            3 => Self::Busy,
            4 => Self::Unavailable,
            5 => Self::NotServed,
            6 => Self::Full,
            _ => return Err(DecodeError::Unknown("refusal")),
        })
    }
}

fn read_more(r: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::NotCanonical("more")),
    }
}

fn write_envelopes(w: &mut Writer, envelopes: &[Envelope]) {
    w.list(envelopes, |w, e| {
        w.raw(e.as_bytes());
    });
}

fn read_envelopes(r: &mut Reader<'_>, max: usize) -> Result<Vec<Envelope>, DecodeError> {
    r.list(max, "envelopes", |r| Envelope::decode(r.take(limits::ENVELOPE)?))
}

impl Request {
    /// The frame's bytes, without the length before it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Self::Fetch { bucket, cursor, wait_ms } => {
                w.u8(1).u16(*bucket).u32(*wait_ms);
                cursor.write(&mut w);
            }
            Self::Deposit { envelopes } => write_envelopes(w.u8(2), envelopes),
            Self::Present { ids } => {
                w.u8(3).list(ids, |w, i| {
                    w.raw(&i.0);
                });
            }
            Self::Append { slot, commit } => commit.write(w.u8(4).raw(&slot.0)),
            Self::Slot { slot, from } => {
                w.u8(5).raw(&slot.0).u32(*from);
            }
        }
        w.finish()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// Anything outside its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let it = match r.u8()? {
            1 => {
                let (bucket, wait_ms) = (r.u16()?, r.u32()?);
                if u128::from(wait_ms) > limits::LONG_POLL.as_millis() {
                    return Err(DecodeError::Bounds("wait"));
                }
                Self::Fetch { bucket, wait_ms, cursor: Cursor::read(&mut r)? }
            }
            2 => Self::Deposit { envelopes: read_envelopes(&mut r, limits::DEPOSIT)? },
            3 => Self::Present { ids: r.list(limits::PRESENT, "ids", |r| r.array().map(EnvelopeId))? },
            4 => Self::Append { slot: SlotId(r.array()?), commit: SealedCommit::read(&mut r)? },
            5 => {
                let (slot, from) = (SlotId(r.array()?), r.u32()?);
                if from >= limits::SLOT_ENTRIES {
                    return Err(DecodeError::Bounds("slot index"));
                }
                Self::Slot { slot, from }
            }
            _ => return Err(DecodeError::Unknown("sync request")),
        };
        r.end()?;
        Ok(it)
    }
}

impl Response {
    /// The frame's bytes, without the length before it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Self::Page { cursor, envelopes, more } => {
                w.u8(1).u8(u8::from(*more));
                cursor.write(&mut w);
                write_envelopes(&mut w, envelopes);
                let mut bytes = w.finish();
                bytes.resize(bytes.len().next_multiple_of(limits::PAGE_PADDING), 0);
                return bytes;
            }
            Self::Verdicts(verdicts) => {
                w.u8(2).list(verdicts, |w, v| match v {
                    Verdict::Kept(receipt) => receipt.write(w.u8(0)),
                    Verdict::Absent => {
                        w.u8(1);
                    }
                    Verdict::Refused(why) => {
                        w.u8(2).u8(*why as u8);
                    }
                });
            }
            Self::Refused(why) => {
                w.u8(3).u8(*why as u8);
            }
            Self::Appended(receipt) => receipt.write(w.u8(4)),
            Self::Entries { entries, more } => {
                w.u8(5).u8(u8::from(*more)).list(entries, |w, e| e.write(w));
            }
        }
        w.finish()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// Anything outside its bounds, and padding that isn't zero or isn't the least possible.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let it = match r.u8()? {
            1 => {
                let more = read_more(&mut r)?;
                let cursor = Cursor::read(&mut r)?;
                let envelopes = read_envelopes(&mut r, limits::PAGE_ENVELOPES)?;
                let padding = r.rest();
                if !bytes.len().is_multiple_of(limits::PAGE_PADDING)
                    || padding.len() >= limits::PAGE_PADDING
                    || padding.iter().any(|b| *b != 0)
                {
                    return Err(DecodeError::NotCanonical("padding"));
                }
                Self::Page { cursor, envelopes, more }
            }
            2 => Self::Verdicts(r.list(limits::PRESENT, "verdicts", |r| {
                Ok(match r.u8()? {
                    0 => Verdict::Kept(Box::new(Receipt::read(r)?)),
                    1 => Verdict::Absent,
                    2 => Verdict::Refused(Refusal::read(r)?),
                    _ => return Err(DecodeError::Unknown("verdict")),
                })
            })?),
            3 => Self::Refused(Refusal::read(&mut r)?),
            4 => Self::Appended(Box::new(order::Receipt::read(&mut r)?)),
            5 => {
                let more = read_more(&mut r)?;
                Self::Entries { more, entries: r.list(limits::SLOT_PAGE, "slot entries", Entry::read)? }
            }
            _ => return Err(DecodeError::Unknown("sync response")),
        };
        r.end()?;
        Ok(it)
    }
}
