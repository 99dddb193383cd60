//! What outlives locking: the handle's requests and events, the data directory, and the turn from open to locked and
//! back. An open node is a driver with its brain; locking ends both, unlocking starts new ones.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use libp2p::Multiaddr;
use livechat_crypto::vault::Vault;
use livechat_wire::http::RelayInfo;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::account::Phase;
use crate::account::saved::{RelayCard, Saved, SavedError, SavedSession, UncheckedPhrase};
use crate::api::{Event, Response};
use crate::brain::{Brain, BrainError, Started};
use crate::driver::{Answer, Driver, Ended, Parts, respond};
use crate::env;
use crate::files::{Files, Kept, Session, Shelf};
use crate::node::Ask;
use crate::relay::RelayClient;
use crate::store::{DATABASE, Found, KEY, Key, OpenError, find};
use crate::sweep::Sweeping;
use crate::vault::files;
use crate::vault::locked::Locked;

/// Where a node lives and whom it talks to.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    pub(crate) relay: Url,
    pub(crate) listen: Vec<Multiaddr>,
    pub(crate) mdns: bool,
    pub(crate) peers: Vec<Multiaddr>,
}

/// What an opened store says first.
pub(crate) struct First {
    phase: Phase,
    card: Option<RelayInfo>,
    phrase_waits: bool,
    /// Transfers that were under way.
    kept: Kept,
    /// What doesn't belong there is gone from it.
    shelf: io::Result<Shelf>,
}

/// What the handle has of an open node.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) brain: Brain,
    pub(crate) files: Files,
}

/// A store with its engine, opened.
pub(crate) struct Opened {
    pub(crate) started: Started<First>,
}

/// How a node begins.
pub(crate) enum State {
    Open(Box<Opened>),
    /// Who asked for that is to be told.
    Locked(Box<Vault>, Option<Answer>),
}

impl Place {
    /// The relay's address as people see it.
    pub(crate) fn relay_url(&self) -> String {
        self.relay.as_str().trim_end_matches('/').to_owned()
    }

    /// Opens the store if its key is there, or finds it locked. A session that is over locks what a vault guards.
    pub(crate) async fn begin(&self) -> Result<State, BrainError> {
        let key = match find(&self.dir)? {
            Found::Locked(vault) => return Ok(State::Locked(vault, None)),
            Found::Key(key) => key,
        };
        let opened = self.open(key).await?;
        let over = opened.started.first.phase == Phase::LoggedOut && opened.started.snapshot.guard.is_some();
        if over && opened.started.brain.release().await.is_ok() {
            opened.close().await;
            // Read before the key went: there, unless somebody takes it away in between.
            let gone = || OpenError::KeyMissing { path: self.dir.join(KEY), database: self.dir.join(DATABASE) };
            let vault = files::read(&self.dir)?.ok_or_else(gone)?;
            return Ok(State::Locked(Box::new(vault), None));
        }
        Ok(State::Open(Box::new(opened)))
    }

    /// Opens the store with its key.
    pub(crate) async fn open(&self, key: Key) -> Result<Opened, BrainError> {
        let dir = self.dir.clone();
        let started = Brain::start(self.dir.clone(), key, move |engine, kv| {
            let kept = Files::kept(engine, kv)?;
            // What can't be looked up is kept.
            let knows = |blob| kept.needs(blob) || engine.knows_file(kv, blob).unwrap_or(true);
            let shelf = Shelf::open(&dir, knows);
            Ok::<_, SavedError>(First {
                phase: Phase::load(kv, engine.account().map(|_| engine.is_removed()), env::now_s())?,
                card: RelayCard::load(kv)?.map(|c| c.0),
                phrase_waits: UncheckedPhrase::load(kv)?.is_some(),
                kept,
                shelf,
            })
        });
        let opened = Opened { started: started.await? };
        if let Err(e) = &opened.started.first.shelf {
            let failed = BrainError::Files(io::Error::new(e.kind(), e.to_string()));
            opened.close().await;
            return Err(failed);
        }
        Ok(opened)
    }
}

impl Opened {
    /// What was asked of it before it runs: somebody came in.
    pub(crate) fn enter(&mut self, session: SavedSession) {
        self.started.first.phase = Phase::Active(session);
    }

