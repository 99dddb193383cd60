//! A payload on its way to the relay: published at once, asked about, handed over, and tried again until the relay
//! signs that it keeps every envelope of it.
//!
//! ```text
//! Publish ── relay away ──► Rest ◄─────────────────┐
//!    │ gossip                │ pause over           │ refused, no answer, forged answer
//!    ▼ 300 ms                ▼                      │
//!   Ask ◄── relay there ─────┤ relay away: sealed anew and gossiped, then Rest again
//!    │ present               │                      │
//!    ▼                       │                      │
//!   Wait ── absent ──► Hand ─┴─ deposit ──► Wait ───┘ ── kept ──► gone
//! ```
//!
//! Whatever the relay answers, it is there: what rests because an answer got lost is asked about again at once (P6).

mod seal;

use std::collections::{BTreeMap, BTreeSet};

use livechat_crypto::kv::Kv;
use livechat_crypto::mls::GroupId;
use livechat_wire::envelope::epoch_at;
use livechat_wire::payload::Kind;
use livechat_wire::receipt::Receipt;
use livechat_wire::sync::{Refusal, Verdict};
use livechat_wire::{ConversationId, Envelope, EnvelopeId, RelayId, limits as wire};

use crate::errors::{HandleError, StoreError};
use crate::records::{Epoch, Parcel, Queued, Seal};
use crate::tables::Table;
use crate::turn::Turn;
use crate::view::Delivery;
use crate::{Engine, limits};

/// What becomes of commits that are on their way in an epoch that is given up. Whoever is still in it learns how it
/// ended from nothing else (R-64).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Commits<'a> {
    /// They are void.
    Go,
    /// Only the others have dropped the epoch: they still go out in it.
    Stay,
    /// They go out with what is left of this epoch.
    Outlive(&'a Epoch),
}

/// A due time that doesn't come.
const NEVER: u64 = u64::MAX;

/// A payload to be queued.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The message it carries, if it is one that people see.
    pub message: Option<(ConversationId, u64)>,
    /// Its envelopes: bucket, and how to seal each.
    pub seals: Vec<(u16, Seal)>,
}

/// Everything on its way; the bytes are in the store.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    entries: BTreeMap<u64, Entry>,
    due: BTreeSet<(u64, u64)>,
    by_envelope: BTreeMap<EnvelopeId, (u64, usize)>,
    next: u64,
    messages: u32,
    online: bool,
}

#[derive(Debug)]
struct Entry {
    message: Option<(ConversationId, u64)>,
    parcels: Vec<Progress>,
    stage: Stage,
    failures: u32,
    /// It rests because the relay said no, not because an answer is missing.
    refused: bool,
    due: u64,
}

#[derive(Debug)]
struct Progress {
    accepted: bool,
    /// Handed over since the last pause; the answer is outstanding.
    handed: bool,
    /// The relay says that its envelope epoch is too old, whatever our clock says.
    stale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Publish,
    Ask,
    Hand,
    Wait,
    Rest,
    #[cfg(feature = "sabotage")]
    Forgotten,
}

