//! The answering side of `/livechat/sync/1` (R-20 … …).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use libp2p::PeerId;
use livechat_net::gossip::{Reason, Verdict as Judged, judge};
use livechat_wire::envelope::epoch_at;
use livechat_wire::order::{self, Entry, SealedCommit};
use livechat_wire::receipt::Receipt;
use livechat_wire::sync::{Cursor, Refusal, Request, Response, Verdict};
use livechat_wire::{Envelope, EnvelopeId, RelayId, SlotId, limits as wire};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ingest::Ingest;
use super::limits;
use super::metrics::{Metrics, SyncOutcome, SyncRequest};
use super::quota::{Place, Places, Quotas};
use super::task::Outgoing;
use crate::env::Env;
use crate::store::StoreError;
use crate::store::envelopes::{EnvelopeStore, Page, Stored};
use crate::store::slots::{AppendError, Kept, Placed, ReadError, SlotStore};

/// Everything an answer needs.
pub(super) struct Server {
    pub store: Arc<dyn EnvelopeStore>,
    pub slots: Arc<dyn SlotStore>,
    pub ingest: Ingest,
    pub quotas: Quotas,
    pub waiting: Places,
    pub pages: Places,
    pub signing: SigningKey,
    pub env: Env,
    pub bucket_bits: u8,
    pub metrics: Metrics,
    pub outgoing: mpsc::Sender<Outgoing>,
    pub stop: CancellationToken,
}

