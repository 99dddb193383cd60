//! R-03: the bytes of every structure, frozen. A change here is a change of protocol and needs a new version.

mod common;

use std::fmt::Write as _;

use livechat_wire::content::{Body, Content, Edit, File, FileKey, Post, Reactions, Target, Voice};
use livechat_wire::door::{Answer, Door, DoorSeed, Doorkeeper, Knock, Link, Verdict};
use livechat_wire::group::{Charter, MemberRecord, Role};
use livechat_wire::hello::{Hello, Introduction, WelcomeRest};
use livechat_wire::http;
use livechat_wire::payload::{Fragment, Kind};
use livechat_wire::sync::{self, Cursor, Refusal, Request, Response};
use livechat_wire::{AccountId, BlobId, ConversationId, DeviceId, EnvelopeId, MessageId, RelayId, SlotId};

/// Hex with runs of 32 equal bytes and more folded, so that padding doesn't hide what matters.
fn hex(bytes: &[u8]) -> String {
    let mut out = format!("{} bytes\n", bytes.len());
    let mut column = 0;
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|b| **b == bytes[at]).count();
        let (text, step) =
            if run >= 32 { (format!("[{:02x} × {run}]", bytes[at]), run) } else { (format!("{:02x}", bytes[at]), 1) };
        write!(out, "{text}").expect("strings take everything");
        column += 1;
        if column % 32 == 0 {
            out.push('\n');
        }
        at += step;
    }
    out
}

#[test]
fn ids() {
    let (a, b) = (AccountId::of(&[1; 32]), AccountId::of(&[2; 32]));
    assert_eq!(ConversationId::direct(&a, &b), ConversationId::direct(&b, &a));
    insta::assert_snapshot!(format!(
        "account {a}\ndevice {}\ndirect {}\nenvelope {}",
        DeviceId::of(&[1; 32]),
        ConversationId::direct(&a, &b),
        EnvelopeId::of(&[0; 2048])
    ));
}

#[test]
fn envelope() {
    insta::assert_snapshot!(hex(common::envelope(7, true, 0x0102, 0x0304_0506, [8; 16], 0xbb).as_bytes()));
}

#[test]
fn content() {
    let content =
        |body| Content { id: MessageId([1; 16]), parents: vec![MessageId([2; 16])], sent_at: 1_763_800_000_123, body };
    let text = hex(&content(Body::Text("grüezi".into())).encode());
    let receipts = Body::Receipts { delivered: vec![MessageId([3; 16])], read: vec![MessageId([4; 16])] };
    let receipts = hex(&content(receipts).encode());
    let unknown = hex(&content(Body::Unknown { kind: 900, data: vec![1, 2, 3] }).encode());
    insta::assert_snapshot!([text, receipts, unknown].join("\n"));
}

#[test]
fn content_about_messages() {
    let target = Target { author: AccountId([5; 32]), id: MessageId([6; 16]) };
    let reply = Post { text: "yes".into(), reply_to: Some(target), forwarded: false, timer: 0 };
    let bodies = [
        Body::Post(reply.clone()),
        Body::Post(Post { reply_to: None, forwarded: true, timer: 3_600, ..reply }),
        Body::Edit(Edit { target, revision: 2, text: "no".into() }),
        Body::Delete(target),
        Body::Reactions(Reactions { target, revision: 3, emoji: vec!["❤️".into(), "👍".into()] }),
        Body::Typing(true),
        Body::Timer { revision: 4, seconds: 86_400 },
        Body::Profile { revision: 5, name: "Zoë".into() },
    ];
    let line = |body: Body| {
        let content = Content { id: MessageId([1; 16]), parents: vec![], sent_at: 1_763_800_000_123, body };
        assert_eq!(Content::decode(&content.encode()), Ok(content.clone()));
        hex(&content.encode())
    };
    insta::assert_snapshot!(bodies.map(line).join("\n"));
}

fn file() -> File {
    File {
        name: "Grüße.jpg".into(),
        media: "image/jpeg".into(),
        size: 123_456,
        blob: BlobId([0xb1; 32]),
        key: FileKey([0xb2; 32]),
        hash: [0xb3; 32],
        until: 1_766_400_000,
        preview: Some(common::preview(8, 6)),
        voice: None,
        forwarded: true,
        timer: 60,
    }
}

