//! `relay.key`: JSON, versioned, readable by its owner alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{Keys, Sealer};
use crate::env::{Env, NoRandomness};

/// The file's name in the data directory.
pub const FILE: &str = "relay.key";

const VERSION: u32 = 1;

/// Why the keys can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There, but not readable.
    #[error("can't read the relay's keys from {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not there, and can't be made.
    #[error("can't write the relay's keys to {path}: {source}; is the data directory writable?")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others could read it.
    #[error("{path} can be read by others; they can open every record: run `chmod 600 {path}`")]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// Not what this version writes.
    #[error("{path} is damaged or from a newer version; restore it from a backup")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// Nothing to make keys from.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    /// Ed25519 seed.
    signing: String,
    /// HMAC key of names, tokens and codes.
    hashing: String,
    /// Keys that sealed something; the last one seals.
    sealing: Vec<SealingKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealingKey {
    id: u32,
    key: String,
}

impl Drop for Contents {
    fn drop(&mut self) {
        self.signing.zeroize();
        self.hashing.zeroize();
        for k in &mut self.sealing {
            k.key.zeroize();
        }
    }
}

pub(super) fn load(path: &Path, env: &Env) -> Result<Keys, KeyFileError> {
    match read(path) {
        Err(KeyFileError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            create(path, env)?;
            // Read back: if another process was faster, its keys are the ones.
            read(path)
        }
        other => other,
    }
}

fn read(path: &Path) -> Result<Keys, KeyFileError> {
    let unreadable = |source| KeyFileError::Read { path: path.to_owned(), source };
    let damaged = || KeyFileError::Damaged { path: path.to_owned() };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned() });
    }
    let text = Zeroizing::new(io::read_to_string(file).map_err(unreadable)?);
    let contents: Contents = serde_json::from_str(&text).map_err(|_| damaged())?;
    if contents.version != VERSION {
        return Err(damaged());
    }
    let sealing = contents.sealing.iter().map(|k| Some((k.id, key(&k.key)?))).collect::<Option<Vec<_>>>();
    Ok(Keys {
        signing: SigningKey::from_bytes(&*key(&contents.signing).ok_or_else(damaged)?),
        hashing: key(&contents.hashing).ok_or_else(damaged)?,
        sealer: Sealer::new(sealing.ok_or_else(damaged)?).ok_or_else(damaged)?,
    })
}

fn key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(BASE64.decode(text.as_bytes()).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

fn create(path: &Path, env: &Env) -> Result<(), KeyFileError> {
    let fresh = || Ok::<_, NoRandomness>(BASE64.encode(&Zeroizing::new(env.random::<32>()?)[..]));
    let contents = Contents {
        version: VERSION,
        signing: fresh()?,
        hashing: fresh()?,
        sealing: vec![SealingKey { id: 1, key: fresh()? }],
    };
    let text = serde_json::to_string_pretty(&contents).map_err(io::Error::from).map(Zeroizing::new);
    text.and_then(|text| write(path, text.as_bytes()))
        .map_err(|source| KeyFileError::Write { path: path.to_owned(), source })
}

/// Whole or not at all, and never over another file: a crash in between must not leave half a key.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text)?;
    file.sync_all()?;
    match std::fs::hard_link(&draft, path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    std::fs::remove_file(&draft)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_keys_that_later_ones_find() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::system();
        let first = Keys::load(dir.path(), &env).unwrap();
        let second = Keys::load(dir.path(), &env).unwrap();
        assert_eq!(first.relay(), second.relay());
        assert_eq!(first.hash("x", &[b"y"]), second.hash("x", &[b"y"]));
        let sealed = first.sealer().seal(&env, b"ad", b"text").unwrap();
        assert_eq!(*second.sealer().open(b"ad", &sealed).unwrap(), b"text");
        let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn keys_that_others_can_read_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        Keys::load(dir.path(), &Env::system()).unwrap();
        let path = dir.path().join(FILE);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Keys::load(dir.path(), &Env::system()), Err(KeyFileError::Exposed { .. })));
    }

    #[test]
    fn damage_is_not_papered_over_with_new_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        for text in ["", "{}", r#"{"version":2,"signing":"","hashing":"","sealing":[]}"#] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(Keys::load(dir.path(), &Env::system()), Err(KeyFileError::Damaged { .. })), "{text}");
        }
    }
}
