//! What the owner of an account changes with a code: recovery codes, authenticators, the account's end.

use livechat_wire::http::{Bytes, ChangeName, ProblemCode, SecretText, UsernameProblem};
use serde::{Deserialize, Serialize};

use super::Phase;
use super::flow::{Ended, Flow, too_long};
use super::saved::Saved;
use super::ticket;
use crate::api::{Error, ErrorCode, RecoveryCodes, Response};
use crate::brain::Feed;
use crate::driver::refusals::username_check;
use crate::env;
use crate::relay::AskError;

/// One change.
pub(crate) enum Change {
    RecoveryCodes { code: String },
    AddAuthenticator { code: String },
    ConfirmAuthenticator { code: String },
    RemoveAuthenticator { code: String },
    Username { username: String, code: String },
    Delete { code: String },
}

/// An authenticator that waits for its first code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAuthenticator {
    ticket: SecretText,
    /// Unix seconds.
    expires_at: u64,
}

impl Saved for NewAuthenticator {
    const KEY: &'static str = "authenticator";
}

impl Flow {
    /// Carries out a change. Only the account's end moves the phase.
    pub(crate) async fn change(self, phase: Phase, change: Change) -> Ended {
        let Some(token) = phase.token().cloned() else {
            let error = Error::new(ErrorCode::WrongState, "Nobody is logged in.", "Log in with a code first.");
            return (phase, Err(error));
        };
        let done = match change {
            Change::RecoveryCodes { code } => self.recovery_codes(&token, code).await,
            Change::AddAuthenticator { code } => self.add_authenticator(&token, code).await,
            Change::ConfirmAuthenticator { code } => self.confirm_authenticator(&token, code).await,
            Change::RemoveAuthenticator { code } => {
                self.relay.remove_authenticator(&token, code).await.map(|()| Response::Done).map_err(refused)
            }
            Change::Username { username, code } => self.rename(&token, &username, code).await,
            Change::Delete { code } => {
                return match self.delete(&token, code).await {
                    Ok(()) => (Phase::None, Ok(Response::Done)),
                    Err(e) => (phase, Err(e)),
                };
            }
        };
        (phase, done)
    }

    async fn recovery_codes(&self, token: &SecretText, code: String) -> Result<Response, Error> {
        let fresh = self.relay.recovery_codes(token, code).await?;
        let recovery_codes = fresh.recovery_codes.into_iter().map(|c| c.0).collect();
        Ok(Response::RecoveryCodes(RecoveryCodes { recovery_codes }))
    }

    async fn add_authenticator(&self, token: &SecretText, code: String) -> Result<Response, Error> {
        let begun = self.relay.begin_authenticator(token, code).await.map_err(refused)?;
        let ticket = ticket::of_authenticator(&begun).ok_or_else(too_long)?;
        self.brain.save(NewAuthenticator { ticket: begun.pending, expires_at: begun.expires_at }).await?;
        Ok(Response::Authenticator(ticket))
    }

    async fn confirm_authenticator(&self, token: &SecretText, code: String) -> Result<Response, Error> {
        let over = || {
            let hint = "Begin adding the authenticator again.";
            Error::new(ErrorCode::PendingExpired, "No new authenticator waits for a code.", hint)
        };
        let kept = self.brain.load::<NewAuthenticator>().await?.filter(|k| k.expires_at > env::now_s());
        let kept = kept.ok_or_else(over)?;
        match self.relay.confirm_authenticator(token, kept.ticket, code).await {
            Ok(()) => {}
            Err(e) if e.problem() == Some(ProblemCode::PendingExpired) => {
                self.brain.clear::<NewAuthenticator>().await?;
                return Err(over());
            }
            Err(e) => return Err(e.into()),
        }
        self.brain.clear::<NewAuthenticator>().await?;
        Ok(Response::Done)
    }

    /// Takes another name. Record and log change at the relay in one step; what this device knows of it follows the log
    /// that stands there, so an answer that gets lost loses nothing.
    async fn rename(&self, token: &SecretText, username: &str, code: String) -> Result<Response, Error> {
        let checked = self.relay.availability(username.trim()).await?;
        // One's own former name is taken, too: whose it is the relay knows.
        if checked.problem.is_some_and(|p| p != UsernameProblem::Taken) {
            let check = username_check(checked);
            return Err(Error::new(ErrorCode::UsernameUnavailable, check.message, "Choose another name."));
        }
        let name = checked.username;
        if self.brain.account().await?.username == name {
            return Err(Error::new(ErrorCode::WrongState, "That is the account's name already.", ""));
        }
        self.follow_own_log(token).await?;
        let now = env::now_s();
        let wanted = name.clone();
        let log = self.brain.view(move |engine, _| Ok(engine.log_with_name(&wanted, now))).await?;
        let log = log.ok_or_else(|| {
            let message = "The account's log has no room for another entry.";
            Error::new(ErrorCode::WrongState, message, "This account keeps its name; a new account can have another.")
        })?;
        let change = ChangeName { code, log: Bytes(log.encode()) };
        match self.relay.change_name(token, &change).await {
            Ok(()) => self.brain.feed(Feed::OwnLog(Box::new(log))),
            Err(e @ AskError::Unreachable(_)) => {
                // It may have been done all the same.
                let known = self.follow_own_log(token).await;
                if known.ok().as_deref() != Some(name.as_str()) {
                    let mut e = Error::from(e);
                    e.hint =
                        "Whether the name was changed shows as soon as the relay can be reached; if it wasn't, try \
                              again with the next code."
                            .into();
                    return Err(e);
                }
            }
            Err(e) => return Err(refused(e)),
        }
        // The engine has dealt with the log when it answers this.
        self.brain.account().await?;
        Ok(Response::Done)
    }

    /// Takes over the log that the relay has; what the account is called there.
    async fn follow_own_log(&self, token: &SecretText) -> Result<String, Error> {
        let account = self.brain.account().await?;
        let (username, log) = self.relay.own_account_log(Some(token), &account.username, account.relay).await?;
        self.brain.feed(Feed::OwnLog(Box::new(log)));
        Ok(username)
    }

    /// Everything of an account that this device is no part of any more.
    pub(crate) async fn erase(self, phase: Phase) -> Ended {
        match self.brain.wipe().await {
            Ok(()) => (Phase::None, Ok(Response::Done)),
            Err(e) => (phase, Err(e)),
        }
    }

    /// Ends the account at the relay, then everything of it here.
    async fn delete(&self, token: &SecretText, code: String) -> Result<(), Error> {
        self.relay.delete_account(token, code).await?;
        self.brain.wipe().await.map_err(|mut e| {
            e.message = format!("The account is deleted at the relay, but not on this device: {}", e.message);
            e.hint = "Stop the node and delete its data directory.".into();
            e
        })
    }
}

/// The relay says "bad request" where the account's state doesn't allow it, and says why.
fn refused(e: AskError) -> Error {
    let state = e.problem() == Some(ProblemCode::BadRequest);
    let mut e = Error::from(e);
    if state {
        (e.code, e.hint) = (ErrorCode::WrongState, String::new());
    }
    e
}
