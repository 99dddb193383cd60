//! The vault: the key of a device's database, wrapped once for each way in (PROTOCOL ).
//!
//! Ways: a code (the relay evaluates an oblivious function after a correct one), the recovery phrase (offline), and
//! perhaps a passphrase (offline). A vault is made anew at each log-in with a code, under fresh secrets; a passphrase
//! stays in force until it is changed. The file's layout stands in [`file`].
//!
//! What this keeps: whoever has the vault alone can open nothing but by guessing the passphrase, if there is one. The
//! relay learns neither the key nor anything about it.

mod file;

use core::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use livechat_wire::codec::Writer;
use livechat_wire::{AccountId, DecodeError, RelayId};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::identity::Identity;
use crate::phrase::RecoveryPhrase;
use crate::{Dice, draw, limits};

/// Bytes of a database key.
pub const KEY: usize = 32;
/// Bytes of what the relay's function gives (RFC 9497, SHA-512).
pub const OUTPUT: usize = 64;
/// Bytes of a wrapped key: the key and its tag.
const SEALED: usize = KEY + 16;
/// Bytes of a salt.
const SALT: usize = 32;

/// A database key. Lives in one place on the heap, however often it is handed on, and is zeroized on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseKey(Zeroizing<Vec<u8>>);

impl DatabaseKey {
    /// Room for one.
    #[must_use]
    pub fn zero() -> Self {
        Self(Zeroizing::new(vec![0; KEY]))
    }

    /// Copies one; none when the length is another.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == KEY).then(|| Self(Zeroizing::new(bytes.to_vec())))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// To be filled.
    #[must_use]
    pub fn as_mut_bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseKey(…)")
    }
}

/// A key that doesn't open a wrapping: the wrong secret, or a damaged vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this doesn't open the vault")]
pub struct WrongKey;

/// Why a passphrase isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Too short to be one.
    #[error("a passphrase has at least {} characters", limits::PASSPHRASE_MIN)]
    Short,
    /// Longer than anybody types.
    #[error("a passphrase has at most {} bytes", limits::PASSPHRASE_MAX)]
    Long,
    /// The system has not the memory to stretch it.
    #[error("there isn't enough memory to check a passphrase")]
    Memory,
}

/// Whose vault it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The account.
    pub account: AccountId,
    /// Where it is at home.
    pub relay: RelayId,
    /// Its name there.
    pub username: String,
}

/// How it wants to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// Whether a log-in keeps the vault open until the session ends, restarts included.
    pub stay_unlocked: bool,
    /// Seconds without a request after which it locks; zero for never.
    pub lock_after: u32,
}

impl Default for Habits {
    fn default() -> Self {
        Self { stay_unlocked: true, lock_after: 0 }
    }
}

/// The device's half of the secret behind a code, before the relay has answered.
pub struct Draft {
    account: AccountId,
    secret: Zeroizing<[u8; 32]>,
}

impl Draft {
    /// Draws one.
    #[must_use]
    pub fn new(account: AccountId, rng: Dice<'_>) -> Self {
        Self { account, secret: Zeroizing::new(draw(rng)) }
    }

    /// What the oblivious function is asked for, blinded.
    #[must_use]
    pub fn input(&self) -> Zeroizing<Vec<u8>> {
        input(&self.account, &self.secret)
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draft(…)")
    }
}

/// What the relay answered to a correct code, unblinded.
pub struct Answer {
    /// The function's output.
    pub output: Zeroizing<[u8; OUTPUT]>,
    /// The key it was computed with; later answers must be of the same.
    pub public: [u8; 32],
    /// What lets this device ask again while it is locked; opaque to it.
    pub knock: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(…)")
    }
}

/// A key, wrapped under one way in.
#[derive(Clone, PartialEq, Eq)]
struct Wrapped {
    salt: [u8; SALT],
    sealed: [u8; SEALED],
}

