//! What every blob store must do; each implementation passes all of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "an exam fails by panicking")]

use std::sync::Arc;

use futures::future::BoxFuture;
use livechat_wire::{BlobId, blob, limits as wire};

use super::{Begin, BeginError, BlobStore, OwnerKey, Progress, PutError};

/// Some moment; every test counts from it.
pub const NOW: u64 = 1_795_305_600;
/// While a blob is being filled.
pub const OPEN: u64 = NOW + 1_000;
/// Once it is whole.
pub const KEPT: u64 = NOW + 50_000;

/// Names of the tests and the tests.
#[must_use]
pub fn all() -> Vec<(&'static str, Exam)> {
    macro_rules! exams {
        ($($name:ident),* $(,)?) => { vec![$((stringify!($name), (|s| Box::pin($name(s))) as Exam)),*] };
    }
    exams![
        a_blob_is_filled_and_read,
        an_upload_goes_on_where_it_stopped,
        what_is_not_whole_is_not_read,
        parts_come_in_order_and_fit,
        only_the_owner_fills_and_removes,
        an_id_is_given_once,
        the_quota_holds,
        many_at_once_stay_within_the_quota,
        the_same_part_at_once_is_there_once,
        what_is_over_is_gone,
        what_is_removed_is_gone_at_once,
        an_account_that_ends_leaves_nothing,
    ]
}

/// One test.
pub type Exam = fn(Arc<dyn BlobStore>) -> BoxFuture<'static, ()>;

/// The `n`th id.
#[must_use]
pub fn id(n: u8) -> BlobId {
    BlobId([n; 32])
}

/// The `n`th owner.
#[must_use]
pub fn owner(n: u8) -> OwnerKey {
    OwnerKey([n; 32])
}

/// A size of so many parts, the last one not full.
#[must_use]
pub fn size(parts: u32) -> u64 {
    let size = blob::sealed(u64::from(parts) * wire::BLOB_PART as u64 - 100_000);
    assert_eq!(blob::parts(size), parts);
    size
}

/// Part `part` of the `n`th blob.
#[must_use]
pub fn bytes(n: u8, size: u64, part: u32) -> Vec<u8> {
    vec![n.wrapping_mul(31).wrapping_add(part as u8); blob::part_len(size, part)]
}

/// Begins the `n`th blob, of the first owner.
pub async fn begin(s: &dyn BlobStore, n: u8, size: u64) -> Result<Progress, BeginError> {
    s.begin(Begin { id: id(n), owner: owner(1), size, until: OPEN }, u64::MAX, NOW).await
}

/// Puts a part of it in.
pub async fn put(s: &dyn BlobStore, n: u8, size: u64, part: u32) -> Result<Progress, PutError> {
    s.put(id(n), owner(1), part, bytes(n, size, part), KEPT, NOW).await
}

/// Begins and fills it.
pub async fn fill(s: &dyn BlobStore, n: u8, size: u64) {
    begin(s, n, size).await.unwrap();
    for part in 0..blob::parts(size) {
        put(s, n, size, part).await.unwrap();
    }
}

async fn a_blob_is_filled_and_read(s: Arc<dyn BlobStore>) {
    let s = &*s;
    for (n, parts) in [(1, 1), (2, 2), (3, 5)] {
        let size = size(parts);
        assert_eq!(begin(s, n, size).await.unwrap(), Progress { parts: 0, whole: false, until: OPEN });
        for part in 0..parts {
            let whole = part + 1 == parts;
            let expected = Progress { parts: part + 1, whole, until: if whole { KEPT } else { OPEN } };
            assert_eq!(put(s, n, size, part).await.unwrap(), expected);
        }
        for part in 0..parts {
            assert_eq!(s.part(id(n), part, NOW).await.unwrap(), Some(bytes(n, size, part)));
        }
        assert_eq!(s.part(id(n), parts, NOW).await.unwrap(), None);
    }
    assert_eq!(s.part(id(9), 0, NOW).await.unwrap(), None);
}

