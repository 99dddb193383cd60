//! Full-text search over the history.
//!
//! A message is found when its latest text holds every word of the question as a part, whatever the case, the accents
//! and the form of the letters ([`fold`]). That is the whole definition; the index ([`crate::store::index`]) only makes
//! it fast, and a test holds it against a naive look through the history.

#[cfg(test)]
mod bench;
mod excerpt;
pub(crate) mod fold;
mod query;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use livechat_engine::{Engine, Place, ViewError};
use livechat_wire::{AccountId, ConversationId};

use crate::api::{Error, ErrorCode, Found, Hit, MessageBody, SearchOrder};
use crate::store::Store;
use crate::store::index::{Candidate, id_at};
use crate::{env, limits};

use query::Query;

/// A search couldn't be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    /// The index can't be read.
    #[error(transparent)]
    Index(#[from] rusqlite::Error),
    /// The history can't.
    #[error(transparent)]
    History(#[from] ViewError),
}

/// What is wanted, understood.
pub(crate) struct Search {
    query: Query,
    conversation: Option<ConversationId>,
    order: SearchOrder,
    /// Where to go on: below the id of the last hit (newest first), or behind so many hits (best first).
    next: Option<u64>,
    /// 1 ..= [`limits::HITS`].
    limit: usize,
}

impl Search {
    /// Understands a request.
    pub(crate) fn new(
        typed: &str,
        conversation: Option<ConversationId>,
        order: SearchOrder,
        next: Option<&str>,
        limit: u32,
    ) -> Result<Self, Error> {
        if !(1..=limits::HITS).contains(&limit) {
            return Err(Error::bad_request(format!("An answer has 1 to {} hits, not {limit}.", limits::HITS)));
        }
        if typed.len() > limits::QUERY {
            let message = format!("A search has at most {} bytes.", limits::QUERY);
            return Err(Error::new(ErrorCode::BadText, message, "Leave something out."));
        }
        let next = next.map(|n| n.parse().map_err(|_| Error::bad_request("No answer ended there."))).transpose()?;
        let query = Query::parse(typed, &env::zone())?;
        Ok(Self { query, conversation, order, next, limit: usize::try_from(limit).unwrap_or(usize::MAX) })
    }

    /// Carries it out.
    pub(crate) fn run(&self, engine: &Engine, store: &Store) -> Result<Found, SearchError> {
        if self.query.is_empty() {
            return Ok(Found { hits: Vec::new(), next: None });
        }
        let authors = self.authors(engine, store)?;
        let wanted = |c: &Candidate<'_>| {
            self.conversation.map_or_else(|| !engine.is_blocked(c.place.conversation), |at| at == c.place.conversation)
                && authors.iter().all(|any_of| any_of.contains(&c.author))
                && self.query.words.iter().all(|word| c.text.contains(word.as_str()))
        };
        let (places, next) = match self.order {
            SearchOrder::Newest => self.newest(store, wanted)?,
            SearchOrder::Best => self.best(store, wanted)?,
        };
        let mut hits = Vec::with_capacity(places.len());
        for place in places {
            hits.extend(self.hit(engine, store, place)?);
        }
        Ok(Found { hits, next: next.map(|n| n.to_string()) })
    }

    /// For each name asked for, everybody whose name begins so.
    fn authors(&self, engine: &Engine, store: &Store) -> Result<Vec<BTreeSet<AccountId>>, SearchError> {
        if self.query.from.is_empty() {
            return Ok(Vec::new());
        }
        let own = engine.account().map(|me| me.account);
        let people: Vec<_> = engine
            .people(&store.read())?
            .into_iter()
            .map(|(person, display_name)| {
                let me = (Some(person.account) == own).then(|| "me".to_owned());
                let names = [Some(person.username), display_name].into_iter().flatten().map(|name| fold::fold(&name));
                (person.account, names.chain(me).collect::<Vec<_>>())
            })
            .collect();
        let called = |name: &String| {
            let of = people.iter().filter(|(_, names)| names.iter().any(|n| n.starts_with(name.as_str())));
            of.map(|(account, _)| *account).collect()
        };
        Ok(self.query.from.iter().map(called).collect())
    }

    /// Ids of the time asked for.
    fn ids(&self) -> (i64, i64) {
        (self.query.after.map_or(i64::MIN, id_at), self.query.before.map_or(i64::MAX, id_at))
    }

    fn newest(
        &self,
        store: &Store,
        wanted: impl Fn(&Candidate<'_>) -> bool,
    ) -> Result<(Vec<Place>, Option<u64>), SearchError> {
        let (from, mut to) = self.ids();
        if let Some(below) = self.next {
            to = to.min(i64::try_from(below).unwrap_or(i64::MAX));
        }
        let mut found = Vec::new();
        store.candidates(&self.query.words, (from, to), |c| {
            if wanted(&c) {
                found.push((c.id, c.place));
            }
            found.len() <= self.limit
        })?;
        let more = found.len() > self.limit;
        found.truncate(self.limit);
        let next = found.last().filter(|_| more).and_then(|(id, _)| u64::try_from(*id).ok());
        Ok((found.into_iter().map(|(_, place)| place).collect(), next))
    }

    fn best(
        &self,
        store: &Store,
        wanted: impl Fn(&Candidate<'_>) -> bool,
    ) -> Result<(Vec<Place>, Option<u64>), SearchError> {
        let skip = self.next.map_or(0, |skip| usize::try_from(skip).unwrap_or(usize::MAX));
        let mut found = Vec::new();
        store.candidates(&self.query.words, self.ids(), |c| {
            if wanted(&c) {
                found.push((Reverse(score(c.text, &self.query.words)), Reverse(c.id), c.place));
            }
            found.len() < limits::RANKED
        })?;
        found.sort_unstable();
        let more = found.len() > skip.saturating_add(self.limit);
        let next = more.then_some(skip.saturating_add(self.limit)).and_then(|n| u64::try_from(n).ok());
        Ok((found.into_iter().skip(skip).take(self.limit).map(|(.., place)| place).collect(), next))
    }

    fn hit(&self, engine: &Engine, store: &Store, place: Place) -> Result<Option<Hit>, SearchError> {
        let conversation = place.conversation;
        let (Some((title, group)), Some(message)) = (engine.title(conversation), engine.message(&store.read(), place)?)
        else {
            return Ok(None);
        };
        let excerpt = match &message.body {
            MessageBody::Text { text } | MessageBody::File { name: text, .. } => {
                excerpt::excerpt(text, &self.query.words)
            }
            _ => Vec::new(),
        };
        Ok(Some(Hit { conversation, title, group, message, excerpt }))
    }
}

/// How well a text fits: for each word 2 when it stands there whole, 1 when a word begins so, 0 when it is inside one.
fn score(text: &str, words: &[String]) -> usize {
    let of = |word: &String| {
        let fits = text.match_indices(word.as_str()).map(|(at, found)| {
            let before = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            let behind = text[at + found.len()..].chars().next().is_some_and(char::is_alphanumeric);
            match (before, behind) {
                (false, false) => 2,
                (false, true) => 1,
                _ => 0,
            }
        });
        fits.max().unwrap_or(0)
    };
    words.iter().map(of).sum()
}
