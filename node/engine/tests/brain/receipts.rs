use livechat_engine::view::Delivery;
use livechat_engine::{Command, limits};
use livechat_wire::content::{Body, Content};
use livechat_wire::{MessageId, limits as wire};

use crate::rig::{Person, acquainted, roomy};

fn delivery(who: &Person, at: livechat_wire::ConversationId) -> Vec<Option<Delivery>> {
    who.history(at).iter().map(|m| m.delivery).collect()
}

#[test]
fn receipts_are_batched_and_move_delivery_forward_only() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let said: Vec<_> = ["one", "two", "three"].iter().flat_map(|t| alice.says(chat, t).1.gossip).collect();
        let effects = bob.gets(&said);
        assert!(effects.gossip.is_empty(), "a receipt does not echo the message");
        let due = effects.wake_at.expect("a receipt later") - bob.now;
        assert!((limits::RECEIPTS_MIN..=limits::RECEIPTS_MAX).contains(&due), "{due}");
        bob.restarts();
        let _ = bob.takes(livechat_engine::Input::Timer);
        let batch = bob.waits().gossip;
        assert_eq!(batch.len(), 1, "three messages, one envelope, also after a restart");
        let _ = crate::rig::accept(&mut bob, &batch);
        let _ = alice.gets(&batch);
        assert_eq!(delivery(&alice, chat), [Some(Delivery::Delivered); 3]);
        // The relay's word comes late: delivered stays delivered.
        let _ = crate::rig::accept(&mut alice, &said);
        assert_eq!(delivery(&alice, chat), [Some(Delivery::Delivered); 3]);
        let second = bob.history(chat)[1].position;
        let _ = bob.does(Command::MarkRead { conversation: chat, position: second });
        let read = bob.waits().gossip;
        let _ = alice.gets(&read);
        let expected = [Some(Delivery::Read), Some(Delivery::Read), Some(Delivery::Delivered)];
        assert_eq!(delivery(&alice, chat), expected);
        assert_eq!(bob.engine.conversations(&bob.kv).unwrap()[0].unread, 1);
        let _ = alice.gets(&batch);
        assert_eq!(delivery(&alice, chat), expected, "an old receipt changes nothing");
    });
}

#[test]
fn read_at_once_is_one_receipt() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, said) = alice.says(chat, "hi");
        let _ = bob.gets(&said.gossip);
        let _ = bob.does(Command::MarkRead { conversation: chat, position: u64::MAX });
        let batch = bob.waits().gossip;
        assert_eq!(batch.len(), 1);
        let _ = alice.gets(&batch);
        assert_eq!(delivery(&alice, chat), [Some(Delivery::Read)]);
    });
}

#[test]
fn a_flood_of_receipts_for_unknown_messages_is_counted_and_nothing_else() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, said) = alice.says(chat, "hi");
        let group = bob.group_with(&alice);
        let unknown: Vec<_> =
            (0..wire::RECEIPT_BATCH).map(|n| MessageId([u8::try_from(n % 256).unwrap(); 16])).collect();
        let body = Body::Receipts { delivered: unknown.clone(), read: unknown };
        let content = Content { id: MessageId([1; 16]), parents: vec![], sent_at: 0, body };
        let forged = bob.forges(group, 0, &content, &chat.0);
        let effects = alice.gets(&forged);
        assert!(effects.events.is_empty());
        assert_eq!(alice.engine.refused().foreign_receipts, 2 * wire::RECEIPT_BATCH as u64);
        assert_eq!(delivery(&alice, chat), [Some(Delivery::Queued)]);
        assert_eq!(said.gossip.len(), 1);
    });
}
