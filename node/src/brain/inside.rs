//! What runs on the brain's thread: transactions, and getting up again after a failed one.

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use livechat_crypto::kv::{Kv, KvError};
use livechat_crypto::vault::Vault;
use livechat_engine::backup::{RestoreError, Restored, restore};
use livechat_engine::{
    Command, CommandError, CommandId, Effects, Engine, HandleError, Input, Now, Reply, StoreError, ViewError,
};
use livechat_wire::backup::Record;

use super::feed::{Activation, Feed};
use super::{BrainError, Outcome, Snapshot};
use crate::account::saved::{Linking, Pending, Saved, SavedError};
use crate::api::{Error, ErrorCode};
use crate::env;
use crate::search::SearchError;
use crate::store::{Key, Store, TransactError};
use crate::vault::files;

/// What came of giving a backup back, and the engine opened anew if it was.
pub(super) type GivenBack<E> = (Result<Restored, RestoreError<E>>, Option<Outcome>);

/// Why a transaction didn't happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The store can't be read or written at present.
    #[error("{0}")]
    Store(String),
    /// The engine refused, or panicked: a defect of ours.
    #[error("{0}")]
    Defect(String),
}

impl Failure {
    pub(crate) fn to_api(&self) -> Error {
        match self {
            Self::Store(cause) => Error::new(
                ErrorCode::StoreFailed,
                format!("This device's store failed: {cause}. Nothing was done, nothing is lost."),
                "Free some disk space, check that the disk works, then try again.",
            ),
            Self::Defect(cause) => Error::new(
                ErrorCode::Internal,
                format!("A fault in this program: {cause}. Nothing was done, nothing is lost."),
                "Try again; report it if it stays.",
            ),
        }
    }
}

impl From<SavedError> for Failure {
    fn from(e: SavedError) -> Self {
        match e {
            SavedError::Store(e) => Self::Store(chain(&e)),
            other => Self::Defect(chain(&other)),
        }
    }
}

impl From<KvError> for Failure {
    fn from(e: KvError) -> Self {
        Self::Store(chain(&e))
    }
}

impl From<HandleError> for Failure {
    fn from(e: HandleError) -> Self {
        match e {
            HandleError::Store(StoreError::Failed(e)) => e.into(),
            other => Self::Defect(chain(&other)),
        }
    }
}

impl<E: Into<Failure>> From<TransactError<E>> for Failure {
    fn from(e: TransactError<E>) -> Self {
        match e {
            TransactError::Inside(e) => e.into(),
            TransactError::Store(e) => Self::Store(e.to_string()),
            TransactError::Index(e) => Self::Store(chain(&e)),
        }
    }
}

