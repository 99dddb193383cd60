//! The only place of this crate that asks the system for the time and for randomness.
#![allow(clippy::disallowed_methods, reason = "this is the place")]

use std::time::{SystemTime, UNIX_EPOCH};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

/// Unix milliseconds; zero on a clock before 1970.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Unix seconds.
pub(crate) fn now_s() -> u64 {
    now_ms() / 1_000
}

/// Where this computer is: days of a search begin there.
pub(crate) fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::system()
}

/// Fills `bytes` with the system's randomness.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    getrandom::fill(bytes)
}

/// A generator freshly seeded by the system. Made anew for every transaction, so that a machine restored from a
/// snapshot of its memory doesn't draw the same numbers twice.
pub(crate) fn dice() -> Result<ChaCha20Rng, getrandom::Error> {
    let mut seed = Zeroizing::new([0; 32]);
    fill(&mut *seed)?;
    Ok(ChaCha20Rng::from_seed(*seed))
}
