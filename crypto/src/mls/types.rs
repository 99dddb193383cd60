//! What goes into a [`super::Session`] and what comes out.

use core::fmt;

use livechat_wire::AccountId;
use livechat_wire::account::AccountLog;
use zeroize::Zeroizing;

/// The cipher suite of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Suite {
    /// X-Wing (X25519 and ML-KEM-768), ChaCha20-Poly1305, SHA-256, Ed25519: ours, post-quantum from the first message.
    #[default]
    XWing,
    /// MLS 0x0003: X25519, ChaCha20-Poly1305, SHA-256, Ed25519. For conformance with other implementations.
    X25519,
}

/// A group, chosen at random by its creator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub [u8; 16]);

impl fmt::Debug for GroupId {
    /// The first eight digits: enough to tell two apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupId({}…)", data_encoding::HEXLOWER.encode(&self.0[..4]))
    }
}

/// A device in a group: its place, and whom its certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Leaf index in the ratchet tree.
    pub leaf: u32,
    /// The account it claims; true only if that account's log has the key ([`Member::is_in`]).
    pub account: AccountId,
    /// Its Ed25519 key, which signs everything it sends here.
    pub device_key: [u8; 32],
}

impl Member {
    /// Whether `log` is its account's and says that this device speaks for it.
    #[must_use]
    pub fn is_in(&self, log: &AccountLog) -> bool {
        log.account() == self.account && log.has_device(&self.device_key)
    }
}

/// A device to take into a room.
#[derive(Debug, Clone, Copy)]
pub struct PeerDevice<'a> {
    /// Its account's log, already trusted by the caller.
    pub log: &'a AccountLog,
    /// Which of the log's devices.
    pub device_key: [u8; 32],
    /// What it published to be reached: the bytes of [`super::Session::key_package`].
    pub key_package: &'a [u8],
}

/// A room was founded, with others in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its name.
    pub group: GroupId,
    /// As it is now.
    pub room: super::Room,
    /// The way in for each of the others, in order: a serialised `MLSMessage` with a Welcome for it alone and the
    /// ratchet tree.
    pub welcomes: Vec<Vec<u8>>,
}

/// A room was joined. The caller checks its seats against the logs it trusts ([`Member::is_in`]) before it uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Its name.
    pub group: GroupId,
    /// Who signed the Welcome's group info.
    pub creator: Member,
    /// As it is now, this device in it.
    pub room: super::Room,
}

/// Content, encrypted for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// A serialised `MLSMessage` holding a PrivateMessage.
    pub message: Vec<u8>,
    /// The MLS epoch it belongs to.
    pub epoch: u64,
}

/// Content, decrypted and authenticated.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// What was said.
    pub content: Vec<u8>,
    /// What the sender bound it to.
    pub aad: Vec<u8>,
    /// Who said it.
    pub sender: Member,
    /// The MLS epoch it was said in.
    pub epoch: u64,
}

impl fmt::Debug for Opened {
    /// Prints everything but what was said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("sender", &self.sender).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// What [`crate::envelope::EnvelopeKeys`] of a group's current epoch are made from.
#[derive(Clone, PartialEq, Eq)]
pub struct EpochSecret {
    /// The MLS epoch.
    pub epoch: u64,
    /// This device's leaf.
    pub own_leaf: u32,
    /// Leaves of all members, ascending, ours among them.
    pub leaves: Vec<u32>,
    /// The exporter's output.
    pub secret: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for EpochSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EpochSecret")
            .field("epoch", &self.epoch)
            .field("own_leaf", &self.own_leaf)
            .field("leaves", &self.leaves)
            .finish_non_exhaustive()
    }
}