impl Outbox {
    /// Finds what was on its way. All of it is published again: nobody knows how far it got.
    pub fn open(kv: &dyn Kv) -> Result<Self, StoreError> {
        let mut outbox = Self::default();
        Table::Outbox.each(kv, |key, queued: Queued| {
            let sequence = u64::from_be_bytes(Table::Outbox.id(key, 0)?);
            outbox.note(sequence, &queued, 0);
            Ok(())
        })?;
        Ok(outbox)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_full(&self) -> bool {
        self.entries.len() >= limits::OUTBOX
    }

    /// Own messages that no relay has accepted yet.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// Whether the relay can be reached.
    pub fn is_online(&self) -> bool {
        self.online
    }

    /// Forgets what is on its way in an epoch whose keys go, here or only at the others. Returns the numbers of the
    /// payloads' first envelopes.
    pub fn drop_epoch(
        &mut self,
        turn: &mut Turn<'_>,
        group: GroupId,
        epoch: u64,
        commits: Commits<'_>,
    ) -> Result<BTreeSet<u64>, HandleError> {
        let sequences: Vec<u64> = self.entries.keys().copied().collect();
        let mut dropped = BTreeSet::new();
        for sequence in sequences {
            let mut queued = queued(turn, sequence)?;
            let first = queued.parcels.first().map(|p| &p.seal);
            let Some(Seal::Group { group: g, epoch: e, counter, fragment }) = first else { continue };
            if (*g, *e) != (group, epoch) {
                continue;
            }
            match commits {
                Commits::Stay if fragment.kind == Kind::Commit => {}
                Commits::Outlive(epoch) if fragment.kind == Kind::Commit => {
                    queued.outlive(epoch);
                    Table::Outbox.put(turn.kv, &sequence.to_be_bytes(), &queued)?;
                }
                _ => {
                    dropped.insert(*counter);
                    Table::Outbox.delete(turn.kv, &sequence.to_be_bytes())?;
                    self.remove(sequence, &queued);
                    turn.queue_changed |= queued.message.is_some();
                }
            }
        }
        Ok(dropped)
    }

    /// Epoch and number of the first envelope of each payload of a group that is still on its way.
    pub fn unsent(&self, turn: &Turn<'_>, group: GroupId) -> Result<BTreeSet<(u64, u64)>, HandleError> {
        let mut unsent = BTreeSet::new();
        for sequence in self.entries.keys() {
            if let Some(Seal::Group { group: g, epoch, counter, .. }) =
                queued(turn, *sequence)?.parcels.first().map(|p| &p.seal)
                && *g == group
            {
                unsent.insert((*epoch, *counter));
            }
        }
        Ok(unsent)
    }

    /// When something is due.
    pub fn wake(&self) -> Option<u64> {
        self.due.first().map(|(due, _)| *due).filter(|due| *due != NEVER)
    }

    /// The relay came or went.
    pub fn relay(&mut self, turn: &mut Turn<'_>, online: bool) {
        if self.online == online {
            return;
        }
        self.online = online;
        let sequences: Vec<u64> = self.entries.keys().copied().collect();
        for sequence in sequences {
            match self.entries.get(&sequence).map(|e| e.stage) {
                Some(Stage::Rest) if online => {
                    if let Some(entry) = self.entries.get_mut(&sequence) {
                        entry.failures = 0;
                    }
                    self.schedule(sequence, Stage::Ask, turn.clock);
                }
                Some(Stage::Ask | Stage::Hand | Stage::Wait) if !online => self.rest(turn, sequence),
                _ => {}
            }
        }
    }

    /// The relay answered something: what rests for want of an answer waits [`limits::ANSWERED`] at most.
    pub fn answered(&mut self, turn: &mut Turn<'_>) {
        if !self.online {
            return;
        }
        let late = self.due.range((turn.clock + limits::ANSWERED, u64::MAX)..).map(|(_, sequence)| *sequence);
        let unanswered = |s: &u64| self.entries.get(s).is_some_and(|e| e.stage == Stage::Rest && !e.refused);
        let late: Vec<u64> = late.filter(unanswered).collect();
        for sequence in late {
            let due = turn.clock + turn.between(0, limits::ANSWERED);
            self.schedule(sequence, Stage::Rest, due);
        }
    }

    fn note(&mut self, sequence: u64, queued: &Queued, due: u64) {
        for (at, parcel) in queued.parcels.iter().enumerate() {
            self.by_envelope.extend(parcel.ids.iter().map(|id| (*id, (sequence, at))));
        }
        let progress = |p: &Parcel| Progress { accepted: p.accepted, handed: false, stale: false };
        let parcels = queued.parcels.iter().map(progress).collect();
        let entry = Entry { message: queued.message, parcels, stage: Stage::Publish, failures: 0, refused: false, due };
        self.messages += u32::from(queued.message.is_some());
        self.entries.insert(sequence, entry);
        self.due.insert((due, sequence));
        self.next = self.next.max(sequence + 1);
    }

    fn schedule(&mut self, sequence: u64, stage: Stage, due: u64) {
        if let Some(entry) = self.entries.get_mut(&sequence) {
            self.due.remove(&(entry.due, sequence));
            self.due.insert((due, sequence));
            entry.stage = stage;
            entry.due = due;
        }
    }

    /// Counts a failure and pauses, longer each time: between half and all of 1, 2, 4 … 60 s.
    fn rest(&mut self, turn: &mut Turn<'_>, sequence: u64) {
        let Some(entry) = self.entries.get_mut(&sequence) else { return };
        let longest = limits::BACKOFF_FIRST.checked_shl(entry.failures).unwrap_or(limits::BACKOFF_MAX);
        let longest = longest.min(limits::BACKOFF_MAX);
        entry.failures = (entry.failures + 1).min(16);
        entry.refused = false;
        for parcel in &mut entry.parcels {
            parcel.handed = false;
        }
        let pause = turn.between(longest / 2, longest);
        self.schedule(sequence, Stage::Rest, turn.clock + pause);
    }

    fn remove(&mut self, sequence: u64, queued: &Queued) {
        if let Some(entry) = self.entries.remove(&sequence) {
            self.due.remove(&(entry.due, sequence));
            self.messages -= u32::from(entry.message.is_some());
        }
        for id in queued.parcels.iter().flat_map(|p| &p.ids) {
            self.by_envelope.remove(id);
        }
    }
}

impl Engine {
    /// Seals a payload and queues it; it is published before this call of [`Engine::handle`] ends.
    pub(crate) fn queue(&mut self, turn: &mut Turn<'_>, draft: Draft) -> Result<(), HandleError> {
        let mut parcels = Vec::new();
        for (bucket, seal) in draft.seals {
            let envelope = self.seal(turn, bucket, &seal)?;
            let id = envelope.id();
            self.seen.put(turn.kv, id, turn.clock)?;
            let envelope = envelope.as_bytes().to_vec();
            parcels.push(Parcel { bucket, seal, envelope, ids: vec![id], accepted: false });
        }
        let queued = Queued { message: draft.message, parcels };
        let sequence = self.outbox.next;
        Table::Outbox.put(turn.kv, &sequence.to_be_bytes(), &queued)?;
        self.outbox.note(sequence, &queued, turn.clock);
        turn.queue_changed |= queued.message.is_some();
        Ok(())
    }

