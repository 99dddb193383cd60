//! `group link`, `group links`, `group unlink`, `join`, `lobby`: coming into groups by a link.

use std::time::Duration;

use livechat_node::api::{Event, Group, GroupLink, JoinState, Joining, LinkState, Request, Response};
use serde::Serialize;
use tokio::time::Instant;

use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::qr;
use crate::render::Look;
use crate::said;
use crate::style::Ink;
use crate::text;

/// What a link is to be like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Seconds from now until it is shut.
    pub expires_in: Option<u64>,
    /// How many may come in by it.
    pub uses: Option<u32>,
}

#[derive(Serialize)]
struct GroupLinkLine<'a> {
    group: &'a str,
    #[serde(flatten)]
    link: &'a GroupLink,
}

/// Understands `2d` as a time and `5` as a number of people.
///
/// # Errors
/// Neither of the two.
pub fn wanted(expires: Option<&str>, uses: Option<u32>) -> Result<Wanted, Failure> {
    let span = |typed: &str| {
        said::seconds(typed)
            .map(|s| Some(u64::from(s)).filter(|s| *s > 0))
            .ok_or_else(|| Failure::new(Exit::Usage, "That is no span of time.", "Write 30s, 5m, 2h, 1d or 1w."))
    };
    Ok(Wanted { expires_in: expires.map(span).transpose()?.flatten(), uses })
}

/// Makes a link.
///
/// # Errors
/// Our role doesn't allow it, or what else the node refuses.
pub async fn make(door: &Door, group: &Group, wanted: Wanted) -> Result<GroupLink, Failure> {
    let Wanted { expires_in, uses } = wanted;
    match door.ask(Request::MakeLink { conversation: group.conversation, expires_in, uses }).await? {
        Response::Link(link) => Ok(link),
        _ => Err(Failure::odd_answer()),
    }
}

/// The links into a group.
///
/// # Errors
/// What the node refuses.
pub async fn all(door: &Door, group: &Group) -> Result<Vec<GroupLink>, Failure> {
    match door.ask(Request::Links { conversation: group.conversation }).await? {
        Response::Links { links } => Ok(links),
        _ => Err(Failure::odd_answer()),
    }
}

/// Shuts the link with this number in the list, or this name.
///
/// # Errors
/// There is none, our role doesn't allow it, or what else the node refuses.
pub async fn revoke(door: &Door, group: &Group, which: &str) -> Result<(), Failure> {
    let links = all(door, group).await?;
    let numbered = which.parse::<usize>().ok().and_then(|n| links.get(n.checked_sub(1)?));
    let named = || links.iter().find(|l| l.door == which);
    let link = numbered.or_else(named).ok_or_else(|| {
        Failure::new(Exit::UnknownContact, "There is no such link.", "The links are listed by `group links TITLE`.")
    })?;
    door.ask(Request::RevokeLink { conversation: group.conversation, door: link.door.clone() }).await.map(|_| ())
}

/// Knocks with a link.
///
/// # Errors
/// It is none, or what else the node refuses.
pub async fn knock(door: &Door, link: &str) -> Result<Joining, Failure> {
    asked(door, Request::JoinLink { link: link.to_owned() }).await
}

/// Knocks at the relay's lobby.
///
/// # Errors
/// What the node refuses.
pub async fn lobby(door: &Door) -> Result<Joining, Failure> {
    asked(door, Request::Lobby).await
}

async fn asked(door: &Door, request: Request) -> Result<Joining, Failure> {
    match door.ask(request).await? {
        Response::Joining(joining) => Ok(joining),
        _ => Err(Failure::odd_answer()),
    }
}

/// `group link`.
pub(super) async fn run_make(
    door: &Door,
    group: &Group,
    wanted: Wanted,
    columns: Option<usize>,
    out: &mut Out,
) -> Result<(), Failure> {
    let link = make(door, group, wanted).await?;
    out.object("link", &GroupLinkLine { group: &group.title, link: &link })?;
    for line in out.look.new_link(&link, columns) {
        out.line(&line)?;
    }
    Ok(())
}

/// `group links`.
pub(super) async fn run_list(door: &Door, group: &Group, out: &mut Out) -> Result<(), Failure> {
    let links = all(door, group).await?;
    for (number, link) in (1..).zip(&links) {
        out.object("link", &GroupLinkLine { group: &group.title, link })?;
        out.line(&out.look.link(number, link))?;
    }
    if links.is_empty() { out.line("No links into this group.") } else { Ok(()) }
}

/// `join`: knocks, and waits so long for somebody to open.
///
/// # Errors
/// Refused, or nobody opened in time ([`Exit::Unreachable`]); the node goes on waiting.
pub async fn run_join(door: &Door, link: &str, seconds: u64, out: &mut Out) -> Result<(), Failure> {
    wait(door, Request::JoinLink { link: link.to_owned() }, seconds, out).await
}

