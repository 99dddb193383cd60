//! From wishes to one commit.

use std::collections::BTreeSet;

use livechat_crypto::kv::Overlay;
use livechat_crypto::mls::{Change, PeerDevice, StageError, shared_part};
use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::door::Verdict;
use livechat_wire::group::{Charter, Role, RoomKind};
use livechat_wire::{AccountId, ConversationId, limits as wire};

use super::doors::may_come_in;
use super::records::{Invited, Pending, Room, Seat, What};
use super::wishes::may;
use super::{broken, member_record, welcomes};
use crate::directory::Found;
use crate::errors::{CommandError, HandleError};
use crate::groups::session;
use crate::input::LookupFailure;
use crate::tables::Table;
use crate::turn::Turn;
use crate::view::Membership;
use crate::{Engine, limits};

/// Look-ups that one room has under way.
const AT_ONCE: usize = 8;

/// What one commit is made of.
#[derive(Default)]
struct Plan {
    add: Vec<String>,
    remove: Vec<u32>,
    charter: Option<Charter>,
    /// The wishes it fulfils.
    wishes: Vec<u64>,
    /// Those that are fulfilled already.
    moot: Vec<u64>,
    hopeless: Vec<(u64, CommandError)>,
    /// Who knocked and isn't let in.
    turned_away: Vec<(u64, Verdict)>,
    /// Names to be looked up before.
    unknown: Vec<String>,
    /// Devices of ours that nothing was found to take in with.
    unready: Option<u64>,
    /// When a wish is due that waits for others to fulfil it.
    later: Option<u64>,
    leave: Option<u64>,
}

impl Engine {
    /// Takes the next step with what is wanted of a room, if there is one to take.
    pub(super) fn stage(&mut self, turn: &mut Turn<'_>, at: ConversationId) -> Result<(), HandleError> {
        let plan = self.plan(at, turn.seconds(), turn.clock, |_| true)?;
        for number in plan.moot {
            self.unwish(turn, at, number)?;
        }
        for (number, why) in plan.hopeless {
            self.give_up(turn, at, number, why)?;
        }
        for (number, verdict) in plan.turned_away {
            self.refuse_entry(turn, at, number, verdict)?;
        }
        if let Some(number) = plan.unready {
            self.ask_again(turn, at, number)?;
        }
        if let Some(later) = plan.later {
            self.drive(at).due = later;
        }
        if !plan.unknown.is_empty() {
            for name in plan.unknown {
                if self.look_up_for(turn, &name, at) {
                    self.drive(at).looking.insert(name);
                }
            }
            return Ok(());
        }
        if plan.wishes.is_empty() {
            return match plan.leave {
                Some(number) => self.ask_to_be_removed(turn, at, number),
                None => Ok(()),
            };
        }
        self.stage_plan(turn, at, &plan.add, &plan.remove, plan.charter, plan.wishes)
    }

    /// Stages what is wanted of a room and needs nothing of the relay; only what can't wait, if it is not long away. What
    /// is staged already stays that if there is nothing.
    pub(super) fn stage_without_relay(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        urgent: bool,
    ) -> Result<(), HandleError> {
        let wanted = |what: &What| what.without_directory() && (!urgent || what.is_urgent());
        let mut plan = self.plan(at, turn.seconds(), turn.clock, wanted)?;
        // What the staged one fulfils is settled with it.
        let held = self.drive(at).pending.as_ref().map(|p| p.wishes.clone()).unwrap_or_default();
        plan.moot.retain(|number| !held.contains(number));
        plan.hopeless.retain(|(number, _)| !held.contains(number));
        for number in plan.moot {
            self.unwish(turn, at, number)?;
        }
        for (number, why) in plan.hopeless {
            self.give_up(turn, at, number, why)?;
        }
        if plan.wishes.is_empty() {
            return Ok(());
        }
        self.stage_plan(turn, at, &[], &plan.remove, plan.charter, plan.wishes)
    }

