//! Frames that nobody honest sends.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::StreamProtocol;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, Message, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use livechat_net::{Role, gossip};
use livechat_wire::sync::{PROTOCOL, Request, Response, Verdict};

use crate::client::{Client, NETWORK, config, envelope, envelopes, start};
use crate::{assert_kept, sqlite};

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

#[derive(NetworkBehaviour)]
struct Mallory {
    raw: request_response::Behaviour<Raw>,
    gossip: gossip::Behaviour,
}

/// Hundreds of broken frames and gossip messages; an honest user before, meanwhile and afterwards is served.
pub async fn seed_b13_hostile_frames_end_nothing() {
    let (store, dir) = sqlite().await;
    let relay = start(config(dir.path()), store).await;
    let mut alice = Client::connect(&relay.addrs()[0]).await;
    assert_kept(&alice.deposit(vec![envelope(1)]).await[0]);

    let to = relay.peer();
    let mut mallory = livechat_net::swarm(Keypair::generate_ed25519(), |_| Mallory {
        raw: request_response::Behaviour::new(
            [(StreamProtocol::new(PROTOCOL), ProtocolSupport::Outbound)],
            request_response::Config::default(),
        ),
        gossip: gossip::behaviour(Role::Node, NETWORK).unwrap(),
    })
    .unwrap();
    let topic = gossip::topic(NETWORK, 0, 0, 0);
    gossip::subscribe(&mut mallory.behaviour_mut().gossip, &topic).unwrap();
    mallory.dial(relay.addrs()[0].parse::<libp2p::Multiaddr>().unwrap()).unwrap();
    while !mallory.behaviour().gossip.mesh_peers(&topic.hash()).any(|p| *p == to) {
        mallory.select_next_some().await;
    }

    let good = Request::Deposit { envelopes: envelopes(2..4) }.encode();
    let framed = |body: &[u8]| [&(body.len() as u32).to_be_bytes()[..], body].concat();
    let mut answered = 0;
    for n in 0..200_usize {
        // Every kind of damage: cut, a byte changed, length lies, other kinds.
        let mut frame = framed(&good);
        match n % 5 {
            0 => frame.truncate(n * 20),
            1 => frame[4 + n % 40] ^= 0x80,
            2 => frame[..4].copy_from_slice(&(u32::MAX - n as u32).to_be_bytes()),
            3 => frame = framed(&[(n % 256) as u8; 40]),
            _ => frame.extend_from_slice(&[7; 9]),
        }
        let garbage: Vec<u8> = (0..n * 11 % 3_000).map(|i| (i * n) as u8).collect();
        // The relay stops listening to us after some; that is the point.
        drop(mallory.behaviour_mut().gossip.publish(topic.hash(), garbage));
        mallory.behaviour_mut().raw.send_request(&to, frame);
        loop {
            match mallory.select_next_some().await {
                SwarmEvent::Behaviour(MalloryEvent::Raw(request_response::Event::Message {
                    message: Message::Response { response, .. },
                    ..
                })) => {
                    answered += usize::from(!response.is_empty());
                    // A changed byte within an envelope still makes a frame: then its verdict is the answer.
                    if let Some(frame) = response.get(4..) {
                        assert!(matches!(Response::decode(frame), Ok(Response::Verdicts(_) | Response::Refused(_))));
                    }
                    break;
                }
                SwarmEvent::Behaviour(MalloryEvent::Raw(request_response::Event::OutboundFailure { .. })) => break,
                _ => {}
            }
        }
    }
    assert!(answered < 100, "most are no requests at all");
    let still: Vec<_> = alice.present(&[envelope(1)]).await;
    assert!(matches!(still[..], [Verdict::Kept(_)]));
    assert_kept(&alice.deposit(vec![envelope(9)]).await[0]);
    relay.stop().await;
}
