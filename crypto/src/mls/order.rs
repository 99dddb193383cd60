//! What a sequencer sees of an epoch: an opaque slot, and commits sealed under a key that only members have
//! (PROTOCOL ).

use chacha20poly1305::aead::array::Array;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::order::SealedCommit;
use livechat_wire::{SlotId, limits as wire};
use openmls::prelude::MlsGroup;
use openmls_traits::OpenMlsProvider;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::provider::Provider;
use super::{GroupError, GroupId, MlsError, Session, load};

const SLOT_LABEL: &str = "livechat order slot";
const SEAL_LABEL: &str = "livechat order seal";
const INFO: &[u8] = b"livechat commit v1";
/// Bytes of salt.
pub const SALT: usize = 32;

/// Every key seals one commit: its salt is drawn fresh.
const NONCE: &Nonce = &Array([0; 12]);

/// The slot of one epoch of a group, and the key of the commits in it.
#[derive(Clone)]
pub struct OrderKeys {
    /// The MLS epoch that a commit in this slot ends.
    pub epoch: u64,
    /// Its slot.
    pub slot: SlotId,
    secret: Zeroizing<[u8; 32]>,
}

impl core::fmt::Debug for OrderKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OrderKeys").field("epoch", &self.epoch).field("slot", &self.slot).finish_non_exhaustive()
    }
}

/// A commit that is too long for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the commit is longer than a slot takes")]
pub struct CommitTooLong;

impl OrderKeys {
    pub(super) fn of(provider: &Provider<'_>, group: &MlsGroup) -> Result<Self, MlsError> {
        let export = |label| {
            let secret = group.export_secret(provider.crypto(), label, &[], 32).map(Zeroizing::new);
            let secret = secret.map_err(MlsError::new)?;
            let mut out = Zeroizing::new([0; 32]);
            out.copy_from_slice(&secret);
            Ok::<_, MlsError>(out)
        };
        Ok(Self { epoch: group.epoch().as_u64(), slot: SlotId(*export(SLOT_LABEL)?), secret: export(SEAL_LABEL)? })
    }

    /// Seals a serialised commit, padded. The salt is drawn at random and used once: it makes the key.
    ///
    /// # Errors
    /// [`CommitTooLong`].
    pub fn seal(&self, commit: &[u8], salt: &[u8; SALT]) -> Result<SealedCommit, CommitTooLong> {
        let overhead = SALT + wire::AEAD_TAG;
        let mut plain = Writer::new().bytes(commit).finish();
        let padded = (plain.len() + overhead).next_multiple_of(wire::COMMIT_PADDING);
        plain.resize(padded - overhead, 0);
        let sealed = self.cipher(salt).encrypt(NONCE, Payload { msg: &plain, aad: &self.slot.0 });
        let mut out = salt.to_vec();
        out.extend(sealed.map_err(|_| CommitTooLong)?);
        SealedCommit::new(out).map_err(|_| CommitTooLong)
    }

    /// Opens a sealed commit; `None` when no member sealed it for this slot, or its padding isn't zero.
    #[must_use]
    pub fn open(&self, sealed: &SealedCommit) -> Option<Vec<u8>> {
        let (salt, sealed) = sealed.as_bytes().split_at_checked(SALT)?;
        let plain = self.cipher(salt).decrypt(NONCE, Payload { msg: sealed, aad: &self.slot.0 }).ok()?;
        let mut r = Reader::new(&plain);
        let commit = r.bytes(wire::COMMIT, "commit").ok()?.to_vec();
        r.rest().iter().all(|b| *b == 0).then_some(commit)
    }

    fn cipher(&self, salt: &[u8]) -> ChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), self.secret.as_ref())
            .expand(INFO, key.as_mut())
            .expect("32 bytes are within HKDF's bound");
        ChaCha20Poly1305::new((&*key).into())
    }
}

impl Session<'_> {
    /// Where the commit that ends a group's current epoch is put in order.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn order_keys(&mut self, group: &GroupId) -> Result<OrderKeys, GroupError> {
        let provider = self.provider();
        let group = load(&provider, group)?.ok_or(GroupError::UnknownGroup)?;
        Ok(OrderKeys::of(&provider, &group)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> OrderKeys {
        OrderKeys { epoch: 3, slot: SlotId([1; 32]), secret: Zeroizing::new([2; 32]) }
    }

    #[test]
    fn sealed_commits_open_for_members_only_and_have_coarse_sizes() {
        for (len, pages) in [(0, 1), (4_000, 1), (4_044, 1), (4_045, 2), (200_000, 49)] {
            let commit = vec![7; len];
            let sealed = keys().seal(&commit, &[5; 32]).unwrap();
            assert_eq!(sealed.as_bytes().len(), pages * wire::COMMIT_PADDING);
            assert_eq!(keys().open(&sealed), Some(commit));
            assert_eq!(OrderKeys { slot: SlotId([9; 32]), ..keys() }.open(&sealed), None, "another slot");
            assert_eq!(OrderKeys { secret: Zeroizing::new([9; 32]), ..keys() }.open(&sealed), None, "no member");
        }
        assert_eq!(keys().seal(&vec![0; wire::COMMIT], &[5; 32]), Err(CommitTooLong));
        assert_ne!(keys().seal(b"x", &[5; 32]), keys().seal(b"x", &[6; 32]), "the same commit never looks the same");
        assert_eq!(format!("{:?}", keys()), "OrderKeys { epoch: 3, slot: SlotId(01010101…), .. }");
    }
}
