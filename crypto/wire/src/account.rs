//! The account log: signed, hash-linked entries that say which devices speak for an account (DESIGN §3, R-40).
//!
//! Anybody can carry it and anybody can check it; [`AccountLog::decode`] accepts only logs that hold. Signing is the
//! caller's: entries take a `sign` function, keys stay elsewhere. Who may sign what: R-130.
//!
//! An entry on the wire: time (8), signer (1: 0 the identity key, 1 a device, whose id (32) follows), statement — kind
//! (1) and what it says —, signature (64).

use sha2::{Digest, Sha256};

use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::verify;
use crate::ids::{AccountId, DeviceId, RelayId};
use crate::limits;

/// The version this build writes and reads.
pub const VERSION: u8 = 1;

/// One statement about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statement {
    /// Kind 0, entry 0 only: this identity key (Ed25519) founds the account.
    Genesis {
        /// The key that signs the log.
        identity_key: [u8; 32],
    },
    /// Kind 1: this device speaks for the account.
    AddDevice {
        /// Its Ed25519 key.
        device_key: [u8; 32],
    },
    /// Kind 2: that device no longer does. Revocation beats addition, for ever.
    RevokeDevice {
        /// Which.
        device: DeviceId,
    },
    /// Kind 3: from here on another identity key signs.
    RotateIdentity {
        /// The next key.
        identity_key: [u8; 32],
    },
    /// Kind 4: the account is known by this name at this relay.
    BindName {
        /// Normalised, 1 ..= [`limits::USERNAME`] bytes.
        name: String,
        /// Where.
        relay: RelayId,
    },
}

/// Whose signature an entry carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// The identity key then in force.
    Identity,
    /// A device that spoke for the account then.
    Device(DeviceId),
}

/// A statement in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Unix seconds, as the signer says.
    pub time: u64,
    /// Who says it.
    pub signer: Signer,
    /// What is said.
    pub statement: Statement,
    /// Ed25519 by the signer.
    pub signature: [u8; 64],
}

/// A log that holds: genesis first, every link and signature right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLog {
    account: AccountId,
    entries: Vec<Entry>,
    head: [u8; 32],
    identity_key: [u8; 32],
    devices: Vec<[u8; 32]>,
    revoked: Vec<DeviceId>,
    name: Option<(String, RelayId)>,
}

