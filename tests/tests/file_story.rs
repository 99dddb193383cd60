//! A file from one person to another while everything that can be killed is: it arrives whole, once, and the relay has
//! seen neither its name nor a word of it (P1, P2).
//!
//! The relay takes few parts a minute here and forgets its count when it dies. So each stretch of the way ends at a known
//! place, where somebody is killed.
#![allow(clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_node::api::socket::Client;
use livechat_node::api::{ErrorCode, Message, MessageBody, Request, Response, Transfer};
use livechat_relay::testing::Mongod;
use livechat_tests::canary::Canaries;
use livechat_tests::process::{Need, NodeProcess, Person as _, RelayProcess, unmet};
use livechat_wire::{ConversationId, blob, limits};

/// Debug builds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// Parts that a relay takes or gives in its life, about: one more every few seconds.
const BURST: u64 = 12;
const NAME: &str = "canarfile gehalt 2026.txt";
const PART: u64 = limits::BLOB_PART as u64;

/// Lines to look for; nothing of them repeats.
fn lines() -> Vec<String> {
    let line = |n: u32| format!("canary line {n:06} of a long file, which ends in {:08x}\n", n.wrapping_mul(2_654_435));
    (0..130_000).map(line).collect()
}

async fn transfers(client: &Client) -> Vec<Transfer> {
    match client.request(Request::Transfers).await {
        Ok(Response::Transfers { transfers }) => transfers,
        other => panic!("{other:?}"),
    }
}

