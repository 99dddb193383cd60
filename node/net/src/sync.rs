//! `/livechat/sync/1` on a stream: one request, one response, each a `u32` length and that many bytes.
//!
//! A frame that is too long, or that the wire crate doesn't decode, ends the stream with an error on this side; the
//! connection and its other streams go on.

use core::time::Duration;
use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::{self, ProtocolSupport};
use livechat_wire::limits as wire;
use livechat_wire::sync::{PROTOCOL, Request, Response};

use crate::limits;

/// The behaviour that asks and answers.
pub type Behaviour = request_response::Behaviour<Codec>;
/// What it reports.
pub type Event = request_response::Event<Request, Response>;

/// Bytes of the longest request: the largest commit, with its kind, slot and length; a full deposit is shorter.
pub const REQUEST: usize = wire::COMMIT + 64;
const _: () = assert!(wire::DEPOSIT * wire::ENVELOPE + 64 <= REQUEST, "a full deposit fits");
/// Bytes of the longest response.
pub const RESPONSE: usize = wire::SYNC_FRAME;

/// How long an exchange may take when a fetch waits as long as it may.
pub const TIMEOUT: Duration = Duration::from_secs(wire::LONG_POLL.as_secs() + limits::SYNC_TRANSFER.as_secs());

/// Configures sync, both asking and answering. `timeout` bounds a whole exchange: [`TIMEOUT`] where long polls are used.
#[must_use]
pub fn behaviour(timeout: Duration) -> Behaviour {
    let config = request_response::Config::default()
        .with_request_timeout(timeout)
        .with_max_concurrent_streams(limits::SYNC_STREAMS);
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

pub(crate) async fn read_frame<T: AsyncRead + Unpin + Send>(io: &mut T, max: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > max {
        return Err(invalid(FrameError::TooLong));
    }
    // Grows as bytes arrive: a length alone allocates nothing (P7).
    let mut frame = Vec::new();
    io.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(frame)
}

pub(crate) async fn write_frame<T: AsyncWrite + Unpin + Send>(io: &mut T, frame: &[u8], max: usize) -> io::Result<()> {
    let length = u32::try_from(frame.len()).ok().filter(|_| frame.len() <= max).ok_or(invalid(FrameError::TooLong))?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(frame).await
}

pub(crate) fn invalid(why: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Why a frame was refused before it was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Longer than any frame may be.
    #[error("the frame is too long")]
    TooLong,
}