impl AccountLog {
    /// Founds an account; `sign` signs with `identity_key`.
    ///
    /// # Errors
    /// [`DecodeError::Signature`] when `sign` doesn't.
    pub fn found(identity_key: [u8; 32], time: u64, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<Self, DecodeError> {
        let mut log = Self {
            account: AccountId::of(&identity_key),
            entries: Vec::new(),
            head: [0; 32],
            identity_key,
            devices: Vec::new(),
            revoked: Vec::new(),
            name: None,
        };
        log.append(time, Signer::Identity, Statement::Genesis { identity_key }, sign)?;
        Ok(log)
    }

    /// Appends a statement; `sign` signs with the signer's key.
    ///
    /// # Errors
    /// What [`AccountLog::decode`] would refuse is refused here.
    pub fn append(
        &mut self,
        time: u64,
        signer: Signer,
        statement: Statement,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<(), DecodeError> {
        let signature = sign(&self.signed_bytes(time, signer, &statement));
        self.push(Entry { time, signer, statement, signature })
    }

    /// The account it is about.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The identity key in force.
    #[must_use]
    pub fn identity_key(&self) -> &[u8; 32] {
        &self.identity_key
    }

    /// Keys of the devices that speak for the account now, oldest first.
    #[must_use]
    pub fn device_keys(&self) -> &[[u8; 32]] {
        &self.devices
    }

    /// Whether a device with this key speaks for the account now.
    #[must_use]
    pub fn has_device(&self, key: &[u8; 32]) -> bool {
        self.devices.contains(key)
    }

    /// Whether a device was revoked: it never speaks for the account again.
    #[must_use]
    pub fn is_revoked(&self, device: &DeviceId) -> bool {
        self.revoked.contains(device)
    }

    /// The name it is known by, and where.
    #[must_use]
    pub fn name(&self) -> Option<(&str, RelayId)> {
        self.name.as_ref().map(|(n, r)| (n.as_str(), *r))
    }

    /// All entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Hash of the last entry.
    #[must_use]
    pub fn head(&self) -> &[u8; 32] {
        &self.head
    }

    /// When a device was added, by the clock of whoever added it; Unix seconds.
    #[must_use]
    pub fn added_at(&self, key: &[u8; 32]) -> Option<u64> {
        let adds = |s: &Statement| matches!(s, Statement::AddDevice { device_key } if device_key == key);
        self.entries.iter().rev().find(|e| adds(&e.statement)).map(|e| e.time)
    }

    /// Whether `other` is this log or a continuation of it; anything else is a fork.
    #[must_use]
    pub fn is_prefix_of(&self, other: &Self) -> bool {
        other.entries.starts_with(&self.entries)
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION);
        w.list(&self.entries, |w, e| {
            w.u64(e.time);
            e.signer.write(w);
            e.statement.write(w);
            w.raw(&e.signature);
        });
        w.finish()
    }

    /// Reads a log and checks every link and signature.
    ///
    /// # Errors
    /// Anything that doesn't hold: no genesis, a second one, a device added twice or after its revocation, a signer who
    /// may not say that, a bad signature, a name outside its bounds, too many entries.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::LOG {
            return Err(DecodeError::Bounds("account log"));
        }
        let mut r = Reader::new(bytes);
        let version = r.u8()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let entries = r.list(limits::LOG_ENTRIES, "account log", |r| {
            let (time, signer) = (r.u64()?, Signer::read(r)?);
            Ok(Entry { time, signer, statement: Statement::read(r)?, signature: r.array()? })
        })?;
        r.end()?;
        let mut entries = entries.into_iter();
        let Some(first) = entries.next() else { return Err(DecodeError::Truncated) };
        let (Signer::Identity, Statement::Genesis { identity_key }) = (first.signer, first.statement) else {
            return Err(DecodeError::NotCanonical("genesis"));
        };
        let mut log = Self::found(identity_key, first.time, |_| first.signature)?;
        for e in entries {
            log.push(e)?;
        }
        Ok(log)
    }

    fn push(&mut self, entry: Entry) -> Result<(), DecodeError> {
        if self.entries.len() >= limits::LOG_ENTRIES {
            return Err(DecodeError::Bounds("account log"));
        }
        let signed = self.signed_bytes(entry.time, entry.signer, &entry.statement);
        verify(self.key_of(&entry)?, &signed, &entry.signature, "account log entry")?;
        match &entry.statement {
            Statement::Genesis { .. } if self.entries.is_empty() => {}
            Statement::Genesis { .. } => return Err(DecodeError::NotCanonical("genesis")),
            Statement::AddDevice { device_key } => {
                if self.devices.contains(device_key) || self.revoked.contains(&DeviceId::of(device_key)) {
                    return Err(DecodeError::NotCanonical("device"));
                }
                if self.devices.len() >= limits::DEVICES {
                    return Err(DecodeError::Bounds("devices"));
                }
                self.devices.push(*device_key);
            }
            Statement::RevokeDevice { device } => {
                self.devices.retain(|k| DeviceId::of(k) != *device);
                self.revoked.push(*device);
            }
            Statement::RotateIdentity { identity_key } => self.identity_key = *identity_key,
            Statement::BindName { name, relay } => {
                if name.is_empty() || name.len() > limits::USERNAME {
                    return Err(DecodeError::Bounds("name"));
                }
                self.name = Some((name.clone(), *relay));
            }
        }
        self.head = Sha256::new().chain_update(&signed).chain_update(entry.signature).finalize().into();
        self.entries.push(entry);
        Ok(())
    }

    /// The key that an entry must be signed with, if its signer may say that.
    fn key_of(&self, entry: &Entry) -> Result<&[u8; 32], DecodeError> {
        let device = match entry.signer {
            Signer::Identity => return Ok(&self.identity_key),
            Signer::Device(device) => device,
        };
        let for_devices = match entry.statement {
            Statement::AddDevice { .. } | Statement::RevokeDevice { .. } | Statement::BindName { .. } => true,
            Statement::Genesis { .. } | Statement::RotateIdentity { .. } => false,
        };
        let in_force = self.devices.iter().find(|key| DeviceId::of(key) == device);
        in_force.filter(|_| for_devices).ok_or(DecodeError::NotCanonical("signer"))
    }

    /// Domain, account, position, previous hash and signer bind an entry to its place.
    fn signed_bytes(&self, time: u64, signer: Signer, statement: &Statement) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(b"livechat account log v1").raw(&self.account.0);
        w.u16(u16::try_from(self.entries.len()).unwrap_or(u16::MAX)).raw(&self.head).u64(time);
        signer.write(&mut w);
        statement.write(&mut w);
        w.finish()
    }
}

impl Signer {
    fn write(self, w: &mut Writer) {
        match self {
            Self::Identity => w.u8(0),
            Self::Device(device) => w.u8(1).raw(&device.0),
        };
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match r.u8()? {
            0 => Self::Identity,
            1 => Self::Device(DeviceId(r.array()?)),
            _ => return Err(DecodeError::Unknown("signer")),
        })
    }
}

impl Statement {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::Genesis { identity_key } => w.u8(0).raw(identity_key),
            Self::AddDevice { device_key } => w.u8(1).raw(device_key),
            Self::RevokeDevice { device } => w.u8(2).raw(&device.0),
            Self::RotateIdentity { identity_key } => w.u8(3).raw(identity_key),
            Self::BindName { name, relay } => w.u8(4).bytes(name.as_bytes()).raw(&relay.0),
        };
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match r.u8()? {
            0 => Self::Genesis { identity_key: r.array()? },
            1 => Self::AddDevice { device_key: r.array()? },
            2 => Self::RevokeDevice { device: DeviceId(r.array()?) },
            3 => Self::RotateIdentity { identity_key: r.array()? },
            4 => Self::BindName { name: r.text(limits::USERNAME, "name")?.to_owned(), relay: RelayId(r.array()?) },
            _ => return Err(DecodeError::Unknown("account statement")),
        })
    }
}
