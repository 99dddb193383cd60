//! Plain configuration; binaries go and find it.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::limits::Limits;

/// What a relay needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to serve HTTP. Port 0 takes any.
    pub http: SocketAddr,
    /// Multiaddresses to listen on for peers.
    pub p2p: Vec<String>,
    /// Multiaddresses to tell nodes, where those listened on aren't reachable from outside.
    pub announce: Vec<String>,
    /// `sqlite:PATH` or `mongodb://…`.
    pub store: String,
    /// The relay's keys live here, outside the database.
    pub data_dir: PathBuf,
    /// Network name in topics.
    pub network: String,
    /// The issuer that authenticator apps show.
    pub name: String,
    /// What may be tuned.
    pub limits: Limits,
}

impl Config {
    /// A relay in one folder, on SQLite, on loopback and free ports.
    #[must_use]
    pub fn local(data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], 0)),
            p2p: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            announce: Vec::new(),
            store: format!("sqlite:{}", data_dir.join("relay.db").display()),
            data_dir,
            network: "main".to_owned(),
            name: "LiveChat".to_owned(),
            limits: Limits::default(),
        }
    }
}
