//! What the brain committed: its effects are performed here, in the order they were given.

use livechat_engine as engine;
use tokio::time::Instant;

use super::{Driver, chores};
use crate::api::Event;
use crate::brain::{Failure, Outcome};
use crate::{env, limits};

impl Driver {
    pub(super) fn on_outcome(&mut self, outcome: Outcome) {
        let Outcome { effects, commands, gossip, page, failed, reopened, snapshot } = outcome;
        self.gossip_waiting = self.gossip_waiting.saturating_sub(gossip);
        if reopened {
            // What the engine only had in mind is gone: look-ups, and whether the relay is there.
            self.commands.fail_seen(&Failure::Store("it had to be opened anew".into()).to_api());
            self.tell_engine_relay();
            // What it said between was said to nobody, or it is another one: everything is to be looked at again.
            self.tell(Event::Lagged);
        }
        self.commands.seen(&commands);
        for (id, failure) in failed {
            self.commands.answer(id, Err(failure.to_api()));
        }
        let before = std::mem::replace(&mut self.parts.snapshot, snapshot);
        let now = &self.parts.snapshot;
        if (before.queued, before.removed) != (now.queued, now.removed) || before.account != now.account {
            self.stale = true;
        }
        if before.account.is_some() && self.parts.snapshot.account.is_none() {
            self.parts.files.forget_all();
            self.network = None;
            self.fetch = super::heard::Fetch::Idle;
            self.stock_at = None;
        }
        if before.account.is_none() && self.parts.snapshot.account.is_some() {
            self.on_account();
        }
        for effects in effects {
            self.perform(effects);
        }
        self.wake = self.parts.snapshot.wake_at.map(instant);
        if reopened && let Some(wake) = &mut self.wake {
            *wake = (*wake).max(Instant::now() + limits::STORE_RETRY);
        }
        if let Some(taken) = page {
            self.on_page_done(taken);
        }
        self.fetch_more();
    }

    fn perform(&mut self, effects: engine::Effects) {
        let engine::Effects {
            gossip,
            deposit,
            present,
            append,
            slots,
            uploads,
            fetches,
            lookups,
            publish_keys,
            publish_log,
            files,
            replies,
            events,
            wake_at: _,
        } = effects;
        if let Some(network) = &mut self.network {
            // First, since somebody waits for them.
            network.publish(gossip);
            network.deposit(deposit);
            network.present(&present);
            for engine::Append { slot, commit } in append {
                network.append(slot, commit);
            }
            for (slot, from) in slots {
                network.slot(slot, from);
            }
        }
        self.parts.files.perform(&files);
        for (id, reply) in replies {
            self.commands.reply(id, reply);
        }
        let history_came = events.iter().any(|e| matches!(e, engine::Event::HandedOver));
        // Nobody logged in, nothing to see.
        if self.parts.phase.session().is_some() {
            for event in events {
                self.tell_engine_event(event);
            }
        }
        if history_came {
            self.parts.files.handed_over();
        }
        for upload in uploads {
            self.keep_file(upload);
        }
        for fetch in fetches {
            self.fetch_file(fetch);
        }
        for lookup in lookups {
            self.look_up(lookup);
        }
        if let Some(log) = publish_log {
            self.publish_log(&log);
        }
        if let Some(keys) = publish_keys {
            self.publish_keys(keys);
        }
    }

    fn tell_engine_event(&self, event: engine::Event) {
        self.tell(match event {
            engine::Event::MessageAdded { conversation, message } => Event::MessageAdded { conversation, message },
            engine::Event::MessageChanged { conversation, message } => Event::MessageChanged { conversation, message },
            engine::Event::MessageRemoved { conversation, id, position } => {
                Event::MessageRemoved { conversation, id, position }
            }
            engine::Event::Typing { conversation, account, name, typing } => {
                Event::Typing { conversation, account, name, typing }
            }
            engine::Event::ConversationChanged { conversation } => Event::ConversationChanged { conversation },
            engine::Event::GroupChanged { group } => Event::GroupChanged { group },
            engine::Event::DevicesChanged { devices } => Event::DevicesChanged { devices },
            engine::Event::JoiningChanged { joining } => Event::JoiningChanged { joining },
            // Part of the status.
            _ => return,
        });
    }

    fn look_up(&mut self, lookup: engine::Lookup) {
        let (relay, generation) = (self.parts.relay.clone(), self.parts.snapshot.generation);
        self.tasks.spawn(async move {
            let asked = match lookup.claim {
                true => relay.claim(lookup.username).await,
                false => relay.directory(&lookup.username).await,
            };
            let answer = asked.map_err(|e| super::refusals::of_lookup(&e));
            chores::Done::Lookup { generation, lookup: lookup.id, answer: Box::new(answer) }
        });
    }

    fn publish_keys(&mut self, keys: livechat_wire::http::PublishKeyPackages) {
        let Some(token) = self.parts.phase.token().cloned() else {
            // The stock is looked at after the next log-in, and the engine makes new ones.
            return;
        };
        let relay = self.parts.relay.clone();
        self.tasks.spawn(async move {
            let answer = relay.publish_keys(&token, &keys).await;
            chores::Done::Stock(token, answer)
        });
    }
}

/// When the system's clock will show this, if nobody sets it; the nap bounds what a set clock can do.
pub(super) fn instant(unix_ms: u64) -> Instant {
    Instant::now() + std::time::Duration::from_millis(unix_ms.saturating_sub(env::now_ms())).min(limits::NAP)
}
