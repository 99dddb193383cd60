//! What an account's owner changes with a session *and* a code: authenticators, recovery codes, the end (SEED B18).

use livechat_wire::http::{ConfirmAuthenticator, PendingSignUp, SecretText};

use super::codes::{Code, Used};
use super::{Accounts, Authenticated, Fault, Token};
use crate::limits;
use crate::store::accounts::{Account, PendingAuthenticator};
use crate::totp::{self, BadLabel};

/// Why a code, in a session, isn't accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// Wrong, or used before.
    #[error("the code is wrong or was used before")]
    Code,
    /// Too many wrong ones in this session.
    #[error("too many wrong codes; wait {retry_after} s")]
    TooMany {
        /// Seconds.
        retry_after: u64,
    },
    /// The account was deleted meanwhile.
    #[error("the account is gone")]
    Gone,
    /// Nobody's mistake.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why an authenticator isn't added or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticatorError {
    /// The code.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// There are two already.
    #[error("an account has at most two authenticators; remove one first")]
    Full,
    /// The last one stays.
    #[error("the last authenticator can't be removed; add another one first")]
    Last,
    /// A recovery code doesn't say which authenticator is to stay.
    #[error("use a code of the authenticator that is to stay; a recovery code doesn't say which one that is")]
    WhichOne,
    /// The set-up is unknown or over.
    #[error("the set-up is over")]
    Over,
    /// The relay's own name is no issuer.
    #[error(transparent)]
    Issuer(#[from] BadLabel),
}

impl From<Fault> for AuthenticatorError {
    fn from(fault: Fault) -> Self {
        Self::Code(CodeError::Fault(fault))
    }
}

impl Accounts {
    /// Uses up a code of the session's account.
    pub(super) async fn require_code(&self, who: &Authenticated, typed: &str) -> Result<(Account, Used), CodeError> {
        let code = Code::parse(typed);
        let budget = self.budget_key("budget of a session", &[&who.session.0]);
        let limit = self.0.limits.device_failures;
        self.charge(budget, limit, &code).await?.map_err(|retry_after| CodeError::TooMany { retry_after })?;
        let account = self.0.store.account(who.account).await.map_err(Fault::from)?.ok_or(CodeError::Gone)?;
        let secrets = self.secrets(Some(&account))?;
        let used = self.use_up(who.account, &secrets, &code).await?.ok_or(CodeError::Code)?;
        self.refund(budget, &code).await?;
        Ok((account, used))
    }

    /// Begins adding a second authenticator.
    ///
    /// # Errors
    /// See [`AuthenticatorError`].
    pub async fn begin_authenticator(
        &self,
        who: &Authenticated,
        code: &str,
    ) -> Result<PendingSignUp, AuthenticatorError> {
        let (account, _) = self.require_code(who, code).await?;
        let record = self.0.vault.open_record(account.key, &account.sealed)?;
        let (token, secret) = self.fresh_token_and_secret()?;
        let id = self.authenticator_id().map_err(Fault::from)?;
        let expires_at = self.now().saturating_add(limits::SIGN_UP);
        let answer = self.pending_answer(&record.username, &token, &secret, expires_at)?;
        let pending = PendingAuthenticator {
            id,
            token: self.token_key("authenticator", &token),
            sealed: self.0.vault.seal_secret(who.account, id, &secret).map_err(Fault::from)?,
            expires_at,
        };
        let begun = self.0.store.begin_authenticator(who.account, pending, limits::AUTHENTICATORS).await;
        if begun.map_err(Fault::from)? { Ok(answer) } else { Err(AuthenticatorError::Full) }
    }

    /// Puts it into force with its first code.
    ///
    /// # Errors
    /// See [`AuthenticatorError`].
    pub async fn confirm_authenticator(
        &self,
        who: &Authenticated,
        request: &ConfirmAuthenticator,
    ) -> Result<(), AuthenticatorError> {
        let token = Token::parse(&request.pending.0).ok_or(AuthenticatorError::Over)?;
        let token = self.token_key("authenticator", &token);
        let now = self.now();
        let found = self.0.store.try_authenticator(who.account, token, limits::CONFIRM_TRIES, now).await;
        let (id, sealed) = found.map_err(Fault::from)?.ok_or(AuthenticatorError::Over)?;
        let secret = self.0.vault.open_secret(who.account, id, &sealed)?;
        let step = secret.check(&totp::strip(&request.code), now).ok_or(CodeError::Code)?;
        let added = self.0.store.add_authenticator(who.account, token, step, limits::AUTHENTICATORS).await;
        if added.map_err(Fault::from)? { Ok(()) } else { Err(AuthenticatorError::Over) }
    }

    /// Keeps the authenticator whose code this is and removes the other: what a lost phone needs.
    ///
    /// # Errors
    /// See [`AuthenticatorError`].
    pub async fn remove_other_authenticator(&self, who: &Authenticated, code: &str) -> Result<(), AuthenticatorError> {
        // Said before the code is used up for nothing.
        if matches!(Code::parse(code), Code::Recovery(_)) {
            return Err(AuthenticatorError::WhichOne);
        }
        let (account, used) = self.require_code(who, code).await?;
        let Used::Step(keep) = used else { return Err(AuthenticatorError::WhichOne) };
        if account.authenticators.len() < 2 {
            return Err(AuthenticatorError::Last);
        }
        let removed = self.0.store.keep_authenticator(who.account, keep).await.map_err(Fault::from)?;
        if removed { Ok(()) } else { Err(AuthenticatorError::Last) }
    }

    /// Fresh recovery codes; the ones before are void.
    ///
    /// # Errors
    /// See [`CodeError`].
    pub async fn recovery_codes(&self, who: &Authenticated, code: &str) -> Result<Vec<SecretText>, CodeError> {
        self.require_code(who, code).await?;
        self.fresh_recovery_codes(who.account).await?.ok_or(CodeError::Gone)
    }

    /// Deletes the account: log, devices, keys, sessions. Its name stays held for thirty days.
    ///
    /// # Errors
    /// See [`CodeError`].
    pub async fn delete(&self, who: &Authenticated, code: &str) -> Result<(), CodeError> {
        self.require_code(who, code).await?;
        let held_until = self.now().saturating_add(limits::DELETED_NAME);
        if !self.0.store.delete(who.account, held_until).await.map_err(Fault::from)? {
            return Err(CodeError::Gone);
        }
        self.0.live.left(who.account);
        Ok(())
    }
}
