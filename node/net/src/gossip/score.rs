//! Peer scoring: what costs a peer its place in the mesh, and when it isn't heard any more.
//!
//! The sum must be ruled by the penalties: everything a peer can earn is capped far below what one invalid message
//! costs. libp2p's defaults do the opposite (a time-in-mesh quantum of one millisecond earns thousands in seconds).

use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libp2p::gossipsub::{PeerScoreParams, PeerScoreThresholds, TopicScoreParams, score_parameter_decay};

use crate::transport::Role;

/// Peers behind one address a relay takes without penalty: an office or a carrier's NAT is one address to it.
const RELAY_PEERS_PER_IP: f64 = 64.0;
/// The same between nodes, who meet few strangers.
const NODE_PEERS_PER_IP: f64 = 5.0;

/// −100 (one invalid message): no gossip is exchanged; −1,000 (four): nothing is published to it; −10,000 (ten): it is
/// not heard at all.
pub(super) fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -100.0,
        publish_threshold: -1_000.0,
        graylist_threshold: -10_000.0,
        // Peer exchange isn't implemented in this libp2p: unreachable on purpose.
        accept_px_threshold: 1_000.0,
        // Below this median the mesh looks for better neighbours; a healthy one earns up to 30.
        opportunistic_graft_threshold: 2.0,
    }
}

pub(super) fn params(role: Role) -> PeerScoreParams {
    PeerScoreParams {
        // Two topics at most matter to a node; their earnings don't add up beyond one topic's.
        topic_score_cap: 30.0,
        app_specific_weight: 1.0,
        // P6, quadratic: 50 for the first peer too many on one address, 5,000 for the tenth.
        ip_colocation_factor_weight: -50.0,
        ip_colocation_factor_threshold: match role {
            Role::Node => NODE_PEERS_PER_IP,
            Role::Relay => RELAY_PEERS_PER_IP,
        },
        // Several nodes on one machine (a family's, the demo's) are no crowd of strangers.
        ip_colocation_factor_whitelist: [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].into(),
        // P7, quadratic beyond six broken promises or early grafts in ten minutes: an honest peer that restarts or
        // drops a burst stays below.
        behaviour_penalty_weight: -10.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: score_parameter_decay(Duration::from_secs(600)),
        // A peer that can't take a burst isn't hostile: 512 dropped messages cost 82, short of any threshold.
        slow_peer_weight: -0.2,
        slow_peer_threshold: 100.0,
        slow_peer_decay: 0.2,
        decay_interval: Duration::from_secs(1),
        decay_to_zero: 0.01,
        // Reconnecting under the same identity wipes nothing for an hour.
        retain_score: Duration::from_secs(3_600),
        ..PeerScoreParams::default()
    }
}

pub(super) fn topic() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 1.0,
        // P1: up to 10 after 500 s. The default quantum of 1 ms outweighs every penalty.
        time_in_mesh_weight: 0.02,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 500.0,
        // P2: up to 20 for being first with messages.
        first_message_deliveries_weight: 0.5,
        first_message_deliveries_decay: score_parameter_decay(Duration::from_secs(300)),
        first_message_deliveries_cap: 40.0,
        // P3 and P3b off: they demand a steady rate, and people sleep.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // P4, quadratic, forgotten within the hour.
        invalid_message_deliveries_weight: -100.0,
        invalid_message_deliveries_decay: score_parameter_decay(Duration::from_secs(3_600)),
        ..TopicScoreParams::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn penalties_outweigh_everything_that_can_be_earned() {
        let t = topic();
        t.validate().unwrap();
        params(Role::Node).validate().unwrap();
        params(Role::Relay).validate().unwrap();
        thresholds().validate().unwrap();
        let best = t.time_in_mesh_weight * t.time_in_mesh_cap
            + t.first_message_deliveries_weight * t.first_message_deliveries_cap;
        assert!(best <= params(Role::Node).topic_score_cap);
        let after = |invalid: f64| best + t.invalid_message_deliveries_weight * invalid * invalid;
        assert!(after(2.0) < thresholds().gossip_threshold);
        assert!(after(4.0) < thresholds().publish_threshold);
        assert!(after(11.0) < thresholds().graylist_threshold);
    }
}
