//! Time that only moves forward, at the pace of the shell's clock, and never leaps (P23).

use livechat_wire::DecodeError;
use livechat_wire::codec::{Reader, Writer};

use crate::tables::Stored;

/// The most that one step counts for: after a leap of a year, what waits is an hour older, not a year.
pub(crate) const STRIDE: u64 = 3_600_000;
/// How much may pass before it is written down again; a restart loses no more than that.
const SAVE_AFTER: u64 = 60_000;

/// Milliseconds that this engine has seen pass. Every pause and age inside the engine is measured by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    passed: u64,
    wall: Option<u64>,
    saved: Option<u64>,
}

impl Clock {
    /// Notes the shell's time and returns ours.
    pub fn advance(&mut self, now: u64) -> u64 {
        let step = self.wall.map_or(0, |last| now.saturating_sub(last));
        self.wall = Some(now);
        self.passed = self.passed.saturating_add(step.min(STRIDE));
        self.passed
    }

    /// Our time, without moving it.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// The shell's time at which ours will be `due`.
    pub fn wall_at(&self, due: u64) -> u64 {
        self.wall.unwrap_or(0).saturating_add(due.saturating_sub(self.passed))
    }

    /// Whether it should be written down now.
    pub fn wants_saving(&mut self) -> bool {
        let due = self.saved.is_none_or(|saved| self.passed - saved >= SAVE_AFTER);
        if due {
            self.saved = Some(self.passed);
        }
        due
    }
}

impl Stored for Clock {
    fn write(&self, w: &mut Writer) {
        w.u64(self.passed).u64(self.wall.unwrap_or(0));
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (passed, wall) = (r.u64()?, r.u64()?);
        Ok(Self { passed, wall: Some(wall), saved: Some(passed) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaps_and_backward_steps_do_not_show() {
        let mut c = Clock::default();
        assert_eq!(c.advance(1_000_000), 0);
        assert_eq!(c.advance(1_005_000), 5_000);
        assert_eq!(c.advance(5_000), 5_000, "an hour back: nothing passed");
        assert_eq!(c.advance(6_000), 6_000, "and on at the new pace");
        assert_eq!(c.advance(6_000 + 365 * 86_400_000), 6_000 + STRIDE, "a year's leap is an hour");
        assert_eq!(c.wall_at(c.passed() + 7), 6_000 + 365 * 86_400_000 + 7);
    }
}
