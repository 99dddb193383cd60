//! What can go wrong with an HTTP exchange, and what people are told about it.

use livechat_wire::http::{Problem, ProblemCode};

use crate::api::{Error, ErrorCode};
use crate::limits;

/// An exchange that gave no answer to work with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// No connection, or it broke, or it took too long. Whether the relay acted on the request is unknown.
    #[error("the relay can't be reached: {0}")]
    Unreachable(String),
    /// The relay refused.
    #[error("{}", .0.message)]
    Problem(Problem),
    /// Something that isn't the relay's API answered.
    #[error("the relay's answer can't be understood: {0}")]
    Answer(&'static str),
    /// What it says about our account contradicts itself or what is known here.
    #[error("what the relay says about this account doesn't hold together")]
    TwoTruths,
}

impl AskError {
    /// The relay's reason, if it gave one.
    pub(crate) fn problem(&self) -> Option<ProblemCode> {
        match self {
            Self::Problem(p) => Some(p.code),
            _ => None,
        }
    }

    /// One line for the status, without the address (which stands beside it).
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Unreachable(cause) => format!("The relay can't be reached: {cause}."),
            Self::Problem(p) => printable(&p.message),
            Self::TwoTruths => "What the relay says about this account doesn't hold together.".into(),
            Self::Answer(what) => format!("What answers there isn't a LiveChat relay ({what}); check its address."),
        }
    }
}

impl From<AskError> for Error {
    fn from(e: AskError) -> Self {
        match e {
            AskError::Unreachable(cause) => Self::new(
                ErrorCode::RelayUnreachable,
                format!("The relay can't be reached: {cause}."),
                "Check the network connection and the relay's address; then try again.",
            ),
            AskError::Answer(what) => Self::new(
                ErrorCode::RelayFailed,
                format!("The relay's answer can't be understood: {what}."),
                "Check that the relay's address is right and that relay and node are of matching versions.",
            ),
            AskError::TwoTruths => Self::new(
                ErrorCode::RelayFailed,
                "What the relay says about this account doesn't hold together.",
                "Check the relay's address; if it is right, don't go on, and ask its operator what happened.",
            ),
            AskError::Problem(p) => {
                let (code, hint) = of_problem(p.code);
                Self { retry_after: p.retry_after, ..Self::new(code, printable(&p.message), hint) }
            }
        }
    }
}

/// The relay's message already names cause and next step; a hint is added where only this side knows it.
fn of_problem(code: ProblemCode) -> (ErrorCode, &'static str) {
    match code {
        ProblemCode::UsernameUnavailable => (ErrorCode::UsernameUnavailable, "Choose another name."),
        ProblemCode::InvalidCredentials => (
            ErrorCode::InvalidCredentials,
            "Each code works once, and only while this device's clock and the phone's agree.",
        ),
        ProblemCode::PendingExpired => (ErrorCode::PendingExpired, "Begin the sign-up again."),
        ProblemCode::Unauthenticated => (ErrorCode::WrongState, "Log in again."),
        ProblemCode::DeviceRequired => (ErrorCode::NotThisDevice, "Log in on the device that signed up."),
        ProblemCode::NotFound => (ErrorCode::NotFound, "Check the spelling."),
        ProblemCode::TooManyRequests => (ErrorCode::TooManyRequests, "Wait, then try again."),
        ProblemCode::Unavailable => (ErrorCode::RelayFailed, "Try again in a minute."),
        ProblemCode::BadRequest | ProblemCode::TooLarge => {
            (ErrorCode::RelayFailed, "Relay and node may be of different versions; update the older one.")
        }
        _ => (ErrorCode::RelayFailed, "Try again; tell the relay's operator if it stays."),
    }
}

/// Text from the relay, fit for a terminal: bounded, without control characters.
fn printable(text: &str) -> String {
    let mut out: String = text.chars().filter(|c| !c.is_control()).collect();
    if out.len() > limits::PROBLEM_TEXT {
        let cut = (0..=limits::PROBLEM_TEXT).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(cut);
        out.push('…');
    }
    if out.is_empty() { "The relay refused without saying why.".into() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relays_words_are_made_harmless() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a[2Jb");
        assert_eq!(printable(&"ä".repeat(900)).len(), limits::PROBLEM_TEXT + '…'.len_utf8());
        assert_eq!(printable("\u{7}"), "The relay refused without saying why.");
    }
}
