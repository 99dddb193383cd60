//! Starting and stopping a relay.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use livechat_net::connections;
use livechat_wire::RelayId;
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::accounts::Accounts;
use crate::blobs::Blobs;
use crate::config::Config;
use crate::env::{Env, NoRandomness};
use crate::http::{self, App};
use crate::keys::{KeyFileError, Keys};
use crate::limits;
use crate::metrics::Metrics;
use crate::network::{self, NetworkConfig, NetworkError, NetworkHandle};
use crate::store::accounts::AccountStore;
use crate::store::blobs::BlobStore;
use crate::store::{OpenError, Store, StoreError, UnknownStore, blobs, envelopes, slots};
use crate::totp::{BadLabel, TotpSecret};

/// Why a relay couldn't start. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data directory can't be used.
    #[error("can't use the data directory {path}: {source}; create it, or choose another with --data-dir")]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The relay's keys can't be had.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The store's URL isn't one.
    #[error(transparent)]
    Location(#[from] UnknownStore),
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The database was written under other keys.
    #[error(
        "the database was written under other keys than {path}; restore that file from your backup, or use another \
         database"
    )]
    OtherKeys {
        /// The key file.
        path: PathBuf,
    },
    /// The HTTP address can't be had.
    #[error("can't serve HTTP on {address}: {source}; is another process using it? Choose another with --http")]
    Http {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An address for peers is taken.
    #[error("can't listen for peers on {address}: {source}; is another process using it? Choose another with --p2p")]
    Peers {
        /// Which address.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The network side can't start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The relay's name can't be shown by authenticator apps.
    #[error(transparent)]
    Name(#[from] BadLabel),
    /// The system gives no randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl From<StoreError> for StartError {
    fn from(e: StoreError) -> Self {
        Self::Store(OpenError::Store(e))
    }
}

/// A running relay. Dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct Relay {
    id: RelayId,
    http: SocketAddr,
    network: Network,
    server: JoinHandle<()>,
    housekeeping: JoinHandle<()>,
    stop: DropGuard,
}

/// The network side, until it is stopped.
type Network = Arc<RwLock<Option<NetworkHandle>>>;

/// Starts a relay; it listens when this returns.
///
/// # Errors
/// See [`StartError`].
pub async fn start(config: Config) -> Result<Relay, StartError> {
    start_with(config, Env::system()).await
}

/// Starts a relay with a clock of the caller's.
///
/// # Errors
/// See [`StartError`].
pub async fn start_with(config: Config, env: Env) -> Result<Relay, StartError> {
    start_wrapped(config, env, |store| store).await
}

/// The stores that HTTP requests reach.
pub struct Stores {
    /// Accounts.
    pub accounts: Arc<dyn AccountStore>,
    /// Blobs.
    pub blobs: Arc<dyn BlobStore>,
}

/// Starts a relay; `wrap` may put something around its stores.
pub(crate) async fn start_wrapped(
    config: Config,
    env: Env,
    wrap: impl FnOnce(Stores) -> Stores,
) -> Result<Relay, StartError> {
    // Opened once, as every log-in link will be: a bad name is found now and not by the first user.
    TotpSecret::new(env.random()?).uri(&config.name, "x")?;
    let location = config.store.parse()?;
    // For its owner alone: keys lie here, and usually the database.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data_dir)
        .map_err(|source| StartError::DataDir { path: config.data_dir.clone(), source })?;
    let keys = Keys::load(&config.data_dir, &env)?;
    config.p2p.iter().try_for_each(|address| refuse_taken(address))?;
    // The port before the database: two relays by mistake must not both migrate it.
    let listener = http::bind(config.http).await.map_err(|source| StartError::Http { address: config.http, source })?;
    let http = listener.local_addr().map_err(|source| StartError::Http { address: config.http, source })?;
    let store = Store::open(&location).await?;
    let envelopes = envelopes::open(&store).await?;
    let slots = slots::open(&store);
    let blobs = blobs::open(&store).await?;
    let accounts: Arc<dyn AccountStore> = match store {
        Store::Sqlite(db) => Arc::new(db),
        Store::Mongo(db) => Arc::new(db),
    };
    let Stores { accounts, blobs } = wrap(Stores { accounts, blobs });
    let limits = config.limits.clone();
    let blobs = Blobs::new(blobs, env.clone(), &limits);
    let accounts = Accounts::new(accounts, keys.clone(), env.clone(), limits, config.name.clone())?;
    if !accounts.keys_match().await? {
        return Err(StartError::OtherKeys { path: config.data_dir.join(crate::keys::FILE) });
    }

    let mut registry = Registry::default();
    let network_config = NetworkConfig {
        listen: config.p2p,
        announce: config.announce,
        data_dir: config.data_dir,
        network: config.network.clone(),
        generation: limits::GENERATION,
        bucket_bits: limits::BUCKET_BITS,
        topic_bits: limits::TOPIC_BITS,
        connections: connections::Limits::RELAY,
    };
    let signing = keys.signing().clone();
    let handle = network::start(network_config, envelopes.clone(), slots, signing, env.clone(), &mut registry).await?;
    let network: Network = Arc::new(RwLock::new(Some(handle)));
    let addresses = {
        let network = network.clone();
        Arc::new(move || addresses(&network))
    };
    let metrics = Arc::new(Metrics::new(registry));
    let app = App::new(accounts, blobs, envelopes, env, metrics, config.limits, config.network, addresses);

    let stop = CancellationToken::new();
    let server = tokio::spawn(http::serve(listener, app.clone(), stop.clone().cancelled_owned()));
    let housekeeping = tokio::spawn(housekeeping(app, stop.clone()));
    let id = keys.relay();
    tracing::info!(%http, "the relay is ready");
    Ok(Relay { id, http, network, server, housekeeping, stop: stop.drop_guard() })
}

impl Relay {
    /// Where HTTP is served.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// Where peers connect, each ending in `/p2p/<peer>`.
    #[must_use]
    pub fn p2p_addrs(&self) -> Vec<String> {
        addresses(&self.network)
    }

    /// The key that signs receipts.
    #[must_use]
    pub fn id(&self) -> RelayId {
        self.id
    }

    /// Takes no more connections, lets requests end, stores what is queued.
    pub async fn stop(self) {
        drop(self.stop);
        for task in [self.server, self.housekeeping] {
            if let Err(e) = task.await {
                tracing::error!(error = %e, "a part of the relay had died");
            }
        }
        let handle = self.network.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            handle.stop().await;
        }
    }
}