    /// Takes every step that is due, oldest payload first, as far as one batch goes.
    pub(crate) fn pump(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let due = self.outbox.due.range(..=(turn.clock, u64::MAX));
        let mut sequences: Vec<u64> = due.map(|(_, sequence)| *sequence).collect();
        sequences.sort_unstable();
        for sequence in sequences {
            // A step may make the next one due at once.
            while let Some(entry) = self.outbox.entries.get(&sequence).filter(|e| e.due <= turn.clock) {
                match entry.stage {
                    Stage::Publish => self.publish(turn, sequence)?,
                    Stage::Ask => self.ask(turn, sequence)?,
                    Stage::Hand => self.hand(turn, sequence)?,
                    Stage::Wait => self.outbox.rest(turn, sequence),
                    Stage::Rest if self.outbox.online => self.outbox.schedule(sequence, Stage::Ask, turn.clock),
                    Stage::Rest => self.publish_anew(turn, sequence)?,
                    #[cfg(feature = "sabotage")]
                    Stage::Forgotten => break,
                }
            }
        }
        Ok(())
    }

    fn publish(&mut self, turn: &mut Turn<'_>, sequence: u64) -> Result<(), HandleError> {
        if turn.fx.gossip.len() >= limits::GOSSIP_BATCH {
            self.outbox.schedule(sequence, Stage::Publish, turn.clock + limits::BATCH_PAUSE);
            return Ok(());
        }
        let queued = queued(turn, sequence)?;
        for parcel in queued.parcels.iter().filter(|p| !p.accepted) {
            turn.fx.gossip.push(envelope(parcel)?);
        }
        #[cfg(feature = "sabotage")]
        if self.sabotage.no_retry {
            self.outbox.schedule(sequence, Stage::Forgotten, NEVER);
            return Ok(());
        }
        if self.outbox.online {
            self.outbox.schedule(sequence, Stage::Ask, turn.clock + limits::ASK_AFTER);
        } else {
            self.outbox.rest(turn, sequence);
        }
        Ok(())
    }

