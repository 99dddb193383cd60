//! The API over a Unix socket: one JSON frame per line ([`RequestFrame`](super::RequestFrame) in,
//! [`ServerFrame`](super::ServerFrame) out). Only the user who runs the node may connect.

mod client;
mod line;
mod server;

pub use client::{Client, ConnectError};
pub use server::{ServeError, Server, serve};
