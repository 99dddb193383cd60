//! An account under another name. Record and name change in one step, so no crash leaves one without the other.

use livechat_wire::DecodeError;
use livechat_wire::account::{AccountLog, Statement};
use livechat_wire::http::{Bytes, ChangeName, OwnLog, UsernameProblem};

use super::record::Record;
use super::{Accounts, Authenticated, CodeError, Fault};
use crate::keys::OpenError;
use crate::limits;
use crate::names::Username;
use crate::store::accounts::{Rename, Renamed};

/// Why a name isn't changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenameError {
    /// The log doesn't hold.
    #[error("the account log is refused: {0}")]
    Log(#[source] DecodeError),
    /// The log holds, and says something else, or is somebody else's.
    #[error("the account log must go on with one entry that binds another name to this relay")]
    Statements,
    /// It doesn't continue the one that is kept.
    #[error("the account log has changed meanwhile")]
    Outdated,
    /// The name can't be had.
    #[error("the name can't be had")]
    Name(UsernameProblem),
    /// Too many names are held for this account.
    #[error("an account changes its name {} times in thirty days at most", limits::NAMES - 1)]
    TooMany,
    /// The code.
    #[error(transparent)]
    Code(#[from] CodeError),
}

impl From<Fault> for RenameError {
    fn from(fault: Fault) -> Self {
        Self::Code(CodeError::Fault(fault))
    }
}

impl Accounts {
    /// The account's own log, whatever the account is called by now.
    ///
    /// # Errors
    /// See [`CodeError`].
    pub async fn own_log(&self, who: &Authenticated) -> Result<OwnLog, CodeError> {
        let account = self.0.store.account(who.account).await.map_err(Fault::from)?.ok_or(CodeError::Gone)?;
        let record = self.0.vault.open_record(who.account, &account.sealed)?;
        Ok(OwnLog { username: record.username, log: Bytes(record.log) })
    }

    /// Gives the account the name that its log, continued, binds. The name before stays held for a while.
    ///
    /// # Errors
    /// See [`RenameError`].
    pub async fn rename(&self, who: &Authenticated, request: &ChangeName) -> Result<(), RenameError> {
        let log = AccountLog::decode(&request.log.0).map_err(RenameError::Log)?;
        let account = self.0.store.account(who.account).await.map_err(Fault::from)?.ok_or(CodeError::Gone)?;
        let record = self.0.vault.open_record(who.account, &account.sealed)?;
        let kept = AccountLog::decode(&record.log).map_err(|_| Fault::Sealed(OpenError))?;
        if log.account() != kept.account() {
            return Err(RenameError::Statements);
        }
        if !kept.is_prefix_of(&log) {
            return Err(RenameError::Outdated);
        }
        let [Statement::BindName { name, relay }] =
            &log.entries()[kept.entries().len()..].iter().map(|e| &e.statement).collect::<Vec<_>>()[..]
        else {
            return Err(RenameError::Statements);
        };
        let username = Username::parse(name).map_err(RenameError::Name)?;
        if *relay != self.relay() || username.as_str() != name || *name == record.username {
            return Err(RenameError::Statements);
        }
        let (key, skeleton, now) = (self.name_key(&username), self.skeleton_key(&username), self.now());
        // Said before a code is used up for nothing. What the account was called lately it may be called again.
        if self.0.store.is_taken(key, skeleton, now).await.map_err(Fault::from)? {
            let named = self.0.store.named(key, now).await.map_err(Fault::from)?;
            if named.is_none_or(|n| n.account.key != who.account) {
                return Err(RenameError::Name(UsernameProblem::Taken));
            }
        }
        self.require_code(who, &request.code).await?;
        let rename = Rename {
            was: account.sealed,
            sealed: self.0.vault.seal_record(who.account, &Record::new(name, &log)).map_err(Fault::from)?,
            name: key,
            skeleton,
            held_until: now.saturating_add(limits::FORMER_NAME),
            most: limits::NAMES,
        };
        match self.0.store.rename(who.account, rename, now).await.map_err(Fault::from)? {
            Renamed::Done => Ok(()),
            Renamed::Outdated => Err(RenameError::Outdated),
            Renamed::Taken => Err(RenameError::Name(UsernameProblem::Taken)),
            Renamed::TooMany => Err(RenameError::TooMany),
        }
    }
}
