//! Sessions: one token per device, kept as a keyed hash, good for ten days, revocable (SEED B2, B9).

use livechat_wire::http::{SecretText, SessionInfo, SessionList};
use livechat_wire::{AccountId, DeviceId, http};

use super::record::SessionRecord;
use super::{Accounts, Fault, Token};
use crate::limits;
use crate::store::accounts::{AccountKey, Session, SessionId};

/// Why a request isn't allowed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No session, or one that is over.
    #[error("not logged in")]
    Unauthenticated,
    /// No such session of this account.
    #[error("no such session")]
    NotFound,
    /// Nobody's mistake.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Who asks: proven by the session's token.
#[derive(Debug, Clone)]
pub struct Authenticated {
    pub(super) account: AccountKey,
    pub(super) session: SessionId,
    pub(super) device: Option<DeviceId>,
}

impl Accounts {
    /// Finds the session of a bearer token, and notes that its account was heard of.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated, SessionError> {
        let token = Token::parse(token).ok_or(SessionError::Unauthenticated)?;
        // The index compares keyed hashes: timing tells nothing about tokens.
        let found = self.0.store.session(self.token_key("session", &token), self.now()).await.map_err(Fault::from)?;
        let session = found.ok_or(SessionError::Unauthenticated)?;
        let record = self.0.vault.open_session_record(session.token, &session.sealed)?;
        self.0.live.heard(session.account, self.0.vault.env.monotonic());
        Ok(Authenticated { account: session.account, session: session.id, device: record.device })
    }

    /// All sessions of the account, newest first.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn sessions(&self, who: &Authenticated) -> Result<SessionList, SessionError> {
        let mut sessions = Vec::new();
        for s in self.0.store.sessions(who.account, self.now()).await.map_err(Fault::from)? {
            let record = self.0.vault.open_session_record(s.token, &s.sealed)?;
            sessions.push(SessionInfo {
                id: id_text(s.id),
                current: s.id == who.session,
                device: record.device,
                created_at: record.created_at,
                expires_at: s.expires_at,
            });
        }
        sessions.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        Ok(SessionList { sessions })
    }

    /// Ends a session of the account; `current` is the one that asks.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn end_session(&self, who: &Authenticated, id: &str) -> Result<(), SessionError> {
        let id = if id == "current" { Some(who.session) } else { parse_id(id) }.ok_or(SessionError::NotFound)?;
        if !self.0.store.end_session(who.account, id).await.map_err(Fault::from)? {
            return Err(SessionError::NotFound);
        }
        // The session has ended: that the count can't be kept exact is no failure of this.
        if matches!(self.0.store.sessions(who.account, self.now()).await, Ok(left) if left.is_empty()) {
            self.0.live.left(who.account);
        }
        Ok(())
    }

    /// Makes a session: what the store keeps, and what the client gets.
    pub(super) fn new_session(
        &self,
        who: AccountKey,
        account: AccountId,
        device: Option<DeviceId>,
    ) -> Result<(Session, http::Session), Fault> {
        let token = self.token()?;
        let key = self.token_key("session", &token);
        let id = SessionId(self.0.vault.env.random()?);
        let created_at = self.now();
        let expires_at = created_at.saturating_add(limits::SESSION);
        let sealed = self.0.vault.seal_session(key, &SessionRecord { device, created_at })?;
        let answer = http::Session {
            token: SecretText(token.text()),
            id: id_text(id),
            expires_at,
            account,
            known_device: device.is_some(),
            vault: None,
        };
        Ok((Session { token: key, id, account: who, sealed, expires_at }, answer))
    }

    /// Begins a session; ends those that it replaces. None: the account is gone.
    pub(super) async fn open_session(
        &self,
        who: AccountKey,
        account: AccountId,
        device: Option<DeviceId>,
    ) -> Result<Option<http::Session>, Fault> {
        let (session, answer) = self.new_session(who, account, device)?;
        let id = session.id;
        if !self.0.store.open_session(session).await? {
            return Ok(None);
        }
        let mut others = Vec::new();
        for s in self.0.store.sessions(who, self.now()).await? {
            let record = self.0.vault.open_session_record(s.token, &s.sealed)?;
            if s.id != id {
                others.push((record, s.id));
            }
        }
        others.sort_by_key(|(record, _)| record.created_at);
        let surplus = (others.len() + 1).saturating_sub(limits::SESSIONS);
        for (i, (record, id)) in others.iter().enumerate() {
            // One token per device: the one before ends. And never more than fit.
            if i < surplus || (device.is_some() && record.device == device) {
                self.0.store.end_session(who, *id).await?;
            }
        }
        Ok(Some(answer))
    }
}

fn id_text(id: SessionId) -> String {
    data_encoding::HEXLOWER.encode(&id.0)
}

fn parse_id(text: &str) -> Option<SessionId> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(SessionId)
}
