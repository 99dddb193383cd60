//! The order of commits (DESIGN §4, R-60 …): append-only slots at a *sequencer*, the relay or an admin's device.
//!
//! ```text
//! sealed commit   n × 4,096 bytes: [32] salt, ciphertext, [16] AEAD tag
//! receipt         [32] slot, u32 index, [32] hash, u64 time, [32] sequencer, [64] signature
//! entry           receipt, u32 length, sealed commit
//! ```
//! A slot is named by 32 bytes that only members of the group can compute, anew in each epoch; a commit is sealed under
//! a key that only they have. A sequencer learns that somebody committed to something, and roughly how large it is.

use sha2::{Digest, Sha256};

use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::verify;
use crate::ids::SlotId;
use crate::limits;

/// A commit as a sequencer sees it. Any bytes will do, as long as their number is a multiple of
/// [`limits::COMMIT_PADDING`], not zero and at most [`limits::COMMIT`].
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCommit(Vec<u8>);

impl core::fmt::Debug for SealedCommit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SealedCommit({} bytes)", self.0.len())
    }
}

impl SealedCommit {
    /// Takes bytes of an allowed length.
    ///
    /// # Errors
    /// [`DecodeError::Bounds`] when there are none or too many, [`DecodeError::NotCanonical`] when they aren't padded.
    pub fn new(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        if bytes.is_empty() || bytes.len() > limits::COMMIT {
            return Err(DecodeError::Bounds("commit"));
        }
        if !bytes.len().is_multiple_of(limits::COMMIT_PADDING) {
            return Err(DecodeError::NotCanonical("commit padding"));
        }
        Ok(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What a receipt for it names: SHA-256(`"livechat commit v1"` ‖ the bytes).
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::new().chain_update(b"livechat commit v1").chain_update(&self.0).finalize().into()
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.bytes(&self.0);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::new(r.bytes(limits::COMMIT, "commit")?.to_vec())
    }
}

/// "I, `sequencer`, put the commit with this hash at `index` of `slot`, at `time`, and will never put another there."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Where.
    pub slot: SlotId,
    /// Its place there, from 0.
    pub index: u32,
    /// [`SealedCommit::hash`].
    pub hash: [u8; 32],
    /// Unix seconds.
    pub time: u64,
    /// Who says so: the Ed25519 key of a relay or of a device.
    pub sequencer: [u8; 32],
    /// Ed25519 by the sequencer over [`Receipt::signed_bytes`].
    pub signature: [u8; 64],
}

impl Receipt {
    /// Bytes of an encoded receipt.
    pub const ENCODED: usize = 32 + 4 + 32 + 8 + 32 + 64;

    /// Signs a receipt.
    #[must_use]
    pub fn sign(
        slot: SlotId,
        index: u32,
        hash: [u8; 32],
        time: u64,
        sequencer: [u8; 32],
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Self {
        let mut r = Self { slot, index, hash, time, sequencer, signature: [0; 64] };
        r.signature = sign(&r.signed_bytes());
        r
    }

    /// What the signature covers.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(b"livechat order receipt v1");
        self.write_unsigned(&mut w);
        w.finish()
    }

    /// Checks the sequencer's signature.
    ///
    /// # Errors
    /// [`DecodeError::Signature`].
    pub fn verify(&self) -> Result<(), DecodeError> {
        verify(&self.sequencer, &self.signed_bytes(), &self.signature, "order receipt")
    }

    /// Whether both together prove that their sequencer showed two orders (R-65). Both must [`Receipt::verify`].
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        (self.sequencer, self.slot, self.index) == (other.sequencer, other.slot, other.index) && self.hash != other.hash
    }

    /// The bytes, also fit for a store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write(&mut w);
        w.finish()
    }

    /// Reads a receipt. The signature is not checked.
    ///
    /// # Errors
    /// Any other length.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let it = Self::read(&mut r)?;
        r.end()?;
        Ok(it)
    }

    fn write_unsigned(&self, w: &mut Writer) {
        w.raw(&self.slot.0).u32(self.index).raw(&self.hash).u64(self.time).raw(&self.sequencer);
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        self.write_unsigned(w);
        w.raw(&self.signature);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            slot: SlotId(r.array()?),
            index: r.u32()?,
            hash: r.array()?,
            time: r.u64()?,
            sequencer: r.array()?,
            signature: r.array()?,
        })
    }
}

/// What stands at one index of a slot. Members also send it to each other, as a payload of the epoch that it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The sequencer's word.
    pub receipt: Receipt,
    /// What it is about.
    pub commit: SealedCommit,
}

impl Entry {
    /// Bytes it takes in an answer; [`crate::sync::Response::Entries`] holds as many as fit a frame.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        Receipt::ENCODED + 4 + self.commit.0.len()
    }

    /// Checks that the receipt is signed and about this commit.
    ///
    /// # Errors
    /// [`DecodeError::Signature`], [`DecodeError::NotCanonical`] when the hash is another's.
    pub fn verify(&self) -> Result<(), DecodeError> {
        if self.receipt.hash != self.commit.hash() {
            return Err(DecodeError::NotCanonical("receipt"));
        }
        self.receipt.verify()
    }

    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write(&mut w);
        w.finish()
    }

    /// Reads an entry. Neither hash nor signature is checked: see [`Entry::verify`].
    ///
    /// # Errors
    /// A commit outside its bounds, leftovers.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let it = Self::read(&mut r)?;
        r.end()?;
        Ok(it)
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        self.receipt.write(w);
        self.commit.write(w);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { receipt: Receipt::read(r)?, commit: SealedCommit::read(r)? })
    }
}
