//! The one writer: whatever is to be stored goes through it, in batches that grow with the load.
//!
//! While one batch is being committed the next gathers; when nothing waits, a lone envelope is committed at once. One
//! writer per origin, one commit after the other: that is what makes numbers visible in their order.

use std::sync::Arc;
use std::time::Duration;

use livechat_wire::Envelope;
use livechat_wire::sync::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::limits;
use super::metrics::Metrics;
use crate::env::Env;
use crate::store::envelopes::{DepositError, EnvelopeStore, LeaseError, Origin, Stored, limits::LEASE};

/// Hands envelopes to the writer. The writer ends when the last handle is gone and the queue is empty.
#[derive(Clone)]
pub(super) struct Ingest {
    jobs: mpsc::UnboundedSender<Job>,
    /// Bounds the queue, counted in envelopes.
    room: Arc<Semaphore>,
    metrics: Metrics,
}

struct Job {
    envelopes: Vec<Envelope>,
    /// Nobody waits for what came by gossip.
    tell: Option<oneshot::Sender<Result<Vec<Stored>, Refusal>>>,
    _room: OwnedSemaphorePermit,
}

impl Ingest {
    pub(super) fn start(store: Arc<dyn EnvelopeStore>, env: Env, metrics: Metrics) -> (Self, JoinHandle<()>) {
        let (jobs, queue) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(limits::INGEST_QUEUE as usize));
        let writer = Writer { store, env, metrics: metrics.clone(), queue, origin: None, failed_at: None };
        (Self { jobs, room, metrics }, tokio::spawn(writer.run()))
    }

    /// Stores what gossip brought, if there is room. If not, its sender will find it absent and deposit it.
    pub(super) fn offer(&self, envelope: Envelope) {
        let taken = limits::INGEST_QUEUE as usize - self.room.available_permits();
        let room =
            if taken < limits::INGEST_GOSSIP as usize { self.room.clone().try_acquire_owned().ok() } else { None };
        let queued = room.map(|room| self.jobs.send(Job { envelopes: vec![envelope], tell: None, _room: room }));
        if !matches!(queued, Some(Ok(()))) {
            self.metrics.gossip_dropped.inc();
        }
    }

    /// Stores a deposit; durable when it returns.
    pub(super) async fn submit(&self, envelopes: Vec<Envelope>) -> Result<Vec<Stored>, Refusal> {
        let n = u32::try_from(envelopes.len()).map_err(|_| Refusal::Busy)?;
        let room = self.room.clone().try_acquire_many_owned(n).map_err(|_| Refusal::Busy)?;
        let (tell, told) = oneshot::channel();
        let job = Job { envelopes, tell: Some(tell), _room: room };
        self.jobs.send(job).map_err(|_| Refusal::Unavailable)?;
        told.await.map_err(|_| Refusal::Unavailable)?
    }
}

struct Writer {
    store: Arc<dyn EnvelopeStore>,
    env: Env,
    metrics: Metrics,
    queue: mpsc::UnboundedReceiver<Job>,
    origin: Option<Origin>,
    /// When an origin couldn't be leased last.
    failed_at: Option<Instant>,
}

impl Writer {
    async fn run(mut self) {
        let renewal = Duration::from_secs(LEASE / 3);
        loop {
            match tokio::time::timeout(renewal, self.queue.recv()).await {
                Ok(Some(first)) => self.batch(first).await,
                Ok(None) => break,
                Err(_idle) => self.renew().await,
            }
        }
        if let Some(origin) = self.origin.take()
            && let Err(e) = self.store.release_origin(origin).await
        {
            tracing::info!(error = %e, "the origin stays leased until its time is up");
        }
    }

    async fn batch(&mut self, first: Job) {
        let mut jobs = vec![first];
        let mut n = jobs[0].envelopes.len();
        while n < limits::INGEST_BATCH
            && let Ok(job) = self.queue.try_recv()
        {
            n += job.envelopes.len();
            jobs.push(job);
        }
        let mut envelopes = Vec::with_capacity(n);
        let counts: Vec<_> = jobs
            .iter_mut()
            .map(|job| {
                let before = envelopes.len();
                envelopes.append(&mut job.envelopes);
                envelopes.len() - before
            })
            .collect();
        match self.commit(envelopes).await {
            Ok(stored) => {
                self.metrics.stored.inc_by(stored.len() as u64);
                let mut stored = stored.into_iter();
                for (job, n) in jobs.into_iter().zip(counts) {
                    answer(job, Ok(stored.by_ref().take(n).collect()));
                }
            }
            Err(refusal) => {
                for (job, n) in jobs.into_iter().zip(counts) {
                    if job.tell.is_none() {
                        self.metrics.gossip_dropped.inc_by(n as u64);
                    }
                    answer(job, Err(refusal));
                }
            }
        }
    }

    async fn commit(&mut self, envelopes: Vec<Envelope>) -> Result<Vec<Stored>, Refusal> {
        let origin = self.origin().await.ok_or(Refusal::Unavailable)?;
        let n = envelopes.len();
        let why = match self.store.deposit(origin, envelopes, self.env.now()).await {
            Ok(stored) if stored.len() == n => return Ok(stored),
            Ok(_) => return Err(Refusal::Unavailable),
            // The clock jumped by a day since they were found fresh.
            Err(DepositError::Epoch) => return Err(Refusal::Stale),
            Err(e) => e,
        };
        if matches!(why, DepositError::Fenced) {
            self.origin = None;
        }
        self.metrics.store_failures.inc();
        tracing::warn!(error = %why, envelopes = n, "a batch could not be stored; its senders will try again");
        Err(Refusal::Unavailable)
    }

    async fn origin(&mut self) -> Option<Origin> {
        if self.origin.is_some() {
            return self.origin;
        }
        if self.failed_at.is_some_and(|at| at.elapsed() < limits::LEASE_RETRY) {
            return None;
        }
        let leased = match self.env.random() {
            Ok(fresh) => self.store.lease_origin(u64::from_be_bytes(fresh), self.env.now()).await,
            Err(_) => Err(LeaseError::TooMany),
        };
        match leased {
            Ok(origin) => {
                self.failed_at = None;
                self.origin = Some(origin);
            }
            Err(e) => {
                tracing::warn!(error = %e, "no origin to number envelopes with; trying again");
                self.failed_at = Some(Instant::now());
            }
        }
        self.origin
    }

    async fn renew(&mut self) {
        let Some(origin) = self.origin else { return };
        match self.store.renew_origin(origin, self.env.now()).await {
            Ok(()) => {}
            Err(DepositError::Fenced) => self.origin = None,
            Err(e) => tracing::warn!(error = %e, "the lease of the origin could not be renewed"),
        }
    }
}

/// Whoever asked may have gone; the envelopes are stored all the same.
fn answer(job: Job, result: Result<Vec<Stored>, Refusal>) {
    if let Some(tell) = job.tell {
        drop(tell.send(result));
    }
}
