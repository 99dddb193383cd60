//! Coming into a group by a link (PROTOCOL R-78): knocking at one doorkeeper after the other until one opens.
//!
//! ```text
//! link ─► directory: is it the doorkeeper's account? ─► knock ─┬─ Welcome with that door: in
//!   ▲                    no ─► the next                         ├─ "expired", "full" …: refused
//!   └─────────────── 15 s without an answer, "I may not": the next
//! ```

use livechat_crypto::door::DoorKeys;
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::door::{Answer, DoorSeed, Link, Verdict};
use livechat_wire::group::Charter;
use livechat_wire::payload::Kind;
use livechat_wire::{AccountId, ConversationId, DecodeError, limits as wire};

use super::doors::{door_name, named_door};
use super::{can_join, pause};
use crate::directory::Found;
use crate::effects::{Event, Reply};
use crate::errors::{CommandError, HandleError};
use crate::input::{LookupFailure, Secret};
use crate::tables::{Stored, Table};
use crate::turn::Turn;
use crate::view::{self, JoinRefusal, JoinState, Membership};
use crate::{Engine, limits};

type Reached = Result<Result<Reply, CommandError>, HandleError>;

/// Somebody has a link and waits for one to open.
#[derive(Debug, Clone)]
pub(crate) struct Joining {
    link: Link,
    /// Unix milliseconds.
    since: u64,
    /// Comes back with answers; its last byte says from which doorkeeper.
    token: [u8; 16],
    /// The doorkeeper to knock at next.
    next: u8,
    /// Those who were knocked at and haven't said no, a bit for each.
    asked: u8,
    refused: Option<JoinRefusal>,
    /// Nothing is done before; not stored.
    pub due: u64,
    pub failures: u32,
}

impl Joining {
    /// Whether there is somebody left to knock at.
    pub fn is_busy(&self) -> bool {
        self.refused.is_none() && usize::from(self.next) < self.doors()
    }

    /// In how many places one can knock.
    fn doors(&self) -> usize {
        self.link.doorkeepers.len().max(1)
    }

    fn token_for(&self, doorkeeper: u8) -> [u8; 16] {
        let mut token = self.token;
        token[15] ^= doorkeeper;
        token
    }

    fn view(&self, door: &[u8; 32], joined: Option<ConversationId>) -> view::Joining {
        let state = match (joined, self.refused) {
            (Some(conversation), _) => JoinState::Joined { conversation },
            (None, Some(why)) => JoinState::Refused { why },
            (None, None) => JoinState::Waiting,
        };
        let doorkeepers = self.link.doorkeepers.iter().map(|d| d.username.clone()).collect();
        view::Joining { door: door_name(door), doorkeepers, since: self.since, state }
    }
}

impl Stored for Joining {
    fn write(&self, w: &mut Writer) {
        w.bytes(&self.link.encode()).u64(self.since).raw(&self.token).u8(self.next).u8(self.asked);
        w.u8(self.refused.map_or(0, |why| 1 + why as u8));
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            link: Link::decode(r.bytes(wire::LINK_TEXT, "link")?)?,
            since: r.u64()?,
            token: r.array()?,
            next: r.u8()?,
            asked: r.u8()?,
            refused: match r.u8()? {
                0 => None,
                1 => Some(JoinRefusal::Revoked),
                2 => Some(JoinRefusal::Expired),
                3 => Some(JoinRefusal::UsedUp),
                4 => Some(JoinRefusal::Full),
                5 => Some(JoinRefusal::KeptOut),
                6 => Some(JoinRefusal::NotAllowed),
                7 => Some(JoinRefusal::Untrusted),
                _ => return Err(DecodeError::Unknown("refusal")),
            },
            due: 0,
            failures: 0,
        })
    }
}

impl From<Verdict> for JoinRefusal {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Revoked => Self::Revoked,
            Verdict::Expired => Self::Expired,
            Verdict::UsedUp => Self::UsedUp,
            Verdict::Full => Self::Full,
            Verdict::KeptOut => Self::KeptOut,
            Verdict::NotAllowed => Self::NotAllowed,
        }
    }
}

