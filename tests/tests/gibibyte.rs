//! The largest file that can be sent, over the deaths of both ends, and what it costs either of them.
//!
//! Minutes and five gibibytes of disk, so it is run by hand, with optimised nodes:
//! `LIVECHAT_BIN_DIR=target/release cargo test -p livechat-tests --test gibibyte -- --ignored --nocapture`.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use livechat_node::api::socket::Client;
use livechat_node::api::{Message, MessageBody, Request, Response};
use livechat_tests::process::{NodeProcess, Person as _, RelayProcess};
use livechat_wire::{ConversationId, limits};

const PATIENCE: Duration = Duration::from_secs(3_600);
/// Bytes that a node may ever have in memory meanwhile: a file is never in it as a whole.
const MEMORY: u64 = 192 * 1_024 * 1_024;

#[test]
#[ignore = "minutes and five gibibytes of disk; see the head of the file"]
fn a_gibibyte_survives_the_death_of_both_ends() {
    tokio::runtime::Runtime::new().unwrap().block_on(story());
}

async fn story() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let settings = at("relay.toml");
    std::fs::write(&settings, "[limits]\nfile_parts_per_minute = 100000\n").unwrap();
    let settings = settings.display().to_string();
    let relay = RelayProcess::start_with(&at("relay"), None, &[("LIVECHAT_RELAY_CONFIG", settings.as_str())]);
    let mut alice = NodeProcess::start(&at("alice"), &relay.url());
    let mut bob = NodeProcess::start(&at("bob"), &relay.url());
    let (a, b) = (alice.client().await, bob.client().await);
    a.signs_up("alice").await;
    b.signs_up("bobby").await;
    let chat = a.adds("bobby").await.conversation;
    let source = at("film.bin");
    make(&source);
    let sum = sha256(&source);

    let begun = Instant::now();
    let path = source.display().to_string();
    let send = Request::SendFile { conversation: chat, path, name: None, id: None, as_is: false };
    let sent = a.request(send).await;
    assert!(matches!(sent, Ok(Response::Transfer(_))), "{sent:?}");
    println!("sealed in {:.1?}", begun.elapsed());
    std::fs::remove_file(&source).unwrap();
    let before = half(&a).await;
    let mut most = peak(&mut alice);
    drop(a);
    alice.kill_9();
    alice.restart();
    let a = alice.client().await;
    let begun = Instant::now();
    file(&a, chat, true).await;
    println!("killed at {before} bytes; the rest went up in {:.1?}", begun.elapsed());
    most = most.max(peak(&mut alice));

    let position = file(&b, chat, false).await.position;
    let fetch = Request::FetchFile { conversation: chat, position };
    assert!(matches!(b.request(fetch).await, Ok(Response::Transfer(_))));
    let before = half(&b).await;
    let mut most_there = peak(&mut bob);
    drop(b);
    bob.kill_9();
    bob.restart();
    let b = bob.client().await;
    let begun = Instant::now();
    file(&b, chat, true).await;
    println!("killed at {before} bytes; the rest came down in {:.1?}", begun.elapsed());
    let to = at("saved.bin").display().to_string();
    let saved = b.request(Request::SaveFile { conversation: chat, position, to }).await;
    assert!(matches!(saved, Ok(Response::Saved { .. })), "{saved:?}");
    most_there = most_there.max(peak(&mut bob));
    assert_eq!(sha256(&at("saved.bin")), sum);
    let [most, most_there] = [most, most_there].map(|bytes| bytes / 1_048_576);
    println!("sha256 {sum} at both ends; at most {most} MiB in the sender's memory, {most_there} in the recipient's");
    assert!(most.max(most_there) * 1_048_576 <= MEMORY);
}

/// A gibibyte in which nothing repeats.
fn make(path: &Path) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..limits::FILE / 8 {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        out.write_all(&dice.to_le_bytes()).unwrap();
    }
    out.flush().unwrap();
}

/// By a program that isn't ours.
fn sha256(path: &Path) -> String {
    assert_eq!(path.metadata().unwrap().len(), limits::FILE);
    let said = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(said.stdout).unwrap()[..64].to_owned()
}

/// Waits until the only file on its way is half there; how many bytes have come.
async fn half(client: &Client) -> u64 {
    until(async || {
        let Ok(Response::Transfers { transfers }) = client.request(Request::Transfers).await else { panic!("no list") };
        transfers.first().map(|t| t.done).filter(|done| *done > limits::FILE / 2)
    })
    .await
}

async fn file(client: &Client, chat: ConversationId, here: bool) -> Message {
    until(async || {
        let is = |m: &Message| matches!(&m.body, MessageBody::File { here: h, .. } if *h || !here);
        client.history(chat).await.into_iter().find(is)
    })
    .await
}

async fn until<T>(holds: impl AsyncFn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = holds().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The most bytes that a node has had in memory.
fn peak(node: &mut NodeProcess) -> u64 {
    let mut status = String::new();
    let path = format!("/proc/{}/status", node.process().pid());
    File::open(path).unwrap().read_to_string(&mut status).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}
