//! The embedded store: one writer thread that packs waiting jobs into one transaction, one reader thread beside it.
//!
//! WAL with `synchronous=FULL`: a write is on disk when its call returns. A job is answered only after the commit of
//! the transaction it ran in.

mod accounts;
pub mod blobs;
pub mod envelopes;
mod slots;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use worker::Worker;

use super::{OpenError, StoreError};
use crate::limits;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

mod embedded_blobs {
    refinery::embed_migrations!("migrations/sqlite-blobs");
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Migrations {
    /// Everything but blobs.
    Main,
    /// Blobs.
    Blobs,
}

/// A handle, cheap to clone; the threads end with the last one.
#[derive(Clone)]
pub struct Sqlite(Arc<Threads>);

struct Threads {
    path: PathBuf,
    writer: Worker,
    reader: Worker,
}

impl Sqlite {
    /// Opens or creates the file and migrates it.
    ///
    /// # Errors
    /// [`OpenError::Sqlite`], [`OpenError::Migrate`] or [`OpenError::Thread`].
    pub async fn open(path: PathBuf) -> Result<Self, OpenError> {
        Self::open_as(path, Migrations::Main).await
    }

    async fn open_as(path: PathBuf, what: Migrations) -> Result<Self, OpenError> {
        let opened = tokio::task::spawn_blocking(move || {
            let mut writer = connect(&path, what)?;
            let foreign_keys = |db: &Connection, on: bool| {
                let set = db.pragma_update(None, "foreign_keys", on);
                set.map_err(|source| OpenError::Sqlite { path: path.clone(), source })
            };
            // A migration may put a table in the place of another that much hangs on.
            foreign_keys(&writer, false)?;
            let runner = match what {
                Migrations::Main => embedded::migrations::runner(),
                Migrations::Blobs => embedded_blobs::migrations::runner(),
            };
            runner
                .set_abort_missing(true)
                .run(&mut writer)
                .map_err(|e| OpenError::Migrate { path: path.clone(), source: Box::new(e) })?;
            foreign_keys(&writer, true)?;
            let reader = connect(&path, what)?;
            reader
                .pragma_update(None, "query_only", true)
                .map_err(|source| OpenError::Sqlite { path: path.clone(), source })?;
            Ok(Self(Arc::new(Threads {
                path,
                writer: Worker::start(writer, worker::Mode::Write)?,
                reader: Worker::start(reader, worker::Mode::Read)?,
            })))
        });
        opened.await.map_err(|_| OpenError::Store(StoreError::Stopped))?
    }

    fn path(&self) -> &Path {
        &self.0.path
    }

    /// Runs `job` inside a write transaction, shared with other waiting jobs; durable when this returns. A job that
    /// returns an error leaves nothing behind. It must not begin or end transactions itself.
    ///
    /// # Errors
    /// What `job` returns, or the failed commit.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.writer.call(job).await
    }

    /// Runs `job` on the reading connection; it sees every write that returned before.
    ///
    /// # Errors
    /// What `job` returns.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.reader.call(job).await
    }
}

fn connect(path: &Path, what: Migrations) -> Result<Connection, OpenError> {
    let prepare = || {
        let db = Connection::open(path)?;
        db.busy_timeout(limits::SQLITE_BUSY)?;
        if what == Migrations::Blobs {
            // Before anything is in the file, or it has no effect.
            db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        // What was deleted is overwritten: a stolen file must not hold the sessions and keys of last month.
        db.pragma_update(None, "secure_delete", true)?;
        Ok(db)
    };
    prepare().map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })
}