impl Engine {
    /// Knocks with a link; again only after a refusal.
    pub(crate) fn join_link(&mut self, turn: &mut Turn<'_>, text: &str) -> Reached {
        let Ok(link) = text.parse::<Link>() else { return Ok(Err(CommandError::BadLink)) };
        let me = self.me()?;
        if link.relay != me.relay {
            return Ok(Err(CommandError::OtherRelay));
        }
        if !can_join(me) {
            return Ok(Err(CommandError::NotAllowed));
        }
        let door = DoorKeys::of(&link.seed).key();
        let token = turn.draw();
        let joining =
            Joining { link, since: turn.now, token, next: 0, asked: 0, refused: None, due: turn.clock, failures: 0 };
        if let Some(at) = self.inside(&joining.link.seed, &door) {
            return Ok(Ok(Reply::Joining(joining.view(&door, Some(at)))));
        }
        match self.rooms.joinings.get(&door) {
            // Knocking once is enough: it is heard whenever they are there.
            Some(known) if known.refused.is_none() => return Ok(Ok(Reply::Joining(known.view(&door, None)))),
            None if self.rooms.joinings.len() >= limits::JOININGS => return Ok(Err(CommandError::TooMany)),
            _ => {}
        }
        let view = joining.view(&door, None);
        self.keep_joining(turn, door, joining)?;
        Ok(Ok(Reply::Joining(view)))
    }

    /// Founds a group that anybody with its link may join.
    pub(crate) fn found_lobby(&mut self, turn: &mut Turn<'_>, title: String) -> Reached {
        let seed = DoorSeed(turn.draw());
        let (link, door) = (self.lobby_link(seed)?, DoorKeys::of(&seed).key());
        let founded = self.create_group(turn, title, &[], Some(seed))?;
        let (token, since) = ([0; 16], turn.now);
        let joining = Joining { link, since, token, next: 0, asked: 0, refused: None, due: 0, failures: 0 };
        Ok(founded.map(|reply| match reply {
            Reply::Group(at) => Reply::Joining(joining.view(&door, Some(at))),
            other => other,
        }))
    }

    fn lobby_link(&self, seed: DoorSeed) -> Result<Link, HandleError> {
        Ok(Link { relay: self.me()?.relay, seed, doorkeepers: Vec::new() })
    }

    /// The open groups that we are in, with the link that lets anybody in.
    #[must_use]
    pub fn lobbies(&self) -> Vec<(ConversationId, Secret)> {
        let joined = self.rooms.rooms.iter().filter(|(_, r)| r.standing == Membership::Joined);
        let link = |seed| self.lobby_link(seed).ok().map(|link| Secret(link.to_string()));
        joined.filter_map(|(at, r)| Some((*at, link(r.charter.open?)?))).collect()
    }

    /// The group behind a door, when we are in it already.
    fn inside(&self, seed: &DoorSeed, door: &[u8; 32]) -> Option<ConversationId> {
        let leads = |c: &Charter| c.open == Some(*seed) || c.doors.iter().any(|d| d.key == *door);
        let mut rooms = self.rooms.rooms.iter().filter(|(_, r)| r.standing == Membership::Joined);
        rooms.find(|(_, r)| leads(&r.charter)).map(|(at, _)| *at)
    }

    /// Waits no longer.
    pub(crate) fn cancel_join(&mut self, turn: &mut Turn<'_>, door: &str) -> Reached {
        let Some(door) = named_door(door).filter(|d| self.rooms.joinings.remove(d).is_some()) else {
            return Ok(Err(CommandError::UnknownLink));
        };
        Table::Joinings.delete(turn.kv, &door)?;
        Ok(Ok(Reply::Done))
    }

    /// Where we knocked and are not in yet, latest first.
    #[must_use]
    pub fn joinings(&self) -> Vec<view::Joining> {
        let mut all: Vec<_> = self.rooms.joinings.iter().map(|(door, j)| j.view(door, None)).collect();
        all.sort_by_key(|j| std::cmp::Reverse(j.since));
        all
    }

