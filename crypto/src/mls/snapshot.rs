//! A group as it was, to go back to (PROTOCOL R-120): what OpenMLS keeps of one group, and nothing of others.
//!
//! A snapshot holds keys that would be gone otherwise: whoever keeps one gives up that much forward secrecy.

use livechat_wire::codec::{DecodeError, Reader, Writer};
use livechat_wire::limits as wire;
use openmls_traits::OpenMlsProvider;
use zeroize::{Zeroize, Zeroizing};

use super::{GroupError, GroupId, Session, load};

/// Bytes of a snapshot: a tree of 256 accounts with their logs, and the keys of six epochs.
const SIZE: usize = 16 * 1_024 * 1_024;

/// Rows of the store.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot(Vec<(Vec<u8>, Vec<u8>)>);

impl core::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Snapshot({} rows)", self.0.len())
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

impl Snapshot {
    /// As bytes, for the encrypted store.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.list(&self.0, |w, (key, value)| {
            w.bytes(key).bytes(value);
        });
        Zeroizing::new(w.finish())
    }

    /// Reads what [`Snapshot::encode`] wrote.
    ///
    /// # Errors
    /// It isn't one.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let rows = r.list(usize::from(u16::MAX), "rows", |r| {
            Ok((r.bytes(wire::KEY_PACKAGE, "key")?.to_vec(), r.bytes(SIZE, "value")?.to_vec()))
        })?;
        r.end()?;
        Ok(Self(rows))
    }
}

impl Session<'_> {
    /// What is kept of a group now.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn snapshot(&mut self, id: &GroupId) -> Result<Snapshot, GroupError> {
        let provider = self.provider();
        if load(&provider, id)?.is_none() {
            return Err(GroupError::UnknownGroup);
        }
        Ok(Snapshot(provider.storage().rows_of(&id.mls())?))
    }

    /// Goes back to how a group was; what was staged then is staged again.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn restore(&mut self, id: &GroupId, snapshot: &Snapshot) -> Result<(), GroupError> {
        let provider = self.provider();
        provider.storage().replace_rows(&id.mls(), &snapshot.0)?;
        if load(&provider, id)?.is_none() {
            return Err(GroupError::UnknownGroup);
        }
        Ok(provider.commit()?)
    }
}
