//! The sealed file of a backup: a head, then chunks (R-90).
//!
//! ```text
//! head     "livechat-backup\n" (16) version (1) memory, KiB (4) passes (4) lanes (1) salt (16)
//! chunk    ChaCha20-Poly1305 of 65,536 bytes, the last one of fewer or as many; nonce = number (11) ‖ last (1)
//! ```
//! The key is HKDF-SHA-256 of what Argon2id makes of the secret and the salt, bound to the whole head. The salt is
//! fresh for every file, so no key seals two of them. Cut off, put together or reordered chunks don't open: the scheme
//! is the STREAM of age (C2SP) under another key. `docs/adr/0007-backups.md` says why it isn't age itself.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce};
use hkdf::Hkdf;
use livechat_wire::codec::{Reader, Writer};
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::limits;

/// Bytes of a chunk before it is sealed.
pub const CHUNK: usize = 64 * 1_024;
/// Bytes that sealing adds to a chunk.
pub const TAG: usize = 16;
/// Bytes of the head.
pub const HEAD: usize = MAGIC.len() + 1 + 4 + 4 + 1 + 16;

const MAGIC: &[u8; 16] = b"livechat-backup\n";
const VERSION: u8 = 1;
const INFO: &[u8] = b"livechat backup v1";

/// Why a backup doesn't open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// It isn't one.
    #[error("that is no LiveChat backup")]
    NotABackup,
    /// A newer program made it, or one that asks for more work than any of ours.
    #[error("a newer LiveChat made that backup")]
    Newer,
    /// Another secret, or the file was changed or cut off.
    #[error("the secret is another one, or the file is damaged or cut off")]
    Closed,
}

/// Seals the chunks of one file, in order.
pub struct Sealer(Chunks);

/// Opens the chunks of one file, in order.
pub struct Opener(Chunks);

struct Chunks {
    cipher: ChaCha20Poly1305,
    next: u64,
}

impl core::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl core::fmt::Debug for Opener {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Opener(…)")
    }
}

impl Sealer {
    /// Begins a file: its head, and what seals the chunks behind it. Takes a second, on purpose.
    ///
    /// # Errors
    /// There isn't enough memory for the work.
    pub fn begin(secret: &str, rng: &mut dyn CryptoRng) -> Result<(Vec<u8>, Self), BackupError> {
        Self::with(secret, rng, (limits::ARGON2_KIB, limits::ARGON2_PASSES, 1))
    }

    fn with(
        secret: &str,
        rng: &mut dyn CryptoRng,
        (memory, passes, lanes): (u32, u32, u8),
    ) -> Result<(Vec<u8>, Self), BackupError> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let head = Writer::new().raw(MAGIC).u8(VERSION).u32(memory).u32(passes).u8(lanes).raw(&salt).finish();
        let chunks = Chunks::new(secret, &head, &salt, (memory, passes, lanes))?;
        Ok((head, Self(chunks)))
    }

    /// Seals the next chunk of [`CHUNK`] bytes, or the last one of at most as many.
    ///
    /// # Errors
    /// More than `2^64` chunks, or one that is too long.
    pub fn seal(&mut self, chunk: &[u8], last: bool) -> Result<Vec<u8>, BackupError> {
        let nonce = self.0.nonce(last)?;
        self.0.cipher.encrypt(&nonce, chunk).map_err(|_| BackupError::Closed)
    }
}

impl Opener {
    /// Understands a head of [`HEAD`] bytes. Takes as long as sealing did, within our bounds.
    ///
    /// # Errors
    /// It is no head, or of another version.
    pub fn begin(secret: &str, head: &[u8]) -> Result<Self, BackupError> {
        let mut r = Reader::new(head);
        if r.take(MAGIC.len()).map_err(|_| BackupError::NotABackup)? != MAGIC {
            return Err(BackupError::NotABackup);
        }
        let mut read = || -> Result<_, livechat_wire::DecodeError> {
            let version = r.u8()?;
            let work = (r.u32()?, r.u32()?, r.u8()?);
            Ok((version, work, r.array::<16>()?))
        };
        let (version, work, salt) = read().map_err(|_| BackupError::NotABackup)?;
        let bounded = work.0 <= limits::ARGON2_KIB_MAX && work.1 <= limits::ARGON2_PASSES_MAX && work.2 <= 4;
        if version != VERSION || !bounded {
            return Err(BackupError::Newer);
        }
        r.end().map_err(|_| BackupError::NotABackup)?;
        Ok(Self(Chunks::new(secret, head, &salt, work)?))
    }

