//! How the program ends: exit codes, and failures in words with the next step.

use livechat_node::api::{Error, ErrorCode};
use serde::Serialize;

use crate::text;

/// Exit codes; scripts may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Any failure that has no code of its own.
    Failure = 1,
    /// The command line can't be understood.
    Usage = 2,
    /// Nobody is signed up or logged in on this node.
    NotSignedIn = 3,
    /// Not a contact, or nobody has that name.
    UnknownContact = 4,
    /// The relay can't be reached, or the time given ran out.
    Unreachable = 5,
    /// The relay or the node refused: wrong code, name taken, sign-up expired, keys that don't verify.
    Refused = 6,
    /// Too many tries: wait.
    TooMany = 7,
    /// No node: none is running and none can be started here.
    NoNode = 8,
    /// Interrupted by Ctrl-C.
    Interrupted = 130,
}

/// The table of `--help` and of the reference page.
pub const TABLE: &str = "\
Exit codes:
  0    done
  1    failure (disk full, internal fault, …)
  2    the command line can't be understood
  3    not signed up or not logged in
  4    not a contact, or nobody has that name
  5    the relay can't be reached, or the time given ran out
  6    refused: wrong code, name taken, sign-up expired, keys that don't verify
  7    too many tries: wait, then try again
  8    no node is running and none can be started here
  130  interrupted by Ctrl-C";

/// Why a verb failed, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// For programs: the exit code's name.
    pub code: Exit,
    /// What failed and why.
    pub message: String,
    /// What to do next; may be empty.
    pub hint: String,
    /// Seconds to wait, where waiting helps.
    pub retry_after: Option<u64>,
}

impl Failure {
    /// A failure with a next step.
    pub fn new(code: Exit, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into(), retry_after: None }
    }

    /// The node answered something that doesn't belong to the request.
    #[must_use]
    pub fn odd_answer() -> Self {
        Self::new(
            Exit::Failure,
            "The node answered something this program doesn't expect.",
            "Use the node and `livechat` of the same release.",
        )
    }

    /// Ctrl-C.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "Interrupted.", "")
    }

    /// Standard output or input can't be used (a closed pipe, most often).
    #[must_use]
    pub fn io(doing: &str, cause: &std::io::Error) -> Self {
        Self::new(Exit::Failure, format!("Can't {doing}: {cause}."), "")
    }

    /// The process exit code.
    #[must_use]
    pub fn exit(&self) -> u8 {
        self.code as u8
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&text::prose(&self.message))?;
        if !self.hint.is_empty() {
            write!(f, " {}", text::prose(&self.hint))?;
        }
        Ok(())
    }
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        let code = match e.code {
            ErrorCode::WrongState => Exit::NotSignedIn,
            ErrorCode::NotFound => Exit::UnknownContact,
            ErrorCode::RelayUnreachable => Exit::Unreachable,
            ErrorCode::UsernameUnavailable
            | ErrorCode::InvalidCredentials
            | ErrorCode::PendingExpired
            | ErrorCode::NotThisDevice
            | ErrorCode::WrongPhrase
            | ErrorCode::Untrusted => Exit::Refused,
            ErrorCode::TooManyRequests => Exit::TooMany,
            _ => Exit::Failure,
        };
        Self { code, message: e.message, hint: e.hint, retry_after: e.retry_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_every_code() {
        for code in [0u8, 1, 2, 3, 4, 5, 6, 7, 8, 130] {
            assert!(TABLE.lines().any(|l| l.trim_start().starts_with(&format!("{code} "))), "{code} is missing");
        }
    }

    #[test]
    fn a_relay_cannot_print_escapes_through_an_error() {
        let error =
            Error { code: ErrorCode::NotFound, message: "no\u{1b}[31m".into(), hint: "a\nb".into(), retry_after: None };
        let failure = Failure::from(error);
        assert_eq!(failure.exit(), 4);
        assert_eq!(failure.to_string(), "no␛[31m a b");
    }
}
