//! What the prompt knows and shows: shared by the one who types, the one who listens to events, and the prompt itself.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use livechat_node::api::{
    AccountState, Contact, Conversation, ConversationId, Delivery, Message, MessageBody, MessageId, Reaction,
    RelayState, Status,
};
use tokio::sync::Notify;

use super::arguments::Listed;
use super::complete::Known;
use crate::limits;
use crate::render::{Look, mark};
use crate::style::{Ink, Style};
use crate::text;

/// Columns kept for the delivery mark.
const MARK: usize = 3;
/// Columns kept for the number of people online.
const LIVE: usize = 2;

/// Shared state of the prompt.
#[derive(Debug)]
pub struct Face {
    look: Look,
    follows_terminal: bool,
    state: Mutex<State>,
    /// Woken with every key.
    pub presence: Notify,
}

#[derive(Debug, Default)]
struct State {
    account: Option<AccountState>,
    relay: Option<RelayState>,
    live: Option<u32>,
    contacts: Vec<Contact>,
    /// Titles of groups.
    groups: HashMap<ConversationId, String>,
    /// The conversation that plain text goes to.
    current: Option<(ConversationId, String)>,
    /// The last message sent there, and how far it got.
    last_sent: Option<(MessageId, Delivery)>,
    /// What the latest messages looked like, to tell when that changes.
    said: VecDeque<(ConversationId, u64, MessageBody, Vec<Reaction>)>,
    /// Messages sent from this prompt: the line typed shows them already.
    sent: HashSet<MessageId>,
    /// Up to where each conversation is on the screen.
    shown: HashMap<ConversationId, u64>,
    /// How long lists were that were shown last.
    listed: Listed,
    /// Shown while nobody was known to be there; marked read with the next key.
    unmarked: HashMap<ConversationId, u64>,
}

/// What changed with a new status, worth a line.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// The relay stopped answering.
    Away(String),
    /// It answers again.
    Back,
    /// The session ended by itself or elsewhere.
    SessionOver,
    /// Another device of the account removed this one.
    Removed,
    /// The device was locked, here or from another face.
    Locked,
}

/// Columns that the changing parts of the prompt keep while a line is typed: its width must not change meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Reserve {
    live: usize,
}

impl Face {
    /// Knows nothing yet. `follows_terminal`: the width is the terminal's, whatever it is when something is shown.
    #[must_use]
    pub fn new(look: Look, follows_terminal: bool) -> Self {
        Self { look, follows_terminal, state: Mutex::default(), presence: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How things look right now.
    #[must_use]
    pub fn look(&self) -> Look {
        let mut look = self.look.clone();
        if self.follows_terminal
            && let Some((width, _)) = terminal_size::terminal_size()
        {
            look.width = usize::from(width.0).max(1);
        }
        look
    }

    /// Colours.
    #[must_use]
    pub fn style(&self) -> Style {
        self.look.style
    }

    /// Contacts' names, for completion.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.state().contacts.iter().map(|c| c.username.clone()).collect()
    }

    /// A key was pressed.
    pub fn somebody_is_there(&self) {
        if !self.state().unmarked.is_empty() {
            self.presence.notify_one();
        }
    }

    /// Takes what was shown and not marked read yet.
    #[must_use]
    pub fn take_unmarked(&self) -> HashMap<ConversationId, u64> {
        std::mem::take(&mut self.state().unmarked)
    }

    /// Takes in a status.
    pub fn learn_status(&self, status: Status) -> Vec<News> {
        let mut state = self.state();
        let mut news = Vec::new();
        let was_away = matches!(state.relay, Some(RelayState::Offline { .. }));
        match &status.relay {
            RelayState::Offline { reason, .. } if !was_away => news.push(News::Away(reason.clone())),
            RelayState::Online if was_away => news.push(News::Back),
            _ => {}
        }
        // Between two tries it is still away.
        if !(was_away && status.relay == RelayState::Connecting) {
            state.relay = Some(status.relay);
        }
        let was_in = matches!(state.account, Some(AccountState::Active { .. }));
        match status.account {
            AccountState::LoggedOut { .. } if was_in => news.push(News::SessionOver),
            AccountState::Locked { .. } if was_in => news.push(News::Locked),
            AccountState::Active { removed: true, .. }
                if !matches!(state.account, Some(AccountState::Active { removed: true, .. })) =>
            {
                news.push(News::Removed);
            }
            _ => {}
        }
        state.account = Some(status.account);
        state.live = status.live_users;
        news
    }

    /// Where the account is; none before the first status.
    #[must_use]
    pub fn account(&self) -> Option<AccountState> {
        self.state().account.clone()
    }

    /// Whether the relay is known to be away.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self.state().relay, Some(RelayState::Offline { .. }))
    }

