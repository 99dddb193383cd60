//! What members send each other beside contents: commits with their receipts, the wish to leave, introductions.

use std::collections::BTreeSet;

use livechat_crypto::envelope::{Address, seal_hello};
use livechat_crypto::mls::{EncryptError, GroupId, Sealed};
use livechat_wire::group::{MemberRecord, Role};
use livechat_wire::hello::WelcomeRest;
use livechat_wire::payload::{Fragment, Kind, LEAVE, Message};
use livechat_wire::{ConversationId, limits as wire};
use zeroize::Zeroizing;

use super::notices::Notice;
use super::records::{Invited, What};
use super::{broken, room_of};
use crate::errors::HandleError;
use crate::first_contact::{hello, introduction};
use crate::groups::{StreamKey, session};
use crate::outbox::Draft;
use crate::records::Seal;
use crate::tables::Table;
use crate::turn::Turn;
use crate::view::Membership;
use crate::{Engine, limits};

impl Engine {
    /// The buckets in which the others of a room read.
    pub(crate) fn readers(&self, at: ConversationId) -> Result<BTreeSet<u16>, HandleError> {
        let me = self.me()?;
        let room = self.room(at).ok_or(HandleError::Inconsistent("a room that isn't there"))?;
        let own = me.identity.device_key();
        let others = room.seats.iter().filter(|s| s.member.device_key != own);
        let bucket = |seed| MemberRecord { log: Vec::new(), bucket_seed: seed }.bucket(me.bucket_bits);
        Ok(others.map(|s| bucket(s.bucket_seed)).collect())
    }

    /// Queues something said, with what it comes after. Returns the number of its first envelope.
    pub(crate) fn queue_said(
        &mut self,
        turn: &mut Turn<'_>,
        group: GroupId,
        sealed: &Sealed,
        position: Option<u64>,
    ) -> Result<u64, HandleError> {
        let at = room_of(&group);
        let after = self.groups.get(&group).and_then(|g| g.after(sealed.epoch));
        let payload = Message { after, mls: sealed.message.clone() }.encode();
        let (readers, message) = (self.readers(at)?, position.map(|p| (self.home(at), p)));
        self.queue_payload(turn, group, sealed.epoch, Kind::Mls, &payload, &readers, message)
    }

    /// Queues a payload in an epoch of a group. Returns the number of its first envelope.
    #[allow(clippy::too_many_arguments, reason = "what a payload is made of")]
    pub(crate) fn queue_payload(
        &mut self,
        turn: &mut Turn<'_>,
        group: GroupId,
        epoch: u64,
        kind: Kind,
        payload: &[u8],
        buckets: &BTreeSet<u16>,
        message: Option<(ConversationId, u64)>,
    ) -> Result<u64, HandleError> {
        let fragments = Fragment::cut(kind, turn.draw(), payload)
            .map_err(|_| HandleError::Inconsistent("a payload of impossible length"))?;
        let live = self.groups.get_mut(&group).ok_or(HandleError::Inconsistent("a group that isn't there"))?;
        let of = live.record.epochs.iter_mut().find(|e| e.number == epoch);
        let of = of.ok_or(HandleError::Inconsistent("an epoch that isn't there"))?;
        let first = of.counter;
        of.counter += fragments.len() as u64;
        Table::Groups.put(turn.kv, &group.0, &live.record)?;
        let mut seals = Vec::new();
        for bucket in buckets {
            for (fragment, counter) in fragments.iter().zip(first..) {
                seals.push((*bucket, Seal::Group { group, epoch, counter, fragment: fragment.clone() }));
            }
        }
        if !seals.is_empty() {
            self.queue(turn, Draft { message, seals })?;
        }
        Ok(first)
    }

    /// Queues a hello and the introduction that lets a device into a group.
    pub(crate) fn introduce(
        &mut self,
        turn: &mut Turn<'_>,
        invited: &Invited,
        rest: Option<&WelcomeRest>,
    ) -> Result<(), HandleError> {
        let me = self.me()?;
        let (bundle, welcome) = (me.identity.bundle(turn.seconds()), invited.welcome.clone());
        let bytes = introduction(&me.log, &bundle, welcome, rest.cloned());
        let bucket = invited.bundle.bucket(me.bucket_bits);
        self.announce(turn, &invited.bundle.hello_key, &[bucket], Kind::Introduction, &bytes)
    }

