//! Coming into a group by a link (R-77, R-78).
//!
//! ```text
//! link     u8 version, [32] relay, [32] seed, list of ([32] account, u32 length, name), [4] checksum
//!          as text: "livechat:join:" and base32 without padding; any case
//! knock    u8 version, [32] door, log, bundle, u64 time, [16] token, [64] by the device, [64] by the door
//! answer   u8 version, [16] token, u8 verdict
//! ```
//! Who has a link has the seed of the door's key pair; the group's charter names the public half. So whoever knocks
//! proves to have the link, no member who only reads the charter can make one, and no door opens two groups.

use core::fmt;
use core::str::FromStr;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::bundle;
use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::verify;
use crate::ids::{AccountId, RelayId};
use crate::limits;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;
/// What the text form of a link begins with.
pub const SCHEME: &str = "livechat:join:";

const CHECKSUM: usize = 4;

/// The secret of a link: the seed of an Ed25519 key, and of all else that having the link proves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DoorSeed(pub [u8; 32]);

impl fmt::Debug for DoorSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DoorSeed(…)")
    }
}

/// A way into a group, as its charter knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// Ed25519; names the door, and checks knocks at it.
    pub key: [u8; 32],
    /// Who made it.
    pub made_by: AccountId,
    /// Unix seconds from which on it is shut; 0: never.
    pub expires: u64,
    /// How many may come in by it; 0: any number.
    pub uses: u32,
    /// How many came, while the number is bounded.
    pub used: u32,
}

impl Door {
    pub(crate) fn write(&self, w: &mut Writer) {
        w.raw(&self.key).raw(&self.made_by.0).u64(self.expires).u32(self.uses).u32(self.used);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let it =
            Self { key: r.array()?, made_by: AccountId(r.array()?), expires: r.u64()?, uses: r.u32()?, used: r.u32()? };
        if it.used > it.uses {
            return Err(DecodeError::Bounds("uses of a door"));
        }
        Ok(it)
    }
}

/// Somebody who opens: found by the name, known by the account, so that a directory that lies is noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doorkeeper {
    /// Who.
    pub account: AccountId,
    /// Their name at the relay, 1 ..= [`limits::USERNAME`] bytes.
    pub username: String,
}

/// An invitation that can be copied, printed and photographed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// At which relay.
    pub relay: RelayId,
    /// What proves that one has it.
    pub seed: DoorSeed,
    /// Where to knock, in this order; at most [`limits::DOORKEEPERS`]. None: at the door itself, which every member
    /// hears (a lobby's).
    pub doorkeepers: Vec<Doorkeeper>,
}

impl Link {
    /// The bytes behind the text.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION).raw(&self.relay.0).raw(&self.seed.0);
        w.list(&self.doorkeepers, |w, d| {
            w.raw(&d.account.0).bytes(d.username.as_bytes());
        });
        let mut bytes = w.finish();
        let checksum = checksum(&bytes);
        bytes.extend(checksum);
        bytes
    }

    /// Reads the bytes behind the text.
    ///
    /// # Errors
    /// Another version, anything out of bounds, or a checksum that isn't theirs: a letter was lost.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (body, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(DecodeError::Truncated)?;
        let mut r = Reader::new(body);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        if checksum(body) != *sum {
            return Err(DecodeError::NotCanonical("checksum"));
        }
        let (relay, seed) = (RelayId(r.array()?), DoorSeed(r.array()?));
        let doorkeepers = r.list(limits::DOORKEEPERS, "doorkeepers", |r| {
            let account = AccountId(r.array()?);
            let username = r.text(limits::USERNAME, "name")?.to_owned();
            if username.is_empty() {
                return Err(DecodeError::Bounds("name"));
            }
            Ok(Doorkeeper { account, username })
        })?;
        r.end()?;
        Ok(Self { relay, seed, doorkeepers })
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let hash: [u8; 32] = Sha256::new().chain_update(b"livechat link v1").chain_update(bytes).finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

impl fmt::Display for Link {
    /// The text form: lower case; upper case means the same and makes a smaller QR code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", BASE32_NOPAD.encode(&self.encode()).to_lowercase())
    }
}

impl FromStr for Link {
    type Err = DecodeError;

