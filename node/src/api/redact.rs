//! What of the API never prints: codes, setup keys, recovery codes, and what people say to each other.

use std::fmt;

use super::{BackedUp, ConversationId, GroupLink, RecoveryCodes, RecoveryPhrase, Request, SignUpTicket, SignedUp};

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => f.write_str("Status"),
            Self::CheckUsername { username } => f.debug_struct("CheckUsername").field("username", username).finish(),
            Self::SignUp { username } => f.debug_struct("SignUp").field("username", username).finish(),
            Self::ConfirmSignUp { .. } => f.debug_struct("ConfirmSignUp").finish_non_exhaustive(),
            Self::CancelSignUp => f.write_str("CancelSignUp"),
            Self::LogIn { username, .. } => f.debug_struct("LogIn").field("username", username).finish_non_exhaustive(),
            Self::Link { username, phrase, .. } => f
                .debug_struct("Link")
                .field("username", username)
                .field("phrase", &phrase.is_some())
                .finish_non_exhaustive(),
            Self::Erase => f.write_str("Erase"),
            Self::CancelLink => f.write_str("CancelLink"),
            Self::Devices => f.write_str("Devices"),
            Self::AddDevice { history, .. } => {
                f.debug_struct("AddDevice").field("history", history).finish_non_exhaustive()
            }
            Self::GiveHistory { device } => f.debug_struct("GiveHistory").field("device", device).finish(),
            Self::Handovers => f.write_str("Handovers"),
            Self::CancelHandover { device } => f.debug_struct("CancelHandover").field("device", device).finish(),
            Self::HistorySize => f.write_str("HistorySize"),
            Self::RemoveDevice { device } => f.debug_struct("RemoveDevice").field("device", device).finish(),
            Self::LogOut => f.write_str("LogOut"),
            Self::Lock => f.write_str("Lock"),
            Self::UnlockByPhrase { .. } => f.debug_struct("UnlockByPhrase").finish_non_exhaustive(),
            Self::UnlockByPassphrase { .. } => f.debug_struct("UnlockByPassphrase").finish_non_exhaustive(),
            Self::Vault => f.write_str("Vault"),
            Self::SetVault { stay_unlocked, lock_after } => f
                .debug_struct("SetVault")
                .field("stay_unlocked", stay_unlocked)
                .field("lock_after", lock_after)
                .finish(),
            Self::SetPassphrase { .. } => f.debug_struct("SetPassphrase").finish_non_exhaustive(),
            Self::NewRecoveryCodes { .. } => f.debug_struct("NewRecoveryCodes").finish_non_exhaustive(),
            Self::AddAuthenticator { .. } => f.debug_struct("AddAuthenticator").finish_non_exhaustive(),
            Self::ConfirmAuthenticator { .. } => f.debug_struct("ConfirmAuthenticator").finish_non_exhaustive(),
            Self::RemoveAuthenticator { .. } => f.debug_struct("RemoveAuthenticator").finish_non_exhaustive(),
            Self::Phrase => f.write_str("Phrase"),
            Self::ConfirmPhrase { .. } => f.debug_struct("ConfirmPhrase").finish_non_exhaustive(),
            Self::CheckPhrase { .. } => f.debug_struct("CheckPhrase").finish_non_exhaustive(),
            Self::Sessions => f.write_str("Sessions"),
            Self::EndSession { id } => f.debug_struct("EndSession").field("id", id).finish(),
            Self::ChangeUsername { username, .. } => {
                f.debug_struct("ChangeUsername").field("username", username).finish_non_exhaustive()
            }
            Self::DeleteAccount { .. } => f.debug_struct("DeleteAccount").finish_non_exhaustive(),
            Self::AddContact { username } => f.debug_struct("AddContact").field("username", username).finish(),
            Self::Contacts => f.write_str("Contacts"),
            Self::Conversations => f.write_str("Conversations"),
            Self::History { conversation, before, limit } => f
                .debug_struct("History")
                .field("conversation", conversation)
                .field("before", before)
                .field("limit", limit)
                .finish(),
            Self::HistoryAt { conversation, position, .. } => at(f, "HistoryAt", conversation, position),
            Self::Backup { path, .. } => f.debug_struct("Backup").field("path", path).finish_non_exhaustive(),
            Self::Restore { path, .. } => f.debug_struct("Restore").field("path", path).finish_non_exhaustive(),
            Self::Search { conversation, order, limit, .. } => f
                .debug_struct("Search")
                .field("conversation", conversation)
                .field("order", order)
                .field("limit", limit)
                .finish_non_exhaustive(),
            Self::Send { conversation, text, id, reply_to } => f
                .debug_struct("Send")
                .field("conversation", conversation)
                .field("bytes", &text.len())
                .field("id", id)
                .field("reply_to", reply_to)
                .finish_non_exhaustive(),
            Self::FileSpace => f.write_str("FileSpace"),
            Self::DirectFiles => f.write_str("DirectFiles"),
            Self::SetDirectFiles { on } => f.debug_struct("SetDirectFiles").field("on", on).finish(),
            // Names and places of files are what people say to each other.
            Self::SendFile { conversation, id, as_is, .. } => f
                .debug_struct("SendFile")
                .field("conversation", conversation)
                .field("id", id)
                .field("as_is", as_is)
                .finish_non_exhaustive(),
            Self::FetchFile { conversation, position } => at(f, "FetchFile", conversation, position),
            Self::SaveFile { conversation, position, .. } => at(f, "SaveFile", conversation, position),
            Self::Transfers => f.write_str("Transfers"),
            Self::CancelTransfer { conversation, message } => {
                f.debug_struct("CancelTransfer").field("conversation", conversation).field("message", message).finish()
            }
            Self::CreateGroup { members, .. } => {
                f.debug_struct("CreateGroup").field("members", &members.len()).finish_non_exhaustive()
            }
            Self::Group { conversation } => f.debug_struct("Group").field("conversation", conversation).finish(),
            Self::Invite { conversation, username } => {
                f.debug_struct("Invite").field("conversation", conversation).field("username", username).finish()
            }
            Self::RemoveMember { conversation, account } => {
                f.debug_struct("RemoveMember").field("conversation", conversation).field("account", account).finish()
            }
            Self::SetRole { conversation, account, role } => f
                .debug_struct("SetRole")
                .field("conversation", conversation)
                .field("account", account)
                .field("role", role)
                .finish(),
            Self::SetTitle { conversation, .. } => {
                f.debug_struct("SetTitle").field("conversation", conversation).finish_non_exhaustive()
            }
            Self::MakeLink { conversation, expires_in, uses } => f
                .debug_struct("MakeLink")
                .field("conversation", conversation)
                .field("expires_in", expires_in)
                .field("uses", uses)
                .finish(),
            Self::Links { conversation } => f.debug_struct("Links").field("conversation", conversation).finish(),
            Self::RevokeLink { conversation, door } => {
                f.debug_struct("RevokeLink").field("conversation", conversation).field("door", door).finish()
            }
            Self::JoinLink { .. } => f.debug_struct("JoinLink").finish_non_exhaustive(),
            Self::Joinings => f.write_str("Joinings"),
            Self::Lobby => f.write_str("Lobby"),
            Self::CancelJoin { door } => f.debug_struct("CancelJoin").field("door", door).finish(),
            Self::LeaveGroup { conversation } => {
                f.debug_struct("LeaveGroup").field("conversation", conversation).finish()
            }
            Self::Forward { from, position, to, id } => f
                .debug_struct("Forward")
                .field("from", from)
                .field("position", position)
                .field("to", to)
                .field("id", id)
                .finish(),
            Self::Edit { conversation, position, text } => f
                .debug_struct("Edit")
                .field("conversation", conversation)
                .field("position", position)
                .field("bytes", &text.len())
                .finish_non_exhaustive(),
            Self::Revisions { conversation, position } => at(f, "Revisions", conversation, position),
            Self::Delete { conversation, position, .. } => at(f, "Delete", conversation, position),
            Self::React { conversation, position, .. } => at(f, "React", conversation, position),
            Self::SetTimer { conversation, seconds } => {
                f.debug_struct("SetTimer").field("conversation", conversation).field("seconds", seconds).finish()
            }
            Self::Typing { conversation, typing } => arranges(f, "Typing", conversation, typing),
            Self::SetDraft { conversation, text } => {
                f.debug_struct("SetDraft").field("conversation", conversation).field("bytes", &text.len()).finish()
            }
            Self::Accept { conversation } => arranges(f, "Accept", conversation, &true),
            Self::Block { conversation, blocked } => arranges(f, "Block", conversation, blocked),
            Self::SafetyCode { account } => f.debug_struct("SafetyCode").field("account", account).finish(),
            Self::CheckCode { .. } => f.debug_struct("CheckCode").finish_non_exhaustive(),
            Self::Verify { account, verified } => {
                f.debug_struct("Verify").field("account", account).field("verified", verified).finish()
            }
            Self::Pin { conversation, pinned } => arranges(f, "Pin", conversation, pinned),
            Self::Mute { conversation, until } => {
                f.debug_struct("Mute").field("conversation", conversation).field("until", until).finish()
            }
            Self::Archive { conversation, archived } => arranges(f, "Archive", conversation, archived),
            Self::Profile => f.write_str("Profile"),
            Self::SetProfile { display_name } => {
                f.debug_struct("SetProfile").field("bytes", &display_name.len()).finish_non_exhaustive()
            }
            Self::MarkRead { conversation, position } => at(f, "MarkRead", conversation, position),
        }
    }
}

fn at(f: &mut fmt::Formatter<'_>, name: &str, conversation: &ConversationId, position: &u64) -> fmt::Result {
    f.debug_struct(name).field("conversation", conversation).field("position", position).finish_non_exhaustive()
}

fn arranges(f: &mut fmt::Formatter<'_>, name: &str, conversation: &ConversationId, on: &bool) -> fmt::Result {
    f.debug_struct(name).field("conversation", conversation).field("on", on).finish()
}

impl fmt::Debug for BackedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackedUp").field("path", &self.path).field("messages", &self.messages).finish_non_exhaustive()
    }
}

impl fmt::Debug for GroupLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupLink").field("door", &self.door).field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Debug for SignUpTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignUpTicket")
            .field("username", &self.username)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SignedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedUp")
            .field("username", &self.username)
            .field("recovery_codes", &self.recovery_codes.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryCodes").field("recovery_codes", &self.recovery_codes.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for RecoveryPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryPhrase").field("ask", &self.ask).finish_non_exhaustive()
    }
}
