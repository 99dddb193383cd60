//! Everybody's numbers through our functions (P14). They sit inside the crate so that they reach the very functions
//! that [`crate::mls`] and [`crate::envelope`] call, with randomness that a vector prescribes.

mod mlkem;
mod rfc;
mod schedule;
mod wycheproof_sets;
mod xwing;

use core::convert::Infallible;

use data_encoding::HEXLOWER;
use openmls_traits::types::{HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};
use rand_core::{TryCryptoRng, TryRng};

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

/// Randomness that a vector prescribes; asking for more than there is fails the test.
struct Scripted(std::collections::VecDeque<u8>);

impl Scripted {
    fn new(bytes: &[u8]) -> Self {
        Self(bytes.iter().copied().collect())
    }
}

impl TryRng for Scripted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        for byte in into {
            *byte = self.0.pop_front().expect("the vector prescribes all randomness");
        }
        Ok(())
    }
}

impl TryCryptoRng for Scripted {}
