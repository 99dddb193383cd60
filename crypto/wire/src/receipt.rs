//! A relay's signed word that it stored an envelope durably.

use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::verify;
use crate::ids::{EnvelopeId, RelayId};

/// "I, `relay`, hold `envelope` on disk as number `sequence` of `origin`, since `time`."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What was stored.
    pub envelope: EnvelopeId,
    /// Who says so.
    pub relay: RelayId,
    /// Which process numbered it.
    pub origin: u64,
    /// Its number there.
    pub sequence: u64,
    /// Unix seconds.
    pub time: u64,
    /// Ed25519 by the relay over [`Receipt::signed_bytes`].
    pub signature: [u8; 64],
}

impl Receipt {
    /// Signs a receipt.
    #[must_use]
    pub fn sign(
        envelope: EnvelopeId,
        relay: RelayId,
        origin: u64,
        sequence: u64,
        time: u64,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Self {
        let mut r = Self { envelope, relay, origin, sequence, time, signature: [0; 64] };
        r.signature = sign(&r.signed_bytes());
        r
    }

    /// What the signature covers.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(b"livechat receipt v1").raw(&self.envelope.0).raw(&self.relay.0);
        w.u64(self.origin).u64(self.sequence).u64(self.time);
        w.finish()
    }

    /// Checks the relay's signature.
    ///
    /// # Errors
    /// [`DecodeError::Signature`].
    pub fn verify(&self) -> Result<(), DecodeError> {
        verify(&self.relay.0, &self.signed_bytes(), &self.signature, "receipt")
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.raw(&self.envelope.0).raw(&self.relay.0);
        w.u64(self.origin).u64(self.sequence).u64(self.time).raw(&self.signature);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            envelope: EnvelopeId(r.array()?),
            relay: RelayId(r.array()?),
            origin: r.u64()?,
            sequence: r.u64()?,
            time: r.u64()?,
            signature: r.array()?,
        })
    }
}
