//! A locked node: no store, no engine, no network; it waits for a way in. Envelopes wait at the relay.

use std::pin::Pin;

use livechat_crypto::kv::Kv;
use livechat_crypto::vault::Vault;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::ways;
use crate::account::flow::already_signed_up;
use crate::account::saved::{self, Saved, SavedSession};
use crate::api::{AccountState, Error, ErrorCode, Event, RelayState, Request, Response, Status};
use crate::driver::{Answer, respond};
use crate::keeper::{Opened, Place};
use crate::node::Ask;
use crate::relay::RelayClient;
use crate::store::Key;
use crate::{env, limits};

/// What a locked node has left.
pub(crate) struct Locked<'a> {
    pub(crate) place: &'a Place,
    pub(crate) relay: &'a RelayClient,
    pub(crate) vault: Vault,
    pub(crate) asked: &'a mut mpsc::Receiver<Ask>,
    pub(crate) events: &'a broadcast::Sender<Event>,
}

type Opening<'a> = Pin<Box<dyn Future<Output = (Result<Opened, Error>, Answer)> + Send + 'a>>;

impl Locked<'_> {
    /// How things stand, which faces show instead of the chats.
    pub(crate) fn status(&self) -> Status {
        Status {
            account: AccountState::Locked {
                username: self.vault.owner().username.clone(),
                passphrase: self.vault.has_passphrase(),
                phrase: self.vault.has_phrase(),
            },
            relay_url: self.place.relay_url(),
            relay: RelayState::Connecting,
            peers: 0,
            queued: 0,
            live_users: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Nobody listening is fine.
    pub(crate) fn tell(&self) {
        self.events.send(Event::Status(self.status())).map(drop).unwrap_or_default();
    }

    /// Waits until somebody opens it; gives back who is to be told. None: the node stops.
    pub(crate) async fn wait(&mut self, stopping: &CancellationToken) -> Option<(Opened, Answer)> {
        let (place, relay, vault, status) = (self.place, self.relay, &self.vault, self.status());
        // One at a time: each takes a code, or much memory.
        let mut opening: Option<Opening<'_>> = None;
        loop {
            let ask = tokio::select! {
                () = stopping.cancelled() => return None,
                (result, answer) = under_way(&mut opening) => {
                    opening = None;
                    match result {
                        Ok(opened) => return Some((opened, answer)),
                        Err(e) => respond(answer, Err(e)),
                    }
                    continue;
                }
                Some(ask) = self.asked.recv() => ask,
            };
            let Ask { request, answer } = ask;
            match request {
                Request::Status => respond(answer, Ok(Response::Status(status.clone()))),
                Request::Lock => respond(answer, Ok(Response::Done)),
                Request::LogIn { .. } | Request::UnlockByPhrase { .. } | Request::UnlockByPassphrase { .. }
                    if opening.is_some() =>
                {
                    let message = "Another try is under way.";
                    respond(answer, Err(Error::new(ErrorCode::TooManyRequests, message, "Wait for its answer.")));
                }
                Request::LogIn { username, code } => {
                    opening =
                        Some(Box::pin(async move { (by_code(place, relay, vault, username, code).await, answer) }));
                }
                Request::UnlockByPhrase { phrase } => {
                    let phrase = Zeroizing::new(phrase);
                    opening = Some(Box::pin(async move {
                        let opened = match ways::by_phrase(vault, &phrase) {
                            Ok(key) => offline(place, key).await,
                            Err(e) => Err(e),
                        };
                        (opened, answer)
                    }));
                }
                Request::UnlockByPassphrase { passphrase } => {
                    let passphrase = Zeroizing::new(passphrase);
                    opening = Some(Box::pin(async move { (by_passphrase(place, vault, passphrase).await, answer) }));
                }
                Request::SignUp { .. } | Request::ConfirmSignUp { .. } => respond(answer, Err(already_signed_up())),
                _ => respond(answer, Err(locked())),
            }
        }
    }
}

async fn under_way(opening: &mut Option<Opening<'_>>) -> (Result<Opened, Error>, Answer) {
    match opening {
        Some(opening) => opening.await,
        None => std::future::pending().await,
    }
}

async fn by_code(
    place: &Place,
    relay: &RelayClient,
    vault: &Vault,
    username: String,
    code: String,
) -> Result<Opened, Error> {
    let (key, session) = ways::by_code(relay, vault, &username, code).await?;
    enter(open(place, key).await?, session).await
}

async fn by_passphrase(place: &Place, vault: &Vault, passphrase: Zeroizing<String>) -> Result<Opened, Error> {
    let copy = vault.clone();
    let key = tokio::task::spawn_blocking(move || ways::by_passphrase(&copy, &passphrase)).await;
    let key =
        key.map_err(|_| Error::new(ErrorCode::Internal, "The passphrase couldn't be checked.", "Try again."))??;
    offline(place, key).await
}

/// Opened without the relay: what is here can be read and written, for as long as a session would last.
async fn offline(place: &Place, key: Key) -> Result<Opened, Error> {
    let opened = open(place, key).await?;
    if opened.session().is_some() {
        return Ok(opened);
    }
    enter(opened, SavedSession { token: None, expires_at: env::now_s().saturating_add(limits::OFFLINE) }).await
}

async fn enter(mut opened: Opened, session: SavedSession) -> Result<Opened, Error> {
    let keep = session.clone();
    let write = move |kv: &mut dyn Kv| {
        // The one before is revoked at the relay by and by.
        saved::end_session(kv)?;
        keep.save(kv)
    };
    opened.started.brain.write(write).await?;
    opened.enter(session);
    Ok(opened)
}

async fn open(place: &Place, key: Key) -> Result<Opened, Error> {
    let failed = |e: crate::brain::BrainError| {
        Error::new(
            ErrorCode::StoreFailed,
            format!("The vault is open, but the store isn't: {e}."),
            "See `livechat doctor`.",
        )
    };
    let opened = place.open(key).await.map_err(failed)?;
    // Open for the days to come, or until this program ends: as its owner wants it.
    opened.started.brain.keep_key().await?;
    Ok(opened)
}

/// What every other request meets.
pub(crate) fn locked() -> Error {
    let hint = "Unlock it with a code of the authenticator, or without the relay by recovery phrase or passphrase.";
    Error::new(ErrorCode::Locked, "This node is locked.", hint)
}
