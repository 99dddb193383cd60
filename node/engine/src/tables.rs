//! Where everything is kept: one namespace of the store per table, keys that sort the way they are read, values that
//! begin with their version.
//!
//! | table | key | value |
//! |---|---|---|
//! | `Me` | empty | `records::Me` |
//! | `Cursors` | relay | [`livechat_wire::sync::Cursor`] |
//! | `Stock` | empty | when KeyPackages were last published |
//! | `Contacts` | account | `records::Contact` |
//! | `Conversations` | conversation | `records::Conversation` |
//! | `Groups` | MLS group | `records::Group` |
//! | `Streams` | group ‖ epoch ‖ leaf | `stream::Stream` without its pieces |
//! | `Pieces` | group ‖ epoch ‖ leaf ‖ counter | fragments that wait for others |
//! | `Messages` | conversation ‖ position | `records::Message` |
//! | `MessageIds` | conversation ‖ message ‖ author | position |
//! | `Missing` | conversation ‖ unknown parent ‖ position | — |
//! | `Unread` | conversation ‖ position | message |
//! | `Owed` | conversation ‖ message | whether "read" is owed, or only "delivered" |
//! | `Outbox` | sequence | `records::Queued` |
//! | `Hellos` | digest of the introduction | `records::Hello` |
//! | `HelloPieces` | digest ‖ index | its fragments |
//! | `Pool` | envelope | when it came ‖ the envelope |
//! | `Seen` | envelope | when it was dealt with |
//! | `Clock` | empty | `clock::Clock` |
//! | `Rooms` | conversation | `membership::records::Room` |
//! | `Wishes` | conversation ‖ number | `membership::records::Wish` |
//! | `Pending` | conversation | `membership::records::Pending` |
//! | `Order` | group ‖ epoch | receipt of the commit that ended it |
//! | `Evidence` | conversation | two receipts that contradict each other |
//! | `Said` | group ‖ epoch ‖ counter | what we said in it |
//! | `Reached` | conversation ‖ position ‖ account | how far our message got with that member |
//! | `Renewals` | conversation | when our leaf gets its next key |
//! | `Snapshots` | group ‖ epoch | `membership::records::Snapshot` |
//! | `Departing` | file | `membership::welcomes::Departing` |
//! | `Arriving` | file | `membership::welcomes::Arriving` |
//! | `Links` | door | `membership::records::OwnLink` |
//! | `Joinings` | door | `membership::joining::Joining` |
//! | `Names` | account | the name of somebody who is or was in a group with us |
//! | `Edits` | conversation ‖ position ‖ revision ‖ content | `content::records::Edit` |
//! | `Reactions` | conversation ‖ position ‖ who | `content::records::Reactions` |
//! | `Early` | conversation ‖ message ‖ author ‖ sender ‖ content | `content::records::Early` |
//! | `Expiries` | conversation ‖ position | when it disappears, Unix milliseconds |
//! | `Expiring` | when ‖ conversation ‖ position | — |
//! | `Timers` | conversation | `content::records::Timer` |
//! | `Personal` | conversation | `content::records::Personal` |
//! | `Drafts` | conversation | text |
//! | `Profiles` | account | `content::records::Profile` |
//! | `Changed` | account | whom its name led to before, as long as nobody has looked into it |
//! | `Verified` | account | — ; their safety number was compared |
//! | `LogWishes` | number | `devices::LogWish`, to be said in our account's log |
//! | `ReadElsewhere` | conversation ‖ message | — ; it isn't here yet, and was read on another device of ours |
//! | `OwnBundles` | device | bundle of a device of ours that was added here |
//! | `Logs` | account | the log of somebody who is or was in a group with us and no contact |
//! | `Handover` | empty | [`livechat_wire::handover::Handover`] to this device, until it is taken |
//! | `Files` | blob ‖ conversation ‖ position | — |
//! | `FilesHere` | blob whose bytes are on this device | — |
//! | `Withdrawn` | blob that the relay is to drop | — |
//! | `Offers` | blob | [`livechat_wire::content::Offer`] of the contact who sent it |

use livechat_crypto::kv::{Kv, Namespace, Order, prefix_end};
use livechat_wire::DecodeError;
use livechat_wire::codec::{Reader, Writer};

use crate::errors::StoreError;

/// A table; the number is its namespace, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above says it")]
pub enum Table {
    Me = 32,
    Cursors = 33,
    Stock = 34,
    Contacts = 35,
    Conversations = 36,
    Groups = 37,
    Streams = 38,
    Pieces = 39,
    Messages = 40,
    MessageIds = 41,
    Missing = 42,
    Unread = 43,
    Owed = 44,
    Outbox = 45,
    Hellos = 46,
    HelloPieces = 47,
    Pool = 48,
    Seen = 49,
    Clock = 50,
    Rooms = 60,
    Wishes = 61,
    Pending = 62,
    Order = 63,
    Evidence = 64,
    Said = 65,
    Reached = 66,
    Names = 67,
    Renewals = 68,
    Links = 69,
    Edits = 70,
    Reactions = 71,
    Early = 72,
    Expiries = 73,
    Expiring = 74,
    Timers = 75,
    Personal = 76,
    Drafts = 77,
    Profiles = 78,
    Joinings = 80,
    Snapshots = 81,
    Departing = 82,
    Arriving = 83,
    Verified = 100,
    Changed = 101,
    LogWishes = 110,
    ReadElsewhere = 111,
    OwnBundles = 112,
    Handover = 113,
    Logs = 114,
    Files = 120,
    FilesHere = 121,
    Withdrawn = 122,
    Offers = 123,
}

