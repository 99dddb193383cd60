//! Files and folders that the person asked for: whole or not there at all, and never in the place of another.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::exit::{Exit, Failure};

/// Names tried when the one proposed is taken.
const TRIES: u32 = 1_000;

/// Where something is to go.
#[derive(Debug)]
pub struct Place {
    wanted: PathBuf,
    /// Whether another name will do.
    free: bool,
}

impl Place {
    /// At `path`, which must be free.
    ///
    /// # Errors
    /// Something is there.
    pub fn at(path: &Path) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            return Err(taken(path));
        }
        Ok(Self { wanted: path.into(), free: false })
    }

    /// Called `name`, or nearly so, in the current directory.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { wanted: name.into(), free: true }
    }

    fn dir(&self) -> &Path {
        parent(&self.wanted)
    }

    /// The names to try, one after the other.
    fn candidates(&self) -> impl Iterator<Item = PathBuf> {
        let others = (2..=TRIES).take_while(|_| self.free).map(|n| numbered(&self.wanted, n));
        std::iter::once(self.wanted.clone()).chain(others)
    }

    fn cant_begin(&self, e: &io::Error) -> Failure {
        Failure::io(&format!("write to {}", self.dir().display()), e)
    }

    fn failed(&self, e: &io::Error) -> Failure {
        Failure::io(&format!("write {}", self.wanted.display()), e)
    }

    /// What was put at `path` is safe only when its name is.
    fn settle(&self, path: PathBuf) -> Result<PathBuf, Failure> {
        File::open(parent(&path)).and_then(|d| d.sync_all()).map_err(|e| self.failed(&e))?;
        Ok(path)
    }
}

/// A file that isn't there before it is whole; dropped without [`Saving::finish`] it never was.
#[derive(Debug)]
pub struct Saving {
    file: BufWriter<NamedTempFile>,
    place: Place,
}

impl Saving {
    /// Begins a file.
    ///
    /// # Errors
    /// The directory can't be written to.
    pub fn begin(place: Place) -> Result<Self, Failure> {
        // Beside its place, so that it gets there by a rename; for its owner alone.
        let file = NamedTempFile::with_prefix_in(".livechat-", place.dir()).map_err(|e| place.cant_begin(&e))?;
        Ok(Self { file: BufWriter::new(file), place })
    }

    /// Adds to it.
    ///
    /// # Errors
    /// The disk is full or failing.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|e| self.place.failed(&e))
    }

    /// Puts it, safe on disk, into its place; returns where that is.
    ///
    /// # Errors
    /// The disk is full or failing, or somebody else took the place meanwhile.
    pub fn finish(self) -> Result<PathBuf, Failure> {
        let Self { file, place } = self;
        let mut file = file.into_inner().map_err(|e| place.failed(e.error()))?;
        file.as_file().sync_all().map_err(|e| place.failed(&e))?;
        for path in place.candidates() {
            match file.persist_noclobber(&path) {
                Ok(_) => return place.settle(path),
                Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => file = e.file,
                Err(e) => return Err(place.failed(&e.error)),
            }
        }
        Err(taken(&place.wanted))
    }
}

/// A folder that isn't there before all in it is; dropped without [`Folder::finish`] it never was.
#[derive(Debug)]
pub struct Folder {
    dir: TempDir,
    place: Place,
}

impl Folder {
    /// Begins a folder.
    ///
    /// # Errors
    /// The directory can't be written to.
    pub fn begin(place: Place) -> Result<Self, Failure> {
        // The node that writes into it may have been started elsewhere.
        let at = place.dir().canonicalize().map_err(|e| place.cant_begin(&e))?;
        let dir = Builder::new().prefix(".livechat-").permissions(Permissions::from_mode(0o700)).tempdir_in(at);
        Ok(Self { dir: dir.map_err(|e| place.cant_begin(&e))?, place })
    }

    /// Where it is meanwhile.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Makes a folder in it.
    ///
    /// # Errors
    /// The disk is full or failing.
    pub fn inner(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.dir.path().join(name);
        std::fs::create_dir(&path).map_err(|e| self.place.failed(&e))?;
        Ok(path)
    }

    /// Puts it into its place; returns where that is. What is in it is safe on disk already, each file by itself.
    ///
    /// # Errors
    /// The disk is failing, or somebody else took the place meanwhile.
    pub fn finish(self) -> Result<PathBuf, Failure> {
        let Self { dir, place } = self;
        File::open(dir.path()).and_then(|d| d.sync_all()).map_err(|e| place.failed(&e))?;
        // A rename takes the place of a folder with nothing in it, and of nothing else.
        let Some(path) = place.candidates().find(|p| p.symlink_metadata().is_err()) else {
            return Err(taken(&place.wanted));
        };
        std::fs::rename(dir.path(), &path).map_err(|e| place.failed(&e))?;
        place.settle(path)
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn taken(path: &Path) -> Failure {
    Failure::new(Exit::Failure, format!("{} is there already.", path.display()), "Choose another name.")
}

/// `a/b.md` with a number: `a/b-2.md`.
fn numbered(path: &Path, n: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{n}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A place that nobody has looked at yet.
    fn meant(path: &Path, free: bool) -> Place {
        Place { wanted: path.into(), free }
    }

    #[test]
    fn files_are_whole_and_take_no_others_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("copy.md");
        let mut dropped = Saving::begin(Place::at(&path).unwrap()).unwrap();
        dropped.write(b"half").unwrap();
        drop(dropped);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "what isn't whole isn't there");

        let mut saving = Saving::begin(Place::at(&path).unwrap()).unwrap();
        saving.write(b"whole").unwrap();
        assert!(!path.exists());
        assert_eq!(saving.finish().unwrap(), path);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        assert_eq!(Place::at(&path).unwrap_err().code, Exit::Failure);
        let late = Saving::begin(meant(&path, false)).unwrap();
        assert!(late.finish().unwrap_err().message.contains("is there already"));
        let other = Saving::begin(meant(&path, true)).unwrap().finish().unwrap();
        assert_eq!(other, dir.path().join("copy-2.md"));
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn folders_are_whole_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("copy");
        let dropped = Folder::begin(Place::at(&path).unwrap()).unwrap();
        fs::write(dropped.inner("files").unwrap().join("a"), "half").unwrap();
        drop(dropped);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "what isn't whole isn't there");

        let folder = Folder::begin(Place::at(&path).unwrap()).unwrap();
        fs::write(folder.inner("files").unwrap().join("a"), "whole").unwrap();
        assert!(!path.exists());
        assert_eq!(folder.finish().unwrap(), path);
        assert_eq!(fs::read(path.join("files/a")).unwrap(), b"whole");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(Place::at(&path).unwrap_err().message.contains("is there already"));
        assert!(Folder::begin(meant(&path, false)).unwrap().finish().is_err());
        assert_eq!(Folder::begin(meant(&path, true)).unwrap().finish().unwrap(), dir.path().join("copy-2"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("copy.md");
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &link).unwrap();
        assert!(Place::at(&link).is_err());
        assert!(Saving::begin(meant(&link, false)).unwrap().finish().is_err());
    }
}
