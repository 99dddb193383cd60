//! `sessions`: where the account is logged in.

use livechat_node::api::{AccountSession, Request, Response};

use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::render::Look;
use crate::text;

/// Asks for them, newest first.
///
/// # Errors
/// Nobody is logged in, or the relay is away.
pub async fn list(door: &Door) -> Result<Vec<AccountSession>, Failure> {
    match door.ask(Request::Sessions).await? {
        Response::Sessions { sessions } => Ok(sessions),
        _ => Err(Failure::odd_answer()),
    }
}

/// The one that was shown under a number.
///
/// # Errors
/// No such number, or one's own session: that is what logging out is for.
pub fn nth(sessions: &[AccountSession], n: u32) -> Result<&AccountSession, Failure> {
    let found = (n as usize).checked_sub(1).and_then(|i| sessions.get(i));
    match found {
        Some(s) if s.current => Err(Failure::new(Exit::Usage, "That is this session.", "Log out instead.")),
        Some(s) => Ok(s),
        None => {
            Err(Failure::new(Exit::Usage, format!("There is no session {n}."), "`sessions`, or /sessions, lists them."))
        }
    }
}

/// Numbered lines.
#[must_use]
pub fn lines(look: &Look, sessions: &[AccountSession]) -> Vec<String> {
    let line = |(n, s): (usize, &AccountSession)| {
        let where_ = match (s.current, s.this_device) {
            (true, _) => "this device, now",
            (false, true) => "this device, earlier",
            (false, false) => "elsewhere",
        };
        format!("  {}  {where_}, since {}, until {}", n + 1, look.moment(s.created_at), look.moment(s.expires_at))
    };
    sessions.iter().enumerate().map(line).collect()
}

/// Lists them.
///
/// # Errors
/// See [`list`].
pub async fn show(door: &Door, out: &mut Out) -> Result<(), Failure> {
    let sessions = list(door).await?;
    for session in &sessions {
        out.object("session", session)?;
    }
    for line in lines(&out.look, &sessions) {
        out.line(&line)?;
    }
    Ok(())
}

/// Ends one, by its number in the list or by its id.
///
/// # Errors
/// No such session, or the relay is away.
pub async fn end(door: &Door, which: &str, out: &mut Out) -> Result<(), Failure> {
    let id = match which.parse() {
        Ok(n) => nth(&list(door).await?, n)?.id.clone(),
        Err(_) => which.to_owned(),
    };
    door.ask(Request::EndSession { id: id.clone() }).await?;
    out.done(&format!("Session {} is over.", text::word(&id)))
}
