//! The account on this node: signing up, logging in and out, and what of it is kept.

pub(crate) mod flow;
pub(crate) mod manage;
pub(crate) mod phrase;
pub(crate) mod saved;
pub(crate) mod ticket;

use livechat_crypto::kv::Kv;

use saved::{Pending, Saved, SavedError, SavedSession};

/// Where in its life the account is. Who it is, once there is one, is the engine's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nobody signed up on this node.
    None,
    /// Signed up, first code outstanding.
    Pending(Box<Pending>),
    /// There is an account and no session.
    LoggedOut,
    /// In.
    Active(SavedSession),
}

impl Phase {
    /// What the store says; `has_account` is whether the engine has one.
    pub(crate) fn load(kv: &dyn Kv, has_account: bool, now_s: u64) -> Result<Self, SavedError> {
        if has_account {
            return Ok(match SavedSession::load(kv)? {
                Some(session) if session.expires_at > now_s => Self::Active(session),
                _ => Self::LoggedOut,
            });
        }
        Ok(match Pending::load(kv)? {
            Some(p) if !p.dropped && p.is_live(now_s) => Self::Pending(Box::new(p)),
            _ => Self::None,
        })
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