    /// Takes in the contact list.
    pub fn learn_contacts(&self, contacts: Vec<Contact>) {
        self.state().contacts = contacts;
    }

    /// The contact of that name.
    #[must_use]
    pub fn contact(&self, name: &str) -> Option<Contact> {
        let name = name.to_lowercase();
        self.state().contacts.iter().find(|c| c.username.to_lowercase() == name).cloned()
    }

    /// Takes in what the groups among these are called.
    pub fn learn_groups(&self, conversations: &[Conversation]) {
        for group in conversations.iter().filter(|c| c.group) {
            self.learn_group(group.id, &group.title);
        }
    }

    /// Takes in what a group is called.
    pub fn learn_group(&self, conversation: ConversationId, title: &str) {
        let mut state = self.state();
        state.groups.insert(conversation, title.to_owned());
        if let Some((current, name)) = &mut state.current
            && *current == conversation
        {
            title.clone_into(name);
        }
    }

    /// Whether a conversation is a group.
    #[must_use]
    pub fn is_group(&self, conversation: ConversationId) -> bool {
        self.state().groups.contains_key(&conversation)
    }

    /// What there is to complete from.
    #[must_use]
    pub fn known(&self) -> Known {
        let names = self.names();
        let state = self.state();
        let mut groups: Vec<String> = state.groups.values().cloned().collect();
        groups.sort_unstable();
        let here = state.current.as_ref().map(|(id, _)| *id);
        let messages = state.said.iter().rev().filter(|(c, ..)| Some(*c) == here).map(|(_, n, ..)| *n).collect();
        Known { names, groups, messages, listed: state.listed }
    }

    /// A list was shown.
    pub fn listed(&self, note: impl FnOnce(&mut Listed)) {
        note(&mut self.state().listed);
    }

    /// The name of the other side of a conversation.
    #[must_use]
    pub fn title(&self, conversation: ConversationId) -> Option<String> {
        let state = self.state();
        let contact = state.contacts.iter().find(|c| c.conversation == conversation).map(|c| c.username.clone());
        contact.or_else(|| state.groups.get(&conversation).cloned())
    }

    /// The conversation that plain text goes to.
    #[must_use]
    pub fn current(&self) -> Option<(ConversationId, String)> {
        self.state().current.clone()
    }

    /// Plain text goes there from now on; `name` is a contact's or a group's, `last` the last message there.
    pub fn switch(&self, conversation: ConversationId, name: &str, last: Option<&Message>) {
        let mut state = self.state();
        state.current = Some((conversation, name.to_owned()));
        state.last_sent = last.and_then(|m| Some((m.id, m.delivery?)));
    }

    /// Nobody is talked to any more (another account, no account).
    pub fn forget_conversations(&self) {
        let mut state = self.state();
        state.current = None;
        state.last_sent = None;
        state.contacts.clear();
        state.groups.clear();
    }

    /// A message with this id is about to be sent from here.
    pub fn will_send(&self, id: MessageId) {
        self.state().sent.insert(id);
    }

    /// It was sent, or its delivery changed. Whether the prompt looks different now.
    pub fn learn_delivery(&self, conversation: ConversationId, message: &Message, new: bool) -> bool {
        let mut state = self.state();
        let Some(delivery) = message.delivery else { return false };
        if state.current.as_ref().is_none_or(|(c, _)| *c != conversation) {
            return false;
        }
        match &mut state.last_sent {
            Some((id, known)) if *id == message.id => {
                let forward = delivery > *known;
                if forward {
                    *known = delivery;
                }
                forward
            }
            _ if new => {
                state.last_sent = Some((message.id, delivery));
                true
            }
            _ => false,
        }
    }

