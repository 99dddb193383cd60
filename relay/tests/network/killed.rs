//! SIGKILL: a relay in a process of its own, killed in the middle of deposits and appends and started again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use livechat_relay::store::{Location, MongoUrl, Store};
use livechat_wire::SlotId;
use livechat_wire::order::Receipt;
use livechat_wire::sync::{Request, Response, Verdict};

use crate::client::{Client, Stores, config, envelopes as batch, start};
use crate::order::{commit, read_slot};

const DIR: &str = "LIVECHAT_TEST_CHILD_DIR";
const STORE: &str = "LIVECHAT_TEST_CHILD_STORE";

pub fn is_child() -> bool {
    std::env::var_os(DIR).is_some()
}

/// The child: serves until it is killed.
pub fn child() {
    let dir = std::env::var_os(DIR).unwrap();
    let location = match std::env::var(STORE) {
        Ok(url) => Location::Mongo(MongoUrl(url)),
        Err(_) => Location::Sqlite(Path::new(&dir).join("relay.db")),
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&location).await.unwrap();
        let relay = start(config(Path::new(&dir)), Stores::of(&store).await).await;
        println!("{}", relay.addrs()[0]);
        std::future::pending::<()>().await;
    });
}

struct Relay(Child, String);

impl Relay {
    fn spawn(dir: &Path, store: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(DIR, dir).stdout(Stdio::piped());
        if let Some(url) = store {
            command.env(STORE, url);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, line.trim().to_owned())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // SIGKILL, and again at the end of the test.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub async fn nothing_acknowledged_is_lost_when_killed() {
    killed_five_times(None).await;
}

/// Five lives of one store: deposits until killed, at another moment each time.
pub async fn killed_five_times(store: Option<&str>) {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for life in 0..5_u32 {
        let mut relay = Relay::spawn(dir.path(), store);
        let address = relay.1.clone();
        let mut client = Client::connect(&address).await;
        let killer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(150 + u64::from(life) * 97));
            relay.0.kill().unwrap();
            relay
        });
        for round in 0..200 {
            let envelopes = batch(life * 10_000 + round * 8..life * 10_000 + round * 8 + 8);
            match client.ask(Request::Deposit { envelopes: envelopes.clone() }).await {
                Ok(Response::Verdicts(verdicts)) => {
                    for (e, v) in envelopes.into_iter().zip(verdicts) {
                        if let Verdict::Kept(receipt) = v {
                            acknowledged.push((e, *receipt));
                        }
                    }
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        drop(killer.join().unwrap());
    }
    assert!(acknowledged.len() > 100, "only {} were acknowledged", acknowledged.len());
    let relay = Relay::spawn(dir.path(), store);
    let mut client = Client::connect(&relay.1).await;
    let all = client.fetch_all().await;
    let mut ids: Vec<_> = all.iter().map(|e| e.id()).collect();
    for part in acknowledged.chunks(64) {
        let envelopes: Vec<_> = part.iter().map(|(e, _)| e.clone()).collect();
        let told = client.present(&envelopes).await;
        for ((e, receipt), v) in part.iter().zip(told) {
            assert!(ids.contains(&e.id()), "acknowledged and gone");
            assert!(matches!(v, Verdict::Kept(r) if *r == *receipt), "under the same number");
        }
    }
    ids.sort_unstable();
    let n = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), n, "nothing twice");
}

pub async fn no_place_that_was_signed_changes_when_killed() {
    killed_while_appending(None).await;
}

/// Five lives of one store: two members append to one slot until the relay is killed. What was signed stands where it was
/// signed, the order has no hole, and who heard nothing asks again and is told one place.
pub async fn killed_while_appending(store: Option<&str>) {
    let dir = tempfile::tempdir().unwrap();
    let slot = |life: u32| SlotId([life as u8; 32]);
    let mut signed: Vec<(u32, Receipt)> = Vec::new();
    let mut unheard = Vec::new();
    for life in 0..5_u32 {
        let mut relay = Relay::spawn(dir.path(), store);
        let (mut a, mut b) = (Client::connect(&relay.1).await, Client::connect(&relay.1).await);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(150 + u64::from(life) * 97));
            relay.0.kill().unwrap();
            relay
        });
        let first = append_until_killed(&mut a, slot(life), life * 1_000);
        let second = append_until_killed(&mut b, slot(life), life * 1_000 + 500);
        let (first, second) = tokio::join!(first, second);
        for (heard, last) in [first, second] {
            signed.extend(heard);
            unheard.extend(last.map(|n| (slot(life), n)));
        }
        drop(killer.join().unwrap());
    }
    assert!(signed.len() >= 20 && !unheard.is_empty(), "{} signed, {} unheard", signed.len(), unheard.len());
    let relay = Relay::spawn(dir.path(), store);
    let mut client = Client::connect(&relay.1).await;
    for (slot, n) in unheard {
        let answer = client.ask(Request::Append { slot, commit: commit(n) }).await.unwrap();
        let Response::Appended(receipt) = answer else { panic!("{answer:?}") };
        signed.push((n, *receipt));
    }
    for life in 0..5 {
        let order = read_slot(&mut client, slot(life)).await;
        let of_life: Vec<_> = signed.iter().filter(|(_, r)| r.slot == slot(life)).collect();
        assert_eq!(order.len(), of_life.len(), "each commit once");
        for (n, receipt) in of_life {
            let entry = &order[receipt.index as usize];
            assert!(entry.commit == commit(*n));
            assert_eq!(entry.receipt, *receipt, "signed in the same words");
        }
    }
}

/// Up to 120 commits; those that were signed, and the one that got no answer.
async fn append_until_killed(client: &mut Client, slot: SlotId, from: u32) -> (Vec<(u32, Receipt)>, Option<u32>) {
    let mut signed = Vec::new();
    for n in from..from + 120 {
        match client.ask(Request::Append { slot, commit: commit(n) }).await {
            Ok(Response::Appended(receipt)) => signed.push((n, *receipt)),
            Ok(other) => panic!("{other:?}"),
            Err(_) => return (signed, Some(n)),
        }
    }
    (signed, None)
}
