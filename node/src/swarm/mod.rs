//! The libp2p side: connections, gossip, and the sync conversation with the relay.
//!
//! Everything here is volatile: what is dropped is driven again by the outbox or comes with the next page.

mod behaviour;
mod circuit;
mod direct;
pub(crate) mod listen;
mod neighbours;
mod publish;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::StreamExt;
use libp2p::gossipsub::{self, IdentTopic};
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{Message, OutboundRequestId};
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, Swarm, mdns};
use livechat_net::gossip::{self, Verdict as Judgement};
use livechat_wire::content::Place;
use livechat_wire::direct as direct_wire;
use livechat_wire::http::RelayInfo;
use livechat_wire::order::{Entry, Receipt, SealedCommit};
use livechat_wire::sync::{Cursor, Refusal, Request, Response, Verdict};
use livechat_wire::{Envelope, EnvelopeId, RelayId, SlotId, envelope, topic};

use crate::{env, limits};
pub(crate) use behaviour::NetworkError;
use behaviour::{Behaviour, BehaviourEvent};
use circuit::Circuit;
use direct::Direct;
pub(crate) use direct::{Ask, Wanted};
use neighbours::Neighbours;
use publish::Publishing;

/// What the driver hears of.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An envelope, whole, fresh, signed, of a bucket of our topic.
    Gossip(Envelope),
    /// A connection to the relay stands.
    RelayUp,
    /// None stands any more, or none came about.
    RelayDown(String),
    /// The answer to a fetch.
    Page { relay: RelayId, envelopes: Vec<Envelope>, cursor: Cursor },
    /// There is none; another fetch may be tried after a pause.
    FetchFailed,
    /// The answer to a deposit or a presence query.
    Verdicts { relay: RelayId, verdicts: Vec<(EnvelopeId, Verdict)> },
    /// The answer to an append.
    Appended { slot: SlotId, answer: Result<Receipt, Refusal> },
    /// The answer to a look at a slot.
    Slot { slot: SlotId, from: u32, answer: Result<(Vec<Entry>, bool), Refusal> },
    /// Connections came or went.
    Peers,
    /// Somebody wants a part of a file.
    Wanted(Wanted),
    /// Where this node can be reached changed.
    Places,
}

/// What a sync request was about.
enum Asked {
    Fetch,
    Verdicts(Vec<EnvelopeId>),
    Append(SlotId),
    Slot(SlotId, u32),
}

/// One network's swarm.
pub(crate) struct Network {
    swarm: Swarm<Behaviour>,
    info: RelayInfo,
    /// By peer: a relay may be several processes, any of which serves.
    relays: HashMap<PeerId, Vec<Multiaddr>>,
    /// The one we are connected to.
    relay: Option<PeerId>,
    dialing: HashSet<PeerId>,
    topic: Option<(IdentTopic, u16)>,
    publishing: Publishing,
    asked: HashMap<OutboundRequestId, Asked>,
    circuit: Circuit,
    reachable: bool,
    found: HashSet<PeerId>,
    neighbours: Neighbours,
    direct: Direct,
    /// The key behind our throw-away name.
    key: [u8; 32],
}

impl Network {
    /// Joins the network that `info` describes, listening on `listen`.
    pub(crate) fn new(
        info: RelayInfo,
        listen: &[Multiaddr],
        mdns: bool,
        peers: &[Multiaddr],
    ) -> Result<Self, NetworkError> {
        let relays = addresses(&info)?;
        let (mut swarm, key) = behaviour::swarm(&info.network, mdns)?;
        for address in listen {
            swarm.listen_on(address.clone()).map_err(|e| NetworkError::Listen(e.to_string()))?;
        }
        let reachable = listen.iter().any(listen::is_public);
        Ok(Self {
            swarm,
            info,
            relays,
            relay: None,
            dialing: HashSet::new(),
            topic: None,
            publishing: Publishing::default(),
            asked: HashMap::new(),
            circuit: Circuit::default(),
            reachable,
            found: HashSet::new(),
            neighbours: Neighbours::new(peers),
            direct: Direct::default(),
            key,
        })
    }

    /// Whether this swarm still fits what the relay says about its network.
    pub(crate) fn fits(&self, info: &RelayInfo) -> bool {
        let key = |i: &RelayInfo| (i.relay, i.network.clone(), i.generation, i.bucket_bits, i.topic_bits);
        key(&self.info) == key(info)
    }