/// A passphrase's way, and what stretching costs.
#[derive(Clone, PartialEq, Eq)]
struct ByPassphrase {
    salt: [u8; 16],
    memory_kib: u32,
    passes: u32,
    wrapped: Wrapped,
}

/// A vault. Holds no secret that opens it; `Debug` prints the owner only.
#[derive(Clone, PartialEq, Eq)]
pub struct Vault {
    owner: Owner,
    habits: Habits,
    secret: Zeroizing<[u8; 32]>,
    public: [u8; 32],
    knock: Vec<u8>,
    by_code: Wrapped,
    /// None on a linked device, which never had the identity key.
    by_phrase: Option<Wrapped>,
    by_passphrase: Option<ByPassphrase>,
}

impl Vault {
    /// Wraps `key` for a code and, where the identity key is, for the recovery phrase of `identity`. Habits and passphrase are taken over from the
    /// vault `before`, if it is the same account's.
    #[must_use]
    pub fn wrap(
        key: &DatabaseKey,
        owner: Owner,
        identity: &Identity,
        draft: &Draft,
        answer: &Answer,
        before: Option<&Self>,
        rng: Dice<'_>,
    ) -> Self {
        let before = before.filter(|b| b.owner.account == owner.account);
        Self {
            habits: before.map(|b| b.habits).unwrap_or_default(),
            secret: draft.secret.clone(),
            public: answer.public,
            knock: answer.knock.clone(),
            by_code: Way::Code.wrap(&owner.account, &code_secret(&draft.secret, &answer.output), key, rng),
            by_phrase: identity.account_seed().map(|seed| Way::Phrase.wrap(&owner.account, &seed[..], key, rng)),
            by_passphrase: before.and_then(|b| b.by_passphrase.clone()),
            owner,
        }
    }

    /// What the oblivious function is to be asked for, blinded.
    #[must_use]
    pub fn input(&self) -> Zeroizing<Vec<u8>> {
        input(&self.owner.account, &self.secret)
    }

    /// Opens with what came of a code.
    ///
    /// # Errors
    /// [`WrongKey`]: with a proven answer, the vault is damaged.
    pub fn open_by_code(&self, output: &[u8; OUTPUT]) -> Result<DatabaseKey, WrongKey> {
        Way::Code.unwrap(&self.owner.account, &code_secret(&self.secret, output), &self.by_code)
    }

    /// Opens with the recovery phrase.
    ///
    /// # Errors
    /// [`WrongKey`]: with this account's phrase, the vault is damaged, or a linked device's ([`Vault::has_phrase`]).
    pub fn open_by_phrase(&self, phrase: &RecoveryPhrase) -> Result<DatabaseKey, WrongKey> {
        let way = self.by_phrase.as_ref().ok_or(WrongKey)?;
        Way::Phrase.unwrap(&self.owner.account, &phrase.account_key()[..], way)
    }

    /// Whether the recovery phrase opens it: not on a linked device.
    #[must_use]
    pub fn has_phrase(&self) -> bool {
        self.by_phrase.is_some()
    }

    /// Opens with the passphrase. Takes a moment, on purpose.
    ///
    /// # Errors
    /// [`WrongKey`]: wrong, or there is none.
    pub fn open_by_passphrase(&self, passphrase: &str) -> Result<DatabaseKey, WrongKey> {
        let way = self.by_passphrase.as_ref().ok_or(WrongKey)?;
        let secret = stretched(passphrase, &way.salt, way.memory_kib, way.passes).map_err(|_| WrongKey)?;
        Way::Passphrase.unwrap(&self.owner.account, &secret[..], &way.wrapped)
    }

