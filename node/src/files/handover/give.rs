//! The older device's part: gather, seal, bring to the relay, tell the new one.

use std::time::Duration;

use data_encoding::HEXLOWER;
use livechat_crypto::file;
use livechat_engine::Command;
use livechat_wire::http::{Bytes, ProblemCode};
use livechat_wire::{BlobId, DeviceId, blob};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::super::error::FileError;
use super::super::{Files, Halt};
use super::Giving;
use super::job::OnShelf;
use crate::api::{Error, ErrorCode, Handover, HandoverStep, TransferState};
use crate::backup::Sealing;
use crate::driver::backoff::Backoff;
use crate::driver::refusals;
use crate::{env, limits};

/// How far a new device is in.
enum Place {
    /// The account's log doesn't name it.
    Unnamed,
    /// It isn't in every room yet.
    ComingIn,
    Everywhere,
    Removed,
}

impl Files {
    /// Gives a device contacts and history; again, if that failed before.
    pub(crate) async fn give(&self, device: DeviceId) -> Result<Handover, Error> {
        if matches!(self.place_of(device).await?, Place::Unnamed | Place::Removed) {
            return Err(refusals::of_command(livechat_engine::CommandError::UnknownDevice));
        }
        if !self.0.brain.view(move |engine, kv| engine.was_added_here(kv, &device)).await? {
            let message = "That device wasn't added on this one, which therefore can't reach it.";
            let hint = "Give it the history on the device that added it, or make a backup and restore it there.";
            return Err(Error::new(ErrorCode::WrongState, message, hint));
        }
        let giving = Giving::new(device, env::now_s());
        let under_way =
            self.under_way().get(&Some(device)).is_some_and(|r| !matches!(r.view.state, TransferState::Failed { .. }));
        if !under_way {
            let kept = giving.clone();
            self.0.brain.write(move |kv| kept.save(kv)).await?;
        }
        Ok(self.start_giving(giving))
    }

    /// Begins, or goes on with, what the store has.
    pub(crate) fn start_giving(&self, giving: Giving) -> Handover {
        let files = self.clone();
        self.start_handover(Some(giving.device), async move { files.give_until_done(giving).await })
    }

    async fn give_until_done(&self, mut giving: Giving) -> Result<(), Error> {
        let mut pause = Backoff::new(limits::TRANSFER_RETRY_FIRST, limits::TRANSFER_RETRY_MAX);
        if giving.sealed.is_none() {
            self.until_it_is_in(&giving).await?;
        }
        while let Err(halt) = self.try_to_give(&mut giving).await {
            self.after_halt(Some(giving.device), halt, &mut pause).await?;
        }
        Ok(())
    }

    async fn place_of(&self, device: DeviceId) -> Result<Place, Error> {
        let look = move |engine: &livechat_engine::Engine| match engine.own_account_log() {
            Some(log) if log.is_revoked(&device) => Place::Removed,
            Some(log) if log.device_keys().iter().any(|key| DeviceId::of(key) == device) => {
                if engine.is_everywhere(&device) { Place::Everywhere } else { Place::ComingIn }
            }
            _ => Place::Unnamed,
        };
        self.0.brain.view(move |engine, _| Ok(look(engine))).await
    }