    /// The relay is away: others may still be near. Gossip drops bytes it has seen, so they are sealed anew.
    fn publish_anew(&mut self, turn: &mut Turn<'_>, sequence: u64) -> Result<(), HandleError> {
        if turn.fx.gossip.len() >= limits::GOSSIP_BATCH {
            self.outbox.schedule(sequence, Stage::Rest, turn.clock + limits::BATCH_PAUSE);
            return Ok(());
        }
        let mut queued = queued(turn, sequence)?;
        for at in 0..queued.parcels.len() {
            if !queued.parcels[at].accepted {
                let envelope = self.seal_again(turn, sequence, &mut queued, at)?;
                turn.fx.gossip.push(envelope);
            }
        }
        Table::Outbox.put(turn.kv, &sequence.to_be_bytes(), &queued)?;
        self.outbox.rest(turn, sequence);
        Ok(())
    }

    fn ask(&mut self, turn: &mut Turn<'_>, sequence: u64) -> Result<(), HandleError> {
        let Some(entry) = self.outbox.entries.get(&sequence) else { return Ok(()) };
        let open = entry.parcels.iter().filter(|p| !p.accepted).count();
        if open > wire::PRESENT {
            self.outbox.schedule(sequence, Stage::Hand, turn.clock);
            return Ok(());
        }
        if turn.fx.present.len() + open > wire::PRESENT {
            self.outbox.schedule(sequence, Stage::Ask, turn.clock + limits::BATCH_PAUSE);
            return Ok(());
        }
        let queued = queued(turn, sequence)?;
        let open = queued.parcels.iter().filter(|p| !p.accepted);
        turn.fx.present.extend(open.filter_map(|p| p.ids.last().copied()));
        self.outbox.schedule(sequence, Stage::Wait, turn.clock + limits::VERDICT);
        Ok(())
    }

    fn hand(&mut self, turn: &mut Turn<'_>, sequence: u64) -> Result<(), HandleError> {
        let mut queued = queued(turn, sequence)?;
        let epoch = epoch_at(turn.seconds());
        let (mut sealed, mut left) = (false, false);
        for at in 0..queued.parcels.len() {
            let Some(progress) = self.outbox.entries.get(&sequence).and_then(|e| e.parcels.get(at)) else { break };
            if progress.accepted || progress.handed {
                continue;
            }
            if turn.fx.deposit.len() >= wire::DEPOSIT {
                left = true;
                break;
            }
            let mut now = envelope(&queued.parcels[at])?;
            if progress.stale || now.epoch() != epoch {
                now = self.seal_again(turn, sequence, &mut queued, at)?;
                sealed = true;
            }
            turn.fx.deposit.push(now);
            if let Some(p) = self.outbox.entries.get_mut(&sequence).and_then(|e| e.parcels.get_mut(at)) {
                (p.handed, p.stale) = (true, false);
            }
        }
        if sealed {
            Table::Outbox.put(turn.kv, &sequence.to_be_bytes(), &queued)?;
        }
        if left {
            self.outbox.schedule(sequence, Stage::Hand, turn.clock + limits::BATCH_PAUSE);
        } else {
            self.outbox.schedule(sequence, Stage::Wait, turn.clock + limits::VERDICT);
        }
        Ok(())
    }

