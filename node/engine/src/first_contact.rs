//! How strangers meet: a hello, the fragments it announces, and the introduction they make up.

use std::collections::{BTreeMap, BTreeSet};

use livechat_crypto::envelope::{Address, HelloKeys, OpenError, seal_hello};
use livechat_crypto::kv::{Kv, Overlay};
use livechat_crypto::mls::{GroupId, JoinError, Joined, Seat};
use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::group::{Role, RoomKind};
use livechat_wire::hello::{Hello, Introduction, WelcomeRest};
use livechat_wire::payload::Kind;
use livechat_wire::{AccountId, ConversationId, Envelope, EnvelopeId, limits as wire};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::errors::{HandleError, StoreError};
use crate::groups::session;
use crate::records::{self, Piece};
use crate::tables::{Table, key};
use crate::tags::Target;
use crate::turn::Turn;
use crate::view::{Membership, Standing};
use crate::{Engine, limits};

/// First contacts under way, and those dealt with, by digest of their introduction.
#[derive(Default)]
pub(crate) struct Hellos(BTreeMap<[u8; 32], Arriving>);

struct Arriving {
    record: records::Hello,
    keys: HelloKeys,
    /// Which fragments are here.
    here: Vec<bool>,
}

impl Arriving {
    fn new(record: records::Hello) -> Self {
        let here = vec![false; usize::from(record.fragments)];
        Self { keys: HelloKeys::new(&record.secret), here, record }
    }
}

impl Engine {
    pub(crate) fn open_hellos(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        Table::Hellos.each(kv, |key, record: records::Hello| {
            self.hellos.0.insert(Table::Hellos.id(key, 0)?, Arriving::new(record));
            Ok(())
        })?;
        Table::HelloPieces.each(kv, |key, _: Piece| {
            let digest: [u8; 32] = Table::HelloPieces.id(key, 0)?;
            let index = u16::from_be_bytes(Table::HelloPieces.id(key, digest.len())?);
            let arriving = self.hellos.0.get_mut(&digest);
            if let Some(here) = arriving.and_then(|a| a.here.get_mut(usize::from(index))) {
                *here = true;
            }
            Ok(())
        })?;
        for (digest, arriving) in self.hellos.0.iter().filter(|(_, a)| !a.record.done) {
            for index in (0..arriving.record.fragments).filter(|i| !arriving.here[usize::from(*i)]) {
                self.tags.expect(arriving.keys.tag(index), Target::Hello { digest: *digest, index });
            }
        }
        Ok(())
    }

    /// Somebody announces an introduction: its fragments are expected from now on.
    pub(crate) fn take_hello(&mut self, turn: &mut Turn<'_>, hello: &Hello, id: EnvelopeId) -> Result<(), HandleError> {
        self.seen.put(turn.kv, id, turn.clock)?;
        let digest = hello.digest;
        if self.hellos.0.contains_key(&digest) {
            return Ok(());
        }
        while self.hellos.0.len() >= limits::HELLOS {
            let oldest = self.hellos.0.iter().min_by_key(|(_, a)| (!a.record.done, a.record.arrived)).map(|(d, _)| *d);
            let Some(oldest) = oldest else { break };
            self.forget_hello(turn, oldest)?;
        }
        let (secret, fragments) = (Zeroizing::new(hello.secret), hello.fragments);
        let record = records::Hello { secret, fragments, arrived: turn.clock, done: false };
        Table::Hellos.put(turn.kv, &digest, &record)?;
        let arriving = Arriving::new(record);
        for index in 0..hello.fragments {
            let tag = arriving.keys.tag(index);
            self.tags.expect(tag, Target::Hello { digest, index });
            turn.work.extend(self.pool.take(turn.kv, tag)?);
        }
        self.hellos.0.insert(digest, arriving);
        Ok(())
    }

    /// A fragment of an announced introduction.
    pub(crate) fn take_introduction(
        &mut self,
        turn: &mut Turn<'_>,
        digest: [u8; 32],
        index: u16,
        envelope: &Envelope,
    ) -> Result<(), HandleError> {
        let Some(arriving) = self.hellos.0.get_mut(&digest) else { return Ok(()) };
        let fragment = match arriving.keys.open(index, envelope) {
            Ok(f) if announced(f.kind) && f.index == index && f.count == arriving.record.fragments => f,
            Ok(_) | Err(OpenError::Fragment(_)) => {
                self.refused.malformed += 1;
                return self.close_hello(turn, digest);
            }
            Err(_) => {
                self.refused.unopened += 1;
                return Ok(());
            }
        };
        self.tags.forget(&envelope.tag());
        self.seen.put(turn.kv, envelope.id(), turn.clock)?;
        let piece = Piece { arrived: turn.clock, fragment };
        Table::HelloPieces.put(turn.kv, &key(&[&digest, &index.to_be_bytes()]), &piece)?;
        arriving.here[usize::from(index)] = true;
        if !arriving.here.iter().all(|here| *here) {
            return Ok(());
        }
        let (mut bytes, mut kinds) = (Vec::new(), BTreeSet::new());
        for index in 0..arriving.record.fragments {
            let piece: Option<Piece> = Table::HelloPieces.get(turn.kv, &key(&[&digest, &index.to_be_bytes()]))?;
            let piece = piece.ok_or(HandleError::Inconsistent("a fragment that isn't there"))?;
            bytes.extend_from_slice(&piece.fragment.data);
            kinds.insert(piece.fragment.kind);
        }
        self.close_hello(turn, digest)?;
        let whole = <[u8; 32]>::from(Sha256::digest(&bytes)) == digest && kinds.len() == 1;
        let good = match kinds.first() {
            Some(Kind::Introduction) if whole => self.introduced(turn, &bytes)?,
            Some(Kind::Knock) if whole => self.take_knock(turn, &bytes)?,
            Some(Kind::Answer) if whole => self.take_answer(turn, &bytes)?,
            Some(Kind::Handover) if whole => self.take_handover(turn, &bytes)?,
            _ => false,
        };
        if !good {
            self.refused.introductions += 1;
        }
        Ok(())
    }

