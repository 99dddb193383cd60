//! What a new device shows, and an old one compares with what the relay shows it: 80 bits of a hash over the account as
//! the new device sees it and the bundle that it put there. Nothing in it is secret.
//!
//! `SHA-256("livechat device code v1" ‖ account (32) ‖ head of its log (32) ‖ bundle)`, its first ten bytes in base32:
//! sixteen characters, in four groups for people, behind `LIVECHAT-DEVICE:` in a QR code.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::account::AccountLog;
use crate::bundle::Bundle;
use crate::codec::DecodeError;

const DOMAIN: &[u8] = b"livechat device code v1";
const PREFIX: &str = "LIVECHAT-DEVICE:";

/// More than a code and its prefix have, however many blanks somebody types.
const TEXT: usize = 200;

/// The code of a device that waits to be added. Who wants another device to have the same has to find a second preimage
/// of 80 bits within the hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceCode([u8; 10]);

impl DeviceCode {
    /// Of the device with this bundle, which is to join the account with this log.
    #[must_use]
    pub fn of(log: &AccountLog, bundle: &Bundle) -> Self {
        let hash = Sha256::new()
            .chain_update(DOMAIN)
            .chain_update(log.account().0)
            .chain_update(log.head())
            .chain_update(bundle.encode())
            .finalize();
        let mut code = [0; 10];
        code.copy_from_slice(&hash[..10]);
        Self(code)
    }

    /// As a QR code holds it.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", BASE32_NOPAD.encode(&self.0))
    }

    /// Reads what was scanned, pasted or typed: blanks, dashes between groups and the case of letters don't count.
    ///
    /// # Errors
    /// It is no such code.
    pub fn from_text(text: &str) -> Result<Self, DecodeError> {
        if text.len() > TEXT {
            return Err(DecodeError::Bounds("device code"));
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        let code = text.strip_prefix(PREFIX).unwrap_or(&text).replace('-', "");
        let bytes = BASE32_NOPAD.decode(code.as_bytes()).map_err(|_| DecodeError::NotCanonical("device code"))?;
        bytes.try_into().map(Self).map_err(|_| DecodeError::Bounds("device code"))
    }
}

/// In groups of four, for people.
impl core::fmt::Display for DeviceCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let text = BASE32_NOPAD.encode(&self.0);
        for (n, c) in text.chars().enumerate() {
            if n > 0 && n % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{c}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_being_typed() {
        let code = DeviceCode([0xa5, 1, 2, 3, 4, 5, 6, 7, 8, 0xff]);
        let shown = code.to_string();
        assert_eq!(shown.len(), 19, "{shown}");
        for typed in
            [shown.clone(), shown.to_lowercase(), shown.replace('-', " "), code.to_text(), format!("\n{shown}\r\n")]
        {
            assert_eq!(DeviceCode::from_text(&typed), Ok(code), "{typed}");
        }
        for bad in
            ["", "LIVECHAT-DEVICE:", &shown[..14], &format!("{shown}AB"), "LIVECHAT-VERIFY:AAAA", "1111-1111-1111-1111"]
        {
            assert!(DeviceCode::from_text(bad).is_err(), "{bad}");
        }
        assert!(DeviceCode::from_text(&" ".repeat(TEXT + 1)).is_err());
    }

    #[test]
    fn another_device_or_another_account_has_another_code() {
        use crate::account::{Signer, Statement};
        use ed25519_dalek::{Signer as _, SigningKey};
        let key = |n: u8| SigningKey::from_bytes(&[n; 32]);
        let log = |n: u8| {
            let sign = |m: &[u8]| key(n).sign(m).to_bytes();
            AccountLog::found(key(n).verifying_key().to_bytes(), 7, sign).unwrap()
        };
        let bundle = |n: u8| {
            let hello = Box::new([n; crate::limits::XWING_PUBLIC]);
            Bundle::sign(key(n).verifying_key().to_bytes(), hello, [9; 16], 7, |m| key(n).sign(m).to_bytes())
        };
        let mut later = log(1);
        let device_key = key(4).verifying_key().to_bytes();
        later.append(8, Signer::Identity, Statement::AddDevice { device_key }, |m| key(1).sign(m).to_bytes()).unwrap();
        let codes = [
            DeviceCode::of(&log(1), &bundle(3)),
            DeviceCode::of(&log(2), &bundle(3)),
            DeviceCode::of(&later, &bundle(3)),
            DeviceCode::of(&log(1), &bundle(4)),
        ];
        for (n, code) in codes.iter().enumerate() {
            assert!(!codes[..n].contains(code), "{n}");
        }
        assert_eq!(codes[0].to_string(), "EMCB-NJZ7-UNGF-Z6Z5", "a vector");
    }
}
