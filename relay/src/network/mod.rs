//! The libp2p side of the relay: gossip's best-connected member, the keeper of envelopes, a way round NATs.
//!
//! One task drives the swarm ([`task`]), one writes ([`ingest`]), and each request is answered in a task of its own
//! ([`serve`]). Nothing received can end any of them, and each queue between them has a bound ([`limits`]). What waits
//! in memory only has been acknowledged to nobody: killing the process loses no receipt's envelope.

mod behaviour;
mod ingest;
mod key;
pub mod limits;
mod metrics;
mod quota;
mod serve;
mod task;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use ed25519_dalek::SigningKey;
use futures::StreamExt;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm, TransportError};
use livechat_net::{BuildError, connections, gossip};
use livechat_wire::limits as wire;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use key::{FILE as PEER_KEY_FILE, PeerKeyError};

use self::behaviour::Behaviour;
use self::ingest::Ingest;
use self::metrics::Metrics;
use self::quota::{Places, Quotas};
use self::serve::Server;
use self::task::{Addresses, Layout, Task};
use crate::env::Env;
use crate::store::envelopes::EnvelopeStore;
use crate::store::slots::{self, SlotStore};

/// What the network side needs to know.
#[derive(Debug, Clone)]
pub struct NetworkConfig {
    /// Multiaddresses to listen on, e.g. `/ip4/0.0.0.0/udp/4001/quic-v1`.
    pub listen: Vec<String>,
    /// Multiaddresses to tell nodes instead of those listened on (behind a NAT or a name), without `/p2p/…`.
    pub announce: Vec<String>,
    /// Where `p2p.key` lives.
    pub data_dir: PathBuf,
    /// The network's name in topics.
    pub network: String,
    /// Generation of the bucket layout.
    pub generation: u16,
    /// Buckets are `2^bucket_bits`.
    pub bucket_bits: u8,
    /// A topic holds `2^topic_bits` buckets.
    pub topic_bits: u8,
    /// Connections taken.
    pub connections: connections::Limits,
}

