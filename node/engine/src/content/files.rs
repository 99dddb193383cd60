//! Files that messages speak of. The engine knows which blobs are meant, and by which messages; the shell fetches and
//! keeps their bytes, and is told when nobody here speaks of one any more (PROTOCOL ).

use livechat_crypto::kv::{Kv, Order};
use livechat_wire::content::{Body, File, Target};
use livechat_wire::{BlobId, ConversationId, MessageId};

use super::say::Answer;
use crate::Engine;
use crate::effects::{FileChore, Reply};
use crate::errors::{CommandError, HandleError, StoreError, ViewError};
use crate::records::Message;
use crate::tables::{Table, key};
use crate::timeline::message_key;
use crate::turn::Turn;

impl Engine {
    /// Sends a file whose blob the relay keeps and whose bytes are here.
    pub(crate) fn send_file(&mut self, turn: &mut Turn<'_>, at: ConversationId, file: File, id: MessageId) -> Answer {
        if let Some(answer) = self.sent_before(turn, at, id, |body| blob_of(body) == Some(file.blob))? {
            return Ok(answer);
        }
        let blob = file.blob;
        let sent = self.say_file(turn, at, file, id)?;
        if sent.is_ok() {
            self.mark_file(turn, blob, true)?;
        }
        Ok(sent)
    }

    /// Passes a file on: the same blob and key.
    pub(super) fn forward_file(
        &mut self,
        turn: &mut Turn<'_>,
        to: ConversationId,
        file: File,
        id: Option<MessageId>,
    ) -> Answer {
        if let Some(id) = id
            && let Some(answer) = self.sent_before(turn, to, id, |body| blob_of(body) == Some(file.blob))?
        {
            return Ok(answer);
        }
        if file.until == 0 {
            // It went from one device to the other, and lies nowhere else.
            return Ok(Err(CommandError::NotAtRelay));
        }
        let id = id.unwrap_or_else(|| MessageId(turn.draw()));
        self.say_file(turn, to, File { forwarded: true, ..file }, id)
    }

    fn say_file(&mut self, turn: &mut Turn<'_>, at: ConversationId, file: File, id: MessageId) -> Answer {
        self.say_body(turn, at, id, |timer| Body::File(Box::new(File { timer, ..file })))
    }

    /// A message that speaks of a file has come into the history.
    pub(super) fn count_file(
        &self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        body: &Body,
    ) -> Result<(), StoreError> {
        match blob_of(body) {
            Some(blob) => Table::Files.put(turn.kv, &row(blob, at, position), &()),
            None => Ok(()),
        }
    }

    /// … or is leaving it. When it was the last one the shell drops the bytes; `withdrawn`: they go from the relay too,
    /// where it was this account that put them there.
    pub(super) fn uncount_file(
        &self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        message: &Message,
        withdrawn: bool,
    ) -> Result<(), StoreError> {
        let Body::File(file) = &message.body else { return Ok(()) };
        Table::Files.delete(turn.kv, &row(file.blob, at, position))?;
        if !Table::Files.any(turn.kv, &file.blob.0)? {
            Table::FilesHere.delete(turn.kv, &file.blob.0)?;
            Table::Offers.delete(turn.kv, &file.blob.0)?;
            turn.fx.files.push(FileChore::Drop(file.blob));
        }
        if withdrawn && message.own.is_some() && !file.forwarded {
            Table::Withdrawn.put(turn.kv, &file.blob.0, &())?;
            turn.fx.files.push(FileChore::Withdraw(file.blob));
        }
        Ok(())
    }

    /// The shell has a blob's bytes, or hasn't any more.
    pub(crate) fn note_file(&self, turn: &mut Turn<'_>, blob: BlobId, here: bool) -> Answer {
        self.mark_file(turn, blob, here)?;
        Ok(Ok(Reply::Done))
    }

