//! The control of P1: a store that says "done" before it commits.

use livechat_crypto::kv::Kv;
use rusqlite::Connection;

use super::TransactError;
use super::index::Watched;

#[cfg(not(debug_assertions))]
compile_error!("the `sabotage` feature switches defences off: it is for tests of debug builds only");

/// `LIVECHAT_SABOTAGE=answer-before-commit` asks for it.
pub(super) fn asked_for() -> bool {
    std::env::var_os("LIVECHAT_SABOTAGE").is_some_and(|s| s == "answer-before-commit")
}

/// Answers, and never commits: all that it did dies with the process.
pub(super) fn transact<T, E>(
    connection: &Connection,
    work: impl FnOnce(&mut dyn Kv) -> Result<T, E>,
) -> Result<T, TransactError<E>> {
    if connection.is_autocommit() {
        connection.execute_batch("BEGIN IMMEDIATE")?;
    }
    connection.execute_batch("SAVEPOINT work")?;
    let mut table = Watched::new(connection);
    match work(&mut table) {
        Ok(done) => {
            table.refresh()?;
            connection.execute_batch("RELEASE work")?;
            Ok(done)
        }
        Err(e) => {
            connection.execute_batch("ROLLBACK TO work; RELEASE work")?;
            Err(TransactError::Inside(e))
        }
    }
}
