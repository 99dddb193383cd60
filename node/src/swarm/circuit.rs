//! Being reachable through the relay, where nobody can reach us directly.
//!
//! libp2p renews a reservation while its connection lives, and doesn't ask for a lost one again: we do.

use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::time::Instant;

use super::behaviour::Behaviour;
use crate::limits;

#[derive(Default)]
pub(super) struct Circuit {
    listener: Option<ListenerId>,
    retry_at: Option<Instant>,
}

impl Circuit {
    /// Asks for a reservation unless there is one, at most every few seconds.
    pub(super) fn tend(&mut self, swarm: &mut Swarm<Behaviour>, relay: PeerId, addresses: &[Multiaddr], now: Instant) {
        if self.listener.is_some() || self.retry_at.is_some_and(|at| now < at) {
            return;
        }
        self.retry_at = Some(now + limits::CIRCUIT_RETRY);
        let Some(address) = addresses.first() else { return };
        let mut through = address.clone();
        if !matches!(through.iter().last(), Some(Protocol::P2p(_))) {
            through.push(Protocol::P2p(relay));
        }
        match swarm.listen_on(through.with(Protocol::P2pCircuit)) {
            Ok(id) => self.listener = Some(id),
            Err(e) => tracing::debug!("no circuit through the relay: {e}"),
        }
    }

    /// A listener ended: ours, with its connection or because the relay refused.
    pub(super) fn closed(&mut self, listener: ListenerId) {
        if self.listener == Some(listener) {
            self.listener = None;
        }
    }
}
