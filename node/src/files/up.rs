//! To the relay, part by part, then into a message.

use livechat_engine::{Command, CommandError};
use livechat_wire::http::{BlobState, ProblemCode, SecretText};
use livechat_wire::{BlobId, blob, limits as wire};

use super::error::FileError;
use super::job::Job;
use super::{Files, Halt, PathBuf, on_disk};
use crate::api::Error;
use crate::driver::refusals;
use crate::env;

impl Files {
    /// Goes on from what the relay has. `None`: the file is nowhere but in its message.
    pub(super) async fn up(&self, job: &mut Job, token: &SecretText) -> Result<Option<PathBuf>, Halt> {
        let size = blob::sealed(job.size);
        let mut serves = None;
        if let Some(secret) = job.secret().filter(|_| !job.offered && self.goes_directly()) {
            let (still, all) = self.offer(job, secret).await?;
            if all {
                return Ok(None);
            }
            serves = Some(still);
            job.offered = true;
            self.change(job.id(), |view| view.direct = false);
        }
        let begun = match self.0.relay.begin_blob(token, job.blob, size).await {
            // Begun long ago and over, or somebody else's: another id is as good.
            Err(e) if e.problem() == Some(ProblemCode::BadRequest) => {
                self.take_another_id(job).await?;
                self.0.relay.begin_blob(token, job.blob, size).await?
            }
            begun => begun?,
        };
        let id = job.id();
        let told = |done| self.change(id, |view| view.done = done);
        let state = self.put_parts(token, job.blob, size, begun, told).await?;
        drop(serves);
        let file = job.file(state.until).ok_or_else(|| Halt::For(Error::bad_request("The transfer is damaged.")))?;
        let command = Command::SendFile { conversation: job.conversation, file: Box::new(file), id: job.message };
        // A store that fails now may work later; the file waits at the relay.
        let sent = self.0.brain.command(command).await.map_err(|e| Halt::Until(e.message))?;
        match sent {
            Ok(_) => Ok(None),
            Err(CommandError::QueueFull) => Err(Halt::Until("Too many messages wait for the relay already.".into())),
            Err(e) => {
                self.take_back(job.blob);
                Err(Halt::For(refusals::of_command(e)))
            }
        }
    }

    /// Brings what the relay hasn't got of a blob on the shelf; tells how many bytes it has.
    pub(super) async fn put_parts(
        &self,
        token: &SecretText,
        blob: BlobId,
        size: u64,
        mut state: BlobState,
        told: impl Fn(u64),
    ) -> Result<BlobState, Halt> {
        while state.parts < blob::parts(size) {
            told(u64::from(state.parts) * wire::BLOB_PART as u64);
            let (shelf, part) = (self.0.shelf.clone(), state.parts);
            let read = move || shelf.read_part(blob, size, part).map_err(FileError::Shelf);
            let bytes = on_disk(read).await.map_err(|e| Halt::For(e.into()))?;
            state = match self.0.relay.put_blob(token, blob, part, bytes).await {
                Err(e) if e.problem() == Some(ProblemCode::NotFound) => {
                    return Err(Halt::Until("The relay has forgotten what it had of the file.".into()));
                }
                put => put?,
            };
        }
        if state.whole {
            return Ok(state);
        }
        Err(Halt::Until("The relay doesn't say that it has the whole file.".into()))
    }

    async fn take_another_id(&self, job: &mut Job) -> Result<(), Halt> {
        let mut id = [0; 32];
        env::fill(&mut id).map_err(|_| Halt::Until("The system gives no randomness.".into()))?;
        let (shelf, from, to) = (self.0.shelf.clone(), job.blob, BlobId(id));
        let link = move || shelf.also_as(from, to).map_err(FileError::Shelf);
        on_disk(link).await.map_err(|e| Halt::Until(e.to_string()))?;
        job.blob = to;
        let kept = job.clone();
        self.0.brain.write(move |kv| kept.save(kv)).await.map_err(|e| Halt::Until(e.message))?;
        if let Some(running) = self.running().get_mut(&job.id()) {
            running.job.blob = to;
        }
        if let Err(e) = self.0.shelf.drop_blob(from) {
            tracing::debug!("a sealed file's former name stays until the next start: {e}");
        }
        Ok(())
    }
}
