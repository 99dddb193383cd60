//! Search, start-up and memory with 100 conversations and 100,000 messages; run as `docs/BENCHMARKS.md` says.

use std::path::Path;
use std::time::{Duration, Instant};

use livechat_engine::each_passage;
use livechat_wire::receipt::Receipt;
use livechat_wire::sync::Verdict;

use super::tests::{Person, relay, relay_key, roomy};
use super::*;

const CONVERSATIONS: usize = 100;
const MESSAGES: usize = 100_000;
/// Messages of one transaction while the history is made.
const BATCH: usize = 250;
const WORDS: usize = 20_000;
/// Times each question is asked, with another word each.
const TIMES: usize = 40;
const DIR: &str = "LIVECHAT_BENCH_DIR";

#[test]
#[ignore = "a benchmark: minutes, and only optimised builds say anything"]
fn search_startup_and_memory() {
    roomy(|| match std::env::var_os(DIR) {
        Some(dir) => measure(Path::new(&dir)),
        None => {
            let begun = Instant::now();
            let alice = filled();
            let took = begun.elapsed();
            println!("{MESSAGES} messages said in {took:.0?}: {:.0}/s", MESSAGES as f64 / took.as_secs_f64());
            // A process of its own, so that its memory is what opening and searching take.
            let test = "search::bench::search_startup_and_memory";
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "--nocapture", test])
                .env(DIR, alice.dir.path())
                .status();
            assert!(status.unwrap().success());
        }
    });
}

fn filled() -> Person {
    let mut alice = Person::new("alice", 1);
    let groups: Vec<_> = (0..CONVERSATIONS).map(|_| alice.founds("notes")).collect();
    let mut dice = 7;
    for batch in 0..MESSAGES / BATCH {
        let sent: Vec<_> = (0..BATCH)
            .flat_map(|n| {
                alice.now += 20_000;
                alice.says(groups[(batch * BATCH + n) % CONVERSATIONS], &sentence(&mut dice)).gossip
            })
            .collect();
        use ed25519_dalek::Signer;
        let sign = |bytes: &[u8]| relay_key().sign(bytes).to_bytes();
        let kept = |e: &livechat_wire::Envelope| {
            let receipt = Receipt::sign(e.id(), relay(), 1, 1, alice.now / 1_000, sign);
            (e.id(), Verdict::Kept(Box::new(receipt)))
        };
        let verdicts = sent.iter().map(kept).collect();
        drop(alice.takes(livechat_engine::Input::Verdicts { relay: relay(), verdicts }));
    }
    alice.store = None;
    alice
}

/// Words as common as words are: the second half as often as the first, and so on. Twelve letters at most.
fn word(n: usize) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "wu", "ska", "ple", "gri", "tho", "nde", "rst"];
    std::iter::successors(Some(n + 3), |n| Some(n / 16)).take_while(|n| *n > 0).map(|n| SYLLABLES[n % 16]).collect()
}

fn sentence(dice: &mut u64) -> String {
    let mut roll = || {
        *dice ^= *dice << 13;
        *dice ^= *dice >> 7;
        *dice ^= *dice << 17;
        *dice as usize
    };
    let words = 2 + roll() % 20;
    let mut pick = || word((roll() % WORDS) >> (roll() % 14));
    (0..words).map(|_| pick()).collect::<Vec<_>>().join(" ")
}

fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
}

/// What is looked for the n-th time.
type Question = fn(usize) -> String;

fn measure(dir: &Path) {
    let before = resident();
    let begun = Instant::now();
    let store = Store::open(dir).unwrap();
    let opened = begun.elapsed();
    let engine = Engine::open(&store.read()).unwrap();
    let size = std::fs::metadata(dir.join(crate::store::DATABASE)).unwrap().len() as f64 / 1_048_576.0;
    println!("store opened in {opened:.1?}, with the engine in {:.1?}; {size:.0} MiB on disk", begun.elapsed());
    println!("memory: {:.1} MiB more once open", resident() - before);
    let naive = |word: &str| {
        let mut found = 0;
        each_passage(&store.read(), |_, passage| -> Result<(), livechat_engine::StoreError> {
            found += usize::from(fold::fold(&passage.text).contains(word));
            Ok(())
        })
        .unwrap();
        found
    };
    let mut naive_times: Vec<_> = (0..10).map(|n| timed(|| naive(&word(n * 1_000))).0).collect();
    naive_times.sort_unstable();
    println!("full scan of the history: p50 {:.0?}", naive_times[5]);
    let questions: [(&str, Question, SearchOrder); 8] = [
        ("a common word, newest", |n| word(n + 3), SearchOrder::Newest),
        ("a common word, best", |n| word(n + 3), SearchOrder::Best),
        ("a rare word, newest", |n| word(9_000 + n * 97), SearchOrder::Newest),
        ("a rare word, best", |n| word(9_000 + n * 97), SearchOrder::Best),
        ("five letters inside words", |n| word(4_000 + n * 37)[1..6].to_owned(), SearchOrder::Newest),
        ("two letters, everywhere", |n| word(n)[..2].to_owned(), SearchOrder::Newest),
        ("two letters, nowhere", |n| format!("{}q", n % 10), SearchOrder::Newest),
        ("two words", |n| format!("{} {}", word(n + 3), word(40 + n)), SearchOrder::Newest),
    ];
    for (what, question, order) in questions {
        let mut times = Vec::new();
        let mut hits = 0;
        for n in 0..TIMES {
            let search = Search::new(&question(n), None, order, None, 40).unwrap();
            let (took, found) = timed(|| search.run(&engine, &store).unwrap());
            times.push(took);
            hits += found.hits.len();
        }
        times.sort_unstable();
        let ratio = times[TIMES / 2].as_secs_f64() / naive_times[5].as_secs_f64();
        println!(
            "{what}: p50 {:.1?}, p99 {:.1?}, {ratio:.4} x the scan; {:.1} hits shown",
            times[TIMES / 2],
            times[TIMES - 1],
            hits as f64 / TIMES as f64
        );
    }
    println!("memory: {:.1} MiB more after that", resident() - before);
    store.forget_index();
    drop(store);
    let (took, store) = timed(|| Store::open(dir).unwrap());
    println!("the index made anew in {took:.1?}");
    drop(store);
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed(), done)
}
