//! The engine and its store on a thread of their own: the one place that commits.
//!
//! The driver feeds inputs, the thread handles as many as wait in one transaction, commits, and only then hands out
//! the effects ([`Outcome`]). Feeding never blocks; the driver bounds what it feeds. A failed transaction leaves no
//! trace: the engine is opened anew from the store, and the inputs are tried again one by one.

mod feed;
mod guard;
mod inside;
mod thread;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc as jobs;

use livechat_crypto::kv::Kv;
use livechat_engine::backup::{RestoreError, Restored};
use livechat_engine::{Account, Command, CommandError, CommandId, Effects, Engine, Reply, ViewError};
use livechat_wire::backup::Record;
use livechat_wire::http::DeviceProof;
use livechat_wire::sync::Cursor;
use tokio::sync::{mpsc, oneshot};

use crate::account::saved::{Saved, SavedError};
use crate::api::{Error, ErrorCode};
use crate::limits;
use crate::search::SearchError;
use crate::store::{Key, Store};
use crate::sweep;

pub(crate) use feed::{Activation, Feed};
pub(crate) use guard::{Guard, unguarded};
pub(crate) use inside::Failure;
use inside::Inside;
use thread::Job;

/// Why the brain can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrainError {
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] crate::store::OpenError),
    /// The store holds what this program can't read.
    #[error(
        "the store can't be read: {0}; if a newer version wrote it, update this program, else restore it from a backup"
    )]
    Engine(#[from] livechat_engine::OpenError),
    /// The same, of what the node keeps beside the engine.
    #[error("the store can't be read: {0}")]
    Saved(#[from] SavedError),
    /// The folder of files.
    #[error(
        "the folder of files in the data directory can't be used: {0}; check its owner and permissions, and that the disk isn't full"
    )]
    Files(std::io::Error),
    /// The system refused a thread.
    #[error("the system refused a thread: {0}; free some memory or raise the limit of processes")]
    Thread(std::io::Error),
    /// A defect of ours; the log has more.
    #[error("the store's thread ended unexpectedly; please report this")]
    Ended,
}

/// What the driver needs to know after every batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) account: Option<Account>,
    pub(crate) bucket: u16,
    pub(crate) cursor: Cursor,
    pub(crate) queued: u32,
    /// Whether this device was removed from its account.
    pub(crate) removed: bool,
    pub(crate) wake_at: Option<u64>,
    /// The vault that would give the key back; none before the first log-in that made one.
    pub(crate) guard: Option<Guard>,
    /// How often the engine was opened; ids of look-ups are its own each time.
    pub(crate) generation: u64,
}

/// What came of a batch, committed.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) effects: Vec<Effects>,
    /// Inputs of each kind that were dealt with, whether they succeeded or not.
    pub(crate) commands: Vec<CommandId>,
    pub(crate) gossip: usize,
    /// Whether a page was taken over; none when none was in the batch.
    pub(crate) page: Option<bool>,
    /// Commands that failed with their transaction.
    pub(crate) failed: Vec<(CommandId, Failure)>,
    /// Whether the store failed in between; what the engine had in memory alone (look-ups) is gone then.
    pub(crate) reopened: bool,
    pub(crate) snapshot: Snapshot,
}

/// The handle; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Brain {
    jobs: jobs::Sender<Job>,
    /// Unix seconds of the last device proof.
    proved_at: Arc<AtomicU64>,
}

/// A brain that has just started.
pub(crate) struct Started<T> {
    pub(crate) brain: Brain,
    pub(crate) outcomes: mpsc::Receiver<Outcome>,
    pub(crate) snapshot: Snapshot,
    /// What the caller wanted read first.
    pub(crate) first: T,
    pub(crate) thread: std::thread::JoinHandle<()>,
}

