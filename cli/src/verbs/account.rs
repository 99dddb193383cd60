//! `signup`, `confirm`, `login`, `logout`.

use std::io::BufRead;

use livechat_node::api::{AccountState, Request, Response, SignUpTicket};
use serde::Serialize;

use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::{qr, text};

#[derive(Serialize)]
struct TicketLine<'a> {
    username: &'a str,
    otpauth_uri: &'a str,
    setup_key: &'a str,
    expires_at: u64,
}

/// Asks for a name and prints what the authenticator app needs.
///
/// # Errors
/// The name can't be had, or the relay is away.
pub async fn sign_up(door: &Door, name: &str, columns: Option<usize>, out: &mut Out) -> Result<(), Failure> {
    let Response::SignUp(ticket) = door.ask(Request::SignUp { username: name.to_owned() }).await? else {
        return Err(Failure::odd_answer());
    };
    let SignUpTicket { username, otpauth_uri, setup_key, expires_at, .. } = &ticket;
    out.object("sign_up", &TicketLine { username, otpauth_uri, setup_key, expires_at: *expires_at })?;
    for line in ticket_lines(&out.look, &ticket, columns) {
        out.line(&line)?;
    }
    out.line(&held_line(&out.look, &ticket))?;
    out.line("Then: livechat confirm CODE")
}

/// The ticket for people: code to scan (where there is a terminal wide enough), key to type, deadline.
#[must_use]
pub fn ticket_lines(look: &crate::render::Look, ticket: &SignUpTicket, columns: Option<usize>) -> Vec<String> {
    let mut lines =
        vec!["Open your authenticator app (any that does TOTP) and add this account:".to_owned(), String::new()];
    match columns.map(|c| qr::lines(&ticket.otpauth_uri, c, look.style)) {
        Some(Some(code)) => {
            lines.extend(code);
            lines.push(String::new());
            lines.push("Scan the code, or type the setup key:".to_owned());
        }
        Some(None) => lines.push("(This terminal is too narrow for the QR code.) Type the setup key:".to_owned()),
        None => lines.push(text::prose(&ticket.otpauth_uri)),
    }
    lines.push(format!("    {}", grouped(&ticket.setup_key)));
    lines.push(String::new());
    lines
}

/// Until when the code of a sign-up is waited for.
#[must_use]
pub fn held_line(look: &crate::render::Look, ticket: &SignUpTicket) -> String {
    format!("The name {} is held for you until {}.", text::word(&ticket.username), look.moment(ticket.expires_at))
}

/// Four characters at a time: easier to type; authenticator apps ignore the blanks.
fn grouped(key: &str) -> String {
    let chars: Vec<char> = text::word(key).chars().collect();
    chars.chunks(4).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// The first code.
///
/// # Errors
/// Wrong code, expired, or nobody is signing up.
pub async fn confirm(door: &Door, code: String, out: &mut Out) -> Result<(), Failure> {
    let Response::SignedUp(signed_up) = door.ask(Request::ConfirmSignUp { code }).await? else {
        return Err(Failure::odd_answer());
    };
    out.object("signed_up", &signed_up)?;
    for line in recovery_lines(&signed_up.recovery_codes) {
        out.line(&line)?;
    }
    out.line(&format!("You are {} now, logged in for ten days.", text::word(&signed_up.username)))?;
    out.line("Then: livechat phrase show, and write the 24 words down: nothing else gives your account back.")
}

/// The recovery codes in two columns.
#[must_use]
pub fn recovery_lines(codes: &[String]) -> Vec<String> {
    let mut lines = vec![
        "Recovery codes, each good for one log-in without the app. They are shown once: keep them safe.".to_owned(),
    ];
    for pair in codes.chunks(2) {
        lines.push(format!("    {}", pair.iter().map(|c| text::word(c)).collect::<Vec<_>>().join("    ")));
    }
    lines
}

/// Ten days.
///
/// # Errors
/// Wrong code, or the relay is away.
pub async fn log_in(door: &Door, name: Option<&str>, code: String, out: &mut Out) -> Result<(), Failure> {
    let username = match name {
        Some(name) => name.to_owned(),
        None => match door.status().await?.account {
            AccountState::LoggedOut { username }
            | AccountState::Locked { username, .. }
            | AccountState::Active { username, .. } => username,
            AccountState::None | AccountState::Pending { .. } | AccountState::Linking { .. } => {
                return Err(Failure::new(
                    Exit::NotSignedIn,
                    "Nobody is signed up on this device.",
                    "Sign up first: `livechat signup NAME`; or, with an account elsewhere, `livechat link NAME CODE`.",
                ));
            }
        },
    };
    door.ask(Request::LogIn { username: username.clone(), code }).await?;
    out.done(&format!("You are {}, logged in for ten days.", text::word(&username)))
}

/// Out.
///
/// # Errors
/// Nobody was logged in.
pub async fn log_out(door: &Door, out: &mut Out) -> Result<(), Failure> {
    door.ask(Request::LogOut).await?;
    out.done("Logged out.")
}

/// The code; `-` reads it from standard input, which keeps it out of the process list. Blocks, so it comes before a node
/// is looked for.
///
/// # Errors
/// Standard input can't be read.
pub fn code(code: &str) -> Result<String, Failure> {
    if code != "-" {
        return Ok(code.to_owned());
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| Failure::io("read standard input", &e))?;
    Ok(line.trim().to_owned())
}

/// Fresh recovery codes.
///
/// # Errors
/// Wrong code, or the relay is away.
pub async fn recovery_codes(door: &Door, code: String, out: &mut Out) -> Result<(), Failure> {
    let Response::RecoveryCodes(fresh) = door.ask(Request::NewRecoveryCodes { code }).await? else {
        return Err(Failure::odd_answer());
    };
    out.object("recovery_codes", &fresh)?;
    for line in recovery_lines(&fresh.recovery_codes) {
        out.line(&line)?;
    }
    Ok(())
}

/// Another name.
///
/// # Errors
/// It can't be had, the code is wrong, or the relay is away.
pub async fn rename(door: &Door, name: &str, code: String, out: &mut Out) -> Result<(), Failure> {
    let username = name.trim().trim_start_matches('@').to_owned();
    door.ask(Request::ChangeUsername { username, code }).await?;
    out.done(RENAMED)
}

/// What a change of name means, said once it is done.
pub const RENAMED: &str = "That is your name now. Your contacts see it within minutes; the old one is kept from others for \
                           thirty days, and leads nobody to you. Links into groups that you made before need making anew.";

/// What the second authenticator needs.
///
/// # Errors
/// Wrong code, two authenticators already, or the relay is away.
pub async fn add_authenticator(
    door: &Door,
    code: String,
    columns: Option<usize>,
    out: &mut Out,
) -> Result<(), Failure> {
    let Response::Authenticator(ticket) = door.ask(Request::AddAuthenticator { code }).await? else {
        return Err(Failure::odd_answer());
    };
    let SignUpTicket { username, otpauth_uri, setup_key, expires_at, .. } = &ticket;
    out.object("authenticator", &TicketLine { username, otpauth_uri, setup_key, expires_at: *expires_at })?;
    for line in ticket_lines(&out.look, &ticket, columns) {
        out.line(&line)?;
    }
    out.line("Then: livechat authenticator confirm CODE")
}
