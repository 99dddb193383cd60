//! The vault of the data directory: its files, the ways in, and a node that waits behind it.
//!
//! `node.key` there: the store opens by itself. Gone, with `node.vault` there: locked. So locking is removing one file,
//! and "stay unlocked" is leaving it for the days of a session. What goes into a vault is `livechat_crypto::vault`'s.

pub(crate) mod files;
pub(crate) mod locked;
pub(crate) mod ways;