    pub(crate) fn drive(&mut self, at: ConversationId) -> &mut super::Drive {
        self.rooms.drives.entry(at).or_default()
    }

    fn plan(
        &self,
        at: ConversationId,
        now: u64,
        clock: u64,
        wanted: impl Fn(&What) -> bool,
    ) -> Result<Plan, HandleError> {
        let own = self.me()?.identity.account();
        let missing = HandleError::Inconsistent("a room that isn't there");
        let (Some(room), Some(drive)) = (self.room(at), self.rooms.drives.get(&at)) else { return Err(missing) };
        let mut plan = Plan::default();
        let mut charter = room.charter.clone();
        let seated = |account: &AccountId| room.seats.iter().any(|s| s.member.account == *account);
        let (mut devices, mut coming, mut evidence) = (0, BTreeSet::new(), 0);
        let accounts = room.seats.iter().map(|s| s.member.account).collect::<BTreeSet<_>>().len();
        for (number, wish) in drive.wishes.iter().filter(|(_, w)| wanted(&w.what)) {
            if wish.tries > limits::TRIES {
                plan.hopeless.push((*number, CommandError::TooMany));
                continue;
            }
            match &wish.what {
                What::Remove { account, .. } | What::SetRole { account, .. } if !seated(account) => {
                    plan.moot.push(*number);
                    continue;
                }
                What::SetRole { account, role } if charter.role(account) == *role => {
                    plan.moot.push(*number);
                    continue;
                }
                What::SetTitle { title } if charter.title == *title => {
                    plan.moot.push(*number);
                    continue;
                }
                What::SetTimer { seconds } if charter.timer == *seconds => {
                    plan.moot.push(*number);
                    continue;
                }
                What::ShutDoor { key } if charter.doors.iter().all(|d| d.key != *key) => {
                    plan.moot.push(*number);
                    continue;
                }
                What::Admit(admit) if seated(&admit.account) => {
                    plan.moot.push(*number);
                    continue;
                }
                What::Devices if self.amiss(at, room).is_nothing() => {
                    plan.moot.push(*number);
                    continue;
                }
                What::Theirs { account } if self.amiss_of(room, account).is_nothing() => {
                    plan.moot.push(*number);
                    continue;
                }
                What::Admit(_) | What::Devices if drive.not_before.get(number).is_some_and(|due| *due > clock) => {
                    plan.later = plan.later.into_iter().chain(drive.not_before.get(number).copied()).min();
                    continue;
                }
                What::Admit(admit) => {
                    let allowed = may(room, own, &wish.what).map_err(|_| Verdict::NotAllowed);
                    if let Err(verdict) = allowed.and_then(|()| may_come_in(room, &charter, admit, now)) {
                        plan.turned_away.push((*number, verdict));
                        continue;
                    }
                }
                what => {
                    if let Err(why) = may(room, own, what) {
                        plan.hopeless.push((*number, why));
                        continue;
                    }
                }
            }
            match &wish.what {
                What::Add { username } => match drive.found.get(username) {
                    None if plan.unknown.len() + drive.looking.len() < AT_ONCE && !drive.looking.contains(username) => {
                        plan.unknown.push(username.clone());
                    }
                    None => {}
                    Some(Err(why)) => plan.hopeless.push((*number, *why)),
                    Some(Ok(found)) if seated(&found.log.account()) || !coming.insert(found.log.account()) => {
                        plan.moot.push(*number);
                    }
                    Some(Ok(_)) if accounts + coming.len() > wire::MEMBERS => {
                        plan.hopeless.push((*number, CommandError::TooMany));
                    }
                    Some(Ok(found)) if devices + found.devices.len() <= limits::ADDS => {
                        devices += found.devices.len();
                        plan.add.push(username.clone());
                        plan.wishes.push(*number);
                        charter.let_in(&found.log.account());
                    }
                    Some(Ok(_)) => {}
                },
                What::Admit(admit) => match drive.found.get(&admit.username) {
                    None if plan.unknown.len() + drive.looking.len() < AT_ONCE
                        && !drive.looking.contains(&admit.username) =>
                    {
                        plan.unknown.push(admit.username.clone());
                    }
                    None => {}
                    // The directory shows somebody else under the name that is claimed, or nobody.
                    Some(Err(_)) => plan.turned_away.push((*number, Verdict::NotAllowed)),
                    Some(Ok(found)) if found.log.account() != admit.account => {
                        plan.turned_away.push((*number, Verdict::NotAllowed));
                    }
                    Some(Ok(_)) if !coming.insert(admit.account) => plan.moot.push(*number),
                    Some(Ok(_)) if accounts + coming.len() > wire::MEMBERS => {
                        plan.turned_away.push((*number, Verdict::Full));
                    }
                    Some(Ok(found)) if devices + found.devices.len() <= limits::ADDS => {
                        devices += found.devices.len();
                        plan.add.push(admit.username.clone());
                        plan.wishes.push(*number);
                        charter.count_use(&admit.door);
                    }
                    Some(Ok(_)) => {}
                },
                What::OpenDoor { door } => {
                    if charter.open_door(door.clone(), now) {
                        plan.wishes.push(*number);
                    } else {
                        plan.hopeless.push((*number, CommandError::TooMany));
                    }
                }
                What::ShutDoor { key } => {
                    charter.doors.retain(|d| d.key != *key);
                    plan.wishes.push(*number);
                }
                What::Remove { account, asked } => {
                    let of = room.seats.iter().filter(|s| s.member.account == *account);
                    plan.remove.extend(of.map(|s| s.member.leaf));
                    charter.set_role(*account, Role::Member);
                    if !asked {
                        charter.keep_out(*account);
                    }
                    plan.wishes.push(*number);
                }
                What::SetRole { account, role } => {
                    charter.set_role(*account, *role);
                    plan.wishes.push(*number);
                }
                What::SetTitle { title } => {
                    charter.title.clone_from(title);
                    plan.wishes.push(*number);
                }
                What::SetTimer { seconds } => {
                    charter.timer = *seconds;
                    plan.wishes.push(*number);
                }
                What::Leave => plan.leave = Some(*number),
                What::Renew => plan.wishes.push(*number),
                What::Devices => {
                    let amiss = self.amiss(at, room);
                    let own = &self.me()?.username;
                    let ready = |found: &Found| {
                        let comes =
                            |key: &[u8; 32]| amiss.missing.contains(key) && self.may_be_seated(room, found, key);
                        found.devices.iter().filter(|(b, _)| comes(&b.device_key)).count()
                    };
                    let coming = match drive.found.get(own) {
                        _ if amiss.missing.is_empty() => 0,
                        Some(Ok(found)) => ready(found),
                        Some(Err(_)) => 0,
                        // Whoever is to go goes at once.
                        None if !amiss.leftover.is_empty() => 0,
                        None => {
                            if !drive.looking.contains(own) {
                                plan.unknown.push(own.clone());
                            }
                            continue;
                        }
                    };
                    if coming == 0 && amiss.leftover.is_empty() {
                        plan.unready = Some(*number);
                        continue;
                    }
                    if coming > 0 {
                        devices += coming;
                        plan.add.push(own.clone());
                    }
                    plan.remove.extend(amiss.leftover);
                    plan.wishes.push(*number);
                }
                What::Theirs { account } => {
                    let amiss = self.amiss_of(room, account);
                    let name = self.looked_up(&wish.what).filter(|_| !amiss.missing.is_empty());
                    let coming = match name.as_ref().map(|name| (name, drive.found.get(name))) {
                        Some((_, Some(Ok(found)))) if found.log.account() == *account => {
                            found.devices.iter().filter(|(b, _)| self.may_be_seated(room, found, &b.device_key)).count()
                        }
                        Some((name, None)) => {
                            if !drive.looking.contains(name) {
                                plan.unknown.push(name.clone());
                            }
                            continue;
                        }
                        // Nothing to take them in with: it is looked at again when the room or the log changes.
                        _ => 0,
                    };
                    if devices + coming > limits::ADDS {
                        continue;
                    }
                    // Who has no device there is in it no more, and that isn't ours to decide.
                    let seats = room.seats.iter().filter(|s| s.member.account == *account).count();
                    // In a group whoever comes in believes a plain member only while another device of theirs is
                    // there: first the new one comes in, then the old one goes.
                    let swaps = coming > 0 && room.charter.kind == RoomKind::Direct;
                    let stays = swaps || seats > amiss.leftover.len();
                    let shown = self.known_log(account).is_some_and(|log| log.encode().len() <= wire::MEMBER_LOG);
                    let goes = stays && shown && !amiss.leftover.is_empty() && evidence < wire::EVIDENCE;
                    if coming == 0 && !goes {
                        plan.moot.push(*number);
                        continue;
                    }
                    if coming > 0 {
                        devices += coming;
                        plan.add.extend(name);
                    }
                    if goes {
                        evidence += 1;
                        plan.remove.extend(amiss.leftover);
                    }
                    plan.wishes.push(*number);
                }
            }
        }
        if charter.role(&own) == Role::Owner {
            // Whoever may set them keeps them right: the relay, then admins' devices.
            charter.sequencers = ranked(room, &charter);
        }
        plan.charter = Some(charter).filter(|c| *c != room.charter);
        // Everybody is looked up before anybody is added: one commit instead of many.
        let adds = drive.wishes.values().any(|w| wanted(&w.what) && !w.what.without_directory());
        if adds && !drive.looking.is_empty() && devices < limits::ADDS {
            plan.wishes.clear();
        }
        if devices >= limits::ADDS {
            plan.unknown.clear();
        }
        Ok(plan)
    }

