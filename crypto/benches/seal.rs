//! What a 256-byte message costs through the whole of this crate, beside the raw AEAD; medians and ratios.
//!
//! `cargo bench -p livechat-crypto`. Plain loops instead of criterion, because the result is a table of ratios.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a bench asks the clock and may unwrap")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use livechat_crypto::envelope::{Address, EnvelopeKeys, HelloKeys, open_hello, seal_hello};
use livechat_crypto::kv::{Kv, KvError, MemoryKv, Namespace, Order, Pair};
use livechat_crypto::mls::{GroupId, Session, Suite};
use livechat_wire::Envelope;
use livechat_wire::hello::Hello;
use livechat_wire::payload::{Fragment, Kind};
use support::{Person, pair, with_stack};

const MESSAGE: usize = 256;
const TO: Address = Address { bucket: 3, epoch: 2_057_613, ephemeral: false };

fn main() {
    // `cargo test --benches` runs this too; then one round is enough to see that it works.
    let rounds = if std::env::args().any(|a| a == "--bench") { 2_000 } else { 1 };
    with_stack(move || run(rounds));
}

fn run(rounds: usize) {
    println!("medians of {rounds} rounds; message {MESSAGE} bytes, envelope 2,048 bytes\n");
    let (seal_256, open_256) = raw_aead(rounds, 256);
    let (seal_2048, open_2048) = raw_aead(rounds, 2_048);
    row("raw ChaCha20-Poly1305, 256 bytes, seal", seal_256);
    row("raw ChaCha20-Poly1305, 256 bytes, open", open_256);
    row("raw ChaCha20-Poly1305, 2,048 bytes, seal", seal_2048);
    row("raw ChaCha20-Poly1305, 2,048 bytes, open", open_2048);
    println!();
    for suite in [Suite::XWing, Suite::X25519] {
        let stack = Stack::measure(suite, rounds);
        println!("{suite:?}");
        row("  MLS encrypt, state loaded and stored", stack.encrypt);
        row("  envelope seal", stack.seal);
        row("  envelope signature check (every peer)", stack.verify);
        row("  envelope open", stack.open);
        row("  MLS decrypt, state loaded and stored", stack.decrypt);
        let (whole_seal, whole_open) = (stack.encrypt + stack.seal, stack.open + stack.decrypt);
        row("  whole seal: content to envelope", whole_seal);
        row("  whole open: envelope to content", whole_open);
        ratio("  whole seal / raw seal, 256 bytes", whole_seal, seal_256);
        ratio("  whole seal / raw seal, 2,048 bytes", whole_seal, seal_2048);
        ratio("  whole open / raw open, 256 bytes", whole_open, open_256);
        ratio("  whole open / raw open, 2,048 bytes", whole_open, open_2048);
        println!("  state read / written per message: {} / {} bytes", stack.read, stack.written);
        println!("  overhead of MLS: {} bytes", stack.overhead);
        println!();
    }
    handshake(rounds.min(200));
}

fn row(what: &str, time: Duration) {
    println!("{what:<46} {:>9.2} µs", time.as_secs_f64() * 1e6);
}

