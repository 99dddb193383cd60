//! What the members of a room agree on beside who they are (R-70 …): two extensions of ours inside MLS, and what a
//! commit may have to show.
//!
//! - [`Charter`], in the group context: what kind of room it is, title, roles, timer, sequencers. Every commit that
//!   changes it is checked by every member.
//! - [`MemberRecord`], in each leaf: the account's log, so that members who don't know each other can check whose
//!   device a leaf is and what its account is called; and where the device reads.
//! - [`Evidence`], in a commit's authenticated data: `version (1) | n × (length (4) | account log)`.

use std::collections::BTreeMap;

use crate::account::AccountLog;
use crate::codec::{DecodeError, Reader, Writer};
use crate::door::{Door, DoorSeed};
use crate::ids::AccountId;
use crate::limits;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;

/// What a room is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RoomKind {
    /// As many accounts as want to; they come, go and have roles.
    Group = 1,
    /// Two accounts, the same ones for ever. It has no title, picture, timer or roles.
    Direct = 2,
}

/// What somebody may do in a group. Later ones may do all that earlier ones may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// Talk and leave.
    Member = 0,
    /// Also add, remove members, and set title, picture and timer.
    Admin = 1,
    /// Everything.
    Owner = 2,
}

/// What a room is, what it is called and who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charter {
    /// What it is for.
    pub kind: RoomKind,
    /// 1 ..= [`limits::TITLE`] bytes in a group; else empty.
    pub title: String,
    /// SHA-256 of the picture's file, if there is one.
    pub picture: Option<[u8; 32]>,
    /// Seconds after which messages disappear; 0: they stay.
    pub timer: u32,
    /// Who made the group.
    pub created_by: AccountId,
    /// Owners and admins; whoever isn't named is a member. Names nobody who isn't in the group.
    pub roles: BTreeMap<AccountId, Role>,
    /// Ed25519 keys whose receipts count, best first: 1 ..= [`limits::SEQUENCERS`].
    pub sequencers: Vec<[u8; 32]>,
    /// Links by which people come in, sorted by key: at most [`limits::DOORS`].
    pub doors: Vec<Door>,
    /// Accounts that were removed and may come back by invitation only, the latest last: at most
    /// [`limits::KEPT_OUT`].
    pub kept_out: Vec<AccountId>,
    /// The seed of an open group's door, which all members hear: any of them may take anybody in (a lobby).
    pub open: Option<DoorSeed>,
}

impl Charter {
    /// The group-context extension's type, from the range for private use (RFC 9420 §17.3).
    pub const EXTENSION: u16 = 0xf4c3;

    /// That of a direct chat.
    #[must_use]
    pub fn direct(created_by: AccountId, sequencer: [u8; 32]) -> Self {
        let group = Self::new(String::new(), created_by, sequencer);
        Self { kind: RoomKind::Direct, roles: BTreeMap::new(), ..group }
    }

    /// What an account may do.
    #[must_use]
    pub fn role(&self, account: &AccountId) -> Role {
        self.roles.get(account).copied().unwrap_or(Role::Member)
    }

    /// A group's charter with nothing in it but who made the group and what is needed.
    #[must_use]
    pub fn new(title: String, created_by: AccountId, sequencer: [u8; 32]) -> Self {
        Self {
            kind: RoomKind::Group,
            title,
            picture: None,
            timer: 0,
            created_by,
            roles: BTreeMap::from([(created_by, Role::Owner)]),
            sequencers: vec![sequencer],
            doors: Vec::new(),
            kept_out: Vec::new(),
            open: None,
        }
    }

    /// Notes that an account is kept out; of too many the oldest is forgotten.
    pub fn keep_out(&mut self, account: AccountId) {
        self.let_in(&account);
        self.kept_out.push(account);
        let surplus = self.kept_out.len().saturating_sub(limits::KEPT_OUT);
        self.kept_out.drain(..surplus);
    }

    /// Notes that an account is no longer kept out.
    pub fn let_in(&mut self, account: &AccountId) {
        self.kept_out.retain(|a| a != account);
    }

    /// Adds a door. Of those that are shut by then or used up, some make room; `false`: there is none.
    #[must_use]
    pub fn open_door(&mut self, door: Door, now: u64) -> bool {
        if self.doors.len() >= limits::DOORS {
            self.doors.retain(|d| (d.expires == 0 || d.expires > now) && (d.uses == 0 || d.used < d.uses));
        }
        let place = self.doors.partition_point(|d| d.key < door.key);
        let fits = self.doors.len() < limits::DOORS && self.doors.get(place).is_none_or(|d| d.key != door.key);
        if fits {
            self.doors.insert(place, door);
        }
        fits
    }

    /// Counts somebody who comes in by a door, if that is counted.
    pub fn count_use(&mut self, door: &[u8; 32]) {
        if let Some(door) = self.doors.iter_mut().find(|d| d.key == *door && d.used < d.uses) {
            door.used += 1;
        }
    }

    /// Notes what an account may do.
    pub fn set_role(&mut self, account: AccountId, role: Role) {
        if role == Role::Member {
            self.roles.remove(&account);
        } else {
            self.roles.insert(account, role);
        }
    }

