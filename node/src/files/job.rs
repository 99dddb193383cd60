//! What is kept of a transfer, so that it goes on after any end of this process: namespace 129, one value each.

use std::path::PathBuf;

use livechat_crypto::kv::{Kv, Namespace, Order};
use livechat_wire::content::{self, File, FileKey, OfferSecret};
use livechat_wire::http::Bytes;
use livechat_wire::{BlobId, ConversationId, MessageId};
use serde::{Deserialize, Serialize};

use crate::account::saved::{self, SavedError};
use crate::api::Voice;
use crate::limits;

const TRANSFERS: Namespace = Namespace(129);
const NAME: &str = "a transfer";

/// A transfer that isn't over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    pub conversation: ConversationId,
    /// The message that speaks of the file, or will.
    pub message: MessageId,
    pub name: String,
    pub size: u64,
    pub blob: BlobId,
    pub way: Way,
    /// It was offered to the contact in this run, who didn't come for it.
    #[serde(skip)]
    pub offered: bool,
}

/// Which way, and what that needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Way {
    /// To the relay, then into a message; or, with a secret, into a message that offers it, and to the relay if nobody
    /// comes. The sealed bytes are on the shelf.
    Up { media: String, key: Bytes, hash: Bytes, preview: Option<Bytes>, voice: Option<Voice>, secret: Option<Bytes> },
    /// From the relay to the shelf; then, if somebody wants it there, to a place of theirs.
    Down { position: u64, to: Option<PathBuf> },
}

/// Tells transfers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub conversation: ConversationId,
    pub message: MessageId,
    pub up: bool,
}

impl Id {
    fn row(&self) -> Vec<u8> {
        [&self.conversation.0[..], &self.message.0, &[u8::from(self.up)]].concat()
    }
}

impl Job {
    pub(super) fn id(&self) -> Id {
        let up = matches!(self.way, Way::Up { .. });
        Id { conversation: self.conversation, message: self.message, up }
    }

    /// Of a file that is to be offered.
    pub(super) fn secret(&self) -> Option<OfferSecret> {
        let Way::Up { secret: Some(secret), .. } = &self.way else { return None };
        secret.0.as_slice().try_into().ok().map(OfferSecret)
    }

    /// What the message will say; none for the other way.
    pub(super) fn file(&self, until: u64) -> Option<File> {
        let Way::Up { media, key, hash, preview, voice, .. } = &self.way else { return None };
        Some(File {
            name: self.name.clone(),
            media: media.clone(),
            size: self.size,
            blob: self.blob,
            key: FileKey(key.0.as_slice().try_into().ok()?),
            hash: hash.0.as_slice().try_into().ok()?,
            until,
            preview: preview.clone().map(|p| p.0),
            voice: voice.clone().map(|v| content::Voice { millis: v.millis, levels: v.levels }),
            forwarded: false,
            timer: 0,
        })
    }

    pub(super) fn save(&self, kv: &mut dyn Kv) -> Result<(), SavedError> {
        Ok(kv.put(TRANSFERS, &self.id().row(), &saved::encode(NAME, self)?)?)
    }

    pub(super) fn forget(id: Id, kv: &mut dyn Kv) -> Result<(), SavedError> {
        Ok(kv.delete(TRANSFERS, &id.row())?)
    }

    /// All that are kept.
    pub(crate) fn all(kv: &dyn Kv) -> Result<Vec<Self>, SavedError> {
        let rows = kv.scan(TRANSFERS, &[], &[], limits::TRANSFERS_LISTED, Order::Ascending)?;
        rows.into_iter().map(|(_, value)| saved::decode(NAME, &value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use livechat_crypto::kv::MemoryKv;

    use super::*;

    fn job(way: Way) -> Job {
        let (conversation, message) = (ConversationId([1; 32]), MessageId([2; 16]));
        Job { conversation, message, name: "a.txt".into(), size: 3, blob: BlobId([4; 32]), way, offered: false }
    }

    /// What an older build wrote must stay readable: these bytes never change for version 1.
    #[test]
    fn the_bytes_of_version_one() {
        let up = job(Way::Up {
            media: "a/b".into(),
            key: Bytes(vec![5; 32]),
            hash: Bytes(vec![6; 32]),
            preview: None,
            voice: None,
            secret: None,
        });
        let down = job(Way::Down { position: 7, to: Some("/tmp/x".into()) });
        let mut kv = MemoryKv::default();
        for job in [&up, &down] {
            job.save(&mut kv).unwrap();
        }
        assert_eq!(Job::all(&kv).unwrap(), [down.clone(), up.clone()]);
        let bytes = kv.get(TRANSFERS, &down.id().row()).unwrap().unwrap();
        let json = format!(
            concat!(
                r#"{{"conversation":"{}","message":"{}","name":"a.txt","size":3,"blob":"{}","#,
                r#""way":{{"down":{{"position":7,"to":"/tmp/x"}}}}}}"#
            ),
            "01".repeat(32),
            "02".repeat(16),
            "04".repeat(32)
        );
        assert_eq!((bytes[0], std::str::from_utf8(&bytes[1..]).unwrap()), (1, json.as_str()));
        Job::forget(down.id(), &mut kv).unwrap();
        assert_eq!(Job::all(&kv).unwrap(), std::slice::from_ref(&up));
        assert_eq!(up.file(9).map(|f| (f.key, f.hash, f.until)), Some((FileKey([5; 32]), [6; 32], 9)));
        kv.put(TRANSFERS, b"k", b"\x02{}").unwrap();
        assert!(matches!(Job::all(&kv), Err(SavedError::Version { found: 2, .. })));
    }
}
