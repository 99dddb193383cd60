//! History from one device to another of the same account while everything that can be killed is (PROTOCOL R-133): the
//! new device has all of it, once, and the relay has seen none of it (P1).
//!
//! The relay takes few parts a minute here and forgets its count when it dies. So each stretch of the way ends at a known
//! place, where somebody is killed.
#![allow(clippy::panic, reason = "tests fail by panicking")]

use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_node::api::socket::Client;
use livechat_node::api::{
    ErrorCode, Found, Handover, HandoverStep, HistorySize, Message, Request, Response, SearchOrder,
};
use livechat_relay::testing::Mongod;
use livechat_tests::canary::Canaries;
use livechat_tests::process::{Need, NodeProcess, Person as _, RelayProcess, code, is_active, text, unmet};
use livechat_wire::{ConversationId, DeviceId, limits};

/// Debug builds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// Parts that a relay takes or gives in its life, about: one more every few seconds.
const BURST: u64 = 3;
const PART: u64 = limits::BLOB_PART as u64;
/// Messages, and bytes of each: together more than twice what the relay takes at once.
const MESSAGES: usize = 66;
const LENGTH: usize = 30_000;

/// What is said; nothing of it repeats.
fn said() -> Vec<String> {
    let word =
        |m: usize, n: usize| format!("canaryword{:08x} ", (m * 10_000 + n).wrapping_mul(2_654_435) % 0xffff_ffff);
    (0..MESSAGES).map(|m| (0..LENGTH / 19).map(|n| word(m, n)).collect::<String>().trim_end().to_owned()).collect()
}

async fn handovers(client: &Client) -> Vec<Handover> {
    match client.request(Request::Handovers).await {
        Ok(Response::Handovers { handovers }) => handovers,
        other => panic!("{other:?}"),
    }
}

