//! Sync between real swarms on loopback, and with a peer that speaks it badly.

mod common;

use std::io;

use common::{BehaviourEvent, Peer, envelope, within};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::StreamProtocol;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, Message, OutboundFailure, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use livechat_net::{Role, sync};
use livechat_wire::limits;
use livechat_wire::sync::{Cursor, PROTOCOL, Refusal, Request, Response, Verdict};

/// Answers every request in a way that depends on it.
fn answer(request: Request) -> Response {
    match request {
        Request::Fetch { cursor, .. } => {
            let envelopes = (0..limits::PAGE_ENVELOPES as u32).map(envelope).collect();
            Response::Page { cursor, envelopes, more: true }
        }
        Request::Deposit { envelopes } => {
            Response::Verdicts(envelopes.iter().map(|_| Verdict::Refused(Refusal::Stale)).collect())
        }
        Request::Present { ids } => Response::Verdicts(ids.iter().map(|_| Verdict::Absent).collect()),
        _ => Response::Refused(Refusal::NotServed),
    }
}

/// Asks and drives both sides until there is an answer or a failure.
async fn ask(alice: &mut Peer, relay: &mut Peer, request: Request) -> Result<Response, OutboundFailure> {
    let to = relay.id();
    alice.swarm.behaviour_mut().sync.send_request(&to, request);
    loop {
        tokio::select! {
            event = alice.swarm.select_next_some() => match event {
                SwarmEvent::Behaviour(BehaviourEvent::Sync(sync::Event::Message {
                    message: Message::Response { response, .. }, ..
                })) => return Ok(response),
                SwarmEvent::Behaviour(BehaviourEvent::Sync(sync::Event::OutboundFailure { error, .. })) => {
                    return Err(error);
                }
                _ => {}
            },
            event = relay.swarm.select_next_some() => serve(relay, event),
        }
    }
}

fn serve(relay: &mut Peer, event: SwarmEvent<BehaviourEvent>) {
    if let SwarmEvent::Behaviour(BehaviourEvent::Sync(sync::Event::Message {
        message: Message::Request { request, channel, .. },
        ..
    })) = event
    {
        // The asking side may have gone already.
        drop(relay.swarm.behaviour_mut().sync.send_response(channel, answer(request)));
    }
}

#[tokio::test]
async fn every_request_gets_its_answer() {
    let mut alice = Peer::start(Role::Node, "/ip4/127.0.0.1/tcp/0").await;
    let mut relay = Peer::start(Role::Relay, "/ip4/127.0.0.1/tcp/0").await;
    within(20, "the mesh", alice.befriend(&mut relay)).await;
    let requests = [
        Request::Fetch { bucket: 0, cursor: Cursor([(1, 5), (9, 7)].into()), wait_ms: 0 },
        Request::Deposit { envelopes: (0..limits::DEPOSIT as u32).map(envelope).collect() },
        Request::Present { ids: (0..limits::PRESENT as u32).map(|n| envelope(n).id()).collect() },
    ];
    for request in requests {
        let got = within(20, "an answer", ask(&mut alice, &mut relay, request.clone())).await.unwrap();
        assert_eq!(got, answer(request));
    }
}

#[tokio::test]
async fn what_is_over_its_bounds_is_refused_and_the_connection_lives() {
    let mut alice = Peer::start(Role::Node, "/ip4/127.0.0.1/tcp/0").await;
    let mut relay = Peer::start(Role::Relay, "/ip4/127.0.0.1/tcp/0").await;
    within(20, "the mesh", alice.befriend(&mut relay)).await;
    // One envelope too many doesn't even leave.
    let too_many = Request::Deposit { envelopes: (0..=limits::DEPOSIT as u32).map(envelope).collect() };
    let failed = within(20, "a failure", ask(&mut alice, &mut relay, too_many)).await;
    assert!(matches!(failed, Err(OutboundFailure::Io(_))), "{failed:?}");
    // One that leaves but is out of bounds gets no answer.
    let too_long = Request::Fetch { bucket: 0, cursor: Cursor::default(), wait_ms: u32::MAX };
    let failed = within(20, "a failure", ask(&mut alice, &mut relay, too_long)).await;
    assert!(matches!(failed, Err(OutboundFailure::Io(_))), "{failed:?}");
    // Neither cost the connection.
    let fine = Request::Present { ids: vec![envelope(1).id()] };
    let got = within(20, "an answer", ask(&mut alice, &mut relay, fine)).await.unwrap();
    assert_eq!(got, Response::Verdicts(vec![Verdict::Absent]));
}

/// Speaks the protocol's name and writes whatever it is given.
#[derive(Clone, Default)]
struct Raw;

impl request_response::Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, _: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut all = Vec::new();
        io.read_to_end(&mut all).await?;
        Ok(all)
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, bytes: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, _: &mut T, _: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Bytes of our own making on the stream: whatever they are, the relay drops the stream and answers the next one.
#[tokio::test]
async fn malformed_frames_end_their_stream_and_nothing_else() {
    let mut relay = Peer::start(Role::Relay, "/ip4/127.0.0.1/tcp/0").await;
    let mut mallory = livechat_net::swarm(Keypair::generate_ed25519(), |_| {
        let protocol = [(StreamProtocol::new(PROTOCOL), ProtocolSupport::Outbound)];
        request_response::Behaviour::<Raw>::new(protocol, request_response::Config::default())
    })
    .unwrap();
    let to = relay.id();
    mallory.add_peer_address(to, relay.addr.clone());
    let good = Request::Present { ids: vec![envelope(1).id()] }.encode();
    let framed = |body: &[u8]| [&(body.len() as u32).to_be_bytes()[..], body].concat();
    let attacks: Vec<Vec<u8>> = vec![
        u32::MAX.to_be_bytes().to_vec(),
        framed(&vec![2; sync::REQUEST + 1]),
        framed(&[]),
        framed(&[99]),
        framed(&good[..good.len() - 1]),
        framed(&[&good[..], b"x"].concat()),
        vec![0, 0],
        framed(&good)[..9].to_vec(),
        vec![],
    ];
    let mut answers = Vec::new();
    for bytes in attacks.into_iter().chain([framed(&good)]) {
        mallory.behaviour_mut().send_request(&to, bytes);
        let answer = within(20, "an end", async {
            loop {
                tokio::select! {
                    event = mallory.select_next_some() => match event {
                        SwarmEvent::Behaviour(request_response::Event::Message {
                            message: Message::Response { response, .. }, ..
                        }) => return response,
                        SwarmEvent::Behaviour(request_response::Event::OutboundFailure { error, .. }) => {
                            assert!(matches!(error, OutboundFailure::Io(_)), "{error}");
                            return vec![];
                        }
                        SwarmEvent::ConnectionClosed { .. } => panic!("the connection went with the stream"),
                        _ => {}
                    },
                    event = relay.swarm.select_next_some() => serve(&mut relay, event),
                }
            }
        });
        answers.push(answer.await);
    }
    let last = answers.pop().unwrap();
    assert_eq!(Response::decode(&last[4..]).unwrap(), Response::Verdicts(vec![Verdict::Absent]));
    assert!(answers.iter().all(Vec::is_empty), "no answer to nonsense");
}
