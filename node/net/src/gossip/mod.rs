//! Gossip: gossipsub, anonymous, validated by us, one topic for about a thousand people (DESIGN §6).

mod filter;
mod judge;
mod score;

use core::time::Duration;

use libp2p::gossipsub::{
    self, ConfigBuilder, ConfigBuilderError, IdentTopic, MessageAcceptance, MessageAuthenticity, MessageId,
    SubscriptionError, ValidationMode,
};
use livechat_wire::{EnvelopeId, topic as names};

pub use filter::{NetworkTopics, TopicFilter};
pub use judge::{Reason, Verdict, judge};

use crate::limits;
use crate::transport::Role;

/// Why a topic couldn't be subscribed to.
pub type SubscribeError = SubscriptionError;
/// Gossipsub with our subscription filter.
pub type Behaviour = gossipsub::Behaviour<gossipsub::IdentityTransform, TopicFilter>;

/// Why gossip couldn't be set up; the numbers are ours, so it means that libp2p changed its rules.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// libp2p refused the configuration.
    #[error("libp2p refused the gossip configuration")]
    Config(#[from] ConfigBuilderError),
    /// libp2p refused the behaviour.
    #[error("libp2p refused the gossip behaviour: {0}")]
    Behaviour(&'static str),
    /// libp2p refused the scoring.
    #[error("libp2p refused the peer scoring")]
    Scoring,
}

/// Configures gossip for one network. Subscribe by [`subscribe`], which sets the topic's scoring too.
///
/// # Errors
/// [`SetupError`], which a passing test rules out for the libp2p we build with.
pub fn behaviour(role: Role, network: &str) -> Result<Behaviour, SetupError> {
    let mut behaviour = Behaviour::new_with_subscription_filter(
        MessageAuthenticity::Anonymous,
        config(role)?,
        NetworkTopics::counted(network),
    )
    .map_err(SetupError::Behaviour)?;
    behaviour.with_peer_score(score::params(role), score::thresholds()).map_err(|_| SetupError::Scoring)?;
    Ok(behaviour)
}

/// The topic that carries `bucket` while a topic holds `2^topic_bits` buckets.
#[must_use]
pub fn topic(network: &str, generation: u16, bucket: u16, topic_bits: u8) -> IdentTopic {
    IdentTopic::new(names::name(network, generation, bucket, topic_bits))
}

/// Subscribes to a topic and sets its scoring. A topic without parameters of its own isn't scored at all: invalid
/// messages would cost their sender nothing.
///
/// # Errors
/// [`SubscriptionError`] when the topic isn't one of the behaviour's network.
pub fn subscribe(behaviour: &mut Behaviour, topic: &IdentTopic) -> Result<(), SubscriptionError> {
    behaviour.set_topic_params(topic.clone(), score::topic()).map_err(|_| SubscriptionError::NotAllowed)?;
    behaviour.subscribe(topic).map(|_| ())
}

/// The gossip id of a message: its envelope id, over all bytes, so that no bit can vary under one id.
#[must_use]
pub fn message_id(bytes: &[u8]) -> MessageId {
    MessageId::new(&EnvelopeId::of(bytes).0)
}

impl Verdict {
    /// What to report to gossipsub. Not reporting at all would leave the message unforwarded for ever.
    #[must_use]
    pub fn acceptance(&self) -> MessageAcceptance {
        match self {
            Self::Accept(_) => MessageAcceptance::Accept,
            Self::Reject(_) => MessageAcceptance::Reject,
            Self::Ignore(_) => MessageAcceptance::Ignore,
        }
    }
}

fn config(role: Role) -> Result<gossipsub::Config, ConfigBuilderError> {
    // Nodes: 4 neighbours reach 2,000 peers in about 6 hops at 4 copies of everything; 3 is the least that survives one
    // loss, 8 the most worth serving. Relays have the bandwidth to shorten paths and are asked for more.
    let (mesh, low, high, factor) = match role {
        Role::Node => (4, 3, 8, 0.25),
        // Lazy gossip goes to a share of all peers outside the mesh: of a relay's thousands, 2 % are plenty.
        Role::Relay => (6, 4, 12, 0.02),
    };
    ConfigBuilder::default()
        // Matches `MessageAuthenticity::Anonymous`: a message that names its source or carries a number is invalid.
        .validation_mode(ValidationMode::Anonymous)
        // Nothing is forwarded before `judge` has seen it.
        .validate_messages()
        .message_id_fn(|m| message_id(&m.data))
        .max_transmit_size(limits::GOSSIP_RPC)
        .max_control_message_size(limits::GOSSIP_CONTROL)
        .max_control_messages_sent(limits::GOSSIP_IDS)
        .max_publish_messages(limits::GOSSIP_PUBLISH)
        .connection_handler_queue_len(limits::GOSSIP_QUEUE)
        .mesh_n(mesh)
        .mesh_n_low(low)
        .mesh_n_high(high)
        // Two neighbours we chose ourselves: not everybody can be put there by an attacker who dials us.
        .mesh_outbound_min(2)
        .gossip_lazy(3)
        .gossip_factor(factor)
        .heartbeat_interval(Duration::from_secs(1))
        // The default of 5 s keeps a fresh node without a mesh for as long.
        .heartbeat_initial_delay(Duration::from_millis(500))
        // Publishing to every neighbour at once would single out the author to all of them.
        .flood_publish(false)
        .history_length(limits::GOSSIP_HISTORY)
        .history_gossip(limits::GOSSIP_ADVERTISED)
        .duplicate_cache_time(limits::GOSSIP_SEEN)
        .idontwant_message_size_threshold(limits::GOSSIP_IDONTWANT)
        .build()
}
