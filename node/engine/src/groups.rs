//! MLS groups and what derives from them: envelope keys, streams, expected tags.

use std::collections::BTreeMap;

use livechat_crypto::envelope::EnvelopeKeys;
use livechat_crypto::kv::Kv;
use livechat_crypto::mls::{GroupId, Session};
use livechat_wire::codec::Reader;
use livechat_wire::payload::After;
use livechat_wire::{ConversationId, DecodeError};
use rand_core::CryptoRng;

use crate::errors::{HandleError, StoreError};
use crate::membership::room_of;
use crate::records::{self, Epoch, Piece};
use crate::stream::Stream;
use crate::tables::{Table, key};
use crate::tags::Target;
use crate::turn::Turn;
use crate::{Engine, Me, limits};

/// A sender leaf in an epoch of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamKey {
    pub group: GroupId,
    pub epoch: u64,
    pub leaf: u32,
}

/// A group with the keys of its live epochs.
pub(crate) struct Group {
    pub record: records::Group,
    pub keys: BTreeMap<u64, EnvelopeKeys>,
}

impl StreamKey {
    pub fn encode(self) -> Vec<u8> {
        key(&[&self.group.0, &self.epoch.to_be_bytes(), &self.leaf.to_be_bytes()])
    }

    pub fn piece(self, counter: u64) -> Vec<u8> {
        key(&[&self.encode(), &counter.to_be_bytes()])
    }

    fn decode(bytes: &[u8]) -> Result<(Self, Reader<'_>), DecodeError> {
        let mut r = Reader::new(bytes);
        let key = Self { group: GroupId(r.array()?), epoch: r.u64()?, leaf: r.u32()? };
        Ok((key, r))
    }
}

impl Group {
    pub fn new(record: records::Group) -> Self {
        let keys = record.epochs.iter().map(|e| (e.number, EnvelopeKeys::new(&e.secret))).collect();
        Self { record, keys }
    }

    /// Where this device last sent anything before `epoch`.
    pub(crate) fn after(&self, epoch: u64) -> Option<After> {
        let earlier = self.record.epochs.iter().rev().find(|e| e.number < epoch && e.counter > 0)?;
        Some(After { epoch: earlier.number, count: earlier.counter })
    }

    /// Adds the newest epoch and drops those that are too many or too old, unless one may have to go back to them.
    /// Returns what was dropped.
    pub(crate) fn push_epoch(&mut self, epoch: Epoch, clock: u64, rewinds_to: Option<u64>) -> Vec<Epoch> {
        self.keys.insert(epoch.number, EnvelopeKeys::new(&epoch.secret));
        self.record.epochs.push(epoch);
        let surplus = self.record.epochs.len().saturating_sub(limits::EPOCHS);
        let newest = self.record.epochs.len() - 1;
        let mut place = 0;
        // An epoch ages from the moment the next one replaced it.
        let successors: Vec<u64> = self.record.epochs.iter().skip(1).map(|e| e.since).collect();
        let goes = |e: &mut Epoch| {
            let old = successors.get(place).is_some_and(|s| s.saturating_add(limits::EPOCH_AGE) < clock);
            let held = rewinds_to.is_some_and(|first| first <= e.number);
            let keep = place == newest || held || (place >= surplus && !old);
            place += 1;
            !keep
        };
        let dropped: Vec<Epoch> = self.record.epochs.extract_if(.., goes).collect();
        for epoch in &dropped {
            self.keys.remove(&epoch.number);
        }
        dropped
    }
}

/// Lends crypto the transaction, the dice and the time.
pub(crate) fn session<'a>(me: &'a Me, kv: &'a mut dyn Kv, rng: &'a mut dyn CryptoRng, now: u64) -> Session<'a> {
    Session { identity: &me.identity, kv, rng, now: now / 1_000 }
}

impl Engine {
    pub(crate) fn open_groups(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        Table::Groups.each(kv, |key, record: records::Group| {
            self.groups.insert(GroupId(Table::Groups.id(key, 0)?), Group::new(record));
            Ok(())
        })?;
        let unreadable = |table| move |source| StoreError::Unreadable { table, source };
        Table::Streams.each(kv, |key, stream: Stream| {
            let (key, _) = StreamKey::decode(key).map_err(unreadable(Table::Streams))?;
            self.streams.insert(key, stream);
            Ok(())
        })?;
        let clock = self.clock.passed();
        Table::Pieces.each(kv, |key, piece: Piece| {
            let (key, counter) = StreamKey::decode(key)
                .and_then(|(key, mut r)| Ok((key, r.u64()?)))
                .map_err(unreadable(Table::Pieces))?;
            if let Some(stream) = self.streams.get_mut(&key) {
                // The clock may have been written down a little before the piece was.
                stream.put_back(counter, &piece.fragment, piece.arrived.min(clock));
                self.holds.insert(key, clock);
            }
            Ok(())
        })?;
        for (key, stream) in &self.streams {
            let Some(keys) = self.groups.get(&key.group).and_then(|g| g.keys.get(&key.epoch)) else { continue };
            for counter in stream.expected() {
                self.tags.expect(keys.tag(key.leaf, counter), Target::Stream { stream: *key, counter });
            }
        }
        Ok(())
    }

