//! What every slot store must do; each implementation passes all of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "an exam fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::BoxFuture;
use livechat_wire::order::SealedCommit;
use livechat_wire::{SlotId, limits as wire};

use super::{AppendError, Placed, ReadError, SlotStore, Stretch};

/// Some moment; every test counts from it.
pub const NOW: u64 = 1_795_305_600;

/// Names of the tests and the tests.
#[must_use]
pub fn all() -> Vec<(&'static str, Exam)> {
    macro_rules! exams {
        ($($name:ident),* $(,)?) => { vec![$((stringify!($name), (|s| Box::pin($name(s))) as Exam)),*] };
    }
    exams![
        commits_stand_in_the_order_they_came,
        the_same_commit_keeps_its_place,
        slots_know_nothing_of_each_other,
        an_answer_fits_a_frame,
        a_full_slot_takes_no_more,
        many_appends_at_once_leave_no_hole,
        the_same_commit_at_once_gets_one_place,
        readers_see_the_same_order_at_any_time,
        what_is_old_goes_and_its_numbers_stay_taken,
        a_clock_that_goes_back_tears_no_hole,
        strangers_slots_are_forgotten_in_the_end,
    ]
}

/// One test.
pub type Exam = fn(Arc<dyn SlotStore>) -> BoxFuture<'static, ()>;

/// The `n`th slot.
#[must_use]
pub fn slot(n: u32) -> SlotId {
    let mut id = [0xfe; 32];
    id[28..].copy_from_slice(&n.to_be_bytes());
    SlotId(id)
}

/// The `n`th commit, of a size.
#[must_use]
pub fn sized(n: u32, bytes: usize) -> SealedCommit {
    SealedCommit::new(n.to_be_bytes().into_iter().cycle().take(bytes).collect()).unwrap()
}

/// The `n`th commit, as small as can be.
#[must_use]
pub fn commit(n: u32) -> SealedCommit {
    sized(n, wire::COMMIT_PADDING)
}

/// Reads on until nothing more comes; checks that no number is left out.
pub async fn read_all(s: &dyn SlotStore, slot: SlotId, from: u32) -> Vec<SealedCommit> {
    let mut got = Vec::new();
    loop {
        let at = from + u32::try_from(got.len()).unwrap();
        let stretch = s.entries(slot, at).await.unwrap();
        for (index, kept) in (at..).zip(&stretch.entries) {
            assert_eq!(kept.placed.index, index, "a hole");
        }
        got.extend(stretch.entries.into_iter().map(|kept| kept.commit));
        if !stretch.more {
            return got;
        }
    }
}

async fn append(s: &dyn SlotStore, to: u32, n: u32, now: u64) -> Placed {
    s.append(slot(to), commit(n), now).await.unwrap()
}

fn commits(range: std::ops::Range<u32>) -> Vec<SealedCommit> {
    range.map(commit).collect()
}

async fn commits_stand_in_the_order_they_came(s: Arc<dyn SlotStore>) {
    let s = &*s;
    assert_eq!(s.entries(slot(0), 0).await.unwrap(), Stretch::default());
    for n in 0..5 {
        assert_eq!(append(s, 0, n, NOW + u64::from(n)).await, Placed { index: n, time: NOW + u64::from(n) });
    }
    assert_eq!(read_all(s, slot(0), 0).await, commits(0..5));
    assert_eq!(read_all(s, slot(0), 3).await, commits(3..5));
    let stretch = s.entries(slot(0), 4).await.unwrap();
    assert_eq!(stretch.entries[0].placed, Placed { index: 4, time: NOW + 4 });
    for beyond in [5, 6, wire::SLOT_ENTRIES - 1] {
        assert_eq!(s.entries(slot(0), beyond).await.unwrap(), Stretch::default());
    }
}

async fn the_same_commit_keeps_its_place(s: Arc<dyn SlotStore>) {
    let s = &*s;
    let first = append(s, 0, 7, NOW).await;
    let second = append(s, 0, 8, NOW).await;
    assert_eq!(append(s, 0, 7, NOW + 99).await, first);
    assert_eq!(append(s, 0, 8, NOW + 99).await, second);
    assert_eq!(append(s, 0, 9, NOW + 99).await, Placed { index: 2, time: NOW + 99 });
    assert_eq!(read_all(s, slot(0), 0).await, commits(7..10));
}