    /// Takes over addresses that may have changed.
    pub(crate) fn update(&mut self, info: RelayInfo) -> Result<(), NetworkError> {
        self.relays = addresses(&info)?;
        self.info = info;
        Ok(())
    }

    /// Connects to the relay; [`Heard::RelayUp`] or [`Heard::RelayDown`] follows, unless it is connected already.
    pub(crate) fn connect(&mut self) {
        for (peer, addresses) in &self.relays {
            let dial = DialOpts::peer_id(*peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(addresses.clone())
                .build();
            match self.swarm.dial(dial) {
                Ok(()) => {
                    self.dialing.insert(*peer);
                }
                Err(e) => tracing::debug!("not dialling: {e}"),
            }
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.relay.is_some()
    }

    pub(crate) fn peers(&self) -> u32 {
        u32::try_from(self.swarm.connected_peers().count()).unwrap_or(u32::MAX)
    }

    /// Joins the topic of a bucket.
    pub(crate) fn join(&mut self, bucket: u16) -> Result<(), NetworkError> {
        let number = topic::of_bucket(bucket, self.info.topic_bits);
        if self.topic.as_ref().is_some_and(|(_, n)| *n == number) {
            return Ok(());
        }
        let name = gossip::topic(&self.info.network, self.info.generation, bucket, self.info.topic_bits);
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if let Some((old, _)) = self.topic.take() {
            gossip.unsubscribe(&old);
        }
        gossip::subscribe(gossip, &name).map_err(|_| NetworkError::Topic(self.info.network.clone()))?;
        self.topic = Some((name, number));
        Ok(())
    }

    pub(crate) fn publish(&mut self, envelopes: Vec<Envelope>) {
        let Some((own, _)) = &self.topic else { return };
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        for envelope in envelopes {
            let (info, bucket) = (&self.info, envelope.bucket());
            let to = gossip::topic(&info.network, info.generation, bucket, info.topic_bits);
            if to.hash() == own.hash() {
                self.publishing.publish(gossip, own, envelope);
            } else if let Err(e) = gossip.publish(to, envelope.as_bytes().to_vec()) {
                // Another crowd's topic, where we may know nobody: the outbox hands it to the relay instead.
                tracing::debug!("not published in another topic: {e}");
            }
        }
    }

    /// Asks for what is new in a bucket; waits at the relay when nothing is.
    pub(crate) fn fetch(&mut self, bucket: u16, cursor: Cursor) {
        let wait_ms = u32::try_from(limits::FETCH_WAIT.as_millis()).unwrap_or(0);
        self.ask(Request::Fetch { bucket, cursor, wait_ms }, Asked::Fetch);
    }

    pub(crate) fn deposit(&mut self, envelopes: Vec<Envelope>) {
        for part in envelopes.chunks(livechat_wire::limits::DEPOSIT) {
            let ids = part.iter().map(Envelope::id).collect();
            self.ask(Request::Deposit { envelopes: part.to_vec() }, Asked::Verdicts(ids));
        }
    }

    pub(crate) fn present(&mut self, ids: &[EnvelopeId]) {
        for part in ids.chunks(livechat_wire::limits::PRESENT) {
            self.ask(Request::Present { ids: part.to_vec() }, Asked::Verdicts(part.to_vec()));
        }
    }

    /// Puts a commit at the end of a slot. Without an answer the engine asks again.
    pub(crate) fn append(&mut self, slot: SlotId, commit: SealedCommit) {
        self.ask(Request::Append { slot, commit }, Asked::Append(slot));
    }

    /// Asks what stands in a slot. Without an answer the engine asks again.
    pub(crate) fn slot(&mut self, slot: SlotId, from: u32) {
        self.ask(Request::Slot { slot, from }, Asked::Slot(slot, from));
    }

    fn ask(&mut self, request: Request, about: Asked) {
        if let Some(relay) = self.relay {
            let id = self.swarm.behaviour_mut().sync.send_request(&relay, request);
            self.asked.insert(id, about);
        }
    }

    /// The key behind this node's throw-away name, and where it can be reached.
    pub(crate) fn places(&self) -> ([u8; 32], Vec<Place>) {
        (self.key, direct::places(self.swarm.listeners().chain(self.swarm.external_addresses())))
    }

    /// Asks another node for a part of a file. Without an answer the question is dropped.
    pub(crate) fn ask_directly(&mut self, ask: Ask) {
        let own: Vec<_> = self.swarm.listeners().filter_map(direct::place).map(|p| p.socket).collect();
        let connected = direct::peer_of(&ask.peer).is_some_and(|peer| self.swarm.is_connected(&peer));
        self.direct.ask(&mut self.swarm.behaviour_mut().direct, ask, connected, &own);
    }

    /// Answers whoever wanted a part of a file. Who wants what isn't theirs has to come again.
    pub(crate) fn give(&mut self, to: Wanted, response: direct_wire::Response) {
        let refused = response == direct_wire::Response::Refused;
        // Whoever asked may be gone already.
        self.swarm.behaviour_mut().direct.send_response(to.channel, response).unwrap_or_default();
        if refused && self.direct.refused(to.peer) && self.relay != Some(to.peer) {
            self.swarm.disconnect_peer_id(to.peer).unwrap_or_default();
        }
    }

    /// Publishes what waits, asks for a lost reservation again. Called every few seconds.
    pub(crate) fn tend(&mut self, now: tokio::time::Instant) {
        if let Some((topic, _)) = &self.topic {
            let gossip = &mut self.swarm.behaviour_mut().gossip;
            self.publishing.flush(gossip, topic, envelope::epoch_at(env::now_s()));
        }
        self.neighbours.tend(&mut self.swarm);
        if !self.reachable
            && let Some(peer) = self.relay
            && let Some(addresses) = self.relays.get(&peer)
        {
            self.circuit.tend(&mut self.swarm, peer, addresses, now);
        }
    }

    /// The next thing of interest. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Heard {
        loop {
            let event = self.swarm.select_next_some().await;
            if let Some(heard) = self.on(event) {
                return heard;
            }
        }
    }

    fn on(&mut self, event: SwarmEvent<BehaviourEvent>) -> Option<Heard> {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.on_sync(event),
            SwarmEvent::Behaviour(BehaviourEvent::Direct(event)) => {
                self.direct.on(&mut self.swarm.behaviour_mut().direct, event).map(Heard::Wanted)
            }
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => Some(Heard::Places),
            SwarmEvent::Behaviour(BehaviourEvent::Mdns(event)) => {
                self.on_mdns(event);
                None
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, .. } => {
                self.neighbours.connected(connection_id, peer_id);
                self.dialing.remove(&peer_id);
                if self.relays.contains_key(&peer_id) && self.relay.is_none() {
                    self.relay = Some(peer_id);
                    return Some(Heard::RelayUp);
                }
                Some(Heard::Peers)
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                if self.relay != Some(peer_id) {
                    return Some(Heard::Peers);
                }
                self.relay = self.relays.keys().find(|p| self.swarm.is_connected(p)).copied();
                if self.relay.is_some() {
                    return Some(Heard::RelayUp);
                }
                tracing::debug!("the connection to the relay ended: {cause:?}");
                Some(Heard::RelayDown("the connection ended".to_owned()))
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error, .. } => {
                self.neighbours.failed(connection_id);
                let peer = peer_id?;
                let ours = self.dialing.remove(&peer);
                tracing::debug!("dialling failed: {error}");
                (ours && self.dialing.is_empty() && self.relay.is_none())
                    .then(|| Heard::RelayDown("its peer-to-peer port doesn't answer".to_owned()))
            }
            SwarmEvent::ListenerClosed { listener_id, .. } => {
                self.circuit.closed(listener_id);
                None
            }
            _ => None,
        }
    }

