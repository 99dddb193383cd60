//! Files on their way: sealed and put on the shelf, brought to the relay, fetched from it, saved where somebody says.
//!
//! Every transfer is a [`job::Job`] in the store before anything of it leaves this process, and goes on from whatever is
//! on the shelf and at the relay: there is nothing else to remember. Tasks of their own do the work; the driver tells
//! them of sessions and of what the engine wants done.

#[cfg(test)]
mod bombs;
mod direct;
mod down;
mod error;
mod handover;
mod image;
mod job;
pub(crate) mod names;
mod open;
mod running;
mod save;
mod send;
mod shelf;
mod sound;
mod up;
mod withdraw;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use livechat_crypto::kv::Kv;
use livechat_engine::{Engine, FileChore, FileOf};
use livechat_wire::http::SecretText;
use livechat_wire::{BlobId, ConversationId, MessageId};
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::account::Phase;
use crate::account::saved::{Saved as _, SavedError};
use crate::api::{Error, ErrorCode, Event, Transfer, TransferState};
use crate::brain::Brain;
use crate::limits;
use crate::relay::RelayClient;

pub(crate) use handover::Giving;
use handover::Handovers;
use job::{Id, Job};
pub use open::OpenFile;
use running::{Halt, Running, too_large};
pub use send::NewFile;
pub(crate) use shelf::Shelf;

/// How a transfer ended: where the file was saved, if anywhere.
type Ended = Result<Option<PathBuf>, Error>;

/// Whether anything may be shown, and what opens the relay.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    /// Somebody is logged in, or has opened this device without the relay.
    pub(crate) open: bool,
    pub(crate) token: Option<SecretText>,
}

impl Session {
    pub(crate) fn of(phase: &Phase) -> Self {
        Self { open: phase.session().is_some(), token: phase.token().cloned() }
    }
}

/// All transfers of a node. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Files(Arc<Inner>);

struct Inner {
    shelf: Shelf,
    relay: RelayClient,
    brain: Brain,
    events: broadcast::WeakSender<Event>,
    session: watch::Sender<Session>,
    handovers: Handovers,
    running: Mutex<BTreeMap<Id, Running>>,
    places: Semaphore,
    /// One image at a time: each may take [`limits::IMAGE_DECODED`] and as much again.
    cleaning: Semaphore,
    withdrawals: Notify,
    direct: direct::Direct,
    stopping: CancellationToken,
    alive: Mutex<Option<mpsc::Sender<()>>>,
}

impl Files {
    pub(crate) fn new(
        shelf: Shelf,
        relay: RelayClient,
        brain: Brain,
        events: broadcast::WeakSender<Event>,
        session: Session,
    ) -> Self {
        Self(Arc::new(Inner {
            shelf,
            relay,
            brain,
            events,
            session: watch::Sender::new(session),
            handovers: Handovers::default(),
            running: Mutex::default(),
            places: Semaphore::new(limits::TRANSFERS),
            cleaning: Semaphore::new(1),
            withdrawals: Notify::new(),
            direct: direct::Direct::default(),
            stopping: CancellationToken::new(),
            alive: Mutex::default(),
        }))
    }

    /// The transfers that were under way, and whether files went directly, when this node was last stopped.
    pub(crate) fn kept(engine: &Engine, kv: &dyn Kv) -> Result<Kept, SavedError> {
        // What can't be read is told of again at the next start of a program that can.
        let taken = engine.handed_over(kv).ok().flatten();
        Ok(Kept {
            jobs: Job::all(kv)?,
            handovers: handover::Kept { given: Giving::all(kv)?, taken },
            directly: direct::Wish::load(kv)?.unwrap_or_default(),
        })
    }

    /// Goes on with what was begun. Returns what [`Files::stop`] waits for.
    pub(crate) fn begin(&self, kept: Kept) -> mpsc::Receiver<()> {
        let (alive, ended) = mpsc::channel(1);
        *self.0.alive.lock().unwrap_or_else(PoisonError::into_inner) = Some(alive);
        self.0.direct.wish.send_replace(kept.directly.0);
        for job in kept.jobs {
            self.start(job);
        }
        self.begin_handovers(kept.handovers);
        self.spawn(self.clone().withdraw());
        ended
    }

    /// Somebody logged in or out.
    pub(crate) fn session(&self, session: Session) {
        self.0.session.send_replace(session);
    }

    /// Ends all tasks; what they did so far is what they go on from.
    pub(crate) async fn stop(&self, mut ended: mpsc::Receiver<()>) {
        self.0.stopping.cancel();
        self.0.alive.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Nothing is ever sent: this is the end of the last task.
        while ended.recv().await.is_some() {}
    }