async fn slots_know_nothing_of_each_other(s: Arc<dyn SlotStore>) {
    let s = &*s;
    // Names that stand next to each other, and bytes that both have.
    for n in 0..3 {
        append(s, 1, n, NOW).await;
        append(s, 2, n + 1, NOW).await;
    }
    assert_eq!(read_all(s, slot(1), 0).await, commits(0..3));
    assert_eq!(read_all(s, slot(2), 0).await, commits(1..4));
    assert_eq!(s.entries(slot(3), 0).await.unwrap(), Stretch::default());
}

async fn an_answer_fits_a_frame(s: Arc<dyn SlotStore>) {
    let s = &*s;
    // Small and large ones mixed, then more small ones than an answer takes.
    let mut all = vec![sized(1, wire::COMMIT), sized(2, wire::COMMIT_PADDING), sized(3, wire::COMMIT)];
    all.extend((10..14).map(|n| sized(n, wire::COMMIT / 4)));
    all.extend(commits(20..100));
    for commit in &all {
        s.append(slot(0), commit.clone(), NOW).await.unwrap();
    }
    assert!(read_all(s, slot(0), 0).await == all);
    let mut from = 0;
    while from < u32::try_from(all.len()).unwrap() {
        let stretch = s.entries(slot(0), from).await.unwrap();
        assert!(!stretch.entries.is_empty() && stretch.entries.len() <= wire::SLOT_PAGE);
        let bytes: usize = stretch.entries.iter().map(|k| 176 + k.commit.as_bytes().len()).sum();
        assert!(bytes <= super::limits::ROOM);
        from += u32::try_from(stretch.entries.len()).unwrap();
        assert_eq!(stretch.more, (from as usize) < all.len());
    }
}

async fn a_full_slot_takes_no_more(s: Arc<dyn SlotStore>) {
    let s = &*s;
    for n in 0..wire::SLOT_ENTRIES {
        append(s, 0, n, NOW).await;
    }
    let refused = s.append(slot(0), commit(9_999), NOW).await;
    assert!(matches!(refused, Err(AppendError::Full)), "{refused:?}");
    // What is there is told as before, and stays told once old entries went: a number is given once.
    assert_eq!(append(s, 0, 17, NOW).await.index, 17);
    s.expire_before(NOW + 1, 0).await.unwrap();
    assert!(matches!(s.append(slot(0), commit(9_999), NOW + 2).await, Err(AppendError::Full)));
    assert_eq!(append(s, 1, 0, NOW).await.index, 0, "other slots are as they were");
}

async fn many_appends_at_once_leave_no_hole(s: Arc<dyn SlotStore>) {
    let writers: Vec<_> = (0..16_u32)
        .map(|w| {
            let s = s.clone();
            tokio::spawn(async move {
                let mut placed = Vec::new();
                for n in 0..6 {
                    placed.push(append(&*s, n % 2, w * 100 + n, NOW).await);
                }
                placed
            })
        })
        .collect();
    let mut indices = [BTreeSet::new(), BTreeSet::new()];
    for w in writers {
        for (n, placed) in w.await.unwrap().into_iter().enumerate() {
            assert!(indices[n % 2].insert(placed.index), "given twice");
        }
    }
    for (n, indices) in (0..).zip(indices) {
        assert_eq!(indices, (0..48).collect());
        assert_eq!(read_all(&*s, slot(n), 0).await.len(), 48);
    }
}

async fn the_same_commit_at_once_gets_one_place(s: Arc<dyn SlotStore>) {
    let writers: Vec<_> = (0..12_u32)
        .map(|_| {
            let s = s.clone();
            tokio::spawn(async move { append(&*s, 0, 1, NOW).await })
        })
        .collect();
    for w in writers {
        assert_eq!(w.await.unwrap(), Placed { index: 0, time: NOW });
    }
    assert_eq!(read_all(&*s, slot(0), 0).await, [commit(1)]);
}

