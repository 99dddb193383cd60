//! Sealed backups as files: making one part by part, and giving one back.
//!
//! What is in one, and why it brings no key back, is the engine's ([`livechat_engine::backup`]); how it is sealed is
//! crypto's ([`livechat_crypto::backup`]). Here they meet the disk.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;

use data_encoding::BASE32_NOPAD;

use livechat_crypto::backup::{BackupError, CHUNK, HEAD, Opener, Sealer, TAG};
use livechat_engine::backup::{self as engine, Backup, RestoreError};
use livechat_wire::backup::Record;
use livechat_wire::{DecodeError, limits as wire};
use zeroize::Zeroizing;

use crate::api::{BackedUp, Error, ErrorCode, HistorySize, Restored};
use crate::brain::Brain;
use crate::{env, limits};

/// A backup in the making; whoever writes it never holds more than a few chunks.
#[derive(Debug)]
pub(crate) struct Sealing {
    brain: Brain,
    backup: Option<Backup>,
    sealer: Sealer,
    plain: Vec<u8>,
    messages: u64,
}

impl Sealing {
    /// Begins one; gives its head too.
    pub(crate) async fn begin(brain: Brain, secret: Zeroizing<String>) -> Result<(Vec<u8>, Self), Error> {
        check(&secret)?;
        // Stretching the secret takes a moment on purpose; it is nobody else's.
        let begun = tokio::task::spawn_blocking(move || {
            let mut dice = env::dice().map_err(|e| internal(&format!("the system gives no randomness: {e}")))?;
            Sealer::begin(&secret, &mut dice).map_err(|e| internal(&e.to_string()))
        });
        let (head, sealer) = begun.await.map_err(|_| internal("it was interrupted"))??;
        Ok((head, Self { brain, backup: Some(Backup::default()), sealer, plain: Vec::new(), messages: 0 }))
    }

    /// Messages in it so far.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// The next sealed chunk; none behind the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let failed = |e: BackupError| internal(&e.to_string());
        while self.plain.len() <= CHUNK {
            let Some(mut backup) = self.backup.take() else {
                if self.plain.is_empty() {
                    return Ok(None);
                }
                let last = std::mem::take(&mut self.plain);
                return self.sealer.seal(&last, true).map(Some).map_err(failed);
            };
            let now = env::now_ms();
            let (backup, part) = self
                .brain
                .view(move |engine, kv| {
                    let part = backup.next(engine, kv, now)?;
                    Ok((backup, part))
                })
                .await?;
            self.messages = backup.messages();
            if let Some(part) = part {
                for record in part {
                    let bytes = record.encode();
                    let length = u32::try_from(bytes.len()).map_err(|_| internal("a record is too long"))?;
                    self.plain.extend_from_slice(&length.to_be_bytes());
                    self.plain.extend_from_slice(&bytes);
                }
                self.backup = Some(backup);
            }
        }
        // More follows: there is always a last chunk with something in it.
        let rest = self.plain.split_off(CHUNK);
        let chunk = std::mem::replace(&mut self.plain, rest);
        self.sealer.seal(&chunk, false).map(Some).map_err(failed)
    }
}

/// How much a backup would hold.
pub(crate) async fn size(brain: &Brain) -> Result<HistorySize, Error> {
    let (mut backup, mut bytes) = (Backup::default(), 0);
    loop {
        let now = env::now_ms();
        let (so_far, part) = brain
            .view(move |engine, kv| {
                let part = backup.next(engine, kv, now)?;
                Ok((backup, part))
            })
            .await?;
        backup = so_far;
        match part {
            // Four bytes before each record say how long it is.
            Some(part) => bytes += part.iter().map(|record| record.encode().len() as u64 + 4).sum::<u64>(),
            None => return Ok(HistorySize { messages: backup.messages(), bytes }),
        }
    }
}

