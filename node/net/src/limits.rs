//! Every number of the network layer, each with its reason.

use core::time::Duration;

/// Bytes of one gossip RPC. Far above the 2,048 of an envelope: the limit is compared with everything that is buffered,
/// several RPCs at once under a burst, and exceeding it kills the stream.
pub const GOSSIP_RPC: usize = 65_536;
/// Bytes of control messages in one gossip RPC; with what one read may buffer (8 KiB) it stays below [`GOSSIP_RPC`].
pub const GOSSIP_CONTROL: usize = 49_152;
/// Ids in one IHAVE or IWANT: 1,000 × 36 bytes fit [`GOSSIP_CONTROL`]. libp2p's default of 5,000 doesn't fit its own
/// limit of control bytes: the receiver would close the stream.
pub const GOSSIP_IDS: usize = 1_000;
/// Messages in one gossip RPC: ours carry one; 32 envelopes fill [`GOSSIP_RPC`].
pub const GOSSIP_PUBLISH: usize = 32;
/// Messages waiting for one peer: 1 MiB of envelopes. What doesn't fit is dropped; the outbox asks and deposits.
pub const GOSSIP_QUEUE: usize = 512;
/// How long ids are remembered: longer than the time an envelope stays fresh (two epochs back and one ahead: 30 min),
/// so that none can go round twice.
pub const GOSSIP_SEEN: Duration = Duration::from_secs(40 * 60);
/// Bytes above which IDONTWANT is sent. Envelopes are below: one IDONTWANT per mesh peer would cost more than it saves.
pub const GOSSIP_IDONTWANT: usize = 4_096;
/// Heartbeats a message can be fetched for after an IHAVE.
pub const GOSSIP_HISTORY: usize = 12;
/// Heartbeats a message is advertised for.
pub const GOSSIP_ADVERTISED: usize = 3;
/// Topics a peer may be subscribed to: a relay is in every topic of the layout, a node in two at most.
pub const GOSSIP_TOPICS: usize = 1_024;
/// Bytes of a network's name in topics.
pub const NETWORK_NAME: usize = 32;

/// Sync streams open at once on one connection, long polls included.
pub const SYNC_STREAMS: usize = 16;
/// How long a sync exchange may take beyond the long poll: a page over a slow line.
pub const SYNC_TRANSFER: Duration = Duration::from_secs(30);

/// File requests open at once on one connection: whoever fetches asks for one part after the other.
pub const DIRECT_STREAMS: usize = 2;

/// How long a connection without streams is kept: longer than the pause between two polls.
pub const IDLE_CONNECTION: Duration = Duration::from_secs(60);
/// Time between pings: notices a vanished peer sooner than TCP, and keeps NAT mappings alive.
pub const PING_INTERVAL: Duration = Duration::from_secs(15);
/// How long a pong may take.
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);
