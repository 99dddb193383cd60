//! The relay's network side, from a bare libp2p client's point of view.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod client;
mod faults;
mod hostile;
mod killed;
mod order;

use std::time::{Duration, Instant};

use client::{Client, Stores, config, envelope, envelopes, now, relay_id, sealed, start, within};
use faults::Faulty;
use futures::StreamExt;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libtest_mimic::{Arguments, Trial};
use livechat_relay::store::{Location, Store};
use livechat_relay::testing::{Mongod, mongo_missing};
use livechat_wire::sync::{Cursor, Refusal, Request, Response, Verdict};
use tempfile::TempDir;

fn main() {
    if killed::is_child() {
        return killed::child();
    }
    macro_rules! trials {
        ($($path:path),* $(,)?) => { vec![$(Trial::test(stringify!($path), || {
            tokio::runtime::Runtime::new()?.block_on(within(120, stringify!($path), $path()));
            Ok(())
        })),*] };
    }
    let mut trials = trials![
        what_is_deposited_is_kept_and_fetched,
        long_polls_wake_for_what_comes,
        gossip_is_kept_and_passed_on,
        what_must_not_be_kept_is_refused_one_by_one,
        a_failing_store_is_told_and_recovers,
        too_much_at_once_is_refused,
        the_address_outlives_the_process,
        circuits_lead_round_a_nat,
        too_many_connections_of_one_address_are_refused,
        hostile::seed_b13_hostile_frames_end_nothing,
        killed::nothing_acknowledged_is_lost_when_killed,
        killed::no_place_that_was_signed_changes_when_killed,
        order::commits_get_their_places_and_receipts,
        order::members_at_once_agree_on_one_order,
        order::a_failing_store_signs_nothing_and_loses_nothing,
        order::a_full_disk_is_told_and_nothing_is_lost,
        order::too_many_commits_at_once_are_refused,
        order::an_expired_place_is_told_and_never_given_again,
        order::metrics_name_nobody,
    ];
    let on_mongo = Trial::test("killed::nothing_acknowledged_is_lost_when_killed_on_mongo", || {
        tokio::runtime::Runtime::new()?.block_on(within(120, "five lives", async {
            let server = Mongod::start().await;
            killed::killed_five_times(Some(&server.uri("killed"))).await;
            killed::killed_while_appending(Some(&server.uri("appending"))).await;
        }));
        Ok(())
    });
    trials.push(on_mongo.with_ignored_flag(mongo_missing().is_some()));
    if let Some(why) = mongo_missing() {
        eprintln!("…_on_mongo is ignored: {why}");
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

async fn sqlite() -> (Stores, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::Sqlite(dir.path().join("relay.db"))).await.unwrap();
    (Stores::of(&store).await, dir)
}

fn assert_kept(verdict: &Verdict) -> (u64, u64) {
    let Verdict::Kept(receipt) = verdict else { panic!("{verdict:?}") };
    assert_eq!(receipt.relay, relay_id());
    receipt.verify().unwrap();
    (receipt.origin, receipt.sequence)
}

async fn what_is_deposited_is_kept_and_fetched() {
    let (store, dir) = sqlite().await;
    let relay = start(config(dir.path()), store).await;
    for address in relay.addrs() {
        let mut alice = Client::connect(&address).await;
        let from = if address.contains("quic") { 100 } else { 0 };
        let batch = envelopes(from..from + 64);
        let first = alice.deposit(batch.clone()).await;
        assert_eq!(first.len(), 64);
        for (e, v) in batch.iter().zip(&first) {
            assert_kept(v);
            assert!(matches!(v, Verdict::Kept(r) if r.envelope == e.id()));
        }
        assert_eq!(alice.deposit(batch.clone()).await, first, "the same numbers again (R-25)");
        assert_eq!(alice.present(&batch).await, first);
        assert_eq!(alice.present(&[envelope(9_999)]).await, [Verdict::Absent]);
    }
    let mut bob = Client::connect(&relay.addrs()[0]).await;
    let all = bob.fetch_all().await;
    assert_eq!(all.len(), 128, "in two pages");
    assert_eq!(all[..64], envelopes(0..64)[..]);
    relay.stop().await;
}

async fn long_polls_wake_for_what_comes() {
    let (store, dir) = sqlite().await;
    let relay = start(config(dir.path()), store).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    let mut bob = Client::connect(&relay.addrs()[1]).await;
    let begun = Instant::now();
    let (cursor, page, _) = bob.fetch(&Cursor::default(), Duration::from_millis(700)).await;
    assert!(page.is_empty() && begun.elapsed() >= Duration::from_millis(690), "{:?}", begun.elapsed());
    let begun = Instant::now();
    let wait = async { bob.fetch(&cursor, Duration::from_secs(30)).await };
    let send = async {
        tokio::select! {
            () = alice.idle() => {}
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
        assert_kept(&alice.deposit(vec![envelope(1)]).await[0]);
        alice.idle().await;
    };
    let (_, page, _) = tokio::select! { got = wait => got, () = send => unreachable!() };
    assert_eq!(page, [envelope(1)]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // A relay that stops sends waiting readers home with an answer.
    let begun = Instant::now();
    let wait = async { bob.ask(Request::Fetch { bucket: 0, cursor: page_cursor(&page), wait_ms: 30_000 }).await };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        relay.stop().await;
    };
    let (answer, ()) = tokio::join!(wait, stop);
    assert!(matches!(answer, Ok(Response::Page { .. })), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

/// A cursor beyond everything, so that the fetch waits.
fn page_cursor(_: &[livechat_wire::Envelope]) -> Cursor {
    Cursor((1..=8).map(|origin| (origin, u64::from(u32::MAX))).collect())
}

async fn gossip_is_kept_and_passed_on() {
    let (store, dir) = sqlite().await;
    let relay = start(config(dir.path()), store).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    let mut bob = Client::connect(&relay.addrs()[1]).await;
    // Until the relay has taken both into its mesh too: who is only half in hears by sync what was said meanwhile.
    tokio::select! {
        () = alice.idle() => {}
        () = bob.idle() => {}
        () = tokio::time::sleep(Duration::from_secs(2)) => {}
    }
    let fleeting = sealed(1, 0, now(), true);
    alice.publish(&fleeting);
    alice.publish(&envelope(2));
    let talk = async {
        let heard = [bob.hear().await, bob.hear().await];
        // Deposited ones go on to whoever is here.
        (heard, bob.hear().await)
    };
    let send = async {
        loop {
            match alice.present(&[fleeting.clone(), envelope(2)]).await[..] {
                [Verdict::Absent, Verdict::Kept(_)] => break,
                [Verdict::Absent, Verdict::Absent] => tokio::time::sleep(Duration::from_millis(50)).await,
                ref other => panic!("{other:?}"),
            }
        }
        assert_kept(&alice.deposit(vec![envelope(3)]).await[0]);
        alice.idle().await;
    };
    let (heard, deposited) = tokio::select! { got = talk => got, () = send => unreachable!() };
    assert!(heard.contains(&fleeting) && heard.contains(&envelope(2)));
    assert_eq!(deposited, envelope(3));
    assert_eq!(bob.fetch_all().await, [envelope(2), envelope(3)], "the ephemeral one was never stored");
    relay.stop().await;
}

async fn what_must_not_be_kept_is_refused_one_by_one() {
    let (store, dir) = sqlite().await;
    let relay = start(config(dir.path()), store).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    let mut forged = *envelope(1).as_bytes();
    forged[1_990] ^= 4;
    let forged = livechat_wire::Envelope::decode(&forged).unwrap();
    let batch = vec![
        sealed(2, 0, now() - 3, false),
        envelope(3),
        forged,
        sealed(4, 1, now(), false),
        sealed(5, 0, now(), true),
        sealed(6, 0, now() + 3, false),
        envelope(7),
    ];
    let got = alice.deposit(batch).await;
    assert_kept(&got[1]);
    assert_kept(&got[6]);
    let refusals: Vec<_> = got.iter().map(|v| if let Verdict::Refused(r) = v { Some(*r) } else { None }).collect();
    let expected = [
        Some(Refusal::Stale),
        None,
        Some(Refusal::Malformed),
        Some(Refusal::NotServed),
        Some(Refusal::NotServed),
        Some(Refusal::Stale),
        None,
    ];
    assert_eq!(refusals, expected);
    assert_eq!(alice.fetch_all().await, [envelope(3), envelope(7)]);
    let refused = |r| Response::Refused(r);
    assert_eq!(alice.ask(Request::Deposit { envelopes: vec![] }).await.unwrap(), refused(Refusal::Malformed));
    assert_eq!(alice.ask(Request::Present { ids: vec![] }).await.unwrap(), refused(Refusal::Malformed));
    let elsewhere = Request::Fetch { bucket: 9, cursor: Cursor::default(), wait_ms: 0 };
    assert_eq!(alice.ask(elsewhere).await.unwrap(), refused(Refusal::NotServed));
    relay.stop().await;
}

async fn a_failing_store_is_told_and_recovers() {
    let (store, dir) = sqlite().await;
    let faulty = Faulty::new(store.envelopes);
    let relay = start(config(dir.path()), Stores { envelopes: faulty.clone(), slots: store.slots }).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    assert_kept(&alice.deposit(vec![envelope(1)]).await[0]);
    faulty.set_down(true);
    assert_eq!(alice.deposit(vec![envelope(2)]).await, [Verdict::Refused(Refusal::Unavailable)]);
    let asked = alice.ask(Request::Present { ids: vec![envelope(1).id()] }).await.unwrap();
    assert_eq!(asked, Response::Refused(Refusal::Unavailable));
    let fetch = Request::Fetch { bucket: 0, cursor: Cursor::default(), wait_ms: 0 };
    assert_eq!(alice.ask(fetch).await.unwrap(), Response::Refused(Refusal::Unavailable));
    faulty.set_down(false);
    assert_kept(&alice.deposit(vec![envelope(2)]).await[0]);
    assert_eq!(alice.fetch_all().await, envelopes(1..3));
    relay.stop().await;

    // The same when it is away from the start.
    let (store, dir) = sqlite().await;
    let faulty = Faulty::new(store.envelopes);
    faulty.set_down(true);
    let relay = start(config(dir.path()), Stores { envelopes: faulty.clone(), slots: store.slots }).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    assert_eq!(alice.deposit(vec![envelope(2)]).await, [Verdict::Refused(Refusal::Unavailable)]);
    faulty.set_down(false);
    let begun = Instant::now();
    while !matches!(alice.deposit(vec![envelope(2)]).await[..], [Verdict::Kept(_)]) {
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    relay.stop().await;
}

async fn too_much_at_once_is_refused() {
    let (store, dir) = sqlite().await;
    let relay = start(config(dir.path()), store).await;
    let mut mallory = Client::connect(&relay.addrs()[0]).await;
    let mut busy = 0;
    for round in 0..40 {
        let request = Request::Deposit { envelopes: envelopes(round * 64..round * 64 + 64) };
        if mallory.ask(request).await.unwrap() == Response::Refused(Refusal::Busy) {
            busy += 1;
        }
    }
    assert!(busy > 0, "2,560 envelopes at once are more than a peer may deposit");
    // Others don't notice.
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    assert_kept(&alice.deposit(vec![envelope(100_000)]).await[0]);
    relay.stop().await;
}

async fn the_address_outlives_the_process() {
    let (store, dir) = sqlite().await;
    let relay = start(config(dir.path()), store.clone()).await;
    let (peer, addresses) = (relay.peer(), relay.addrs());
    assert_eq!(addresses.len(), 2);
    assert!(addresses.iter().all(|a| a.ends_with(&format!("/p2p/{peer}"))), "{addresses:?}");
    relay.stop().await;
    let announced = ["/dns4/relay.example/udp/4001/quic-v1".to_owned()];
    let relay =
        start(livechat_relay::network::NetworkConfig { announce: announced.into(), ..config(dir.path()) }, store);
    let relay = relay.await;
    assert_eq!(relay.addrs(), [format!("/dns4/relay.example/udp/4001/quic-v1/p2p/{peer}")]);
    relay.stop().await;
}

async fn circuits_lead_round_a_nat() {
    let (store, dir) = sqlite().await;
    let relay = start(config(dir.path()), store).await;
    let address: Multiaddr = relay.addrs()[0].parse().unwrap();
    let mut hidden = Client::connect(&relay.addrs()[0]).await;
    hidden.swarm.listen_on(address.clone().with(Protocol::P2pCircuit)).unwrap();
    let through = loop {
        match hidden.swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { address, .. } => break address,
            SwarmEvent::ListenerClosed { reason, .. } => panic!("{reason:?}"),
            _ => {}
        }
    };
    let mut caller = Client::new(&relay.addrs()[0]);
    caller.swarm.dial(through).unwrap();
    let target = *hidden.swarm.local_peer_id();
    let call = async {
        loop {
            if let SwarmEvent::ConnectionEstablished { peer_id, .. } = caller.swarm.select_next_some().await
                && peer_id == target
            {
                return;
            }
        }
    };
    tokio::select! { () = call => {}, () = hidden.idle() => unreachable!() }
    relay.stop().await;
}

async fn too_many_connections_of_one_address_are_refused() {
    let (store, dir) = sqlite().await;
    let mut tight = config(dir.path());
    tight.connections.per_ip = 2;
    let relay = start(tight, store).await;
    let address = relay.addrs()[0].clone();
    let mut first = Client::connect(&address).await;
    let mut second = Client::connect(&address).await;
    let mut third = Client::new(&address);
    third.swarm.dial(address.parse::<Multiaddr>().unwrap()).unwrap();
    let refused = async {
        loop {
            match third.swarm.select_next_some().await {
                SwarmEvent::OutgoingConnectionError { .. } | SwarmEvent::ConnectionClosed { .. } => return,
                _ => {}
            }
        }
    };
    tokio::select! { () = refused => {}, () = first.idle() => unreachable!(), () = second.idle() => unreachable!() }
    assert_kept(&first.deposit(vec![envelope(1)]).await[0]);
    // A place that is given up is free again.
    drop(second);
    let again = async {
        loop {
            let mut fourth = Client::new(&address);
            fourth.swarm.dial(address.parse::<Multiaddr>().unwrap()).unwrap();
            let request = Request::Present { ids: vec![envelope(1).id()] };
            if fourth.ask(request).await.is_ok() {
                return;
            }
        }
    };
    within(90, "a place", again).await;
    relay.stop().await;
}
