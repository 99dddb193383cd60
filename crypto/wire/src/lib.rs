//! Every byte of LiveChat that crosses a process boundary: ids, the envelope, codecs, requests, responses, limits.
//!
//! What you may assume: whatever a decoder here returns is within the bounds of [`limits`], and encoding it again
//! gives the same bytes. What is forbidden here: secrets. Nothing in this crate can open a message; it checks public
//! signatures and nothing more, which is why the relay may link it. Where to start: [`envelope`], then [`sync`]
//! (node ↔ relay and node ↔ node), [`http`] (node ↔ relay, accounts), [`content`] (what people say, inside MLS).
//!
//! Integers are big-endian. Rules are numbered in `docs/PROTOCOL.md` (`R-01` …).

pub mod account;
pub mod backup;
pub mod blob;
pub mod bundle;
pub mod codec;
pub mod content;
pub mod device_code;
pub mod direct;
pub mod door;
pub mod envelope;
pub mod group;
pub mod handover;
pub mod hello;
pub mod http;
pub mod ids;
pub mod limits;
pub mod order;
pub mod payload;
pub mod receipt;
pub mod sync;
pub mod topic;
pub mod verify;

pub use codec::DecodeError;
pub use envelope::Envelope;
pub use ids::{AccountId, BlobId, ConversationId, DeviceId, EnvelopeId, MessageId, RelayId, SlotId, Tag};