async fn an_upload_goes_on_where_it_stopped(s: Arc<dyn BlobStore>) {
    let s = &*s;
    let size = size(4);
    begin(s, 1, size).await.unwrap();
    put(s, 1, size, 0).await.unwrap();
    put(s, 1, size, 1).await.unwrap();
    let state = begin(s, 1, size).await.unwrap();
    assert_eq!(state, Progress { parts: 2, whole: false, until: OPEN });
    // Said again, in case the answer was lost: nothing changes, whatever the bytes are now.
    let other = vec![0; blob::part_len(size, 1)];
    assert_eq!(s.put(id(1), owner(1), 1, other, KEPT, NOW).await.unwrap(), state);
    put(s, 1, size, 2).await.unwrap();
    let whole = put(s, 1, size, 3).await.unwrap();
    assert_eq!(whole, Progress { parts: 4, whole: true, until: KEPT });
    assert_eq!(begin(s, 1, size).await.unwrap(), whole);
    assert_eq!(s.put(id(1), owner(1), 3, bytes(1, size, 3), KEPT + 99, NOW).await.unwrap(), whole, "not prolonged");
    assert_eq!(s.part(id(1), 1, NOW).await.unwrap(), Some(bytes(1, size, 1)));
}

async fn what_is_not_whole_is_not_read(s: Arc<dyn BlobStore>) {
    let s = &*s;
    let size = size(2);
    begin(s, 1, size).await.unwrap();
    put(s, 1, size, 0).await.unwrap();
    assert_eq!(s.part(id(1), 0, NOW).await.unwrap(), None);
    put(s, 1, size, 1).await.unwrap();
    assert!(s.part(id(1), 0, NOW).await.unwrap().is_some());
}

async fn parts_come_in_order_and_fit(s: Arc<dyn BlobStore>) {
    let s = &*s;
    let size = size(3);
    begin(s, 1, size).await.unwrap();
    for early in [1, 2] {
        assert!(matches!(put(s, 1, size, early).await, Err(PutError::OutOfOrder(0))));
    }
    for length in [0, 1, wire::BLOB_PART - 1, wire::BLOB_PART + 1] {
        let wrong = s.put(id(1), owner(1), 0, vec![0; length], KEPT, NOW).await;
        assert!(matches!(wrong, Err(PutError::Length)), "{length}: {wrong:?}");
    }
    let beyond = s.put(id(1), owner(1), 3, Vec::new(), KEPT, NOW).await;
    assert!(matches!(beyond, Err(PutError::Length)));
    assert_eq!(begin(s, 1, size).await.unwrap().parts, 0);
}

async fn only_the_owner_fills_and_removes(s: Arc<dyn BlobStore>) {
    let s = &*s;
    let size = size(2);
    begin(s, 1, size).await.unwrap();
    let other = s.put(id(1), owner(2), 0, bytes(1, size, 0), KEPT, NOW).await;
    assert!(matches!(other, Err(PutError::Unknown)));
    put(s, 1, size, 0).await.unwrap();
    put(s, 1, size, 1).await.unwrap();
    assert!(!s.remove(id(1), owner(2), NOW).await.unwrap());
    s.remove_all(owner(2)).await.unwrap();
    assert!(s.part(id(1), 0, NOW).await.unwrap().is_some());
}

async fn an_id_is_given_once(s: Arc<dyn BlobStore>) {
    let s = &*s;
    fill(s, 1, size(1)).await;
    for (who, bytes) in [(2, size(1)), (1, size(2))] {
        let taken = s.begin(Begin { id: id(1), owner: owner(who), size: bytes, until: OPEN }, u64::MAX, NOW).await;
        assert!(matches!(taken, Err(BeginError::Taken)), "{taken:?}");
    }
    assert_eq!(s.used(owner(2), NOW).await.unwrap(), 0);
}

async fn the_quota_holds(s: Arc<dyn BlobStore>) {
    let s = &*s;
    let each = size(2);
    let quota = 3 * each;
    let begin = async |n: u8, who: u8, now: u64| {
        s.begin(Begin { id: id(n), owner: owner(who), size: each, until: now + 1_000 }, quota, now).await
    };
    for n in 1..=3 {
        begin(n, 1, NOW).await.unwrap();
        assert_eq!(s.used(owner(1), NOW).await.unwrap(), u64::from(n) * each);
    }
    assert!(matches!(begin(4, 1, NOW).await, Err(BeginError::Quota)));
    assert_eq!(s.used(owner(1), NOW).await.unwrap(), quota, "a refusal takes no room");
    begin(2, 1, NOW).await.expect("what was begun goes on");
    begin(5, 2, NOW).await.expect("another has room of their own");
    assert!(s.remove(id(3), owner(1), NOW).await.unwrap());
    begin(6, 1, NOW).await.expect("what was removed makes room");
    begin(7, 1, NOW + 1_000).await.expect("what is over makes room");
    assert_eq!(s.used(owner(1), NOW + 1_000).await.unwrap(), each);
}

