//! Adding this device to an account that there is (PROTOCOL ).
//!
//! Name and code open the account at the relay and nothing else. Keys of conversations come only once the account's log
//! names this device: because another device of the account signed that, having compared a code, or because the recovery
//! phrase did. The secrets are saved before anybody sees what is made of them; from then on the log decides, whatever
//! was lost on the way.

use livechat_crypto::identity::Identity;
use livechat_crypto::phrase::RecoveryPhrase;
use livechat_wire::account::{AccountLog, Statement};
use livechat_wire::bundle::Bundle;
use livechat_wire::device_code::DeviceCode;
use livechat_wire::http::{self, Bytes, ProblemCode};
use zeroize::Zeroizing;

use super::Phase;
use super::flow::{Ended, Flow, already_signed_up, damaged, no_randomness};
use super::phrase::{another_accounts, not_a_phrase};
use super::saved::{Linking, SavedSession};
use crate::api::{DeviceTicket, Error, ErrorCode, Response};
use crate::brain::Activation;
use crate::env;
use crate::qr::svg;
use crate::relay::AskError;
use crate::vault::ways::Asking;

impl Flow {
    /// Opens the account at the relay and makes this device's keys. With the phrase the device adds itself, without it
    /// waits for another one to do so.
    pub(crate) async fn link(
        self,
        phase: Phase,
        username: String,
        code: String,
        phrase: Option<Zeroizing<String>>,
    ) -> Ended {
        match &phase {
            Phase::None => {}
            Phase::Linking(l) => {
                let error = waits(l);
                return (phase, Err(error));
            }
            Phase::Pending(p) => {
                let message = format!("The sign-up as {} isn't finished.", p.username);
                return (phase, Err(Error::new(ErrorCode::WrongState, message, "Enter its first code, or cancel it.")));
            }
            Phase::LoggedOut | Phase::Active(_) | Phase::Locked => return (phase, Err(already_signed_up())),
        }
        let phrase = match phrase.map(|typed| RecoveryPhrase::parse(&typed)).transpose() {
            Ok(phrase) => phrase,
            Err(e) => return (phase, Err(not_a_phrase(e))),
        };
        match self.begin_link(&username, code, phrase).await {
            Ok(linking) => self.watch_link(Phase::Linking(Box::new(linking))).await,
            Err(e) => (Phase::None, Err(e)),
        }
    }

    async fn begin_link(&self, username: &str, code: String, phrase: Option<RecoveryPhrase>) -> Result<Linking, Error> {
        let info = self.relay.info().await?;
        let log_in = http::LogIn { username: username.trim().to_owned(), code, device: None, vault: None };
        let opened = self.relay.log_in(&log_in).await?;
        let session = SavedSession { token: Some(opened.token.clone()), expires_at: opened.expires_at };
        let begun = async {
            let (username, log) = self.relay.account_log(username, info.relay).await?;
            if log.account() != opened.account {
                return Err(AskError::TwoTruths.into());
            }
            let mut dice = env::dice().map_err(|e| no_randomness(&e))?;
            let identity = match &phrase {
                Some(phrase) if phrase.account() != log.account() => return Err(another_accounts()),
                Some(phrase) => Identity::of_phrase(phrase, &mut dice),
                None => Identity::linked(log.account(), &mut dice),
            };
            let now = env::now_s();
            let mut linking = Linking {
                relay: info.relay,
                bucket_bits: info.bucket_bits,
                username,
                identity: Bytes(identity.encode().to_vec()),
                log: Bytes(log.encode()),
                session: session.clone(),
                // With the phrase the answer comes at once, or was lost and is looked for.
                expires_at: now.saturating_add(crate::limits::LINKING_LOST),
            };
            if phrase.is_some() {
                let linking = self.brain.save(linking).await?;
                let mut longer = log;
                let device_key = identity.device_key();
                identity.state(&mut longer, Statement::AddDevice { device_key }, now).map_err(|_| full())?;
                let put = http::PutLog { log: Bytes(longer.encode()) };
                return match self.relay.put_log(&opened.token, &put).await {
                    Ok(()) | Err(AskError::Unreachable(_)) => Ok(linking),
                    Err(e) => Err(outdated(e)),
                };
            }
            let pend = http::PendDevice { bundle: Bytes(bundle(&identity, &log).encode()) };
            // Kept first: once it waits, it may be added.
            linking.expires_at = now.saturating_add(crate::limits::LINKING);
            let linking = self.brain.save(linking).await?;
            self.relay.pend_device(&opened.token, &pend).await?;
            Ok(linking)
        };
        match begun.await {
            Ok(linking) => Ok(linking),
            Err(e) => {
                self.brain.clear::<Linking>().await?;
                self.revoke(vec![opened.token.clone()]).await;
                Err(e)
            }
        }
    }

