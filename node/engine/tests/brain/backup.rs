//! Backups: what is in them, what comes back, and that nothing else does (R-90 … R-93, P5).

use std::collections::BTreeSet;

use livechat_crypto::kv::{Kv, MemoryKv, Namespace, Order};
use livechat_engine::backup::{Backup, RestoreError, Restored, restore};
use livechat_engine::tables::Table;
use livechat_engine::view::{Delivery, Message, MessageBody};
use livechat_engine::{Command, CommandError, Engine, Reply};
use livechat_wire::backup::Record;
use livechat_wire::{ConversationId, DecodeError, Envelope};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::rig::{Person, acquainted, roomy};

/// A whole backup, as bytes.
fn backup(of: &Person) -> Vec<Vec<u8>> {
    let mut backup = Backup::default();
    let mut records = Vec::new();
    while let Some(part) = backup.next(&of.engine, &of.kv, of.now).unwrap() {
        records.extend(part.iter().map(Record::encode));
    }
    records
}

fn give_back(to: &mut Person, records: &[Vec<u8>]) -> Result<Restored, RestoreError<DecodeError>> {
    let mut kv = to.kv.clone();
    let restored = restore(&mut kv, records.iter().map(|bytes| Record::decode(bytes)))?;
    to.kv = kv;
    to.engine = Engine::open(&to.kv).unwrap();
    Ok(restored)
}

/// Keys and values of a table.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Everything but the tables that hold history, contacts and settings.
fn machinery(kv: &MemoryKv) -> Vec<(u8, Rows)> {
    use Table as T;
    let told = [
        T::Contacts,
        T::Conversations,
        T::Messages,
        T::MessageIds,
        T::Edits,
        T::Reactions,
        T::Rooms,
        T::Names,
        T::Personal,
        T::Timers,
        T::Drafts,
        T::Profiles,
        T::Verified,
        T::Files,
    ]
    .map(|table| table as u8);
    (0..=255)
        .filter(|ns| !told.contains(ns))
        .map(|ns| (ns, kv.scan(Namespace(ns), &[], &[], usize::MAX, Order::Ascending).unwrap()))
        .collect()
}

fn position(who: &Person, at: ConversationId, text: &str) -> u64 {
    let has = |m: &&Message| matches!(&m.body, MessageBody::Text { text: t } if t == text);
    who.history(at).iter().find(has).map(|m| m.position).expect("a message with this text")
}

/// Alice and bob with something of everything between them, and a group of alice's own.
fn lived() -> (Person, Person, ConversationId, ConversationId) {
    let (mut alice, mut bob, chat) = acquainted("alice", "bob");
    let hand = |to: &mut Person, envelopes: Vec<Envelope>| drop(to.gets(&envelopes));
    let (_, hi) = alice.says(chat, "hi");
    hand(&mut bob, hi.gossip);
    let reply_to = Some(position(&bob, chat, "hi"));
    hand(&mut alice, bob.did(Command::Send { conversation: chat, text: "helo".into(), id: None, reply_to }));
    let helo = position(&bob, chat, "helo");
    hand(&mut alice, bob.did(Command::Edit { conversation: chat, position: helo, text: "hello".into() }));
    let at = position(&alice, chat, "hello");
    let react = Command::React { conversation: chat, position: at, emoji: "👍".into(), on: true };
    hand(&mut bob, alice.did(react));
    let (gone, said) = alice.says(chat, "regretted");
    hand(&mut bob, said.gossip);
    hand(&mut bob, alice.did(Command::Delete { conversation: chat, position: gone.position, for_everyone: true }));
    hand(&mut bob, alice.did(Command::SetTimer { conversation: chat, seconds: 60 }));
    hand(&mut bob, alice.says(chat, "disappears").1.gossip);
    alice.did(Command::SetProfile { name: "Alice in Chains".into() });
    alice.did(Command::Pin { conversation: chat, pinned: true });
    alice.did(Command::SetDraft { conversation: chat, text: "begun".into() });
    alice.did(Command::Verify { account: bob.engine.account().unwrap().account, verified: true });
    let (_, made) = alice.does(Command::CreateGroup { title: "notes".into(), members: Vec::new() });
    let [(_, Ok(Reply::Group(notes)))] = made.replies[..] else { panic!("{:?}", made.replies) };
    let _ = alice.says(notes, "a note");
    (alice, bob, chat, notes)
}