/// Whoever reads while others write sees a beginning of the order that all see in the end.
async fn readers_see_the_same_order_at_any_time(s: Arc<dyn SlotStore>) {
    let readers: Vec<_> = (0..3_u64)
        .map(|wait| {
            let s = s.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while seen.len() < 60 {
                    tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
                    let now = read_all(&*s, slot(0), 0).await;
                    assert!(now.starts_with(&seen), "what stood there has changed");
                    seen = now;
                }
                seen
            })
        })
        .collect();
    let writers: Vec<_> = (0..6_u32)
        .map(|w| {
            let s = s.clone();
            tokio::spawn(async move {
                for n in 0..10 {
                    append(&*s, 0, w * 100 + n, NOW).await;
                }
            })
        })
        .collect();
    for w in writers {
        w.await.unwrap();
    }
    let all = read_all(&*s, slot(0), 0).await;
    for r in readers {
        assert!(r.await.unwrap() == all);
    }
}

async fn what_is_old_goes_and_its_numbers_stay_taken(s: Arc<dyn SlotStore>) {
    let s = &*s;
    for n in 0..4 {
        append(s, 0, n, NOW + u64::from(n) * 100).await;
    }
    append(s, 1, 0, NOW + 500).await;
    assert_eq!(s.expire_before(NOW, 0).await.unwrap(), 0);
    assert_eq!(s.expire_before(NOW + 200, 0).await.unwrap(), 2);
    for gone in 0..2 {
        let asked = s.entries(slot(0), gone).await;
        assert!(matches!(asked, Err(ReadError::Expired)), "{asked:?}");
    }
    assert_eq!(read_all(s, slot(0), 2).await, commits(2..4));
    // An old one that comes again is a new one: its first place is over.
    assert_eq!(append(s, 0, 0, NOW + 600).await.index, 4);
    assert_eq!(s.expire_before(NOW + 700, 0).await.unwrap(), 4);
    assert!(matches!(s.entries(slot(0), 0).await, Err(ReadError::Expired)));
    assert_eq!(s.entries(slot(0), 5).await.unwrap(), Stretch::default());
    assert_eq!(append(s, 0, 50, NOW + 800).await, Placed { index: 5, time: NOW + 800 });
    assert_eq!(append(s, 1, 51, NOW + 800).await.index, 1);
    assert_eq!(read_all(s, slot(0), 5).await, [commit(50)]);
    assert!(matches!(s.entries(slot(0), 4).await, Err(ReadError::Expired)));
}

async fn a_clock_that_goes_back_tears_no_hole(s: Arc<dyn SlotStore>) {
    let s = &*s;
    append(s, 0, 0, NOW).await;
    assert_eq!(append(s, 0, 1, NOW - 500).await, Placed { index: 1, time: NOW }, "times never go back");
    append(s, 0, 2, NOW + 10).await;
    s.expire_before(NOW - 100, 0).await.unwrap();
    assert_eq!(read_all(s, slot(0), 0).await, commits(0..3));
    s.expire_before(NOW + 1, 0).await.unwrap();
    assert_eq!(read_all(s, slot(0), 2).await, commits(2..3));
}

async fn strangers_slots_are_forgotten_in_the_end(s: Arc<dyn SlotStore>) {
    let s = &*s;
    for n in 0..150 {
        append(s, n, 0, NOW + u64::from(n)).await;
    }
    // Entries are dropped in steps, all of them.
    assert_eq!(s.expire_before(NOW + 149, NOW + 100).await.unwrap(), 149);
    assert_eq!(s.entries(slot(99), 0).await.unwrap(), Stretch::default(), "forgotten");
    assert!(matches!(s.entries(slot(100), 0).await, Err(ReadError::Expired)), "remembered");
    assert_eq!(read_all(s, slot(149), 0).await, commits(0..1));
    // Never before its entries.
    s.expire_before(0, NOW + 9_999).await.unwrap();
    assert_eq!(read_all(s, slot(149), 0).await, commits(0..1));
    assert_eq!(append(s, 149, 1, NOW + 9_999).await.index, 1);
}
