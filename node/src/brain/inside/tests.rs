//! What a failed transaction leaves behind: nothing.

use livechat_crypto::kv::{Namespace, Order};
use livechat_engine::{Command, CommandId};
use livechat_wire::envelope::Header;
use livechat_wire::sync::Cursor;
use livechat_wire::{ConversationId, Envelope, RelayId, Tag};

use super::*;
use crate::account::saved::{SavedSession, UncheckedPhrase};

const RELAY: RelayId = RelayId([3; 32]);

fn activation() -> Activation {
    let identity = livechat_crypto::identity::Identity::generate(&mut env::dice().unwrap());
    let log = identity.found_log("alice", RELAY, env::now_s()).unwrap();
    Activation {
        identity: Box::new(identity),
        username: "alice".into(),
        relay: RELAY,
        log,
        bucket_bits: 0,
        session: Some(SavedSession { token: livechat_wire::http::SecretText("t".into()), expires_at: 1 }),
        phrase: UncheckedPhrase { entropy: livechat_wire::http::Bytes(vec![7; 32]), ask: [1, 2] },
    }
}

fn signed_up() -> (tempfile::TempDir, Inside) {
    let dir = tempfile::tempdir().unwrap();
    let mut inside = Inside::open(dir.path().into()).unwrap();
    let outcome = inside.activate(activation()).unwrap();
    assert_eq!(outcome.snapshot.account.unwrap().username, "alice");
    (dir, inside)
}

/// Something that nothing opens, which the engine keeps for later.
fn envelope(n: u16) -> Envelope {
    let epoch = livechat_wire::envelope::epoch_at(env::now_s());
    let mut tag = [9; 16];
    tag[..2].copy_from_slice(&n.to_be_bytes());
    let header = Header { ephemeral: false, bucket: 0, epoch, tag: Tag(tag), pk1: [n.to_be_bytes()[1]; 32] };
    Envelope::assemble(&header, &[7; livechat_wire::limits::BODY], |_| [0; 64])
}

fn page(from: u16, n: u16, sequence: u64) -> Feed {
    let cursor = Cursor([(1, sequence)].into());
    Feed::Page { relay: RELAY, envelopes: (from..from + n).map(envelope).collect(), cursor }
}

fn kept(inside: &mut Inside) -> usize {
    let pool = Namespace(livechat_engine::tables::Table::Pool as u8);
    inside.view(|_, kv| Ok(kv.scan(pool, &[], &[], 100_000, Order::Ascending).unwrap().len())).unwrap()
}

#[test]
fn a_full_disk_loses_nothing_and_ends_nothing() {
    let (_dir, mut inside) = signed_up();
    assert_eq!(inside.digest(vec![page(0, 20, 20)]).page, Some(true));
    let before = kept(&mut inside);
    assert_eq!(before, 20);
    inside.store.as_ref().unwrap().limit_pages(Some(0));

    let id = CommandId(1);
    let command = Command::Send { conversation: ConversationId([0; 32]), text: "x".into(), id: None, reply_to: None };
    let outcome = inside.digest(vec![page(20, 120, 140), Feed::Command { id, command }, Feed::Timer]);
    assert_eq!(outcome.page, Some(false), "the page comes again");
    assert!(outcome.reopened);
    assert_eq!(outcome.commands, [id]);
    assert_eq!(outcome.snapshot.cursor, Cursor([(1, 20)].into()), "reading goes on where it was");
    assert_eq!(kept(&mut inside), before);
    let refused = inside.write(|kv| {
        SavedSession { token: livechat_wire::http::SecretText("y".repeat(100_000)), expires_at: 2 }.save(kv)
    });
    assert!(matches!(refused.unwrap_err().to_api().code, ErrorCode::StoreFailed));

    inside.store.as_ref().unwrap().limit_pages(None);
    assert_eq!(inside.digest(vec![page(20, 120, 140)]).page, Some(true));
    assert_eq!(kept(&mut inside), 140);
    assert_eq!(inside.view(|_, kv| Ok(SavedSession::load(kv).unwrap())).unwrap().unwrap().expires_at, 1);
}

#[test]
fn inputs_that_wait_share_a_commit_and_fail_alone() {
    let (_dir, mut inside) = signed_up();
    let unknown = |n| {
        let command = Command::MarkRead { conversation: ConversationId([0; 32]), position: 1 };
        Feed::Command { id: CommandId(n), command }
    };
    let outcome = inside.digest(vec![unknown(1), Feed::Gossip(envelope(1)), unknown(2), page(2, 3, 7)]);
    assert_eq!((outcome.commands, outcome.gossip, outcome.page), (vec![CommandId(1), CommandId(2)], 1, Some(true)));
    let replies = outcome.effects.iter().flat_map(|e| &e.replies).count();
    assert_eq!((replies, outcome.failed.len(), outcome.reopened), (2, 0, false));
    assert_eq!(kept(&mut inside), 4);
}

#[test]
fn answers_to_an_engine_that_is_gone_are_dropped() {
    let (_dir, mut inside) = signed_up();
    let lookup = livechat_engine::LookupId(1);
    let answer = Box::new(Err(livechat_engine::LookupFailure::NotFound));
    let stale = Feed::Directory { generation: inside.generation - 1, lookup, answer };
    assert!(inside.digest(vec![stale, Feed::Timer]).effects.len() == 1);
}

#[test]
fn an_account_and_its_session_are_there_together_after_a_restart() {
    let (dir, inside) = signed_up();
    let before = inside.snapshot().account;
    drop(inside);
    let inside = Inside::open(dir.path().into()).unwrap();
    assert_eq!(inside.snapshot().account, before);
    let session = inside.look(|_, kv| SavedSession::load(kv)).unwrap().unwrap();
    assert_eq!((session.token.0.as_str(), session.expires_at), ("t", 1));
}
