//! One terminal for two writers: the person who types and what comes in. Lines that come in are handed to rustyline
//! while it edits, which takes the typed line away, prints them above and draws it again; otherwise they wait.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

use rustyline::{ExternalPrinter, Prompt};

use super::face::{Face, Reserve};
use crate::limits;

/// Prompts that one line can show before they stop changing: it changes a few times a minute.
const PROMPTS: usize = 512;
/// Moves up and down again: printing it makes rustyline draw the prompt anew without a line in between.
const NOTHING: &str = "\u{1b}[A\n";

/// Where lines of the event listener go. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Screen {
    to: SyncSender<Ink>,
    repainting: Arc<AtomicBool>,
    gate: Arc<Gate>,
}

#[derive(Debug)]
enum Ink {
    Line(String),
    Repaint,
}

/// Open while rustyline edits a line.
#[derive(Debug, Default)]
pub struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, open: bool) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self.changed.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The line is finished: what comes in waits for the next.
    pub fn close(&self) {
        self.set(false);
    }
}

impl Screen {
    /// A screen shared with rustyline through `printer`.
    #[must_use]
    pub fn terminal(mut printer: impl ExternalPrinter + Send + 'static) -> Self {
        let (screen, lines) = Self::new();
        let (gate, repainting) = (screen.gate.clone(), screen.repainting.clone());
        std::thread::spawn(move || {
            while let Ok(ink) = lines.recv() {
                gate.wait();
                let text = match ink {
                    Ink::Line(line) => line + "\n",
                    Ink::Repaint => {
                        repainting.store(false, Ordering::SeqCst);
                        NOTHING.to_owned()
                    }
                };
                if let Err(e) = printer.print(text) {
                    tracing::debug!("the terminal is gone: {e}");
                    break;
                }
            }
        });
        screen
    }

    /// A screen that is a plain stream of lines.
    #[must_use]
    pub fn plain() -> Self {
        let (screen, lines) = Self::new();
        std::thread::spawn(move || {
            while let Ok(ink) = lines.recv() {
                let Ink::Line(line) = ink else { continue };
                let mut out = std::io::stdout().lock();
                if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                    break;
                }
            }
        });
        screen
    }

    fn new() -> (Self, Receiver<Ink>) {
        let (to, lines) = sync_channel(limits::LINES);
        (Self { to, repainting: Arc::default(), gate: Arc::default() }, lines)
    }

    /// Whether a line may be shown now or later. Never blocks; when a thousand lines wait already, the caller tries
    /// again later (the messages are in the history).
    #[must_use]
    pub fn line(&self, line: String) -> bool {
        !matches!(self.to.try_send(Ink::Line(line)), Err(TrySendError::Full(_)))
    }

    /// Something in the prompt changed.
    pub fn repaint(&self) {
        if !self.repainting.swap(true, Ordering::SeqCst) && self.to.try_send(Ink::Repaint).is_err() {
            self.repainting.store(false, Ordering::SeqCst);
        }
    }

    /// The gate, for prompts to open.
    #[must_use]
    pub fn gate(&self) -> Arc<Gate> {
        self.gate.clone()
    }
}

/// The chat's prompt. Rustyline asks for it each time it draws; it says how things stand at that moment, and that
/// drawing has begun, so that lines may come in.
#[derive(Debug)]
pub struct LivePrompt {
    face: Arc<Face>,
    gate: Arc<Gate>,
    reserve: Reserve,
    /// Rustyline borrows the text: each version is kept until the line is finished.
    versions: Box<[OnceLock<(String, String)>]>,
    last: AtomicUsize,
}

impl LivePrompt {
    /// For one line.
    #[must_use]
    pub fn new(face: Arc<Face>, gate: Arc<Gate>) -> Self {
        let reserve = face.reserve();
        let versions: Box<[OnceLock<(String, String)>]> = (0..PROMPTS).map(|_| OnceLock::new()).collect();
        Self { face, gate, reserve, versions, last: AtomicUsize::new(0) }
    }

    fn now(&self) -> &(String, String) {
        self.gate.set(true);
        let now = self.face.prompt(self.reserve);
        let at = self.last.load(Ordering::SeqCst);
        let known = self.versions[at].get_or_init(|| now.clone());
        if *known == now || at + 1 == PROMPTS {
            return known;
        }
        self.last.store(at + 1, Ordering::SeqCst);
        self.versions[at + 1].get_or_init(|| now)
    }
}

impl Prompt for LivePrompt {
    fn raw(&self) -> &str {
        &self.now().0
    }

    fn styled(&self) -> &str {
        &self.now().1
    }
}

/// A question with a fixed text; lines may come in meanwhile.
#[derive(Debug)]
pub struct Question<'a> {
    /// What is asked.
    pub text: &'a str,
    /// Opened when it is drawn.
    pub gate: Arc<Gate>,
}

impl Prompt for Question<'_> {
    fn raw(&self) -> &str {
        self.gate.set(true);
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    struct Paper(Sender<String>);

    impl ExternalPrinter for Paper {
        fn print(&mut self, line: String) -> rustyline::Result<()> {
            self.0.send(line).unwrap();
            Ok(())
        }
    }

    #[test]
    fn lines_wait_until_the_prompt_is_drawn_and_keep_their_order() {
        let (to, printed) = channel();
        let screen = Screen::terminal(Paper(to));
        assert!(screen.line("one".into()));
        screen.repaint();
        screen.repaint();
        assert!(screen.line("two".into()));
        assert!(
            printed.recv_timeout(Duration::from_millis(50)).is_err(),
            "printed while nothing could redraw the line"
        );
        let question = Question { text: "? ", gate: screen.gate() };
        assert_eq!(question.raw(), "? ");
        let all: Vec<String> = (0..3).map(|_| printed.recv_timeout(Duration::from_secs(5)).unwrap()).collect();
        assert_eq!(all, ["one\n", NOTHING, "two\n"]);
    }
}
