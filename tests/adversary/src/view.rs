//! What an adversary has written down.

use std::ops::Range;

use crate::workload::{Moment, User};

/// Somebody was seen doing something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// When.
    pub at: Moment,
    /// Who.
    pub who: User,
}

/// Everything that one adversary has seen. What a design hides from them is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// How many people there are.
    pub users: usize,
    /// When the seeing began and ended.
    pub time: Range<Moment>,
    /// Envelopes that somebody was seen handing in, in order.
    pub sent: Vec<Sighting>,
    /// Envelopes that were put into somebody's own box, in order.
    pub received: Vec<Sighting>,
    /// Who asked after whom, or is written down as having written to whom: as often as that happened.
    pub named: Vec<(User, User)>,
    /// When envelopes came from nobody knows whom, in order.
    pub anonymous: Vec<Moment>,
    /// When each was connected.
    pub online: Vec<Vec<Range<Moment>>>,
}
