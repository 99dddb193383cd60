//! The search index: what the history's rows say, folded, in the same database and the same transactions.
//!
//! Nobody tells it what changed: [`Watched`] notes every message that a transaction writes about, and before the commit
//! [`refresh`] makes the index say of those what the history says. So it can't miss an edit, a deletion or an expiry,
//! whoever makes it. It is derived: when it is missing or of another version, opening the store makes it anew.
//!
//! A passage's id is the time it came in, so that the newest stand at one end: Unix milliseconds, then 20 bits for
//! those of the same millisecond. Whole words of three letters and more are found by their trigrams; `detail=none`
//! keeps only which passages have a trigram, and the text itself is looked at before anything is said to be found.

use std::collections::BTreeSet;

use livechat_crypto::kv::{Kv, KvError, Namespace, Order, Pair};
use livechat_engine::{Passage, Place, StoreError, each_passage, passage, place_of};
use livechat_wire::{AccountId, ConversationId};
use rusqlite::{Connection, OptionalExtension, params};

use super::Table;
use crate::limits;
use crate::search::fold::fold;

/// Raised whenever the tables or the folding change.
const VERSION: i64 = 1;
/// Bits of an id below the milliseconds.
const WITHIN: u32 = 20;
/// Milliseconds that fit above them: until the year 2248.
const LAST: u64 = (1 << (63 - WITHIN)) - 1;

const TABLES: &str = "
    DROP TABLE IF EXISTS passage_grams;
    DROP TABLE IF EXISTS passages;
    CREATE TABLE passages (
        id INTEGER PRIMARY KEY,
        conversation BLOB NOT NULL,
        position INTEGER NOT NULL,
        author BLOB NOT NULL,
        text TEXT NOT NULL,
        UNIQUE (conversation, position)
    );
    CREATE VIRTUAL TABLE passage_grams USING fts5 (
        text, content = 'passages', content_rowid = 'id', detail = none, columnsize = 0,
        tokenize = 'trigram case_sensitive 1'
    );
    INSERT INTO passage_grams (passage_grams, rank) VALUES ('secure-delete', 1);";

const TRIGGERS: &str = "
    CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN
        INSERT INTO passage_grams (rowid, text) VALUES (new.id, new.text);
    END;
    CREATE TRIGGER passage_removed AFTER DELETE ON passages BEGIN
        INSERT INTO passage_grams (passage_grams, rowid, text) VALUES ('delete', old.id, old.text);
    END;
    CREATE TRIGGER passage_changed AFTER UPDATE OF text ON passages BEGIN
        INSERT INTO passage_grams (passage_grams, rowid, text) VALUES ('delete', old.id, old.text);
        INSERT INTO passage_grams (rowid, text) VALUES (new.id, new.text);
    END;";

/// The index can't be brought in line with the history.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    /// What the history says can't be read.
    #[error(transparent)]
    History(#[from] StoreError),
    /// The database failed.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
}

/// A passage that may be what is looked for.
pub(crate) struct Candidate<'r> {
    pub(crate) id: i64,
    pub(crate) place: Place,
    pub(crate) author: AccountId,
    /// Folded.
    pub(crate) text: &'r str,
}

/// The table, noting what is written about messages.
pub(super) struct Watched<'c> {
    table: Table<'c>,
    touched: BTreeSet<Place>,
}

impl<'c> Watched<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { table: Table(connection), touched: BTreeSet::new() }
    }

    /// Brings the index in line with what was written.
    pub(super) fn refresh(self) -> Result<(), IndexError> {
        self.touched.iter().try_for_each(|place| refresh(&self.table, *place))
    }
}

impl Kv for Watched<'_> {
    fn get(&self, ns: Namespace, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        self.table.get(ns, key)
    }

    fn put(&mut self, ns: Namespace, key: &[u8], value: &[u8]) -> Result<(), KvError> {
        self.touched.extend(place_of(ns, key));
        self.table.put(ns, key, value)
    }

    fn delete(&mut self, ns: Namespace, key: &[u8]) -> Result<(), KvError> {
        self.touched.extend(place_of(ns, key));
        self.table.delete(ns, key)
    }

    fn scan(&self, ns: Namespace, from: &[u8], to: &[u8], limit: usize, order: Order) -> Result<Vec<Pair>, KvError> {
        self.table.scan(ns, from, to, limit, order)
    }
}

/// Makes the index when it is missing or of another version.
pub(super) fn ensure(connection: &mut Connection) -> Result<(), IndexError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    make(&transaction)?;
    Ok(transaction.commit()?)
}