impl Brain {
    /// Opens store and engine in `dir`, which the caller has locked, with their key, and reads `first`.
    pub(crate) async fn start<T: Send + 'static>(
        dir: PathBuf,
        key: Key,
        first: impl FnOnce(&Engine, &dyn Kv) -> Result<T, SavedError> + Send + 'static,
    ) -> Result<Started<T>, BrainError> {
        let (jobs, inbox) = jobs::channel();
        let (outbox, outcomes) = mpsc::channel(limits::OUTCOMES);
        let (ready, opened) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("livechat-brain".into())
            .stack_size(limits::BRAIN_STACK)
            .spawn(move || {
                think(dir, key, first, ready, &inbox, &outbox);
                sweep::stack();
            })
            .map_err(BrainError::Thread)?;
        let (snapshot, first) = opened.await.map_err(|_| BrainError::Ended)??;
        Ok(Started { brain: Self { jobs, proved_at: Arc::default() }, outcomes, snapshot, first, thread })
    }

    /// Hands an input over. What comes of it arrives as an [`Outcome`].
    pub(crate) fn feed(&self, feed: Feed) {
        if self.jobs.send(Job::Feed(feed)).is_err() {
            tracing::debug!("an input came after the end");
        }
    }

    /// Ends the thread behind everything that was handed over before.
    pub(crate) fn stop(&self) {
        if self.jobs.send(Job::Stop).is_err() {
            tracing::debug!("the brain has ended already");
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Inside) -> (Result<T, Failure>, Option<Outcome>) + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Run(Box::new(move |inside| {
            let (result, outcome) = work(inside);
            // Whoever asked may have given up; what was committed stays.
            (outcome, Box::new(move || drop(answer.send(result))) as Box<dyn FnOnce() + Send>)
        }));
        self.jobs.send(job).map_err(|_| Error::stopped())?;
        answered.await.map_err(|_| Error::stopped())?.map_err(|e| e.to_api())
    }

    /// Forgets everything: whose node it was, what was said, every key.
    pub(crate) async fn wipe(&self) -> Result<(), Error> {
        self.run(|inside| match inside.wipe() {
            Ok(outcome) => (Ok(()), Some(outcome)),
            Err(e) => (Err(e), None),
        })
        .await
    }

    /// Asks the engine about what is stored.
    pub(crate) async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine, &dyn Kv) -> Result<T, ViewError> + Send + 'static,
    ) -> Result<T, Error> {
        self.run(|inside| (inside.view(look), None)).await
    }

    /// Gives a backup back.
    pub(crate) async fn restore<E: Send + 'static>(
        &self,
        records: impl Iterator<Item = Result<Record, E>> + Send + 'static,
    ) -> Result<Result<Restored, RestoreError<E>>, Error> {
        self.run(|inside| match inside.restore(records) {
            Ok((done, outcome)) => (Ok(done), outcome),
            Err(e) => (Err(e), None),
        })
        .await
    }

    /// Asks engine and search index together.
    pub(crate) async fn search<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine, &Store) -> Result<T, SearchError> + Send + 'static,
    ) -> Result<T, Error> {
        self.run(|inside| (inside.search(look), None)).await
    }

    /// Reads what the node keeps.
    pub(crate) async fn load<T: Saved + Send + 'static>(&self) -> Result<Option<T>, Error> {
        self.run(|inside| (inside.write(|kv| T::load(kv)), None)).await
    }

    /// Changes what the node keeps, in one transaction.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Kv) -> Result<T, SavedError> + Send + 'static,
    ) -> Result<T, Error> {
        self.run(|inside| (inside.write(work), None)).await
    }

    /// Keeps a value and gives it back.
    pub(crate) async fn save<T: Saved + Send + 'static>(&self, value: T) -> Result<T, Error> {
        self.write(move |kv| value.save(kv).map(|()| value)).await
    }

    /// Forgets a value.
    pub(crate) async fn clear<T: Saved + Send + 'static>(&self) -> Result<(), Error> {
        self.write(|kv| T::clear(kv)).await
    }

    /// Makes the account and, with it, the session; the pending sign-up ends in the same transaction.
    pub(crate) async fn activate(&self, activation: Activation) -> Result<(), Error> {
        self.run(|inside| match inside.activate(activation) {
            Ok(outcome) => (Ok(()), Some(outcome)),
            Err(e) => (Err(e), None),
        })
        .await
    }

    /// Has the engine do something that it answers at once.
    pub(crate) async fn command(&self, command: Command) -> Result<Result<Reply, CommandError>, Error> {
        self.command_and(command, |_| Ok(())).await
    }

    /// The same, and changes what the node keeps with it, whatever the engine answers.
    pub(crate) async fn command_and(
        &self,
        command: Command,
        also: impl FnOnce(&mut dyn Kv) -> Result<(), SavedError> + Send + 'static,
    ) -> Result<Result<Reply, CommandError>, Error> {
        self.run(|inside| match inside.command(command, also) {
            Ok((reply, outcome)) => (Ok(reply), Some(outcome)),
            Err(e) => (Err(e), None),
        })
        .await
    }

    /// Whose node this is.
    pub(crate) async fn account(&self) -> Result<Account, Error> {
        self.view(|engine, _| Ok(engine.account())).await?.ok_or_else(no_account)
    }

    /// Proves this device to its relay.
    pub(crate) async fn prove(&self, now_s: u64) -> Result<DeviceProof, Error> {
        let now_s = self.proof_time(now_s);
        self.view(move |engine, _| {
            let me = engine.account().zip(engine.identity());
            Ok(me.map(|(a, identity)| identity.prove_device(&a.relay, &a.username, now_s)))
        })
        .await?
        .ok_or_else(no_account)
    }
}

impl Brain {
    /// A proof counts once at the relay, and one second is one proof: a second try within it borrows from the next.
    fn proof_time(&self, now_s: u64) -> u64 {
        let last = self.proved_at.load(Ordering::Relaxed);
        let ahead = last.saturating_sub(now_s);
        let time = if last >= now_s && ahead < limits::PROOFS_AHEAD { last + 1 } else { now_s };
        self.proved_at.store(time, Ordering::Relaxed);
        time
    }
}

/// The thread's life. Apart from where it ends, so that the sweep there reaches this frame too.
#[inline(never)]
fn think<T>(
    dir: PathBuf,
    key: Key,
    first: impl FnOnce(&Engine, &dyn Kv) -> Result<T, SavedError>,
    ready: oneshot::Sender<Result<(Snapshot, T), BrainError>>,
    inbox: &jobs::Receiver<Job>,
    outbox: &mpsc::Sender<Outcome>,
) {
    let open = || -> Result<_, BrainError> {
        let inside = Inside::open(dir, key)?;
        let first = inside.look(first)?;
        Ok((inside, first))
    };
    match open() {
        Ok((inside, first)) => {
            if ready.send(Ok((inside.snapshot(), first))).is_ok() {
                thread::run(inside, inbox, outbox);
            }
        }
        Err(e) => drop(ready.send(Err(e))),
    }
}

fn no_account() -> Error {
    Error::new(ErrorCode::WrongState, "Nobody has signed up on this device.", "Sign up first.")
}
