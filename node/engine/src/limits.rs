//! Every number of the engine, with its reason. Times are milliseconds unless the name says otherwise.

/// Tags expected ahead of the newest envelope of each sender leaf: a burst of 250 envelopes may lose its first 249 and
/// still be found without the pool.
pub const WINDOW: u64 = 256;
/// Counters of one sender still awaited behind its newest one: OpenMLS keeps as many keys (DESIGN §4).
pub const SKIPPED: usize = 1_000;
/// Holes of one sender for which places in history are kept free.
pub const LATE_RANGES: usize = 64;
/// Fragments of one sender that may wait for others: 3.4 MB on disk; beyond, waiting ends at once.
pub const PIECES: usize = 2_048;
/// How long a message waits for earlier ones of its sender before it is shown without them: longer than a relay takes
/// to hand over what gossip lost, short enough for a person not to notice the rare case (rule O-3 in [`crate`]).
pub const HOLD: u64 = 5_000;
/// Past epochs whose tags are still expected (as many as OpenMLS opens).
pub const EPOCHS: usize = 5;
/// … and for how long.
pub const EPOCH_AGE: u64 = 48 * HOUR;
/// Envelopes kept that nothing opens yet: 16 MiB. What is pushed out comes back from the relay at the next full sync.
pub const POOL: usize = 8_192;
/// … and for how long; a hello and its introduction are never further apart, since they are handed over together.
pub const POOL_AGE: u64 = 48 * HOUR;
/// Ids of envelopes already dealt with: spares a second look at what both gossip and the relay bring.
pub const SEEN: usize = 32_768;
/// … and for how long.
pub const SEEN_AGE: u64 = 48 * HOUR;
/// First contacts whose introduction is still incomplete; a stranger's flood pushes out strangers only.
pub const HELLOS: usize = 64;
/// Groups of one conversation: two when both people add each other at once; more only when someone starts over.
pub const GROUPS: usize = 16;
/// People one can know; bounds memory (about 3 KB each).
pub const CONTACTS: usize = 10_000;
/// Payloads waiting for a relay: weeks of writing without a network; about 4 KB each on disk.
pub const OUTBOX: usize = 10_000;
/// Directory look-ups under way.
pub const LOOKUPS: usize = 32;
/// Messages in one page of history.
pub const PAGE: u32 = 200;

/// Gossip reaches a relay in far less; asking it earlier would only make it hand over what it is about to get.
pub const ASK_AFTER: u64 = 300;
/// How long a relay may take to answer before the outbox counts it as a failure.
pub const VERDICT: u64 = 5_000;
/// First pause after a failure.
pub const BACKOFF_FIRST: u64 = 1_000;
/// Longest pause: a minute keeps a dead relay's return noticeable and costs nothing.
pub const BACKOFF_MAX: u64 = 60_000;
/// What rests for want of an answer rests no longer than this once the relay answers anything: long enough to spread a
/// queue, short enough that a healed network is soon made use of.
pub const ANSWERED: u64 = 1_000;
/// Pause between two batches of a long queue, so that one queue doesn't fill the shell's.
pub const BATCH_PAUSE: u64 = 50;
/// Envelopes gossiped by one call at most (one payload's envelopes stay together).
pub const GOSSIP_BATCH: usize = 64;
/// Ids under which one envelope's earlier sealings are remembered: a receipt for any of them counts.
pub const SEALINGS: usize = 8;

/// Later texts kept of one message, highest revisions first.
pub const EDITS: usize = 50;
/// Facts of one sender about messages that aren't here: more than a burst of edits behind one hole; 4 MB at most.
pub const EARLY: usize = 128;
/// People whose reactions to one message are shown.
pub const REACTORS: usize = 1_000;
/// Unread messages, from the newest on, among which mentions are counted: the list is drawn often, and "many" is enough.
pub const MENTIONS_LOOKED: usize = 100;
/// Characters of a message that are quoted above an answer.
pub const QUOTE: usize = 200;
/// Disappearing messages removed by one call, so that none takes long.
pub const EXPIRE_AT_ONCE: usize = 64;
/// Typing is said again no sooner than this, …
pub const TYPING_EVERY: u64 = 4_000;
/// … holds for so long unless it is said again or a message comes, …
pub const TYPING_LASTS: u64 = 10_000;
/// … and is said no more often between two messages: each uses up a key of the sender's chain, of which receivers keep
/// 1,000 for what comes late.
pub const TYPING_TIMES: u32 = 16;
/// Conversations whose keys are tried on an envelope that nobody stores, latest first: a quarter of a millisecond.
pub const PASSING: usize = 512;

/// Messages of one file that are shown anew when its bytes come or go.
pub const FILE_MESSAGES: usize = 256;
/// Withdrawn files named by one question.
pub const WITHDRAWN_AT_ONCE: usize = 256;

/// Receipts wait at least this long, so that they don't echo the message (DESIGN §4) …
pub const RECEIPTS_MIN: u64 = 1_000;
/// … and at most this long.
pub const RECEIPTS_MAX: u64 = 3_000;

/// One-time KeyPackages kept at the relay: fifty strangers a refill.
pub const STOCK: u32 = 50;
/// Fewer than this and the stock is filled up.
pub const STOCK_LOW: u32 = 20;
/// A last-resort KeyPackage this old is replaced; it lives ninety days.
pub const LAST_RESORT_AGE: u64 = 30 * 24 * HOUR;

