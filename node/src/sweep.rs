//! Overwrites what calls that returned have left on the stacks of threads that go on living (P21).
//!
//! What is freed from the heap is overwritten by the allocator of the programs; a stack isn't freed. While a node of this
//! process is locked, each thread of a [`runtime`] sweeps its stack whenever it goes idle, and threads that end always do.

use std::cell::Cell;
use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::limits;

/// Locked nodes of this process.
static LOCKED: AtomicUsize = AtomicUsize::new(0);
/// How often one was locked.
static ROUND: AtomicUsize = AtomicUsize::new(0);
/// Threads that have swept since then.
static SWEPT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread is one of a [`runtime`].
    static OURS: Cell<bool> = const { Cell::new(false) };
    /// The last round in which this thread swept.
    static LAST: Cell<usize> = const { Cell::new(0) };
}

/// The runtime for a program with a node: one whose threads leave nothing on their stacks once the node is locked.
///
/// # Errors
/// The system refuses the threads.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(limits::STACK)
        .on_thread_start(|| OURS.set(true))
        .on_thread_park(idle)
        .on_thread_stop(stack)
        .build()
}

/// For as long as a node is locked.
#[derive(Debug)]
pub(crate) struct Sweeping(());

impl Sweeping {
    /// Begins, and waits until no thread is left that has slept since before. In a runtime that isn't ours nobody would.
    pub(crate) async fn begin() -> Self {
        SWEPT.store(0, Ordering::SeqCst);
        ROUND.fetch_add(1, Ordering::SeqCst);
        LOCKED.fetch_add(1, Ordering::SeqCst);
        let this = Self(());
        if !OURS.get() {
            return this;
        }
        let threads = Handle::current().metrics().num_workers();
        for _ in 0..limits::SWEEPS {
            if SWEPT.load(Ordering::SeqCst) >= threads {
                return this;
            }
            // As many as keep each thread busy for a moment: they are woken, and go idle again.
            for _ in 0..threads {
                tokio::spawn(async { std::thread::sleep(Duration::from_millis(1)) });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tracing::warn!("a thread was busy all the while; it sweeps when it goes idle");
        this
    }
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        LOCKED.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A thread goes idle.
fn idle() {
    if LOCKED.load(Ordering::SeqCst) == 0 {
        return;
    }
    stack();
    let round = ROUND.load(Ordering::SeqCst);
    if LAST.replace(round) != round {
        SWEPT.fetch_add(1, Ordering::SeqCst);
    }
}

/// Overwrites the calling thread's stack below the caller.
pub(crate) fn stack() {
    #[cfg(feature = "sabotage")]
    if crate::store::asked_for("keep-the-stacks") {
        return;
    }
    overwrite();
}

/// In one frame: between several there would be gaps.
#[inline(never)]
fn overwrite() {
    let mut frame = [0_u8; limits::SWEPT];
    // Seen by nobody, which the compiler may not know.
    black_box(&mut frame);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_swept_once_a_node_is_locked() {
        runtime().unwrap().block_on(async {
            let threads = Handle::current().metrics().num_workers();
            let sweeping = tokio::spawn(Sweeping::begin()).await.unwrap();
            assert!(SWEPT.load(Ordering::SeqCst) >= threads);
            drop(sweeping);
        });
    }
}
