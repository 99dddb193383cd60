//! `node.key`: the random key of the database while it is open, readable by its owner only. Locking removes it; then
//! only the vault beside it ([`crate::vault`]) gives the key back.
//!
//! One line of text, so that it survives a copy by mail or print: `livechat-node-key 1 <64 hexadecimal digits>`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use data_encoding::HEXLOWER;
use livechat_crypto::vault::DatabaseKey;
use zeroize::Zeroizing;

use super::OpenError;
use crate::{env, vault::files};

const HEAD: &str = "livechat-node-key 1 ";

/// The raw key.
#[derive(Clone)]
pub(crate) struct Key(DatabaseKey);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key that came out of a vault.
    pub(crate) fn new(key: DatabaseKey) -> Self {
        Self(key)
    }

    /// For wrapping.
    pub(crate) fn bytes(&self) -> &DatabaseKey {
        &self.0
    }

    /// The pragma that unlocks the database: a raw key, since ours is random and needs no stretching.
    pub(super) fn pragma(&self) -> Zeroizing<String> {
        self.written("PRAGMA key = \"x'", "'\";")
    }

    /// In hexadecimal between two texts, without a copy that outlives this.
    fn written(&self, before: &str, after: &str) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(before.len() + 64 + after.len()));
        text.push_str(before);
        HEXLOWER.encode_append(self.0.as_bytes(), &mut text);
        text.push_str(after);
        text
    }

    /// Reads the file; none when there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, OpenError> {
        let io = |cause| OpenError::Key { path: path.into(), cause };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io(e)),
        };
        let mut text = Zeroizing::new(String::with_capacity(256));
        // A key file is 85 bytes; whatever is longer isn't one.
        file.take(256).read_to_string(&mut text).map_err(io)?;
        Self::parse(&text).map(Some).ok_or_else(|| OpenError::NotAKey { path: path.into() })
    }

    /// Draws a new one and keeps it.
    pub(crate) fn make(path: &Path) -> Result<Self, OpenError> {
        let mut key = DatabaseKey::zero();
        env::fill(key.as_mut_bytes()).map_err(OpenError::Randomness)?;
        let key = Self(key);
        key.save(path).map_err(|cause| OpenError::Key { path: path.into(), cause })?;
        Ok(key)
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(HEAD)?.trim_end();
        let bytes = Zeroizing::new(HEXLOWER.decode(digits.as_bytes()).ok()?);
        DatabaseKey::from_slice(&bytes).map(Self)
    }

    /// Whole and on disk before anything depends on it.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        files::replace(path, self.written(HEAD, "\n").as_bytes())
    }

    /// Overwritten and removed: what the file system kept of it elsewhere is beyond us.
    pub(crate) fn erase(path: &Path) -> io::Result<()> {
        files::erase(path)
    }
}
