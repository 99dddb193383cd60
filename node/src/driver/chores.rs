//! What comes round by the clock: the relay's card, live count and stock over HTTP, connecting, tending the swarm.

use livechat_engine::{FileFailure, LookupFailure, LookupId};
use livechat_wire::BlobId;
use livechat_wire::account::AccountLog;
use livechat_wire::http::{DirectoryEntry, KeyPackageStock, LiveCount, ProblemCode, RelayInfo, SecretText};
use tokio::time::Instant;

use super::Driver;
use super::commands::Answer;
use super::heard::Fetch;
use super::requests::{FlowRequest, respond};
use crate::account::Phase;
use crate::account::flow::{Ended, Flow};
use crate::account::saved::RelayCard;
use crate::api::{Error, Response};
use crate::brain::Feed;
use crate::relay::AskError;
use crate::swarm::{Network, TEND, Wanted};
use crate::{env, limits};

/// How a task ended.
pub(super) enum Done {
    Flow(Box<Ended>, Answer),
    Card(Box<Result<RelayInfo, AskError>>),
    Live(SecretText, Result<LiveCount, AskError>),
    Stock(SecretText, Result<KeyPackageStock, AskError>),
    Lobby(Box<Result<super::lobby::Step, crate::api::Error>>, Answer),
    Lookup {
        generation: u64,
        lookup: LookupId,
        answer: Box<Result<DirectoryEntry, LookupFailure>>,
    },
    /// The log of our own account, as the relay has it.
    OwnLog(Option<SecretText>, Result<AccountLog, Error>),
    Uploaded(BlobId, Result<(), FileFailure>),
    Fetched(BlobId, Result<Vec<u8>, FileFailure>),
    /// A part of a file for another node.
    Given(Box<(Wanted, livechat_wire::direct::Response)>),
    PhraseChecked(Box<Result<Response, Error>>, Answer),
    Nothing,
}

impl Driver {
    pub(super) fn on_done(&mut self, done: Done) {
        match done {
            Done::Flow(ended, answer) => {
                let (phase, result) = *ended;
                self.flow_running = false;
                self.parts.phrase_waits |= matches!(result, Ok(Response::SignedUp(_)));
                self.on_phase(phase);
                if self.parts.phase == Phase::Locked {
                    // Told when everything is closed.
                    self.locking = Some(Some(answer));
                    return;
                }
                if matches!(result, Ok(Response::SignedUp(_))) && self.parts.phase.token().is_some() {
                    // Told when others can add them, so that "my name is …" works at once.
                    self.newcomer = Some((answer, result, Instant::now() + limits::FIRST_KEYS));
                } else {
                    // The state is told before the answer: whoever asks next sees it.
                    self.tell_status();
                    respond(answer, result);
                }
                self.next_flow();
            }
            Done::Card(card) => self.on_card(*card),
            Done::Live(token, answer) => self.on_live(&token, answer),
            Done::Stock(token, answer) => match answer {
                Ok(stock) => {
                    if stock.last_resort {
                        self.welcome();
                    }
                    self.stock_at = Some(Instant::now() + limits::STOCK_POLL);
                    self.parts.brain.feed(Feed::Stock(stock));
                }
                Err(e) => {
                    tracing::debug!("the stock of key packages couldn't be looked after: {e}");
                    self.stock_at = Some(Instant::now() + limits::STOCK_RETRY);
                    self.check_refusal(&token, &e);
                }
            },
            Done::Lookup { generation, lookup, answer } => {
                self.parts.brain.feed(Feed::Directory { generation, lookup, answer });
            }
            Done::OwnLog(refused, log) => self.on_own_log(refused, log),
            Done::Uploaded(blob, answer) => self.parts.brain.feed(Feed::Uploaded { blob, answer }),
            Done::Fetched(blob, answer) => self.parts.brain.feed(Feed::Fetched { blob, answer }),
            Done::Given(given) => {
                let (wanted, response) = *given;
                if let Some(network) = &mut self.network {
                    network.give(wanted, response);
                }
            }
            Done::Lobby(step, answer) => self.on_lobby(*step, answer),
            Done::PhraseChecked(result, answer) => {
                if result.is_ok() {
                    self.parts.phrase_waits = false;
                    self.stale = true;
                    self.tell_status();
                }
                respond(answer, *result);
            }
            Done::Nothing => {}
        }
    }

