//! What is kept about messages beside their rows, and about conversations beside theirs.

use livechat_wire::codec::{Reader, Writer};
use livechat_wire::content::Body;
use livechat_wire::{DecodeError, MessageId, limits as wire};

use crate::records::{flag, option, read_option};
use crate::tables::Stored;

/// A later text of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub sent_at: u64,
    pub text: String,
}

/// What somebody feels about a message; kept when empty, so that what is older doesn't come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reactions {
    pub stamp: Stamp,
    pub emoji: Vec<String>,
}

/// How late a statement is among those that replace each other (PROTOCOL R-81).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub revision: u32,
    pub id: MessageId,
}

/// Something about a message that isn't here yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Early {
    /// Our milliseconds.
    pub arrived: u64,
    pub sent_at: u64,
    pub body: Body,
}

/// For how long messages of a conversation stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timer {
    pub stamp: Stamp,
    /// 0: for ever.
    pub seconds: u32,
}

/// How somebody wants to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub stamp: Stamp,
    /// Empty: by their username alone.
    pub name: String,
}

/// How this person has arranged a conversation. Nobody else learns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Personal {
    /// Theirs, or one they agreed to; else a request (PROTOCOL R-87).
    pub accepted: bool,
    pub blocked: bool,
    pub pinned: bool,
    pub archived: bool,
    /// Unix milliseconds.
    pub muted_until: Option<u64>,
    /// The revision of our profile that was sent here.
    pub profile_sent: u32,
}

impl Default for Personal {
    /// What holds of conversations that nothing is noted about: all those of stores before there were requests.
    fn default() -> Self {
        Self { accepted: true, blocked: false, pinned: false, archived: false, muted_until: None, profile_sent: 0 }
    }
}

impl Stored for Edit {
    fn write(&self, w: &mut Writer) {
        w.u64(self.sent_at).bytes(self.text.as_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { sent_at: r.u64()?, text: r.text(wire::TEXT, "text")?.to_owned() })
    }
}

impl Stamp {
    fn write(self, w: &mut Writer) {
        w.u32(self.revision).raw(&self.id.0);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { revision: r.u32()?, id: MessageId(r.array()?) })
    }
}

impl Stored for Reactions {
    fn write(&self, w: &mut Writer) {
        self.stamp.write(w);
        w.list(&self.emoji, |w, e| {
            w.bytes(e.as_bytes());
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let stamp = Stamp::read(r)?;
        Ok(Self {
            stamp,
            emoji: r.list(wire::REACTIONS, "reactions", |r| r.text(wire::EMOJI, "emoji").map(str::to_owned))?,
        })
    }
}

impl Stored for Early {
    fn write(&self, w: &mut Writer) {
        let (kind, data) = self.body.encode();
        w.u64(self.arrived).u64(self.sent_at).u16(kind).bytes(&data);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (arrived, sent_at, kind) = (r.u64()?, r.u64()?, r.u16()?);
        Ok(Self { arrived, sent_at, body: Body::decode(kind, r.bytes(wire::UNKNOWN_BODY, "body")?)? })
    }
}

impl Stored for Timer {
    fn write(&self, w: &mut Writer) {
        self.stamp.write(w);
        w.u32(self.seconds);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { stamp: Stamp::read(r)?, seconds: r.u32()? })
    }
}

impl Stored for Profile {
    fn write(&self, w: &mut Writer) {
        self.stamp.write(w);
        w.bytes(self.name.as_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { stamp: Stamp::read(r)?, name: r.text(wire::DISPLAY_NAME, "name")?.to_owned() })
    }
}

impl Stored for Personal {
    fn write(&self, w: &mut Writer) {
        for on in [self.accepted, self.blocked, self.pinned, self.archived] {
            w.u8(u8::from(on));
        }
        option(w, self.muted_until.as_ref(), |w, until| {
            w.u64(*until);
        });
        w.u32(self.profile_sent);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            accepted: flag(r)?,
            blocked: flag(r)?,
            pinned: flag(r)?,
            archived: flag(r)?,
            muted_until: read_option(r, Reader::u64)?,
            profile_sent: r.u32()?,
        })
    }
}

/// A text that was begun.
impl Stored for String {
    fn write(&self, w: &mut Writer) {
        w.bytes(self.as_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.text(wire::TEXT, "text").map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::tests::stored;

    #[test]
    fn what_is_kept_beside_messages_is_laid_out_like_this() {
        let stamp = Stamp { revision: 3, id: MessageId([7; 16]) };
        let target = livechat_wire::content::Target { author: livechat_wire::AccountId([1; 32]), id: stamp.id };
        let all = [
            stored(&Edit { sent_at: 5, text: "later".into() }),
            stored(&Reactions { stamp, emoji: vec!["❤️".into(), "👍".into()] }),
            stored(&Early { arrived: 1, sent_at: 2, body: Body::Delete(target) }),
            stored(&Timer { stamp, seconds: 60 }),
            stored(&Profile { stamp, name: "Zoë".into() }),
            stored(&Personal::default()),
            stored(&Personal { accepted: false, blocked: true, muted_until: Some(9), ..Personal::default() }),
            stored(&"begun".to_owned()),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }
}
