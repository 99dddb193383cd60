//! Files: one message each; the shell is told what to keep and what to drop.

use livechat_crypto::kv::{Kv, Namespace, Order};
use livechat_engine::view::MessageBody;
use livechat_engine::{Command, CommandError, Effects, Event, FileChore, Reply};
use livechat_wire::content::{Body, Content, File, FileKey, Target};
use livechat_wire::{BlobId, ConversationId, MessageId};

use crate::rig::{Person, acquainted, introduce, roomy};

const BLOB: BlobId = BlobId([0xb1; 32]);
/// Looked for in the store.
const KEY: [u8; 32] = [0xd7; 32];

fn file() -> File {
    File {
        name: "canary.pdf".into(),
        media: "application/pdf".into(),
        size: 70_000,
        blob: BLOB,
        key: FileKey(KEY),
        hash: [3; 32],
        until: 1_800_000_000,
        preview: None,
        voice: None,
        forwarded: false,
        timer: 0,
    }
}

pub fn send(at: ConversationId, id: u8) -> Command {
    Command::SendFile { conversation: at, file: Box::new(file()), id: MessageId([id; 16]) }
}

/// What a message shows of its file, and whether its bytes are here.
pub fn shown(who: &Person, at: ConversationId, n: usize) -> (String, bool) {
    match &who.history(at)[n].body {
        MessageBody::File { name, size: 70_000, until: 1_800_000_000, here, .. } => (name.clone(), *here),
        other => panic!("{other:?}"),
    }
}

fn holds(who: &Person, needle: &[u8]) -> bool {
    (0..=u8::MAX).any(|ns| {
        let rows = who.kv.scan(Namespace(ns), &[], &[], 1_000_000, Order::Ascending).unwrap();
        rows.iter().any(|(k, v)| [k, v].iter().any(|b| b.windows(needle.len()).any(|w| w == needle)))
    })
}

fn chores(effects: &Effects) -> &[FileChore] {
    &effects.files
}

#[test]
fn a_file_is_a_message_like_others() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let envelopes = alice.did(send(chat, 1));
        assert!(!envelopes.is_empty());
        assert_eq!(shown(&alice, chat, 0), ("canary.pdf".into(), true), "the sender has it");
        assert!(alice.did(send(chat, 1)).is_empty(), "said twice is said once");
        let other = File { blob: BlobId([9; 32]), ..file() };
        let other = Command::SendFile { conversation: chat, file: Box::new(other), id: MessageId([1; 16]) };
        assert_eq!(alice.fails(other), CommandError::IdTaken);
        let text = Command::Send { conversation: chat, text: "x".into(), id: Some(MessageId([1; 16])), reply_to: None };
        assert_eq!(alice.fails(text), CommandError::IdTaken);

        let _ = bob.gets(&envelopes);
        bob.restarts();
        assert_eq!(shown(&bob, chat, 0), ("canary.pdf".into(), false));
        let found = bob.engine.file(&bob.kv, chat, 1).unwrap().expect("a file");
        assert_eq!((found.file, found.message.id), (file(), MessageId([1; 16])));
        assert_eq!(bob.engine.file(&bob.kv, chat, 2).unwrap(), None);
        let (_, noted) = bob.does(Command::NoteFile { blob: BLOB, here: true });
        assert!(noted.events.iter().any(|e| matches!(e, Event::MessageChanged { message, .. }
            if matches!(message.body, MessageBody::File { here: true, .. }))));
        bob.restarts();
        assert!(shown(&bob, chat, 0).1);

        // It is answered and reacted to; it has no words that could be changed.
        let answer = Command::Send { conversation: chat, text: "thanks".into(), id: None, reply_to: Some(1) };
        let _ = alice.gets(&bob.did(answer));
        assert_eq!(alice.history(chat)[1].reply_to.as_ref().and_then(|q| q.text.as_deref()), Some("canary.pdf"));
        let react = Command::React { conversation: chat, position: 1, emoji: "👍".into(), on: true };
        let _ = alice.gets(&bob.did(react));
        assert_eq!(alice.history(chat)[0].reactions.len(), 1);
        let edit = Command::Edit { conversation: chat, position: 1, text: "x".into() };
        assert_eq!(alice.fails(edit), CommandError::UnknownMessage);
    });
}

