//! The devices of our own account (PROTOCOL R-130 to R-139): the log that names them, and what follows from it.
//!
//! ```text
//! command ─► wish ─► our log, continued ─► relay ─► the log as it is now ─┬─ a wish less
//!              ▲                                                          ├─ rooms: take in, take out (`rooms`)
//!              └──────── another device was first: on top of that ────────┴─ this device is out: nothing more is said
//! ```
//! What is signed here counts for nothing until the relay has put it in its place: two devices that sign at once would
//! else have two logs for ever. Any continuation of our log that a leaf of our own carries is as good as the relay's.

mod handover;
mod ledger;
mod name;
mod others;
mod own;
mod rooms;

use std::collections::{BTreeMap, BTreeSet};

pub use handover::Left;
use handover::Reached;
use livechat_crypto::kv::Kv;
use livechat_wire::account::{AccountLog, Statement};
use livechat_wire::bundle::{self, Bundle};
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::{DecodeError, DeviceId, limits as wire};
use zeroize::Zeroizing;

use crate::Engine;
use crate::effects::{Event, Reply};
use crate::errors::{CommandError, HandleError, StoreError};
use crate::input::Command;
use crate::membership::{RoomId, pause};
use crate::records;
use crate::tables::{Stored, Table};
use crate::turn::Turn;

type Answer = Result<Result<Reply, CommandError>, HandleError>;

/// Something that our account's log is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogWish {
    Add(Box<Bundle>),
    Revoke(DeviceId),
}

/// What is under way with our devices.
#[derive(Default)]
pub(crate) struct State {
    wishes: BTreeMap<u64, LogWish>,
    /// The log isn't handed over again before.
    due: u64,
    failures: u32,
    /// Rooms in which our devices may not be those that the log names.
    rooms: BTreeSet<RoomId>,
    others: others::Others,
}

impl State {
    /// When something is due.
    pub fn wake(&self, online: bool) -> Option<u64> {
        let log = (!self.wishes.is_empty()).then_some(self.due);
        log.into_iter().chain(self.others.wake()).filter(|_| online).min()
    }

    /// The relay came.
    pub fn online(&mut self) {
        (self.due, self.failures) = (0, 0);
    }
}

impl LogWish {
    fn device(&self) -> DeviceId {
        match self {
            Self::Add(bundle) => bundle.device(),
            Self::Revoke(device) => *device,
        }
    }

    fn statement(&self) -> Statement {
        match self {
            Self::Add(bundle) => Statement::AddDevice { device_key: bundle.device_key },
            Self::Revoke(device) => Statement::RevokeDevice { device: *device },
        }
    }

    /// Whether a log says so already, or says for ever that it can't.
    fn is_over(&self, log: &AccountLog) -> bool {
        match self {
            Self::Add(bundle) => log.has_device(&bundle.device_key) || log.is_revoked(&bundle.device()),
            Self::Revoke(device) => log.is_revoked(device),
        }
    }
}

impl Stored for LogWish {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::Add(bundle) => w.u8(1).raw(&bundle.encode()),
            Self::Revoke(device) => w.u8(2).raw(&device.0),
        };
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match r.u8()? {
            1 => Self::Add(Box::new(Bundle::decode(r.take(bundle::ENCODED)?)?)),
            2 => Self::Revoke(DeviceId(r.array()?)),
            _ => return Err(DecodeError::Unknown("wish")),
        })
    }
}

impl Engine {
    pub(crate) fn open_devices(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        Table::LogWishes.each(kv, |key, wish: LogWish| {
            self.devices.wishes.insert(u64::from_be_bytes(Table::LogWishes.id(key, 0)?), wish);
            Ok(())
        })?;
        self.open_others(kv)?;
        self.look_at_all_rooms();
        Ok(())
    }

