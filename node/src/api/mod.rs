//! The product surface: a closed list of requests, responses and events, the same in-process ([`crate::Node`]), over
//! the Unix socket ([`socket`]) and over WebSocket (crate `livechat-web`).
//!
//! Frames are JSON: a client sends `{"id":1,"request":{"type":"status"}}`; the node answers
//! `{"id":1,"ok":{"type":"status",…}}` or `{"id":1,"error":{…}}`, and sends `{"event":{…}}` whenever something
//! happens. Events are hints: state is queried, never rebuilt from them; [`Event::Lagged`] means "fetch again".

mod error;
mod events;
mod redact;
pub mod socket;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod typescript;

pub use events::Events;

pub use livechat_engine::view::{
    Contact, Conversation, Delivery, Group, GroupMember, HistoryPage, Membership, Message, MessageBody, Notice, Person,
    Quote, Reaction, Revision, Role, Standing,
};
pub use livechat_wire::http::UsernameProblem;
pub use livechat_wire::{AccountId, ConversationId, DeviceId, MessageId};
use serde::{Deserialize, Serialize};

macro_rules! api {
    ($($item:item)*) => { $(
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        $item
    )* };
}

/// Everything a face can ask of a node.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Request {
    /// How things stand. Answered by [`Response::Status`]. Never refused.
    Status,
    /// Whether a name can be had. Answered by [`Response::Username`].
    CheckUsername {
        /// As typed.
        username: String,
    },
    /// Asks the relay for a name. Answered by [`Response::SignUp`]. The node keeps the pending state over restarts.
    SignUp {
        /// Wanted name.
        username: String,
    },
    /// The authenticator's first code. Answered by [`Response::SignedUp`].
    ConfirmSignUp {
        /// Six digits; blanks are ignored.
        code: String,
    },
    /// Drops a pending sign-up, to begin with another name. Answered by [`Response::Done`].
    CancelSignUp,
    /// Begins a ten-day session. Answered by [`Response::Done`].
    LogIn {
        /// Name.
        username: String,
        /// Six digits, or a recovery code.
        code: String,
    },
    /// Ends the session here and at the relay. Answered by [`Response::Done`].
    LogOut,
    /// Replaces the recovery codes. Answered by [`Response::RecoveryCodes`].
    NewRecoveryCodes {
        /// Six digits, or one of the old recovery codes.
        code: String,
    },
    /// Begins to add a second authenticator. Answered by [`Response::Authenticator`].
    AddAuthenticator {
        /// Six digits of the first one, or a recovery code.
        code: String,
    },
    /// The new authenticator's first code. Answered by [`Response::Done`].
    ConfirmAuthenticator {
        /// Six digits of the new one.
        code: String,
    },
    /// Keeps the authenticator that gives the code and removes the other. Answered by [`Response::Done`].
    RemoveAuthenticator {
        /// Six digits of the one that stays.
        code: String,
    },
    /// Everywhere this account is logged in. Answered by [`Response::Sessions`].
    Sessions,
    /// Logs one of them out. Answered by [`Response::Done`].
    EndSession {
        /// From [`Response::Sessions`].
        id: String,
    },
    /// Deletes the account at the relay and everything of it on this device. There is no way back. Answered by
    /// [`Response::Done`].
    DeleteAccount {
        /// Six digits, or a recovery code.
        code: String,
    },
    /// Looks a name up and opens a direct chat. Answered by [`Response::Contact`].
    AddContact {
        /// Their name.
        username: String,
    },
    /// Everyone we can write to, by name. Answered by [`Response::Contacts`].
    Contacts,
    /// All conversations, latest first. Answered by [`Response::Conversations`].
    Conversations,
    /// A page of history, newest page first. Answered by [`Response::History`].
    History {
        /// Of which conversation.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Only messages before this position; none for the newest page.
        #[cfg_attr(test, ts(type = "number | null"))]
        before: Option<u64>,
        /// How many, 1 ..= 200.
        limit: u32,
    },
    /// Sends text. Answered by [`Response::Sent`] once it is safe on this device's disk.
    Send {
        /// Where to.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// What, 1 ..= 32,768 bytes.
        text: String,
        /// Chosen by the client, 32 hexadecimal digits: sending twice under the same id is sending once.
        #[cfg_attr(test, ts(type = "string | null"))]
        id: Option<MessageId>,
        /// The position of the message it answers, in the same conversation.
        #[cfg_attr(test, ts(type = "number | null"))]
        reply_to: Option<u64>,
    },
    /// Passes the words of a message on. Answered by [`Response::Sent`].
    Forward {
        /// Where it is.
        #[cfg_attr(test, ts(type = "string"))]
        from: ConversationId,
        /// Which message.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
        /// Where to.
        #[cfg_attr(test, ts(type = "string"))]
        to: ConversationId,
        /// As with [`Request::Send`].
        #[cfg_attr(test, ts(type = "string | null"))]
        id: Option<MessageId>,
    },
    /// Gives an own message another text. Answered by [`Response::Sent`] with the message as it is now.
    Edit {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Which message.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
        /// Its new text, 1 ..= 32,768 bytes.
        text: String,
    },
    /// Every text a message had, the first one first. Answered by [`Response::Revisions`].
    Revisions {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Which message.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
    },
    /// Deletes a message. Answered by [`Response::Done`].
    Delete {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Which message.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
        /// On everybody's devices, which is possible with own messages; else on this one only.
        for_everyone: bool,
    },
    /// Puts an emoji under a message or takes it away. Answered by [`Response::Sent`] with the message as it is now.
    React {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Which message.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
        /// One emoji, 1 ..= 64 bytes without control characters; at most eight of one person under one message.
        emoji: String,
        /// Put or take away.
        on: bool,
    },
    /// Lets messages sent from now on disappear, for everybody in the conversation. Answered by [`Response::Done`].
    SetTimer {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// After so many seconds, at most a year; 0: never.
        seconds: u32,
    },
    /// Lets others see that one types. Say it as often as convenient: what is too often isn't sent, nor is anything
    /// before the conversation is accepted. Answered by [`Response::Done`].
    Typing {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Types, or stopped to; a message sent stops it by itself.
        typing: bool,
    },
    /// Keeps what was begun to be written, on this device. Sending a message there clears it. Answered by
    /// [`Response::Done`].
    SetDraft {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// At most 32,768 bytes; empty: nothing.
        text: String,
    },
    /// Agrees to a conversation that somebody else began; writing to it does too. Answered by [`Response::Done`].
    Accept {
        /// Which.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
    },
    /// Hears no more from a conversation, or again. Nobody is told. Answered by [`Response::Done`].
    Block {
        /// Which.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// No more, or again.
        blocked: bool,
    },
    /// Keeps a conversation at the top of the list. Answered by [`Response::Done`].
    Pin {
        /// Which.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// At the top, or not.
        pinned: bool,
    },
    /// Notes until when a conversation must not disturb. Answered by [`Response::Done`].
    Mute {
        /// Which.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Unix milliseconds; none: it may.
        #[cfg_attr(test, ts(type = "number | null"))]
        until: Option<u64>,
    },
    /// Puts a conversation out of sight until something new comes. Answered by [`Response::Done`].
    Archive {
        /// Which.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Out of sight, or back.
        archived: bool,
    },
    /// How this account wants to be called. Answered by [`Response::Profile`].
    Profile,
    /// Changes it; each conversation learns it with the next message sent there. Answered by [`Response::Done`].
    SetProfile {
        /// One line of at most 128 bytes; empty: by the username alone.
        display_name: String,
    },
    /// Moves the read mark. Answered by [`Response::Done`].
    MarkRead {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Up to and including this position.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
    },
    /// Founds a group; its members come in as the relay answers. Answered by [`Response::GroupCreated`].
    CreateGroup {
        /// What it is called, 1 ..= 128 bytes.
        title: String,
        /// Names at our relay.
        members: Vec<String>,
    },
    /// What a group has beside a direct chat. Answered by [`Response::Group`].
    Group {
        /// Which.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
    },
    /// Takes somebody into a group. Like the other changes of a group it is answered by [`Response::Done`] once it is
    /// noted, and takes effect when the relay has put it in its place: [`Event::GroupChanged`] tells.
    Invite {
        /// Which group.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Their name at our relay.
        username: String,
    },
    /// Takes somebody out of a group.
    RemoveMember {
        /// Which group.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Whom.
        #[cfg_attr(test, ts(type = "string"))]
        account: AccountId,
    },
    /// Changes what somebody may do in a group.
    SetRole {
        /// Which group.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Whose role.
        #[cfg_attr(test, ts(type = "string"))]
        account: AccountId,
        /// What they may do from then on.
        role: Role,
    },
    /// Calls a group something else.
    SetTitle {
        /// Which group.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// What, 1 ..= 128 bytes.
        title: String,
    },
    /// Leaves a group. Its history stays.
    LeaveGroup {
        /// Which group.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
    },
}

/// Answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Response {
    /// To [`Request::Status`].
    Status(Status),
    /// To [`Request::CheckUsername`].
    Username(UsernameCheck),
    /// To [`Request::SignUp`].
    SignUp(SignUpTicket),
    /// To [`Request::ConfirmSignUp`].
    SignedUp(SignedUp),
    /// To [`Request::NewRecoveryCodes`].
    RecoveryCodes(RecoveryCodes),
    /// To [`Request::AddAuthenticator`].
    Authenticator(SignUpTicket),
    /// To [`Request::Sessions`].
    Sessions {
        /// Newest first.
        sessions: Vec<AccountSession>,
    },
    /// To [`Request::AddContact`].
    Contact(Contact),
    /// To [`Request::Contacts`].
    Contacts {
        /// By name.
        contacts: Vec<Contact>,
    },
    /// To [`Request::Conversations`].
    Conversations {
        /// Latest first.
        conversations: Vec<Conversation>,
    },
    /// To [`Request::History`].
    History(HistoryPage),
    /// To [`Request::Send`] and [`Request::Forward`]; to [`Request::Edit`] and [`Request::React`].
    Sent(Message),
    /// To [`Request::CreateGroup`].
    GroupCreated {
        /// Its conversation.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
    },
    /// To [`Request::Group`].
    Group(Group),
    /// To [`Request::Revisions`].
    Revisions {
        /// The first text first; the last is what is shown. Empty when there is no such message, or no text any more.
        revisions: Vec<Revision>,
    },
    /// To [`Request::Profile`].
    Profile {
        /// Empty: by the username alone.
        display_name: String,
    },
    /// Nothing to say but that it is done.
    Done,
}

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
    /// Events were lost because this client read too slowly: fetch again what is shown.
    Lagged,
}

