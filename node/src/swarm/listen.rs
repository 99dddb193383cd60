//! Where to listen: read from the settings, and tried before anything depends on it.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Not a multiaddress of a transport we speak.
    #[error("{0:?} isn't an address to listen on; write /ip4/0.0.0.0/tcp/4001 or /ip4/0.0.0.0/udp/4001/quic-v1")]
    Address(String),
    /// Not a multiaddress of a node that we could connect to.
    #[error("{0:?} isn't a node's address; write /ip4/192.0.2.7/tcp/4001 or /ip4/192.0.2.7/udp/4001/quic-v1")]
    Peer(String),
    /// Somebody else has it, or the system refuses.
    #[error(
        "can't listen on {address}: {cause}; stop the other program, or choose another port (0 takes any free one)"
    )]
    Bind {
        /// Which.
        address: String,
        /// Why.
        cause: io::Error,
    },
}

enum Transport {
    Tcp,
    Quic,
}

/// Reads the addresses and makes sure that each can be had. The sockets are opened for good only once the network's
/// name is known, which may be much later: a port in use is told now.
pub(crate) fn check(listen: &[String]) -> Result<Vec<Multiaddr>, ListenError> {
    let mut addresses = Vec::with_capacity(listen.len());
    for text in listen {
        let wrong = || ListenError::Address(text.clone());
        let address: Multiaddr = text.parse().map_err(|_| wrong())?;
        let (socket, transport) = parts(&address).ok_or_else(wrong)?;
        let bound = match transport {
            Transport::Tcp => TcpListener::bind(socket).map(drop),
            Transport::Quic => UdpSocket::bind(socket).map(drop),
        };
        bound.map_err(|cause| ListenError::Bind { address: text.clone(), cause })?;
        addresses.push(address);
    }
    Ok(addresses)
}

/// Reads the addresses of nodes to connect to.
pub(crate) fn peers(texts: &[String]) -> Result<Vec<Multiaddr>, ListenError> {
    let read = |text: &String| {
        let address: Multiaddr = text.parse().ok()?;
        parts(&address).filter(|(socket, _)| socket.port() != 0).map(|_| address)
    };
    texts.iter().map(|text| read(text).ok_or_else(|| ListenError::Peer(text.clone()))).collect()
}

fn parts(address: &Multiaddr) -> Option<(SocketAddr, Transport)> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(a) => a.into(),
        Protocol::Ip6(a) => a.into(),
        _ => return None,
    };
    let (port, transport) = match (parts.next()?, parts.next()) {
        (Protocol::Tcp(port), None) => (port, Transport::Tcp),
        (Protocol::Udp(port), Some(Protocol::QuicV1)) => (port, Transport::Quic),
        _ => return None,
    };
    parts.next().is_none().then_some((SocketAddr::new(ip, port), transport))
}

/// Whether strangers could reach a node that listens here, without help.
pub(crate) fn is_public(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(a)) => {
            let shared = a.octets()[0] == 100 && a.octets()[1] & 0xc0 == 64;
            !(a.is_loopback() || a.is_private() || a.is_link_local() || a.is_unspecified() || shared)
        }
        Some(Protocol::Ip6(a)) => {
            let head = a.segments()[0];
            let local = head & 0xfe00 == 0xfc00 || head & 0xffc0 == 0xfe80;
            !(a.is_loopback() || a.is_unspecified() || local)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_in_use_and_strange_addresses_are_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port());
        let refused = check(std::slice::from_ref(&address)).unwrap_err();
        assert!(matches!(&refused, ListenError::Bind { address: a, .. } if *a == address));
        assert!(refused.to_string().contains("in use"), "{refused}");
        for strange in ["", "hello", "/ip4/127.0.0.1", "/dns4/x/tcp/1", "/ip4/127.0.0.1/udp/1", "/ip4/1.2.3.4/tcp/1/ws"]
        {
            assert!(matches!(check(&[strange.into()]), Err(ListenError::Address(_))), "{strange}");
        }
        assert_eq!(check(&["/ip6/::1/tcp/0".into(), "/ip4/127.0.0.1/udp/0/quic-v1".into()]).unwrap().len(), 2);
    }

    #[test]
    fn public_addresses() {
        let public = |a: &str| is_public(&a.parse().unwrap());
        assert!(public("/ip4/9.9.9.9/tcp/1") && public("/ip6/2620:fe::fe/tcp/1"));
        for private in ["/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/100.64.0.1/tcp/1", "/ip6/fe80::1/tcp/1"] {
            assert!(!public(private), "{private}");
        }
    }
}