/// `lobby`: knocks at the relay's lobby, and waits as [`run_join`] does.
///
/// # Errors
/// As [`run_join`].
pub async fn run_lobby(door: &Door, seconds: u64, out: &mut Out) -> Result<(), Failure> {
    wait(door, Request::Lobby, seconds, out).await
}

async fn wait(door: &Door, request: Request, seconds: u64, out: &mut Out) -> Result<(), Failure> {
    let mut events = door.events();
    let mut joining = asked(door, request.clone()).await?;
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        match &joining.state {
            JoinState::Joined { conversation } => {
                let group = door.group(*conversation).await?;
                out.object("group", &group)?;
                return out.line(&out.look.group(&group));
            }
            JoinState::Refused { why } => {
                return Err(Failure::new(Exit::Failure, sentence(&why.to_string()), "Ask for a new link."));
            }
            JoinState::Waiting => {}
        }
        match tokio::time::timeout_at(deadline, events.next()).await {
            Ok(Some(Event::JoiningChanged { joining: now })) if now.door == joining.door => joining = now,
            // What is lost is asked for again.
            Ok(Some(Event::Lagged)) => joining = asked(door, request.clone()).await?,
            Ok(Some(_)) => {}
            Ok(None) => return Err(Failure::new(Exit::Failure, "The node has stopped.", "Start it again.")),
            Err(_) => {
                return Err(Failure::new(
                    Exit::Unreachable,
                    format!("Nobody has opened within {seconds} s."),
                    "You come in as soon as one of those who may is online and your node runs.",
                ));
            }
        }
    }
}

/// `joining`: where one knocked and isn't in yet.
pub(crate) async fn run_joining(door: &Door, cancel: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    let Response::Joinings { joinings } = door.ask(Request::Joinings).await? else { return Err(Failure::odd_answer()) };
    if let Some(which) = cancel {
        let numbered = which.parse::<usize>().ok().and_then(|n| joinings.get(n.checked_sub(1)?));
        let name = numbered.map_or(which.to_owned(), |j| j.door.clone());
        door.ask(Request::CancelJoin { door: name }).await?;
        return out.done("No longer waiting there.");
    }
    for (number, joining) in (1..).zip(&joinings) {
        out.object("joining", joining)?;
        out.line(&format!("{number}  {}", out.look.joining(joining)))?;
    }
    if joinings.is_empty() { out.line("You are waiting at no door.") } else { Ok(()) }
}

pub(crate) fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let capital: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{capital}{}.", chars.as_str())
}

impl Look {
    /// A link just made: its code where it fits, its text, what it does.
    #[must_use]
    pub fn new_link(&self, link: &GroupLink, columns: Option<usize>) -> Vec<String> {
        let mut lines = Vec::new();
        let text = link.link.clone().unwrap_or_default();
        if let Some(code) = columns.and_then(|c| qr::lines(&text.to_uppercase(), c, self.style)) {
            lines.extend(code);
        }
        lines.push(text);
        let ends = match (link.expires_at.is_some(), link.uses) {
            (false, None) => "until you revoke it".to_owned(),
            (true, None) => "until it expires".to_owned(),
            (false, Some(n)) => format!("for {n} to come in"),
            (true, Some(n)) => format!("for {n} to come in, until it expires"),
        };
        lines.push(self.style.paint(Ink::Quiet, &format!("Whoever has this link comes in, {ends}.")));
        lines
    }

    /// A line of the list of links.
    #[must_use]
    pub fn link(&self, number: usize, link: &GroupLink) -> String {
        let state = match link.state {
            LinkState::Pending => "not open yet",
            LinkState::Open => "open",
            LinkState::Expired => "expired",
            LinkState::UsedUp => "used up",
        };
        let uses = link.uses.map(|n| format!(", {} of {n} used", link.used)).unwrap_or_default();
        let until = link.expires_at.map(|at| format!(", until {}", self.moment(at))).unwrap_or_default();
        let what = link.link.clone().unwrap_or_else(|| "(only the device that made it can show it)".to_owned());
        let by = text::word(&link.made_by);
        format!("{number}  {}\n   {what}", self.style.paint(Ink::Quiet, &format!("{state}{uses}{until}, by {by}")))
    }

    /// How it stands with a door at which one knocked.
    #[must_use]
    pub fn joining(&self, joining: &Joining) -> String {
        let names: Vec<String> = joining.doorkeepers.iter().map(|n| text::word(n)).collect();
        let whom = if names.is_empty() { "the lobby".to_owned() } else { names.join(", ") };
        match &joining.state {
            JoinState::Waiting => format!("Waiting for somebody to let you in ({whom})."),
            JoinState::Refused { why } => {
                self.style.paint(Ink::Warn, &format!("{} ({whom})", sentence(&why.to_string())))
            }
            JoinState::Joined { .. } => self.style.paint(Ink::Good, "You are in."),
        }
    }
}
