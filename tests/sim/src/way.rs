//! On the way: gossip, requests to the relay, its answers, and everything that happens to them.

use livechat_engine::{FileFailure, Input, LookupFailure};
use livechat_wire::Envelope;
use livechat_wire::envelope::epoch_at;

use super::World;
use super::crowd::Act;
use super::faults::happens;
use super::world::{Event, FETCH_TIMEOUT, Question, RETRY};

/// After so many pages a node also asks for its account's log.
const LOG_EVERY: u64 = 10;

impl World {
    pub(super) fn at(&mut self, when: u64, event: Event) {
        self.events += 1;
        self.queue.insert((when, self.events), event);
    }

    pub(super) fn gossip(&mut self, from: &str, envelope: &Envelope) {
        let island = self.people[from].island;
        let audience = self.audience(from, envelope);
        if !Self::is_connected(island) {
            return;
        }
        let others: Vec<(String, u64)> = self
            .people
            .iter()
            .filter(|(name, p)| name.as_str() != from && p.island == island)
            .filter(|(name, _)| audience.as_ref().is_none_or(|a| a.contains(*name)))
            .map(|(name, p)| (name.clone(), p.life))
            .collect();
        for (who, life) in others {
            for delay in self.copies() {
                let what = Box::new(Input::Gossip(envelope.clone()));
                self.at(self.now + delay, Event::Arrives { who: who.clone(), life, what });
            }
        }
        if island == self.relay_island {
            for delay in self.copies() {
                self.at(self.now + delay, Event::GossipAtRelay { from: from.to_owned(), envelope: envelope.clone() });
            }
        }
    }

    /// How long each copy of a gossiped envelope is on its way: none, one or two of them.
    pub(super) fn copies(&mut self) -> Vec<u64> {
        let lost = happens(&mut self.dice, self.faults.loss);
        let twice = happens(&mut self.dice, self.faults.duplicate);
        let delays = [self.faults.delay(&mut self.dice), self.faults.delay(&mut self.dice)];
        delays.into_iter().take(if lost { 0 } else { 1 + usize::from(twice) }).collect()
    }

    pub(super) fn ask(&mut self, who: &str, what: Question) {
        let life = self.people[who].life;
        let delay = self.faults.delay(&mut self.dice);
        let lost = happens(&mut self.dice, self.faults.relay_loss);
        if matches!(what, Question::Publish(_)) {
            // Looked after once more, whatever becomes of it.
            self.at(self.now + FETCH_TIMEOUT, Event::Restock { who: who.to_owned(), life });
        }
        if self.reaches_relay(who) && !lost {
            self.at(self.now + delay, Event::Asks { who: who.to_owned(), life, what });
        } else if let Some(failed) = unreachable(&what) {
            self.unanswered(who, life, failed);
        }
    }

    pub(super) fn reaches_relay(&self, who: &str) -> bool {
        self.people[who].island == self.relay_island
    }