    /// Whether text, reactions or existence of a message of somebody else changed that was shown lately.
    pub fn learn_change(&self, conversation: ConversationId, message: &Message) -> bool {
        let known = &mut self.state().said;
        let now = (conversation, message.position, message.body.clone(), message.reactions.clone());
        match known.iter_mut().find(|(c, p, ..)| *c == conversation && *p == message.position) {
            Some(before) if *before != now => {
                *before = now;
                true
            }
            _ => false,
        }
    }

    /// Whether a message must still be shown; remembers that it is.
    pub fn show(&self, conversation: ConversationId, message: &Message) -> bool {
        let mut state = self.state();
        let shown = state.shown.entry(conversation).or_default();
        if message.position <= *shown {
            return false;
        }
        *shown = message.position;
        let said = (conversation, message.position, message.body.clone(), message.reactions.clone());
        state.said.push_back(said);
        if state.said.len() > limits::WATCHED {
            state.said.pop_front();
        }
        if message.own {
            // The answer to an own message clears its mark; an own one from elsewhere has none here.
            return !state.sent.contains(&message.id);
        }
        state.unmarked.insert(conversation, message.position);
        if state.current.as_ref().is_some_and(|(c, _)| *c == conversation) {
            state.last_sent = None;
        }
        true
    }

    /// What a conversation holds up to now was there before: only what is unread is shown.
    pub fn shown_until(&self, conversation: &Conversation) {
        if let Some(last) = &conversation.last {
            let mut state = self.state();
            let shown = state.shown.entry(conversation.id).or_default();
            *shown = last.position.max(*shown);
        }
    }

    /// What was printed by hand (history, unread) can be marked read with the next key.
    pub fn seen(&self, conversation: ConversationId, position: u64) {
        let mut state = self.state();
        let unmarked = state.unmarked.entry(conversation).or_default();
        *unmarked = position.max(*unmarked);
    }

    /// What the prompt's changing parts need now.
    #[must_use]
    pub fn reserve(&self) -> Reserve {
        let state = self.state();
        let least = if matches!(state.account, Some(AccountState::Active { .. })) { LIVE } else { 0 };
        Reserve { live: state.live.map_or(0, |n| n.to_string().len()).max(least) }
    }

