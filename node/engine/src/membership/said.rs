//! What was said in an epoch that the others had left behind is said again, under the same ids.
//!
//! Members keep past epochs for a while. Somebody who was away wrote in an epoch that ended long ago: when they come
//! back nobody opens that any more. So what is said is kept until the others may have dropped its epoch, or until it is
//! dropped here too, and then said again if it was said after the epoch had ended, or never got out. Whoever has it
//! already drops it by its id.

use livechat_crypto::kv::{Order, prefix_end};
use livechat_crypto::mls::{EncryptError, GroupId};
use livechat_wire::ConversationId;
use livechat_wire::content::{Body, Content, Target};
use livechat_wire::order::Receipt;

use super::broken;
use super::records::Said;
use crate::errors::HandleError;
use crate::groups::session;
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

    /// An epoch is dropped, by the others at least: what they can't have opened is to be said again. `kept`: not here,
    /// so that the commit that ended it still goes out in it.
    pub(super) fn leave_epoch_behind(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        group: GroupId,
        epoch: u64,
        kept: bool,
    ) -> Result<(), HandleError> {
        let unsent = self.outbox.drop_epoch(turn, group, epoch, kept)?;
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
