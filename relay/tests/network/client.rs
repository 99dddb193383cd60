//! A bare libp2p client, and the relay's network side in this process or another.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::request_response::{Message, OutboundFailure};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, identify, ping, relay};
use livechat_net::{Role, connections, gossip, sync};
use livechat_relay::env::Env;
use livechat_relay::network::{self, NetworkConfig, NetworkHandle};
use livechat_relay::store::Store;
use livechat_relay::store::envelopes::{self, EnvelopeStore};
use livechat_relay::store::slots::{self, SlotStore};
use livechat_wire::envelope::{Header, epoch_at};
use livechat_wire::sync::{Cursor, Request, Response, Verdict};
use livechat_wire::{Envelope, RelayId, Tag, limits};
use prometheus_client::registry::Registry;

pub const NETWORK: &str = "test";

pub fn signing() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

pub fn relay_id() -> RelayId {
    RelayId(signing().verifying_key().to_bytes())
}

pub fn config(dir: &Path) -> NetworkConfig {
    NetworkConfig {
        listen: vec!["/ip4/127.0.0.1/tcp/0".into(), "/ip4/127.0.0.1/udp/0/quic-v1".into()],
        announce: vec![],
        data_dir: dir.to_owned(),
        network: NETWORK.into(),
        generation: 0,
        bucket_bits: 0,
        topic_bits: 0,
        connections: connections::Limits::RELAY,
    }
}

/// What the network side keeps things in.
#[derive(Clone)]
pub struct Stores {
    pub envelopes: Arc<dyn EnvelopeStore>,
    pub slots: Arc<dyn SlotStore>,
}

impl Stores {
    pub async fn of(store: &Store) -> Self {
        Self { envelopes: envelopes::open(store).await.unwrap(), slots: slots::open(store) }
    }
}

pub async fn start(config: NetworkConfig, stores: Stores) -> NetworkHandle {
    let Stores { envelopes, slots } = stores;
    network::start(config, envelopes, slots, signing(), Env::system(), &mut Registry::default()).await.unwrap()
}

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub gossip: gossip::Behaviour,
    pub sync: sync::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    circuits: relay::client::Behaviour,
}

pub struct Client {
    pub swarm: Swarm<Behaviour>,
    pub relay: PeerId,
}

impl Client {
    /// Connects to an address that ends in `/p2p/…` and waits until gossip has met.
    pub async fn connect(address: &str) -> Self {
        let mut client = Self::new(address);
        client.swarm.dial(address.parse::<Multiaddr>().unwrap()).unwrap();
        let topic = gossip::topic(NETWORK, 0, 0, 0).hash();
        while !client.swarm.behaviour().gossip.mesh_peers(&topic).any(|p| *p == client.relay) {
            client.swarm.select_next_some().await;
        }
        client
    }

    pub fn new(address: &str) -> Self {
        let relay = address.rsplit('/').next().unwrap().parse().unwrap();
        let mut swarm = livechat_net::swarm_with_circuits(Keypair::generate_ed25519(), |key, circuits| Behaviour {
            gossip: gossip::behaviour(Role::Node, NETWORK).unwrap(),
            sync: sync::behaviour(sync::TIMEOUT),
            identify: livechat_net::identify(&key.public(), Role::Node),
            ping: livechat_net::ping(),
            circuits,
        })
        .unwrap();
        gossip::subscribe(&mut swarm.behaviour_mut().gossip, &gossip::topic(NETWORK, 0, 0, 0)).unwrap();
        Self { swarm, relay }
    }

    pub async fn ask(&mut self, request: Request) -> Result<Response, OutboundFailure> {
        self.swarm.behaviour_mut().sync.send_request(&self.relay, request);
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::Behaviour(BehaviourEvent::Sync(sync::Event::Message {
                    message: Message::Response { response, .. },
                    ..
                })) => return Ok(response),
                SwarmEvent::Behaviour(BehaviourEvent::Sync(sync::Event::OutboundFailure { error, .. })) => {
                    return Err(error);
                }
                _ => {}
            }
        }
    }

    pub async fn deposit(&mut self, envelopes: Vec<Envelope>) -> Vec<Verdict> {
        verdicts(self.ask(Request::Deposit { envelopes }).await.unwrap())
    }

    pub async fn present(&mut self, envelopes: &[Envelope]) -> Vec<Verdict> {
        let ids = envelopes.iter().map(Envelope::id).collect();
        verdicts(self.ask(Request::Present { ids }).await.unwrap())
    }

    pub async fn fetch(&mut self, cursor: &Cursor, wait: Duration) -> (Cursor, Vec<Envelope>, bool) {
        let wait_ms = u32::try_from(wait.as_millis()).unwrap();
        let request = Request::Fetch { bucket: 0, cursor: cursor.clone(), wait_ms };
        match self.ask(request).await.unwrap() {
            Response::Page { cursor, envelopes, more } => (cursor, envelopes, more),
            other => panic!("{other:?}"),
        }
    }

    pub async fn fetch_all(&mut self) -> Vec<Envelope> {
        let (mut cursor, mut all) = (Cursor::default(), Vec::new());
        loop {
            let (next, page, more) = self.fetch(&cursor, Duration::ZERO).await;
            all.extend(page);
            cursor = next;
            if !more {
                return all;
            }
        }
    }

    pub fn publish(&mut self, envelope: &Envelope) {
        let topic = gossip::topic(NETWORK, 0, 0, 0).hash();
        self.swarm.behaviour_mut().gossip.publish(topic, envelope.as_bytes().to_vec()).unwrap();
    }

    /// The next gossiped envelope.
    pub async fn hear(&mut self) -> Envelope {
        loop {
            if let SwarmEvent::Behaviour(BehaviourEvent::Gossip(libp2p::gossipsub::Event::Message {
                message, ..
            })) = self.swarm.select_next_some().await
            {
                return Envelope::decode(&message.data).unwrap();
            }
        }
    }

    /// Keeps the connection alive for ever.
    pub async fn idle(&mut self) {
        loop {
            self.swarm.select_next_some().await;
        }
    }
}

pub fn verdicts(response: Response) -> Vec<Verdict> {
    match response {
        Response::Verdicts(verdicts) => verdicts,
        other => panic!("{other:?}"),
    }
}

/// The epoch in which these tests began: one that ends meanwhile must not change what `envelope(1)` is.
pub fn now() -> u32 {
    static BEGUN: LazyLock<u32> = LazyLock::new(|| epoch_at(Env::system().now()));
    *BEGUN
}

/// The `n`th envelope of this minute.
pub fn envelope(n: u32) -> Envelope {
    sealed(n, 0, now(), false)
}

pub fn envelopes(range: std::ops::Range<u32>) -> Vec<Envelope> {
    range.map(envelope).collect()
}

pub fn sealed(n: u32, bucket: u16, epoch: u32, ephemeral: bool) -> Envelope {
    let mut seed = [6; 32];
    seed[..4].copy_from_slice(&n.to_be_bytes());
    let key = SigningKey::from_bytes(&seed);
    let header = Header { ephemeral, bucket, epoch, tag: Tag([2; 16]), pk1: key.verifying_key().to_bytes() };
    Envelope::assemble(&header, &[n as u8; limits::BODY], |m| key.sign(m).to_bytes())
}

/// Fails the test instead of hanging it.
pub async fn within<T>(seconds: u64, what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(seconds), work).await {
        Ok(t) => t,
        Err(_) => panic!("{what} took longer than {seconds} s"),
    }
}
