//! The only loop: requests, timers, the swarm and the brain's answers.
//!
//! It holds no truth: what matters is in the store, what is here can be lost at any moment. It never waits for the
//! brain (feeding doesn't block), so the brain may wait for it.

pub(crate) mod backoff;
mod chores;
mod commands;
mod devices;
mod heard;
mod link;
mod lobby;
mod outcomes;
pub(crate) mod refusals;
mod requests;
mod welcomes;

use std::collections::VecDeque;
use std::thread::JoinHandle;

use libp2p::Multiaddr;
use livechat_wire::http::{RelayInfo, SecretText};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::account::{Phase, linking, ticket};
use crate::api::{AccountState, Error, Event, RelayState, Response, Status};
use crate::brain::{Brain, Outcome, Snapshot};
use crate::files::{Files, Kept};
use crate::node::Ask;
use crate::relay::RelayClient;
use crate::swarm::{Heard, Network};
use crate::{env, limits};

use chores::Done;
pub(crate) use commands::Answer;
use commands::Commands;
use heard::Fetch;
use link::Link;
pub(crate) use requests::respond;

/// Everything a driver is made of.
pub(crate) struct Parts {
    pub(crate) relay_url: String,
    pub(crate) listen: Vec<Multiaddr>,
    pub(crate) mdns: bool,
    pub(crate) peers: Vec<Multiaddr>,
    pub(crate) relay: RelayClient,
    pub(crate) files: Files,
    /// Transfers of the last run.
    pub(crate) kept: Option<Kept>,
    pub(crate) brain: Brain,
    pub(crate) outcomes: mpsc::Receiver<Outcome>,
    pub(crate) snapshot: Snapshot,
    pub(crate) phase: Phase,
    /// Whether the recovery phrase waits to be checked.
    pub(crate) phrase_waits: bool,
    /// The relay's card as last seen.
    pub(crate) card: Option<RelayInfo>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) thread: JoinHandle<()>,
}

/// Why a driver ended.
pub(crate) enum Ended {
    Stopped,
    /// The key's file is gone, and so is everything that was here; who asked for it is to be told.
    Locked(Option<Answer>),
}

pub(crate) struct Driver {
    parts: Parts,
    status: Status,
    /// Whether something the status shows may have changed.
    stale: bool,
    live_users: Option<u32>,
    network: Option<Network>,
    link: Link,
    fetch: Fetch,
    commands: Commands,
    gossip_waiting: usize,
    tasks: JoinSet<Done>,
    flows: VecDeque<(requests::FlowRequest, Answer)>,
    flow_running: bool,
    /// When the engine wants to be called; none while a call is under way.
    wake: Option<Instant>,
    tend_at: Instant,
    stock_at: Option<Instant>,
    /// When the relay's lobby is looked at again.
    lobby_at: Option<Instant>,
    /// When it is looked whether this device was added, or whether another one was.
    devices_at: Option<Instant>,
    /// The session that the relay has ended; the account's log is to say why.
    refused: Option<SecretText>,
    /// A sign-up that is done but for being reachable, and until when that is waited for.
    newcomer: Option<(Answer, Result<Response, Error>, Instant)>,
    /// Set when the key is gone: the loop ends, and who asked for that is told afterwards.
    locking: Option<Option<Answer>>,
    /// When somebody last asked for something.
    used_at: Instant,
}

