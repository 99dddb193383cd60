//! Where lines come from: a person at a terminal, or a pipe.

use std::io::{BufRead, Write};
use std::sync::Arc;

use rustyline::config::{BellStyle, ColorMode, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Editor, Prompt};

use super::complete::Assistant;
use super::face::Face;
use super::screen::{LivePrompt, Question, Screen};
use crate::exit::Failure;
use crate::limits;

/// What came from the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A line.
    Line(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D, or the end of the pipe.
    End,
}

/// Reads lines and prints answers, between which nothing else is printed.
pub trait Keyboard {
    /// A line of the chat.
    ///
    /// # Errors
    /// The terminal is gone.
    fn line(&mut self) -> Result<Input, Failure>;

    /// The answer to a question; not kept for the up key.
    ///
    /// # Errors
    /// The terminal is gone.
    fn ask(&mut self, question: &str) -> Result<Input, Failure>;

    /// Prints a line.
    fn say(&mut self, line: &str);

    /// Columns for drawings, where there is a terminal.
    fn columns(&self) -> Option<usize>;
}

/// A person at a terminal.
pub struct Terminal {
    editor: Editor<Assistant, MemHistory>,
    face: Arc<Face>,
    screen: Screen,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").finish_non_exhaustive()
    }
}

impl Terminal {
    /// Takes over the terminal; fails where there is none.
    ///
    /// # Errors
    /// Not a terminal that can be edited on.
    pub fn new(face: Arc<Face>) -> Result<Self, Failure> {
        let gone = |e: ReadlineError| {
            Failure::new(crate::exit::Exit::Failure, format!("The terminal can't be used: {e}."), "")
        };
        let config = Config::builder()
            .max_history_size(limits::RECALL)
            .map_err(gone)?
            .history_ignore_dups(true)
            .map_err(gone)?
            .auto_add_history(false)
            .completion_type(CompletionType::List)
            .bell_style(BellStyle::None)
            .color_mode(if face.style().colour() { ColorMode::Forced } else { ColorMode::Disabled })
            .build();
        let mut editor = Editor::with_history(config.clone(), MemHistory::with_config(&config)).map_err(gone)?;
        editor.set_helper(Some(Assistant::new(face.clone())));
        let screen = Screen::terminal(editor.create_external_printer().map_err(gone)?);
        Ok(Self { editor, face, screen })
    }

    /// For the event listener.
    #[must_use]
    pub fn screen(&self) -> Screen {
        self.screen.clone()
    }

    fn read<P: Prompt + ?Sized>(&mut self, prompt: &P) -> Result<Input, Failure> {
        let read = self.editor.readline(prompt);
        self.screen.gate().close();
        match read {
            Ok(line) => Ok(Input::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Input::Interrupt),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(e) => Err(Failure::new(crate::exit::Exit::Failure, format!("The terminal is gone: {e}."), "")),
        }
    }
}

impl Keyboard for Terminal {
    fn line(&mut self) -> Result<Input, Failure> {
        let prompt = LivePrompt::new(self.face.clone(), self.screen.gate());
        let input = self.read(&prompt)?;
        if let Input::Line(line) = &input
            && let Err(e) = self.editor.add_history_entry(line)
        {
            tracing::debug!("a line can't be remembered: {e}");
        }
        Ok(input)
    }

    fn ask(&mut self, question: &str) -> Result<Input, Failure> {
        let gate = self.screen.gate();
        self.read(&Question { text: question, gate })
    }

    fn say(&mut self, line: &str) {
        print_line(line);
    }

    fn columns(&self) -> Option<usize> {
        Some(self.face.look().width)
    }
}

/// A pipe: commands a line each, no prompt, no drawing.
#[derive(Debug, Default)]
pub struct Pipe;

impl Keyboard for Pipe {
    fn line(&mut self) -> Result<Input, Failure> {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line).map_err(|e| Failure::io("read standard input", &e))?;
        if read == 0 {
            return Ok(Input::End);
        }
        Ok(Input::Line(line.trim_end_matches(['\n', '\r']).to_owned()))
    }

    fn ask(&mut self, question: &str) -> Result<Input, Failure> {
        self.say(question.trim_end());
        self.line()
    }

    fn say(&mut self, line: &str) {
        print_line(line);
    }

    fn columns(&self) -> Option<usize> {
        None
    }
}

/// A terminal that is gone shows at the next read.
fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap_or_default();
}