/// Makes the index from the history, whatever was there before.
pub(super) fn make(connection: &Connection) -> Result<(), IndexError> {
    connection.execute_batch(TABLES)?;
    each_passage(&Table(connection), |place, passage| -> Result<(), IndexError> {
        Ok(add(connection, place, &passage)?)
    })?;
    connection.execute_batch("INSERT INTO passage_grams (passage_grams) VALUES ('rebuild');")?;
    connection.execute_batch(TRIGGERS)?;
    Ok(connection.pragma_update(None, "user_version", VERSION)?)
}

fn refresh(table: &Table<'_>, place: Place) -> Result<(), IndexError> {
    let connection = table.0;
    let (conversation, position) = (place.conversation.0, signed(place.position));
    let before: Option<(i64, String)> = connection
        .prepare_cached("SELECT id, text FROM passages WHERE conversation = ? AND position = ?")?
        .query_row(params![conversation, position], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match (before, passage(table, place)?) {
        (None, None) => {}
        (Some((id, _)), None) => {
            connection.prepare_cached("DELETE FROM passages WHERE id = ?")?.execute([id])?;
        }
        (None, Some(now)) => add(connection, place, &now)?,
        (Some((id, text)), Some(now)) => {
            let now = fold(&now.text);
            // Most writes are about how far a message got.
            if now != text {
                connection.prepare_cached("UPDATE passages SET text = ? WHERE id = ?")?.execute(params![now, id])?;
            }
        }
    }
    Ok(())
}

fn add(connection: &Connection, place: Place, passage: &Passage) -> rusqlite::Result<()> {
    let id = free_id(connection, passage.received_at)?;
    connection
        .prepare_cached("INSERT INTO passages (id, conversation, position, author, text) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![id, place.conversation.0, signed(place.position), passage.author.0, fold(&passage.text)])
        .map(drop)
}

/// The next id of a millisecond; of the ones after it when a million passages came in at once.
fn free_id(connection: &Connection, received_at: u64) -> rusqlite::Result<i64> {
    let mut milliseconds = received_at;
    loop {
        let (first, end) = (id_at(milliseconds), id_at(milliseconds.saturating_add(1)));
        let last: Option<i64> = connection
            .prepare_cached("SELECT max(id) FROM passages WHERE id >= ? AND id < ?")?
            .query_row([first, end], |row| row.get(0))?;
        match last.map_or(first, |last| last + 1) {
            free if free < end => return Ok(free),
            _ if milliseconds < LAST - 1 => milliseconds += 1,
            // The end of time is full.
            _ => return Err(rusqlite::Error::IntegralValueOutOfRange(0, end)),
        }
    }
}

/// The lowest id of what came in at a time.
pub(crate) fn id_at(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds.min(LAST) << WITHIN).unwrap_or(i64::MAX)
}

/// Positions grow by one from one on; they don't reach the sign.
fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Shows passages with `from <= id < to` that may hold all `words`, newest first, until `each` has enough.
pub(super) fn candidates(
    connection: &Connection,
    words: &[String],
    (from, to): (i64, i64),
    mut each: impl FnMut(Candidate<'_>) -> bool,
) -> rusqlite::Result<()> {
    let grams = grams(words);
    let sql = if grams.is_empty() {
        "SELECT id, conversation, position, author, text FROM passages
         WHERE id >= ?1 AND id < ?2 AND ?3 = '' ORDER BY id DESC"
    } else {
        // CROSS: the grams lead, newest first; the planner must not sort.
        "SELECT p.id, p.conversation, p.position, p.author, p.text
         FROM passage_grams g CROSS JOIN passages p ON p.id = g.rowid
         WHERE g.rowid >= ?1 AND g.rowid < ?2 AND passage_grams MATCH ?3 ORDER BY g.rowid DESC"
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![from, to, grams])?;
    while let Some(row) = rows.next()? {
        let place = Place {
            conversation: ConversationId(row.get(1)?),
            position: row.get::<_, i64>(2)?.try_into().unwrap_or(0),
        };
        let text = row.get_ref(4)?.as_str()?;
        if !each(Candidate { id: row.get(0)?, place, author: AccountId(row.get(3)?), text }) {
            break;
        }
    }
    Ok(())
}

/// The trigrams to ask for, in FTS5's language; empty when no word has three letters.
fn grams(words: &[String]) -> String {
    let mut asked = BTreeSet::new();
    for word in words {
        let letters: Vec<char> = word.chars().collect();
        let all = letters.windows(3);
        // A few narrow it down as far as many do; the text decides in the end.
        let step = all.len().div_ceil(limits::SEARCH_GRAMS).max(1);
        for gram in all.step_by(step) {
            asked.insert(format!("\"{}\"", gram.iter().collect::<String>().replace('"', "\"\"")));
        }
    }
    asked.into_iter().collect::<Vec<_>>().join(" ")
}