/// Writes a backup to a file that isn't there before it is whole, and never in the place of another.
pub(crate) async fn write(brain: Brain, path: PathBuf, secret: Option<Zeroizing<String>>) -> Result<BackedUp, Error> {
    let unwritten = |cause: &io::Error| {
        let message = format!("The backup can't be written to {}: {cause}.", path.display());
        Error::new(ErrorCode::StoreFailed, message, "Choose a free place that you may write to.")
    };
    let dir = path.parent().filter(|_| path.is_absolute());
    let Some(dir) = dir else { return Err(Error::bad_request("A backup's path is absolute.")) };
    if path.symlink_metadata().is_ok() {
        return Err(unwritten(&io::ErrorKind::AlreadyExists.into()));
    }
    let made = if secret.is_none() { Some(made_up()?) } else { None };
    let (head, mut sealing) = Sealing::begin(brain, secret.or_else(|| made.clone()).unwrap_or_default()).await?;
    // Beside its place, for its owner alone.
    let mut file = tempfile::NamedTempFile::with_prefix_in(".livechat-", dir).map_err(|e| unwritten(&e))?;
    file.write_all(&head).map_err(|e| unwritten(&e))?;
    while let Some(chunk) = sealing.next().await? {
        file.write_all(&chunk).map_err(|e| unwritten(&e))?;
    }
    let messages = sealing.messages();
    file.as_file().sync_all().map_err(|e| unwritten(&e))?;
    file.persist_noclobber(&path).map_err(|e| unwritten(&e.error))?;
    // The name is as safe as the file only then.
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| unwritten(&e))?;
    Ok(BackedUp { path: path.display().to_string(), secret: made.map(|s| s.to_string()), messages })
}

/// A secret that nobody guesses: 128 bits in letters that are hard to mistake, easy to copy and to read aloud.
fn made_up() -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new([0; 16]);
    env::fill(&mut *bytes).map_err(|e| internal(&format!("the system gives no randomness: {e}")))?;
    let letters = Zeroizing::new(BASE32_NOPAD.encode(&*bytes).to_ascii_lowercase());
    let mut secret = Zeroizing::new(String::with_capacity(32));
    for (n, letter) in letters.chars().enumerate() {
        if n > 0 && n % 5 == 0 {
            secret.push('-');
        }
        secret.push(letter);
    }
    Ok(secret)
}

/// Opens a file to be given back.
pub(crate) fn file(path: &str) -> Result<File, Error> {
    File::open(path).map_err(|e| FileError::Io(e).to_api())
}

/// Gives a backup back.
pub(crate) async fn give_back(
    brain: &Brain,
    file: impl Read + Send + 'static,
    secret: Zeroizing<String>,
) -> Result<Restored, Error> {
    let records = tokio::task::spawn_blocking(move || Records::open(file, &secret)).await;
    let records = records.map_err(|_| internal("it was interrupted"))?.map_err(|e| e.to_api())?;
    let done = brain.restore(records).await?.map_err(|e| refusal(&e))?;
    let engine::Restored { contacts, conversations, messages, left } = done;
    Ok(Restored { contacts, conversations, messages, left })
}

/// Refuses a secret that is quickly guessed.
fn check(secret: &str) -> Result<(), Error> {
    if secret.trim().chars().count() < limits::BACKUP_SECRET {
        let message = format!("The secret of a backup has at least {} characters.", limits::BACKUP_SECRET);
        return Err(Error::new(ErrorCode::BadText, message, "Take several words, or let one be made for you."));
    }
    Ok(())
}

fn internal(cause: &str) -> Error {
    Error::new(ErrorCode::Internal, format!("The backup can't be made: {cause}."), "Try again.")
}

