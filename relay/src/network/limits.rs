//! Every number of the relay's network side, each with its reason.

use std::num::NonZeroU32;
use std::time::Duration;

/// Envelopes waiting to be stored, from deposits and gossip together: 32 MiB, a few seconds of a slow disk.
pub const INGEST_QUEUE: u32 = 16_384;
/// The part of it that gossip may fill: what gossip loses its sender deposits, what a deposit loses waits longest.
pub const INGEST_GOSSIP: u32 = INGEST_QUEUE / 2;
/// Envelopes committed together: 1 MB, where MongoDB's throughput flattens.
pub const INGEST_BATCH: usize = 500;
/// How long the store is left alone after it failed to lease an origin.
pub const LEASE_RETRY: Duration = Duration::from_secs(1);

/// Requests under way at once, long polls included, until their answer has left: everyone of several topics, twice over.
pub const SERVING: usize = 8_192;
/// Requests of one peer under way at once: its polls, a page, and deposits beside.
pub const SERVING_PER_PEER: u32 = 16;
/// Pages in memory at once, read and not yet sent: 128 MiB, however slowly they are taken.
pub const PAGES: usize = 512;
/// Pages of one peer in memory at once. A reader asks for the next when it has the last; two allow for a reconnect.
pub const PAGES_PER_PEER: u32 = 2;
/// How long a reader waits for its page's place: one change wakes thousands, and each page is gone in milliseconds.
pub const PAGE_PATIENCE: Duration = Duration::from_secs(10);
/// Fetches that wait at once, of all peers; further ones are answered without waiting.
pub const LONG_POLLS: usize = 4_096;
/// Fetches of one peer that wait at once: one a bucket, two while buckets are split.
pub const LONG_POLLS_PER_PEER: u32 = 4;
/// Pause between a change and the reads it wakes: one read for a burst instead of one per envelope.
pub const WAKE_DELAY: Duration = Duration::from_millis(10);
/// Ids of a presence query that cost as much as a request: each may be looked for in every day of the retention.
pub const PRESENT_IDS_PER_REQUEST: usize = 16;
/// Answers and envelopes waiting for the swarm.
pub const OUTGOING: usize = 256;

/// Requests per second of one peer, sustained; 120 envelopes a page make it 6,000 envelopes a second.
pub const REQUESTS_PER_SECOND: NonZeroU32 = nonzero(50);
/// Requests of one peer at once: catching up after a month.
pub const REQUESTS_BURST: NonZeroU32 = nonzero(400);
/// Envelopes per second that one peer may deposit, sustained: a person types less than one. Commits count as the
/// envelopes that would fill their room: the largest is 128, a handful at once.
pub const DEPOSITS_PER_SECOND: NonZeroU32 = nonzero(50);
/// Envelopes one peer may deposit at once: an outbox that filled up offline, a few large payloads.
pub const DEPOSITS_BURST: NonZeroU32 = nonzero(1_024);
/// Messages per second one neighbour may gossip to us: it passes on everyone's.
pub const GOSSIP_PER_SECOND: NonZeroU32 = nonzero(2_000);
/// Messages one neighbour may gossip at once.
pub const GOSSIP_BURST: NonZeroU32 = nonzero(8_000);

/// Time between two clearings of the rate limiters' memory and looks after listeners.
pub const HOUSEKEEPING: Duration = Duration::from_secs(5);
/// Time between two expiries.
pub const EXPIRY: Duration = Duration::from_secs(3_600);
/// How long a listener may take to tell its address at the start.
pub const LISTEN: Duration = Duration::from_secs(10);
/// How long stopping may wait for what is under way, slow readers included.
pub const STOP: Duration = Duration::from_secs(20);

/// Circuits at once: a task and a pair of buffers each; the bytes below are what costs.
pub const CIRCUITS: usize = 1_024;
/// Circuits of one peer: its mesh of eight, both ways.
pub const CIRCUITS_PER_PEER: usize = 16;
/// Reservations at once: every node behind a NAT keeps one.
pub const RESERVATIONS: usize = 4_096;
/// Reservations of one peer: one a connection.
pub const RESERVATIONS_PER_PEER: usize = 4;
/// How long a circuit lives. libp2p's two minutes would break a chat's gossip every two minutes.
pub const CIRCUIT_DURATION: Duration = Duration::from_secs(3_600);
/// Bytes a circuit carries: an hour of a busy topic (10 envelopes a second, both ways, with framing). libp2p's 128 KiB
/// are 60 envelopes.
pub const CIRCUIT_BYTES: u64 = 256 * 1_024 * 1_024;
/// Reservations and circuits a minute from one address: an office that comes back after a power cut.
pub const CIRCUIT_RATE_PER_IP: NonZeroU32 = nonzero(256);
/// The same from one peer: reconnecting over a bad line.
pub const CIRCUIT_RATE_PER_PEER: NonZeroU32 = nonzero(30);

const fn nonzero(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}