    fn mark_file(&self, turn: &mut Turn<'_>, blob: BlobId, here: bool) -> Result<(), HandleError> {
        let rows = Table::Files.keys(turn.kv, &blob.0, crate::limits::FILE_MESSAGES, Order::Ascending)?;
        if here && rows.is_empty() {
            // Whatever spoke of it went while it was fetched.
            turn.fx.files.push(FileChore::Drop(blob));
            return Ok(());
        }
        if here {
            Table::FilesHere.put(turn.kv, &blob.0, &())?;
            Table::Offers.delete(turn.kv, &blob.0)?;
        } else {
            Table::FilesHere.delete(turn.kv, &blob.0)?;
        }
        for row in rows {
            let at = ConversationId(Table::Files.id(&row, blob.0.len())?);
            let position = u64::from_be_bytes(Table::Files.id(&row, blob.0.len() + at.0.len())?);
            turn.changed.insert((at, position));
        }
        Ok(())
    }

    /// The relay has dropped a blob that was withdrawn.
    pub(crate) fn note_withdrawn(&self, turn: &mut Turn<'_>, blob: BlobId) -> Answer {
        Table::Withdrawn.delete(turn.kv, &blob.0)?;
        Ok(Ok(Reply::Done))
    }

    /// The file that a message speaks of, with the key to it.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn file(&self, kv: &dyn Kv, conversation: ConversationId, position: u64) -> Result<Option<FileOf>, ViewError> {
        let message: Option<Message> = Table::Messages.get(kv, &message_key(conversation, position))?;
        Ok(message.and_then(|m| match m.body {
            Body::File(file) => Some(FileOf { message: Target { author: m.author, id: m.id }, file: *file }),
            _ => None,
        }))
    }

    /// Whether a message here speaks of this blob.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn knows_file(&self, kv: &dyn Kv, blob: BlobId) -> Result<bool, ViewError> {
        Ok(Table::Files.any(kv, &blob.0)?)
    }

    /// Blobs that the relay is to drop: their messages were withdrawn, and nothing says that it was told.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn withdrawn_files(&self, kv: &dyn Kv) -> Result<Vec<BlobId>, ViewError> {
        let rows = Table::Withdrawn.keys(kv, &[], crate::limits::WITHDRAWN_AT_ONCE, Order::Ascending)?;
        Ok(rows.iter().map(|row| Table::Withdrawn.id(row, 0).map(BlobId)).collect::<Result<_, _>>()?)
    }

    pub(super) fn is_file_here(&self, kv: &dyn Kv, blob: BlobId) -> Result<bool, StoreError> {
        Ok(Table::FilesHere.get::<()>(kv, &blob.0)?.is_some())
    }
}

/// A file and the message that speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOf {
    /// Author and id.
    pub message: Target,
    /// The file.
    pub file: File,
}

pub(super) fn blob_of(body: &Body) -> Option<BlobId> {
    match body {
        Body::File(file) => Some(file.blob),
        _ => None,
    }
}

fn row(blob: BlobId, at: ConversationId, position: u64) -> Vec<u8> {
    key(&[&blob.0, &message_key(at, position)])
}

/// The answer to something that failed before it began.
pub(super) type Early = Option<Result<Reply, CommandError>>;

impl Engine {
    /// What was said under this id before: the same, which is answered as it was, or something else, which is refused.
    pub(super) fn sent_before(
        &self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        id: MessageId,
        same: impl FnOnce(&Body) -> bool,
    ) -> Result<Early, HandleError> {
        let own = self.me()?.identity.account();
        let Some(position) = self.position_of(turn, at, id, own)? else { return Ok(None) };
        let before: Option<Message> = Table::Messages.get(turn.kv, &message_key(at, position))?;
        if before.is_none_or(|m| !same(&m.body)) {
            return Ok(Some(Err(CommandError::IdTaken)));
        }
        self.sent(turn, at, position).map(|reply| Some(Ok(reply)))
    }
}
