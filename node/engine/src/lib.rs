//! The brain of a LiveChat node: sans-io, deterministic, no clock, no dice (DESIGN §9).
//!
//! **How to call it.** [`Engine::handle`] with one [`Input`] and a transaction; then commit the transaction; then
//! perform the [`Effects`]. After an error or a failed commit drop the engine and [`Engine::open`] it again: it
//! remembers nothing that the store doesn't. A crash at any point between two commits loses nothing: what was queued
//! is published again, what comes again is recognised.
//!
//! **What you may assume.** The same inputs, times and dice give the same effects and the same store. Nothing that
//! comes from outside makes [`Engine::handle`] fail: it is dealt with, kept for later, or refused and counted in
//! [`Refused`]. Everything is bounded ([`limits`]).
//!
//! **What is forbidden here.** Clock, operating-system randomness, files, network, maps with random iteration order
//! (`clippy.toml` says so too).
//!
//! **Where to start.** [`input`] and [`effects`], then the two rooms that matter: `outbox` (a payload on its way to
//! the relay) and `inbox` (an envelope on its way into the history). `first_contact` is how strangers meet.
//!
//! # The order of a history
//! - **O-1** A sender numbers its envelopes per group, epoch and leaf: 0, 1, 2 …; a payload's fragments have
//!   consecutive numbers. Tag and key of an envelope derive from its number, so the number is authenticated.
//! - **O-2** A payload is shown when every number before it was shown or given up. Until then it waits.
//! - **O-3** Waiting ends when the missing comes, or [`limits::HOLD`] after the first complete payload behind the hole
//!   arrived. Then the history keeps one place free for each missing number, and goes on.
//! - **O-4** What was given up and comes after all is put into the place kept for it. So in every history the messages
//!   of one sender stand in the order in which they were sent, however late one of them is.
//! - **O-5** When both people add each other at once, their conversation has two groups. Both are read for ever. A
//!   device writes to the one with the smaller id, but changes over only when every message that it wrote to the other
//!   one is confirmed to be on a device of the recipient: nothing sent here can overtake what was sent there.
//! - **O-6** The parents of a message are the author's own previous message and the latest message of the others. A
//!   message whose parent is unknown is shown with a gap above it, until the parent comes.
//! - **O-7** A message says in which earlier epoch its author last sent anything, and how many envelopes. It is shown
//!   when those were shown or given up: waiting for them ends like any other (O-3). So what is said under new keys
//!   doesn't overtake what was said under old ones.

pub mod backup;
mod clock;
mod contacts;
mod content;
mod devices;
mod directory;
pub mod effects;
pub mod errors;
mod first_contact;
mod groups;
mod inbox;
pub mod input;
mod keys;
pub mod limits;
mod membership;
mod outbox;
mod pool;
mod receipts;
mod records;
mod send;
mod stream;
pub mod tables;
mod tags;
mod timeline;
mod trust;
mod turn;
pub mod view;
mod views;

use std::collections::BTreeMap;

use livechat_crypto::identity::Identity;
use livechat_crypto::kv::Kv;
use livechat_crypto::mls::GroupId;
use livechat_wire::account::AccountLog;
use livechat_wire::sync::Cursor;
use livechat_wire::{AccountId, ConversationId, DeviceId, RelayId, Tag};
use rand_core::CryptoRng;

pub use content::FileOf;
pub use content::passages::{Passage, Place, each_passage, passage, place_of};
pub use devices::Left;
pub use effects::{Append, Effects, Event, Fetch, FileChore, Lookup, Reply, Upload};
pub use errors::{CommandError, HandleError, OpenError, StoreError, ViewError};
pub use input::{Command, CommandId, FileFailure, Input, LookupFailure, LookupId, Now, Secret};

use crate::clock::Clock;
use crate::directory::Lookups;
use crate::first_contact::Hellos;
use crate::groups::{Group, StreamKey};
use crate::membership::Rooms;
use crate::outbox::Outbox;
use crate::pool::{Pool, Seen};
use crate::stream::Stream;
use crate::tables::Table;
use crate::tags::Tags;
use crate::turn::Turn;

