//! Every number of this crate, with its reason.

/// Bytes of stack that unoptimised builds need to run [`crate::mls`].
pub const MLS_STACK: usize = 8 * 1_024 * 1_024;
/// How many messages of a sender may arrive later than a newer one and still open: gossip keeps no order (DESIGN §4).
pub const OUT_OF_ORDER: u32 = 1_000;
/// How far ahead of the last opened message of a sender one may be: a month offline in a busy group.
pub const FORWARD: u32 = 10_000;
/// Past epochs whose messages still open; their end bounds what a stolen state tells about the past.
pub const PAST_EPOCHS: usize = 5;
/// Seconds a KeyPackage is good for: ninety days, so that a long absence makes nobody unreachable.
pub const KEY_PACKAGE_LIFETIME: u64 = 90 * 24 * 3_600;
/// Seconds before `now` at which a KeyPackage's lifetime begins: clocks of two machines differ.
pub const CLOCK_SKEW: u64 = 24 * 3_600;
/// Devices in a new group: two accounts of [`livechat_wire::limits::DEVICES`] each, and ours among them.
pub const GROUP_DEVICES: usize = 2 * livechat_wire::limits::DEVICES;
/// SHA-512 rounds of one half of a safety number: makes each guess at a look-alike 5,200 times dearer, costs a
/// millisecond.
pub const SAFETY_ROUNDS: u32 = 5_200;
/// Characters of a passphrase: fewer are guessed whatever stretches them.
pub const PASSPHRASE_MIN: usize = 8;
/// Bytes of a passphrase: a paragraph.
pub const PASSPHRASE_MAX: usize = 1_024;
/// Memory that stretching a passphrase takes: RFC 9106's choice for machines with less memory.
pub const ARGON2_KIB: u32 = 64 * 1_024;
/// Passes over it, of the same.
pub const ARGON2_PASSES: u32 = 3;
/// What a vault's file may ask for at most, so that a changed one can't stop the machine.
pub const ARGON2_KIB_MAX: u32 = 1_024 * 1_024;
/// The same for passes.
pub const ARGON2_PASSES_MAX: u32 = 16;
/// Bytes of what a locked device shows to its relay: an account, a device and their seal, in base64.
pub const KNOCK: usize = 512;
