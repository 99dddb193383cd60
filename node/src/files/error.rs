//! What can go wrong with a file, by who must act, and what people are told.

use std::io;

use livechat_crypto::file::OpenFileError;

use super::image::ImageError;
use crate::api::{Error, ErrorCode};

/// A file that can't be sent, fetched or saved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// What is to be sent can't be read.
    #[error("the file can't be read: {0}")]
    Read(#[source] io::Error),
    /// What is to be sent isn't a file.
    #[error("that is no file")]
    NotAFile,
    /// More than can be sent.
    #[error("the file is too large")]
    TooLarge,
    /// The data directory can't be read or written.
    #[error("the data directory can't be used: {0}")]
    Shelf(#[source] io::Error),
    /// The place to save to can't be written.
    #[error("the file can't be saved there: {0}")]
    Save(#[source] io::Error),
    /// There is something at the place to save to.
    #[error("there is something already")]
    Exists,
    /// The bytes aren't those that the message speaks of.
    #[error(transparent)]
    Foreign(#[from] OpenFileError),
    /// An image that isn't one, or would take too much to look at.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// What was to be a voice note isn't one.
    #[error("that is no voice note")]
    NoVoice,
    /// The node stops.
    #[error("the node stops")]
    Ended,
}

impl From<FileError> for Error {
    fn from(e: FileError) -> Self {
        match e {
            FileError::Read(cause) => Self::new(
                ErrorCode::BadFile,
                format!("The file can't be read: {cause}."),
                "Check the path, and that you may read it.",
            ),
            FileError::NotAFile => Self::new(
                ErrorCode::BadFile,
                "That is a folder, or something else that isn't a file.",
                "Pack it first.",
            ),
            FileError::TooLarge => {
                Self::new(ErrorCode::TooLarge, "A file has at most 1 GiB.", "Send it in pieces, or make it smaller.")
            }
            FileError::Shelf(cause) => Self::new(
                ErrorCode::StoreFailed,
                format!("This device's data directory can't be used: {cause}."),
                "Free some disk space, check that the disk works, then try again.",
            ),
            FileError::Save(cause) => Self::new(
                ErrorCode::BadFile,
                format!("The file can't be saved there: {cause}."),
                "Choose another place, or free some disk space.",
            ),
            FileError::Exists => Self::new(
                ErrorCode::BadFile,
                "There is a file of that name already. Nothing was overwritten.",
                "Choose another name, or a folder.",
            ),
            FileError::Foreign(_) => Self::new(
                ErrorCode::Untrusted,
                "What the relay gave isn't the file that was sent. Nothing of it was kept.",
                "Ask for it to be sent again.",
            ),
            FileError::Image(e) => Self::new(
                ErrorCode::BadFile,
                format!("The image wasn't sent: {e}."),
                "Send it as it is, with everything that is stored in it beside the picture, if that is all right.",
            ),
            FileError::NoVoice => Self::new(
                ErrorCode::BadFile,
                "That isn't a recording that others could play, or it is longer than an hour.",
                "Record it again, or send it as a file.",
            ),
            FileError::Ended => Self::stopped(),
        }
    }
}