/// Why a file's records can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The disk.
    #[error("the file can't be read: {0}")]
    Io(#[from] io::Error),
    /// The seal.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// What is in it.
    #[error("what is in it isn't understood: {0}")]
    Record(#[from] DecodeError),
}

impl FileError {
    fn to_api(&self) -> Error {
        let (code, hint) = match self {
            Self::Io(_) => (ErrorCode::StoreFailed, "Check the file and the disk it is on."),
            Self::Backup(BackupError::NotABackup) => (ErrorCode::BadRequest, "Choose another file."),
            Self::Backup(BackupError::Newer) => (ErrorCode::BadRequest, "Update this program."),
            Self::Backup(_) => (ErrorCode::Untrusted, "Check the secret; nothing was changed."),
            Self::Record(_) => (ErrorCode::BadRequest, "Update this program; nothing was changed."),
        };
        Error::new(code, format!("The backup can't be opened: {self}."), hint)
    }
}

/// What a refused restoring means to people.
pub(crate) fn refusal(e: &RestoreError<FileError>) -> Error {
    match e {
        RestoreError::NoAccount => {
            Error::new(ErrorCode::WrongState, "Nobody has signed up on this device.", "Sign up or log in first.")
        }
        RestoreError::Source(e) => e.to_api(),
        RestoreError::NotWhole => Error::new(
            ErrorCode::BadRequest,
            "The backup isn't whole. Nothing was changed.",
            "Take another copy of it.",
        ),
        other => Error::new(
            ErrorCode::StoreFailed,
            format!("The backup couldn't be written: {other}. Nothing was changed."),
            "Free some disk space; then try again.",
        ),
    }
}

/// The records of a file, opened chunk by chunk.
pub(crate) struct Records<R> {
    file: BufReader<R>,
    opener: Opener,
    plain: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Records<R> {
    pub(crate) fn open(file: R, secret: &str) -> Result<Self, FileError> {
        let mut file = BufReader::with_capacity(CHUNK + TAG, file);
        let mut head = Vec::new();
        file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let opener = Opener::begin(secret, &head)?;
        Ok(Self { file, opener, plain: Vec::new(), at: 0, ended: false })
    }

    /// The next `n` bytes; none where the file ends before the first of them.
    fn take(&mut self, n: usize) -> Result<Option<&[u8]>, FileError> {
        while self.plain.len() - self.at < n {
            if self.ended {
                let whole = self.plain.len() == self.at;
                return if whole { Ok(None) } else { Err(DecodeError::Truncated.into()) };
            }
            let mut chunk = Vec::new();
            self.file.by_ref().take((CHUNK + TAG) as u64).read_to_end(&mut chunk)?;
            self.ended = self.file.fill_buf()?.is_empty();
            self.plain.drain(..self.at);
            self.at = 0;
            self.plain.extend(self.opener.open(&chunk, self.ended)?);
        }
        self.at += n;
        Ok(Some(&self.plain[self.at - n..self.at]))
    }

    fn record(&mut self) -> Result<Option<Record>, FileError> {
        let Some(length) = self.take(4)? else { return Ok(None) };
        let length = length.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
        if length > wire::BACKUP_RECORD {
            return Err(DecodeError::Bounds("record").into());
        }
        let bytes = self.take(length)?.ok_or(DecodeError::Truncated)?;
        Ok(Some(Record::decode(bytes)?))
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<Record, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.record().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let (mut file, mut sealer) = Sealer::begin("a long secret", &mut env::dice().unwrap()).unwrap();
        let chunks: Vec<_> = plain.chunks(CHUNK).collect();
        for (n, chunk) in chunks.iter().enumerate() {
            file.extend(sealer.seal(chunk, n + 1 == chunks.len()).unwrap());
        }
        file
    }

    #[test]
    fn records_cross_chunks_and_nothing_cut_off_passes_for_an_end() {
        let draft = "x".repeat(30_000);
        let records: Vec<_> =
            (0..9).map(|n| Record::Name { account: livechat_wire::AccountId([n; 32]), name: "n".into() }).collect();
        let long = livechat_wire::backup::Conversation {
            with: livechat_wire::backup::With::Direct(livechat_wire::AccountId([1; 32])),
            accepted: true,
            blocked: false,
            pinned: false,
            archived: false,
            muted_until: 0,
            timer: 0,
            draft,
        };
        let all: Vec<_> = records.into_iter().flat_map(|r| [r, Record::Conversation(Box::new(long.clone()))]).collect();
        let mut plain = Vec::new();
        for record in &all {
            let bytes = record.encode();
            plain.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
            plain.extend(bytes);
        }
        let file = sealed(&plain);
        let read: Result<Vec<_>, _> = Records::open(&file[..], "a long secret").unwrap().collect();
        assert_eq!(read.unwrap(), all);
        for cut in [HEAD, HEAD + 1, HEAD + CHUNK + TAG, file.len() - 1] {
            let read: Result<Vec<_>, _> = Records::open(&file[..cut], "a long secret").unwrap().collect();
            assert!(matches!(read, Err(FileError::Backup(BackupError::Closed))), "cut to {cut}: {read:?}");
        }
        assert!(matches!(
            Records::open(&file[..9], "a long secret").err(),
            Some(FileError::Backup(BackupError::NotABackup))
        ));
        let wrong: Result<Vec<_>, _> = Records::open(&file[..], "another secret").unwrap().collect();
        assert!(matches!(wrong, Err(FileError::Backup(BackupError::Closed))));
        let huge = sealed(&u32::MAX.to_be_bytes());
        let read: Result<Vec<_>, _> = Records::open(&huge[..], "a long secret").unwrap().collect();
        assert!(matches!(read, Err(FileError::Record(DecodeError::Bounds(_)))));
    }
}
