//! Envelopes by gossip between real swarms on loopback.
#![allow(clippy::panic, reason = "helpers of tests fail by panicking")]

mod common;

use std::collections::HashSet;
use std::time::Duration;

use common::{BehaviourEvent, NOW, Peer, envelope, within};
use futures::StreamExt;
use libp2p::gossipsub::PublishError;
use libp2p::swarm::SwarmEvent;
use livechat_net::{Role, gossip::Verdict};

async fn a_thousand(listen: &str) {
    const N: u32 = 1_000;
    let mut alice = Peer::start(Role::Node, listen).await;
    let mut relay = Peer::start(Role::Relay, listen).await;
    within(20, "the mesh", alice.befriend(&mut relay)).await;

    let mut got = HashSet::new();
    let mut next = 0;
    within(60, "1,000 envelopes", async {
        while got.len() < N as usize {
            // The queue holds 512: a full one is told, not silently dropped.
            while next < N && u64::from(next) < got.len() as u64 + 256 {
                match alice.publish(envelope(next).as_bytes()) {
                    Ok(_) => next += 1,
                    Err(PublishError::AllQueuesFull(_)) => break,
                    Err(e) => panic!("{e}"),
                }
            }
            tokio::select! {
                _ = alice.swarm.select_next_some() => {}
                event = relay.swarm.select_next_some() => {
                    if let SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) = event
                        && let Some(verdict) = relay.judge(event)
                    {
                        let Verdict::Accept(e) = verdict else { panic!("{verdict:?}") };
                        assert!(got.insert(e.id()), "once each");
                    }
                }
            }
        }
    })
    .await;
    assert!((0..N).all(|n| got.contains(&envelope(n).id())));
}

#[tokio::test]
async fn a_thousand_envelopes_over_tcp() {
    a_thousand("/ip4/127.0.0.1/tcp/0").await;
}

#[tokio::test]
async fn a_thousand_envelopes_over_quic() {
    a_thousand("/ip4/127.0.0.1/udp/0/quic-v1").await;
}

/// Mallory — Bob — Carol: what Bob rejects or ignores never reaches Carol, what he accepts does; Mallory loses Bob's ear.
#[tokio::test]
async fn malformed_envelopes_are_rejected_and_not_forwarded() {
    let listen = "/ip4/127.0.0.1/tcp/0";
    let mut mallory = Peer::start(Role::Node, listen).await;
    let mut bob = Peer::start(Role::Node, listen).await;
    let mut carol = Peer::start(Role::Node, listen).await;
    within(20, "the first mesh", mallory.befriend(&mut bob)).await;
    within(20, "the second mesh", carol.befriend(&mut bob)).await;
    let villain = mallory.id();

    let mut forged = *envelope(1).as_bytes();
    forged[2_047] ^= 1;
    let mut stale = *envelope(2).as_bytes();
    stale[4..8].copy_from_slice(&(NOW - 9).to_be_bytes());
    let third = envelope(3);
    let short = &third.as_bytes()[1..];
    for bytes in [&forged[..], &stale[..], short, b"hi", envelope(4).as_bytes()] {
        mallory.publish(bytes).unwrap();
    }

    let (mut at_bob, mut at_carol) = (Vec::new(), Vec::new());
    within(20, "the honest envelope", async {
        while at_bob.len() < 5 || at_carol.is_empty() {
            tokio::select! {
                _ = mallory.swarm.select_next_some() => {}
                event = bob.swarm.select_next_some() => {
                    if let SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) = event {
                        at_bob.extend(bob.judge(event));
                    }
                }
                event = carol.swarm.select_next_some() => {
                    if let SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) = event {
                        at_carol.extend(carol.judge(event));
                    }
                }
            }
        }
    })
    .await;
    let count = |f: fn(&Verdict) -> bool| at_bob.iter().filter(|v| f(v)).count();
    assert_eq!(count(|v| matches!(v, Verdict::Accept(_))), 1);
    assert_eq!(count(|v| matches!(v, Verdict::Reject(_))), 3);
    assert_eq!(count(|v| matches!(v, Verdict::Ignore(_))), 1);
    assert_eq!(at_carol, vec![Verdict::Accept(envelope(4))], "only the honest one travels on");
    let score = bob.swarm.behaviour().gossip.peer_score(&villain).unwrap();
    assert!(score < -100.0, "three invalid messages cost the sender gossip: {score}");

    // Carol stays deaf to the rest however long it takes: lazy gossip goes out at the heartbeat.
    let quiet = tokio::time::timeout(Duration::from_secs(3), async {
        loop {
            tokio::select! {
                _ = mallory.swarm.select_next_some() => {}
                _ = bob.swarm.select_next_some() => {}
                event = carol.swarm.select_next_some() => {
                    if let SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) = event
                        && let Some(v) = carol.judge(event)
                    {
                        return v;
                    }
                }
            }
        }
    });
    assert!(quiet.await.is_err());
}

/// A frame over the transmit limit never leaves; one byte soup on the topic doesn't stop the stream.
#[tokio::test]
async fn oversized_messages_are_refused_before_sending() {
    let listen = "/ip4/127.0.0.1/tcp/0";
    let mut alice = Peer::start(Role::Node, listen).await;
    let mut bob = Peer::start(Role::Node, listen).await;
    within(20, "the mesh", alice.befriend(&mut bob)).await;
    assert!(matches!(
        alice.publish(&vec![0; livechat_net::limits::GOSSIP_RPC + 1]),
        Err(PublishError::MessageTooLarge)
    ));
}
