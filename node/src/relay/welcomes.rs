//! Whole small files at the relay: those that large Welcomes have in common.

use livechat_wire::http::SecretText;
use livechat_wire::{BlobId, blob, limits as wire};

use super::{AskError, RelayClient};

impl RelayClient {
    /// Keeps a file; goes on where an earlier attempt stopped.
    pub(crate) async fn keep_file(&self, token: &SecretText, file: BlobId, bytes: &[u8]) -> Result<(), AskError> {
        let mut state = self.begin_blob(token, file, bytes.len() as u64).await?;
        for (number, part) in (0_u32..).zip(bytes.chunks(wire::BLOB_PART)).skip(state.parts as usize) {
            state = self.put_blob(token, file, number, part.to_vec()).await?;
        }
        if state.whole { Ok(()) } else { Err(AskError::Answer("a file isn't whole after its last part")) }
    }

    /// A file of so many bytes. Says nothing of who asks.
    pub(crate) async fn file(&self, file: BlobId, size: u64) -> Result<Vec<u8>, AskError> {
        let mut bytes = Vec::new();
        for number in 0..blob::parts(size) {
            let part = self.blob_part(file, number).await?;
            if part.len() != blob::part_len(size, number) {
                return Err(AskError::Answer("a part of a file has another length than it should"));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}
