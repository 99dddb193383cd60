//! The vault on the brain's thread, the one place that holds the key while the store is open.
//!
//! Order: the vault is on disk before the key's file may go, and is read back before it does. A crash in between
//! leaves both, and the key's file opens the store as before.

use std::io;

use livechat_crypto::vault::{Answer, Draft, Habits, Owner, PassphraseError, Vault};
use zeroize::Zeroizing;

use super::inside::{Failure, Inside};
use super::{Brain, Outcome};
use crate::api::{Error, ErrorCode};
use crate::env;
use crate::store::{KEY, Key};
use crate::vault::files;

/// What is known of the vault outside of this thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guard {
    pub(crate) passphrase: bool,
    pub(crate) phrase: bool,
    pub(crate) habits: Habits,
}

/// Why a vault isn't changed.
#[derive(Debug)]
pub(super) enum GuardError {
    /// There is none yet.
    None,
    Passphrase(PassphraseError),
}

impl Inside {
    /// Takes over the vault beside the store, if it is this account's.
    pub(super) fn take_vault(&mut self) {
        self.vault = match files::read(self.dir()) {
            Ok(Some(vault)) => match self.owner() {
                Some(owner) => Some(vault).filter(|v| v.owner().account == owner.account),
                None => {
                    // Left by an account whose end was interrupted.
                    files::erase(&self.dir().join(files::VAULT)).unwrap_or_default();
                    None
                }
            },
            Ok(None) => None,
            Err(e) => {
                tracing::warn!("the vault is no good, and made anew at the next log-in: {e}");
                None
            }
        };
    }

    /// The vault names whom a locked device belongs to: after a change of name, under the new one.
    pub(super) fn keep_name(&mut self) {
        let Some(username) = self.engine().and_then(|e| e.account()).map(|a| a.username) else { return };
        let Some(mut vault) = self.vault.clone().filter(|v| v.owner().username != username) else { return };
        vault.set_username(username);
        match files::write(self.dir(), &vault) {
            Ok(()) => self.vault = Some(vault),
            // The old name opens it for as long as the relay holds that; the next input tries again.
            Err(e) => tracing::warn!("the vault keeps the account's old name for now: {e}"),
        }
    }

    pub(super) fn guard_now(&self) -> Option<Guard> {
        let guard = |v: &Vault| Guard { passphrase: v.has_passphrase(), phrase: v.has_phrase(), habits: v.habits() };
        self.vault.as_ref().map(guard)
    }

    fn owner(&self) -> Option<Owner> {
        let account = self.engine()?.account()?;
        Some(Owner { account: account.account, relay: account.relay, username: account.username })
    }

    fn wrap(&mut self, draft: &Draft, answer: &Answer) -> Result<(), Failure> {
        self.open_again()?;
        let mut dice = env::dice().map_err(|e| Failure::Defect(format!("the system gives no randomness: {e}")))?;
        let nobody = || Failure::Defect("nobody's vault".into());
        let owner = self.owner().ok_or_else(nobody)?;
        let identity = self.engine().and_then(|e| e.identity()).ok_or_else(nobody)?;
        let before = self.vault.as_ref();
        let vault = Vault::wrap(self.key.bytes(), owner, identity, draft, answer, before, &mut dice);
        self.keep_vault(vault)
    }

    fn keep_vault(&mut self, vault: Vault) -> Result<(), Failure> {
        files::write(self.dir(), &vault).map_err(|e| failed(&e))?;
        self.vault = Some(vault);
        self.keep_key()
    }

    /// The key's file as the vault's owner wants it: there while open, or never.
    pub(super) fn keep_key(&mut self) -> Result<(), Failure> {
        match &self.vault {
            Some(vault) if !vault.habits().stay_unlocked => self.release(),
            _ if self.dir().join(KEY).exists() => Ok(()),
            _ => self.key.save(&self.dir().join(KEY)).map_err(|e| failed(&e)),
        }
    }