    fn stage_plan(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        add: &[String],
        remove: &[u32],
        charter: Option<Charter>,
        wishes: Vec<u64>,
    ) -> Result<(), HandleError> {
        let missing = || HandleError::Inconsistent("a room that isn't there");
        let room = self.room(at).ok_or_else(missing)?;
        let (group, alone) = (room.group, room.seats.len() == 1);
        let drive = self.rooms.drives.get(&at).ok_or_else(missing)?;
        let renew = wishes.iter().any(|n| drive.wishes.get(n).is_some_and(|w| w.what == What::Renew));
        let found: Vec<&Found> = add.iter().filter_map(|n| drive.found.get(n)?.as_ref().ok()).collect();
        let mut peers = Vec::new();
        let mut bundles = Vec::new();
        for found in &found {
            let comes = |(bundle, _): &&(Bundle, Vec<u8>)| self.may_be_seated(room, found, &bundle.device_key);
            for (bundle, package) in found.devices.iter().filter(comes) {
                peers.push(PeerDevice { log: &found.log, device_key: bundle.device_key, key_package: package });
                bundles.push(bundle.clone());
            }
        }
        let me = self.me()?;
        let record = member_record(me);
        let evidence = self.evidence(room, remove);
        let mut overlay = Overlay::new(turn.kv);
        let mut mls = session(me, &mut overlay, turn.rng, turn.now);
        let slot = mls.order_keys(&group).map_err(broken)?.slot;
        let change = Change { add: &peers, remove, charter: charter.as_ref(), renew, evidence: &evidence };
        // An introduction is our log, a bundle and the Welcome.
        let beside = record.log.len() + 2 * livechat_wire::bundle::ENCODED;
        let fits = |welcome: &Vec<u8>| {
            let shared = shared_part(welcome).map_or(0, |at| welcome.len() - at);
            welcome.len() - shared + beside <= wire::PAYLOAD && shared <= wire::SHARED_WELCOME
        };
        let staged = match mls.stage_commit(&group, change, &record) {
            Ok(staged) if staged.welcomes.iter().all(fits) => staged,
            Ok(_) => {
                drop(overlay);
                for number in wishes {
                    self.give_up(turn, at, number, CommandError::TooMany)?;
                }
                return Ok(());
            }
            Err(StageError::Store(e)) => return Err(broken(e)),
            Err(StageError::KeyPackage { device, .. }) => {
                drop(overlay);
                return self.blame_package(turn, at, add, device);
            }
            Err(StageError::TooLong) if add.len() > 1 => {
                drop(overlay);
                let half = &add[..add.len() / 2];
                let wishes = self.wishes_of(at, half);
                let charter = self.charter_after(at, &wishes);
                return self.stage_plan(turn, at, half, &[], charter, wishes);
            }
            Err(_) => {
                drop(overlay);
                for number in wishes {
                    self.give_up(turn, at, number, CommandError::NotAllowed)?;
                }
                return Ok(());
            }
        };
        overlay.keep()?;
        let (welcomes, shared) = welcomes::parted(staged.welcomes);
        let invited = bundles.into_iter().zip(welcomes).map(|(bundle, welcome)| Invited { bundle, welcome });
        let pending = Pending { slot, sealed: staged.sealed, wishes, invited: invited.collect(), shared };
        Table::Pending.put(turn.kv, &at.0, &pending)?;
        let drive = self.drive(at);
        drive.pending = Some(pending);
        (drive.due, drive.failures) = (turn.clock, 0);
        self.room_changed(turn, at);
        // Nobody else is there who could come first, or who would have to be told.
        if alone { self.own_was_first(turn, at, None, None) } else { Ok(()) }
    }

