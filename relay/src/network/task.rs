//! The swarm's loop. It never waits for anything but the next event: judging is arithmetic, everything else is handed to
//! tasks of their own, so a slow store or a hostile peer holds up nobody (B13).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use futures::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::gossipsub::{self, MessageAcceptance, TopicHash};
use libp2p::request_response::{InboundFailure, InboundRequestId, Message, ResponseChannel};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm, relay};
use livechat_net::gossip::{Verdict, judge};
use livechat_net::sync;
use livechat_wire::envelope::epoch_at;
use livechat_wire::sync::{Refusal, Response};
use livechat_wire::{Envelope, topic};
use tokio::sync::mpsc;

use super::behaviour::{Behaviour, BehaviourEvent};
use super::limits;
use super::metrics::{GossipVerdict, SyncOutcome, SyncRequest};
use super::quota::{Place, Places};
use super::serve::Server;

/// What tasks hand back to the swarm.
#[allow(clippy::large_enum_variant, reason = "most are answers, and the queue is short: a box for each costs more")]
pub(super) enum Outgoing {
    /// An answer, with the places it keeps until it has left.
    Answer(InboundRequestId, ResponseChannel<Response>, Response, Kept),
    /// A deposited envelope, for those who are here now.
    Publish(Envelope),
}

/// Places of a request under way: its own, and its page's.
pub(super) type Kept = (Place, Option<Place>);

/// The names of this network's topics.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub network: String,
    pub generation: u16,
    pub bucket_bits: u8,
    pub topic_bits: u8,
}

impl Layout {
    fn topic(&self, bucket: u16) -> TopicHash {
        TopicHash::from_raw(topic::name(&self.network, self.generation, bucket, self.topic_bits))
    }

    /// Buckets in the layout.
    pub(super) fn buckets(&self) -> u32 {
        1 << self.bucket_bits.min(16)
    }
}

/// Where the relay can be reached, kept up to date by the loop.
pub(super) type Addresses = Arc<RwLock<Vec<Multiaddr>>>;

pub(super) struct Task {
    pub swarm: Swarm<Behaviour>,
    pub layout: Layout,
    pub server: Arc<Server>,
    pub outgoing: mpsc::Receiver<Outgoing>,
    pub addresses: Addresses,
    /// What we were asked to listen on, by listener; `None` when it is closed.
    pub listeners: HashMap<Multiaddr, Option<ListenerId>>,
    /// Whether peers are told other addresses than those we listen on.
    pub announced: bool,
    pub serving: Places,
    /// Answers handed to libp2p, until they have left or failed.
    pub leaving: HashMap<InboundRequestId, Kept>,
}

