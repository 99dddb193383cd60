//! Records sealed with XChaCha20-Poly1305: `u8 version ‖ u32 key id ‖ [24] nonce ‖ ciphertext`.
//!
//! The nonce is random and long enough for it (no counter to lose, several processes may share a key). The key id
//! lets keys be rotated: new records take the last key, old ones open with theirs. What a record belongs to (its row,
//! its kind) is authenticated beside it, so that rows can't be swapped in the database.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::env::{Env, NoRandomness};
use crate::store::accounts::Sealed;

const VERSION: u8 = 1;
const NONCE: usize = 24;
const HEADER: usize = 1 + 4 + NONCE;

/// A record that doesn't open: damaged, moved to another row, or sealed under a key we don't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed record doesn't open")]
pub struct OpenError;

/// Seals and opens records.
#[derive(Clone)]
pub struct Sealer {
    current: u32,
    keys: Vec<(u32, Zeroizing<[u8; 32]>)>,
}

impl Sealer {
    /// Takes keys with their ids; the last one seals. None without any.
    #[must_use]
    pub fn new(keys: Vec<(u32, Zeroizing<[u8; 32]>)>) -> Option<Self> {
        let current = keys.last()?.0;
        Some(Self { current, keys })
    }

    fn cipher(&self, id: u32) -> Option<XChaCha20Poly1305> {
        let (_, key) = self.keys.iter().find(|(k, _)| *k == id)?;
        XChaCha20Poly1305::new_from_slice(&key[..]).ok()
    }

    /// Seals `text`; it opens only with the same `ad`.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn seal(&self, env: &Env, ad: &[u8], text: &[u8]) -> Result<Sealed, NoRandomness> {
        let nonce = env.random::<NONCE>()?;
        // Encryption fails for texts of 256 GiB only, and the current key is one of the keys.
        let cipher = self.cipher(self.current).ok_or(NoRandomness)?;
        let body = cipher.encrypt(&XNonce::from(nonce), Payload { msg: text, aad: ad }).map_err(|_| NoRandomness)?;
        let mut out = Vec::with_capacity(HEADER + body.len());
        out.push(VERSION);
        out.extend_from_slice(&self.current.to_be_bytes());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&body);
        Ok(Sealed(out))
    }

    /// Opens what was sealed with the same `ad`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, ad: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (header, body) = sealed.0.split_first_chunk::<HEADER>().ok_or(OpenError)?;
        let (&[version, a, b, c, d], nonce) = header.split_first_chunk::<5>().ok_or(OpenError)?;
        if version != VERSION {
            return Err(OpenError);
        }
        let cipher = self.cipher(u32::from_be_bytes([a, b, c, d])).ok_or(OpenError)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| OpenError)?;
        let text = cipher.decrypt(&XNonce::from(nonce), Payload { msg: body, aad: ad }).map_err(|_| OpenError)?;
        Ok(Zeroizing::new(text))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(ids: &[u32]) -> Sealer {
        Sealer::new(ids.iter().map(|id| (*id, Zeroizing::new([*id as u8; 32]))).collect()).unwrap()
    }

    #[test]
    fn opens_only_in_its_row() {
        let s = sealer(&[1]);
        let sealed = s.seal(&Env::system(), b"row 1", b"text").unwrap();
        assert_eq!(*s.open(b"row 1", &sealed).unwrap(), b"text");
        assert_eq!(s.open(b"row 2", &sealed), Err(OpenError));
    }

    #[test]
    fn rotation_keeps_old_records_readable_and_seals_with_the_new_key() {
        let env = Env::system();
        let old = sealer(&[1]).seal(&env, b"", b"old").unwrap();
        let rotated = sealer(&[1, 2]);
        let new = rotated.seal(&env, b"", b"new").unwrap();
        assert_eq!(*rotated.open(b"", &old).unwrap(), b"old");
        assert_eq!(*sealer(&[2]).open(b"", &new).unwrap(), b"new");
        assert_eq!(sealer(&[1]).open(b"", &new), Err(OpenError));
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let s = sealer(&[1]);
        let sealed = s.seal(&Env::system(), b"", b"text").unwrap();
        for i in 0..sealed.0.len() {
            let mut bad = sealed.clone();
            bad.0[i] ^= 1;
            assert_eq!(s.open(b"", &bad), Err(OpenError), "byte {i}");
        }
        for n in 0..sealed.0.len() {
            assert_eq!(s.open(b"", &Sealed(sealed.0[..n].to_vec())), Err(OpenError), "cut at {n}");
        }
    }
}
