//! Every number that bounds what another process may send, each with its reason.

use core::time::Duration;

/// Bytes of an envelope on the wire. One size for everything, so that size tells nothing.
pub const ENVELOPE: usize = 2_048;
/// Bytes of the sealed body of an envelope, AEAD tag included.
pub const BODY: usize = 1_668;
/// Bytes an AEAD tag takes (Poly1305).
pub const AEAD_TAG: usize = 16;
/// Bytes of a fragment's plaintext: the body without its AEAD tag.
pub const BODY_PLAIN: usize = BODY - AEAD_TAG;
/// Bytes of an encapsulated X-Wing key (ML-KEM-768 ciphertext 1,088 + X25519 share 32).
pub const XWING_ENC: usize = 1_120;
/// Bytes of an X-Wing public key (ML-KEM-768 1,184 + X25519 32).
pub const XWING_PUBLIC: usize = 1_216;
/// Bytes of plaintext that fit into a first-contact body.
pub const HELLO_PLAIN: usize = BODY - XWING_ENC - AEAD_TAG;

/// Seconds of an envelope epoch: coarse, so that the field dates nothing finer than ten minutes.
pub const EPOCH_SECONDS: u64 = 600;
/// Epochs an arriving envelope may be away from ours; bounds replay and the duplicate cache.
pub const EPOCH_SKEW: u32 = 1;
/// How long relays keep envelopes: a month away from the keyboard loses nothing.
pub const RETENTION: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Fragments of one payload: 384 × 1.6 KB carries the 600 KB Welcome of a group of 200 and bounds reassembly memory.
pub const FRAGMENTS: u16 = 384;
/// Bytes of an assembled payload.
pub const PAYLOAD: usize = FRAGMENTS as usize * (BODY_PLAIN - crate::payload::HEADER);
/// Bytes of one message's text: long enough for an essay, bounded for the window that draws it.
pub const TEXT: usize = 32 * 1_024;
/// Bytes of one emoji: the longest sequences of Unicode's list (families, flags of regions) take 35.
pub const EMOJI: usize = 64;
/// Emoji that one person may put under one message.
pub const REACTIONS: usize = 8;
/// Seconds that a disappearing message may stay at most: a year; longer is for ever.
pub const TIMER: u32 = 365 * 24 * 3_600;
/// Bytes of the name that somebody gives themselves.
pub const DISPLAY_NAME: usize = 128;
/// Message ids in one receipt batch.
pub const RECEIPT_BATCH: usize = 256;
/// Causal parents of a message: two show gaps, more add nothing.
pub const PARENTS: usize = 2;
/// Bytes of a body kind we don't know, kept for a newer version to show.
pub const UNKNOWN_BODY: usize = 64 * 1_024;

/// Bytes of a file: what a phone's film of ten minutes takes; a relay keeps it for a month.
pub const FILE: u64 = 1_024 * 1_024 * 1_024;
/// Bytes of a sealed chunk of a file, AEAD tag included: small enough to be opened while it streams.
pub const BLOB_CHUNK: usize = 64 * 1_024;
/// Bytes of a blob that one request carries: what is lost when a line breaks, and what a relay holds of each request.
pub const BLOB_PART: usize = 4 * BLOB_CHUNK;
/// Bytes of a file's name: what file systems take.
pub const FILE_NAME: usize = 255;
/// Bytes of a media type (RFC 6838 §4.2 allows 127 in each half; the longest registered one takes 83).
pub const MEDIA_TYPE: usize = 127;
/// Bytes of an image's preview, which travels in the message: ten envelopes.
pub const PREVIEW: usize = 16 * 1_024;
/// Pixels of a preview each way: sharp enough beside text, half a megabyte when decoded.
pub const PREVIEW_SIDE: u16 = 400;
/// Milliseconds of a voice note: an hour; who talks longer sends a file.
pub const VOICE: u32 = 3_600_000;
/// Levels of a voice note: as many bars as fit beside its button on a phone.
pub const VOICE_LEVELS: usize = 64;

