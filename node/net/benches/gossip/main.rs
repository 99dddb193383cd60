//! One hop of gossip on loopback: raw gossipsub of the same libp2p beside ours, which judges (and verifies the signature
//! of) every envelope before it counts as received. One run prints both and their ratios.
//!
//! `cargo bench -p livechat-net --bench gossip`; `LIVECHAT_BENCH_MESSAGES` sets how many (default 20,000).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark fails by panicking")]

mod baseline;

use baseline::{Figures, Peer};
use ed25519_dalek::{Signer, SigningKey};
use libp2p::gossipsub::{self, IdentTopic, MessageId, PublishError};
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Swarm, ping};
use livechat_net::{Role, gossip};
use livechat_wire::envelope::Header;
use livechat_wire::{Envelope, Tag, limits};

const NETWORK: &str = "bench";
const NOW: u32 = 2_955_000;
/// Messages timed one by one.
const LONE: usize = 2_000;

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let n = std::env::var("LIVECHAT_BENCH_MESSAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
        println!("one hop over TCP on loopback, frames of {} bytes: {LONE} alone, {n} in a stream\n", baseline::FRAME);
        println!("{:<44} {:>10} {:>10} {:>12}", "", "p50", "p99", "messages/s");
        let raw = baseline::raw(LONE, n).await;
        print("raw gossipsub", &raw);
        let ours = ours(n).await;
        print("ours: validated, scored, signature verified", &ours);
        let ratio = |a: f64, b: f64| format!("{:.2}x", a / b);
        println!(
            "\n{:<44} {:>10} {:>10} {:>12}",
            "ours / raw",
            ratio(ours.percentile(50), raw.percentile(50)),
            ratio(ours.percentile(99), raw.percentile(99)),
            ratio(ours.messages_per_second, raw.messages_per_second),
        );
    });
}

fn print(what: &str, f: &Figures) {
    let (p50, p99) = (f.percentile(50), f.percentile(99));
    println!("{what:<44} {p50:>7.3} ms {p99:>7.3} ms {:>12.0}", f.messages_per_second);
}

async fn ours(n: usize) -> Figures {
    let topic = gossip::topic(NETWORK, 0, 0, 0);
    let frames = |range: std::ops::Range<usize>| range.map(|i| envelope(i as u32).as_bytes().to_vec()).collect();
    let (lone, many) = (frames(0..LONE), frames(LONE..LONE + n));
    baseline::measure(Ours::swarm(&topic), Ours::swarm(&topic), topic, lone, many).await
}

fn envelope(n: u32) -> Envelope {
    let mut seed = [3; 32];
    seed[..4].copy_from_slice(&n.to_be_bytes());
    let key = SigningKey::from_bytes(&seed);
    let pk1 = key.verifying_key().to_bytes();
    let header = Header { ephemeral: false, bucket: 0, epoch: NOW, tag: Tag([7; 16]), pk1 };
    Envelope::assemble(&header, &[n as u8; limits::BODY], |m| key.sign(m).to_bytes())
}

#[derive(NetworkBehaviour)]
struct Ours {
    gossip: gossip::Behaviour,
    ping: ping::Behaviour,
}

impl Ours {
    fn swarm(topic: &IdentTopic) -> Swarm<Self> {
        let mut gossip = gossip::behaviour(Role::Node, NETWORK).unwrap();
        gossip::subscribe(&mut gossip, topic).unwrap();
        livechat_net::swarm(Keypair::generate_ed25519(), |_| Self { gossip, ping: livechat_net::ping() }).unwrap()
    }
}

impl Peer for Ours {
    fn publish(&mut self, topic: &IdentTopic, frame: Vec<u8>) -> Result<MessageId, PublishError> {
        self.gossip.publish(topic.clone(), frame)
    }

    fn meshed(&self, topic: &IdentTopic) -> bool {
        self.gossip.mesh_peers(&topic.hash()).next().is_some()
    }

    fn take(swarm: &mut Swarm<Self>, event: SwarmEvent<OursEvent>) -> bool {
        let SwarmEvent::Behaviour(OursEvent::Gossip(gossipsub::Event::Message {
            propagation_source,
            message_id,
            message,
        })) = event
        else {
            return false;
        };
        let verdict = gossip::judge(&message.data, NOW, |bucket| bucket == 0);
        assert!(matches!(verdict, gossip::Verdict::Accept(_)));
        swarm.behaviour_mut().gossip.report_message_validation_result(
            &message_id,
            &propagation_source,
            verdict.acceptance(),
        )
    }
}
