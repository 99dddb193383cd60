//! What the node itself keeps in the store: the pending sign-up, the session, sessions to revoke, the relay's card.
//!
//! Namespace 128. Each value is its version (one byte) and JSON; an unknown version is refused, never guessed at.

use livechat_crypto::kv::{Kv, KvError, Namespace};
use livechat_wire::RelayId;
use livechat_wire::http::{Bytes, RelayInfo, SecretText};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::limits;

const NODE: Namespace = Namespace(128);
const VERSION: u8 = 1;

/// What the node keeps can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] KvError),
    /// A value of another version.
    #[error("{key} is of version {found}, this program knows {VERSION}; update it")]
    Version {
        /// Which.
        key: &'static str,
        /// Its version; none when the value is empty.
        found: u8,
    },
    /// A value that isn't one.
    #[error("{key} is damaged: {cause}")]
    Damaged {
        /// Which.
        key: &'static str,
        /// Why.
        cause: serde_json::Error,
    },
}

/// A value as it is kept: its version, then JSON. `key` names it in errors.
pub(crate) fn encode(key: &'static str, value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, SavedError> {
    let mut bytes = Zeroizing::new(vec![VERSION]);
    serde_json::to_writer(&mut *bytes, value).map_err(|cause| SavedError::Damaged { key, cause })?;
    Ok(bytes)
}

/// What [`encode`] made.
pub(crate) fn decode<T: DeserializeOwned>(key: &'static str, bytes: &[u8]) -> Result<T, SavedError> {
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|cause| SavedError::Damaged { key, cause }),
        other => Err(SavedError::Version { key, found: other.map_or(0, |(v, _)| *v) }),
    }
}

/// One kind of saved value.
pub(crate) trait Saved: Serialize + DeserializeOwned {
    const KEY: &'static str;

    fn load(kv: &dyn Kv) -> Result<Option<Self>, SavedError> {
        let Some(value) = kv.get(NODE, Self::KEY.as_bytes())?.map(Zeroizing::new) else { return Ok(None) };
        decode(Self::KEY, &value).map(Some)
    }

    fn save(&self, kv: &mut dyn Kv) -> Result<(), SavedError> {
        Ok(kv.put(NODE, Self::KEY.as_bytes(), &encode(Self::KEY, self)?)?)
    }

    fn clear(kv: &mut dyn Kv) -> Result<(), SavedError> {
        Ok(kv.delete(NODE, Self::KEY.as_bytes())?)
    }
}

/// A sign-up that waits for its first code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pending {
    pub(crate) relay: RelayId,
    pub(crate) bucket_bits: u8,
    pub(crate) username: String,
    pub(crate) ticket: SecretText,
    pub(crate) otpauth_uri: SecretText,
    pub(crate) setup_key: SecretText,
    /// Unix seconds.
    pub(crate) expires_at: u64,
    /// The account's and this device's secrets, made when the sign-up began.
    pub(crate) identity: Bytes,
    /// What the account's recovery phrase stands for.
    pub(crate) phrase: Bytes,
    /// What was sent with a code. Saved before sending: from then on the account may exist, whatever came back.
    pub(crate) sent: Option<Sent>,
    /// Cancelled by the user; kept so that the same name can still be had within its hour.
    pub(crate) dropped: bool,
}

/// The public half of a confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    pub(crate) log: Bytes,
    pub(crate) bundle: Bytes,
}

/// This device waits to be added to an account that there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Linking {
    pub(crate) relay: RelayId,
    pub(crate) bucket_bits: u8,
    pub(crate) username: String,
    /// This device's secrets.
    pub(crate) identity: Bytes,
    /// The account's log when this began; the device's code is computed from it.
    pub(crate) log: Bytes,
    /// The relay's, of a device that it doesn't know yet.
    pub(crate) session: SavedSession,
    /// Unix seconds until which it waits.
    pub(crate) expires_at: u64,
}

/// A recovery phrase that its owner hasn't shown to have written down. Forgotten once they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UncheckedPhrase {
    pub(crate) entropy: Bytes,
    /// Places, counted from 1, of the two words that are asked for.
    pub(crate) ask: [u8; 2],
}

/// The session of this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedSession {
    /// None: opened here without the relay, which knows of no session.
    pub(crate) token: Option<SecretText>,
    /// Unix seconds.
    pub(crate) expires_at: u64,
}

/// Tokens of sessions that ended here and not at the relay yet, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Revocations(pub(crate) Vec<SecretText>);

/// The relay's card, as last read: what a start without it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RelayCard(pub(crate) RelayInfo);