    /// Takes a relay's word about envelopes of ours; only a receipt that verifies counts as acceptance.
    pub(crate) fn verdicts(
        &mut self,
        turn: &mut Turn<'_>,
        relay: RelayId,
        verdicts: Vec<(EnvelopeId, Verdict)>,
    ) -> Result<(), HandleError> {
        if self.me.as_ref().is_none_or(|me| me.relay != relay) {
            self.refused.verdicts += verdicts.len() as u64;
            return Ok(());
        }
        self.outbox.answered(turn);
        let mut kept = BTreeMap::<u64, Vec<usize>>::new();
        let mut refused = BTreeSet::new();
        for (id, verdict) in verdicts {
            let Some((sequence, at)) = self.outbox.by_envelope.get(&id).copied() else { continue };
            let Some(entry) = self.outbox.entries.get_mut(&sequence) else { continue };
            let Some(parcel) = entry.parcels.get_mut(at) else { continue };
            match verdict {
                Verdict::Kept(receipt) if speaks_for(&receipt, relay, id) => {
                    parcel.accepted = true;
                    kept.entry(sequence).or_default().push(at);
                }
                Verdict::Kept(_) => self.refused.verdicts += 1,
                // To a relay that says so after a deposit too, there is a pause, not a race.
                Verdict::Absent if entry.stage == Stage::Wait && !parcel.handed => {
                    self.outbox.schedule(sequence, Stage::Hand, turn.clock);
                }
                Verdict::Absent => {}
                Verdict::Refused(why) => {
                    parcel.stale |= why == Refusal::Stale;
                    refused.insert(sequence);
                }
            }
        }
        for sequence in refused {
            self.outbox.rest(turn, sequence);
            if let Some(entry) = self.outbox.entries.get_mut(&sequence) {
                entry.refused = true;
            }
        }
        for (sequence, parcels) in kept {
            self.accepted(turn, sequence, &parcels)?;
        }
        Ok(())
    }

    /// Notes which parcels are kept; a payload that is kept whole is done.
    fn accepted(&mut self, turn: &mut Turn<'_>, sequence: u64, parcels: &[usize]) -> Result<(), HandleError> {
        let mut queued = queued(turn, sequence)?;
        for at in parcels {
            if let Some(parcel) = queued.parcels.get_mut(*at) {
                parcel.accepted = true;
            }
        }
        if !queued.parcels.iter().all(|p| p.accepted) {
            return Ok(Table::Outbox.put(turn.kv, &sequence.to_be_bytes(), &queued)?);
        }
        Table::Outbox.delete(turn.kv, &sequence.to_be_bytes())?;
        self.outbox.remove(sequence, &queued);
        if let Some(Seal::Group { group, epoch, counter, .. }) = queued.parcels.first().map(|p| &p.seal) {
            self.got_out(turn, group, *epoch, *counter)?;
        }
        if let Some((conversation, position)) = queued.message {
            turn.queue_changed = true;
            self.advance_delivery(turn, conversation, position, Delivery::Accepted)?;
        }
        Ok(())
    }
}

impl Queued {
    /// Its epoch goes; the keys that it is sealed with stay with it.
    fn outlive(&mut self, epoch: &Epoch) {
        for parcel in &mut self.parcels {
            if let Seal::Group { counter, fragment, .. } = &parcel.seal {
                let (secret, leaf, counter) = (epoch.secret.clone(), epoch.own_leaf, *counter);
                parcel.seal = Seal::Late { secret, leaf, counter, fragment: fragment.clone() };
            }
        }
    }
}

/// Whether this is `relay`'s signed word about this envelope.
fn speaks_for(receipt: &Receipt, relay: RelayId, id: EnvelopeId) -> bool {
    receipt.relay == relay && receipt.envelope == id && receipt.verify().is_ok()
}

fn queued(turn: &Turn<'_>, sequence: u64) -> Result<Queued, HandleError> {
    let queued = Table::Outbox.get(turn.kv, &sequence.to_be_bytes())?;
    queued.ok_or(HandleError::Inconsistent("a queued payload that isn't there"))
}

fn envelope(parcel: &Parcel) -> Result<Envelope, StoreError> {
    Envelope::decode(&parcel.envelope).map_err(|source| StoreError::Unreadable { table: Table::Outbox, source })
}
