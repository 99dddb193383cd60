//! What can be fed: the engine's inputs in a form that can be tried twice.

use livechat_crypto::identity::Identity;
use livechat_engine::{Command, CommandId, Input, LookupFailure, LookupId};
use livechat_wire::account::AccountLog;
use livechat_wire::http::{DirectoryEntry, KeyPackageStock};
use livechat_wire::order::{Entry, Receipt};
use livechat_wire::sync::{Cursor, Refusal, Verdict};
use livechat_wire::{Envelope, EnvelopeId, RelayId, SlotId};

use crate::account::saved::{SavedSession, UncheckedPhrase};

/// An input on its way to the engine.
#[derive(Debug, Clone)]
pub(crate) enum Feed {
    Command {
        id: CommandId,
        command: Command,
    },
    Gossip(Envelope),
    Page {
        relay: RelayId,
        envelopes: Vec<Envelope>,
        cursor: Cursor,
    },
    Verdicts {
        relay: RelayId,
        verdicts: Vec<(EnvelopeId, Verdict)>,
    },
    Directory {
        /// Of the engine that asked.
        generation: u64,
        lookup: LookupId,
        answer: Box<Result<DirectoryEntry, LookupFailure>>,
    },
    Stock(KeyPackageStock),
    Appended {
        slot: SlotId,
        answer: Box<Result<Receipt, Refusal>>,
    },
    Slot {
        slot: SlotId,
        from: u32,
        answer: Result<(Vec<Entry>, bool), Refusal>,
    },
    Relay {
        online: bool,
    },
    Timer,
}

impl Feed {
    /// What it weighs in a batch.
    pub(super) fn envelopes(&self) -> usize {
        match self {
            Self::Page { envelopes, .. } => envelopes.len(),
            _ => 1,
        }
    }

    pub(super) fn to_input(&self) -> Input {
        match self.clone() {
            Self::Command { id, command } => Input::Command { id, command },
            Self::Gossip(envelope) => Input::Gossip(envelope),
            Self::Page { relay, envelopes, cursor } => Input::Page { relay, envelopes, cursor },
            Self::Verdicts { relay, verdicts } => Input::Verdicts { relay, verdicts },
            Self::Directory { lookup, answer, .. } => Input::Directory { lookup, answer: *answer },
            Self::Stock(stock) => Input::Stock(stock),
            Self::Appended { slot, answer } => Input::Appended { slot, answer: *answer },
            Self::Slot { slot, from, answer } => Input::Slot { slot, from, answer },
            Self::Relay { online } => Input::Relay { online },
            Self::Timer => Input::Timer,
        }
    }
}

/// Everything that makes an account on this node.
#[derive(Debug)]
pub(crate) struct Activation {
    pub(crate) identity: Box<Identity>,
    pub(crate) username: String,
    pub(crate) relay: RelayId,
    pub(crate) log: AccountLog,
    pub(crate) bucket_bits: u8,
    /// None when the account was found again without one.
    pub(crate) session: Option<SavedSession>,
    /// Kept until its owner has written it down.
    pub(crate) phrase: UncheckedPhrase,
}
