//! What takes several steps between relay and store. One flow runs at a time; the driver starts them.
//!
//! The order of steps makes every interruption harmless. Signing up: the secrets are saved before a code is sent, and
//! so is what goes with it; if the relay's answer (or this process) is lost, the next attempt finds the account in the
//! directory under our own keys and logs in to it instead. Logging out: locked here first, revoked at the relay when it
//! can be reached.

use livechat_crypto::identity::Identity;
use livechat_crypto::phrase::RecoveryPhrase;
use livechat_wire::account::AccountLog;
use livechat_wire::http::{self, Bytes, ProblemCode, SecretText};

use super::saved::{self, Pending, Saved, SavedSession, Sent};
use super::{Phase, linking, phrase, ticket};
use crate::api::{Error, ErrorCode, Response, SignedUp};
use crate::brain::{Activation, Brain};
use crate::env;
use crate::relay::{AskError, RelayClient};
use crate::vault::ways::Asking;

/// What a flow works with.
#[derive(Clone)]
pub(crate) struct Flow {
    pub(crate) relay: RelayClient,
    pub(crate) brain: Brain,
}

/// How a flow ended: what the account is now, and the answer.
pub(crate) type Ended = (Phase, Result<Response, Error>);

impl Flow {
    /// Asks the relay for a name, and keeps what it takes to confirm.
    pub(crate) async fn sign_up(self, phase: Phase, username: String) -> Ended {
        match &phase {
            Phase::Pending(p) if same_name(&p.username, &username) => return (phase.clone(), shown(p)),
            Phase::Pending(p) => {
                let message = format!("A sign-up as {} waits for its first code.", p.username);
                let hint = "Enter the code, or cancel that sign-up to begin with another name.";
                return (phase, Err(Error::new(ErrorCode::WrongState, message, hint)));
            }
            Phase::Linking(l) => {
                let error = linking::waits(l);
                return (phase, Err(error));
            }
            Phase::LoggedOut | Phase::Active(_) | Phase::Locked => return (phase, Err(already_signed_up())),
            Phase::None => {}
        }
        match self.begin(&username).await {
            Ok(pending) => {
                let answer = shown(&pending);
                (Phase::Pending(Box::new(pending)), answer)
            }
            Err(e) => (phase, Err(e)),
        }
    }

    async fn begin(&self, username: &str) -> Result<Pending, Error> {
        let now = env::now_s();
        if let Some(mut kept) = self.brain.load::<Pending>().await?
            && kept.dropped
            && kept.is_live(now)
            && same_name(&kept.username, username)
        {
            // Cancelled within the hour: the relay still holds the name for this very ticket.
            kept.dropped = false;
            return self.brain.save(kept).await;
        }
        let info = self.relay.info().await?;
        let begun = self.relay.begin_sign_up(username).await?;
        let mut dice = env::dice().map_err(|e| no_randomness(&e))?;
        let phrase = RecoveryPhrase::generate(&mut dice);
        let pending = Pending {
            relay: info.relay,
            bucket_bits: info.bucket_bits,
            username: begun.username,
            ticket: begun.pending,
            otpauth_uri: begun.otpauth_uri,
            setup_key: begun.setup_key,
            expires_at: begun.expires_at,
            identity: Bytes(Identity::of_phrase(&phrase, &mut dice).encode().to_vec()),
            phrase: Bytes(phrase.entropy().to_vec()),
            sent: None,
            dropped: false,
        };
        // Drawn before it is kept: what can't be shown must not block another attempt.
        shown(&pending)?;
        self.brain.save(pending).await
    }

    /// Sends the first code with our keys.
    pub(crate) async fn confirm(self, phase: Phase, code: String) -> Ended {
        let Phase::Pending(pending) = phase else {
            let error = match phase {
                Phase::None => Error::new(ErrorCode::PendingExpired, "No sign-up waits for a code.", "Begin one."),
                _ => already_signed_up(),
            };
            return (phase, Err(error));
        };
        let pending = *pending;
        match self.confirm_pending(&pending, code).await {
            Ok((phase, response)) => (phase, Ok(response)),
            Err((None, e)) => (Phase::Pending(Box::new(pending)), Err(e)),
            Err((Some(phase), e)) => (phase, Err(e)),
        }
    }

