//! Where sealed files lie on this device: `files/` in the data directory, named by their blobs and by nothing else. What
//! is sealed stays sealed here; the keys are in the store, and go with the messages.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use livechat_crypto::file::{Check, OpenFileError, Opener, SealFileError, Sealed, Sealer};
use livechat_wire::content::{self, FileKey};
use livechat_wire::{BlobId, blob, limits as wire};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;

use super::error::FileError;
use crate::limits;

/// Name of the directory.
const DIR: &str = "files";

/// The directory. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shelf(PathBuf);

impl Shelf {
    /// Makes the directory, and removes what is in it that nobody `knows` or that was never finished.
    pub(crate) fn open(data_dir: &Path, knows: impl Fn(BlobId) -> bool) -> io::Result<Self> {
        let dir = data_dir.join(DIR);
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        for entry in std::fs::read_dir(&dir)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            let blob = name.strip_suffix(".part").unwrap_or(name).parse::<BlobId>();
            if !blob.is_ok_and(&knows) {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(Self(dir))
    }

    fn whole(&self, blob: BlobId) -> PathBuf {
        self.0.join(blob.to_string())
    }

    fn part(&self, blob: BlobId) -> PathBuf {
        self.0.join(format!("{blob}.part"))
    }

    /// Whether all of a blob is here.
    pub(super) fn has(&self, blob: BlobId) -> bool {
        self.whole(blob).exists()
    }

    /// Deletes whatever is here of a blob.
    pub(super) fn drop_blob(&self, blob: BlobId) -> io::Result<()> {
        for path in [self.whole(blob), self.part(blob)] {
            match std::fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes everything.
    pub(super) fn clear(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.0)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(())
    }

    /// A blob under another id too.
    pub(super) fn also_as(&self, blob: BlobId, id: BlobId) -> io::Result<()> {
        std::fs::hard_link(self.whole(blob), self.whole(id))?;
        self.settle()
    }

    /// Seals what a reader gives under a fresh key. It is here, whole and on disk, when this returns; a reader that fails
    /// leaves nothing.
    pub(super) async fn seal(
        &self,
        blob: BlobId,
        key: FileKey,
        reader: &mut (impl AsyncRead + Unpin),
    ) -> Result<Sealed, FileError> {
        let (pieces, taken) = mpsc::channel(limits::FILE_PIECES);
        let shelf = self.clone();
        let writer = tokio::task::spawn_blocking(move || {
            let sealed = shelf.write_sealed(blob, &key, taken);
            if sealed.is_err() {
                // Nobody would find it.
                std::fs::remove_file(shelf.part(blob)).unwrap_or_default();
            }
            sealed
        });
        let read = async {
            loop {
                let mut piece = vec![0; wire::BLOB_CHUNK];
                match reader.read(&mut piece).await {
                    Ok(0) => return pieces.send(Ok(Vec::new())).await,
                    Ok(n) => {
                        piece.truncate(n);
                        pieces.send(Ok(piece)).await?;
                    }
                    Err(e) => return pieces.send(Err(e)).await,
                }
            }
        };
        // When the writer ends early, its error is the one that counts.
        let sent = read.await;
        let sealed = writer.await.map_err(|_| FileError::Ended)?;
        sealed.and_then(|sealed| sent.map(|()| sealed).map_err(|_| FileError::Ended))
    }

    fn write_sealed(
        &self,
        blob: BlobId,
        key: &FileKey,
        mut pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    ) -> Result<Sealed, FileError> {
        let mut file = create(&self.part(blob)).map_err(FileError::Shelf)?;
        let mut write = |chunk: &[u8]| file.write_all(chunk).map_err(FileError::Shelf);
        let mut sealer = Sealer::new(key);
        loop {
            let piece = pieces.blocking_recv().ok_or(FileError::Ended)?.map_err(FileError::Read)?;
            if piece.is_empty() {
                break;
            }
            sealer.push(&piece, &mut write)?;
        }
        let sealed = sealer.finish(&mut write)?;
        file.sync_all().map_err(FileError::Shelf)?;
        self.complete(blob).map_err(FileError::Shelf)?;
        Ok(sealed)
    }

    /// What was written in parts becomes whole.
    fn complete(&self, blob: BlobId) -> io::Result<()> {
        std::fs::rename(self.part(blob), self.whole(blob))?;
        self.settle()
    }

    fn settle(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// A part of a whole blob, to be sent.
    pub(super) fn read_part(&self, blob: BlobId, size: u64, index: u32) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.whole(blob))?;
        file.seek(SeekFrom::Start(u64::from(index) * wire::BLOB_PART as u64))?;
        let mut bytes = vec![0; blob::part_len(size, index)];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// How many parts of a blob are here of those that are being fetched; what was half written is cut off.
    pub(super) fn fetched(&self, blob: BlobId) -> io::Result<u32> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.part(blob))?;
        let parts = file.metadata()?.len() / wire::BLOB_PART as u64;
        file.set_len(parts * wire::BLOB_PART as u64)?;
        Ok(u32::try_from(parts).unwrap_or(u32::MAX))
    }

