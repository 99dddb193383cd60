//! People with one relay between them: it carries everything at once, keeps slots, and can be told to misbehave.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ed25519_dalek::Signer;
use livechat_crypto::kv::{Kv, Namespace, Order};
use livechat_crypto::mls::GroupId;
use livechat_engine::tables::Table;
use livechat_engine::view::{Group, Membership, MessageBody, Notice};
use livechat_engine::{Command, CommandError, Effects, Input, LookupFailure, Reply};
use livechat_wire::order::{Entry, Receipt, SealedCommit};
use livechat_wire::sync::Refusal;
use livechat_wire::{AccountId, ConversationId, Envelope, SlotId, Tag};

use crate::rig::{Person, START, kept, relay, relay_key};

/// The relay's honest word on the order.
pub fn put_at(slot: SlotId, index: u32, commit: &SealedCommit) -> Entry {
    let sign = |bytes: &[u8]| relay_key().sign(bytes).to_bytes();
    let receipt = Receipt::sign(slot, index, commit.hash(), START / 1_000, relay().0, sign);
    Entry { receipt, commit: commit.clone() }
}

pub struct Circle {
    pub people: Vec<Person>,
    pub slots: BTreeMap<SlotId, Vec<Entry>>,
    /// The order service answers.
    pub orders: bool,
    /// Whose connection is cut: nothing reaches them, nothing leaves them.
    pub away: BTreeSet<usize>,
    /// Envelopes with these tags the relay says it keeps, and loses.
    pub lost: BTreeSet<Tag>,
    /// Whose commits came first in their slots, in order.
    pub firsts: Vec<usize>,
    /// Everything that was published, for those who come back.
    pub published: Vec<Envelope>,
    seen: Vec<usize>,
    todo: VecDeque<(usize, Effects)>,
}

impl Circle {
    pub fn of(names: &[&str]) -> Self {
        let people: Vec<_> = names.iter().map(|n| Person::new(n)).collect();
        let seen = vec![0; people.len()];
        let mut circle = Self {
            people,
            slots: BTreeMap::new(),
            orders: true,
            away: BTreeSet::new(),
            lost: BTreeSet::new(),
            firsts: Vec::new(),
            published: Vec::new(),
            seen,
            todo: VecDeque::new(),
        };
        for who in 0..circle.people.len() {
            circle.takes(who, Input::Relay { online: true });
        }
        circle
    }

    pub fn account(&self, who: usize) -> AccountId {
        self.people[who].engine.account().unwrap().account
    }

    fn takes(&mut self, who: usize, input: Input) {
        let effects = self.people[who].takes(input);
        self.todo.push_back((who, effects));
    }

    pub fn does(&mut self, who: usize, command: Command) -> Result<Reply, CommandError> {
        let (id, mut effects) = self.people[who].does(command);
        let at = effects.replies.iter().position(|(answered, _)| *answered == id).expect("an answer at once");
        let (_, reply) = effects.replies.remove(at);
        self.todo.push_back((who, effects));
        reply
    }

    pub fn creates(&mut self, who: usize, title: &str, members: &[usize]) -> ConversationId {
        let members = members.iter().map(|m| self.people[*m].name.clone()).collect();
        match self.does(who, Command::CreateGroup { title: title.to_owned(), members }) {
            Ok(Reply::Group(at)) => at,
            other => panic!("{other:?}"),
        }
    }

    pub fn says(&mut self, who: usize, at: ConversationId, text: &str) {
        let said = self.does(who, Command::Send { conversation: at, text: text.to_owned(), id: None, reply_to: None });
        assert!(matches!(said, Ok(Reply::Sent(_))), "{said:?}");
    }

    /// One looks the other up, who agrees to talk.
    pub fn meet(&mut self, one: usize, other: usize) -> ConversationId {
        let name = self.people[other].name.clone();
        let (_, lookup) = self.people[one].looks_up(&name);
        let entry = self.people[other].entry();
        let effects = self.people[one].is_told(&lookup, Ok(entry));
        self.todo.push_back((one, effects));
        self.carry();
        let at = self.people[one].chat_with(&self.people[other]);
        self.does(other, Command::Accept { conversation: at }).expect("a request");
        at
    }

