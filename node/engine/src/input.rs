//! What the shell tells the engine.

use livechat_crypto::identity::Identity;
use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::sync::{Cursor, Refusal, Verdict};
use livechat_wire::{
    AccountId, BlobId, ConversationId, DeviceId, Envelope, EnvelopeId, MessageId, RelayId, SlotId, content, http, order,
};

use crate::devices::Left;
use crate::view::Role;

/// Unix milliseconds, as the shell's clock says. It may jump; nothing is lost or reordered by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(pub u64);

/// Names a command; comes back in [`crate::Effects::replies`]. The shell chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommandId(pub u64);

/// Names a directory look-up. The engine chooses it; it is new after each [`crate::Engine::open`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LookupId(pub u64);

/// One thing that happened.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "the large one comes once in an account's life")]
pub enum Input {
    /// The relay confirmed the sign-up: this is who we are from now on.
    Activate {
        /// The secrets.
        identity: Box<Identity>,
        /// Our name, as the relay stores it.
        username: String,
        /// Our relay; its key signs receipts.
        relay: RelayId,
        /// Our account log.
        log: AccountLog,
        /// The relay has `2^bucket_bits` buckets.
        bucket_bits: u8,
    },
    /// A person wants something. Answered in [`crate::Effects::replies`], now or by a later call.
    Command {
        /// Comes back with the answer.
        id: CommandId,
        /// What.
        command: Command,
    },
    /// An envelope came by gossip; its shape and signature are right.
    Gossip(Envelope),
    /// A page came from a relay. Its envelopes and its cursor take effect in one transaction.
    Page {
        /// From whom.
        relay: RelayId,
        /// In the order of the relay's numbers.
        envelopes: Vec<Envelope>,
        /// Where reading goes on.
        cursor: Cursor,
    },
    /// A relay's answer to a deposit or a presence query. Receipts are verified here.
    Verdicts {
        /// Which relay.
        relay: RelayId,
        /// What it says about which envelope.
        verdicts: Vec<(EnvelopeId, Verdict)>,
    },
    /// The directory's answer.
    Directory {
        /// To which look-up.
        lookup: LookupId,
        /// The entry, or why there is none.
        answer: Result<http::DirectoryEntry, LookupFailure>,
    },
    /// Whether the relay keeps a file ([`crate::Effects::uploads`]).
    Uploaded {
        /// Which.
        blob: BlobId,
        /// Or why not.
        answer: Result<(), FileFailure>,
    },
    /// A file of the relay's ([`crate::Effects::fetches`]). It is verified here.
    Fetched {
        /// Which.
        blob: BlobId,
        /// Its bytes, or why there are none.
        answer: Result<Vec<u8>, FileFailure>,
    },
    /// What the relay has left of our KeyPackages.
    Stock(http::KeyPackageStock),
    /// The order service's answer to [`crate::Effects::append`]. Receipts are verified here.
    Appended {
        /// Which slot.
        slot: SlotId,
        /// Where the commit stands, or why not.
        answer: Result<order::Receipt, Refusal>,
    },
    /// The order service's answer to [`crate::Effects::slots`].
    Slot {
        /// Which slot.
        slot: SlotId,
        /// From which index on.
        from: u32,
        /// What stands there and whether there is more, or why not.
        answer: Result<(Vec<order::Entry>, bool), Refusal>,
    },
    /// Our account's log as the relay has it: asked for now and then, and its answer to
    /// [`crate::Effects::publish_log`], whether it took that or has another.
    OwnLog(AccountLog),
    /// The relay can be reached, or can't any more.
    Relay {
        /// Which of the two.
        online: bool,
    },
    /// The time of [`crate::Effects::wake_at`] has come.
    Timer,
}