fn words(who: &Person, at: ConversationId) -> Vec<String> {
    let show = |m: Message| {
        let text = match m.body {
            MessageBody::Text { text } => text,
            other => format!("{other:?}"),
        };
        let reactions: String = m.reactions.iter().map(|r| format!(" {}{}", r.emoji, r.own)).collect();
        let quote = m.reply_to.map(|q| format!(" <- {:?}", q.text)).unwrap_or_default();
        format!("{} {text}{quote}{reactions}{}", m.own, if m.edited_at.is_some() { " edited" } else { "" })
    };
    who.history(at).into_iter().map(show).collect()
}

#[test]
fn a_backup_gives_back_what_was_said_and_whom_one_knows() {
    roomy(|| {
        let (alice, bob, chat, notes) = lived();
        let records = backup(&alice);
        let said =
            ["true hi", "false hello <- Some(\"hi\") 👍true edited", "true Deleted", "true Timer { seconds: 60 }"];
        // The same person with an empty device, and one who lost every key and is somebody else to others.
        for (name, same) in [("alice", true), ("anna", false)] {
            let mut again = Person::new(name);
            let before = machinery(&again.kv);
            let restored = give_back(&mut again, &records).unwrap();
            assert_eq!(restored, Restored { contacts: 1, conversations: 2, messages: 6, left: 0 });
            assert!(machinery(&again.kv) == before, "nothing but history, contacts and settings was written");
            let at = again.chat_with(&bob);
            assert_eq!(at == chat, same);
            assert_eq!(words(&again, at), said);
            assert_eq!(words(&again, notes), words(&alice, notes));
            let line = again.engine.conversations(&again.kv).unwrap().remove(0);
            assert_eq!((line.title.as_str(), line.pinned, line.draft.as_deref()), ("bob", true, Some("begun")));
            assert_eq!((line.unread, line.timer), (0, Some(60)));
            let contact = again.engine.contacts(&again.kv).unwrap().remove(0);
            assert_eq!(contact.verified, same, "another account of ours has compared nothing");
            assert_eq!(again.engine.display_name(&again.kv).unwrap(), "Alice in Chains");
            let own = &again.history(at)[0];
            assert_eq!((own.author, own.delivery), (again.engine.account().unwrap().account, Some(Delivery::Queued)));
            assert_eq!(
                again.fails(Command::Send { conversation: at, text: "x".into(), id: None, reply_to: None }),
                CommandError::NoKeys
            );
            assert_eq!(
                again.fails(Command::Send { conversation: notes, text: "x".into(), id: None, reply_to: None }),
                CommandError::NotMember
            );
            // A second time adds nothing.
            let restored = give_back(&mut again, &records).unwrap();
            assert_eq!(restored, Restored { left: 2, ..Restored::default() });
        }
    });
}

#[test]
fn whoever_came_back_is_heard_within_two_messages() {
    roomy(|| {
        let (alice, mut bob, ..) = lived();
        let records = backup(&alice);
        let mut anna = Person::new("anna");
        give_back(&mut anna, &records).unwrap();
        let chat = anna.chat_with(&bob);
        let hello = anna.adds(&mut bob);
        let _ = bob.gets(&hello);
        let (_, said) = anna.says(chat, "it is me, anew");
        let _ = bob.gets(&said.gossip);
        assert_eq!(bob.texts(chat), ["it is me, anew"]);
        let (_, answer) = bob.says(chat, "are you?");
        let _ = anna.gets(&answer.gossip);
        assert_eq!(anna.texts(chat).last().map(String::as_str), Some("are you?"));
    });
}

