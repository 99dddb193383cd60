//! Every number of the envelope stores, each with its reason.

/// Rows deleted in one SQLite transaction: some 2 MB, a few milliseconds.
pub(crate) const EXPIRE_STEP: u64 = 1_000;
/// Seconds an origin stays leased without a sign of life. A process that was killed leaves its origin idle for as long
/// and takes another: short enough that crash loops don't use up a cursor's room.
pub const LEASE: u64 = 15;
/// Origins a database may have: a cursor's room, less what processes starting at the same moment may overshoot.
pub(crate) const ORIGINS: u64 = livechat_wire::limits::CURSOR as u64 - 4;
/// Seconds between looks at what other processes have stored.
pub(crate) const WATCH_SECONDS: u64 = 1;
/// Attempts at one batch when transactions collide: each collision means that another one got through.
pub(crate) const COLLISIONS: usize = 8;
/// Batches after a duplicate that are checked for duplicates before they are tried.
pub(crate) const WARY_BATCHES: u32 = 64;
