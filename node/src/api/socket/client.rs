//! A face's side of the socket: the same shape as [`Node`](crate::Node).

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::line::{Line, Lines};
use crate::api::{Error, ErrorCode, Event, Events, Request, RequestFrame, Response, ServerFrame};
use crate::limits;

/// Bytes of one line from the node: a page of 200 messages, each the longest text with every byte escaped.
const SERVER_LINE: usize = 200 * limits::LINE;

/// Why there is no connection to a node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No node listens there.
    #[error("no node is running at {0}; start one first")]
    NotRunning(PathBuf),
    /// Anything else.
    #[error("can't connect to the node at {path}: {cause}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// A connection to a running node. Cheap to clone; closed when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    asks: mpsc::Sender<Ask>,
    events: broadcast::WeakSender<Event>,
    _open: DropGuard,
}

#[derive(Debug)]
struct Ask {
    request: Request,
    answer: oneshot::Sender<Result<Response, Error>>,
}

/// Requests sent and not answered yet; `None` once the connection is lost.
type Waiting = Arc<Mutex<Option<HashMap<u32, oneshot::Sender<Result<Response, Error>>>>>>;

impl Client {
    /// Connects to the node whose socket is at `path`.
    ///
    /// # Errors
    /// No node is there, or its socket isn't ours.
    pub async fn connect(path: impl AsRef<Path>) -> Result<Self, ConnectError> {
        let path = path.as_ref();
        let stream = UnixStream::connect(path).await.map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ConnectError::NotRunning(path.into()),
            _ => ConnectError::Io { path: path.into(), cause },
        })?;
        let (read, write) = stream.into_split();
        let (asks, asked) = mpsc::channel(limits::CLIENT_REQUESTS);
        let events = broadcast::Sender::new(limits::EVENTS);
        let waiting = Waiting::new(Mutex::new(Some(HashMap::new())));
        let open = CancellationToken::new();
        let weak = events.downgrade();
        tokio::spawn({
            let (waiting, open) = (waiting.clone(), open.clone());
            async move {
                let lost = tokio::select! {
                    () = open.cancelled() => Ok(()),
                    end = reading(read, &waiting, &events) => end,
                    end = writing(write, asked, &waiting) => end,
                };
                if let Err(e) = lost {
                    tracing::debug!("the connection to the node is lost: {e}");
                }
                // Dropping the senders answers everyone who still waits.
                waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        });
        Ok(Self(Arc::new(Inner { asks, events: weak, _open: open.drop_guard() })))
    }

    /// Asks the node.
    ///
    /// # Errors
    /// What the node refuses, or [`ErrorCode::Internal`] when the connection to it is lost.
    pub async fn request(&self, request: Request) -> Result<Response, Error> {
        let (answer, answered) = oneshot::channel();
        if self.0.asks.send(Ask { request, answer }).await.is_err() {
            return Err(lost());
        }
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.0.events.upgrade().map(|s| s.subscribe()))
    }
}

fn lost() -> Error {
    Error::new(ErrorCode::Internal, "The connection to the node is lost.", "Start the node again, then retry.")
}

async fn reading(read: OwnedReadHalf, waiting: &Waiting, events: &broadcast::Sender<Event>) -> io::Result<()> {
    let mut lines = Lines::new(read, SERVER_LINE);
    while let Some(line) = lines.next().await? {
        let Line::Whole(line) = line else { return Err(io::ErrorKind::InvalidData.into()) };
        let (id, result) = match serde_json::from_slice(&line)? {
            ServerFrame::Event { event } => {
                // Nobody listening is fine.
                events.send(event).unwrap_or_default();
                continue;
            }
            ServerFrame::Ok { id, ok } => (id, Ok(ok)),
            ServerFrame::Error { id: Some(id), error } => (id, Err(error)),
            ServerFrame::Error { id: None, error } => {
                tracing::warn!("the node couldn't read a frame: {error}");
                continue;
            }
        };
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = waiting.as_mut().and_then(|w| w.remove(&id))
            && answer.send(result).is_err()
        {
            tracing::debug!("nobody waits for an answer any more");
        }
    }
    Ok(())
}

async fn writing(mut write: OwnedWriteHalf, mut asked: mpsc::Receiver<Ask>, waiting: &Waiting) -> io::Result<()> {
    let mut next = 0u32;
    while let Some(Ask { request, answer }) = asked.recv().await {
        next = next.wrapping_add(1);
        if let Some(w) = waiting.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            w.insert(next, answer);
        }
        let mut line = serde_json::to_vec(&RequestFrame { id: next, request })?;
        line.push(b'\n');
        write.write_all(&line).await?;
    }
    Ok(())
}