/// The whole state of a person's device; see [the crate](crate) for how to call it.
pub struct Engine {
    me: Option<Me>,
    contacts: BTreeMap<AccountId, records::Contact>,
    conversations: BTreeMap<ConversationId, records::Conversation>,
    groups: BTreeMap<GroupId, Group>,
    streams: BTreeMap<StreamKey, Stream>,
    /// When waiting ends, for streams with a hole.
    holds: BTreeMap<StreamKey, u64>,
    tags: Tags,
    hellos: Hellos,
    pool: Pool,
    seen: Seen,
    outbox: Outbox,
    /// Conversations in which receipts are owed, and when to send them; none until the dice are at hand.
    owed: BTreeMap<ConversationId, Option<u64>>,
    lookups: Lookups,
    content: content::State,
    devices: devices::State,
    cursors: BTreeMap<RelayId, Cursor>,
    rooms: Rooms,
    clock: Clock,
    refused: Refused,
    #[cfg(feature = "sabotage")]
    sabotage: Sabotage,
}

/// This account on this device.
struct Me {
    identity: Identity,
    username: String,
    relay: RelayId,
    log: AccountLog,
    bucket_bits: u8,
}

/// Who is signed up here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Name at the relay.
    pub username: String,
    /// Account id.
    pub account: AccountId,
    /// This device's id.
    pub device: DeviceId,
    /// The relay.
    pub relay: RelayId,
}

/// What was refused since the engine was opened. Counted, and nothing else happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Envelopes with an expected tag whose body doesn't authenticate.
    pub unopened: u64,
    /// Authenticated data that isn't what it should be: fragments, MLS messages, contents.
    pub malformed: u64,
    /// Messages bound to another conversation, or whose sender isn't who the group says.
    pub misbound: u64,
    /// Receipts for messages that the one who sends them can't have received.
    pub foreign_receipts: u64,
    /// Edits and deletions of messages that aren't the sender's own.
    pub foreign_changes: u64,
    /// Edits, deletions and reactions that waited for their message in vain, and gave way to newer ones.
    pub unfounded: u64,
    /// Contents of conversations that are blocked.
    pub blocked: u64,
    /// Messages that were here already, under another envelope.
    pub duplicates: u64,
    /// Introductions that don't verify.
    pub introductions: u64,
    /// Logs of our own account that contradict the one we have.
    pub own_logs: u64,
    /// Relay verdicts with a receipt that isn't one, and those of relays we don't know.
    pub verdicts: u64,
}

/// Which defence is switched off, to show that a test notices.
#[cfg(feature = "sabotage")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Sabotage {
    /// The outbox publishes once and then forgets (P6).
    pub no_retry: bool,
    /// Messages are not checked to belong to the conversation they arrive in (P4).
    pub any_conversation: bool,
    /// Edits and deletions are not checked to be the author's (P4).
    pub any_author: bool,
    /// What is said under new keys doesn't wait for what was said under old ones (P6).
    pub any_epoch_first: bool,
    /// Keys are never renewed (P13).
    pub no_renewal: bool,
    /// Nobody goes back when the relay has another order.
    pub no_rewind: bool,
}

#[cfg(all(feature = "sabotage", not(debug_assertions)))]
compile_error!("the `sabotage` feature switches defences off: it is for tests of debug builds only");