    /// What the engine wants done.
    pub(crate) fn perform(&self, chores: &[FileChore]) {
        for chore in chores {
            match chore {
                FileChore::Drop(blob) => self.drop_blob(*blob),
                FileChore::Offered(_) => self.0.direct.offers.send_modify(|n| *n = n.wrapping_add(1)),
                FileChore::Withdraw(_) => self.0.withdrawals.notify_one(),
            }
        }
    }

    fn drop_blob(&self, blob: BlobId) {
        for (_, gone) in self.running().extract_if(.., |_, r| r.job.blob == blob) {
            self.end(gone, TransferState::Cancelled);
        }
        if let Err(e) = self.0.shelf.drop_blob(blob) {
            // Its key is gone; the next start sweeps it.
            tracing::debug!("a sealed file couldn't be deleted yet: {e}");
        }
    }

    /// The account is gone: so is everything of it.
    pub(crate) fn forget_all(&self) {
        for (_, gone) in std::mem::take(&mut *self.running()) {
            gone.cancel.cancel();
        }
        self.forget_handovers();
        if let Err(e) = self.0.shelf.clear() {
            tracing::warn!("sealed files couldn't be deleted yet: {e}");
        }
    }

    /// Everything that is under way, waits or failed.
    pub(crate) fn list(&self) -> Vec<Transfer> {
        self.running().values().map(|r| r.view.clone()).collect()
    }

    /// Stops a transfer, or takes a failed one off the list.
    pub(crate) async fn cancel(&self, conversation: ConversationId, message: MessageId) -> Result<(), Error> {
        let ids = [true, false].map(|up| Id { conversation, message, up });
        let gone: Vec<_> = ids.iter().filter_map(|id| self.running().remove(id)).collect();
        if gone.is_empty() {
            return Err(Error::new(ErrorCode::NotFound, "No such file is on its way.", ""));
        }
        for running in gone {
            let (id, blob, up) = (running.job.id(), running.job.blob, running.job.id().up);
            running.cancel.cancel();
            self.0.brain.write(move |kv| Job::forget(id, kv)).await?;
            // It may have gone out at the last moment: then it is a message like others.
            let sent = self.0.brain.view(move |engine, kv| engine.knows_file(kv, blob)).await?;
            if up && !sent {
                self.drop_blob(blob);
                self.take_back(blob);
            }
            if !up && !self.0.shelf.has(blob) {
                self.drop_blob(blob);
            }
            self.end(running, TransferState::Cancelled);
        }
        Ok(())
    }

    /// Tells the relay, once, that a blob that no message speaks of isn't needed; without an answer it expires.
    fn take_back(&self, blob: BlobId) {
        let Some(token) = self.0.session.borrow().token.clone() else { return };
        let files = self.clone();
        self.spawn(async move {
            if let Err(e) = files.0.relay.remove_blob(&token, blob).await {
                tracing::debug!("a file that wasn't sent stays at the relay until it expires: {e}");
            }
        });
    }

    /// The file of a message.
    async fn file_of(&self, conversation: ConversationId, position: u64) -> Result<FileOf, Error> {
        if !self.0.session.borrow().open {
            let hint = "Log in with a code of the authenticator.";
            return Err(Error::new(ErrorCode::WrongState, "Nobody is logged in.", hint));
        }
        let found = self.0.brain.view(move |engine, kv| engine.file(kv, conversation, position)).await?;
        found.ok_or_else(|| {
            Error::new(ErrorCode::NotFound, "There is no such file, or not any more.", "Choose another message.")
        })
    }
}

/// Transfers as the store had them.
pub(crate) struct Kept {
    jobs: Vec<Job>,
    handovers: handover::Kept,
    directly: direct::Wish,
}

impl Kept {
    /// Whether one of them needs this blob's bytes.
    pub(crate) fn needs(&self, blob: BlobId) -> bool {
        self.jobs.iter().any(|job| job.blob == blob) || self.handovers.needs(blob)
    }
}

/// Runs what waits for the disk where waiting is allowed.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, error::FileError> + Send + 'static,
) -> Result<T, error::FileError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(error::FileError::Ended))
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("running", &self.running().len()).finish_non_exhaustive()
    }
}

/// A path that a face gave: from the root, so that it doesn't depend on where this process was started.
fn absolute(path: &str) -> Result<&Path, Error> {
    let path = Path::new(path);
    if path.is_absolute() { Ok(path) } else { Err(Error::bad_request("A path must begin at the root.")) }
}
