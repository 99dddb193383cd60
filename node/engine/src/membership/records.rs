//! What is kept about rooms, beside what every conversation has.

use livechat_crypto::mls::{self, GroupId, Member};
use livechat_wire::bundle::{self, Bundle};
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::door::{Door, DoorSeed};
use livechat_wire::group::{Charter, Role};
use livechat_wire::order::{Entry, Receipt, SealedCommit};
use livechat_wire::{AccountId, ConversationId, DecodeError, SlotId, limits as wire};

use crate::limits;
use crate::records::flag;
use crate::tables::Stored;
use crate::view::Membership;

/// A room, as of the last commit.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub group: GroupId,
    pub standing: Membership,
    pub epoch: u64,
    pub authenticator: Vec<u8>,
    pub charter: Charter,
    /// Everyone's devices, by leaf.
    pub seats: Vec<Seat>,
    /// The sequencer signed two orders.
    pub forked: bool,
}

/// A device in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat {
    pub member: Member,
    /// As the account log says that the leaf carries.
    pub name: String,
    /// Whether that is a name at our relay.
    pub here: bool,
    pub bucket_seed: [u8; 16],
}

/// A change of a room that somebody here wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub what: What,
    /// How often it was tried in vain.
    pub tries: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Add {
        username: String,
    },
    Remove {
        account: AccountId,
        /// They want to leave; else they are kept out from then on.
        asked: bool,
    },
    SetRole {
        account: AccountId,
        role: Role,
    },
    SetTitle {
        title: String,
    },
    SetTimer {
        seconds: u32,
    },
    Leave,
    /// A new key for our leaf.
    Renew,
    /// Our devices in it are to be those that our account's log names.
    Devices,
    /// A link into the group.
    OpenDoor {
        door: Door,
    },
    ShutDoor {
        key: [u8; 32],
    },
    /// Somebody knocked, and may come in.
    Admit(Box<Admit>),
}

impl What {
    /// Whether it needs nothing that only the relay has: the keys of newcomers.
    pub fn without_directory(&self) -> bool {
        !matches!(self, Self::Add { .. } | Self::Admit(_) | Self::Leave | Self::Devices)
    }

    /// Whether it can't wait long.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::Remove { .. })
    }
}

/// Who knocked, where, and where an answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admit {
    pub door: [u8; 32],
    pub account: AccountId,
    /// What the account is called, as its log says.
    pub username: String,
    pub bundle: Box<Bundle>,
    pub token: [u8; 16],
}

/// A link that was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnLink {
    pub conversation: ConversationId,
    pub seed: DoorSeed,
}

/// A commit of ours that waits for its place in the order.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub slot: SlotId,
    pub sealed: SealedCommit,
    /// The wishes that it fulfils.
    pub wishes: Vec<u64>,
    /// Who is told how to come in, once it has its place.
    pub invited: Vec<Invited>,
    /// What all of them are told alike, if that doesn't stand in each Welcome.
    pub shared: Vec<u8>,
}

/// A device that a pending commit adds.
#[derive(Debug, Clone)]
pub(crate) struct Invited {
    pub bundle: Bundle,
    pub welcome: Vec<u8>,
}

/// Something of ours said in an epoch, in case the others have left that epoch behind.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// When it was said, or, if that was much later, when it got out; Unix seconds.
    pub at: u64,
    /// Its place in the history, if it has one.
    pub position: Option<u64>,
    /// What went into MLS.
    pub content: Vec<u8>,
}

/// How a group was before a commit took effect that the relay had not put in order.
pub(crate) struct Snapshot {
    /// By our own clock, and by the shell's, which goes on while the machine is off.
    pub taken: (u64, u64),
    pub room: Room,
    /// What our commit was for, if it was ours.
    pub wishes: Vec<Wish>,
    /// The commit that took effect.
    pub entry: Entry,
    /// The one of ours that the relay may have got before. It is staged in what is kept of the group, and nothing else
    /// can make it take effect. The wishes it fulfils are told apart by what they want: their numbers are others' by now.
    pub pending: Option<Pending>,
    /// As long as one can go back.
    pub mls: Option<mls::Snapshot>,
}

/// Two receipts that contradict each other.
pub(crate) struct Evidence(pub Receipt, pub Receipt);

fn role(r: &mut Reader<'_>) -> Result<Role, DecodeError> {
    Ok(match r.u8()? {
        0 => Role::Member,
        1 => Role::Admin,
        2 => Role::Owner,
        _ => return Err(DecodeError::Unknown("role")),
    })
}

impl Stored for Room {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.group.0).u8(self.standing as u8).u8(u8::from(self.forked)).u64(self.epoch);
        w.bytes(&self.authenticator).bytes(&self.charter.encode());
        w.list(&self.seats, |w, s| {
            w.u32(s.member.leaf).raw(&s.member.account.0).raw(&s.member.device_key);
            w.bytes(s.name.as_bytes()).u8(u8::from(s.here)).raw(&s.bucket_seed);
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            group: GroupId(r.array()?),
            standing: match r.u8()? {
                0 => Membership::Joined,
                1 => Membership::Left,
                2 => Membership::Removed,
                _ => return Err(DecodeError::Unknown("standing")),
            },
            forked: flag(r)?,
            epoch: r.u64()?,
            authenticator: r.bytes(64, "authenticator")?.to_vec(),
            charter: Charter::decode(r.bytes(wire::PAYLOAD, "charter")?)?,
            seats: r.list(usize::from(u16::MAX), "seats", |r| {
                let member = Member { leaf: r.u32()?, account: AccountId(r.array()?), device_key: r.array()? };
                let name = r.text(wire::USERNAME, "name")?.to_owned();
                Ok(Seat { member, name, here: flag(r)?, bucket_seed: r.array()? })
            })?,
        })
    }
}

