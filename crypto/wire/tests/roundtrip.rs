//! decode ∘ encode is identity, and decoding any bytes never panics.

mod common;

use livechat_wire::account::{AccountLog, Signer, Statement};
use livechat_wire::bundle::Bundle;
use livechat_wire::content::{Body, Content, Edit, File, FileKey, Post, Reactions, Target, Voice};
use livechat_wire::door::{Answer, Door, DoorSeed, Doorkeeper, Knock, Link, SCHEME};
use livechat_wire::envelope::Envelope;
use livechat_wire::group::{Charter, MemberRecord, Role, RoomKind};
use livechat_wire::handover::Handover;
use livechat_wire::hello::{Hello, Introduction, WelcomeRest};
use livechat_wire::order::{self, SealedCommit};
use livechat_wire::payload::{After, Fragment, Kind, Message};
use livechat_wire::sync::{Cursor, Refusal, Request, Response, Verdict};
use livechat_wire::{AccountId, BlobId, DecodeError, EnvelopeId, MessageId, RelayId, SlotId, limits};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

fn an_envelope() -> impl Strategy<Value = Envelope> {
    (any::<u8>(), any::<bool>(), any::<u16>(), any::<u32>(), any::<[u8; 16]>(), any::<u8>())
        .prop_map(|(s, e, b, t, tag, f)| common::envelope(s, e, b, t, tag, f))
}

fn ids(max: usize) -> impl Strategy<Value = Vec<MessageId>> {
    vec(any::<[u8; 16]>().prop_map(MessageId), 0..=max)
}

fn a_target() -> impl Strategy<Value = Target> {
    (any::<[u8; 32]>(), any::<[u8; 16]>()).prop_map(|(a, id)| Target { author: AccountId(a), id: MessageId(id) })
}

fn a_file() -> impl Strategy<Value = File> {
    let secrets = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
    let described =
        ("[a-z]{1,9}/[a-z0-9.+-]{1,30}", "[a-zäöü .()-]{1,80}", 0..=limits::FILE, any::<u64>(), any::<Option<bool>>());
    (secrets, described).prop_map(|((blob, key, hash), (media, name, size, until, preview))| File {
        name,
        media,
        size,
        blob: BlobId(blob),
        key: FileKey(key),
        hash,
        until,
        preview: preview.is_some_and(|p| p).then(|| common::preview(9, 7)),
        voice: preview.is_none().then(|| Voice { millis: 1 + size as u32 % limits::VOICE, levels: hash.to_vec() }),
        forwarded: false,
        timer: 0,
    })
}

fn a_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        "\\PC{1,200}".prop_map(Body::Text),
        (ids(limits::RECEIPT_BATCH), ids(8)).prop_map(|(delivered, read)| Body::Receipts { delivered, read }),
        (11u16.., vec(any::<u8>(), 0..300)).prop_map(|(kind, data)| Body::Unknown { kind, data }),
        (a_target(), any::<bool>(), 0..=limits::TIMER, "\\PC{1,90}", any::<bool>()).prop_map(
            |(target, reply, timer, text, forwarded)| {
                // Text without any mark is another kind.
                let forwarded = forwarded || (!reply && timer == 0);
                Body::Post(Post { text, reply_to: reply.then_some(target), forwarded, timer })
            }
        ),
        (a_target(), any::<u32>(), "\\PC{1,90}").prop_map(|(target, revision, text)| Body::Edit(Edit {
            target,
            revision,
            text
        })),
        a_target().prop_map(Body::Delete),
        (a_target(), any::<u32>(), btree_set("\\PC{1,16}", 0..=limits::REACTIONS)).prop_map(
            |(target, revision, emoji)| {
                Body::Reactions(Reactions { target, revision, emoji: emoji.into_iter().collect() })
            }
        ),
        any::<bool>().prop_map(Body::Typing),
        (any::<u32>(), 0..=limits::TIMER).prop_map(|(revision, seconds)| Body::Timer { revision, seconds }),
        (any::<u32>(), "\\PC{0,32}").prop_map(|(revision, name)| Body::Profile { revision, name }),
        (a_file(), any::<bool>(), 0..=limits::TIMER).prop_map(|(file, forwarded, timer)| Body::File(Box::new(File {
            forwarded,
            timer,
            ..file
        }))),
    ]
}

