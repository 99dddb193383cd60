//! Nodes to stay connected to directly, by address: their names change with every start.

use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, NetworkBehaviour};
use libp2p::{Multiaddr, PeerId, Swarm};

pub(super) struct Neighbours(Vec<Neighbour>);

struct Neighbour {
    address: Multiaddr,
    state: State,
}

enum State {
    Away,
    Dialing(ConnectionId),
    Here(PeerId),
}

impl Neighbours {
    pub(super) fn new(addresses: &[Multiaddr]) -> Self {
        Self(addresses.iter().map(|a| Neighbour { address: a.clone(), state: State::Away }).collect())
    }

    /// A connection came about.
    pub(super) fn connected(&mut self, connection: ConnectionId, peer: PeerId) {
        self.dialed(connection, State::Here(peer));
    }

    /// A connection didn't.
    pub(super) fn failed(&mut self, connection: ConnectionId) {
        self.dialed(connection, State::Away);
    }

    fn dialed(&mut self, connection: ConnectionId, state: State) {
        let of = |n: &&mut Neighbour| matches!(n.state, State::Dialing(c) if c == connection);
        if let Some(neighbour) = self.0.iter_mut().find(of) {
            neighbour.state = state;
        }
    }

    /// Dials those that aren't there.
    pub(super) fn tend<B: NetworkBehaviour>(&mut self, swarm: &mut Swarm<B>) {
        for Neighbour { address, state } in &mut self.0 {
            match state {
                State::Dialing(_) => continue,
                State::Here(peer) if swarm.is_connected(peer) => continue,
                State::Here(_) | State::Away => {}
            }
            let dial = DialOpts::unknown_peer_id().address(address.clone()).build();
            let connection = dial.connection_id();
            match swarm.dial(dial) {
                Ok(()) => *state = State::Dialing(connection),
                Err(e) => tracing::debug!("not dialling {address}: {e}"),
            }
        }
    }
}
