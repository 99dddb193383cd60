//! What the relay speaks.

use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{connection_limits, identify, ping, relay};
use livechat_net::{Role, connections, gossip, sync};

use super::limits;

/// Connection limits come first: what they refuse reaches nobody else.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    per_ip: connections::PerIp,
    limits: connection_limits::Behaviour,
    pub gossip: gossip::Behaviour,
    pub sync: sync::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    circuits: relay::Behaviour,
}

impl Behaviour {
    pub(super) fn new(
        key: &Keypair,
        network: &str,
        connections: &connections::Limits,
    ) -> Result<Self, gossip::SetupError> {
        Ok(Self {
            per_ip: connections::PerIp::new(connections.per_ip),
            limits: connections::limits(connections),
            gossip: gossip::behaviour(Role::Relay, network)?,
            sync: sync::behaviour(sync::TIMEOUT),
            identify: livechat_net::identify(&key.public(), Role::Relay),
            ping: livechat_net::ping(),
            circuits: relay::Behaviour::new(key.public().to_peer_id(), circuits()),
        })
    }
}

fn circuits() -> relay::Config {
    const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);
    let config = relay::Config {
        max_reservations: limits::RESERVATIONS,
        max_reservations_per_peer: limits::RESERVATIONS_PER_PEER,
        max_circuits: limits::CIRCUITS,
        max_circuits_per_peer: limits::CIRCUITS_PER_PEER,
        max_circuit_duration: limits::CIRCUIT_DURATION,
        max_circuit_bytes: limits::CIRCUIT_BYTES,
        reservation_rate_limiters: vec![],
        circuit_src_rate_limiters: vec![],
        ..relay::Config::default()
    };
    config
        .reservation_rate_per_peer(limits::CIRCUIT_RATE_PER_PEER, MINUTE)
        .reservation_rate_per_ip(limits::CIRCUIT_RATE_PER_IP, MINUTE)
        .circuit_src_per_peer(limits::CIRCUIT_RATE_PER_PEER, MINUTE)
        .circuit_src_per_ip(limits::CIRCUIT_RATE_PER_IP, MINUTE)
}
