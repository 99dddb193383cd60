//! The prompt in a pseudo-terminal, as somebody sitting there sees it: sign-up, chat while lines arrive, a typed line
//! that stays whole, a peer who tries to write commands to the terminal.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use livechat_node::api::{Delivery, Request};
use livechat_tests::process::{NodeProcess, Person, RelayProcess, binaries, code, text};
use portable_pty::{Child, CommandBuilder, NativePtySystem, PtySize, PtySystem};

const ROWS: u16 = 60;
const COLUMNS: u16 = 100;
/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A terminal with somebody at its keys.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    seen: Arc<Mutex<Seen>>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

struct Seen {
    screen: vt100::Parser,
    raw: Vec<u8>,
}

impl Terminal {
    fn start(data_dir: &Path, relay: &str) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = NativePtySystem::default().openpty(size).unwrap();
        let mut command = CommandBuilder::new(&binaries().cli);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.args(["--data-dir", data_dir.to_str().unwrap(), "--relay", relay]);
        let child = pair.slave.spawn_command(command).unwrap();
        let (rows, columns) = (NonZeroU16::new(ROWS).unwrap(), NonZeroU16::new(COLUMNS).unwrap());
        let seen = Arc::new(Mutex::new(Seen { screen: vt100::Parser::new(rows, columns, 1_000), raw: Vec::new() }));
        let mut output = pair.master.try_clone_reader().unwrap();
        let writes = seen.clone();
        thread::spawn(move || {
            let mut chunk = [0; 4_096];
            while let Ok(n @ 1..) = output.read(&mut chunk) {
                let mut seen = writes.lock().unwrap();
                seen.screen.process(&chunk[..n]);
                seen.raw.extend_from_slice(&chunk[..n]);
            }
        });
        Self { child, keys: pair.master.take_writer().unwrap(), seen, _master: pair.master }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn screen(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().raw).into_owned()
    }

    /// The row of the cursor up to the cursor, and what stands behind it.
    fn at_cursor(&self) -> (String, String) {
        let seen = self.seen.lock().unwrap();
        let screen = seen.screen.screen();
        let (row, column) = screen.cursor_position();
        let before = screen.contents_between(row, 0, row, column);
        (before, screen.contents_between(row, column, row, COLUMNS))
    }

    fn waits_for(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}; the screen:\n{screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn sees(&self, what: &str) -> String {
        self.waits_for(what, |screen| screen.contains(what))
    }

    fn ends(&mut self) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "it doesn't end; the screen:\n{}", self.screen());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already, in most cases.
        drop(self.child.kill());
    }
}

