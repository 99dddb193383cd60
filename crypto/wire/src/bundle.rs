//! A device's prekey bundle: where and how to reach it for the first time, signed by the device.

use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::verify;
use crate::ids::DeviceId;
use crate::limits;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;
/// Bytes of an encoded bundle; they are all alike.
pub const ENCODED: usize = 1 + 32 + limits::XWING_PUBLIC + 16 + 8 + 64;

/// Public; the relay's directory hands it out, contacts hand it on in introductions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The device's Ed25519 key.
    pub device_key: [u8; 32],
    /// The X-Wing key that first contacts are sealed to.
    pub hello_key: Box<[u8; limits::XWING_PUBLIC]>,
    /// Decides the device's sticky bucket at every generation: its first `b` bits, while there are `2^b` buckets.
    pub bucket_seed: [u8; 16],
    /// Unix seconds; the newest wins.
    pub issued_at: u64,
    /// Ed25519 by the device over everything before.
    pub signature: [u8; 64],
}

impl Bundle {
    /// Signs a bundle with the key of `device_key`.
    #[must_use]
    pub fn sign(
        device_key: [u8; 32],
        hello_key: Box<[u8; limits::XWING_PUBLIC]>,
        bucket_seed: [u8; 16],
        issued_at: u64,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Self {
        let mut b = Self { device_key, hello_key, bucket_seed, issued_at, signature: [0; 64] };
        b.signature = sign(&b.signed_bytes());
        b
    }

    /// The device it speaks for.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        DeviceId::of(&self.device_key)
    }

    /// The bucket of this device while there are `2^bits` buckets.
    #[must_use]
    pub fn bucket(&self, bits: u8) -> u16 {
        let head = u16::from_be_bytes([self.bucket_seed[0], self.bucket_seed[1]]);
        head.checked_shr(u32::from(16u8.saturating_sub(bits))).unwrap_or(0)
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write_unsigned(&mut w);
        w.raw(&self.signature).finish()
    }

    /// Reads a bundle and checks its signature.
    ///
    /// # Errors
    /// Another version or length, or a bad signature.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let b = Self {
            device_key: r.array()?,
            hello_key: Box::new(r.array()?),
            bucket_seed: r.array()?,
            issued_at: r.u64()?,
            signature: r.array()?,
        };
        r.end()?;
        verify(&b.device_key, &b.signed_bytes(), &b.signature, "bundle")?;
        Ok(b)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(b"livechat bundle v1");
        self.write_unsigned(&mut w);
        w.finish()
    }

    fn write_unsigned(&self, w: &mut Writer) {
        w.u8(VERSION).raw(&self.device_key).raw(&self.hello_key[..]).raw(&self.bucket_seed).u64(self.issued_at);
    }
}
