//! Building refusals. Prose and hints live here and in `account::problem`, so that every face says the same.

use super::{Error, ErrorCode};

impl Error {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into(), retry_after: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message, "This is a fault in the program that asked; update it.")
    }

    pub(crate) fn stopped() -> Self {
        Self::new(
            ErrorCode::Internal,
            "The node stopped or was locked before it could answer.",
            "Look how it stands, and ask again.",
        )
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if !self.hint.is_empty() {
            write!(f, " {}", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
