//! Signing up and logging in, step by step.

use livechat_node::api::{AccountState, Request, Response, SignUpTicket};

use super::Chat;
use super::keyboard::{Input, Keyboard};
use crate::exit::{Exit, Failure};
use crate::style::Ink;
use crate::text;
use crate::verbs::account::{held_line, recovery_lines, ticket_lines};

/// How a wizard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Logged in.
    In,
    /// Stopped with Ctrl-C or by word; the prompt goes on.
    Stopped,
    /// Ctrl-D: leave.
    Leave,
}

/// Whatever the account needs to be usable.
///
/// # Errors
/// The terminal is gone.
pub fn enter(chat: &mut Chat, keyboard: &mut dyn Keyboard) -> Result<End, Failure> {
    match chat.account()? {
        AccountState::Active { .. } => Ok(End::In),
        AccountState::LoggedOut { username } => log_in(chat, keyboard, &username),
        AccountState::Pending { ticket } => {
            keyboard.say(&format!("Going on with signing up as {}.", text::word(&ticket.username)));
            confirm(chat, keyboard, &ticket)
        }
        AccountState::None => {
            keyboard.say("Nobody is signed up on this device yet. Choose the name under which people find you.");
            sign_up(chat, keyboard)
        }
    }
}

/// A name, its ticket, the first code.
fn sign_up(chat: &mut Chat, keyboard: &mut dyn Keyboard) -> Result<End, Failure> {
    loop {
        let name = match keyboard.ask("Username: ")? {
            Input::Line(line) => line.trim().trim_start_matches('@').to_owned(),
            Input::Interrupt => return Ok(End::Stopped),
            Input::End => return Ok(End::Leave),
        };
        if name.is_empty() {
            continue;
        }
        match chat.ask(Request::CheckUsername { username: name.clone() }) {
            Ok(Response::Username(check)) if check.available => {
                if check.username != name {
                    keyboard.say(&format!("  as {}", text::word(&check.username)));
                }
            }
            Ok(Response::Username(check)) => {
                let why = if check.message.is_empty() {
                    "That name can't be had.".to_owned()
                } else {
                    text::prose(&check.message)
                };
                keyboard.say(&chat.paint(Ink::Warn, &format!("✗ {why}")));
                continue;
            }
            Ok(_) => return Err(Failure::odd_answer()),
            Err(e) => {
                if !chat.complain(keyboard, &e)? {
                    return Ok(End::Stopped);
                }
                continue;
            }
        }
        match chat.ask(Request::SignUp { username: name }) {
            Ok(Response::SignUp(ticket)) => {
                keyboard
                    .say(&chat.paint(Ink::Good, &format!("✓ {} is yours for an hour.", text::word(&ticket.username))));
                match confirm(chat, keyboard, &ticket)? {
                    // The sign-up was dropped or expired: another name.
                    End::Stopped if matches!(chat.account()?, AccountState::None) => {}
                    end => return Ok(end),
                }
            }
            Ok(_) => return Err(Failure::odd_answer()),
            Err(e) => {
                if !chat.complain(keyboard, &e)? {
                    return Ok(End::Stopped);
                }
            }
        }
    }
}

/// The ticket, then codes until one is right.
fn confirm(chat: &mut Chat, keyboard: &mut dyn Keyboard, ticket: &SignUpTicket) -> Result<End, Failure> {
    keyboard.say("");
    for line in ticket_lines(&chat.face.look(), ticket, keyboard.columns()) {
        keyboard.say(&line);
    }
    keyboard.say(&held_line(&chat.face.look(), ticket));
    keyboard.say("");
    loop {
        let code = match keyboard.ask("The six digits your app shows (or `cancel`): ")? {
            Input::Line(line) => line.trim().to_owned(),
            Input::Interrupt => {
                keyboard.say("Kept for later: /signup goes on.");
                return Ok(End::Stopped);
            }
            Input::End => return Ok(End::Leave),
        };
        if code.is_empty() {
            continue;
        }
        if code.eq_ignore_ascii_case("cancel") {
            chat.ask(Request::CancelSignUp)?;
            keyboard.say("Dropped.");
            return Ok(End::Stopped);
        }
        match chat.ask(Request::ConfirmSignUp { code }) {
            Ok(Response::SignedUp(signed_up)) => {
                keyboard.say(&chat.paint(Ink::Good, &format!("✓ You are {}.", text::word(&signed_up.username))));
                keyboard.say("");
                for line in recovery_lines(&signed_up.recovery_codes) {
                    keyboard.say(&line);
                }
                keyboard.say("");
                // Whatever is typed, the codes have been on the screen.
                keyboard.ask("Press Enter when you have kept them safe. ")?;
                keyboard.say("");
                if let Err(e) = chat.phrase(keyboard) {
                    // The account is there; the words can be had later.
                    chat.complain(keyboard, &e)?;
                }
                return Ok(End::In);
            }
            Ok(_) => return Err(Failure::odd_answer()),
            Err(e) => {
                if !chat.complain(keyboard, &e)? || !matches!(chat.account()?, AccountState::Pending { .. }) {
                    return Ok(End::Stopped);
                }
            }
        }
    }
}

/// Codes until one is right.
fn log_in(chat: &mut Chat, keyboard: &mut dyn Keyboard, username: &str) -> Result<End, Failure> {
    keyboard.say(&format!(
        "Welcome back, {}. Your session is over; a code begins the next ten days.",
        text::word(username)
    ));
    loop {
        let code = match keyboard.ask("Code (six digits, or a recovery code): ")? {
            Input::Line(line) => line.trim().to_owned(),
            Input::Interrupt => return Ok(End::Stopped),
            Input::End => return Ok(End::Leave),
        };
        if code.is_empty() {
            continue;
        }
        match chat.ask(Request::LogIn { username: username.to_owned(), code }) {
            Ok(_) => {
                keyboard.say(&chat.paint(Ink::Good, "✓ Logged in."));
                return Ok(End::In);
            }
            Err(e) => {
                if !chat.complain(keyboard, &e)? {
                    return Ok(End::Stopped);
                }
            }
        }
    }
}

impl Chat {
    /// Says what went wrong. Whether trying again makes sense at once: not after Ctrl-C.
    fn complain(&mut self, keyboard: &mut dyn Keyboard, failure: &Failure) -> Result<bool, Failure> {
        if failure.code == Exit::Interrupted {
            return Ok(false);
        }
        self.tell(keyboard, Ink::Warn, &format!("✗ {failure}"));
        if let Some(seconds) = failure.retry_after {
            keyboard.say(&format!("  Wait {seconds} s, then try again."));
        }
        Ok(true)
    }
}
