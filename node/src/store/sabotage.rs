//! The controls: a store that says "done" before it commits (P1), a key and stacks that outlive locking (P21).

use livechat_crypto::kv::Kv;
use rusqlite::Connection;

use super::TransactError;
use super::index::Watched;

#[cfg(not(debug_assertions))]
compile_error!("the `sabotage` feature switches defences off: it is for tests of debug builds only");

/// What `LIVECHAT_SABOTAGE` asks for: `answer-before-commit`, `keep-the-key`, `keep-the-stacks`.
pub(crate) fn asked_for(what: &str) -> bool {
    std::env::var_os("LIVECHAT_SABOTAGE").is_some_and(|s| s == what)
}

/// A copy that nobody zeroizes.
pub(super) fn keep(key: &[u8]) {
    if asked_for("keep-the-key") {
        key.to_vec().leak();
    }
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
