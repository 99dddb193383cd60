//! From when to when a KeyPackage may be used: an extension of ours, signed with the rest of the KeyPackage.

use livechat_wire::codec::{DecodeError, Reader, Writer};

use super::KeyPackageProblem;
use crate::limits;

/// The KeyPackage extension's type, from the range for private use (RFC 9420 §17.3).
pub const EXTENSION: u16 = 0xf4c1;

/// Unix seconds between which a KeyPackage may be used: `not_before <= now < not_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From this second.
    pub not_before: u64,
    /// To before this one.
    pub not_after: u64,
}

impl Validity {
    /// That of a KeyPackage made at `now`.
    #[must_use]
    pub fn from(now: u64) -> Self {
        Self {
            not_before: now.saturating_sub(limits::CLOCK_SKEW),
            not_after: now.saturating_add(limits::KEY_PACKAGE_LIFETIME),
        }
    }

    /// The extension's content: both times, big-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::new().u64(self.not_before).u64(self.not_after).finish()
    }

    /// Reads the extension's content.
    ///
    /// # Errors
    /// Any length but sixteen bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let it = Self { not_before: r.u64()?, not_after: r.u64()? };
        r.end()?;
        Ok(it)
    }

    /// Checks it against the time.
    ///
    /// # Errors
    /// Too long a span (RFC 9420 §7.2 demands a limit), or `now` outside it.
    pub fn check(&self, now: u64) -> Result<(), KeyPackageProblem> {
        let span = self.not_after.checked_sub(self.not_before).ok_or(KeyPackageProblem::Validity)?;
        if span > limits::KEY_PACKAGE_LIFETIME + limits::CLOCK_SKEW {
            return Err(KeyPackageProblem::Validity);
        }
        match now {
            _ if now < self.not_before => Err(KeyPackageProblem::NotYet),
            _ if now >= self.not_after => Err(KeyPackageProblem::Expired),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_from_a_day_before_to_its_end() {
        let now = 1_800_000_000;
        let validity = Validity::from(now);
        assert_eq!(Validity::decode(&validity.encode()), Ok(validity));
        assert_eq!(validity.check(now), Ok(()));
        assert_eq!(validity.check(now - limits::CLOCK_SKEW), Ok(()));
        assert_eq!(validity.check(now - limits::CLOCK_SKEW - 1), Err(KeyPackageProblem::NotYet));
        assert_eq!(validity.check(now + limits::KEY_PACKAGE_LIFETIME - 1), Ok(()));
        assert_eq!(validity.check(now + limits::KEY_PACKAGE_LIFETIME), Err(KeyPackageProblem::Expired));
    }

    #[test]
    fn longer_ones_are_refused() {
        let mut validity = Validity::from(1_800_000_000);
        validity.not_after += 1;
        assert_eq!(validity.check(1_800_000_000), Err(KeyPackageProblem::Validity));
        assert_eq!(Validity { not_before: 2, not_after: 1 }.check(1), Err(KeyPackageProblem::Validity));
    }
}
