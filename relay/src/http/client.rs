//! Who is at the other end: the connection's address, unless a proxy that we trust says otherwise.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::connect_info::Connected;
use axum::http::HeaderMap;
use axum::serve::IncomingStream;

use super::listener::Bounded;

/// The address of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// What limits are counted by: an IPv4 address or an IPv6 /64, which is what one customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientKey(IpAddr);

impl ClientKey {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
            v4 => Self(v4),
        }
    }
}

/// The client behind trusted proxies: walking `X-Forwarded-For` from the near end, the first address that isn't a
/// trusted proxy. Further ones were written by strangers.
pub(crate) fn client(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> ClientKey {
    let is_trusted = |a: &IpAddr| trusted.contains(&a.to_canonical());
    let mut nearest = peer.ip().to_canonical();
    if !is_trusted(&nearest) {
        return ClientKey::of(nearest);
    }
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).collect();
    for part in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(address) = part.trim().parse::<IpAddr>() else { break };
        nearest = address.to_canonical();
        if !is_trusted(&nearest) {
            break;
        }
    }
    ClientKey::of(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> ClientKey {
        let mut headers = HeaderMap::new();
        for f in forwarded {
            headers.append("x-forwarded-for", f.parse().unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        client(SocketAddr::new(peer.parse().unwrap(), 1), &headers, &trusted)
    }

    fn key(address: &str) -> ClientKey {
        ClientKey::of(address.parse().unwrap())
    }

    #[test]
    fn strangers_cannot_choose_their_address() {
        assert_eq!(seen("9.9.9.9", &["1.1.1.1"], &[]), key("9.9.9.9"));
        assert_eq!(seen("9.9.9.9", &["1.1.1.1"], &["10.0.0.1"]), key("9.9.9.9"));
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 2.2.2.2"], &["10.0.0.1"]), key("2.2.2.2"));
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "2.2.2.2, 10.0.0.2"], &["10.0.0.1", "10.0.0.2"]), key("2.2.2.2"));
        assert_eq!(seen("10.0.0.1", &["nonsense"], &["10.0.0.1"]), key("10.0.0.1"));
    }

    #[test]
    fn a_customer_is_one_client() {
        assert_eq!(key("2001:db8:1:2:3::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:1.2.3.4"), key("1.2.3.4"));
    }
}
