//! The LiveChat relay: bootstrap, accounts by TOTP, ciphertext store, circuit relay.
//!
//! What you may assume: nothing that arrives over HTTP or libp2p ends the process, and nothing readable about a
//! person reaches the database: names and tokens are stored as keyed hashes, records sealed under a key that lives
//! outside of it ([`keys`]). What is forbidden here: code that can open a message; asking the system for time or
//! randomness anywhere but in [`env`]. Where to start: [`start`], then [`http`] for the routes, [`store`] for what
//! is kept.

pub mod accounts;
pub mod blobs;
mod config;
pub mod env;
mod http;
pub mod keys;
pub mod limits;
pub mod metrics;
pub mod names;
pub mod network;
pub mod recovery;
mod relay;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod totp;

pub use config::Config;
pub use http::openapi;
pub use limits::Limits;
pub use relay::{Relay, StartError, start, start_with};