    /// The prompt, plain and coloured, of equal width for an equal reserve and conversation.
    #[must_use]
    pub fn prompt(&self, reserve: Reserve) -> (String, String) {
        let state = self.state();
        let style = self.look.style;
        let mut plain = String::new();
        let mut coloured = String::new();
        let mut add = |ink: Option<Ink>, part: &str| {
            plain.push_str(part);
            coloured.push_str(&ink.map_or_else(|| part.to_owned(), |ink| style.paint(ink, part)));
        };
        match &state.account {
            None | Some(AccountState::None) => add(Some(Ink::Quiet), "not signed up"),
            Some(AccountState::Pending { ticket }) => {
                add(Some(Ink::Quiet), &format!("{} (signing up)", text::word(&ticket.username)));
            }
            Some(AccountState::Linking { ticket }) => {
                add(Some(Ink::Quiet), &format!("{} (waiting to be added)", text::word(&ticket.username)));
            }
            Some(AccountState::Active { username, removed: true, .. }) => {
                add(Some(Ink::Own), &text::word(username));
                add(Some(Ink::Bad), " (removed)");
            }
            Some(AccountState::Locked { username, .. }) => {
                add(Some(Ink::Own), &text::word(username));
                add(Some(Ink::Quiet), " (locked)");
            }
            Some(AccountState::LoggedOut { username }) => {
                add(Some(Ink::Quiet), &format!("{} (logged out)", text::word(username)));
            }
            Some(AccountState::Active { username, .. }) => add(Some(Ink::Own), &text::word(username)),
        }
        if let Some((_, name)) = &state.current {
            add(None, " → ");
            add(Some(Ink::Name), &text::word(name));
            let (sign, ink) = match state.last_sent {
                Some((_, delivery)) => {
                    (mark(delivery), if delivery == Delivery::Read { Ink::Good } else { Ink::Quiet })
                }
                None => ("", Ink::Quiet),
            };
            add(None, &" ".repeat(1 + MARK.saturating_sub(text::width(sign))));
            add(Some(ink), sign);
        }
        let number =
            state.live.filter(|_| state.relay == Some(RelayState::Online)).map(|n| n.to_string()).unwrap_or_default();
        // One that outgrew its place while a line was typed shows with the next line; never a wrong number.
        let number = if number.len() > reserve.live { "+".repeat(reserve.live) } else { number };
        let (dot, ink) = match state.relay {
            Some(RelayState::Online) => ("●", Ink::Good),
            Some(RelayState::Offline { .. }) => ("○", Ink::Bad),
            _ => ("◌", Ink::Warn),
        };
        add(None, &" ".repeat(1 + reserve.live - number.len()));
        add(Some(ink), dot);
        add(Some(Ink::Quiet), &number);
        add(None, " › ");
        (plain, coloured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use crate::style::strip;
    use jiff::tz::TimeZone;

    const CHAT: ConversationId = ConversationId([3; 32]);

    fn face() -> Face {
        let look = Look { style: Style::new(true), width: 80, zone: TimeZone::UTC };
        let face = Face::new(look, false);
        face.learn_status(Status { relay: RelayState::Online, ..sample::status() });
        face
    }

    fn plain(face: &Face) -> String {
        face.prompt(face.reserve()).0
    }

    #[test]
    fn the_prompt_says_who_to_whom_how_far_and_who_is_there() {
        let face = face();
        assert_eq!(plain(&face), "alice  ●3 › ");
        face.switch(CHAT, "bob", None);
        assert_eq!(plain(&face), "alice → bob      ●3 › ");
        let mut own = sample::own("x", Delivery::Queued);
        assert!(face.learn_delivery(CHAT, &own, true));
        assert_eq!(plain(&face), "alice → bob   …  ●3 › ");
        own.delivery = Some(Delivery::Read);
        assert!(face.learn_delivery(CHAT, &own, false));
        assert_eq!(plain(&face), "alice → bob ✓✓✓  ●3 › ");
        own.delivery = Some(Delivery::Accepted);
        assert!(!face.learn_delivery(CHAT, &own, false), "delivery only moves forward");
    }

    #[test]
    fn the_prompt_keeps_its_width_while_a_line_is_typed() {
        let face = face();
        face.switch(CHAT, "bob", None);
        let reserve = face.reserve();
        let width = text::width(&face.prompt(reserve).0);
        for (live, relay) in [
            (Some(1_000_000), RelayState::Online),
            (Some(10), RelayState::Online),
            (None, RelayState::Connecting),
            (Some(3), RelayState::Offline { reason: String::new(), retry_at: 0 }),
        ] {
            face.learn_status(Status { relay, live_users: live, ..sample::status() });
            let (raw, styled) = face.prompt(reserve);
            assert_eq!(text::width(&raw), width, "{raw}");
            assert_eq!(strip(&styled), raw);
        }
    }

    #[test]
    fn each_message_is_shown_once_and_marked_read_by_a_key() {
        let face = face();
        let first = sample::message("bob", "hi");
        assert!(face.show(CHAT, &first));
        assert!(!face.show(CHAT, &first));
        assert_eq!(face.take_unmarked(), HashMap::from([(CHAT, 1)]));
        assert_eq!(face.take_unmarked(), HashMap::new());
        let mine = Message { position: 2, ..sample::own("from here", Delivery::Queued) };
        face.will_send(mine.id);
        assert!(!face.show(CHAT, &mine), "the typed line shows it");
        let elsewhere = Message { position: 3, id: MessageId([9; 16]), ..mine };
        assert!(face.show(CHAT, &elsewhere), "sent in the browser");
    }

    #[test]
    fn only_changes_are_news() {
        let face = face();
        let away = |reason: &str| RelayState::Offline { reason: reason.into(), retry_at: 0 };
        let with = |relay| face.learn_status(Status { relay, ..sample::status() });
        assert_eq!(with(away("a")), [News::Away("a".into())]);
        assert_eq!(with(RelayState::Connecting), []);
        assert_eq!(with(away("b")), []);
        assert_eq!(with(RelayState::Online), [News::Back]);
        assert_eq!(with(RelayState::Online), []);
        let out = AccountState::LoggedOut { username: "alice".into() };
        assert_eq!(
            face.learn_status(Status { account: out, relay: RelayState::Online, ..sample::status() }),
            [News::SessionOver]
        );
    }
}
