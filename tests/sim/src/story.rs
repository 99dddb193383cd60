//! The words in which tests tell what people do, and in which timelines are read.

use std::fmt::Write as _;

use livechat_engine::CommandError;
use livechat_engine::view::{Delivery, Message, MessageBody, Role};

use super::World;
use super::base::NOON;
use super::person::{Change, Deed, Intention};

/// Somebody in the world, about to do something.
pub struct Actor<'w> {
    world: &'w mut World,
    name: String,
}

/// Words without a recipient yet.
#[must_use = "say to whom"]
pub struct Words<'w> {
    actor: Actor<'w>,
    texts: Vec<String>,
}

impl World {
    /// Somebody.
    ///
    /// # Panics
    /// When nobody in this world has that name.
    pub fn person(&mut self, name: &str) -> Actor<'_> {
        assert!(self.people.contains_key(name), "there is no {name} in this world");
        Actor { world: self, name: name.to_owned() }
    }

    /// Somebody's conversations as they would read them, with times and ticks.
    ///
    /// # Panics
    /// When their machine is down.
    #[must_use]
    pub fn timeline(&self, who: &str) -> String {
        let mut out = String::new();
        let mut conversations = self.conversations(who);
        conversations.sort_by(|a, b| a.title.cmp(&b.title));
        for conversation in conversations {
            let unread = match conversation.unread {
                0 => String::new(),
                n => format!(", {n} unread"),
            };
            writeln!(out, "{who}'s chat with {}{unread}", conversation.title).expect("a string");
            for message in self.history(who, &conversation.title) {
                writeln!(out, "  {}", line(&message)).expect("a string");
            }
        }
        out
    }

    /// A group's history in words, as somebody reads it; who is in it stands above.
    ///
    /// # Panics
    /// When their machine is down.
    #[must_use]
    pub fn group_timeline(&self, who: &str, group: &str) -> String {
        let Some(view) = self.group(who, group) else { return format!("{who} is not in {group}\n") };
        let mut out = format!("{who}'s group {} ({:?}):", view.title, view.standing);
        for member in &view.members {
            write!(out, " {} {:?},", member.username, member.role).expect("a string");
        }
        out.push('\n');
        for message in self.group_history(who, group) {
            writeln!(out, "  {}", line(&message)).expect("a string");
        }
        out
    }

    /// What `author` said, as `who` reads it.
    ///
    /// # Panics
    /// When the machine is down.
    #[must_use]
    pub fn texts(&self, who: &str, author: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for conversation in self.conversations(who) {
            for message in self.history(who, &conversation.title) {
                if message.author_name == author {
                    texts.push(match message.body {
                        MessageBody::Text { text } => text,
                        MessageBody::Notice { .. } => continue,
                        MessageBody::NeedsNewerVersion { kind } => format!("(kind {kind})"),
                        other => format!("({other:?})"),
                    });
                }
            }
        }
        texts
    }
}

/// One message in words.
fn line(message: &Message) -> String {
    let seconds = (message.sent_at.saturating_sub(NOON)) / 1_000;
    let time = format!("12:{:02}:{:02}", seconds / 60, seconds % 60);
    let body = match &message.body {
        MessageBody::Text { text } => text.clone(),
        MessageBody::File { name, .. } => format!("(file {name})"),
        MessageBody::Notice { notice } => format!("({notice})"),
        MessageBody::NeedsNewerVersion { kind } => format!("(needs a newer version: kind {kind})"),
        MessageBody::Deleted => "(deleted)".to_owned(),
        MessageBody::Timer { seconds: 0 } => "(messages stay from now on)".to_owned(),
        MessageBody::Timer { seconds } => format!("(messages disappear after {seconds} s from now on)"),
    };
    let quote = match &message.reply_to {
        None => String::new(),
        Some(quote) => format!("[to {}: {}] ", quote.author_name, quote.text.as_deref().unwrap_or("–")),
    };
    let edited = if message.edited_at.is_some() { " (edited)" } else { "" };
    let forwarded = if message.forwarded { "(forwarded) " } else { "" };
    let reactions: String = message.reactions.iter().map(|r| format!("  {} {}", r.emoji, r.by.join("+"))).collect();
    let body = format!("{forwarded}{quote}{body}{edited}{reactions}");
    let tick = match message.delivery {
        None => "",
        Some(Delivery::Queued) => "   [waiting]",
        Some(Delivery::Accepted) => "   [at the relay]",
        Some(Delivery::Delivered) => "   [delivered]",
        Some(Delivery::Read) => "   [read]",
    };
    let gap = if message.gap { "   (something is missing above)" } else { "" };
    format!("{time}  {}: {body}{tick}{gap}", message.author_name)
}

impl<'w> Actor<'w> {
    pub(super) fn parts(self) -> (&'w mut World, String) {
        (self.world, self.name)
    }

    /// Looks somebody up and opens a chat.
    pub fn adds(self, whom: &str) {
        self.world.intend(&self.name, Intention::Add { whom: whom.to_owned() });
    }

