//! `/livechat/file/1`: a blob's parts from the device of whoever sent it. One request and one response per stream,
//! each preceded by its `u32` length.

use crate::codec::{DecodeError, Reader, Writer};
use crate::content::OfferSecret;
use crate::ids::BlobId;
use crate::limits;

/// Its name on the wire.
pub const PROTOCOL: &str = "/livechat/file/1";

/// What is asked: kind (1), blob (32), secret of the offer (32), and what the kind needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Which blob.
    pub blob: BlobId,
    /// From the offer.
    pub secret: OfferSecret,
    /// What of it.
    pub wanted: Wanted,
}

/// What is wanted of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Kind 1: a part (4), numbered as at the relay.
    Part(u32),
    /// Kind 2: nothing more. All of it has come, and is what was promised.
    Nothing,
}

/// The answer: kind (1), and what it needs.
#[derive(Clone, PartialEq, Eq)]
pub enum Response {
    /// Kind 0: no. Not offered (any more), another secret, or no such part: it isn't said which.
    Refused,
    /// Kind 1: the part, 1 ..= [`limits::BLOB_PART`] bytes.
    Part(Vec<u8>),
    /// Kind 2: noted.
    Noted,
    /// Kind 3: too much at once; try again.
    Busy,
}

impl core::fmt::Debug for Response {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Refused => f.write_str("Refused"),
            Self::Part(bytes) => write!(f, "Part({} bytes)", bytes.len()),
            Self::Noted => f.write_str("Noted"),
            Self::Busy => f.write_str("Busy"),
        }
    }
}

impl Request {
    /// The frame's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        let kind = match self.wanted {
            Wanted::Part(_) => 1,
            Wanted::Nothing => 2,
        };
        w.u8(kind).raw(&self.blob.0).raw(&self.secret.0);
        if let Wanted::Part(part) = self.wanted {
            w.u32(part);
        }
        w.finish()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let kind = r.u8()?;
        let (blob, secret) = (BlobId(r.array()?), OfferSecret(r.array()?));
        let wanted = match kind {
            1 => Wanted::Part(r.u32()?),
            2 => Wanted::Nothing,
            _ => return Err(DecodeError::Unknown("request")),
        };
        r.end()?;
        Ok(Self { blob, secret, wanted })
    }
}

impl Response {
    /// The frame's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Refused => vec![0],
            Self::Part(bytes) => [&[1], &bytes[..]].concat(),
            Self::Noted => vec![2],
            Self::Busy => vec![3],
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((0, [])) => Ok(Self::Refused),
            Some((1, part)) if (1..=limits::BLOB_PART).contains(&part.len()) => Ok(Self::Part(part.to_vec())),
            Some((1, _)) => Err(DecodeError::Bounds("part")),
            Some((2, [])) => Ok(Self::Noted),
            Some((3, [])) => Ok(Self::Busy),
            _ => Err(DecodeError::Unknown("response")),
        }
    }
}