    /// Takes a part that was fetched: only what opens where it belongs.
    pub(super) fn write_part(&self, file: &content::File, index: u32, bytes: &[u8]) -> Result<(), FileError> {
        let size = blob::sealed(file.size);
        if bytes.len() != blob::part_len(size, index) {
            return Err(FileError::Foreign(OpenFileError::Content));
        }
        let opener = Opener::new(file);
        let first = index * (wire::BLOB_PART / wire::BLOB_CHUNK) as u32;
        for (index, chunk) in (first..).zip(bytes.chunks(wire::BLOB_CHUNK)) {
            opener.open(index, &mut chunk.to_vec()).map_err(FileError::Foreign)?;
        }
        let mut part = OpenOptions::new().append(true).open(self.part(file.blob)).map_err(FileError::Shelf)?;
        part.write_all(bytes).map_err(FileError::Shelf)
    }

    /// Checks what was fetched as a whole, and keeps it.
    pub(super) fn finish(&self, file: &content::File) -> Result<(), FileError> {
        let path = self.part(file.blob);
        let mut check = Check::default();
        open_chunks(&path, file, |bytes| {
            check.see(bytes);
            Ok(())
        })?;
        check.finish(&Opener::new(file)).map_err(FileError::Foreign)?;
        File::open(&path).and_then(|f| f.sync_all()).map_err(FileError::Shelf)?;
        self.complete(file.blob).map_err(FileError::Shelf)
    }

    /// Opens a whole blob, chunk by chunk.
    pub(super) fn open_each(
        &self,
        file: &content::File,
        each: impl FnMut(&[u8]) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        open_chunks(&self.whole(file.blob), file, each)
    }
}

