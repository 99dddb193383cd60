//! Own envelopes on their way into gossip. Right after the start nobody has subscribed yet: they wait here.

use std::collections::VecDeque;

use libp2p::gossipsub::{IdentTopic, PublishError};
use livechat_net::gossip;
use livechat_wire::Envelope;

use crate::limits;

#[derive(Default)]
pub(super) struct Publishing {
    waiting: VecDeque<Envelope>,
}

impl Publishing {
    /// Publishes now, or once somebody subscribes. What doesn't fit is dropped: the outbox asks the relay for it.
    pub(super) fn publish(&mut self, gossip: &mut gossip::Behaviour, topic: &IdentTopic, envelope: Envelope) {
        if !self.waiting.is_empty() || !try_publish(gossip, topic, &envelope) {
            if self.waiting.len() == limits::PUBLISH_WAITING {
                self.waiting.pop_front();
            }
            self.waiting.push_back(envelope);
        }
    }

    /// Somebody subscribed, or a moment has passed.
    pub(super) fn flush(&mut self, gossip: &mut gossip::Behaviour, topic: &IdentTopic, epoch: u32) {
        // Stale ones would be ignored by everybody; their outbox seals them again.
        self.waiting.retain(|e| e.is_fresh(epoch));
        while let Some(envelope) = self.waiting.front() {
            if !try_publish(gossip, topic, envelope) {
                break;
            }
            self.waiting.pop_front();
        }
    }
}

/// Whether it need not be tried again.
fn try_publish(gossip: &mut gossip::Behaviour, topic: &IdentTopic, envelope: &Envelope) -> bool {
    match gossip.publish(topic.clone(), envelope.as_bytes().to_vec()) {
        Ok(_) | Err(PublishError::Duplicate) => true,
        Err(PublishError::NoPeersSubscribedToTopic | PublishError::AllQueuesFull(_)) => false,
        Err(e) => {
            tracing::warn!("an envelope can't be published: {e}");
            true
        }
    }
}
