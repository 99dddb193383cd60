//! The libp2p behaviours that node and relay must configure alike: gossip and sync, and what carries them;
//! and what nodes alone speak to each other ([`direct`]).
//!
//! What you may assume: two swarms built here understand each other, and nothing a peer sends makes a behaviour of this
//! crate panic or grow without bound. What is forbidden here: the clock, keys and stores; the time is a parameter, and
//! envelopes leave this crate checked but unopened. Where to start: [`gossip::behaviour`], [`gossip::judge`],
//! [`sync::behaviour`], [`swarm`].
//!
//! libp2p has timers of its own: tokio's paused clock doesn't drive it.

pub mod connections;
pub mod direct;
pub mod gossip;
pub mod limits;
pub mod sync;
mod transport;

pub use transport::{BuildError, Role, identify, ping, swarm, swarm_with_circuits};