impl Engine {
    /// Builds the engine from what it committed before; from an empty store when that is nothing.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub fn open(kv: &dyn Kv) -> Result<Self, OpenError> {
        let mut engine = Self {
            me: Table::Me.get(kv, &[])?.map(Me::from_record).transpose()?,
            contacts: BTreeMap::new(),
            conversations: BTreeMap::new(),
            groups: BTreeMap::new(),
            streams: BTreeMap::new(),
            holds: BTreeMap::new(),
            tags: Tags::default(),
            hellos: Hellos::default(),
            pool: Pool::open(kv)?,
            seen: Seen::open(kv)?,
            outbox: Outbox::open(kv)?,
            owed: BTreeMap::new(),
            lookups: Lookups::default(),
            content: content::State::default(),
            devices: devices::State::default(),
            cursors: BTreeMap::new(),
            rooms: Rooms::default(),
            clock: Table::Clock.get(kv, &[])?.unwrap_or_default(),
            refused: Refused::default(),
            #[cfg(feature = "sabotage")]
            sabotage: Sabotage::default(),
        };
        engine.open_contacts(kv)?;
        engine.open_groups(kv)?;
        engine.open_rooms(kv)?;
        engine.open_devices(kv)?;
        engine.open_hellos(kv)?;
        engine.open_content(kv)?;
        engine.open_owed(kv)?;
        Table::Cursors.each(kv, |key, cursor| {
            engine.cursors.insert(RelayId(Table::Cursors.id(key, 0)?), cursor);
            Ok(())
        })?;
        Ok(engine)
    }

    /// Deals with one input. Call, then commit `tx`, then perform the effects.
    ///
    /// # Errors
    /// The store fails, or contradicts itself. Drop the engine and the transaction; nothing happened.
    pub fn handle(
        &mut self,
        now: Now,
        rng: &mut dyn CryptoRng,
        input: Input,
        tx: &mut dyn Kv,
    ) -> Result<Effects, HandleError> {
        let clock = self.clock.advance(now.0);
        let mut turn = Turn::new(now.0, clock, rng, tx);
        match input {
            Input::Activate { identity, username, relay, log, bucket_bits } => {
                self.activate(&mut turn, Me { identity: *identity, username, relay, log, bucket_bits })?;
            }
            Input::Command { id, command } => self.command(&mut turn, id, command)?,
            Input::Gossip(envelope) => turn.work.push_back(envelope),
            Input::Page { relay, envelopes, cursor } => self.page(&mut turn, relay, envelopes, cursor)?,
            Input::Verdicts { relay, verdicts } => self.verdicts(&mut turn, relay, verdicts)?,
            Input::Directory { lookup, answer } => self.directory(&mut turn, lookup, answer)?,
            Input::Stock(stock) => self.stock(&mut turn, &stock)?,
            Input::OwnLog(log) => self.own_log(&mut turn, &log).map(|_| ())?,
            Input::Appended { slot, answer } => self.appended(&mut turn, slot, answer)?,
            Input::Slot { slot, from, answer } => self.slot_read(&mut turn, slot, from, answer)?,
            Input::Uploaded { blob, answer } => self.uploaded(&mut turn, blob, answer)?,
            Input::Fetched { blob, answer } => self.fetched(&mut turn, blob, answer)?,
            Input::Relay { online } => {
                self.outbox.relay(&mut turn, online);
                if online {
                    self.rooms.online();
                    self.devices.online();
                    self.spread_renewals(&mut turn);
                }
            }
            Input::Timer => {}
        }
        self.finish(turn)
    }

    /// The secrets of this device.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.me.as_ref().map(|me| &me.identity)
    }

    /// Who is signed up here.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        self.me.as_ref().map(|me| Account {
            username: me.username.clone(),
            account: me.identity.account(),
            device: me.identity.device(),
            relay: me.relay,
        })
    }

    /// The bucket this device reads; 0 while nobody is signed up.
    #[must_use]
    pub fn bucket(&self) -> u16 {
        self.me.as_ref().map_or(0, |me| me.identity.bundle(0).bucket(me.bucket_bits))
    }

    /// Where reading at `relay` goes on.
    #[must_use]
    pub fn cursor(&self, relay: RelayId) -> Cursor {
        self.cursors.get(&relay).cloned().unwrap_or_default()
    }

    /// Whether an envelope with this tag is for us, as far as is known before it comes. For worlds of many people, in
    /// which handing everything to everybody is nearly all of the work.
    #[must_use]
    pub fn expects(&self, tag: Tag) -> bool {
        self.tags.get(&tag).is_some()
    }

    /// Own messages that no relay has accepted yet.
    #[must_use]
    pub fn queued(&self) -> u32 {
        self.outbox.messages()
    }

    /// Unix milliseconds at which [`Input::Timer`] is wanted next.
    #[must_use]
    pub fn wake_at(&self) -> Option<u64> {
        if self.is_removed() {
            return None;
        }
        let dues = [
            self.outbox.wake(),
            self.holds.values().min().copied(),
            self.owed.values().map(|due| due.unwrap_or(0)).min(),
            self.rooms.wake(self.outbox.is_online()),
            self.content.wake(),
            self.devices.wake(self.outbox.is_online()),
            self.deputy_wake(),
            self.rooms.files_wake().filter(|_| self.outbox.is_online()),
            self.confirm_wake().filter(|_| self.outbox.is_online()),
        ];
        let due = dues.into_iter().flatten().min().map(|due| self.clock.wall_at(due));
        due.into_iter().chain(self.content.wake_wall()).chain(self.renewal_wake()).min()
    }

    /// What was refused since [`Engine::open`].
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.refused
    }

    /// Switches defences off.
    #[cfg(feature = "sabotage")]
    pub fn sabotage(&mut self, sabotage: Sabotage) {
        self.sabotage = sabotage;
    }
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine")
            .field("account", &self.account())
            .field("contacts", &self.contacts.len())
            .field("outbox", &self.outbox.len())
            .finish_non_exhaustive()
    }
}
