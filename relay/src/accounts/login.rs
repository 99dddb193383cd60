//! Log-in: name and code, each code once, few tries, the same answer whatever was wrong (SEED B7, B15; P9–P11).

use livechat_wire::account::AccountLog;
use livechat_wire::http::{DeviceProof, LogIn, Session};
use livechat_wire::{AccountId, DeviceId};

use super::codes::Code;
use super::vault::{BadElement, Question};
use super::{Accounts, Fault};
use crate::keys::OpenError;
use crate::limits;
use crate::names::Username;
use crate::store::accounts::{AccountKey, NameKey, ProofKey};

/// Why a log-in is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogInError {
    /// Name, code or both; nobody learns which.
    #[error("name or code are wrong")]
    Credentials,
    /// Too many failures, here or from this address.
    #[error("too many tries; wait {retry_after} s")]
    TooMany {
        /// Seconds.
        retry_after: u64,
    },
    /// What the vault asks isn't a question. Said before anything is looked at.
    #[error(transparent)]
    Vault(#[from] BadElement),
    /// Nobody's mistake.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Logs in. `stranger` is asked for its leave unless a known device asks; it returns seconds to wait. A refusal
    /// takes at least [`limits::Limits::refusal_time`], and the way to it does not depend on whether the name exists.
    ///
    /// # Errors
    /// See [`LogInError`].
    pub async fn log_in(
        &self,
        request: &LogIn,
        stranger: impl FnOnce() -> Result<(), u64> + Send,
    ) -> Result<Session, LogInError> {
        let answer_at = tokio::time::Instant::now() + self.0.limits.refusal_time;
        let result = self.try_log_in(request, stranger).await;
        if result.is_err() {
            tokio::time::sleep_until(answer_at).await;
        }
        result
    }

    async fn try_log_in(
        &self,
        request: &LogIn,
        stranger: impl FnOnce() -> Result<(), u64> + Send,
    ) -> Result<Session, LogInError> {
        let question = Question::read(request.vault.as_ref())?;
        let name = self.log_in_key(&request.username);
        // Under a former name too: a device that was away, or a locked one, knows no other.
        let named = self.0.store.named(name, self.now()).await.map_err(Fault::from)?;
        let account = named.map(|n| n.account);
        let who = account.as_ref().map_or_else(|| self.nobody(name), |a| a.key);
        let code = Code::parse(&request.code);
        let proven = match &request.device {
            Some(proof) => self.check_proof(&request.username, proof).await?,
            None => None,
        };
        let record = match &account {
            Some(a) => self.0.vault.open_record(a.key, &a.sealed),
            None => self.0.vault.open_record(self.0.decoy.key, &self.0.decoy.sealed),
        }?;
        let ours = |d: &DeviceId| account.is_some() && record.has_device(d);
        let device = proven.filter(ours);
        let knock = request.vault.as_ref().and_then(|v| v.knock.as_ref());
        let knocking = knock.and_then(|k| self.0.vault.open_knock(who, k)).filter(ours);
        let limits = &self.0.limits;
        let (budget, limit) = match (&device, &knocking) {
            (Some(d), _) => (self.budget_key("budget of a device", &[&who.0, &d.0]), limits.device_failures),
            // Whoever took a locked device has its knock too: no more tries than a stranger, but not a stranger's.
            (None, Some(d)) => {
                (self.budget_key("budget of a locked device", &[&who.0, &d.0]), limits.stranger_failures)
            }
            (None, None) => {
                stranger().map_err(|retry_after| LogInError::TooMany { retry_after })?;
                (self.budget_key("budget of strangers", &[&who.0]), limits.stranger_failures)
            }
        };
        self.charge(budget, limit, &code).await?.map_err(|retry_after| LogInError::TooMany { retry_after })?;
        let secrets = self.secrets(account.as_ref())?;
        self.use_up(who, &secrets, &code).await?.ok_or(LogInError::Credentials)?;
        self.refund(budget, &code).await?;
        let id = account_id(&record.log)?;
        let device = device.or(knocking);
        let mut session = self.open_session(who, id, device).await?.ok_or(LogInError::Credentials)?;
        if let (Some(account), Some(device), Some(question)) = (&account, device, question) {
            session.vault = Some(self.evaluate(who, &device, &account.vault, &question)?);
        }
        Ok(session)
    }

    /// What can't be a name is looked up all the same, and not found.
    fn log_in_key(&self, typed: &str) -> NameKey {
        match Username::parse_any(typed) {
            Ok(name) => self.name_key(&name),
            Err(_) => NameKey(self.0.vault.keys.hash("no name", &[typed.as_bytes()])),
        }
    }

    /// What stands for an account where there is none: tries at it are counted like any other's.
    fn nobody(&self, name: NameKey) -> AccountKey {
        AccountKey(self.0.vault.keys.hash("nobody", &[&name.0]))
    }

    /// The device that signed this log-in just now. Not whether it is one of the account's. A proof counts once.
    pub(super) async fn check_proof(&self, username: &str, proof: &DeviceProof) -> Result<Option<DeviceId>, Fault> {
        let Ok(device) = proof.verify(&self.relay(), username) else { return Ok(None) };
        if proof.time.abs_diff(self.now()) > limits::PROOF_SKEW {
            return Ok(None);
        }
        let key = self.0.vault.keys.hash("proof", &[&device.0, username.as_bytes(), &proof.time.to_be_bytes()]);
        // Kept until its time is out of reach, seen from either side.
        let expires_at = proof.time.saturating_add(2 * limits::PROOF_SKEW);
        let fresh = self.0.store.spend_proof(ProofKey(key), expires_at).await?;
        Ok(fresh.then_some(device))
    }
}

/// Read from a log that was checked when it came.
pub(super) fn account_id(log: &[u8]) -> Result<AccountId, Fault> {
    AccountLog::decode(log).map(|l| l.account()).map_err(|_| Fault::Sealed(OpenError))
}
