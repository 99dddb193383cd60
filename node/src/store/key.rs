//! `node.key`: the random key of the database, readable by its owner only.
//!
//! One line of text, so that it survives a copy by mail or print: `livechat-node-key 1 <64 hexadecimal digits>`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::OpenError;
use crate::env;

const HEAD: &str = "livechat-node-key 1 ";

/// The raw key in hexadecimal, as SQLCipher takes it.
pub(super) struct Key(Zeroizing<String>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// The pragma that unlocks the database: a raw key, since ours is random and needs no stretching.
    pub(super) fn pragma(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("PRAGMA key = \"x'{}'\";", *self.0))
    }

    /// Reads the key, or makes one when there is no database yet either.
    pub(super) fn load_or_make(path: &Path, database: &Path) -> Result<Self, OpenError> {
        let io = |cause| OpenError::Key { path: path.into(), cause };
        match File::open(path) {
            Ok(file) => {
                let mut text = Zeroizing::new(String::new());
                // A key file is 85 bytes; whatever is longer isn't one.
                file.take(256).read_to_string(&mut text).map_err(io)?;
                Self::parse(&text).ok_or_else(|| OpenError::NotAKey { path: path.into() })
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                if database.exists() {
                    return Err(OpenError::KeyMissing { path: path.into(), database: database.into() });
                }
                let key = Self::generate()?;
                key.save(path).map_err(io)?;
                Ok(key)
            }
            Err(e) => Err(io(e)),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(HEAD)?.trim_end();
        let bytes = Zeroizing::new(HEXLOWER.decode(digits.as_bytes()).ok()?);
        (bytes.len() == 32).then(|| Self(Zeroizing::new(digits.to_owned())))
    }

    fn generate() -> Result<Self, OpenError> {
        let mut bytes = Zeroizing::new([0; 32]);
        env::fill(&mut *bytes).map_err(OpenError::Randomness)?;
        Ok(Self(Zeroizing::new(HEXLOWER.encode(&*bytes))))
    }

    /// Whole and on disk before the database that needs it: a new file, synced, renamed, its directory synced.
    fn save(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("key.new");
        match fs::remove_file(&new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(Zeroizing::new(format!("{HEAD}{}\n", *self.0)).as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    }
}
