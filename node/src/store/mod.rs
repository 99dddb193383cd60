//! The encrypted database of a node: SQLCipher with a random raw key, one table of ordered bytes.
//!
//! Whatever is committed is on disk (`synchronous=FULL`). A store of a newer version is left untouched.

pub(crate) mod index;
mod key;
#[cfg(feature = "sabotage")]
mod sabotage;
mod table;

use std::path::{Path, PathBuf};

use livechat_crypto::kv::Kv;
use livechat_crypto::vault::Vault;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use index::{Candidate, IndexError, Watched};
pub(crate) use key::Key;
#[cfg(feature = "sabotage")]
pub(crate) use sabotage::asked_for;
pub(crate) use table::Table;

use crate::vault::files;

/// Name of the database in the data directory.
pub(crate) const DATABASE: &str = "node.db";
/// Name of its key beside it.
pub(crate) const KEY: &str = "node.key";

mod migrations {
    refinery::embed_migrations!("migrations");
}

/// Why the store can't be opened. Each names the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The key file can't be read or made.
    #[error("can't use the key file {path}: {cause}; check its owner and permissions, and that the disk isn't full")]
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// There is a key file, but no key in it.
    #[error("{path} doesn't hold a LiveChat key; restore it from a backup, nothing else opens the database")]
    NotAKey {
        /// Which.
        path: PathBuf,
    },
    /// There is a database without its key.
    #[error(
        "{database} is there but its key {path} isn't; restore the key file from a backup, or move the database away to begin anew"
    )]
    KeyMissing {
        /// The key's place.
        path: PathBuf,
        /// The database's.
        database: PathBuf,
    },
    /// The key doesn't open the database, or the file isn't a database.
    #[error(
        "the key in node.key doesn't open {database} (or the file is damaged); put back the key file that belongs to it, or restore both from a backup"
    )]
    WrongKey {
        /// Which.
        database: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "{database} was written by a newer LiveChat (store version {found}, this one knows {known}); update this program, the store was left untouched"
    )]
    Newer {
        /// Which.
        database: PathBuf,
        /// Its version.
        found: i64,
        /// The highest this program knows.
        known: i64,
    },
    /// There is a vault, and nothing in it that can be used.
    #[error(
        "{path} is damaged or of a newer LiveChat ({cause}); restore it from a backup or update this program, nothing else opens the database"
    )]
    Vault {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: livechat_wire::DecodeError,
    },
    /// The system gave no randomness for a new key.
    #[error("the system gives no randomness: {0}")]
    Randomness(getrandom::Error),
    /// Anything else the database says.
    #[error("can't open {database}: {cause}; check that the disk isn't full or failing")]
    Sql {
        /// Which.
        database: PathBuf,
        /// Why.
        cause: rusqlite::Error,
    },
    /// The search index is missing and can't be made.
    #[error("can't make the search index in {database}: {cause}; check that the disk isn't full or failing")]
    Index {
        /// Which.
        database: PathBuf,
        /// Why.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Bringing the store up to date failed; it is as it was.
    #[error("can't bring {database} up to date: {cause}")]
    Migration {
        /// Which.
        database: PathBuf,
        /// Why.
        cause: Box<refinery::Error>,
    },
}

/// Whether the store of a data directory opens by itself.
pub(crate) enum Found {
    /// Its key is there; a new one, when there is no store yet.
    Key(Key),
    /// Only the vault is.
    Locked(Box<Vault>),
}

/// Looks for the way into the store of a data directory, which the caller has locked.
pub(crate) fn find(dir: &Path) -> Result<Found, OpenError> {
    let (path, database) = (dir.join(KEY), dir.join(DATABASE));
    if let Some(key) = Key::read(&path)? {
        return Ok(Found::Key(key));
    }
    if let Some(vault) = files::read(dir)? {
        return Ok(Found::Locked(Box::new(vault)));
    }
    if database.exists() {
        return Err(OpenError::KeyMissing { path, database });
    }
    Key::make(&path).map(Found::Key)
}

