//! Large Welcomes (PROTOCOL R-73): what all who come in by one commit are told alike, the tree above all, goes to the
//! relay as one sealed file, and each newcomer is told where it is.
//!
//! ```text
//! commit in force ─► file kept by the relay ─► introductions ─► newcomers fetch it, check it, join
//!                          └ refused: in the introductions, if it fits
//! ```

use std::collections::BTreeMap;

use livechat_crypto::file::{Check, Opener, SealFileError, Sealer, draw_key};
use livechat_crypto::kv::Kv;
use livechat_crypto::mls::shared_part;
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::content::{File, FileKey};
use livechat_wire::hello::{Introduction, WelcomeRest};
use livechat_wire::{BlobId, DecodeError, blob, limits as wire};

use super::notices::Notice;
use super::records::Invited;
use super::{RoomId, Rooms, pause};
use crate::effects::{Fetch, Upload};
use crate::errors::{HandleError, StoreError};
use crate::input::FileFailure;
use crate::tables::{Stored, Table};
use crate::turn::Turn;
use crate::{Engine, limits};

/// When a file is asked for again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Due {
    at: u64,
    failures: u32,
}

/// A file that the relay is to keep, and who is told of it then.
pub(crate) struct Departing {
    pub room: RoomId,
    pub key: FileKey,
    pub invited: Vec<Invited>,
    pub shared: Vec<u8>,
}

/// An introduction whose file is still to be fetched.
pub(crate) struct Arriving {
    pub since: u64,
    pub introduction: Introduction,
}

impl Stored for Departing {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.room.0).raw(&self.key.0).bytes(&self.shared).list(&self.invited, Invited::write_to);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            room: livechat_wire::ConversationId(r.array()?),
            key: FileKey(r.array()?),
            shared: r.bytes(wire::SHARED_WELCOME, "shared part of a welcome")?.to_vec(),
            invited: r.list(usize::from(u16::MAX), "invited", Invited::read_from)?,
        })
    }
}

impl Stored for Arriving {
    fn write(&self, w: &mut Writer) {
        w.u64(self.since).bytes(&self.introduction.encode());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { since: r.u64()?, introduction: Introduction::decode(r.bytes(2 * wire::PAYLOAD, "introduction")?)? })
    }
}

/// What is each newcomer's own of these Welcomes, and what is the same in all of them; nothing is, when they are small.
pub(super) fn parted(welcomes: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, Vec<u8>) {
    let large = welcomes.first().filter(|w| w.len() > limits::WELCOME);
    let Some(shared) = large.and_then(|w| Some(w.get(shared_part(w)?..)?.to_vec())) else {
        return (welcomes, Vec::new());
    };
    let own = welcomes.iter().map(|w| w.strip_suffix(&shared[..]).map(<[u8]>::to_vec)).collect::<Option<Vec<_>>>();
    own.map_or((welcomes, Vec::new()), |own| (own, shared))
}

fn sealed(key: &FileKey, bytes: &[u8]) -> Result<Vec<u8>, SealFileError> {
    let mut out = Vec::new();
    let mut sealer = Sealer::new(key);
    let mut keep = |chunk: &[u8]| -> Result<(), SealFileError> {
        out.extend_from_slice(chunk);
        Ok(())
    };
    sealer.push(bytes, &mut keep)?;
    sealer.finish(&mut keep)?;
    Ok(out)
}

/// What is in a fetched file; none when it isn't the one that was spoken of.
fn opened(rest: &WelcomeRest, bytes: &[u8]) -> Option<Vec<u8>> {
    let file = File {
        name: String::new(),
        media: String::new(),
        size: u64::from(rest.size),
        blob: rest.blob,
        key: rest.key,
        hash: rest.hash,
        until: 0,
        preview: None,
        voice: None,
        forwarded: false,
        timer: 0,
    };
    let opener = Opener::new(&file);
    if bytes.len() as u64 != blob::sealed(file.size) {
        return None;
    }
    let (mut out, mut check) = (Vec::new(), Check::default());
    for (index, chunk) in (0..).zip(bytes.chunks(wire::BLOB_CHUNK)) {
        let mut chunk = chunk.to_vec();
        opener.open(index, &mut chunk).ok()?;
        check.see(&chunk);
        out.extend_from_slice(&chunk);
    }
    check.finish(&opener).ok()?;
    Some(out)
}

impl Rooms {
    /// When a file is due.
    pub fn files_wake(&self) -> Option<u64> {
        self.departing.values().chain(self.arriving.values()).map(|due| due.at).min()
    }
}

impl Engine {
    pub(super) fn open_welcomes(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        let load = |table: Table, into: &mut BTreeMap<BlobId, Due>, key: &[u8]| -> Result<(), StoreError> {
            into.insert(BlobId(table.id(key, 0)?), Due::default());
            Ok(())
        };
        Table::Departing.each(kv, |key, _: Departing| load(Table::Departing, &mut self.rooms.departing, key))?;
        Table::Arriving.each(kv, |key, _: Arriving| load(Table::Arriving, &mut self.rooms.arriving, key))
    }

    /// Tells newcomers how to come in: at once, or when the relay keeps what all are told alike.
    pub(super) fn welcome(
        &mut self,
        turn: &mut Turn<'_>,
        room: RoomId,
        invited: Vec<Invited>,
        shared: Vec<u8>,
    ) -> Result<(), HandleError> {
        if shared.is_empty() {
            return invited.iter().try_for_each(|invited| self.introduce(turn, invited, None));
        }
        let (blob, key) = (BlobId(turn.draw()), draw_key(turn.rng));
        Table::Departing.put(turn.kv, &blob.0, &Departing { room, key, invited, shared })?;
        self.rooms.departing.insert(blob, Due { at: turn.clock, failures: 0 });
        Ok(())
    }

