//! Links into groups, and who knocks with one (PROTOCOL ): making, listing and revoking them, and opening
//! to whoever has one, as the role here allows it.

use livechat_crypto::door::DoorKeys;
use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::door::{Answer, Door, DoorSeed, Doorkeeper, Knock, Link, Verdict};
use livechat_wire::group::{Charter, Role};
use livechat_wire::payload::Kind;
use livechat_wire::{AccountId, ConversationId, limits as wire};

use super::records::{Admit, OwnLink, Room, What};
use crate::effects::Reply;
use crate::errors::{CommandError, HandleError, ViewError};
use crate::tables::Table;
use crate::turn::Turn;
use crate::view::{GroupLink, LinkState, Membership, Standing};
use crate::{Engine, limits};

type Reached = Result<Result<Reply, CommandError>, HandleError>;

/// Hexadecimal, as faces name doors.
pub(super) fn door_name(key: &[u8; 32]) -> String {
    key.iter().map(|b| format!("{b:02x}")).collect()
}

pub(super) fn named_door(name: &str) -> Option<[u8; 32]> {
    name.parse::<AccountId>().ok().map(|id| id.0)
}

impl Engine {
    /// Makes a link into a group; it opens once its door stands in the charter.
    pub(crate) fn make_link(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        expires_in: Option<u64>,
        uses: Option<u32>,
    ) -> Reached {
        let seed = DoorSeed(turn.draw());
        let expires = expires_in.map_or(0, |s| turn.seconds().saturating_add(s).max(1));
        let (key, made_by) = (DoorKeys::of(&seed).key(), self.me()?.identity.account());
        let door = Door { key, made_by, expires, uses: uses.unwrap_or(0), used: 0 };
        if let Err(e) = self.change_group(turn, at, What::OpenDoor { door: door.clone() })? {
            return Ok(Err(e));
        }
        let own = OwnLink { conversation: at, seed };
        Table::Links.put(turn.kv, &key, &own)?;
        self.rooms.links.insert(key, own);
        let room = self.room(at).ok_or(HandleError::Inconsistent("a room that isn't there"))?;
        Ok(Ok(Reply::Link(self.link_view(room, &door, LinkState::Pending))))
    }

    /// Shuts a door for good.
    pub(crate) fn revoke_link(&mut self, turn: &mut Turn<'_>, at: ConversationId, door: &str) -> Reached {
        let known = |key: &[u8; 32]| self.room(at).is_some_and(|r| r.charter.doors.iter().any(|d| d.key == *key));
        match named_door(door) {
            Some(key) if known(&key) => self.change_group(turn, at, What::ShutDoor { key }),
            Some(key) if self.unwish_door(turn, at, key)? => Ok(Ok(Reply::Done)),
            _ => Ok(Err(CommandError::UnknownLink)),
        }
    }

    /// A link that isn't in force yet is not wanted any more.
    fn unwish_door(&mut self, turn: &mut Turn<'_>, at: ConversationId, key: [u8; 32]) -> Result<bool, HandleError> {
        let wishes = self.rooms.drives.get(&at).into_iter().flat_map(|d| &d.wishes);
        let opens = |what: &What| matches!(what, What::OpenDoor { door } if door.key == key);
        let Some(number) = wishes.into_iter().find(|(_, w)| opens(&w.what)).map(|(n, _)| *n) else { return Ok(false) };
        if self.rooms.drives.get(&at).and_then(|d| d.pending.as_ref()).is_some_and(|p| p.wishes.contains(&number)) {
            // On its way: it is shut once it is open.
            self.wish(turn, at, What::ShutDoor { key })?;
            return Ok(true);
        }
        self.forget_link(turn, &key)?;
        self.unwish(turn, at, number)?;
        Ok(true)
    }

    pub(super) fn forget_link(&mut self, turn: &mut Turn<'_>, key: &[u8; 32]) -> Result<(), HandleError> {
        self.rooms.links.remove(key);
        Ok(Table::Links.delete(turn.kv, key)?)
    }

