//! Pauses that grow and are never quite the same, so that a relay that is back isn't met by everybody at once.

use std::time::Duration;

use rand_core::Rng;

use crate::env;

/// Pauses of one thing that fails again and again.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, failures: 0 }
    }

    /// The pause after one more failure: doubled each time, ±25 %.
    pub(crate) fn next(&mut self) -> Duration {
        let base = self.first.saturating_mul(1 << self.failures.min(16)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        // Without dice everybody waits the same, which is still right.
        let roll = env::dice().map_or(128, |mut dice| dice.next_u32() % 257);
        base.mul_f64(0.75 + 0.5 * f64::from(roll) / 256.0)
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit() {
        let mut b = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        let pauses: Vec<_> = (0..40).map(|_| b.next()).collect();
        assert!(pauses[0] >= Duration::from_millis(375) && pauses[0] <= Duration::from_millis(625));
        assert!(pauses[39] >= Duration::from_millis(22_500) && pauses[39] <= Duration::from_millis(37_500));
        b.reset();
        assert!(b.next() <= Duration::from_millis(625));
    }
}
