//! In the relay's place (PROTOCOL R-120): while it is away, a group's admins put their own commits in order.

use livechat_wire::ConversationId;
use livechat_wire::group::RoomKind;
use livechat_wire::order::Entry;

use super::Drive;
use super::records::Pending;
use super::rewind::Aside;
use crate::clock::STRIDE;
use crate::errors::HandleError;
use crate::turn::Turn;
use crate::view::{Membership, Order};
use crate::{Engine, limits};

impl Drive {
    /// For how long nobody has put anything in order here.
    pub(super) fn away(&self, offline_since: Option<u64>, clock: u64) -> u64 {
        let since = offline_since.into_iter().chain(self.unanswered_since).min();
        since.map_or(0, |since| clock.saturating_sub(since))
    }
}

impl Engine {
    /// Our own place among a room's sequencers, after the relay.
    fn own_rank(&self, at: ConversationId) -> Option<u64> {
        let own = self.me.as_ref()?.identity.device_key();
        let rank = self.room(at)?.charter.sequencers.iter().position(|key| *key == own)?;
        u64::try_from(rank).ok().filter(|rank| *rank > 0)
    }

    /// After how long without the relay this device puts its commit in order itself; none when it has none, or may not.
    pub(super) fn deputy_after(&self, at: ConversationId, drive: &Drive) -> Option<u64> {
        let rank = self.own_rank(at)?;
        let mut wishes = drive.wishes.values().map(|w| &w.what).filter(|w| w.without_directory()).peekable();
        wishes.peek()?;
        let patience = if wishes.any(|w| w.is_urgent()) { limits::DEPUTY_URGENT } else { limits::DEPUTY_ELSE };
        // One after the other, the best first.
        Some(patience + (rank - 1) * limits::DEPUTY_STEP)
    }

    /// Puts in order what has waited for the relay too long.
    pub(super) fn deputise(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let offline = self.rooms.offline_since;
        let due = |(at, d): (&ConversationId, &Drive)| {
            let joined = self.room(*at).is_some_and(|r| r.standing == Membership::Joined);
            let after = self.deputy_after(*at, d).filter(|_| joined)?;
            (d.away(offline, turn.clock) >= after && d.deputy_due <= turn.clock).then_some(*at)
        };
        let due: Vec<_> = self.rooms.drives.iter().filter_map(due).collect();
        for at in due {
            let offline = self.rooms.offline_since;
            // What can wait isn't to be what nobody can go back from.
            let room = self.drive(at).unconfirmed.len() < limits::REWIND;
            let long = room && self.drive(at).away(offline, turn.clock) >= limits::DEPUTY_ELSE;
            let Some((pending, aside)) = self.staged_in_its_place(turn, at, long)? else {
                self.drive(at).deputy_due = turn.clock + limits::BACKOFF_MAX;
                continue;
            };
            let receipt = self.me()?.identity.put_first(pending.slot, pending.sealed.hash(), turn.seconds());
            self.own_was_first(turn, at, Some(Entry { receipt, commit: pending.sealed }), aside)?;
        }
        Ok(())
    }

    /// The commit that this device puts in order: what the relay was given and didn't answer, if that may be done
    /// without it, since it may have it; else another, and then that one is kept for the case that the relay has it.
    fn staged_in_its_place(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        long: bool,
    ) -> Result<Option<(Pending, Option<Aside>)>, HandleError> {
        let given = self.drive(at).pending.clone();
        if let Some(given) = given.as_ref().filter(|given| self.may_go_without(at, given, long)) {
            return Ok(Some((given.clone(), None)));
        }
        let group = self.room(at).ok_or(HandleError::Inconsistent("a room that isn't there"))?.group;
        let aside = if given.is_some() { Some(self.set_aside(turn, at, group)?) } else { None };
        self.stage_without_relay(turn, at, !long)?;
        let same = |new: &Pending| given.as_ref().is_some_and(|old| old.sealed == new.sealed);
        let staged = self.drive(at).pending.clone().filter(|new| !same(new));
        Ok(staged.map(|staged| (staged, aside)))
    }

    /// Whether everything in a staged commit may be done without the relay.
    fn may_go_without(&self, at: ConversationId, staged: &Pending, long: bool) -> bool {
        let wish = |number| self.rooms.drives.get(&at).and_then(|d| d.wishes.get(number)).map(|w| &w.what);
        let wanted: Option<Vec<_>> = staged.wishes.iter().map(wish).collect();
        wanted
            .is_some_and(|all| all.iter().all(|w| w.without_directory()) && (long || all.iter().any(|w| w.is_urgent())))
    }

    /// When the next of that is due while the relay is away.
    pub(crate) fn deputy_wake(&self) -> Option<u64> {
        let due = |(at, d): (&ConversationId, &Drive)| {
            let since = self.rooms.offline_since.into_iter().chain(d.unanswered_since).min()?;
            let joined = self.room(*at).is_some_and(|r| r.standing == Membership::Joined);
            let untold = d.order == Order::Relay && self.is_group(*at);
            let stands_in = self.deputy_after(*at, d).map(|after| (since + after).max(d.deputy_due));
            let shown = untold.then_some(since + limits::DEPUTY_URGENT);
            stands_in.into_iter().chain(shown).filter(|_| joined).min()
        };
        // The clock doesn't believe longer steps.
        let step = self.clock.passed() + STRIDE;
        self.rooms.drives.iter().filter_map(due).min().map(|due| due.min(step))
    }

    fn is_group(&self, at: ConversationId) -> bool {
        self.room(at).is_some_and(|r| r.charter.kind == RoomKind::Group)
    }

    /// Who puts a room's changes in order at present.
    fn order_now(&self, at: ConversationId, drive: &Drive) -> Order {
        let joined = self.room(at).is_some_and(|r| r.standing == Membership::Joined);
        if !joined || drive.away(self.rooms.offline_since, self.clock.passed()) < limits::DEPUTY_URGENT {
            Order::Relay
        } else if self.own_rank(at).is_some() {
            Order::Here
        } else if drive.unconfirmed.is_empty() {
            Order::Nobody
        } else {
            Order::Deputy
        }
    }

    /// Notes who puts changes in order, so that a change of that is shown.
    pub(super) fn tell_who_orders(&mut self, turn: &mut Turn<'_>) {
        let news = |(at, d): (&ConversationId, &Drive)| {
            let now = self.order_now(*at, d);
            (now != d.order).then_some((*at, now))
        };
        let changed: Vec<_> = self.rooms.drives.iter().filter_map(news).collect();
        for (at, now) in changed {
            self.drive(at).order = now;
            self.room_changed(turn, at);
        }
    }
}