    /// Says something that the relay takes and loses; returns what it lost.
    pub fn says_in_vain(&mut self, who: usize, at: ConversationId, text: &str) -> Vec<Envelope> {
        let (_, effects) = self.people[who].says(at, text);
        let envelopes = effects.gossip.clone();
        self.lost.extend(envelopes.iter().map(Envelope::tag));
        self.todo.push_back((who, effects));
        envelopes
    }

    pub fn performs(&mut self, who: usize, effects: Effects) {
        self.todo.push_back((who, effects));
    }

    /// What has been wanted so far is carried out, without time passing.
    pub fn carry(&mut self) {
        loop {
            while let Some((who, effects)) = self.todo.pop_front() {
                self.perform(who, effects);
            }
            for who in 0..self.people.len() {
                let new = self.published[self.seen[who]..].to_vec();
                if self.away.contains(&who) || new.is_empty() {
                    continue;
                }
                self.seen[who] = self.published.len();
                let effects = self.people[who].gets(&new);
                self.todo.push_back((who, effects));
            }
            if self.todo.is_empty() {
                return;
            }
        }
    }

    /// Time passes, a second at a time.
    pub fn settle(&mut self, seconds: u64) {
        self.carry();
        for _ in 0..seconds {
            for who in 0..self.people.len() {
                let person = &mut self.people[who];
                person.now += 1_000;
                if person.engine.wake_at().is_some_and(|at| at <= person.now) {
                    self.takes(who, Input::Timer);
                }
            }
            self.carry();
        }
    }

    pub fn leaves_the_net(&mut self, who: usize) {
        self.away.insert(who);
        self.takes(who, Input::Relay { online: false });
    }

    pub fn is_back(&mut self, who: usize) {
        self.away.remove(&who);
        self.takes(who, Input::Relay { online: true });
    }

    fn perform(&mut self, who: usize, effects: Effects) {
        if self.away.contains(&who) {
            for lookup in effects.lookups {
                let effects = self.people[who].is_told(&lookup, Err(LookupFailure::Unreachable));
                self.todo.push_back((who, effects));
            }
            return;
        }
        let sent: Vec<_> = effects.gossip.iter().chain(&effects.deposit).cloned().collect();
        let mut verdicts: Vec<_> = sent.iter().map(|e| kept(e.id())).collect();
        verdicts.extend(effects.present.iter().map(|id| {
            let here = self.published.iter().chain(&sent).any(|e| e.id() == *id);
            if here { kept(*id) } else { (*id, livechat_wire::sync::Verdict::Absent) }
        }));
        self.published.extend(sent.into_iter().filter(|e| !self.lost.contains(&e.tag())));
        if !verdicts.is_empty() {
            self.takes(who, Input::Verdicts { relay: relay(), verdicts });
        }
        for lookup in effects.lookups {
            let found = self.people.iter().position(|p| p.name == lookup.username.to_lowercase());
            let answer = found.map(|n| self.people[n].entry()).ok_or(LookupFailure::NotFound);
            let effects = self.people[who].is_told(&lookup, answer);
            self.todo.push_back((who, effects));
        }
        for append in effects.append {
            let answer = if self.orders {
                let receipt = self.append(append.slot, append.commit).receipt;
                self.firsts.extend((receipt.index == 0).then_some(who));
                Ok(receipt)
            } else {
                Err(Refusal::Unavailable)
            };
            self.takes(who, Input::Appended { slot: append.slot, answer });
        }
        for (slot, from) in effects.slots {
            let entries = self.slots.get(&slot).cloned().unwrap_or_default();
            let answer = (entries.into_iter().skip(from as usize).collect(), false);
            let answer = if self.orders { Ok(answer) } else { Err(Refusal::Unavailable) };
            self.takes(who, Input::Slot { slot, from, answer });
        }
    }

