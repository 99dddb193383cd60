//! People, worlds and stories: the proofs that cross crates.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

pub mod canary;
pub mod process;
