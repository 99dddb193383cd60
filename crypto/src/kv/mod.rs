//! The only storage that crypto and engine know: ordered bytes under namespaces, inside the caller's transaction.

pub mod exam;
mod memory;
mod overlay;

pub use memory::MemoryKv;
pub use overlay::Overlay;

/// A part of the store. 0 ..= 31 belong to this crate, 32 ..= 127 to the engine, the rest to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(pub u8);

/// Which end of a range a scan begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Largest key first.
    Descending,
}

/// The store failed: disk full, database locked, file damaged. Drop what was built on the transaction.
#[derive(Debug, thiserror::Error)]
#[error("the store failed")]
pub struct KvError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl KvError {
    /// Wraps the store's own error.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// A transaction on an ordered store of byte strings. Reads see earlier writes of the same transaction.
///
/// Every implementation passes [`exam::all`].
pub trait Kv {
    /// Reads a value.
    ///
    /// # Errors
    /// [`KvError`] when the store does.
    fn get(&self, ns: Namespace, key: &[u8]) -> Result<Option<Vec<u8>>, KvError>;

    /// Writes a value, replacing the one before. Keys and values may be empty.
    ///
    /// # Errors
    /// [`KvError`] when the store does.
    fn put(&mut self, ns: Namespace, key: &[u8], value: &[u8]) -> Result<(), KvError>;

    /// Removes a key; one that isn't there is no error.
    ///
    /// # Errors
    /// [`KvError`] when the store does.
    fn delete(&mut self, ns: Namespace, key: &[u8]) -> Result<(), KvError>;

    /// Lists the pairs with `from <= key < to` in byte order or reversed, at most `limit`. An empty `to` is no upper
    /// end.
    ///
    /// # Errors
    /// [`KvError`] when the store does.
    fn scan(&self, ns: Namespace, from: &[u8], to: &[u8], limit: usize, order: Order) -> Result<Vec<Pair>, KvError>;
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The upper end of the range of keys that begin with `prefix`: empty (no end) when the prefix is all `0xff`.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.iter().rposition(|b| *b != 0xff).map_or(0, |i| i + 1);
    let mut end = prefix[..kept].to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_where_the_next_begins() {
        assert_eq!(prefix_end(b"ab"), b"ac");
        assert_eq!(prefix_end(&[1, 0xff]), [2]);
        assert!(prefix_end(&[0xff, 0xff]).is_empty());
        assert!(prefix_end(&[]).is_empty());
    }

    #[test]
    fn memory_passes_the_exam() {
        exam::all(|| Box::new(MemoryKv::default()));
    }
}
