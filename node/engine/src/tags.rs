//! The tags we expect, and what each stands for.

use std::collections::BTreeMap;

use livechat_crypto::mls::GroupId;
use livechat_wire::Tag;

use crate::groups::StreamKey;

/// What an envelope with an expected tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Number `counter` of a sender leaf.
    Stream { stream: StreamKey, counter: u64 },
    /// Fragment `index` of the introduction with this digest.
    Hello { digest: [u8; 32], index: u16 },
}

/// An index of expected tags. A tag is 16 bytes of HMAC: two never meet by chance.
#[derive(Debug, Default)]
pub(crate) struct Tags(BTreeMap<Tag, Target>);

impl Tags {
    pub fn get(&self, tag: &Tag) -> Option<Target> {
        self.0.get(tag).copied()
    }

    pub fn expect(&mut self, tag: Tag, target: Target) {
        self.0.insert(tag, target);
    }

    pub fn forget(&mut self, tag: &Tag) {
        self.0.remove(tag);
    }

    /// Forgets all tags of an epoch; rare, so it looks at every tag.
    pub fn forget_epoch(&mut self, group: GroupId, epoch: u64) {
        let of = |s: &StreamKey| s.group == group && s.epoch == epoch;
        self.0.retain(|_, target| !matches!(target, Target::Stream { stream, .. } if of(stream)));
    }
}
