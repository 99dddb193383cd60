//! A group of two hundred: founding, adding, joining, removing, talking — beside OpenMLS alone on the same sequence, in
//! the same suite on the same primitives, its group held in memory and nothing checked but what RFC 9420 asks.
//!
//! `cargo bench -p livechat-crypto --bench rooms`. Plain loops instead of criterion, because the result is a table of
//! ratios.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a bench asks the clock and may unwrap")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use livechat_crypto::mls::provider::Crypto;
use livechat_crypto::mls::{Change, GroupId, PeerDevice};
use livechat_wire::group::{Charter, MemberRecord};
use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::*;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use support::{Person, with_stack};

const SUITE: Ciphersuite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;
/// Devices added by one commit, as the engine does.
const AT_ONCE: usize = 48;
const MESSAGE: [u8; 256] = [0x5a; 256];

fn main() {
    // `cargo test --benches` runs this too; then a small group is enough to see that it works.
    let (size, rounds) = if std::env::args().any(|a| a == "--bench") { (200, 5) } else { (6, 1) };
    with_stack(move || {
        let (mut ours, mut alone) = (Table::default(), Table::default());
        for round in 0..rounds {
            let from = 10_000 * round as u64;
            of_ours(size, from, &mut ours);
            of_openmls(size, from, &mut alone);
        }
        println!("a group of {size}, medians of {rounds} rounds: ours, OpenMLS alone, ratio\n");
        for (ours, alone) in ours.0.iter_mut().zip(&mut alone.0) {
            let (a, b) = (ours.median(), alone.median());
            println!(
                "{:<44} {:>10.2} ms {:>10.2} ms {:>6.2} ×   {:>8} B {:>8} B {:>6.2} ×",
                ours.what,
                a.as_secs_f64() * 1e3,
                b.as_secs_f64() * 1e3,
                a.as_secs_f64() / b.as_secs_f64(),
                ours.bytes,
                alone.bytes,
                ours.bytes as f64 / alone.bytes.max(1) as f64,
            );
        }
    });
}

#[derive(Default)]
struct Table(Vec<Row>);

struct Row {
    what: &'static str,
    times: Vec<Duration>,
    bytes: usize,
}

impl Row {
    fn median(&mut self) -> Duration {
        self.times.sort_unstable();
        self.times[self.times.len() / 2]
    }
}

impl Table {
    fn timed<T>(&mut self, what: &'static str, work: impl FnOnce() -> (T, usize)) -> T {
        let start = Instant::now();
        let (out, bytes) = black_box(work());
        let took = start.elapsed();
        match self.0.iter_mut().find(|r| r.what == what) {
            Some(row) => row.times.push(took),
            None => self.0.push(Row { what, times: vec![took], bytes }),
        }
        out
    }
}

fn record(who: &Person) -> MemberRecord {
    MemberRecord { log: who.log.encode(), bucket_seed: [1; 16] }
}

