//! Identity, MLS and envelope sealing: what an auditor reads first.
//!
//! What you may assume: every secret type here zeroizes on drop and prints redacted; every decoder accepts any bytes
//! and never panics; results depend on the arguments alone. What is forbidden here: clock, operating-system randomness,
//! files and network (`clippy.toml` says so too). Time is a number of Unix seconds, randomness a [`Dice`], storage a
//! [`kv::Kv`].
//!
//! Where to start: [`identity`] (who a person is), [`phrase`] (what gives the account back), [`vault`] (what
//! keeps the database's key), [`mls`] (conversations), [`envelope`] (what leaves the machine), [`file`] (files),
//! [`kv`] (where state is kept), [`safety_number`] (what two people read to each other).
//!
//! Unoptimised builds of OpenMLS need more stack than the 2 MiB that Rust gives a thread: call [`mls`] on a thread of
//! at least [`limits::MLS_STACK`] bytes there, as our tests do with `std::thread::Builder`. Optimised builds need
//! nothing special.

pub mod envelope;
pub mod file;
pub mod identity;
mod kem;
pub mod kv;
pub mod limits;
pub mod mls;
pub mod phrase;
mod safety;
pub mod vault;
#[cfg(test)]
mod vectors;

pub use rand_core;
pub use safety::safety_number;

/// A source of randomness that the caller owns: the system's in production, a seeded one in tests.
pub type Dice<'a> = &'a mut dyn rand_core::CryptoRng;

/// Draws `N` random bytes.
pub(crate) fn draw<const N: usize>(rng: &mut dyn rand_core::CryptoRng) -> [u8; N] {
    let mut out = [0; N];
    rng.fill_bytes(&mut out);
    out
}