    fn keep_joining(&mut self, turn: &mut Turn<'_>, door: [u8; 32], joining: Joining) -> Result<(), HandleError> {
        Table::Joinings.put(turn.kv, &door, &joining)?;
        self.rooms.joinings.insert(door, joining);
        Ok(())
    }

    /// Knocks at whoever's turn it is.
    pub(crate) fn knock_where_due(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        if !self.outbox.is_online() {
            return Ok(());
        }
        let due = |j: &Joining| j.is_busy() && j.due <= turn.clock;
        let doors: Vec<_> = self.rooms.joinings.iter().filter(|(_, j)| due(j)).map(|(d, _)| *d).collect();
        for door in doors {
            let Some(mut joining) = self.rooms.joinings.get(&door).cloned() else { continue };
            match joining.link.doorkeepers.get(usize::from(joining.next)) {
                // Asked again if no answer comes.
                Some(keeper) => {
                    let asked = self.look_up_doorkeeper(turn, &keeper.username, door);
                    joining.due = turn.clock + if asked { limits::BACKOFF_MAX } else { limits::BACKOFF_FIRST };
                }
                None => {
                    let keys = DoorKeys::of(&joining.link.seed);
                    let hello_key = Box::new(*keys.hello_key());
                    // Its members read in any bucket; as many as there are, up to sixteen.
                    let buckets: Vec<u16> = (0..1 << self.me()?.bucket_bits.min(4)).collect();
                    self.knock(turn, &joining, &keys.key(), &[(hello_key, buckets)])?;
                    (joining.next, joining.asked) = (1, 1);
                }
            }
            self.keep_joining(turn, door, joining)?;
        }
        Ok(())
    }

    fn knock(
        &mut self,
        turn: &mut Turn<'_>,
        joining: &Joining,
        to: &[u8; 32],
        devices: &[(Box<[u8; wire::XWING_PUBLIC]>, Vec<u16>)],
    ) -> Result<(), HandleError> {
        let me = self.me()?;
        let (log, bundle) = (me.log.encode(), me.identity.bundle(turn.seconds()).encode());
        let token = joining.token_for(joining.next);
        let keys = DoorKeys::of(&joining.link.seed);
        let knock = keys.knock(&me.identity, log, bundle, turn.seconds(), token, to).encode();
        for (hello_key, buckets) in devices {
            self.announce(turn, hello_key, buckets, Kind::Knock, &knock)?;
        }
        Ok(())
    }

    /// The directory answered who a doorkeeper is.
    pub(crate) fn doorkeeper_found(
        &mut self,
        turn: &mut Turn<'_>,
        door: [u8; 32],
        answer: Result<Found, CommandError>,
    ) -> Result<(), HandleError> {
        let Some(mut joining) = self.rooms.joinings.get(&door).filter(|j| j.is_busy()).cloned() else { return Ok(()) };
        let Some(keeper) = joining.link.doorkeepers.get(usize::from(joining.next)).cloned() else { return Ok(()) };
        match answer {
            Ok(found) if found.log.account() == keeper.account && !found.bundles.is_empty() => {
                let bits = self.me()?.bucket_bits;
                let device = |b: &livechat_wire::bundle::Bundle| (b.hello_key.clone(), vec![b.bucket(bits)]);
                let devices: Vec<_> = found.bundles.iter().map(device).collect();
                self.knock(turn, &joining, &keeper.account.0, &devices)?;
                joining.asked |= 1 << joining.next;
                joining.due = turn.clock + limits::KNOCK_PATIENCE;
                joining.failures = 0;
                joining.next += 1;
            }
            Err(CommandError::Lookup(
                LookupFailure::Unreachable | LookupFailure::TooMany { .. } | LookupFailure::Failed,
            )) => {
                joining.due = turn.clock + pause(joining.failures);
                joining.failures = (joining.failures + 1).min(16);
            }
            // One's own link: whoever made it is in there. Else the name is nobody's, or somebody else's now.
            _ => {
                joining.next += 1;
                joining.due = turn.clock;
                return self.none_opens(turn, door, joining, JoinRefusal::Untrusted);
            }
        }
        self.keep_joining(turn, door, joining)
    }

