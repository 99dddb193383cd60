//! Parts of files straight from one node to another (PROTOCOL ): who is dialled, and who is answered.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use libp2p::identity::{PublicKey, ed25519};
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{InboundRequestId, Message, OutboundRequestId, ResponseChannel};
use libp2p::{Multiaddr, PeerId};
use livechat_net::direct::{self, Event};
use livechat_wire::content::{Place, is_place};
use livechat_wire::direct::{Request, Response};
use livechat_wire::limits as wire;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::limits;

/// Something that is wanted of another node.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The key of its throw-away name.
    pub(crate) peer: [u8; 32],
    pub(crate) addresses: Vec<Place>,
    pub(crate) request: Request,
    /// Dropped: there is no answer.
    pub(crate) answer: oneshot::Sender<Response>,
}

/// Something that is wanted of us.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) request: Request,
    pub(crate) channel: ResponseChannel<Response>,
    pub(super) peer: PeerId,
}

/// What is under way.
#[derive(Default)]
pub(super) struct Direct {
    asked: HashMap<OutboundRequestId, oneshot::Sender<Response>>,
    /// Answers that aren't written yet: each holds a part in memory.
    giving: HashSet<InboundRequestId>,
    /// When we last dialled for files.
    dials: VecDeque<Instant>,
    /// Who asked for what isn't theirs, and how often; forgotten with the rest when there are many.
    refused: HashMap<PeerId, u32>,
}

impl Direct {
    /// Asks another node, dialling it if need be: only where a file can be, and not too often.
    pub(super) fn ask(&mut self, behaviour: &mut direct::Behaviour, ask: Ask, connected: bool, own: &[SocketAddr]) {
        let Some(peer) = peer_of(&ask.peer) else { return };
        let places: Vec<_> = ask.addresses.iter().filter(|p| may_dial(&p.socket, own)).map(multiaddr).collect();
        if !connected && (places.is_empty() || !self.may_dial_now()) {
            tracing::debug!("a file that is offered directly isn't fetched so: nowhere to dial, or too often");
            return;
        }
        let id = behaviour.send_request_with_addresses(&peer, ask.request, places);
        self.asked.insert(id, ask.answer);
    }

    fn may_dial_now(&mut self) -> bool {
        while self.dials.front().is_some_and(|at| at.elapsed() >= limits::DIRECT_DIALS_IN) {
            self.dials.pop_front();
        }
        let may = self.dials.len() < limits::DIRECT_DIALS;
        if may {
            self.dials.push_back(Instant::now());
        }
        may
    }

    /// Counts a refusal; whether that was one too many. An offer that was renewed meanwhile costs an honest peer one.
    pub(super) fn refused(&mut self, peer: PeerId) -> bool {
        if self.refused.len() >= limits::DIRECT_REFUSED_PEERS {
            self.refused.clear();
        }
        let times = self.refused.entry(peer).or_default();
        *times += 1;
        *times > limits::DIRECT_REFUSALS
    }

    /// What came over the protocol; `Some`: somebody wants something, and there is room to give it.
    pub(super) fn on(&mut self, behaviour: &mut direct::Behaviour, event: Event) -> Option<Wanted> {
        match event {
            Event::Message { peer, message: Message::Request { request_id, request, channel }, .. } => {
                if self.giving.len() >= limits::DIRECT_GIVING {
                    // Whoever asked may be gone.
                    behaviour.send_response(channel, Response::Busy).unwrap_or_default();
                    return None;
                }
                self.giving.insert(request_id);
                return Some(Wanted { request, channel, peer });
            }
            Event::Message { message: Message::Response { request_id, response }, .. } => {
                if let Some(asked) = self.asked.remove(&request_id) {
                    // Whoever asked may have been stopped.
                    asked.send(response).unwrap_or_default();
                }
            }
            Event::OutboundFailure { request_id, error, .. } => {
                tracing::debug!("a file couldn't be asked for directly: {error}");
                self.asked.remove(&request_id);
            }
            Event::InboundFailure { request_id, .. } | Event::ResponseSent { request_id, .. } => {
                self.giving.remove(&request_id);
            }
        }
        None
    }
}

/// The name in the network of whoever has a key.
pub(super) fn peer_of(key: &[u8; 32]) -> Option<PeerId> {
    Some(PublicKey::from(ed25519::PublicKey::try_from_bytes(key).ok()?).to_peer_id())
}

fn multiaddr(place: &Place) -> Multiaddr {
    let address = Multiaddr::from(place.socket.ip());
    match place.quic {
        true => address.with(Protocol::Udp(place.socket.port())).with(Protocol::QuicV1),
        false => address.with(Protocol::Tcp(place.socket.port())),
    }
}

