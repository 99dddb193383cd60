//! Our devices in rooms: those that the log names are taken in, those that it revokes taken out. Whichever of
//! our devices comes first does it.

use livechat_wire::DeviceId;
use livechat_wire::account::{AccountLog, Signer, Statement};

use crate::directory::Found;
use crate::errors::HandleError;
use crate::membership::RoomId;
use crate::membership::records::{Room, What};
use crate::turn::Turn;
use crate::view::{Membership, Standing};
use crate::{Engine, limits};

/// What is amiss with our leaves in a room.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Amiss {
    /// Keys of devices that have no leaf.
    pub missing: Vec<[u8; 32]>,
    /// Leaves of devices that speak for us no more.
    pub leftover: Vec<u32>,
}

impl Amiss {
    /// In a room, by the log of an account.
    pub fn of(room: &Room, log: &AccountLog) -> Self {
        let seats = || room.seats.iter().filter(|s| s.member.account == log.account());
        let seated = |key: &[u8; 32]| seats().any(|s| s.member.device_key == *key);
        Self {
            missing: log.device_keys().iter().filter(|key| !seated(key)).copied().collect(),
            leftover: seats().filter(|s| !s.member.is_in(log)).map(|s| s.member.leaf).collect(),
        }
    }

    pub fn is_nothing(&self) -> bool {
        self.missing.is_empty() && self.leftover.is_empty()
    }
}

impl Engine {
    /// Every room is looked at when the relay is there next.
    pub(crate) fn look_at_all_rooms(&mut self) {
        self.devices.rooms = self.rooms.rooms.keys().copied().collect();
    }

    /// So is this one, which changed, or which may be spoken in from now on.
    pub(crate) fn look_at_room(&mut self, at: RoomId) {
        self.devices.rooms.insert(at);
    }

    /// What is amiss with our leaves in a room. Nobody learns that somebody is there by a device that comes into what
    /// isn't accepted; a removed one goes wherever it is.
    pub(crate) fn amiss(&self, at: RoomId, room: &Room) -> Amiss {
        let Some(me) = &self.me else { return Amiss::default() };
        let accepted = self.standing(self.home(at)) == Standing::Accepted;
        let amiss = Amiss::of(room, &me.log);
        if accepted { amiss } else { Amiss { missing: Vec::new(), ..amiss } }
    }

    /// Notes what is to be done in rooms that changed, each after a pause of its own: another device may be first.
    pub(crate) fn mind_devices(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        for at in std::mem::take(&mut self.devices.rooms) {
            self.mind_direct(turn, at)?;
            self.mind_others(turn, at)?;
            let joined = self.room(at).filter(|r| r.standing == Membership::Joined);
            if joined.is_none_or(|room| self.amiss(at, room).is_nothing()) {
                continue;
            }
            let spread = if self.revoked_here(at) { 0 } else { limits::DEVICE_SPREAD };
            let due = turn.clock + turn.between(0, spread);
            let number = self.wish(turn, at, What::Devices)?;
            let drive = self.drive(at);
            drive.not_before.extend(number.map(|n| (n, due)));
            drive.due = drive.due.min(due);
        }
        self.see_to_others(turn)
    }

    /// Whether a device is to go from a room that this one has revoked: it may be the only one that is online.
    fn revoked_here(&self, at: RoomId) -> bool {
        let Some((me, room)) = self.me.as_ref().zip(self.room(at)) else { return false };
        let leaves = Amiss::of(room, &me.log).leftover;
        let gone = room.seats.iter().filter(|s| leaves.contains(&s.member.leaf));
        let gone: Vec<DeviceId> = gone.map(|s| DeviceId::of(&s.member.device_key)).collect();
        let this = Signer::Device(me.identity.device());
        let here = |signer: &Signer| *signer == this || (*signer == Signer::Identity && me.identity.has_identity_key());
        let revokes = |s: &Statement| matches!(s, Statement::RevokeDevice { device } if gone.contains(device));
        me.log.entries().iter().any(|e| here(&e.signer) && revokes(&e.statement))
    }

    /// Whether a device that the directory shows may come into a room: not one that is there, nor one of which a newer
    /// log than the directory's says that it was removed.
    pub(crate) fn may_be_seated(&self, room: &Room, found: &Found, key: &[u8; 32]) -> bool {
        let newer = self.known_log(&found.log.account()).filter(|known: &&AccountLog| found.log.is_prefix_of(known));
        let seated = room.seats.iter().any(|s| s.member.device_key == *key);
        !seated && newer.is_none_or(|log| log.has_device(key))
    }
}
