//! Files that the engine wants at the relay, or from it: what large Welcomes have in common (PROTOCOL R-73).

use livechat_engine::{Fetch, FileFailure, Upload};
use livechat_wire::http::ProblemCode;

use super::Driver;
use super::chores::Done;
use crate::brain::Feed;
use crate::relay::AskError;

impl Driver {
    pub(super) fn keep_file(&mut self, upload: Upload) {
        let Some(token) = self.parts.phase.token().cloned() else {
            let answer = Err(FileFailure::Unreachable);
            return self.parts.brain.feed(Feed::Uploaded { blob: upload.blob, answer });
        };
        let relay = self.parts.relay.clone();
        self.tasks.spawn(async move {
            let answer = relay.keep_file(&token, upload.blob, &upload.bytes).await;
            Done::Uploaded(upload.blob, answer.map_err(|e| failure(&e)))
        });
    }

    pub(super) fn fetch_file(&mut self, fetch: Fetch) {
        let relay = self.parts.relay.clone();
        self.tasks.spawn(async move {
            let answer = relay.file(fetch.blob, fetch.size).await;
            Done::Fetched(fetch.blob, answer.map_err(|e| failure(&e)))
        });
    }
}

/// Whether trying again may help.
fn failure(e: &AskError) -> FileFailure {
    tracing::debug!("a file of a welcome: {e}");
    match e.problem() {
        Some(ProblemCode::NotFound | ProblemCode::QuotaExceeded | ProblemCode::BadRequest | ProblemCode::TooLarge) => {
            FileFailure::Refused
        }
        _ => FileFailure::Unreachable,
    }
}
