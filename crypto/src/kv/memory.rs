//! A store in memory: for tests, simulations, and rollback by cloning.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Kv, KvError, Namespace, Order, Pair};

/// An ordered map in memory; a clone is a snapshot.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MemoryKv(BTreeMap<(Namespace, Vec<u8>), Vec<u8>>);

impl core::fmt::Debug for MemoryKv {
    /// Holds keys, so it prints how much it holds and nothing else.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MemoryKv").field("pairs", &self.0.len()).finish_non_exhaustive()
    }
}

impl Kv for MemoryKv {
    fn get(&self, ns: Namespace, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        Ok(self.0.get(&(ns, key.to_vec())).cloned())
    }

    fn put(&mut self, ns: Namespace, key: &[u8], value: &[u8]) -> Result<(), KvError> {
        self.0.insert((ns, key.to_vec()), value.to_vec());
        Ok(())
    }

    fn delete(&mut self, ns: Namespace, key: &[u8]) -> Result<(), KvError> {
        self.0.remove(&(ns, key.to_vec()));
        Ok(())
    }

    fn scan(&self, ns: Namespace, from: &[u8], to: &[u8], limit: usize, order: Order) -> Result<Vec<Pair>, KvError> {
        let start = (ns, from.to_vec());
        let end = match (to, ns.0.checked_add(1)) {
            ([], Some(next)) => Bound::Excluded((Namespace(next), Vec::new())),
            ([], None) => Bound::Unbounded,
            (to, _) => Bound::Excluded((ns, to.to_vec())),
        };
        // BTreeMap::range panics on an inverted range; to us that is an empty one.
        if matches!(&end, Bound::Excluded(end) if *end <= start) {
            return Ok(Vec::new());
        }
        let range = self.0.range((Bound::Included(start), end));
        let pair = |((_, k), v): (&(Namespace, Vec<u8>), &Vec<u8>)| (k.clone(), v.clone());
        Ok(match order {
            Order::Ascending => range.take(limit).map(pair).collect(),
            Order::Descending => range.rev().take(limit).map(pair).collect(),
        })
    }
}
