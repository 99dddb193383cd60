//! What may happen to things on their way, and to people's machines.

use rand_core::Rng;

/// Chances are per thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// A gossiped envelope doesn't arrive, at one recipient or the relay.
    pub loss: u64,
    /// It arrives twice.
    pub duplicate: u64,
    /// Shortest way, milliseconds.
    pub delay_min: u64,
    /// Longest way; the wider the range, the more overtakes.
    pub delay_max: u64,
    /// A request to the relay or its answer is lost.
    pub relay_loss: u64,
    /// The machine dies while it deals with an input: half of the time before the commit, else before the effects.
    pub crash: u64,
    /// Longest time a dead machine stays dead, milliseconds.
    pub down_max: u64,
    /// A clock is set wrong at each input with this chance …
    pub clock_jump: u64,
    /// … by up to so many milliseconds, either way, from true time.
    pub skew_max: u64,
}

impl Faults {
    /// A quiet network: a few milliseconds, nothing lost.
    pub const NONE: Self = Self {
        loss: 0,
        duplicate: 0,
        delay_min: 5,
        delay_max: 40,
        relay_loss: 0,
        crash: 0,
        down_max: 0,
        clock_jump: 0,
        skew_max: 0,
    };

    /// Everything at once.
    pub const CRUEL: Self = Self {
        loss: 350,
        duplicate: 250,
        delay_min: 5,
        delay_max: 4_000,
        relay_loss: 250,
        crash: 25,
        down_max: 15_000,
        clock_jump: 20,
        skew_max: 240_000,
    };

    pub(crate) fn delay(&self, dice: &mut impl Rng) -> u64 {
        self.delay_min + dice.next_u64() % (self.delay_max - self.delay_min + 1)
    }
}

/// Whether something with this chance per thousand happens.
pub(crate) fn happens(dice: &mut impl Rng, chance: u64) -> bool {
    // Always one throw, so that changing one chance doesn't shift every later throw.
    dice.next_u64() % 1_000 < chance
}
