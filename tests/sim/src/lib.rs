//! A world in which the engine runs with real keys and a real MLS library, but time, network, relay and disks are
//! ours: seeded, repeatable, as cruel as wanted (DESIGN §10).
//!
//! ```no_run
//! # use livechat_sim::{World, secs};
//! let mut world = World::of(&["alice", "bob"], 1);
//! world.person("alice").adds("bob");
//! world.run_for(secs(5));
//! world.person("alice").says("hi").to("bob");
//! world.run_for(secs(5));
//! println!("{}", world.timeline("bob"));
//! ```
//!
//! - [`World`] owns the time and the queue of what happens when. It is the one loop: input → engine → commit → effects.
//! - A person is an engine, a committed store (a clone of it is a snapshot), dice and a clock of their own. A crash
//!   drops the engine, before the commit or between commit and effects; a restart opens it from the committed store.
//! - [`relay::Relay`] signs receipts with a real key, numbers envelopes in two origins, hands out KeyPackages once.
//! - [`crowd`] makes worlds of hundreds bearable, and writes down what the relay sees.
//! - [`rogue::Rogue`] is somebody whose machine runs another program, with all the keys that it has.
//! - [`Faults`] says what happens to everything on its way; [`World::heal`] ends all of it.
//!
//! Run tests in [`on_big_stack`]: unoptimised OpenMLS needs it.

#![allow(clippy::panic, reason = "a world that is out of joint ends the test that asked for it")]

pub mod base;
pub mod crowd;
mod devices;
pub mod faults;
pub mod group_schedule;
mod look;
pub mod person;
pub mod relay;
pub mod rogue;
pub mod schedule;
pub mod story;
mod way;
mod wish;
pub mod world;

pub use faults::Faults;
pub use world::World;

/// Milliseconds of so many seconds.
#[must_use]
pub const fn secs(n: u64) -> u64 {
    n * 1_000
}

/// Milliseconds of so many minutes.
#[must_use]
pub const fn mins(n: u64) -> u64 {
    n * 60_000
}

/// Runs a test where there is room for unoptimised OpenMLS, and passes its panic on.
///
/// # Panics
/// When the test does.
pub fn on_big_stack<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(livechat_crypto::limits::MLS_STACK).spawn(test);
    match thread.expect("a thread").join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// A number from the environment.
#[must_use]
pub fn environment_number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|v| v.parse().ok())
}

/// Plays each seed, `LIVECHAT_SIM_SEED` alone or `LIVECHAT_SIM_SEEDS` (else `count`) of them, and passes a panic on.
///
/// # Panics
/// When a play does.
pub fn each_seed(count: u64, play: fn(u64)) {
    let seeds = match environment_number("LIVECHAT_SIM_SEED") {
        Some(one) => one..one + 1,
        None => 0..environment_number("LIVECHAT_SIM_SEEDS").unwrap_or(count),
    };
    // Two at a time, as many as this kind of machine has cores.
    let halves: Vec<_> = [0, 1]
        .into_iter()
        .map(|half| {
            let seeds = seeds.clone();
            std::thread::spawn(move || on_big_stack(move || seeds.filter(|s| s % 2 == half).for_each(play)))
        })
        .collect();
    for half in halves {
        if let Err(panic) = half.join() {
            std::panic::resume_unwind(panic);
        }
    }
}
