//! Memory and start-up of `livechat-node`, the program as people run it, with 100 conversations and 100,000 messages;
//! beside the same program whose account has just been made. One run prints both and their ratios.
//!
//! `cargo bench -p livechat-tests --bench startup`. The node is taken from `LIVECHAT_BIN_DIR`, so that this program
//! itself needn't be optimised; `LIVECHAT_BENCH_MESSAGES` sets how many messages.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::path::Path;
use std::time::{Duration, Instant};

use livechat_crypto::backup::{CHUNK, HEAD, Opener, Sealer, TAG};
use livechat_node::api::{ConversationId, Request, Response, SearchOrder};
use livechat_node::{Config, Node};
use livechat_tests::process::{NodeProcess, Person, code};
use livechat_wire::MessageId;
use livechat_wire::backup::{Message, Record};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const CONVERSATIONS: usize = 100;
/// Starts of each node.
const TIMES: usize = 7;
const SECRET: &str = "a benchmark's secret";

fn main() {
    let many = std::env::var("LIVECHAT_BENCH_MESSAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let relay = livechat_relay::start(livechat_relay::Config::local(at("relay"))).await.unwrap();
        let url = format!("http://{}", relay.http_addr());
        let backup = at("backup");
        fill(&at("founder"), &url, &backup, many).await;

        let mut small = NodeProcess::start(&at("small"), &url);
        small.client().await.signs_up("small").await;
        let mut large = NodeProcess::start(&at("large"), &url);
        let client = large.client().await;
        client.signs_up("large").await;
        let begun = Instant::now();
        let restore = Request::Restore { path: backup.display().to_string(), secret: SECRET.into() };
        let Ok(Response::Restored(done)) = client.request(restore).await else { panic!("not restored") };
        assert_eq!((done.conversations, done.left), (CONVERSATIONS as u64, 0));
        assert!(done.messages >= many as u64);
        println!("{} messages restored in {:.1?}", done.messages, begun.elapsed());
        let size = std::fs::metadata(large.folder().join("node.db")).map_or(0.0, |m| mib(m.len()));
        println!("{size:.0} MiB on disk\n");

        println!("{:<34} {:>16} {:>16} {:>16} {:>16}", "", "API answers", "MiB then", "search, first", "MiB then");
        let small = measure(&mut small).await;
        print("an account just made", &small);
        let large = measure(&mut large).await;
        print(&format!("{CONVERSATIONS} conversations, {many} messages"), &large);
        let ratio = |of: fn(&Start) -> f64| format!("{:.2}x", median(&large, of) / median(&small, of));
        println!(
            "{:<34} {:>16} {:>16} {:>16} {:>16}",
            "the one / the other",
            ratio(|s| s.answers.as_secs_f64()),
            ratio(|s| s.memory),
            ratio(|s| s.search.as_secs_f64()),
            ratio(|s| s.after)
        );
        relay.stop().await;
    });
}

/// One start.
struct Start {
    /// From the program's start until it has told its conversations.
    answers: Duration,
    memory: f64,
    search: Duration,
    after: f64,
}

async fn measure(node: &mut NodeProcess) -> Vec<Start> {
    let mut starts = Vec::new();
    for _ in 0..TIMES {
        node.kill_9();
        let begun = Instant::now();
        node.restart();
        let client = node.client().await;
        let told = client.request(Request::Conversations).await;
        let answers = begun.elapsed();
        let Ok(Response::Conversations { .. }) = told else { panic!("{told:?}") };
        let memory = resident(node.process().pid());
        let begun = Instant::now();
        let query = Request::Search {
            query: "kemo".into(),
            conversation: None,
            order: SearchOrder::Newest,
            next: None,
            limit: 40,
        };
        let found = client.request(query).await;
        let search = begun.elapsed();
        assert!(matches!(found, Ok(Response::Found(_))), "{found:?}");
        starts.push(Start { answers, memory, search, after: resident(node.process().pid()) });
    }
    starts
}

