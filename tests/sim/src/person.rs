//! A person: an engine, its committed store, dice, a clock that may be wrong, and what they mean to say.

use std::collections::{BTreeMap, VecDeque};

use livechat_crypto::kv::MemoryKv;
use livechat_engine::view::Role;
use livechat_engine::{Account, CommandError, CommandId, Engine, Left, Reply};
use livechat_wire::bundle::Bundle;
use livechat_wire::{AccountId, DeviceId, MessageId};
use rand_chacha::ChaCha20Rng;

/// Where somebody is: those on one island reach each other.
pub type Island = u8;

/// A person's machine and mind.
pub(crate) struct Person {
    /// None while the machine is down.
    pub engine: Option<Engine>,
    pub account: AccountId,
    /// Their name at the relay; that of the machine may be another, since one person may have several.
    pub username: String,
    pub device: DeviceId,
    /// What was committed; all that survives.
    pub store: MemoryKv,
    pub dice: ChaCha20Rng,
    /// Milliseconds that their clock is off.
    pub skew: i64,
    pub island: Island,
    /// Counts starts; answers to an earlier life are lost.
    pub life: u64,
    /// The latest timer; earlier ones are void.
    pub timer: u64,
    /// Waiting for a page from the relay.
    pub fetching: bool,
    /// The last page wasn't the last one.
    pub more: bool,
    /// Pages so far: now and then the account's log is asked for, too.
    pub pages: u64,
    /// Never asks for it.
    pub thief: bool,
    pub next_command: u64,
    pub replies: BTreeMap<CommandId, Result<Reply, CommandError>>,
    /// What they mean to do, in this order; the first is under way.
    pub intentions: VecDeque<Intention>,
    /// The command that carries out the first intention.
    pub under_way: Option<CommandId>,
    /// Texts that the node acknowledged, per recipient, in order.
    pub acknowledged: Vec<(String, String)>,
    /// Commands that failed.
    pub failures: Vec<CommandError>,
}

/// What stands in place of a withdrawn text.
pub(crate) const WITHDRAWN: &str = "(withdrawn)";

/// Something a person wants. They repeat it until their node says that it is done: a message under the same id.
#[derive(Debug, Clone)]
pub(crate) enum Intention {
    Add {
        whom: String,
    },
    Say {
        to: String,
        text: String,
        id: MessageId,
    },
    Read {
        whose: String,
    },
    Found {
        group: String,
        members: Vec<String>,
    },
    SayIn {
        group: String,
        text: String,
        id: MessageId,
    },
    Change {
        group: String,
        change: Change,
    },
    Do {
        with: String,
        deed: Deed,
    },
    /// By this link, or by the latest one of a group.
    Join {
        link: Result<String, String>,
    },
    FoundLobby {
        title: String,
    },
    AddDevice {
        bundle: Box<Bundle>,
    },
    RevokeDevice {
        device: DeviceId,
    },
    HandOver {
        device: DeviceId,
        left: Left,
    },
    TakenOver,
}

/// What somebody wants of a group.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Invite(String),
    Remove(String),
    Role(String, Role),
    Title(String),
    Link { expires_in: Option<u64>, uses: Option<u32> },
    Revoke,
    Leave,
}

/// Something done with messages in the chat with somebody, or in a group. A text that isn't there (any more) is a deed not done.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Accept,
    Block,
    Answer { about: String, text: String, id: MessageId },
    Edit { text: String, to: String },
    Withdraw { text: String },
    React { text: String, emoji: String, on: bool },
    Timer { seconds: u32 },
}

impl Person {
    pub fn new(engine: Engine, store: MemoryKv, dice: ChaCha20Rng) -> Self {
        let Account { account, username, device, .. } = engine.account().expect("somebody signed up");
        Self {
            account,
            username,
            device,
            pages: 0,
            thief: false,
            engine: Some(engine),
            store,
            dice,
            skew: 0,
            island: 0,
            life: 0,
            timer: 0,
            fetching: false,
            more: false,
            next_command: 0,
            replies: BTreeMap::new(),
            intentions: VecDeque::new(),
            under_way: None,
            acknowledged: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// What the node said is done changes what is expected of histories.
    pub fn acknowledge(&mut self, with: String, deed: Deed) {
        let mut said = self.acknowledged.iter_mut().filter(|(to, _)| *to == with);
        match deed {
            Deed::Answer { text, .. } => self.acknowledged.push((with, text)),
            Deed::Edit { text, to } => said.filter(|(_, t)| *t == text).for_each(|(_, t)| t.clone_from(&to)),
            Deed::Withdraw { text } => {
                if let Some((_, t)) = said.find(|(_, t)| *t == text) {
                    WITHDRAWN.clone_into(t);
                }
            }
            Deed::Accept | Deed::Block | Deed::React { .. } | Deed::Timer { .. } => {}
        }
    }

    /// Unix milliseconds by their clock.
    pub fn clock(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.skew)
    }
}
