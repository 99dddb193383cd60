//! One error per operation.

use livechat_crypto::kv::KvError;
use livechat_wire::DecodeError;

use crate::input::LookupFailure;
use crate::tables::Table;

/// What the engine remembers can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] KvError),
    /// A stored value isn't one: the file is damaged, or a newer version wrote it.
    #[error("a stored value of {table:?} can't be read")]
    Unreadable {
        /// Where.
        table: Table,
        /// What is wrong with it.
        source: DecodeError,
    },
}

/// The engine can't be built from the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store failed, or holds what this version can't read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An input wasn't dealt with. Drop the engine and the transaction and open it again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// The store failed, or holds what this version can't read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The MLS layer can't go on: its state is damaged, or a defect of ours.
    #[error("the message encryption can't go on")]
    Mls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored contradicts itself: a defect of ours.
    #[error("the store contradicts itself: {0}")]
    Inconsistent(&'static str),
}

impl From<KvError> for HandleError {
    fn from(e: KvError) -> Self {
        Self::Store(e.into())
    }
}

/// A question about what is stored wasn't answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// The store failed, or holds what this version can't read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A command wasn't carried out; nothing of it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The contact's name leads to another account than before, and nobody has looked into that.
    #[error("that name leads to another account than before")]
    KeyChanged,
    /// What was scanned or typed is no verification code.
    #[error("that is no verification code")]
    BadCode,
    /// The code says something else than what we see: somebody may be in between.
    #[error("the code says something else than what is seen here")]
    CodeDiffers,
    /// The conversation came back from a backup, and its keys did not: look its contact up again.
    #[error("this conversation has no keys yet")]
    NoKeys,
    /// There is no account here yet.
    #[error("nobody has signed up here")]
    NoAccount,
    /// No such conversation.
    #[error("there is no such conversation")]
    UnknownConversation,
    /// One can't be one's own contact.
    #[error("that is your own name")]
    Oneself,
    /// The text is empty or longer than [`livechat_wire::limits::TEXT`] bytes.
    #[error("the text is empty or too long")]
    BadText,
    /// Another text was sent under this id before.
    #[error("another message has this id")]
    IdTaken,
    /// There is no such message, or not any more, or it has no text.
    #[error("there is no such message")]
    UnknownMessage,
    /// Only one's own messages can be edited, or deleted for everyone.
    #[error("that is not your message")]
    NotYours,
    /// Nothing is said in a conversation that is blocked.
    #[error("the conversation is blocked")]
    Blocked,
    /// Files are offered directly in direct chats of two devices that were agreed to, nowhere else.
    #[error("files aren't offered directly here")]
    NotOffered,
    /// A file that was sent directly can't be passed on: the relay doesn't have it.
    #[error("the relay doesn't have this file")]
    NotAtRelay,
    /// Not something that can stand under a message.
    #[error("that is no emoji")]
    BadEmoji,
    /// More than [`livechat_wire::limits::TIMER`] seconds.
    #[error("messages can't stay that long before they disappear")]
    BadTimer,
    /// Longer than [`livechat_wire::limits::DISPLAY_NAME`] bytes, or of more than one line.
    #[error("the name is too long or has control characters")]
    BadName,
    /// [`crate::limits::OUTBOX`] payloads wait for the relay already.
    #[error("too many messages are waiting for the relay")]
    QueueFull,
    /// [`crate::limits::LOOKUPS`] look-ups, [`crate::limits::CONTACTS`] contacts, or
    /// [`livechat_wire::limits::REACTIONS`] emoji under one message are the most.
    #[error("too many at once")]
    TooMany,
    /// The directory gave no entry.
    #[error(transparent)]
    Lookup(#[from] LookupFailure),
    /// The contact's keys don't verify, or aren't those we knew; nothing was sent.
    #[error("the contact's keys can't be trusted")]
    Untrusted,
    /// The contact has no device that can be reached.
    #[error("the contact has no device that can be reached")]
    NoDevice,
    /// There is no such device of this account, or it was removed before.
    #[error("there is no such device")]
    UnknownDevice,
    /// This device was removed from its account: it says nothing any more.
    #[error("this device was removed from its account")]
    DeviceRemoved,
    /// The conversation is no group, or we are not in it any more.
    #[error("you are not in that group")]
    NotMember,
    /// Our role doesn't allow that.
    #[error("your role in the group doesn't allow that")]
    NotAllowed,
    /// The only owner can't leave or step down while others are there: appoint another first.
    #[error("the group needs another owner first")]
    LastOwner,
    /// The title is empty or longer than [`livechat_wire::limits::TITLE`] bytes.
    #[error("the title is empty or too long")]
    BadTitle,
    /// The text is no link, or a letter of it is lost.
    #[error("that is no invitation link, or a part of it is missing")]
    BadLink,
    /// The link is for another relay than ours.
    #[error("that link is for another relay")]
    OtherRelay,
    /// No such link, or no such attempt to come in.
    #[error("there is no such link")]
    UnknownLink,
    /// Encryption refused; a defect of ours.
    #[error("the message could not be encrypted")]
    Encryption,
}