impl Driver {
    pub(crate) fn new(parts: Parts) -> Self {
        let status = Status {
            account: AccountState::None,
            relay_url: parts.relay_url.clone(),
            relay: RelayState::Connecting,
            peers: 0,
            queued: 0,
            live_users: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let now = Instant::now();
        let mut driver = Self {
            status,
            stale: false,
            live_users: None,
            network: None,
            link: Link::new(),
            fetch: Fetch::Idle,
            commands: Commands::default(),
            gossip_waiting: 0,
            tasks: JoinSet::new(),
            flows: VecDeque::new(),
            flow_running: false,
            wake: Some(now),
            tend_at: now,
            stock_at: None,
            lobby_at: None,
            devices_at: None,
            refused: None,
            newcomer: None,
            locking: None,
            used_at: now,
            parts,
        };
        driver.status = driver.current_status();
        driver
    }

    /// Runs until the node stops or is locked. `greeting` is told once everything stands.
    pub(crate) async fn run(
        mut self,
        asked: &mut mpsc::Receiver<Ask>,
        greeting: Option<Answer>,
        stopping: &CancellationToken,
    ) -> Ended {
        self.begin();
        if let Some(greeting) = greeting {
            // Faces have shown a locked node until now.
            self.tell(Event::Status(self.status.clone()));
            respond(greeting, Ok(Response::Done));
        }
        let transfers = self.parts.kept.take().map(|kept| self.parts.files.begin(kept));
        let mut asks = self.parts.files.asks();
        while self.locking.is_none() {
            let wake = self.next_wake();
            tokio::select! {
                () = stopping.cancelled() => break,
                outcome = self.parts.outcomes.recv() => match outcome {
                    Some(outcome) => self.on_outcome(outcome),
                    None => {
                        tracing::error!("the store's thread has ended; the node stops");
                        break;
                    }
                },
                heard = hear(&mut self.network) => self.on_heard(heard),
                Some(done) = self.tasks.join_next() => match done {
                    Ok(done) => self.on_done(done),
                    Err(e) => {
                        tracing::error!("a task of the driver failed: {e}");
                        self.flow_running = false;
                        self.next_flow();
                    }
                },
                Some(ask) = asked.recv() => self.on_ask(ask),
                Some(ask) = from_files(&mut asks) => if let Some(network) = &mut self.network {
                    network.ask_directly(ask);
                },
                () = sleep_until(wake) => self.on_time(),
            }
            self.tell_status();
        }
        let locking = self.locking.take();
        self.end(transfers).await;
        locking.map_or(Ended::Stopped, Ended::Locked)
    }

    /// What was known before this start is used at once; the relay's present card comes later.
    fn begin(&mut self) {
        if self.parts.snapshot.account.is_some()
            && let Some(card) = self.parts.card.clone()
        {
            self.join(card);
        }
        if self.parts.phase.token().is_some() {
            self.lobby_at = Some(Instant::now() + limits::HTTP_TOTAL);
            self.stock_at = Some(Instant::now());
        }
        self.devices_at = Some(Instant::now());
    }

    async fn end(self, transfers: Option<mpsc::Receiver<()>>) {
        let Parts { brain, outcomes, thread, files, .. } = self.parts;
        drop(self.network);
        let mut tasks = self.tasks;
        tasks.shutdown().await;
        // Before the brain: they write down what they did.
        if let Some(transfers) = transfers {
            files.stop(transfers).await;
        }
        // With nobody to take effects, the brain works through what it has and ends.
        drop(outcomes);
        brain.stop();
        if tokio::task::spawn_blocking(move || thread.join()).await.is_err() {
            tracing::warn!("the store's thread couldn't be waited for");
        }
    }

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let dues = [
            self.wake,
            Some(self.tend_at),
            self.stock_at,
            self.lobby_at,
            self.devices_at,
            self.newcomer.as_ref().map(|(_, _, until)| *until),
            self.link.http.next.filter(|_| !self.link.looking),
            self.link.peer.next,
            self.fetch.resumes_at(),
            self.session_ends().map(|at| outcomes::instant(at.saturating_mul(1_000))),
            self.idle_until(),
        ];
        dues.into_iter().flatten().min().unwrap_or(now + limits::NAP).min(now + limits::NAP)
    }

    fn tell_status(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let status = self.current_status();
        if status != self.status {
            self.status = status.clone();
            self.tell(Event::Status(status));
        }
    }

    /// Nobody listening is fine.
    fn tell(&self, event: Event) {
        self.parts.events.send(event).map(drop).unwrap_or_default();
    }

    fn current_status(&self) -> Status {
        let snapshot = &self.parts.snapshot;
        let account = match (&self.parts.phase, &snapshot.account) {
            // The sign-up that was shown goes on until it is answered.
            _ if self.newcomer.is_some() => self.status.account.clone(),
            (Phase::Active(session), Some(me)) => AccountState::Active {
                username: me.username.clone(),
                account: me.account,
                device: me.device,
                session_expires_at: session.expires_at,
                logged_in: session.token.is_some(),
                phrase_waits: self.parts.phrase_waits,
                removed: snapshot.removed,
            },
            (_, Some(me)) => AccountState::LoggedOut { username: me.username.clone() },
            (Phase::Pending(pending), None) => {
                ticket::of(pending).map_or(AccountState::None, |ticket| AccountState::Pending { ticket })
            }
            (Phase::Linking(waits), None) => {
                linking::ticket(waits).map_or(AccountState::None, |ticket| AccountState::Linking { ticket })
            }
            (_, None) => AccountState::None,
        };
        Status {
            account,
            relay_url: self.parts.relay_url.clone(),
            relay: self.link.state(snapshot.account.is_some()),
            peers: self.network.as_ref().map_or(0, Network::peers),
            queued: snapshot.queued,
            live_users: self.live_users,
            version: self.status.version.clone(),
        }
    }

    /// The session's end, by the clock: at most a nap late.
    fn check_session(&mut self) {
        if self.session_ends().is_some_and(|at| at <= env::now_s()) {
            self.lock();
        }
    }

    /// Unix seconds. A removed device has nothing to log in to again: it stays as it is.
    fn session_ends(&self) -> Option<u64> {
        self.parts.phase.session().filter(|_| !self.parts.snapshot.removed).map(|s| s.expires_at)
    }
}

async fn hear(network: &mut Option<Network>) -> Heard {
    match network {
        Some(network) => network.next().await,
        None => std::future::pending().await,
    }
}

async fn from_files(asks: &mut Option<mpsc::Receiver<crate::swarm::Ask>>) -> Option<crate::swarm::Ask> {
    match asks {
        Some(asks) => asks.recv().await,
        None => std::future::pending().await,
    }
}