/// libp2p shares TCP ports (SO_REUSEPORT): a second relay on the port of the first would take half of its peers, and
/// nobody would be told. A socket that doesn't share finds out.
fn refuse_taken(address: &str) -> Result<(), StartError> {
    let Ok(parsed) = address.parse::<Multiaddr>() else { return Ok(()) };
    let parts: Vec<Protocol<'_>> = parsed.iter().take(2).collect();
    let at: SocketAddr = match parts[..] {
        [Protocol::Ip4(ip), Protocol::Tcp(port)] => (ip, port).into(),
        [Protocol::Ip6(ip), Protocol::Tcp(port)] => (ip, port).into(),
        _ => return Ok(()),
    };
    let bound = std::net::TcpListener::bind(at);
    bound.map(drop).map_err(|source| StartError::Peers { address: address.to_owned(), source })
}

fn addresses(network: &Network) -> Vec<String> {
    let network = network.read().unwrap_or_else(PoisonError::into_inner);
    network.as_ref().map(NetworkHandle::addrs).unwrap_or_default()
}

/// Removes what is over, in the database and in memory.
async fn housekeeping(app: Arc<App>, stop: CancellationToken) {
    let mut timer = tokio::time::interval(limits::HOUSEKEEPING);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = timer.tick() => {}
            () = stop.cancelled() => return,
        }
        app.rates.forget();
        match app.accounts.expire().await {
            Ok(gone) => tracing::debug!(gone, "removed what was over"),
            Err(e) => tracing::warn!(error = %e, "what is over stays until the next minute"),
        }
        match app.blobs.sweep().await {
            Ok(gone) => tracing::debug!(gone, "removed files that are over"),
            Err(e) => tracing::warn!(error = %e, "files that are over stay until the next minute"),
        }
    }
}