    /// Whether this device was removed from its account: what is here can be read, nothing is said or heard any more.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.me.as_ref().is_some_and(|me| me.log.is_revoked(&me.identity.device()))
    }

    /// Our account's log, as far as we know it.
    #[must_use]
    pub fn own_account_log(&self) -> Option<&AccountLog> {
        self.me.as_ref().map(|me| &me.log)
    }

    /// Notes that a device is to speak for our account.
    pub(crate) fn add_device(&mut self, turn: &mut Turn<'_>, bundle: Box<Bundle>) -> Answer {
        let me = self.me()?;
        if me.log.has_device(&bundle.device_key) {
            return Ok(Ok(Reply::Done));
        }
        if me.log.is_revoked(&bundle.device()) {
            return Ok(Err(CommandError::UnknownDevice));
        }
        Table::OwnBundles.put(turn.kv, &bundle.device().0, &Reached((*bundle).clone()))?;
        self.note_for_log(turn, LogWish::Add(bundle))
    }

    /// Notes that a device of ours is to speak for the account no more.
    pub(crate) fn revoke_device(&mut self, turn: &mut Turn<'_>, device: DeviceId) -> Answer {
        let me = self.me()?;
        if device == me.identity.device() {
            return Ok(Err(CommandError::NotAllowed));
        }
        if !me.log.device_keys().iter().any(|key| DeviceId::of(key) == device) {
            return Ok(Err(CommandError::UnknownDevice));
        }
        self.note_for_log(turn, LogWish::Revoke(device))
    }

    fn note_for_log(&mut self, turn: &mut Turn<'_>, wish: LogWish) -> Answer {
        if self.devices.wishes.values().any(|w| w.device() == wish.device()) {
            return Ok(Ok(Reply::Done));
        }
        let number = self.devices.wishes.last_key_value().map_or(0, |(n, _)| n + 1);
        self.devices.wishes.insert(number, wish.clone());
        // Every leaf carries the log, and has room for so much of it.
        let log = self.wished_log(turn.seconds())?;
        let said = log.as_ref().is_some_and(|log| wish.is_over(log) && log.encode().len() <= wire::MEMBER_LOG);
        if !said {
            self.devices.wishes.remove(&number);
            return Ok(Err(CommandError::TooMany));
        }
        Table::LogWishes.put(turn.kv, &number.to_be_bytes(), &wish)?;
        (self.devices.due, self.devices.failures) = (turn.clock, 0);
        self.devices_changed(turn);
        Ok(Ok(Reply::Done))
    }

    /// Our log with everything in it that it is to say.
    fn wished_log(&self, seconds: u64) -> Result<Option<AccountLog>, HandleError> {
        let me = self.me()?;
        let (mut log, mut said) = (me.log.clone(), 0);
        for wish in self.devices.wishes.values() {
            // What can't be said any more doesn't stand in the way of the rest.
            said += u32::from(me.identity.state(&mut log, wish.statement(), seconds).is_ok());
        }
        Ok(Some(log).filter(|_| said > 0))
    }

    /// Hands the continued log to the relay when that is due.
    pub(crate) fn continue_log(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        if self.devices.wishes.is_empty() || !self.outbox.is_online() || self.devices.due > turn.clock {
            return Ok(());
        }
        turn.fx.publish_log = self.wished_log(turn.seconds())?;
        self.devices.due = turn.clock + pause(self.devices.failures);
        self.devices.failures = (self.devices.failures + 1).min(16);
        Ok(())
    }

    /// Takes what is said to be our account's log. `false`: it contradicts ours, and changes nothing.
    pub(crate) fn own_log(&mut self, turn: &mut Turn<'_>, log: &AccountLog) -> Result<bool, HandleError> {
        let Some(me) = &mut self.me else { return Ok(true) };
        if log.is_prefix_of(&me.log) {
            return Ok(true);
        }
        if !me.log.is_prefix_of(log) {
            self.refused.own_logs += 1;
            return Ok(false);
        }
        me.log = log.clone();
        let renamed = match me.log.name() {
            Some((name, relay)) if relay == me.relay && name != me.username => {
                me.username = name.to_owned();
                true
            }
            _ => false,
        };
        let record = records::Me {
            identity: Zeroizing::new(me.identity.encode().to_vec()),
            username: me.username.clone(),
            relay: me.relay,
            log: me.log.clone(),
            bucket_bits: me.bucket_bits,
        };
        Table::Me.put(turn.kv, &[], &record)?;
        let over: Vec<u64> = self.devices.wishes.iter().filter(|(_, w)| w.is_over(log)).map(|(n, _)| *n).collect();
        for number in over {
            self.devices.wishes.remove(&number);
            Table::LogWishes.delete(turn.kv, &number.to_be_bytes())?;
        }
        // Somebody else was first: what is left to be said goes on top of that at once.
        (self.devices.due, self.devices.failures) = (turn.clock, 0);
        self.look_at_all_rooms();
        self.devices_changed(turn);
        if renamed {
            self.say_name(turn)?;
        }
        Ok(true)
    }

    fn devices_changed(&self, turn: &mut Turn<'_>) {
        turn.fx.events.push(Event::DevicesChanged { devices: self.devices() });
    }

    /// Whether a removed device may still do that: what changes nothing but what is shown here.
    pub(crate) fn is_for_here(command: &Command) -> bool {
        match command {
            Command::MarkRead { .. }
            | Command::SetDraft { .. }
            | Command::Pin { .. }
            | Command::Mute { .. }
            | Command::Archive { .. }
            | Command::TakenOver => true,
            Command::Delete { for_everyone, .. } => !for_everyone,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use livechat_crypto::identity::Identity;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::records::tests::stored;

    #[test]
    fn what_is_stored_about_devices_is_laid_out_like_this() {
        let identity = Identity::generate(&mut ChaCha20Rng::seed_from_u64(1));
        let wishes = [LogWish::Add(Box::new(identity.bundle(1))), LogWish::Revoke(DeviceId([5; 32]))];
        insta::assert_snapshot!("log_wishes", wishes.map(|w| stored(&w)).join("\n"));
    }
}
