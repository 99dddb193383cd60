//! Standard output of the verbs: people's lines or JSON lines.

use std::io::{self, IsTerminal, Write};

use livechat_node::api::Message;
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::limits::PROGRESS;
use crate::render::Look;
use crate::text;

/// Where a verb prints.
pub struct Out {
    /// How things look.
    pub look: Look,
    json: bool,
    /// Messages that the last word on progress was about.
    told: u64,
    to: Box<dyn Write + Send>,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("json", &self.json).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct MessageLine<'a> {
    r#type: &'static str,
    contact: &'a str,
    message: &'a Message,
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    r#type: &'a str,
    #[serde(flatten)]
    value: &'a T,
}

impl Out {
    /// Prints to `to`.
    #[must_use]
    pub fn new(look: Look, json: bool, to: Box<dyn Write + Send>) -> Self {
        Self { look, json, told: 0, to }
    }

    /// Whether programs read this.
    #[must_use]
    pub fn json(&self) -> bool {
        self.json
    }

    /// A line for people; nothing in JSON.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn line(&mut self, line: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { self.write(line) }
    }

    /// An object for programs; nothing for people.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn object<T: Serialize>(&mut self, kind: &str, value: &T) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        self.raw(&Tagged { r#type: kind, value })
    }

    /// A message, either way.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn message(&mut self, contact: &str, message: &Message) -> Result<(), Failure> {
        if self.json {
            self.raw(&MessageLine { r#type: "message", contact, message })
        } else {
            let to = message.own.then_some(contact);
            let line = self.look.message(message, to);
            self.write(&line)
        }
    }

    /// Says that it is done: in words for people, as an object for programs.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn done(&mut self, words: &str) -> Result<(), Failure> {
        if self.json { self.write("{\"type\":\"done\"}") } else { self.write(words) }
    }

    /// Says on standard error how far a long work is, every so often; nothing in JSON and where nobody looks.
    pub fn progress(&mut self, done: u64) {
        let due = done / PROGRESS > self.told / PROGRESS;
        self.told = done;
        if due && !self.json && io::stderr().is_terminal() {
            eprintln!("… {done} messages");
        }
    }

    /// An object that is for programs, whoever looks.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn raw<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        let line = json_line(value)?;
        self.write(&line)
    }

    fn write(&mut self, line: &str) -> Result<(), Failure> {
        // Flushed at once: what follows (the read mark) relies on it having been seen.
        writeln!(self.to, "{line}").and_then(|()| self.to.flush()).map_err(|e| closed(&e))
    }
}

fn closed(e: &io::Error) -> Failure {
    if e.kind() == io::ErrorKind::BrokenPipe {
        // The reader has what it wanted (`| head`): no reason to complain.
        return Failure::new(Exit::Ok, "", "");
    }
    Failure::io("write to standard output", e)
}

/// One line of JSON in which nothing moves a terminal: serde escapes C0, this the rest.
///
/// # Errors
/// The value can't be written as JSON.
pub fn json_line<T: Serialize>(value: &T) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Escaped))
        .map_err(|_| Failure::odd_answer())?;
    String::from_utf8(bytes).map_err(|_| Failure::odd_answer())
}

struct Escaped;

impl serde_json::ser::Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            let mut units = [0; 2];
            if text::is_hidden(c) {
                for unit in c.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                write!(writer, "{c}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn json_is_plain_for_a_terminal_and_exact_for_a_program() {
        let text = "a\u{1b}[31m\u{9b}2J\u{7f}\u{202e}\u{e0041}\"\\\nü👍";
        let line = json_line(&text).unwrap();
        assert!(!line.chars().any(text::is_hidden), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }

    #[test]
    fn a_message_line_is_stable() {
        let line = MessageLine { r#type: "message", contact: "bob", message: &sample::message("bob", "hi") };
        insta::assert_snapshot!(json_line(&line).unwrap());
    }
}