    /// Begins to expect a sender's envelopes; those that came too early are looked at again.
    pub(crate) fn open_stream(&mut self, turn: &mut Turn<'_>, key: StreamKey) -> Result<(), HandleError> {
        let stream = Stream::default();
        Table::Streams.put(turn.kv, &key.encode(), &stream)?;
        let expected: Vec<u64> = stream.expected().collect();
        self.streams.insert(key, stream);
        self.expect(turn, key, expected)
    }

    /// Ends expecting the envelopes of an epoch.
    pub(crate) fn close_streams(&mut self, turn: &mut Turn<'_>, group: GroupId, epoch: u64) -> Result<(), HandleError> {
        let range = StreamKey { group, epoch, leaf: 0 }..=StreamKey { group, epoch, leaf: u32::MAX };
        let keys: Vec<StreamKey> = self.streams.range(range).map(|(k, _)| *k).collect();
        self.tags.forget_epoch(group, epoch);
        for key in keys {
            self.holds.remove(&key);
            // What waited for the rest of it waits no more.
            for later in self.later_streams(key) {
                self.holds.insert(later, turn.clock);
            }
            for counter in self.streams.remove(&key).iter().flat_map(Stream::waiting) {
                Table::Pieces.delete(turn.kv, &key.piece(counter))?;
            }
            Table::Streams.delete(turn.kv, &key.encode())?;
        }
        Ok(())
    }

    /// What the same sender sent in later epochs.
    pub(crate) fn later_streams(&self, key: StreamKey) -> Vec<StreamKey> {
        let epochs = self.groups.get(&key.group).into_iter().flat_map(|g| g.keys.keys());
        let later = epochs.filter(|e| **e > key.epoch).map(|e| StreamKey { epoch: *e, ..key });
        later.filter(|k| self.streams.get(k).is_some_and(Stream::holds_any)).collect()
    }

    /// Adds tags to the index and takes what already has them out of the pool.
    pub(crate) fn expect(
        &mut self,
        turn: &mut Turn<'_>,
        key: StreamKey,
        counters: impl IntoIterator<Item = u64>,
    ) -> Result<(), HandleError> {
        let Some(keys) = self.groups.get(&key.group).and_then(|g| g.keys.get(&key.epoch)) else { return Ok(()) };
        for counter in counters {
            let tag = keys.tag(key.leaf, counter);
            self.tags.expect(tag, Target::Stream { stream: key, counter });
            turn.work.extend(self.pool.take(turn.kv, tag)?);
        }
        Ok(())
    }

    /// Chooses the group to write to in a conversation (rule O-5).
    pub(crate) fn choose_group(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Result<GroupId, HandleError> {
        let missing = || HandleError::Inconsistent("a conversation that isn't there");
        let conversation = self.conversations.get(&id).ok_or_else(missing)?;
        let sending = conversation.sending;
        if conversation.groups == [sending] {
            return Ok(sending);
        }
        let best = conversation.groups.iter().min_by_key(|g| (self.distance(g), **g)).copied().unwrap_or(sending);
        let settled = self.groups.get(&sending).is_none_or(|g| g.record.unconfirmed == 0);
        // Whether each of several devices has everything, nobody says: one of them might hear the later room first.
        let alone = self.room(room_of(&sending)).is_none_or(|r| r.seats.len() <= 2);
        // Somebody who should hear doesn't, or somebody does who shouldn't: that doesn't wait.
        let pressing = self.distance(&best) < self.distance(&sending);
        // What a backup gave back has no room of its own yet.
        let gone = !conversation.groups.contains(&sending);
        if best == sending || !(gone || pressing || settled && alone) {
            return Ok(sending);
        }
        let conversation = self.conversations.get_mut(&id).ok_or_else(missing)?;
        conversation.sending = best;
        Table::Conversations.put(turn.kv, &id.0, conversation)?;
        if !settled {
            self.move_said(turn, sending, best)?;
        }
        Ok(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn epoch(number: u64, since: u64) -> Epoch {
        Epoch { number, own_leaf: 0, leaves: vec![0, 1], secret: Zeroizing::new([0; 32]), since, counter: 0 }
    }

    #[test]
    fn keeps_five_epochs_for_two_days() {
        let record = records::Group { conversation: ConversationId([0; 32]), epochs: Vec::new(), unconfirmed: 0 };
        let mut group = Group::new(record);
        for n in 0..5 {
            assert!(group.push_epoch(epoch(n, n), n, None).is_empty());
        }
        let numbers = |dropped: Vec<Epoch>| dropped.iter().map(|e| e.number).collect::<Vec<_>>();
        assert_eq!(numbers(group.push_epoch(epoch(5, 5), 5, None)), [0], "a sixth pushes out the first");
        let later = 6 + limits::EPOCH_AGE;
        assert_eq!(numbers(group.push_epoch(epoch(6, later), later, None)), [1, 2, 3, 4], "replaced two days ago");
        assert_eq!(group.keys.keys().copied().collect::<Vec<_>>(), [5, 6], "the one before was in force until now");
    }
}
