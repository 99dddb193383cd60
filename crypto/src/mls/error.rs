//! What can go wrong, one enum per operation, by who must act.

use livechat_wire::DeviceId;

use super::provider::StorageError;
use super::rules::CommitProblem;
use super::types::Member;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// OpenMLS refused for a reason that nobody but us can act on: a bug, here or there.
#[derive(Debug, thiserror::Error)]
#[error("the MLS library refused")]
pub struct MlsError(#[source] Source);

impl MlsError {
    pub(super) fn new(source: impl Into<Source>) -> Self {
        Self(source.into())
    }
}

/// Making a KeyPackage failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyPackageError {
    /// The store failed, or holds damaged state.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// A bug.
    #[error(transparent)]
    Mls(#[from] MlsError),
}

/// Why a KeyPackage can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyPackageProblem {
    /// Not a KeyPackage.
    #[error("it is malformed")]
    Malformed,
    /// A signature doesn't hold, or keys that must differ don't.
    #[error("it doesn't verify")]
    Invalid,
    /// Another suite than the group's.
    #[error("it is for another cipher suite")]
    Suite,
    /// The credential names another account than the log's.
    #[error("it names another account")]
    Account,
    /// The leaf's key is not that of the device it was asked of.
    #[error("it belongs to another device")]
    Device,
    /// The account's log doesn't say that this device speaks for it.
    #[error("the account's log doesn't have the device")]
    NotInLog,
    /// It has no member record that holds.
    #[error("it lacks the record that every leaf carries")]
    Record,
    /// No validity, or a longer one than allowed.
    #[error("its validity is missing or too long")]
    Validity,
    /// From the future: one of the two clocks is wrong.
    #[error("it is not valid yet")]
    NotYet,
    /// Too old.
    #[error("it has expired")]
    Expired,
}

/// Joining a group failed. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// Its tree has more leaves than any group of ours.
    #[error("the group is too large")]
    TooLarge,
    /// Not a Welcome.
    #[error("the welcome is malformed")]
    Malformed,
    /// None of our KeyPackages opens it: it is another device's, or was used before.
    #[error("the welcome is for none of our key packages")]
    NotForUs,
    /// We are in that group already.
    #[error("the group was joined before")]
    Known,
    /// A member's credential or key, or the group's id, is not of our kind; or our own leaf isn't ours.
    #[error("the group has members that are no devices of accounts")]
    Foreign,
    /// Signatures, tree or key schedule don't hold.
    #[error("the welcome doesn't verify")]
    Invalid(#[source] Source),
    /// The store failed, or holds damaged state.
    #[error(transparent)]
    Store(#[from] StorageError),
}

/// Encrypting failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// We are in no such group.
    #[error("no such group")]
    UnknownGroup,
    /// The store failed, or holds damaged state.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// A bug.
    #[error(transparent)]
    Mls(#[from] MlsError),
}

/// Decrypting failed. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// We are in no such group.
    #[error("no such group")]
    UnknownGroup,
    /// Not a private MLS message.
    #[error("the message is malformed")]
    Malformed,
    /// It says it is of another group.
    #[error("the message belongs to another group")]
    OtherGroup,
    /// It is of an epoch we no longer have, or don't have yet.
    #[error("the message is of an epoch that is not at hand")]
    Epoch,
    /// We sent it ourselves.
    #[error("the message is our own")]
    Own,
    /// Its key is gone or out of reach: opened before, more than [`crate::limits::OUT_OF_ORDER`] late, or more than
    /// [`crate::limits::FORWARD`] ahead.
    #[error("the message was opened before or is too far out of order")]
    Window,
    /// It doesn't authenticate.
    #[error("the message doesn't authenticate")]
    Forged,
    /// A proposal or commit, or from someone who is no member.
    #[error("the message carries no content from a member")]
    NotContent,
    /// The store failed, or holds damaged state.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// A bug.
    #[error(transparent)]
    Mls(#[from] MlsError),
}

/// Looking at a group failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// We are in no such group.
    #[error("no such group")]
    UnknownGroup,
    /// The store failed, or holds damaged state.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// A bug.
    #[error(transparent)]
    Mls(#[from] MlsError),
}

/// Preparing a commit failed. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// We are in no such group.
    #[error("no such group")]
    UnknownGroup,
    /// What a device published can't be used; ask the directory for another.
    #[error("the KeyPackage of device {device} can't be used: {problem}")]
    KeyPackage {
        /// Whose.
        device: DeviceId,
        /// Why not.
        problem: KeyPackageProblem,
    },
    /// Other members would refuse it.
    #[error("the commit would be refused: {0}")]
    Refused(CommitProblem),
    /// It doesn't fit a slot: fewer newcomers at once.
    #[error("the commit is too long")]
    TooLong,
    /// The store failed, or holds damaged state.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// A bug.
    #[error(transparent)]
    Mls(#[from] MlsError),
}

/// Putting a commit into force failed. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// We are in no such group.
    #[error("no such group")]
    UnknownGroup,
    /// It is of an epoch that is over, or not yet here.
    #[error("the commit is of another epoch")]
    Epoch,
    /// It is our own: [`super::Session::merge_staged`].
    #[error("the commit is our own")]
    Own,
    /// Every member refuses it, alike.
    #[error("the commit is refused: {problem}")]
    Invalid {
        /// Whose it is, when that is proven.
        by: Option<Member>,
        /// Why.
        problem: CommitProblem,
    },
    /// The store failed, or holds damaged state.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// A bug.
    #[error(transparent)]
    Mls(#[from] MlsError),
}

impl From<GroupError> for StageError {
    fn from(e: GroupError) -> Self {
        match e {
            GroupError::UnknownGroup => Self::UnknownGroup,
            GroupError::Store(e) => Self::Store(e),
            GroupError::Mls(e) => Self::Mls(e),
        }
    }
}

impl From<ApplyError> for StageError {
    /// Of a commit of our own that nobody else can come before.
    fn from(e: ApplyError) -> Self {
        match e {
            ApplyError::UnknownGroup => Self::UnknownGroup,
            ApplyError::Invalid { problem, .. } => Self::Refused(problem),
            ApplyError::Store(e) => Self::Store(e),
            ApplyError::Mls(e) => Self::Mls(e),
            ApplyError::Epoch | ApplyError::Own => Self::Refused(CommitProblem::Invalid),
        }
    }
}
