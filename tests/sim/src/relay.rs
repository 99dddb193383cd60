//! A relay without a network: directory, durable envelopes, signed receipts, pages.

use std::collections::{BTreeMap, VecDeque};

use ed25519_dalek::{Signer, SigningKey};
use livechat_engine::{FileFailure, LookupFailure};
use livechat_wire::account::AccountLog;
use livechat_wire::envelope::epoch_at;
use livechat_wire::http::{Bytes, DirectoryDevice, DirectoryEntry, KeyPackageStock, PublishKeyPackages};
use livechat_wire::order::{self, SealedCommit};
use livechat_wire::receipt::Receipt;
use livechat_wire::sync::{Cursor, Refusal, Verdict};
use livechat_wire::{BlobId, DeviceId, Envelope, EnvelopeId, RelayId, SlotId, limits};

/// Two processes number what they accept; a page reads one after the other, so pages reorder.
const ORIGINS: u64 = 2;

/// What a relay keeps.
#[derive(Clone)]
pub struct Relay {
    key: SigningKey,
    origins: BTreeMap<u64, Vec<Envelope>>,
    kept: BTreeMap<EnvelopeId, (u64, u64)>,
    directory: BTreeMap<String, Listing>,
    slots: BTreeMap<SlotId, Vec<order::Entry>>,
    files: BTreeMap<BlobId, Vec<u8>>,
    /// Whether files are kept.
    pub keeps_files: bool,
    /// Whether the order service answers.
    pub orders: bool,
    /// Whether it says what it put in order. If not it puts things in order all the same.
    pub says_orders: bool,
    /// Whose entry is shown under a name instead of its own.
    pub lies: BTreeMap<String, String>,
    /// So many of the next envelopes it says it keeps, and loses.
    pub loses: u32,
    /// Envelopes in one page; small pages make more of them.
    pub page: usize,
}

#[derive(Clone)]
struct Listing {
    log: AccountLog,
    devices: BTreeMap<DeviceId, Device>,
}

#[derive(Clone)]
struct Device {
    bundle: Bytes,
    one_time: VecDeque<Bytes>,
    last_resort: Option<Bytes>,
}

impl Relay {
    /// An empty relay with this key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key: SigningKey::from_bytes(&key),
            origins: (1..=ORIGINS).map(|o| (o, Vec::new())).collect(),
            kept: BTreeMap::new(),
            directory: BTreeMap::new(),
            slots: BTreeMap::new(),
            files: BTreeMap::new(),
            keeps_files: true,
            orders: true,
            says_orders: true,
            lies: BTreeMap::new(),
            loses: 0,
            page: limits::PAGE_ENVELOPES,
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> RelayId {
        RelayId(self.key.verifying_key().to_bytes())
    }

    /// How many envelopes it keeps.
    #[must_use]
    pub fn envelopes(&self) -> usize {
        self.kept.len()
    }

    /// Keeps an envelope, or says why not.
    pub fn deposit(&mut self, envelope: &Envelope, unix_seconds: u64) -> Verdict {
        let id = envelope.id();
        if envelope.verify().is_err() {
            return Verdict::Refused(Refusal::Malformed);
        }
        if !envelope.is_fresh(epoch_at(unix_seconds)) {
            return Verdict::Refused(Refusal::Stale);
        }
        if !self.kept.contains_key(&id) {
            let origin = 1 + self.kept.len() as u64 % ORIGINS;
            let numbered = self.origins.entry(origin).or_default();
            if self.loses > 0 {
                self.loses -= 1;
            } else {
                numbered.push(envelope.clone());
            }
            self.kept.insert(id, (origin, numbered.len() as u64));
        }
        self.present(id, unix_seconds)
    }

    /// Its signed word about an envelope.
    #[must_use]
    pub fn present(&self, id: EnvelopeId, unix_seconds: u64) -> Verdict {
        match self.kept.get(&id) {
            Some((origin, sequence)) => {
                let sign = |bytes: &[u8]| self.key.sign(bytes).to_bytes();
                Verdict::Kept(Box::new(Receipt::sign(id, self.id(), *origin, *sequence, unix_seconds, sign)))
            }
            None => Verdict::Absent,
        }
    }

    /// Puts a commit at the end of a slot, or says where it stands.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`] and [`Refusal::Full`].
    pub fn append(&mut self, slot: SlotId, commit: SealedCommit, unix_seconds: u64) -> Result<order::Receipt, Refusal> {
        if !self.orders {
            return Err(Refusal::Unavailable);
        }
        let entries = self.slots.entry(slot).or_default();
        if let Some(same) = entries.iter().find(|e| e.commit == commit) {
            return Ok(same.receipt.clone());
        }
        let index = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        if index >= limits::SLOT_ENTRIES {
            return Err(Refusal::Full);
        }
        let sign = |bytes: &[u8]| self.key.sign(bytes).to_bytes();
        let by = self.key.verifying_key().to_bytes();
        let receipt = order::Receipt::sign(slot, index, commit.hash(), unix_seconds, by, sign);
        entries.push(order::Entry { receipt: receipt.clone(), commit });
        Ok(receipt)
    }

