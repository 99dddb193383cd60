//! From a path or a stream onto the shelf.

use livechat_crypto::file;
use livechat_wire::content;
use livechat_wire::http::Bytes;
use livechat_wire::{BlobId, ConversationId, MessageId, blob, limits as wire};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::error::FileError;
use super::image::{self, Clean, ImageError};
use super::job::{Job, Way};
use super::{Files, absolute, names, on_disk, sound, too_large};
use crate::api::{Error, ErrorCode, Transfer, Voice};
use crate::{env, limits};

/// A file to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Where to.
    pub conversation: ConversationId,
    /// The id of the message it becomes: sending twice under one is sending once. Random when absent.
    pub id: Option<MessageId>,
    /// What it is called; of a path the last part counts.
    pub name: String,
    /// What it is, if that is known.
    pub media: Option<String>,
    /// Don't touch the bytes, even of images: everything that is stored in it goes along.
    pub as_is: bool,
    /// It was recorded to be heard. Refused when it isn't sound of a kind that others play.
    pub voice: Option<Voice>,
}

impl Files {
    /// Takes a file of this machine.
    pub(crate) async fn send_path(&self, new: NewFile, path: &str) -> Result<Transfer, Error> {
        let path = absolute(path)?;
        let mut file = tokio::fs::File::open(path).await.map_err(FileError::Read)?;
        let about = file.metadata().await.map_err(FileError::Read)?;
        if !about.is_file() {
            return Err(FileError::NotAFile.into());
        }
        self.send(new, &mut file, Some(about.len())).await
    }

    /// Takes what a reader gives, `size` bytes if that is known. It is on this device and goes on by itself when this
    /// returns.
    pub(crate) async fn send(
        &self,
        new: NewFile,
        reader: &mut (impl AsyncRead + Unpin + Send),
        size: Option<u64>,
    ) -> Result<Transfer, Error> {
        self.may_send(new.conversation, size).await?;
        let mut random = [0; 32];
        let mut dice = env::dice().map_err(|_| no_dice())?;
        env::fill(&mut random).map_err(|_| no_dice())?;
        let (blob, key) = (BlobId(random), file::draw_key(&mut dice));
        let name = names::display(&new.name);
        let mut head = Vec::with_capacity(64);
        (&mut *reader).take(64).read_to_end(&mut head).await.map_err(FileError::Read)?;
        let mut media = names::media(new.media.as_deref(), &name);
        let mut preview = None;
        if let Some(voice) = &new.voice {
            let Voice { millis, levels } = voice.clone();
            let heard = sound::kind(&head).filter(|_| content::Voice { millis, levels }.is_sound());
            media = heard.ok_or(FileError::NoVoice)?.to_owned();
        }
        let sealed = if image::kind(&head).is_some() && !new.as_is {
            let clean = self.clean(head, reader).await?;
            media = clean.media.to_owned();
            preview = clean.preview;
            self.0.shelf.seal(blob, key, &mut &clean.bytes[..]).await?
        } else {
            self.0.shelf.seal(blob, key, &mut (&head[..]).chain(reader)).await?
        };
        let message = match new.id {
            Some(id) => id,
            None => {
                let mut id = [0; 16];
                env::fill(&mut id).map_err(|_| no_dice())?;
                MessageId(id)
            }
        };
        let way = Way::Up {
            media,
            key: Bytes(key.0.to_vec()),
            hash: Bytes(sealed.hash.to_vec()),
            preview: preview.map(Bytes),
            voice: new.voice,
        };
        let job = Job { conversation: new.conversation, message, name, size: sealed.size, blob, way };
        if self.running().get(&job.id()).is_some_and(|r| r.ended.borrow().is_none()) {
            // Said twice: the first one goes on.
            self.drop_blob(blob);
            return Ok(self.start(job).0);
        }
        let kept = job.clone();
        if let Err(e) = self.0.brain.write(move |kv| kept.save(kv)).await {
            self.drop_blob(blob);
            return Err(e);
        }
        Ok(self.start(job).0)
    }

    /// What can be said before anything is read.
    async fn may_send(&self, conversation: ConversationId, size: Option<u64>) -> Result<(), Error> {
        let Some(token) = self.0.session.borrow().clone() else {
            let hint = "Log in with a code of the authenticator.";
            return Err(Error::new(ErrorCode::WrongState, "Nobody is logged in.", hint));
        };
        if self.running().len() >= limits::TRANSFERS_LISTED {
            let hint = "Wait until some of them have arrived, or stop some.";
            return Err(Error::new(ErrorCode::TooManyRequests, "Too many files are on their way.", hint));
        }
        let known = self.0.brain.view(move |engine, kv| engine.history(kv, conversation, None, 1)).await?;
        if known.is_none() {
            return Err(Error::new(ErrorCode::NotFound, "There is no such conversation.", "Add the contact first."));
        }
        let size = size.unwrap_or(0);
        if size > wire::FILE {
            return Err(FileError::TooLarge.into());
        }
        // A relay that is away says nothing; the file waits for it.
        if let Ok(space) = self.0.relay.blob_space(&token).await {
            let needed = blob::sealed(size);
            if needed > space.largest {
                return Err(too_large());
            }
            if space.used.saturating_add(needed) > space.quota {
                let left = space.quota.saturating_sub(space.used) >> 20;
                let message = format!("Your share of the relay's room for files is used up: {left} MiB are left.");
                let hint = "Delete files that you have sent for everyone, or wait until they expire.";
                return Err(Error::new(ErrorCode::QuotaExceeded, message, hint));
            }
        }
        Ok(())
    }

    async fn clean(&self, head: Vec<u8>, reader: &mut (impl AsyncRead + Unpin)) -> Result<Clean, FileError> {
        let Ok(_turn) = self.0.cleaning.acquire().await else { return Err(FileError::Ended) };
        let mut bytes = head;
        let room = limits::IMAGE_BYTES.saturating_sub(bytes.len() as u64) + 1;
        (&mut *reader).take(room).read_to_end(&mut bytes).await.map_err(FileError::Read)?;
        if bytes.len() as u64 > limits::IMAGE_BYTES {
            return Err(ImageError::TooLarge.into());
        }
        on_disk(move || Ok(image::clean(&bytes)?)).await
    }
}

fn no_dice() -> Error {
    Error::new(ErrorCode::Internal, "The system gives no randomness.", "Try again; restart the machine if it stays.")
}

impl std::fmt::Debug for NewFile {
    /// Names of files are what people say to each other.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewFile")
            .field("conversation", &self.conversation)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
