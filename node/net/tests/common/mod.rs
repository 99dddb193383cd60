//! A peer with everything of this crate, and envelopes to give it.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, gossipsub, identify, ping};
use livechat_net::{Role, gossip, sync};
use livechat_wire::envelope::Header;
use livechat_wire::{Envelope, Tag, limits};

pub const NETWORK: &str = "test";
pub const NOW: u32 = 2_955_000;

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub gossip: gossip::Behaviour,
    pub sync: sync::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

pub struct Peer {
    pub swarm: Swarm<Behaviour>,
    pub addr: Multiaddr,
    pub topic: gossipsub::IdentTopic,
}

impl Peer {
    pub fn id(&self) -> PeerId {
        *self.swarm.local_peer_id()
    }

    /// A peer listening on loopback; `listen` without a port, e.g. `/ip4/127.0.0.1/tcp/0`.
    pub async fn start(role: Role, listen: &str) -> Self {
        let mut swarm = livechat_net::swarm(Keypair::generate_ed25519(), |key| Behaviour {
            gossip: gossip::behaviour(role, NETWORK).unwrap(),
            sync: sync::behaviour(Duration::from_secs(10)),
            identify: livechat_net::identify(&key.public(), role),
            ping: livechat_net::ping(),
        })
        .unwrap();
        let topic = gossip::topic(NETWORK, 0, 0, 0);
        gossip::subscribe(&mut swarm.behaviour_mut().gossip, &topic).unwrap();
        swarm.listen_on(listen.parse().unwrap()).unwrap();
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                return Self { swarm, addr: address, topic };
            }
        }
    }

    /// Drives both until each has the other in its mesh.
    pub async fn befriend(&mut self, other: &mut Self) {
        self.swarm.dial(other.addr.clone()).unwrap();
        let (a, b) = (self.id(), other.id());
        loop {
            tokio::select! {
                _ = self.swarm.select_next_some() => {}
                _ = other.swarm.select_next_some() => {}
            }
            let meshed =
                |p: &Self, with: PeerId| p.swarm.behaviour().gossip.mesh_peers(&p.topic.hash()).any(|x| *x == with);
            if meshed(self, b) && meshed(other, a) {
                return;
            }
        }
    }

    pub fn publish(&mut self, bytes: &[u8]) -> Result<gossipsub::MessageId, gossipsub::PublishError> {
        let topic = self.topic.hash();
        self.swarm.behaviour_mut().gossip.publish(topic, bytes.to_vec())
    }

    /// Judges a message as node and relay do and reports the verdict.
    pub fn judge(&mut self, event: gossipsub::Event) -> Option<gossip::Verdict> {
        let gossipsub::Event::Message { propagation_source, message_id, message } = event else { return None };
        let verdict = gossip::judge(&message.data, NOW, |bucket| bucket == 0);
        let known = self.swarm.behaviour_mut().gossip.report_message_validation_result(
            &message_id,
            &propagation_source,
            verdict.acceptance(),
        );
        assert!(known, "the message was still in the cache");
        Some(verdict)
    }
}

/// The `n`th envelope, fresh at [`NOW`].
pub fn envelope(n: u32) -> Envelope {
    let mut seed = [3; 32];
    seed[..4].copy_from_slice(&n.to_be_bytes());
    let key = SigningKey::from_bytes(&seed);
    let header =
        Header { ephemeral: false, bucket: 0, epoch: NOW, tag: Tag([7; 16]), pk1: key.verifying_key().to_bytes() };
    Envelope::assemble(&header, &[n as u8; limits::BODY], |m| key.sign(m).to_bytes())
}

/// Fails the test instead of hanging it.
pub async fn within<T>(seconds: u64, what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(seconds), work).await {
        Ok(t) => t,
        Err(_) => panic!("{what} took longer than {seconds} s"),
    }
}
