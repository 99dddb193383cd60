//! What a backup is made of, and giving it back (PROTOCOL R-90 … R-93).
//!
//! It is made of what people know of: contacts with their pinned logs, conversations, messages, settings. Keys, MLS
//! groups, ratchets, the outbox and everything else that must never come twice have no record, and giving a backup back
//! writes into tables of the first sort only. So a stale one rolls nothing back: whoever restores signs in anew, and
//! every key of theirs is new.

mod restore;
mod save;

pub use restore::{RestoreError, Restored, restore};
pub use save::Backup;