fn of_ours(size: usize, from: u64, table: &mut Table) {
    let mut people: Vec<_> = (0..=size as u64).map(|n| Person::new(from + n)).collect();
    let records: Vec<_> = people.iter().map(record).collect();
    let packages: Vec<_> =
        people.iter_mut().zip(&records).map(|(p, r)| p.session().key_package(r, false).unwrap()).collect();
    let (founder, others) = people.split_first_mut().unwrap();
    let charter = Charter::new("Bergfahrt".into(), founder.identity.account(), [9; 32]);
    let mut first = Vec::new();
    let group = table.timed("create, and add everybody but one", || {
        let group = founder.session().found_room(&charter, &records[0]).unwrap();
        let mut bytes = 0;
        for start in (1..size).step_by(AT_ONCE) {
            let end = (start + AT_ONCE).min(size);
            let peers: Vec<_> = (start..end).map(|n| others[n - 1].peer(&packages[n])).collect();
            let staged =
                founder.session().stage_commit(&group, Change { add: &peers, ..Change::default() }, &records[0]);
            let staged = staged.unwrap();
            bytes += staged.sealed.as_bytes().len() + staged.welcomes.iter().map(Vec::len).sum::<usize>();
            founder.session().merge_staged(&group).unwrap();
            first = staged.welcomes;
        }
        (group, bytes)
    });
    // Whoever came last looks on.
    let (last, onlooker) = others.split_last_mut().unwrap();
    let onlooker = onlooker.last_mut().unwrap();
    onlooker.session().join(first.last().unwrap()).unwrap();
    let last_package = &packages[size];
    let (commit, welcome) = table.timed("add one: commit and Welcome", || {
        let add = [PeerDevice { log: &last.log, device_key: last.identity.device_key(), key_package: last_package }];
        let (commit, welcome) = committed(founder, &group, Change { add: &add, ..Change::default() }, &records[0]);
        let bytes = commit.len() + welcome.as_ref().map_or(0, Vec::len);
        ((commit, welcome.unwrap()), bytes)
    });
    table.timed("  somebody else applies it", || {
        (onlooker.session().apply_commit(&group, &commit).unwrap(), commit.len())
    });
    table.timed("  the newcomer joins", || (last.session().join(&welcome).unwrap(), welcome.len()));
    let gone = [onlooker.session().envelope_secret(&group).unwrap().leaves[1]];
    let commit = table.timed("remove one: commit with a new path", || {
        let (commit, _) = committed(founder, &group, Change { remove: &gone, ..Change::default() }, &records[0]);
        let bytes = commit.len();
        (commit, bytes)
    });
    table.timed("  somebody else applies the removal", || {
        (onlooker.session().apply_commit(&group, &commit).unwrap(), commit.len())
    });
    let sealed = table.timed("say 256 bytes", || {
        let sealed = founder.session().encrypt(&group, &MESSAGE, b"").unwrap().message;
        let bytes = sealed.len();
        (sealed, bytes)
    });
    table.timed("  somebody else reads them", || (onlooker.session().decrypt(&group, &sealed).unwrap(), sealed.len()));
}

/// Stages a change, gives it its place, opens it as another member would; the commit and the first Welcome.
fn committed(who: &mut Person, group: &GroupId, change: Change<'_>, own: &MemberRecord) -> (Vec<u8>, Option<Vec<u8>>) {
    let keys = who.session().order_keys(group).unwrap();
    let staged = who.session().stage_commit(group, change, own).unwrap();
    who.session().merge_staged(group).unwrap();
    (keys.open(&staged.sealed).unwrap(), staged.welcomes.into_iter().next())
}

/// OpenMLS with our primitives and its own store.
struct Alone {
    crypto: Crypto,
    store: OpenMlsRustCrypto,
    signer: SignatureKeyPair,
    name: Vec<u8>,
}

impl OpenMlsProvider for Alone {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = <OpenMlsRustCrypto as OpenMlsProvider>::StorageProvider;

    fn storage(&self) -> &Self::StorageProvider {
        self.store.storage()
    }

    fn crypto(&self) -> &Crypto {
        &self.crypto
    }

    fn rand(&self) -> &Crypto {
        &self.crypto
    }
}

impl Alone {
    fn new(seed: u64) -> Self {
        let mut person = Person::new(seed);
        let device = person.identity.encode()[34..66].to_vec();
        let key = person.identity.device_key().to_vec();
        let signer = SignatureKeyPair::from_raw(SignatureScheme::ED25519, device, key);
        let name = person.identity.account().0.to_vec();
        Self { crypto: Crypto::new(&mut person.rng), store: OpenMlsRustCrypto::default(), signer, name }
    }

    fn credential(&self) -> CredentialWithKey {
        let credential = BasicCredential::new(self.name.clone()).into();
        CredentialWithKey { credential, signature_key: self.signer.public().into() }
    }

    fn capabilities() -> Capabilities {
        Capabilities::new(None, Some(&[SUITE]), None, None, None)
    }

    fn key_package(&self) -> KeyPackage {
        let builder = KeyPackage::builder().leaf_node_capabilities(Self::capabilities());
        builder.build(SUITE, self, &self.signer, self.credential()).unwrap().key_package().clone()
    }

