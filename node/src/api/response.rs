//! What is answered.

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::Request;
use super::{
    AccountSession, BackedUp, Contact, Conversation, ConversationId, Device, DeviceTicket, FileSpace, Found, Group,
    GroupLink, Handover, HistoryPage, HistorySize, Joining, Message, RecoveryCodes, RecoveryPhrase, Restored, Revision,
    SafetyCode, SignUpTicket, SignedUp, Status, Transfer, UsernameCheck, VaultInfo,
};

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
    /// To [`Request::Link`].
    Linking(DeviceTicket),
    /// To [`Request::Devices`].
    Devices {
        /// Oldest first.
        devices: Vec<Device>,
    },
    /// To [`Request::NewRecoveryCodes`].
    RecoveryCodes(RecoveryCodes),
    /// To [`Request::AddAuthenticator`].
    Authenticator(SignUpTicket),
    /// To [`Request::Phrase`].
    Phrase(RecoveryPhrase),
    /// To [`Request::Vault`].
    Vault(VaultInfo),
    /// To [`Request::Sessions`].
    Sessions {
        /// Newest first.
        sessions: Vec<AccountSession>,
    },
    /// To [`Request::AddContact`] and [`Request::CheckCode`].
    Contact(Contact),
    /// To [`Request::SafetyCode`].
    SafetyCode(SafetyCode),
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
    /// To [`Request::Search`].
    Found(Found),
    /// To [`Request::Backup`].
    BackedUp(BackedUp),
    /// To [`Request::Restore`].
    Restored(Restored),
    /// To [`Request::Send`] and [`Request::Forward`]; to [`Request::Edit`] and [`Request::React`].
    Sent(Message),
    /// To [`Request::FileSpace`].
    FileSpace(FileSpace),
    /// To [`Request::DirectFiles`].
    DirectFiles {
        /// Whether they do.
        on: bool,
    },
    /// To [`Request::SendFile`] and [`Request::FetchFile`].
    Transfer(Transfer),
    /// To [`Request::GiveHistory`].
    Handover(Handover),
    /// To [`Request::Handovers`].
    Handovers {
        /// Under way, waiting or failed.
        handovers: Vec<Handover>,
    },
    /// To [`Request::HistorySize`].
    HistorySize(HistorySize),
    /// To [`Request::Transfers`].
    Transfers {
        /// By conversation.
        transfers: Vec<Transfer>,
    },
    /// To [`Request::SaveFile`].
    Saved {
        /// Where the file is.
        path: String,
    },
    /// To [`Request::CreateGroup`].
    GroupCreated {
        /// Its conversation.
        #[cfg_attr(test, ts(type = "string"))]
        conversation: ConversationId,
    },
    /// To [`Request::Group`].
    Group(Group),
    /// To [`Request::MakeLink`].
    Link(GroupLink),
    /// To [`Request::Links`].
    Links {
        /// In no order that means anything.
        links: Vec<GroupLink>,
    },
    /// To [`Request::JoinLink`].
    Joining(Joining),
    /// To [`Request::Joinings`].
    Joinings {
        /// Latest first.
        joinings: Vec<Joining>,
    },
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