#[test]
fn content_file() {
    let plain = File { preview: None, forwarded: false, timer: 0, ..file() };
    let voice = Some(Voice { millis: 61_500, levels: (0..8).map(|n| n * 32).collect() });
    let spoken = File { voice, name: "voice.webm".into(), media: "audio/webm".into(), ..plain.clone() };
    let all = [file(), plain, spoken].map(|file| {
        let body = Body::File(Box::new(file));
        let content = Content { id: MessageId([1; 16]), parents: vec![], sent_at: 1_763_800_000_123, body };
        assert_eq!(Content::decode(&content.encode()), Ok(content.clone()));
        hex(&content.encode())
    });
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn fragment_hello_introduction() {
    let f = Fragment { kind: Kind::Mls, payload: [5; 8], index: 1, count: 3, data: vec![6; 10] };
    let h = Hello { secret: [7; 32], fragments: 6, digest: [8; 32] };
    let i = Introduction { log: vec![1; 3], bundle: vec![2; 4], welcome: vec![3; 5], rest: None };
    let rest = WelcomeRest { blob: BlobId([1; 32]), size: 70_000, hash: [2; 32], key: FileKey([4; 32]) };
    let parted = Introduction { rest: Some(rest), ..i.clone() };
    insta::assert_snapshot!([hex(&f.encode()), hex(&h.encode()), hex(&i.encode()), hex(&parted.encode())].join("\n"));
}

#[test]
fn bundle_and_log() {
    let b = common::bundle(2, 0x77, [9; 16], 1_763_800_000);
    assert_eq!(b.bucket(0), 0);
    assert_eq!(b.bucket(4), 0);
    assert_eq!(b.bucket(8), 9);
    insta::assert_snapshot!([hex(&b.encode()), hex(&common::log(1_763_800_000, "alice").encode())].join("\n"));
}

#[test]
fn sync() {
    let cursor = Cursor([(1, 10), (5, 50)].into());
    let e = common::envelope(7, false, 0, 1, [8; 16], 0xbb);
    let requests = [
        Request::Fetch { bucket: 3, cursor: cursor.clone(), wait_ms: 25_000 },
        Request::Deposit { envelopes: vec![e.clone()] },
        Request::Present { ids: vec![e.id()] },
    ];
    let responses = [
        Response::Page { cursor, envelopes: vec![e], more: true },
        Response::Verdicts(vec![
            sync::Verdict::Kept(Box::new(common::receipt(9, [1; 32], 2, 3, 4))),
            sync::Verdict::Absent,
            sync::Verdict::Refused(Refusal::Stale),
        ]),
        Response::Refused(Refusal::NotServed),
    ];
    let all: Vec<_> =
        requests.iter().map(|r| hex(&r.encode())).chain(responses.iter().map(|r| hex(&r.encode()))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn order() {
    let (slot, entry) = (SlotId([3; 32]), common::entry(9, [3; 32], 1, 1_763_800_000, common::commit(7, 1)));
    let all = [
        Request::Append { slot, commit: common::commit(7, 1) }.encode(),
        Request::Slot { slot, from: 2 }.encode(),
        Response::Appended(Box::new(entry.receipt.clone())).encode(),
        Response::Entries { entries: vec![entry.clone()], more: true }.encode(),
        Response::Refused(Refusal::Full).encode(),
        entry.receipt.encode(),
        entry.encode(),
        Fragment { kind: Kind::Commit, payload: [5; 8], index: 0, count: 1, data: vec![6; 10] }.encode().to_vec(),
    ];
    insta::assert_snapshot!(all.map(|bytes| hex(&bytes)).join("\n"));
}

#[test]
fn group() {
    let (a, b) = (AccountId([1; 32]), AccountId([2; 32]));
    let mut charter = Charter::new("Bergfahrt".into(), a, [7; 32]);
    (charter.picture, charter.timer) = (Some([9; 32]), 3_600);
    charter.set_role(b, Role::Admin);
    charter.doors.push(Door { key: [4; 32], made_by: a, expires: 1_763_900_000, uses: 5, used: 2 });
    charter.keep_out(AccountId([3; 32]));
    charter.open = Some(DoorSeed([6; 32]));
    let full = charter.encode();
    (charter.picture, charter.open) = (None, None);
    charter.let_in(&AccountId([3; 32]));
    charter.doors.clear();
    charter.set_role(b, Role::Member);
    let record = MemberRecord { log: vec![1, 2, 3], bucket_seed: [0x80; 16] };
    assert_eq!((record.bucket(0), record.bucket(8)), (0, 0x80));
    let id = ConversationId::group(&[5; 16]);
    let direct = Charter::direct(a, [7; 32]);
    let all = [full, charter.encode(), record.encode(), direct.encode()].map(|bytes| hex(&bytes));
    insta::assert_snapshot!(format!("{}\n{id}", all.join("\n")));
}

#[test]
fn backup_records() {
    use livechat_wire::backup::{Contact, Conversation, Edit, Head, Message, Reactions, Record, With};
    let (a, b) = (AccountId([1; 32]), AccountId([2; 32]));
    let log = common::log(5, "alice");
    let conversation = |with| Conversation {
        with,
        accepted: true,
        blocked: false,
        pinned: true,
        archived: false,
        muted_until: 9,
        timer: 60,
        draft: "begun".into(),
    };
    let charter = Charter::new("t".into(), a, [3; 32]);
    let message = Message {
        position: 7,
        id: MessageId([4; 16]),
        author: b,
        delivery: None,
        sent_at: 1,
        received_at: 2,
        parents: vec![MessageId([5; 16])],
        kind: 1,
        body: b"hi".to_vec(),
        edits: vec![Edit { revision: 1, id: MessageId([6; 16]), sent_at: 3, text: "hello".into() }],
        reactions: vec![Reactions { account: a, revision: 2, id: MessageId([7; 16]), emoji: vec!["👍".into()] }],
    };
    let records = [
        Record::Head(Head { account: a, log: log.clone(), display_name: "A".into(), made_at: 8 }),
        Record::Contact(Contact {
            log,
            username: "bob".into(),
            display_name: String::new(),
            confirmed: false,
            verified: true,
        }),
        Record::Name { account: b, name: "bob".into() },
        Record::Conversation(Box::new(conversation(With::Direct(b)))),
        Record::Conversation(Box::new(conversation(With::Group([8; 16], Box::new(charter))))),
        Record::Message(Box::new(message.clone())),
        Record::Message(Box::new(Message { delivery: Some(3), edits: vec![], reactions: vec![], ..message })),
        Record::End { records: 7 },
    ];
    for record in &records {
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes).as_ref(), Ok(record));
        for cut in 0..bytes.len() {
            assert!(Record::decode(&bytes[..cut]).is_err(), "cut to {cut}");
        }
        assert!(Record::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
    insta::assert_snapshot!(records.iter().map(|r| hex(&r.encode())).collect::<Vec<_>>().join("\n"));
}

#[test]
fn verification_code() {
    let claim = livechat_wire::verify::Claim { by: AccountId([1; 32]), about: AccountId([2; 32]) };
    insta::assert_snapshot!(format!("{}\n{}", hex(&claim.encode()), claim.to_text()));
}

#[test]
fn door() {
    let keeper = Doorkeeper { account: AccountId([3; 32]), username: "alice".into() };
    let link = Link { relay: RelayId([1; 32]), seed: DoorSeed([2; 32]), doorkeepers: vec![keeper] };
    let knock = Knock {
        door: [0; 32],
        log: vec![1; 3],
        bundle: vec![2; 4],
        time: 1_763_800_000,
        token: [8; 16],
        by_device: [0; 64],
        by_door: [0; 64],
    };
    let knock = common::knock(5, 6, &[7; 32], knock);
    let answer = Answer { token: [8; 16], verdict: Verdict::UsedUp };
    assert_eq!(format!("{:?}", link.seed), "DoorSeed(…)");
    insta::assert_snapshot!(format!(
        "{link}\n{}\n{}\n{}",
        hex(&link.encode()),
        hex(&knock.encode()),
        hex(&answer.encode())
    ));
}

#[test]
fn http_json() {
    let login = http::LogIn {
        username: "alice".into(),
        code: "123456".into(),
        device: Some(http::DeviceProof {
            device_key: http::Bytes(vec![1; 32]),
            time: 5,
            signature: http::Bytes(vec![2; 64]),
        }),
        vault: Some(http::VaultAsk { blinded: http::Bytes(vec![4; 32]), knock: Some(http::SecretText("k".into())) }),
    };
    let info = http::RelayInfo {
        relay: RelayId([3; 32]),
        network: "main".into(),
        addresses: vec!["/ip4/127.0.0.1/tcp/4001".into()],
        generation: 0,
        bucket_bits: 0,
        topic_bits: 0,
        time: 6,
        retention_seconds: 7,
    };
    let problem = http::Problem { code: http::ProblemCode::InvalidCredentials, message: "m".into(), retry_after: None };
    let json = |v: serde_json::Result<String>| v.expect("serialises");
    insta::assert_snapshot!(
        [
            json(serde_json::to_string_pretty(&login)),
            json(serde_json::to_string_pretty(&info)),
            json(serde_json::to_string_pretty(&problem)),
        ]
        .join("\n")
    );
}

#[test]
fn secrets_do_not_print() {
    let session = http::Session {
        token: http::SecretText("hunter2".into()),
        id: "s1".into(),
        expires_at: 1,
        account: AccountId([0; 32]),
        known_device: true,
        vault: Some(http::VaultAnswer {
            evaluated: http::Bytes(vec![1; 32]),
            proof: http::Bytes(vec![2; 64]),
            public_key: http::Bytes(vec![3; 32]),
            knock: http::SecretText("hunter2".into()),
        }),
    };
    let hello = Hello { secret: [7; 32], fragments: 1, digest: [8; 32] };
    insta::assert_snapshot!(format!("{session:?}\n{hello:?}\n{:?}", file().key));
}

#[test]
fn unknown_fields_are_refused() {
    let bad = serde_json::from_str::<http::BeginSignUp>(r#"{"username":"a","admin":true}"#);
    assert!(bad.is_err());
    let object = serde_json::from_str::<http::LogIn>(r#"{"username":{"$ne":null},"code":"1","device":null}"#);
    assert!(object.is_err(), "seed B3");
}

#[test]
fn handover() {
    insta::assert_snapshot!(format!("{}\n{:?}", hex(&common::handover().encode()), common::handover().key));
}
