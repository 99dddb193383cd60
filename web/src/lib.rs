//! The local web UI of a LiveChat node: its pages, and [`livechat_node::api`] over a WebSocket.
//!
//! What you may assume: only programs of this computer reach it ([`serve`] refuses other addresses); of those only
//! browsers that came with a one-time [`Ui::link`] get beyond the empty page; of a browser's pages only our own.
//! What is forbidden here: answering anything before [`gate`] has judged it, and sending the page to another origin.
//! Where to start: [`serve`], then `gate` (who may ask), `routes` (what), `socket` (the API), `files` (their bytes).

mod assets;
mod backup;
mod control;
mod download;
mod env;
mod files;
pub mod gate;
mod headers;
mod hosts;
pub mod limits;
mod qr;
mod routes;
mod server;
mod sessions;
mod socket;
mod zip;

pub use assets::BUILT;
pub use control::{LinkError, ask_link};
pub use server::{Config, StartError, Ui, serve};
