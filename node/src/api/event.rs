//! What is told unasked.

use serde::{Deserialize, Serialize};

use super::{
    AccountId, Conversation, ConversationId, Device, Group, Handover, Joining, Message, MessageId, Status, Transfer,
};

/// What happened, by itself or because some client asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Event {
    /// Account, session, connection or live count changed.
    Status(Status),
    /// A message was added to a conversation, own ones included.
    MessageAdded {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// What.
        message: Message,
    },
    /// A message's delivery, text, reactions or time left changed, or its author withdrew it.
    MessageChanged {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// As it is now.
        message: Message,
    },
    /// A message is gone from this device: deleted here, or its time was over.
    MessageRemoved {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Its id.
        #[cfg_attr(test, ts(type = "string"))]
        id: MessageId,
        /// Where it stood.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
    },
    /// Somebody began or stopped typing; it lapses by itself, which is told too.
    Typing {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Who.
        #[cfg_attr(test, ts(type = "string"))]
        account: AccountId,
        /// Their name.
        name: String,
        /// Which of the two.
        typing: bool,
    },
    /// What a line of the conversation list shows changed, or the conversation is new.
    ConversationChanged {
        /// As it is now.
        conversation: Conversation,
    },
    /// Members, roles, title or state of a group changed, or it is new.
    GroupChanged {
        /// As it is now.
        group: Group,
    },
    /// Somebody answered this account's knocking, or let it in.
    JoiningChanged {
        /// As it is now.
        joining: Joining,
    },
    /// A device of this account came, went, or is about to.
    DevicesChanged {
        /// All that are or were, oldest first.
        devices: Vec<Device>,
    },
    /// A file on its way began, moved, stopped or arrived.
    TransferChanged {
        /// As it is now.
        transfer: Transfer,
    },
    /// History on its way to or from another device of this account began, moved, stopped or arrived.
    HandoverChanged {
        /// As it is now.
        handover: Handover,
    },
    /// Events were lost because this client read too slowly: fetch again what is shown.
    Lagged,
}