    /// Checks who introduces themselves and joins their group. `false`: refused, and nothing changed.
    fn introduced(&mut self, turn: &mut Turn<'_>, bytes: &[u8]) -> Result<bool, HandleError> {
        let Ok(introduction) = Introduction::decode(bytes) else { return Ok(false) };
        self.introduced_by(turn, introduction)
    }

    /// As [`Engine::introduced`], also when the Welcome came in two parts.
    pub(crate) fn introduced_by(
        &mut self,
        turn: &mut Turn<'_>,
        introduction: Introduction,
    ) -> Result<bool, HandleError> {
        let me = self.me()?;
        let own = me.identity.account();
        let Ok(log) = AccountLog::decode(&introduction.log) else { return Ok(false) };
        let Ok(bundle) = Bundle::decode(&introduction.bundle) else { return Ok(false) };
        let account = log.account();
        let at_our_relay = |log: &AccountLog| log.name().is_some_and(|(_, relay)| relay == me.relay);
        if !at_our_relay(&log) || !log.has_device(&bundle.device_key) || bundle.device_key == me.identity.device_key() {
            return Ok(false);
        }
        match self.contacts.get(&account) {
            // Another device of ours.
            _ if account == own => {}
            Some(known) if !known.log.is_prefix_of(&log) && !log.is_prefix_of(&known.log) => return Ok(false),
            Some(_) if self.groups_with(account) >= limits::GROUPS => return Ok(false),
            None if self.contacts.len() >= limits::CONTACTS => return Ok(false),
            _ => {}
        }
        if introduction.rest.is_some() {
            return self.await_rest(turn, &introduction);
        }
        let mut overlay = Overlay::new(turn.kv);
        let gone = |group: &GroupId| self.is_closed(ConversationId::group(&group.0));
        let joined = match session(me, &mut overlay, turn.rng, turn.now).join_again(&introduction.welcome, gone) {
            Ok(joined) => joined,
            Err(JoinError::Store(e)) => return Err(HandleError::Mls(Box::new(e))),
            Err(_) => return Ok(false),
        };
        let Joined { group, creator, room } = joined;
        // Revoking a device must not be undone by an older log.
        let Some(ours) = newest(&me.log, &room.seats, Some(&log).filter(|_| account == own)) else { return Ok(false) };
        let of = |them: &AccountId| self.contacts.get(them).map(|c| &c.log);
        let theirs = if account == own {
            Some(ours.clone())
        } else {
            newest(of(&account).unwrap_or(&log), &room.seats, Some(&log))
        };
        let Some(theirs) = theirs else { return Ok(false) };
        // Whoever invites is who they say; that the others are who they say, crypto has seen to.
        if !creator.is_in(&theirs) || creator.device_key != bundle.device_key {
            return Ok(false);
        }
        if room.charter.kind == RoomKind::Group {
            // Whoever sees to another device of ours there may be any member.
            let this = me.identity.device_key();
            let another = |s: &Seat| s.member.account == own && s.member.device_key != this;
            let may_add = room.charter.role(&creator.account) >= Role::Admin
                || room.charter.open.is_some()
                || room.seats.iter().any(another);
            if account != own && !may_add {
                return Ok(false);
            }
            let direct = ConversationId::direct(&own, &account);
            let trusted = self.conversations.contains_key(&direct).then(|| self.standing(direct));
            let awaited = self.awaited(&room.charter, &account);
            if trusted == Some(Standing::Blocked) && awaited.is_none() {
                self.refused.blocked += 1;
                return Ok(false);
            }
            overlay.keep()?;
            self.own_log(turn, &ours)?;
            let removed = self.room(ConversationId::group(&group.0));
            let comes_back = removed.is_some_and(|r| r.standing == Membership::Removed);
            let at = self.enter_room(turn, group, room, account)?;
            if account == own {
                self.agreed_elsewhere(turn, at)?;
            } else if let Some(door) = awaited {
                self.arrange(turn, at, |p| p.accepted = true)?;
                self.came_in(turn, door, at)?;
            } else if !comes_back {
                self.arrange(turn, at, |p| p.accepted = trusted == Some(Standing::Accepted))?;
            }
            return Ok(true);
        }
        // It is of two accounts, theirs and ours: of devices that the newest logs name, in the order of our relay.
        let Some(other) = room.seats.iter().find(|s| s.member.account != own) else { return Ok(false) };
        let peer = other.member.account;
        let Some(peers) =
            newest(of(&peer).unwrap_or(&other.log), &room.seats, Some(&theirs).filter(|_| peer == account))
        else {
            return Ok(false);
        };
        let rightly = room.seats.iter().all(|s| s.member.is_in(&peers) || s.member.is_in(&ours));
        let full = self.contacts.len() >= limits::CONTACTS && of(&peer).is_none();
        let begun_too_often = self.groups_with(peer) >= limits::GROUPS;
        if !rightly || !at_our_relay(&peers) || room.charter.sequencers != [me.relay.0] || full || begun_too_often {
            return Ok(false);
        }
        overlay.keep()?;
        self.own_log(turn, &ours)?;
        let direct = ConversationId::direct(&own, &peer);
        let begun = self.conversations.contains_key(&direct);
        self.meet(turn, peers, None)?;
        let at = self.enter_room(turn, group, room, account)?;
        if account == own {
            self.agreed_elsewhere(turn, at)?;
        } else if !begun {
            self.arrange(turn, at, |p| p.accepted = false)?;
        }
        Ok(true)
    }