    pub(super) fn poll(&mut self, who: &str) {
        let person = self.people.get_mut(who).expect("a person");
        let Some(engine) = person.engine.as_ref().filter(|_| !person.fetching) else { return };
        if person.island != self.relay_island {
            return;
        }
        let what = Question::Fetch { bucket: engine.bucket(), cursor: engine.cursor(self.relay.id()) };
        person.fetching = true;
        let life = person.life;
        self.ask(who, what);
        self.at(self.now + FETCH_TIMEOUT, Event::FetchLost { who: who.to_owned(), life });
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Arrives { who, life, what } => {
                if self.people[&who].life == life {
                    self.arrive(&who, *what);
                }
            }
            Event::GossipAtRelay { from, envelope } => {
                self.sees(&from, Act::Publishes);
                let seconds = self.now / 1_000;
                self.relay.deposit(&envelope, seconds);
            }
            Event::Asks { who, life, what } => self.answer(&who, life, what),
            Event::Timer { who, timer } => {
                if self.people[&who].timer == timer {
                    self.input(&who, Input::Timer);
                }
            }
            Event::Poll { who, life } => {
                if self.people[&who].life == life {
                    self.poll(&who);
                }
            }
            Event::FetchLost { who, life } => {
                let person = self.people.get_mut(&who).expect("a person");
                if person.life == life && person.fetching {
                    person.fetching = false;
                    self.poll(&who);
                }
            }
            Event::Restock { who, life } => {
                if self.people[&who].life != life {
                    return;
                }
                if self.reaches_relay(&who) {
                    let stock = self.relay.stock(&self.people[&who].username, self.people[&who].device);
                    self.input(&who, Input::Stock(stock));
                } else {
                    self.at(self.now + FETCH_TIMEOUT, Event::Restock { who, life });
                }
            }
            Event::Restart { who } => self.restart(&who),
            Event::GoOn { who } => self.proceed(&who),
        }
    }

    pub(super) fn arrive(&mut self, who: &str, what: Input) {
        match what {
            // The shell's part: shape, signature and freshness by the machine's own clock.
            Input::Gossip(envelope) => {
                let epoch = epoch_at(self.people[who].clock(self.now) / 1_000);
                if envelope.is_fresh(epoch) && envelope.verify().is_ok() {
                    self.input(who, Input::Gossip(envelope));
                }
            }
            Input::Page { .. } => {
                let person = self.people.get_mut(who).expect("a person");
                person.fetching = false;
                person.pages += 1;
                if person.pages.is_multiple_of(LOG_EVERY) && !person.thief {
                    self.ask(who, Question::Log);
                }
                self.input(who, what);
                let (life, more) = (self.people[who].life, self.people[who].more);
                self.at(self.now + self.poll_pause(more), Event::Poll { who: who.to_owned(), life });
            }
            what => self.input(who, what),
        }
    }

    pub(super) fn answer(&mut self, who: &str, life: u64, what: Question) {
        let (relay, seconds) = (self.relay.id(), self.now / 1_000);
        let failed = unreachable(&what);
        self.sees(who, act(&what));
        let unsaid = !self.relay.says_orders && matches!(what, Question::Append(_) | Question::Slot { .. });
        let answer = match what {
            Question::Deposit(envelopes) => {
                for envelope in &envelopes {
                    self.audience(who, envelope);
                }
                let verdicts = envelopes.iter().map(|e| (e.id(), self.relay.deposit(e, seconds))).collect();
                Input::Verdicts { relay, verdicts }
            }
            Question::Present(ids) => {
                let verdicts = ids.into_iter().map(|id| (id, self.relay.present(id, seconds))).collect();
                Input::Verdicts { relay, verdicts }
            }
            Question::Claim(lookup) => {
                let answer = self.relay.directory(&lookup.username, lookup.claim);
                Input::Directory { lookup: lookup.id, answer }
            }
            Question::Publish(keys) => {
                let (username, device) = (self.people[who].username.clone(), self.people[who].device);
                Input::Stock(self.relay.publish(&username, device, keys))
            }
            Question::PutLog(log) => {
                let username = self.people[who].username.clone();
                let kept = self.relay.put_log(&username, *log).expect("somebody with an account");
                self.let_in(&kept);
                Input::OwnLog(kept)
            }
            Question::Log => {
                let log = self.relay.log(&self.people[who].username).expect("somebody with an account");
                Input::OwnLog(log.clone())
            }
            Question::Append(append) => {
                let answer = self.relay.append(append.slot, append.commit, seconds);
                Input::Appended { slot: append.slot, answer }
            }
            Question::Slot { slot, from } => Input::Slot { slot, from, answer: self.relay.slot(slot, from) },
            Question::Upload(upload) => {
                let answer = self.relay.keep_file(upload.blob, upload.bytes);
                Input::Uploaded { blob: upload.blob, answer }
            }
            Question::Download(fetch) => {
                Input::Fetched { blob: fetch.blob, answer: self.relay.file(fetch.blob, fetch.size) }
            }
            Question::Fetch { bucket, cursor } => {
                let (envelopes, cursor, more) = self.relay.fetch(bucket, &cursor);
                self.people.get_mut(who).expect("a person").more = more;
                Input::Page { relay, envelopes: self.of_use_to(who, envelopes), cursor }
            }
        };
        let delay = self.faults.delay(&mut self.dice);
        if !happens(&mut self.dice, self.faults.relay_loss) && !unsaid {
            let what = Box::new(answer);
            self.at(self.now + delay, Event::Arrives { who: who.to_owned(), life, what });
        } else if let Some(failed) = failed {
            self.unanswered(who, life, failed);
        }
    }

    /// HTTP tells when there is no answer.
    pub(super) fn unanswered(&mut self, who: &str, life: u64, failed: Input) {
        let what = Box::new(failed);
        self.at(self.now + RETRY, Event::Arrives { who: who.to_owned(), life, what });
    }
}

/// What a request looks like to the relay.
fn act(what: &Question) -> Act {
    match what {
        Question::Deposit(_) => Act::Deposits,
        Question::Present(_) => Act::AsksFor,
        Question::Claim(lookup) => Act::LooksUp(lookup.username.clone()),
        Question::Append(_) | Question::Slot { .. } => Act::Orders,
        Question::Upload(_) | Question::Download(_) => Act::Files,
        Question::Fetch { .. } | Question::Publish(_) | Question::PutLog(_) | Question::Log => Act::Fetches,
    }
}

/// What is heard of a request over HTTP that isn't answered.
fn unreachable(what: &Question) -> Option<Input> {
    Some(match what {
        Question::Claim(lookup) => Input::Directory { lookup: lookup.id, answer: Err(LookupFailure::Unreachable) },
        Question::Upload(upload) => Input::Uploaded { blob: upload.blob, answer: Err(FileFailure::Unreachable) },
        Question::Download(fetch) => Input::Fetched { blob: fetch.blob, answer: Err(FileFailure::Unreachable) },
        _ => return None,
    })
}
