//! [`Kv`] over SQL.

use livechat_crypto::kv::{Kv, KvError, Namespace, Order, Pair};
use rusqlite::{Connection, OptionalExtension, Params, params};

/// The one table, inside whatever transaction its connection is in.
pub(crate) struct Table<'c>(pub(super) &'c Connection);

impl Table<'_> {
    fn write(&self, sql: &str, params: impl Params) -> Result<(), KvError> {
        self.0.prepare_cached(sql).and_then(|mut s| s.execute(params)).map(drop).map_err(KvError::new)
    }
}

impl Kv for Table<'_> {
    fn get(&self, ns: Namespace, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        self.0
            .prepare_cached("SELECT value FROM kv WHERE ns = ? AND key = ?")
            .and_then(|mut s| s.query_row(params![ns.0, key], |row| row.get(0)).optional())
            .map_err(KvError::new)
    }

    fn put(&mut self, ns: Namespace, key: &[u8], value: &[u8]) -> Result<(), KvError> {
        self.write("INSERT OR REPLACE INTO kv (ns, key, value) VALUES (?, ?, ?)", params![ns.0, key, value])
    }

    fn delete(&mut self, ns: Namespace, key: &[u8]) -> Result<(), KvError> {
        self.write("DELETE FROM kv WHERE ns = ? AND key = ?", params![ns.0, key])
    }

    fn scan(&self, ns: Namespace, from: &[u8], to: &[u8], limit: usize, order: Order) -> Result<Vec<Pair>, KvError> {
        // One statement for each shape: a range with `OR` in it would cost the index.
        let sql = match (to.is_empty(), order) {
            (true, Order::Ascending) => {
                "SELECT key, value FROM kv WHERE ns = ?1 AND key >= ?2 AND ?3 = x'' ORDER BY key LIMIT ?4"
            }
            (true, Order::Descending) => {
                "SELECT key, value FROM kv WHERE ns = ?1 AND key >= ?2 AND ?3 = x'' ORDER BY key DESC LIMIT ?4"
            }
            (false, Order::Ascending) => {
                "SELECT key, value FROM kv WHERE ns = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4"
            }
            (false, Order::Descending) => {
                "SELECT key, value FROM kv WHERE ns = ?1 AND key >= ?2 AND key < ?3 ORDER BY key DESC LIMIT ?4"
            }
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = || -> rusqlite::Result<Vec<Pair>> {
            let mut statement = self.0.prepare_cached(sql)?;
            let rows = statement.query_map(params![ns.0, from, to, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        };
        read().map_err(KvError::new)
    }
}
