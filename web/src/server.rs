//! Starting and stopping.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use livechat_node::Node;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::control::Control;
use crate::hosts::{BadHost, Hosts};
use crate::limits;
use crate::routes::{self, Shared};
use crate::sessions::{SessionError, Sessions};

/// What the web UI is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen: a loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Further names under which browsers may come, without port, e.g. `alice.localhost`. The first one is in the link.
    pub hosts: Vec<String>,
}

/// Why the web UI can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Other computers could reach it, in clear.
    #[error(
        "{0} can be reached from other computers, and this version serves its pages without TLS; listen on 127.0.0.1 \
         (from elsewhere: ssh -L 4810:127.0.0.1:4810 this-computer)"
    )]
    NotLoopback(SocketAddr),
    /// Somebody else has the port.
    #[error("{0} is in use; is another node running? Choose another port, or 0 for a free one")]
    InUse(SocketAddr),
    /// The address can't be had for another reason.
    #[error("can't listen on {addr}: {cause}")]
    Listen {
        /// Which.
        addr: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// A name that isn't one.
    #[error(transparent)]
    Host(#[from] BadHost),
    /// Links and sessions can't be kept.
    #[error(transparent)]
    Sessions(#[from] SessionError),
    /// The socket for `livechat-node link` can't be made.
    #[error("can't make the control socket in {dir}: {cause}")]
    Control {
        /// The data directory.
        dir: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// A web UI being served. Dropping it stops serving; [`Ui::stop`] does so in good order.
pub struct Ui {
    addr: SocketAddr,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

/// Serves `node` to browsers of this computer; listening when it returns.
///
/// # Errors
/// Whatever needs a person to act first; see [`StartError`].
pub async fn serve(node: Node, config: Config) -> Result<Ui, StartError> {
    if !config.listen.ip().is_loopback() {
        return Err(StartError::NotLoopback(config.listen));
    }
    let listen = |cause: io::Error| match cause.kind() {
        io::ErrorKind::AddrInUse => StartError::InUse(config.listen),
        _ => StartError::Listen { addr: config.listen, cause },
    };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let addr = listener.local_addr().map_err(listen)?;
    let hosts = Hosts::new(addr, &config.hosts)?;
    let dir = node.data_dir().to_path_buf();
    let sessions = Arc::new(Sessions::open(&dir)?);
    let control = Control::listen(&dir).map_err(|cause| StartError::Control { dir, cause })?;

    let stopping = CancellationToken::new();
    let sockets = Arc::new(Semaphore::new(limits::SOCKETS));
    let files = Arc::new(Semaphore::new(limits::FILES));
    let shared = Arc::new(Shared { node, hosts, sessions, sockets, files, stopping });
    let serving = axum::serve(listener, routes::router(shared.clone()))
        .with_graceful_shutdown(shared.stopping.clone().cancelled_owned());
    let telling = {
        let (shared, stopping) = (shared.clone(), shared.stopping.clone());
        control.serve(move || new_link(&shared), stopping)
    };
    let tasks = vec![
        tokio::spawn(async move {
            if let Err(e) = serving.await {
                tracing::error!("the web UI's server ended: {e}");
            }
        }),
        tokio::spawn(telling),
    ];
    Ok(Ui { addr, shared, tasks })
}

fn new_link(shared: &Shared) -> Option<String> {
    match shared.sessions.new_link() {
        // Behind the #: browsers keep that to themselves, so it is in no log and no Referer.
        Ok(token) => Some(format!("http://{}/#link={token}", shared.hosts.preferred())),
        Err(e) => {
            tracing::error!("no link: {e}");
            None
        }
    }
}

impl Ui {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address without a token, for browsers that have a session.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.shared.hosts.preferred())
    }

    /// A new one-time address that admits a browser, good for ten minutes. Without a token if the system gives no
    /// random numbers.
    #[must_use]
    pub fn link(&self) -> String {
        new_link(&self.shared).unwrap_or_else(|| self.url())
    }

    /// Closes the sockets and answers what was asked already.
    pub async fn stop(mut self) {
        self.shared.stopping.cancel();
        for mut task in std::mem::take(&mut self.tasks) {
            if timeout(limits::DRAIN, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Drop for Ui {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}

impl std::fmt::Debug for Ui {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ui").field("addr", &self.addr).finish_non_exhaustive()
    }
}