    /// Under which name the directory is asked about devices that are to come in.
    pub(super) fn looked_up(&self, what: &What) -> Option<String> {
        let me = self.me.as_ref()?;
        match what {
            What::Devices => Some(me.username.clone()),
            What::Theirs { account } => {
                let name = self.known_log(account)?.name().filter(|(_, relay)| *relay == me.relay);
                name.map(|(name, _)| name.to_owned())
            }
            _ => None,
        }
    }

    /// What shows the others that leaves of other accounts are to go.
    fn evidence(&self, room: &Room, remove: &[u32]) -> Vec<AccountLog> {
        let own = self.me.as_ref().map(|me| me.identity.account());
        let gone = room.seats.iter().filter(|s| remove.contains(&s.member.leaf) && Some(s.member.account) != own);
        let revoked = |s: &&Seat| self.known_log(&s.member.account).is_some_and(|log| !s.member.is_in(log));
        let accounts: BTreeSet<AccountId> = gone.filter(revoked).map(|s| s.member.account).collect();
        let logs = accounts.iter().filter_map(|a| self.known_log(a));
        logs.filter(|log| log.encode().len() <= wire::MEMBER_LOG).take(wire::EVIDENCE).cloned().collect()
    }

    fn wishes_of(&self, at: ConversationId, names: &[String]) -> Vec<u64> {
        let wishes = self.rooms.drives.get(&at).into_iter().flat_map(|d| &d.wishes);
        let of = |what: &What| match what {
            What::Add { username } => names.contains(username),
            What::Admit(admit) => names.contains(&admit.username),
            What::Devices | What::Theirs { .. } => self.looked_up(what).is_some_and(|name| names.contains(&name)),
            _ => false,
        };
        wishes.filter(|(_, w)| of(&w.what)).map(|(n, _)| *n).collect()
    }