fn a_cursor() -> impl Strategy<Value = Cursor> {
    btree_map(any::<u64>(), any::<u64>(), 0..=limits::CURSOR).prop_map(Cursor)
}

fn a_verdict() -> impl Strategy<Value = Verdict> {
    let refusal = prop_oneof![
        Just(Refusal::Malformed),
        Just(Refusal::Stale),
        Just(Refusal::Busy),
        Just(Refusal::Unavailable),
        Just(Refusal::NotServed),
        Just(Refusal::Full),
    ];
    prop_oneof![
        (any::<u8>(), any::<[u8; 32]>(), any::<[u64; 3]>())
            .prop_map(|(s, e, [o, q, t])| Verdict::Kept(Box::new(common::receipt(s, e, o, q, t)))),
        Just(Verdict::Absent),
        refusal.prop_map(Verdict::Refused),
    ]
}

fn an_entry() -> impl Strategy<Value = order::Entry> {
    (any::<u8>(), any::<[u8; 32]>(), any::<u32>(), any::<u64>(), any::<u8>(), 1..4usize)
        .prop_map(|(s, slot, index, time, fill, n)| common::entry(s, slot, index, time, common::commit(fill, n)))
}

fn a_request() -> impl Strategy<Value = Request> {
    prop_oneof![
        (any::<u16>(), a_cursor(), 0u32..=30_000).prop_map(|(bucket, cursor, wait_ms)| Request::Fetch {
            bucket,
            cursor,
            wait_ms
        }),
        vec(an_envelope(), 0..4).prop_map(|envelopes| Request::Deposit { envelopes }),
        vec(any::<[u8; 32]>().prop_map(EnvelopeId), 0..40).prop_map(|ids| Request::Present { ids }),
        (any::<[u8; 32]>(), any::<u8>(), 1..5usize)
            .prop_map(|(s, f, n)| Request::Append { slot: SlotId(s), commit: common::commit(f, n) }),
        (any::<[u8; 32]>(), 0..limits::SLOT_ENTRIES).prop_map(|(s, from)| Request::Slot { slot: SlotId(s), from }),
    ]
}

