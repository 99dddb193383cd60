//! Files straight from one device to the other (PROTOCOL ). Only where both want it: either end's address
//! is seen by the other. What doesn't come this way comes by the relay, part by part as it happens.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use livechat_crypto::kv::Kv;
use livechat_engine::{Command, CommandError};
use livechat_wire::content::{File, Offer, OfferSecret, Place};
use livechat_wire::direct::{Request, Response, Wanted};
use livechat_wire::{BlobId, blob, limits as wire};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::error::FileError;
use super::job::Job;
use super::{Files, Halt, on_disk};
use crate::account::saved::Saved;
use crate::api::Error;
use crate::driver::refusals;
use crate::swarm::Ask;
use crate::{env, limits};

/// Whether files may go directly, as its owner said last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Wish(pub(super) bool);

impl Saved for Wish {
    const KEY: &'static str = "direct files";
}

/// This node's throw-away name, and where it can be reached.
type Places = ([u8; 32], Vec<Place>);

/// What goes directly.
pub(super) struct Direct {
    pub(super) wish: watch::Sender<bool>,
    places: watch::Sender<Places>,
    /// Counts offers that came.
    pub(super) offers: watch::Sender<u64>,
    serving: Mutex<HashMap<BlobId, Serving>>,
    asks: mpsc::Sender<Ask>,
    asked: Mutex<Option<mpsc::Receiver<Ask>>>,
}

/// A file that the contact may fetch from here.
struct Serving {
    secret: OfferSecret,
    size: u64,
    far: watch::Sender<Far>,
}

/// How far the contact is.
#[derive(Clone, Copy, Default)]
struct Far {
    parts: u32,
    all: bool,
}

/// As long as it lives, a file may be fetched from here.
pub(super) struct Serves {
    files: Files,
    blob: BlobId,
}

impl Drop for Serves {
    fn drop(&mut self) {
        self.files.serving().remove(&self.blob);
    }
}

impl Default for Direct {
    fn default() -> Self {
        let (asks, asked) = mpsc::channel(limits::DIRECT_ASKS);
        Self {
            wish: watch::Sender::new(false),
            places: watch::Sender::default(),
            offers: watch::Sender::new(0),
            serving: Mutex::default(),
            asks,
            asked: Mutex::new(Some(asked)),
        }
    }
}