    /// Looks whether the account's log names this device by now.
    pub(crate) async fn watch_link(self, phase: Phase) -> Ended {
        let Phase::Linking(linking) = phase else { return (phase, Ok(Response::Done)) };
        match self.look_after(&linking).await {
            Ok(Some(session)) => (session.map_or(Phase::LoggedOut, Phase::Active), Ok(Response::Done)),
            Ok(None) if linking.expires_at > env::now_s() => {
                let answer = ticket(&linking).map(Response::Linking).ok_or_else(damaged);
                (Phase::Linking(linking), answer)
            }
            Ok(None) => match self.end_link(&linking).await {
                Ok(()) => (Phase::None, Err(over())),
                Err(e) => (Phase::Linking(linking), Err(e)),
            },
            Err(e) => (Phase::Linking(linking), Err(e)),
        }
    }

    /// None: not yet. Else the session, if the relay made it this device's.
    async fn look_after(&self, linking: &Linking) -> Result<Option<Option<SavedSession>>, Error> {
        let identity = Identity::decode(&linking.identity.0).map_err(|_| damaged())?;
        let kept = AccountLog::decode(&linking.log.0).map_err(|_| damaged())?;
        let (username, log) = self.relay.account_log(&linking.username, linking.relay).await?;
        if !kept.is_prefix_of(&log) {
            return Err(AskError::TwoTruths.into());
        }
        if !log.has_device(&identity.device_key()) {
            return Ok(None);
        }
        let device = identity.prove_device(&linking.relay, &username, env::now_s());
        let (asking, asked) = Asking::new(log.account())?;
        let claim = http::ClaimSession { device, vault: Some(asked) };
        let mut answer = None;
        let session = match &linking.session.token {
            Some(token) => match self.relay.claim_session(token, &claim).await {
                Ok(claimed) => {
                    answer = claimed.vault;
                    Some(linking.session.clone())
                }
                Err(e @ AskError::Unreachable(_)) => return Err(e.into()),
                Err(e) => {
                    tracing::debug!("the session doesn't become this device's: {e}");
                    None
                }
            },
            None => None,
        };
        let activation = Activation {
            identity: Box::new(identity),
            username,
            relay: linking.relay,
            log,
            bucket_bits: linking.bucket_bits,
            session: session.clone(),
            phrase: None,
        };
        self.brain.activate(activation).await?;
        if session.is_some() {
            self.guard(asking, answer).await;
        }
        Ok(Some(session))
    }

    /// Waits no longer.
    pub(crate) async fn cancel_link(self, phase: Phase) -> Ended {
        let Phase::Linking(linking) = phase else {
            return (
                phase,
                Err(Error::new(
                    ErrorCode::WrongState,
                    "This device doesn't wait to be added.",
                    "There is nothing to cancel.",
                )),
            );
        };
        match self.end_link(&linking).await {
            Ok(()) => (Phase::None, Ok(Response::Done)),
            Err(e) => (Phase::Linking(linking), Err(e)),
        }
    }

    async fn end_link(&self, linking: &Linking) -> Result<(), Error> {
        self.brain.clear::<Linking>().await?;
        self.revoke(linking.session.token.clone().into_iter().collect()).await;
        Ok(())
    }
}

/// What others reach this device by; the same bytes whenever it is asked for, since its code is computed from them.
fn bundle(identity: &Identity, log: &AccountLog) -> Bundle {
    identity.bundle(log.entries().last().map_or(0, |e| e.time))
}

/// What a waiting device shows.
pub(crate) fn ticket(linking: &Linking) -> Option<DeviceTicket> {
    let identity = Identity::decode(&linking.identity.0).ok()?;
    let log = AccountLog::decode(&linking.log.0).ok()?;
    let code = DeviceCode::of(&log, &bundle(&identity, &log));
    Some(DeviceTicket {
        username: linking.username.clone(),
        code: code.to_string(),
        qr_svg: svg(&code.to_text())?,
        expires_at: linking.expires_at,
    })
}

/// Something else has to wait for this.
pub(super) fn waits(linking: &Linking) -> Error {
    let message = format!("This device waits to be added to {}.", linking.username);
    Error::new(ErrorCode::WrongState, message, "Enter its code on another device of the account, or cancel it here.")
}

fn over() -> Error {
    let hint = "Begin again, and have the other device at hand.";
    Error::new(ErrorCode::PendingExpired, "This device waited an hour and wasn't added.", hint)
}

fn full() -> Error {
    let hint = "Remove a device that isn't used any more, on one that is.";
    Error::new(ErrorCode::WrongState, "The account can't have more devices.", hint)
}

fn outdated(e: AskError) -> Error {
    if e.problem() == Some(ProblemCode::Outdated) {
        let message = "Another device changed the account at the same moment.";
        return Error::new(ErrorCode::WrongState, message, "Try again.");
    }
    e.into()
}
