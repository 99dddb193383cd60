//! Slots, as members of a group see them.

use std::collections::BTreeSet;
use std::sync::Arc;

use livechat_relay::env::Env;
use livechat_relay::network;
use livechat_relay::store::{Location, Store};
use livechat_relay::testing::{Faults, FaultySlots, TurnedClock};
use livechat_wire::order::{Entry, Receipt, SealedCommit};
use livechat_wire::sync::{Refusal, Request, Response};
use livechat_wire::{SlotId, limits};
use prometheus_client::registry::Registry;

use crate::client::{Client, Stores, config, relay_id, signing, start};
use crate::sqlite;

const SLOT: SlotId = SlotId([7; 32]);

/// The `n`th commit.
pub fn commit(n: u32) -> SealedCommit {
    sized(n, limits::COMMIT_PADDING)
}

fn sized(n: u32, bytes: usize) -> SealedCommit {
    SealedCommit::new(n.to_be_bytes().into_iter().cycle().take(bytes).collect()).unwrap()
}

async fn append(client: &mut Client, slot: SlotId, commit: SealedCommit) -> Result<Receipt, Refusal> {
    match client.ask(Request::Append { slot, commit }).await.unwrap() {
        Response::Appended(receipt) => Ok(*receipt),
        Response::Refused(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

/// All of a slot, page by page; every entry is checked as a member would.
pub async fn read_slot(client: &mut Client, slot: SlotId) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let from = u32::try_from(all.len()).unwrap();
        let answer = client.ask(Request::Slot { slot, from }).await.unwrap();
        let Response::Entries { entries, more } = answer else { panic!("{answer:?}") };
        for (index, entry) in (from..).zip(&entries) {
            entry.verify().unwrap();
            assert_eq!((entry.receipt.slot, entry.receipt.index), (slot, index), "a hole");
            assert_eq!(entry.receipt.sequencer, relay_id().0);
        }
        all.extend(entries);
        if !more {
            return all;
        }
    }
}

pub async fn commits_get_their_places_and_receipts() {
    let (stores, dir) = sqlite().await;
    let relay = start(config(dir.path()), stores).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    let mut bob = Client::connect(&relay.addrs()[1]).await;
    assert_eq!(read_slot(&mut bob, SLOT).await, []);
    // The smallest and the largest there are: they pass the frame's limits both ways.
    let sizes = [1, limits::COMMIT / limits::COMMIT_PADDING, 1, limits::COMMIT / limits::COMMIT_PADDING, 2];
    for (n, pages) in (0..).zip(sizes) {
        let commit = sized(n, pages * limits::COMMIT_PADDING);
        let receipt = append(&mut alice, SLOT, commit.clone()).await.unwrap();
        receipt.verify().unwrap();
        assert_eq!((receipt.slot, receipt.index, receipt.hash), (SLOT, n, commit.hash()));
        assert_eq!(receipt.sequencer, relay_id().0);
        assert!(receipt.time.abs_diff(Env::system().now()) < 60);
        assert_eq!(append(&mut bob, SLOT, commit).await, Ok(receipt), "the same receipt again, whoever asks");
    }
    let order = read_slot(&mut bob, SLOT).await;
    assert_eq!(order.len(), 5);
    for (n, entry) in (0..).zip(&order) {
        assert_eq!(append(&mut alice, SLOT, entry.commit.clone()).await.as_ref(), Ok(&entry.receipt));
        assert_eq!(entry.receipt.index, n);
    }
    assert_eq!(read_slot(&mut bob, SlotId([8; 32])).await, []);
    relay.stop().await;
}

pub async fn members_at_once_agree_on_one_order() {
    let (stores, dir) = sqlite().await;
    let relay = start(config(dir.path()), stores).await;
    let members = (0..6_u32).map(|m| {
        let address = relay.addrs()[(m % 2) as usize].clone();
        tokio::spawn(async move {
            let mut member = Client::connect(&address).await;
            let mut receipts = Vec::new();
            for n in 0..8 {
                receipts.push(append(&mut member, SLOT, commit(m * 100 + n)).await.unwrap());
            }
            (member, receipts)
        })
    });
    let (mut all, mut last) = (Vec::new(), None);
    for member in members.collect::<Vec<_>>() {
        let (member, receipts) = member.await.unwrap();
        all.extend(receipts);
        last = Some(member);
    }
    let indices: BTreeSet<_> = all.iter().map(|r| r.index).collect();
    assert_eq!(indices, (0..48).collect(), "each place once, and no hole");
    let order = read_slot(&mut last.unwrap(), SLOT).await;
    assert!(all.iter().all(|r| order[r.index as usize].receipt == *r));
    assert!(!all.iter().any(|r| order.iter().any(|e| e.receipt.contradicts(r))));
    relay.stop().await;
}

/// Before it takes effect, or when only the answer is lost: no receipt, and the same commit again gets the one place.
pub async fn a_failing_store_signs_nothing_and_loses_nothing() {
    let (stores, dir) = sqlite().await;
    let faults = Arc::new(Faults::default());
    let slots = Arc::new(FaultySlots { inner: stores.slots.clone(), faults: faults.clone() });
    let relay = start(config(dir.path()), Stores { slots, ..stores.clone() }).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    append(&mut alice, SLOT, commit(0)).await.unwrap();
    faults.fail_after(0);
    assert_eq!(append(&mut alice, SLOT, commit(1)).await, Err(Refusal::Unavailable));
    let asked = alice.ask(Request::Slot { slot: SLOT, from: 0 }).await.unwrap();
    assert_eq!(asked, Response::Refused(Refusal::Unavailable));
    faults.lose_answers_after(0);
    assert_eq!(append(&mut alice, SLOT, commit(2)).await, Err(Refusal::Unavailable));
    faults.heal();
    // Somebody else's comes between.
    assert_eq!(append(&mut alice, SLOT, commit(3)).await.unwrap().index, 2);
    assert_eq!(append(&mut alice, SLOT, commit(2)).await.unwrap().index, 1, "it was there, unsigned");
    assert_eq!(append(&mut alice, SLOT, commit(1)).await.unwrap().index, 3, "it was not");
    let order: Vec<_> = read_slot(&mut alice, SLOT).await.into_iter().map(|e| e.commit).collect();
    assert!(order == [commit(0), commit(2), commit(3), commit(1)]);
    relay.stop().await;
}

pub async fn a_full_disk_is_told_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::Sqlite(dir.path().join("relay.db"))).await.unwrap();
    let Store::Sqlite(db) = &store else { unreachable!() };
    let pages = |n: u32| db.write(move |db| Ok(db.pragma_update(None, "max_page_count", n)?));
    let relay = start(config(dir.path()), Stores::of(&store).await).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    let first = append(&mut alice, SLOT, commit(0)).await.unwrap();
    pages(1).await.unwrap();
    assert_eq!(append(&mut alice, SLOT, sized(1, limits::COMMIT)).await, Err(Refusal::Unavailable));
    assert_eq!(read_slot(&mut alice, SLOT).await.len(), 1, "reading goes on");
    assert_eq!(append(&mut alice, SLOT, commit(0)).await.as_ref(), Ok(&first));
    pages(1_000_000).await.unwrap();
    assert_eq!(append(&mut alice, SLOT, sized(1, limits::COMMIT)).await.unwrap().index, 1);
    relay.stop().await;
}

