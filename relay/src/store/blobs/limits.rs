//! Every number of the blob stores, each with its reason.

/// Parts deleted in one SQLite transaction: 16 MiB, so that uploads get their turn between them.
pub(crate) const SWEEP_PARTS: u32 = 64;
/// Free pages given back to the file system after each such step: as many as it freed.
pub(crate) const VACUUM_PAGES: u32 = 8_192;
/// Blobs looked at in one step of a sweep.
pub(crate) const SWEEP_BLOBS: i64 = 64;
