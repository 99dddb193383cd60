//! What this node speaks: gossip and sync as the relay does, circuits, and local discovery when wanted.

use libp2p::identity::{Keypair, PublicKey, ed25519};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{Swarm, connection_limits, identify, mdns, ping, relay};
use livechat_net::connections::{self, Limits, PerIp};
use livechat_net::{Role, direct, gossip, sync};

use crate::limits;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    // Limits first: a connection over them is refused before the others see it.
    limits: connection_limits::Behaviour,
    per_ip: PerIp,
    pub(super) gossip: gossip::Behaviour,
    pub(super) sync: sync::Behaviour,
    pub(super) direct: direct::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    circuits: relay::client::Behaviour,
    mdns: Toggle<mdns::tokio::Behaviour>,
}

/// Why the network side can't be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// libp2p refused our gossip settings.
    #[error("gossip can't be set up: {0}")]
    Gossip(#[from] gossip::SetupError),
    /// libp2p refused the rest.
    #[error("the network can't be set up: {0}")]
    Build(#[from] livechat_net::BuildError),
    /// The port went to somebody else since the start.
    #[error("can't listen: {0}; restart the node with another port")]
    Listen(String),
    /// The relay's card names no address that libp2p understands.
    #[error("the relay announces no address that this node understands; tell its operator")]
    NoAddress,
    /// The relay's card names a topic that our filter refuses.
    #[error("the relay's network name {0:?} can't be used; tell its operator")]
    Topic(String),
}

/// A swarm under a throw-away name, and the key behind it: nothing on these connections says whose node this is.
pub(super) fn swarm(network: &str, mdns: bool) -> Result<(Swarm<Behaviour>, [u8; 32]), NetworkError> {
    let named = ed25519::Keypair::generate();
    let (key, public) = (Keypair::from(named.clone()), named.public().to_bytes());
    let discovery = mdns.then(|| discovery(&key.public())).flatten();
    let gossip = gossip::behaviour(Role::Node, network)?;
    let swarm = livechat_net::swarm_with_circuits(key, |key, circuits| Behaviour {
        limits: connections::limits(&Limits::NODE),
        per_ip: PerIp::new(Limits::NODE.per_ip),
        gossip,
        sync: sync::behaviour(sync::TIMEOUT),
        direct: direct::behaviour(direct::TIMEOUT),
        identify: livechat_net::identify(&key.public(), Role::Node),
        ping: livechat_net::ping(),
        circuits,
        mdns: discovery.into(),
    })?;
    Ok((swarm, public))
}

/// Without multicast (containers, some VPNs) there is no discovery; everything else works.
fn discovery(key: &PublicKey) -> Option<mdns::tokio::Behaviour> {
    let config = mdns::Config { query_interval: limits::MDNS_INTERVAL, ..mdns::Config::default() };
    match mdns::tokio::Behaviour::new(config, key.to_peer_id()) {
        Ok(behaviour) => Some(behaviour),
        Err(e) => {
            tracing::warn!("nodes on the local network can't be looked for: {e}");
            None
        }
    }
}
