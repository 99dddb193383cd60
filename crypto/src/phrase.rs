//! The recovery phrase: 24 words of BIP-39 that the account's identity key comes from (PROTOCOL R-44).
//!
//! Who has the words has the account: they are shown once, typed in again where the key is needed, and kept by nobody
//! but their owner. Only the English list is used, so that a phrase means the same everywhere.

use core::fmt;

use bip39::{Language, Mnemonic};
use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use livechat_wire::AccountId;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Dice, draw};

/// Words of a phrase.
pub const WORDS: usize = 24;
/// Bytes that the words stand for.
pub const ENTROPY: usize = 32;

const ACCOUNT: &[u8] = b"livechat account key v1";

/// Why what was typed is no recovery phrase. Never says a word that was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhraseError {
    /// Another number of words.
    #[error("a recovery phrase has {WORDS} words, not {0}")]
    Count(usize),
    /// A word that isn't in the list, counted from 1.
    #[error("word {0} isn't one of the list")]
    Word(usize),
    /// All are words of the list, but they don't belong together: some are mistyped or in another order.
    #[error("these words don't belong together")]
    Checksum,
}

/// 24 words. Zeroized on drop; `Debug` prints nothing of them.
pub struct RecoveryPhrase(Zeroizing<[u8; ENTROPY]>);

impl RecoveryPhrase {
    /// Draws a new one.
    #[must_use]
    pub fn generate(rng: Dice<'_>) -> Self {
        Self(Zeroizing::new(draw(rng)))
    }

    /// The phrase of these bytes.
    #[must_use]
    pub fn from_entropy(entropy: &[u8; ENTROPY]) -> Self {
        Self(Zeroizing::new(*entropy))
    }

    /// Reads what a person typed: any case, words apart by blanks, lines or commas, perhaps numbered.
    ///
    /// # Errors
    /// See [`PhraseError`].
    pub fn parse(typed: &str) -> Result<Self, PhraseError> {
        let mut words = Zeroizing::new(String::with_capacity(typed.len()));
        let mut count = 0;
        for word in typed.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()) {
            if count > 0 {
                words.push(' ');
            }
            words.extend(word.chars().flat_map(char::to_lowercase));
            count += 1;
        }
        if count != WORDS {
            return Err(PhraseError::Count(count));
        }
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &words).map_err(|e| match e {
            bip39::Error::UnknownWord(at) => PhraseError::Word(at + 1),
            _ => PhraseError::Checksum,
        })?;
        let (bytes, length) = mnemonic.to_entropy_array();
        let bytes = Zeroizing::new(bytes);
        let entropy = bytes.get(..length).and_then(|b| b.try_into().ok()).ok_or(PhraseError::Checksum)?;
        Ok(Self(Zeroizing::new(entropy)))
    }

    /// The words, in order.
    ///
    /// # Panics
    /// Never: 32 bytes always make 24 words.
    #[must_use]
    pub fn words(&self) -> [&'static str; WORDS] {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, &self.0[..]).expect("32 bytes make 24 words");
        let mut out = [""; WORDS];
        for (place, word) in out.iter_mut().zip(mnemonic.words()) {
            *place = word;
        }
        out
    }

    /// The bytes the words stand for, for the encrypted store.
    #[must_use]
    pub fn entropy(&self) -> &[u8; ENTROPY] {
        &self.0
    }

    /// The seed of the account's identity key.
    ///
    /// # Panics
    /// Never: HKDF gives 32 bytes to everyone.
    #[must_use]
    pub fn account_key(&self) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &self.0[..]).expand(ACCOUNT, &mut key[..]).expect("32 bytes are few");
        key
    }

    /// The account that this is the phrase of.
    #[must_use]
    pub fn account(&self) -> AccountId {
        AccountId::of(SigningKey::from_bytes(&self.account_key()).verifying_key().as_bytes())
    }
}

impl fmt::Debug for RecoveryPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryPhrase(…)")
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::identity::Identity;

    fn phrase() -> RecoveryPhrase {
        RecoveryPhrase::from_entropy(&[7; ENTROPY])
    }

    #[test]
    fn is_read_as_people_write_it() {
        let words = phrase().words();
        let plain = words.join(" ");
        let numbered: String = words.iter().enumerate().map(|(i, w)| format!("{}. {w}\n", i + 1)).collect();
        for typed in [plain.clone(), plain.to_uppercase(), words.join(", "), format!("  {plain}\n"), numbered] {
            assert_eq!(RecoveryPhrase::parse(&typed).unwrap().entropy(), phrase().entropy(), "{typed}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_words() {
        let mut words = phrase().words();
        assert_eq!(RecoveryPhrase::parse(&words[1..].join(" ")).unwrap_err(), PhraseError::Count(23));
        assert_eq!(RecoveryPhrase::parse("").unwrap_err(), PhraseError::Count(0));
        words[4] = "livechat";
        assert_eq!(RecoveryPhrase::parse(&words.join(" ")).unwrap_err(), PhraseError::Word(5));
        let mut words = phrase().words();
        words.swap(0, 23);
        let swapped = RecoveryPhrase::parse(&words.join(" ")).unwrap_err();
        assert_eq!(swapped, PhraseError::Checksum);
        assert!(!swapped.to_string().contains(words[0]));
    }

    /// The account of a phrase never changes: people have it on paper.
    #[test]
    fn the_account_of_a_phrase_is_frozen() {
        let account = phrase().account();
        assert_eq!(HEXLOWER.encode(&phrase().account_key()[..]), FROZEN_KEY);
        let identity = Identity::of_phrase(&phrase(), &mut ChaCha20Rng::seed_from_u64(1));
        let other_device = Identity::of_phrase(&phrase(), &mut ChaCha20Rng::seed_from_u64(2));
        assert_eq!((identity.account(), other_device.account()), (account, account));
        assert_ne!(identity.device(), other_device.device());
    }

    #[test]
    fn two_are_never_alike() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (a, b) = (RecoveryPhrase::generate(&mut rng), RecoveryPhrase::generate(&mut rng));
        assert!(a.words() != b.words() && a.account() != b.account());
    }

    const FROZEN_KEY: &str = "5b1c9db7573a46e162b3a450810ddc2f7a501a5df3a3e43c459b2ab7882f111e";
}
