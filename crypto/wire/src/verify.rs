//! What two people show each other to be sure whom they talk to: a code that says which accounts its shower sees at
//! both ends. Nothing in it is secret, and nothing has to be: it is compared, not believed.
//!
//! `version (1) ‖ account of whoever shows it (32) ‖ account they see at the other end (32)`; as text in a QR code or by
//! hand `LIVECHAT-VERIFY:` and base32 without padding, which a QR code holds in its dense alphabet.

use data_encoding::BASE32_NOPAD;

use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::AccountId;
use crate::limits;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;

const PREFIX: &str = "LIVECHAT-VERIFY:";

/// Which accounts somebody sees at both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Whose code it is.
    pub by: AccountId,
    /// Whom they take the other one for.
    pub about: AccountId,
}

impl Claim {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::new().u8(VERSION).raw(&self.by.0).raw(&self.about.0).finish()
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is of another version, too short or too long.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let claim = Self { by: AccountId(r.array()?), about: AccountId(r.array()?) };
        r.end()?;
        Ok(claim)
    }

    /// As a QR code holds it.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", BASE32_NOPAD.encode(&self.encode()))
    }

    /// Reads what was scanned, pasted or typed: blanks, line ends and the case of letters don't count.
    ///
    /// # Errors
    /// It is no such code, or one of another version.
    pub fn from_text(text: &str) -> Result<Self, DecodeError> {
        if text.len() > limits::VERIFY_TEXT {
            return Err(DecodeError::Bounds("code"));
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        let code = text.strip_prefix(PREFIX).ok_or(DecodeError::Unknown("code"))?;
        Self::decode(&BASE32_NOPAD.decode(code.as_bytes()).map_err(|_| DecodeError::NotCanonical("code"))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_being_typed() {
        let claim = Claim { by: AccountId([0xa5; 32]), about: AccountId([7; 32]) };
        let text = claim.to_text();
        assert!(text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "-:".contains(c)), "{text}");
        assert_eq!(Claim::from_text(&text), Ok(claim));
        let typed: String = text.to_lowercase().chars().flat_map(|c| [c, ' ']).collect();
        assert_eq!(Claim::from_text(&format!("\n{typed}\r\n")), Ok(claim));
        for bad in ["", "LIVECHAT-VERIFY:", &text[..40], &format!("{text}A"), &text[1..], "https://evil.example/"] {
            assert!(Claim::from_text(bad).is_err(), "{bad}");
        }
        assert!(Claim::from_text(&" ".repeat(limits::VERIFY_TEXT + 1)).is_err());
        let mut newer = claim.encode();
        newer[0] = 2;
        let newer = format!("{PREFIX}{}", BASE32_NOPAD.encode(&newer));
        assert_eq!(Claim::from_text(&newer), Err(DecodeError::Version(2)));
    }
}
