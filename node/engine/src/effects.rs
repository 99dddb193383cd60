//! What the engine wants done, once the transaction is committed.

use livechat_wire::account::AccountLog;
use livechat_wire::order::SealedCommit;
use livechat_wire::{AccountId, BlobId, ConversationId, Envelope, EnvelopeId, MessageId, SlotId, http};

use crate::errors::CommandError;
use crate::input::{CommandId, LookupId};
use crate::view;

/// Everything to do after the commit; nothing of it may be done before.
#[derive(Debug, Default)]
#[must_use = "commit the transaction, then perform these"]
pub struct Effects {
    /// Publish by gossip now.
    pub gossip: Vec<Envelope>,
    /// Hand to the relay over sync, at most [`livechat_wire::limits::DEPOSIT`]; the answer comes as
    /// [`crate::Input::Verdicts`]. No answer is fine: the outbox tries again.
    pub deposit: Vec<Envelope>,
    /// Ask the relay whether it has these, at most [`livechat_wire::limits::PRESENT`]; same answer.
    pub present: Vec<EnvelopeId>,
    /// Append to slots of the relay over sync; each answer comes as [`crate::Input::Appended`]. No answer is fine.
    pub append: Vec<Append>,
    /// Read slots of the relay from an index on, over sync; each answer comes as [`crate::Input::Slot`].
    pub slots: Vec<(SlotId, u32)>,
    /// Keep these files at the relay; each answer comes as [`crate::Input::Uploaded`].
    pub uploads: Vec<Upload>,
    /// Fetch these files from the relay; each answer comes as [`crate::Input::Fetched`].
    pub fetches: Vec<Fetch>,
    /// `POST /v1/directory/claim`, or a look without claiming; the answer comes as [`crate::Input::Directory`].
    pub lookups: Vec<Lookup>,
    /// `PUT /v1/key-packages`; the answer comes as [`crate::Input::Stock`].
    pub publish_keys: Option<http::PublishKeyPackages>,
    /// `PUT /v1/devices/log`; whatever log the relay has then comes as [`crate::Input::OwnLog`]. No answer is fine.
    pub publish_log: Option<AccountLog>,
    /// What to do with files.
    pub files: Vec<FileChore>,
    /// Answers to commands.
    pub replies: Vec<(CommandId, Result<Reply, CommandError>)>,
    /// What faces may want to show. Hints: state is queried.
    pub events: Vec<Event>,
    /// Unix milliseconds: call with [`crate::Input::Timer`] then. Replaces the time given before.
    pub wake_at: Option<u64>,
}

/// A commit to be put in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Where.
    pub slot: SlotId,
    /// What.
    pub commit: SealedCommit,
}

/// A sealed file to be kept by the relay.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// Where.
    pub blob: BlobId,
    /// What.
    pub bytes: Vec<u8>,
}

impl core::fmt::Debug for Upload {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Upload({}, {} bytes)", self.blob, self.bytes.len())
    }
}

/// A sealed file to be fetched from the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// Where it is.
    pub blob: BlobId,
    /// How many bytes it has; another one isn't it.
    pub size: u64,
}

/// Something to be done about a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChore {
    /// No message here speaks of it any more: delete what is kept of it, stop fetching it.
    Drop(BlobId),
    /// Take it back at the relay, then say so ([`crate::Command::NoteWithdrawn`]). Until then
    /// [`crate::Engine::withdrawn_files`] names it.
    Withdraw(BlobId),
    /// Whoever sent it offers it directly: [`crate::Engine::offer`].
    Offered(BlobId),
}

/// A name to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Comes back with the answer.
    pub id: LookupId,
    /// Whose.
    pub username: String,
    /// Whether KeyPackages are wanted, which are used up; else `GET /v1/directory/{username}` will do.
    pub claim: bool,
}

/// A command's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// To [`crate::Command::AddContact`].
    Contact(view::Contact),
    /// To [`crate::Command::Send`], and to what changes a message: as it is now.
    Sent(Box<view::Message>),
    /// To [`crate::Command::CreateGroup`]: its conversation. Members come in as the directory and the order service
    /// answer.
    Group(ConversationId),
    /// To [`crate::Command::MakeLink`].
    Link(view::GroupLink),
    /// To [`crate::Command::JoinLink`] and [`crate::Command::FoundLobby`].
    Joining(view::Joining),
    /// Nothing to say but that it is done, or noted to be done.
    Done,
}

/// What happened, for faces.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message was added, own ones included. It may stand above others: sort by position.
    MessageAdded {
        /// Where.
        conversation: ConversationId,
        /// What.
        message: view::Message,
    },
    /// A message's delivery, text, reactions or time left changed, or it was withdrawn.
    MessageChanged {
        /// Where.
        conversation: ConversationId,
        /// As it is now.
        message: view::Message,
    },
    /// A message is gone from this device: deleted here, or its time was over.
    MessageRemoved {
        /// Where.
        conversation: ConversationId,
        /// Its id.
        id: MessageId,
        /// Where it stood.
        position: u64,
    },
    /// Somebody began or stopped typing.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Who.
        account: AccountId,
        /// Their name.
        name: String,
        /// Which of the two.
        typing: bool,
    },
    /// What a line of the conversation list shows changed, or the conversation is new.
    ConversationChanged {
        /// As it is now.
        conversation: view::Conversation,
    },
    /// Members, roles, title or state of a group changed, or it is new.
    GroupChanged {
        /// As it is now.
        group: view::Group,
    },
    /// Somebody answered our knocking, or let us in.
    JoiningChanged {
        /// As it is now.
        joining: view::Joining,
    },
    /// A device of this account came, went, or is about to.
    DevicesChanged {
        /// All that are or were, oldest first.
        devices: Vec<view::Device>,
    },
    /// Another device of this account left contacts and history for this one: see [`crate::Engine::handed_over`].
    HandedOver,
    /// Own messages that no relay has accepted yet.
    Queued(u32),
}
