//! One-time links and the sessions they are swapped for. Only hashes are kept, in memory and on disk.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::{env, limits};

/// Why sessions can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The operating system gives no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// The file is somebody else's, or broken.
    #[error("can't read {path}: {cause}; remove it, and open the node's link again")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file can't be written.
    #[error("can't write {path}: {cause}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// A secret's hash, and until when it is good (Unix seconds).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    hash: Hash,
    until: u64,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Hash([u8; 32]);

/// What outlives the process.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    version: u8,
    /// Tells this node's cookie from those of other nodes of this computer: cookies ignore ports.
    node: String,
    sessions: Vec<Entry>,
}

struct Inner {
    saved: Saved,
    links: Vec<Entry>,
}

/// The links and sessions of one node.
pub(crate) struct Sessions {
    path: PathBuf,
    cookie: String,
    inner: Mutex<Inner>,
}

impl Sessions {
    /// Reads `web.json` in `dir`, or makes it.
    pub(crate) fn open(dir: &Path) -> Result<Self, SessionError> {
        let path = dir.join("web.json");
        let read = |cause| SessionError::Read { path: path.clone(), cause };
        let saved = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice::<Saved>(&bytes).map_err(|e| read(e.into()))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let node = HEXLOWER.encode(&env::random::<8>().map_err(SessionError::Random)?);
                Saved { version: 1, node, sessions: Vec::new() }
            }
            Err(e) => return Err(read(e)),
        };
        if saved.version != 1 || !saved.node.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(read(io::Error::new(io::ErrorKind::InvalidData, "it is from another version")));
        }
        let cookie = format!("livechat_{}", saved.node);
        let this = Self { path, cookie, inner: Mutex::new(Inner { saved, links: Vec::new() }) };
        this.save(&this.lock().saved)?;
        Ok(this)
    }

    /// The name of the session cookie.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// A new one-time token, 64 hexadecimal digits.
    pub(crate) fn new_link(&self) -> Result<String, SessionError> {
        let (token, hash) = secret()?;
        let until = env::now() + limits::LINK_LIFE.as_secs();
        let links = &mut self.lock().links;
        keep(links, Entry { hash, until }, limits::LINKS);
        Ok(token)
    }

    /// Swaps a token for a session secret; `None` when the token is unknown, used or too old.
    pub(crate) fn swap(&self, token: &str) -> Result<Option<String>, SessionError> {
        let mut inner = self.lock();
        let Some(at) = find(&inner.links, token) else { return Ok(None) };
        inner.links.remove(at);
        let (session, hash) = secret()?;
        let until = env::now() + limits::SESSION_LIFE.as_secs();
        keep(&mut inner.saved.sessions, Entry { hash, until }, limits::SESSIONS);
        self.save(&inner.saved)?;
        Ok(Some(session))
    }

    /// Whether a cookie's value is a session.
    pub(crate) fn admits(&self, session: &str) -> bool {
        find(&self.lock().saved.sessions, session).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is made whole under the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A crash leaves the old file or the new one.
    fn save(&self, saved: &Saved) -> Result<(), SessionError> {
        let write = || {
            let new = self.path.with_extension("json.new");
            let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(&serde_json::to_vec(saved)?)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)
        };
        write().map_err(|cause| SessionError::Write { path: self.path.clone(), cause })
    }
}

/// 256 random bits as hexadecimal digits, and their hash.
fn secret() -> Result<(String, Hash), SessionError> {
    let text = HEXLOWER.encode(&env::random::<32>().map_err(SessionError::Random)?);
    let hash = hash(&text);
    Ok((text, hash))
}

fn hash(secret: &str) -> Hash {
    Hash(Sha256::digest(secret.as_bytes()).into())
}

fn keep(entries: &mut Vec<Entry>, new: Entry, most: usize) {
    let now = env::now();
    entries.retain(|e| e.until > now);
    if entries.len() >= most {
        entries.remove(0);
    }
    entries.push(new);
}

/// Compares with all of them in the same time, whichever matches.
fn find(entries: &[Entry], secret: &str) -> Option<usize> {
    let (now, given) = (env::now(), hash(secret));
    let mut found = None;
    for (at, entry) in entries.iter().enumerate() {
        let same = entry.hash.0.ct_eq(&given.0) & Choice::from(u8::from(entry.until > now));
        if bool::from(same) {
            found = Some(at);
        }
    }
    found
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(…)")
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        HEXLOWER.encode(&hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| "not hexadecimal")?;
        bytes.try_into().map(Self).map_err(|_| "not 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn open(dir: &Path) -> Sessions {
        Sessions::open(dir).unwrap()
    }

    #[test]
    fn a_link_is_good_once() {
        let dir = tempfile::tempdir().unwrap();
        let s = open(dir.path());
        let link = s.new_link().unwrap();
        assert_eq!(link.len(), 64);
        let session = s.swap(&link).unwrap().unwrap();
        assert!(s.admits(&session));
        assert!(s.swap(&link).unwrap().is_none(), "used");
        assert!(!s.admits(&link) && !s.admits("") && s.swap(&session).unwrap().is_none());
    }

    #[test]
    fn a_link_is_good_for_ten_minutes() {
        let dir = tempfile::tempdir().unwrap();
        let s = open(dir.path());
        let link = s.new_link().unwrap();
        let until = s.lock().links[0].until;
        assert!((599..=600).contains(&(until - env::now())));
        s.lock().links[0].until = env::now();
        assert!(s.swap(&link).unwrap().is_none());
    }

    #[test]
    fn sessions_outlive_the_process_as_hashes_in_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let s = open(dir.path());
        let session = s.swap(&s.new_link().unwrap()).unwrap().unwrap();
        let again = open(dir.path());
        assert!(again.admits(&session));
        assert_eq!(again.cookie(), s.cookie());
        let file = dir.path().join("web.json");
        assert!(!fs::read_to_string(&file).unwrap().contains(&session));
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_session_ends_after_ten_days() {
        let dir = tempfile::tempdir().unwrap();
        let s = open(dir.path());
        let session = s.swap(&s.new_link().unwrap()).unwrap().unwrap();
        s.lock().saved.sessions[0].until = env::now();
        assert!(!s.admits(&session));
    }

    #[test]
    fn numbers_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let s = open(dir.path());
        let first = s.new_link().unwrap();
        for _ in 0..limits::LINKS {
            s.new_link().unwrap();
        }
        assert_eq!(s.lock().links.len(), limits::LINKS);
        assert!(s.swap(&first).unwrap().is_none(), "the oldest made room");
        for _ in 0..limits::SESSIONS + 3 {
            s.swap(&s.new_link().unwrap()).unwrap();
        }
        assert_eq!(s.lock().saved.sessions.len(), limits::SESSIONS);
    }

    #[test]
    fn a_broken_file_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        for broken in ["", "{}", "{\"version\":2,\"node\":\"00\",\"sessions\":[]}", "\u{0}"] {
            fs::write(dir.path().join("web.json"), broken).unwrap();
            assert!(matches!(Sessions::open(dir.path()), Err(SessionError::Read { .. })), "{broken}");
            assert_eq!(fs::read_to_string(dir.path().join("web.json")).unwrap(), broken);
        }
    }
}
