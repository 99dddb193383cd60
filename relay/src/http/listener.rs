//! Accepts connections up to a number, in all and per client, and closes those that say nothing.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use super::client::ClientKey;
use crate::limits;

/// A listener with room for so many.
pub(crate) struct Bounded {
    listener: TcpListener,
    room: Arc<Semaphore>,
    clients: Clients,
    trusted: Vec<IpAddr>,
}

impl Bounded {
    pub(crate) fn new(listener: TcpListener, trusted: Vec<IpAddr>) -> Self {
        Self { listener, room: Arc::new(Semaphore::new(limits::CONNECTIONS)), clients: Arc::default(), trusted }
    }

    /// A place for one more connection of this client; none when it has too many. A trusted proxy is many clients.
    fn admit(&self, from: IpAddr) -> Option<Place> {
        if self.trusted.contains(&from.to_canonical()) {
            return Some(Place(None));
        }
        let key = ClientKey::of(from);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = clients.entry(key).or_insert(0);
        if *count >= limits::CONNECTIONS_PER_CLIENT {
            return None;
        }
        *count += 1;
        Some(Place(Some((key, self.clients.clone()))))
    }
}

/// Counts a client's connection while it lives.
struct Place(Option<(ClientKey, Clients)>);

/// How many connections each client has.
type Clients = Arc<Mutex<HashMap<ClientKey, usize>>>;

impl Drop for Place {
    fn drop(&mut self) {
        let Some((key, clients)) = self.0.take() else { return };
        let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = clients.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                clients.remove(&key);
            }
        }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // The semaphore is never closed; were it, nobody would get in.
            let Ok(room) = self.room.clone().acquire_owned().await else { return std::future::pending().await };
            let (stream, from) = Listener::accept(&mut self.listener).await;
            if let Some(place) = self.admit(from.ip()) {
                let idle = Box::pin(tokio::time::sleep(limits::CONNECTION_IDLE));
                return (Connection { stream, idle, _room: room, _place: place }, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when nothing was read or written for a while.
pub(crate) struct Connection {
    stream: TcpStream,
    idle: Pin<Box<Sleep>>,
    _room: OwnedSemaphorePermit,
    _place: Place,
}

impl Connection {
    fn heard(&mut self) {
        self.idle.as_mut().reset(Instant::now() + limits::CONNECTION_IDLE);
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buf) {
            self.heard();
            return Poll::Ready(read);
        }
        ready!(self.idle.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if wrote.is_ready() {
            self.heard();
        }
        wrote
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        if wrote.is_ready() {
            self.heard();
        }
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
