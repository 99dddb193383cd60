//! Files, sealed chunk by chunk: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance", 2015, §7) over ChaCha20-Poly1305, as the crate `aead-stream` has it (R-110, R-111).
//!
//! A chunk's nonce is seven zero bytes, its index and whether it is the last one, so that none can be left out, moved,
//! doubled or appended. A key seals one file, once: whoever begins again draws another one.

use aead_stream::{NewStream, Nonce, StreamBE32, StreamPrimitive};
use chacha20poly1305::aead::KeyInit;
use chacha20poly1305::{ChaCha20Poly1305, Key};
use livechat_wire::blob::{self, CHUNK_PLAIN};
use livechat_wire::content::{File, FileKey};
use livechat_wire::limits;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Dice, draw};

/// Associated data of every chunk: nothing sealed for another purpose opens as one.
const DOMAIN: &[u8] = b"livechat file v1";

type Stream = StreamBE32<ChaCha20Poly1305>;

/// A file can't be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealFileError {
    /// More than [`limits::FILE`] bytes.
    #[error("the file is too large")]
    TooLarge,
}

/// A blob isn't the file that its message speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenFileError {
    /// A chunk doesn't open at its place.
    #[error("chunk {0} of the file is not what was sealed")]
    Chunk(u32),
    /// All chunks open, but the bytes aren't those that were promised: the sender's doing.
    #[error("the file is not the one that the message speaks of")]
    Content,
}

/// What is known of a file once it is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// Its bytes.
    pub size: u64,
    /// Their SHA-256.
    pub hash: [u8; 32],
}

/// Draws a key for one file.
#[must_use]
pub fn draw_key(rng: Dice<'_>) -> FileKey {
    FileKey(draw(rng))
}

/// Seals a file that comes in pieces of any size; hands out whole sealed chunks.
pub struct Sealer {
    stream: Stream,
    index: u32,
    /// What isn't sealed yet. A full chunk stays until more comes: it might be the last.
    waiting: Zeroizing<Vec<u8>>,
    size: u64,
    hash: Sha256,
}

impl Sealer {
    /// Begins a file under a key that sealed nothing before.
    #[must_use]
    pub fn new(key: &FileKey) -> Self {
        let waiting = Zeroizing::new(Vec::with_capacity(limits::BLOB_CHUNK));
        Self { stream: stream(key), index: 0, waiting, size: 0, hash: Sha256::new() }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`SealFileError`]: the file is beyond what can be sent; or what `out` says.
    pub fn push<E: From<SealFileError>>(
        &mut self,
        mut bytes: &[u8],
        mut out: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > limits::FILE {
            return Err(SealFileError::TooLarge.into());
        }
        self.hash.update(bytes);
        while !bytes.is_empty() {
            if self.waiting.len() == CHUNK_PLAIN as usize {
                out(&self.seal(false)?)?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_PLAIN as usize - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Pads and ends the file.
    ///
    /// # Errors
    /// What `out` says.
    pub fn finish<E: From<SealFileError>>(mut self, mut out: impl FnMut(&[u8]) -> Result<(), E>) -> Result<Sealed, E> {
        let sealed = Sealed { size: self.size, hash: self.hash.finalize_reset().into() };
        let mut zeros = blob::padded(self.size) - self.size;
        loop {
            let full = self.waiting.len();
            let room = (CHUNK_PLAIN - full as u64).min(zeros);
            self.waiting.resize(full + room as usize, 0);
            zeros -= room;
            out(&self.seal(zeros == 0)?)?;
            if zeros == 0 {
                return Ok(sealed);
            }
        }
    }

    fn seal(&mut self, last: bool) -> Result<Vec<u8>, SealFileError> {
        let mut chunk = std::mem::replace(&mut *self.waiting, Vec::with_capacity(limits::BLOB_CHUNK));
        // Fails for chunks of 256 GiB only.
        let sealed = self.stream.encrypt_in_place(self.index, last, DOMAIN, &mut chunk);
        sealed.map_err(|_| SealFileError::TooLarge)?;
        self.index += 1;
        Ok(chunk)
    }
}

/// Opens the chunks of a file, in any order.
pub struct Opener {
    stream: Stream,
    size: u64,
    chunks: u32,
    promised: [u8; 32],
}

impl Opener {
    /// Of the file that a message speaks of.
    #[must_use]
    pub fn new(file: &File) -> Self {
        let chunks = blob::chunks(blob::sealed(file.size));
        Self { stream: stream(&file.key), size: file.size, chunks, promised: file.hash }
    }

    /// How many chunks there are.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        self.chunks
    }

    /// Turns a sealed chunk into the bytes of the file that are in it; what is padding is empty.
    ///
    /// # Errors
    /// [`OpenFileError::Chunk`]; the bytes in `chunk` are nothing then.
    pub fn open(&self, index: u32, chunk: &mut Vec<u8>) -> Result<(), OpenFileError> {
        if index >= self.chunks {
            return Err(OpenFileError::Chunk(index));
        }
        let last = index + 1 == self.chunks;
        let opened = self.stream.decrypt_in_place(index, last, DOMAIN, chunk);
        // The length is authenticated with the rest; a sender whose chunks are shorter sent another file than promised.
        let expected = (blob::padded(self.size) - u64::from(index) * CHUNK_PLAIN).min(CHUNK_PLAIN);
        if opened.is_err() || chunk.len() as u64 != expected {
            return Err(OpenFileError::Chunk(index));
        }
        let end = self.size.saturating_sub(u64::from(index) * CHUNK_PLAIN).min(expected) as usize;
        if chunk.iter().skip(end).any(|b| *b != 0) {
            return Err(OpenFileError::Content);
        }
        chunk.truncate(end);
        Ok(())
    }
}

/// Checks that a file is the promised one, its opened chunks seen in order.
#[derive(Clone, Default)]
pub struct Check(Sha256);

impl Check {
    /// Sees the next bytes.
    pub fn see(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Says what it is.
    ///
    /// # Errors
    /// [`OpenFileError::Content`].
    pub fn finish(self, opener: &Opener) -> Result<(), OpenFileError> {
        if self.0.finalize()[..] == opener.promised { Ok(()) } else { Err(OpenFileError::Content) }
    }
}

fn stream(key: &FileKey) -> Stream {
    let aead = ChaCha20Poly1305::new(&Key::from(key.0));
    Stream::from_aead(aead, &Nonce::<ChaCha20Poly1305, Stream>::default())
}

impl core::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sealer").field("index", &self.index).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Opener {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Opener").field("chunks", &self.chunks).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Check {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Check(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_largest_size() {
        let mut sealer = Sealer::new(&FileKey([1; 32]));
        let mut out = |_: &[u8]| Ok::<_, SealFileError>(());
        sealer.push(&[0; 10], &mut out).unwrap();
        // A gigabyte later.
        sealer.size = limits::FILE - 1;
        sealer.push(&[0], &mut out).unwrap();
        assert_eq!(sealer.push(&[0], &mut out), Err(SealFileError::TooLarge));
    }
}