    /// The extension's content.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION).u8(self.kind as u8).bytes(self.title.as_bytes());
        match &self.picture {
            Some(hash) => w.u8(1).raw(hash),
            None => w.u8(0),
        };
        w.u32(self.timer).raw(&self.created_by.0);
        let roles: Vec<_> = self.roles.iter().collect();
        w.list(&roles, |w, (account, role)| {
            w.raw(&account.0).u8(**role as u8);
        });
        w.list(&self.sequencers, |w, key| {
            w.raw(key);
        });
        w.list(&self.doors, |w, door| door.write(w));
        w.list(&self.kept_out, |w, account| {
            w.raw(&account.0);
        });
        match &self.open {
            Some(seed) => w.u8(1).raw(&seed.0),
            None => w.u8(0),
        };
        w.finish()
    }

    /// Reads the extension's content.
    ///
    /// # Errors
    /// Another version, anything outside its bounds, what its kind of room doesn't have, roles or doors unsorted, anything
    /// doubled, roles of plain members.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let kind = match r.u8()? {
            1 => RoomKind::Group,
            2 => RoomKind::Direct,
            _ => return Err(DecodeError::Unknown("kind of room")),
        };
        let title = r.text(limits::TITLE, "title")?.to_owned();
        let picture = match r.u8()? {
            0 => None,
            1 => Some(r.array()?),
            _ => return Err(DecodeError::NotCanonical("picture")),
        };
        let (timer, created_by) = (r.u32()?, AccountId(r.array()?));
        if timer > limits::TIMER {
            return Err(DecodeError::Bounds("timer"));
        }
        let roles = r.list(limits::MEMBERS, "roles", |r| {
            let account = AccountId(r.array()?);
            let role = match r.u8()? {
                1 => Role::Admin,
                2 => Role::Owner,
                _ => return Err(DecodeError::Unknown("role")),
            };
            Ok((account, role))
        })?;
        let sequencers = r.list(limits::SEQUENCERS, "sequencers", Reader::array)?;
        let doors = r.list(limits::DOORS, "doors", Door::read)?;
        let kept_out = r.list(limits::KEPT_OUT, "accounts kept out", |r| r.array().map(AccountId))?;
        let open = match r.u8()? {
            0 => None,
            1 => Some(DoorSeed(r.array()?)),
            _ => return Err(DecodeError::NotCanonical("open")),
        };
        r.end()?;
        match kind {
            RoomKind::Group if title.is_empty() => return Err(DecodeError::Bounds("title")),
            RoomKind::Group => {}
            RoomKind::Direct => {
                let bare = title.is_empty() && picture.is_none() && timer == 0 && roles.is_empty();
                if !bare || !doors.is_empty() || !kept_out.is_empty() || open.is_some() {
                    return Err(DecodeError::NotCanonical("direct chat"));
                }
            }
        }
        if sequencers.is_empty() {
            return Err(DecodeError::Bounds("sequencers"));
        }
        if !roles.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(DecodeError::NotCanonical("roles"));
        }
        if !doors.is_sorted_by(|a, b| a.key < b.key) {
            return Err(DecodeError::NotCanonical("doors"));
        }
        if (1..kept_out.len()).any(|n| kept_out[..n].contains(&kept_out[n])) {
            return Err(DecodeError::NotCanonical("accounts kept out"));
        }
        let roles = roles.into_iter().collect();
        Ok(Self { kind, title, picture, timer, created_by, roles, sequencers, doors, kept_out, open })
    }
}

/// Whose device a leaf is, and where it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    /// The account's log ([`crate::account::AccountLog`]), at most [`limits::MEMBER_LOG`] bytes.
    pub log: Vec<u8>,
    /// As [`crate::bundle::Bundle::bucket_seed`].
    pub bucket_seed: [u8; 16],
}

impl MemberRecord {
    /// The leaf extension's type, from the range for private use (RFC 9420 §17.3).
    pub const EXTENSION: u16 = 0xf4c4;

    /// The bucket of this device while there are `2^bits` buckets.
    #[must_use]
    pub fn bucket(&self, bits: u8) -> u16 {
        let head = u16::from_be_bytes([self.bucket_seed[0], self.bucket_seed[1]]);
        head.checked_shr(u32::from(16u8.saturating_sub(bits))).unwrap_or(0)
    }

    /// The extension's content.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::new().u8(VERSION).bytes(&self.log).raw(&self.bucket_seed).finish()
    }

    /// Reads the extension's content; the log is not checked.
    ///
    /// # Errors
    /// Another version, or a log that is too long.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let it = Self { log: r.bytes(limits::MEMBER_LOG, "account log")?.to_vec(), bucket_seed: r.array()? };
        r.end()?;
        Ok(it)
    }
}

/// What a commit goes by that takes out devices of others: logs of their accounts that revoke them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// One for each account at most; at most [`limits::EVIDENCE`], of at most [`limits::MEMBER_LOG`] bytes.
    pub logs: Vec<AccountLog>,
}

impl Evidence {
    /// The authenticated data of a commit; empty when there is nothing to show.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        if self.logs.is_empty() {
            return Vec::new();
        }
        let mut w = Writer::new();
        w.u8(VERSION).list(&self.logs, |w, log| {
            w.bytes(&log.encode());
        });
        w.finish()
    }

    /// Reads the authenticated data of a commit; the logs verify.
    ///
    /// # Errors
    /// Another version, a log that doesn't verify, too many, two of one account.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let log = |r: &mut Reader<'_>| AccountLog::decode(r.bytes(limits::MEMBER_LOG, "account log")?);
        let logs = r.list(limits::EVIDENCE, "evidence", log)?;
        r.end()?;
        if logs.is_empty() || !logs.is_sorted_by(|a, b| a.account() < b.account()) {
            return Err(DecodeError::NotCanonical("evidence"));
        }
        Ok(Self { logs })
    }
}
