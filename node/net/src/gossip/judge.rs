//! What becomes of a gossiped message: accepted and forwarded, rejected at its sender's cost, or ignored.

use livechat_wire::{DecodeError, Envelope};

/// What to do with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Whole, fresh and signed: forward it and hand it on.
    Accept(Envelope),
    /// Wrong in a way no honest peer forwards: drop it and penalise whoever sent it.
    Reject(Reason),
    /// Useless now, though perhaps not its sender's fault: drop it.
    Ignore(Reason),
}

/// Why a message isn't accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Its shape or signature is wrong.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// Its bucket isn't carried by the topic it came in.
    #[error("the bucket isn't of this topic")]
    Bucket,
    /// Its epoch is too far from now.
    #[error("stale, or ahead of its time")]
    Stale,
    /// Its token is of an issuer nobody here knows.
    #[error("unknown token issuer")]
    Issuer,
    /// Its token has no issuer and isn't zero.
    #[error("a token without issuer")]
    Token,
}

/// Judges the bytes of one message, cheapest check first; the signature, a hundred times dearer than the rest together,
/// comes last. `now_epoch` is [`livechat_wire::envelope::epoch_at`] now; `accepts_bucket` tells whether the topic the
/// message came in carries a bucket.
#[must_use]
pub fn judge(bytes: &[u8], now_epoch: u32, accepts_bucket: impl Fn(u16) -> bool) -> Verdict {
    let envelope = match Envelope::decode(bytes) {
        Ok(e) => e,
        Err(why) => return Verdict::Reject(why.into()),
    };
    if !accepts_bucket(envelope.bucket()) {
        // A layout is changed one peer at a time: its forwarder may only be ahead of us.
        return Verdict::Ignore(Reason::Bucket);
    }
    if !envelope.is_fresh(now_epoch) {
        return Verdict::Ignore(Reason::Stale);
    }
    match envelope.token() {
        (0, day, token) if day != 0 || token.iter().any(|b| *b != 0) => return Verdict::Reject(Reason::Token),
        (0, ..) => {}
        // Later versions issue tokens: theirs are well-formed, only nothing we can check.
        _ => return Verdict::Ignore(Reason::Issuer),
    }
    match envelope.verify() {
        Ok(()) => Verdict::Accept(envelope),
        Err(why) => Verdict::Reject(why.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};
    use livechat_wire::Tag;
    use livechat_wire::envelope::Header;
    use livechat_wire::limits::{BODY, ENVELOPE};

    const NOW: u32 = 2_955_000;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[5; 32])
    }

    fn envelope(bucket: u16, epoch: u32) -> Envelope {
        let pk1 = key().verifying_key().to_bytes();
        let header = Header { ephemeral: false, bucket, epoch, tag: Tag([1; 16]), pk1 };
        Envelope::assemble(&header, &[9; BODY], |m| key().sign(m).to_bytes())
    }

    /// The same envelope with some bytes changed before it is signed.
    fn resigned(edit: impl FnOnce(&mut [u8; ENVELOPE])) -> [u8; ENVELOPE] {
        let mut b = *envelope(0, NOW).as_bytes();
        edit(&mut b);
        let signature = key().sign(&b[..1_984]).to_bytes();
        b[1_984..].copy_from_slice(&signature);
        b
    }

    fn of(bytes: &[u8]) -> Verdict {
        judge(bytes, NOW, |b| b < 4)
    }

    #[test]
    fn fresh_and_signed_is_accepted() {
        for epoch in [NOW - 1, NOW, NOW + 1] {
            let e = envelope(3, epoch);
            assert_eq!(of(e.as_bytes()), Verdict::Accept(e));
        }
    }

    #[test]
    fn malformed_is_rejected() {
        let good = *envelope(0, NOW).as_bytes();
        assert!(matches!(of(&[]), Verdict::Reject(Reason::Malformed(_))));
        assert!(matches!(of(&good[1..]), Verdict::Reject(Reason::Malformed(DecodeError::Bounds(_)))));
        assert!(matches!(of(&resigned(|b| b[0] = 2)), Verdict::Reject(Reason::Malformed(DecodeError::Version(2)))));
        assert!(matches!(of(&resigned(|b| b[1] = 2)), Verdict::Reject(Reason::Malformed(_))));
        assert!(matches!(of(&resigned(|b| b[59] = 1)), Verdict::Reject(Reason::Malformed(_))));
        let mut forged = good;
        forged[2_000] ^= 1;
        assert!(matches!(of(&forged), Verdict::Reject(Reason::Malformed(DecodeError::Signature(_)))));
        assert_eq!(of(&resigned(|b| b[57] = 1)), Verdict::Reject(Reason::Token));
        assert_eq!(of(&resigned(|b| b[315] = 1)), Verdict::Reject(Reason::Token));
    }

    #[test]
    fn what_may_be_honest_is_ignored() {
        assert_eq!(of(envelope(4, NOW).as_bytes()), Verdict::Ignore(Reason::Bucket));
        assert_eq!(of(envelope(0, NOW - 2).as_bytes()), Verdict::Ignore(Reason::Stale));
        assert_eq!(of(envelope(0, NOW + 2).as_bytes()), Verdict::Ignore(Reason::Stale));
        assert_eq!(of(&resigned(|b| b[56] = 1)), Verdict::Ignore(Reason::Issuer));
    }
}
