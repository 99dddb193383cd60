//! `group`: groups of many.

use livechat_node::api::{Group, GroupMember, Membership, Order, Request, Response, Role};

use super::links;
use crate::args::GroupVerb;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::render::Look;
use crate::style::Ink;
use crate::text;

/// Does what was asked of groups.
///
/// # Errors
/// No such group, no such member, or what the node refuses.
pub async fn run(door: &Door, what: &GroupVerb, columns: Option<usize>, out: &mut Out) -> Result<(), Failure> {
    match what {
        GroupVerb::List => list(door, out).await,
        GroupVerb::New { title, members } => {
            let group = create(door, title, members).await?;
            out.object("group", &group)?;
            out.line(&out.look.group(&group))
        }
        GroupVerb::Members { title } => {
            let group = door.group_named(title).await?;
            out.object("group", &group)?;
            for line in out.look.members(&group) {
                out.line(&line)?;
            }
            Ok(())
        }
        GroupVerb::Invite { title, name } => {
            let group = door.group_named(title).await?;
            out.done(&invite(door, &group, name).await?)
        }
        GroupVerb::Kick { title, name } => {
            let group = door.group_named(title).await?;
            out.done(&kick(door, &group, name).await?)
        }
        GroupVerb::Role { title, name, role } => {
            let group = door.group_named(title).await?;
            out.done(&set_role(door, &group, name, (*role).into()).await?)
        }
        GroupVerb::Rename { title, to } => {
            let conversation = door.group_named(title).await?.conversation;
            door.ask(Request::SetTitle { conversation, title: to.clone() }).await?;
            out.done(NOTED)
        }
        GroupVerb::Link { title, expires, uses } => {
            let wanted = links::wanted(expires.as_deref(), *uses)?;
            let group = door.group_named(title).await?;
            links::run_make(door, &group, wanted, columns, out).await
        }
        GroupVerb::Links { title } => {
            let group = door.group_named(title).await?;
            links::run_list(door, &group, out).await
        }
        GroupVerb::Unlink { title, link } => {
            let group = door.group_named(title).await?;
            links::revoke(door, &group, link).await?;
            out.done(NOTED)
        }
        GroupVerb::Leave { title, .. } => {
            let conversation = door.group_named(title).await?.conversation;
            door.ask(Request::LeaveGroup { conversation }).await?;
            out.done("Left. What was said there stays on this device.")
        }
    }
}

/// What a change of a group is answered with.
pub const NOTED: &str = "Noted; it takes effect when the relay has put it in order.";

async fn list(door: &Door, out: &mut Out) -> Result<(), Failure> {
    let groups = door.groups().await?;
    for group in &groups {
        out.object("group", group)?;
        out.line(&out.look.group(group))?;
    }
    if groups.is_empty() {
        out.line("No groups yet: `livechat group new TITLE NAME…`.")?;
    }
    Ok(())
}

/// Founds a group; the members are on their way into it.
///
/// # Errors
/// What the node refuses.
pub async fn create(door: &Door, title: &str, members: &[String]) -> Result<Group, Failure> {
    let members = members.iter().map(|m| m.trim_start_matches('@').to_owned()).collect();
    let Response::GroupCreated { conversation } =
        door.ask(Request::CreateGroup { title: title.to_owned(), members }).await?
    else {
        return Err(Failure::odd_answer());
    };
    door.group(conversation).await
}

/// Takes somebody in; what to say of it.
///
/// # Errors
/// Our role doesn't allow it, or what else the node refuses.
pub async fn invite(door: &Door, group: &Group, name: &str) -> Result<String, Failure> {
    let username = name.trim_start_matches('@').to_owned();
    let line = format!("{} is being added.", text::word(&username));
    door.ask(Request::Invite { conversation: group.conversation, username }).await?;
    Ok(line)
}

/// Takes somebody out; what to say of it.
///
/// # Errors
/// Nobody of that name is in the group, our role doesn't allow it, or what else the node refuses.
pub async fn kick(door: &Door, group: &Group, name: &str) -> Result<String, Failure> {
    let member = member(group, name)?;
    door.ask(Request::RemoveMember { conversation: group.conversation, account: member.account }).await?;
    Ok(format!("{} is being removed.", text::word(&member.username)))
}

/// Changes what somebody may do; what to say of it.
///
/// # Errors
/// Nobody of that name is in the group, our role doesn't allow it, or what else the node refuses.
pub async fn set_role(door: &Door, group: &Group, name: &str, role: Role) -> Result<String, Failure> {
    let account = member(group, name)?.account;
    door.ask(Request::SetRole { conversation: group.conversation, account, role }).await?;
    Ok(NOTED.to_owned())
}

fn member<'g>(group: &'g Group, name: &str) -> Result<&'g GroupMember, Failure> {
    let name = name.trim_start_matches('@').to_lowercase();
    group.members.iter().find(|m| m.username.to_lowercase() == name).ok_or_else(|| {
        let words = format!("Nobody called {name} is in {}.", text::word(&group.title));
        Failure::new(
            Exit::UnknownContact,
            words,
            "The members of the group are listed by `group members`, or /members.",
        )
    })
}

impl Look {
    /// A line of the list of groups.
    #[must_use]
    pub fn group(&self, group: &Group) -> String {
        let title = self.style.paint(Ink::Name, &text::word(&group.title));
        let state = match group.standing {
            Membership::Joined if group.waiting => {
                self.style.paint(Ink::Warn, "  changes wait until the relay is back")
            }
            Membership::Joined if group.pending > 0 => self.style.paint(Ink::Quiet, "  changes are under way"),
            Membership::Joined => String::new(),
            Membership::Left => self.style.paint(Ink::Quiet, "  you left"),
            Membership::Removed => self.style.paint(Ink::Quiet, "  you were removed"),
        };
        let order = match group.order {
            Order::Relay => "",
            Order::Here => "  the relay is away: this device puts changes in order",
            Order::Deputy => "  the relay is away: an admin's device puts changes in order",
            Order::Nobody => "  the relay is away, and nobody puts changes in order: they wait",
        };
        let order = if order.is_empty() { String::new() } else { self.style.paint(Ink::Warn, order) };
        let provisional = if group.provisional > 0 {
            self.style.paint(Ink::Warn, "  changed without the relay, which may take it back")
        } else {
            String::new()
        };
        let forked = if group.forked {
            self.style.paint(Ink::Bad, "  the relay showed two orders: members may see different groups")
        } else {
            String::new()
        };
        let count = match group.members.len() {
            1 => "1 member".to_owned(),
            n => format!("{n} members"),
        };
        format!("{title}  {}{state}{order}{provisional}{forked}", self.style.paint(Ink::Quiet, &count))
    }

    /// The members of a group, one a line.
    #[must_use]
    pub fn members(&self, group: &Group) -> Vec<String> {
        let line = |m: &GroupMember| {
            let ink = if m.own { Ink::Own } else { Ink::Name };
            let role = match m.role {
                Role::Owner => "  owner",
                Role::Admin => "  admin",
                Role::Member => "",
            };
            let you = if m.own { " (you)" } else { "" };
            format!("  {}{you}{}", self.style.paint(ink, &text::word(&m.username)), self.style.paint(Ink::Quiet, role))
        };
        group.members.iter().map(line).collect()
    }
}
