//! The relay's two sides, HTTP and peer-to-peer: each is tried until it works, and both make up the state people see.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use crate::api::RelayState;
use crate::{env, limits};

/// One of the two sides.
#[derive(Debug)]
pub(super) struct Side {
    /// Whether the last try worked; none before the first.
    pub(super) good: Option<bool>,
    /// Why it didn't.
    reason: String,
    /// When to try again (or to look, while it works).
    pub(super) next: Option<Instant>,
    backoff: Backoff,
}

impl Side {
    fn new() -> Self {
        let backoff = Backoff::new(limits::RECONNECT_FIRST, limits::RECONNECT_MAX);
        Self { good: None, reason: String::new(), next: None, backoff }
    }

    /// It works; look again after `pause`, if ever.
    pub(super) fn works(&mut self, pause: Option<Duration>) {
        self.good = Some(true);
        self.backoff.reset();
        self.next = pause.map(|p| Instant::now() + p);
    }

    /// It doesn't; a later try is set.
    pub(super) fn fails(&mut self, reason: String) {
        self.good = Some(false);
        self.reason = reason;
        self.next = Some(Instant::now() + self.backoff.next());
    }

    /// Tries at once.
    pub(super) fn hurry(&mut self) {
        self.next = Some(Instant::now());
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|at| at <= now)
    }
}

/// Both sides.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) http: Side,
    pub(super) peer: Side,
    /// Whether the relay's card must be read anew.
    pub(super) card_wanted: bool,
    /// Whether an HTTP look is under way.
    pub(super) looking: bool,
}

impl Link {
    pub(super) fn new() -> Self {
        let mut http = Side::new();
        http.hurry();
        Self { http, peer: Side::new(), card_wanted: true, looking: false }
    }

    /// What people see; the peer side counts once there is an account to use it for.
    pub(super) fn state(&self, has_account: bool) -> RelayState {
        let sides: &[&Side] = if has_account { &[&self.http, &self.peer] } else { &[&self.http] };
        if let Some(bad) = sides.iter().find(|s| s.good == Some(false)) {
            let next = sides.iter().filter(|s| s.good == Some(false)).filter_map(|s| s.next).min();
            let wait = next.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()));
            let wait = u64::try_from(wait.as_millis()).unwrap_or(0);
            // To the second, or every look would be a change.
            let retry_at = (env::now_ms() + wait).div_ceil(1_000) * 1_000;
            return RelayState::Offline { reason: bad.reason.clone(), retry_at };
        }
        if sides.iter().all(|s| s.good == Some(true)) { RelayState::Online } else { RelayState::Connecting }
    }
}