    /// The links into a group that are open or were, for those who may make some; `None` when it is no group of ours.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn links(&self, now: u64, conversation: ConversationId) -> Result<Option<Vec<GroupLink>>, ViewError> {
        let Some(room) = self.room(conversation).filter(|r| r.standing == Membership::Joined) else { return Ok(None) };
        let state = |door: &Door| match () {
            () if door.expires != 0 && door.expires <= now / 1_000 => LinkState::Expired,
            () if door.uses != 0 && door.used >= door.uses => LinkState::UsedUp,
            () => LinkState::Open,
        };
        let mut links: Vec<_> = room.charter.doors.iter().map(|d| self.link_view(room, d, state(d))).collect();
        let wishes = self.rooms.drives.get(&conversation).into_iter().flat_map(|d| d.wishes.values());
        for wish in wishes {
            if let What::OpenDoor { door } = &wish.what
                && room.charter.doors.iter().all(|d| d.key != door.key)
            {
                links.push(self.link_view(room, door, LinkState::Pending));
            }
        }
        Ok(Some(links))
    }

    fn link_view(&self, room: &Room, door: &Door, state: LinkState) -> GroupLink {
        let own = self.rooms.links.get(&door.key).and_then(|own| self.link_with(room, own.seed));
        GroupLink {
            door: door_name(&door.key),
            link: own.map(|l| l.to_string()),
            made_by: self.name_of(&door.made_by),
            expires_at: Some(door.expires).filter(|at| *at != 0),
            uses: Some(door.uses).filter(|n| *n != 0),
            used: door.used,
            state,
        }
    }

    /// The link of a seed: it names us first, then whoever else may open.
    fn link_with(&self, room: &Room, seed: DoorSeed) -> Option<Link> {
        let me = self.me.as_ref()?;
        let own = me.identity.account();
        let mut doorkeepers = vec![Doorkeeper { account: own, username: me.username.clone() }];
        let mut others: Vec<_> = room.charter.roles.iter().filter(|(a, _)| **a != own).collect();
        others.sort_by_key(|(a, role)| (std::cmp::Reverse(**role), **a));
        for (account, _) in others {
            // Only a name of our relay leads anybody there.
            let seat = room.seats.iter().find(|s| s.member.account == *account && s.here);
            doorkeepers.extend(seat.map(|s| Doorkeeper { account: *account, username: s.name.clone() }));
        }
        doorkeepers.truncate(wire::DOORKEEPERS);
        Some(Link { relay: me.relay, seed, doorkeepers })
    }

    /// The keys of the doors that we hear because every member of their group does.
    pub(crate) fn open_doors(&self) -> impl Iterator<Item = &DoorKeys> {
        self.rooms.open.values()
    }

    /// Whether knocks at a group's own door are heard follows its charter.
    pub(super) fn mind_door(&mut self, at: ConversationId) {
        let seed = self.room(at).filter(|r| r.standing == Membership::Joined).and_then(|r| r.charter.open);
        match seed {
            Some(seed) => {
                let keys = DoorKeys::of(&seed);
                self.rooms.open.insert(at, keys);
            }
            None => {
                self.rooms.open.remove(&at);
            }
        }
    }

    /// Somebody knocks. `false`: it isn't what it should be.
    pub(crate) fn take_knock(&mut self, turn: &mut Turn<'_>, bytes: &[u8]) -> Result<bool, HandleError> {
        let me = self.me()?;
        let (own, relay) = (me.identity.account(), me.relay);
        let Ok(knock) = Knock::decode(bytes) else { return Ok(false) };
        let (Ok(log), Ok(bundle)) = (AccountLog::decode(&knock.log), Bundle::decode(&knock.bundle)) else {
            return Ok(false);
        };
        let account = log.account();
        let Some((username, _)) = log.name().filter(|(_, at)| *at == relay) else { return Ok(false) };
        let lasts = wire::RETENTION.as_secs();
        let stale = knock.time.abs_diff(turn.seconds()) > lasts;
        if stale || account == own || !log.has_device(&bundle.device_key) {
            return Ok(false);
        }
        let joined = |r: &&Room| r.standing == Membership::Joined;
        let opens = |at: &ConversationId| self.rooms.open.get(at).is_some_and(|k| k.key() == knock.door);
        let leads =
            |(at, r): &(&ConversationId, &Room)| r.charter.doors.iter().any(|d| d.key == knock.door) || opens(at);
        let found = self.rooms.rooms.iter().filter(|(_, r)| joined(r)).find(leads).map(|(at, _)| *at);
        let heard_by_all = found.is_some_and(|at| opens(&at));
        let to = if heard_by_all { knock.door } else { own.0 };
        if knock.verify(&to, &bundle.device_key).is_err() {
            return Ok(false);
        }
        let direct = ConversationId::direct(&own, &account);
        if self.conversations.contains_key(&direct) && self.standing(direct) == Standing::Blocked {
            // Nobody learns that they are blocked.
            self.refused.blocked += 1;
            return Ok(true);
        }
        let username = username.to_owned();
        let admit = Admit { door: knock.door, account, username, bundle: Box::new(bundle), token: knock.token };
        let Some(at) = found else {
            self.turn_away(turn, &admit, Verdict::Revoked)?;
            return Ok(true);
        };
        self.knocked(turn, at, admit, heard_by_all)?;
        Ok(true)
    }

    /// Somebody knocks at the door of a group that we are in.
    fn knocked(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        admit: Admit,
        heard_by_all: bool,
    ) -> Result<(), HandleError> {
        let wishes = self.rooms.drives.get(&at).into_iter().flat_map(|d| &d.wishes);
        let same = |what: &What| matches!(what, What::Admit(other) if other.account == admit.account);
        let before: Vec<u64> = wishes.filter(|(_, w)| same(&w.what)).map(|(n, _)| *n).collect();
        for number in before {
            self.unwish(turn, at, number)?;
        }
        let room = self.room(at).ok_or(HandleError::Inconsistent("a room that isn't there"))?;
        let members = self.room_accounts(at).map_or(0, |a| a.len()) as u64;
        let waiting = self.rooms.drives.get(&at).map_or(0, |d| d.wishes.len());
        let role = room.charter.role(&self.me()?.identity.account());
        // One of those who all hear it opens; so does one say that nobody will.
        let speaks = !heard_by_all || role >= Role::Admin || turn.between(0, members) < limits::LOBBY_VOICES;
        let verdict = match self.room(at) {
            Some(_) if waiting >= limits::WISHES => Some(Verdict::Full),
            Some(room) => may_come_in(room, &room.charter, &admit, turn.seconds()).err(),
            None => None,
        };
        if let Some(verdict) = verdict {
            return if speaks { self.turn_away(turn, &admit, verdict) } else { Ok(()) };
        }
        let pause = if heard_by_all { turn.between(0, members * limits::LOBBY_SPREAD) } else { 0 };
        let number = self.wish(turn, at, What::Admit(Box::new(admit)))?;
        let due = turn.clock + pause;
        let drive = self.drive(at);
        drive.not_before.extend(number.map(|n| (n, due)));
        drive.due = drive.due.min(turn.clock);
        Ok(())
    }

    /// Says why nobody opens.
    pub(super) fn turn_away(
        &mut self,
        turn: &mut Turn<'_>,
        admit: &Admit,
        verdict: Verdict,
    ) -> Result<(), HandleError> {
        let answer = Answer { token: admit.token, verdict }.encode();
        let bucket = admit.bundle.bucket(self.me()?.bucket_bits);
        self.announce(turn, &admit.bundle.hello_key, &[bucket], Kind::Answer, &answer)
    }
}

/// Whether whoever knocks may come in: the same whenever it is asked, on the charter as it would be by then.
pub(super) fn may_come_in(room: &Room, charter: &Charter, admit: &Admit, now: u64) -> Result<(), Verdict> {
    if charter.kept_out.contains(&admit.account) {
        return Err(Verdict::KeptOut);
    }
    let mut accounts: Vec<AccountId> = room.seats.iter().map(|s| s.member.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.len() >= wire::MEMBERS && !accounts.contains(&admit.account) {
        return Err(Verdict::Full);
    }
    match charter.doors.iter().find(|d| d.key == admit.door) {
        Some(door) if door.expires != 0 && door.expires <= now => Err(Verdict::Expired),
        Some(door) if door.uses != 0 && door.used >= door.uses => Err(Verdict::UsedUp),
        Some(_) => Ok(()),
        None if charter.open.is_some_and(|seed| DoorKeys::of(&seed).key() == admit.door) => Ok(()),
        None => Err(Verdict::Revoked),
    }
}
