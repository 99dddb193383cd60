//! Views for tests.

use livechat_node::api::{
    AccountId, AccountState, Delivery, DeviceId, Message, MessageBody, MessageId, RelayState, Status,
};

/// Half past eight on 22 November 2026, UTC.
pub const MORNING: u64 = 1_795_336_200_000;

pub fn message(author: &str, text: &str) -> Message {
    Message {
        id: MessageId([7; 16]),
        position: 1,
        author: AccountId([1; 32]),
        author_name: author.into(),
        own: false,
        sent_at: MORNING,
        received_at: MORNING,
        body: MessageBody::Text { text: text.into() },
        delivery: None,
        gap: false,
        reply_to: None,
        forwarded: false,
        edited_at: None,
        reactions: Vec::new(),
        timer: None,
        expires_at: None,
        mentions_me: false,
    }
}

pub fn own(text: &str, delivery: Delivery) -> Message {
    Message { own: true, delivery: Some(delivery), ..message("alice", text) }
}

pub fn status() -> Status {
    Status {
        account: AccountState::Active {
            username: "alice".into(),
            account: AccountId([1; 32]),
            device: DeviceId([2; 32]),
            session_expires_at: MORNING / 1_000 + 864_000,
            phrase_waits: false,
        },
        relay_url: "https://relay.example.org".into(),
        relay: RelayState::Offline { reason: "connection refused".into(), retry_at: MORNING + 5_000 },
        peers: 2,
        queued: 1,
        live_users: Some(3),
        version: "0.1.0".into(),
    }
}