    /// What is said before it hears for itself has to be in what it gets.
    async fn until_it_is_in(&self, giving: &Giving) -> Result<(), Error> {
        let mut named = None;
        loop {
            let reason = match self.place_of(giving.device).await? {
                Place::Everywhere => return Ok(()),
                Place::Removed => return Err(gone()),
                Place::ComingIn => {
                    let since: Instant = *named.get_or_insert_with(Instant::now);
                    if since.elapsed() >= limits::HANDOVER_PATIENCE {
                        return Ok(());
                    }
                    "The new device is coming into your chats."
                }
                Place::Unnamed if giving.since.abs_diff(env::now_s()) > limits::LINKING => return Err(gone()),
                Place::Unnamed => "The relay hasn't noted the new device yet.",
            };
            self.moves(Some(giving.device), |v| v.state = TransferState::Waiting { reason: reason.into() });
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn try_to_give(&self, giving: &mut Giving) -> Result<(), Halt> {
        let id = Some(giving.device);
        if matches!(self.place_of(giving.device).await.map_err(until)?, Place::Removed) {
            return Err(Halt::For(gone()));
        }
        let sealed = match &giving.sealed {
            Some(sealed) if self.0.shelf.has(sealed.blob) => sealed.clone(),
            _ => {
                let sealed = self.gather(giving.device).await?;
                giving.sealed = Some(sealed.clone());
                let kept = giving.clone();
                self.0.brain.write(move |kv| kept.save(kv)).await.map_err(until)?;
                sealed
            }
        };
        self.carries(id, sealed.blob);
        let size = blob::sealed(sealed.size);
        self.moves(id, |v| (v.step, v.messages, v.total) = (HandoverStep::Moving, sealed.messages, size));
        let Some(token) = self.0.session.borrow().token.clone() else { return Err(Halt::Session) };
        let Ok(place) = self.0.places.acquire().await else { return Err(Halt::For(Error::stopped())) };
        let begun = match self.0.relay.begin_blob(&token, sealed.blob, size).await {
            // Begun long ago and over: what has happened since belongs into it too.
            Err(e) if e.problem() == Some(ProblemCode::BadRequest) => {
                giving.sealed = None;
                self.drop_blob(sealed.blob);
                return Err(Halt::Until("The relay has forgotten what it had; it is made anew.".into()));
            }
            begun => begun?,
        };
        self.moves(id, |v| v.state = TransferState::Running);
        self.put_parts(&token, sealed.blob, size, begun, |done| self.moves(id, |v| v.done = done)).await?;
        drop(place);
        let left = sealed.left().ok_or_else(|| Halt::For(Error::bad_request("The handover is damaged.")))?;
        let device = giving.device;
        // Told and over in one: nobody is told twice.
        let told = self.0.brain.command_and(Command::HandOver { device, left }, move |kv| Giving::forget(device, kv));
        told.await.map_err(until)?.map(drop).map_err(|e| Halt::For(refusals::of_command(e)))
    }

    /// Seals what is here, as of now, onto the shelf.
    async fn gather(&self, device: DeviceId) -> Result<OnShelf, Halt> {
        let id = Some(device);
        self.moves(id, |v| {
            (v.step, v.state, v.done, v.total) = (HandoverStep::Gathering, TransferState::Running, 0, 0)
        });
        let no_dice = || Halt::Until("The system gives no randomness.".into());
        let mut random = [0; 32];
        env::fill(&mut random).map_err(|_| no_dice())?;
        let (blob, key) = (BlobId(random), file::draw_key(&mut env::dice().map_err(|_| no_dice())?));
        self.carries(id, blob);
        let secret = Zeroizing::new(HEXLOWER.encode(&key.0));
        let (head, mut sealing) = Sealing::begin(self.0.brain.clone(), secret).await.map_err(Halt::For)?;
        let (mut give, mut read) = tokio::io::duplex(limits::HANDOVER_PIPE);
        let gathered = async move {
            let broken = |_| Error::stopped();
            give.write_all(&head).await.map_err(broken)?;
            let mut done = head.len() as u64;
            while let Some(chunk) = sealing.next().await? {
                give.write_all(&chunk).await.map_err(broken)?;
                done += chunk.len() as u64;
                self.moves(id, |v| (v.done, v.messages) = (done, sealing.messages()));
            }
            Ok::<_, Error>(sealing.messages())
        };
        // Its end of the pipe goes with it, so that nobody writes on for ever.
        let kept = async move { self.0.shelf.seal(blob, key, &mut read).await.map(|sealed| (sealed, key)) };
        let (gathered, kept) = tokio::join!(gathered, kept);
        let failed = |e: Error| {
            self.drop_blob(blob);
            if e.code == ErrorCode::StoreFailed { until(e) } else { Halt::For(e) }
        };
        let (sealed, key) = kept.map_err(|e| failed(too_much(e)))?;
        let messages = gathered.map_err(failed)?;
        let (key, hash) = (Bytes(key.0.to_vec()), Bytes(sealed.hash.to_vec()));
        Ok(OnShelf { blob, key, size: sealed.size, hash, messages })
    }
}

fn until(e: Error) -> Halt {
    Halt::Until(e.message)
}

fn gone() -> Error {
    let message = "The new device isn't one of this account's: it wasn't added, or was removed again.";
    Error::new(ErrorCode::NotFound, message, "Add it again, then give it your history.")
}

fn too_much(e: FileError) -> Error {
    if matches!(e, FileError::TooLarge) {
        let message = "This history is larger than what can be handed over at once (1 GiB).";
        let hint = "Make a backup, carry the file to the new device, and restore it there.";
        return Error::new(ErrorCode::TooLarge, message, hint);
    }
    e.into()
}
