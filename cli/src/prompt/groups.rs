//! `/group`, `/join`, `/members`, `/invite`, `/kick`, `/role`, `/title`, `/leave`: the group in the prompt.

use livechat_node::api::{Group, JoinState, Joining, Membership, Request, Role};

use super::Chat;
use super::account::answer;
use super::keyboard::Keyboard;
use crate::exit::{Exit, Failure};
use crate::style::Ink;
use crate::text;
use crate::verbs::groups::{NOTED, create, invite, kick, set_role};
use crate::verbs::links::{self, Wanted};

/// Something about groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// Which there are.
    List,
    /// Talk to one.
    Enter(String),
    /// Found one.
    New {
        /// What it is called.
        title: String,
        /// Who is in it.
        members: Vec<String>,
    },
    /// Who is in the one in the prompt.
    Members,
    /// Take somebody in.
    Invite(String),
    /// Take somebody out.
    Kick(String),
    /// Change what somebody may do.
    Role(String, Role),
    /// Call it otherwise.
    Title(String),
    /// Make a link into it.
    Link(Wanted),
    /// The links into it.
    Links,
    /// Revoke one of them, by its number.
    Unlink(String),
    /// Come into a group by a link.
    Join(String),
    /// Go into the relay's lobby.
    Lobby,
    /// Leave it.
    Leave,
}

impl Chat {
    pub(super) fn grouping(&mut self, keyboard: &mut dyn Keyboard, what: Grouping) -> Result<(), Failure> {
        match what {
            Grouping::List => {
                let groups = self.wait(self.door.groups())?;
                if groups.is_empty() {
                    keyboard.say("No groups yet: /group new TITLE @NAME @NAME");
                }
                for group in &groups {
                    keyboard.say(&format!("  {}", self.face.look().group(group)));
                    self.face.learn_group(group.conversation, &group.title);
                }
            }
            Grouping::Enter(title) => {
                let group = self.wait(self.door.group_named(&title))?;
                self.enter_group(keyboard, &group)?;
            }
            Grouping::New { title, members } => {
                let group = self.wait(create(&self.door, &title, &members))?;
                self.enter_group(keyboard, &group)?;
            }
            Grouping::Members => {
                let group = self.group_here()?;
                for line in self.face.look().members(&group) {
                    keyboard.say(&line);
                }
            }
            Grouping::Invite(name) => {
                let group = self.group_here()?;
                let done = self.wait(invite(&self.door, &group, &name))?;
                self.tell(keyboard, Ink::Quiet, &done);
            }
            Grouping::Kick(name) => {
                let group = self.group_here()?;
                let done = self.wait(kick(&self.door, &group, &name))?;
                self.tell(keyboard, Ink::Quiet, &done);
            }
            Grouping::Role(name, role) => {
                let group = self.group_here()?;
                let done = self.wait(set_role(&self.door, &group, &name, role))?;
                self.tell(keyboard, Ink::Quiet, &done);
            }
            Grouping::Title(title) => {
                let conversation = self.group_here()?.conversation;
                self.ask(Request::SetTitle { conversation, title })?;
                self.tell(keyboard, Ink::Quiet, NOTED);
            }
            Grouping::Link(wanted) => {
                let group = self.group_here()?;
                let link = self.wait(links::make(&self.door, &group, wanted))?;
                let look = self.face.look();
                for line in look.new_link(&link, Some(look.width)) {
                    keyboard.say(&line);
                }
            }
            Grouping::Links => {
                let group = self.group_here()?;
                let links = self.wait(links::all(&self.door, &group))?;
                self.face.listed(|known| known.links = links.len());
                if links.is_empty() {
                    keyboard.say("No links into this group: /group link makes one.");
                }
                for (number, link) in (1..).zip(&links) {
                    keyboard.say(&self.face.look().link(number, link));
                }
            }
            Grouping::Unlink(which) => {
                let group = self.group_here()?;
                self.wait(links::revoke(&self.door, &group, &which))?;
                self.tell(keyboard, Ink::Quiet, NOTED);
            }
            Grouping::Join(link) => {
                let joining = self.wait(links::knock(&self.door, &link))?;
                self.knocked(keyboard, &joining)?;
            }
            Grouping::Lobby => {
                let joining = self.wait(links::lobby(&self.door))?;
                self.knocked(keyboard, &joining)?;
            }
            Grouping::Leave => {
                let group = self.group_here()?;
                let question =
                    format!("Leave {}? Only an admin can let you in again. Type yes: ", text::word(&group.title));
                if answer(keyboard, &question)?.is_none_or(|w| w != "yes") {
                    keyboard.say("You stay.");
                    return Ok(());
                }
                self.ask(Request::LeaveGroup { conversation: group.conversation })?;
                self.tell(keyboard, Ink::Quiet, "Left. What was said there stays on this device.");
            }
        }
        Ok(())
    }

    fn knocked(&mut self, keyboard: &mut dyn Keyboard, joining: &Joining) -> Result<(), Failure> {
        if let JoinState::Joined { conversation } = joining.state {
            let group = self.wait(self.door.group(conversation))?;
            return self.enter_group(keyboard, &group);
        }
        keyboard.say(&self.face.look().joining(joining));
        Ok(())
    }

    fn enter_group(&mut self, keyboard: &mut dyn Keyboard, group: &Group) -> Result<(), Failure> {
        self.face.learn_group(group.conversation, &group.title);
        self.switch(group.conversation, &group.title)?;
        let title = text::word(&group.title);
        let line = match group.standing {
            Membership::Joined => format!("You are talking to {title} now: all who are in it. /members lists them."),
            _ => format!("You are no longer in {title}; /history shows what was said."),
        };
        self.tell(keyboard, Ink::Quiet, &line);
        Ok(())
    }

    /// The group in the prompt.
    fn group_here(&self) -> Result<Group, Failure> {
        let none =
            || Failure::new(Exit::UnknownContact, "You are not talking to a group.", "/group TITLE chooses one.");
        let (conversation, _) = self.face.current().ok_or_else(none)?;
        if !self.face.is_group(conversation) {
            return Err(none());
        }
        self.wait(self.door.group(conversation))
    }
}