/// Envelopes in one deposit.
pub const DEPOSIT: usize = 64;
/// Ids in one presence query.
pub const PRESENT: usize = 256;
/// Envelopes in one page: with the cursor they stay under [`PAGE`].
pub const PAGE_ENVELOPES: usize = 120;
/// Bytes of a page before padding.
pub const PAGE: usize = 256 * 1_024;
/// Pages are padded to a multiple of this, so that their size tells little.
pub const PAGE_PADDING: usize = 16 * 1_024;
/// Origins in a cursor: relay processes that ever numbered envelopes within the retention.
pub const CURSOR: usize = 64;
/// Bytes of any sync request or response on the stream.
pub const SYNC_FRAME: usize = PAGE + PAGE_PADDING;
/// The longest a fetch may wait for something new.
pub const LONG_POLL: Duration = Duration::from_secs(30);

/// Bytes of a sealed commit: with X-Wing the first one in a fresh group of 200 takes 235 KB.
pub const COMMIT: usize = 256 * 1_024;
/// Sealed commits are padded to a multiple of this, so that their size tells little.
pub const COMMIT_PADDING: usize = 4 * 1_024;
/// Commits in one slot: whoever knows the slot is a member; this bounds what one of them can make a relay keep.
pub const SLOT_ENTRIES: u32 = 256;
/// Entries in one answer to a slot query; they also have to fit [`SYNC_FRAME`], and at least one always does.
pub const SLOT_PAGE: usize = 64;

/// Bytes of a group's title.
pub const TITLE: usize = 128;
/// Accounts in a group: what the measured sizes of Welcomes and commits allow.
pub const MEMBERS: usize = 256;
/// Doors, that is links into it, that a group has at once: they stand in its context, which everybody keeps.
pub const DOORS: usize = 16;
/// Accounts that a group keeps out because they were removed; the oldest makes room.
pub const KEPT_OUT: usize = 128;
/// Doorkeepers that a link names: one away doesn't shut the door, and the QR code stays easy to photograph.
pub const DOORKEEPERS: usize = 4;
/// Letters of a link's text: four doorkeepers with the longest names take 755.
pub const LINK_TEXT: usize = 1_024;
/// Bytes of what a commit tells all newcomers alike, the tree above all: 256 accounts with full logs take 2 MB.
pub const SHARED_WELCOME: usize = 4 * 1_024 * 1_024;
/// Leaves of a group's tree: 16 devices for each of 256 accounts. An empty one takes a byte on the wire and 200 in memory.
pub const LEAVES: usize = 4_096;
/// Sequencers that a group may rank.
pub const SEQUENCERS: usize = 8;
/// Bytes of the account log that a leaf carries: it comes along in every tree; 4 KiB hold some thirty entries.
pub const MEMBER_LOG: usize = 4 * 1_024;

/// Bytes of a record of a backup: a message with all its edits and reactions.
pub const BACKUP_RECORD: usize = 4 * 1_024 * 1_024;
/// Edits of one message in a backup: as many as readers keep.
pub const BACKUP_EDITS: usize = 50;
/// People whose reactions to one message are in a backup.
pub const BACKUP_REACTORS: usize = 1_000;

/// Bytes of a verification code as somebody typed it, blanks and all.
pub const VERIFY_TEXT: usize = 1_024;
/// Bytes of a username in UTF-8, after normalisation.
pub const USERNAME: usize = 64;
/// Characters a username needs at least.
pub const USERNAME_MIN_CHARS: usize = 2;
/// Characters a username may have.
pub const USERNAME_MAX_CHARS: usize = 32;
/// Entries of an account log: a device change a week for ten years.
pub const LOG_ENTRIES: usize = 512;
/// Bytes of an account log.
pub const LOG: usize = 128 * 1_024;
/// Bytes of one MLS KeyPackage (X-Wing ones take 2.7 KB).
pub const KEY_PACKAGE: usize = 8 * 1_024;
/// One-time KeyPackages a device may have in stock.
pub const KEY_PACKAGES: usize = 100;
/// Devices of one account.
pub const DEVICES: usize = 16;
/// Bytes of a JSON request body at the relay.
pub const HTTP_BODY: usize = 1_024 * 1_024;
