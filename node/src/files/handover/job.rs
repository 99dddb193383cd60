//! What is kept of a handover that is given, so that it goes on after any end of this process: namespace 130, one value
//! for each device. What is taken, the engine keeps.

use livechat_crypto::kv::{Kv, Namespace, Order};
use livechat_engine::Left;
use livechat_wire::content::FileKey;
use livechat_wire::http::Bytes;
use livechat_wire::{BlobId, DeviceId, limits as wire};
use serde::{Deserialize, Serialize};

use crate::account::saved::{self, SavedError};

const HANDOVERS: Namespace = Namespace(130);
const NAME: &str = "a handover";

/// To one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Giving {
    pub device: DeviceId,
    /// Unix seconds.
    pub since: u64,
    /// What lies sealed on the shelf; none while it has to be made, or made again.
    pub sealed: Option<OnShelf>,
}

/// A sealed backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnShelf {
    pub blob: BlobId,
    pub key: Bytes,
    pub size: u64,
    pub hash: Bytes,
    pub messages: u64,
}

impl Giving {
    pub(crate) fn new(device: DeviceId, since: u64) -> Self {
        Self { device, since, sealed: None }
    }

    pub(crate) fn save(&self, kv: &mut dyn Kv) -> Result<(), SavedError> {
        Ok(kv.put(HANDOVERS, &self.device.0, &saved::encode(NAME, self)?)?)
    }

    pub(super) fn forget(device: DeviceId, kv: &mut dyn Kv) -> Result<(), SavedError> {
        Ok(kv.delete(HANDOVERS, &device.0)?)
    }

    /// All that are kept.
    pub(crate) fn all(kv: &dyn Kv) -> Result<Vec<Self>, SavedError> {
        let rows = kv.scan(HANDOVERS, &[], &[], wire::DEVICES, Order::Ascending)?;
        rows.into_iter().map(|(_, value)| saved::decode(NAME, &value)).collect()
    }
}

impl OnShelf {
    /// What the other device is told; none if a value isn't what was kept here.
    pub(super) fn left(&self) -> Option<Left> {
        let key = FileKey(self.key.0.as_slice().try_into().ok()?);
        Some(Left { blob: self.blob, key, size: self.size, hash: self.hash.0.as_slice().try_into().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use livechat_crypto::kv::MemoryKv;

    use super::*;

    /// What an older build wrote must stay readable: these bytes never change for version 1.
    #[test]
    fn the_bytes_of_version_one() {
        let (key, hash) = (Bytes(vec![5; 32]), Bytes(vec![6; 32]));
        let sealed = OnShelf { blob: BlobId([4; 32]), key, size: 3, hash, messages: 7 };
        let begun = Giving::new(DeviceId([1; 32]), 9);
        let made = Giving { device: DeviceId([2; 32]), since: 9, sealed: Some(sealed) };
        let mut kv = MemoryKv::default();
        for giving in [&made, &begun] {
            giving.save(&mut kv).unwrap();
        }
        assert_eq!(Giving::all(&kv).unwrap(), [begun.clone(), made.clone()]);
        let bytes = kv.get(HANDOVERS, &[2; 32]).unwrap().unwrap();
        let json = format!(
            concat!(
                r#"{{"device":"{}","since":9,"sealed":{{"blob":"{}","key":"BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU","#,
                r#""size":3,"hash":"BgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgY","messages":7}}}}"#
            ),
            "02".repeat(32),
            "04".repeat(32)
        );
        assert_eq!((bytes[0], std::str::from_utf8(&bytes[1..]).unwrap()), (1, json.as_str()));
        Giving::forget(made.device, &mut kv).unwrap();
        assert_eq!(Giving::all(&kv).unwrap(), [begun]);
        let left = made.sealed.unwrap().left().unwrap();
        assert_eq!((left.key, left.hash, left.size), (FileKey([5; 32]), [6; 32], 3));
        kv.put(HANDOVERS, b"k", b"\x02{}").unwrap();
        assert!(matches!(Giving::all(&kv), Err(SavedError::Version { found: 2, .. })));
    }
}
