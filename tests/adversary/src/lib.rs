//! The adversary (docs/PRIVACY.md): how well a relay that writes everything down can say who talks to whom.
//!
//! - [`workload`]: what people do; the same for every design.
//! - [`designs`], [`ours`]: what a relay sees of it, in designs to compare with and in ours, played by the real engine.
//! - [`view`]: what was seen; what a design hides is absent.
//! - [`attacks`], [`score`]: what is made of it, and how true that is.
//! - [`report`]: the table.
//!
//! A new design is a function from a workload to a view; a new attack is one from a view to scores.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "statistics over counts and moments far below 2^53"
)]

pub mod attacks;
pub mod designs;
pub mod dice;
pub mod ours;
pub mod report;
pub mod score;
pub mod view;
pub mod workload;