    async fn confirm_pending(
        &self,
        pending: &Pending,
        code: String,
    ) -> Result<(Phase, Response), (Option<Phase>, Error)> {
        let stay = |e: Error| (None, e);
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let hint = "Type the six digits that the authenticator app shows now.";
            return Err(stay(Error::new(ErrorCode::InvalidCredentials, "A code has six digits.", hint)));
        }
        let (pending, sent) = self.prepare(pending.clone()).await.map_err(stay)?;
        let account = Identity::decode(&pending.identity.0).map_err(|_| stay(damaged()))?.account();
        let (asking, asked) = Asking::new(account).map_err(stay)?;
        let confirm = http::ConfirmSignUp {
            pending: pending.ticket.clone(),
            code: digits.clone(),
            log: sent.log.clone(),
            bundle: sent.bundle.clone(),
            vault: Some(asked),
        };
        // From here on the phase carries what was sent, also when this fails.
        let stay = |e: Error| (Some(Phase::Pending(Box::new(pending.clone()))), e);
        match self.relay.confirm_sign_up(&confirm).await {
            Ok(done) => {
                let session = SavedSession { token: Some(done.session.token), expires_at: done.session.expires_at };
                self.activate(&pending, &sent, Some(session.clone())).await.map_err(stay)?;
                self.guard(asking, done.session.vault).await;
                let recovery_codes = done.recovery_codes.into_iter().map(|c| c.0).collect();
                let answer = SignedUp { username: pending.username.clone(), recovery_codes };
                Ok((Phase::Active(session), Response::SignedUp(answer)))
            }
            Err(e) if e.problem() == Some(ProblemCode::PendingExpired) => self.recover(&pending, &sent, digits).await,
            Err(e @ AskError::Unreachable(_)) => {
                let mut e = Error::from(e);
                e.hint = "Nothing is lost: check the network, wait for the next code and enter that.".into();
                Err(stay(e))
            }
            Err(e) => Err(stay(e.into())),
        }
    }

    /// Founds the account log once, and saves it before anybody sees it.
    async fn prepare(&self, mut pending: Pending) -> Result<(Pending, Sent), Error> {
        if let Some(sent) = pending.sent.clone() {
            return Ok((pending, sent));
        }
        let now = env::now_s();
        let identity = Identity::decode(&pending.identity.0).map_err(|_| damaged())?;
        let log = identity.found_log(&pending.username, pending.relay, now).map_err(|_| {
            let hint = "Choose another name, or another relay.";
            Error::new(ErrorCode::RelayFailed, "The relay gave a name that no account can have.", hint)
        })?;
        let sent = Sent { log: Bytes(log.encode()), bundle: Bytes(identity.bundle(now).encode()) };
        pending.sent = Some(sent.clone());
        Ok((self.brain.save(pending).await?, sent))
    }

    /// The relay doesn't know the pending sign-up. Either its hour is over, or an earlier confirmation went through and
    /// its answer was lost: then the directory has our own log.
    async fn recover(
        &self,
        pending: &Pending,
        sent: &Sent,
        code: String,
    ) -> Result<(Phase, Response), (Option<Phase>, Error)> {
        let stay = |e: Error| (Some(Phase::Pending(Box::new(pending.clone()))), e);
        let ours = match self.relay.directory(&pending.username).await {
            Ok(entry) => entry.log == sent.log,
            Err(e) if e.problem() == Some(ProblemCode::NotFound) => false,
            Err(e) => return Err(stay(e.into())),
        };
        if !ours {
            self.brain.clear::<Pending>().await.map_err(stay)?;
            let message = "The hour for the first code is over; the name is free again.";
            let error = Error::new(ErrorCode::PendingExpired, message, "Begin the sign-up again.");
            return Err((Some(Phase::None), error));
        }
        self.activate(pending, sent, None).await.map_err(stay)?;
        let out = |mut e: Error| {
            e.message = format!("The account {} exists, but logging in failed: {}", pending.username, e.message);
            e.hint = "Log in with the authenticator's next code.".into();
            (Some(Phase::LoggedOut), e)
        };
        let session = self.begin_session(&pending.username, code).await.map_err(out)?;
        // The recovery codes went with the lost answer; the relay keeps only their hashes.
        let answer = SignedUp { username: pending.username.clone(), recovery_codes: Vec::new() };
        Ok((Phase::Active(session), Response::SignedUp(answer)))
    }

    async fn activate(&self, pending: &Pending, sent: &Sent, session: Option<SavedSession>) -> Result<(), Error> {
        let log = AccountLog::decode(&sent.log.0).map_err(|_| damaged())?;
        let activation = Activation {
            identity: Box::new(Identity::decode(&pending.identity.0).map_err(|_| damaged())?),
            username: pending.username.clone(),
            relay: pending.relay,
            log,
            bucket_bits: pending.bucket_bits,
            session,
            phrase: Some(phrase::unchecked(&pending.phrase).map_err(|e| no_randomness(&e))?),
        };
        self.brain.activate(activation).await
    }

    /// Drops a pending sign-up here; at the relay it ends by itself.
    pub(crate) async fn cancel(self, phase: Phase) -> Ended {
        let Phase::Pending(pending) = phase else {
            let error = Error::new(ErrorCode::WrongState, "There is no sign-up to cancel.", "");
            return (phase, Err(error));
        };
        let mut dropped = *pending.clone();
        dropped.dropped = true;
        match self.brain.save(dropped).await {
            Ok(_) => (Phase::None, Ok(Response::Done)),
            Err(e) => (Phase::Pending(pending), Err(e)),
        }
    }

    /// Begins or renews the session of this device.
    pub(crate) async fn log_in(self, phase: Phase, username: String, code: String) -> Ended {
        let refused = match &phase {
            Phase::LoggedOut | Phase::Active(_) | Phase::Locked => None,
            Phase::Pending(p) => {
                let message = format!("The sign-up as {} isn't finished.", p.username);
                Some(Error::new(ErrorCode::WrongState, message, "Enter its first code, or cancel it."))
            }
            Phase::Linking(l) => Some(linking::waits(l)),
            Phase::None => Some(elsewhere("Nobody has signed up on this device.")),
        };
        if let Some(error) = refused {
            return (phase, Err(error));
        }
        let own = match self.brain.account().await {
            Ok(account) => account.username,
            Err(e) => return (phase, Err(e)),
        };
        if !same_name(&own, &username) {
            return (phase, Err(elsewhere(&format!("This device belongs to {own}."))));
        }
        match self.begin_session(&own, code).await {
            Ok(session) => (Phase::Active(session), Ok(Response::Done)),
            Err(e) => (phase, Err(e)),
        }
    }

    async fn begin_session(&self, username: &str, code: String) -> Result<SavedSession, Error> {
        let account = self.brain.account().await?;
        let device = self.brain.prove(env::now_s()).await?;
        let (asking, asked) = Asking::new(account.account)?;
        let log_in = http::LogIn { username: username.to_owned(), code, device: Some(device), vault: Some(asked) };
        let session = self.relay.log_in(&log_in).await?;
        if session.account != account.account {
            self.revoke(vec![session.token.clone()]).await;
            let message = format!("The relay keeps another account under the name {username}.");
            let hint = "Check the relay's address; if it is right, ask its operator what happened to the account.";
            return Err(Error::new(ErrorCode::RelayFailed, message, hint));
        }
        if !session.known_device {
            self.revoke(vec![session.token.clone()]).await;
            let message = "The code was right, but the relay didn't accept this device's signature.";
            let hint = "Set this device's clock right and log in with the next code; if the clock is right, this device was removed from the account.";
            return Err(Error::new(ErrorCode::NotThisDevice, message, hint));
        }
        let saved = SavedSession { token: Some(session.token), expires_at: session.expires_at };
        let keep = saved.clone();
        self.brain
            .write(move |kv| {
                // A renewed session leaves the one before to be revoked.
                saved::end_session(kv)?;
                keep.save(kv)
            })
            .await?;
        self.guard(asking, session.vault).await;
        Ok(saved)
    }

    /// Wraps the database's key anew. Where that fails the session stands all the same: the key's file and the vault of
    /// before are as they were, and the next log-in tries again.
    pub(super) async fn guard(&self, asking: Asking, answer: Option<http::VaultAnswer>) {
        let Some(answer) = answer else {
            return tracing::warn!("the relay keeps no vaults: the key stays in its file");
        };
        match asking.finish(&answer) {
            Ok((draft, answer)) => {
                if let Err(e) = self.brain.guard(draft, answer).await {
                    tracing::warn!("the vault couldn't be made: {e}");
                }
            }
            Err(e) => tracing::warn!("the relay's answer for the vault is no good: {e}"),
        }
    }

    /// Ends the session, here at once, at the relay now or when it is back; then locks what a vault guards.
    pub(crate) async fn log_out(self, phase: Phase) -> Ended {
        match phase {
            Phase::Active(_) => {}
            Phase::LoggedOut | Phase::Locked => return (phase, Ok(Response::Done)),
            Phase::None | Phase::Pending(_) | Phase::Linking(_) => {
                return (phase, Err(Error::new(ErrorCode::WrongState, "Nobody is logged in.", "")));
            }
        }
        match self.brain.write(|kv| saved::end_session(kv)).await {
            Ok(()) => {
                self.revoke_saved().await;
                (self.shut().await, Ok(Response::Done))
            }
            Err(e) => (phase, Err(e)),
        }
    }

    /// What is left to do once a session is over.
    pub(crate) async fn over(self, phase: Phase) -> Ended {
        if !matches!(phase, Phase::LoggedOut) {
            return (phase, Ok(Response::Done));
        }
        if let Err(e) = self.brain.write(|kv| saved::end_session(kv)).await {
            tracing::debug!("the ended session couldn't be removed yet: {e}");
        }
        (self.shut().await, Ok(Response::Done))
    }

    /// Without a session: locked, if a vault gives the key back.
    async fn shut(&self) -> Phase {
        match self.brain.release().await {
            Ok(()) => Phase::Locked,
            Err(e) => {
                tracing::debug!("logged out, and not locked: {e}");
                Phase::LoggedOut
            }
        }
    }

    /// Closes the store now; the session goes on.
    pub(crate) async fn lock(self, phase: Phase) -> Ended {
        if matches!(phase, Phase::None | Phase::Pending(_) | Phase::Linking(_)) {
            return (phase, Err(Error::new(ErrorCode::WrongState, "There is nothing to lock yet.", "Sign up first.")));
        }
        match self.brain.release().await {
            Ok(()) => (Phase::Locked, Ok(Response::Done)),
            Err(e) => (phase, Err(e)),
        }
    }

    /// Ends sessions at the relay that are over here. What fails stays saved for the next time.
    pub(crate) async fn revoke_saved(&self) {
        if let Ok(Some(saved::Revocations(tokens))) = self.brain.load::<saved::Revocations>().await {
            self.revoke(tokens).await;
        }
    }

    pub(super) async fn revoke(&self, tokens: Vec<SecretText>) {
        let mut done = Vec::new();
        for token in tokens {
            match self.relay.log_out(&token).await {
                Ok(()) => done.push(token),
                // Unknown there is as good as ended.
                Err(e) if matches!(e.problem(), Some(ProblemCode::Unauthenticated | ProblemCode::NotFound)) => {
                    done.push(token);
                }
                Err(e) => {
                    tracing::debug!("a session couldn't be ended at the relay yet: {e}");
                    break;
                }
            }
        }
        if let Err(e) = self.brain.write(move |kv| saved::revoked(kv, &done)).await {
            tracing::debug!("an ended session stays noted for ending: {e}");
        }
    }
}