    fn groups_with(&self, peer: AccountId) -> usize {
        self.conversations.values().filter(|c| c.peer == peer).map(|c| c.groups.len()).sum()
    }

    /// The introduction is dealt with: its pieces and tags go, its digest stays, so that another sealing of the same
    /// hello doesn't begin it again.
    fn close_hello(&mut self, turn: &mut Turn<'_>, digest: [u8; 32]) -> Result<(), HandleError> {
        self.drop_pieces(turn, digest)?;
        if let Some(arriving) = self.hellos.0.get_mut(&digest) {
            arriving.record.done = true;
            Table::Hellos.put(turn.kv, &digest, &arriving.record)?;
        }
        Ok(())
    }

    fn forget_hello(&mut self, turn: &mut Turn<'_>, digest: [u8; 32]) -> Result<(), HandleError> {
        self.drop_pieces(turn, digest)?;
        self.hellos.0.remove(&digest);
        Ok(Table::Hellos.delete(turn.kv, &digest)?)
    }

    fn drop_pieces(&mut self, turn: &mut Turn<'_>, digest: [u8; 32]) -> Result<(), HandleError> {
        let Some(arriving) = self.hellos.0.get(&digest) else { return Ok(()) };
        for index in 0..arriving.record.fragments {
            self.tags.forget(&arriving.keys.tag(index));
            Table::HelloPieces.delete(turn.kv, &key(&[&digest, &index.to_be_bytes()]))?;
        }
        Ok(())
    }

    pub(crate) fn sweep_hellos(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let old = |a: &Arriving| a.record.arrived.saturating_add(limits::POOL_AGE) <= turn.clock;
        let digests: Vec<_> = self.hellos.0.iter().filter(|(_, a)| old(a)).map(|(d, _)| *d).collect();
        for digest in digests {
            self.forget_hello(turn, digest)?;
        }
        Ok(())
    }
}

/// The newest log of an account: the one known, what its leaves carry, what was said besides. None: they don't all
/// belong to one chain.
fn newest(known: &AccountLog, seats: &[Seat], besides: Option<&AccountLog>) -> Option<AccountLog> {
    let carried = seats.iter().map(|s| &s.log).filter(|log| log.account() == known.account());
    let mut newest = known;
    for log in carried.chain(besides) {
        if newest.is_prefix_of(log) {
            newest = log;
        } else if !log.is_prefix_of(newest) {
            return None;
        }
    }
    Some(newest.clone())
}

/// What a hello may announce.
fn announced(kind: Kind) -> bool {
    matches!(kind, Kind::Introduction | Kind::Knock | Kind::Answer | Kind::Handover)
}

/// What an introduction from us holds.
pub(crate) fn introduction(log: &AccountLog, bundle: &Bundle, welcome: Vec<u8>, rest: Option<WelcomeRest>) -> Vec<u8> {
    debug_assert!(welcome.len() <= wire::PAYLOAD, "a Welcome that fits");
    Introduction { log: log.encode(), bundle: bundle.encode(), welcome, rest }.encode()
}

/// Whether anything can be sealed to a device's hello key.
pub(crate) fn can_be_greeted(bundle: &Bundle, rng: &mut dyn CryptoRng) -> bool {
    let to = Address { bucket: 0, epoch: 0, ephemeral: false };
    seal_hello(&bundle.hello_key, &hello([0; 32], 1, &[]), to, rng).is_ok()
}

/// A hello for these bytes.
pub(crate) fn hello(secret: [u8; 32], fragments: u16, introduction: &[u8]) -> Hello {
    Hello { secret, fragments, digest: Sha256::digest(introduction).into() }
}
