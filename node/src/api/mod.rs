//! The product surface: a closed list of requests, responses and events, the same in-process ([`crate::Node`]), over
//! the Unix socket ([`socket`]) and over WebSocket (crate `livechat-web`).
//!
//! Frames are JSON: a client sends `{"id":1,"request":{"type":"status"}}`; the node answers
//! `{"id":1,"ok":{"type":"status",…}}` or `{"id":1,"error":{…}}`, and sends `{"event":{…}}` whenever something
//! happens. Events are hints: state is queried, never rebuilt from them; [`Event::Lagged`] means "fetch again".

mod error;
mod event;
mod events;
mod redact;
mod request;
mod response;
pub mod socket;
#[cfg(test)]
mod tests;
mod types;
#[cfg(test)]
mod typescript;

pub use event::Event;
pub use events::Events;
pub use request::Request;
pub use response::Response;
pub use types::{
    AccountSession, AccountState, BackedUp, DeviceTicket, Error, ErrorCode, FileSpace, Found, GroupLink, Hit, Piece,
    RecoveryCodes, RecoveryPhrase, RelayState, Restored, SafetyCode, SearchOrder, SignUpTicket, SignedUp, Status,
    Transfer, TransferState, UsernameCheck, VaultInfo,
};

pub use livechat_engine::view::{
    Contact, Conversation, Delivery, Device, Group, GroupMember, HistoryPage, JoinRefusal, JoinState, Joining,
    LinkState, Membership, Message, MessageBody, Notice, Order, Person, Quote, Reaction, Revision, Role, Standing,
    Voice,
};
pub use livechat_wire::http::UsernameProblem;
pub use livechat_wire::{AccountId, ConversationId, DeviceId, MessageId};
use serde::{Deserialize, Serialize};

/// A request on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RequestFrame {
    /// Chosen by the client; comes back in the answer.
    pub id: u32,
    /// What is asked.
    pub request: Request,
}

/// What a client reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum ServerFrame {
    /// The answer to a request.
    Ok {
        /// The request's.
        id: u32,
        /// The answer.
        ok: Response,
    },
    /// The refusal of a request.
    Error {
        /// The request's; none when the frame couldn't be read.
        id: Option<u32>,
        /// Why.
        error: Error,
    },
    /// Something happened.
    Event {
        /// What.
        event: Event,
    },
}