fn ratio(what: &str, ours: Duration, raw: Duration) {
    println!("{what:<46} {:>9.1} ×", ours.as_secs_f64() / raw.as_secs_f64());
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn timed<T>(into: &mut Vec<Duration>, f: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let out = black_box(f());
    into.push(start.elapsed());
    out
}

/// Each sample is a batch, since one operation is near the clock's resolution.
fn raw_aead(rounds: usize, size: usize) -> (Duration, Duration) {
    const BATCH: u32 = 64;
    let (mut seals, mut opens) = (Vec::new(), Vec::new());
    let cipher = ChaCha20Poly1305::new(&[7; 32].into());
    let nonce = Nonce::default();
    let mut buffer = vec![0x5a; size];
    for _ in 0..rounds {
        let start = Instant::now();
        let mut tag = Default::default();
        for _ in 0..BATCH {
            tag =
                black_box(cipher.encrypt_inout_detached(&nonce, b"", black_box(buffer.as_mut_slice()).into()).unwrap());
        }
        seals.push(start.elapsed() / BATCH);
        let sealed = buffer.clone();
        let start = Instant::now();
        for _ in 0..BATCH {
            buffer.copy_from_slice(&sealed);
            cipher.decrypt_inout_detached(&nonce, b"", black_box(buffer.as_mut_slice()).into(), &tag).unwrap();
        }
        opens.push(start.elapsed() / BATCH);
    }
    (median(&mut seals), median(&mut opens))
}

struct Stack {
    encrypt: Duration,
    seal: Duration,
    verify: Duration,
    open: Duration,
    decrypt: Duration,
    read: usize,
    written: usize,
    overhead: usize,
}

impl Stack {
    fn measure(suite: Suite, rounds: usize) -> Self {
        let (mut alice, mut bob, group) = pair(suite);
        let secret = alice.session().envelope_secret(&group).unwrap();
        let keys = EnvelopeKeys::new(&secret.secret);
        let mut times: [Vec<Duration>; 5] = Default::default();
        let mut overhead = 0;
        for counter in 0..rounds as u64 {
            let content = [0x5a; MESSAGE];
            let sealed = timed(&mut times[0], || alice.session().encrypt(&group, &content, b"").unwrap());
            overhead = sealed.message.len() - MESSAGE;
            let fragments = Fragment::cut(Kind::Mls, [1; 8], &sealed.message).unwrap();
            let rng = &mut alice.rng;
            let envelope = timed(&mut times[1], || keys.seal(0, counter, &fragments[0], TO, rng));
            let envelope = Envelope::decode(envelope.as_bytes()).unwrap();
            timed(&mut times[2], || envelope.verify().unwrap());
            let fragment = timed(&mut times[3], || keys.open(0, counter, &envelope).unwrap());
            let opened = timed(&mut times[4], || bob.session().decrypt(&group, &fragment.data).unwrap());
            assert_eq!(opened.content, content);
        }
        let (read, written) = traffic(&mut alice, &group);
        let [encrypt, seal, verify, open, decrypt] = times.each_mut().map(|t| median(t));
        Self { encrypt, seal, verify, open, decrypt, read, written, overhead }
    }
}

/// Bytes that one encryption reads from the store and writes to it.
fn traffic(person: &mut Person, group: &GroupId) -> (usize, usize) {
    let mut kv = Counting { inner: person.kv.clone(), read: RefCell::default(), written: 0 };
    let mut session = Session { identity: &person.identity, kv: &mut kv, rng: &mut person.rng, now: person.now };
    session.encrypt(group, &[0; MESSAGE], b"").unwrap();
    (kv.read.take(), kv.written)
}

struct Counting {
    inner: MemoryKv,
    read: RefCell<usize>,
    written: usize,
}

impl Kv for Counting {
    fn get(&self, ns: Namespace, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        let value = self.inner.get(ns, key)?;
        *self.read.borrow_mut() += value.as_ref().map_or(0, Vec::len);
        Ok(value)
    }

    fn put(&mut self, ns: Namespace, key: &[u8], value: &[u8]) -> Result<(), KvError> {
        self.written += value.len();
        self.inner.put(ns, key, value)
    }

    fn delete(&mut self, ns: Namespace, key: &[u8]) -> Result<(), KvError> {
        self.inner.delete(ns, key)
    }

    fn scan(&self, ns: Namespace, from: &[u8], to: &[u8], limit: usize, order: Order) -> Result<Vec<Pair>, KvError> {
        self.inner.scan(ns, from, to, limit, order)
    }
}

fn handshake(rounds: usize) {
    let mut times: [Vec<Duration>; 6] = Default::default();
    for round in 0..rounds as u64 {
        let (mut alice, mut bob) = (Person::new(2 * round), Person::new(2 * round + 1));
        let key_package = timed(&mut times[0], || bob.key_package(false));
        let created = timed(&mut times[1], || alice.begin(&[bob.peer(&key_package)]).unwrap());
        timed(&mut times[2], || bob.session().join(&created.welcomes[0]).unwrap());
        let hello = Hello { secret: [round as u8; 32], fragments: 5, digest: [1; 32] };
        let rng = &mut alice.rng;
        let envelope = timed(&mut times[3], || seal_hello(bob.identity.hello_key(), &hello, TO, rng).unwrap());
        let opened = timed(&mut times[4], || open_hello(&bob.identity, &envelope).unwrap());
        timed(&mut times[5], || assert!(open_hello(&alice.identity, &envelope).is_none()));
        black_box(HelloKeys::new(&opened.secret));
        if round == 0 {
            println!(
                "X-Wing KeyPackage {} bytes, two-member Welcome {} bytes",
                key_package.len(),
                created.welcomes[0].len()
            );
        }
    }
    let names =
        ["KeyPackage", "create group of two", "join", "seal hello", "open hello", "try a hello that isn't ours"];
    for (name, times) in names.iter().zip(&mut times) {
        row(name, median(times));
    }
}
