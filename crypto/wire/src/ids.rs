//! Identifiers as newtypes: none can be passed where another is meant.

use core::fmt;
use core::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Text that is not the hexadecimal form of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected {0} hexadecimal digits")]
pub struct ParseIdError(usize);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Bytes of this id.
            pub const LEN: usize = $len;

            /// The id as bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            /// The first eight digits: enough to tell two apart in a log.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}…)"), HEXLOWER.encode(&self.0[..4]))
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(s: &str) -> Result<Self, ParseIdError> {
                HEXLOWER
                    .decode(s.as_bytes())
                    .ok()
                    .and_then(|b| b.try_into().ok())
                    .map(Self)
                    .ok_or(ParseIdError($len * 2))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// An account: SHA-256 over its first identity key ([`AccountId::of`]). Outlives names, devices and rotations.
    AccountId, 32
);
id!(
    /// A device: SHA-256 over its Ed25519 key ([`DeviceId::of`]).
    DeviceId, 32
);
id!(
    /// An envelope: SHA-256 over all of its 2,048 bytes, so that no bit can be varied under the same id.
    EnvelopeId, 32
);
id!(
    /// A conversation. For a direct chat: SHA-256 over both account ids, sorted ([`ConversationId::direct`]).
    ConversationId, 32
);
id!(
    /// A relay: its Ed25519 key, which signs receipts.
    RelayId, 32
);
id!(
    /// Where the commits of one epoch of one group are put in order; random to everybody but members.
    SlotId, 32
);
id!(
    /// A message, chosen at random by its author; survives re-sending under other envelopes.
    MessageId, 16
);
id!(
    /// A file's bytes at the relay, chosen at random by who put them there: whoever knows it may fetch them.
    BlobId, 32
);
id!(
    /// The mark by which a recipient finds an envelope among everyone's; random to everybody else.
    Tag, 16
);

fn hash(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut h = Sha256::new();
    h.update(domain.as_bytes());
    for p in parts {
        h.update(p);
    }
    h.finalize().into()
}

impl AccountId {
    /// The account whose first identity key is `identity` (Ed25519, 32 bytes).
    #[must_use]
    pub fn of(identity: &[u8; 32]) -> Self {
        Self(hash("livechat account v1", &[identity]))
    }
}

impl DeviceId {
    /// The device with this Ed25519 key.
    #[must_use]
    pub fn of(key: &[u8; 32]) -> Self {
        Self(hash("livechat device v1", &[key]))
    }
}

impl EnvelopeId {
    /// The id of these envelope bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hash("livechat envelope v1", &[bytes]))
    }
}

impl ConversationId {
    /// The direct chat of two accounts, the same from either side.
    #[must_use]
    pub fn direct(a: &AccountId, b: &AccountId) -> Self {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        Self(hash("livechat direct v1", &[&low.0, &high.0]))
    }

    /// The conversation of the MLS group with this id.
    #[must_use]
    pub fn group(id: &[u8; 16]) -> Self {
        Self(hash("livechat group v1", &[id]))
    }
}
