//! What a node is started with. Plain values: binaries find them (flags, environment, files), the library doesn't.

use std::path::PathBuf;

use url::Url;

/// Settings of one node.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything of this node lives; made when missing, readable by its owner only.
    pub data_dir: PathBuf,
    /// The relay's HTTP address, e.g. `https://relay.example.org`.
    pub relay_url: Url,
    /// Multiaddresses to listen on.
    pub listen: Vec<String>,
    /// Whether to look for nodes on the local network. Announces presence there, hence off unless wanted.
    pub mdns: bool,
    /// Multiaddresses of other nodes to stay connected to directly: a LAN without multicast, a VPN, one's own second
    /// device.
    pub peers: Vec<String>,
}

impl Config {
    /// The settings most nodes want: loopback on free ports, TCP and QUIC, no local discovery.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>, relay_url: Url) -> Self {
        Self {
            data_dir: data_dir.into(),
            relay_url,
            listen: vec!["/ip4/127.0.0.1/tcp/0".into(), "/ip4/127.0.0.1/udp/0/quic-v1".into()],
            mdns: false,
            peers: Vec::new(),
        }
    }
}
