//! Ports for servers that must come back at the same address.

use std::collections::BTreeSet;
use std::net::{TcpListener, UdpSocket};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Below what systems hand out by themselves, or another test's connection takes the port of a server that restarts.
const RANGE: Range<u16> = 10_000..30_000;

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port of loopback that is free for TCP and UDP and that no other caller in this process gets.
///
/// # Panics
/// When all are taken.
#[must_use]
pub fn free_port() -> u16 {
    let mut start = [0; 2];
    getrandom::fill(&mut start).expect("random numbers");
    let many = RANGE.end - RANGE.start;
    let start = u16::from_le_bytes(start) % many;
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let free = |port: &u16| {
        !given.contains(port)
            && TcpListener::bind(("127.0.0.1", *port)).is_ok()
            && UdpSocket::bind(("127.0.0.1", *port)).is_ok()
    };
    let port = (0..many).map(|n| RANGE.start + (start + n) % many).find(free).expect("a free port");
    given.insert(port);
    port
}
