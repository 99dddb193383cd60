//! What a device tells a new one of its account: where its contacts and history lie. Announced by a hello to
//! the new device, like an introduction.

use crate::codec::{DecodeError, Reader, Writer};
use crate::content::FileKey;
use crate::envelope::verify;
use crate::ids::{BlobId, DeviceId};
use crate::limits;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;

/// A backup at the relay, and how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// Ed25519 key of the device that hands over.
    pub from: [u8; 32],
    /// Unix seconds.
    pub time: u64,
    /// Where the sealed file lies.
    pub blob: BlobId,
    /// Opens the blob; in hexadecimal it is the secret of the backup in it.
    pub key: FileKey,
    /// Bytes of the backup, at most [`limits::FILE`].
    pub size: u64,
    /// SHA-256 of the backup.
    pub hash: [u8; 32],
    /// Ed25519 by `from` over [`Handover::signed_bytes`].
    pub signature: [u8; 64],
}

impl Handover {
    /// What is signed: all but the signature, for one device.
    #[must_use]
    pub fn signed_bytes(&self, to: &DeviceId) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(b"livechat handover v1").raw(&to.0);
        self.write(&mut w);
        w.finish()
    }

    /// Checks the signature; whether `from` speaks for the account, its log says.
    ///
    /// # Errors
    /// [`DecodeError::Signature`].
    pub fn verify(&self, to: &DeviceId) -> Result<(), DecodeError> {
        verify(&self.from, &self.signed_bytes(to), &self.signature, "handover")
    }

    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write(&mut w);
        w.raw(&self.signature).finish()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// Another version, a size outside its bounds, another length.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let it = Self {
            from: r.array()?,
            time: r.u64()?,
            blob: BlobId(r.array()?),
            key: FileKey(r.array()?),
            size: r.u64()?,
            hash: r.array()?,
            signature: r.array()?,
        };
        r.end()?;
        if it.size == 0 || it.size > limits::FILE {
            return Err(DecodeError::Bounds("size"));
        }
        Ok(it)
    }

    fn write(&self, w: &mut Writer) {
        w.u8(VERSION).raw(&self.from).u64(self.time).raw(&self.blob.0).raw(&self.key.0).u64(self.size).raw(&self.hash);
    }
}