#[test]
fn p5_a_hundred_stale_backups_bring_no_key_back() {
    roomy(|| {
        let (mut alice, mut bob, chat, _) = lived();
        let entry = bob.entry();
        let mut once = BTreeSet::new();
        let mut note = |envelopes: &[Envelope]| {
            for envelope in envelopes {
                let bytes = envelope.as_bytes();
                assert!(once.insert(bytes[24..56].to_vec()), "a one-time key, and with it a body's key, came twice");
                assert!(once.insert(bytes[8..24].to_vec()), "a tag, and with it a counter of a leaf, came twice");
            }
        };
        for n in 0..100 {
            let (_, said) = alice.says(chat, &format!("number {n}"));
            note(&said.gossip);
            let records = backup(&alice);
            // Always the same empty device, as from an image of it; only the system's dice are others each time.
            let mut anna = Person::new("anna");
            anna.dice = ChaCha20Rng::seed_from_u64(10_000 + n);
            let before = machinery(&anna.kv);
            give_back(&mut anna, &records).unwrap();
            assert!(machinery(&anna.kv) == before);
            let (_, lookup) = anna.looks_up("bob");
            let hello = anna.is_told(&lookup, Ok(entry.clone())).gossip;
            assert!(!hello.is_empty(), "a group of its own is begun");
            note(&hello);
            for text in ["one", "two"] {
                let at = anna.chat_with(&bob);
                note(&anna.says(at, text).1.gossip);
            }
        }
        println!("100 restores, {} one-time keys and tags, each once", once.len());
        assert!(once.len() > 1_000);
    });
}

#[test]
fn what_is_not_whole_is_not_given_back() {
    roomy(|| {
        let (alice, ..) = lived();
        let records = backup(&alice);
        let mut anna = Person::new("anna");
        let before = anna.kv.clone();
        let mut refused = |records: &[Vec<u8>]| {
            let error = give_back(&mut anna, records).unwrap_err();
            assert!(anna.kv == before);
            error
        };
        for kept in 0..records.len() {
            assert!(matches!(refused(&records[..kept]), RestoreError::NotWhole), "cut to {kept}");
        }
        let mut without = records.clone();
        without.remove(3);
        assert!(matches!(refused(&without), RestoreError::NotWhole));
        let mut strange = records.clone();
        strange[2] = vec![77];
        assert!(matches!(refused(&strange), RestoreError::Source(DecodeError::Unknown(_))));
        assert!(records.iter().all(|r| !String::from_utf8_lossy(r).contains("disappears")), "it would outlive itself");
        let mut nobody = MemoryKv::default();
        let given = restore(&mut nobody, records.iter().map(|bytes| Record::decode(bytes)));
        assert!(matches!(given, Err(RestoreError::NoAccount)));
    });
}

/// A file comes back as its message: with its key, without its bytes, which the relay has for as long as it keeps them.
#[test]
fn a_file_comes_back_with_its_key() {
    roomy(|| {
        let (mut alice, bob, chat) = acquainted("alice", "bob");
        let blob = livechat_wire::BlobId([0xb1; 32]);
        let _ = alice.did(crate::files::send(chat, 1));
        let records = backup(&alice);
        let mut again = Person::new("alice");
        give_back(&mut again, &records).unwrap();
        assert_eq!(again.chat_with(&bob), chat);
        assert_eq!(crate::files::shown(&again, chat, 0), ("canary.pdf".into(), false));
        assert_eq!(again.engine.file(&again.kv, chat, 1).unwrap(), alice.engine.file(&alice.kv, chat, 1).unwrap());
        assert!(again.engine.knows_file(&again.kv, blob).unwrap());
        // It can be fetched and dropped like any.
        let _ = again.does(Command::NoteFile { blob, here: true });
        assert!(crate::files::shown(&again, chat, 0).1);
        let (_, gone) = again.does(Command::Delete { conversation: chat, position: 1, for_everyone: false });
        assert_eq!(gone.files, [livechat_engine::FileChore::Drop(blob)]);
    });
}