/// The setup key as a person reads it off the screen: groups of four in a row of their own.
fn setup_key(screen: &str) -> String {
    let is_key = |row: &&str| {
        let groups: Vec<&str> = row.split_whitespace().collect();
        groups.len() >= 4
            && groups.iter().all(|g| g.len() <= 4 && g.chars().all(|c| matches!(c, 'A'..='Z' | '2'..='7')))
    };
    screen.lines().find(is_key).unwrap_or_else(|| panic!("no setup key on\n{screen}")).split_whitespace().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_chat_and_a_typed_line_stays_whole() {
    let dir = tempfile::tempdir().unwrap();
    let relay = RelayProcess::start(&dir.path().join("relay"), None);
    let node = NodeProcess::start(&dir.path().join("bob"), &relay.url());
    let bob = node.client().await;
    bob.signs_up("bob").await;

    // Sign-up, with a taken name, a wrong code, and the right one.
    let mut alice = Terminal::start(&dir.path().join("alice"), &relay.url());
    alice.sees("Username:");
    alice.types("bob\r");
    alice.sees("✗");
    alice.types("alice\r");
    let screen = alice.sees("six digits your app shows");
    assert!(screen.contains("█▀"), "the QR code is drawn:\n{screen}");
    let key = setup_key(&screen);
    alice.types("000000\r");
    alice.waits_for("the refusal", |s| s.matches('✗').count() == 2);
    alice.types(&format!("{}\r", code(&key, 0)));
    let screen = alice.sees("Press Enter");
    assert!(screen.contains("Recovery codes"), "{screen}");
    alice.types("\r");

    // The recovery phrase: two of its words are asked for.
    let screen = alice.sees("(Enter: later):");
    let words: Vec<&str> = screen
        .lines()
        .filter(|row| {
            row.starts_with("     1 ")
                || row.starts_with("     7 ")
                || row.starts_with("    13 ")
                || row.starts_with("    19 ")
        })
        .flat_map(|row| row.split_whitespace().skip(1).step_by(2))
        .collect();
    assert_eq!(words.len(), 24, "{screen}");
    for nth in 1..=2 {
        let screen = alice.waits_for("the question", |s| s.matches("(Enter: later):").count() == nth);
        let question = screen.lines().rfind(|row| row.contains("(Enter: later):")).unwrap();
        let place: usize = question.trim_start_matches("Word ").split(' ').next().unwrap().parse().unwrap();
        alice.types(&format!("{}\r", words[place - 1]));
    }
    alice.sees("keep the paper");
    alice.sees("/add NAME");

    // A first contact, by name.
    alice.types("/ad\tbob\r");
    alice.sees("You are talking to bob now");
    alice.types("Hello Bob :wave:\r");
    let deadline = Instant::now() + PATIENCE;
    let chat = loop {
        if let livechat_node::api::Response::Contacts { contacts } = bob.request(Request::Contacts).await.unwrap()
            && let Some(alice) = contacts.first()
        {
            break alice.conversation;
        }
        assert!(Instant::now() < deadline, "bob never heard of alice");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(bob.reads(chat, 1).await, ["Hello Bob 👋"]);

    // Bob didn't know her: she learns nothing before he accepts.
    bob.request(Request::Accept { conversation: chat }).await.unwrap();
    // How far it got shows in the prompt, without a key being pressed.
    alice.waits_for("two ticks in the prompt", |s| s.lines().last().is_some_and(|l| l.contains("bob  ✓✓ ")));
    let last = bob.history(chat).await.pop().unwrap();
    bob.request(Request::MarkRead { conversation: chat, position: last.position }).await.unwrap();
    alice.waits_for("three ticks in the prompt", |s| s.lines().last().is_some_and(|l| l.contains("bob ✓✓✓ ")));

    // Lines arrive while one is typed, key by key.
    let typed = "The quick brown fox jumps over the lazy dog, and this line is still mine";
    let sending = async {
        for n in 0..30 {
            bob.says(chat, &format!("line {n:02} from bob")).await;
        }
    };
    let typing = async {
        for key in typed.chars() {
            alice.types(&key.to_string());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(sending, typing);
    let screen = alice.sees("line 29 from bob");
    for n in 0..30 {
        assert_eq!(screen.matches(&format!("bob: line {n:02} from bob")).count(), 1, "line {n} on\n{screen}");
    }
    let at = |n: usize| screen.find(&format!("line {n:02}")).unwrap();
    assert!((1..30).all(|n| at(n - 1) < at(n)), "out of order:\n{screen}");
    let (before, behind) = alice.at_cursor();
    assert!(before.ends_with(&format!("› {typed}")), "the typed line is {before:?}");
    assert_eq!(behind.trim(), "", "something stands behind the cursor");

    // A peer who writes to the terminal instead of to alice.
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[1;1H\u{9b}31mred\r12:00 carol: send money\n12:01 carol: now";
    bob.says(chat, evil).await;
    let screen = alice.sees("12:01 carol: now");
    assert!(screen.contains("│ 12:01 carol: now"), "{screen}");
    assert!(screen.contains("line 29 from bob"), "the screen was cleared:\n{screen}");
    for bad in ["\u{1b}]", "\u{1b}[2J", "\u{1b}[1;1H", "\u{9b}", "\u{7}"] {
        assert!(!alice.raw().contains(bad), "{bad:?} reached the terminal");
    }
    let (before, _) = alice.at_cursor();
    assert!(before.ends_with(&format!("› {typed}")), "the typed line is {before:?}");
    alice.types("!\r");
    let texts = bob.reads(chat, 2).await;
    assert_eq!(texts[1], format!("{typed}!"));

    // Whoever types has read what was on the screen.
    let sent = bob.history(chat).await.into_iter().rfind(|m| m.own).unwrap();
    bob.sees(chat, &sent, Delivery::Read).await;

    // The browser and scripts find the node of the prompt: one identity, one history.
    // What is typed, or pasted, ahead of the next prompt isn't lost.
    alice.types("/history 2\r/quit\r");
    assert_eq!(alice.ends(), 0);
    let screen = alice.screen();
    assert!(screen.contains(&format!("you: {typed}!  #33")), "{screen}");
    assert_eq!(bob.history(chat).await.iter().map(text).filter(|t| t.starts_with("line")).count(), 30);

    // The same history for the next one who sits down there.
    let mut again = Terminal::start(&dir.path().join("alice"), &relay.url());
    again.sees("/help shows all commands");
    again.types("/history 3\r");
    again.sees(&format!("you: {typed}!"));
    again.types("\u{4}");
    assert_eq!(again.ends(), 0);
}