impl Stored for Wish {
    fn write(&self, w: &mut Writer) {
        w.u8(self.tries);
        match &self.what {
            What::Add { username } => w.u8(1).bytes(username.as_bytes()),
            What::Remove { account, asked } => w.u8(2).raw(&account.0).u8(u8::from(*asked)),
            What::SetRole { account, role } => w.u8(3).raw(&account.0).u8(*role as u8),
            What::SetTitle { title } => w.u8(4).bytes(title.as_bytes()),
            What::Leave => w.u8(5),
            What::SetTimer { seconds } => w.u8(6).u32(*seconds),
            What::Renew => w.u8(7),
            What::Devices => w.u8(11),
            What::OpenDoor { door } => {
                w.u8(8).raw(&door.key).raw(&door.made_by.0).u64(door.expires).u32(door.uses).u32(door.used)
            }
            What::ShutDoor { key } => w.u8(9).raw(key),
            What::Admit(a) => {
                w.u8(10).raw(&a.door).raw(&a.account.0).bytes(a.username.as_bytes());
                w.raw(&a.bundle.encode()).raw(&a.token)
            }
        };
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tries = r.u8()?;
        let what = match r.u8()? {
            1 => What::Add { username: r.text(wire::USERNAME, "name")?.to_owned() },
            2 => What::Remove { account: AccountId(r.array()?), asked: flag(r)? },
            3 => What::SetRole { account: AccountId(r.array()?), role: role(r)? },
            4 => What::SetTitle { title: r.text(wire::TITLE, "title")?.to_owned() },
            5 => What::Leave,
            6 => What::SetTimer { seconds: r.u32()? },
            7 => What::Renew,
            8 => {
                let (key, made_by) = (r.array()?, AccountId(r.array()?));
                let door = Door { key, made_by, expires: r.u64()?, uses: r.u32()?, used: r.u32()? };
                What::OpenDoor { door }
            }
            9 => What::ShutDoor { key: r.array()? },
            10 => What::Admit(Box::new(Admit {
                door: r.array()?,
                account: AccountId(r.array()?),
                username: r.text(wire::USERNAME, "name")?.to_owned(),
                bundle: Box::new(Bundle::decode(r.take(bundle::ENCODED)?)?),
                token: r.array()?,
            })),
            11 => What::Devices,
            _ => return Err(DecodeError::Unknown("wish")),
        };
        Ok(Self { what, tries })
    }
}

impl Invited {
    pub fn write_to(w: &mut Writer, it: &Self) {
        w.raw(&it.bundle.encode()).bytes(&it.welcome);
    }

    pub fn read_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bundle = Bundle::decode(r.take(bundle::ENCODED)?)?;
        Ok(Self { bundle, welcome: r.bytes(wire::PAYLOAD, "welcome")?.to_vec() })
    }
}

impl Stored for Pending {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.slot.0).bytes(self.sealed.as_bytes());
        w.list(&self.wishes, |w, n| {
            w.u64(*n);
        });
        w.list(&self.invited, Invited::write_to);
        w.bytes(&self.shared);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            slot: SlotId(r.array()?),
            sealed: SealedCommit::new(r.bytes(wire::COMMIT, "commit")?.to_vec())?,
            wishes: r.list(usize::from(u16::MAX), "wishes", Reader::u64)?,
            invited: r.list(usize::from(u16::MAX), "invited", Invited::read_from)?,
            shared: r.bytes(wire::SHARED_WELCOME, "shared part of a welcome")?.to_vec(),
        })
    }
}

impl Stored for OwnLink {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.conversation.0).raw(&self.seed.0);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { conversation: ConversationId(r.array()?), seed: DoorSeed(r.array()?) })
    }
}

impl Stored for Said {
    fn write(&self, w: &mut Writer) {
        w.u64(self.at).u64(self.position.unwrap_or(0)).bytes(&self.content);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        // Places begin at 1.
        let (at, position) = (r.u64()?, r.u64()?);
        let content = r.bytes(wire::PAYLOAD, "content")?.to_vec();
        Ok(Self { at, position: Some(position).filter(|p| *p > 0), content })
    }
}

impl Stored for Receipt {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.encode());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode(r.take(Self::ENCODED)?)
    }
}

impl Stored for Snapshot {
    fn write(&self, w: &mut Writer) {
        w.u64(self.taken.0).u64(self.taken.1);
        self.room.write(w);
        w.list(&self.wishes, |w, wish| wish.write(w));
        w.bytes(&self.entry.encode());
        w.list(self.pending.as_slice(), |w, pending| pending.write(w));
        w.bytes(&self.mls.as_ref().map(mls::Snapshot::encode).unwrap_or_default());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            taken: (r.u64()?, r.u64()?),
            room: Room::read(r)?,
            wishes: r.list(usize::from(u16::MAX), "wishes", Wish::read)?,
            entry: Entry::decode(r.bytes(wire::SYNC_FRAME, "entry")?)?,
            pending: r.list(1, "pending commit", Pending::read)?.pop(),
            mls: match r.bytes(limits::SNAPSHOT, "snapshot")? {
                [] => None,
                bytes => Some(mls::Snapshot::decode(bytes)?),
            },
        })
    }
}

impl Stored for Evidence {
    fn write(&self, w: &mut Writer) {
        self.0.write(w);
        self.1.write(w);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(Stored::read(r)?, Stored::read(r)?))
    }
}

/// A name that is shown for an account.
pub(crate) struct Name(pub String);

impl Stored for Name {
    fn write(&self, w: &mut Writer) {
        w.bytes(self.0.as_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(r.text(wire::USERNAME, "name")?.to_owned()))
    }
}
