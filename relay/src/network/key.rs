//! `p2p.key`: the relay's libp2p identity, stable because bootstrap addresses name it. It signs nothing but handshakes;
//! receipts are signed by another key.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use libp2p::identity::Keypair;
use zeroize::Zeroizing;

/// The file's name in the data directory. Two processes can't share it: peers would take them for one.
pub const FILE: &str = "p2p.key";

/// Bytes of the file at most; an Ed25519 key takes 68.
const MAX: u64 = 4_096;

/// Why the key can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerKeyError {
    /// There, but not readable.
    #[error("can't read the peer key from {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not there, and can't be made.
    #[error("can't write the peer key to {path}: {source}; is the data directory writable?")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others could read it.
    #[error("{path} can be read by others; run `chmod 600 {path}`")]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// Not a key.
    #[error("{path} is damaged; remove it to get a new one (nodes then need the new address)")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
}

/// Reads the key, or makes it at the first start.
pub(super) fn load(path: &Path) -> Result<Keypair, PeerKeyError> {
    match read(path) {
        Err(PeerKeyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            create(path).map_err(|source| PeerKeyError::Write { path: path.to_owned(), source })?;
            read(path)
        }
        other => other,
    }
}

fn read(path: &Path) -> Result<Keypair, PeerKeyError> {
    let unreadable = |source| PeerKeyError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
        return Err(PeerKeyError::Exposed { path: path.to_owned() });
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    Keypair::from_protobuf_encoding(&bytes).map_err(|_| PeerKeyError::Damaged { path: path.to_owned() })
}

/// Whole or not at all, and never over another file: a crash in between must not leave half a key.
fn create(path: &Path) -> io::Result<()> {
    let bytes = Keypair::generate_ed25519().to_protobuf_encoding().map(Zeroizing::new).map_err(io::Error::other)?;
    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&bytes)?;
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
    fn is_made_once_and_guarded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let first = load(&path).unwrap().public();
        assert_eq!(load(&path).unwrap().public(), first);
        let mode = |m| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(m)).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        mode(0o640);
        assert!(matches!(load(&path), Err(PeerKeyError::Exposed { .. })));
        mode(0o600);
        std::fs::write(&path, b"not a key").unwrap();
        assert!(matches!(load(&path), Err(PeerKeyError::Damaged { .. })));
        let nowhere = dir.path().join("none").join(FILE);
        assert!(matches!(load(&nowhere), Err(PeerKeyError::Write { .. })));
    }
}
