//! A LiveChat node: libp2p, encrypted store, driver loop and the API its faces use.
//!
//! What you may assume: a [`Node`] is a cheap handle; whatever a request was answered with is safe on disk; events are
//! hints ([`api::Event::Lagged`] means "fetch again"). What is forbidden here: asking the system for the time or for
//! randomness outside `env`, committing anywhere but on the brain's thread, and performing an effect before its commit.
//! Where to start: [`api`] (what can be asked), [`Node::start`], then `driver` (the only loop).

mod account;
pub mod api;
mod backup;
mod brain;
mod config;
mod driver;
mod env;
pub mod export;
mod files;
mod keeper;
mod limits;
mod node;
mod qr;
mod relay;
mod search;
mod store;
mod swarm;
mod sweep;
mod vault;

pub use brain::BrainError;
pub use config::Config;
pub use files::{NewFile, OpenFile};
pub use node::{BackupChunks, Node, StartError};
pub use relay::RelayUrlError;
pub use store::OpenError;
pub use swarm::listen::ListenError;
pub use sweep::runtime;