    fn from_str(text: &str) -> Result<Self, DecodeError> {
        // Mail programs break lines.
        let letters: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if letters.len() > limits::LINK_TEXT {
            return Err(DecodeError::Bounds("link"));
        }
        let upper = letters.to_ascii_uppercase();
        let code = upper.strip_prefix(&SCHEME.to_ascii_uppercase()).ok_or(DecodeError::Unknown("link"))?;
        Self::decode(&BASE32_NOPAD.decode(code.as_bytes()).map_err(|_| DecodeError::NotCanonical("link"))?)
    }
}

/// "I have the link to this door; let me in." Sealed to a doorkeeper's device, or to the door of a lobby.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knock {
    /// [`Door::key`].
    pub door: [u8; 32],
    /// The account log of whoever knocks ([`crate::account::AccountLog`]).
    pub log: Vec<u8>,
    /// The bundle of the device that knocks ([`crate::bundle::Bundle`]): where the answer goes.
    pub bundle: Vec<u8>,
    /// Unix seconds.
    pub time: u64,
    /// Comes back with the answer: only who could open the knock knows it.
    pub token: [u8; 16],
    /// Ed25519 by the device over [`Knock::signed_bytes`]: nobody knocks in another's name.
    pub by_device: [u8; 64],
    /// Ed25519 by the door's key over the same.
    pub by_door: [u8; 64],
}

impl Knock {
    /// What both signatures cover: where it goes (the doorkeeper's account, or the lobby's door), and all before them.
    #[must_use]
    pub fn signed_bytes(&self, to: &[u8; 32]) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(b"livechat knock v1").raw(to);
        self.write_unsigned(&mut w);
        w.finish()
    }

    /// Checks both signatures: the device is the one of the bundle. Whether it is the account's, the log tells.
    ///
    /// # Errors
    /// [`DecodeError::Signature`].
    pub fn verify(&self, to: &[u8; 32], device_key: &[u8; 32]) -> Result<(), DecodeError> {
        let bytes = self.signed_bytes(to);
        verify(device_key, &bytes, &self.by_device, "knock")?;
        verify(&self.door, &bytes, &self.by_door, "knock")
    }

    /// The bytes to cut into fragments.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write_unsigned(&mut w);
        w.raw(&self.by_device).raw(&self.by_door);
        w.finish()
    }

    /// Reads an assembled knock; no signature is checked.
    ///
    /// # Errors
    /// Another version, or a part outside its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let it = Self {
            door: r.array()?,
            log: r.bytes(limits::MEMBER_LOG, "account log")?.to_vec(),
            bundle: r.bytes(bundle::ENCODED, "bundle")?.to_vec(),
            time: r.u64()?,
            token: r.array()?,
            by_device: r.array()?,
            by_door: r.array()?,
        };
        r.end()?;
        Ok(it)
    }

    fn write_unsigned(&self, w: &mut Writer) {
        w.u8(VERSION).raw(&self.door).bytes(&self.log).bytes(&self.bundle).u64(self.time).raw(&self.token);
    }
}

/// Why nobody opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// The link was revoked, or never was one.
    Revoked = 1,
    /// Its time is over.
    Expired = 2,
    /// As many came as it was for.
    UsedUp = 3,
    /// The group takes nobody more.
    Full = 4,
    /// Whoever knocks was taken out before: somebody has to invite them.
    KeptOut = 5,
    /// The doorkeeper may not let anybody in, or can't.
    NotAllowed = 6,
}

/// What a doorkeeper says who doesn't open. Whoever is let in gets a Welcome instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The knock's.
    pub token: [u8; 16],
    /// Why not.
    pub verdict: Verdict,
}

impl Answer {
    /// The bytes to cut into fragments; they fit one.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::new().u8(VERSION).raw(&self.token).u8(self.verdict as u8).finish()
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Another version or verdict.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let token = r.array()?;
        let verdict = match r.u8()? {
            1 => Verdict::Revoked,
            2 => Verdict::Expired,
            3 => Verdict::UsedUp,
            4 => Verdict::Full,
            5 => Verdict::KeptOut,
            6 => Verdict::NotAllowed,
            _ => return Err(DecodeError::Unknown("verdict")),
        };
        r.end()?;
        Ok(Self { token, verdict })
    }
}