/// Where others could reach a node that listens on these, the likeliest to work first.
pub(super) fn places<'a>(listeners: impl Iterator<Item = &'a Multiaddr>) -> Vec<Place> {
    let mut places: Vec<_> = listeners.filter_map(place).filter(|p| is_place(&p.socket)).collect();
    // Whoever can be reached from elsewhere needn't tell what this machine calls itself at home.
    if places.iter().any(|p| !p.socket.ip().is_loopback()) {
        places.retain(|p| !p.socket.ip().is_loopback());
    }
    places.sort_by_key(|p| (!is_public(&p.socket.ip()), p.quic));
    places.truncate(wire::OFFER_PLACES);
    places
}

/// The machine and port of an address without anything behind them: a circuit is nobody's own address.
pub(super) fn place(address: &Multiaddr) -> Option<Place> {
    let parts: Vec<_> = address.iter().filter(|p| !matches!(p, Protocol::P2p(_))).collect();
    let ip: IpAddr = match parts.first()? {
        Protocol::Ip4(ip) => (*ip).into(),
        Protocol::Ip6(ip) => (*ip).into(),
        _ => return None,
    };
    let (port, quic) = match &parts[1..] {
        [Protocol::Tcp(port)] => (*port, false),
        [Protocol::Udp(port), Protocol::QuicV1] => (*port, true),
        _ => return None,
    };
    Some(Place { quic, socket: SocketAddr::new(ip, port) })
}

/// Whether a contact's word is enough to dial this. Public addresses are; of private ones only those in a network that
/// this node is in, and this machine itself only when the node is nowhere else: nobody makes us knock at doors that only
/// we can reach.
fn may_dial(socket: &SocketAddr, own: &[SocketAddr]) -> bool {
    let ip = socket.ip();
    if ip.is_loopback() {
        return !own.is_empty() && own.iter().all(|o| o.ip().is_loopback());
    }
    is_place(socket) && (is_public(&ip) || own.iter().any(|o| near(&o.ip(), &ip)))
}

/// Whether two private addresses are in one network, as home networks are: the same /24, or /64.
fn near(own: &IpAddr, other: &IpAddr) -> bool {
    match (own, other) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.octets()[..3] == b.octets()[..3],
        (IpAddr::V6(a), IpAddr::V6(b)) => a.segments()[..4] == b.segments()[..4],
        _ => false,
    }
}

