//! Numbers of the faces, each with its reason.

use std::time::Duration;

/// Messages asked for at once: the most the node gives.
pub const PAGE: u32 = 200;
/// Hits asked for at once: the most the node gives.
pub const HITS_PAGE: u32 = 100;
/// Hits that `/search` shows: a screen.
pub const HITS: usize = 20;
/// Messages between two words on how far an export is: about a second.
pub const PROGRESS: u64 = 10_000;
/// Unread messages of one person shown when the prompt starts; the rest is a `/history` away.
pub const UNREAD_SHOWN: usize = 20;
/// Messages that `/history` shows unless told.
pub const HISTORY: u32 = 20;
/// Messages of which the prompt says that they changed: those on the screen, and some more.
pub const WATCHED: usize = 200;
/// Lines that wait for the prompt to be free: a person can't read faster, and the node's events are bounded too.
pub const LINES: usize = 1_024;
/// Lines typed that the up key brings back. In memory only: what was said is nobody's business on disk.
pub const RECALL: usize = 500;
/// Bytes of a message read from standard input: the node refuses longer ones, so reading on is pointless.
pub const STDIN: u64 = 64 * 1_024;
/// Between two looks whether a node that stopped is there again.
pub const NODE_BACK: Duration = Duration::from_millis(500);
/// How long leaving waits for own messages to reach the relay.
pub const FAREWELL: Duration = Duration::from_secs(10);
/// The whole scripted demo.
pub const SCRIPT: Duration = Duration::from_secs(60);
/// Bytes of a recovery phrase as typed: 24 words of at most eight letters, numbered, with generous blanks.
pub const PHRASE: u64 = 4_096;
