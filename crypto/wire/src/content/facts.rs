//! What contents are made of that speak about other messages.

use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{AccountId, MessageId};
use crate::limits;

/// Which message is meant. An id alone would not do: two authors may use the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Who wrote it.
    pub author: AccountId,
    /// Its id.
    pub id: MessageId,
}

/// Text with marks: flags (1: bit 0 answers, bit 1 forwarded, bit 2 disappears), target (48, bit 0), seconds (4, bit 2),
/// text. Text without any mark is [`super::Body::Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// UTF-8, 1 ..= [`limits::TEXT`] bytes.
    pub text: String,
    /// The message it answers. What that says is looked up by the reader, never taken from the sender.
    pub reply_to: Option<Target>,
    /// The words of somebody else, passed on. Whose is not said: it could not be proven.
    pub forwarded: bool,
    /// Seconds until it disappears, 1 ..= [`limits::TIMER`], counted at the author from sending, at others from
    /// reading; 0: it stays.
    pub timer: u32,
}

/// Target (48), revision (4), text. The highest revision counts, of equals the one with the greater content id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// A message of the sender's own.
    pub target: Target,
    /// 1 for the first edit, and so on.
    pub revision: u32,
    /// As in [`Post::text`].
    pub text: String,
}

/// Target (48), revision (4), a list of texts with lengths. The sender's *whole* set for that message, so that the
/// order of arrival is of no consequence: the highest revision counts, of equals the one with the greater content id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reactions {
    /// About which message.
    pub target: Target,
    /// 1 for the first, and so on.
    pub revision: u32,
    /// Sorted, none twice, at most [`limits::REACTIONS`], each 1 ..= [`limits::EMOJI`] bytes without control
    /// characters; empty: withdrawn.
    pub emoji: Vec<String>,
}

impl Target {
    pub(super) fn write(self, w: &mut Writer) {
        w.raw(&self.author.0).raw(&self.id.0);
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { author: AccountId(r.array()?), id: MessageId(r.array()?) })
    }
}

impl Post {
    pub(super) fn write(&self, w: &mut Writer) {
        let flags = u8::from(self.reply_to.is_some()) | u8::from(self.forwarded) << 1 | u8::from(self.timer > 0) << 2;
        w.u8(flags);
        if let Some(target) = self.reply_to {
            target.write(w);
        }
        if self.timer > 0 {
            w.u32(self.timer);
        }
        w.raw(self.text.as_bytes());
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags = r.u8()?;
        if flags == 0 || flags > 7 {
            return Err(DecodeError::NotCanonical("marks"));
        }
        let reply_to = if flags & 1 == 0 { None } else { Some(Target::read(r)?) };
        let timer = if flags & 4 == 0 { 0 } else { timer(r.u32()?)? };
        if flags & 4 != 0 && timer == 0 {
            return Err(DecodeError::NotCanonical("timer"));
        }
        Ok(Self { text: text(r)?, reply_to, forwarded: flags & 2 != 0, timer })
    }
}

impl Edit {
    pub(super) fn write(&self, w: &mut Writer) {
        self.target.write(w);
        w.u32(self.revision).raw(self.text.as_bytes());
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { target: Target::read(r)?, revision: r.u32()?, text: text(r)? })
    }
}

impl Reactions {
    pub(super) fn write(&self, w: &mut Writer) {
        self.target.write(w);
        w.u32(self.revision).list(&self.emoji, |w, e| {
            w.bytes(e.as_bytes());
        });
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (target, revision) = (Target::read(r)?, r.u32()?);
        let emoji: Vec<_> = r.list(limits::REACTIONS, "reactions", |r| {
            plain(r.bytes(limits::EMOJI, "emoji")?, 1, limits::EMOJI, "emoji")
        })?;
        if !emoji.is_sorted_by(|a, b| a < b) {
            return Err(DecodeError::NotCanonical("reactions"));
        }
        Ok(Self { target, revision, emoji })
    }
}

/// Whether this can stand in [`Reactions::emoji`].
#[must_use]
pub fn is_emoji(text: &str) -> bool {
    plain(text.as_bytes(), 1, limits::EMOJI, "emoji").is_ok()
}

/// Whether this can stand in [`super::Body::Profile`].
#[must_use]
pub fn is_display_name(text: &str) -> bool {
    plain(text.as_bytes(), 0, limits::DISPLAY_NAME, "name").is_ok()
}

/// The rest, as the text of a message.
pub(super) fn text(r: &mut Reader<'_>) -> Result<String, DecodeError> {
    let data = r.rest();
    if data.is_empty() || data.len() > limits::TEXT {
        return Err(DecodeError::Bounds("text"));
    }
    core::str::from_utf8(data).map(str::to_owned).map_err(|_| DecodeError::Utf8)
}

/// A short text of one line.
pub(super) fn plain(data: &[u8], min: usize, max: usize, what: &'static str) -> Result<String, DecodeError> {
    if data.len() < min || data.len() > max {
        return Err(DecodeError::Bounds(what));
    }
    let text = core::str::from_utf8(data).map_err(|_| DecodeError::Utf8)?;
    if text.chars().any(char::is_control) {
        return Err(DecodeError::NotCanonical(what));
    }
    Ok(text.to_owned())
}

pub(super) fn timer(seconds: u32) -> Result<u32, DecodeError> {
    if seconds > limits::TIMER { Err(DecodeError::Bounds("timer")) } else { Ok(seconds) }
}