    pub fn append(&mut self, slot: SlotId, commit: SealedCommit) -> Entry {
        let entries = self.slots.entry(slot).or_default();
        if let Some(same) = entries.iter().find(|e| e.commit == commit) {
            return same.clone();
        }
        let entry = put_at(slot, u32::try_from(entries.len()).unwrap(), &commit);
        entries.push(entry.clone());
        entry
    }

    pub fn group(&self, who: usize, at: ConversationId) -> Group {
        self.people[who].engine.group(&self.people[who].kv, at).unwrap().expect("a group")
    }

    /// The MLS group of a conversation, read from somebody's store.
    pub fn mls_group(&self, who: usize, at: ConversationId) -> GroupId {
        let rows = self.people[who].kv.scan(Namespace(Table::Groups as u8), &[], &[], 99, Order::Ascending).unwrap();
        let groups = rows.into_iter().map(|(key, _)| GroupId(key[..].try_into().unwrap()));
        groups.into_iter().find(|g| ConversationId::group(&g.0) == at).expect("its group")
    }

    /// The epoch of a direct chat's keys, as somebody has it.
    pub fn epoch_with(&mut self, who: usize, other: usize) -> u64 {
        let group = self.people[who].group_with(&self.people[other]);
        self.people[who].session().room(&group).expect("a look").expect("a room").epoch
    }

    /// Names of the members, as somebody sees them.
    pub fn members(&self, who: usize, at: ConversationId) -> Vec<String> {
        self.group(who, at).members.into_iter().map(|m| m.username).collect()
    }

    /// These people see the same group, and are in it.
    pub fn agree(&self, who: &[usize], at: ConversationId) {
        let seen: BTreeSet<_> = who
            .iter()
            .map(|w| {
                let g = self.group(*w, at);
                assert_eq!(g.standing, Membership::Joined, "{}", self.people[*w].name);
                let members: Vec<_> = g.members.iter().map(|m| (m.username.clone(), m.role)).collect();
                (g.epoch, g.authenticator, g.title, members)
            })
            .collect();
        assert_eq!(seen.len(), 1, "{seen:#?}");
    }

    /// The history in words.
    pub fn history(&self, who: usize, at: ConversationId) -> Vec<String> {
        let person = &self.people[who];
        let name = |p: &livechat_engine::view::Person| p.username.clone();
        let names = |list: &[livechat_engine::view::Person]| list.iter().map(name).collect::<Vec<_>>().join(", ");
        let line = |m: livechat_engine::view::Message| {
            let by = m.author_name;
            match m.body {
                MessageBody::Text { text } => format!("{by}: {text}"),
                MessageBody::File { name, .. } => format!("{by}: file {name}"),
                MessageBody::NeedsNewerVersion { kind } => format!("{by}: kind {kind}"),
                MessageBody::Deleted => format!("{by}: (deleted)"),
                MessageBody::Timer { seconds } => format!("* {by} set the timer to {seconds} s"),
                MessageBody::Notice { notice } => match notice {
                    Notice::Joined { title } => format!("* {by} opened {title}"),
                    Notice::Added { who } => format!("* {by} added {}", names(&who)),
                    Notice::Removed { who } => format!("* {by} removed {}", names(&who)),
                    Notice::Left { who } => format!("* {} left", name(&who)),
                    Notice::RoleChanged { who, role } => format!("* {by} made {} {role:?}", name(&who)),
                    Notice::TitleChanged { title } => format!("* {by} called it {title}"),
                    Notice::CommitRefused => format!("* refused what {by} tried"),
                    Notice::NotDone { about } => format!("* not done: {about}"),
                    Notice::Forked => "* forked".to_owned(),
                    devices @ (Notice::DevicesAdded { .. } | Notice::DevicesRemoved { .. }) => {
                        format!("* {by} {devices}")
                    }
                    renamed @ Notice::Renamed { .. } => format!("* {by}: {renamed}"),
                    Notice::Rewound { changes } => format!("* rewound {changes}"),
                },
            }
        };
        person.history(at).into_iter().map(line).collect()
    }

    pub fn texts(&self, who: usize, at: ConversationId) -> Vec<String> {
        self.history(who, at).into_iter().filter(|l| !l.starts_with('*')).collect()
    }
}
