//! What a sealed body holds: one fragment of a payload, padded with zeros to the full body.
//!
//! A [`Message`] is: epoch 8, count 8 (both 0: nothing before), `MLSMessage`.

use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;

/// Bytes of a fragment's header: kind 1, payload id 8, index 2, count 2, length 2.
pub const HEADER: usize = 15;

/// What the fragments, put together, are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A [`Message`].
    Mls = 1,
    /// An [`crate::hello::Introduction`].
    Introduction = 2,
    /// An [`crate::order::Entry`]: the commit that ends the epoch it is sealed in, with its receipt.
    Commit = 3,
    /// A serialised `MLSMessage` whose content is [`LEAVE`]: the sender wants to be removed.
    Leave = 4,
    /// A [`crate::door::Knock`], announced by a hello like an introduction.
    Knock = 5,
    /// A [`crate::door::Answer`] to a knock, likewise.
    Answer = 6,
    /// A [`crate::handover::Handover`] to a new device of the same account, likewise.
    Handover = 7,
}

/// The content of a [`Kind::Leave`] payload.
pub const LEAVE: &[u8] = b"livechat leave v1";

/// Something said, and what it comes after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// None: its sender has sent nothing in an earlier epoch that is still open.
    pub after: Option<After>,
    /// A serialised `MLSMessage` (RFC 9420 §6): application message.
    pub mls: Vec<u8>,
}

/// The latest earlier epoch in which a sender sent anything in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// Its number.
    pub epoch: u64,
    /// How many envelopes they numbered in it; never 0.
    pub count: u64,
}

impl Message {
    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (epoch, count) = self.after.map_or((0, 0), |a| (a.epoch, a.count));
        Writer::new().u64(epoch).u64(count).raw(&self.mls).finish()
    }

    /// Reads a payload, or its first fragment: `mls` is what follows.
    ///
    /// # Errors
    /// Too short, or an epoch in which nothing was sent.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let after = match (r.u64()?, r.u64()?) {
            (0, 0) => None,
            (_, 0) => return Err(DecodeError::NotCanonical("count")),
            (epoch, count) => Some(After { epoch, count }),
        };
        Ok(Self { after, mls: r.rest().to_vec() })
    }
}

/// One fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Of what.
    pub kind: Kind,
    /// Shared by the fragments of one payload; random.
    pub payload: [u8; 8],
    /// Which, from 0.
    pub index: u16,
    /// Of how many, 1 ..= [`limits::FRAGMENTS`].
    pub count: u16,
    /// At most [`limits::BODY_PLAIN`] − [`HEADER`] bytes.
    pub data: Vec<u8>,
}

impl Fragment {
    /// Cuts `payload` into fragments.
    ///
    /// # Errors
    /// [`DecodeError::Bounds`] when it is empty or longer than [`limits::PAYLOAD`].
    pub fn cut(kind: Kind, id: [u8; 8], payload: &[u8]) -> Result<Vec<Self>, DecodeError> {
        let room = limits::BODY_PLAIN - HEADER;
        let count = u16::try_from(payload.len().div_ceil(room)).map_err(|_| DecodeError::Bounds("payload"))?;
        if count == 0 || count > limits::FRAGMENTS {
            return Err(DecodeError::Bounds("payload"));
        }
        Ok((0..count)
            .zip(payload.chunks(room))
            .map(|(index, data)| Self { kind, payload: id, index, count, data: data.to_vec() })
            .collect())
    }

    /// The padded plaintext of a body.
    #[must_use]
    pub fn encode(&self) -> [u8; limits::BODY_PLAIN] {
        let mut w = Writer::new();
        w.u8(self.kind as u8).raw(&self.payload).u16(self.index).u16(self.count);
        w.u16(u16::try_from(self.data.len()).unwrap_or(u16::MAX)).raw(&self.data);
        let mut bytes = w.finish();
        bytes.resize(limits::BODY_PLAIN, 0);
        let mut out = [0; limits::BODY_PLAIN];
        out.copy_from_slice(&bytes);
        out
    }

    /// Reads an opened body.
    ///
    /// # Errors
    /// Unknown kind, impossible numbers, or padding that isn't zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let kind = match r.u8()? {
            1 => Kind::Mls,
            2 => Kind::Introduction,
            3 => Kind::Commit,
            4 => Kind::Leave,
            5 => Kind::Knock,
            6 => Kind::Answer,
            7 => Kind::Handover,
            _ => return Err(DecodeError::Unknown("payload kind")),
        };
        let payload = r.array()?;
        let (index, count) = (r.u16()?, r.u16()?);
        if count == 0 || count > limits::FRAGMENTS || index >= count {
            return Err(DecodeError::Bounds("fragment number"));
        }
        let len = r.u16()? as usize;
        let data = r.take(len)?.to_vec();
        if bytes.len() != limits::BODY_PLAIN || r.rest().iter().any(|b| *b != 0) {
            return Err(DecodeError::NotCanonical("padding"));
        }
        Ok(Self { kind, payload, index, count, data })
    }
}
