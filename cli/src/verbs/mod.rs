//! One file a verb. Each takes a door, its arguments and a place to print; none knows terminals or the environment.

pub mod account;
pub mod backup;
pub mod completions;
pub mod contacts;
pub mod deeds;
pub mod devices;
pub mod doctor;
pub mod events;
pub mod export;
pub mod files;
pub mod groups;
pub mod handover;
pub mod history;
pub mod links;
pub mod phrase;
pub mod recv;
pub mod search;
pub mod send;
pub mod sessions;
pub mod status;
pub mod vault;
pub mod verify;
