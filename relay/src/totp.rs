//! Codes of authenticator apps: RFC 6238 with SHA-1, six digits, thirty seconds, so that every app can (SEED B17).

use std::fmt;

use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

/// Bytes of a secret: 160 bits, as RFC 4226 §4 recommends.
pub const SECRET: usize = 20;
/// Seconds of a step.
pub const STEP: u64 = 30;
/// Steps a code may be away, either way: clocks differ and people type slowly.
const SKEW: u16 = 1;

/// The secret shared with one authenticator app.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; SECRET]>);

/// An issuer or name that can't stand in an otpauth URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the issuer can't stand in an otpauth URI; it must not contain a colon")]
pub struct BadLabel;

impl TotpSecret {
    /// Takes fresh random bytes, or those of before.
    #[must_use]
    pub fn new(bytes: [u8; SECRET]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for sealing.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; SECRET] {
        &self.0
    }

    /// The step whose code this is, if it is one of now, a step before or a step after. Always computes all three.
    #[must_use]
    pub fn check(&self, code: &str, now: u64) -> Option<u64> {
        let totp = self.builder().build_noncompliant();
        // All of them, found or not; and if two steps share a code, the later one is used up.
        let origin = now / STEP;
        let steps = origin.saturating_sub(u64::from(SKEW))..=origin.saturating_add(u64::from(SKEW));
        steps.fold(None, |found, step| if exactly(&totp, code, step) { Some(step) } else { found })
    }

    /// `otpauth://totp/ISSUER:NAME?secret=…&issuer=ISSUER&algorithm=SHA1&digits=6&period=30`, percent-encoded.
    ///
    /// # Errors
    /// [`BadLabel`].
    pub fn uri(&self, issuer: &str, name: &str) -> Result<Zeroizing<String>, BadLabel> {
        let totp = self.builder().with_issuer(Some(issuer)).with_account_name(name).build().map_err(|_| BadLabel)?;
        let mut uri = Zeroizing::new(totp.to_url().map_err(|_| BadLabel)?);
        // Defaults that the format lets out, said for the apps that don't know them.
        uri.push_str("&algorithm=SHA1&digits=6&period=30");
        Ok(uri)
    }

    /// Base32 in groups of four, for typing.
    #[must_use]
    pub fn setup_key(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::BASE32_NOPAD.encode(&self.0[..]))
    }

    fn builder(&self) -> Builder {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(STEP)
            .with_skew(0)
            .with_secret(Secret::new_stack(*self.0))
    }
}

/// Whether `code` is that of `step` alone; compares in constant time.
fn exactly(totp: &Totp, code: &str, step: u64) -> bool {
    totp.check(code, step.saturating_mul(STEP)).is_some()
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// Codes as people type them: blanks and dashes dropped.
#[must_use]
pub fn strip(code: &str) -> Zeroizing<String> {
    Zeroizing::new(code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).collect())
}

/// The code of a moment, for tests and demonstrations that have the secret in base32.
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn code_at(setup_key: &str, unix_seconds: u64) -> String {
    let bytes = data_encoding::BASE32_NOPAD.decode(setup_key.as_bytes()).unwrap_or_default();
    Builder::new().with_secret(bytes).build_noncompliant().generate(unix_seconds).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc() -> TotpSecret {
        TotpSecret::new(*b"12345678901234567890")
    }

    /// RFC 6238 appendix B, SHA-1, the last six of the eight digits.
    #[test]
    fn rfc_6238_vectors() {
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(rfc().check(code, time), Some(time / STEP), "{time}");
        }
    }

    #[test]
    fn one_step_either_way_and_no_more() {
        let at: u64 = 1_111_111_109;
        for (away, ok) in [(-2_i64, false), (-1, true), (0, true), (1, true), (2, false)] {
            let now = at.checked_add_signed(away * 30).unwrap();
            assert_eq!(rfc().check("081804", now).is_some(), ok, "{away}");
        }
    }

    #[test]
    fn what_is_not_a_code() {
        for code in ["", "0", "08180", "0818044", "+81804", "abcdef", "０８１８０４"] {
            assert_eq!(rfc().check(code, 1_111_111_109), None, "{code}");
        }
        assert_eq!(&*strip(" 081 804\t"), "081804");
    }

    #[test]
    fn seed_b17_the_uri_has_issuer_and_encoded_names() {
        let uri = rfc().uri("Live Chat & Co", "josé").unwrap();
        assert_eq!(
            &*uri,
            "otpauth://totp/Live%20Chat%20%26%20Co:jos%C3%A9?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Live%20Chat%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(rfc().uri("a:b", "c"), Err(BadLabel));
    }
}