    pub(super) fn on_time(&mut self) {
        let now = Instant::now();
        self.check_session();
        if self.idle_until().is_some_and(|at| at <= now) {
            self.used_at = now;
            self.flow(FlowRequest::Lock, tokio::sync::oneshot::channel().0);
        }
        if self.wake.is_some_and(|at| at <= now) {
            self.wake = None;
            self.parts.brain.feed(Feed::Timer);
        }
        if self.link.http.is_due(now) && !self.link.looking {
            self.look();
        }
        if self.link.peer.is_due(now) {
            self.connect();
        }
        if self.newcomer.as_ref().is_some_and(|(_, _, until)| *until <= now) {
            self.welcome();
        }
        if self.tend_at <= now {
            self.tend_at = now + TEND;
            if let Some(network) = &mut self.network {
                network.tend(now);
            }
        }
        if self.lobby_at.is_some_and(|at| at <= now) {
            self.tend_lobby();
        }
        if self.devices_at.is_some_and(|at| at <= now) {
            self.look_at_devices();
        }
        if self.stock_at.is_some_and(|at| at <= now) {
            self.look_at_stock();
        }
        if self.fetch.resumes_at().is_some_and(|at| at <= now) {
            self.fetch = Fetch::Idle;
            self.fetch_more();
        }
    }

    /// Answers a sign-up.
    fn welcome(&mut self) {
        if let Some((answer, result, _)) = self.newcomer.take() {
            self.stale = true;
            self.tell_status();
            respond(answer, result);
        }
    }

    /// Reads the relay's card, or the live count, which tells just as well whether it answers.
    fn look(&mut self) {
        self.link.looking = true;
        let relay = self.parts.relay.clone();
        match self.parts.phase.token().cloned() {
            Some(token) if !self.link.card_wanted => {
                self.tasks.spawn(async move {
                    let answer = relay.live(&token).await;
                    Done::Live(token, answer)
                });
            }
            _ => {
                self.tasks.spawn(async move { Done::Card(Box::new(relay.info().await)) });
            }
        }
    }

    fn on_card(&mut self, card: Result<RelayInfo, AskError>) {
        self.link.looking = false;
        self.stale = true;
        // Back from an absence: no need to wait out the other side's pause.
        let back = self.link.http.good == Some(false);
        let card = match card {
            Ok(card) => card,
            Err(e) => return self.link.http.fails(e.reason()),
        };
        if self.parts.snapshot.account.as_ref().is_some_and(|a| a.relay != card.relay) {
            let why = "Another relay answers there than the one of this account; check the relay's address.";
            return self.link.http.fails(why.into());
        }
        let (ours, theirs) = (env::now_s(), card.time);
        let minutes = ours.abs_diff(theirs) / 60;
        self.link.card_wanted = false;
        if ours.abs_diff(theirs) > limits::CLOCK_SKEW {
            let why = format!("This device's clock and the relay's are {minutes} minutes apart; set the clock right.");
            self.link.http.fails(why);
            self.link.card_wanted = true;
        } else {
            self.link.http.works(Some(limits::HTTP_POLL));
            if self.parts.phase.token().is_some() {
                // The live count is wanted soon, not a poll later.
                self.link.http.hurry();
            }
        }
        let moved = self.parts.card.as_ref().is_none_or(|c| c.addresses != card.addresses);
        if self.parts.card.as_ref() != Some(&card) {
            let brain = self.parts.brain.clone();
            let keep = RelayCard(card.clone());
            self.tasks.spawn(async move {
                if let Err(e) = brain.save(keep).await {
                    tracing::debug!("the relay's card couldn't be kept: {e}");
                }
                Done::Nothing
            });
            self.parts.card = Some(card.clone());
        }
        if self.parts.snapshot.account.is_some() {
            if back || moved {
                self.link.peer.hurry();
            }
            self.join(card);
        }
        self.revoke();
    }

