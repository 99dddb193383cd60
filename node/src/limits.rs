//! Every number that bounds the shell, each with its reason.

use std::time::Duration;

/// Requests waiting for the driver; more wait in their callers.
pub const REQUESTS: usize = 256;
/// Events kept for a slow reader before it is told that it lagged: a busy minute of a busy chat.
pub const EVENTS: usize = 1_024;
/// Bytes of one line on the Unix socket: the longest text with every byte escaped (`\u00xx`), and room for the rest.
pub const LINE: usize = 256 * 1_024;
/// Clients of the Unix socket at once; each costs two tasks and a buffer.
pub const CLIENTS: usize = 64;
/// Requests of one socket client being answered at once; further ones wait in its socket buffer.
pub const CLIENT_REQUESTS: usize = 32;
/// How long the answers to a client may stay unread before it is dropped.
pub const CLIENT_WRITE: Duration = Duration::from_secs(30);

/// Connecting to the relay over HTTP.
pub const HTTP_CONNECT: Duration = Duration::from_secs(5);
/// A whole HTTP exchange: log-in hashes and a slow line fit, a person's patience ends there.
pub const HTTP_TOTAL: Duration = Duration::from_secs(15);
/// One part of a file: a quarter of a megabyte over a slow line, a little longer than relays wait for it.
pub const HTTP_PART: Duration = Duration::from_secs(40);
/// Files on their way at once; further ones wait for their turn.
pub const TRANSFERS: usize = 3;
/// Files that are on their way, waiting or failed; more are refused.
pub const TRANSFERS_LISTED: usize = 1_000;
/// First pause after a transfer failed that may go on.
pub const TRANSFER_RETRY_FIRST: Duration = Duration::from_secs(1);
/// Longest pause.
pub const TRANSFER_RETRY_MAX: Duration = Duration::from_secs(30);
/// How long a new device may take to come into all chats before it is given history all the same: what is said in those
/// that are left doesn't reach it. Some may wait for others to come online.
pub const HANDOVER_PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a backup between its making and its sealing: two chunks.
pub const HANDOVER_PIPE: usize = 128 * 1_024;
/// How often the progress of a transfer is told at most.
pub const TRANSFER_TOLD: Duration = Duration::from_millis(250);
/// Pieces of a file between disk, cipher and reader: a quarter of a megabyte in memory.
pub const FILE_PIECES: usize = 4;
/// How long an offer to fetch a file directly holds.
pub const OFFER_LIFE: u64 = 24 * 3_600;
/// How long a file that is offered waits for the contact to come for more of it before it goes to the relay.
pub const OFFER_PATIENCE: Duration = Duration::from_secs(60);
/// The same once the contact has come for a part: their device may have been restarted.
pub const OFFER_PATIENCE_MIDWAY: Duration = Duration::from_secs(180);
/// Offers of one file: each costs an envelope; this node's addresses change that often while one is fetched.
pub const OFFERS: u32 = 8;
/// Dials for files within [`DIRECT_DIALS_IN`]: a contact's offers can't make this node knock at doors all day.
pub const DIRECT_DIALS: usize = 60;
/// See [`DIRECT_DIALS`].
pub const DIRECT_DIALS_IN: Duration = Duration::from_secs(3_600);
/// Answers with parts of files that others haven't read yet: two megabytes, however slow they are.
pub const DIRECT_GIVING: usize = 8;
/// Refusals before somebody is disconnected: as many as one may meet who comes for offers that were renewed.
pub const DIRECT_REFUSALS: u32 = 8;
/// Peers whose refusals are counted.
pub const DIRECT_REFUSED_PEERS: usize = 256;
/// How often an answer of "busy" is asked again before the relay is.
pub const DIRECT_BUSY: u32 = 5;
/// Pause before that.
pub const DIRECT_BUSY_PAUSE: Duration = Duration::from_millis(500);
/// Questions to other nodes that wait for the network's loop: one for each file on its way.
pub const DIRECT_ASKS: usize = 16;
/// Bytes of an image that is cleaned before it is sent; cameras make less. Larger ones go as they are, if asked to.
pub const IMAGE_BYTES: u64 = 48 * 1_024 * 1_024;
/// Pixels of an image each way.
pub const IMAGE_SIDE: u32 = 16_384;
/// Bytes that an image may take once decoded: forty megapixels in colour …
pub const IMAGE_DECODED: u64 = 128 * 1_024 * 1_024;
/// … if a byte of the file stands for at most so many: photographs have 5 to 50, pages of text 400, bombs 1,000 and more.
pub const IMAGE_RATIO: u64 = 500;
/// What it may take in any case: a screen of 1,920 × 1,080.
pub const IMAGE_CHEAP: u64 = 8 * 1_024 * 1_024;
/// What stands beside its pixels, unpacked: colour profiles of printers take two megabytes.
pub const IMAGE_BESIDE: u64 = 4 * 1_024 * 1_024;
/// Scans of a JPEG, each of which goes through the whole picture: programs make ten, and there may be smaller ones in it.
pub const IMAGE_SCANS: usize = 32;
/// Pixels of a preview each way: what a message shows of an image at once.
pub const PREVIEW_SIDE: u32 = 320;
/// Names tried for a saved file before giving up: `a (99).txt`.
pub const SAVE_NAMES: u32 = 100;
/// Bytes of the name of a saved file: file systems take 255, and a number is added to it.
pub const SAVE_NAME: usize = 200;

