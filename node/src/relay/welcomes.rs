//! Whole small files at the relay: those that large Welcomes have in common.

use livechat_wire::http::{BeginBlob, BlobState, SecretText};
use livechat_wire::{BlobId, blob, limits as wire};
use reqwest::Method;

use super::{AskError, RelayClient, answer, exchange, refusal};
use crate::limits;

impl RelayClient {
    /// Keeps a file; goes on where an earlier attempt stopped.
    pub(crate) async fn keep_file(&self, token: &SecretText, file: BlobId, bytes: &[u8]) -> Result<(), AskError> {
        let name = file.to_string();
        let begin = self.with_session(Method::PUT, &["v1", "blobs", &name], token);
        let mut state: BlobState = answer(begin.json(&BeginBlob { size: bytes.len() as u64 })).await?;
        let missing = usize::try_from(state.parts).unwrap_or(usize::MAX);
        for (number, part) in bytes.chunks(wire::BLOB_PART).enumerate().skip(missing) {
            let number = number.to_string();
            let put = self.with_session(Method::PUT, &["v1", "blobs", &name, &number], token);
            let put = put.timeout(limits::FILE_PART).header("content-type", "application/octet-stream");
            state = answer(put.body(part.to_vec())).await?;
        }
        if state.whole { Ok(()) } else { Err(AskError::Answer("a file isn't whole after its last part")) }
    }

    /// A file of so many bytes. Says nothing of who asks.
    pub(crate) async fn file(&self, file: BlobId, size: u64) -> Result<Vec<u8>, AskError> {
        let mut bytes = Vec::new();
        for number in 0..blob::parts(size) {
            let url = self.url(&["v1", "blobs", &file.to_string(), &number.to_string()]);
            let (status, part) = exchange(self.stranger.get(url).timeout(limits::FILE_PART)).await?;
            if !status.is_success() {
                return Err(refusal(&part));
            }
            if part.len() != blob::part_len(size, number) {
                return Err(AskError::Answer("a part of a file has another length than it should"));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}
