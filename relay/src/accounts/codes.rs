//! Checking a code: the same work whatever there is to check it against, and each code good once (P9, SEED B7, B15).

use super::{Accounts, Fault};
use crate::keys::OpenError;
use crate::limits;
use crate::recovery::RecoveryCode;
use crate::store::accounts::{Account, AccountKey, AuthenticatorId, BudgetKey, Charge, CodeKey};
use crate::totp::{self, TotpSecret};

/// The secrets of an account, always as many: decoys, without an id, fill up.
pub(super) struct Secrets([(Option<AuthenticatorId>, TotpSecret); limits::AUTHENTICATORS]);

/// What a correct code used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Used {
    /// A step of this authenticator.
    Step(AuthenticatorId),
    /// A recovery code.
    RecoveryCode,
}

/// What was typed.
pub(super) enum Code {
    Recovery(RecoveryCode),
    Totp(zeroize::Zeroizing<String>),
}

impl Code {
    pub(super) fn parse(typed: &str) -> Self {
        let typed: String = typed.chars().take(limits::CODE).collect();
        RecoveryCode::parse(&typed).map_or_else(|| Self::Totp(totp::strip(&typed)), Self::Recovery)
    }
}

impl Accounts {
    pub(super) fn code_key(&self, who: AccountKey, code: &RecoveryCode) -> CodeKey {
        CodeKey(self.0.vault.keys.hash("recovery code", &[&who.0, code.as_bytes()]))
    }

    /// Opens an account's secrets, and decoys for those it lacks.
    pub(super) fn secrets(&self, account: Option<&Account>) -> Result<Secrets, Fault> {
        let decoy = &self.0.decoy;
        let open = |i: usize| {
            let real = account.and_then(|a| Some((a.key, a.authenticators.get(i)?)));
            let fill = || Some((decoy.key, decoy.authenticators.get(i)?));
            let (who, a) = real.or_else(fill).ok_or(Fault::Sealed(OpenError))?;
            let secret = self.0.vault.open_secret(who, a.id, &a.sealed)?;
            Ok::<_, Fault>((real.is_some().then_some(a.id), secret))
        };
        Ok(Secrets([open(0)?, open(1)?]))
    }

    /// Uses a code up: one caller gets [`Used`], everybody else none. Unknown names take the same path.
    pub(super) async fn use_up(&self, who: AccountKey, secrets: &Secrets, code: &Code) -> Result<Option<Used>, Fault> {
        let digits = match code {
            Code::Recovery(code) => {
                let good = self.0.store.use_code(who, self.code_key(who, code)).await?;
                return Ok(good.then_some(Used::RecoveryCode));
            }
            Code::Totp(digits) => digits,
        };
        let now = self.now();
        // All are computed before any is looked at.
        let matches = secrets.0.each_ref().map(|(id, secret)| (*id, secret.check(digits, now)));
        for (id, step) in matches {
            if let (Some(id), Some(step)) = (id, step)
                && self.0.store.use_step(who, id, step).await?
            {
                return Ok(Some(Used::Step(id)));
            }
        }
        Ok(None)
    }

    /// Counts a failure to come; a success takes it back ([`Accounts::refund`]). Recovery codes can't be guessed, so
    /// they cost nothing: with the budget used up by strangers they still open the door. Seconds to wait otherwise.
    pub(super) async fn charge(&self, budget: BudgetKey, limit: u32, code: &Code) -> Result<Result<(), u64>, Fault> {
        if matches!(code, Code::Recovery(_)) {
            return Ok(Ok(()));
        }
        let now = self.now();
        Ok(match self.0.store.charge(budget, limit, limits::BUDGET_WINDOW, now).await? {
            Charge::Charged => Ok(()),
            Charge::Spent { resets_at } => Err(resets_at.saturating_sub(now).max(1)),
        })
    }

    pub(super) async fn refund(&self, budget: BudgetKey, code: &Code) -> Result<(), Fault> {
        if matches!(code, Code::Totp(_)) {
            self.0.store.refund(budget).await?;
        }
        Ok(())
    }
}