/// Bytes of an answer: a directory entry of sixteen devices in base64 takes 400 KiB at most.
pub const HTTP_ANSWER: usize = 1_024 * 1_024;
/// Bytes of a message from the relay that is shown to people.
pub const PROBLEM_TEXT: usize = 400;

/// Characters drawn as a QR code: an otpauth URI of ours takes about 150, a link into a group up to 755.
pub const QR_TEXT: usize = 1_024;
/// How often a node that is in a lobby looks whether it is still the relay's.
pub const LOBBY_LOOK: Duration = Duration::from_secs(3_600);
/// Seconds after which it tells the relay that somebody is about; a lobby counts as dead after four times as long.
pub const LOBBY_RENEW: u64 = 6 * 3_600;
/// Session tokens kept for revoking them once the relay is back; older ones expire within ten days by themselves.
pub const REVOCATIONS: usize = 16;

/// Bytes of the brain thread's stack: unoptimised OpenMLS needs [`livechat_crypto::limits::MLS_STACK`]; the store and
/// the engine below it get as much again. Virtual until used.
pub const BRAIN_STACK: usize = 2 * livechat_crypto::limits::MLS_STACK;
/// Bytes of the stacks of a runtime's threads: tokio's default, said so that [`SWEPT`] fits.
pub const STACK: usize = 2 * 1_024 * 1_024;
/// Bytes of a stack that are overwritten: what futures reach unoptimised is a tenth; the rest is for who calls.
pub const SWEPT: usize = STACK - 512 * 1_024;
/// Rounds in which a runtime's threads are woken to sweep their stacks: ten seconds of a thread that isn't idle.
pub const SWEEPS: usize = 2_000;
/// Inputs that share one commit. A commit waits for the disk (milliseconds); an input takes a fraction of one.
pub const BATCH: usize = 64;
/// Envelopes that share one commit: bounds how long a person's own message waits behind a page.
pub const BATCH_ENVELOPES: usize = 128;
/// Gossiped envelopes waiting for the brain: 8 MiB. What doesn't fit comes with the next page from the relay.
pub const GOSSIP_WAITING: usize = 4_096;
/// Commands waiting for an answer, look-ups included.
pub const COMMANDS: usize = 512;
/// Batches whose effects wait for the driver.
pub const OUTCOMES: usize = 16;
/// Pause after the store failed, before what failed is tried again.
pub const STORE_RETRY: Duration = Duration::from_secs(1);

