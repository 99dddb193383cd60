//! Contacts and history to a new device of ours: the shell makes a backup of them and leaves it at the relay;
//! here the two devices tell each other where.

use livechat_crypto::kv::Kv;
use livechat_wire::bundle::{self, Bundle};
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::content::FileKey;
use livechat_wire::handover::Handover;
use livechat_wire::payload::Kind;
use livechat_wire::{BlobId, DecodeError, DeviceId, limits as wire};

use super::Answer;
use crate::Engine;
use crate::effects::{Event, Reply};
use crate::errors::{CommandError, HandleError, StoreError, ViewError};
use crate::tables::{Stored, Table};
use crate::turn::Turn;
use crate::view::Membership;

/// A backup that lies at the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Under which id.
    pub blob: BlobId,
    /// Opens the blob, and in hexadecimal the backup in it.
    pub key: FileKey,
    /// Bytes of the backup.
    pub size: u64,
    /// SHA-256 of the backup.
    pub hash: [u8; 32],
}

/// How a device that we added is reached.
pub(super) struct Reached(pub Bundle);

impl Stored for Reached {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.0.encode());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Bundle::decode(r.take(bundle::ENCODED)?).map(Self)
    }
}

impl Stored for Handover {
    fn write(&self, w: &mut Writer) {
        w.bytes(&self.encode());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode(r.bytes(wire::PAYLOAD, "handover")?)
    }
}

impl Engine {
    /// Tells a device that was added here where its contacts and history lie.
    pub(crate) fn hand_over(&mut self, turn: &mut Turn<'_>, device: DeviceId, left: Left) -> Answer {
        let me = self.me()?;
        let bundle = Table::OwnBundles.get::<Reached>(turn.kv, &device.0)?.map(|r| r.0);
        let Some(bundle) = bundle.filter(|b| me.log.has_device(&b.device_key)) else {
            return Ok(Err(CommandError::UnknownDevice));
        };
        let Left { blob, key, size, hash } = left;
        let handover = me.identity.hand_over(&device, turn.seconds(), blob, key, size, hash);
        let bucket = bundle.bucket(me.bucket_bits);
        self.announce(turn, &bundle.hello_key, &[bucket], Kind::Handover, &handover.encode())?;
        Ok(Ok(Reply::Done))
    }

    /// Another device of ours says where contacts and history lie. `false`: it isn't one, or doesn't mean us.
    pub(crate) fn take_handover(&mut self, turn: &mut Turn<'_>, bytes: &[u8]) -> Result<bool, HandleError> {
        let me = self.me()?;
        let Ok(handover) = Handover::decode(bytes) else { return Ok(false) };
        let ours = me.log.has_device(&handover.from) && handover.from != me.identity.device_key();
        let stale = handover.time.abs_diff(turn.seconds()) > wire::RETENTION.as_secs();
        if !ours || stale || handover.verify(&me.identity.device()).is_err() {
            return Ok(false);
        }
        Table::Handover.put(turn.kv, &[], &handover)?;
        turn.fx.events.push(Event::HandedOver);
        Ok(true)
    }

    /// Whether a device of ours was added here, so that it can be told where to look.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn was_added_here(&self, kv: &dyn Kv, device: &DeviceId) -> Result<bool, ViewError> {
        Ok(Table::OwnBundles.any(kv, &device.0)?)
    }

    /// Whether a device of ours is in every room in which it should be. Until then what is said there passes it by.
    #[must_use]
    pub fn is_everywhere(&self, device: &DeviceId) -> bool {
        let misses =
            |(at, room): (&_, &_)| self.amiss(*at, room).missing.iter().any(|key| DeviceId::of(key) == *device);
        !self.rooms.rooms.iter().filter(|(_, room)| room.standing == Membership::Joined).any(misses)
    }

    /// What another device of ours left for this one, until it is taken.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn handed_over(&self, kv: &dyn Kv) -> Result<Option<Left>, ViewError> {
        let handover: Option<Handover> = Table::Handover.get(kv, &[])?;
        Ok(handover.map(|h| Left { blob: h.blob, key: h.key, size: h.size, hash: h.hash }))
    }

    /// It was taken, or isn't wanted.
    pub(crate) fn taken_over(&self, turn: &mut Turn<'_>) -> Result<Reply, StoreError> {
        Table::Handover.delete(turn.kv, &[])?;
        Ok(Reply::Done)
    }
}
