//! Every number of the slot stores, each with its reason.

use livechat_wire::{limits as wire, order};

/// Seconds an entry is kept: what opens an epoch must outlive every message of it that can still be fetched, and
/// MongoDB drops envelopes by whole days, up to a day and twenty minutes after their retention.
pub const KEPT: u64 = wire::RETENTION.as_secs() + 2 * 86_400;
/// Seconds after its last entry that a slot's next index is remembered. A device that was away for most of a year may
/// still believe in an old epoch and append to it: the index after the old ones is no second truth, index 0 again would
/// be. Some hundred bytes an epoch.
pub const REMEMBERED: u64 = 400 * 86_400;
/// Bytes of the entries in one answer; the rest of the frame holds kind, flag and count.
pub const ROOM: usize = wire::SYNC_FRAME - 16;
/// Entries deleted in one SQLite transaction: 16 MB at most, overwritten with zeros.
pub(crate) const EXPIRE_STEP: u64 = 64;
/// Attempts at one append when two meet in MongoDB: each means that another one got through.
pub(crate) const COLLISIONS: u32 = 10;
/// Locks that appends of one process share by slot: two to one slot would only meet in MongoDB.
pub(crate) const STRIPES: usize = 64;

const _: () = assert!(order::Receipt::ENCODED + 4 + wire::COMMIT <= ROOM, "at least one entry fits an answer");