/// A value with a version before it.
pub(crate) trait Stored: Sized {
    /// What this build writes; it reads this one only, until there are two.
    const VERSION: u8 = 1;
    /// Appends everything but the version.
    fn write(&self, w: &mut Writer);
    /// Reads everything but the version.
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

impl Stored for () {
    fn write(&self, _: &mut Writer) {}
    fn read(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

impl Stored for u64 {
    fn write(&self, w: &mut Writer) {
        w.u64(*self);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.u64()
    }
}

impl Table {
    fn namespace(self) -> Namespace {
        Namespace(self as u8)
    }

    fn decode<T: Stored>(self, bytes: &[u8]) -> Result<T, StoreError> {
        let read = || {
            let mut r = Reader::new(bytes);
            let version = r.u8()?;
            if version != T::VERSION {
                return Err(DecodeError::Version(version));
            }
            let value = T::read(&mut r)?;
            r.end()?;
            Ok(value)
        };
        read().map_err(|source| StoreError::Unreadable { table: self, source })
    }

    /// Reads a value.
    pub(crate) fn get<T: Stored>(self, kv: &dyn Kv, key: &[u8]) -> Result<Option<T>, StoreError> {
        kv.get(self.namespace(), key)?.map(|bytes| self.decode(&bytes)).transpose()
    }

    /// Writes a value.
    pub(crate) fn put<T: Stored>(self, kv: &mut dyn Kv, key: &[u8], value: &T) -> Result<(), StoreError> {
        let mut w = Writer::new();
        w.u8(T::VERSION);
        value.write(&mut w);
        Ok(kv.put(self.namespace(), key, &w.finish())?)
    }

    /// Removes a value, if there is one.
    pub(crate) fn delete(self, kv: &mut dyn Kv, key: &[u8]) -> Result<(), StoreError> {
        Ok(kv.delete(self.namespace(), key)?)
    }

    /// Whether a key beginning with `prefix` is there.
    pub(crate) fn any(self, kv: &dyn Kv, prefix: &[u8]) -> Result<bool, StoreError> {
        Ok(!kv.scan(self.namespace(), prefix, &prefix_end(prefix), 1, Order::Ascending)?.is_empty())
    }

    /// Keys and values with `from <= key < to` (empty `to`: no end), at most `limit`.
    pub(crate) fn range<T: Stored>(
        self,
        kv: &dyn Kv,
        from: &[u8],
        to: &[u8],
        limit: usize,
        order: Order,
    ) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
        let pairs = kv.scan(self.namespace(), from, to, limit, order)?;
        pairs.into_iter().map(|(k, v)| Ok((k, self.decode(&v)?))).collect()
    }

    /// The first or last keys that begin with `prefix`, at most `limit`.
    pub(crate) fn keys(
        self,
        kv: &dyn Kv,
        prefix: &[u8],
        limit: usize,
        order: Order,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.keys_between(kv, prefix, &prefix_end(prefix), limit, order)
    }

    /// Keys with `from <= key < to` (empty `to`: no end), at most `limit`.
    pub(crate) fn keys_between(
        self,
        kv: &dyn Kv,
        from: &[u8],
        to: &[u8],
        limit: usize,
        order: Order,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let pairs = kv.scan(self.namespace(), from, to, limit, order)?;
        Ok(pairs.into_iter().map(|(k, _)| k).collect())
    }

    /// Shows every pair of the table to `each`, in key order, a few hundred at a time.
    pub(crate) fn each<T: Stored>(
        self,
        kv: &dyn Kv,
        mut each: impl FnMut(&[u8], T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        const CHUNK: usize = 256;
        let mut from = Vec::new();
        loop {
            let pairs = kv.scan(self.namespace(), &from, &[], CHUNK, Order::Ascending)?;
            for (key, value) in &pairs {
                each(key, self.decode(value)?)?;
            }
            match pairs.last() {
                Some((key, _)) if pairs.len() == CHUNK => {
                    from.clone_from(key);
                    from.push(0);
                }
                _ => return Ok(()),
            }
        }
    }

    /// Reads an id out of a key of this table.
    pub(crate) fn id<const N: usize>(self, key: &[u8], at: usize) -> Result<[u8; N], StoreError> {
        key.get(at..)
            .and_then(|k| k.first_chunk().copied())
            .ok_or(StoreError::Unreadable { table: self, source: DecodeError::Truncated })
    }
}

/// Joins the parts of a key.
pub(crate) fn key(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use livechat_crypto::kv::MemoryKv;

    #[test]
    fn newer_values_are_refused_by_name() {
        let mut kv = MemoryKv::default();
        Table::Seen.put(&mut kv, b"k", &7u64).unwrap();
        assert_eq!(Table::Seen.get::<u64>(&kv, b"k").unwrap(), Some(7));
        kv.put(Namespace(Table::Seen as u8), b"k", &[2, 0, 0, 0, 0, 0, 0, 0, 7]).unwrap();
        let refused = Table::Seen.get::<u64>(&kv, b"k").unwrap_err();
        assert!(
            matches!(refused, StoreError::Unreadable { table: Table::Seen, source: DecodeError::Version(2) }),
            "{refused:?}"
        );
    }

    #[test]
    fn each_visits_more_than_a_chunk() {
        let mut kv = MemoryKv::default();
        for n in 0..600u64 {
            Table::Seen.put(&mut kv, &n.to_be_bytes(), &n).unwrap();
        }
        let mut seen = Vec::new();
        Table::Seen
            .each(&kv, |_, n: u64| {
                seen.push(n);
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, (0..600).collect::<Vec<_>>());
    }
}