    fn on_gossip(&mut self, event: gossipsub::Event) -> Option<Heard> {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                let (topic_bits, bucket_bits) = (self.info.topic_bits, self.info.bucket_bits);
                let own = self.topic.as_ref().filter(|(t, _)| t.hash() == message.topic).map(|(_, n)| *n);
                let judgement = gossip::judge(&message.data, envelope::epoch_at(env::now_s()), |bucket| {
                    u32::from(bucket) < 1 << bucket_bits.min(16) && own == Some(topic::of_bucket(bucket, topic_bits))
                });
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                gossip.report_message_validation_result(&message_id, &propagation_source, judgement.acceptance());
                match judgement {
                    Judgement::Accept(envelope) => Some(Heard::Gossip(envelope)),
                    Judgement::Reject(why) | Judgement::Ignore(why) => {
                        tracing::debug!("a gossiped message was dropped: {why}");
                        None
                    }
                }
            }
            gossipsub::Event::Subscribed { topic: theirs, .. } => {
                if let Some((own, _)) = self.topic.as_ref().filter(|(own, _)| own.hash() == theirs) {
                    let gossip = &mut self.swarm.behaviour_mut().gossip;
                    self.publishing.flush(gossip, own, envelope::epoch_at(env::now_s()));
                }
                None
            }
            _ => None,
        }
    }

    fn on_sync(&mut self, event: livechat_net::sync::Event) -> Option<Heard> {
        match event {
            livechat_net::sync::Event::Message { message: Message::Request { channel, .. }, .. } => {
                // Nodes keep no envelopes for others yet. Whoever asked may be gone already.
                let refused = Response::Refused(Refusal::NotServed);
                drop(self.swarm.behaviour_mut().sync.send_response(channel, refused));
                None
            }
            livechat_net::sync::Event::Message { message: Message::Response { request_id, response }, .. } => {
                let about = self.asked.remove(&request_id)?;
                self.on_answer(about, response)
            }
            livechat_net::sync::Event::OutboundFailure { request_id, error, .. } => {
                tracing::debug!("a sync request failed: {error}");
                // Of the others, no answer is one: the engine asks again.
                matches!(self.asked.remove(&request_id)?, Asked::Fetch).then_some(Heard::FetchFailed)
            }
            _ => None,
        }
    }

    fn on_answer(&self, about: Asked, response: Response) -> Option<Heard> {
        let relay = self.info.relay;
        match (about, response) {
            (Asked::Fetch, Response::Page { cursor, envelopes, .. }) => Some(Heard::Page { relay, envelopes, cursor }),
            (Asked::Fetch, other) => {
                tracing::debug!("a fetch was answered by {other:?}");
                Some(Heard::FetchFailed)
            }
            (Asked::Verdicts(ids), Response::Verdicts(verdicts)) if ids.len() == verdicts.len() => {
                Some(Heard::Verdicts { relay, verdicts: ids.into_iter().zip(verdicts).collect() })
            }
            (Asked::Verdicts(ids), Response::Refused(why @ (Refusal::Busy | Refusal::Unavailable))) => {
                let verdicts = ids.into_iter().map(|id| (id, Verdict::Refused(why))).collect();
                Some(Heard::Verdicts { relay, verdicts })
            }
            (Asked::Append(slot), Response::Appended(receipt)) => Some(Heard::Appended { slot, answer: Ok(*receipt) }),
            (Asked::Append(slot), Response::Refused(why)) => Some(Heard::Appended { slot, answer: Err(why) }),
            (Asked::Slot(slot, from), Response::Entries { entries, more }) => {
                Some(Heard::Slot { slot, from, answer: Ok((entries, more)) })
            }
            (Asked::Slot(slot, from), Response::Refused(why)) => Some(Heard::Slot { slot, from, answer: Err(why) }),
            (Asked::Verdicts(_) | Asked::Append(_) | Asked::Slot(..), other) => {
                tracing::debug!("a request was answered by {other:?}");
                None
            }
        }
    }

    fn on_mdns(&mut self, event: mdns::Event) {
        let mdns::Event::Discovered(list) = event else { return };
        for (peer, address) in list {
            let known = self.found.contains(&peer);
            if !known && self.found.len() >= limits::MDNS_PEERS {
                self.found.retain(|p| self.swarm.is_connected(p));
            }
            if known || self.found.len() < limits::MDNS_PEERS {
                self.found.insert(peer);
                let dial = DialOpts::peer_id(peer)
                    .condition(PeerCondition::DisconnectedAndNotDialing)
                    .addresses(vec![address])
                    .build();
                if let Err(e) = self.swarm.dial(dial) {
                    tracing::debug!("not dialling a neighbour: {e}");
                }
            }
        }
    }
}

/// The relay's addresses by peer; those that aren't understood or name no peer are left out.
fn addresses(info: &RelayInfo) -> Result<HashMap<PeerId, Vec<Multiaddr>>, NetworkError> {
    let mut relays: HashMap<PeerId, Vec<Multiaddr>> = HashMap::new();
    for text in &info.addresses {
        let Ok(address) = text.parse::<Multiaddr>() else { continue };
        if let Some(Protocol::P2p(peer)) = address.iter().last() {
            relays.entry(peer).or_default().push(address);
        }
    }
    if relays.is_empty() { Err(NetworkError::NoAddress) } else { Ok(relays) }
}

/// How often [`Network::tend`] wants to be called.
pub(crate) const TEND: Duration = Duration::from_secs(3);
