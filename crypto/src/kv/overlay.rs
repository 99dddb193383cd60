//! A transaction within the transaction: what a refused join or a failed encryption wrote is forgotten.

use std::collections::BTreeMap;

use super::{Kv, KvError, Namespace, Order, Pair};

/// Writes are kept here until [`Overlay::keep`]; dropping it forgets them.
pub struct Overlay<'a> {
    base: &'a mut dyn Kv,
    changes: BTreeMap<(Namespace, Vec<u8>), Option<Vec<u8>>>,
}

impl core::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Overlay").field("changes", &self.changes.len()).finish_non_exhaustive()
    }
}

impl<'a> Overlay<'a> {
    /// Lays an overlay on `base`.
    #[must_use]
    pub fn new(base: &'a mut dyn Kv) -> Self {
        Self { base, changes: BTreeMap::new() }
    }

    /// Carries the changes over.
    ///
    /// # Errors
    /// [`KvError`] when the store does.
    pub fn keep(self) -> Result<(), KvError> {
        for ((ns, key), value) in self.changes {
            match value {
                Some(value) => self.base.put(ns, &key, &value)?,
                None => self.base.delete(ns, &key)?,
            }
        }
        Ok(())
    }
}

impl Kv for Overlay<'_> {
    fn get(&self, ns: Namespace, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        match self.changes.get(&(ns, key.to_vec())) {
            Some(changed) => Ok(changed.clone()),
            None => self.base.get(ns, key),
        }
    }

    fn put(&mut self, ns: Namespace, key: &[u8], value: &[u8]) -> Result<(), KvError> {
        self.changes.insert((ns, key.to_vec()), Some(value.to_vec()));
        Ok(())
    }

    fn delete(&mut self, ns: Namespace, key: &[u8]) -> Result<(), KvError> {
        self.changes.insert((ns, key.to_vec()), None);
        Ok(())
    }

    fn scan(&self, ns: Namespace, from: &[u8], to: &[u8], limit: usize, order: Order) -> Result<Vec<Pair>, KvError> {
        let within = |k: &[u8]| k >= from && (to.is_empty() || k < to);
        let changes: Vec<_> = self.changes.iter().filter(|((n, k), _)| *n == ns && within(k)).collect();
        // Each change hides at most one pair of the base.
        let base = self.base.scan(ns, from, to, limit.saturating_add(changes.len()), order)?;
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = base.into_iter().collect();
        for ((_, key), value) in changes {
            match value {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        Ok(match order {
            Order::Ascending => merged.into_iter().take(limit).collect(),
            Order::Descending => merged.into_iter().rev().take(limit).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::{MemoryKv, exam};

    #[test]
    fn passes_the_exam_of_stores() {
        exam::all(|| Box::new(Overlay::new(Box::leak(Box::new(MemoryKv::default())))));
    }

    #[test]
    fn is_forgotten_unless_kept() {
        let mut base = MemoryKv::default();
        base.put(Namespace(40), b"a", b"1").unwrap();
        let before = base.clone();
        let mut over = Overlay::new(&mut base);
        over.put(Namespace(40), b"b", b"2").unwrap();
        over.delete(Namespace(40), b"a").unwrap();
        drop(over);
        assert_eq!(base, before);
        let mut over = Overlay::new(&mut base);
        over.put(Namespace(40), b"b", b"2").unwrap();
        over.delete(Namespace(40), b"a").unwrap();
        over.keep().unwrap();
        assert_eq!(base.get(Namespace(40), b"a").unwrap(), None);
        assert_eq!(base.get(Namespace(40), b"b").unwrap().as_deref(), Some(&b"2"[..]));
    }
}
