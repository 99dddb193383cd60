//! What the relay keeps, in SQLite or MongoDB: hashes and ciphertext (DESIGN §7).
//!
//! The traits ([`accounts::AccountStore`], [`envelopes`], [`slots`], [`blobs`]) speak domain verbs; each has both
//! implementations and an exam that both pass. Every write is durable when its call returns.

pub mod accounts;
pub mod blobs;
pub mod envelopes;
pub mod mongo;
pub mod slots;
pub mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;

pub use mongo::Mongo;
pub use sqlite::Sqlite;

/// Why the store couldn't do its work. Whatever it is, the caller has lost nothing but this call.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite refused: disk full, file gone, locked by another process.
    #[error("the SQLite database failed: {0}")]
    Sqlite(#[source] Arc<rusqlite::Error>),
    /// MongoDB refused or can't be reached.
    #[error("MongoDB failed: {0}")]
    Mongo(#[source] Arc<mongodb::error::Error>),
    /// MongoDB took too long; the call may still take effect.
    #[error("MongoDB did not answer in time")]
    Timeout,
    /// The store was shut down, or its worker died.
    #[error("the store has stopped")]
    Stopped,
    /// A row isn't what this version writes.
    #[error("a stored {0} is damaged")]
    Damaged(&'static str),
    /// A fault that a test asked for.
    #[cfg(any(test, feature = "testing"))]
    #[error("injected fault")]
    Injected,
}

impl StoreError {
    /// Whether it is the surroundings (disk, server, load) and trying again later may help; otherwise it is ours.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        use rusqlite::ErrorCode;
        match self {
            Self::Sqlite(e) => matches!(
                e.sqlite_error_code(),
                Some(
                    ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::CannotOpen
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::ReadOnly
                        | ErrorCode::FileLockingProtocolFailed
                        | ErrorCode::OutOfMemory
                )
            ),
            Self::Damaged(_) => false,
            _ => true,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(e))
    }
}

impl From<mongodb::error::Error> for StoreError {
    fn from(e: mongodb::error::Error) -> Self {
        Self::Mongo(Arc::new(e))
    }
}

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `sqlite:PATH`
    Sqlite(PathBuf),
    /// `mongodb://…` or `mongodb+srv://…`, credentials included: never print it.
    Mongo(MongoUrl),
}

/// A connection string whose `Debug` keeps its password.
#[derive(Clone, PartialEq, Eq)]
pub struct MongoUrl(pub String);

impl std::fmt::Debug for MongoUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MongoUrl(…)")
    }
}

/// A store URL that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a store: expected sqlite:PATH or mongodb://HOST/DATABASE")]
pub struct UnknownStore;

impl std::str::FromStr for Location {
    type Err = UnknownStore;

    fn from_str(s: &str) -> Result<Self, UnknownStore> {
        if let Some(path) = s.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(UnknownStore) } else { Ok(Self::Sqlite(path.into())) };
        }
        if s.starts_with("mongodb://") || s.starts_with("mongodb+srv://") {
            return Ok(Self::Mongo(MongoUrl(s.to_owned())));
        }
        Err(UnknownStore)
    }
}

/// Why the store couldn't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file can't be opened or written.
    #[error("can't open the database {path}: {source}; is the directory there and writable?")]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The schema can't be brought up to date; a newer version may have written it.
    #[error("can't migrate the database {path}: {source}; was it written by a newer version of the relay?")]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// What the migrator says.
        #[source]
        source: Box<refinery::Error>,
    },
    /// The connection string isn't one.
    #[error("the MongoDB connection string is not valid: {0}")]
    MongoUrl(#[source] mongodb::error::Error),
    /// No server answers.
    #[error("can't reach MongoDB at {hosts}: {source}; is mongod running there, and reachable from here?")]
    Unreachable {
        /// Where it was looked for, without credentials.
        hosts: String,
        /// What the driver says.
        #[source]
        source: mongodb::error::Error,
    },
    /// A lone mongod can't promise that what it acknowledged survives.
    #[error("MongoDB at {hosts} is not a replica set; start mongod with --replSet and run rs.initiate() once")]
    NotReplicaSet {
        /// Where.
        hosts: String,
    },
    /// The worker threads can't be started.
    #[error("can't start a database thread: {0}")]
    Thread(#[source] std::io::Error),
    /// The first use failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An open store: all traits over one connection.
#[derive(Clone)]
pub enum Store {
    /// Embedded.
    Sqlite(Sqlite),
    /// Replica set or sharded cluster.
    Mongo(Mongo),
}

impl Store {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(location: &Location) -> Result<Self, OpenError> {
        Ok(match location {
            Location::Sqlite(path) => Self::Sqlite(Sqlite::open(path.clone()).await?),
            Location::Mongo(url) => Self::Mongo(Mongo::connect(url).await?),
        })
    }
}