/// Waits until the only handover has so many parts over the line.
async fn far(client: &Client, parts: u64) -> Handover {
    let begun = Instant::now();
    loop {
        let all = handovers(client).await;
        let moved = |h: &&Handover| h.step == HandoverStep::Moving && h.done >= parts * PART;
        if let Some(h) = all.first().filter(moved) {
            return h.clone();
        }
        assert!(begun.elapsed() < PATIENCE, "not at {parts} parts: {all:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn none_left(client: &Client) {
    let begun = Instant::now();
    while !handovers(client).await.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "still under way: {:?}", handovers(client).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the history is as long as it should be.
async fn has(client: &Client, chat: ConversationId, messages: usize) -> Vec<Message> {
    let begun = Instant::now();
    loop {
        let history = client.history(chat).await;
        if history.len() >= messages {
            return history;
        }
        assert!(begun.elapsed() < PATIENCE, "{} messages: {:?}", history.len(), handovers(client).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn blobs(client: &Client) -> u64 {
    match client.request(Request::FileSpace).await {
        Ok(Response::FileSpace(space)) => space.used,
        other => panic!("{other:?}"),
    }
}

/// Adds a device of the account and gives it what is here; which it is.
async fn links(old: &Client, new: &Client, name: &str, code: String) -> DeviceId {
    let link = Request::Link { username: name.into(), code, phrase: None };
    let ticket = match new.request(link).await {
        Ok(Response::Linking(ticket)) => ticket,
        other => panic!("{other:?}"),
    };
    let added = old.request(Request::AddDevice { code: ticket.code, history: true }).await;
    assert!(matches!(added, Ok(Response::Done)), "{added:?}");
    new.waits_for("being added", is_active).await;
    match new.request(Request::Devices).await {
        Ok(Response::Devices { devices }) => {
            devices.into_iter().find(|d| d.this).map(|d| d.device).unwrap_or_else(|| panic!())
        }
        other => panic!("{other:?}"),
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
    let mut first = NodeProcess::start(&at("first"), &relay.url());
    let mut second = NodeProcess::start(&at("second"), &relay.url());
    let bob = NodeProcess::start(&at("bob"), &relay.url());
    let (a, b, c) = (first.client().await, bob.client().await, second.client().await);
    let key = a.signs_up("alice").await;
    b.signs_up("bobby").await;
    let profile = Request::SetProfile { display_name: "Alice L.".into() };
    assert!(matches!(a.request(profile).await, Ok(Response::Done)));
    let chat = a.adds("bobby").await.conversation;
    a.says(chat, "hello").await;
    b.reads(chat, 1).await;
    assert!(matches!(b.request(Request::Accept { conversation: chat }).await, Ok(Response::Done)));
    b.says(chat, "it is me").await;
    a.reads(chat, 1).await;
    let said = said();
    for text in &said {
        a.says(chat, text).await;
    }
    assert!(matches!(a.request(Request::Pin { conversation: chat, pinned: true }).await, Ok(Response::Done)));
    let Ok(Response::HistorySize(HistorySize { messages, bytes })) = a.request(Request::HistorySize).await else {
        panic!("no size")
    };
    assert!(messages >= MESSAGES as u64 + 2 && bytes > (MESSAGES * LENGTH) as u64 * 9 / 10, "{messages}, {bytes}");
    let parts = bytes / PART;
    assert!(parts > 2 * BURST && parts < 3 * BURST, "{parts}");

    let device = links(&a, &c, "alice", code(&key, 1)).await;
    let moving = far(&a, BURST - 2).await;
    assert!(moving.device == Some(device) && moving.total > bytes && moving.messages == messages, "{moving:?}");
    drop(a);
    first.kill_9();
    relay.kill_9();
    relay.restart();
    first.restart();
    let a = first.client().await;
    far(&a, 2 * BURST - 2).await;
    drop(c);
    second.kill_9();
    relay.kill_9();
    relay.restart();
    none_left(&a).await;

    // The first one may be off from here on.
    drop(a);
    first.kill_9();
    relay.kill_9();
    relay.restart();
    second.restart();
    let c = second.client().await;
    let coming = far(&c, BURST - 2).await;
    assert!(coming.device.is_none() && coming.total == moving.total, "{coming:?}");
    drop(c);
    second.kill_9();
    relay.kill_9();
    relay.restart();
    second.restart();
    let c = second.client().await;
    far(&c, 2 * BURST - 2).await;
    relay.kill_9();
    relay.restart();
    let history = has(&c, chat, messages as usize).await;
    none_left(&c).await;

    // All of it, in order, once; whose it was; names, settings, and found by a search.
    let own: Vec<String> = history.iter().filter(|m| m.own).map(text).collect();
    let expected: Vec<String> = std::iter::once("hello".to_owned()).chain(said.iter().cloned()).collect();
    assert_eq!(own.iter().filter(|t| expected.contains(t)).cloned().collect::<Vec<_>>(), expected);
    assert!(history.iter().any(|m| !m.own && m.author_name == "bobby" && text(m) == "it is me"));
    let Ok(Response::Profile { display_name }) = c.request(Request::Profile).await else { panic!("no profile") };
    assert_eq!(display_name, "Alice L.");
    let Ok(Response::Conversations { conversations }) = c.request(Request::Conversations).await else { panic!() };
    assert!(conversations.iter().any(|k| k.id == chat && k.pinned), "{conversations:?}");
    let word = said[MESSAGES / 2].split(' ').nth(7).unwrap_or_default().to_owned();
    let search = Request::Search { query: word, conversation: None, order: SearchOrder::Newest, next: None, limit: 9 };
    let Ok(Response::Found(Found { hits, .. })) = c.request(search).await else { panic!("no search") };
    assert_eq!(hits.len(), 1, "{hits:?}");

    // It goes on from there: both hear and speak, and nothing lies at the relay any more.
    first.restart();
    let a = first.client().await;
    b.says(chat, "welcome, second").await;
    for one in [&a, &c] {
        let begun = Instant::now();
        while !one.history(chat).await.iter().any(|m| text(m) == "welcome, second") {
            assert!(begun.elapsed() < PATIENCE, "never heard");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let begun = Instant::now();
    while blobs(&c).await > 0 {
        assert!(begun.elapsed() < PATIENCE, "left at the relay");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    // Given once more and stopped: nothing is left of it, here or there.
    let again = a.request(Request::GiveHistory { device }).await;
    assert!(matches!(again, Ok(Response::Handover(_))), "{again:?}");
    far(&a, 1).await;
    let stop = Request::CancelHandover { device: Some(device) };
    assert!(matches!(a.request(stop.clone()).await, Ok(Response::Done)));
    assert_eq!(handovers(&a).await, []);
    assert_eq!(a.request(stop).await.expect_err("nothing to stop").code, ErrorCode::NotFound);
    let stranger = a.request(Request::GiveHistory { device: DeviceId([9; 32]) }).await;
    assert_eq!(stranger.expect_err("nobody's").code, ErrorCode::NotFound);
    let backwards = match a.request(Request::Devices).await {
        Ok(Response::Devices { devices }) => devices[0].device,
        other => panic!("{other:?}"),
    };
    let refused = c.request(Request::GiveHistory { device: backwards }).await.expect_err("not added there");
    assert!(refused.code == ErrorCode::WrongState && !refused.hint.is_empty(), "{refused:?}");
    assert_eq!(has(&c, chat, 1).await.iter().filter(|m| text(m) == "hello").count(), 1, "once");

    let mut secrets: Vec<String> = said.iter().step_by(7).filter_map(|s| s.get(19..190).map(str::to_owned)).collect();
    secrets.extend(["it is me".to_owned(), "Alice L.".to_owned()]);
    let canaries = Canaries::new(&secrets);
    drop((a, b, c));
    first.terminate();
    second.terminate();
    for place in ["relay", "first", "second"] {
        let (found, read) = canaries.in_files(&at(place));
        assert_eq!(found, Vec::new(), "{place}");
        assert!(read > 100_000, "{place}: {read} bytes");
    }
    Ok(())
}

fn on_sqlite() -> Result<(), Failed> {
    tokio::runtime::Runtime::new()?.block_on(story(None))
}

fn on_mongo() -> Result<(), Failed> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let mongod = Mongod::start().await;
        let store = mongod.uri("livechat");
        story(Some(&store)).await
    })
}

fn main() {
    let missing = unmet(Need::Mongo);
    if let Some(why) = missing {
        eprintln!("{why}");
    }
    let trials = vec![
        Trial::test("history_survives_every_kill_on_its_way_to_a_new_device", on_sqlite),
        Trial::test("the_same_on_mongodb", on_mongo).with_ignored_flag(missing.is_some()),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