impl Files {
    /// Questions for other nodes, for whoever runs the network; there is one.
    pub(crate) fn asks(&self) -> Option<mpsc::Receiver<Ask>> {
        self.0.direct.asked.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Where this node can be reached by now.
    pub(crate) fn reached_at(&self, places: Places) {
        self.0.direct.places.send_if_modified(|now| std::mem::replace(now, places.clone()) != places);
    }

    /// Whether files go directly where that is possible.
    pub(crate) fn goes_directly(&self) -> bool {
        *self.0.direct.wish.borrow()
    }

    /// Files go directly from now on, or don't.
    pub(crate) async fn go_directly(&self, on: bool) -> Result<(), Error> {
        self.0.brain.write(move |kv: &mut dyn Kv| Wish(on).save(kv)).await?;
        self.0.direct.wish.send_replace(on);
        self.0.direct.offers.send_modify(|n| *n = n.wrapping_add(1));
        Ok(())
    }

    /// A secret for a file that is to be offered; none where it goes to the relay at once.
    pub(super) async fn secret_for(&self, job: &Job) -> Result<Option<OfferSecret>, Error> {
        let conversation = job.conversation;
        if !self.goes_directly() || self.0.direct.places.borrow().1.is_empty() {
            return Ok(None);
        }
        let may = self.0.brain.view(move |engine, _| Ok(engine.may_offer(conversation))).await?;
        let mut secret = [0; 32];
        Ok((may && env::fill(&mut secret).is_ok()).then_some(OfferSecret(secret)))
    }

    /// Says that the file is here, and lets the contact come for it until they have it (`true`) or didn't come for a
    /// while. It goes on being had as long as what is returned lives.
    pub(super) async fn offer(&self, job: &Job, secret: OfferSecret) -> Result<(Serves, bool), Halt> {
        let far = watch::Sender::default();
        let mut seen = far.subscribe();
        let size = blob::sealed(job.size);
        self.serving().insert(job.blob, Serving { secret, size, far });
        let serves = Serves { files: self.clone(), blob: job.blob };
        let (mut places, mut wish) = (self.0.direct.places.subscribe(), self.0.direct.wish.subscribe());
        let (mut told, mut offers) = (None, 0);
        let mut deadline = Instant::now() + limits::OFFER_PATIENCE;
        let mut come = false;
        loop {
            let now = places.borrow_and_update().clone();
            if !now.1.is_empty() && offers < limits::OFFERS && told.as_ref() != Some(&now) {
                if !self.tell_offer(job, secret, &now).await? {
                    return Ok((serves, false));
                }
                if !come {
                    deadline = Instant::now() + limits::OFFER_PATIENCE;
                }
                offers += 1;
                told = Some(now);
            }
            tokio::select! {
                _ = seen.changed() => {
                    let Far { parts, all } = *seen.borrow_and_update();
                    if all {
                        return Ok((serves, true));
                    }
                    deadline = Instant::now() + limits::OFFER_PATIENCE_MIDWAY;
                    come = true;
                    self.change(job.id(), |view| {
                        view.direct = true;
                        view.done = (u64::from(parts) * wire::BLOB_PART as u64).min(size);
                    });
                }
                _ = places.changed() => {}
                _ = wish.wait_for(|on| !on) => return Ok((serves, false)),
                () = tokio::time::sleep_until(deadline) => return Ok((serves, false)),
            }
        }
    }

    /// The message, if it isn't there yet, and where its file can be had. `false`: not here.
    async fn tell_offer(&self, job: &Job, secret: OfferSecret, (peer, at): &Places) -> Result<bool, Halt> {
        let file = job.file(0).ok_or_else(|| Halt::For(Error::bad_request("The transfer is damaged.")))?;
        let conversation = job.conversation;
        let offer = Offer {
            blob: job.blob,
            secret,
            until: env::now_s().saturating_add(limits::OFFER_LIFE),
            peer: *peer,
            addresses: at.clone(),
        };
        for command in [
            Command::SendFile { conversation, file: Box::new(file), id: job.message },
            Command::OfferFile { conversation, offer: Box::new(offer) },
        ] {
            match self.0.brain.command(command).await.map_err(|e| Halt::Until(e.message))? {
                Ok(_) => {}
                Err(CommandError::NotOffered) => return Ok(false),
                Err(CommandError::QueueFull) => {
                    return Err(Halt::Until("Too many messages wait for the relay already.".into()));
                }
                Err(e) => return Err(Halt::For(refusals::of_command(e))),
            }
        }
        Ok(true)
    }

    /// Answers whoever wants a part of a file of ours.
    pub(crate) async fn serve(&self, request: Request) -> Response {
        let found = if self.goes_directly() { allowed(&self.serving(), &request) } else { None };
        let Some((size, far)) = found else { return Response::Refused };
        let Wanted::Part(part) = request.wanted else {
            far.send_modify(|far| far.all = true);
            return Response::Noted;
        };
        let (shelf, blob) = (self.0.shelf.clone(), request.blob);
        let read = on_disk(move || shelf.read_part(blob, size, part).map_err(FileError::Shelf)).await;
        far.send_modify(|far| far.parts = part);
        read.map_or(Response::Refused, Response::Part)
    }

    /// What whoever sent a file offers of it, if that is wanted here.
    pub(super) async fn offer_of(&self, file: &File) -> Option<Offer> {
        if !self.goes_directly() {
            return None;
        }
        let blob = file.blob;
        let offer = self.0.brain.view(move |engine, kv| engine.offer(kv, blob)).await.ok().flatten();
        offer.filter(|offer| offer.until > env::now_s())
    }

    /// A part from whoever sent it. None: it is to be had elsewhere, and so is the rest.
    pub(super) async fn part_of(&self, offer: &Offer, part: u32) -> Option<Vec<u8>> {
        for _ in 0..limits::DIRECT_BUSY {
            match self.ask(offer, Wanted::Part(part)).await? {
                Response::Part(bytes) => return Some(bytes),
                Response::Busy => tokio::time::sleep(limits::DIRECT_BUSY_PAUSE).await,
                Response::Refused | Response::Noted => return None,
            }
        }
        None
    }

    /// Tells whoever sent a file that it is here. Who isn't told brings it to the relay, to nobody's harm.
    pub(super) async fn has_all(&self, offer: &Offer) {
        if self.ask(offer, Wanted::Nothing).await != Some(Response::Noted) {
            tracing::debug!("whoever sent a file didn't hear that it came");
        }
    }

    async fn ask(&self, offer: &Offer, wanted: Wanted) -> Option<Response> {
        let (answer, answered) = oneshot::channel();
        let request = Request { blob: offer.blob, secret: offer.secret, wanted };
        let ask = Ask { peer: offer.peer, addresses: offer.addresses.clone(), request, answer };
        self.0.direct.asks.send(ask).await.ok()?;
        answered.await.ok()
    }

    fn serving(&self) -> std::sync::MutexGuard<'_, HashMap<BlobId, Serving>> {
        self.0.direct.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody may have what they want: the size of that file, and where to note how far they are.
fn allowed(serving: &HashMap<BlobId, Serving>, request: &Request) -> Option<(u64, watch::Sender<Far>)> {
    let offered = serving.get(&request.blob).filter(|s| same(&s.secret, &request.secret))?;
    let there = match request.wanted {
        Wanted::Nothing => true,
        Wanted::Part(part) => part < blob::parts(offered.size),
    };
    there.then(|| (offered.size, offered.far.clone()))
}

/// Compared in a time that tells nothing.
fn same(a: &OfferSecret, b: &OfferSecret) -> bool {
    a.0.iter().zip(&b.0).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_offered_is_given_to_whom_it_was_offered() {
        let serving = |size| Serving { secret: OfferSecret([2; 32]), size, far: watch::Sender::default() };
        let size = blob::sealed(700_000);
        let offered = HashMap::from([(BlobId([1; 32]), serving(size))]);
        let may = |blob: u8, secret: [u8; 32], wanted| {
            allowed(&offered, &Request { blob: BlobId([blob; 32]), secret: OfferSecret(secret), wanted }).is_some()
        };
        let right = [2; 32];
        assert!((0..blob::parts(size)).all(|part| may(1, right, Wanted::Part(part))) && may(1, right, Wanted::Nothing));
        for part in [blob::parts(size), u32::MAX] {
            assert!(!may(1, right, Wanted::Part(part)), "no such part: {part}");
        }
        assert!(!may(3, right, Wanted::Part(0)), "another file");
        for byte in 0..32 {
            let mut wrong = right;
            wrong[byte] ^= 1;
            assert!(!may(1, wrong, Wanted::Part(0)) && !may(1, wrong, Wanted::Nothing), "another secret");
        }
    }
}
