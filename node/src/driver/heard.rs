//! What comes from the swarm, and the never-ending fetch.

use livechat_wire::sync::Cursor;
use livechat_wire::{Envelope, RelayId};
use tokio::time::Instant;

use super::Driver;
use crate::brain::Feed;
use crate::limits;
use crate::swarm::Heard;

/// Where the fetch stands: one is always under way while the relay is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fetch {
    /// May ask.
    Idle,
    /// Asked, and when.
    Asked(Instant),
    /// A page is being taken over; the next fetch begins behind it.
    Digesting,
    /// Something failed.
    Pausing(Instant),
}

impl Fetch {
    pub(super) fn resumes_at(&self) -> Option<Instant> {
        match self {
            Self::Pausing(until) => Some(*until),
            _ => None,
        }
    }
}

impl Driver {
    pub(super) fn on_heard(&mut self, heard: Heard) {
        match heard {
            Heard::Gossip(envelope) => {
                // Others' buckets are only passed on. What doesn't fit comes with a page.
                if envelope.bucket() == self.parts.snapshot.bucket && self.gossip_waiting < limits::GOSSIP_WAITING {
                    self.gossip_waiting += 1;
                    self.parts.brain.feed(Feed::Gossip(envelope));
                }
            }
            Heard::Page { relay, envelopes, cursor } => self.on_page(relay, envelopes, cursor),
            Heard::FetchFailed => self.fetch = pause(),
            Heard::Verdicts { relay, verdicts } => self.parts.brain.feed(Feed::Verdicts { relay, verdicts }),
            Heard::Appended { slot, answer } => {
                self.parts.brain.feed(Feed::Appended { slot, answer: Box::new(answer) });
            }
            Heard::Slot { slot, from, answer } => self.parts.brain.feed(Feed::Slot { slot, from, answer }),
            Heard::RelayUp => {
                self.link.peer.works(None);
                self.stale = true;
                self.tend_at = Instant::now();
                self.tell_engine_relay();
                self.fetch_more();
            }
            Heard::RelayDown(reason) => {
                self.link.peer.fails(format!("The relay isn't connected: {reason}."));
                // It may have moved, or be gone for HTTP too.
                self.link.card_wanted = true;
                self.link.http.hurry();
                self.stale = true;
                self.tell_engine_relay();
            }
            Heard::Peers => self.stale = true,
            Heard::Wanted(wanted) => {
                let files = self.parts.files.clone();
                self.tasks.spawn(async move {
                    let response = files.serve(wanted.request).await;
                    super::chores::Done::Given(Box::new((wanted, response)))
                });
            }
            Heard::Places => {
                if let Some(network) = &self.network {
                    self.parts.files.reached_at(network.places());
                }
            }
        }
    }

    fn on_page(&mut self, relay: RelayId, envelopes: Vec<Envelope>, cursor: Cursor) {
        let progress = cursor != self.parts.snapshot.cursor;
        // A relay that doesn't wait, or sends the same again and again, must not make us spin.
        let hasty = matches!(self.fetch, Fetch::Asked(at) if at.elapsed() < limits::FETCH_RETRY);
        self.fetch = match progress {
            true => Fetch::Digesting,
            false if hasty || !envelopes.is_empty() => pause(),
            false => Fetch::Idle,
        };
        if progress || !envelopes.is_empty() {
            self.parts.brain.feed(Feed::Page { relay, envelopes, cursor });
        }
        self.fetch_more();
    }

    pub(super) fn on_page_done(&mut self, taken: bool) {
        if self.fetch == Fetch::Digesting {
            self.fetch = if taken { Fetch::Idle } else { Fetch::Pausing(Instant::now() + limits::STORE_RETRY) };
        }
    }

    /// Asks for the next page where one can be asked for.
    pub(super) fn fetch_more(&mut self) {
        if self.fetch != Fetch::Idle || self.parts.snapshot.account.is_none() {
            return;
        }
        if let Some(network) = self.network.as_mut().filter(|n| n.is_connected()) {
            network.fetch(self.parts.snapshot.bucket, self.parts.snapshot.cursor.clone());
            self.fetch = Fetch::Asked(Instant::now());
        }
    }

    pub(super) fn tell_engine_relay(&self) {
        let online = self.network.as_ref().is_some_and(crate::swarm::Network::is_connected);
        self.parts.brain.feed(Feed::Relay { online });
    }
}

fn pause() -> Fetch {
    Fetch::Pausing(Instant::now() + limits::FETCH_RETRY)
}
