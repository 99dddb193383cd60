//! Days, as collections are named after them.

use livechat_wire::limits::{EPOCH_SECONDS, EPOCH_SKEW};

const SECONDS: u64 = 86_400;

/// A day in UTC, counted from the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(u64);

impl Day {
    /// The day in which an envelope epoch begins.
    pub(super) fn of_epoch(epoch: u32) -> Self {
        Self(u64::from(epoch) * EPOCH_SECONDS / SECONDS)
    }

    /// `envelopes_20261122`.
    pub(super) fn collection(self) -> String {
        format!("envelopes_{}", self.key())
    }

    /// `20261122`: sorts like the days.
    pub(super) fn key(self) -> String {
        let (year, month, day) = self.date();
        format!("{year:04}{month:02}{day:02}")
    }

    pub(super) fn from_key(key: &str) -> Option<Self> {
        let (year, rest) = key.split_at_checked(4)?;
        let (month, day) = rest.split_at_checked(2)?;
        let day = Self::at(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
        (day.key() == key).then_some(day)
    }

    /// Whether all that can lie in this day's collection was stored before `time`: an envelope may come up to the
    /// allowed skew after its epoch.
    pub(super) fn is_over_before(self, time: u64) -> bool {
        (self.0 + 1) * SECONDS + u64::from(EPOCH_SKEW + 1) * EPOCH_SECONDS <= time
    }

    /// Civil date of a day number (H. Hinnant, "chrono-compatible low-level date algorithms").
    fn date(self) -> (u64, u64, u64) {
        let z = self.0 + 719_468;
        let era = z / 146_097;
        let doe = z % 146_097;
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        (yoe + era * 400 + u64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
    }

    /// The inverse of [`Day::date`], for dates since 1970.
    fn at(year: u64, month: u64, day: u64) -> Option<Self> {
        if !(1_970..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let y = year - u64::from(month <= 2);
        let yoe = y % 400;
        let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
        (y / 400 * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy).checked_sub(719_468).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dates() {
        let day = |seconds: u64| Day::of_epoch(u32::try_from(seconds / EPOCH_SECONDS).unwrap());
        assert_eq!(day(0).collection(), "envelopes_19700101");
        assert_eq!(day(951_782_400).key(), "20000229");
        assert_eq!(day(1_795_305_600).key(), "20261122");
        for n in 0..80_000 {
            assert_eq!(Day::from_key(&Day(n).key()), Some(Day(n)));
        }
        assert!(
            ["20260230", "2026", "", "19691231", "abcdefgh", "2026112ä"].iter().all(|k| Day::from_key(k).is_none())
        );
    }

    #[test]
    fn a_day_is_over_when_nothing_can_come_any_more() {
        let d = Day(100);
        assert!(!d.is_over_before(101 * SECONDS + 1_199) && d.is_over_before(101 * SECONDS + 1_200));
    }
}
