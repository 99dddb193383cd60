//! How much one peer may ask for. A peer id costs nothing, so the limits on connections per address stand before these.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use libp2p::PeerId;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits;

/// Rate limits by peer.
pub(super) struct Quotas {
    requests: DefaultKeyedRateLimiter<PeerId>,
    deposits: DefaultKeyedRateLimiter<PeerId>,
    gossip: DefaultKeyedRateLimiter<PeerId>,
}

impl Quotas {
    pub(super) fn new() -> Self {
        let keyed = |rate: NonZeroU32, burst| RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst));
        Self {
            requests: keyed(limits::REQUESTS_PER_SECOND, limits::REQUESTS_BURST),
            deposits: keyed(limits::DEPOSITS_PER_SECOND, limits::DEPOSITS_BURST),
            gossip: keyed(limits::GOSSIP_PER_SECOND, limits::GOSSIP_BURST),
        }
    }

    /// A request that costs as much as `weight` simple ones.
    pub(super) fn request(&self, peer: &PeerId, weight: NonZeroU32) -> bool {
        matches!(self.requests.check_key_n(peer, weight), Ok(Ok(())))
    }

    pub(super) fn deposit(&self, peer: &PeerId, envelopes: usize) -> bool {
        let Some(n) = u32::try_from(envelopes).ok().and_then(NonZeroU32::new) else { return envelopes == 0 };
        matches!(self.deposits.check_key_n(peer, n), Ok(Ok(())))
    }

    pub(super) fn gossip(&self, peer: &PeerId) -> bool {
        self.gossip.check_key(peer).is_ok()
    }

    /// Forgets peers whose quota is whole again: without it every peer id ever seen would stay.
    pub(super) fn forget_idle(&self) {
        for limiter in [&self.requests, &self.deposits, &self.gossip] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// A bounded number of places, in all and for each peer: for requests under way, for pages in memory, for fetches that
/// wait.
#[derive(Clone)]
pub(super) struct Places(Arc<Room>);

struct Room {
    free: Arc<Semaphore>,
    total: usize,
    per_peer: u32,
    of_peer: Mutex<HashMap<PeerId, u32>>,
    shown: Gauge,
}

/// A place, given back when dropped.
pub(super) struct Place {
    _free: OwnedSemaphorePermit,
    _of_peer: OfPeer,
}

/// A peer's share of a place.
struct OfPeer(PeerId, Places);

impl Places {
    /// So many places; `shown` tells an operator how many are taken.
    pub(super) fn new(total: usize, per_peer: u32, shown: Gauge) -> Self {
        let free = Arc::new(Semaphore::new(total));
        Self(Arc::new(Room { free, total, per_peer, of_peer: Mutex::default(), shown }))
    }

    /// A place for `peer`, unless it or everyone has too many.
    pub(super) fn take(&self, peer: PeerId) -> Option<Place> {
        let of_peer = self.of_peer(peer)?;
        let free = self.0.free.clone().try_acquire_owned().ok()?;
        Some(Place { _free: free, _of_peer: of_peer })
    }

    /// A place for `peer`, in its turn when all are taken; none when that takes longer than `patience`, or when the peer
    /// itself has too many.
    pub(super) async fn wait(&self, peer: PeerId, patience: Duration) -> Option<Place> {
        let of_peer = self.of_peer(peer)?;
        let free = tokio::time::timeout(patience, self.0.free.clone().acquire_owned()).await.ok()?.ok()?;
        Some(Place { _free: free, _of_peer: of_peer })
    }

    /// Whether nobody has a place.
    pub(super) fn are_free(&self) -> bool {
        self.0.free.available_permits() == self.0.total
    }

    fn of_peer(&self, peer: PeerId) -> Option<OfPeer> {
        let mut counts = self.0.of_peer.lock().unwrap_or_else(PoisonError::into_inner);
        let n = counts.entry(peer).or_insert(0);
        if *n >= self.0.per_peer {
            return None;
        }
        *n += 1;
        self.0.shown.inc();
        Some(OfPeer(peer, self.clone()))
    }
}

impl Drop for OfPeer {
    fn drop(&mut self) {
        let room = &self.1.0;
        room.shown.dec();
        let mut counts = room.of_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = counts.get_mut(&self.0) {
            *n = n.saturating_sub(1);
            if *n == 0 {
                counts.remove(&self.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_own_limits() {
        let (q, a, b) = (Quotas::new(), PeerId::random(), PeerId::random());
        let burst = limits::DEPOSITS_BURST.get() as usize;
        assert!(q.deposit(&a, 0) && q.deposit(&a, burst) && !q.deposit(&a, burst));
        assert!(q.deposit(&b, 64), "another peer isn't touched");
        assert!(!q.deposit(&b, burst + 1), "more than ever fits");
        assert!((0..limits::REQUESTS_BURST.get()).all(|_| q.request(&a, NonZeroU32::MIN)));
        assert!((0..20).any(|_| !q.request(&a, NonZeroU32::MIN)));
        q.forget_idle();
    }

    #[tokio::test]
    async fn places_come_back() {
        let (w, a) = (Places::new(9, 4, Gauge::default()), PeerId::random());
        let places: Vec<_> = (0..4).map(|_| w.take(a).unwrap()).collect();
        assert!(w.take(a).is_none(), "enough for one peer");
        let others: Vec<_> = (0..5).map(|_| w.take(PeerId::random()).unwrap()).collect();
        assert!(w.take(PeerId::random()).is_none(), "enough in all");
        assert!(w.wait(PeerId::random(), Duration::from_millis(50)).await.is_none(), "and none comes free");
        let patient = w.wait(PeerId::random(), Duration::from_secs(9));
        let freed = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(places);
        };
        assert!(tokio::join!(patient, freed).0.is_some());
        assert!(w.take(a).is_some());
        drop(others);
        assert!(w.are_free() && w.0.of_peer.lock().unwrap().is_empty() && w.0.shown.get() == 0);
    }
}