#[test]
fn deleted_for_everyone_it_is_gone_everywhere() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let _ = bob.gets(&alice.did(send(chat, 1)));
        let _ = bob.does(Command::NoteFile { blob: BLOB, here: true });
        assert!(holds(&bob, &KEY) && holds(&alice, &KEY));
        let mine = Command::Delete { conversation: chat, position: 1, for_everyone: true };
        assert_eq!(bob.fails(mine.clone()), CommandError::NotYours);
        let (_, deleted) = alice.does(mine);
        assert_eq!(chores(&deleted), [FileChore::Drop(BLOB), FileChore::Withdraw(BLOB)]);
        let got = bob.gets(&deleted.gossip);
        assert_eq!(chores(&got), [FileChore::Drop(BLOB)], "only its owner takes it back at the relay");
        for who in [&alice, &bob] {
            assert_eq!(who.texts(chat), ["(deleted)"]);
            assert!(!who.engine.knows_file(&who.kv, BLOB).unwrap());
        }
        assert!(!holds(&bob, &KEY) && !holds(&bob, b"canary.pdf"), "the key is gone with it");
        // Until the relay was told, it stays on the list, over restarts.
        alice.restarts();
        assert_eq!(alice.engine.withdrawn_files(&alice.kv).unwrap(), [BLOB]);
        let _ = alice.did(Command::NoteWithdrawn { blob: BLOB });
        assert!(alice.engine.withdrawn_files(&alice.kv).unwrap().is_empty());
        assert!(bob.engine.withdrawn_files(&bob.kv).unwrap().is_empty());
        // What was being fetched meanwhile is of no use any more.
        let (_, late) = bob.does(Command::NoteFile { blob: BLOB, here: true });
        assert_eq!(chores(&late), [FileChore::Drop(BLOB)]);
    });
}

#[test]
fn it_disappears_with_its_message() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let set = alice.did(Command::SetTimer { conversation: chat, seconds: 60 });
        let sent = alice.did(send(chat, 1));
        let _ = bob.gets(&[set, sent].concat());
        let _ = bob.does(Command::NoteFile { blob: BLOB, here: true });
        assert_eq!(bob.history(chat)[1].timer, Some(60));
        let gone = alice.after(60_000);
        assert_eq!(chores(&gone), [FileChore::Drop(BLOB)], "others may still have to fetch it");
        let _ = bob.did(Command::MarkRead { conversation: chat, position: u64::MAX });
        let gone = bob.after(60_000);
        assert_eq!(chores(&gone), [FileChore::Drop(BLOB)]);
        assert!(!holds(&bob, &KEY));
    });
}

#[test]
fn passed_on_it_stays_while_one_message_speaks_of_it() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let mut carol = Person::new("carol");
        let other = introduce(&mut bob, &mut carol);
        let _ = bob.gets(&alice.did(send(chat, 1)));
        let _ = bob.does(Command::NoteFile { blob: BLOB, here: true });
        let forward = Command::Forward { from: chat, position: 1, to: other, id: Some(MessageId([5; 16])) };
        let envelopes = bob.did(forward.clone());
        assert!(bob.did(forward).is_empty(), "said twice is said once");
        let _ = carol.gets(&envelopes);
        assert!(carol.history(other)[0].forwarded);
        assert_eq!(shown(&carol, other, 0), ("canary.pdf".into(), false));
        assert_eq!(shown(&bob, other, 0), ("canary.pdf".into(), true), "the same bytes");
        let drop = |at| Command::Delete { conversation: at, position: 1, for_everyone: false };
        let (_, first) = bob.does(drop(chat));
        assert!(chores(&first).is_empty());
        let withdraw = Command::Delete { conversation: other, position: 1, for_everyone: true };
        let (_, second) = bob.does(withdraw);
        assert_eq!(chores(&second), [FileChore::Drop(BLOB)], "what isn't one's own isn't taken back at the relay");
    });
}

#[test]
fn a_blocked_conversation_takes_none() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let _ = alice.did(Command::Block { conversation: chat, blocked: true });
        assert_eq!(alice.fails(send(chat, 1)), CommandError::Blocked);
        let sent = bob.did(send(chat, 2));
        assert!(chores(&alice.gets(&sent)).is_empty());
        assert!(!alice.engine.knows_file(&alice.kv, BLOB).unwrap());
        let nowhere =
            Command::SendFile { conversation: ConversationId([0; 32]), file: Box::new(file()), id: MessageId([3; 16]) };
        assert_eq!(alice.fails(nowhere), CommandError::UnknownConversation);
    });
}

/// A contact says all sorts of things about a file that isn't theirs.
#[test]
fn nobody_withdraws_what_another_sent() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let _ = bob.gets(&alice.did(send(chat, 1)));
        let group = bob.group_with(&alice);
        let author = alice.engine.account().unwrap().account;
        let target = Target { author, id: MessageId([1; 16]) };
        let body = Body::Delete(target);
        let forged = Content { id: MessageId([8; 16]), parents: vec![], sent_at: 1, body };
        let effects = alice.gets(&bob.forges(group, 0, &forged, &chat.0));
        assert!(chores(&effects).is_empty());
        assert!(shown(&alice, chat, 0).1);
        assert_eq!(alice.engine.refused().foreign_changes, 1);
        assert!(matches!(
            alice.does(Command::NoteFile { blob: BLOB, here: true }).1.replies[..],
            [(_, Ok(Reply::Done))]
        ));
    });
}