/// An error and its causes in one line; the innermost says what the disk or the code did.
fn chain(e: &dyn std::error::Error) -> String {
    let mut out = e.to_string();
    let mut at = e.source();
    while let Some(cause) = at {
        let text = cause.to_string();
        if !out.ends_with(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        at = cause.source();
    }
    out
}

/// Store and engine. After a failure the engine is gone until the next use opens it anew.
pub(super) struct Inside {
    dir: PathBuf,
    /// The one in force; a file of it is there or not.
    pub(super) key: Key,
    pub(super) vault: Option<Vault>,
    store: Option<Store>,
    engine: Option<Engine>,
    generation: u64,
    /// As of the last time the engine was whole.
    snapshot: Snapshot,
}

impl Inside {
    pub(super) fn open(dir: PathBuf, key: Key) -> Result<Self, BrainError> {
        let store = Store::open(&dir, &key)?;
        let engine = Engine::open(&store.read())?;
        let (store, engine) = (Some(store), Some(engine));
        let mut inside = Self { dir, key, vault: None, store, engine, generation: 1, snapshot: Snapshot::default() };
        inside.take_vault();
        inside.keep_name();
        inside.refresh();
        Ok(inside)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// Store and engine, opened anew where the last failure closed them.
    pub(super) fn open_again(&mut self) -> Result<(), Failure> {
        self.whole().map(drop)
    }

    /// Reads before anything runs.
    pub(super) fn look<T>(
        &self,
        look: impl FnOnce(&Engine, &dyn Kv) -> Result<T, SavedError>,
    ) -> Result<T, BrainError> {
        match (&self.engine, &self.store) {
            (Some(engine), Some(store)) => Ok(look(engine, &store.read())?),
            _ => Err(BrainError::Ended),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }

    /// Drops what a panic may have left half done; the next use opens it anew.
    pub(super) fn forget_engine(&mut self) {
        self.engine = None;
    }

    pub(super) fn refresh(&mut self) {
        let guard = self.guard_now();
        if let Some(engine) = &self.engine {
            let account = engine.account();
            self.snapshot = Snapshot {
                bucket: engine.bucket(),
                cursor: account.as_ref().map(|a| engine.cursor(a.relay)).unwrap_or_default(),
                account,
                queued: engine.queued(),
                removed: engine.is_removed(),
                wake_at: engine.wake_at(),
                guard,
                generation: self.generation,
            };
        }
    }

    /// The engine and the store, opened anew where the last failure closed them.
    fn whole(&mut self) -> Result<(&mut Engine, &mut Store), Failure> {
        if self.store.as_ref().is_none_or(|s| !s.is_idle()) {
            self.engine = None;
            // Closed before it is opened: the lock is exclusive.
            self.store = None;
            self.store = Some(Store::open(&self.dir, &self.key).map_err(|e| Failure::Store(e.to_string()))?);
        }
        let Some(store) = self.store.as_mut() else { return Err(Failure::Store("it is closed".into())) };
        let engine = match &mut self.engine {
            Some(engine) => engine,
            gone @ None => {
                let engine = Engine::open(&store.read()).map_err(|e| Failure::Store(chain(&e)))?;
                self.generation += 1;
                gone.insert(engine)
            }
        };
        Ok((engine, store))
    }

    /// One transaction over all `inputs`; after an error nothing of it happened and the engine is closed.
    fn transact(
        &mut self,
        inputs: Vec<Input>,
        also: impl FnOnce(&mut dyn Kv) -> Result<(), SavedError>,
    ) -> Result<Vec<Effects>, Failure> {
        let mut dice = env::dice().map_err(|e| Failure::Defect(format!("the system gives no randomness: {e}")))?;
        let now = Now(env::now_ms());
        let (engine, store) = self.whole()?;
        let attempt = AssertUnwindSafe(|| {
            store.transact(|tx| -> Result<_, Failure> {
                let mut all = Vec::with_capacity(inputs.len());
                for input in inputs {
                    all.push(engine.handle(now, &mut dice, input, tx)?);
                }
                also(tx)?;
                Ok(all)
            })
        });
        // What a panic leaves half done in memory is dropped with the engine; the transaction rolls back.
        let result = catch_unwind(attempt)
            .unwrap_or_else(|_| Err(TransactError::Inside(Failure::Defect("the engine panicked".into()))));
        match result {
            Ok(effects) => {
                self.refresh();
                Ok(effects)
            }
            Err(e) => {
                self.engine = None;
                let failure = Failure::from(e);
                tracing::warn!("a transaction failed: {failure}");
                Err(failure)
            }
        }
    }

    /// Deals with inputs that waited together: in one transaction, or one by one when that fails.
    pub(super) fn digest(&mut self, feeds: Vec<Feed>) -> Outcome {
        let mut outcome = Outcome::default();
        let before = self.generation;
        let feeds: Vec<_> = feeds.into_iter().filter(|f| !self.is_stale(f)).collect();
        for feed in &feeds {
            match feed {
                Feed::Command { id, .. } => outcome.commands.push(*id),
                Feed::Gossip(_) => outcome.gossip += 1,
                Feed::Page { .. } => outcome.page = Some(true),
                _ => {}
            }
        }
        match self.transact(feeds.iter().map(Feed::to_input).collect(), |_| Ok(())) {
            Ok(effects) => outcome.effects = effects,
            Err(e) if feeds.len() == 1 => self.give_up(&feeds[0], e, &mut outcome),
            Err(_) => {
                for feed in &feeds {
                    if self.is_stale(feed) {
                        continue;
                    }
                    match self.transact(vec![feed.to_input()], |_| Ok(())) {
                        Ok(effects) => outcome.effects.extend(effects),
                        Err(e) => self.give_up(feed, e, &mut outcome),
                    }
                }
            }
        }
        // Opened here, if it can be, so that the snapshot is the store's.
        if self.whole().is_ok() {
            self.keep_name();
            self.refresh();
        }
        outcome.reopened = self.generation != before || self.engine.is_none();
        outcome.snapshot = self.snapshot();
        outcome
    }

    /// An answer to a look-up of an engine that is gone.
    fn is_stale(&self, feed: &Feed) -> bool {
        matches!(feed, Feed::Directory { generation, .. } if *generation != self.generation)
    }

    fn give_up(&mut self, feed: &Feed, failure: Failure, outcome: &mut Outcome) {
        match feed {
            Feed::Command { id, .. } => outcome.failed.push((*id, failure)),
            // A page that can't be kept now comes again. One that trips over a defect would come for ever: its
            // envelopes are taken one by one, without those that trip, and reading goes on behind it.
            Feed::Page { relay, envelopes, cursor } if matches!(failure, Failure::Defect(_)) => {
                let taken = self.piecemeal(envelopes, outcome);
                let end = Input::Page { relay: *relay, envelopes: Vec::new(), cursor: cursor.clone() };
                let ended = taken && self.transact(vec![end], |_| Ok(())).is_ok();
                outcome.page = Some(ended);
            }
            Feed::Page { .. } => outcome.page = Some(false),
            // Gossip comes again with a page, verdicts and stock when asked again, timers by themselves.
            _ => {}
        }
    }

    /// Whether all envelopes were taken over or are beyond it; false when the store failed.
    fn piecemeal(&mut self, envelopes: &[livechat_wire::Envelope], outcome: &mut Outcome) -> bool {
        for envelope in envelopes {
            match self.transact(vec![Input::Gossip(envelope.clone())], |_| Ok(())) {
                Ok(effects) => outcome.effects.extend(effects),
                Err(Failure::Defect(cause)) => tracing::error!("an envelope was left out: {cause}"),
                Err(Failure::Store(_)) => return false,
            }
        }
        true
    }

    pub(super) fn view<T>(
        &mut self,
        look: impl FnOnce(&Engine, &dyn Kv) -> Result<T, ViewError>,
    ) -> Result<T, Failure> {
        let (engine, store) = self.whole()?;
        look(engine, &store.read()).map_err(|e| Failure::Store(chain(&e)))
    }

    /// Asks engine and search index together.
    pub(super) fn search<T>(
        &mut self,
        look: impl FnOnce(&Engine, &Store) -> Result<T, SearchError>,
    ) -> Result<T, Failure> {
        let (engine, store) = self.whole()?;
        look(engine, store).map_err(|e| Failure::Store(chain(&e)))
    }

    pub(super) fn write<T>(&mut self, work: impl FnOnce(&mut dyn Kv) -> Result<T, SavedError>) -> Result<T, Failure> {
        // The engine caches nothing of the node's namespaces: it may stay.
        let (_, store) = self.whole()?;
        store.transact(work).map_err(Failure::from)
    }

    pub(super) fn wipe(&mut self) -> Result<Outcome, Failure> {
        self.unguard()?;
        let (_, store) = self.whole()?;
        store.wipe().map_err(|e| Failure::Store(chain(&e)))?;
        self.engine = None;
        self.vault = None;
        files::erase(&self.dir.join(files::VAULT)).map_err(|e| Failure::Store(e.to_string()))?;
        self.whole()?;
        self.refresh();
        Ok(Outcome { reopened: true, snapshot: self.snapshot(), ..Outcome::default() })
    }

    /// Gives a backup back in one transaction, then opens the engine anew: it remembers nothing of that.
    pub(super) fn restore<E>(
        &mut self,
        records: impl Iterator<Item = Result<Record, E>>,
    ) -> Result<GivenBack<E>, Failure> {
        let (_, store) = self.whole()?;
        match store.transact(|kv| restore(kv, records)) {
            Ok(restored) => {
                self.engine = None;
                self.whole()?;
                self.refresh();
                let outcome = Outcome { reopened: true, snapshot: self.snapshot(), ..Outcome::default() };
                Ok((Ok(restored), Some(outcome)))
            }
            Err(TransactError::Inside(e)) => Ok((Err(e), None)),
            Err(TransactError::Store(e)) => Err(Failure::Store(e.to_string())),
            Err(TransactError::Index(e)) => Err(Failure::Store(chain(&e))),
        }
    }

    /// One command by itself. Its answer is in its effects; ids of the driver's commands begin at 1.
    pub(super) fn command(
        &mut self,
        command: Command,
        also: impl FnOnce(&mut dyn Kv) -> Result<(), SavedError>,
    ) -> Result<(Result<Reply, CommandError>, Outcome), Failure> {
        const ID: CommandId = CommandId(0);
        let mut effects = self.transact(vec![Input::Command { id: ID, command }], also)?;
        let mut reply = None;
        for effects in &mut effects {
            effects.replies.retain_mut(|(id, answer)| {
                let ours = *id == ID;
                if ours {
                    reply = Some(answer.clone());
                }
                !ours
            });
        }
        let reply = reply.ok_or_else(|| Failure::Defect("a command without an answer".into()))?;
        Ok((reply, Outcome { effects, snapshot: self.snapshot(), ..Outcome::default() }))
    }

    pub(super) fn activate(&mut self, activation: Activation) -> Result<Outcome, Failure> {
        let Activation { identity, username, relay, log, bucket_bits, session, phrase } = activation;
        let input = Input::Activate { identity, username, relay, log, bucket_bits };
        let effects = self.transact(vec![input], |kv| {
            Pending::clear(kv)?;
            Linking::clear(kv)?;
            phrase.map_or(Ok(()), |p| p.save(kv))?;
            session.map_or(Ok(()), |s| s.save(kv))
        })?;
        Ok(Outcome { effects, snapshot: self.snapshot(), ..Outcome::default() })
    }
}