impl Saved for Pending {
    const KEY: &'static str = "pending";
}

impl Saved for Linking {
    const KEY: &'static str = "linking";
}

impl Saved for UncheckedPhrase {
    const KEY: &'static str = "phrase";
}

impl Saved for SavedSession {
    const KEY: &'static str = "session";
}

impl Saved for Revocations {
    const KEY: &'static str = "revocations";
}

impl Saved for RelayCard {
    const KEY: &'static str = "relay";
}

/// Ends the session in the store and notes its token for the relay.
pub(crate) fn end_session(kv: &mut dyn Kv) -> Result<(), SavedError> {
    if let Some(session) = SavedSession::load(kv)? {
        let mut revocations = Revocations::load(kv)?.unwrap_or_default();
        revocations.0.extend(session.token);
        let over = revocations.0.len().saturating_sub(limits::REVOCATIONS);
        revocations.0.drain(..over);
        revocations.save(kv)?;
        SavedSession::clear(kv)?;
    }
    Ok(())
}

/// Notes that the relay has ended these sessions.
pub(crate) fn revoked(kv: &mut dyn Kv, tokens: &[SecretText]) -> Result<(), SavedError> {
    let Some(mut revocations) = Revocations::load(kv)? else { return Ok(()) };
    revocations.0.retain(|t| !tokens.contains(t));
    if revocations.0.is_empty() { Revocations::clear(kv) } else { revocations.save(kv) }
}

#[cfg(test)]
mod tests {
    use livechat_crypto::kv::MemoryKv;

    use super::*;

    fn pending() -> Pending {
        Pending {
            relay: RelayId([7; 32]),
            bucket_bits: 0,
            username: "alice".into(),
            ticket: SecretText("ticket".into()),
            otpauth_uri: SecretText("otpauth://totp/x".into()),
            setup_key: SecretText("ABCD".into()),
            expires_at: 1_800_000_000,
            identity: Bytes(vec![1, 2, 3]),
            phrase: Bytes(vec![9; 3]),
            sent: Some(Sent { log: Bytes(vec![4]), bundle: Bytes(vec![5]) }),
            dropped: false,
        }
    }

    /// What an older build wrote must stay readable: these bytes never change for version 1.
    #[test]
    fn the_bytes_of_version_one() {
        let mut kv = MemoryKv::default();
        pending().save(&mut kv).unwrap();
        let bytes = kv.get(NODE, b"pending").unwrap().unwrap();
        let json = format!(
            concat!(
                r#"{{"relay":"{}","bucket_bits":0,"username":"alice","ticket":"ticket","#,
                r#""otpauth_uri":"otpauth://totp/x","setup_key":"ABCD","expires_at":1800000000,"#,
                r#""identity":"AQID","phrase":"CQkJ","sent":{{"log":"BA","bundle":"BQ"}},"dropped":false}}"#
            ),
            "07".repeat(32)
        );
        assert_eq!((bytes[0], std::str::from_utf8(&bytes[1..]).unwrap()), (1, json.as_str()));
        assert_eq!(Pending::load(&kv).unwrap(), Some(pending()));
    }

    #[test]
    fn other_versions_are_refused_by_name() {
        let mut kv = MemoryKv::default();
        kv.put(NODE, b"session", b"\x02{}").unwrap();
        let refused = SavedSession::load(&kv).unwrap_err();
        assert!(matches!(refused, SavedError::Version { key: "session", found: 2 }));
    }

    #[test]
    fn ended_sessions_wait_for_the_relay() {
        let mut kv = MemoryKv::default();
        let token = |n: usize| SecretText(format!("token {n}"));
        for n in 0..limits::REVOCATIONS + 3 {
            SavedSession { token: Some(token(n)), expires_at: 1 }.save(&mut kv).unwrap();
            end_session(&mut kv).unwrap();
        }
        assert_eq!(SavedSession::load(&kv).unwrap(), None);
        let left = Revocations::load(&kv).unwrap().unwrap().0;
        assert_eq!((left.len(), &left[0]), (limits::REVOCATIONS, &token(3)));
        revoked(&mut kv, &left).unwrap();
        assert_eq!(Revocations::load(&kv).unwrap(), None);
    }

    #[test]
    fn secrets_do_not_print() {
        let printed = format!("{:?}", pending());
        assert!(!printed.contains("ABCD") && !printed.contains("otpauth://") && !printed.contains("\"ticket\""));
        let session = SavedSession { token: Some(SecretText("hunter2".into())), expires_at: 1 };
        assert!(!format!("{session:?}").contains("hunter2"));
    }
}
