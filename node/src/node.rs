//! The handle.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::AsyncRead;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use zeroize::Zeroizing;

use crate::api::{ConversationId, Error, Event, Events, Request, Response, Restored, Transfer};
use crate::backup::{self, Sealing};
use crate::brain::{Brain, BrainError};
use crate::files::{Files, NewFile, OpenFile};
use crate::keeper::{Keeper, Open, Place};
use crate::relay::{RelayClient, RelayUrlError};
use crate::swarm::listen::{self, ListenError};
use crate::vault::locked::locked;
use crate::{Config, limits};

/// Name of the file in the data directory that one process at a time has locked.
const LOCK: &str = "node.lock";

/// Why a node can't start. Each names the cause and the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data directory can't be made or used.
    #[error(
        "can't use the data directory {path}: {cause}; check its owner and permissions, and that the disk isn't full"
    )]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Another process has it.
    #[error("a node is already running on {path}; use that one, stop it first, or choose another data directory")]
    AlreadyRunning {
        /// Which.
        path: PathBuf,
    },
    /// Store or engine can't be opened.
    #[error(transparent)]
    Brain(#[from] BrainError),
    /// The relay's address is no good.
    #[error(transparent)]
    RelayUrl(#[from] RelayUrlError),
    /// An address to listen on is no good, or taken.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// A running node, open or locked. Cheap to clone; it stops when [`Node::stop`] is called or the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Node(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    data_dir: PathBuf,
    asks: mpsc::Sender<Ask>,
    events: broadcast::WeakSender<Event>,
    /// What an open node has; none while it is locked.
    open: watch::Receiver<Option<Open>>,
    stopping: CancellationToken,
    _running: DropGuard,
    /// Closed when the driver has ended and everything is on disk.
    ended: watch::Receiver<()>,
}

/// The rest of a backup in the making.
#[derive(Debug)]
pub struct BackupChunks(Sealing);

impl BackupChunks {
    /// The next chunk; none behind the last one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.0.next().await
    }
}

/// A request on its way to the driver.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) request: Request,
    pub(crate) answer: oneshot::Sender<Result<Response, Error>>,
}

impl Node {
    /// Starts a node in `config.data_dir`, which it locks. An unreachable relay is no error: the node runs and retries.
    ///
    /// # Errors
    /// Whatever needs a person to act before this node can run; see [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let lock = lock(&config.data_dir)?;
        let relay = RelayClient::new(&config.relay_url)?;
        let listen = listen::check(&config.listen)?;
        let peers = listen::peers(&config.peers)?;
        let place =
            Place { dir: config.data_dir.clone(), relay: config.relay_url.clone(), listen, mdns: config.mdns, peers };
        // On a thread of the runtime: what the caller's stack has seen of the key would stay there.
        let begun = tokio::spawn(async move { place.begin().await.map(|state| (place, state)) });
        let (place, state) = begun.await.map_err(|_| BrainError::Ended)??;
        let (asks, asked) = mpsc::channel(limits::REQUESTS);
        let events = broadcast::Sender::new(limits::EVENTS);
        let weak = events.downgrade();
        let (running, ended) = watch::channel(());
        let stopping = CancellationToken::new();
        let (opened, open) = watch::channel(None);
        let keeper = Keeper { place, relay, asked, events, open: opened, lock };
        tokio::spawn({
            let stopping = stopping.clone();
            async move {
                keeper.run(state, stopping).await;
                drop(running);
            }
        });
        let running = stopping.clone().drop_guard();
        Ok(Self(Arc::new(Inner {
            data_dir: config.data_dir,
            asks,
            events: weak,
            open,
            stopping,
            _running: running,
            ended,
        })))
    }

    /// Asks the node. What comes back with `Ok` is durable.
    ///
    /// # Errors
    /// A refusal with its cause and the next step.
    pub async fn request(&self, request: Request) -> Result<Response, Error> {
        let (answer, answered) = oneshot::channel();
        if self.0.asks.send(Ask { request, answer }).await.is_err() {
            return Err(Error::stopped());
        }
        answered.await.unwrap_or_else(|_| Err(Error::stopped()))
    }

    /// Seals a backup for whoever saves it chunk by chunk. Gives its head, and what makes the rest.
    ///
    /// # Errors
    /// Nobody is logged in, or the secret is too short.
    pub async fn back_up(&self, secret: String) -> Result<(Vec<u8>, BackupChunks), Error> {
        self.request(Request::Profile).await?;
        let (head, sealing) = Sealing::begin(self.brain()?, Zeroizing::new(secret)).await?;
        Ok((head, BackupChunks(sealing)))
    }

    /// Gives a backup back, all or nothing.
    ///
    /// # Errors
    /// Nobody is logged in, the secret is another one, or the file is damaged.
    pub async fn give_back(&self, file: impl Read + Send + 'static, secret: String) -> Result<Restored, Error> {
        self.request(Request::Profile).await?;
        backup::give_back(&self.brain()?, file, Zeroizing::new(secret)).await
    }

    /// The open node's brain; it may have been locked since it was asked.
    fn brain(&self) -> Result<Brain, Error> {
        self.0.open.borrow().as_ref().map(|open| open.brain.clone()).ok_or_else(locked)
    }

    /// The open node's files.
    fn files(&self) -> Result<Files, Error> {
        self.0.open.borrow().as_ref().map(|open| open.files.clone()).ok_or_else(locked)
    }

    /// Sends a file that comes as a stream, `size` bytes if that is known. What comes back with `Ok` is sealed and on
    /// disk, and goes on by itself (see [`Request::SendFile`]).
    ///
    /// # Errors
    /// A refusal with its cause and the next step; nothing is kept of the file then.
    pub async fn send_file(
        &self,
        file: NewFile,
        reader: &mut (impl AsyncRead + Unpin + Send),
        size: Option<u64>,
    ) -> Result<Transfer, Error> {
        self.files()?.send(file, reader, size).await
    }

    /// Opens the file of a message for reading, once it is on this device ([`Request::FetchFile`]).
    ///
    /// # Errors
    /// There is none, or it has to be fetched first.
    pub async fn open_file(&self, conversation: ConversationId, position: u64) -> Result<OpenFile, Error> {
        self.files()?.open(conversation, position).await
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.0.events.upgrade().map(|s| s.subscribe()))
    }

    /// Stops and waits until everything is on disk and the data directory is free again.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        let mut ended = self.0.ended.clone();
        // The sender is never used, only dropped: this returns when the driver has ended.
        while ended.changed().await.is_ok() {}
    }

    /// Where this node lives.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.0.data_dir
    }

    /// Cancelled when the node begins to stop.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }
}

/// Makes the directory for its owner alone, and takes it for this process.
fn lock(dir: &Path) -> Result<File, StartError> {
    let failed = |cause| StartError::DataDir { path: dir.into(), cause };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    // Never removed: two processes could then hold locks on two files of the same name.
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(dir.join(LOCK));
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::AlreadyRunning { path: dir.into() }),
        Err(TryLockError::Error(cause)) => Err(failed(cause)),
    }
}
