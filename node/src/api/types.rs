//! What answers and events are made of, beside what the engine shows ([`livechat_engine::view`]).

use serde::{Deserialize, Serialize};

use super::{AccountId, ConversationId, DeviceId, LinkState, Message, MessageId, UsernameProblem};

macro_rules! api {
    ($($item:item)*) => { $(
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        $item
    )* };
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

    /// What a device shows that waits to be added. Nothing in it is secret.
    #[derive(Debug)]
    pub struct DeviceTicket {
        /// Whose device it wants to be.
        pub username: String,
        /// To be entered on another device of the account: sixteen characters, in groups of four.
        pub code: String,
        /// The same to be scanned.
        pub qr_svg: String,
        /// Unix seconds until which it waits.
        #[cfg_attr(test, ts(type = "number"))]
        pub expires_at: u64,
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

    /// A link into a group: whoever has it may come in.
    pub struct GroupLink {
        /// Names it, 64 hexadecimal digits.
        pub door: String,
        /// Its text, on the device that made it; no other knows it.
        pub link: Option<String>,
        /// The same as a QR code: an SVG document, black on white with quiet zone.
        pub qr_svg: Option<String>,
        /// Name of who made it.
        pub made_by: String,
        /// Unix seconds from which on it is shut.
        #[cfg_attr(test, ts(type = "number | null"))]
        pub expires_at: Option<u64>,
        /// How many may come in by it; none: any number.
        pub uses: Option<u32>,
        /// How many did; counted only while the number is bounded.
        pub used: u32,
        /// Whether it opens.
        pub state: LinkState,
    }

    /// The words that give the account back.
    pub struct RecoveryPhrase {
        /// 24, in order.
        pub words: Vec<String>,
        /// The two places, counted from 1, whose words [`super::Request::ConfirmPhrase`] wants.
        pub ask: Vec<u8>,
    }

    /// How this device's vault is kept.
    #[derive(Debug)]
    pub struct VaultInfo {
        /// Whether there is one: without, the key lies beside the store, and the next log-in changes that.
        pub guarded: bool,
        /// Whether a passphrase opens it, too.
        pub passphrase: bool,
        /// Whether the recovery phrase does: not on a linked device.
        pub phrase: bool,
        /// Whether a log-in keeps it open until the session ends, restarts included.
        pub stay_unlocked: bool,
        /// Seconds without a request after which it locks; zero for never.
        pub lock_after: u32,
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

    /// What a contact scans, or types.
    #[derive(Debug)]
    pub struct SafetyCode {
        /// For typing and pasting.
        pub code: String,
        /// The same as a QR code: an SVG document, black on white with quiet zone.
        pub qr_svg: String,
    }

    /// A backup was written.
    pub struct BackedUp {
        /// Where.
        pub path: String,
        /// What opens it, if it was made for the occasion: it is kept nowhere else.
        pub secret: Option<String>,
        /// Messages in it.
        #[cfg_attr(test, ts(type = "number"))]
        pub messages: u64,
    }

    /// A backup was given back.
    #[derive(Debug)]
    pub struct Restored {
        /// Contacts that were not known here.
        #[cfg_attr(test, ts(type = "number"))]
        pub contacts: u64,
        /// Conversations.
        #[cfg_attr(test, ts(type = "number"))]
        pub conversations: u64,
        /// Messages.
        #[cfg_attr(test, ts(type = "number"))]
        pub messages: u64,
        /// Conversations left as they are, since something was said in them here already.
        #[cfg_attr(test, ts(type = "number"))]
        pub left: u64,
    }

    /// What a search found.
    #[derive(Debug)]
    pub struct Found {
        /// In the order asked for.
        pub hits: Vec<Hit>,
        /// Where the same question goes on; none when that was all.
        pub next: Option<String>,
    }

    /// A message that was found.
    #[derive(Debug)]
    pub struct Hit {
        /// Where it is.
        #[cfg_attr(test, ts(type = "string"))]
        pub conversation: ConversationId,
        /// What the conversation is called.
        pub title: String,
        /// Whether it is a group of many.
        pub group: bool,
        /// The message.
        pub message: Message,
        /// The part of its text that shows why it was found.
        pub excerpt: Vec<Piece>,
    }

    /// A piece of an excerpt.
    #[derive(Debug)]
    pub struct Piece {
        /// As written.
        pub text: String,
        /// Whether it is what was looked for.
        pub hit: bool,
    }

    /// A file on its way.
    #[derive(Debug)]
    pub struct Transfer {
        /// In which conversation.
        #[cfg_attr(test, ts(type = "string"))]
        pub conversation: ConversationId,
        /// The message that speaks of it, or will once it is at the relay. With the conversation it names the transfer.
        #[cfg_attr(test, ts(type = "string"))]
        pub message: MessageId,
        /// To the relay, else from it.
        pub up: bool,
        /// What to call it: display text.
        pub name: String,
        /// Bytes of the file.
        #[cfg_attr(test, ts(type = "number"))]
        pub size: u64,
        /// Bytes that have gone over the line, of `total`.
        #[cfg_attr(test, ts(type = "number"))]
        pub done: u64,
        /// Bytes that have to: more than the file has, since it is padded.
        #[cfg_attr(test, ts(type = "number"))]
        pub total: u64,
        /// Whether it goes straight from one device to the other, at the moment.
        pub direct: bool,
        /// How it goes.
        pub state: TransferState,
    }

    /// Contacts and history on their way to another device of this account, or from one to this.
    #[derive(Debug)]
    pub struct Handover {
        /// To which device; none: to this one.
        #[cfg_attr(test, ts(type = "string | null"))]
        pub device: Option<DeviceId>,
        /// Where it stands.
        pub step: HandoverStep,
        /// Messages in it, so far as is known here.
        #[cfg_attr(test, ts(type = "number"))]
        pub messages: u64,
        /// Bytes done of this step.
        #[cfg_attr(test, ts(type = "number"))]
        pub done: u64,
        /// Bytes of this step; 0 while that isn't known.
        #[cfg_attr(test, ts(type = "number"))]
        pub total: u64,
        /// How it goes.
        pub state: TransferState,
    }

    /// What there is to be given to another device.
    #[derive(Debug)]
    pub struct HistorySize {
        /// Messages that don't disappear by themselves.
        #[cfg_attr(test, ts(type = "number"))]
        pub messages: u64,
        /// Bytes, contacts and all.
        #[cfg_attr(test, ts(type = "number"))]
        pub bytes: u64,
    }

    /// What the relay keeps of this account's files, and what it would.
    #[derive(Debug)]
    pub struct FileSpace {
        /// Bytes in use.
        #[cfg_attr(test, ts(type = "number"))]
        pub used: u64,
        /// Bytes that may be.
        #[cfg_attr(test, ts(type = "number"))]
        pub quota: u64,
        /// Bytes of the largest file.
        #[cfg_attr(test, ts(type = "number"))]
        pub largest: u64,
        /// Seconds that a file is kept.
        #[cfg_attr(test, ts(type = "number"))]
        pub kept_seconds: u64,
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

/// What comes first in what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum SearchOrder {
    /// What came in last.
    Newest,
    /// Whole words, then beginnings of words, then other parts; of equals what came in last.
    Best,
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
    /// This device waits to be added to an account.
    Linking {
        /// What it shows.
        ticket: DeviceTicket,
    },
    /// The session is over: log in.
    LoggedOut {
        /// Whose node this is.
        username: String,
    },
    /// The store is closed: a code, the recovery phrase or the passphrase opens it.
    Locked {
        /// Whose node this is.
        username: String,
        /// Whether there is a passphrase.
        passphrase: bool,
        /// Whether the recovery phrase opens it: not a linked device, which never had the account's first key.
        phrase: bool,
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
        /// Whether the relay has a session of this device; opened by phrase or passphrase it may have none.
        logged_in: bool,
        /// Whether the recovery phrase waits to be written down and checked.
        phrase_waits: bool,
        /// Whether this device was removed from the account: what is here can be read, nothing is sent or received.
        removed: bool,
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

/// The steps of a handover, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum HandoverStep {
    /// Reading and sealing what is here, once the other device is in.
    Gathering,
    /// To the relay, or from it.
    Moving,
    /// Writing it into this device.
    Restoring,
}

/// How a transfer goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum TransferState {
    /// Something is in the way; it goes on by itself.
    Waiting {
        /// What, for people.
        reason: String,
    },
    /// It moves, or waits for its turn.
    Running,
    /// It is over: the file is in its message, or on this device.
    Done,
    /// Somebody stopped it, or its message is gone.
    Cancelled,
    /// It can't be. Stays on the list until it is taken off.
    Failed {
        /// Why, for people.
        message: String,
        /// What to do next, for people; may be empty.
        hint: String,
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
    /// The file is larger than what can be sent.
    TooLarge,
    /// This account's share of the relay's room for files is used up.
    QuotaExceeded,
    /// The file can't be read, cleaned or saved.
    BadFile,
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
    /// What was typed isn't the recovery phrase, or not this account's.
    WrongPhrase,
    /// The node is locked.
    Locked,
    /// What was typed isn't the passphrase.
    WrongPassphrase,
    /// The vault's file can't be opened by what ought to open it.
    VaultDamaged,
    /// Our fault.
    Internal,
}