api! {
    /// How things stand.
    #[derive(Debug)]
    pub struct Status {
        /// Where in its life the account is.
        pub account: AccountState,
        /// The relay's address as configured, e.g. `https://relay.example.org`.
        pub relay_url: String,
        /// Whether the relay answers.
        pub relay: RelayState,
        /// libp2p peers connected, the relay included.
        pub peers: u32,
        /// Own messages that no relay has accepted yet.
        pub queued: u32,
        /// People online at the relay; none while unknown.
        pub live_users: Option<u32>,
        /// This program's version.
        pub version: String,
    }

    /// A name, checked.
    #[derive(Debug)]
    pub struct UsernameCheck {
        /// As it would be stored.
        pub username: String,
        /// Whether it can be had.
        pub available: bool,
        /// Why not.
        #[cfg_attr(test, ts(type = "string | null"))]
        pub problem: Option<UsernameProblem>,
        /// The same in words; empty when it can be had.
        pub message: String,
    }

    /// What to show next to "open your authenticator app".
    pub struct SignUpTicket {
        /// As it will be stored.
        pub username: String,
        /// The whole otpauth URI.
        pub otpauth_uri: String,
        /// Base32 for typing.
        pub setup_key: String,
        /// The URI as a QR code: an SVG document, black on white with quiet zone.
        pub qr_svg: String,
        /// Unix seconds.
        #[cfg_attr(test, ts(type = "number"))]
        pub expires_at: u64,
    }

    /// The account is there.
    pub struct SignedUp {
        /// Name.
        pub username: String,
        /// Each good for one log-in without the authenticator. Shown once; empty in the rare case that the relay's
        /// answer was lost on its way.
        pub recovery_codes: Vec<String>,
    }

    /// Fresh recovery codes; the ones before are void.
    pub struct RecoveryCodes {
        /// Ten, each good for one log-in. Shown once.
        pub recovery_codes: Vec<String>,
    }

    /// A log-in of this account that is in force.
    #[derive(Debug)]
    pub struct AccountSession {
        /// Its name at the relay.
        pub id: String,
        /// Whether it is the one that asks.
        pub current: bool,
        /// Whether this device signed its log-in.
        pub this_device: bool,
        /// Unix seconds.
        #[cfg_attr(test, ts(type = "number"))]
        pub created_at: u64,
        /// Unix seconds.
        #[cfg_attr(test, ts(type = "number"))]
        pub expires_at: u64,
    }

    /// A request that wasn't carried out.
    #[derive(Debug)]
    pub struct Error {
        /// For programs.
        pub code: ErrorCode,
        /// What failed and why, for people.
        pub message: String,
        /// What to do next, for people; may be empty.
        pub hint: String,
        /// Seconds to wait, where waiting helps.
        #[cfg_attr(test, ts(type = "number | null"))]
        pub retry_after: Option<u64>,
    }
}

