//! Sealing envelopes (DESIGN §5): what leaves the machine looks like everything else.
//!
//! - In a known conversation: [`EnvelopeKeys`], from the MLS exporter of an epoch.
//! - First contact: [`seal_hello`], then [`HelloKeys`] for the fragments of the introduction.

mod chain;
mod hello;

pub use chain::{EnvelopeKeys, HelloKeys, OpenError};
pub(crate) use hello::open_hello_with;
pub use hello::{SealHelloError, open_hello, seal_hello};

/// The public fields of an envelope that its sender chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    /// The recipient's anonymity bucket.
    pub bucket: u16,
    /// Ten-minute units since the Unix epoch ([`livechat_wire::envelope::epoch_at`]).
    pub epoch: u32,
    /// Gossiped only, never stored.
    pub ephemeral: bool,
}

use ed25519_dalek::{Signer, SigningKey};
use livechat_wire::envelope::{Envelope, Header};
use livechat_wire::{Tag, limits};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::draw;

/// Lays out an envelope under a fresh one-time key; `tag` and `seal` get it, and the latter the associated data too.
fn assemble<E>(
    tag: impl FnOnce(&[u8; 32]) -> Tag,
    to: Address,
    rng: &mut dyn CryptoRng,
    seal: impl FnOnce(&[u8; 32], &[u8], &mut dyn CryptoRng) -> Result<[u8; limits::BODY], E>,
) -> Result<Envelope, E> {
    let one_time = SigningKey::from_bytes(&Zeroizing::new(draw(rng)));
    let pk1 = one_time.verifying_key().to_bytes();
    let header = Header { ephemeral: to.ephemeral, bucket: to.bucket, epoch: to.epoch, tag: tag(&pk1), pk1 };
    // The body is sealed with the bytes before it as associated data, so those are laid out first.
    let blank = Envelope::assemble(&header, &[0; limits::BODY], |_| [0; 64]);
    let body = seal(&pk1, blank.associated_data(), rng)?;
    Ok(Envelope::assemble(&header, &body, |bytes| one_time.sign(bytes).to_bytes()))
}
