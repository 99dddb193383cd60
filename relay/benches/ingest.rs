//! Durable ingest: the envelope store on MongoDB, beside a raw unordered `insert_many` of equal documents with the same
//! write concern on the same server, and beside SQLite. One run prints all of it, with the ratios.
//!
//! `cargo bench -p livechat-relay --bench ingest`; `LIVECHAT_BENCH_ENVELOPES` sets how many (default 20,000).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use livechat_relay::store::envelopes::{self, EnvelopeStore};
use livechat_relay::store::{Location, MongoUrl, Store};
use livechat_relay::testing::{Mongod, mongo_missing};
use livechat_wire::envelope::{Header, epoch_at};
use livechat_wire::{Envelope, Tag, limits};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use mongodb::options::{Acknowledgment, ClientOptions, WriteConcern};
use mongodb::{Client, Collection, IndexModel};

/// Envelopes in a batch: what the relay's writer gathers under load.
const BATCH: usize = 500;
/// Batches under way at once in the raw run: what saturates one server.
const WRITERS: usize = 4;
/// Lone envelopes timed.
const LONE: usize = 200;
/// Some moment.
const NOW: u64 = 1_795_348_800;

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let n = std::env::var("LIVECHAT_BENCH_ENVELOPES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
        println!("durable ingest of {n} envelopes of 2,048 bytes, batches of {BATCH}\n");
        println!("{:<58} {:>12} {:>10} {:>10}", "", "envelopes/s", "lone p50", "lone p99");
        let dir = tempfile::tempdir().unwrap();
        let sqlite = store(&Location::Sqlite(dir.path().join("relay.db"))).await;
        let sqlite = ours(sqlite, n).await;
        sqlite.print("EnvelopeStore on SQLite (WAL, synchronous=FULL)");
        if let Some(why) = mongo_missing() {
            println!("MongoDB: skipped: {why}");
            return;
        }
        let server = Mongod::start().await;
        let mongo = store(&Location::Mongo(MongoUrl(server.uri("ours")))).await;
        let mongo = ours(mongo, n).await;
        mongo.print("EnvelopeStore on MongoDB (one origin, one writer)");
        let one = raw(&server.uri("raw1"), n, 1).await;
        one.print("raw insert_many, same index and concern, 1 writer");
        let many = raw(&server.uri("raw4"), n, WRITERS).await;
        many.print("raw insert_many, same index and concern, 4 writers");
        println!();
        mongo.compare("EnvelopeStore on MongoDB / raw, 1 writer", &one);
        mongo.compare("EnvelopeStore on MongoDB / raw, 4 writers", &many);
        mongo.compare("EnvelopeStore on MongoDB / on SQLite", &sqlite);
    });
}

struct Figures {
    per_second: f64,
    lone: Vec<Duration>,
}

impl Figures {
    fn lone(&self, percent: usize) -> f64 {
        self.lone[(self.lone.len() - 1) * percent / 100].as_secs_f64() * 1_000.0
    }

    fn print(&self, what: &str) {
        println!("{what:<58} {:>12.0} {:>7.2} ms {:>7.2} ms", self.per_second, self.lone(50), self.lone(99));
    }

    fn compare(&self, what: &str, other: &Self) {
        let (rate, lone) = (self.per_second / other.per_second, self.lone(50) / other.lone(50));
        println!("{what:<58} {rate:>11.2}x {lone:>9.2}x");
    }
}

async fn store(location: &Location) -> Arc<dyn EnvelopeStore> {
    envelopes::open(&Store::open(location).await.unwrap()).await.unwrap()
}

/// Different envelopes; the store doesn't look at signatures, so none is made.
fn make(range: std::ops::Range<usize>) -> Vec<Envelope> {
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    range
        .map(|n| {
            let mut pk1 = [0; 32];
            pk1[..8].copy_from_slice(&(n as u64).to_be_bytes());
            let mut body = [0; limits::BODY];
            // Looks like ciphertext: nothing to compress.
            body.iter_mut().for_each(|b| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *b = (noise >> 56) as u8;
            });
            let header = Header { ephemeral: false, bucket: 0, epoch: epoch_at(NOW), tag: Tag([3; 16]), pk1 };
            Envelope::assemble(&header, &body, |_| [5; 64])
        })
        .collect()
}

async fn ours(store: Arc<dyn EnvelopeStore>, n: usize) -> Figures {
    let origin = store.lease_origin(99, NOW).await.unwrap();
    store.deposit(origin, make(usize::MAX - BATCH..usize::MAX), NOW).await.unwrap();
    let batches: Vec<_> = make(0..n).chunks(BATCH).map(<[_]>::to_vec).collect();
    let begun = Instant::now();
    for batch in batches {
        store.deposit(origin, batch, NOW).await.unwrap();
    }
    let per_second = n as f64 / begun.elapsed().as_secs_f64();
    let mut lone = Vec::new();
    for envelope in make(n..n + LONE) {
        let begun = Instant::now();
        store.deposit(origin, vec![envelope], NOW).await.unwrap();
        lone.push(begun.elapsed());
    }
    lone.sort_unstable();
    Figures { per_second, lone }
}

async fn raw(uri: &str, n: usize, writers: usize) -> Figures {
    let mut options = ClientOptions::parse(uri).await.unwrap();
    options.write_concern = Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
    let client = Client::with_options(options).unwrap();
    let all: Collection<Document> = client.default_database().unwrap().collection("envelopes");
    let index = IndexModel::builder().keys(doc! { "bucket": 1, "origin": 1, "sequence": 1 }).build();
    all.create_index(index).await.unwrap();
    all.insert_many(documents(usize::MAX - BATCH..usize::MAX)).ordered(false).await.unwrap();
    // Made before the clock starts, in the raw run's favour.
    let mut shares: Vec<Vec<Vec<Document>>> = vec![vec![]; writers];
    for (i, batch) in documents(0..n).chunks(BATCH).enumerate() {
        shares[i % writers].push(batch.to_vec());
    }
    let begun = Instant::now();
    let tasks: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let all = all.clone();
            tokio::spawn(async move {
                for batch in share {
                    all.insert_many(batch).ordered(false).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let per_second = n as f64 / begun.elapsed().as_secs_f64();
    let mut lone = Vec::new();
    for document in documents(n..n + LONE) {
        let begun = Instant::now();
        all.insert_one(document).await.unwrap();
        lone.push(begun.elapsed());
    }
    lone.sort_unstable();
    Figures { per_second, lone }
}

/// What the store makes of the same envelopes.
fn documents(range: std::ops::Range<usize>) -> Vec<Document> {
    let binary = |b: &[u8]| Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: b.to_vec() });
    let first = range.start;
    make(range)
        .iter()
        .enumerate()
        .map(|(i, e)| {
            doc! {
                "_id": binary(&e.id().0),
                "bucket": 0_i32,
                "origin": 99_i64,
                "sequence": first.wrapping_add(i) as i64,
                "time": NOW as i64,
                "bytes": binary(e.as_bytes()),
            }
        })
        .collect()
}
