//! The process world: the built binaries, as an operator and two users would run them, on loopback.

mod binaries;
mod node;
mod relay;
mod require;
mod totp;

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

pub use binaries::{Binaries, binaries};
pub use node::{NodeProcess, Person, is_active, text};
pub use relay::RelayProcess;
pub use require::{Need, chromium, mongod, unmet};
pub use totp::code;

/// How long a program may take to say that it is ready: a debug build on a loaded machine.
const READY: Duration = Duration::from_secs(120);

/// How long a killed program may take to be gone.
const GONE: Duration = Duration::from_secs(60);

/// Whether anything of a process group runs still; what is only waiting to be noticed doesn't.
fn group_lives(group: u32) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    processes.flatten().any(|entry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name before may hold blanks and brackets: state, parent and group stand behind its last bracket.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let state = fields.next();
        fields.nth(1).and_then(|g| g.parse().ok()) == Some(group) && !matches!(state, Some("Z" | "X"))
    })
}

/// A program, with all that it started, that is killed when the test lets go of it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// What it said when it was ready.
    pub ready: serde_json::Value,
}

impl Running {
    /// Starts `command`, whose log is the file `log`, and reads its `--ready-json` line.
    ///
    /// # Panics
    /// When it doesn't get ready.
    pub fn start(command: Command, log: &Path) -> Self {
        let what = format!("{command:?}");
        let begun = Instant::now();
        Self::try_start(command).unwrap_or_else(|| {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            let end: Vec<_> = log.lines().rev().take(20).collect();
            let end: Vec<_> = end.into_iter().rev().collect();
            panic!("{what} wasn't ready after {:?}; the end of its log:\n{}", begun.elapsed(), end.join("\n"))
        })
    }

    /// The same for a program that may end on its way.
    pub fn try_start(mut command: Command) -> Option<Self> {
        // A group of its own, so that killing a tracer kills what it traces.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let stdout = child.stdout.take().expect("piped");
        let (line, ready) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines();
            while let Some(Ok(text)) = lines.next() {
                if let Ok(value @ serde_json::Value::Object(_)) = serde_json::from_str(&text)
                    && line.send(value).is_err()
                {
                    break;
                }
            }
            drop(line);
            // Keep draining, or the program blocks on a full pipe.
            for _ in lines {}
        });
        let ready = ready.recv_timeout(READY);
        let mut this = Self { child, ready: serde_json::Value::Null };
        match ready {
            Ok(ready) => {
                this.ready = ready;
                Some(this)
            }
            Err(_) => {
                this.kill_9();
                None
            }
        }
    }

    /// A text field of the ready line.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.ready)).to_owned()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and waits until it is gone, with all that it started: what a tracer traced lives a moment longer than
    /// the tracer, and has its ports and its lock as long.
    pub fn kill_9(&mut self) {
        if !self.has_ended() {
            let group = format!("-{}", self.pid());
            // The group may end by itself between the check and the kill.
            drop(Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status());
            drop(self.child.wait());
        }
        let deadline = Instant::now() + GONE;
        while group_lives(self.pid()) {
            assert!(Instant::now() < deadline, "what {} started outlives it by {GONE:?}", self.pid());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGTERM, and waits: a graceful end.
    pub fn terminate(&mut self) -> Option<i32> {
        let status = Command::new("kill").arg(self.pid().to_string()).status().expect("kill");
        assert!(status.success());
        self.child.wait().expect("ends").code()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|s| s.is_some())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill_9();
    }
}