    /// What stands in a slot from an index on, and whether there is more.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub fn slot(&self, slot: SlotId, from: u32) -> Result<(Vec<order::Entry>, bool), Refusal> {
        if !self.orders {
            return Err(Refusal::Unavailable);
        }
        let rest = self.slots.get(&slot).map(|e| e.get(from as usize..).unwrap_or_default()).unwrap_or_default();
        // One at a time, so that reading on is exercised.
        Ok((rest.iter().take(1).cloned().collect(), rest.len() > 1))
    }

    /// Keeps a file.
    ///
    /// # Errors
    /// [`FileFailure::Refused`] when it doesn't.
    pub fn keep_file(&mut self, blob: BlobId, bytes: Vec<u8>) -> Result<(), FileFailure> {
        if !self.keeps_files || !livechat_wire::blob::is_size(bytes.len() as u64) {
            return Err(FileFailure::Refused);
        }
        self.files.insert(blob, bytes);
        Ok(())
    }

    /// A file that it keeps.
    ///
    /// # Errors
    /// [`FileFailure::Refused`] when it has no such file.
    pub fn file(&self, blob: BlobId, size: u64) -> Result<Vec<u8>, FileFailure> {
        let file = self.files.get(&blob).filter(|bytes| bytes.len() as u64 == size);
        file.cloned().ok_or(FileFailure::Refused)
    }

    /// How many files it keeps.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Changes a bit in every file.
    pub fn damages_files(&mut self) {
        for bytes in self.files.values_mut() {
            if let Some(byte) = bytes.first_mut() {
                *byte ^= 1;
            }
        }
    }

    /// In how many slots a commit stands.
    #[must_use]
    pub fn ordered(&self) -> usize {
        self.slots.len()
    }

    /// In how many slots more than one commit stands: collisions.
    #[must_use]
    pub fn collisions(&self) -> usize {
        self.slots.values().filter(|e| e.len() > 1).count()
    }

    /// A page of a bucket after a cursor, and whether there is more.
    #[must_use]
    pub fn fetch(&self, bucket: u16, cursor: &Cursor) -> (Vec<Envelope>, Cursor, bool) {
        let (mut page, mut cursor) = (Vec::new(), cursor.clone());
        for (origin, numbered) in &self.origins {
            for (sequence, envelope) in (1..).zip(numbered).skip(usize::try_from(cursor.after(*origin)).unwrap_or(0)) {
                if page.len() >= self.page {
                    return (page, cursor, true);
                }
                cursor.advance(*origin, sequence);
                if envelope.bucket() == bucket {
                    page.push(envelope.clone());
                }
            }
        }
        (page, cursor, false)
    }

    /// Lists an account, as a confirmed sign-up does.
    pub fn list(&mut self, username: &str, log: AccountLog) {
        self.directory.insert(username.to_owned(), Listing { log, devices: BTreeMap::new() });
    }

    /// An account's log.
    #[must_use]
    pub fn log(&self, username: &str) -> Option<&AccountLog> {
        self.directory.get(username).map(|l| &l.log)
    }

    /// Takes a log that goes on where the kept one ends; the log that is kept then.
    pub fn put_log(&mut self, username: &str, log: AccountLog) -> Option<AccountLog> {
        let listing = self.directory.get_mut(username)?;
        if listing.log.is_prefix_of(&log) {
            listing.devices.retain(|device, _| !log.is_revoked(device));
            listing.log = log;
        }
        Some(listing.log.clone())
    }

    /// Lists an account under another name, as its log says; the name before leads nowhere.
    pub fn rename(&mut self, username: &str, to: &str, log: AccountLog) {
        if let Some(listing) = self.directory.remove(username) {
            self.directory.insert(to.to_owned(), Listing { log, ..listing });
        }
    }

    /// Takes KeyPackages of a device; whether it belongs to the account, an honest relay asks before.
    pub fn publish(&mut self, username: &str, device: DeviceId, keys: PublishKeyPackages) -> KeyPackageStock {
        if let Some(listing) = self.directory.get_mut(username) {
            let it = listing.devices.entry(device).or_insert_with(|| Device {
                bundle: keys.bundle.clone(),
                one_time: VecDeque::new(),
                last_resort: None,
            });
            it.bundle = keys.bundle;
            it.one_time.extend(keys.one_time);
            it.one_time.truncate(limits::KEY_PACKAGES);
            it.last_resort = keys.last_resort.or(it.last_resort.take());
        }
        self.stock(username, device)
    }

    /// Takes an account's devices for another's, as a relay does that wants to have a device of its own in there.
    pub fn slip_in(&mut self, from: &str, into: &str) {
        let strangers = self.directory.get(from).map(|l| l.devices.clone()).unwrap_or_default();
        if let Some(listing) = self.directory.get_mut(into) {
            listing.devices.extend(strangers);
        }
    }

    /// What is left of a device's KeyPackages.
    #[must_use]
    pub fn stock(&self, username: &str, device: DeviceId) -> KeyPackageStock {
        let it = self.directory.get(username).and_then(|l| l.devices.get(&device));
        KeyPackageStock {
            one_time: it.map_or(0, |d| u32::try_from(d.one_time.len()).unwrap_or(u32::MAX)),
            last_resort: it.is_some_and(|d| d.last_resort.is_some()),
        }
    }

    /// Who has a name; with a KeyPackage of each of their devices, if they are claimed.
    ///
    /// # Errors
    /// [`LookupFailure::NotFound`].
    pub fn directory(&mut self, username: &str, claim: bool) -> Result<DirectoryEntry, LookupFailure> {
        let name = username.to_lowercase();
        let name = self.lies.get(&name).cloned().unwrap_or(name);
        let listing = self.directory.get_mut(&name).ok_or(LookupFailure::NotFound)?;
        let device = |it: &mut Device| {
            let one_time = if claim { it.one_time.pop_front() } else { None };
            DirectoryDevice {
                bundle: it.bundle.clone(),
                last_resort: claim && one_time.is_none(),
                key_package: if claim { one_time.or_else(|| it.last_resort.clone()) } else { None },
            }
        };
        let devices = listing.devices.values_mut().map(device).collect();
        Ok(DirectoryEntry { username: name, log: Bytes(listing.log.encode()), devices })
    }
}