    /// Sends and asks for what is due.
    pub(super) fn move_welcomes(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let clock = turn.clock;
        let due = |files: &mut BTreeMap<BlobId, Due>| -> Vec<BlobId> {
            let due = files.iter_mut().filter(|(_, due)| due.at <= clock);
            due.map(|(blob, due)| {
                due.at = clock + limits::FILE_PATIENCE;
                *blob
            })
            .collect()
        };
        for blob in due(&mut self.rooms.departing) {
            let Some(it) = Table::Departing.get::<Departing>(turn.kv, &blob.0)? else { continue };
            if let Ok(bytes) = sealed(&it.key, &it.shared) {
                turn.fx.uploads.push(Upload { blob, bytes });
            }
        }
        for blob in due(&mut self.rooms.arriving) {
            let Some(it) = Table::Arriving.get::<Arriving>(turn.kv, &blob.0)? else { continue };
            if it.since.saturating_add(limits::ARRIVING_AGE) <= clock {
                self.forget_arriving(turn, blob)?;
            } else if let Some(rest) = &it.introduction.rest {
                turn.fx.fetches.push(Fetch { blob, size: blob::sealed(u64::from(rest.size)) });
            }
        }
        Ok(())
    }

    /// The relay keeps a file, or not.
    pub(crate) fn uploaded(
        &mut self,
        turn: &mut Turn<'_>,
        blob: BlobId,
        answer: Result<(), FileFailure>,
    ) -> Result<(), HandleError> {
        if let Err(FileFailure::Unreachable) = answer {
            again(self.rooms.departing.get_mut(&blob), turn.clock);
            return Ok(());
        }
        if self.rooms.departing.remove(&blob).is_none() {
            return Ok(());
        }
        let Some(it) = Table::Departing.get::<Departing>(turn.kv, &blob.0)? else { return Ok(()) };
        Table::Departing.delete(turn.kv, &blob.0)?;
        let rest = WelcomeRest {
            blob,
            size: u32::try_from(it.shared.len()).unwrap_or(u32::MAX),
            hash: sha256(&it.shared),
            key: it.key,
        };
        let beside = 2 * wire::MEMBER_LOG + 2 * livechat_wire::bundle::ENCODED;
        for invited in it.invited {
            if answer.is_ok() {
                self.introduce(turn, &invited, Some(&rest))?;
                continue;
            }
            let welcome = [&invited.welcome[..], &it.shared].concat();
            if welcome.len() + beside <= wire::PAYLOAD {
                self.introduce(turn, &Invited { welcome, ..invited }, None)?;
            } else {
                let own = self.me()?.identity.account();
                let text = "letting somebody in: the relay keeps no more files of this account".to_owned();
                self.notice(turn, it.room, own, &Notice::NotDone(text))?;
            }
        }
        Ok(())
    }

    /// An introduction whose file is to be fetched first. `false`: refused.
    pub(crate) fn await_rest(&mut self, turn: &mut Turn<'_>, introduction: &Introduction) -> Result<bool, HandleError> {
        let Some(rest) = &introduction.rest else { return Ok(false) };
        while self.rooms.arriving.len() >= limits::ARRIVING {
            let mut oldest: Option<(u64, BlobId)> = None;
            for blob in self.rooms.arriving.keys() {
                let since = Table::Arriving.get::<Arriving>(turn.kv, &blob.0)?.map_or(0, |it| it.since);
                oldest = oldest.into_iter().chain([(since, *blob)]).min();
            }
            let Some((_, oldest)) = oldest else { break };
            self.forget_arriving(turn, oldest)?;
        }
        let arriving = Arriving { since: turn.clock, introduction: introduction.clone() };
        Table::Arriving.put(turn.kv, &rest.blob.0, &arriving)?;
        self.rooms.arriving.insert(rest.blob, Due { at: turn.clock, failures: 0 });
        Ok(true)
    }

    /// A file came, or not.
    pub(crate) fn fetched(
        &mut self,
        turn: &mut Turn<'_>,
        blob: BlobId,
        answer: Result<Vec<u8>, FileFailure>,
    ) -> Result<(), HandleError> {
        if let Err(FileFailure::Unreachable) = answer {
            again(self.rooms.arriving.get_mut(&blob), turn.clock);
            return Ok(());
        }
        let Some(it) = Table::Arriving.get::<Arriving>(turn.kv, &blob.0)? else { return Ok(()) };
        self.forget_arriving(turn, blob)?;
        let Introduction { welcome, rest, .. } = &it.introduction;
        let shared = rest.as_ref().zip(answer.ok()).and_then(|(rest, bytes)| opened(rest, &bytes));
        let whole = shared.map(|shared| [&welcome[..], &shared].concat());
        let good = match whole {
            Some(welcome) => self.introduced_by(turn, Introduction { welcome, rest: None, ..it.introduction })?,
            None => false,
        };
        if !good {
            self.refused.introductions += 1;
        }
        Ok(())
    }

    fn forget_arriving(&mut self, turn: &mut Turn<'_>, blob: BlobId) -> Result<(), HandleError> {
        self.rooms.arriving.remove(&blob);
        Ok(Table::Arriving.delete(turn.kv, &blob.0)?)
    }
}

fn again(due: Option<&mut Due>, clock: u64) {
    if let Some(due) = due {
        due.at = clock + pause(due.failures);
        due.failures = (due.failures + 1).min(16);
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}
