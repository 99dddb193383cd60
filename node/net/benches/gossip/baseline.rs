//! One hop by gossip between two swarms on loopback, measured the same way whatever runs on them.
//!
//! [`raw`] is the baseline: plain gossipsub of the libp2p we build with, unsigned, unvalidated, unscored. Other
//! benchmarks may include this file to compare with it on the same machine in the same run.

use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::gossipsub::{self, ConfigBuilder, IdentTopic, MessageAuthenticity, MessageId, ValidationMode};
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Swarm, ping};
use tokio::sync::{mpsc, oneshot};

/// Bytes of a message: an envelope's.
pub const FRAME: usize = 2_048;
/// Messages under way at once when throughput is measured: half of what a peer's queue holds.
const WINDOW: usize = 256;

/// What was measured.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Sorted times from publishing to receiving, one message at a time.
    pub latency: Vec<Duration>,
    /// With many under way at once.
    pub messages_per_second: f64,
}

impl Figures {
    /// Milliseconds below which `percent` of the latencies lie.
    pub fn percentile(&self, percent: usize) -> f64 {
        self.latency[(self.latency.len() - 1) * percent / 100].as_secs_f64() * 1_000.0
    }
}

/// A side of the hop: what to do with a gossip event (validate it, report it); whether it was a message.
pub trait Peer: NetworkBehaviour + Send + 'static {
    /// The gossipsub under test.
    fn publish(&mut self, topic: &IdentTopic, frame: Vec<u8>) -> Result<MessageId, gossipsub::PublishError>;
    /// Peers in the topic's mesh.
    fn meshed(&self, topic: &IdentTopic) -> bool;
    /// Takes an event of the swarm.
    fn take(swarm: &mut Swarm<Self>, event: SwarmEvent<Self::ToSwarm>) -> bool
    where
        Self: Sized;
}

/// Measures the baseline with `lone` single messages and `many` in a stream.
pub async fn raw(lone: usize, many: usize) -> Figures {
    let mut noise = 1_u64;
    let mut frames = (0..lone + many).map(|_| {
        (0..FRAME)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (noise >> 56) as u8
            })
            .collect()
    });
    let topic = IdentTopic::new("baseline");
    let (a, b) = (Raw::swarm(&topic), Raw::swarm(&topic));
    measure(a, b, topic, frames.by_ref().take(lone).collect(), frames.collect()).await
}

/// Connects `a` to `b` and sends the frames: `lone` one by one, `many` in a stream.
pub async fn measure<P: Peer>(
    mut a: Swarm<P>,
    mut b: Swarm<P>,
    topic: IdentTopic,
    lone: Vec<Vec<u8>>,
    many: Vec<Vec<u8>>,
) -> Figures {
    b.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = b.select_next_some().await {
            break address;
        }
    };
    a.dial(address).unwrap();
    while !(a.behaviour().meshed(&topic) && b.behaviour().meshed(&topic)) {
        tokio::select! {
            _ = a.select_next_some() => {}
            _ = b.select_next_some() => {}
        }
    }

    // Each swarm on a task of its own, as in two processes.
    let (publish, mut to_publish) = mpsc::channel::<Vec<u8>>(1);
    let (received, mut arrivals) = mpsc::channel::<Instant>(WINDOW * 2);
    let (stop, stopped) = oneshot::channel::<()>();
    let sender = tokio::spawn(async move {
        loop {
            tokio::select! {
                frame = to_publish.recv() => match frame {
                    Some(frame) => drop(a.behaviour_mut().publish(&topic, frame).unwrap()),
                    None => return,
                },
                event = a.select_next_some() => drop(P::take(&mut a, event)),
            }
        }
    });
    let receiver = tokio::spawn(async move {
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                event = b.select_next_some() => if P::take(&mut b, event) {
                    received.send(Instant::now()).await.unwrap();
                },
                _ = &mut stopped => return,
            }
        }
    });

    let mut latency = Vec::with_capacity(lone.len());
    for frame in lone {
        let begun = Instant::now();
        publish.send(frame).await.unwrap();
        latency.push(arrivals.recv().await.unwrap() - begun);
    }
    latency.sort_unstable();

    let n = many.len();
    let begun = Instant::now();
    let (mut sent, mut got) = (0, 0);
    let mut frames = many.into_iter();
    while got < n {
        while sent < n && sent - got < WINDOW {
            publish.send(frames.next().unwrap()).await.unwrap();
            sent += 1;
        }
        arrivals.recv().await.unwrap();
        got += 1;
        while arrivals.try_recv().is_ok() {
            got += 1;
        }
    }
    let messages_per_second = n as f64 / begun.elapsed().as_secs_f64();
    stop.send(()).unwrap();
    drop(publish);
    sender.await.unwrap();
    receiver.await.unwrap();
    Figures { latency, messages_per_second }
}

#[derive(NetworkBehaviour)]
struct Raw {
    gossip: gossipsub::Behaviour,
    ping: ping::Behaviour,
}

impl Raw {
    fn swarm(topic: &IdentTopic) -> Swarm<Self> {
        let config = ConfigBuilder::default()
            .validation_mode(ValidationMode::Anonymous)
            // Without a source every message needs an id of its own; the cheapest is a part of its random bytes.
            .message_id_fn(|m| MessageId::new(&m.data[..32]))
            .build()
            .unwrap();
        let mut gossip = gossipsub::Behaviour::new(MessageAuthenticity::Anonymous, config).unwrap();
        gossip.subscribe(topic).unwrap();
        livechat_net::swarm(Keypair::generate_ed25519(), |_| Self { gossip, ping: ping::Behaviour::default() }).unwrap()
    }
}

impl Peer for Raw {
    fn publish(&mut self, topic: &IdentTopic, frame: Vec<u8>) -> Result<MessageId, gossipsub::PublishError> {
        self.gossip.publish(topic.clone(), frame)
    }

    fn meshed(&self, topic: &IdentTopic) -> bool {
        self.gossip.mesh_peers(&topic.hash()).next().is_some()
    }

    fn take(_: &mut Swarm<Self>, event: SwarmEvent<RawEvent>) -> bool {
        matches!(event, SwarmEvent::Behaviour(RawEvent::Gossip(gossipsub::Event::Message { .. })))
    }
}
