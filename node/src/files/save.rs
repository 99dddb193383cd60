//! A file into the open, where somebody wants it. Nothing is ever overwritten, and a file has its name only when it is
//! whole.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use livechat_wire::content;

use super::error::FileError;
use super::names;
use super::shelf::Shelf;
use crate::{env, limits};

/// Saves into a folder, under a harmless form of the name that the message shows; or as exactly the file that was asked
/// for.
pub(super) fn save(shelf: &Shelf, file: &content::File, to: &Path) -> Result<PathBuf, FileError> {
    if to.is_dir() {
        let name = names::safe(&file.name);
        let candidates = (0..limits::SAVE_NAMES).map(|n| to.join(names::numbered(&name, n)));
        return into(shelf, file, to, candidates);
    }
    let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("/"));
    if to.symlink_metadata().is_ok() {
        return Err(FileError::Exists);
    }
    into(shelf, file, folder, std::iter::once(to.to_owned()))
}

fn into(
    shelf: &Shelf,
    file: &content::File,
    folder: &Path,
    candidates: impl Iterator<Item = PathBuf>,
) -> Result<PathBuf, FileError> {
    let mut id = [0; 8];
    env::fill(&mut id).map_err(|e| FileError::Save(io::Error::other(e)))?;
    let unfinished = folder.join(format!(".livechat-{}.part", HEXLOWER.encode(&id)));
    let saved = write(shelf, file, &unfinished).and_then(|()| name(&unfinished, candidates));
    // Its name is another one now, or it is of no use.
    match std::fs::remove_file(&unfinished) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => tracing::warn!("an unfinished file was left behind: {e}"),
        _ => {}
    }
    saved
}

fn write(shelf: &Shelf, file: &content::File, path: &Path) -> Result<(), FileError> {
    let out = OpenOptions::new().write(true).create_new(true).open(path).map_err(FileError::Save)?;
    let mut out = BufWriter::new(out);
    shelf.open_each(file, |bytes| out.write_all(bytes).map_err(FileError::Save))?;
    let out = out.into_inner().map_err(|e| FileError::Save(e.into_error()))?;
    out.sync_all().map_err(FileError::Save)
}

/// Gives a file the first of these names that is free.
fn name(path: &Path, candidates: impl Iterator<Item = PathBuf>) -> Result<PathBuf, FileError> {
    for candidate in candidates {
        let named = match std::fs::hard_link(path, &candidate) {
            // A file system without links: the name is taken first, then filled.
            Err(e) if !matches!(e.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {
                let claim = OpenOptions::new().write(true).create_new(true).open(&candidate);
                claim.map(drop).and_then(|()| std::fs::rename(path, &candidate))
            }
            linked => linked,
        };
        match named {
            Ok(()) => {
                if let Some(folder) = candidate.parent() {
                    File::open(folder).and_then(|f| f.sync_all()).map_err(FileError::Save)?;
                }
                return Ok(candidate);
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(FileError::Save(e)),
        }
    }
    Err(FileError::Exists)
}

#[cfg(test)]
mod tests {
    use livechat_wire::BlobId;
    use livechat_wire::content::FileKey;

    use super::*;

    async fn shelved(dir: &Path, name: &str, text: &[u8]) -> (Shelf, content::File) {
        let shelf = Shelf::open(dir, |_| true).unwrap();
        let (blob, key) = (BlobId([1; 32]), FileKey([2; 32]));
        let sealed = shelf.seal(blob, key, &mut &text[..]).await.unwrap();
        let file = content::File {
            name: name.into(),
            media: "a/b".into(),
            size: sealed.size,
            blob,
            key,
            hash: sealed.hash,
            until: 0,
            preview: None,
            voice: None,
            forwarded: false,
            timer: 0,
        };
        (shelf, file)
    }

    fn listing(dir: &Path) -> Vec<String> {
        let names = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn nothing_is_overwritten_and_no_name_leads_anywhere() {
        let (home, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (shelf, file) = shelved(home.path(), "notes.txt", b"hello").await;
        for expected in ["notes.txt", "notes (1).txt", "notes (2).txt"] {
            let saved = save(&shelf, &file, out.path()).unwrap();
            assert_eq!(saved, out.path().join(expected));
            assert_eq!(std::fs::read(saved).unwrap(), b"hello");
        }
        let long = "x".repeat(4_096);
        for evil in ["..", "../../x", ".ssh", "a/b", "CON", "a\0b", "photo\u{202e}gpj.exe", "C:\\x", "", long.as_str()]
        {
            let evil = content::File { name: evil.into(), ..file.clone() };
            let saved = save(&shelf, &evil, out.path()).unwrap();
            assert_eq!(saved.parent(), Some(out.path()), "{}", evil.name);
            let name = saved.file_name().unwrap().to_str().unwrap();
            assert!(!name.starts_with('.') && name != "CON" && name.len() <= 255, "{name}");
            assert!(!name.contains(['\0', '\u{202e}', '\\', ':']), "{name}");
        }
        let before = listing(out.path());
        let there = out.path().join("notes.txt");
        assert!(matches!(save(&shelf, &file, &there), Err(FileError::Exists)));
        std::os::unix::fs::symlink("/nowhere", out.path().join("link")).unwrap();
        assert!(matches!(save(&shelf, &file, &out.path().join("link")), Err(FileError::Exists)));
        assert!(matches!(save(&shelf, &file, &out.path().join("no/such/folder")), Err(FileError::Save(_))));
        assert_eq!(listing(out.path()).len(), before.len() + 1, "no unfinished file is left");
        assert_eq!(save(&shelf, &file, &out.path().join("exactly")).unwrap(), out.path().join("exactly"));
    }

    #[tokio::test]
    async fn what_is_damaged_is_not_saved() {
        let (home, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (shelf, file) = shelved(home.path(), "a", &[7; 200_000]).await;
        let other = content::File { key: FileKey([9; 32]), ..file };
        assert!(matches!(save(&shelf, &other, out.path()), Err(FileError::Foreign(_))));
        assert!(listing(out.path()).is_empty());
    }
}