    /// The charter once these people are in, if it changes by that.
    fn charter_after(&self, at: ConversationId, wishes: &[u64]) -> Option<Charter> {
        let (room, drive) = (self.room(at)?, self.rooms.drives.get(&at)?);
        let mut charter = room.charter.clone();
        for wish in wishes.iter().filter_map(|n| drive.wishes.get(n)) {
            match &wish.what {
                What::Add { username } => {
                    if let Some(Ok(found)) = drive.found.get(username) {
                        charter.let_in(&found.log.account());
                    }
                }
                What::Admit(admit) => charter.count_use(&admit.door),
                _ => {}
            }
        }
        Some(charter).filter(|c| *c != room.charter)
    }

    /// What somebody published can't be used, nor can they be added.
    fn blame_package(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        add: &[String],
        device: livechat_wire::DeviceId,
    ) -> Result<(), HandleError> {
        let of = |f: &Found| f.devices.iter().any(|(b, _)| b.device() == device);
        let drive = self.drive(at);
        let names: Vec<_> =
            add.iter().filter(|n| matches!(drive.found.get(*n), Some(Ok(f)) if of(f))).cloned().collect();
        for number in self.wishes_of(at, &names) {
            self.give_up(turn, at, number, CommandError::Untrusted)?;
        }
        Ok(())
    }

