//! Contacts and history on their way between two devices of one account (PROTOCOL R-133): a backup, sealed as a file
//! that lies at the relay until the new device has it.
//!
//! Who gives keeps a [`Giving`] and the sealed file; who takes, what the engine was told. Both go on from that and from
//! what the relay has, whoever died meanwhile.

mod give;
mod job;
mod take;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use livechat_engine::{Command, Left};
use livechat_wire::{BlobId, DeviceId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Files, Halt};
use crate::api::{Error, ErrorCode, Event, Handover, HandoverStep, TransferState};
use crate::driver::backoff::Backoff;
use crate::limits;

pub(crate) use job::Giving;

/// To which device; none: to this one.
type Id = Option<DeviceId>;

/// Those that are under way or failed.
#[derive(Default)]
pub(super) struct Handovers(Mutex<BTreeMap<Id, Running>>);

struct Running {
    view: Handover,
    told: Instant,
    blob: Option<BlobId>,
    cancel: CancellationToken,
}

/// Handovers as the store had them.
pub(super) struct Kept {
    pub(super) given: Vec<Giving>,
    pub(super) taken: Option<Left>,
}

impl Kept {
    pub(super) fn needs(&self, blob: BlobId) -> bool {
        let mut given = self.given.iter().filter_map(|g| g.sealed.as_ref());
        given.any(|s| s.blob == blob) || self.taken.as_ref().is_some_and(|left| left.blob == blob)
    }
}

impl Files {
    pub(super) fn begin_handovers(&self, kept: Kept) {
        for giving in kept.given {
            self.start_giving(giving);
        }
        if kept.taken.is_some() {
            self.handed_over();
        }
    }

    /// What is under way, waits or failed.
    pub(crate) fn handovers(&self) -> Vec<Handover> {
        self.under_way().values().map(|r| r.view.clone()).collect()
    }

    /// Stops a handover, or takes a failed one off the list.
    pub(crate) async fn cancel_handover(&self, id: Id) -> Result<(), Error> {
        let gone = self.under_way().remove(&id);
        let Some(mut gone) = gone else {
            return Err(Error::new(ErrorCode::NotFound, "No such handover is under way.", "List the devices again."));
        };
        gone.cancel.cancel();
        self.forget_handover(id).await?;
        if let Some(blob) = gone.blob {
            self.drop_blob(blob);
            self.take_back(blob);
        }
        gone.view.state = TransferState::Cancelled;
        self.tell(Event::HandoverChanged { handover: gone.view });
        Ok(())
    }

    /// The account is gone.
    pub(super) fn forget_handovers(&self) {
        for (_, gone) in std::mem::take(&mut *self.under_way()) {
            gone.cancel.cancel();
        }
    }

    /// Nothing goes on after the next start.
    async fn forget_handover(&self, id: Id) -> Result<(), Error> {
        match id {
            Some(device) => self.0.brain.write(move |kv| Giving::forget(device, kv)).await,
            None => self.0.brain.command(Command::TakenOver).await.map(drop),
        }
    }

    /// Has a task do it, unless one does.
    fn start_handover(&self, id: Id, work: impl Future<Output = Result<(), Error>> + Send + 'static) -> Handover {
        let mut running = self.under_way();
        let going = |r: &&Running| !matches!(r.view.state, TransferState::Failed { .. });
        if let Some(there) = running.get(&id).filter(going) {
            return there.view.clone();
        }
        let cancel = self.0.stopping.child_token();
        let step = if id.is_some() { HandoverStep::Gathering } else { HandoverStep::Moving };
        let view = Handover { device: id, step, messages: 0, done: 0, total: 0, state: TransferState::Running };
        let entry = Running { view: view.clone(), told: Instant::now(), blob: None, cancel: cancel.clone() };
        running.insert(id, entry);
        drop(running);
        self.tell(Event::HandoverChanged { handover: view.clone() });
        let files = self.clone();
        self.spawn(async move {
            tokio::select! {
                // Whoever cancels cleans up; at the end of the process nothing is to be done.
                () = cancel.cancelled() => {}
                ended = work => files.handover_ended(id, ended).await,
            }
        });
        view
    }

    async fn handover_ended(&self, id: Id, ended: Result<(), Error>) {
        match ended {
            Ok(()) => {
                let Some(mut entry) = self.under_way().remove(&id) else { return };
                entry.view.done = entry.view.total;
                entry.view.state = TransferState::Done;
                if let Some(blob) = entry.blob {
                    self.drop_blob(blob);
                }
                self.tell(Event::HandoverChanged { handover: entry.view });
            }
            // Stays on the list until somebody has seen it.
            Err(Error { message, hint, .. }) => {
                if let Err(e) = self.forget_handover(id).await {
                    tracing::debug!("a handover that failed is taken up again at the next start: {}", e.message);
                }
                let blob = self.under_way().get_mut(&id).and_then(|r| r.blob.take());
                if let Some(blob) = blob {
                    self.drop_blob(blob);
                    self.take_back(blob);
                }
                self.moves(id, |view| view.state = TransferState::Failed { message, hint });
            }
        }
    }

    /// What to do after a try that didn't go through: the end, or a pause.
    async fn after_halt(&self, id: Id, halt: Halt, pause: &mut Backoff) -> Result<(), Error> {
        let reason = match halt {
            Halt::For(error) => return Err(error),
            Halt::Until(reason) => reason,
            Halt::Session => "Nobody is logged in.".into(),
        };
        tracing::debug!("a handover waits: {reason}");
        self.moves(id, |view| view.state = TransferState::Waiting { reason });
        let before = self.0.session.borrow().token.clone();
        let mut session = self.0.session.subscribe();
        tokio::select! {
            () = tokio::time::sleep(pause.next()) => {}
            _ = session.wait_for(|now| now.token.is_some() && now.token != before) => {}
        }
        Ok(())
    }

    fn moves(&self, id: Id, change: impl FnOnce(&mut Handover)) {
        let mut running = self.under_way();
        let Some(entry) = running.get_mut(&id) else { return };
        let before = entry.view.clone();
        change(&mut entry.view);
        let turned = (&entry.view.state, entry.view.step) != (&before.state, before.step);
        if turned || (entry.view != before && entry.told.elapsed() >= limits::TRANSFER_TOLD) {
            entry.told = Instant::now();
            let handover = entry.view.clone();
            drop(running);
            self.tell(Event::HandoverChanged { handover });
        }
    }

    /// Notes which blob is to go when it is over.
    fn carries(&self, id: Id, blob: BlobId) {
        if let Some(entry) = self.under_way().get_mut(&id) {
            entry.blob = Some(blob);
        }
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<Id, Running>> {
        self.0.handovers.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
