//! Everything that can be asked.

use serde::{Deserialize, Serialize};

use super::{AccountId, ConversationId, DeviceId, MessageId, Role, SearchOrder};
#[cfg(doc)]
use super::{Event, Response};

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
    /// Adds this device to an account that there is. Answered by [`Response::Linking`] when another device has to let it
    /// in, by [`Response::Done`] when the phrase did. The node keeps waiting over restarts.
    Link {
        /// The account's name.
        username: String,
        /// Six digits, or a recovery code.
        code: String,
        /// The account's recovery phrase, 24 words, where no other device is at hand.
        phrase: Option<String>,
    },
    /// Waits no longer to be added. Answered by [`Response::Done`].
    CancelLink,
    /// The devices of this account, those that were removed too. Answered by [`Response::Devices`].
    Devices,
    /// Lets the device that shows this code speak for this account. Answered by [`Response::Done`] once it is noted;
    /// [`Event::DevicesChanged`] tells when it is in force.
    AddDevice {
        /// As shown, scanned or typed.
        code: String,
        /// Give it contacts, names and history too, as [`Request::GiveHistory`] does, as soon as it is in.
        history: bool,
    },
    /// Gives a device that was added here the contacts, names, settings and history of this one: sealed for it alone,
    /// by way of the relay, also when one of the two is off meanwhile. Answered by [`Response::Handover`];
    /// [`Event::HandoverChanged`] tells how it goes, on both devices.
    GiveHistory {
        /// From [`Response::Devices`].
        #[cfg_attr(test, ts(type = "string"))]
        device: DeviceId,
    },
    /// What is being given to other devices of this account, and to this one. Answered by [`Response::Handovers`].
    Handovers,
    /// Stops a handover on this side, or takes a failed one off the list. What was taken over already stays. Answered by
    /// [`Response::Done`].
    CancelHandover {
        /// To which device, as in [`Response::Handovers`]; none for what comes to this one.
        #[cfg_attr(test, ts(type = "string | null"))]
        device: Option<DeviceId>,
    },
    /// How much history there is to be given. Answered by [`Response::HistorySize`].
    HistorySize,
    /// Lets a device of this account speak for it no more, for ever. Answered like [`Request::AddDevice`].
    RemoveDevice {
        /// From [`Response::Devices`].
        #[cfg_attr(test, ts(type = "string"))]
        device: DeviceId,
    },
    /// Erases everything on a device that was removed from its account. Answered by [`Response::Done`].
    Erase,
    /// Begins a ten-day session. Answered by [`Response::Done`].
    LogIn {
        /// Name.
        username: String,
        /// Six digits, or a recovery code.
        code: String,
    },
    /// Ends the session here and at the relay. Answered by [`Response::Done`].
    LogOut,
    /// Closes this device's store; the session goes on. Answered by [`Response::Done`] once nothing is left in memory.
    Lock,
    /// Opens a locked device without the relay. Answered by [`Response::Done`].
    UnlockByPhrase {
        /// 24 words.
        phrase: String,
    },
    /// The same with the passphrase, if there is one. Answered by [`Response::Done`].
    UnlockByPassphrase {
        /// As typed.
        passphrase: String,
    },
    /// How this device's vault is kept. Answered by [`Response::Vault`].
    Vault,
    /// Changes that. Answered by [`Response::Done`].
    SetVault {
        /// Whether a log-in keeps the device open until the session ends, restarts included.
        stay_unlocked: bool,
        /// Seconds without a request after which it locks; zero for never.
        lock_after: u32,
    },
    /// Puts a passphrase into force as a further way in; none removes it. Answered by [`Response::Done`].
    SetPassphrase {
        /// At least eight characters.
        passphrase: Option<String>,
    },
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
    /// The account's recovery phrase, until it was checked. Answered by [`Response::Phrase`].
    Phrase,
    /// Two of its words, to show that it was written down; after that it is never shown again. Answered by
    /// [`Response::Done`].
    ConfirmPhrase {
        /// The words at the places that [`Response::Phrase`] asks for, in that order.
        words: Vec<String>,
    },
    /// Whether what somebody wrote down is this account's phrase. Answered by [`Response::Done`].
    CheckPhrase {
        /// 24 words.
        phrase: String,
    },
    /// Everywhere this account is logged in. Answered by [`Response::Sessions`].
    Sessions,
    /// Logs one of them out. Answered by [`Response::Done`].
    EndSession {
        /// From [`Response::Sessions`].
        id: String,
    },
    /// Gives the account another name; its contacts learn of it. The name before stays held for thirty days, and leads
    /// nobody here. Answered by [`Response::Done`].
    ChangeUsername {
        /// Wanted name.
        username: String,
        /// Six digits, or a recovery code.
        code: String,
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
    /// A page of history around a position, such as that of a hit. Answered by [`Response::History`].
    HistoryAt {
        /// Of which conversation.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// The position.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
        /// At most so many messages before it, 0 ..= 200.
        older: u32,
        /// At most so many from it on, 0 ..= 200.
        newer: u32,
    },
    /// Looks for words in what was said. Blocked conversations are left out unless named. Answered by
    /// [`Response::Found`].
    Search {
        /// Words, parts of words, or phrases in quotes, which all must be there, whatever their case and accents; and
        /// `from:NAME`, `after:2026`, `after:2026-03`, `before:2026-03-01`, which narrow it down.
        query: String,
        /// Only here.
        #[cfg_attr(test, ts(type = "string | null"))]
        conversation: Option<ConversationId>,
        /// What comes first.
        order: SearchOrder,
        /// Where an earlier answer to the same question said it goes on.
        next: Option<String>,
        /// How many, 1 ..= 100.
        limit: u32,
    },
    /// Writes a sealed backup to a file. Only by a program on the Unix socket, not by a browser's page, which saves
    /// it by itself. Answered by [`Response::BackedUp`].
    Backup {
        /// Where: an absolute path at which nothing is yet.
        path: String,
        /// What opens it again, at least 12 characters; one is made when there is none.
        secret: Option<String>,
    },
    /// Gives history, contacts and settings of a backup back, all or nothing. Like [`Request::Backup`] in who may ask.
    /// Answered by [`Response::Restored`].
    Restore {
        /// The file.
        path: String,
        /// What it was sealed with.
        secret: String,
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
    /// How much room the relay has for files. Answered by [`Response::FileSpace`].
    FileSpace,
    /// Whether files go straight from one device to the other where that is possible. Answered by
    /// [`Response::DirectFiles`].
    DirectFiles,
    /// Files go straight from one device to the other from now on, or don't, which is how it begins: in direct chats
    /// whose contact wants it too. Either end then sees the other's network address. Answered by [`Response::Done`].
    SetDirectFiles {
        /// Whether they do.
        on: bool,
    },
    /// Sends a file of the machine that the node runs on. Answered by [`Response::Transfer`] once the node has a sealed
    /// copy: from then on it goes by itself, over any restart, and becomes a message when the relay has all of it.
    /// Images are encoded anew, without what a camera stores in them.
    SendFile {
        /// Where to.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// From the root.
        path: String,
        /// What to call it; none: as its path ends.
        name: Option<String>,
        /// Of the message it becomes, as with [`Request::Send`].
        #[cfg_attr(test, ts(type = "string | null"))]
        id: Option<MessageId>,
        /// Leaves images as they are, with place and time of the shot and whatever else is stored in them.
        as_is: bool,
    },
    /// Fetches the file of a message onto this device, sealed. Answered by [`Response::Transfer`];
    /// [`Event::TransferChanged`] tells how it goes.
    FetchFile {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Which message.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
    },
    /// Saves the file of a message in the open, and fetches it before, if need be. Nothing is overwritten. Answered by
    /// [`Response::Saved`] when it is there.
    SaveFile {
        /// Where.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Which message.
        #[cfg_attr(test, ts(type = "number"))]
        position: u64,
        /// A folder, or a file that isn't there yet; from the root.
        to: String,
    },
    /// Files that are on their way, wait, or failed. Answered by [`Response::Transfers`].
    Transfers,
    /// Stops one, or takes a failed one off the list. Answered by [`Response::Done`].
    CancelTransfer {
        /// From [`Response::Transfers`].
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// From there too.
        #[cfg_attr(test, ts(type = "string"))]
        message: MessageId,
    },
    /// Passes the words of a message on, or its file. Answered by [`Response::Sent`].
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
    /// Notes that a contact's safety number was compared, or must be again. Answered by [`Response::Done`].
    Verify {
        /// Whose.
        #[cfg_attr(test, ts(type = "string"))]
        account: AccountId,
        /// Compared, or no longer.
        verified: bool,
    },
    /// What to show a contact who wants to be sure whom they talk to. Answered by [`Response::SafetyCode`].
    SafetyCode {
        /// Whose.
        #[cfg_attr(test, ts(type = "string"))]
        account: AccountId,
    },
    /// Compares what a contact shows with what is seen here; then they are verified. Answered by
    /// [`Response::Contact`], refused as untrusted when somebody may be in between.
    CheckCode {
        /// As scanned, pasted or typed.
        code: String,
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
    /// Makes a link into a group, for whoever has it to come in by. Answered by [`Response::Link`]; it opens once the
    /// relay has put it in its place.
    MakeLink {
        /// Which group.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// Seconds from now until it is shut; none: it stays open.
        #[cfg_attr(test, ts(type = "number | null"))]
        expires_in: Option<u64>,
        /// How many may come in by it, at least 1; none: any number.
        uses: Option<u32>,
    },
    /// The links into a group. Answered by [`Response::Links`].
    Links {
        /// Which group.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
    },
    /// Shuts a link for good. Answered by [`Response::Done`] once it is noted.
    RevokeLink {
        /// Which group.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
        /// From [`Response::Links`].
        door: String,
    },
    /// Comes in by a link. Answered by [`Response::Joining`]; [`Event::JoiningChanged`] tells when somebody opened.
    JoinLink {
        /// Its text.
        link: String,
    },
    /// Goes into the relay's lobby, the group that any account of the relay may join; founds it where there is none.
    /// Answered by [`Response::Joining`], like [`Request::JoinLink`].
    Lobby,
    /// Where this account knocked and isn't in yet. Answered by [`Response::Joinings`].
    Joinings,
    /// Waits no longer, or puts a refusal out of sight. Answered by [`Response::Done`].
    CancelJoin {
        /// From [`Response::Joinings`].
        door: String,
    },
    /// Leaves a group. Its history stays.
    LeaveGroup {
        /// Which group.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
    },
}
