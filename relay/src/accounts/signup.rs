//! Sign-up: a name is held for an hour, and becomes an account by a correct first code (SEED B1, B11, B12).

use livechat_wire::DecodeError;
use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::http::{ConfirmSignUp, PendingSignUp, SecretText, SignedUp, UsernameAvailability, UsernameProblem};

use super::codes::Code;
use super::record::Record;
use super::vault::{BadElement, Question};
use super::{Accounts, Fault, Token};
use crate::limits;
use crate::names::Username;
use crate::recovery::RecoveryCode;
use crate::store::accounts::{Account, AccountKey, Activation, Authenticator, Pending, SignUp, TokenKey};
use crate::totp::{self, BadLabel, TotpSecret};

/// Why a name isn't held.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeginError {
    /// It can't be had.
    #[error("the name can't be had")]
    Name(UsernameProblem),
    /// The relay's own name is no issuer.
    #[error(transparent)]
    Issuer(#[from] BadLabel),
    /// Nobody's mistake.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a sign-up isn't confirmed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmError {
    /// Unknown, over, or tried too often.
    #[error("the sign-up is over")]
    Over,
    /// Wrong code.
    #[error("the code is wrong")]
    Code,
    /// The log doesn't hold.
    #[error("the account log is refused: {0}")]
    Log(#[source] DecodeError),
    /// The log holds, but isn't that of this sign-up.
    #[error("the account log must have a genesis, one device, and this name bound to this relay")]
    Statements,
    /// The bundle doesn't hold.
    #[error("the bundle is refused: {0}")]
    Bundle(#[source] DecodeError),
    /// The bundle is that of another device.
    #[error("the bundle isn't that of the device in the account log")]
    Device,
    /// What the vault asks isn't a question.
    #[error(transparent)]
    Vault(#[from] BadElement),
    /// Nobody's mistake.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Whether a name can be had now.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn availability(&self, typed: &str) -> Result<UsernameAvailability, Fault> {
        let name = match Username::parse(typed) {
            Ok(name) => name,
            Err(problem) => {
                let username = typed.chars().take(livechat_wire::limits::USERNAME_MAX_CHARS).collect();
                return Ok(UsernameAvailability { username, available: false, problem: Some(problem) });
            }
        };
        let taken = self.0.store.is_taken(self.name_key(&name), self.skeleton_key(&name), self.now()).await?;
        Ok(UsernameAvailability {
            username: name.as_str().to_owned(),
            available: !taken,
            problem: taken.then_some(UsernameProblem::Taken),
        })
    }

    /// Holds a name and makes its authenticator secret.
    ///
    /// # Errors
    /// See [`BeginError`].
    pub async fn begin_sign_up(&self, typed: &str) -> Result<PendingSignUp, BeginError> {
        let username = Username::parse(typed).map_err(BeginError::Name)?;
        let account = AccountKey(self.0.vault.env.random().map_err(Fault::from)?);
        let (token, secret) = self.fresh_token_and_secret()?;
        let now = self.now();
        let expires_at = now.saturating_add(limits::SIGN_UP);
        let pending = Pending {
            account,
            name: self.name_key(&username),
            skeleton: self.skeleton_key(&username),
            token: self.token_key("sign-up", &token),
            sealed: self.0.vault.seal_pending(account, username.as_str(), &secret).map_err(Fault::from)?,
            expires_at,
        };
        let answer = self.pending_answer(username.as_str(), &token, &secret, expires_at)?;
        if !self.0.store.hold(pending, now).await.map_err(Fault::from)? {
            return Err(BeginError::Name(UsernameProblem::Taken));
        }
        Ok(answer)
    }

    /// Makes a sign-up an account, if the code is right and the log says what it must. Confirming again within the
    /// hour, with a later code and the same log, answers again: the first answer may have been lost on its way.
    ///
    /// # Errors
    /// See [`ConfirmError`].
    pub async fn confirm_sign_up(&self, request: &ConfirmSignUp) -> Result<SignedUp, ConfirmError> {
        let log = AccountLog::decode(&request.log.0).map_err(ConfirmError::Log)?;
        let bundle = Bundle::decode(&request.bundle.0).map_err(ConfirmError::Bundle)?;
        // Genesis comes first in every log that decodes; so three entries are these three.
        let (1, 3, Some((bound, relay))) = (log.device_keys().len(), log.entries().len(), log.name()) else {
            return Err(ConfirmError::Statements);
        };
        if relay != self.relay() {
            return Err(ConfirmError::Statements);
        }
        if !log.has_device(&bundle.device_key) {
            return Err(ConfirmError::Device);
        }
        let question = Question::read(request.vault.as_ref())?;
        let token = Token::parse(&request.pending.0).ok_or(ConfirmError::Over)?;
        let token = self.token_key("sign-up", &token);
        let found = self.0.store.try_sign_up(token, limits::CONFIRM_TRIES, self.now()).await.map_err(Fault::from)?;
        match found {
            None => Err(ConfirmError::Over),
            Some(SignUp::Confirmed(account)) => self.confirm_again(&account, &log, &request.code, question).await,
            Some(SignUp::Pending { account: who, sealed, tries }) => {
                let (username, secret) = self.0.vault.open_pending(who, &sealed)?;
                if username != bound {
                    return Err(ConfirmError::Statements);
                }
                let Some(step) = secret.check(&totp::strip(&request.code), self.now()) else {
                    if tries >= limits::CONFIRM_TRIES {
                        self.0.store.abandon(token).await.map_err(Fault::from)?;
                    }
                    return Err(ConfirmError::Code);
                };
                let mut signed_up = self.activate(token, who, &username, &log, &bundle, (secret, step)).await?;
                if let Some(question) = question {
                    let account = self.0.store.account(who).await.map_err(Fault::from)?.ok_or(ConfirmError::Over)?;
                    let answer = self.evaluate(who, &bundle.device(), &account.vault, &question)?;
                    signed_up.session.vault = Some(answer);
                }
                Ok(signed_up)
            }
        }
    }

    async fn activate(
        &self,
        token: TokenKey,
        who: AccountKey,
        username: &str,
        log: &AccountLog,
        bundle: &Bundle,
        (secret, last_step): (TotpSecret, u64),
    ) -> Result<SignedUp, ConfirmError> {
        let vault = &self.0.vault;
        let id = self.authenticator_id().map_err(Fault::from)?;
        let device = self.device_key(who, &bundle.device());
        let codes = RecoveryCode::set(&vault.env).map_err(Fault::from)?;
        let (session, answer) = self.new_session(who, log.account(), Some(bundle.device()))?;
        let activation = Activation {
            sealed: vault.seal_record(who, &Record::new(username, log)).map_err(Fault::from)?,
            vault: self.new_vault_key(who)?,
            authenticator: Authenticator {
                id,
                sealed: vault.seal_secret(who, id, &secret).map_err(Fault::from)?,
                last_step,
            },
            codes: codes.iter().map(|c| self.code_key(who, c)).collect(),
            device,
            bundle: vault.seal_bundle(who, device, bundle).map_err(Fault::from)?,
            session,
        };
        if !self.0.store.activate(token, activation, self.now()).await.map_err(Fault::from)? {
            return Err(ConfirmError::Over);
        }
        Ok(SignedUp { account: log.account(), session: answer, recovery_codes: texts(&codes) })
    }

    async fn confirm_again(
        &self,
        account: &Account,
        log: &AccountLog,
        code: &str,
        question: Option<Question>,
    ) -> Result<SignedUp, ConfirmError> {
        let record = self.0.vault.open_record(account.key, &account.sealed)?;
        if record.log != log.encode() {
            return Err(ConfirmError::Statements);
        }
        let secrets = self.secrets(Some(account))?;
        let code = Code::parse(code);
        if self.use_up(account.key, &secrets, &code).await?.is_none() {
            return Err(ConfirmError::Code);
        }
        let device = log.device_keys().first().map(livechat_wire::DeviceId::of);
        let recovery_codes = self.fresh_recovery_codes(account.key).await?.ok_or(ConfirmError::Over)?;
        let mut session = self.open_session(account.key, log.account(), device).await?.ok_or(ConfirmError::Over)?;
        if let (Some(question), Some(device)) = (question, device) {
            session.vault = Some(self.evaluate(account.key, &device, &account.vault, &question)?);
        }
        Ok(SignedUp { account: log.account(), session, recovery_codes })
    }

    pub(super) fn fresh_token_and_secret(&self) -> Result<(Token, TotpSecret), Fault> {
        Ok((self.token()?, TotpSecret::new(self.0.vault.env.random()?)))
    }

    pub(super) fn pending_answer(
        &self,
        username: &str,
        token: &Token,
        secret: &TotpSecret,
        expires_at: u64,
    ) -> Result<PendingSignUp, BadLabel> {
        Ok(PendingSignUp {
            username: username.to_owned(),
            pending: SecretText(token.text()),
            otpauth_uri: SecretText(secret.uri(&self.0.issuer, username)?.to_string()),
            setup_key: SecretText(secret.setup_key().to_string()),
            expires_at,
        })
    }

    /// A new set in place of the one before. None: no such account.
    pub(super) async fn fresh_recovery_codes(&self, who: AccountKey) -> Result<Option<Vec<SecretText>>, Fault> {
        let codes = RecoveryCode::set(&self.0.vault.env)?;
        let keys = codes.iter().map(|c| self.code_key(who, c)).collect();
        Ok(self.0.store.replace_codes(who, keys).await?.then(|| texts(&codes)))
    }
}

fn texts(codes: &[RecoveryCode]) -> Vec<SecretText> {
    codes.iter().map(|c| SecretText(c.text())).collect()
}