    /// Queues a hello to a key, and what it announces.
    pub(crate) fn announce(
        &mut self,
        turn: &mut Turn<'_>,
        hello_key: &[u8; wire::XWING_PUBLIC],
        buckets: &[u16],
        kind: Kind,
        bytes: &[u8],
    ) -> Result<(), HandleError> {
        let secret = Zeroizing::new(turn.draw::<32>());
        let Ok(fragments) = Fragment::cut(kind, turn.draw(), bytes) else {
            return Err(HandleError::Inconsistent("an announcement of impossible length"));
        };
        let hello = hello(*secret, u16::try_from(fragments.len()).unwrap_or(u16::MAX), bytes);
        let to = Address { bucket: 0, epoch: 0, ephemeral: false };
        // Nothing can be sealed to such a key: its owner stays outside, the others need not suffer.
        if seal_hello(hello_key, &hello, to, turn.rng).is_err() {
            return Ok(());
        }
        let mut seals = Vec::new();
        for bucket in buckets {
            let hello_key = Box::new(*hello_key);
            seals.push((*bucket, Seal::Hello { hello_key, hello: Box::new(hello.encode()) }));
            let rest = fragments.iter().cloned();
            seals.extend(rest.map(|fragment| (*bucket, Seal::Introduction { secret: secret.clone(), fragment })));
        }
        self.queue(turn, Draft { message: None, seals })
    }

    /// Leaving: the others are told, one of them commits it; here it is done at once.
    pub(super) fn ask_to_be_removed(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        number: u64,
    ) -> Result<(), HandleError> {
        let room = self.room(at).ok_or(HandleError::Inconsistent("a room that isn't there"))?;
        let (group, readers, own) = (room.group, self.readers(at)?, self.me()?.identity.account());
        let sealed = session(self.me()?, turn.kv, turn.rng, turn.now).encrypt(&group, LEAVE, &at.0);
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(EncryptError::Store(e)) => return Err(broken(e)),
            Err(_) => return self.unwish(turn, at, number),
        };
        self.queue_payload(turn, group, sealed.epoch, Kind::Leave, &sealed.message, &readers, None)?;
        self.unwish(turn, at, number)?;
        self.close_room(turn, at, Membership::Left)?;
        self.notice(turn, at, own, &Notice::Left(own))
    }

    /// Somebody wants to leave: whoever may commit that does, each after a random pause.
    pub(crate) fn take_leave(
        &mut self,
        turn: &mut Turn<'_>,
        key: StreamKey,
        payload: &[u8],
    ) -> Result<(), HandleError> {
        let opened = session(self.me()?, turn.kv, turn.rng, turn.now).decrypt(&key.group, payload);
        let opened = match opened {
            Ok(opened) if opened.content == LEAVE => opened,
            Err(livechat_crypto::mls::DecryptError::Store(e)) => return Err(broken(e)),
            _ => {
                self.refused.malformed += 1;
                return Ok(());
            }
        };
        let Some((at, account)) = self.bound_to(key, &opened) else {
            self.refused.misbound += 1;
            return Ok(());
        };
        let own = self.me()?.identity.account();
        let Some(room) = self.room(at).filter(|r| r.standing == Membership::Joined) else { return Ok(()) };
        if account == own {
            // On another device of ours.
            self.close_room(turn, at, Membership::Left)?;
            return self.notice(turn, at, own, &Notice::Left(own));
        }
        let role = room.charter.role(&own);
        let may = role > room.charter.role(&account) && role >= Role::Admin;
        self.drive(at).leaving.insert(account);
        if may {
            let spread = turn.between(0, limits::LEAVE_SPREAD);
            self.wish(turn, at, What::Remove { account, asked: true })?;
            let drive = self.drive(at);
            drive.due = drive.due.max(turn.clock + spread);
        }
        Ok(())
    }
}
