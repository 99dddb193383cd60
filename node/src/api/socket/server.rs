//! The node's side of the socket.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::line::{Line, Lines};
use crate::Node;
use crate::api::{Error, RequestFrame, ServerFrame};
use crate::limits;

/// Why the socket can't be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The socket can't be made.
    #[error("can't listen on {path}: {cause}; is the directory there, writable, and its path shorter than 100 bytes?")]
    Listen {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// A socket being served. Dropping it stops serving.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    /// Device and inode of our socket file.
    file: (u64, u64),
    cancel: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Server {
    /// Where clients connect.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Disconnects all clients and removes the socket.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        if let Some(task) = self.task.take()
            && task.await.is_err()
        {
            tracing::warn!("the socket's task ended in a panic");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cancel.cancel();
        // The next node may have put its own socket there by now. What can't be removed is a dead file, which the
        // next start replaces.
        if std::fs::metadata(&self.path).is_ok_and(|m| (m.dev(), m.ino()) == self.file) {
            std::fs::remove_file(&self.path).unwrap_or_default();
        }
    }
}

/// Serves `node` on a Unix socket at `path`; listening when it returns, until the [`Server`] is dropped or the node
/// stops. A socket file left behind by a crash is replaced: the caller must own the directory (the node's lock).
///
/// # Errors
/// The socket can't be made.
pub async fn serve(node: Node, path: impl AsRef<Path>) -> Result<Server, ServeError> {
    let path = path.as_ref().to_path_buf();
    let listen = |cause| ServeError::Listen { path: path.clone(), cause };
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(listen(e)),
    }
    let listener = UnixListener::bind(&path).map_err(listen)?;
    // Between bind and this the umask rules; `accept` asks each peer who it is, so nobody slips in.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(listen)?;
    let made = std::fs::metadata(&path).map_err(listen)?;
    let cancel = node.stopping().child_token();
    let task = tokio::spawn(accept(node, listener, made.uid(), cancel.clone()));
    Ok(Server { path, file: (made.dev(), made.ino()), cancel, task: Some(task) })
}

async fn accept(node: Node, listener: UnixListener, owner: u32, cancel: CancellationToken) {
    let mut clients = JoinSet::new();
    let free = Arc::new(Semaphore::new(limits::CLIENTS));
    loop {
        let Some(permit) = cancel.run_until_cancelled(free.clone().acquire_owned()).await else { break };
        tokio::select! {
            () = cancel.cancelled() => break,
            peer = listener.accept() => match peer {
                Ok((stream, _)) if stream.peer_cred().is_ok_and(|c| c.uid() == owner) => {
                    let (node, cancel) = (node.clone(), cancel.clone());
                    clients.spawn(async move {
                        let served = cancel.run_until_cancelled(client(node, stream)).await;
                        if let Some(Err(e)) = served {
                            tracing::debug!("a socket client is gone: {e}");
                        }
                        drop(permit);
                    });
                }
                Ok(_) => tracing::warn!("a socket client of another user was turned away"),
                Err(e) => {
                    // Out of file descriptors, most likely: waiting is all that helps.
                    tracing::warn!("can't accept a socket client: {e}");
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
            }
        }
        while clients.try_join_next().is_some() {}
    }
    clients.shutdown().await;
}

async fn client(node: Node, stream: UnixStream) -> io::Result<()> {
    let (read, write) = stream.into_split();
    let mut events = node.events();
    let (frames, outbox) = mpsc::channel(limits::CLIENT_REQUESTS);
    let mut lines = Lines::new(read, limits::LINE);
    let writing = write_frames(write, outbox);
    let event_frames = frames.clone();
    let telling = async move {
        while let Some(event) = events.next().await {
            if event_frames.send(ServerFrame::Event { event }).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let asking = async move {
        let mut answers = JoinSet::new();
        while let Some(line) = lines.next().await? {
            match parse(line) {
                Ok(frame) => {
                    let (node, frames) = (node.clone(), frames.clone());
                    answers.spawn(async move { answer(&node, frame, &frames).await });
                }
                Err((id, error)) => {
                    if frames.send(ServerFrame::Error { id, error }).await.is_err() {
                        break;
                    }
                }
            }
            while answers.len() >= limits::CLIENT_REQUESTS && answers.join_next().await.is_some() {}
            while answers.try_join_next().is_some() {}
        }
        // The client closed its side; what it asked is still carried out and answered.
        while answers.join_next().await.is_some() {}
        Ok(())
    };
    tokio::select! {
        done = asking => done,
        done = writing => done,
        () = telling => Ok(()),
    }
}

async fn answer(node: &Node, frame: RequestFrame, frames: &mpsc::Sender<ServerFrame>) {
    let RequestFrame { id, request } = frame;
    let frame = match node.request(request).await {
        Ok(ok) => ServerFrame::Ok { id, ok },
        Err(error) => ServerFrame::Error { id: Some(id), error },
    };
    if frames.send(frame).await.is_err() {
        tracing::debug!("a socket client left before its answer");
    }
}

/// Reads a frame; a failure carries the request's id when that much could be read.
fn parse(line: Line) -> Result<RequestFrame, (Option<u32>, Error)> {
    let Line::Whole(line) = line else {
        return Err((None, Error::bad_request(format!("A frame is longer than {} bytes.", limits::LINE))));
    };
    serde_json::from_slice::<RequestFrame>(&line).map_err(|cause| {
        let id = serde_json::from_slice::<serde_json::Value>(&line)
            .ok()
            .and_then(|v| v.get("id")?.as_u64())
            .and_then(|id| u32::try_from(id).ok());
        // serde quotes what it read; bound that, and never let it carry control characters to a terminal.
        let cause: String = cause.to_string().chars().filter(|c| !c.is_control()).take(300).collect();
        (id, Error::bad_request(format!("Not a request: {cause}.")))
    })
}

/// Each frame goes out by itself: a buffer would keep the last ones.
async fn write_frames(mut write: OwnedWriteHalf, mut frames: mpsc::Receiver<ServerFrame>) -> io::Result<()> {
    while let Some(frame) = frames.recv().await {
        let mut line = serde_json::to_vec(&frame)?;
        line.push(b'\n');
        tokio::time::timeout(limits::CLIENT_WRITE, write.write_all(&line))
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
    }
    Ok(())
}
