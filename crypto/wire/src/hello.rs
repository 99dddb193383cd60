//! First contact (DESIGN §5): a hello envelope, sealed to the recipient's hello key, announces an introduction whose
//! fragments follow in ordinary envelopes with tags derived from the hello's secret.

use crate::codec::{DecodeError, Reader, Writer};
use crate::content::FileKey;
use crate::{BlobId, limits};

/// The version this build writes and reads.
pub const VERSION: u8 = 1;

/// The plaintext of a hello envelope; padded with zeros to [`limits::HELLO_PLAIN`] bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Hello {
    /// Keys and tags of the fragments derive from this.
    pub secret: [u8; 32],
    /// How many fragments follow, 1 ..= [`limits::FRAGMENTS`].
    pub fragments: u16,
    /// SHA-256 of the assembled introduction.
    pub digest: [u8; 32],
}

impl core::fmt::Debug for Hello {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Hello").field("fragments", &self.fragments).finish_non_exhaustive()
    }
}

impl Hello {
    /// The padded plaintext.
    #[must_use]
    pub fn encode(&self) -> [u8; limits::HELLO_PLAIN] {
        let mut w = Writer::new();
        w.u8(VERSION).raw(&self.secret).u16(self.fragments).raw(&self.digest);
        let mut out = [0; limits::HELLO_PLAIN];
        let bytes = w.finish();
        out[..bytes.len()].copy_from_slice(&bytes);
        out
    }

    /// Reads an opened hello.
    ///
    /// # Errors
    /// Another version, impossible numbers, or padding that isn't zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let hello = Self { secret: r.array()?, fragments: r.u16()?, digest: r.array()? };
        if hello.fragments == 0 || hello.fragments > limits::FRAGMENTS {
            return Err(DecodeError::Bounds("fragment number"));
        }
        if bytes.len() != limits::HELLO_PLAIN || r.rest().iter().any(|b| *b != 0) {
            return Err(DecodeError::NotCanonical("padding"));
        }
        Ok(hello)
    }
}

/// What the fragments of a first contact hold: who is calling, and the way into the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// The sender's account log ([`crate::account::AccountLog`]).
    pub log: Vec<u8>,
    /// The sending device's bundle ([`crate::bundle::Bundle`]).
    pub bundle: Vec<u8>,
    /// A serialised `MLSMessage` holding a Welcome with its ratchet tree, or its beginning.
    pub welcome: Vec<u8>,
    /// Where the rest of the Welcome is, if it isn't here.
    pub rest: Option<WelcomeRest>,
}

/// The part of a Welcome that all who come in by one commit are told alike, its ratchet tree above all: a sealed file at
/// the relay.
#[derive(Clone, PartialEq, Eq)]
pub struct WelcomeRest {
    /// Where its blob is.
    pub blob: BlobId,
    /// Bytes, 1 ..= [`limits::SHARED_WELCOME`].
    pub size: u32,
    /// SHA-256 of them.
    pub hash: [u8; 32],
    /// Opens the blob.
    pub key: FileKey,
}

impl core::fmt::Debug for WelcomeRest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WelcomeRest").field("size", &self.size).finish_non_exhaustive()
    }
}

impl WelcomeRest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let it = Self { blob: BlobId(r.array()?), size: r.u32()?, hash: r.array()?, key: FileKey(r.array()?) };
        if it.size == 0 || it.size as usize > limits::SHARED_WELCOME {
            return Err(DecodeError::Bounds("rest of a welcome"));
        }
        Ok(it)
    }
}

impl Introduction {
    /// The bytes to cut into fragments.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION).bytes(&self.log).bytes(&self.bundle).bytes(&self.welcome).u8(u8::from(self.rest.is_some()));
        if let Some(rest) = &self.rest {
            w.raw(&rest.blob.0).u32(rest.size).raw(&rest.hash).raw(&rest.key.0);
        }
        w.finish()
    }

    /// Reads an assembled introduction.
    ///
    /// # Errors
    /// Another version, or a part outside its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let mut part = |max, what| r.bytes(max, what).map(<[u8]>::to_vec);
        let it = Self {
            log: part(limits::LOG, "account log")?,
            bundle: part(crate::bundle::ENCODED, "bundle")?,
            welcome: part(limits::PAYLOAD, "welcome")?,
            rest: match r.u8()? {
                0 => None,
                1 => Some(WelcomeRest::read(&mut r)?),
                _ => return Err(DecodeError::NotCanonical("flag")),
            },
        };
        r.end()?;
        Ok(it)
    }
}
