//! Everybody's numbers through our functions (P14). They sit inside the crate so that they reach the very functions
//! that [`crate::mls`] and [`crate::envelope`] call, with randomness that a vector prescribes.

mod mlkem;
mod rfc;
mod schedule;
mod scripted;
mod wycheproof_sets;
mod xwing;

use data_encoding::HEXLOWER;
use openmls_traits::types::{HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};

use self::scripted::Scripted;
use crate::mls::provider::Crypto;

const X25519: HpkeConfig = HpkeConfig(HpkeKemType::DhKem25519, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305);
const XWING: HpkeConfig =
    HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305);

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// A vector's file.
pub(crate) fn file<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    #[expect(clippy::disallowed_methods, reason = "a test's data")]
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn crypto() -> Crypto {
    Crypto::new(&mut Scripted::new(&[7; 32]))
}
