//! Files that were deleted for everyone leave the relay too, however long that takes.

use livechat_engine::Command;
use livechat_wire::http::ProblemCode;

use super::Files;
use crate::driver::backoff::Backoff;
use crate::limits;

impl Files {
    pub(super) async fn withdraw(self) {
        let mut pause = Backoff::new(limits::TRANSFER_RETRY_FIRST, limits::TRANSFER_RETRY_MAX);
        let mut session = self.0.session.subscribe();
        loop {
            let token = session.wait_for(|s| s.token.is_some()).await.map(|s| s.token.clone());
            let Ok(Some(token)) = token else { return };
            let waiting = self.0.brain.view(|engine, kv| engine.withdrawn_files(kv)).await.unwrap_or_default();
            if waiting.is_empty() {
                self.0.withdrawals.notified().await;
                continue;
            }
            for blob in waiting {
                match self.0.relay.remove_blob(&token, blob).await {
                    Err(e) if e.problem() != Some(ProblemCode::NotFound) => {
                        tracing::debug!("a withdrawn file stays at the relay for now: {e}");
                        tokio::time::sleep(pause.next()).await;
                        break;
                    }
                    _ => {
                        pause.reset();
                        if let Err(e) = self.0.brain.command(Command::NoteWithdrawn { blob }).await {
                            tracing::debug!("that a file was withdrawn couldn't be noted: {e}");
                            tokio::time::sleep(pause.next()).await;
                        }
                    }
                }
            }
        }
    }
}
