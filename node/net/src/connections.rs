//! How many connections are taken: in all, per peer, and per address.

use std::collections::HashMap;
use std::net::IpAddr;

use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use libp2p::{Multiaddr, PeerId};

/// The numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Established connections in all.
    pub total: u32,
    /// Connections of one peer: two transports and a circuit, with a reconnect under way.
    pub per_peer: u32,
    /// Inbound connections of one IP address, established and being established.
    pub per_ip: u32,
    /// Handshakes at once: they cost memory before anything is known about who makes them.
    pub pending_inbound: u32,
}

impl Limits {
    /// A node: a mesh of eight, circuits, relays, and room to move.
    pub const NODE: Self = Self { total: 128, per_peer: 4, per_ip: 16, pending_inbound: 32 };
    /// A relay: everyone of several topics; 64 behind one address is an office.
    pub const RELAY: Self = Self { total: 4_096, per_peer: 4, per_ip: 64, pending_inbound: 256 };
}

/// Limits in all and per peer.
#[must_use]
pub fn limits(l: &Limits) -> connection_limits::Behaviour {
    connection_limits::Behaviour::new(
        ConnectionLimits::default()
            .with_max_established(Some(l.total))
            .with_max_established_per_peer(Some(l.per_peer))
            .with_max_pending_incoming(Some(l.pending_inbound)),
    )
}

/// Limits inbound connections per IP address, before any handshake. Circuits aren't counted: they come from the relay's
/// address, which isn't their origin's.
#[derive(Debug)]
pub struct PerIp {
    max: u32,
    of: HashMap<ConnectionId, IpAddr>,
    count: HashMap<IpAddr, u32>,
}

/// Too many connections of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many connections from this address")]
pub struct TooManyPerIp;

impl PerIp {
    /// At most `max` inbound connections of one address.
    #[must_use]
    pub fn new(max: u32) -> Self {
        Self { max, of: HashMap::new(), count: HashMap::new() }
    }

    fn forget(&mut self, id: ConnectionId) {
        let Some(ip) = self.of.remove(&id) else { return };
        if let Some(n) = self.count.get_mut(&ip) {
            *n = n.saturating_sub(1);
            if *n == 0 {
                self.count.remove(&ip);
            }
        }
    }
}

fn direct_ip(remote: &Multiaddr) -> Option<IpAddr> {
    if remote.iter().any(|p| p == Protocol::P2pCircuit) {
        return None;
    }
    remote.iter().find_map(|p| match p {
        Protocol::Ip4(a) => Some(IpAddr::V4(a)),
        Protocol::Ip6(a) => Some(IpAddr::V6(a)),
        _ => None,
    })
}

impl NetworkBehaviour for PerIp {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = core::convert::Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let Some(ip) = direct_ip(remote) else { return Ok(()) };
        let n = self.count.entry(ip).or_insert(0);
        if *n >= self.max {
            return Err(ConnectionDenied::new(TooManyPerIp));
        }
        *n += 1;
        self.of.insert(id, ip);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(c) => self.forget(c.connection_id),
            FromSwarm::ListenFailure(f) => self.forget(f.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(
        &mut self,
        _: &mut core::task::Context<'_>,
    ) -> core::task::Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        core::task::Poll::Pending
    }
}
