//! What people want, one thing after the other.

use livechat_engine::view::{JoinState, Message, MessageBody};
use livechat_engine::{Command, CommandError, CommandId, Input, LookupFailure, Reply, Secret};
use livechat_wire::{ConversationId, MessageId};
use rand_core::Rng;

use super::World;
use super::person::{Change, Deed, Intention};
use super::world::{Event, RETRY};

impl World {
    /// Adds an intention; the person works through theirs one by one.
    pub(crate) fn intend(&mut self, who: &str, intention: Intention) {
        self.people.get_mut(who).expect("a person").intentions.push_back(intention);
        self.go_on(who);
    }

    pub(crate) fn fresh_id(&mut self) -> MessageId {
        let mut id = [0; 16];
        self.dice.fill_bytes(&mut id);
        MessageId(id)
    }

    /// Later, not now: engines are not called from within their own effects.
    pub(super) fn go_on(&mut self, who: &str) {
        let person = &self.people[who];
        if person.engine.is_some() && person.under_way.is_none() && !person.intentions.is_empty() {
            self.at(self.now + 1, Event::GoOn { who: who.to_owned() });
        }
    }

    pub(super) fn proceed(&mut self, who: &str) {
        let person = self.people.get_mut(who).expect("a person");
        if person.engine.is_none() || person.under_way.is_some() {
            return;
        }
        let Some(intention) = person.intentions.front().cloned() else { return };
        let command = match intention {
            Intention::Add { whom } => Command::AddContact { username: whom },
            Intention::Say { to, text, id } => {
                let Some(conversation) = self.conversation(who, &to) else { return };
                Command::Send { conversation, text, id: Some(id), reply_to: None }
            }
            Intention::Do { with, deed } => {
                let Some(conversation) = self.place(who, &with) else { return self.come_back(who) };
                match self.deed(who, conversation, deed.clone()) {
                    Some(command) => command,
                    None => {
                        let person = self.people.get_mut(who).expect("a person");
                        person.intentions.pop_front();
                        // The machine may have died between doing it and saying so.
                        if matches!(deed, Deed::Withdraw { .. }) {
                            person.acknowledge(with, deed);
                        }
                        self.go_on(who);
                        return;
                    }
                }
            }
            Intention::Found { group, members } => Command::CreateGroup { title: group, members },
            Intention::SayIn { group, text, id } => {
                let Some(conversation) = self.joined(who, &group) else { return self.come_back(who) };
                Command::Send { conversation, text, id: Some(id), reply_to: None }
            }
            Intention::Change { group, change } => {
                let Some(conversation) = self.joined(who, &group) else { return self.come_back(who) };
                let account = |name: &str| self.account(name);
                match change {
                    Change::Invite(username) => Command::Invite { conversation, username },
                    Change::Remove(whom) => Command::Remove { conversation, account: account(&whom) },
                    Change::Role(whom, role) => Command::SetRole { conversation, account: account(&whom), role },
                    Change::Title(title) => Command::SetTitle { conversation, title },
                    Change::Leave => Command::Leave { conversation },
                    Change::Link { expires_in, uses } => Command::MakeLink { conversation, expires_in, uses },
                    Change::Revoke => {
                        let Some(door) = self.open_link(who, &group) else { return self.come_back(who) };
                        Command::RevokeLink { conversation, door }
                    }
                }
            }
            Intention::Join { link } => {
                let link = match link {
                    Ok(link) => Some(link),
                    Err(group) => self.link_into(&group),
                };
                let Some(link) = link else { return self.come_back(who) };
                Command::JoinLink { link: Secret(link) }
            }
            Intention::FoundLobby { title } => Command::FoundLobby { title },
            Intention::AddDevice { bundle } => Command::AddDevice { bundle },
            Intention::RevokeDevice { device } => Command::RevokeDevice { device },
            Intention::HandOver { device, left } => Command::HandOver { device, left },
            Intention::TakenOver => Command::TakenOver,
            Intention::Read { whose } => {
                let Some(conversation) = self.place(who, &whose) else { return self.come_back(who) };
                Command::MarkRead { conversation, position: u64::MAX }
            }
        };
        let person = self.people.get_mut(who).expect("a person");
        let id = CommandId(person.next_command);
        person.next_command += 1;
        person.under_way = Some(id);
        self.input(who, Input::Command { id, command });
    }

    /// They look again later: an invitation may be on its way.
    fn come_back(&mut self, who: &str) {
        self.at(self.now + RETRY, Event::GoOn { who: who.to_owned() });
    }

    /// Where they talk with somebody, or the group of that name.
    fn place(&self, who: &str, with: &str) -> Option<ConversationId> {
        if self.people.contains_key(with) { self.conversation(who, with) } else { self.joined(who, with) }
    }

    /// The command that does a deed; none when what it is about isn't there.
    fn deed(&self, who: &str, conversation: ConversationId, deed: Deed) -> Option<Command> {
        let history = self.whole_history(who, conversation);
        let at = |wanted: &str| {
            let has = |m: &&Message| matches!(&m.body, MessageBody::Text { text } if text == wanted);
            history.iter().find(has).map(|m| m.position)
        };
        Some(match deed {
            Deed::Accept => Command::Accept { conversation },
            Deed::Block => Command::Block { conversation, blocked: true },
            Deed::Answer { about, text, id } => {
                Command::Send { conversation, text, id: Some(id), reply_to: Some(at(&about)?) }
            }
            // After a crash it may have the new text already.
            Deed::Edit { text, to } => {
                let position = at(&text).or_else(|| at(&to))?;
                Command::Edit { conversation, position, text: to }
            }
            Deed::Withdraw { text } => Command::Delete { conversation, position: at(&text)?, for_everyone: true },
            Deed::React { text, emoji, on } => Command::React { conversation, position: at(&text)?, emoji, on },
            Deed::Timer { seconds } => Command::SetTimer { conversation, seconds },
        })
    }

    pub(super) fn replied(&mut self, who: &str, id: CommandId, reply: Result<Reply, CommandError>) {
        let person = self.people.get_mut(who).expect("a person");
        person.replies.insert(id, reply.clone());
        if person.under_way != Some(id) {
            return;
        }
        person.under_way = None;
        if let Err(CommandError::Lookup(LookupFailure::Unreachable)) = reply {
            // People try again.
            self.at(self.now + RETRY, Event::GoOn { who: who.to_owned() });
            return;
        }
        match (person.intentions.pop_front(), reply) {
            (Some(Intention::SayIn { group, text, .. }), Ok(Reply::Sent(_))) => {
                person.acknowledged.push((group, text));
            }
            (Some(Intention::Found { group, .. }), Ok(Reply::Group(at))) => {
                self.groups.insert(group, at);
            }
            (Some(Intention::FoundLobby { title }), Ok(Reply::Joining(founded))) => {
                if let JoinState::Joined { conversation } = founded.state {
                    self.founded.push((who.to_owned(), title.clone()));
                    self.groups.insert(title, conversation);
                }
            }
            (Some(Intention::Change { group, change: Change::Link { .. } }), Ok(Reply::Link(link))) => {
                self.links.insert(group, link.link.expect("whoever made it knows it"));
            }
            (Some(Intention::Say { to, text, .. }), Ok(Reply::Sent(_))) => person.acknowledged.push((to, text)),
            (Some(Intention::Do { with, deed }), Ok(_)) => person.acknowledge(with, deed),
            (_, Ok(_)) => {}
            (_, Err(e)) => person.failures.push(e),
        }
    }
}