    fn joins(&self, welcome: &[u8]) -> MlsGroup {
        let MlsMessageBodyIn::Welcome(welcome) = MlsMessageIn::tls_deserialize_exact(welcome).unwrap().extract() else {
            unreachable!("a Welcome");
        };
        let config = MlsGroupJoinConfig::builder()
            .use_ratchet_tree_extension(true)
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .build();
        let staged = StagedWelcome::new_from_welcome(self, &config, welcome, None).unwrap();
        staged.into_group(self).unwrap()
    }

    fn applies(&self, group: &mut MlsGroup, commit: &[u8]) {
        let message = MlsMessageIn::tls_deserialize_exact(commit).unwrap().try_into_protocol_message().unwrap();
        let ProcessedMessageContent::StagedCommitMessage(staged) =
            group.process_message(self, message).unwrap().into_content()
        else {
            unreachable!("a commit");
        };
        group.merge_staged_commit(self, *staged).unwrap();
    }

    fn reads(&self, group: &mut MlsGroup, message: &[u8]) {
        let message = MlsMessageIn::tls_deserialize_exact(message).unwrap().try_into_protocol_message().unwrap();
        group.process_message(self, message).unwrap();
    }
}

fn of_openmls(size: usize, from: u64, table: &mut Table) {
    let people: Vec<_> = (0..=size as u64).map(|n| Alone::new(from + n)).collect();
    let packages: Vec<_> = people.iter().map(Alone::key_package).collect();
    let founder = &people[0];
    let config = MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .capabilities(Alone::capabilities())
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .build();
    let (mut group, first) = table.timed("create, and add everybody but one", || {
        let mut group = MlsGroup::new(founder, &founder.signer, &config, founder.credential()).unwrap();
        let (mut bytes, mut last) = (0, Vec::new());
        for start in (1..size).step_by(AT_ONCE) {
            let end = (start + AT_ONCE).min(size);
            let (commit, welcome) = adds(founder, &mut group, &packages[start..end]);
            // Ours sends each newcomer a Welcome of their own; one for all goes to all here.
            bytes += commit.len() + welcome.len() * (end - start);
            last = welcome;
        }
        ((group, last), bytes)
    });
    let (onlooker, last) = (&people[size - 1], &people[size]);
    let mut seen = onlooker.joins(&first);
    let (commit, welcome) = table.timed("add one: commit and Welcome", || {
        let (commit, welcome) = adds(founder, &mut group, &packages[size..=size]);
        let bytes = commit.len() + welcome.len();
        ((commit, welcome), bytes)
    });
    table.timed("  somebody else applies it", || (onlooker.applies(&mut seen, &commit), commit.len()));
    table.timed("  the newcomer joins", || (last.joins(&welcome), welcome.len()));
    let gone = seen.members().nth(1).unwrap().index;
    let commit = table.timed("remove one: commit with a new path", || {
        let (commit, _, _) = group.remove_members(founder, &founder.signer, &[gone]).unwrap();
        group.merge_pending_commit(founder).unwrap();
        let commit = commit.tls_serialize_detached().unwrap();
        let bytes = commit.len();
        (commit, bytes)
    });
    table.timed("  somebody else applies the removal", || (onlooker.applies(&mut seen, &commit), commit.len()));
    let sealed = table.timed("say 256 bytes", || {
        let sealed = group.create_message(founder, &founder.signer, &MESSAGE).unwrap();
        let sealed = sealed.tls_serialize_detached().unwrap();
        let bytes = sealed.len();
        (sealed, bytes)
    });
    table.timed("  somebody else reads them", || (onlooker.reads(&mut seen, &sealed), sealed.len()));
}

/// Adds without a new path, as ours does.
fn adds(who: &Alone, group: &mut MlsGroup, packages: &[KeyPackage]) -> (Vec<u8>, Vec<u8>) {
    let bundle = group
        .commit_builder()
        .force_self_update(false)
        .propose_adds(packages.iter().cloned())
        .load_psks(who.storage())
        .unwrap()
        .build(who.rand(), who.crypto(), &who.signer, |_| true)
        .unwrap()
        .stage_commit(who)
        .unwrap();
    let commit = bundle.commit().tls_serialize_detached().unwrap();
    let welcome = bundle.to_welcome_msg().unwrap().tls_serialize_detached().unwrap();
    group.merge_pending_commit(who).unwrap();
    (commit, welcome)
}