fn median(starts: &[Start], of: fn(&Start) -> f64) -> f64 {
    let mut all: Vec<f64> = starts.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn print(what: &str, starts: &[Start]) {
    let ms = |of: fn(&Start) -> f64| format!("{:.1} ms", 1_000.0 * median(starts, of));
    println!(
        "{what:<34} {:>16} {:>16.1} {:>16} {:>16.1}",
        ms(|s| s.answers.as_secs_f64()),
        median(starts, |s| s.memory),
        ms(|s| s.search.as_secs_f64()),
        median(starts, |s| s.after)
    );
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    mib(line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024)
}

/// A backup of groups in each of which one message was said, and said again until there are so many.
async fn fill(dir: &Path, relay: &str, to: &Path, many: usize) {
    let node = Node::start(Config::new(dir.to_owned(), relay.parse().unwrap())).await.unwrap();
    let Ok(Response::SignUp(ticket)) = node.request(Request::SignUp { username: "founder".into() }).await else {
        panic!("no name")
    };
    let confirm = Request::ConfirmSignUp { code: code(&ticket.setup_key, 0) };
    assert!(matches!(node.request(confirm).await, Ok(Response::SignedUp(_))));
    for n in 0..CONVERSATIONS {
        let founded = node.request(Request::CreateGroup { title: format!("notes {n}"), members: Vec::new() }).await;
        let Ok(Response::GroupCreated { conversation }) = founded else { panic!("{founded:?}") };
        said(&node, conversation).await;
    }
    let secret = Some(SECRET.to_owned());
    let whole = node.request(Request::Backup { path: to.display().to_string(), secret }).await;
    assert!(matches!(whole, Ok(Response::BackedUp(_))), "{whole:?}");
    node.stop().await;
    let (records, mut dice) = (read(to), 7);
    let mut written = vec![];
    for record in records {
        match record {
            Record::Message(message) if message.kind == 1 => {
                for n in 0..many / CONVERSATIONS {
                    written.push(Record::Message(Box::new(again(&message, n as u64, &mut dice))));
                }
            }
            Record::End { .. } => written.push(Record::End { records: written.len() as u64 }),
            other => written.push(other),
        }
    }
    std::fs::remove_file(to).unwrap();
    write(to, &written);
}

async fn said(node: &Node, conversation: ConversationId) {
    let text = "to be said again".to_owned();
    let said = node.request(Request::Send { conversation, text, id: None, reply_to: None }).await;
    assert!(matches!(said, Ok(Response::Sent(_))), "{said:?}");
}

fn again(message: &Message, n: u64, dice: &mut u64) -> Message {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&roll(dice).to_be_bytes());
    id[8..].copy_from_slice(&roll(dice).to_be_bytes());
    Message {
        position: message.position + n,
        id: MessageId(id),
        sent_at: message.sent_at + 20_000 * n,
        received_at: message.received_at + 20_000 * n,
        parents: Vec::new(),
        body: sentence(dice).into_bytes(),
        ..message.clone()
    }
}

/// Words as common as words are, as in the benchmark of the search.
fn sentence(dice: &mut u64) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "wu", "ska", "ple", "gri", "tho", "nde", "rst"];
    let word = |n: u64| -> String {
        let digits = std::iter::successors(Some(n + 3), |n| Some(n / 16)).take_while(|n| *n > 0);
        digits.map(|n| SYLLABLES[(n % 16) as usize]).collect()
    };
    let words = 2 + roll(dice) % 20;
    let all: Vec<_> = (0..words).map(|_| word((roll(dice) % 20_000) >> (roll(dice) % 14))).collect();
    all.join(" ")
}

fn roll(dice: &mut u64) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    *dice
}

fn read(path: &Path) -> Vec<Record> {
    let file = std::fs::read(path).unwrap();
    let (head, sealed) = file.split_at(HEAD);
    let mut opener = Opener::begin(SECRET, head).unwrap();
    let chunks: Vec<_> = sealed.chunks(CHUNK + TAG).collect();
    let plain: Vec<u8> =
        chunks.iter().enumerate().flat_map(|(n, c)| opener.open(c, n + 1 == chunks.len()).unwrap()).collect();
    let mut left = &plain[..];
    let mut records = Vec::new();
    while let Some((length, rest)) = left.split_first_chunk::<4>() {
        let (record, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        records.push(Record::decode(record).unwrap());
        left = rest;
    }
    records
}

fn write(path: &Path, records: &[Record]) {
    let mut plain = Vec::new();
    for record in records {
        let bytes = record.encode();
        plain.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        plain.extend(bytes);
    }
    let (mut out, mut sealer) = Sealer::begin(SECRET, &mut ChaCha20Rng::seed_from_u64(7)).unwrap();
    let chunks: Vec<_> = plain.chunks(CHUNK).collect();
    for (n, chunk) in chunks.iter().enumerate() {
        out.extend(sealer.seal(chunk, n + 1 == chunks.len()).unwrap());
    }
    std::fs::write(path, out).unwrap();
}
