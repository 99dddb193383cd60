//! What the members of a room agree on beside who they are (R-70 …): two extensions of ours inside MLS.
//!
//! - [`Charter`], in the group context: what kind of room it is, title, roles, timer, sequencers. Every commit that
//!   changes it is checked by every member.
//! - [`MemberRecord`], in each leaf: the account's log, so that members who don't know each other can check whose
//!   device a leaf is and what its account is called; and where the device reads.

use std::collections::BTreeMap;

use crate::codec::{DecodeError, Reader, Writer};
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
}

impl Charter {
    /// The group-context extension's type, from the range for private use (RFC 9420 §17.3).
    pub const EXTENSION: u16 = 0xf4c3;

    /// That of a direct chat.
    #[must_use]
    pub fn direct(created_by: AccountId, sequencers: Vec<[u8; 32]>) -> Self {
        let (title, picture, timer, roles) = (String::new(), None, 0, BTreeMap::new());
        Self { kind: RoomKind::Direct, title, picture, timer, created_by, roles, sequencers }
    }

    /// What an account may do.
    #[must_use]
    pub fn role(&self, account: &AccountId) -> Role {
        self.roles.get(account).copied().unwrap_or(Role::Member)
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
        w.finish()
    }

    /// Reads the extension's content.
    ///
    /// # Errors
    /// Another version, anything outside its bounds, what its kind of room doesn't have, roles unsorted, doubled or
    /// those of plain members.
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
        r.end()?;
        match kind {
            RoomKind::Group if title.is_empty() => return Err(DecodeError::Bounds("title")),
            RoomKind::Direct if !title.is_empty() || picture.is_some() || timer > 0 || !roles.is_empty() => {
                return Err(DecodeError::NotCanonical("direct chat"));
            }
            RoomKind::Group | RoomKind::Direct => {}
        }
        if sequencers.is_empty() {
            return Err(DecodeError::Bounds("sequencers"));
        }
        if !roles.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(DecodeError::NotCanonical("roles"));
        }
        Ok(Self { kind, title, picture, timer, created_by, roles: roles.into_iter().collect(), sequencers })
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
