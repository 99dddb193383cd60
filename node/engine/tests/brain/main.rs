//! The engine seen through its own door: inputs in, effects and views out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the people of these tests are part of the tests")]
#![allow(clippy::let_underscore_must_use, reason = "here effects are looked at only where they matter")]

mod backup;
mod binding;
mod circle;
mod content;
mod directory;
mod disappearing;
mod doors;
mod files;
mod first_contact;
mod forge;
mod healing;
mod history;
mod outbox;
mod poison;
mod receipts;
mod rig;
mod room_content;
mod rooms;
mod sending;
mod standing;
mod stock;
mod traitors;
mod trust;
mod typing;
