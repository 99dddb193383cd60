//! A thread that owns a connection and answers jobs after the commit that holds them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::limits;
use crate::store::{OpenError, StoreError};

/// Tells a caller how its job ended; given the error when the transaction around it failed.
type Answer = Box<dyn FnOnce(Option<StoreError>) + Send>;
/// Runs on the thread, or is refused; says how it went and how to tell its caller.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> (Result<(), StoreError>, Answer) + Send>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each job by itself, outside of transactions.
    Read,
    /// Jobs share transactions, each within a savepoint of its own.
    Write,
}

pub(super) struct Worker {
    jobs: mpsc::Sender<Job>,
}

impl Worker {
    pub(super) fn start(db: Connection, mode: Mode) -> Result<Self, OpenError> {
        let (jobs, queue) = mpsc::channel(limits::SQLITE_QUEUE);
        let name = if mode == Mode::Write { "sqlite-writer" } else { "sqlite-reader" };
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&db, queue, mode))
            .map_err(OpenError::Thread)?;
        Ok(Self { jobs })
    }

    pub(super) async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            // A panicking job is undone, its caller hears `Stopped`, and the thread lives on.
            let result =
                db.and_then(|db| catch_unwind(AssertUnwindSafe(|| job(db))).unwrap_or(Err(StoreError::Stopped)));
            let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
            // A caller that went away needs no answer.
            let answer: Answer = Box::new(move |failed| drop(tell.send(failed.map_or(result, Err))));
            (outcome, answer)
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Stopped)?;
        told.await.map_err(|_| StoreError::Stopped)?
    }
}

fn run(db: &Connection, mut queue: mpsc::Receiver<Job>, mode: Mode) {
    while let Some(first) = queue.blocking_recv() {
        match mode {
            Mode::Read => (first(Ok(db)).1)(None),
            Mode::Write => write_batch(db, first, &mut queue),
        }
    }
}

/// Runs what is waiting in one transaction: one fsync for many callers under load, at once when idle.
fn write_batch(db: &Connection, first: Job, queue: &mut mpsc::Receiver<Job>) {
    if let Err(e) = db.execute_batch("BEGIN IMMEDIATE") {
        return (first(Err(e.into())).1)(None);
    }
    let mut answers = Vec::new();
    let mut ended = Ok(());
    let mut next = Some(first);
    while let Some(job) = next {
        let (answer, outcome) = in_savepoint(db, job);
        answers.push(answer);
        ended = outcome;
        let go_on = ended.is_ok() && answers.len() < limits::SQLITE_BATCH;
        next = if go_on { queue.try_recv().ok() } else { None };
    }
    if ended.is_ok() {
        ended = db.execute_batch("COMMIT").map_err(StoreError::from);
    }
    if ended.is_err() && !db.is_autocommit() {
        // If even this fails, the next BEGIN says so to its caller.
        drop(db.execute_batch("ROLLBACK"));
    }
    for answer in answers {
        answer(ended.clone().err());
    }
}

/// Runs one job so that its failure undoes it alone; an error returned means that the whole transaction is lost.
fn in_savepoint(db: &Connection, job: Job) -> (Answer, Result<(), StoreError>) {
    if let Err(e) = db.execute_batch("SAVEPOINT job") {
        let e = StoreError::from(e);
        return (job(Err(e.clone())).1, Err(e));
    }
    let (outcome, answer) = job(Ok(db));
    // A full disk makes SQLite roll back everything by itself.
    if db.is_autocommit() {
        return (answer, Err(outcome.err().unwrap_or(StoreError::Stopped)));
    }
    let end = if outcome.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    (answer, db.execute_batch(end).map_err(StoreError::from))
}
