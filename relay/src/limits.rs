//! Every number that bounds the relay, each with its reason.

use std::time::Duration;

/// Jobs waiting for the SQLite threads: beyond it callers wait, so a flood costs time, not memory.
pub const SQLITE_QUEUE: usize = 1_024;
/// Jobs that share one SQLite transaction (and its fsync).
pub const SQLITE_BATCH: usize = 128;
/// How long SQLite waits for another process's lock.
pub const SQLITE_BUSY: Duration = Duration::from_secs(5);
/// How long a connection to MongoDB may take.
pub const MONGO_CONNECT: Duration = Duration::from_secs(5);
/// How long MongoDB may take to name a primary: longer than an election.
pub const MONGO_SELECT: Duration = Duration::from_secs(10);
/// How long one call to MongoDB may take before its caller is told "unavailable"; the call itself goes on.
pub const MONGO_CALL: Duration = Duration::from_secs(15);

/// Generation of the bucket layout; growth makes the next (DESIGN §6).
pub const GENERATION: u16 = 0;
/// One bucket: in a small relay everybody is the crowd.
pub const BUCKET_BITS: u8 = 0;
/// A topic holds one bucket.
pub const TOPIC_BITS: u8 = 0;

/// Seconds a sign-up holds its name: long enough to install an app, short enough to give names back (SEED B11).
pub const SIGN_UP: u64 = 3_600;
/// Wrong codes a sign-up, or a second authenticator being set up, survives.
pub const CONFIRM_TRIES: u32 = 10;
/// Seconds a session lasts (SEED A4).
pub const SESSION: u64 = 10 * 24 * 3_600;

/// A device waits to be added for this long, in seconds: people have the other one at hand, or fetch it.
pub const PENDING_DEVICE: u64 = 3_600;
/// Sessions of one account; the oldest makes room. Sixteen devices, and browsers that were forgotten.
pub const SESSIONS: usize = 64;
/// Authenticators of one account: phone and spare.
pub const AUTHENTICATORS: usize = 2;
/// Seconds of a budget of failures.
pub const BUDGET_WINDOW: u64 = 24 * 3_600;
/// Seconds a device proof's time may be off.
pub const PROOF_SKEW: u64 = 120;
/// Seconds a deleted name stays held, so that nobody is mistaken for the one who left.
pub const DELETED_NAME: u64 = 30 * 24 * 3_600;
/// Seconds a former name stays held: as long as messages are kept, so that whoever comes back in time to read that
/// somebody is called otherwise has never seen the name with somebody else.
pub const FORMER_NAME: u64 = 30 * 24 * 3_600;
/// Names kept from others for one account, its own included: room to change one's mind, none to collect names.
pub const NAMES: usize = 3;
/// How long an account counts as live after it was heard of.
pub const LIVE: Duration = Duration::from_secs(120);
/// Seconds after which a lobby counts as dead in which nobody was heard of: its members say so four times as often.
pub const LOBBY_DEAD: u64 = 24 * 3_600;
/// How often what is over is removed.
pub const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// Seconds in which a blob must be whole: a slow line and a night without one.
pub const BLOB_OPEN: u64 = 24 * 3_600;

/// Connections at once: each costs a file descriptor and some 16 KiB.
pub const CONNECTIONS: usize = 4_096;
/// Connections at once from one address, so that one can't take all.
pub const CONNECTIONS_PER_CLIENT: usize = 512;
/// How long a connection may be silent.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(75);
/// Requests at work at once; the rest waits.
pub const REQUESTS: usize = 256;
/// How long a request may wait for its turn.
pub const REQUEST_WAIT: Duration = Duration::from_secs(5);
/// How long a request may take, body included; above every limit of the stores.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);
/// How long requests may take to end when the relay stops.
pub const DRAIN: Duration = Duration::from_secs(10);
/// Bytes of a body that holds a name and a code.
pub const SMALL_BODY: usize = 8 * 1_024;
/// Bytes of a confirmation: an account log and a bundle, in base64.
pub const CONFIRM_BODY: usize = 256 * 1_024;
/// Bytes of a code as typed: a recovery code with generous blanks.
pub const CODE: usize = 64;

/// What an operator may tune.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Sign-ups begun per address and hour: a household, a classroom.
    pub sign_ups_per_hour: u32,
    /// Names looked up (availability, directory) per address and minute: fast typing, not a dictionary.
    pub lookups_per_minute: u32,
    /// Directory claims per address and minute; each uses up KeyPackages.
    pub claims_per_minute: u32,
    /// Log-ins per address and minute of those who don't prove to be a known device.
    pub log_ins_per_minute: u32,
    /// Log-ins per address and minute that come with a device proof; checking one costs a signature.
    pub proofs_per_minute: u32,
    /// Failed log-ins per account and day from unknown devices. Two authenticators have six codes in force, so five
    /// tries a day for thirty days guess one with 9·10⁻⁴ (P9). The owner has known devices and recovery codes.
    pub stranger_failures: u32,
    /// Failed log-ins per known device and day, and wrong codes per session and day.
    pub device_failures: u32,
    /// Bytes of files kept for one account: two of the largest.
    pub file_quota: u64,
    /// Seconds that a whole file is kept: as long as messages.
    pub file_seconds: u64,
    /// Parts of files sent or fetched per address and minute: 25 MB a second.
    pub file_parts_per_minute: u32,
    /// A refused log-in is answered no sooner than this after it arrived, whatever was looked at (SEED B15, P11).
    pub refusal_time: Duration,
    /// Proxies in front of the relay, whose `X-Forwarded-For` is believed. Nobody else's is.
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sign_ups_per_hour: 60,
            lookups_per_minute: 240,
            claims_per_minute: 120,
            log_ins_per_minute: 30,
            proofs_per_minute: 240,
            stranger_failures: 5,
            device_failures: 10,
            file_quota: 2 * livechat_wire::blob::MAX,
            file_seconds: livechat_wire::limits::RETENTION.as_secs(),
            file_parts_per_minute: 6_000,
            refusal_time: Duration::from_millis(100),
            trusted_proxies: Vec::new(),
        }
    }
}