    /// A doorkeeper says why they don't open. `false`: nobody knocked there.
    pub(crate) fn take_answer(&mut self, turn: &mut Turn<'_>, bytes: &[u8]) -> Result<bool, HandleError> {
        let Ok(answer) = Answer::decode(bytes) else { return Ok(false) };
        let from = |j: &Joining| {
            let index = (0..wire::DOORKEEPERS as u8).find(|n| j.token_for(*n) == answer.token)?;
            (j.asked & (1 << index) != 0).then_some(index)
        };
        let found = self.rooms.joinings.iter().find_map(|(door, j)| Some((*door, from(j)?)));
        let Some((door, index)) = found else { return Ok(false) };
        let Some(mut joining) = self.rooms.joinings.get(&door).cloned() else { return Ok(false) };
        joining.asked &= !(1 << index);
        let why = JoinRefusal::from(answer.verdict);
        match answer.verdict {
            // Another may know the door already, or have the right.
            Verdict::Revoked | Verdict::NotAllowed => {
                joining.due = turn.clock;
                self.none_opens(turn, door, joining, why)?;
            }
            _ => self.is_refused(turn, door, joining, why)?,
        }
        Ok(true)
    }

    /// One doorkeeper less: it is over when none is left.
    fn none_opens(
        &mut self,
        turn: &mut Turn<'_>,
        door: [u8; 32],
        joining: Joining,
        why: JoinRefusal,
    ) -> Result<(), HandleError> {
        if joining.asked == 0 && !joining.is_busy() {
            return self.is_refused(turn, door, joining, why);
        }
        self.keep_joining(turn, door, joining)
    }

    fn is_refused(
        &mut self,
        turn: &mut Turn<'_>,
        door: [u8; 32],
        mut joining: Joining,
        why: JoinRefusal,
    ) -> Result<(), HandleError> {
        joining.refused = Some(why);
        turn.fx.events.push(Event::JoiningChanged { joining: joining.view(&door, None) });
        self.keep_joining(turn, door, joining)
    }

    /// The door by which an invitation by `account` was asked for: one that the group has, and whose link names them.
    pub(crate) fn awaited(&self, charter: &Charter, account: &AccountId) -> Option<[u8; 32]> {
        let opens = |door: &[u8; 32], j: &Joining| {
            let named = j.link.doorkeepers.iter().any(|d| d.account == *account);
            let by_name = named && charter.doors.iter().any(|d| d.key == *door);
            by_name || (j.link.doorkeepers.is_empty() && charter.open == Some(j.link.seed))
        };
        self.rooms.joinings.iter().find(|(door, j)| opens(door, j)).map(|(door, _)| *door)
    }

    /// Somebody opened.
    pub(crate) fn came_in(
        &mut self,
        turn: &mut Turn<'_>,
        door: [u8; 32],
        at: ConversationId,
    ) -> Result<(), HandleError> {
        Table::Joinings.delete(turn.kv, &door)?;
        if let Some(joining) = self.rooms.joinings.remove(&door) {
            turn.fx.events.push(Event::JoiningChanged { joining: joining.view(&door, Some(at)) });
        }
        Ok(())
    }
}

/// One in every part, for the snapshot of what is stored.
#[cfg(test)]
pub(super) fn sample() -> Joining {
    let keeper = livechat_wire::door::Doorkeeper { account: AccountId([3; 32]), username: "alice".into() };
    let (relay, seed) = (livechat_wire::RelayId([1; 32]), DoorSeed([2; 32]));
    let link = Link { relay, seed, doorkeepers: vec![keeper] };
    let refused = Some(JoinRefusal::UsedUp);
    Joining { link, since: 5, token: [6; 16], next: 1, asked: 1, refused, due: 0, failures: 0 }
}
