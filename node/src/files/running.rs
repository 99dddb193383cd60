//! The tasks that move files, and what is known of each while it runs.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use livechat_wire::blob;
use livechat_wire::http::{ProblemCode, SecretText};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::job::{Id, Job};
use super::{Ended, Files};
use crate::api::{Error, ErrorCode, Event, Transfer, TransferState};
use crate::driver::backoff::Backoff;
use crate::limits;
use crate::relay::AskError;

/// A transfer that has a task, or had one and failed.
pub(super) struct Running {
    pub(super) job: Job,
    pub(super) view: Transfer,
    pub(super) told: Instant,
    pub(super) cancel: CancellationToken,
    pub(super) ended: watch::Sender<Option<Ended>>,
}

/// Why a transfer doesn't go on at the moment.
pub(super) enum Halt {
    /// For good.
    For(Error),
    /// For a while.
    Until(String),
    /// Until somebody logs in.
    Session,
}

impl Files {
    /// Begins a transfer, or shows the one that is under way.
    pub(super) fn start(&self, job: Job) -> (Transfer, watch::Receiver<Option<Ended>>) {
        let id = job.id();
        let mut running = self.running();
        if let Some(there) = running.get(&id).filter(|r| r.ended.borrow().is_none()) {
            return (there.view.clone(), there.ended.subscribe());
        }
        let cancel = self.0.stopping.child_token();
        let view = Transfer {
            conversation: id.conversation,
            message: id.message,
            up: id.up,
            name: job.name.clone(),
            size: job.size,
            done: 0,
            total: blob::sealed(job.size),
            direct: false,
            state: TransferState::Running,
        };
        let (ended, end) = watch::channel(None);
        let entry =
            Running { job: job.clone(), view: view.clone(), told: Instant::now(), cancel: cancel.clone(), ended };
        running.insert(id, entry);
        drop(running);
        self.tell(Event::TransferChanged { transfer: view.clone() });
        let files = self.clone();
        self.spawn(async move {
            tokio::select! {
                // Whoever cancels cleans up; at the end of the process nothing is to be done.
                () = cancel.cancelled() => {}
                ended = files.drive(job) => files.ended(id, ended).await,
            }
        });
        (view, end)
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let alive = self.0.alive.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stopping = self.0.stopping.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = task => {}
            }
            drop(alive);
        });
    }

    /// Tries until it is done, or can't be.
    pub(super) async fn drive(&self, mut job: Job) -> Ended {
        let id = job.id();
        let mut pause = Backoff::new(limits::TRANSFER_RETRY_FIRST, limits::TRANSFER_RETRY_MAX);
        loop {
            let token = self.token(id).await;
            let Ok(place) = self.0.places.acquire().await else { return Err(Error::stopped()) };
            self.change(id, |view| view.state = TransferState::Running);
            let before = self.done(id);
            let tried = if id.up { self.up(&mut job, &token).await } else { self.down(&job).await };
            drop(place);
            match tried {
                Ok(path) => return Ok(path),
                Err(Halt::For(error)) => return Err(error),
                Err(Halt::Session) => self.wait(id, "Nobody is logged in.".into(), &token, &mut pause).await,
                Err(Halt::Until(reason)) => {
                    if self.done(id) > before {
                        pause.reset();
                    }
                    self.wait(id, reason, &token, &mut pause).await;
                }
            }
        }
    }

    /// The session's token, as soon as there is one.
    pub(super) async fn token(&self, id: Id) -> SecretText {
        let mut session = self.0.session.subscribe();
        loop {
            if let Some(token) = session.borrow_and_update().token.clone() {
                return token;
            }
            self.change(id, |view| view.state = TransferState::Waiting { reason: "Nobody is logged in.".into() });
            if session.changed().await.is_err() {
                // The node ends, and this task with it.
                std::future::pending::<()>().await;
            }
        }
    }

    pub(super) async fn wait(&self, id: Id, reason: String, token: &SecretText, pause: &mut Backoff) {
        tracing::debug!("a transfer waits: {reason}");
        self.change(id, |view| view.state = TransferState::Waiting { reason });
        let mut session = self.0.session.subscribe();
        let mut offers = self.0.direct.offers.subscribe();
        let renewed = session.wait_for(|now| now.token.as_ref().is_some_and(|now| now != token));
        tokio::select! {
            () = tokio::time::sleep(pause.next()) => {}
            _ = renewed => {}
            _ = offers.changed(), if !id.up => {}
        }
    }

    pub(super) async fn ended(&self, id: Id, ended: Ended) {
        if let Err(e) = self.0.brain.write(move |kv| Job::forget(id, kv)).await {
            tracing::debug!("a transfer that is over is taken up again at the next start: {e}");
        }
        let failed = ended.as_ref().err().cloned();
        let mut running = self.running();
        match failed {
            // Stays on the list until somebody has seen it.
            Some(Error { message, hint, .. }) => {
                let Some(entry) = running.get_mut(&id) else { return };
                entry.view.state = TransferState::Failed { message, hint };
                let transfer = entry.view.clone();
                entry.ended.send_replace(Some(ended));
                drop(running);
                self.tell(Event::TransferChanged { transfer });
            }
            None => {
                let Some(mut entry) = running.remove(&id) else { return };
                drop(running);
                entry.view.done = entry.view.total;
                entry.ended.send_replace(Some(ended));
                self.end(entry, TransferState::Done);
            }
        }
    }

    pub(super) fn end(&self, mut running: Running, state: TransferState) {
        running.cancel.cancel();
        running.view.state = state;
        self.tell(Event::TransferChanged { transfer: running.view });
    }

    pub(super) fn change(&self, id: Id, change: impl FnOnce(&mut Transfer)) {
        let mut running = self.running();
        let Some(entry) = running.get_mut(&id) else { return };
        let before = entry.view.clone();
        change(&mut entry.view);
        let stale = entry.told.elapsed() >= limits::TRANSFER_TOLD;
        if entry.view.state != before.state || (entry.view != before && stale) {
            entry.told = Instant::now();
            let transfer = entry.view.clone();
            drop(running);
            self.tell(Event::TransferChanged { transfer });
        }
    }

    pub(super) fn done(&self, id: Id) -> u64 {
        self.running().get(&id).map_or(0, |r| r.view.done)
    }

    /// Nobody logged in, nothing to see.
    pub(super) fn tell(&self, event: Event) {
        if self.0.session.borrow().open
            && let Some(events) = self.0.events.upgrade()
        {
            // Nobody listening is fine.
            events.send(event).map(drop).unwrap_or_default();
        }
    }

    pub(super) fn running(&self) -> MutexGuard<'_, BTreeMap<Id, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<AskError> for Halt {
    fn from(e: AskError) -> Self {
        match e.problem() {
            Some(ProblemCode::Unauthenticated) => Self::Session,
            Some(ProblemCode::QuotaExceeded) => Self::For(Error::new(
                ErrorCode::QuotaExceeded,
                "Your share of the relay's room for files is used up.",
                "Delete files that you have sent for everyone, or wait until they expire.",
            )),
            Some(ProblemCode::TooLarge) => Self::For(too_large()),
            Some(ProblemCode::NotFound) => Self::For(Error::new(
                ErrorCode::NotFound,
                "The relay doesn't have this file any more.",
                "Ask for it to be sent again.",
            )),
            Some(ProblemCode::BadRequest) => Self::For(e.into()),
            _ => Self::Until(e.reason()),
        }
    }
}

pub(super) fn too_large() -> Error {
    let hint = "Send it in pieces, or make it smaller.";
    Error::new(ErrorCode::TooLarge, "The file is larger than what this relay keeps.", hint)
}
