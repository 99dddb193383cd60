//! Every number that bounds the web UI's server, each with its reason.

use std::time::Duration;

/// How long a one-time link is good: time to switch from the terminal to the browser.
pub const LINK_LIFE: Duration = Duration::from_secs(10 * 60);
/// Links that wait to be used; a further one replaces the oldest.
pub const LINKS: usize = 16;
/// How long a browser stays admitted: as long as a session at the relay (seed A4).
pub const SESSION_LIFE: Duration = Duration::from_secs(10 * 24 * 3_600);
/// Browsers admitted at once; a further one replaces the oldest.
pub const SESSIONS: usize = 64;

/// Bytes of a request body: `{"token":"…"}` with its 64 digits.
pub const BODY: usize = 256;
/// Pixels of a picture in which a QR code is looked for: a thousand rows of a thousand, and some.
pub const PICTURE: usize = 1_200 * 1_200;
/// Bytes of a code that was found: those we make take 120.
pub const QR_TEXT: usize = 1_024;
/// Bytes of a backup that a browser hands over: a hundred million short messages; beyond, the disk is the bound.
pub const BACKUP: u64 = 16 * 1_024 * 1_024 * 1_024;
/// Bytes of one frame from a browser: the longest text with every byte escaped (`\u00xx`), and room for the rest.
pub const FRAME: usize = 256 * 1_024;
/// Open sockets: one for each tab.
pub const SOCKETS: usize = 64;
/// Requests of one socket being answered at once; further ones wait in its TCP buffer.
pub const SOCKET_REQUESTS: usize = 32;
/// Files being moved between browsers and node at once: each costs a reader, and a quarter of a megabyte.
pub const FILES: usize = 8;
/// Pieces of an archive that wait for a browser: half a megabyte.
pub const PIECES: usize = 8;
/// How long a frame may wait for a browser that doesn't read before the socket is closed.
pub const SOCKET_WRITE: Duration = Duration::from_secs(30);
/// Pause between pings; what doesn't answer two of them is gone.
pub const PING: Duration = Duration::from_secs(25);
/// How long answering may go on after the program was asked to stop.
pub const DRAIN: Duration = Duration::from_secs(3);
/// How long the program on the other end of the control socket may take to read one line.
pub const CONTROL_WRITE: Duration = Duration::from_secs(2);
/// How long a browser's socket stays once the node is locked: the answer to whoever locked it may come behind the news.
pub const LAST_WORDS: Duration = Duration::from_millis(250);