/// A transaction that didn't happen; the store is as it was before.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransactError<E> {
    /// What ran in it failed.
    #[error(transparent)]
    Inside(E),
    /// The database did.
    #[error("the store can't be written: {0}")]
    Store(#[from] rusqlite::Error),
    /// The search index couldn't follow.
    #[error("the search index can't be written: {0}")]
    Index(#[from] IndexError),
}

/// The open database.
pub(crate) struct Store {
    connection: Connection,
    #[cfg(feature = "sabotage")]
    late: bool,
}

impl Store {
    /// Opens the store of a data directory, which the caller has locked; makes it when there is none.
    pub(crate) fn open(dir: &Path, key: &Key) -> Result<Self, OpenError> {
        let database = dir.join(DATABASE);
        let sql = |cause| OpenError::Sql { database: database.clone(), cause };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&database, flags).map_err(sql)?;
        // First of all, or SQLCipher prints its failures to the terminal. Whatever it frees is overwritten: a locked node
        // keeps nothing of what was read (P21).
        connection.execute_batch("PRAGMA cipher_log_level = NONE; PRAGMA cipher_memory_security = ON;").map_err(sql)?;
        connection.execute_batch(&key.pragma()).map_err(sql)?;
        #[cfg(feature = "sabotage")]
        sabotage::keep(key.bytes().as_bytes());
        let found = schema_version(&connection).map_err(|cause| match cause.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => OpenError::WrongKey { database: database.clone() },
            _ => sql(cause),
        })?;
        let runner = migrations::migrations::runner();
        let known = runner.get_migrations().iter().map(|m| i64::from(m.version())).max().unwrap_or(0);
        if found > known {
            return Err(OpenError::Newer { database, found, known });
        }
        // One process, one connection: exclusive locking spares the shared-memory file beside the log.
        // Deleted keys are overwritten, and nothing plain is spilled into temporary files.
        connection
            .execute_batch(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;",
            )
            .map_err(sql)?;
        runner
            .run(&mut connection)
            .map_err(|cause| OpenError::Migration { database: database.clone(), cause: Box::new(cause) })?;
        index::ensure(&mut connection)
            .map_err(|cause| OpenError::Index { database: database.clone(), cause: Box::new(cause) })?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self {
            connection,
            #[cfg(feature = "sabotage")]
            late: sabotage::asked_for("answer-before-commit"),
        })
    }

    /// Runs `work` in one transaction and commits. After an error nothing of it is there.
    pub(crate) fn transact<T, E>(
        &mut self,
        work: impl FnOnce(&mut dyn Kv) -> Result<T, E>,
    ) -> Result<T, TransactError<E>> {
        #[cfg(feature = "sabotage")]
        if self.late {
            return sabotage::transact(&self.connection, work);
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // An early return drops the transaction, which rolls it back.
        let mut table = Watched::new(&transaction);
        let done = work(&mut table).map_err(TransactError::Inside)?;
        table.refresh()?;
        transaction.commit()?;
        Ok(done)
    }

    /// Deletes all there is; what is freed is overwritten.
    pub(crate) fn wipe(&mut self) -> Result<(), IndexError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM kv", [])?;
        index::make(&transaction)?;
        Ok(transaction.commit()?)
    }

    /// Shows passages of the search index; see [`index::candidates`].
    pub(crate) fn candidates(
        &self,
        words: &[String],
        ids: (i64, i64),
        each: impl FnMut(Candidate<'_>) -> bool,
    ) -> rusqlite::Result<()> {
        index::candidates(&self.connection, words, ids, each)
    }

    /// Reads outside any transaction.
    pub(crate) fn read(&self) -> Table<'_> {
        Table(&self.connection)
    }

    /// Makes the disk full, or gives it room again: at most this many pages more than there are.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, more: Option<i64>) {
        let now: i64 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a count");
        let max = more.map_or(1 << 30, |more| now + more);
        self.connection.query_row(&format!("PRAGMA max_page_count = {max}"), [], |_| Ok(())).expect("a limit");
    }

    /// Doesn't wait for the disk: for tests that count operations, not crashes.
    #[cfg(test)]
    pub(crate) fn hurry(&self) {
        self.connection.execute_batch("PRAGMA synchronous = OFF").expect("hurry");
    }

    /// Makes the search index look like that of another version.
    #[cfg(test)]
    pub(crate) fn forget_index(&self) {
        self.connection.execute_batch("PRAGMA user_version = 0").expect("forgetting");
    }

    /// Compares the index's two tables.
    #[cfg(test)]
    pub(crate) fn check_index(&self) {
        let check = "INSERT INTO passage_grams (passage_grams, rank) VALUES ('integrity-check', 1)";
        self.connection.execute(check, []).expect("an index without contradictions");
    }

    /// Whether these letters are in the raw blocks of the index or in its texts.
    #[cfg(test)]
    pub(crate) fn index_holds(&self, letters: &str) -> bool {
        let held = "SELECT EXISTS (SELECT 1 FROM passage_grams_data WHERE instr(block, CAST(?1 AS BLOB)) > 0)
                        OR EXISTS (SELECT 1 FROM passages WHERE instr(text, ?1) > 0)";
        self.connection.query_row(held, [letters], |row| row.get(0)).expect("an answer")
    }

    /// Whether the connection is fit for the next transaction (a failed rollback leaves it inside one).
    pub(crate) fn is_idle(&self) -> bool {
        #[cfg(feature = "sabotage")]
        if self.late {
            return true;
        }
        self.connection.is_autocommit()
    }
}

/// Opens a store by its key, as a start does; for tests.
#[cfg(test)]
pub(crate) fn open_by_key(dir: &Path) -> Result<Store, OpenError> {
    match find(dir)? {
        Found::Key(key) => Store::open(dir, &key),
        Found::Locked(_) => panic!("locked"),
    }
}

