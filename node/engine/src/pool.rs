//! Envelopes that nothing opens yet, and ids of those that were dealt with. Both bounded, oldest out first.

use std::collections::{BTreeMap, BTreeSet};

use livechat_crypto::kv::Kv;
use livechat_wire::{Envelope, EnvelopeId, Tag};

use crate::Engine;
use crate::errors::{HandleError, StoreError};
use crate::records::Pooled;
use crate::tables::Table;
use crate::turn::Turn;
use crate::{limits, tables};

/// Envelopes in waiting: most are other people's, some overtook the hello or the messages that make them ours.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    by_tag: BTreeSet<(Tag, EnvelopeId)>,
    by_age: BTreeSet<(u64, EnvelopeId)>,
    entries: BTreeMap<EnvelopeId, (u64, Tag)>,
}

impl Pool {
    pub fn open(kv: &dyn Kv) -> Result<Self, StoreError> {
        let mut pool = Self::default();
        Table::Pool.each(kv, |key, value: Pooled| {
            let envelope = decode(&value.envelope)?;
            pool.note(EnvelopeId(Table::Pool.id(key, 0)?), value.arrived, envelope.tag());
            Ok(())
        })?;
        Ok(pool)
    }

    pub fn contains(&self, id: &EnvelopeId) -> bool {
        self.entries.contains_key(id)
    }

    /// Keeps an envelope for later; pushes the oldest out when there are too many.
    pub fn put(&mut self, kv: &mut dyn Kv, id: EnvelopeId, envelope: &Envelope, clock: u64) -> Result<(), StoreError> {
        while self.entries.len() >= limits::POOL {
            let Some((_, oldest)) = self.by_age.first().copied() else { break };
            self.remove(kv, oldest)?;
        }
        Table::Pool.put(kv, &id.0, &Pooled { arrived: clock, envelope: envelope.as_bytes().to_vec() })?;
        self.note(id, clock, envelope.tag());
        Ok(())
    }

    /// Takes out what has this tag.
    pub fn take(&mut self, kv: &mut dyn Kv, tag: Tag) -> Result<Vec<Envelope>, StoreError> {
        let ids: Vec<_> =
            self.by_tag.range((tag, EnvelopeId([0; 32]))..=(tag, EnvelopeId([0xff; 32]))).map(|(_, id)| *id).collect();
        let mut found = Vec::new();
        for id in ids {
            if let Some(pooled) = Table::Pool.get::<Pooled>(kv, &id.0)? {
                found.push(decode(&pooled.envelope)?);
            }
            self.remove(kv, id)?;
        }
        Ok(found)
    }

    fn note(&mut self, id: EnvelopeId, arrived: u64, tag: Tag) {
        self.entries.insert(id, (arrived, tag));
        self.by_age.insert((arrived, id));
        self.by_tag.insert((tag, id));
    }

    fn remove(&mut self, kv: &mut dyn Kv, id: EnvelopeId) -> Result<(), StoreError> {
        if let Some((arrived, tag)) = self.entries.remove(&id) {
            self.by_age.remove(&(arrived, id));
            self.by_tag.remove(&(tag, id));
        }
        Table::Pool.delete(kv, &id.0)
    }
}

/// Envelopes that were opened or sent by us.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    by_age: BTreeSet<(u64, EnvelopeId)>,
    ids: BTreeSet<EnvelopeId>,
}

impl Seen {
    pub fn open(kv: &dyn Kv) -> Result<Self, StoreError> {
        let mut seen = Self::default();
        Table::Seen.each(kv, |key, at: u64| {
            let id = EnvelopeId(Table::Seen.id(key, 0)?);
            seen.ids.insert(id);
            seen.by_age.insert((at, id));
            Ok(())
        })?;
        Ok(seen)
    }

    pub fn contains(&self, id: &EnvelopeId) -> bool {
        self.ids.contains(id)
    }

    pub fn put(&mut self, kv: &mut dyn Kv, id: EnvelopeId, clock: u64) -> Result<(), StoreError> {
        if !self.ids.insert(id) {
            return Ok(());
        }
        self.by_age.insert((clock, id));
        Table::Seen.put(kv, &id.0, &clock)?;
        if self.ids.len() > limits::SEEN { self.drop_oldest(kv) } else { Ok(()) }
    }

    fn drop_oldest(&mut self, kv: &mut dyn Kv) -> Result<(), StoreError> {
        let Some((_, id)) = self.by_age.pop_first() else { return Ok(()) };
        self.ids.remove(&id);
        Table::Seen.delete(kv, &id.0)
    }
}

fn decode(bytes: &[u8]) -> Result<Envelope, StoreError> {
    Envelope::decode(bytes).map_err(|source| StoreError::Unreadable { table: tables::Table::Pool, source })
}

impl Engine {
    /// Forgets what is too old, a little at a time so that no call takes long.
    pub(crate) fn sweep(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        const AT_ONCE: usize = 64;
        for _ in 0..AT_ONCE {
            let Some((arrived, id)) = self.pool.by_age.first().copied() else { break };
            if arrived.saturating_add(limits::POOL_AGE) > turn.clock {
                break;
            }
            self.pool.remove(turn.kv, id)?;
        }
        for _ in 0..AT_ONCE {
            match self.seen.by_age.first() {
                Some((at, _)) if at.saturating_add(limits::SEEN_AGE) <= turn.clock => self.seen.drop_oldest(turn.kv)?,
                _ => break,
            }
        }
        self.sweep_hellos(turn)
    }
}
