//! From the relay to the shelf, part by part.

use std::path::PathBuf;

use livechat_crypto::file::OpenFileError;
use livechat_engine::Command;
use livechat_wire::content::{File, Offer};
use livechat_wire::http::ProblemCode;
use livechat_wire::{ConversationId, blob, limits as wire};

use super::error::FileError;
use super::job::{Job, Way};
use super::{Ended, Files, Halt, on_disk, save};
use crate::api::{Error, Transfer};
use crate::relay::AskError;

impl Files {
    /// Fetches the file of a message.
    pub(crate) async fn fetch(&self, conversation: ConversationId, position: u64) -> Result<Transfer, Error> {
        self.begin_fetch(conversation, position, None).await.map(|(transfer, _)| transfer)
    }

    /// Saves the file of a message; fetches it first, if need be. Returns where it is.
    pub(crate) async fn save(&self, conversation: ConversationId, position: u64, to: &str) -> Result<PathBuf, Error> {
        let to = super::absolute(to)?.to_owned();
        let file = self.file_of(conversation, position).await?.file;
        loop {
            if self.0.shelf.has(file.blob) {
                return self.save_here(file, to).await.map_err(Error::from);
            }
            let (_, ended) = self.begin_fetch(conversation, position, Some(to.clone())).await?;
            match ended.await? {
                Some(path) => return Ok(path),
                // Somebody had begun to fetch it without saying where to.
                None => continue,
            }
        }
    }

    async fn save_here(&self, file: File, to: PathBuf) -> Result<PathBuf, FileError> {
        let shelf = self.0.shelf.clone();
        on_disk(move || save::save(&shelf, &file, &to)).await
    }

    async fn begin_fetch(
        &self,
        conversation: ConversationId,
        position: u64,
        to: Option<PathBuf>,
    ) -> Result<(Transfer, impl Future<Output = Ended> + Send + use<>), Error> {
        let of = self.file_of(conversation, position).await?;
        let job = Job {
            conversation,
            message: of.message.id,
            name: of.file.name,
            size: of.file.size,
            blob: of.file.blob,
            way: Way::Down { position, to },
            offered: false,
        };
        let id = job.id();
        let under_way = self.running().get(&id).is_some_and(|r| r.ended.borrow().is_none());
        if !under_way {
            let kept = job.clone();
            self.0.brain.write(move |kv| kept.save(kv)).await?;
        }
        let (transfer, mut ended) = self.start(job);
        let ended = async move {
            match ended.wait_for(Option::is_some).await {
                Ok(ended) => ended.clone().unwrap_or(Ok(None)),
                Err(_cancelled) => {
                    Err(Error::new(crate::api::ErrorCode::NotFound, "Fetching the file was stopped.", ""))
                }
            }
        };
        Ok((transfer, ended))
    }

    /// Goes on from what is on the shelf.
    pub(super) async fn down(&self, job: &Job) -> Result<Option<PathBuf>, Halt> {
        let Way::Down { position, to } = &job.way else { return Ok(None) };
        let of = self.file_of(job.conversation, *position).await.map_err(Halt::For)?;
        let file = of.file;
        if !self.0.shelf.has(file.blob) {
            let id = job.id();
            let told = |done, direct| self.change(id, |view| (view.done, view.direct) = (done, direct));
            self.fetch_parts(&file, told).await?;
        }
        let note = Command::NoteFile { blob: file.blob, here: true };
        // An answer about a file that nobody speaks of any more drops it again.
        drop(self.0.brain.command(note).await.map_err(|e| Halt::Until(e.message))?);
        match to {
            Some(to) => self.save_here(file, to.clone()).await.map(Some).map_err(|e| Halt::For(e.into())),
            None => Ok(None),
        }
    }

    /// Fetches what isn't on the shelf; tells how many bytes are, and whether the next ones come directly.
    pub(super) async fn fetch_parts(&self, file: &File, told: impl Fn(u64, bool)) -> Result<(), Halt> {
        let size = blob::sealed(file.size);
        let (shelf, blob) = (self.0.shelf.clone(), file.blob);
        let mut next = self.here(file, move |_| shelf.fetched(blob).map_err(FileError::Shelf)).await?;
        let mut offer = self.offer_of(file).await;
        while next < blob::parts(size) {
            told(u64::from(next) * wire::BLOB_PART as u64, offer.is_some());
            if let Some(from) = &offer {
                if self.take_directly(file, from, next).await? {
                    next += 1;
                } else {
                    // What it gives can't be trusted, or it gives nothing: the relay has the rest.
                    offer = None;
                }
                continue;
            }
            let bytes = self.0.relay.blob_part(blob, next).await.map_err(|e| not_yet(file, e))?;
            let (shelf, part) = (self.0.shelf.clone(), next);
            self.here(file, move |file| shelf.write_part(file, part, &bytes)).await?;
            next += 1;
        }
        let shelf = self.0.shelf.clone();
        self.here(file, move |file| shelf.finish(file)).await?;
        if let Some(from) = offer {
            self.has_all(&from).await;
        }
        Ok(())
    }

    /// Takes a part from whoever sent the file; `false`: it isn't to be had there. Nothing that it gives harms what is
    /// here already.
    async fn take_directly(&self, file: &File, from: &Offer, part: u32) -> Result<bool, Halt> {
        let Some(bytes) = self.part_of(from, part).await else { return Ok(false) };
        let (shelf, of) = (self.0.shelf.clone(), file.clone());
        match on_disk(move || shelf.write_part(&of, part, &bytes)).await {
            Ok(()) => Ok(true),
            Err(FileError::Foreign(_)) => Ok(false),
            Err(e) => Err(Halt::Until(Error::from(e).message)),
        }
    }

    /// Works on the shelf; what isn't the promised file is dropped.
    async fn here<T: Send + 'static>(
        &self,
        file: &File,
        work: impl FnOnce(&File) -> Result<T, FileError> + Send + 'static,
    ) -> Result<T, Halt> {
        let of = file.clone();
        match on_disk(move || work(&of)).await {
            Ok(done) => Ok(done),
            // The disk is full or fails: what is here stays, and the rest comes when there is room.
            Err(e @ FileError::Shelf(_)) => Err(Halt::Until(Error::from(e).message)),
            Err(e) => {
                if let Err(e) = self.0.shelf.drop_blob(file.blob) {
                    tracing::debug!("what isn't the file couldn't be deleted yet: {e}");
                }
                if matches!(e, FileError::Foreign(OpenFileError::Content | OpenFileError::Chunk(_))) {
                    tracing::warn!("a fetched file isn't the one that was sent");
                }
                Err(Halt::For(e.into()))
            }
        }
    }
}

/// A file that was offered directly is brought to the relay when nobody came for it.
fn not_yet(file: &File, e: AskError) -> Halt {
    if file.until == 0 && e.problem() == Some(ProblemCode::NotFound) {
        return Halt::Until("Whoever sent it can't be reached directly, and the relay doesn't have it yet.".into());
    }
    e.into()
}