async fn many_at_once_stay_within_the_quota(s: Arc<dyn BlobStore>) {
    let each = size(1);
    let begun: Vec<_> = (0..16u8)
        .map(|n| {
            let s = s.clone();
            tokio::spawn(async move {
                s.begin(Begin { id: id(n), owner: owner(1), size: each, until: OPEN }, 4 * each, NOW).await.is_ok()
            })
        })
        .collect();
    let mut got = 0;
    for b in begun {
        got += u64::from(b.await.unwrap());
    }
    let used = s.used(owner(1), NOW).await.unwrap();
    assert!(used <= 4 * each && used == got * each, "{got} were told yes, {used} bytes");
}

async fn the_same_part_at_once_is_there_once(s: Arc<dyn BlobStore>) {
    let size = size(2);
    begin(&*s, 1, size).await.unwrap();
    let puts: Vec<_> = (0..8)
        .map(|_| {
            let s = s.clone();
            tokio::spawn(async move { put(&*s, 1, size, 0).await.unwrap().parts })
        })
        .collect();
    for p in puts {
        assert_eq!(p.await.unwrap(), 1);
    }
    assert!(put(&*s, 1, size, 1).await.unwrap().whole);
    assert_eq!(s.part(id(1), 0, NOW).await.unwrap(), Some(bytes(1, size, 0)));
}

async fn what_is_over_is_gone(s: Arc<dyn BlobStore>) {
    let s = &*s;
    let size = size(3);
    fill(s, 1, size).await;
    begin(s, 2, size).await.unwrap();
    put(s, 2, size, 0).await.unwrap();
    assert_eq!(s.sweep(OPEN - 1).await.unwrap(), 0);
    // Unfinished: over sooner than what is whole, swept or not.
    let late = s.put(id(2), owner(1), 1, bytes(2, size, 1), KEPT, OPEN).await;
    assert!(matches!(late, Err(PutError::Unknown)), "{late:?}");
    assert_eq!(s.sweep(OPEN).await.unwrap(), 1);
    assert!(s.part(id(1), 2, KEPT - 1).await.unwrap().is_some());
    assert_eq!(s.part(id(1), 2, KEPT).await.unwrap(), None);
    assert_eq!((s.sweep(KEPT).await.unwrap(), s.sweep(KEPT).await.unwrap()), (1, 0));
    // Even by a clock that goes back.
    assert_eq!(s.part(id(1), 0, NOW).await.unwrap(), None);
    assert_eq!(s.used(owner(1), NOW).await.unwrap(), 0);
}

async fn what_is_removed_is_gone_at_once(s: Arc<dyn BlobStore>) {
    let s = &*s;
    let size = size(2);
    fill(s, 1, size).await;
    fill(s, 2, size).await;
    assert!(s.remove(id(1), owner(1), NOW).await.unwrap());
    assert!(!s.remove(id(1), owner(1), NOW).await.unwrap(), "only once");
    assert_eq!(s.part(id(1), 0, NOW).await.unwrap(), None);
    assert_eq!(s.used(owner(1), NOW).await.unwrap(), size);
    assert!(matches!(begin(s, 1, size).await, Err(BeginError::Taken)), "no second life under one id");
    assert_eq!(s.sweep(NOW).await.unwrap(), 1);
    assert!(s.part(id(2), 1, NOW).await.unwrap().is_some());
}

async fn an_account_that_ends_leaves_nothing(s: Arc<dyn BlobStore>) {
    let s = &*s;
    for n in 1..=3 {
        fill(s, n, size(1)).await;
    }
    begin(s, 4, size(2)).await.unwrap();
    s.remove_all(owner(1)).await.unwrap();
    assert_eq!(s.used(owner(1), NOW).await.unwrap(), 0);
    for n in 1..=3 {
        assert_eq!(s.part(id(n), 0, NOW).await.unwrap(), None);
    }
    assert_eq!(s.sweep(NOW).await.unwrap(), 4);
}
