//! A network's swarm beside a small relay of libp2p parts, on loopback.

use std::time::Duration;

use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::request_response::Message;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Swarm, identify, ping, relay};
use livechat_net::{Role, gossip, sync};
use livechat_wire::envelope::Header;
use livechat_wire::http::RelayInfo;
use livechat_wire::{Tag, limits as wire};

use super::*;

#[derive(NetworkBehaviour)]
struct RelayBehaviour {
    gossip: gossip::Behaviour,
    sync: sync::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    circuits: relay::Behaviour,
}

struct TestRelay {
    swarm: Swarm<RelayBehaviour>,
    gossiped: Vec<EnvelopeId>,
    asked: Vec<Request>,
    reservations: u32,
    circuits: u32,
}

impl TestRelay {
    async fn start() -> Self {
        let mut swarm = livechat_net::swarm(Keypair::generate_ed25519(), |key| RelayBehaviour {
            gossip: gossip::behaviour(Role::Relay, "test").unwrap(),
            sync: sync::behaviour(Duration::from_secs(10)),
            identify: livechat_net::identify(&key.public(), Role::Relay),
            ping: livechat_net::ping(),
            circuits: relay::Behaviour::new(key.public().to_peer_id(), relay::Config::default()),
        })
        .unwrap();
        gossip::subscribe(&mut swarm.behaviour_mut().gossip, &gossip::topic("test", 0, 0, 2)).unwrap();
        swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        swarm.add_external_address(address);
        Self { swarm, gossiped: Vec::new(), asked: Vec::new(), reservations: 0, circuits: 0 }
    }

    fn address(&self) -> Multiaddr {
        self.swarm.external_addresses().next().unwrap().clone().with(Protocol::P2p(*self.swarm.local_peer_id()))
    }

    fn info(&self) -> RelayInfo {
        RelayInfo {
            relay: RelayId([1; 32]),
            network: "test".into(),
            addresses: vec!["nonsense".into(), self.address().to_string()],
            generation: 0,
            bucket_bits: 2,
            topic_bits: 2,
            time: 0,
            retention_seconds: 1,
        }
    }

    async fn turn(&mut self) {
        match self.swarm.select_next_some().await {
            SwarmEvent::Behaviour(RelayBehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            })) => {
                self.gossiped.push(EnvelopeId::of(&message.data));
                let ok = gossipsub::MessageAcceptance::Accept;
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                gossip.report_message_validation_result(&message_id, &propagation_source, ok);
            }
            SwarmEvent::Behaviour(RelayBehaviourEvent::Sync(sync::Event::Message {
                message: Message::Request { request, channel, .. },
                ..
            })) => {
                let answer = match &request {
                    Request::Fetch { cursor, .. } => {
                        let mut cursor = cursor.clone();
                        cursor.advance(9, 1);
                        Response::Page { cursor, envelopes: vec![envelope(3, 3)], more: false }
                    }
                    Request::Deposit { .. } => Response::Refused(Refusal::Busy),
                    Request::Present { ids } => Response::Verdicts(vec![Verdict::Absent; ids.len()]),
                    _ => Response::Refused(Refusal::NotServed),
                };
                self.asked.push(request);
                self.swarm.behaviour_mut().sync.send_response(channel, answer).unwrap();
            }
            SwarmEvent::Behaviour(RelayBehaviourEvent::Circuits(event)) => match event {
                relay::Event::ReservationReqAccepted { .. } => self.reservations += 1,
                relay::Event::CircuitReqAccepted { .. } => self.circuits += 1,
                _ => {}
            },
            _ => {}
        }
    }
}

/// A signed envelope of a bucket.
fn envelope(bucket: u16, n: u8) -> Envelope {
    let key = Keypair::ed25519_from_bytes([n; 32]).unwrap();
    let pk1 = key.public().try_into_ed25519().unwrap().to_bytes();
    let header = Header { ephemeral: false, bucket, epoch: envelope::epoch_at(env::now_s()), tag: Tag([n; 16]), pk1 };
    Envelope::assemble(&header, &[n; wire::BODY], |m| key.sign(m).unwrap().try_into().unwrap())
}

