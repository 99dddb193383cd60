//! The new device's part: fetch, check, give back, tell the relay that it may drop it.

use data_encoding::HEXLOWER;
use livechat_engine::{Command, Left};
use livechat_wire::{blob, content};
use zeroize::Zeroizing;

use super::super::error::FileError;
use super::super::{Files, Halt, on_disk};
use crate::api::{Error, ErrorCode, HandoverStep, TransferState};
use crate::backup;
use crate::driver::backoff::Backoff;
use crate::limits;

impl Files {
    /// Another device left contacts and history for this one.
    pub(crate) fn handed_over(&self) {
        let files = self.clone();
        self.start_handover(None, async move { files.take_until_done().await });
    }

    async fn take_until_done(&self) -> Result<(), Error> {
        let mut pause = Backoff::new(limits::TRANSFER_RETRY_FIRST, limits::TRANSFER_RETRY_MAX);
        loop {
            match self.try_to_take().await {
                Ok(false) => return Ok(()),
                // Told of another one meanwhile.
                Ok(true) => {}
                Err(halt) => self.after_halt(None, halt, &mut pause).await?,
            }
        }
    }

    /// Takes what there is. Whether something was.
    async fn try_to_take(&self) -> Result<bool, Halt> {
        let Some(left) = self.left_here().await? else { return Ok(false) };
        let file = as_file(&left);
        self.carries(None, left.blob);
        let total = blob::sealed(left.size);
        self.moves(None, |v| (v.step, v.state, v.total) = (HandoverStep::Moving, TransferState::Running, total));
        if !self.0.shelf.has(left.blob) {
            let Ok(_place) = self.0.places.acquire().await else { return Err(Halt::For(Error::stopped())) };
            self.fetch_parts(&file, |done, _| self.moves(None, |v| v.done = done)).await.map_err(gone)?;
        }
        self.moves(None, |v| (v.step, v.done) = (HandoverStep::Restoring, v.total));
        let shelf = self.0.shelf.clone();
        let plain = on_disk(move || shelf.reader(&file).map_err(FileError::Shelf)).await;
        let plain = plain.map_err(|e| Halt::Until(Error::from(e).message))?;
        let secret = Zeroizing::new(HEXLOWER.encode(&left.key.0));
        let restored = backup::give_back(&self.0.brain, plain, secret).await.map_err(|e| match e.code {
            ErrorCode::StoreFailed => Halt::Until(e.message),
            _ => Halt::For(e),
        })?;
        self.moves(None, |v| v.messages += restored.messages);
        if self.left_here().await?.is_some_and(|now| now.blob == left.blob) {
            // A store that fails now leaves it to be taken once more, which changes nothing.
            drop(self.0.brain.command(Command::TakenOver).await.map_err(|e| Halt::Until(e.message))?);
        }
        self.drop_blob(left.blob);
        self.take_back(left.blob);
        Ok(true)
    }

    async fn left_here(&self) -> Result<Option<Left>, Halt> {
        let left = self.0.brain.view(|engine, kv| engine.handed_over(kv)).await;
        left.map_err(|e| Halt::Until(e.message))
    }
}

/// As what is on the shelf knows it.
fn as_file(left: &Left) -> content::File {
    content::File {
        name: String::new(),
        media: String::new(),
        size: left.size,
        blob: left.blob,
        key: left.key,
        hash: left.hash,
        until: 0,
        preview: None,
        voice: None,
        forwarded: false,
        timer: 0,
    }
}

/// What is said of files that people sent doesn't fit here.
fn gone(halt: Halt) -> Halt {
    let again = "On the other device, open Devices and give this one your history again.";
    match halt {
        Halt::For(Error { code: code @ ErrorCode::NotFound, .. }) => {
            Halt::For(Error::new(code, "The relay doesn't have the other device's history any more.", again))
        }
        Halt::For(Error { code: code @ ErrorCode::Untrusted, .. }) => {
            let message = "What the relay gave isn't what the other device sealed. Nothing of it was taken.";
            Halt::For(Error::new(code, message, again))
        }
        other => other,
    }
}
