//! The engine's refusals and the relay's views on names, in words.

use livechat_engine::{CommandError, LookupFailure};
use livechat_wire::http::{UsernameAvailability, UsernameProblem};
use livechat_wire::limits;

use crate::account::Phase;
use crate::api::{Error, ErrorCode, UsernameCheck};
use crate::relay::AskError;

/// What a failed command means to people.
pub(crate) fn of_command(e: CommandError) -> Error {
    let (code, message, hint) = match e {
        CommandError::NoAccount => (ErrorCode::WrongState, "Nobody has signed up on this device.", "Sign up first."),
        CommandError::UnknownConversation => {
            (ErrorCode::NotFound, "There is no such conversation.", "Add the contact first.")
        }
        CommandError::Oneself => (ErrorCode::BadRequest, "That is your own name.", "Add somebody else."),
        CommandError::BadText => return bad_text(),
        CommandError::IdTaken => {
            (ErrorCode::BadRequest, "Another message has this id.", "Send it under a new id, or without one.")
        }
        CommandError::QueueFull => (
            ErrorCode::TooManyRequests,
            "Too many messages wait for the relay already.",
            "Wait until the relay can be reached and some are delivered.",
        ),
        CommandError::TooMany => (
            ErrorCode::TooManyRequests,
            "That is too much at once: of names being looked up, of contacts, of changes of a group, or of emoji under one \
             message.",
            "Wait a moment, or take something away; then try again.",
        ),
        CommandError::UnknownMessage => {
            (ErrorCode::NotFound, "There is no such message, or not any more.", "Choose another one.")
        }
        CommandError::NotYours => (
            ErrorCode::NotYours,
            "That message is somebody else's: only one's own can be edited, or deleted for everyone.",
            "You can delete it on this device.",
        ),
        CommandError::KeyChanged => (
            ErrorCode::Untrusted,
            "That name leads to another account than the one you knew by it: they signed up anew, or somebody else is \
             there. Nothing was sent.",
            "Compare the safety number with them in person or on a call, and verify them; or accept them on their word.",
        ),
        CommandError::BadCode => (
            ErrorCode::BadText,
            "That is no verification code.",
            "It begins with LIVECHAT-VERIFY; copy all of it, or scan it again.",
        ),
        CommandError::CodeDiffers => (
            ErrorCode::Untrusted,
            "The code is not what this device sees: it is another person's, or somebody sits between you.",
            "Make sure that both of you have each other's chat open; if it stays so, don't trust this chat.",
        ),
        CommandError::NoKeys => (
            ErrorCode::NotFound,
            "This chat came back from a backup, and its keys did not. Nothing was sent.",
            "Add its contact again by name; the history stays where it is.",
        ),
        CommandError::Blocked => {
            (ErrorCode::Blocked, "This conversation is blocked. Nothing was sent.", "Unblock it first.")
        }
        CommandError::BadEmoji => {
            (ErrorCode::BadRequest, "That can't stand under a message.", "Choose an emoji, or a short word.")
        }
        CommandError::BadTimer => {
            (ErrorCode::BadRequest, "Messages disappear after a year at the latest.", "Choose a shorter time.")
        }
        CommandError::BadName => (ErrorCode::BadRequest, "A name is one line of at most 128 bytes.", "Shorten it."),
        CommandError::Lookup(LookupFailure::NotFound) => {
            (ErrorCode::NotFound, "Nobody has that name at this relay.", "Check the spelling.")
        }
        CommandError::Lookup(LookupFailure::Unreachable) => (
            ErrorCode::RelayUnreachable,
            "The relay can't be reached.",
            "Check the network connection; then try again.",
        ),
        CommandError::Lookup(LookupFailure::TooMany { retry_after }) => {
            let e = Error::new(ErrorCode::TooManyRequests, "Too many names were looked up.", "Wait, then try again.");
            return Error { retry_after: Some(retry_after), ..e };
        }
        CommandError::Lookup(_) => {
            (ErrorCode::RelayFailed, "The relay couldn't look the name up.", "Try again in a minute.")
        }
        CommandError::Untrusted => (
            ErrorCode::Untrusted,
            "The keys the relay gave for that name don't verify, or aren't the ones known before. Nothing was sent.",
            "Ask the contact in another way whether they signed up anew; if not, don't trust this relay.",
        ),
        CommandError::NoDevice => (
            ErrorCode::NotFound,
            "The contact has no device that can be reached.",
            "Ask them to open LiveChat once; then try again.",
        ),
        CommandError::UnknownDevice => {
            (ErrorCode::NotFound, "There is no such device of this account.", "List the devices again.")
        }
        CommandError::DeviceRemoved => (
            ErrorCode::WrongState,
            "This device was removed from its account.",
            "What is here can be read; to write again, sign in anew as a new device.",
        ),
        CommandError::NotMember => {
            (ErrorCode::NotFound, "That is no group that you are in.", "Ask somebody in it to invite you.")
        }
        CommandError::NotOffered => {
            (ErrorCode::WrongState, "Files can't go directly in this chat.", "They go by the relay.")
        }
        CommandError::NotAtRelay => (
            ErrorCode::WrongState,
            "This file went directly from one device to the other: the relay doesn't have it, so it can't be passed on.",
            "Save it, and send it as a file.",
        ),
        CommandError::NotAllowed => (
            ErrorCode::NotAllowed,
            "Your role in the group doesn't allow that.",
            "Ask an owner or an admin of the group.",
        ),
        CommandError::LastOwner => (
            ErrorCode::NotAllowed,
            "You are the group's only owner.",
            "Make somebody else an owner first; then try again.",
        ),
        CommandError::BadTitle => return bad_title(),
        CommandError::BadLink => (
            ErrorCode::BadRequest,
            "That is no invitation link, or a part of it is missing.",
            "Copy all of it: it begins with livechat:join:",
        ),
        CommandError::OtherRelay => {
            (ErrorCode::BadRequest, "That link is for another relay.", "Ask for one of the relay that you are at.")
        }
        CommandError::UnknownLink => (ErrorCode::NotFound, "There is no such link.", "List the links again."),
        CommandError::Encryption => {
            (ErrorCode::Internal, "The message couldn't be encrypted.", "Try again; report it if it stays.")
        }
        _ => (ErrorCode::Internal, "The request failed.", "Try again; report it if it stays."),
    };
    Error::new(code, message, hint)
}