    /// Puts a passphrase into force, in place of the one before.
    ///
    /// # Errors
    /// See [`PassphraseError`].
    pub fn set_passphrase(
        &mut self,
        passphrase: &str,
        key: &DatabaseKey,
        rng: Dice<'_>,
    ) -> Result<(), PassphraseError> {
        if passphrase.chars().count() < limits::PASSPHRASE_MIN {
            return Err(PassphraseError::Short);
        }
        if passphrase.len() > limits::PASSPHRASE_MAX {
            return Err(PassphraseError::Long);
        }
        let (salt, memory_kib, passes) = (draw(rng), limits::ARGON2_KIB, limits::ARGON2_PASSES);
        let secret = stretched(passphrase, &salt, memory_kib, passes)?;
        let wrapped = Way::Passphrase.wrap(&self.owner.account, &secret[..], key, rng);
        self.by_passphrase = Some(ByPassphrase { salt, memory_kib, passes, wrapped });
        Ok(())
    }

    /// Leaves code and phrase as the only ways in.
    pub fn remove_passphrase(&mut self) {
        self.by_passphrase = None;
    }

    /// Whether there is a passphrase.
    #[must_use]
    pub fn has_passphrase(&self) -> bool {
        self.by_passphrase.is_some()
    }

    /// Whose it is.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// How it is kept.
    #[must_use]
    pub fn habits(&self) -> Habits {
        self.habits
    }

    /// Notes that the account is called otherwise. The wrappings are bound to the account, not to its name.
    pub fn set_username(&mut self, username: String) {
        self.owner.username = username;
    }

    /// Changes how it is kept.
    pub fn set_habits(&mut self, habits: Habits) {
        self.habits = habits;
    }

    /// The key the relay must answer with.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// What lets this device ask while it is locked.
    #[must_use]
    pub fn knock(&self) -> &[u8] {
        &self.knock
    }

    /// As a file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        file::encode(self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Damaged, or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        file::decode(bytes)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// The ways in; each has keys of its own, so that one wrapping can't stand for another.
#[derive(Clone, Copy)]
enum Way {
    Code,
    Phrase,
    Passphrase,
}

impl Way {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Code => b"livechat vault by code v1",
            Self::Phrase => b"livechat vault by phrase v1",
            Self::Passphrase => b"livechat vault by passphrase v1",
        }
    }

    /// The salt is fresh for every wrapping, and so is the key: one nonce will do.
    fn cipher(self, secret: &[u8], salt: &[u8; SALT]) -> ChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), secret).expand(self.info(), &mut key[..]).expect("32 bytes are few");
        ChaCha20Poly1305::new((&*key).into())
    }

    fn wrap(self, account: &AccountId, secret: &[u8], key: &DatabaseKey, rng: Dice<'_>) -> Wrapped {
        let salt = draw(rng);
        let text = Payload { msg: key.as_bytes(), aad: &account.0 };
        let sealed = self.cipher(secret, &salt).encrypt(&Nonce::default(), text).expect("32 bytes are few");
        Wrapped { salt, sealed: sealed.try_into().expect("a key and its tag") }
    }

    fn unwrap(self, account: &AccountId, secret: &[u8], wrapped: &Wrapped) -> Result<DatabaseKey, WrongKey> {
        let text = Payload { msg: &wrapped.sealed, aad: &account.0 };
        let key = self.cipher(secret, &wrapped.salt).decrypt(&Nonce::default(), text).map_err(|_| WrongKey)?;
        let key = DatabaseKey(Zeroizing::new(key));
        if key.as_bytes().len() == KEY { Ok(key) } else { Err(WrongKey) }
    }
}

fn input(account: &AccountId, secret: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut w = Writer::new();
    w.raw(b"livechat vault v1").raw(&account.0).raw(secret);
    Zeroizing::new(w.finish())
}

fn code_secret(device: &[u8; 32], output: &[u8; OUTPUT]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([&device[..], output].concat())
}

fn stretched(
    passphrase: &str,
    salt: &[u8; 16],
    memory_kib: u32,
    passes: u32,
) -> Result<Zeroizing<[u8; 32]>, PassphraseError> {
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|_| PassphraseError::Memory)?;
    let mut out = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut out[..])
        .map_err(|_| PassphraseError::Memory)?;
    Ok(out)
}

#[cfg(test)]
mod tests;
