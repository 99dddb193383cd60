//! The ways into a vault, and what a log-in asks the relay for the next one.

use livechat_crypto::phrase::RecoveryPhrase;
use livechat_crypto::vault::{self, Draft, Vault};
use livechat_oprf::{Question, Refused};
use livechat_wire::AccountId;
use livechat_wire::http::{self, Bytes, SecretText, VaultAnswer, VaultAsk};
use zeroize::Zeroizing;

use crate::account::flow::{elsewhere, same_name};
use crate::account::phrase::{another_accounts, not_a_phrase};
use crate::account::saved::SavedSession;
use crate::api::{Error, ErrorCode};
use crate::env;
use crate::relay::{AskError, RelayClient};
use crate::store::Key;

/// What a log-in asks for the vault that it makes.
pub(crate) struct Asking {
    draft: Draft,
    question: Question,
}

impl Asking {
    /// Half a secret, and the question for the other half.
    pub(crate) fn new(account: AccountId) -> Result<(Self, VaultAsk), Error> {
        let mut dice = env::dice().map_err(|e| unlucky(&e.to_string()))?;
        let draft = Draft::new(account, &mut dice);
        let (question, asked) = ask(&draft.input(), None)?;
        Ok((Self { draft, question }, asked))
    }

    /// With the relay's answer.
    pub(crate) fn finish(self, answer: &VaultAnswer) -> Result<(Draft, vault::Answer), Refused> {
        let answer = finish(&self.question, answer, None)?;
        Ok((self.draft, answer))
    }
}

/// Blinds what a vault asks.
fn ask(input: &[u8], knock: Option<&[u8]>) -> Result<(Question, VaultAsk), Error> {
    let mut dice = env::dice().map_err(|e| unlucky(&e.to_string()))?;
    let question = Question::new(input, &mut dice).map_err(|e| unlucky(&e.to_string()))?;
    let knock = knock.map(|k| SecretText(String::from_utf8_lossy(k).into_owned()));
    let asked = VaultAsk { blinded: Bytes(question.blinded().to_vec()), knock };
    Ok((question, asked))
}

/// Unblinds the relay's answer; it must be of the key `public`, if one is known.
fn finish(question: &Question, answer: &VaultAnswer, public: Option<&[u8; 32]>) -> Result<vault::Answer, Refused> {
    let given = answer.public_key.0.as_slice().try_into().map_err(|_| Refused::Malformed)?;
    if public.is_some_and(|p| *p != given) {
        return Err(Refused::OtherKey);
    }
    let output = question.finish(&answer.evaluated.0, &answer.proof.0, &given)?;
    Ok(vault::Answer { output, public: given, knock: answer.knock.0.clone().into_bytes() })
}

/// A code, and the relay's help.
pub(crate) async fn by_code(
    relay: &RelayClient,
    vault: &Vault,
    username: &str,
    code: String,
) -> Result<(Key, SavedSession), Error> {
    let owner = vault.owner();
    if !same_name(&owner.username, username) {
        return Err(elsewhere(&format!("This device belongs to {}.", owner.username)));
    }
    let (question, asked) = ask(&vault.input(), Some(vault.knock()))?;
    let log_in = http::LogIn { username: owner.username.clone(), code, device: None, vault: Some(asked) };
    let session = relay.log_in(&log_in).await.map_err(|e| another_way(e, vault))?;
    let opened = opened(vault, &question, &session);
    match opened {
        Ok(key) => Ok((key, SavedSession { token: Some(session.token), expires_at: session.expires_at })),
        Err(e) => {
            // Nobody here can use it; what can't be ended now ends in ten days.
            if let Err(e) = relay.log_out(&session.token).await {
                tracing::debug!("a session without use couldn't be ended: {e}");
            }
            Err(e)
        }
    }
}

fn opened(vault: &Vault, question: &Question, session: &http::Session) -> Result<Key, Error> {
    let owner = vault.owner();
    if session.account != owner.account {
        let message = format!("The relay keeps another account under the name {}.", owner.username);
        let hint = "Check the relay's address; if it is right, ask its operator what happened to the account.";
        return Err(Error::new(ErrorCode::RelayFailed, message, hint));
    }
    let answer = session.vault.as_ref().ok_or_else(|| {
        let message = "The code was right, but the relay doesn't take this device for one of the account's any more.";
        let hint = match offline(vault) {
            "Nothing" => {
                "It was removed, and nothing opens what is on it any more. Delete its data directory, or start \
                          with another one, and add it as a new device."
                    .to_owned()
            }
            way => format!("It was removed. {way} opens what is on it."),
        };
        Error::new(ErrorCode::NotThisDevice, message, hint)
    })?;
    let answer = finish(question, answer, Some(vault.public())).map_err(|_| {
        let message = "The code was right, but the relay answered with another key than the one this device's vault was \
                       made with; it may have lost its keys.";
        let hint = format!("{} opens it without the relay; a log-in with a code makes the vault anew then.", offline(vault));
        Error::new(ErrorCode::RelayFailed, message, hint)
    })?;
    vault.open_by_code(&answer.output).map(Key::new).map_err(|_| damaged())
}

/// The recovery phrase, without the relay.
pub(crate) fn by_phrase(vault: &Vault, typed: &str) -> Result<Key, Error> {
    if !vault.has_phrase() {
        let message = "This device was linked to the account: the recovery phrase doesn't open it.";
        return Err(Error::new(ErrorCode::WrongState, message, "Use a code, or the passphrase if there is one."));
    }
    let phrase = RecoveryPhrase::parse(typed).map_err(not_a_phrase)?;
    if phrase.account() != vault.owner().account {
        return Err(another_accounts());
    }
    vault.open_by_phrase(&phrase).map(Key::new).map_err(|_| damaged())
}

/// The passphrase, without the relay. Takes a moment and much memory: not for the threads of others.
pub(crate) fn by_passphrase(vault: &Vault, typed: &Zeroizing<String>) -> Result<Key, Error> {
    if !vault.has_passphrase() {
        let message = "This device has no passphrase.";
        return Err(Error::new(ErrorCode::WrongState, message, "Use a code of the authenticator."));
    }
    vault.open_by_passphrase(typed).map(Key::new).map_err(|_| {
        let message = "That isn't the passphrase.";
        Error::new(ErrorCode::WrongPassphrase, message, "Try again, or use a code of the authenticator.")
    })
}

/// What else there is, where the relay was of no help.
fn another_way(e: AskError, vault: &Vault) -> Error {
    let away = matches!(e, AskError::Unreachable(_));
    let mut error = Error::from(e);
    if away || error.code == ErrorCode::TooManyRequests {
        error.hint = format!("{} {} opens this device without the relay.", error.hint, offline(vault));
    }
    error
}

/// The ways that need no relay, to begin a sentence.
fn offline(vault: &Vault) -> &'static str {
    match (vault.has_phrase(), vault.has_passphrase()) {
        (true, true) => "The recovery phrase or the passphrase",
        (true, false) => "The recovery phrase",
        (false, true) => "The passphrase",
        (false, false) => "Nothing",
    }
}

fn damaged() -> Error {
    let message = "The vault on this device is damaged: nothing is wrong with what you typed.";
    let hint = "Restore node.vault from a backup, then try again; another way in may still work.";
    Error::new(ErrorCode::VaultDamaged, message, hint)
}

fn unlucky(cause: &str) -> Error {
    Error::new(ErrorCode::Internal, format!("The vault can't be asked for: {cause}."), "Try again.")
}