/// Whether two spellings are meant for the same name here; the relay's normalisation rules are stricter, and its answer
/// carries the stored form.
pub(crate) fn same_name(stored: &str, typed: &str) -> bool {
    let typed = typed.trim();
    typed.strip_prefix('@').unwrap_or(typed).to_lowercase() == stored.to_lowercase()
}

fn shown(pending: &Pending) -> Result<Response, Error> {
    ticket::of(pending).map(Response::SignUp).ok_or_else(too_long)
}

pub(super) fn too_long() -> Error {
    let message = "The relay's setup data is too long for a QR code.";
    Error::new(ErrorCode::RelayFailed, message, "Tell the relay's operator.")
}

pub(crate) fn already_signed_up() -> Error {
    let hint = "Log in; for another account, start a node with another data directory.";
    Error::new(ErrorCode::WrongState, "This node has an account already.", hint)
}

pub(crate) fn elsewhere(message: &str) -> Error {
    let hint = "Add this device to the account (`livechat link`, or “I have an account” in the page), or sign up here under a new name.";
    Error::new(ErrorCode::NotThisDevice, message, hint)
}

pub(super) fn damaged() -> Error {
    let hint = "Cancel the sign-up and begin again.";
    Error::new(ErrorCode::Internal, "The saved sign-up is damaged.", hint)
}

pub(super) fn no_randomness(e: &getrandom::Error) -> Error {
    Error::new(ErrorCode::Internal, format!("The system gives no randomness: {e}."), "Restart the system.")
}
