//! Which topics a peer may announce: those of our network, a bounded number of them.

use libp2p::gossipsub::{MaxCountSubscriptionFilter, TopicHash, TopicSubscriptionFilter};

use crate::limits;

/// [`NetworkTopics`], and at most [`limits::GOSSIP_TOPICS`] of them per peer. A list with more is refused whole, which
/// hides the peer: libp2p's default of 100 does that to relays.
pub type TopicFilter = MaxCountSubscriptionFilter<NetworkTopics>;

/// Accepts `lc1/<network>/<generation>/<topic>` of one network, written canonically.
#[derive(Debug, Clone)]
pub struct NetworkTopics {
    prefix: String,
}

impl NetworkTopics {
    /// The topics of one network.
    #[must_use]
    pub fn new(network: &str) -> Self {
        Self { prefix: format!("lc1/{network}/") }
    }

    /// The same, counted.
    pub(super) fn counted(network: &str) -> TopicFilter {
        MaxCountSubscriptionFilter {
            filter: Self::new(network),
            max_subscribed_topics: limits::GOSSIP_TOPICS,
            max_subscriptions_per_request: limits::GOSSIP_TOPICS,
        }
    }
}

impl TopicSubscriptionFilter for NetworkTopics {
    fn can_subscribe(&mut self, topic: &TopicHash) -> bool {
        let numbers = topic.as_str().strip_prefix(&self.prefix).and_then(|rest| rest.split_once('/'));
        numbers.is_some_and(|(generation, topic)| canonical_u16(generation) && canonical_u16(topic))
    }
}

/// Whether the text is a `u16` as we write it: one spelling per topic.
fn canonical_u16(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|n| n.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_topics_of_our_network() {
        let mut f = NetworkTopics::new("home");
        let mut ok = |name: &str| f.can_subscribe(&TopicHash::from_raw(name));
        assert!(ok("lc1/home/0/0") && ok("lc1/home/3/65535"));
        for bad in ["lc1/away/0/0", "lc1/home/0", "lc1/home/0/0/0", "lc1/home/00/0", "lc1/home/0/65536", "home", ""] {
            assert!(!ok(bad), "{bad}");
        }
    }
}