impl Server {
    /// Answers one request. The place is for the page in the answer, to be kept until that has left.
    pub(super) async fn answer(&self, peer: PeerId, request: Request) -> (Response, Option<Place>) {
        let (kind, weight) = match &request {
            Request::Fetch { .. } => (SyncRequest::Fetch, 1),
            Request::Deposit { .. } => (SyncRequest::Deposit, 1),
            Request::Present { ids } => (SyncRequest::Present, 1 + ids.len() / limits::PRESENT_IDS_PER_REQUEST),
            Request::Append { .. } => (SyncRequest::Append, 1),
            Request::Slot { .. } => (SyncRequest::Slot, 1),
            _ => (SyncRequest::Malformed, 1),
        };
        let weight = u32::try_from(weight).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX);
        let answered = if self.quotas.request(&peer, weight) {
            match request {
                Request::Fetch { bucket, cursor, wait_ms } => {
                    self.fetch(peer, bucket, cursor, Duration::from_millis(wait_ms.into())).await
                }
                Request::Deposit { envelopes } => self.deposit(peer, envelopes).await.map(|r| (r, None)),
                Request::Present { ids } => self.present(ids).await.map(|r| (r, None)),
                Request::Append { slot, commit } => self.append(peer, slot, commit).await.map(|r| (r, None)),
                Request::Slot { slot, from } => self.slot(peer, slot, from).await,
                _ => Err(Refusal::NotServed),
            }
        } else {
            Err(Refusal::Busy)
        };
        let outcome = if answered.is_ok() { SyncOutcome::Answered } else { SyncOutcome::Refused };
        self.metrics.sync(kind, outcome);
        answered.unwrap_or_else(|why| (Response::Refused(why), None))
    }

    /// Whether this layout has the bucket.
    pub(super) fn serves(&self, bucket: u16) -> bool {
        u32::from(bucket) >> self.bucket_bits == 0
    }

    async fn fetch(
        &self,
        peer: PeerId,
        bucket: u16,
        mut cursor: Cursor,
        wait: Duration,
    ) -> Result<(Response, Option<Place>), Refusal> {
        if !self.serves(bucket) {
            return Err(Refusal::NotServed);
        }
        let deadline = Instant::now() + wait.min(wire::LONG_POLL);
        let mut changes = self.store.changes();
        let mut waiting = None;
        loop {
            // Marked as seen before the read: what comes during it wakes us.
            changes.borrow_and_update();
            let place = self.pages.wait(peer, limits::PAGE_PATIENCE).await.ok_or(Refusal::Busy)?;
            let page = self.store.fetch(bucket, &cursor, wire::PAGE_ENVELOPES).await.map_err(unavailable)?;
            let something = !page.envelopes.is_empty() || page.more;
            let Page { envelopes, cursor: next, more } = page;
            if !something && Instant::now() < deadline && !self.stop.is_cancelled() {
                waiting = waiting.or_else(|| self.waiting.take(peer));
            } else {
                waiting = None;
            }
            if waiting.is_none() {
                return Ok((Response::Page { cursor: next, envelopes, more }, Some(place)));
            }
            drop(place);
            cursor = next;
            tokio::select! {
                // The store outlives us; should its sender go, the deadline ends the wait.
                Ok(()) = changes.changed() => tokio::time::sleep(limits::WAKE_DELAY).await,
                () = tokio::time::sleep_until(deadline) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    async fn deposit(&self, peer: PeerId, envelopes: Vec<Envelope>) -> Result<Response, Refusal> {
        if envelopes.is_empty() || envelopes.len() > wire::DEPOSIT {
            return Err(Refusal::Malformed);
        }
        if !self.quotas.deposit(&peer, envelopes.len()) {
            return Err(Refusal::Busy);
        }
        let now = epoch_at(self.env.now());
        let judged: Vec<_> = envelopes.iter().map(|e| (e.id(), self.admit(e, now))).collect();
        let known = self.stale_but_kept(&judged).await?;
        let new: Vec<_> =
            envelopes.iter().zip(&judged).filter(|(_, (_, j))| j.is_ok()).map(|(e, _)| e.clone()).collect();
        let stored = if new.is_empty() { Ok(vec![]) } else { self.ingest.submit(new.clone()).await };
        if stored.is_ok() {
            for envelope in new {
                // On to everyone who is here now. Whom this doesn't reach fetches.
                drop(self.outgoing.try_send(Outgoing::Publish(envelope)));
            }
        }
        let mut stored = stored.map(Vec::into_iter);
        let mut known = known.into_iter();
        let verdict = |(_, judged): &(EnvelopeId, Result<(), Refusal>)| match (judged, &mut stored) {
            (Ok(()), Ok(stored)) => self.verdict(stored.next()),
            (Ok(()), Err(why)) => Verdict::Refused(*why),
            (Err(Refusal::Stale), _) => match known.next().flatten() {
                Some(kept) => self.verdict(Some(kept)),
                None => Verdict::Refused(Refusal::Stale),
            },
            (Err(why), _) => Verdict::Refused(*why),
        };
        Ok(Response::Verdicts(judged.iter().map(verdict).collect()))
    }

    /// Whether an envelope may be stored: judged like a gossiped one, and not ephemeral.
    fn admit(&self, envelope: &Envelope, now: u32) -> Result<(), Refusal> {
        if envelope.is_ephemeral() {
            return Err(Refusal::NotServed);
        }
        match judge(envelope.as_bytes(), now, |bucket| self.serves(bucket)) {
            Judged::Accept(_) => Ok(()),
            Judged::Ignore(Reason::Stale) => Err(Refusal::Stale),
            Judged::Ignore(_) => Err(Refusal::NotServed),
            Judged::Reject(_) => Err(Refusal::Malformed),
        }
    }

    /// A sender who didn't hear our receipt asks again, perhaps when the envelope is stale: what is kept is kept.
    async fn stale_but_kept(
        &self,
        judged: &[(EnvelopeId, Result<(), Refusal>)],
    ) -> Result<Vec<Option<Stored>>, Refusal> {
        let stale: Vec<_> = judged.iter().filter(|(_, j)| *j == Err(Refusal::Stale)).map(|(id, _)| *id).collect();
        if stale.is_empty() {
            return Ok(vec![]);
        }
        self.store.present(stale).await.map_err(unavailable)
    }

    async fn present(&self, ids: Vec<EnvelopeId>) -> Result<Response, Refusal> {
        if ids.is_empty() {
            return Err(Refusal::Malformed);
        }
        let told = self.store.present(ids).await.map_err(unavailable)?;
        Ok(Response::Verdicts(told.into_iter().map(|stored| self.verdict(stored)).collect()))
    }

    async fn append(&self, peer: PeerId, slot: SlotId, commit: SealedCommit) -> Result<Response, Refusal> {
        // One quota for all that a peer makes us keep: a commit costs as much as the envelopes that fill its room.
        if !self.quotas.deposit(&peer, commit.as_bytes().len().div_ceil(wire::ENVELOPE)) {
            return Err(Refusal::Busy);
        }
        let hash = commit.hash();
        match self.slots.append(slot, commit, self.env.now()).await {
            Ok(placed) => {
                self.metrics.appended.inc();
                Ok(Response::Appended(Box::new(self.receipt(slot, placed, hash))))
            }
            Err(AppendError::Full) => Err(Refusal::Full),
            Err(AppendError::Store(why)) => {
                self.metrics.store_failures.inc();
                Err(unavailable(why))
            }
        }
    }

    async fn slot(&self, peer: PeerId, slot: SlotId, from: u32) -> Result<(Response, Option<Place>), Refusal> {
        // An answer is as large as a page, and waits for its reader like one.
        let place = self.pages.wait(peer, limits::PAGE_PATIENCE).await.ok_or(Refusal::Busy)?;
        let stretch = self.slots.entries(slot, from).await.map_err(|why| match why {
            ReadError::Expired => Refusal::Stale,
            ReadError::Store(why) => unavailable(why),
        })?;
        let entry =
            |kept: Kept| Entry { receipt: self.receipt(slot, kept.placed, kept.commit.hash()), commit: kept.commit };
        let entries = stretch.entries.into_iter().map(entry).collect();
        Ok((Response::Entries { entries, more: stretch.more }, Some(place)))
    }

    /// Only what the store says is durable gets a receipt. Signing is deterministic: the same place gets the same
    /// receipt, from whichever process.
    fn receipt(&self, slot: SlotId, placed: Placed, hash: [u8; 32]) -> order::Receipt {
        let sequencer = self.signing.verifying_key().to_bytes();
        let sign = |m: &[u8]| self.signing.sign(m).to_bytes();
        order::Receipt::sign(slot, placed.index, hash, placed.time, sequencer, sign)
    }

    /// Only what the store says is durable gets a receipt.
    fn verdict(&self, stored: Option<Stored>) -> Verdict {
        let Some(s) = stored else { return Verdict::Absent };
        let relay = RelayId(self.signing.verifying_key().to_bytes());
        let sign = |m: &[u8]| self.signing.sign(m).to_bytes();
        Verdict::Kept(Box::new(Receipt::sign(s.id, relay, s.origin, s.sequence, s.time, sign)))
    }
}

fn unavailable(why: StoreError) -> Refusal {
    tracing::warn!(error = %why, "the store failed to answer");
    Refusal::Unavailable
}