pub async fn too_many_commits_at_once_are_refused() {
    let (stores, dir) = sqlite().await;
    let relay = start(config(dir.path()), stores).await;
    let mut mallory = Client::connect(&relay.addrs()[0]).await;
    let (mut kept, mut busy) = (0, 0);
    for n in 0..24_u32 {
        // A slot of its own for each: strangers' slots cost as much as any.
        match append(&mut mallory, SlotId([n as u8; 32]), sized(n, limits::COMMIT)).await {
            Ok(_) => kept += 1,
            Err(Refusal::Busy) => busy += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(kept >= 8 && busy > 0, "{kept} kept, {busy} refused");
    // Others don't notice; and a slot holds no more than it may.
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    append(&mut alice, SLOT, commit(1)).await.unwrap();
    relay.stop().await;

    let (stores, dir) = sqlite().await;
    for n in 0..limits::SLOT_ENTRIES {
        stores.slots.append(SLOT, commit(n), Env::system().now()).await.unwrap();
    }
    let relay = start(config(dir.path()), stores).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    assert_eq!(append(&mut alice, SLOT, commit(9_999)).await, Err(Refusal::Full));
    assert_eq!(append(&mut alice, SLOT, commit(200)).await.unwrap().index, 200);
    assert_eq!(read_slot(&mut alice, SLOT).await.len(), limits::SLOT_ENTRIES as usize);
    relay.stop().await;
}

/// The relay's own hour comes round: an old entry goes, its number stays taken.
pub async fn an_expired_place_is_told_and_never_given_again() {
    let (stores, dir) = sqlite().await;
    let now = Env::system().now();
    for (n, ago) in [(0, 33), (1, 31), (2, 1)] {
        stores.slots.append(SLOT, commit(n), now - ago * 86_400).await.unwrap();
    }
    // Expiry runs at the start and every hour from then on.
    let relay = start(config(dir.path()), stores).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    let expired = async {
        while alice.ask(Request::Slot { slot: SLOT, from: 0 }).await.unwrap() != Response::Refused(Refusal::Stale) {}
    };
    crate::within(90, "an expiry", expired).await;
    let answer = alice.ask(Request::Slot { slot: SLOT, from: 1 }).await.unwrap();
    assert!(matches!(&answer, Response::Entries { entries, more: false } if entries.len() == 2), "{answer:?}");
    assert_eq!(append(&mut alice, SLOT, commit(9)).await.unwrap().index, 3);
    relay.stop().await;
}

pub async fn metrics_name_nobody() {
    let (Stores { envelopes, slots }, dir) = sqlite().await;
    let mut registry = Registry::default();
    let env = Env::with_clock(TurnedClock::at(Env::system().now()));
    let relay = network::start(config(dir.path()), envelopes, slots, signing(), env, &mut registry).await.unwrap();
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    append(&mut alice, SLOT, commit(1)).await.unwrap();
    append(&mut alice, SLOT, commit(1)).await.unwrap();
    read_slot(&mut alice, SLOT).await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "livechat_network_commits_appended_total 2",
        r#"livechat_network_sync_requests_total{request="Append",outcome="Answered"} 2"#,
        r#"livechat_network_sync_requests_total{request="Slot",outcome="Answered"} 1"#,
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("0707") && !text.contains(&alice.swarm.local_peer_id().to_string()));
    relay.stop().await;
}
