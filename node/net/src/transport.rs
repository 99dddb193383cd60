//! Swarms: QUIC and TCP with Noise and yamux, and the small protocols both sides configure alike.

use core::convert::Infallible;

use libp2p::identity::{Keypair, PublicKey};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Swarm, SwarmBuilder, identify as libp2p_identify, noise, ping as libp2p_ping, relay, tcp, yamux};

use crate::limits;

/// Which side a behaviour is configured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A person's node: few mesh peers, little to say about itself.
    Node,
    /// A relay: every node's neighbour.
    Relay,
}

/// Why no swarm could be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The Noise handshake couldn't be set up with this key.
    #[error("the peer key can't be used for the Noise handshake")]
    Noise(#[from] noise::Error),
    /// The system's resolver configuration can't be read.
    #[error("the system's DNS configuration can't be read")]
    Dns(#[source] std::io::Error),
}

/// Builds a swarm that listens and dials over TCP and QUIC but resolves no names: what a relay needs.
///
/// # Errors
/// [`BuildError`] when the key doesn't serve.
pub fn swarm<B: NetworkBehaviour>(key: Keypair, behaviour: impl FnOnce(&Keypair) -> B) -> Result<Swarm<B>, BuildError> {
    let built = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp_config(), noise::Config::new, yamux::Config::default)?
        .with_quic()
        .with_behaviour(behaviour);
    let builder = match built {
        Ok(b) => b,
        Err(never) => absurd(never),
    };
    Ok(builder.with_swarm_config(swarm_config).build())
}

/// Builds a swarm that also resolves names and can be reached through circuits of a relay: what a node needs.
///
/// # Errors
/// [`BuildError`] when the key doesn't serve or the resolver configuration can't be read.
pub fn swarm_with_circuits<B: NetworkBehaviour>(
    key: Keypair,
    behaviour: impl FnOnce(&Keypair, relay::client::Behaviour) -> B,
) -> Result<Swarm<B>, BuildError> {
    let built = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp_config(), noise::Config::new, yamux::Config::default)?
        .with_quic()
        .with_dns()
        .map_err(BuildError::Dns)?
        .with_relay_client(noise::Config::new, yamux::Config::default)?
        .with_behaviour(behaviour);
    let builder = match built {
        Ok(b) => b,
        Err(never) => absurd(never),
    };
    Ok(builder.with_swarm_config(swarm_config).build())
}

/// Configures identify. Everybody of a role looks alike; nodes don't tell their LAN addresses to strangers.
#[must_use]
pub fn identify(key: &PublicKey, role: Role) -> libp2p_identify::Behaviour {
    let config = libp2p_identify::Config::new("/livechat/1".to_owned(), key.clone())
        .with_agent_version("livechat".to_owned())
        .with_hide_listen_addrs(role == Role::Node);
    libp2p_identify::Behaviour::new(config)
}

/// Configures ping.
#[must_use]
pub fn ping() -> libp2p_ping::Behaviour {
    libp2p_ping::Behaviour::new(
        libp2p_ping::Config::new().with_interval(limits::PING_INTERVAL).with_timeout(limits::PING_TIMEOUT),
    )
}

fn tcp_config() -> tcp::Config {
    // A message is one small write: Nagle's algorithm would hold it back for a round trip.
    tcp::Config::new().nodelay(true)
}

fn swarm_config(config: libp2p::swarm::Config) -> libp2p::swarm::Config {
    config.with_idle_connection_timeout(limits::IDLE_CONNECTION)
}

fn absurd<T>(never: Infallible) -> T {
    match never {}
}