/// Bytes of a safety number: sixty digits and the blanks between twelve groups.
pub const SAFETY_NUMBER: usize = 71;
/// Waiters on one missing message that are looked at when it arrives.
pub const GAP_WAITERS: usize = 256;

/// A device gets a new key in a room after it said so much under the old one …
pub const RENEW_SAID: u32 = 50;
/// … or after this long, if anything was said meanwhile (DESIGN §4) …
pub const RENEW_AGE: u64 = 24 * HOUR;
/// … or up to this much earlier, so that not all come at once.
pub const RENEW_SPREAD: u64 = 4 * HOUR;
/// Pause before a renewal that something said makes due, at least, so that it doesn't echo that …
pub const RENEW_PAUSE_MIN: u64 = 10_000;
/// … and at most: nobody else's traffic tells it from chance by then.
pub const RENEW_PAUSE_MAX: u64 = 120_000;
/// How often a change of a group is tried again after others came first.
pub const TRIES: u8 = 16;
/// Devices added by one commit: a KeyPackage takes 3.1 KB, a slot 256 KiB.
pub const ADDS: usize = 48;
/// Changes of one group waiting to be made.
pub const WISHES: usize = 512;
/// Accounts in a group in which receipts and typing are still sent: they grow with the square.
pub const RECEIPTS_GROUP: usize = 16;
/// Things said in one epoch that are kept in case they have to be said again.
pub const SAID: u64 = 2_000;
/// Seconds by which two clocks may differ when it is judged whether something was said after an epoch had ended.
pub const SAID_MARGIN: u64 = 600;
/// How long the relay may be away before an admin's device puts removals in order in its stead (DESIGN §4) …
pub const DEPUTY_URGENT: u64 = 60_000;
/// … and before it does so with anything else.
pub const DEPUTY_ELSE: u64 = 24 * HOUR;
/// By how much each waits for those ranked before it: longer than a commit takes to go round.
pub const DEPUTY_STEP: u64 = 10_000;
/// Epochs back to which a group can go …
pub const REWIND: usize = 5;
/// … and for how long: what a snapshot costs in forward secrecy (DESIGN §4).
pub const REWIND_AGE: u64 = 7 * 24 * HOUR;
/// Epochs ended without the relay about which it is asked when it is back: if it has something else, that is shown even
/// where nobody can go back …
pub const UNCONFIRMED: usize = 64;
/// … as long as relays keep commits.
pub const UNCONFIRMED_AGE: u64 = 32 * 24 * HOUR;
/// Members ask the relay about a deputy's order within so long, so that not all do at once.
pub const CONFIRM_SPREAD: u64 = 30_000;
/// Bytes of a snapshot: a tree of 256 accounts, and keys of six epochs.
pub const SNAPSHOT: usize = 32 * 1_024 * 1_024;
/// How long one who knocks waits for a doorkeeper before they also knock at the next: longer than a round trip.
pub const KNOCK_PATIENCE: u64 = 15_000;
/// Bytes of a Welcome beyond which what all newcomers are told alike travels as a file: ten envelopes for each of them
/// cost everybody more than one file does.
pub const WELCOME: usize = 16 * 1_024;
/// Welcomes whose file is still to be fetched: a stranger's flood pushes out the oldest.
pub const ARRIVING: usize = 16;
/// How long one is tried: as long as relays keep files.
pub const ARRIVING_AGE: u64 = 30 * 24 * HOUR;
/// How long a file may take on its way before it is tried again: the shell says sooner when it failed.
pub const FILE_PATIENCE: u64 = 600_000;
/// Groups whose door one has knocked at and waits before: more than anybody has links.
pub const JOININGS: usize = 64;
/// Milliseconds for each member over which those who all hear a knock spread: one of many opens, not all at once.
pub const LOBBY_SPREAD: u64 = 200;
/// How many of those, about, say so when nobody may open.
pub const LOBBY_VOICES: u64 = 3;
/// After somebody asked to leave, admins wait a random time up to this, so that one of them commits it.
pub const LEAVE_SPREAD: u64 = 4_000;

/// Each device of an account waits a random time up to this before it takes another into a room or out of it.
pub const DEVICE_SPREAD: u64 = 10_000;
/// In a direct chat the other account's devices leave it that long to do so itself, at most; at least [`DEVICE_SPREAD`]:
/// somebody may wait for an answer there.
pub const OTHERS_DIRECT: u64 = 30_000;
/// In a group they leave it this long …
pub const OTHERS_GROUP: u64 = 2 * HOUR;
/// … and then up to this long, each another time, so that one of all members does it.
pub const OTHERS_SPREAD: u64 = 4 * HOUR;
/// Longest pause between two questions for the KeyPackages of a device of ours that has published none yet.
pub const DEVICE_PATIENCE: u64 = 10 * 60_000;
/// The first place in a history on a device that came later than the account's first: below it there is room for what
/// was said before, which may be handed over after something new was said.
pub const FIRST_PLACE_LATER: u64 = 1 << 32;
/// Messages of one conversation that another device has read before they came here.
pub const READ_EARLY: usize = 1_024;

const HOUR: u64 = 3_600_000;