    /// Opens the next chunk.
    ///
    /// # Errors
    /// The secret is another one, or the chunk isn't the one that was sealed here.
    pub fn open(&mut self, chunk: &[u8], last: bool) -> Result<Vec<u8>, BackupError> {
        let nonce = self.0.nonce(last)?;
        self.0.cipher.decrypt(&nonce, chunk).map_err(|_| BackupError::Closed)
    }
}

impl Chunks {
    fn new(secret: &str, head: &[u8], salt: &[u8; 16], work: (u32, u32, u8)) -> Result<Self, BackupError> {
        let (memory, passes, lanes) = work;
        let params = Params::new(memory, passes, u32::from(lanes), Some(32)).map_err(|_| BackupError::Newer)?;
        let mut stretched = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(secret.trim().as_bytes(), salt, &mut *stretched)
            .map_err(|_| BackupError::Newer)?;
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(head), &*stretched).expand(INFO, &mut *key).map_err(|_| BackupError::Newer)?;
        Ok(Self { cipher: ChaCha20Poly1305::new(&Key::from(*key)), next: 0 })
    }

    fn nonce(&mut self, last: bool) -> Result<Nonce, BackupError> {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = u8::from(last);
        self.next = self.next.checked_add(1).ok_or(BackupError::Closed)?;
        Ok(nonce.into())
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    const QUICK: (u32, u32, u8) = (64, 1, 1);

    fn sealed(secret: &str) -> (Vec<u8>, Vec<Vec<u8>>) {
        let (head, mut sealer) = Sealer::with(secret, &mut ChaCha20Rng::seed_from_u64(1), QUICK).unwrap();
        let chunks = [(vec![1; CHUNK], false), (vec![2; CHUNK], false), (b"end".to_vec(), true)];
        (head, chunks.iter().map(|(c, last)| sealer.seal(c, *last).unwrap()).collect())
    }

    #[test]
    fn what_is_sealed_opens_in_order_and_with_the_secret_only() {
        let (head, chunks) = sealed("a long enough secret");
        assert_eq!(head.len(), HEAD);
        let mut opener = Opener::begin(" a long enough secret\n", &head).unwrap();
        let lengths: Vec<_> = (0..3).map(|n| opener.open(&chunks[n], n == 2).unwrap().len()).collect();
        assert_eq!(lengths, [CHUNK, CHUNK, 3]);
        let open = |order: &[(usize, bool)], secret: &str, head: &[u8]| {
            let mut opener = Opener::begin(secret, head)?;
            order.iter().try_for_each(|(n, last)| opener.open(&chunks[*n], *last).map(drop))
        };
        let secret = "a long enough secret";
        for cut in [&[(1, false)][..], &[(0, true)], &[(0, false), (2, true)], &[(0, false), (0, false)]] {
            assert_eq!(open(cut, secret, &head), Err(BackupError::Closed), "{cut:?}");
        }
        assert_eq!(open(&[(0, false)], "another", &head), Err(BackupError::Closed));
        let mut damaged = chunks[0].clone();
        damaged[70] ^= 1;
        assert_eq!(Opener::begin(secret, &head).unwrap().open(&damaged, false), Err(BackupError::Closed));
    }

    #[test]
    fn heads_are_judged_before_any_work() {
        let (head, chunks) = sealed("secret");
        for at in 0..HEAD {
            let mut other = head.clone();
            other[at] ^= 1;
            let opened = Opener::begin("secret", &other).and_then(|mut o| o.open(&chunks[0], false));
            let expected = match at {
                0..16 => BackupError::NotABackup,
                16 => BackupError::Newer,
                // A work factor beyond ours, or one that only gives another key.
                17..26 if opened == Err(BackupError::Newer) => BackupError::Newer,
                _ => BackupError::Closed,
            };
            assert_eq!(opened, Err(expected), "byte {at}");
        }
        assert_eq!(Opener::begin("secret", &head[..HEAD - 1]).unwrap_err(), BackupError::NotABackup);
    }

    #[test]
    fn no_two_files_have_a_key_in_common() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let (first, mut a) = Sealer::with("secret", &mut rng, QUICK).unwrap();
        let (second, mut b) = Sealer::with("secret", &mut rng, QUICK).unwrap();
        assert_ne!(first, second);
        assert_ne!(a.seal(&[0; 64], true).unwrap(), b.seal(&[0; 64], true).unwrap());
    }

    #[test]
    fn the_bytes_of_version_one() {
        let (head, mut sealer) = Sealer::with("secret", &mut ChaCha20Rng::seed_from_u64(3), QUICK).unwrap();
        let chunk = sealer.seal(b"hello", true).unwrap();
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        insta::assert_snapshot!(format!("{}\n{}", hex(&head), hex(&chunk)));
    }
}
