//! An envelope on its way into the history: recognised by its tag, opened, put together, decrypted, bound to its
//! conversation and sender, shown in order.

use livechat_crypto::mls::{DecryptError, Opened};
use livechat_wire::content::{Body, Content};
use livechat_wire::hello::Hello;
use livechat_wire::payload::{After, Fragment, Kind, Message};
use livechat_wire::{AccountId, ConversationId, Envelope};

use crate::Engine;
use crate::errors::HandleError;
use crate::groups::{StreamKey, session};
use crate::membership::room_of;
use crate::records::Piece;
use crate::stream::{Step, Stream};
use crate::tables::Table;
use crate::tags::Target;
use crate::turn::Turn;
use crate::view::Membership;

impl Engine {
    /// Looks at every envelope in the turn's work list; opening one may bring others out of the pool.
    pub(crate) fn take_all(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        while let Some(envelope) = turn.work.pop_front().filter(|_| !self.is_removed()) {
            self.take(turn, &envelope)?;
        }
        Ok(())
    }

    fn take(&mut self, turn: &mut Turn<'_>, envelope: &Envelope) -> Result<(), HandleError> {
        let id = envelope.id();
        if self.seen.contains(&id) || self.pool.contains(&id) {
            return Ok(());
        }
        if envelope.is_ephemeral() {
            return self.take_passing(turn, envelope);
        }
        match self.tags.get(&envelope.tag()) {
            Some(Target::Stream { stream, counter }) => self.take_fragment(turn, stream, counter, envelope),
            Some(Target::Hello { digest, index }) => self.take_introduction(turn, digest, index, envelope),
            None => match self.open_hello(envelope)? {
                Some(hello) => self.take_hello(turn, &hello, id),
                None => Ok(self.pool.put(turn.kv, id, envelope, turn.clock)?),
            },
        }
    }

    /// A hello to us, or to the door of a group in which all hear who knocks.
    fn open_hello(&self, envelope: &Envelope) -> Result<Option<Hello>, HandleError> {
        let own = livechat_crypto::envelope::open_hello(&self.me()?.identity, envelope);
        Ok(own.or_else(|| self.open_doors().find_map(|door| door.open_hello(envelope))))
    }

    fn take_fragment(
        &mut self,
        turn: &mut Turn<'_>,
        key: StreamKey,
        counter: u64,
        envelope: &Envelope,
    ) -> Result<(), HandleError> {
        let Some(keys) = self.groups.get(&key.group).and_then(|g| g.keys.get(&key.epoch)) else { return Ok(()) };
        let fragment = match keys.open(key.leaf, counter, envelope) {
            Ok(fragment) => fragment,
            Err(livechat_crypto::envelope::OpenError::Fragment(_)) => lone_fragment(),
            // Anybody can copy a tag onto an envelope of their own: the tag stays expected.
            Err(_) => {
                self.refused.unopened += 1;
                return Ok(());
            }
        };
        let tag = envelope.tag();
        self.tags.forget(&tag);
        self.seen.put(turn.kv, envelope.id(), turn.clock)?;
        let Some(stream) = self.streams.get_mut(&key).filter(|s| s.expects(counter)) else { return Ok(()) };
        let moved = stream.accept(counter, &fragment, turn.clock);
        for old in moved.forget {
            self.tags.forget(&keys.tag(key.leaf, old));
        }
        Table::Pieces.put(turn.kv, &key.piece(counter), &Piece { arrived: turn.clock, fragment })?;
        self.expect(turn, key, moved.expect)?;
        self.drain(turn, key)
    }

    /// Shows what can be shown of a stream, and of others of its sender that waited for it.
    fn drain(&mut self, turn: &mut Turn<'_>, key: StreamKey) -> Result<(), HandleError> {
        let mut todo = vec![key];
        while let Some(key) = todo.pop() {
            let before = self.streams.get(&key).map(Stream::shown);
            // What comes first is told that the rest of it is waited for, and looked at.
            todo.extend(self.drain_one(turn, key)?);
            let after = self.streams.get(&key);
            if after.map(Stream::shown) != before && after.is_some_and(Stream::has_ended) {
                todo.extend(self.later_streams(key));
            }
        }
        Ok(())
    }

    /// Shows what can be shown of a stream, or says which one is to be looked at before.
    fn drain_one(&mut self, turn: &mut Turn<'_>, key: StreamKey) -> Result<Option<StreamKey>, HandleError> {
        self.holds.remove(&key);
        let mut waits_for = None;
        while let Some(stream) = self.streams.get_mut(&key) {
            match stream.step(turn.clock) {
                Step::Show { first, count, place } => {
                    if let Some((earlier, news)) = self.comes_after(turn, key, first, place)? {
                        waits_for = Some(earlier).filter(|_| news);
                        break;
                    }
                    let Some(stream) = self.streams.get_mut(&key) else { break };
                    stream.took(first, count);
                    let (kind, payload) = assemble(turn, key, first, count)?;
                    self.show(turn, key, kind, &payload, place)?;
                }
                Step::Broken { counter } => {
                    stream.dropped(counter);
                    self.refused.malformed += 1;
                    Table::Pieces.delete(turn.kv, &key.piece(counter))?;
                }
                Step::GiveUp { counters } => {
                    let places = counters.end - counters.start;
                    let base = self.keep_places(turn, key, places)?;
                    let Some(stream) = self.streams.get_mut(&key) else { break };
                    for counter in stream.gave_up(counters, base, turn.clock) {
                        Table::Pieces.delete(turn.kv, &key.piece(counter))?;
                    }
                }
                Step::Wait { until } => {
                    self.holds.insert(key, until);
                    break;
                }
                Step::Idle => break,
            }
        }
        if let Some(stream) = self.streams.get(&key) {
            Table::Streams.put(turn.kv, &key.encode(), stream)?;
        }
        Ok(waits_for)
    }

