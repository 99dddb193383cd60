//! The relay's lobby: finding its door, founding it where there is none, and keeping it from counting as dead.
//!
//! ```text
//! door at the relay ─┬─ of a lobby that we are in ────────► there
//!                    ├─ somebody else's, alive ───────────► knock
//!                    └─ none, or dead ─► found, put ours ─┬─ ours stands ──► there
//!                                                         └─ another's does ► leave ours, knock
//! ```

use livechat_engine::{Command, Secret};
use livechat_wire::ConversationId;
use livechat_wire::http::{LobbyDoor, SecretText};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::chores::Done;
use super::commands::Answer;
use super::requests::respond;
use super::{Driver, refusals};
use crate::api::{Error, JoinState, Response};
use crate::brain::Brain;
use crate::relay::RelayClient;
use crate::{env, limits};

/// What a new lobby is called.
const TITLE: &str = "Lobby";

/// A lobby that we are in.
pub(super) struct Own {
    conversation: ConversationId,
    link: String,
}

/// How far it got.
pub(super) enum Step {
    /// What stands at the relay, and what we are in.
    Looked { door: LobbyDoor, own: Vec<Own> },
    /// What stands at the relay after ours was put there.
    Put { door: LobbyDoor, ours: Own, founded: bool },
}

impl Driver {
    /// Goes into the lobby.
    pub(super) fn enter_lobby(&mut self, answer: Answer) {
        let Some(token) = self.parts.phase.token().cloned() else {
            return respond(answer, Err(refusals::logged_out()));
        };
        if self.tasks.len() >= limits::TASKS {
            return respond(answer, Err(refusals::busy()));
        }
        let (relay, brain) = (self.parts.relay.clone(), self.parts.brain.clone());
        self.tasks.spawn(async move { Done::Lobby(Box::new(look(&relay, &brain, &token).await), answer) });
    }

    pub(super) fn on_lobby(&mut self, step: Result<Step, Error>, answer: Answer) {
        match step {
            Err(e) => respond(answer, Err(e)),
            Ok(Step::Looked { door, own }) => self.lobby_looked(door, own, answer),
            Ok(Step::Put { door, ours, founded }) => {
                let stands = door.link.map(|l| l.0);
                if founded && stands.as_ref() != Some(&ours.link) {
                    // Somebody was faster; nobody else can be in ours.
                    self.command(Command::Leave { conversation: ours.conversation }, nobody());
                }
                self.command(Command::JoinLink { link: Secret(stands.unwrap_or(ours.link)) }, answer);
            }
        }
    }

    fn lobby_looked(&mut self, door: LobbyDoor, mut own: Vec<Own>, answer: Answer) {
        let link = door.link.as_ref().map(|l| l.0.clone());
        let inside = own.iter().any(|o| Some(&o.link) == link.as_ref());
        if let Some(link) = link.filter(|_| inside || !door.replaceable) {
            return self.command(Command::JoinLink { link: Secret(link) }, answer);
        }
        let Some(token) = self.parts.phase.token().cloned() else {
            return respond(answer, Err(refusals::logged_out()));
        };
        let (relay, brain) = (self.parts.relay.clone(), self.parts.brain.clone());
        let replaces = door.link.is_some().then_some(door.version);
        if let Some(ours) = own.pop() {
            self.tasks
                .spawn(async move { Done::Lobby(Box::new(put(&relay, &token, ours, replaces, false).await), answer) });
            return;
        }
        let (tell, told) = oneshot::channel();
        self.command(Command::FoundLobby { title: TITLE.to_owned() }, tell);
        self.tasks.spawn(async move {
            let step = match found(told, &brain).await {
                Ok(ours) => put(&relay, &token, ours, replaces, true).await,
                Err(e) => Err(e),
            };
            Done::Lobby(Box::new(step), answer)
        });
    }

    /// Says now and then that the lobby is alive, and moves along when it is somewhere else.
    pub(super) fn tend_lobby(&mut self) {
        self.lobby_at = Some(Instant::now() + limits::LOBBY_LOOK);
        let Some(token) = self.parts.phase.token().cloned() else { return };
        let (relay, brain) = (self.parts.relay.clone(), self.parts.brain.clone());
        self.tasks.spawn(async move {
            match renewed(&relay, &brain, &token).await {
                Ok(Some(moved)) => Done::Lobby(Box::new(Ok(moved)), nobody()),
                Ok(None) => Done::Nothing,
                Err(e) => {
                    tracing::debug!("the lobby couldn't be looked at: {}", e.message);
                    Done::Nothing
                }
            }
        });
    }
}

fn nobody() -> Answer {
    oneshot::channel().0
}

async fn lobbies(brain: &Brain) -> Result<Vec<Own>, Error> {
    let lobbies = brain.view(|engine, _| Ok(engine.lobbies())).await?;
    Ok(lobbies.into_iter().map(|(conversation, link)| Own { conversation, link: link.0 }).collect())
}

async fn look(relay: &RelayClient, brain: &Brain, token: &SecretText) -> Result<Step, Error> {
    let door = relay.lobby(token).await?;
    Ok(Step::Looked { door, own: lobbies(brain).await? })
}

async fn put(
    relay: &RelayClient,
    token: &SecretText,
    ours: Own,
    replaces: Option<u64>,
    founded: bool,
) -> Result<Step, Error> {
    let door = relay.put_lobby(token, ours.link.clone(), replaces).await?;
    Ok(Step::Put { door, ours, founded })
}

/// The lobby that was founded, with its link.
async fn found(told: oneshot::Receiver<Result<Response, Error>>, brain: &Brain) -> Result<Own, Error> {
    let gone = || Error::bad_request("The lobby is gone again.");
    let Response::Joining(joining) = told.await.map_err(|_| gone())?? else { return Err(gone()) };
    let JoinState::Joined { conversation } = joining.state else { return Err(gone()) };
    lobbies(brain).await?.into_iter().find(|o| o.conversation == conversation).ok_or_else(gone)
}

/// What is to be done about the lobbies that we are in, if anything.
async fn renewed(relay: &RelayClient, brain: &Brain, token: &SecretText) -> Result<Option<Step>, Error> {
    let own = lobbies(brain).await?;
    if own.is_empty() {
        return Ok(None);
    }
    let mut door = relay.lobby(token).await?;
    let inside = |door: &LobbyDoor| own.iter().any(|o| door.link.as_ref().is_some_and(|l| l.0 == o.link));
    if inside(&door) && door.renewed_at.saturating_add(limits::LOBBY_RENEW) <= env::now_s() {
        door = relay.renew_lobby(token, door.version).await?;
    }
    Ok((!inside(&door)).then_some(Step::Looked { door, own }))
}