/// Why the network side couldn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// Not a multiaddress.
    #[error("{address} is not a multiaddress like /ip4/0.0.0.0/udp/4001/quic-v1")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        #[source]
        source: libp2p::multiaddr::Error,
    },
    /// No address to listen on.
    #[error("no address to listen on for peers")]
    NoAddress,
    /// The address is taken, or not ours.
    #[error("can't listen on {address}: {source}; is another process using it?")]
    Listen {
        /// Where.
        address: Multiaddr,
        /// Why.
        #[source]
        source: TransportError<std::io::Error>,
    },
    /// The listener told no address in time.
    #[error("listening on {address} did not begin in time")]
    NotListening {
        /// Where.
        address: Multiaddr,
    },
    /// The network's name would make no topic.
    #[error("the network's name must be 1 to 32 letters, digits, '-', '_' or '.'")]
    Name,
    /// More buckets or topics than there can be.
    #[error("the bucket layout doesn't fit: at most 2^10 topics")]
    Layout,
    /// The peer key can't be had.
    #[error(transparent)]
    Key(#[from] PeerKeyError),
    /// libp2p couldn't be set up.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Gossip couldn't be set up.
    #[error(transparent)]
    Gossip(#[from] gossip::SetupError),
    /// Subscribing failed.
    #[error("can't subscribe to the network's topics")]
    Subscribe(#[source] gossip::SubscribeError),
}

/// A running network side. Dropping it ends it too, without waiting for it.
#[derive(Debug)]
pub struct NetworkHandle {
    peer: PeerId,
    announced: Vec<Multiaddr>,
    addresses: Addresses,
    stop: DropGuard,
    swarm: JoinHandle<()>,
    writer: JoinHandle<()>,
    expiry: JoinHandle<()>,
}

/// Starts listening, serving and storing; listening when it returns.
///
/// # Errors
/// See [`NetworkError`].
pub async fn start(
    config: NetworkConfig,
    store: Arc<dyn EnvelopeStore>,
    slots: Arc<dyn SlotStore>,
    signing: SigningKey,
    env: Env,
    registry: &mut Registry,
) -> Result<NetworkHandle, NetworkError> {
    let metrics = Metrics::register(registry);
    let layout = layout(&config)?;
    let listen = parse(&config.listen)?;
    let announced = parse(&config.announce)?;
    if listen.is_empty() {
        return Err(NetworkError::NoAddress);
    }
    let key = key::load(&config.data_dir.join(key::FILE))?;
    let peer = key.public().to_peer_id();
    let behaviour = Behaviour::new(&key, &layout.network, &config.connections)?;
    let mut swarm = livechat_net::swarm(key, |_| behaviour)?;
    subscribe(&mut swarm, &layout)?;
    for address in &announced {
        swarm.add_external_address(address.clone());
    }
    let (listeners, bound) = begin_listening(&mut swarm, listen).await?;
    if announced.is_empty() {
        bound.iter().for_each(|a| swarm.add_external_address(a.clone()));
    }

    let stop = CancellationToken::new();
    let serving = Places::new(limits::SERVING, limits::SERVING_PER_PEER, metrics.serving.clone());
    let (outgoing, outgoing_of) = mpsc::channel(limits::OUTGOING);
    let (ingest, writer) = Ingest::start(store.clone(), env.clone(), metrics.clone());
    let expiry = tokio::spawn(expire(store.clone(), slots.clone(), env.clone(), metrics.clone(), stop.clone()));
    let server = Arc::new(Server {
        store,
        slots,
        ingest,
        quotas: Quotas::new(),
        waiting: Places::new(limits::LONG_POLLS, limits::LONG_POLLS_PER_PEER, metrics.long_polls.clone()),
        pages: Places::new(limits::PAGES, limits::PAGES_PER_PEER, metrics.pages.clone()),
        signing,
        env,
        bucket_bits: config.bucket_bits,
        metrics,
        outgoing,
        stop: stop.clone(),
    });
    let addresses = Addresses::default();
    bound.clone_into(&mut addresses.write().unwrap_or_else(PoisonError::into_inner));
    let task = Task {
        swarm,
        layout,
        server,
        outgoing: outgoing_of,
        addresses: addresses.clone(),
        listeners,
        announced: !announced.is_empty(),
        serving,
        leaving: HashMap::new(),
    };
    let swarm = tokio::spawn(task.run());
    Ok(NetworkHandle { peer, announced, addresses, stop: stop.drop_guard(), swarm, writer, expiry })
}

impl NetworkHandle {
    /// The multiaddresses nodes are told, each ending in `/p2p/<peer>`.
    #[must_use]
    pub fn addrs(&self) -> Vec<String> {
        let listened = self.addresses.read().unwrap_or_else(PoisonError::into_inner);
        let of = if self.announced.is_empty() { &*listened } else { &self.announced };
        of.iter().map(|a| a.clone().with(Protocol::P2p(self.peer)).to_string()).collect()
    }

    /// The relay's libp2p identity.
    #[must_use]
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// Answers what is under way, stores what is queued, gives the origin back.
    pub async fn stop(self) {
        drop(self.stop);
        for task in [self.swarm, self.writer, self.expiry] {
            let abort = task.abort_handle();
            if tokio::time::timeout(limits::STOP, task).await.is_err() {
                tracing::warn!("a part of the network side did not stop in time");
                abort.abort();
            }
        }
    }
}

fn layout(config: &NetworkConfig) -> Result<Layout, NetworkError> {
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = &config.network;
    if name.is_empty() || name.len() > livechat_net::limits::NETWORK_NAME || !name.chars().all(named) {
        return Err(NetworkError::Name);
    }
    // We subscribe to every topic of the layout.
    let topics = config.bucket_bits.saturating_sub(config.topic_bits);
    if config.bucket_bits > 16 || 1_usize << topics > livechat_net::limits::GOSSIP_TOPICS {
        return Err(NetworkError::Layout);
    }
    Ok(Layout {
        network: name.clone(),
        generation: config.generation,
        bucket_bits: config.bucket_bits,
        topic_bits: config.topic_bits,
    })
}

fn parse(addresses: &[String]) -> Result<Vec<Multiaddr>, NetworkError> {
    let parse = |a: &String| a.parse().map_err(|source| NetworkError::Address { address: a.clone(), source });
    addresses.iter().map(parse).collect()
}

fn subscribe(swarm: &mut Swarm<Behaviour>, layout: &Layout) -> Result<(), NetworkError> {
    let step = 1_usize << layout.topic_bits.min(16);
    for bucket in (0..layout.buckets()).step_by(step) {
        let bucket = u16::try_from(bucket).map_err(|_| NetworkError::Layout)?;
        let topic = gossip::topic(&layout.network, layout.generation, bucket, layout.topic_bits);
        gossip::subscribe(&mut swarm.behaviour_mut().gossip, &topic).map_err(NetworkError::Subscribe)?;
    }
    Ok(())
}

type Listening = (HashMap<Multiaddr, Option<libp2p::core::transport::ListenerId>>, Vec<Multiaddr>);

/// Waits until each listener has told an address.
async fn begin_listening(swarm: &mut Swarm<Behaviour>, listen: Vec<Multiaddr>) -> Result<Listening, NetworkError> {
    let mut listeners = HashMap::new();
    for address in listen {
        let id = swarm
            .listen_on(address.clone())
            .map_err(|source| NetworkError::Listen { address: address.clone(), source })?;
        listeners.insert(address, Some(id));
    }
    let mut bound = Vec::new();
    let mut waiting: HashMap<_, _> = listeners.iter().map(|(a, id)| (*id, a.clone())).collect();
    let deadline = tokio::time::Instant::now() + limits::LISTEN;
    while let Some(address) = waiting.values().next().cloned() {
        match tokio::time::timeout_at(deadline, swarm.select_next_some()).await {
            Ok(SwarmEvent::NewListenAddr { listener_id, address }) => {
                waiting.remove(&Some(listener_id));
                bound.push(address);
            }
            Ok(SwarmEvent::ListenerClosed { listener_id, reason: Err(e), .. }) => {
                if let Some(address) = waiting.remove(&Some(listener_id)) {
                    return Err(NetworkError::Listen { address, source: TransportError::Other(e) });
                }
            }
            Ok(_) => {}
            Err(_) => return Err(NetworkError::NotListening { address }),
        }
    }
    Ok((listeners, bound))
}

async fn expire(
    store: Arc<dyn EnvelopeStore>,
    slots: Arc<dyn SlotStore>,
    env: Env,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let mut timer = tokio::time::interval(limits::EXPIRY);
    loop {
        tokio::select! {
            _ = timer.tick() => {}
            () = stop.cancelled() => return,
        }
        let ago = |seconds| env.now().saturating_sub(seconds);
        match store.expire_before(ago(wire::RETENTION.as_secs())).await {
            Ok(gone) => {
                metrics.expired.inc_by(gone);
            }
            Err(e) => tracing::warn!(error = %e, "old envelopes stay until the next hour"),
        }
        match slots.expire_before(ago(slots::limits::KEPT), ago(slots::limits::REMEMBERED)).await {
            Ok(gone) => {
                metrics.commits_expired.inc_by(gone);
            }
            Err(e) => tracing::warn!(error = %e, "old commits stay until the next hour"),
        }
    }
}
