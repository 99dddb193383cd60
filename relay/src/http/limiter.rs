//! How often one client may do what costs us or tells them something.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::client::ClientKey;
use crate::env::Env;
use crate::limits::Limits;

/// The relay's clock, as governor wants it.
#[derive(Debug, Clone)]
struct EnvClock(Env);

impl Clock for EnvClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

/// One limit, counted by client.
pub(crate) struct Rate {
    limiter: RateLimiter<ClientKey, DefaultKeyedStateStore<ClientKey>, EnvClock, NoOpMiddleware<Duration>>,
    clock: EnvClock,
}

impl Rate {
    fn new(quota: Quota, env: &Env) -> Self {
        let clock = EnvClock(env.clone());
        Self { limiter: RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone()), clock }
    }

    /// Counts one; or the seconds until there is room.
    pub(crate) fn check(&self, client: ClientKey) -> Result<(), u64> {
        let refused = self.limiter.check_key(&client);
        refused.map_err(|not_until| super::seconds(not_until.wait_time_from(self.clock.now())))
    }
}

/// All limits by client. What they are for is told in [`Limits`].
pub(crate) struct RateLimits {
    pub sign_ups: Rate,
    pub lookups: Rate,
    pub claims: Rate,
    pub log_ins: Rate,
    pub proofs: Rate,
    pub file_parts: Rate,
}

impl RateLimits {
    pub(crate) fn new(limits: &Limits, env: &Env) -> Self {
        let some = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let per_minute = |n| Rate::new(Quota::per_minute(some(n)), env);
        Self {
            sign_ups: Rate::new(Quota::per_hour(some(limits.sign_ups_per_hour)), env),
            lookups: per_minute(limits.lookups_per_minute),
            claims: per_minute(limits.claims_per_minute),
            log_ins: per_minute(limits.log_ins_per_minute),
            proofs: per_minute(limits.proofs_per_minute),
            file_parts: per_minute(limits.file_parts_per_minute),
        }
    }

    /// Forgets clients that have their full allowance again. Call it now and then, or strangers fill the memory.
    pub(crate) fn forget(&self) {
        for rate in [&self.sign_ups, &self.lookups, &self.claims, &self.log_ins, &self.proofs, &self.file_parts] {
            rate.limiter.retain_recent();
            rate.limiter.shrink_to_fit();
        }
    }
}
