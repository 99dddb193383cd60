//! New keys from time to time. Whoever copied a device's keys reads along until that device commits a new leaf key
//! (RFC 9420 §16.6, RFC 9750 §8.2.2): every device does so after so many messages or so much time (DESIGN §4), in every
//! room in which anything is said. Never right after something was said: whoever watches the order service would learn
//! which slot belongs to which envelope.

use livechat_wire::DecodeError;
use livechat_wire::codec::{Reader, Writer};

use super::RoomId;
use super::records::What;
use crate::errors::HandleError;
use crate::records::flag;
use crate::tables::{Stored, Table};
use crate::turn::Turn;
use crate::view::{Membership, Standing};
use crate::{Engine, limits};

/// When this device's leaf of a room gets its next key.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Renewal {
    /// At the latest; Unix milliseconds.
    pub at: u64,
    /// Said by us under the key of now.
    pub said: u32,
    /// Whether anybody said anything under it: else there is nothing to protect.
    pub used: bool,
}

impl Renewal {
    /// When it is time.
    fn due(self) -> Option<u64> {
        self.used.then_some(self.at)
    }

    fn is_due(self, now: u64) -> bool {
        // Whose clock went far back would wait for ever.
        self.used && (self.at <= now || self.at > now.saturating_add(2 * limits::RENEW_AGE))
    }
}

impl Stored for Renewal {
    fn write(&self, w: &mut Writer) {
        w.u64(self.at).u32(self.said).u8(u8::from(self.used));
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { at: r.u64()?, said: r.u32()?, used: flag(r)? })
    }
}

impl Engine {
    /// Our leaf of a room has a new key.
    pub(super) fn renewed(&mut self, turn: &mut Turn<'_>, at: RoomId) -> Result<(), HandleError> {
        // Not everybody at once, or all but one would come second.
        let at_latest = turn.now.saturating_add(limits::RENEW_AGE - turn.between(0, limits::RENEW_SPREAD));
        let renewal = Renewal { at: at_latest, said: 0, used: false };
        self.drive(at).renewal = renewal;
        Ok(Table::Renewals.put(turn.kv, &at.0, &renewal)?)
    }

    /// Something was said in a room, by us or by somebody else.
    pub(crate) fn count_use(&mut self, turn: &mut Turn<'_>, at: RoomId, own: bool) -> Result<(), HandleError> {
        let mut renewal = self.drive(at).renewal;
        let pause = |turn: &mut Turn<'_>| {
            turn.now.saturating_add(turn.between(limits::RENEW_PAUSE_MIN, limits::RENEW_PAUSE_MAX))
        };
        if !renewal.used {
            (renewal.at, renewal.used) = (renewal.at.max(pause(turn)), true);
        } else if !own {
            return Ok(());
        }
        if own {
            // It could not be done so far, in a request, say; and now it must not echo this.
            if renewal.at <= turn.now {
                renewal.at = pause(turn);
            }
            renewal.said = renewal.said.saturating_add(1);
            if renewal.said == limits::RENEW_SAID {
                renewal.at = renewal.at.min(pause(turn));
            }
        }
        self.drive(at).renewal = renewal;
        Ok(Table::Renewals.put(turn.kv, &at.0, &renewal)?)
    }

    /// Our leaf is to say something new of us: within the usual pause, so that rooms don't change all at once.
    pub(crate) fn renew_soon(&mut self, turn: &mut Turn<'_>, at: RoomId) -> Result<(), HandleError> {
        let pause = turn.between(limits::RENEW_PAUSE_MIN, limits::RENEW_PAUSE_MAX);
        let mut renewal = self.drive(at).renewal;
        let due = turn.now.saturating_add(pause);
        renewal.at = if renewal.used { renewal.at.min(due) } else { due };
        renewal.used = true;
        self.drive(at).renewal = renewal;
        Ok(Table::Renewals.put(turn.kv, &at.0, &renewal)?)
    }

    /// The order service can be reached again: what became due meanwhile is not done all at once.
    pub(crate) fn spread_renewals(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        for drive in self.rooms.drives.values_mut().filter(|d| d.renewal.is_due(now)) {
            drive.renewal.at = now.saturating_add(turn.between(0, limits::RENEW_PAUSE_MAX));
        }
    }

    /// When one of our keys gets old, by the shell's clock: unlike a pause, a key's age counts while the machine is off.
    pub(crate) fn renewal_wake(&self) -> Option<u64> {
        let idle = self.rooms.drives.iter().filter(|(at, d)| self.outbox.is_online() && !d.busy() && self.renews(**at));
        idle.filter_map(|(_, d)| d.renewal.due()).min()
    }

    /// Whether our leaf is to be renewed at all: nobody learns from it that we are here before they may.
    fn renews(&self, at: RoomId) -> bool {
        #[cfg(feature = "sabotage")]
        if self.sabotage.no_renewal {
            return false;
        }
        let joined = self.room(at).is_some_and(|r| r.standing == Membership::Joined);
        joined && self.standing(self.home(at)) == Standing::Accepted
    }

    /// Wishes for a new key wherever it is time.
    pub(super) fn renew_what_is_due(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let due = self.rooms.drives.iter().filter(|(_, d)| d.renewal.is_due(turn.now)).map(|(at, _)| *at);
        let due = due.filter(|at| self.renews(*at));
        for at in due.collect::<Vec<_>>() {
            if self.room(at).is_some_and(|r| r.seats.len() > 1) {
                self.wish(turn, at, What::Renew)?;
            } else {
                self.renewed(turn, at)?;
            }
        }
        Ok(())
    }
}