    /// The session that the store has, if it is in force.
    pub(crate) fn session(&self) -> Option<&SavedSession> {
        self.started.first.phase.session()
    }

    async fn close(self) {
        drop(self.started.outcomes);
        self.started.brain.stop();
        let thread = self.started.thread;
        if tokio::task::spawn_blocking(move || thread.join()).await.is_err() {
            tracing::warn!("the store's thread couldn't be waited for");
        }
    }
}

/// Held by a task for as long as the node lives.
pub(crate) struct Keeper {
    pub(crate) place: Place,
    pub(crate) relay: RelayClient,
    pub(crate) asked: mpsc::Receiver<Ask>,
    pub(crate) events: broadcast::Sender<Event>,
    /// What the handle has of an open node.
    pub(crate) open: watch::Sender<Option<Open>>,
    /// Held until everything is closed.
    pub(crate) lock: File,
}

impl Keeper {
    /// From open to locked and back, until the node stops.
    pub(crate) async fn run(mut self, mut state: State, stopping: CancellationToken) {
        // Who unlocked it, to be told once it runs.
        let mut greeting = None;
        loop {
            state = match state {
                State::Open(opened) => match self.drive(*opened, greeting.take(), &stopping).await {
                    Some((vault, answer)) => State::Locked(vault, answer),
                    None => break,
                },
                State::Locked(vault, answer) => {
                    // Whoever is told that it is locked may take the machine's memory.
                    let sweeping = Sweeping::begin().await;
                    self.locked(&vault, answer);
                    let Some((opened, answer)) = self.wait(*vault, &stopping).await else { break };
                    drop(sweeping);
                    greeting = Some(answer);
                    State::Open(Box::new(opened))
                }
            };
        }
        drop(self.lock);
    }

    /// Runs an open node. What it locked itself into, and who asked for that; none when it stopped.
    async fn drive(
        &mut self,
        opened: Opened,
        greeting: Option<Answer>,
        stopping: &CancellationToken,
    ) -> Option<(Box<Vault>, Option<Answer>)> {
        let Started { brain, outcomes, snapshot, first, thread } = opened.started;
        let shelf = match first.shelf {
            Ok(shelf) => shelf,
            Err(e) => {
                tracing::error!("the folder of files can't be used: {e}; the node stops");
                return None;
            }
        };
        let session = Session::of(&first.phase);
        let files = Files::new(shelf, self.relay.clone(), brain.clone(), self.events.downgrade(), session);
        self.open.send_replace(Some(Open { brain: brain.clone(), files: files.clone() }));
        let driver = Driver::new(Parts {
            relay_url: self.place.relay_url(),
            listen: self.place.listen.clone(),
            mdns: self.place.mdns,
            peers: self.place.peers.clone(),
            relay: self.relay.clone(),
            files,
            kept: Some(first.kept),
            brain,
            outcomes,
            snapshot,
            phase: first.phase,
            phrase_waits: first.phrase_waits,
            card: first.card,
            events: self.events.clone(),
            thread,
        });
        let ended = driver.run(&mut self.asked, greeting, stopping).await;
        self.open.send_replace(None);
        let Ended::Locked(answer) = ended else { return None };
        // Connections to the relay have seen tokens: they end with what they were for.
        match RelayClient::new(&self.place.relay) {
            Ok(fresh) => self.relay = fresh,
            Err(e) => tracing::warn!("the connections to the relay stay: {e}"),
        }
        match files::read(&self.place.dir) {
            Ok(Some(vault)) => Some((Box::new(vault), answer)),
            // It was read before the key went: somebody took it away in between.
            Ok(None) | Err(_) => {
                tracing::error!("the vault is gone from the data directory; the node stops");
                None
            }
        }
    }

    /// Tells everybody, then whoever asked for it.
    fn locked(&mut self, vault: &Vault, answer: Option<Answer>) {
        self.at_the_door(vault.clone()).tell();
        if let Some(answer) = answer {
            respond(answer, Ok(Response::Done));
        }
    }

    async fn wait(&mut self, vault: Vault, stopping: &CancellationToken) -> Option<(Opened, Answer)> {
        self.at_the_door(vault).wait(stopping).await
    }

    fn at_the_door(&mut self, vault: Vault) -> Locked<'_> {
        Locked { place: &self.place, relay: &self.relay, vault, asked: &mut self.asked, events: &self.events }
    }
}
