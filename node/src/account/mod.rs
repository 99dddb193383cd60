//! The account on this node: signing up, logging in and out, and what of it is kept.

pub(crate) mod flow;
pub(crate) mod linking;
pub(crate) mod manage;
pub(crate) mod phrase;
pub(crate) mod saved;
pub(crate) mod ticket;

use livechat_crypto::kv::Kv;

use livechat_wire::http::SecretText;
use saved::{Linking, Pending, Saved, SavedError, SavedSession};

/// Where in its life the account is. Who it is, once there is one, is the engine's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nobody signed up on this node.
    None,
    /// Signed up, first code outstanding.
    Pending(Box<Pending>),
    /// This device waits to be added to an account.
    Linking(Box<Linking>),
    /// There is an account and no session.
    LoggedOut,
    /// In.
    Active(SavedSession),
    /// In no longer, nor anything else: the key is gone, the store about to close.
    Locked,
}

impl Phase {
    /// What the store says; `removed` is whether the engine's account has removed this device, none without an account.
    pub(crate) fn load(kv: &dyn Kv, removed: Option<bool>, now_s: u64) -> Result<Self, SavedError> {
        if let Some(removed) = removed {
            return Ok(match SavedSession::load(kv)? {
                // No code would let a removed device in again: what is here stays open.
                Some(session) if removed || session.expires_at > now_s => Self::Active(session),
                _ => Self::LoggedOut,
            });
        }
        Ok(match Pending::load(kv)? {
            Some(p) if !p.dropped && p.is_live(now_s) => Self::Pending(Box::new(p)),
            // Over or not, the account's log decides: it may have been added in the last minute.
            _ => Linking::load(kv)?.map_or(Self::None, |l| Self::Linking(Box::new(l))),
        })
    }

    /// The relay's token, when it has a session of this device.
    pub(crate) fn token(&self) -> Option<&SecretText> {
        self.session()?.token.as_ref()
    }

    /// The session, when there is one.
    pub(crate) fn session(&self) -> Option<&SavedSession> {
        match self {
            Self::Active(session) => Some(session),
            _ => None,
        }
    }
}

impl Pending {
    /// Whether it can still lead to an account. Once a confirmation was sent, time alone doesn't end it: the account
    /// may exist, and its keys are here only.
    pub(crate) fn is_live(&self, now_s: u64) -> bool {
        self.sent.is_some() || self.expires_at > now_s
    }
}