    /// The stream of an earlier epoch whose rest is still under way, when its sender said that before what is to be
    /// shown (rule O-7 in [`crate`]); and whether that stream didn't know yet that it has an end.
    fn comes_after(
        &mut self,
        turn: &mut Turn<'_>,
        key: StreamKey,
        first: u64,
        place: Option<u64>,
    ) -> Result<Option<(StreamKey, bool)>, HandleError> {
        #[cfg(feature = "sabotage")]
        if self.sabotage.any_epoch_first {
            return Ok(None);
        }
        let piece: Option<Piece> = Table::Pieces.get(turn.kv, &key.piece(first))?;
        let Some(piece) = piece.filter(|p| place.is_none() && p.fragment.kind == Kind::Mls) else { return Ok(None) };
        let Some(After { epoch, count }) = Message::decode(&piece.fragment.data).ok().and_then(|m| m.after) else {
            return Ok(None);
        };
        let earlier = StreamKey { epoch, ..key };
        let stream = self.streams.get_mut(&earlier).filter(|s| epoch < key.epoch && !s.is_over(count));
        Ok(stream.map(|s| (earlier, s.ends_at(count, piece.arrived))))
    }

    /// Goes on where waiting has ended.
    pub(crate) fn end_holds(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let due: Vec<StreamKey> =
            self.holds.iter().filter(|(_, until)| **until <= turn.clock).map(|(k, _)| *k).collect();
        for key in due {
            self.drain(turn, key)?;
        }
        Ok(())
    }

    /// Decrypts a payload and does what it says. Whatever is wrong with it is counted; the stream goes on.
    fn show(
        &mut self,
        turn: &mut Turn<'_>,
        key: StreamKey,
        kind: Kind,
        payload: &[u8],
        place: Option<u64>,
    ) -> Result<(), HandleError> {
        match kind {
            Kind::Mls => {}
            Kind::Commit => return self.take_entry(turn, key, payload),
            Kind::Leave => return self.take_leave(turn, key, payload),
            Kind::Introduction | Kind::Knock | Kind::Answer | Kind::Handover => {
                self.refused.malformed += 1;
                return Ok(());
            }
        }
        let Ok(message) = Message::decode(payload) else {
            self.refused.malformed += 1;
            return Ok(());
        };
        let opened = session(self.me()?, turn.kv, turn.rng, turn.now).decrypt(&key.group, &message.mls);
        let opened = match opened {
            Ok(opened) => opened,
            Err(DecryptError::Store(e)) => return Err(HandleError::Mls(Box::new(e))),
            Err(_) => {
                self.refused.malformed += 1;
                return Ok(());
            }
        };
        let Some((conversation, author)) = self.bound_to(key, &opened) else {
            self.refused.misbound += 1;
            return Ok(());
        };
        let Ok(content) = Content::decode(&opened.content) else {
            self.refused.malformed += 1;
            return Ok(());
        };
        if !matches!(content.body, Body::Receipts { .. }) {
            self.count_use(turn, room_of(&key.group), false)?;
        }
        // Whoever left hears no more, even of what was said while they were in.
        if self.room(conversation).is_some_and(|r| r.standing == Membership::Left) {
            return Ok(());
        }
        self.take_content(turn, conversation, author, key.group, content, place)
    }

    /// The conversation and author of an opened message, when everything that binds it agrees (P4): the group belongs
    /// to the conversation that the sender authenticated; the leaf that signed is the leaf whose tag it came under; and
    /// it is not this device. Another device of ours speaks as we do.
    pub(crate) fn bound_to(&self, key: StreamKey, opened: &Opened) -> Option<(ConversationId, AccountId)> {
        let group = &self.groups.get(&key.group)?.record;
        #[cfg(feature = "sabotage")]
        let any_conversation = self.sabotage.any_conversation;
        #[cfg(not(feature = "sabotage"))]
        let any_conversation = false;
        if !any_conversation && opened.aad != group.conversation.0 {
            return None;
        }
        // Everyone in a room was checked when they came in; who sat at the leaf in that epoch, MLS knows.
        let sender = &opened.sender;
        let same = sender.leaf == key.leaf && opened.epoch == key.epoch;
        let me = self.me.as_ref()?;
        let this = me.identity.device_key() == sender.device_key;
        let own = (me.identity.account() == sender.account).then_some(&me.log);
        // A device that its account has revoked speaks for nobody any more.
        let log = own.or_else(|| self.contacts.get(&sender.account).map(|c| &c.log));
        let speaks = log.is_none_or(|log| sender.is_in(log));
        (same && !this && speaks).then_some((group.conversation, sender.account))
    }
}

/// What stands for authenticated bytes that are no fragment: no payload has a second fragment without a first.
fn lone_fragment() -> Fragment {
    Fragment { kind: Kind::Mls, payload: [0; 8], index: 1, count: 2, data: Vec::new() }
}

/// Puts a payload together and removes its pieces.
fn assemble(turn: &mut Turn<'_>, key: StreamKey, first: u64, count: u16) -> Result<(Kind, Vec<u8>), HandleError> {
    let mut payload = Vec::new();
    let mut kind = Kind::Mls;
    for counter in first..first + u64::from(count) {
        let at = key.piece(counter);
        let piece: Piece =
            Table::Pieces.get(turn.kv, &at)?.ok_or(HandleError::Inconsistent("a fragment that isn't there"))?;
        kind = piece.fragment.kind;
        payload.extend_from_slice(&piece.fragment.data);
        Table::Pieces.delete(turn.kv, &at)?;
    }
    Ok((kind, payload))
}
