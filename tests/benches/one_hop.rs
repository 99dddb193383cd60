//! One hop between two people who are online and connected: from `Send` at one node to the message in the other's
//! history, with everything between (MLS, envelope, encrypted store, gossip, opening, store), beside raw gossipsub of
//! the same libp2p with frames of the same size. One run prints both and their ratios.
//!
//! `cargo bench -p livechat-tests --bench one_hop`; `LIVECHAT_BENCH_MESSAGES` sets how many in a stream (default 2,000).
#![allow(clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[allow(dead_code, reason = "shared with the benchmark of gossip alone")]
#[path = "../../node/net/benches/gossip/baseline.rs"]
mod baseline;

use std::time::{Duration, Instant};

use baseline::Figures;
use livechat_node::api::{Event, Events, Request, Response};
use livechat_node::{Config, Node};
use livechat_relay::testing::free_port;
use livechat_tests::process::code;
use livechat_wire::ConversationId;

/// Messages timed one by one.
const LONE: usize = 300;
/// Messages under way at once in the stream.
const WINDOW: usize = 32;

fn main() {
    let many = std::env::var("LIVECHAT_BENCH_MESSAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        println!("one hop over TCP on loopback: {LONE} messages of 256 bytes alone, {many} in a stream\n");
        println!("{:<44} {:>10} {:>10} {:>12}", "", "p50", "p99", "messages/s");
        let raw = baseline::raw(LONE, many).await;
        print("raw gossipsub, frames of 2,048 bytes", &raw);
        let ours = ours(many).await;
        print("node to node, durable at both ends", &ours);
        let ratio = |a: f64, b: f64| format!("{:.2}x", a / b);
        println!(
            "{:<44} {:>10} {:>10} {:>12}",
            "ours / raw",
            ratio(ours.percentile(50), raw.percentile(50)),
            ratio(ours.percentile(99), raw.percentile(99)),
            ratio(ours.messages_per_second, raw.messages_per_second),
        );
    });
}

fn print(what: &str, f: &Figures) {
    let ms = |p| format!("{:.2} ms", f.percentile(p));
    println!("{what:<44} {:>10} {:>10} {:>12.0}", ms(50), ms(99), f.messages_per_second);
}

async fn ours(many: usize) -> Figures {
    let dir = tempfile::tempdir().unwrap();
    let relay = livechat_relay::start(livechat_relay::Config::local(dir.path().join("relay"))).await.unwrap();
    let url: url::Url = format!("http://{}", relay.http_addr()).parse().unwrap();
    let address = format!("/ip4/127.0.0.1/tcp/{}", free_port());
    let mut config = Config::new(dir.path().join("bob"), url.clone());
    config.listen = vec![address.clone()];
    let bob = Node::start(config).await.unwrap();
    let mut config = Config::new(dir.path().join("alice"), url);
    config.peers = vec![address];
    let alice = Node::start(config).await.unwrap();
    sign_up(&alice, "alice").await;
    sign_up(&bob, "bob").await;
    let Ok(Response::Contact(contact)) = alice.request(Request::AddContact { username: "bob".into() }).await else {
        panic!("bob can't be added")
    };
    let chat = contact.conversation;
    // To the relay, and to each other.
    for node in [&alice, &bob] {
        while !matches!(node.request(Request::Status).await, Ok(Response::Status(s)) if s.peers >= 2) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    // The mesh forms with the next heartbeats; the first message makes the conversation at the other end.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut arrivals = bob.events();
    send(&alice, chat).await;
    arrived(&mut arrivals).await;

    let mut latency = Vec::with_capacity(LONE);
    for _ in 0..LONE {
        let begun = Instant::now();
        send(&alice, chat).await;
        arrived(&mut arrivals).await;
        latency.push(begun.elapsed());
    }
    latency.sort_unstable();

    let begun = Instant::now();
    let (mut sent, mut got) = (0, 0);
    let mut under_way = tokio::task::JoinSet::new();
    while got < many {
        while sent < many && sent - got < WINDOW {
            let alice = alice.clone();
            under_way.spawn(async move { send(&alice, chat).await });
            sent += 1;
        }
        arrived(&mut arrivals).await;
        got += 1;
    }
    let messages_per_second = many as f64 / begun.elapsed().as_secs_f64();
    while let Some(done) = under_way.join_next().await {
        done.unwrap();
    }
    alice.stop().await;
    bob.stop().await;
    relay.stop().await;
    Figures { latency, messages_per_second }
}

async fn sign_up(node: &Node, name: &str) {
    let Ok(Response::SignUp(ticket)) = node.request(Request::SignUp { username: name.into() }).await else {
        panic!("{name} can't begin")
    };
    let confirm = Request::ConfirmSignUp { code: code(&ticket.setup_key, 0) };
    assert!(matches!(node.request(confirm).await, Ok(Response::SignedUp(_))), "{name} can't sign up");
}

async fn send(node: &Node, conversation: ConversationId) {
    let text = "x".repeat(256);
    let sent = node.request(Request::Send { conversation, text, id: None, reply_to: None }).await;
    assert!(matches!(sent, Ok(Response::Sent(_))), "{sent:?}");
}

async fn arrived(events: &mut Events) {
    loop {
        match events.next().await {
            Some(Event::MessageAdded { .. }) => return,
            Some(Event::Lagged) | None => panic!("events were lost"),
            Some(_) => {}
        }
    }
}