/// Text that doesn't print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a person can want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// To write to somebody. Answered by [`crate::Reply::Contact`].
    AddContact {
        /// Their name at our relay.
        username: String,
    },
    /// To say something. Answered by [`crate::Reply::Sent`]; once that transaction is committed it is never lost.
    Send {
        /// Where.
        conversation: ConversationId,
        /// What.
        text: String,
        /// Chosen by the client: twice under one id is once. Random when absent.
        id: Option<MessageId>,
        /// The position of the message it answers.
        reply_to: Option<u64>,
    },
    /// To send a file whose blob the relay keeps and whose bytes are on this device. Answered by [`crate::Reply::Sent`].
    SendFile {
        /// Where.
        conversation: ConversationId,
        /// Which; whether it disappears is the conversation's to say.
        file: Box<content::File>,
        /// As with [`Command::Send`].
        id: MessageId,
    },
    /// To tell the contact in a direct chat where a file of ours can be had. Answered by [`crate::Reply::Done`].
    OfferFile {
        /// Where.
        conversation: ConversationId,
        /// What, and where it can be had.
        offer: Box<content::Offer>,
    },
    /// To note that a file's bytes are on this device, or not any more. Answered by [`crate::Reply::Done`].
    NoteFile {
        /// Which.
        blob: BlobId,
        /// Whether they are.
        here: bool,
    },
    /// To note that the relay has dropped a file that was withdrawn. Answered by [`crate::Reply::Done`].
    NoteWithdrawn {
        /// Which.
        blob: BlobId,
    },
    /// To pass the words of a message on, or its file. Answered by [`crate::Reply::Sent`].
    Forward {
        /// Where it is.
        from: ConversationId,
        /// Which one.
        position: u64,
        /// Where to.
        to: ConversationId,
        /// As with [`Command::Send`].
        id: Option<MessageId>,
    },
    /// To give an own message another text. Answered by [`crate::Reply::Sent`].
    Edit {
        /// Where.
        conversation: ConversationId,
        /// Which message.
        position: u64,
        /// Its new text.
        text: String,
    },
    /// To delete a message. Answered by [`crate::Reply::Done`].
    Delete {
        /// Where.
        conversation: ConversationId,
        /// Which message.
        position: u64,
        /// On all devices of everybody, which one may do with one's own; else on this one.
        for_everyone: bool,
    },
    /// To put an emoji under a message, or take one's own away. Answered by [`crate::Reply::Sent`].
    React {
        /// Where.
        conversation: ConversationId,
        /// Which message.
        position: u64,
        /// 1 ..= [`livechat_wire::limits::EMOJI`] bytes.
        emoji: String,
        /// Put or take away.
        on: bool,
    },
    /// To let messages of a conversation disappear from now on. Answered by [`crate::Reply::Done`].
    SetTimer {
        /// Where.
        conversation: ConversationId,
        /// After so many seconds, at most [`livechat_wire::limits::TIMER`]; 0: never.
        seconds: u32,
    },
    /// To let others see that one types, or stopped to. Answered by [`crate::Reply::Done`], whether it was told or not.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Which of the two.
        typing: bool,
    },
    /// To keep what was begun to be written. Answered by [`crate::Reply::Done`].
    SetDraft {
        /// Where.
        conversation: ConversationId,
        /// Empty: nothing.
        text: String,
    },
    /// To be called differently. Answered by [`crate::Reply::Done`].
    SetProfile {
        /// At most [`livechat_wire::limits::DISPLAY_NAME`] bytes; empty: by the username alone.
        name: String,
    },
    /// To agree to a conversation that somebody else began. Answered by [`crate::Reply::Done`].
    Accept {
        /// Which.
        conversation: ConversationId,
    },
    /// To note that a contact's safety number was compared, or must be again. Answered by [`crate::Reply::Done`].
    Verify {
        /// Whose.
        account: AccountId,
        /// Compared, or no longer.
        verified: bool,
    },
    /// To compare the code that a contact shows with what we see; then they are verified. Answered by
    /// [`crate::Reply::Contact`].
    CheckCode {
        /// As scanned, pasted or typed.
        text: String,
    },
    /// To hear no more from a conversation, or again. Answered by [`crate::Reply::Done`].
    Block {
        /// Which.
        conversation: ConversationId,
        /// No more, or again.
        blocked: bool,
    },
    /// To keep a conversation at the top. Answered by [`crate::Reply::Done`].
    Pin {
        /// Which.
        conversation: ConversationId,
        /// At the top, or not.
        pinned: bool,
    },
    /// Not to be disturbed by a conversation. Answered by [`crate::Reply::Done`].
    Mute {
        /// Which.
        conversation: ConversationId,
        /// Unix milliseconds; none: no longer muted.
        until: Option<u64>,
    },
    /// To put a conversation out of sight until something new comes. Answered by [`crate::Reply::Done`].
    Archive {
        /// Which.
        conversation: ConversationId,
        /// Out of sight, or back.
        archived: bool,
    },
    /// To found a group with these people. Answered by [`crate::Reply::Group`].
    CreateGroup {
        /// 1 ..= [`livechat_wire::limits::TITLE`] bytes.
        title: String,
        /// Names at our relay.
        members: Vec<String>,
    },
    /// To take somebody into a group. Like all changes of a group it is answered by [`crate::Reply::Done`] once it is
    /// noted, and takes effect when the order service has put it in its place.
    Invite {
        /// Which group.
        conversation: ConversationId,
        /// A name at our relay.
        username: String,
    },
    /// To take somebody out of a group.
    Remove {
        /// Which group.
        conversation: ConversationId,
        /// Whom.
        account: AccountId,
    },
    /// To change what somebody may do.
    SetRole {
        /// Which group.
        conversation: ConversationId,
        /// Whose role.
        account: AccountId,
        /// What they may do from now on.
        role: Role,
    },
    /// To call a group something else.
    SetTitle {
        /// Which group.
        conversation: ConversationId,
        /// 1 ..= [`livechat_wire::limits::TITLE`] bytes.
        title: String,
    },
    /// To make a link into a group. Answered by [`crate::Reply::Link`]; it opens once the order service has put it in
    /// its place.
    MakeLink {
        /// Which group.
        conversation: ConversationId,
        /// Seconds from now until it is shut; none: it isn't.
        expires_in: Option<u64>,
        /// How many may come in by it; none: any number.
        uses: Option<u32>,
    },
    /// To shut one for good.
    RevokeLink {
        /// Which group.
        conversation: ConversationId,
        /// From [`crate::view::GroupLink`].
        door: String,
    },
    /// To come in by a link. Answered by [`crate::Reply::Joining`].
    JoinLink {
        /// Its text.
        link: Secret,
    },
    /// To wait no longer, or to put a refusal out of sight. Answered by [`crate::Reply::Done`].
    CancelJoin {
        /// From [`crate::view::Joining`].
        door: String,
    },
    /// To found a group that anybody with its link may join, and whose members all let others in. Answered by
    /// [`crate::Reply::Joining`]; [`crate::Engine::lobbies`] has its link.
    FoundLobby {
        /// 1 ..= [`livechat_wire::limits::TITLE`] bytes.
        title: String,
    },
    /// To leave a group.
    Leave {
        /// Which group.
        conversation: ConversationId,
    },
    /// To let a further device speak for this account; its owner has compared its code. Answered by
    /// [`crate::Reply::Done`] once it is noted; in force when [`Input::OwnLog`] says it.
    AddDevice {
        /// The device, as it waits at the relay.
        bundle: Box<Bundle>,
    },
    /// To let another device of ours speak for this account no more, for ever. Answered and in force like the above.
    RevokeDevice {
        /// Which.
        device: DeviceId,
    },
    /// To tell a device that was added here where a backup lies that was made for it. Answered by
    /// [`crate::Reply::Done`].
    HandOver {
        /// Which.
        device: DeviceId,
        /// What.
        left: Left,
    },
    /// What was left for this device was taken, or isn't wanted. Answered by [`crate::Reply::Done`].
    TakenOver,
    /// To mark everything up to a position as read. Answered by [`crate::Reply::Done`].
    MarkRead {
        /// Where.
        conversation: ConversationId,
        /// Up to and including this one.
        position: u64,
    },
}

/// Why a file is not kept, or not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileFailure {
    /// The relay can't be reached, or nobody is logged in there.
    #[error("the relay can't be reached")]
    Unreachable,
    /// It keeps no more of our files, or has no such file.
    #[error("the relay refused")]
    Refused,
}

/// Why the directory gave no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupFailure {
    /// Nobody has that name.
    #[error("nobody has that name")]
    NotFound,
    /// The relay can't be reached.
    #[error("the relay can't be reached")]
    Unreachable,
    /// Too many look-ups.
    #[error("too many look-ups; wait {retry_after} s")]
    TooMany {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// The relay answered something else.
    #[error("the relay failed")]
    Failed,
}