/// Waits until the only file on its way has come so far; what it says then.
async fn far(client: &Client, parts: u64) -> Transfer {
    let begun = Instant::now();
    loop {
        let all = transfers(client).await;
        if let Some(t) = all.first().filter(|t| t.done >= parts * PART) {
            return t.clone();
        }
        assert!(begun.elapsed() < PATIENCE, "not at {parts} parts: {all:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the history holds a file.
async fn file(client: &Client, chat: ConversationId, here: bool) -> Message {
    let begun = Instant::now();
    loop {
        let history = client.history(chat).await;
        let is = |m: &&Message| matches!(&m.body, MessageBody::File { here: h, .. } if *h || !here);
        if let Some(message) = history.iter().find(is) {
            assert_eq!(history.iter().filter(|m| matches!(m.body, MessageBody::File { .. })).count(), 1, "once");
            return message.clone();
        }
        assert!(begun.elapsed() < PATIENCE, "no file: {:?}", transfers(client).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn story(store: Option<&str>) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let settings = at("relay.toml");
    std::fs::write(&settings, format!("[limits]\nfile_parts_per_minute = {BURST}\n"))?;
    let settings = settings.display().to_string();
    let trace = [("LIVECHAT_RELAY_LOG", "trace"), ("LIVECHAT_RELAY_CONFIG", settings.as_str())];
    let mut relay = RelayProcess::start_with(&at("relay"), store, &trace);
    let mut alice = NodeProcess::start(&at("alice"), &relay.url());
    let mut bob = NodeProcess::start(&at("bob"), &relay.url());
    let (a, b) = (alice.client().await, bob.client().await);
    a.signs_up("alice").await;
    b.signs_up("bobby").await;
    let chat = a.adds("bobby").await.conversation;
    let hello = a.says(chat, "here it comes").await;

    let lines = lines();
    let text = lines.concat();
    let parts = u64::from(blob::parts(blob::sealed(text.len() as u64)));
    assert!(parts > 2 * BURST && parts < 3 * BURST, "{parts}");
    let source = at(NAME);
    std::fs::write(&source, &text)?;

    // A picture that says it is far larger than any memory isn't looked at, let alone sent.
    let bomb = at("bomb.png");
    std::fs::write(&bomb, png_of(50_000, 50_000))?;
    let refused = a.request(send(chat, &bomb)).await.expect_err("a bomb");
    assert_eq!(refused.code, ErrorCode::BadFile, "{refused:?}");

    let sent = a.request(send(chat, &source)).await;
    assert!(matches!(&sent, Ok(Response::Transfer(t)) if t.up && t.size == text.len() as u64), "{sent:?}");
    // From here on it is the node's: its source may go.
    std::fs::remove_file(&source)?;
    far(&a, BURST - 2).await;
    drop(a);
    alice.kill_9();
    relay.kill_9();
    relay.restart();
    alice.restart();
    let a = alice.client().await;
    let second = far(&a, 2 * BURST - 2).await;
    assert_eq!((second.name.as_str(), second.up), (NAME, true));
    relay.kill_9();
    relay.restart();
    let message = file(&a, chat, true).await;
    let begun = Instant::now();
    while !transfers(&a).await.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "still on its way: {:?}", transfers(&a).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let got = file(&b, chat, false).await;
    assert_eq!(got.id, message.id);
    let MessageBody::File { name, size, here: false, .. } = &got.body else { panic!("{got:?}") };
    assert_eq!((name.as_str(), *size), (NAME, text.len() as u64));
    let fetch = Request::FetchFile { conversation: chat, position: got.position };
    assert!(matches!(b.request(fetch).await, Ok(Response::Transfer(t)) if !t.up));
    far(&b, 2).await;
    drop(b);
    bob.kill_9();
    relay.kill_9();
    relay.restart();
    bob.restart();
    let b = bob.client().await;
    far(&b, BURST).await;
    relay.kill_9();
    relay.restart();
    far(&b, 2 * BURST - 2).await;
    relay.kill_9();
    relay.restart();
    let got = file(&b, chat, true).await;
    let out = at("out");
    std::fs::create_dir(&out)?;
    let save = Request::SaveFile { conversation: chat, position: got.position, to: out.display().to_string() };
    let Ok(Response::Saved { path }) = b.request(save).await else { panic!("not saved") };
    assert!(std::fs::read_to_string(&path)? == text, "what came is what was sent");
    assert_eq!(Path::new(&path).parent(), Some(out.as_path()));
    assert_eq!(b.reads(chat, 1).await[0], "here it comes");
    assert!(hello.own);

    // Nothing plain: not at the relay, in whatever it writes, nor in the nodes' own folders.
    let mut secrets: Vec<String> = lines.iter().step_by(997).cloned().collect();
    secrets.extend([NAME.to_owned(), "here it comes".to_owned()]);
    let canaries = Canaries::new(&secrets);
    for place in ["relay", "alice", "bob"] {
        let (found, read) = canaries.in_files(&at(place));
        assert_eq!(found, Vec::new(), "in the folder of {place}");
        assert!(read > 100_000, "{place}: {read} bytes");
    }
    let (control, _) = canaries.in_files(&out);
    assert!(control.len() > 80, "control: it is found where it is");

    // Taken back, it is gone everywhere, at the relay too.
    let sealed_at = |who: &str| std::fs::read_dir(at(who).join("files")).map_or(0, Iterator::count);
    assert_eq!((sealed_at("alice"), sealed_at("bob")), (1, 1));
    let position = message.position;
    let delete = Request::Delete { conversation: chat, position, for_everyone: true };
    assert!(matches!(a.request(delete).await, Ok(Response::Done)));
    let begun = Instant::now();
    loop {
        let Ok(Response::FileSpace(space)) = a.request(Request::FileSpace).await else { panic!("no space") };
        if (sealed_at("alice"), sealed_at("bob"), space.used) == (0, 0, 0) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{} {} {}", sealed_at("alice"), sealed_at("bob"), space.used);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Straight from one node to the other: while either is killed, and then by the relay, when one of them wants no more.
async fn directly() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let relay = RelayProcess::start_with(&at("relay"), None, &[]);
    let mut alice = NodeProcess::start(&at("alice"), &relay.url());
    let mut bob = NodeProcess::start(&at("bob"), &relay.url());
    let (a, b) = (alice.client().await, bob.client().await);
    a.signs_up("alice").await;
    b.signs_up("bobby").await;
    let chat = a.adds("bobby").await.conversation;
    a.says(chat, "here it comes").await;
    b.reads(chat, 1).await;
    b.says(chat, "go on").await;
    a.reads(chat, 1).await;
    for client in [&a, &b] {
        let off = client.request(Request::DirectFiles).await;
        assert!(matches!(off, Ok(Response::DirectFiles { on: false })), "nobody's address is shown unasked: {off:?}");
        assert!(matches!(client.request(Request::SetDirectFiles { on: true }).await, Ok(Response::Done)));
    }

    let text = lines().concat().repeat(3);
    let source = at(NAME);
    std::fs::write(&source, &text)?;
    let parts = u64::from(blob::parts(blob::sealed(text.len() as u64)));
    let sent = a.request(send(chat, &source)).await;
    assert!(matches!(&sent, Ok(Response::Transfer(t)) if t.up), "{sent:?}");
    let got = file(&b, chat, false).await;
    let fetch = Request::FetchFile { conversation: chat, position: got.position };
    assert!(matches!(b.request(fetch).await, Ok(Response::Transfer(_))));
    assert!(far(&b, 4).await.direct, "directly");
    drop(b);
    bob.kill_9();
    bob.restart();
    let b = bob.client().await;
    let second = far(&b, parts / 3).await;
    assert!(second.direct && second.done >= 4 * PART, "it goes on where it was: {second:?}");
    drop(a);
    alice.kill_9();
    alice.restart();
    let a = alice.client().await;
    let got = file(&b, chat, true).await;
    let begun = Instant::now();
    while !transfers(&a).await.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "still on its way: {:?}", transfers(&a).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let Ok(Response::FileSpace(space)) = a.request(Request::FileSpace).await else { panic!("no space") };
    assert_eq!(space.used, 0, "the relay has seen nothing of it");
    let out = at("out");
    std::fs::create_dir(&out)?;
    let save = |position| Request::SaveFile { conversation: chat, position, to: out.display().to_string() };
    let Ok(Response::Saved { path }) = b.request(save(got.position)).await else { panic!("not saved") };
    assert!(std::fs::read_to_string(&path)? == text, "what came is what was sent");
    let forward = Request::Forward { from: chat, position: got.position, to: chat, id: None };
    let refused = b.request(forward).await.expect_err("the relay doesn't have it");
    assert_eq!(refused.code, ErrorCode::WrongState, "{refused:?}");

    // The second one begins directly and ends by the relay.
    let sent = a.request(send(chat, &source)).await;
    let Ok(Response::Transfer(sent)) = sent else { panic!("{sent:?}") };
    let begun = Instant::now();
    let position = loop {
        if let Some(m) = b.history(chat).await.iter().find(|m| m.id == sent.message) {
            break m.position;
        }
        assert!(begun.elapsed() < PATIENCE, "the second file doesn't come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(matches!(b.request(Request::FetchFile { conversation: chat, position }).await, Ok(Response::Transfer(_))));
    assert!(far(&b, parts / 4).await.direct);
    assert!(matches!(a.request(Request::SetDirectFiles { on: false }).await, Ok(Response::Done)));
    let Ok(Response::Saved { path }) = b.request(save(position)).await else { panic!("not saved") };
    assert!(std::fs::read_to_string(&path)? == text, "half directly, half by the relay, and whole");
    let Ok(Response::FileSpace(space)) = a.request(Request::FileSpace).await else { panic!("no space") };
    assert_eq!(space.used, blob::sealed(text.len() as u64), "the relay has it");
    Ok(())
}

fn from_node_to_node() -> Result<(), Failed> {
    tokio::runtime::Runtime::new()?.block_on(directly())
}

fn send(conversation: ConversationId, path: &Path) -> Request {
    Request::SendFile { conversation, path: path.display().to_string(), name: None, id: None, as_is: false }
}

/// The beginning of a PNG of that size.
fn png_of(w: u32, h: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(w.to_be_bytes());
    png.extend(h.to_be_bytes());
    png.extend([8, 2, 0, 0, 0]);
    let crc = png[12..].iter().fold(u32::MAX, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    });
    png.extend((!crc).to_be_bytes());
    png
}

fn on_sqlite() -> Result<(), Failed> {
    tokio::runtime::Runtime::new()?.block_on(story(None))
}

fn on_mongo() -> Result<(), Failed> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let mongod = Mongod::start().await;
        let store = mongod.uri("livechat");
        story(Some(&store)).await?;
        let secrets: Vec<String> = lines().iter().step_by(997).cloned().chain([NAME.to_owned()]).collect();
        let client = mongodb::Client::with_uri_str(&store).await?;
        client.database("admin").run_command(mongodb::bson::doc! { "fsync": 1 }).await?;
        let (found, read) = Canaries::new(&secrets).in_files(mongod.path());
        assert_eq!(found, Vec::new());
        assert!(read > 7_000_000, "the file went through the database: {read} bytes");
        Ok(())
    })
}

fn main() {
    let missing = unmet(Need::Mongo);
    if let Some(why) = missing {
        eprintln!("{why}");
    }
    let trials = vec![
        Trial::test("a_file_survives_every_kill_and_tells_the_relay_nothing", on_sqlite),
        Trial::test("a_file_goes_straight_from_node_to_node_where_both_want_it", from_node_to_node),
        Trial::test("the_same_on_mongodb", on_mongo).with_ignored_flag(missing.is_some()),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