fn schema_version(connection: &Connection) -> rusqlite::Result<i64> {
    let table = "SELECT count(*) FROM sqlite_master WHERE name = 'refinery_schema_history'";
    if connection.query_row(table, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(0);
    }
    connection.query_row("SELECT coalesce(max(version), 0) FROM refinery_schema_history", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use livechat_crypto::kv::{KvError, Namespace, Order, Pair, exam};

    use super::*;

    const NS: Namespace = Namespace(200);

    /// Every operation in a transaction of its own, in a directory of its own.
    struct Owned(Store, #[allow(dead_code, reason = "kept alive")] tempfile::TempDir);

    impl Kv for Owned {
        fn get(&self, ns: Namespace, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
            self.0.read().get(ns, key)
        }

        fn put(&mut self, ns: Namespace, key: &[u8], value: &[u8]) -> Result<(), KvError> {
            self.0.transact(|tx| tx.put(ns, key, value)).map_err(KvError::new)
        }

        fn delete(&mut self, ns: Namespace, key: &[u8]) -> Result<(), KvError> {
            self.0.transact(|tx| tx.delete(ns, key)).map_err(KvError::new)
        }

        fn scan(
            &self,
            ns: Namespace,
            from: &[u8],
            to: &[u8],
            limit: usize,
            order: Order,
        ) -> Result<Vec<Pair>, KvError> {
            self.0.read().scan(ns, from, to, limit, order)
        }
    }

    fn new() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = open_by_key(dir.path()).unwrap();
        (dir, store)
    }

    fn put(store: &mut Store, key: &[u8], value: &[u8]) {
        store.transact(|tx| tx.put(NS, key, value)).unwrap();
    }

    #[test]
    fn the_store_passes_the_exam() {
        exam::all(|| {
            let (dir, store) = new();
            // The exam counts operations, not crashes.
            store.connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
            Box::new(Owned(store, dir))
        });
    }

    #[test]
    fn what_is_committed_is_there_again_and_what_failed_is_not() {
        let (dir, mut store) = new();
        put(&mut store, b"kept", b"1");
        let failed = store.transact(|tx| {
            tx.put(NS, b"lost", b"2").unwrap();
            Err::<(), _>(std::io::Error::other("no"))
        });
        assert!(matches!(failed, Err(TransactError::Inside(_))));
        assert!(store.is_idle());
        drop(store);
        let store = open_by_key(dir.path()).unwrap();
        assert_eq!(store.read().get(NS, b"kept").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(store.read().get(NS, b"lost").unwrap(), None);
    }

    #[test]
    fn files_are_private_and_hold_nothing_plain() {
        let (dir, mut store) = new();
        put(&mut store, b"canary-key-canary", b"canary-value-canary");
        for name in [KEY, DATABASE, "node.db-wal"] {
            let path = dir.path().join(name);
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|w| w == b"canary" || w == b"SQLite"), "{name}");
            if name == KEY {
                assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            }
        }
        assert!(!dir.path().join("node.db-shm").exists());
    }

    #[test]
    fn a_wrong_key_is_named_and_nothing_is_touched() {
        let (dir, mut store) = new();
        put(&mut store, b"k", b"v");
        drop(store);
        let (database, key) = (dir.path().join(DATABASE), dir.path().join(KEY));
        let before = std::fs::read(&database).unwrap();
        let right = std::fs::read_to_string(&key).unwrap();

        std::fs::write(&key, format!("livechat-node-key 1 {}\n", "ab".repeat(32))).unwrap();
        assert!(matches!(open_by_key(dir.path()), Err(OpenError::WrongKey { .. })));
        std::fs::write(&key, "something else").unwrap();
        assert!(matches!(open_by_key(dir.path()), Err(OpenError::NotAKey { .. })));
        std::fs::remove_file(&key).unwrap();
        assert!(matches!(open_by_key(dir.path()), Err(OpenError::KeyMissing { .. })));
        assert!(!key.exists(), "no new key for an old database");

        assert!(std::fs::read(&database).unwrap() == before);
        std::fs::write(&key, right).unwrap();
        assert_eq!(open_by_key(dir.path()).unwrap().read().get(NS, b"k").unwrap().as_deref(), Some(&b"v"[..]));
    }

    #[test]
    fn a_newer_store_is_left_untouched() {
        let (dir, mut store) = new();
        put(&mut store, b"k", b"v");
        let future = "INSERT INTO refinery_schema_history VALUES (99, 'future', '2030-01-01T00:00:00Z', '1')";
        store.connection.execute(future, []).unwrap();
        drop(store);
        let before = std::fs::read(dir.path().join(DATABASE)).unwrap();
        let refused = open_by_key(dir.path());
        assert!(matches!(refused, Err(OpenError::Newer { found: 99, known: 1, .. })));
        assert!(std::fs::read(dir.path().join(DATABASE)).unwrap() == before);
    }
}
