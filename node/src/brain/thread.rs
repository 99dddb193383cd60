//! The thread's loop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::Sender;

use super::Outcome;
use super::feed::Feed;
use super::inside::Inside;
use crate::limits;

/// Says that the work is done, after its outcome is on its way.
pub(super) type Done = Box<dyn FnOnce() + Send>;

/// Work between transactions: what it committed, and how to tell that it is done.
pub(super) type Work = Box<dyn FnOnce(&mut Inside) -> (Option<Outcome>, Done) + Send>;

/// What the thread is asked to do.
pub(super) enum Job {
    /// An input; shares its transaction with others that wait.
    Feed(Feed),
    /// Anything else.
    Run(Work),
    /// To end.
    Stop,
}

pub(super) fn run(mut inside: Inside, jobs: &Receiver<Job>, outcomes: &Sender<Outcome>) {
    let mut next = None;
    while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
        match job {
            Job::Stop => break,
            Job::Run(work) => {
                // A panic drops the answer, which the caller notices; the thread goes on.
                let Ok((outcome, done)) = catch_unwind(AssertUnwindSafe(|| work(&mut inside))) else {
                    tracing::error!("a question to the store panicked; please report this");
                    inside.forget_engine();
                    continue;
                };
                if let Some(outcome) = outcome {
                    hand_out(outcomes, outcome);
                }
                done();
            }
            Job::Feed(first) => {
                let mut weight = first.envelopes();
                let mut batch = vec![first];
                while batch.len() < limits::BATCH && weight < limits::BATCH_ENVELOPES {
                    match jobs.try_recv() {
                        Ok(Job::Feed(feed)) => {
                            weight += feed.envelopes();
                            batch.push(feed);
                        }
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                hand_out(outcomes, inside.digest(batch));
            }
        }
    }
}

fn hand_out(outcomes: &Sender<Outcome>, outcome: Outcome) {
    if outcomes.blocking_send(outcome).is_err() {
        // The driver is gone; the outbox performs these at the next start.
        tracing::debug!("effects of the last moments wait for the next start");
    }
}
