//! A clock that stands still until it is turned.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::env::Clock;

/// Stands still; [`TurnedClock::advance`] turns it.
#[derive(Debug)]
pub struct TurnedClock {
    unix_seconds: AtomicU64,
    monotonic_ms: AtomicU64,
}

impl TurnedClock {
    /// A clock at some moment, in Unix seconds.
    #[must_use]
    pub fn at(unix_seconds: u64) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self { unix_seconds: unix_seconds.into(), monotonic_ms: 0.into() })
    }

    /// Unix seconds now.
    pub fn now(&self) -> u64 {
        self.unix_seconds.load(Ordering::SeqCst)
    }

    /// Time passes.
    pub fn advance(&self, seconds: u64) {
        self.unix_seconds.fetch_add(seconds, Ordering::SeqCst);
        self.monotonic_ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock; no time passes.
    pub fn set(&self, unix_seconds: u64) {
        self.unix_seconds.store(unix_seconds, Ordering::SeqCst);
    }
}

impl Clock for TurnedClock {
    fn unix_seconds(&self) -> u64 {
        self.now()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.monotonic_ms.load(Ordering::SeqCst))
    }
}
