//! Devices of our own account: whether this one was added, and what the relay has as the account's log.

use livechat_engine::Command;
use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::device_code::DeviceCode;
use livechat_wire::http::{PutLog, SecretText};
use tokio::time::Instant;

use super::chores::Done;
use super::commands::Answer;
use super::requests::{FlowRequest, respond};
use super::{Driver, refusals};
use crate::account::Phase;
use crate::account::saved::SavedSession;
use crate::api::{Error, ErrorCode, Response};
use crate::brain::{Brain, Feed};
use crate::files::Giving;
use crate::{env, limits};

impl Driver {
    /// What is due: whether this device was added, or what came and went beside it.
    pub(super) fn look_at_devices(&mut self) {
        self.devices_at = None;
        match &self.parts.phase {
            Phase::Linking(_) => {
                self.devices_at = Some(Instant::now() + limits::LINKING_LOOK);
                if !self.flow_running && self.flows.is_empty() {
                    // Nobody waits for it: the status tells.
                    self.flow(FlowRequest::WatchLink, tokio::sync::oneshot::channel().0);
                }
            }
            Phase::Active(_) => self.look_at_own_log(None),
            Phase::None | Phase::Pending(_) | Phase::LoggedOut | Phase::Locked => {}
        }
    }

    /// Puts our account's log, continued, and reads what the relay has then.
    pub(super) fn publish_log(&mut self, log: &AccountLog) {
        self.look_at_own_log(Some(PutLog { log: livechat_wire::http::Bytes(log.encode()) }));
    }

    fn look_at_own_log(&mut self, put: Option<PutLog>) {
        let Some(account) = &self.parts.snapshot.account else { return };
        let (relay, token) = (self.parts.relay.clone(), self.parts.phase.token().cloned());
        let (username, of) = (account.username.clone(), account.relay);
        if put.is_none() {
            self.devices_at = Some(Instant::now() + limits::OWN_LOG_LOOK);
        }
        let refused = self.refused.clone();
        self.tasks.spawn(async move {
            if let (Some(put), Some(token)) = (put, &token) {
                // Taken or not, the log that stands there then is what counts.
                if let Err(e) = relay.put_log(token, &put).await {
                    tracing::debug!("the relay doesn't take the continued log: {e}");
                }
            }
            let log = relay.own_account_log(token.as_ref(), &username, of).await.map(|(_, log)| log);
            Done::OwnLog(refused, log.map_err(Error::from))
        });
    }

    /// `refused`: the session that had been ended by the relay when this was asked.
    pub(super) fn on_own_log(&mut self, refused: Option<SecretText>, log: Result<AccountLog, Error>) {
        match log {
            Ok(log) => {
                let us = self.parts.snapshot.account.as_ref();
                let removed = us.is_some_and(|us| log.account() == us.account && log.is_revoked(&us.device));
                if removed {
                    self.on_removed();
                } else {
                    self.lock_refused(refused);
                }
                self.parts.brain.feed(Feed::OwnLog(Box::new(log)));
            }
            // Gone, with all its sessions.
            Err(e) if e.code == ErrorCode::NotFound => self.lock_refused(refused),
            Err(e) => {
                tracing::debug!("the account's log couldn't be looked at: {}", e.message);
                self.devices_at = Some(Instant::now() + limits::OWN_LOG_RETRY);
            }
        }
    }

    /// The relay ended the session for another reason than that this device was removed.
    fn lock_refused(&mut self, refused: Option<SecretText>) {
        if refused.is_some() && self.parts.phase.token() == refused.as_ref() {
            self.refused = None;
            self.lock();
        }
    }

    /// The account has removed this device. What is here stays open: no code would open it again.
    fn on_removed(&mut self) {
        if let Phase::Active(session) = &self.parts.phase
            && session.token.is_some()
            && !self.flow_running
        {
            let session = SavedSession { token: None, expires_at: session.expires_at };
            let (brain, keep) = (self.parts.brain.clone(), session.clone());
            self.tasks.spawn(async move {
                if let Err(e) = brain.save(keep).await {
                    tracing::debug!("the session's end couldn't be kept: {}", e.message);
                }
                Done::Nothing
            });
            self.on_phase(Phase::Active(session));
        }
        self.refused = None;
    }

    /// Adds the device that the relay shows, if it is the one that shows this code, and gives it what is here if its
    /// owner agrees.
    pub(super) fn add_device(&mut self, code: String, history: bool, answer: Answer) {
        let Ok(code) = DeviceCode::from_text(&code) else {
            let message = "That isn't the code of a device.";
            let hint = "It has sixteen letters and digits; type what the new device shows, or scan its QR code.";
            return respond(answer, Err(Error::new(ErrorCode::BadText, message, hint)));
        };
        let Some(token) = self.parts.phase.token().cloned() else {
            return respond(answer, Err(refusals::logged_out()));
        };
        if self.tasks.len() >= limits::TASKS {
            return respond(answer, Err(refusals::busy()));
        }
        let (relay, brain, files) = (self.parts.relay.clone(), self.parts.brain.clone(), self.parts.files.clone());
        self.tasks.spawn(async move {
            let add = async {
                let pending = relay.pending_device(&token).await?;
                let bundle = Bundle::decode(&pending.bundle.0).map_err(|_| another_device())?;
                if code_of(&brain, bundle.clone()).await? != Some(code) {
                    return Err(another_device());
                }
                let giving = history.then(|| Giving::new(bundle.device(), env::now_s()));
                let kept = giving.clone();
                let command = Command::AddDevice { bundle: Box::new(bundle) };
                let added = brain.command_and(command, move |kv| kept.map_or(Ok(()), |giving| giving.save(kv))).await?;
                added.map_err(refusals::of_command)?;
                giving.map(|giving| files.start_giving(giving));
                Ok(Response::Done)
            };
            respond(answer, add.await);
            Done::Nothing
        });
    }
}

/// What a device with this bundle shows when it sees the account's log as we do.
async fn code_of(brain: &Brain, bundle: Bundle) -> Result<Option<DeviceCode>, Error> {
    brain.view(move |engine, _| Ok(engine.own_account_log().map(|log| DeviceCode::of(log, &bundle)))).await
}

fn another_device() -> Error {
    let message = "The device that waits at the relay doesn't show that code.";
    let hint =
        "Compare it once more. If the new device shows exactly this code, don't add it: cancel there and begin again.";
    Error::new(ErrorCode::Untrusted, message, hint)
}
