//! Malformed but authenticated data from a contact (P8): counted, and nothing else happens.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "how long it takes is part of what is tested")]

use livechat_wire::content::{Body, Content};
use livechat_wire::payload::{Fragment, Kind};
use livechat_wire::{MessageId, limits as wire};
use rand_core::Rng;

use crate::rig::{Person, added, introduce, roomy};

/// Four malformed messages each.
const ROUNDS: u16 = 1_250;

/// Bodies that no honest engine makes, of every kind.
fn bodies_that_are_none() -> Vec<(u16, Vec<u8>)> {
    let target = [1; 48];
    let behind_target = |rest: &[u8]| [&target[..], rest].concat();
    let list = |items: &[&[u8]]| {
        let mut out = behind_target(&[0, 0, 0, 1, 0, u8::try_from(items.len()).unwrap()]);
        for item in items {
            out.extend_from_slice(&u32::try_from(item.len()).unwrap().to_be_bytes());
            out.extend_from_slice(item);
        }
        out
    };
    vec![
        (0, vec![1]),
        (1, vec![]),
        (1, vec![0xff, 0xfe]),
        (2, vec![0xff, 0xff]),
        // No marks, unknown marks, a target cut off, a timer of nothing, of more than a year, no text, no UTF-8.
        (3, b"\0plain".to_vec()),
        (3, b"\x08new".to_vec()),
        (3, vec![1; 20]),
        (3, vec![4, 0, 0, 0, 0, b'x']),
        (3, vec![4, 0xff, 0xff, 0xff, 0xff, b'x']),
        (3, vec![2]),
        (3, vec![2, 0xff]),
        // No revision, no text, too much text.
        (4, behind_target(&[])),
        (4, behind_target(&[0, 0, 0, 1])),
        (4, behind_target(&vec![b'x'; wire::TEXT + 5])),
        (5, vec![1; 47]),
        (5, vec![1; 49]),
        // Unsorted, doubled, empty, too long, too many, a control character, a count without items.
        (6, list(&[b"b", b"a"])),
        (6, list(&[b"a", b"a"])),
        (6, list(&[b""])),
        (6, list(&[&[b'x'; 65]])),
        (6, list(&[b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h", b"i"])),
        (6, list(&[b"\x1b[2J"])),
        (6, behind_target(&[0, 0, 0, 1, 0xff, 0xff])),
        // Typing belongs elsewhere, even when it is well formed.
        (7, vec![1]),
        (7, vec![2]),
        (8, vec![0, 0, 0, 1]),
        (8, vec![0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]),
        (9, vec![0, 0]),
        (9, b"\0\0\0\x01two\nlines".to_vec()),
        (9, [&[0, 0, 0, 1][..], &[b'x'; 129]].concat()),
    ]
}

/// How long this thread has computed: what the machine does beside it is not the engine's doing.
fn busy() -> std::time::Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn poison_is_counted_and_every_conversation_goes_on() {
    roomy(|| {
        let mut alice = Person::new("alice");
        let (mut bob, mut mallory) = (Person::new("bob"), Person::new("mallory"));
        let bobs = introduce(&mut alice, &mut bob);
        let chat = introduce(&mut alice, &mut mallory);
        let group = mallory.group_with(&alice);
        let mut number = 0;
        let mut worst = std::time::Duration::ZERO;
        for round in 0..ROUNDS {
            let mut noise = vec![0; 40 + 30 * usize::from(round % 60)];
            mallory.dice.fill_bytes(&mut noise);
            let mut id = [0; 16];
            id[..2].copy_from_slice(&round.to_be_bytes());
            let honest = |body| Content { id: MessageId(id), parents: vec![], sent_at: 0, body }.encode();
            let bodies = bodies_that_are_none();
            let content = match usize::from(round) % (4 + bodies.len()) {
                // Not a content at all, of another version, cut off, noise behind a true head.
                0 => noise.clone(),
                1 => vec![2; 60],
                2 => honest(Body::Text("cut off".into()))[..30].to_vec(),
                3 => [&honest(Body::Unknown { kind: 4, data: vec![] })[..27], &noise[..]].concat(),
                n => {
                    let (kind, data) = bodies[n - 4].clone();
                    honest(Body::Unknown { kind, data })
                }
            };
            let message = mallory.encrypts(group, &content, &chat.0);
            let mut envelopes = mallory.seals(group, number, &message);
            number += envelopes.len() as u64;
            // Sealed rightly, but not an MLS message; a payload of the wrong kind; a second fragment without a first.
            envelopes.extend(mallory.seals_kind(group, number, Kind::Mls, &noise));
            number += noise.len().div_ceil(wire::BODY_PLAIN - 15) as u64;
            for (kind, index, count) in [(Kind::Introduction, 0, 1), (Kind::Mls, 1, 2)] {
                let fragment = Fragment {
                    kind,
                    payload: round.to_be_bytes().repeat(4).try_into().unwrap(),
                    index,
                    count,
                    data: noise[..40].to_vec(),
                };
                envelopes.push(mallory.seals_fragment(group, number, &fragment));
                number += 1;
            }
            let before = busy();
            let effects = alice.gets(&envelopes);
            worst = worst.max(busy() - before);
            assert!(effects.events.is_empty(), "round {round}: {:?}", effects.events);
        }
        assert_eq!(alice.engine.refused().malformed, 4 * u64::from(ROUNDS));
        println!("{} malformed messages, the worst four took {} ms", 4 * ROUNDS, worst.as_millis());
        assert!(worst < std::time::Duration::from_secs(1), "every conversation waits behind this: {worst:?}");
        let (_, said) = bob.says(bobs, "is everything all right?");
        assert_eq!(added(&alice.gets(&said.gossip)), ["is everything all right?"], "at once");
        let right = Content { id: MessageId([99; 16]), parents: vec![], sent_at: 0, body: Body::Text("sorry".into()) };
        let sorry = mallory.forges(group, number, &right, &chat.0);
        assert_eq!(added(&alice.gets(&sorry)), ["sorry"], "and from the one who did it");
    });
}

#[test]
fn what_is_newer_is_kept_and_said_so() {
    roomy(|| {
        let (mut alice, mut bob, chat) = crate::rig::acquainted("alice", "bob");
        let group = bob.group_with(&alice);
        let body = Body::Unknown { kind: 17, data: b"a sticker, say".to_vec() };
        let content = Content { id: MessageId([1; 16]), parents: vec![], sent_at: 0, body };
        let envelopes = bob.forges(group, 0, &content, &chat.0);
        assert_eq!(added(&alice.gets(&envelopes)), ["kind 17"]);
        alice.restarts();
        assert_eq!(alice.texts(chat), ["kind 17"]);
    });
}

/// Anybody can copy a tag they saw onto an envelope of their own: the real one must still be found.
#[test]
fn a_copied_tag_takes_nothing_away() {
    roomy(|| {
        let (mut alice, mut bob, chat) = crate::rig::acquainted("alice", "bob");
        let (_, said) = bob.says(chat, "the real one");
        let mut bytes = *said.gossip[0].as_bytes();
        bytes[400] ^= 1;
        let copied = livechat_wire::Envelope::decode(&bytes).unwrap();
        assert!(added(&alice.gets(&[copied])).is_empty());
        assert_eq!(alice.engine.refused().unopened, 1);
        assert_eq!(added(&alice.gets(&said.gossip)), ["the real one"]);
    });
}