    /// Removes the key's file; from then on only the vault opens the store.
    fn release(&mut self) -> Result<(), Failure> {
        // Nothing is removed on the word of memory alone.
        let kept = files::read(self.dir()).map_err(|e| Failure::Store(e.to_string()))?;
        if kept.is_none() || kept != self.vault {
            return Err(Failure::Store("the vault on disk isn't the one it should be".into()));
        }
        Key::erase(&self.dir().join(KEY)).map_err(|e| failed(&e))
    }

    /// Before everything is forgotten: a new account finds its key, and no vault.
    pub(super) fn unguard(&mut self) -> Result<(), Failure> {
        self.key.save(&self.dir().join(KEY)).map_err(|e| failed(&e))
    }

    fn change(&mut self, change: impl FnOnce(&mut Vault, &Key) -> Result<(), GuardError>) -> Changed {
        let Some(mut vault) = self.vault.clone() else { return (Ok(Err(GuardError::None)), None) };
        if let Err(e) = change(&mut vault, &self.key) {
            return (Ok(Err(e)), None);
        }
        let kept = self.keep_vault(vault);
        let outcome = self.told();
        (kept.map(Ok), Some(outcome))
    }

    fn told(&mut self) -> Outcome {
        self.refresh();
        Outcome { snapshot: self.snapshot(), ..Outcome::default() }
    }
}

type Changed = (Result<Result<(), GuardError>, Failure>, Option<Outcome>);

impl Brain {
    /// Wraps the key anew, with what the relay gave for a code.
    pub(crate) async fn guard(&self, draft: Draft, answer: Answer) -> Result<(), Error> {
        self.run(move |inside| {
            let done = inside.wrap(&draft, &answer);
            let outcome = inside.told();
            (done, Some(outcome))
        })
        .await
    }

    /// The key's file as the vault's owner wants it.
    pub(crate) async fn keep_key(&self) -> Result<(), Error> {
        self.run(|inside| (inside.keep_key(), None)).await
    }

    /// Removes the key's file. The store stays open until this brain ends.
    pub(crate) async fn release(&self) -> Result<(), Error> {
        self.run(|inside| (inside.release(), None)).await
    }

    /// Puts a passphrase into force; none removes it.
    pub(crate) async fn set_passphrase(&self, passphrase: Option<Zeroizing<String>>) -> Result<(), Error> {
        let mut dice = env::dice().map_err(|e| Failure::Defect(e.to_string()).to_api())?;
        let change = move |vault: &mut Vault, key: &Key| match passphrase {
            Some(p) => vault.set_passphrase(&p, key.bytes(), &mut dice).map_err(GuardError::Passphrase),
            None => {
                vault.remove_passphrase();
                Ok(())
            }
        };
        self.run(|inside| inside.change(change)).await?.map_err(refused)
    }

    /// Changes how the vault is kept.
    pub(crate) async fn set_habits(&self, habits: Habits) -> Result<(), Error> {
        let change = move |vault: &mut Vault, _: &Key| {
            vault.set_habits(habits);
            Ok(())
        };
        self.run(move |inside| inside.change(change)).await?.map_err(refused)
    }
}

fn refused(e: GuardError) -> Error {
    match e {
        GuardError::None => unguarded(),
        GuardError::Passphrase(e) => {
            let text = e.to_string();
            let hint = "Choose another one; several words are easier to keep than one with signs in it.";
            Error::new(ErrorCode::BadText, format!("{}{}.", text[..1].to_uppercase(), &text[1..]), hint)
        }
    }
}

/// There is nothing that would give the key back.
pub(crate) fn unguarded() -> Error {
    let message = "This device's key isn't in a vault yet: nothing would open it again.";
    Error::new(ErrorCode::WrongState, message, "Log in with a code once more while the relay can be reached.")
}

fn failed(e: &io::Error) -> Failure {
    Failure::Store(e.to_string())
}
