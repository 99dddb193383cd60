//! How a terminal gets a new link from a running node: a Unix socket in the data directory that tells one to whoever
//! may open it, which is the node's own user.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use crate::limits;

#[derive(Serialize, Deserialize)]
struct Told {
    link: String,
}

/// Why there is no new link.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// No node with a web UI runs there.
    #[error("no livechat-node is running on {0}; start it, and it prints its link")]
    NotRunning(PathBuf),
    /// It runs but can't be asked.
    #[error("can't ask the node at {path}: {cause}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

fn path(dir: &Path) -> PathBuf {
    dir.join("web.sock")
}

/// Asks the node that runs on the data directory `dir` for a new one-time link.
///
/// # Errors
/// No node runs there, or its socket isn't ours.
pub async fn ask_link(dir: &Path) -> Result<String, LinkError> {
    let ask = async {
        let mut stream = UnixStream::connect(path(dir)).await?;
        let mut line = Vec::new();
        stream.read_to_end(&mut line).await?;
        Ok(serde_json::from_slice::<Told>(&line)?.link)
    };
    ask.await.map_err(|cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => LinkError::NotRunning(dir.into()),
        _ => LinkError::Io { path: path(dir), cause },
    })
}

/// The socket; dropping it removes the file.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl Control {
    /// Listens in `dir`. The caller owns the directory (the node's lock), so a socket already there is a dead one.
    pub(crate) fn listen(dir: &Path) -> io::Result<Self> {
        let path = path(dir);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let owner = fs::metadata(&path)?.uid();
        Ok(Self { listener, path, owner })
    }

    /// Tells a new link to everyone who asks, until `stopping`.
    pub(crate) async fn serve(self, link: impl Fn() -> Option<String>, stopping: CancellationToken) {
        while let Some(peer) = stopping.run_until_cancelled(self.listener.accept()).await {
            match peer {
                // Between bind and chmod the umask ruled: ask who it is.
                Ok((stream, _)) if stream.peer_cred().is_ok_and(|c| c.uid() == self.owner) => {
                    let Some(link) = link() else { continue };
                    if let Err(e) = tell(stream, link).await {
                        tracing::debug!("nobody took the link: {e}");
                    }
                }
                Ok(_) => tracing::warn!("another user asked for a link and was turned away"),
                Err(e) => {
                    tracing::warn!("can't accept on {}: {e}", self.path.display());
                    tokio::time::sleep(limits::CONTROL_WRITE).await;
                }
            }
        }
    }
}

async fn tell(mut stream: UnixStream, link: String) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Told { link })?;
    line.push(b'\n');
    let telling = async {
        stream.write_all(&line).await?;
        stream.shutdown().await
    };
    tokio::time::timeout(limits::CONTROL_WRITE, telling).await?
}

impl Drop for Control {
    fn drop(&mut self) {
        // What can't be removed is a dead socket that the next start removes.
        fs::remove_file(&self.path).unwrap_or_default();
    }
}
