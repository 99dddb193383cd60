//! A look into the world from outside.

use livechat_crypto::kv::Kv;
use livechat_engine::{Engine, view};
use livechat_wire::{AccountId, ConversationId};

use super::World;

impl World {
    pub(super) fn kv(&self, who: &str) -> &dyn Kv {
        &self.people[who].store
    }

    pub(super) fn engine(&self, who: &str) -> &Engine {
        self.people[who].engine.as_ref().unwrap_or_else(|| panic!("{who}'s machine is down"))
    }

    /// The conversation of two people, if the first has it.
    pub(crate) fn conversation(&self, who: &str, with: &str) -> Option<ConversationId> {
        let contacts = self.people[who].engine.as_ref()?.contacts(self.kv(who)).expect("contacts");
        contacts.into_iter().find(|c| c.username == with).map(|c| c.conversation)
    }

    /// What somebody's history with somebody says, oldest first.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn history(&self, who: &str, with: &str) -> Vec<view::Message> {
        let Some(conversation) = self.conversation(who, with) else { return Vec::new() };
        self.whole_history(who, conversation)
    }

    pub(super) fn whole_history(&self, who: &str, conversation: ConversationId) -> Vec<view::Message> {
        let (mut before, mut all) = (None, Vec::new());
        loop {
            let page = self.engine(who).history(self.kv(who), conversation, before, 200).expect("history");
            let page = page.expect("the conversation");
            before = page.messages.first().map(|m| m.position);
            all.splice(0..0, page.messages);
            if !page.more {
                return all;
            }
        }
    }

    /// Somebody's account.
    pub(crate) fn account(&self, who: &str) -> AccountId {
        self.people[who].account
    }

    /// A group that somebody has a conversation for.
    pub(crate) fn joined(&self, who: &str, group: &str) -> Option<ConversationId> {
        let at = *self.groups.get(group)?;
        self.engine(who).group(self.kv(who), at).expect("a look").map(|g| g.conversation)
    }

    /// The name of the latest link into a group that opens, as somebody sees it.
    pub(crate) fn open_link(&self, who: &str, group: &str) -> Option<String> {
        let links = self.links_into(who, group);
        links.into_iter().filter(|l| l.state == view::LinkState::Open).map(|l| l.door).next_back()
    }

    /// The links into a group, as somebody sees them.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn links_into(&self, who: &str, group: &str) -> Vec<view::GroupLink> {
        let Some(at) = self.groups.get(group) else { return Vec::new() };
        self.engine(who).links(self.people[who].clock(self.now), *at).expect("links").unwrap_or_default()
    }

    /// Where somebody waits to be let in, and what they were told.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn waits_at(&self, who: &str) -> Vec<view::JoinState> {
        self.engine(who).joinings().into_iter().map(|j| j.state).collect()
    }

    /// The text of the latest link into a group, or into a lobby.
    ///
    /// # Panics
    /// When the machine of the lobby's founder was down from the beginning.
    #[must_use]
    pub fn link_into(&self, group: &str) -> Option<String> {
        if let Some(link) = self.links.get(group) {
            return Some(link.clone());
        }
        let (founder, _) = self.founded.iter().find(|(_, title)| title == group)?;
        let engine = Engine::open(&self.people[founder].store).expect("a store opens");
        let at = self.groups.get(group)?;
        engine.lobbies().into_iter().find(|(lobby, _)| lobby == at).map(|(_, link)| link.0)
    }

    /// A group as somebody sees it.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn group(&self, who: &str, group: &str) -> Option<view::Group> {
        self.engine(who).group(self.kv(who), *self.groups.get(group)?).expect("a look")
    }

    /// What somebody's history of a group says, oldest first.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn group_history(&self, who: &str, group: &str) -> Vec<view::Message> {
        self.joined(who, group).map(|at| self.whole_history(who, at)).unwrap_or_default()
    }

    /// Whom somebody knows.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn contacts(&self, who: &str) -> Vec<view::Contact> {
        self.engine(who).contacts(self.kv(who)).expect("contacts")
    }

    /// Somebody's list of conversations.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn conversations(&self, who: &str) -> Vec<view::Conversation> {
        self.engine(who).conversations(self.kv(who)).expect("conversations")
    }

    /// Own messages of somebody that no relay has accepted.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn queued(&self, who: &str) -> u32 {
        self.engine(who).queued()
    }

    /// What somebody's engine refused since it started.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn refused(&self, who: &str) -> livechat_engine::Refused {
        self.engine(who).refused()
    }

    /// Whether everybody did everything they meant to.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.people.values().all(|p| p.intentions.is_empty())
    }
}
