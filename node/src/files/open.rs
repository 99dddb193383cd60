//! A file for reading, piece by piece: what a face shows or hands on.

use livechat_engine::Command;
use livechat_wire::ConversationId;
use tokio::sync::mpsc;

use super::{Files, image, names, sound};
use crate::api::{Error, ErrorCode};
use crate::limits;

/// A file that is on this device, opened.
pub struct OpenFile {
    /// What to call it: display text.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// What it may be shown as, beside text: a picture whose kind and dimensions were checked here. Everything else is
    /// to be handed on as [`OpenFile::OCTETS`], whatever its sender says it is.
    pub picture: Option<&'static str>,
    /// What it may be played as: a voice note whose bytes are sound. Sound in other files isn't played.
    pub sound: Option<&'static str>,
    pieces: mpsc::Receiver<Result<Vec<u8>, Error>>,
    first: Option<Vec<u8>>,
    left: u64,
}

impl OpenFile {
    /// The media type of what isn't to be interpreted.
    pub const OCTETS: &str = names::OCTETS;

    /// The next bytes; `None` after the last ones.
    ///
    /// # Errors
    /// The file is damaged, or the disk fails. What came before is then not the file.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let piece = match self.first.take() {
            Some(first) => Some(first),
            None if self.left == 0 => None,
            None => self.pieces.recv().await.transpose()?,
        };
        match &piece {
            Some(piece) => self.left = self.left.saturating_sub(piece.len() as u64),
            None if self.left > 0 => return Err(Error::stopped()),
            None => {}
        }
        Ok(piece)
    }
}

impl Files {
    /// Opens the file of a message, if it is here.
    pub(crate) async fn open(&self, conversation: ConversationId, position: u64) -> Result<OpenFile, Error> {
        let file = self.file_of(conversation, position).await?.file;
        if !self.0.shelf.has(file.blob) {
            let note = Command::NoteFile { blob: file.blob, here: false };
            // Faces learn that it has to be fetched again.
            drop(self.0.brain.command(note).await?);
            let message = "The file isn't on this device.";
            return Err(Error::new(ErrorCode::NotFound, message, "Fetch it first."));
        }
        let (name, size, voice) = (file.name.clone(), file.size, file.voice.is_some());
        let (give, mut pieces) = mpsc::channel(limits::FILE_PIECES);
        let shelf = self.0.shelf.clone();
        tokio::task::spawn_blocking(move || {
            let each = |bytes: &[u8]| {
                // A reader that left wants no more.
                give.blocking_send(Ok(bytes.to_vec())).map_err(|_| super::error::FileError::Ended)
            };
            if let Err(e) = shelf.open_each(&file, each) {
                give.blocking_send(Err(e.into())).unwrap_or_default();
            }
        });
        let first = pieces.recv().await.transpose()?;
        let (picture, sound) = harmless(first.as_deref().unwrap_or_default(), size, voice);
        Ok(OpenFile { name, size, picture, sound, pieces, first, left: size })
    }
}

/// What a file of so many bytes that begin like this may be shown and played as; only what is called a voice is played.
pub(super) fn harmless(first: &[u8], size: u64, voice: bool) -> (Option<&'static str>, Option<&'static str>) {
    let picture = image::kind(first).filter(|_| image::is_modest(first, size));
    (picture, sound::kind(first).filter(|_| voice))
}

impl std::fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenFile").field("size", &self.size).field("left", &self.left).finish_non_exhaustive()
    }
}