fn bad_title() -> Error {
    let message = format!("A group's title has 1 to {} bytes.", limits::TITLE);
    Error::new(ErrorCode::BadText, message, "Choose a shorter one.")
}

fn bad_text() -> Error {
    let message = format!("A message needs some text, at most {} bytes.", limits::TEXT);
    Error::new(ErrorCode::BadText, message, "Shorten it, or send it in parts.")
}

/// What a request meets that needs somebody to be logged in.
pub(super) fn locked(phase: &Phase) -> Error {
    let (message, hint) = match phase {
        Phase::None => ("Nobody has signed up on this device.", "Sign up first."),
        Phase::Pending(_) => ("The sign-up isn't finished.", "Enter the authenticator's first code."),
        Phase::Linking(_) => {
            ("This device waits to be added to its account.", "Enter its code on another device of the account.")
        }
        Phase::LoggedOut | Phase::Active(_) | Phase::Locked => {
            ("Nobody is logged in.", "Log in with a code of the authenticator.")
        }
    };
    Error::new(ErrorCode::WrongState, message, hint)
}

/// What would close for good what can be read on a removed device.
pub(super) fn removed() -> Error {
    let message = "This device was removed from the account: no code would open it again.";
    let hint = "Export what you want to keep, then erase this device.";
    Error::new(ErrorCode::WrongState, message, hint)
}

/// What needs the relay to know this device's session.
pub(super) fn logged_out() -> Error {
    let message = "The relay has no session of this device.";
    Error::new(ErrorCode::WrongState, message, "Log in with a code of the authenticator.")
}

/// Too much at once.
pub(super) fn busy() -> Error {
    let e = Error::new(ErrorCode::TooManyRequests, "This node has too much to do.", "Wait a second, then try again.");
    Error { retry_after: Some(1), ..e }
}

/// A failed look-up, as the engine wants it.
pub(super) fn of_lookup(e: &AskError) -> LookupFailure {
    use livechat_wire::http::ProblemCode;
    match e {
        AskError::Unreachable(_) => LookupFailure::Unreachable,
        AskError::Problem(p) => match p.code {
            ProblemCode::NotFound => LookupFailure::NotFound,
            ProblemCode::TooManyRequests => LookupFailure::TooMany { retry_after: p.retry_after.unwrap_or(60) },
            ProblemCode::Unavailable => LookupFailure::Unreachable,
            _ => LookupFailure::Failed,
        },
        AskError::Answer(_) | AskError::TwoTruths => LookupFailure::Failed,
    }
}

/// A name, checked, with the reason in words.
pub(crate) fn username_check(a: UsernameAvailability) -> UsernameCheck {
    let message = match a.problem {
        None if a.available => String::new(),
        None => "This name can't be had.".into(),
        Some(problem) => in_words(problem),
    };
    UsernameCheck { username: a.username, available: a.available, problem: a.problem, message }
}

fn in_words(problem: UsernameProblem) -> String {
    match problem {
        UsernameProblem::TooShort => format!("A name has at least {} characters.", limits::USERNAME_MIN_CHARS),
        UsernameProblem::TooLong => format!("A name has at most {} characters.", limits::USERNAME_MAX_CHARS),
        UsernameProblem::Forbidden => "A name has letters, digits and . _ - only.".into(),
        UsernameProblem::MixedScripts => "The letters of a name are all of one script.".into(),
        UsernameProblem::Taken => "Somebody has this name, or one that looks the same.".into(),
        UsernameProblem::Reserved => "This name is kept for the operator.".into(),
        _ => "This name can't be had.".into(),
    }
}
