//! An account's devices: one waits to be added, and the log, continued, adds and revokes.
//!
//! Who may continue a log, its signatures say. The relay only keeps the order: one continuation of what it has.

use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::http::{Bytes, ClaimSession, ClaimedSession, PendingDevice};
use livechat_wire::{DecodeError, DeviceId};

use super::record::{Record, SessionRecord};
use super::vault::{BadElement, Question};
use super::{Accounts, Authenticated, Fault};
use crate::limits;
use crate::store::accounts::Relog;

/// Why a device can't wait.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PendError {
    /// The bundle doesn't hold.
    #[error("the bundle is refused: {0}")]
    Bundle(#[source] DecodeError),
    /// The account was deleted meanwhile.
    #[error("the account is gone")]
    Gone,
    /// Nobody's mistake.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a log isn't taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// It doesn't hold.
    #[error("the account log is refused: {0}")]
    Log(#[source] DecodeError),
    /// It is another account's, or under another name.
    #[error("that is not this account's log")]
    OtherAccount,
    /// It names no device.
    #[error("an account keeps one device; to end it, delete the account")]
    NoDevice,
    /// It doesn't continue the one that is kept.
    #[error("the account log has changed meanwhile")]
    Outdated,
    /// No device in force signed this, just now.
    #[error("only a device of the account can do that")]
    DeviceRequired,
    /// The account was deleted meanwhile.
    #[error("the account is gone")]
    Gone,
    /// See [`BadElement`].
    #[error(transparent)]
    Element(#[from] BadElement),
    /// Nobody's mistake.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Notes a device that wants to be one of the account's.
    ///
    /// # Errors
    /// See [`PendError`].
    pub async fn pend_device(&self, who: &Authenticated, bundle: &[u8]) -> Result<PendingDevice, PendError> {
        let bundle = Bundle::decode(bundle).map_err(PendError::Bundle)?;
        let expires_at = self.now().saturating_add(limits::PENDING_DEVICE);
        let sealed = self.0.vault.seal_pending_device(who.account, &bundle).map_err(Fault::from)?;
        if !self.0.store.pend_device(who.account, sealed, expires_at).await.map_err(Fault::from)? {
            return Err(PendError::Gone);
        }
        Ok(PendingDevice { bundle: Bytes(bundle.encode()), expires_at })
    }

    /// The device that waits.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn pending_device(&self, who: &Authenticated) -> Result<Option<PendingDevice>, Fault> {
        let Some((sealed, expires_at)) = self.0.store.pending_device(who.account, self.now()).await? else {
            return Ok(None);
        };
        let bundle = self.0.vault.open_pending_device(who.account, &sealed)?;
        Ok(Some(PendingDevice { bundle: Bytes(bundle.encode()), expires_at }))
    }

    /// Continues the account's log, and puts out what it revokes.
    ///
    /// # Errors
    /// See [`LogError`].
    pub async fn put_log(&self, who: &Authenticated, log: &[u8]) -> Result<(), LogError> {
        let log = AccountLog::decode(log).map_err(LogError::Log)?;
        let account = self.0.store.account(who.account).await.map_err(Fault::from)?.ok_or(LogError::Gone)?;
        let record = self.0.vault.open_record(who.account, &account.sealed)?;
        let kept = AccountLog::decode(&record.log).map_err(|_| Fault::Sealed(crate::keys::OpenError))?;
        if log.account() != kept.account() || log.name() != Some((record.username.as_str(), self.relay())) {
            return Err(LogError::OtherAccount);
        }
        if !kept.is_prefix_of(&log) {
            return Err(LogError::Outdated);
        }
        if log.device_keys().is_empty() {
            return Err(LogError::NoDevice);
        }
        let revoked: Vec<DeviceId> =
            kept.device_keys().iter().filter(|k| !log.has_device(k)).map(DeviceId::of).collect();
        let mut ended = Vec::new();
        for session in self.0.store.sessions(who.account, self.now()).await.map_err(Fault::from)? {
            let of = self.0.vault.open_session_record(session.token, &session.sealed)?.device;
            if of.is_some_and(|d| !log.device_keys().iter().any(|k| DeviceId::of(k) == d)) {
                ended.push(session.id);
            }
        }
        let next = Record { log: log.encode(), devices: log.device_keys().to_vec(), ..record };
        let relog = Relog {
            was: account.sealed,
            sealed: self.0.vault.seal_record(who.account, &next).map_err(Fault::from)?,
            revoked: revoked.iter().map(|d| self.device_key(who.account, d)).collect(),
            ended,
        };
        let taken = self.0.store.relog(who.account, relog).await.map_err(Fault::from)?;
        taken.then_some(()).ok_or(LogError::Outdated)
    }

    /// Makes the session that asks one of the device that signed this: it has become one of the account's. The code that
    /// the session began with is good for its vault too, once.
    ///
    /// # Errors
    /// See [`LogError`].
    pub async fn claim_session(&self, who: &Authenticated, request: &ClaimSession) -> Result<ClaimedSession, LogError> {
        let question = Question::read(request.vault.as_ref())?;
        let account = self.0.store.account(who.account).await.map_err(Fault::from)?.ok_or(LogError::Gone)?;
        let record = self.0.vault.open_record(who.account, &account.sealed)?;
        let device = self.check_proof(&record.username, &request.device).await?.filter(|d| record.has_device(d));
        let device = device.ok_or(LogError::DeviceRequired)?;
        let sessions = self.0.store.sessions(who.account, self.now()).await.map_err(Fault::from)?;
        let session = sessions.into_iter().find(|s| s.id == who.session).ok_or(LogError::Gone)?;
        let SessionRecord { created_at, device: was } =
            self.0.vault.open_session_record(session.token, &session.sealed)?;
        let next = SessionRecord { device: Some(device), created_at };
        let sealed = self.0.vault.seal_session(session.token, &next).map_err(Fault::from)?;
        let done = self.0.store.reseal_session(who.account, who.session, sealed).await.map_err(Fault::from)?;
        if !done {
            return Err(LogError::Gone);
        }
        let question = question.filter(|_| was.is_none());
        let answer = question.map(|q| self.evaluate(who.account, &device, &account.vault, &q)).transpose()?;
        Ok(ClaimedSession { vault: answer })
    }
}
