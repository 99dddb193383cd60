//! For tests, of this crate and of others: a mongod, a clock to turn, faults to inject. Not part of a release.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "tests fail by panicking")]

mod clock;
mod faults;
mod mongod;
mod port;

use std::sync::Arc;

pub use crate::totp::code_at;
pub use clock::TurnedClock;
pub use faults::{Faults, FaultyAccounts, FaultyBlobs, FaultySlots};
pub use mongod::{Mongod, mongo_missing};
pub use port::free_port;

pub use crate::relay::Stores;
use crate::{Config, Relay, StartError};

/// Starts a relay on a clock that stands still until it is turned, what HTTP asks its stores wrapped by `wrap`.
///
/// # Errors
/// See [`StartError`].
pub async fn start(
    config: Config,
    clock: Arc<TurnedClock>,
    wrap: impl FnOnce(Stores) -> Stores,
) -> Result<Relay, StartError> {
    crate::relay::start_wrapped(config, crate::env::Env::with_clock(clock), wrap).await
}