/// Runs both until the node hears what is wanted.
async fn hear(relay: &mut TestRelay, node: &mut Network, wanted: impl Fn(&Heard) -> bool) -> Heard {
    let wait = async {
        loop {
            tokio::select! {
                () = relay.turn() => {}
                heard = node.next() => if wanted(&heard) { return heard },
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), wait).await.expect("heard in time")
}

/// Runs both until the relay has seen what is wanted.
async fn see(relay: &mut TestRelay, node: &mut Network, wanted: impl Fn(&TestRelay) -> bool) {
    let wait = async {
        while !wanted(relay) {
            tokio::select! {
                () = relay.turn() => {}
                _ = node.next() => {}
                () = tokio::time::sleep(Duration::from_millis(50)) => node.tend(tokio::time::Instant::now()),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), wait).await.expect("seen in time");
}

async fn connected() -> (TestRelay, Network) {
    let mut relay = TestRelay::start().await;
    let listen = ["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    let mut node = Network::new(relay.info(), &listen, false, &[]).unwrap();
    node.join(3).unwrap();
    // Nobody is there yet: it waits for the relay to subscribe.
    node.publish(vec![envelope(3, 1)]);
    node.connect();
    hear(&mut relay, &mut node, |h| matches!(h, Heard::RelayUp)).await;
    assert!(node.is_connected());
    let peer = *node.swarm.local_peer_id();
    see(&mut relay, &mut node, |r| r.swarm.is_connected(&peer)).await;
    (relay, node)
}

#[tokio::test]
async fn what_was_published_too_early_goes_out_later() {
    let (mut relay, mut node) = connected().await;
    see(&mut relay, &mut node, |r| r.gossiped == [envelope(3, 1).id()]).await;
    node.publish(vec![envelope(2, 2)]);
    see(&mut relay, &mut node, |r| r.gossiped.len() == 2).await;
}

#[tokio::test]
async fn gossip_is_judged_before_it_is_heard() {
    let (mut relay, mut node) = connected().await;
    see(&mut relay, &mut node, |r| !r.gossiped.is_empty()).await;
    let topic = gossip::topic("test", 0, 0, 2);
    let mut forged = envelope(3, 4).as_bytes().to_vec();
    forged[2_047] ^= 1;
    for bytes in [forged, envelope(4, 5).as_bytes().to_vec(), b"short".to_vec(), envelope(1, 6).as_bytes().to_vec()] {
        relay.swarm.behaviour_mut().gossip.publish(topic.clone(), bytes).unwrap();
    }
    let heard = hear(&mut relay, &mut node, |h| matches!(h, Heard::Gossip(_))).await;
    let Heard::Gossip(only) = heard else { unreachable!() };
    assert_eq!(only.id(), envelope(1, 6).id(), "the only honest one of a bucket of this topic");
}

#[tokio::test]
async fn fetches_deposits_and_queries_are_answered() {
    let (mut relay, mut node) = connected().await;
    node.fetch(3, Cursor::default());
    let Heard::Page { envelopes, cursor, relay: from } =
        hear(&mut relay, &mut node, |h| matches!(h, Heard::Page { .. })).await
    else {
        unreachable!()
    };
    assert_eq!((envelopes.len(), cursor.after(9), from), (1, 1, RelayId([1; 32])));
    let many: Vec<_> = (0..70).map(|n| envelope(3, n)).collect();
    node.deposit(many.clone());
    let mut refused = Vec::new();
    while refused.len() < many.len() {
        if let Heard::Verdicts { verdicts, .. } =
            hear(&mut relay, &mut node, |h| matches!(h, Heard::Verdicts { .. })).await
        {
            assert!(
                verdicts.len() <= wire::DEPOSIT && verdicts.iter().all(|(_, v)| *v == Verdict::Refused(Refusal::Busy))
            );
            refused.extend(verdicts.into_iter().map(|(id, _)| id));
        }
    }
    refused.sort();
    let mut ids: Vec<_> = many.iter().map(Envelope::id).collect();
    ids.sort();
    assert_eq!(refused, ids);
    node.present(&[many[0].id()]);
    let Heard::Verdicts { verdicts, .. } = hear(&mut relay, &mut node, |h| matches!(h, Heard::Verdicts { .. })).await
    else {
        unreachable!()
    };
    assert_eq!(verdicts, [(many[0].id(), Verdict::Absent)]);
}

#[tokio::test]
async fn a_node_that_nobody_can_reach_is_reached_through_the_relay() {
    let (mut relay, mut node) = connected().await;
    see(&mut relay, &mut node, |r| r.reservations == 1).await;
    let through = relay.address().with(Protocol::P2pCircuit).with(Protocol::P2p(*node.swarm.local_peer_id()));
    let (mut other, _) = behaviour::swarm("test", false).unwrap();
    other.dial(through).unwrap();
    let wait = async {
        loop {
            tokio::select! {
                () = relay.turn() => {}
                _ = node.next() => {}
                event = other.select_next_some() => {
                    if let SwarmEvent::ConnectionEstablished { peer_id, .. } = event
                        && peer_id == *node.swarm.local_peer_id()
                    {
                        return;
                    }
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), wait).await.expect("reached through the relay");
    assert_eq!(relay.circuits, 1);
}

#[tokio::test]
async fn other_nodes_are_told_that_nothing_is_served() {
    let (mut relay, mut node) = connected().await;
    let peer = *node.swarm.local_peer_id();
    let request = Request::Present { ids: vec![EnvelopeId([0; 32])] };
    let id = relay.swarm.behaviour_mut().sync.send_request(&peer, request);
    let wait = async {
        loop {
            tokio::select! {
                event = relay.swarm.select_next_some() => {
                    if let SwarmEvent::Behaviour(RelayBehaviourEvent::Sync(sync::Event::Message {
                        message: Message::Response { request_id, response }, ..
                    })) = event
                    {
                        assert_eq!(request_id, id);
                        return response;
                    }
                }
                _ = node.next() => {}
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(90), wait).await.expect("answered");
    assert_eq!(answer, Response::Refused(Refusal::NotServed));
}

#[tokio::test]
async fn a_lost_relay_is_told() {
    let (relay, mut node) = connected().await;
    drop(relay);
    let wait = async { while !matches!(node.next().await, Heard::RelayDown(_)) {} };
    tokio::time::timeout(Duration::from_secs(90), wait).await.expect("told");
    node.connect();
    let wait = async { while !matches!(node.next().await, Heard::RelayDown(_)) {} };
    tokio::time::timeout(Duration::from_secs(90), wait).await.expect("a failed try is told too");
}

#[tokio::test]
#[ignore = "needs a network interface with multicast: cargo test -p livechat-node --lib mdns -- --ignored"]
async fn mdns_finds_a_neighbour_within_seconds() {
    let relay = TestRelay::start().await;
    let listen = ["/ip4/0.0.0.0/tcp/0".parse().unwrap()];
    let mut one = Network::new(relay.info(), &listen, true, &[]).unwrap();
    let mut two = Network::new(relay.info(), &listen, true, &[]).unwrap();
    let wait = async {
        while one.peers() == 0 || two.peers() == 0 {
            tokio::select! {
                _ = one.next() => {}
                _ = two.next() => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), wait).await.expect("found");
}

#[tokio::test]
async fn a_named_peer_is_connected_and_looked_for_again_under_a_new_name() {
    let relay = TestRelay::start().await;
    let at = |port: u16| -> Multiaddr { format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap() };
    let mut one = Network::new(relay.info(), &[at(0)], false, &[]).unwrap();
    let port = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = one.swarm.select_next_some().await {
            break address.iter().find_map(|p| if let Protocol::Tcp(p) = p { Some(p) } else { None }).unwrap();
        }
    };
    let mut two = Network::new(relay.info(), &[at(0)], false, &[at(port)]).unwrap();
    meet(&mut one, &mut two, 1).await;
    let before = *one.swarm.local_peer_id();
    drop(one);
    let gone = async {
        while two.peers() > 0 {
            two.next().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), gone).await.expect("noticed");
    let mut one = Network::new(relay.info(), &[at(port)], false, &[]).unwrap();
    meet(&mut one, &mut two, 1).await;
    assert_ne!(before, *one.swarm.local_peer_id());
}

/// Runs both until the second one has so many peers.
async fn meet(one: &mut Network, two: &mut Network, peers: u32) {
    let wait = async {
        while two.peers() != peers {
            tokio::select! {
                _ = one.next() => {}
                _ = two.next() => {}
                () = tokio::time::sleep(Duration::from_millis(50)) => two.tend(tokio::time::Instant::now()),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), wait).await.expect("they meet");
}