/// Own envelopes waiting for somebody to publish to; more than an outbox hands out before it asks the relay.
pub const PUBLISH_WAITING: usize = 512;
/// Seconds between mDNS questions. libp2p's default of five minutes is for machines that stay.
pub const MDNS_INTERVAL: Duration = Duration::from_secs(10);
/// Peers found on the local network that are dialled.
pub const MDNS_PEERS: usize = 16;
/// How long a fetch may wait at the relay; below the wire's limit, so that clocks may differ.
pub const FETCH_WAIT: Duration = Duration::from_secs(25);
/// Pause after a fetch failed while the connection stands.
pub const FETCH_RETRY: Duration = Duration::from_secs(2);
/// How long a connection to the relay may take, all addresses tried side by side.
pub const DIAL: Duration = Duration::from_secs(20);
/// First pause before connecting again.
pub const RECONNECT_FIRST: Duration = Duration::from_millis(500);
/// Longest pause: a relay that is back is noticed within half a minute.
pub const RECONNECT_MAX: Duration = Duration::from_secs(30);
/// Pause before a lost circuit reservation is asked for again.
pub const CIRCUIT_RETRY: Duration = Duration::from_secs(15);

/// How long a connection is kept for the next exchange: less than relays keep theirs, or a request meets its end.
pub const HTTP_IDLE: Duration = Duration::from_secs(45);
/// Pause between two looks at the relay over HTTP while it answers; each counts as "online" there for two minutes.
pub const HTTP_POLL: Duration = Duration::from_secs(30);
/// Pause between two looks at the stock of KeyPackages.
pub const STOCK_POLL: Duration = Duration::from_secs(5 * 60);
/// The same after a failure.
pub const STOCK_RETRY: Duration = Duration::from_secs(20);
/// Seconds that a device waits to be added; the relay forgets it after as many.
pub const LINKING: u64 = 3_600;
/// Seconds in which it is found out whether the account's log has taken a device whose answer was lost.
pub const LINKING_LOST: u64 = 60;
/// Pause between two looks whether this device was added: somebody stands before it with the other one in hand.
pub const LINKING_LOOK: Duration = Duration::from_secs(2);
/// Pause between two looks at our own account's log. Rooms tell sooner; this is for a device that is in none.
pub const OWN_LOG_LOOK: Duration = Duration::from_secs(10 * 60);
/// The same after a failure.
pub const OWN_LOG_RETRY: Duration = Duration::from_secs(30);
/// How far this clock may be from the relay's before people are told: an envelope is refused beyond ten minutes.
pub const CLOCK_SKEW: u64 = 9 * 60;
/// How long a sign-up waits for its KeyPackages to reach the relay, before it is called done all the same.
pub const FIRST_KEYS: Duration = Duration::from_secs(5);
/// Tasks the driver has under way (questions to the store, HTTP exchanges).
pub const TASKS: usize = 1_024;
/// Account requests waiting for the one under way.
pub const FLOWS: usize = 16;
/// The longest the driver sleeps: a clock that was set or a machine that was suspended is noticed by then.
pub const NAP: Duration = Duration::from_secs(15);
/// Messages in one page of history, as the engine has it.
pub const HISTORY: u32 = livechat_engine::limits::PAGE;
/// Bytes of a search: a long sentence.
pub const QUERY: usize = 1_024;
/// Words of a search, and names in it.
pub const SEARCH_WORDS: usize = 16;
/// Trigrams of a word that the index is asked for; more narrow hardly further and cost a lookup each.
pub const SEARCH_GRAMS: usize = 8;
/// Hits in one answer.
pub const HITS: u32 = 100;
/// Passages among which the best are chosen, newest ones: a tenth of a second.
pub const RANKED: usize = 50_000;
/// Characters of a text shown with a hit: two lines.
pub const EXCERPT: usize = 160;
/// Characters of a backup's secret: a file can be guessed at for ever.
pub const BACKUP_SECRET: usize = 12;
/// Seconds that device proofs may run ahead of the clock: relays take two minutes of difference.
pub const PROOFS_AHEAD: u64 = 60;
/// Bytes of a vault's file: name, knock and three wrappings take under 2 KiB.
pub const VAULT: usize = 8 * 1_024;
/// Seconds that a node opened without the relay stays open: as long as a session.
pub const OFFLINE: u64 = 10 * 24 * 3_600;
/// Seconds without a request after which a node may lock itself: up to a week; the faces offer minutes.
pub const LOCK_AFTER: std::ops::RangeInclusive<u32> = 1..=7 * 24 * 3_600;
