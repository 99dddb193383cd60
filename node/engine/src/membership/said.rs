//! What was said in an epoch that the others had left behind is said again, under the same ids.
//!
//! Members keep past epochs for a while. Somebody who was away wrote in an epoch that ended long ago: when they come
//! back nobody opens that any more. So what is said is kept until the others may have dropped its epoch, or until it is
//! dropped here too, and then said again if it was said after the epoch had ended, or never got out. Whoever has it
//! already drops it by its id.

use livechat_crypto::kv::{Order, prefix_end};
use livechat_crypto::mls::{EncryptError, GroupId, Member};
use livechat_wire::ConversationId;
use livechat_wire::content::{Body, Content, Target};
use livechat_wire::group::RoomKind;
use livechat_wire::order::Receipt;

use super::records::Said;
use super::{broken, room_of};
use crate::errors::HandleError;
use crate::groups::session;
use crate::outbox::Commits;
use crate::records::Message;
use crate::tables::{Table, key};
use crate::timeline::message_key;
use crate::turn::Turn;
use crate::view::{Delivery, Membership};
use crate::{Engine, limits};

fn said_key(group: &GroupId, epoch: u64, counter: u64) -> Vec<u8> {
    key(&[&group.0, &epoch.to_be_bytes(), &counter.to_be_bytes()])
}

impl Engine {
    /// Notes what was said as number `counter` of an epoch.
    pub(crate) fn note_said(
        &self,
        turn: &mut Turn<'_>,
        group: GroupId,
        epoch: u64,
        counter: u64,
        said: &Said,
    ) -> Result<(), HandleError> {
        Table::Said.put(turn.kv, &said_key(&group, epoch, counter), said)?;
        let old = said_key(&group, epoch, counter.saturating_sub(limits::SAID));
        let rows = Table::Said.range::<Said>(turn.kv, &said_key(&group, epoch, 0), &old, 8, Order::Ascending)?;
        for (row, _) in rows {
            Table::Said.delete(turn.kv, &row)?;
        }
        Ok(())
    }

    /// What was said got out. That may be long after it was said, and others may have left its epoch meanwhile.
    pub(crate) fn got_out(
        &self,
        turn: &mut Turn<'_>,
        group: &GroupId,
        epoch: u64,
        counter: u64,
    ) -> Result<(), HandleError> {
        let (row, at) = (said_key(group, epoch, counter), turn.seconds());
        let said: Option<Said> = Table::Said.get(turn.kv, &row)?;
        match said.filter(|s| s.at.saturating_add(limits::SAID_MARGIN) < at) {
            Some(said) => Ok(Table::Said.put(turn.kv, &row, &Said { at, ..said })?),
            None => Ok(()),
        }
    }

    /// An epoch is dropped, by the others at least: what they can't have opened is to be said again.
    pub(super) fn leave_epoch_behind(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        group: GroupId,
        epoch: u64,
        commits: Commits<'_>,
    ) -> Result<(), HandleError> {
        let unsent = self.outbox.drop_epoch(turn, group, epoch, commits)?;
        let order = key(&[&group.0, &epoch.to_be_bytes()]);
        let ended = Table::Order.get::<Receipt>(turn.kv, &order)?.map_or(0, |r| r.time);
        let from = said_key(&group, epoch, 0);
        let end = prefix_end(&key(&[&group.0, &epoch.to_be_bytes()]));
        for (row, said) in Table::Said.range::<Said>(turn.kv, &from, &end, usize::MAX, Order::Ascending)? {
            Table::Said.delete(turn.kv, &row)?;
            let counter = u64::from_be_bytes(Table::Said.id(&row, group.0.len() + 8)?);
            let late = said.at.saturating_add(limits::SAID_MARGIN) >= ended;
            if unsent.contains(&counter) || (late && !self.reached_all(turn, at, &said)?) {
                self.rooms.again.push((at, said));
            }
        }
        Ok(())
    }

    /// A message is gone: if it is ours it is not said again, nor is anything that we said about it but its deletion.
    pub(crate) fn unsay(
        &self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        target: Target,
    ) -> Result<(), HandleError> {
        let of_it = |said: &Said| match Content::decode(&said.content).map(|c| c.body) {
            _ if said.position == Some(position) => true,
            Ok(Body::Edit(edit)) => edit.target == target,
            Ok(Body::Reactions(reactions)) => reactions.target == target,
            _ => false,
        };
        for group in self.conversations.get(&at).into_iter().flat_map(|c| &c.groups) {
            let end = prefix_end(&group.0);
            let rows = Table::Said.range::<Said>(turn.kv, &group.0, &end, usize::MAX, Order::Ascending)?;
            for (row, _) in rows.iter().filter(|(_, said)| of_it(said)) {
                Table::Said.delete(turn.kv, row)?;
            }
        }
        Ok(())
    }