    /// A device of ours has published nothing yet, or the directory shows nothing of ours: asked again, less and less
    /// often.
    fn ask_again(&mut self, turn: &mut Turn<'_>, at: ConversationId, number: u64) -> Result<(), HandleError> {
        let own = self.me()?.username.clone();
        let drive = self.drive(at);
        drive.found.remove(&own);
        let longest = limits::BACKOFF_FIRST.checked_shl(drive.unready).unwrap_or(u64::MAX);
        drive.unready = (drive.unready + 1).min(16);
        let due = turn.clock + turn.between(limits::BACKOFF_FIRST / 2, longest.min(limits::DEVICE_PATIENCE));
        self.drive(at).not_before.insert(number, due);
        Ok(())
    }

    /// The directory answered.
    pub(crate) fn found_for(
        &mut self,
        turn: &Turn<'_>,
        at: ConversationId,
        username: &str,
        answer: Result<Found, CommandError>,
    ) {
        let answer = match answer {
            Ok(found) if found.devices.is_empty() => Err(CommandError::NoDevice),
            Ok(found) => match self.contacts.get(&found.log.account()) {
                Some(c) if !c.log.is_prefix_of(&found.log) && !found.log.is_prefix_of(&c.log) => {
                    Err(CommandError::Untrusted)
                }
                _ => Ok(found),
            },
            Err(e) => Err(e),
        };
        let drive = self.drive(at);
        drive.looking.remove(username);
        match answer {
            // The relay is away or busy: again later.
            Err(CommandError::Lookup(
                LookupFailure::Unreachable | LookupFailure::TooMany { .. } | LookupFailure::Failed,
            )) => {
                drive.due = turn.clock + super::pause(drive.failures);
                drive.failures = (drive.failures + 1).min(16);
            }
            answer => {
                drive.due = drive.due.min(turn.clock);
                drive.found.insert(username.to_owned(), answer);
            }
        }
    }

    /// Nothing more is done in a room: we are out of it.
    pub(super) fn close_room(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        standing: Membership,
    ) -> Result<(), HandleError> {
        let numbers: Vec<u64> = self.drive(at).wishes.keys().copied().collect();
        for number in numbers {
            self.unwish(turn, at, number)?;
        }
        self.drive(at).pending = None;
        Table::Pending.delete(turn.kv, &at.0)?;
        if let Some(room) = self.rooms.rooms.get_mut(&at) {
            room.standing = standing;
            Table::Rooms.put(turn.kv, &at.0, room)?;
        }
        self.mind_door(at);
        self.room_changed(turn, at);
        Ok(())
    }
}

/// Whose receipts count in a room: the relay's, then those of owners' and admins' devices.
fn ranked(room: &Room, charter: &Charter) -> Vec<[u8; 32]> {
    let relay = room.charter.sequencers.first().copied();
    let mut deputies: Vec<_> = room.seats.iter().map(|s| (charter.role(&s.member.account), &s.member)).collect();
    deputies.retain(|(role, _)| *role >= Role::Admin);
    deputies.sort_by_key(|(role, m)| (std::cmp::Reverse(*role), m.account, m.leaf));
    let all = relay.into_iter().chain(deputies.into_iter().map(|(_, m)| m.device_key));
    all.take(wire::SEQUENCERS).collect()
}
