//! Who was heard of lately: in memory, since nobody needs to find it in a database. Right again two minutes after a
//! restart, when every node has asked for something (SEED B14). Each process counts its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::limits;
use crate::store::accounts::AccountKey;

#[derive(Default)]
pub(super) struct Live(Mutex<HashMap<AccountKey, Duration>>);

impl Live {
    pub(super) fn heard(&self, who: AccountKey, now: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(who, now);
    }

    /// Somebody logged out everywhere, or is gone.
    pub(super) fn left(&self, who: AccountKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&who);
    }

    pub(super) fn forget(&self, now: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, heard| is_live(*heard, now));
    }

    pub(super) fn count(&self, now: Duration) -> u32 {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n = heard.values().filter(|h| is_live(**h, now)).count();
        coarse(u32::try_from(n).unwrap_or(u32::MAX))
    }
}

fn is_live(heard: Duration, now: Duration) -> bool {
    now.saturating_sub(heard) <= limits::LIVE
}

/// Exact below ten, then rounded down to two digits: that somebody came or went doesn't show in a crowd.
fn coarse(n: u32) -> u32 {
    let mut unit = 1;
    while n / unit >= 100 {
        unit *= 10;
    }
    n / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_coarse() {
        for (n, shown) in [(0, 0), (9, 9), (10, 10), (99, 99), (123, 120), (1_999, 1_900), (u32::MAX, 4_200_000_000)] {
            assert_eq!(coarse(n), shown);
        }
    }

    #[test]
    fn counts_accounts_not_requests_and_forgets_them() {
        let live = Live::default();
        let at = Duration::from_secs;
        live.heard(AccountKey([1; 32]), at(0));
        live.heard(AccountKey([1; 32]), at(10));
        live.heard(AccountKey([2; 32]), at(100));
        assert_eq!(live.count(at(100)), 2);
        assert_eq!(live.count(at(131)), 1);
        live.forget(at(500));
        assert_eq!(live.0.lock().unwrap().len(), 0);
    }
}
