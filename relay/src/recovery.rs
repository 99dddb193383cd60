//! Recovery codes: for the day the phone is gone. Ten, each good once.

use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;
use zeroize::Zeroizing;

use crate::env::{Env, NoRandomness};

/// Codes in a set.
pub const CODES: usize = 10;
/// Bytes of randomness in a code: 80 bits can't be guessed, so codes need no budget of their own.
const BYTES: usize = 10;
/// Characters without the dashes.
const CHARS: usize = BYTES * 8 / 5;
/// Characters in a group.
const GROUP: usize = 4;

/// Crockford's base32: no I, L, O, U, and what people write instead is understood.
static ALPHABET: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    spec.translate.from.push_str("ABCDEFGHJKMNPQRSTVWXYZoOiIlL");
    spec.translate.to.push_str("abcdefghjkmnpqrstvwxyz001111");
    spec.ignore.push_str("- \t");
    spec.encoding().ok()
});

/// A code's bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(Zeroizing<[u8; BYTES]>);

impl RecoveryCode {
    /// Makes a set.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn set(env: &Env) -> Result<Vec<Self>, NoRandomness> {
        (0..CODES).map(|_| Ok(Self(Zeroizing::new(env.random()?)))).collect()
    }

    /// Reads what a person typed; none if it isn't one (a six-digit code never is).
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let bytes = Zeroizing::new(ALPHABET.as_ref()?.decode(typed.trim().as_bytes()).ok()?);
        bytes.as_slice().try_into().ok().map(|b| Self(Zeroizing::new(b)))
    }

    /// The bytes, for hashing.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// As it is shown: four groups of four.
    #[must_use]
    pub fn text(&self) -> String {
        let plain = Zeroizing::new(ALPHABET.as_ref().map(|a| a.encode(&self.0[..])).unwrap_or_default());
        let mut out = String::with_capacity(CHARS + CHARS / GROUP);
        for (i, c) in plain.chars().enumerate() {
            if i > 0 && i % GROUP == 0 {
                out.push('-');
            }
            out.push(c);
        }
        out
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_write_them() {
        let code = RecoveryCode(Zeroizing::new([0, 1, 2, 3, 250, 251, 252, 253, 254, 255]));
        let text = code.text();
        assert_eq!(text, "000g-40zt-zfyf-vzqz");
        for typed in
            [text.clone(), text.to_uppercase(), text.replace('-', ""), text.replace('0', "O"), format!(" {text} ")]
        {
            assert_eq!(RecoveryCode::parse(&typed), Some(code.clone()), "{typed}");
        }
        for typed in ["", "123456", "000g-40zt-zfyf-vzq", "000g-40zt-zfyf-vzqzz", "000g-40zt-zfyf-vzqu"] {
            assert_eq!(RecoveryCode::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_set_has_ten_different_ones() {
        let set = RecoveryCode::set(&Env::system()).unwrap();
        let texts: std::collections::BTreeSet<_> = set.iter().map(RecoveryCode::text).collect();
        assert_eq!((set.len(), texts.len()), (10, 10));
    }
}
