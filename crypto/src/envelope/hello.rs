//! First contact: a hello sealed to the recipient's hello key (HPKE base mode, X-Wing).

use hpke::Kem;
use hpke::kem::XWing;
use livechat_wire::hello::Hello;
use livechat_wire::{Envelope, Tag, limits};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{Address, assemble};
use crate::identity::Identity;
use crate::{draw, kem};

/// HPKE's `info`: nothing sealed for another purpose opens as a hello.
const INFO: &[u8] = b"livechat hello v1";

/// A hello key that nothing can be sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealHelloError {
    /// Not an X-Wing public key, or one whose X25519 half contributes nothing.
    #[error("the recipient's hello key is not usable")]
    HelloKey,
}

/// Seals a hello to a device's hello key. Its tag is random: only trying tells whom it is for.
///
/// # Errors
/// [`SealHelloError::HelloKey`].
pub fn seal_hello(
    hello_key: &[u8; limits::XWING_PUBLIC],
    hello: &Hello,
    to: Address,
    rng: &mut dyn CryptoRng,
) -> Result<Envelope, SealHelloError> {
    let tag = Tag(draw(rng));
    assemble(
        |_| tag,
        to,
        rng,
        |_, associated_data, rng| {
            let plain = Zeroizing::new(hello.encode());
            let sealed = kem::seal::<XWing>(hello_key, INFO, associated_data, plain.as_ref(), rng)
                .map_err(|_| SealHelloError::HelloKey)?;
            let mut body = [0; limits::BODY];
            body[..limits::XWING_ENC].copy_from_slice(&sealed.enc);
            body[limits::XWING_ENC..].copy_from_slice(&sealed.ciphertext);
            Ok(body)
        },
    )
}

/// Tries an envelope as a hello to this device; `None` when it isn't one.
#[must_use]
pub fn open_hello(identity: &Identity, envelope: &Envelope) -> Option<Hello> {
    open_hello_with(identity.hello_secret(), envelope)
}

pub(crate) fn open_hello_with(secret: &<XWing as Kem>::PrivateKey, envelope: &Envelope) -> Option<Hello> {
    let (enc, ciphertext) = envelope.body().split_at(limits::XWING_ENC);
    let plain = kem::open::<XWing>(secret, enc, INFO, envelope.associated_data(), ciphertext).ok()?;
    Hello::decode(&Zeroizing::new(plain)).ok()
}
