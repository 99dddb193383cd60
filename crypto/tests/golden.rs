//! Bytes that outlive a process: today's code writes what the first version wrote, and reads it.

mod support;

use data_encoding::HEXLOWER;
use livechat_crypto::envelope::{Address, EnvelopeKeys, HelloKeys, seal_hello};
use livechat_crypto::identity::Identity;
use livechat_crypto::kv::{Kv, MemoryKv, Namespace, Order};
use livechat_crypto::mls::{GroupId, Session, Suite};
use livechat_wire::hello::Hello;
use livechat_wire::payload::{Fragment, Kind};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use support::{NOW, Person, pair, with_stack};

const TO: Address = Address { bucket: 3, epoch: 2_057_613, ephemeral: false };
const SECRET: [u8; 32] = [0x11; 32];

fn dice() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

#[test]
fn identity() {
    let identity = Identity::generate(&mut dice());
    insta::assert_snapshot!(format!(
        "encoded {}\naccount {}\ndevice {}",
        HEXLOWER.encode(&identity.encode()),
        identity.account(),
        identity.device()
    ));
}

#[test]
fn tags() {
    let (conversation, hello) = (EnvelopeKeys::new(&SECRET), HelloKeys::new(&SECRET));
    let places = [(0, 0), (0, 1), (1, 0), (7, 1_000_000)];
    let lines =
        places.map(|(leaf, counter)| format!("leaf {leaf} counter {counter}: {}", conversation.tag(leaf, counter)));
    let hellos = [0, 1, 63].map(|index| format!("hello fragment {index}: {}", hello.tag(index)));
    insta::assert_snapshot!(lines.iter().chain(&hellos).cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn envelopes() {
    let fragment = Fragment { kind: Kind::Mls, payload: [7; 8], index: 0, count: 1, data: b"hello, world".to_vec() };
    let bob = Identity::generate(&mut dice());
    let hello = Hello { secret: SECRET, fragments: 5, digest: [0x22; 32] };
    let in_conversation = EnvelopeKeys::new(&SECRET).seal(1, 2, &fragment, TO, &mut dice());
    let in_introduction = HelloKeys::new(&SECRET).seal(3, &fragment, TO, &mut dice());
    let first = seal_hello(bob.hello_key(), &hello, TO, &mut dice()).unwrap();
    let hex = |bytes: &[u8]| {
        let text = HEXLOWER.encode(bytes);
        text.as_bytes().chunks(128).map(|l| String::from_utf8_lossy(l).into_owned()).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(format!(
        "conversation\n{}\n\nintroduction\n{}\n\nhello\n{}",
        hex(in_conversation.as_bytes()),
        hex(in_introduction.as_bytes()),
        hex(first.as_bytes())
    ));
}

/// A device's store as an earlier version left it, and what it must still be able to do.
#[derive(Serialize, Deserialize)]
struct Stored {
    identity: String,
    group: String,
    pairs: Vec<(String, String)>,
    message: String,
    content: String,
    envelope_secret: String,
}

const STATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/state-v1.json");

#[test]
fn the_first_versions_state_still_opens() {
    with_stack(|| {
        #[expect(clippy::disallowed_methods, reason = "a test's data")]
        let stored: Stored = serde_json::from_str(&std::fs::read_to_string(STATE).unwrap()).unwrap();
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
        let mut kv = MemoryKv::default();
        for (key, value) in &stored.pairs {
            kv.put(Namespace(1), &hex(key), &hex(value)).unwrap();
        }
        let identity = Identity::decode(&hex(&stored.identity)).unwrap();
        let group = GroupId(hex(&stored.group).try_into().unwrap());
        let mut session = Session { identity: &identity, kv: &mut kv, rng: &mut dice(), now: NOW };
        assert_eq!(session.decrypt(&group, &hex(&stored.message)).unwrap().content, stored.content.as_bytes());
        assert_eq!(session.envelope_secret(&group).unwrap().secret.to_vec(), hex(&stored.envelope_secret));
        session.encrypt(&group, b"and goes on", b"").unwrap();
    });
}

/// Writes the state of a new format version: `cargo test -p livechat-crypto --test golden -- --ignored`. Never again
/// for a version that was released.
#[test]
#[ignore = "writes the vector that the test above reads"]
fn write_state() {
    with_stack(|| {
        let (mut alice, mut bob, group) = pair(Suite::XWing);
        let say = |from: &mut Person, to: &mut Person| {
            let sent = from.session().encrypt(&group, b"earlier", b"").unwrap();
            to.session().decrypt(&group, &sent.message).unwrap();
        };
        say(&mut alice, &mut bob);
        say(&mut bob, &mut alice);
        let _skipped = alice.session().encrypt(&group, b"lost", b"").unwrap();
        say(&mut alice, &mut bob);
        let content = "from the first version".to_owned();
        let message = alice.session().encrypt(&group, content.as_bytes(), b"").unwrap().message;
        let envelope_secret = HEXLOWER.encode(&*bob.session().envelope_secret(&group).unwrap().secret);
        let pairs = bob.kv.scan(Namespace(1), b"", b"", usize::MAX, Order::Ascending).unwrap();
        let stored = Stored {
            identity: HEXLOWER.encode(&bob.identity.encode()),
            group: HEXLOWER.encode(&group.0),
            pairs: pairs.iter().map(|(k, v)| (HEXLOWER.encode(k), HEXLOWER.encode(v))).collect(),
            message: HEXLOWER.encode(&message),
            content,
            envelope_secret,
        };
        #[expect(clippy::disallowed_methods, reason = "a test's data")]
        std::fs::write(STATE, serde_json::to_string_pretty(&stored).unwrap() + "\n").unwrap();
    });
}