fn is_public(ip: &IpAddr) -> bool {
    super::listen::is_public(&Multiaddr::from(*ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sockets(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|t| t.parse().unwrap()).collect()
    }

    #[test]
    fn nobody_makes_us_knock_at_doors_that_only_we_can_reach() {
        let at_home = sockets(&["127.0.0.1:4001", "192.168.7.5:4001", "[fd00:1:2:3::5]:4001"]);
        for fine in ["9.9.9.9:4001", "[2620:fe::fe]:4001", "192.168.7.9:4001", "[fd00:1:2:3::9]:4001"] {
            assert!(may_dial(&fine.parse().unwrap(), &at_home), "{fine}");
        }
        for not in [
            "127.0.0.1:5432",
            "[::1]:5432",
            "192.168.8.1:8080",
            "10.0.0.1:4001",
            "169.254.169.254:8080",
            "100.64.0.1:4001",
            "[fd00:1:2:4::9]:4001",
            "[fe80::1]:4001",
            "9.9.9.9:22",
            "[::ffff:127.0.0.1]:5432",
        ] {
            assert!(!may_dial(&not.parse().unwrap(), &at_home), "{not}");
        }
        // A node that is on this machine alone (a try-out) reaches others there.
        let alone = sockets(&["127.0.0.1:4001"]);
        assert!(may_dial(&"127.0.0.1:5432".parse().unwrap(), &alone));
        assert!(!may_dial(&"127.0.0.1:5432".parse().unwrap(), &[]));
        assert!(!may_dial(&"192.168.7.9:4001".parse().unwrap(), &alone));
    }

    #[test]
    fn what_is_offered_are_addresses_of_this_machine() {
        let listeners: Vec<Multiaddr> = [
            "/ip4/127.0.0.1/tcp/4001",
            "/ip4/192.168.7.5/udp/4001/quic-v1",
            "/ip4/192.168.7.5/tcp/4001",
            "/ip4/9.9.9.9/tcp/4001",
            "/ip4/9.9.9.9/tcp/4001/p2p/12D3KooW9pnAfGUdsmvmvbTFAwd5rUta44J3wp9HPUZ8jvQq4wbz/p2p-circuit",
            "/dns4/example.org/tcp/4001",
            "/ip4/9.9.9.9/tcp/80",
        ]
        .map(|a| a.parse().unwrap())
        .to_vec();
        let offered: Vec<_> = places(listeners.iter()).iter().map(|p| (p.socket.to_string(), p.quic)).collect();
        let expected = [("9.9.9.9:4001", false), ("192.168.7.5:4001", false), ("192.168.7.5:4001", true)];
        assert_eq!(offered, expected.map(|(s, q)| (s.to_owned(), q)));
        assert_eq!(places(listeners[..1].iter()).len(), 1, "a node on this machine alone");
        for place in places(listeners.iter()) {
            assert_eq!(super::place(&multiaddr(&place)), Some(place));
        }
    }

    #[tokio::test]
    async fn dials_are_counted() {
        let mut direct = Direct::default();
        assert_eq!((0..1_000).filter(|_| direct.may_dial_now()).count(), limits::DIRECT_DIALS);
    }

    use std::time::Duration;

    use futures::StreamExt as _;
    use livechat_wire::content::OfferSecret;
    use livechat_wire::direct::Wanted as Part;
    use livechat_wire::http::RelayInfo;
    use livechat_wire::{BlobId, RelayId};

    use super::super::{Heard, Network};

    /// A node on this machine, whose relay isn't there.
    async fn network() -> Network {
        let info = RelayInfo {
            relay: RelayId([1; 32]),
            network: "test".into(),
            addresses: vec!["/ip4/127.0.0.1/tcp/1/p2p/12D3KooW9pnAfGUdsmvmvbTFAwd5rUta44J3wp9HPUZ8jvQq4wbz".into()],
            generation: 0,
            bucket_bits: 2,
            topic_bits: 2,
            time: 0,
            retention_seconds: 1,
        };
        let mut network = Network::new(info, &["/ip4/127.0.0.1/tcp/0".parse().unwrap()], false, &[]).unwrap();
        while network.places().1.is_empty() {
            network.next().await;
        }
        network
    }

    fn ask(of: &Network, part: u32) -> (Ask, oneshot::Receiver<Response>) {
        let ((peer, addresses), (answer, answered)) = (of.places(), oneshot::channel());
        let request = Request { blob: BlobId([1; 32]), secret: OfferSecret([2; 32]), wanted: Part::Part(part) };
        (Ask { peer, addresses, request, answer }, answered)
    }

    /// Hears what is wanted, while nothing else is of interest.
    async fn wanted(network: &mut Network) -> Wanted {
        loop {
            if let Heard::Wanted(wanted) = network.next().await {
                return wanted;
            }
        }
    }

    async fn within<T>(what: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(90), what).await.expect("in time")
    }

    /// Lets a network go on until the test ends.
    fn goes_on(mut network: Network) {
        tokio::spawn(async move {
            loop {
                network.next().await;
            }
        });
    }

    #[tokio::test]
    async fn a_part_is_asked_for_and_given() {
        let (mut here, mut there) = (network().await, network().await);
        let (question, answered) = ask(&here, 7);
        there.ask_directly(question);
        goes_on(there);
        let request = within(wanted(&mut here)).await;
        assert_eq!(request.request.wanted, Part::Part(7));
        here.give(request, Response::Part(vec![9; wire::BLOB_PART]));
        goes_on(here);
        assert_eq!(within(answered).await.unwrap(), Response::Part(vec![9; wire::BLOB_PART]));
    }

    #[tokio::test]
    async fn whoever_wants_what_isnt_theirs_is_sent_away() {
        let (mut here, mut there) = (network().await, network().await);
        for n in 0..=limits::DIRECT_REFUSALS {
            let (question, mut answered) = ask(&here, n);
            there.ask_directly(question);
            let turn = async {
                loop {
                    tokio::select! {
                        heard = here.next() => if let Heard::Wanted(request) = heard {
                            here.give(request, Response::Refused);
                        },
                        _ = there.next() => {}
                        answer = &mut answered => return answer,
                    }
                }
            };
            let answer = within(turn).await;
            assert!(n == limits::DIRECT_REFUSALS || answer == Ok(Response::Refused), "{answer:?}");
        }
        let gone = async {
            while here.peers() > 0 {
                tokio::select! { _ = here.next() => {} _ = there.next() => {} }
            }
        };
        within(gone).await;
    }

    #[tokio::test]
    async fn those_who_read_slowly_hold_little() {
        let mut here = network().await;
        let mut answers = futures::stream::FuturesUnordered::new();
        // Two questions on each connection: as many as one may have.
        for _ in 0..limits::DIRECT_GIVING {
            let mut there = network().await;
            for part in 0..2 {
                let (question, answered) = ask(&here, part);
                there.ask_directly(question);
                answers.push(answered);
            }
            goes_on(there);
        }
        let mut unanswered = Vec::new();
        let busy = async {
            let mut busy = 0;
            while busy < limits::DIRECT_GIVING {
                tokio::select! {
                    heard = here.next() => if let Heard::Wanted(request) = heard {
                        unanswered.push(request);
                    },
                    Some(answer) = answers.next() => {
                        assert_eq!(answer, Ok(Response::Busy));
                        busy += 1;
                    }
                }
            }
        };
        within(busy).await;
        assert_eq!(unanswered.len(), limits::DIRECT_GIVING, "all others were told at once");
    }
}
