//! Files that are whole or not there: `node.vault` and `node.key`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use livechat_crypto::vault::Vault;

use crate::limits;
use crate::store::OpenError;

/// Name of the vault in the data directory.
pub(crate) const VAULT: &str = "node.vault";

/// A new file, synced, renamed over the old one, its directory synced: a crash leaves one or the other.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    match fs::remove_file(&new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_folder(path)
}

/// Overwrites a file with zeros and removes it, both on disk when this returns. None there is as good.
pub(crate) fn erase(path: &Path) -> io::Result<()> {
    // A crash may have left a copy that was never renamed.
    for path in [path.with_added_extension("new"), path.to_owned()] {
        let mut file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(0).min(limits::VAULT);
        file.write_all(&vec![0; length])?;
        file.sync_all()?;
        fs::remove_file(&path)?;
    }
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// The vault of a data directory; none when there is none.
pub(crate) fn read(dir: &Path) -> Result<Option<Vault>, OpenError> {
    let path = dir.join(VAULT);
    let unreadable = |cause| OpenError::Key { path: path.clone(), cause };
    let mut bytes = Vec::new();
    match File::open(&path) {
        Ok(file) => file.take(limits::VAULT as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(e)),
    };
    Vault::decode(&bytes).map(Some).map_err(|cause| OpenError::Vault { path: path.clone(), cause })
}

/// Keeps a vault.
pub(crate) fn write(dir: &Path, vault: &Vault) -> io::Result<()> {
    replace(&dir.join(VAULT), &vault.encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_whole_and_erased_without_a_trace() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        fs::write(dir.path().join("node.key.new"), "left by a crash").unwrap();
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft stays behind");
        fs::write(dir.path().join("node.key.new"), "left by a crash").unwrap();
        erase(&path).unwrap();
        erase(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_damaged_vault_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap().is_none());
        for bytes in [&b""[..], b"livechat vault\x01", &[7; 9_000]] {
            fs::write(dir.path().join(VAULT), bytes).unwrap();
            let error = read(dir.path()).unwrap_err();
            assert!(matches!(error, OpenError::Vault { .. }) && error.to_string().contains("node.vault"), "{error}");
        }
    }
}