fn a_response() -> impl Strategy<Value = Response> {
    prop_oneof![
        (a_cursor(), vec(an_envelope(), 0..12), any::<bool>()).prop_map(|(cursor, envelopes, more)| Response::Page {
            cursor,
            envelopes,
            more
        }),
        vec(a_verdict(), 0..6).prop_map(Response::Verdicts),
        Just(Response::Refused(Refusal::Busy)),
        an_entry().prop_map(|e| Response::Appended(Box::new(e.receipt))),
        (vec(an_entry(), 0..6), any::<bool>()).prop_map(|(entries, more)| Response::Entries { entries, more }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn envelopes(e in an_envelope()) {
        prop_assert_eq!(e.verify(), Ok(()));
        prop_assert_eq!(Envelope::decode(e.as_bytes()), Ok(e));
    }

    #[test]
    fn contents(id in any::<[u8; 16]>(), parents in ids(limits::PARENTS), sent_at in any::<u64>(), body in a_body()) {
        let c = Content { id: MessageId(id), parents, sent_at, body };
        prop_assert_eq!(Content::decode(&c.encode()), Ok(c));
    }

    #[test]
    fn fragments(id in any::<[u8; 8]>(), intro in any::<bool>(), payload in vec(any::<u8>(), 1..12_000)) {
        let kind = if intro { Kind::Introduction } else { Kind::Mls };
        let cut = Fragment::cut(kind, id, &payload).expect("within bounds");
        let mut whole = Vec::new();
        for f in &cut {
            let again = Fragment::decode(&f.encode());
            prop_assert_eq!(again.as_ref(), Ok(f));
            whole.extend_from_slice(&f.data);
        }
        prop_assert_eq!(whole, payload);
    }

    #[test]
    fn messages(after in any::<Option<(u64, u64)>>(), mls in vec(any::<u8>(), 0..200)) {
        let after = after.filter(|a| a.1 > 0).map(|(epoch, count)| After { epoch, count });
        let m = Message { after, mls };
        prop_assert_eq!(Message::decode(&m.encode()), Ok(m));
    }

    #[test]
    fn hellos(secret in any::<[u8; 32]>(), fragments in 1..=limits::FRAGMENTS, digest in any::<[u8; 32]>()) {
        let h = Hello { secret, fragments, digest };
        prop_assert_eq!(Hello::decode(&h.encode()), Ok(h));
    }

    #[test]
    fn introductions(parted in any::<Option<(u8, u16)>>(), log in vec(any::<u8>(), 0..900), bundle in vec(any::<u8>(), 0..1_300), welcome in vec(any::<u8>(), 0..9_000)) {
        let rest = parted.map(|(seed, size)| WelcomeRest {
            blob: BlobId([seed; 32]),
            size: u32::from(size) + 1,
            hash: [seed; 32],
            key: FileKey([seed; 32]),
        });
        let i = Introduction { log, bundle, welcome, rest };
        prop_assert_eq!(Introduction::decode(&i.encode()), Ok(i));
    }

    #[test]
    fn bundles(seed in any::<u8>(), hello in any::<u8>(), bucket in any::<[u8; 16]>(), at in any::<u64>()) {
        let b = common::bundle(seed, hello, bucket, at);
        prop_assert_eq!(Bundle::decode(&b.encode()), Ok(b));
    }

    #[test]
    fn account_logs(time in any::<u64>(), name in "[a-z]{1,30}") {
        let log = common::log(time, &name);
        prop_assert_eq!(AccountLog::decode(&log.encode()), Ok(log));
    }

    #[test]
    fn cursors(c in a_cursor()) {
        prop_assert_eq!(Cursor::decode(&c.encode()), Ok(c));
    }

    #[test]
    fn requests(r in a_request()) {
        prop_assert_eq!(Request::decode(&r.encode()), Ok(r));
    }

    #[test]
    fn charters(
        title in "\\PC{1,40}", picture in any::<Option<[u8; 32]>>(), timer in 0..=limits::TIMER, by in any::<[u8; 32]>(),
        roles in btree_map(any::<[u8; 32]>(), any::<bool>(), 0..9), sequencers in vec(any::<[u8; 32]>(), 1..=limits::SEQUENCERS),
        doors in btree_map(any::<[u8; 32]>(), (any::<[u8; 32]>(), any::<u64>(), any::<u32>()), 0..4),
        kept_out in btree_map(any::<[u8; 32]>(), any::<()>(), 0..4), open in any::<Option<[u8; 32]>>(),
    ) {
        prop_assume!(title.len() <= limits::TITLE);
        let roles = roles.into_iter().map(|(a, o)| (AccountId(a), if o { Role::Owner } else { Role::Admin })).collect();
        let a_door = |(key, (by, expires, uses))| Door { key, made_by: AccountId(by), expires, uses, used: uses / 2 };
        let doors = doors.into_iter().map(a_door).collect();
        let kept_out = kept_out.into_keys().map(AccountId).collect();
        let (created_by, open) = (AccountId(by), open.map(DoorSeed));
        let kind = RoomKind::Group;
        let c = Charter { kind, title, picture, timer, created_by, roles, sequencers, doors, kept_out, open };
        prop_assert_eq!(Charter::decode(&c.encode()), Ok(c));
    }

    #[test]
    fn links(
        relay in any::<[u8; 32]>(), seed in any::<[u8; 32]>(),
        keepers in vec((any::<[u8; 32]>(), "\\PC{1,16}"), 0..=limits::DOORKEEPERS),
    ) {
        let doorkeepers = keepers.into_iter().map(|(a, username)| Doorkeeper { account: AccountId(a), username });
        let link = Link { relay: RelayId(relay), seed: DoorSeed(seed), doorkeepers: doorkeepers.collect() };
        prop_assert_eq!(Link::decode(&link.encode()), Ok(link.clone()));
        let text = link.to_string();
        prop_assert!(text.len() <= limits::LINK_TEXT);
        prop_assert_eq!(text.parse(), Ok(link.clone()));
        let (head, tail) = text.split_at(30);
        prop_assert_eq!(format!(" {}\r\n{tail}\n", head.to_uppercase()).parse(), Ok(link));
    }

    #[test]
    fn a_link_with_a_wrong_letter_is_refused(at in any::<prop::sample::Index>(), letter in "[a-z2-7]") {
        let keeper = Doorkeeper { account: AccountId([3; 32]), username: "alice".into() };
        let link = Link { relay: RelayId([1; 32]), seed: DoorSeed([2; 32]), doorkeepers: vec![keeper] };
        let text = link.to_string();
        let at = SCHEME.len() + at.index(text.len() - SCHEME.len());
        prop_assume!(text[at..=at] != letter);
        let wrong = format!("{}{letter}{}", &text[..at], &text[at + 1..]);
        prop_assert!(wrong.parse::<Link>().is_err());
        prop_assert!(text[..at].parse::<Link>().is_err());
    }

    #[test]
    fn knocks(log in vec(any::<u8>(), 0..900), bundle in vec(any::<u8>(), 0..900), time in any::<u64>(), token in any::<[u8; 16]>()) {
        let k = common::knock(5, 6, &[7; 32], Knock { door: [0; 32], log, bundle, time, token, by_device: [0; 64], by_door: [0; 64] });
        prop_assert_eq!(Knock::decode(&k.encode()), Ok(k.clone()));
        prop_assert_eq!(k.verify(&[7; 32], &common::public(5)), Ok(()));
        prop_assert!(k.verify(&[8; 32], &common::public(5)).is_err());
        prop_assert!(k.verify(&[7; 32], &common::public(6)).is_err());
        let (later, elsewhere) = (Knock { time: time ^ 1, ..k.clone() }, Knock { door: common::public(9), ..k });
        prop_assert!(later.verify(&[7; 32], &common::public(5)).is_err());
        prop_assert!(elsewhere.verify(&[7; 32], &common::public(5)).is_err());
    }

    #[test]
    fn member_records(log in vec(any::<u8>(), 0..900), bucket_seed in any::<[u8; 16]>()) {
        let m = MemberRecord { log, bucket_seed };
        prop_assert_eq!(MemberRecord::decode(&m.encode()), Ok(m));
    }

    #[test]
    fn entries(e in an_entry()) {
        prop_assert_eq!(e.verify(), Ok(()));
        prop_assert_eq!(e.encode().len(), e.encoded_len());
        prop_assert_eq!(order::Receipt::decode(&e.receipt.encode()), Ok(e.receipt.clone()));
        prop_assert_eq!(order::Entry::decode(&e.encode()), Ok(e));
    }

    #[test]
    fn one_flipped_bit_breaks_an_entry(bit in any::<prop::sample::Index>()) {
        let mut bytes = common::entry(5, [1; 32], 2, 3, common::commit(4, 1)).encode();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(order::Entry::decode(&bytes).and_then(|e| e.verify()).is_err());
    }

    #[test]
    fn responses(r in a_response()) {
        let bytes = r.encode();
        prop_assert!(bytes.len() <= limits::SYNC_FRAME);
        prop_assert_eq!(Response::decode(&bytes), Ok(r));
    }

    /// Whatever decodes, encodes to the very bytes it came from: one meaning, one form.
    #[test]
    fn any_bytes_never_panic_and_are_canonical(bytes in vec(any::<u8>(), 0..600), first in 0u8..7) {
        let mut bytes = bytes;
        if let Some(b) = bytes.first_mut() { *b = first; }
        if let Ok(v) = Content::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        for kind in 1..12 {
            if let Ok(v) = Body::decode(kind, &bytes) { prop_assert_eq!(v.encode(), (kind, bytes.clone())); }
        }
        if let Ok(v) = Introduction::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = Cursor::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = Request::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = Charter::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = Link::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = Handover::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = Knock::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = Answer::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = MemberRecord::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = order::Receipt::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = order::Entry::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        if let Ok(v) = Response::decode(&bytes) { prop_assert_eq!(v.encode(), bytes.clone()); }
        prop_assert!(Envelope::decode(&bytes).is_err());
        prop_assert!(Bundle::decode(&bytes).is_err());
        prop_assert!(AccountLog::decode(&bytes).is_err());
        prop_assert!(Fragment::decode(&bytes).is_err());
    }

    #[test]
    fn one_flipped_bit_breaks_a_log(bit in 0usize..4_000) {
        let honest = common::log(1_700_000_000, "alice").encode();
        let mut bytes = honest.clone();
        let bit = bit % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(AccountLog::decode(&bytes).is_err());
    }

    #[test]
    fn one_flipped_bit_breaks_a_receipt(bit in 0usize..(6 * 64)) {
        let mut r = common::receipt(5, [1; 32], 2, 3, 4);
        r.signature[(bit / 8) % 64] ^= 1 << (bit % 8);
        prop_assert!(r.verify().is_err());
        prop_assert!(common::receipt(5, [1; 32], 2, 3, 4).verify().is_ok());
    }
}

#[test]
fn bounds_are_enforced() {
    let text =
        |n: usize| Content { id: MessageId([0; 16]), parents: vec![], sent_at: 0, body: Body::Text("x".repeat(n)) };
    assert!(Content::decode(&text(limits::TEXT).encode()).is_ok());
    assert_eq!(Content::decode(&text(limits::TEXT + 1).encode()), Err(DecodeError::Bounds("text")));
    assert_eq!(Content::decode(&text(0).encode()), Err(DecodeError::Bounds("text")));
    assert!(Fragment::cut(Kind::Mls, [0; 8], &vec![1; limits::PAYLOAD]).is_ok());
    assert!(Fragment::cut(Kind::Mls, [0; 8], &vec![1; limits::PAYLOAD + 1]).is_err());
    assert!(Fragment::cut(Kind::Mls, [0; 8], &[]).is_err());
    let too_many = Request::Present { ids: vec![EnvelopeId([0; 32]); limits::PRESENT + 1] };
    assert_eq!(Request::decode(&too_many.encode()), Err(DecodeError::Bounds("ids")));
    let e = common::envelope(1, false, 0, 0, [0; 16], 0);
    let too_many = Request::Deposit { envelopes: vec![e.clone(); limits::DEPOSIT + 1] };
    assert_eq!(Request::decode(&too_many.encode()), Err(DecodeError::Bounds("envelopes")));
    let full = Response::Page {
        cursor: Cursor((0..limits::CURSOR as u64).map(|o| (o, o)).collect()),
        envelopes: vec![e; limits::PAGE_ENVELOPES],
        more: true,
    };
    assert!(full.encode().len() <= limits::SYNC_FRAME, "a full page fits a frame");
    assert_eq!(Response::decode(&full.encode()), Ok(full));
}

#[test]
fn commits_are_padded_and_bounded() {
    assert_eq!(SealedCommit::new(vec![]), Err(DecodeError::Bounds("commit")));
    assert_eq!(SealedCommit::new(vec![0; 4_095]), Err(DecodeError::NotCanonical("commit padding")));
    assert!(SealedCommit::new(vec![0; 4_096]).is_ok());
    assert_eq!(SealedCommit::new(vec![0; limits::COMMIT + 4_096]), Err(DecodeError::Bounds("commit")));
    let largest = common::entry(1, [0; 32], 0, 0, common::commit(1, limits::COMMIT / limits::COMMIT_PADDING));
    let answer = Response::Entries { entries: vec![largest.clone()], more: true };
    assert!(answer.encode().len() <= limits::SYNC_FRAME, "one entry always fits an answer");
    let append = Request::Append { slot: SlotId([0; 32]), commit: largest.commit.clone() };
    assert!(append.encode().len() <= limits::SYNC_FRAME, "and a request");
    assert!(Fragment::cut(Kind::Commit, [0; 8], &largest.encode()).is_ok(), "and a payload");
    let slot = Request::Slot { slot: SlotId([0; 32]), from: limits::SLOT_ENTRIES };
    assert_eq!(Request::decode(&slot.encode()), Err(DecodeError::Bounds("slot index")));
}

#[test]
fn two_receipts_for_one_place_are_evidence() {
    let at = |seed, index, fill| common::entry(seed, [1; 32], index, 5, common::commit(fill, 1)).receipt;
    assert!(at(1, 0, 1).contradicts(&at(1, 0, 2)));
    assert!(!at(1, 0, 1).contradicts(&at(1, 0, 1)), "the same word twice");
    assert!(!at(1, 0, 1).contradicts(&at(1, 1, 2)), "another place");
    assert!(!at(1, 0, 1).contradicts(&at(2, 0, 2)), "another sequencer");
    let swapped = order::Entry { receipt: at(1, 0, 1), commit: common::commit(2, 1) };
    assert!(swapped.verify().is_err(), "a receipt for another commit");
}

#[test]
fn contents_about_messages_have_one_form() {
    let target = Target { author: AccountId([1; 32]), id: MessageId([2; 16]) };
    let refused = |body: Body| {
        let (kind, data) = body.encode();
        Body::decode(kind, &data).expect_err("refused")
    };
    let post =
        |text: &str, reply_to, forwarded, timer| Body::Post(Post { text: text.into(), reply_to, forwarded, timer });
    assert_eq!(refused(post("plain", None, false, 0)), DecodeError::NotCanonical("marks"));
    assert_eq!(refused(post("", Some(target), false, 0)), DecodeError::Bounds("text"));
    assert_eq!(refused(post("x", None, true, limits::TIMER + 1)), DecodeError::Bounds("timer"));
    assert_eq!(refused(post(&"x".repeat(limits::TEXT + 1), None, true, 0)), DecodeError::Bounds("text"));
    assert_eq!(Body::decode(3, &[4, 0, 0, 0, 0, b'x']), Err(DecodeError::NotCanonical("timer")));
    assert_eq!(Body::decode(3, &[8, b'x']), Err(DecodeError::NotCanonical("marks")));
    assert_eq!(refused(Body::Edit(Edit { target, revision: 1, text: String::new() })), DecodeError::Bounds("text"));
    let reactions = |emoji: &[&str]| {
        let emoji = emoji.iter().map(|e| (*e).to_owned()).collect();
        Body::Reactions(Reactions { target, revision: 1, emoji })
    };
    assert_eq!(refused(reactions(&["👍", "👍"])), DecodeError::NotCanonical("reactions"));
    assert_eq!(refused(reactions(&["b", "a"])), DecodeError::NotCanonical("reactions"));
    assert_eq!(refused(reactions(&[""])), DecodeError::Bounds("emoji"));
    assert_eq!(refused(reactions(&["\u{1b}[2J"])), DecodeError::NotCanonical("emoji"));
    let many: Vec<String> = (0..=limits::REACTIONS).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(refused(reactions(&many)), DecodeError::Bounds("reactions"));
    assert_eq!(refused(Body::Timer { revision: 1, seconds: limits::TIMER + 1 }), DecodeError::Bounds("timer"));
    assert_eq!(refused(Body::Profile { revision: 1, name: "a\nb".into() }), DecodeError::NotCanonical("name"));
    assert_eq!(Body::decode(7, &[2]), Err(DecodeError::NotCanonical("flag")));
    assert_eq!(Body::decode(7, &[1, 0]), Err(DecodeError::Trailing));
    assert_eq!(Body::decode(5, &[0; 47]), Err(DecodeError::Truncated));
}

#[test]
fn an_account_log_admits_no_nonsense() {
    let refuses = |signer: Signer, by: u8, statement: Statement| {
        let mut log = common::log(7, "alice");
        log.append(8, signer, statement, common::signer(by)).is_err()
    };
    let identity = Signer::Identity;
    let device = |n| Statement::AddDevice { device_key: common::public(n) };
    let relay = livechat_wire::RelayId([0; 32]);
    let name = |text: &str| Statement::BindName { name: text.to_owned(), relay };
    let revoke = |n| Statement::RevokeDevice { device: livechat_wire::DeviceId::of(&common::public(n)) };
    let rotate = || Statement::RotateIdentity { identity_key: common::public(6) };
    assert!(!refuses(identity, 4, device(5)), "control: the key in force may add a device");
    assert!(refuses(identity, 1, device(5)), "the rotated-away key signs nothing any more");
    assert!(refuses(identity, 4, device(3)), "no device twice");
    assert!(refuses(identity, 4, device(2)), "revoked is revoked");
    assert!(refuses(identity, 4, Statement::Genesis { identity_key: common::public(4) }), "one genesis");
    assert!(refuses(identity, 4, name("")), "a name has characters");
    for statement in [device(5), revoke(3), name("a")] {
        assert!(!refuses(common::by_device(3), 3, statement.clone()), "control: a device in force may: {statement:?}");
        assert!(refuses(common::by_device(3), 4, statement.clone()), "in its own name only: {statement:?}");
        assert!(refuses(identity, 3, statement.clone()), "not in the identity's: {statement:?}");
        assert!(refuses(common::by_device(2), 2, statement.clone()), "a removed device says nothing: {statement:?}");
        assert!(refuses(common::by_device(5), 5, statement.clone()), "nor does one that never was: {statement:?}");
    }
    assert!(refuses(common::by_device(3), 3, device(2)), "revoked is revoked, whoever signs");
    assert!(refuses(common::by_device(3), 3, rotate()), "the identity is nobody's to change but its own");
    assert!(!refuses(identity, 4, rotate()), "control");
    assert!(refuses(common::by_device(3), 3, Statement::Genesis { identity_key: common::public(4) }), "one genesis");
    let log = common::log(7, "alice");
    assert_eq!(log.device_keys(), &[common::public(3)]);
    assert!(log.is_revoked(&livechat_wire::DeviceId::of(&common::public(2))));
    assert_eq!(log.name(), Some(("alice", livechat_wire::RelayId(common::public(9)))));
    assert_eq!(log.account(), livechat_wire::AccountId::of(&common::public(1)), "rotation keeps the account");
}

#[test]
fn a_revoked_device_is_refused_however_the_log_was_put_together() {
    // Bytes rather than `append`: a log that somebody wrote by other means.
    let mut log = common::log(7, "alice");
    log.append(8, Signer::Identity, Statement::AddDevice { device_key: common::public(5) }, common::signer(4)).unwrap();
    let mut bytes = log.encode();
    let signer = bytes.len() - 64 - 33 - 1;
    assert_eq!(bytes[signer], 0, "the last entry's signer");
    bytes[signer] = 2;
    assert_eq!(AccountLog::decode(&bytes), Err(DecodeError::Unknown("signer")));
    bytes[signer] = 1;
    let removed = livechat_wire::DeviceId::of(&common::public(2)).0;
    bytes.splice(signer + 1..=signer, removed);
    assert_eq!(AccountLog::decode(&bytes), Err(DecodeError::NotCanonical("signer")));
}

#[test]
fn a_handover_is_for_one_device_and_from_one() {
    let to = livechat_wire::DeviceId([7; 32]);
    let unsigned = common::handover();
    let handover = Handover { signature: common::signer(5)(&unsigned.signed_bytes(&to)), ..unsigned };
    assert_eq!(Handover::decode(&handover.encode()).as_ref(), Ok(&handover));
    assert_eq!(handover.verify(&to), Ok(()));
    assert!(handover.verify(&livechat_wire::DeviceId([8; 32])).is_err(), "another device's");
    assert!(Handover { from: common::public(6), ..handover.clone() }.verify(&to).is_err(), "in another's name");
    assert!(Handover { size: 4, ..handover.clone() }.verify(&to).is_err(), "of another size");
    let empty = Handover { size: 0, ..handover.clone() };
    assert_eq!(Handover::decode(&empty.encode()), Err(DecodeError::Bounds("size")));
    let huge = Handover { size: limits::FILE + 1, ..handover };
    assert_eq!(Handover::decode(&huge.encode()), Err(DecodeError::Bounds("size")));
}