fn open_chunks(
    path: &Path,
    file: &content::File,
    mut each: impl FnMut(&[u8]) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let mut sealed = File::open(path).map_err(FileError::Shelf)?;
    let opener = Opener::new(file);
    for index in 0..opener.chunks() {
        let mut chunk = Vec::with_capacity(wire::BLOB_CHUNK);
        let read = (&mut sealed).take(wire::BLOB_CHUNK as u64).read_to_end(&mut chunk);
        read.map_err(FileError::Shelf)?;
        opener.open(index, &mut chunk).map_err(FileError::Foreign)?;
        if !chunk.is_empty() {
            each(&chunk)?;
        }
    }
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

impl From<SealFileError> for FileError {
    fn from(_: SealFileError) -> Self {
        Self::TooLarge
    }
}

#[cfg(test)]
mod tests {
    use livechat_wire::http::Bytes;

    use super::*;

    const KEY: FileKey = FileKey([7; 32]);

    fn message(sealed: Sealed, blob: BlobId) -> content::File {
        content::File {
            name: "x".into(),
            media: "a/b".into(),
            size: sealed.size,
            blob,
            key: KEY,
            hash: sealed.hash,
            until: 0,
            preview: None,
            voice: None,
            forwarded: false,
            timer: 0,
        }
    }

    fn plain(n: usize) -> Vec<u8> {
        (0..n).map(|i| (i * 31 / 7) as u8).collect()
    }

    #[tokio::test]
    async fn what_is_sealed_here_is_fetched_there() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (here, there) = (Shelf::open(a.path(), |_| true).unwrap(), Shelf::open(b.path(), |_| true).unwrap());
        let (blob, bytes) = (BlobId([1; 32]), plain(700_000));
        let sealed = here.seal(blob, KEY, &mut &bytes[..]).await.unwrap();
        let file = message(sealed, blob);
        let size = blob::sealed(file.size);
        assert!(here.has(blob) && !there.has(blob));
        for index in 0..blob::parts(size) {
            let part = here.read_part(blob, size, index).unwrap();
            assert_eq!(there.fetched(blob).unwrap(), index);
            assert!(matches!(there.write_part(&file, index + 1, &part), Err(FileError::Foreign(_))), "not its place");
            let mut turned = part.clone();
            turned[9] ^= 1;
            assert!(matches!(there.write_part(&file, index, &turned), Err(FileError::Foreign(_))));
            there.write_part(&file, index, &part).unwrap();
            // A write that was cut off by the end of the process is done again.
            let torn = OpenOptions::new().append(true).open(there.part(blob)).unwrap();
            if index + 1 < blob::parts(size) {
                (&torn).write_all(b"torn").unwrap();
            }
        }
        there.finish(&file).unwrap();
        let mut got = Vec::new();
        let each = |bytes: &[u8]| {
            got.extend_from_slice(bytes);
            Ok(())
        };
        there.open_each(&file, each).unwrap();
        assert!(got == bytes);
        let on_disk = std::fs::read(there.whole(blob)).unwrap();
        assert!(!on_disk.windows(16).any(|w| w == &bytes[..16]), "nothing plain");
        assert_eq!(Bytes(on_disk).0.len() as u64, size);
    }

    #[tokio::test]
    async fn what_nobody_knows_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path(), |_| true).unwrap();
        for n in 1..=3 {
            shelf.seal(BlobId([n; 32]), KEY, &mut &plain(9)[..]).await.unwrap();
        }
        shelf.fetched(BlobId([4; 32])).unwrap();
        shelf.fetched(BlobId([5; 32])).unwrap();
        std::fs::write(dir.path().join("files/else"), "?").unwrap();
        let shelf = Shelf::open(dir.path(), |b| [2, 4].contains(&b.0[0])).unwrap();
        let mut left: Vec<_> =
            std::fs::read_dir(&shelf.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [BlobId([2; 32]).to_string(), format!("{}.part", BlobId([4; 32]))]);
        shelf.clear().unwrap();
        assert_eq!(std::fs::read_dir(&shelf.0).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_reader_that_fails_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path(), |_| true).unwrap();
        let (reader, writer) = tokio::io::duplex(1_000);
        drop(writer);
        let mut broken = tokio_test_reader(reader);
        let failed = shelf.seal(BlobId([1; 32]), KEY, &mut broken).await;
        assert!(matches!(failed, Err(FileError::Read(_))), "{failed:?}");
        assert_eq!(std::fs::read_dir(&shelf.0).unwrap().count(), 0);
    }

    /// Reads to the end, then says that the line broke.
    fn tokio_test_reader(inner: tokio::io::DuplexStream) -> impl AsyncRead + Unpin {
        struct Breaks(tokio::io::DuplexStream);
        impl AsyncRead for Breaks {
            fn poll_read(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &mut tokio::io::ReadBuf<'_>,
            ) -> std::task::Poll<io::Result<()>> {
                let before = buf.filled().len();
                let read = std::pin::Pin::new(&mut self.0).poll_read(cx, buf);
                if matches!(read, std::task::Poll::Ready(Ok(()))) && buf.filled().len() == before {
                    return std::task::Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                read
            }
        }
        Breaks(inner)
    }
}
