//! What an operator sees: health, not people. No label names a peer, an address, an envelope, a bucket or a
//! slot.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counters of the network side, cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Metrics {
    pub gossip: Family<GossipLabels, Counter>,
    pub sync: Family<SyncLabels, Counter>,
    pub stored: Counter,
    pub appended: Counter,
    pub gossip_dropped: Counter,
    pub store_failures: Counter,
    pub expired: Counter,
    pub commits_expired: Counter,
    pub connections: Gauge,
    pub serving: Gauge,
    pub pages: Gauge,
    pub long_polls: Gauge,
    pub circuits: Gauge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct GossipLabels {
    pub verdict: GossipVerdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(super) enum GossipVerdict {
    Accept,
    Reject,
    Ignore,
    Limited,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SyncLabels {
    pub request: SyncRequest,
    pub outcome: SyncOutcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(super) enum SyncRequest {
    Fetch,
    Deposit,
    Present,
    Append,
    Slot,
    Malformed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(super) enum SyncOutcome {
    Answered,
    Refused,
}

impl Metrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let m = Self::default();
        let r = registry.sub_registry_with_prefix("livechat_network");
        r.register("gossip_messages", "Messages received by gossip, by verdict", m.gossip.clone());
        r.register("sync_requests", "Sync requests, by kind and outcome", m.sync.clone());
        r.register("envelopes_stored", "Envelopes committed, those known before included", m.stored.clone());
        r.register(
            "gossip_dropped",
            "Gossiped envelopes not stored: queue full or store away",
            m.gossip_dropped.clone(),
        );
        r.register("store_failures", "Batches and commits that the store failed to keep", m.store_failures.clone());
        r.register("envelopes_expired", "Envelopes dropped at the end of their retention, about", m.expired.clone());
        r.register("commits_appended", "Commits placed in slots, those placed before included", m.appended.clone());
        r.register("commits_expired", "Commits dropped at the end of their time, about", m.commits_expired.clone());
        r.register("connections", "Open connections", m.connections.clone());
        r.register("requests_under_way", "Sync requests whose answer hasn't left", m.serving.clone());
        r.register("pages", "Pages read and not sent yet", m.pages.clone());
        r.register("long_polls", "Fetches that wait", m.long_polls.clone());
        r.register("circuits", "Open circuits", m.circuits.clone());
        m
    }

    pub(super) fn gossip(&self, verdict: GossipVerdict) {
        self.gossip.get_or_create(&GossipLabels { verdict }).inc();
    }

    pub(super) fn sync(&self, request: SyncRequest, outcome: SyncOutcome) {
        self.sync.get_or_create(&SyncLabels { request, outcome }).inc();
    }
}