    /// What was said in one room of a direct chat from the first thing on that may not have been heard is said in another.
    pub(crate) fn move_said(&mut self, turn: &mut Turn<'_>, from: GroupId, to: GroupId) -> Result<(), HandleError> {
        let (old, new) = (room_of(&from), room_of(&to));
        let mut rows =
            Table::Said.range::<Said>(turn.kv, &from.0, &prefix_end(&from.0), usize::MAX, Order::Ascending)?;
        let mut first = rows.len();
        for (place, (_, said)) in rows.iter().enumerate() {
            if said.position.is_some() && !self.reached_all(turn, old, said)? {
                first = place;
                break;
            }
        }
        for (row, said) in rows.drain(first..) {
            Table::Said.delete(turn.kv, &row)?;
            if let Some(position) = said.position {
                self.confirm_in(turn, self.home(old), position, to)?;
            }
            self.rooms.again.push((new, said));
        }
        self.say_again(turn)
    }

    /// From now on it is another room of the conversation that a message of ours isn't confirmed in.
    fn confirm_in(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        position: u64,
        to: GroupId,
    ) -> Result<(), HandleError> {
        let place = message_key(at, position);
        let Some(mut message) = Table::Messages.get::<Message>(turn.kv, &place)? else { return Ok(()) };
        let Some((_, group)) = message.own.as_mut().filter(|(d, g)| *d < Delivery::Delivered && *g != to) else {
            return Ok(());
        };
        let from = std::mem::replace(group, to);
        Table::Messages.put(turn.kv, &place, &message)?;
        for (group, more) in [(from, false), (to, true)] {
            let Some(live) = self.groups.get_mut(&group) else { continue };
            let count = live.record.unconfirmed;
            live.record.unconfirmed = if more { count.saturating_add(1) } else { count.saturating_sub(1) };
            Table::Groups.put(turn.kv, &group.0, &live.record)?;
        }
        Ok(())
    }

    /// Further devices of accounts that are in a room came in: what was said since their accounts named them, or hasn't got
    /// out, is said again, since they open nothing of what was said under earlier keys. In a group no more than the last
    /// minutes: all would say all that again.
    pub(super) fn say_to_newcomers(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        group: GroupId,
        newcomers: &[Member],
        ended: u64,
    ) -> Result<(), HandleError> {
        let direct = self.room(at).is_some_and(|r| r.charter.kind == RoomKind::Direct);
        let named = newcomers.iter().filter_map(|m| self.known_log(&m.account)?.added_at(&m.device_key)).min();
        let from = named.unwrap_or(u64::MAX).max(if direct { 0 } else { ended.saturating_sub(limits::SAID_MARGIN) });
        let unsent = self.outbox.unsent(turn, group)?;
        for (row, said) in
            Table::Said.range::<Said>(turn.kv, &group.0, &prefix_end(&group.0), usize::MAX, Order::Ascending)?
        {
            let epoch = u64::from_be_bytes(Table::Said.id(&row, group.0.len())?);
            let counter = u64::from_be_bytes(Table::Said.id(&row, group.0.len() + 8)?);
            if unsent.contains(&(epoch, counter)) || said.at >= from {
                Table::Said.delete(turn.kv, &row)?;
                self.rooms.again.push((at, said));
            }
        }
        Ok(())
    }

    fn reached_all(&self, turn: &Turn<'_>, at: ConversationId, said: &Said) -> Result<bool, HandleError> {
        let Some(position) = said.position else { return Ok(false) };
        let message: Option<Message> = Table::Messages.get(turn.kv, &message_key(self.home(at), position))?;
        Ok(message.and_then(|m| m.own).is_some_and(|(delivery, _)| delivery >= Delivery::Delivered))
    }

    /// Says again what is to be said again, in the epoch that is now.
    pub(crate) fn say_again(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        for (at, said) in std::mem::take(&mut self.rooms.again) {
            let Some(room) = self.room(at).filter(|r| r.standing == Membership::Joined) else { continue };
            let (group, home) = (room.group, self.home(at));
            let sealed = session(self.me()?, turn.kv, turn.rng, turn.now).encrypt(&group, &said.content, &home.0);
            let sealed = match sealed {
                Ok(sealed) => sealed,
                Err(EncryptError::Store(e)) => return Err(broken(e)),
                Err(_) => continue,
            };
            let first = self.queue_said(turn, group, &sealed, said.position)?;
            self.note_said(turn, group, sealed.epoch, first, &Said { at: turn.seconds(), ..said })?;
        }
        Ok(())
    }
}