    fn on_live(&mut self, token: &SecretText, answer: Result<LiveCount, AskError>) {
        self.link.looking = false;
        self.stale = true;
        match answer {
            Ok(live) => {
                self.link.http.works(Some(limits::HTTP_POLL));
                if self.link.card_wanted {
                    // Asked for while this was under way.
                    self.link.http.hurry();
                }
                self.live_users = self.parts.phase.token().map(|_| live.users);
            }
            Err(e) if e.problem() == Some(ProblemCode::Unauthenticated) => {
                self.link.http.works(Some(limits::HTTP_POLL));
                self.check_refusal(token, &e);
            }
            Err(e) => {
                self.live_users = None;
                self.link.card_wanted = true;
                self.link.http.fails(e.reason());
            }
        }
    }

    /// The relay ended this session: it was revoked elsewhere, the relay forgot it, or this device was removed, which
    /// the account's log tells.
    fn check_refusal(&mut self, token: &SecretText, e: &AskError) {
        let refused = e.problem() == Some(ProblemCode::Unauthenticated);
        if refused && self.parts.phase.token() == Some(token) && self.refused.as_ref() != Some(token) {
            self.refused = Some(token.clone());
            self.look_at_devices();
        }
    }

    /// Locks the faces: the session is over.
    pub(super) fn lock(&mut self) {
        if self.flow_running {
            // A log-in or log-out is under way and decides; if it doesn't, the next look comes back here.
            return;
        }
        self.on_phase(Phase::LoggedOut);
        // Nobody waits for it.
        self.flow(FlowRequest::Over, tokio::sync::oneshot::channel().0);
    }

    /// When the node is to lock itself, unless somebody asks for something before.
    pub(super) fn idle_until(&self) -> Option<Instant> {
        if self.parts.snapshot.removed {
            return None;
        }
        let after = self.parts.snapshot.guard.map(|g| g.habits.lock_after).filter(|s| *s > 0)?;
        Some(self.used_at + std::time::Duration::from_secs(after.into())).filter(|_| !self.flow_running)
    }

    /// There is an account where there was none.
    pub(super) fn on_account(&mut self) {
        match self.parts.card.clone() {
            Some(card) => self.join(card),
            None => {
                self.link.card_wanted = true;
                self.link.http.hurry();
            }
        }
    }

    /// Joins the network that the card describes, or takes over new addresses, and connects unless a pause between
    /// two tries has to pass first.
    pub(super) fn join(&mut self, card: RelayInfo) {
        let joined = match self.network.as_mut().filter(|n| n.fits(&card)) {
            Some(network) => network.update(card),
            None => Network::new(card, &self.parts.listen, self.parts.mdns, &self.parts.peers).map(|network| {
                self.fetch = Fetch::Idle;
                self.network = Some(network);
            }),
        };
        let bucket = self.parts.snapshot.bucket;
        let joined = joined.and_then(|()| self.network.as_mut().map_or(Ok(()), |n| n.join(bucket)));
        self.stale = true;
        match joined {
            Ok(()) => {
                let connected = self.network.as_ref().is_some_and(Network::is_connected);
                if !connected && self.link.peer.next.is_none_or(|at| at <= Instant::now()) {
                    self.connect();
                }
            }
            Err(e) => self.link.peer.fails(format!("Joining the network failed: {e}.")),
        }
    }

    fn connect(&mut self) {
        match &mut self.network {
            Some(network) if network.is_connected() => self.link.peer.works(None),
            Some(network) => {
                network.connect();
                // An answer is sure to come sooner; this is for the day it isn't.
                self.link.peer.next = Some(Instant::now() + limits::DIAL);
            }
            None => {
                self.link.peer.next = None;
                self.link.card_wanted = true;
                self.link.http.hurry();
            }
        }
    }

    fn look_at_stock(&mut self) {
        self.stock_at = None;
        let Some(token) = self.parts.phase.token().cloned() else { return };
        let relay = self.parts.relay.clone();
        self.tasks.spawn(async move {
            let answer = relay.stock(&token).await;
            Done::Stock(token, answer)
        });
    }

    /// Ends sessions at the relay that ended here while it was away.
    fn revoke(&mut self) {
        let flow = Flow { relay: self.parts.relay.clone(), brain: self.parts.brain.clone() };
        self.tasks.spawn(async move {
            flow.revoke_saved().await;
            Done::Nothing
        });
    }
}