/// Where in its life the account on this node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum AccountState {
    /// Nobody signed up on this node.
    None,
    /// Signed up, first code outstanding.
    Pending {
        /// What was shown, to show again.
        ticket: SignUpTicket,
    },
    /// The session is over: log in.
    LoggedOut {
        /// Whose node this is.
        username: String,
    },
    /// In.
    Active {
        /// Name.
        username: String,
        /// Account id.
        #[cfg_attr(test, ts(type = "string"))]
        account: AccountId,
        /// This device's id.
        #[cfg_attr(test, ts(type = "string"))]
        device: DeviceId,
        /// Unix seconds: when the code is asked again.
        #[cfg_attr(test, ts(type = "number"))]
        session_expires_at: u64,
    },
}

/// Whether the relay answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum RelayState {
    /// Not tried yet.
    Connecting,
    /// HTTP and gossip both work.
    Online,
    /// It doesn't; own messages stay queued.
    Offline {
        /// Why, for people.
        reason: String,
        /// Unix milliseconds of the next try.
        #[cfg_attr(test, ts(type = "number"))]
        retry_at: u64,
    },
}

/// Failures by who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request isn't one this node knows, or a field is out of bounds.
    BadRequest,
    /// The name can't be had.
    UsernameUnavailable,
    /// Name, code or both are wrong.
    InvalidCredentials,
    /// The sign-up is over; begin again.
    PendingExpired,
    /// Not possible in this state of the account (sign up or log in first, or already done).
    WrongState,
    /// Nobody has that name, or that conversation or message doesn't exist.
    NotFound,
    /// Wait.
    TooManyRequests,
    /// The relay can't be reached.
    RelayUnreachable,
    /// The relay answered something impossible or refused; the message says what.
    RelayFailed,
    /// This device's store can't be written (disk full, …). Nothing was done.
    StoreFailed,
    /// The text is too long or empty.
    BadText,
    /// This account lives on another device, and linking isn't possible yet.
    NotThisDevice,
    /// The contact's keys don't verify; nothing was sent.
    Untrusted,
    /// Our role in the group doesn't allow it.
    NotAllowed,
    /// Only one's own messages can be edited, or deleted for everyone.
    NotYours,
    /// The conversation is blocked: nothing is sent there.
    Blocked,
    /// Our fault.
    Internal,
}

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
