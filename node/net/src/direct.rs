//! `/livechat/file/1` on a stream: a part of a file is asked for, and given or refused.

use core::time::Duration;
use std::io;

use futures::{AsyncRead, AsyncWrite};
use libp2p::StreamProtocol;
use libp2p::request_response::{self, ProtocolSupport};
use livechat_wire::direct::{PROTOCOL, Request, Response};
use livechat_wire::limits as wire;

use crate::limits;
use crate::sync::{invalid, read_frame, write_frame};

/// The behaviour that asks and answers.
pub type Behaviour = request_response::Behaviour<Codec>;
/// What it reports.
pub type Event = request_response::Event<Request, Response>;

/// Bytes of a request: it has no variable part.
const REQUEST: usize = 69;
/// Bytes of the longest response: its kind, and a part.
const RESPONSE: usize = 1 + wire::BLOB_PART;

/// How long an exchange may take, a dial included: a quarter of a megabyte at 5 KB/s.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Configures both asking and answering.
#[must_use]
pub fn behaviour(timeout: Duration) -> Behaviour {
    let config = request_response::Config::default()
        .with_request_timeout(timeout)
        .with_max_concurrent_streams(limits::DIRECT_STREAMS);
    Behaviour::new([(StreamProtocol::new(PROTOCOL), ProtocolSupport::Full)], config)
}

/// Reads and writes the frames.
#[derive(Debug, Clone, Copy, Default)]
pub struct Codec;

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Response;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        Request::decode(&read_frame(io, REQUEST).await?).map_err(invalid)
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        Response::decode(&read_frame(io, RESPONSE).await?).map_err(invalid)
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Request) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &request.encode(), REQUEST).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, response: Response) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &response.encode(), RESPONSE).await
    }
}
