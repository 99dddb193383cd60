//! What every [`Kv`] must do, as a suite that each implementation runs in its own tests.

use std::collections::BTreeMap;

use super::{Kv, Namespace, Order, Pair};

const A: Namespace = Namespace(40);
const B: Namespace = Namespace(41);

/// Runs the whole suite; `make` yields an empty store each time.
///
/// # Panics
/// When the implementation breaks a rule; the message says which.
pub fn all(mut make: impl FnMut() -> Box<dyn Kv>) {
    reads_what_was_written(&mut *make());
    any_bytes_are_keys_and_values(&mut *make());
    namespaces_are_apart(&mut *make());
    ranges_are_half_open(&mut *make());
    agrees_with_a_map(&mut *make());
}

fn get(kv: &dyn Kv, ns: Namespace, key: &[u8]) -> Option<Vec<u8>> {
    kv.get(ns, key).expect("get")
}

fn put(kv: &mut dyn Kv, ns: Namespace, key: &[u8], value: &[u8]) {
    kv.put(ns, key, value).expect("put");
}

fn scan(kv: &dyn Kv, from: &[u8], to: &[u8], limit: usize, order: Order) -> Vec<Pair> {
    kv.scan(A, from, to, limit, order).expect("scan")
}

fn keys(pairs: Vec<Pair>) -> Vec<Vec<u8>> {
    pairs.into_iter().map(|(k, _)| k).collect()
}

fn reads_what_was_written(kv: &mut dyn Kv) {
    assert_eq!(get(kv, A, b"k"), None, "a new store is empty");
    put(kv, A, b"k", b"1");
    put(kv, A, b"k", b"2");
    assert_eq!(get(kv, A, b"k").as_deref(), Some(&b"2"[..]), "the last write wins");
    kv.delete(A, b"k").expect("delete");
    assert_eq!(get(kv, A, b"k"), None, "deleted is gone");
    kv.delete(A, b"k").expect("deleting what isn't there is no error");
}

fn any_bytes_are_keys_and_values(kv: &mut dyn Kv) {
    let long = vec![0xa5; 70_000];
    for (key, value) in [
        (&b""[..], &b"empty key"[..]),
        (b"empty value", b""),
        (b"\0", b"nul"),
        (b"\xff\xfe", b"not UTF-8"),
        (b"long", &long),
    ] {
        put(kv, A, key, value);
        assert_eq!(get(kv, A, key).as_deref(), Some(value), "key {key:?}");
    }
    assert_eq!(
        keys(scan(kv, b"", b"", 99, Order::Ascending)),
        [&b""[..], b"\0", b"empty value", b"long", b"\xff\xfe"],
        "byte order"
    );
}

fn namespaces_are_apart(kv: &mut dyn Kv) {
    put(kv, A, b"k", b"a");
    put(kv, B, b"k", b"b");
    put(kv, Namespace(0), b"z", b"0");
    put(kv, Namespace(255), b"", b"255");
    assert_eq!(get(kv, A, b"k").as_deref(), Some(&b"a"[..]));
    assert_eq!(get(kv, B, b"k").as_deref(), Some(&b"b"[..]));
    assert_eq!(keys(scan(kv, b"", b"", 99, Order::Ascending)), [b"k"], "a scan stays in its namespace");
    assert_eq!(keys(scan(kv, b"", b"", 99, Order::Descending)), [b"k"], "backwards too");
    let last = kv.scan(Namespace(255), b"", b"", 99, Order::Ascending).expect("scan");
    assert_eq!(last, [(Vec::new(), b"255".to_vec())], "the last namespace has no upper end");
    kv.delete(A, b"k").expect("delete");
    assert_eq!(get(kv, B, b"k").as_deref(), Some(&b"b"[..]), "deleting elsewhere leaves this alone");
}

fn ranges_are_half_open(kv: &mut dyn Kv) {
    for key in [&b"a"[..], b"b", b"b\0", b"c"] {
        put(kv, A, key, key);
    }
    let up = |from: &[u8], to: &[u8], limit| keys(scan(kv, from, to, limit, Order::Ascending));
    let down = |from: &[u8], to: &[u8], limit| keys(scan(kv, from, to, limit, Order::Descending));
    assert_eq!(up(b"b", b"c", 99), [&b"b"[..], b"b\0"], "lower end included, upper end not");
    assert_eq!(down(b"b", b"c", 99), [&b"b\0"[..], b"b"]);
    assert_eq!(up(b"b", b"", 99), [&b"b"[..], b"b\0", b"c"], "empty upper end is none");
    assert_eq!(up(b"", b"", 2), [b"a", b"b"], "limit counts from the beginning");
    assert_eq!(down(b"", b"", 2), [&b"c"[..], b"b\0"], "or from the end");
    assert!(up(b"", b"", 0).is_empty());
    assert!(up(b"c", b"b", 99).is_empty(), "an inverted range is empty");
    assert!(up(b"b", b"b", 99).is_empty());
}

/// A few thousand operations beside a map; a small generator of our own keeps it the same everywhere.
fn agrees_with_a_map(kv: &mut dyn Kv) {
    let mut model = BTreeMap::<Vec<u8>, Vec<u8>>::new();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let key = |n: u64| n.to_be_bytes()[8 - (1 + n as usize % 3)..].to_vec();
    for round in 0..2_000_u64 {
        let k = key(roll(60));
        match roll(4) {
            0 => {
                kv.delete(A, &k).expect("delete");
                model.remove(&k);
            }
            1 => {
                let (from, to, limit) = (key(roll(60)), key(roll(60)), roll(8) as usize);
                let expect = model.iter().filter(|(k, _)| **k >= from && **k < to);
                let expect: Vec<_> = expect.map(|(k, v)| (k.clone(), v.clone())).collect();
                let first: Vec<_> = expect.iter().take(limit).cloned().collect();
                let last: Vec<_> = expect.iter().rev().take(limit).cloned().collect();
                assert_eq!(scan(kv, &from, &to, limit, Order::Ascending), first, "round {round}");
                assert_eq!(scan(kv, &from, &to, limit, Order::Descending), last, "round {round}");
            }
            _ => {
                put(kv, A, &k, &round.to_be_bytes());
                model.insert(k.clone(), round.to_be_bytes().to_vec());
            }
        }
        assert_eq!(get(kv, A, &k).as_ref(), model.get(&k), "round {round}");
    }
}