    /// Says something.
    pub fn says(self, text: &str) -> Words<'w> {
        Words { actor: self, texts: vec![text.to_owned()] }
    }

    /// Says several things, one after the other.
    pub fn says_all(self, texts: &[&str]) -> Words<'w> {
        Words { actor: self, texts: texts.iter().map(|t| (*t).to_owned()).collect() }
    }

    /// Founds a group; it goes by this name in the story, whatever it is called later.
    pub fn founds(self, group: &str, members: &[&str]) {
        let members = members.iter().map(|m| (*m).to_owned()).collect();
        self.world.intend(&self.name, Intention::Found { group: group.to_owned(), members });
    }

    fn changes(self, group: &str, change: Change) {
        self.world.intend(&self.name, Intention::Change { group: group.to_owned(), change });
    }

    /// Takes somebody into a group.
    pub fn invites(self, whom: &str, group: &str) {
        self.changes(group, Change::Invite(whom.to_owned()));
    }

    /// Takes somebody out of a group.
    pub fn removes(self, whom: &str, group: &str) {
        self.changes(group, Change::Remove(whom.to_owned()));
    }

    /// Gives somebody a role in a group.
    pub fn makes(self, whom: &str, role: Role, group: &str) {
        self.changes(group, Change::Role(whom.to_owned(), role));
    }

    /// Gives a group another title.
    pub fn calls(self, group: &str, title: &str) {
        self.changes(group, Change::Title(title.to_owned()));
    }

    /// Makes a link into a group.
    pub fn makes_link(self, group: &str, expires_in: Option<u64>, uses: Option<u32>) {
        self.changes(group, Change::Link { expires_in, uses });
    }

    /// Revokes the latest link into a group.
    pub fn revokes_link(self, group: &str) {
        self.changes(group, Change::Revoke);
    }

    /// Comes in by the latest link into a group, wherever they found it.
    pub fn joins_by_link(self, group: &str) {
        self.world.intend(&self.name, Intention::Join { link: Err(group.to_owned()) });
    }

    /// Comes in by this link.
    pub fn joins_with(self, link: &str) {
        self.world.intend(&self.name, Intention::Join { link: Ok(link.to_owned()) });
    }

    /// Founds a group that anybody with its link may join.
    pub fn founds_lobby(self, title: &str) {
        self.world.intend(&self.name, Intention::FoundLobby { title: title.to_owned() });
    }

    /// Hears no more from somebody.
    pub fn blocks(self, whom: &str) {
        self.world.intend(&self.name, Intention::Do { with: whom.to_owned(), deed: Deed::Block });
    }

    /// Leaves a group.
    pub fn leaves(self, group: &str) {
        self.changes(group, Change::Leave);
    }

    /// Agrees to a chat that somebody else began, or to a group that a stranger took them into. Here and below a chat
    /// goes by the name of the other person, a group by the name that it was founded under.
    pub fn accepts(self, whose: &str) {
        self.world.intend(&self.name, Intention::Do { with: whose.to_owned(), deed: Deed::Accept });
    }

    /// Answers what somebody said.
    pub fn answers(self, whom: &str, about: &str, text: &str) {
        let (id, about) = (self.world.fresh_id(), about.to_owned());
        let deed = Deed::Answer { about, text: text.to_owned(), id };
        self.world.intend(&self.name, Intention::Do { with: whom.to_owned(), deed });
    }

    /// Gives one of their own messages to somebody another text.
    pub fn edits(self, with: &str, text: &str, to: &str) {
        let deed = Deed::Edit { text: text.to_owned(), to: to.to_owned() };
        self.world.intend(&self.name, Intention::Do { with: with.to_owned(), deed });
    }

    /// Withdraws one of their own messages to somebody.
    pub fn withdraws(self, with: &str, text: &str) {
        let deed = Deed::Withdraw { text: text.to_owned() };
        self.world.intend(&self.name, Intention::Do { with: with.to_owned(), deed });
    }

    /// Puts an emoji under a message in a chat with somebody, or takes it away.
    pub fn reacts(self, with: &str, text: &str, emoji: &str, on: bool) {
        let deed = Deed::React { text: text.to_owned(), emoji: emoji.to_owned(), on };
        self.world.intend(&self.name, Intention::Do { with: with.to_owned(), deed });
    }

    /// Lets messages to somebody disappear.
    pub fn sets_timer(self, with: &str, seconds: u32) {
        self.world.intend(&self.name, Intention::Do { with: with.to_owned(), deed: Deed::Timer { seconds } });
    }

    /// Reads everything in a chat.
    pub fn reads(self, whose: &str) {
        self.world.intend(&self.name, Intention::Read { whose: whose.to_owned() });
    }

    /// Leaves the network; the machine runs on.
    pub fn goes_offline(self) {
        self.world.islands(&[&[self.name.as_str()]]);
    }

    /// Comes back.
    pub fn comes_online(self) {
        self.world.islands(&[]);
    }

    /// The machine dies.
    pub fn crashes(self) {
        self.world.crash(&self.name);
    }

    /// It starts again.
    pub fn restarts(self) {
        self.world.restart(&self.name);
    }

    /// Sets their clock this many milliseconds off the true time.
    pub fn sets_clock(self, skew: i64) {
        if let Some(person) = self.world.people.get_mut(&self.name) {
            person.skew = skew;
        }
    }

    /// What this person's node refused to do, so far.
    #[must_use]
    pub fn was_refused(self) -> Vec<CommandError> {
        self.world.people[&self.name].failures.clone()
    }
}

impl Words<'_> {
    /// In which group.
    pub fn in_group(self, group: &str) {
        let Actor { world, name } = self.actor;
        for text in self.texts {
            let id = world.fresh_id();
            world.intend(&name, Intention::SayIn { group: group.to_owned(), text, id });
        }
    }

    /// To whom.
    pub fn to(self, whom: &str) {
        let Actor { world, name } = self.actor;
        for text in self.texts {
            let id = world.fresh_id();
            world.intend(&name, Intention::Say { to: whom.to_owned(), text, id });
        }
    }
}