impl Task {
    pub(super) async fn run(mut self) {
        let mut housekeeping = tokio::time::interval(limits::HOUSEKEEPING);
        let stop = self.server.stop.clone();
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(out) = self.outgoing.recv() => self.send(out),
                _ = housekeeping.tick() => self.keep_house(),
                () = stop.cancelled() => break,
            }
        }
        self.drain().await;
    }

    /// Sends the answers under way before the connections close.
    async fn drain(mut self) {
        let deadline = tokio::time::sleep(limits::STOP);
        tokio::pin!(deadline);
        while !self.serving.are_free() {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(out) = self.outgoing.recv() => self.send(out),
                () = &mut deadline => return,
            }
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            })) => {
                let acceptance = self.on_gossip(&propagation_source, &message);
                self.swarm.behaviour_mut().gossip.report_message_validation_result(
                    &message_id,
                    &propagation_source,
                    acceptance,
                );
            }
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.on_sync(event),
            SwarmEvent::Behaviour(BehaviourEvent::Circuits(event)) => match event {
                relay::Event::CircuitReqAccepted { .. } => {
                    self.server.metrics.circuits.inc();
                }
                relay::Event::CircuitClosed { .. } => {
                    self.server.metrics.circuits.dec();
                }
                _ => {}
            },
            SwarmEvent::ConnectionEstablished { .. } => {
                self.server.metrics.connections.inc();
            }
            SwarmEvent::ConnectionClosed { .. } => {
                self.server.metrics.connections.dec();
            }
            SwarmEvent::NewListenAddr { address, .. } => self.on_address(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.swarm.remove_external_address(&address);
                self.addresses.write().unwrap_or_else(PoisonError::into_inner).retain(|a| *a != address);
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                tracing::warn!(?reason, "a listener closed; it will be opened again");
                for id in self.listeners.values_mut().filter(|id| **id == Some(listener_id)) {
                    *id = None;
                }
            }
            _ => {}
        }
    }

    fn on_gossip(&self, from: &PeerId, message: &gossipsub::Message) -> MessageAcceptance {
        let metrics = &self.server.metrics;
        if !self.server.quotas.gossip(from) {
            metrics.gossip(GossipVerdict::Limited);
            return MessageAcceptance::Ignore;
        }
        let fits = |bucket| self.server.serves(bucket) && self.layout.topic(bucket) == message.topic;
        let verdict = judge(&message.data, epoch_at(self.server.env.now()), fits);
        let acceptance = verdict.acceptance();
        match verdict {
            Verdict::Accept(envelope) => {
                metrics.gossip(GossipVerdict::Accept);
                if !envelope.is_ephemeral() {
                    self.server.ingest.offer(envelope);
                }
            }
            Verdict::Reject(_) => metrics.gossip(GossipVerdict::Reject),
            Verdict::Ignore(_) => metrics.gossip(GossipVerdict::Ignore),
        }
        acceptance
    }

    fn on_sync(&mut self, event: sync::Event) {
        match event {
            sync::Event::Message { peer, message: Message::Request { request_id, request, channel }, .. } => {
                if let Some(place) = self.serving.take(peer).filter(|_| !self.server.stop.is_cancelled()) {
                    let server = self.server.clone();
                    tokio::spawn(async move {
                        let (response, page) = server.answer(peer, request).await;
                        let out = Outgoing::Answer(request_id, channel, response, (place, page));
                        // The loop is gone only when the relay stops.
                        drop(server.outgoing.send(out).await);
                    });
                } else {
                    // Whoever asked may have hung up.
                    drop(self.swarm.behaviour_mut().sync.send_response(channel, Response::Refused(Refusal::Busy)));
                }
            }
            sync::Event::ResponseSent { request_id, .. } => drop(self.leaving.remove(&request_id)),
            sync::Event::InboundFailure { request_id, error, .. } => {
                self.leaving.remove(&request_id);
                if matches!(error, InboundFailure::Io(e) if e.kind() == std::io::ErrorKind::InvalidData) {
                    self.server.metrics.sync(SyncRequest::Malformed, SyncOutcome::Refused);
                }
            }
            _ => {}
        }
    }

    fn send(&mut self, out: Outgoing) {
        match out {
            Outgoing::Answer(id, channel, response, kept) => {
                // Whoever asked may have hung up: then nothing leaves, and nothing will be said about it.
                if self.swarm.behaviour_mut().sync.send_response(channel, response).is_ok() {
                    self.leaving.insert(id, kept);
                }
            }
            Outgoing::Publish(envelope) => {
                let topic = self.layout.topic(envelope.bucket());
                // Known already, or nobody here: both are fine.
                drop(self.swarm.behaviour_mut().gossip.publish(topic, envelope.as_bytes().to_vec()));
            }
        }
    }

    fn on_address(&mut self, address: Multiaddr) {
        if self.announced {
            return;
        }
        // Circuits are handed out with external addresses only: without one no reservation succeeds.
        self.swarm.add_external_address(address.clone());
        let mut addresses = self.addresses.write().unwrap_or_else(PoisonError::into_inner);
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }

    fn keep_house(&mut self) {
        self.server.quotas.forget_idle();
        let closed: Vec<_> = self.listeners.iter().filter(|(_, id)| id.is_none()).map(|(a, _)| a.clone()).collect();
        for address in closed {
            match self.swarm.listen_on(address.clone()) {
                Ok(id) => drop(self.listeners.insert(address, Some(id))),
                Err(e) => tracing::warn!(error = %e, "still can't listen"),
            }
        }
    }
}
