//! Where a file can be had from its sender's own device for a while. Addresses are numbers, never names, so that
//! an offer can't make whoever reads it ask anybody where that is; whether one of them is dialled, the reader decides.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::BlobId;
use crate::limits;

/// Lets whoever has it fetch one blob from the device that drew it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OfferSecret(pub [u8; 32]);

impl fmt::Debug for OfferSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfferSecret(…)")
    }
}

/// Blob (32), secret (32), until (8), Ed25519 key of the peer (32), addresses: each bit 0 IPv6 and bit 1 QUIC (1), IP
/// (4 or 16), port (2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Of a file that this conversation speaks of.
    pub blob: BlobId,
    /// To be shown with each request.
    pub secret: OfferSecret,
    /// Unix seconds after which nobody needs to try.
    pub until: u64,
    /// The key behind the sender's throw-away name in the network.
    pub peer: [u8; 32],
    /// 1 ..= [`limits::OFFER_PLACES`].
    pub addresses: Vec<Place>,
}

/// An address in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// QUIC over UDP, else TCP.
    pub quic: bool,
    /// See [`is_place`].
    pub socket: SocketAddr,
}

impl Offer {
    pub(super) fn write(&self, w: &mut Writer) {
        w.raw(&self.blob.0).raw(&self.secret.0).u64(self.until).raw(&self.peer);
        w.list(&self.addresses, |w, place| {
            w.u8(u8::from(place.socket.is_ipv6()) | u8::from(place.quic) << 1);
            match place.socket.ip() {
                IpAddr::V4(ip) => w.raw(&ip.octets()),
                IpAddr::V6(ip) => w.raw(&ip.octets()),
            };
            w.u16(place.socket.port());
        });
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (blob, secret) = (BlobId(r.array()?), OfferSecret(r.array()?));
        let (until, peer) = (r.u64()?, r.array()?);
        let addresses = r.list(limits::OFFER_PLACES, "addresses", |r| {
            let kind = r.u8()?;
            let ip = match kind {
                0 | 2 => Ipv4Addr::from(r.array::<4>()?).into(),
                1 | 3 => Ipv6Addr::from(r.array::<16>()?).into(),
                _ => return Err(DecodeError::NotCanonical("address")),
            };
            let place = Place { quic: kind & 2 != 0, socket: SocketAddr::new(ip, r.u16()?) };
            if is_place(&place.socket) { Ok(place) } else { Err(DecodeError::Bounds("address")) }
        })?;
        if addresses.is_empty() {
            return Err(DecodeError::Bounds("addresses"));
        }
        Ok(Self { blob, secret, until, peer, addresses })
    }
}

/// Whether a device could be there: an address of one machine, and none of the ports below 1,024, which belong to
/// services that nobody is to be sent to.
#[must_use]
pub fn is_place(socket: &SocketAddr) -> bool {
    let one_machine = match socket.ip() {
        IpAddr::V4(ip) => !(ip.octets()[0] == 0 || ip.is_multicast() || ip.is_broadcast()),
        // An IPv4 address has one way to be written.
        IpAddr::V6(ip) => !(ip.is_unspecified() || ip.is_multicast() || ip.to_ipv4_mapped().is_some()),
    };
    one_machine && socket.port() >= 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(addresses: &[&str]) -> Vec<u8> {
        let addresses = addresses.iter().map(|a| Place { quic: false, socket: a.parse().unwrap() }).collect();
        let (blob, secret) = (BlobId([1; 32]), OfferSecret([2; 32]));
        let mut w = Writer::new();
        Offer { blob, secret, until: 3, peer: [4; 32], addresses }.write(&mut w);
        w.finish()
    }

    #[test]
    fn offers_lead_to_machines_and_to_no_service() {
        let read = |addresses: &[&str]| Offer::read(&mut Reader::new(&offer(addresses)));
        assert!(
            read(&["192.0.2.7:4001", "[2001:db8::1]:1024", "127.0.0.1:65535"]).is_ok_and(|o| o.addresses.len() == 3)
        );
        for bad in [
            "192.0.2.7:22",
            "192.0.2.7:0",
            "0.0.0.0:4001",
            "0.1.2.3:4001",
            "224.0.0.251:5353",
            "255.255.255.255:4001",
            "[::]:4001",
            "[ff02::fb]:5353",
            "[::ffff:192.0.2.7]:4001",
        ] {
            assert!(matches!(read(&[bad]), Err(DecodeError::Bounds("address"))), "{bad}");
        }
        assert!(read(&[]).is_err(), "nowhere");
        assert!(read(&["192.0.2.7:4001"; limits::OFFER_PLACES]).is_ok());
        assert!(read(&["192.0.2.7:4001"; limits::OFFER_PLACES + 1]).is_err(), "everywhere");
        assert!(!format!("{:?}", Offer::read(&mut Reader::new(&offer(&["192.0.2.7:4001"]))).unwrap()).contains("2, 2"));
    }
}
