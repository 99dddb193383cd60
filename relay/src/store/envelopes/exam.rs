//! What every envelope store must do; each implementation passes all of it.
#![allow(clippy::unwrap_used, reason = "an exam fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use ed25519_dalek::{Signer, SigningKey};
use futures::future::BoxFuture;
use livechat_wire::envelope::{Header, epoch_at};
use livechat_wire::sync::Cursor;
use livechat_wire::{Envelope, EnvelopeId, Tag, limits as wire};

use super::{DepositError, EnvelopeStore, Origin, Stored, limits};

/// Some moment; every test counts from it.
pub const NOW: u64 = 1_795_305_600 + 43_200;

/// Names of the tests and the tests.
#[must_use]
pub fn all() -> Vec<(&'static str, Exam)> {
    macro_rules! exams {
        ($($name:ident),* $(,)?) => { vec![$((stringify!($name), (|s| Box::pin($name(s))) as Exam)),*] };
    }
    exams![
        numbers_go_up_and_pages_follow_them,
        depositing_again_gives_the_same_numbers,
        seed_b06_nothing_is_skipped_at_any_page_size,
        pages_hold_one_bucket,
        presence_is_told_in_order,
        what_is_old_goes_and_the_rest_stays,
        around_midnight_nothing_is_lost,
        an_origin_taken_over_is_fenced,
        many_writers_at_once_lose_and_double_nothing,
        readers_never_miss_a_number,
        strange_epochs_name_no_collections,
        changes_are_told,
    ]
}

/// One test.
pub type Exam = fn(Arc<dyn EnvelopeStore>) -> BoxFuture<'static, ()>;

/// The `n`th envelope of a bucket, in the epoch of `now`.
#[must_use]
pub fn envelope(n: u32, bucket: u16, now: u64) -> Envelope {
    let mut seed = [9; 32];
    seed[..4].copy_from_slice(&n.to_be_bytes());
    let key = SigningKey::from_bytes(&seed);
    let header = Header {
        ephemeral: false,
        bucket,
        epoch: epoch_at(now),
        tag: Tag([4; 16]),
        pk1: key.verifying_key().to_bytes(),
    };
    let mut body = [0; wire::BODY];
    body.iter_mut().zip(n.to_be_bytes().into_iter().cycle()).for_each(|(b, x)| *b = x);
    Envelope::assemble(&header, &body, |m| key.sign(m).to_bytes())
}

/// Envelopes `from..to` of bucket 0.
#[must_use]
pub fn envelopes(range: std::ops::Range<u32>) -> Vec<Envelope> {
    range.map(|n| envelope(n, 0, NOW)).collect()
}

async fn lease(s: &dyn EnvelopeStore, now: u64) -> Origin {
    s.lease_origin(0x5eed, now).await.unwrap()
}

/// Reads on until nothing more comes.
async fn read_all(s: &dyn EnvelopeStore, bucket: u16, cursor: &mut Cursor, limit: usize) -> Vec<EnvelopeId> {
    let mut got = Vec::new();
    loop {
        let page = s.fetch(bucket, cursor, limit).await.unwrap();
        assert!(page.envelopes.len() <= limit);
        assert!(page.envelopes.iter().all(|e| e.bucket() == bucket));
        got.extend(page.envelopes.iter().map(Envelope::id));
        *cursor = page.cursor;
        if !page.more {
            return got;
        }
    }
}

fn ids(of: &[Envelope]) -> Vec<EnvelopeId> {
    of.iter().map(Envelope::id).collect()
}

async fn numbers_go_up_and_pages_follow_them(s: Arc<dyn EnvelopeStore>) {
    let s = &*s;
    s.probe().await.unwrap();
    let empty = s.fetch(0, &Cursor::default(), 10).await.unwrap();
    assert!(empty.envelopes.is_empty() && !empty.more && empty.cursor == Cursor::default());
    let origin = lease(s, NOW).await;
    assert!(origin.id > 0 && i64::try_from(origin.id).is_ok());
    let batch = envelopes(0..5);
    let stored = s.deposit(origin, batch.clone(), NOW).await.unwrap();
    let expected: Vec<_> = (1..).zip(&batch).map(|(n, e)| stored_as(e, origin, n)).collect();
    assert_eq!(stored, expected);
    let mut cursor = Cursor::default();
    assert_eq!(read_all(s, 0, &mut cursor, 3).await, ids(&batch));
    assert_eq!(cursor, Cursor([(origin.id, 5)].into()));
    assert!(read_all(s, 0, &mut cursor, 3).await.is_empty());
    assert_eq!(s.deposit(origin, vec![], NOW).await.unwrap(), vec![]);
}

fn stored_as(e: &Envelope, origin: Origin, sequence: u64) -> Stored {
    Stored { id: e.id(), origin: origin.id, sequence, time: NOW }
}

async fn depositing_again_gives_the_same_numbers(s: Arc<dyn EnvelopeStore>) {
    let s = &*s;
    let origin = lease(s, NOW).await;
    let first = s.deposit(origin, envelopes(0..3), NOW).await.unwrap();
    // Old and new mixed, and one of them twice.
    let mut mixed = envelopes(1..6);
    mixed.push(envelope(5, 0, NOW));
    let again = s.deposit(origin, mixed.clone(), NOW + 7).await.unwrap();
    assert_eq!(again[..2], first[1..]);
    assert_eq!(again[4], again[5]);
    assert_eq!(again.iter().map(|x| x.id).collect::<Vec<_>>(), ids(&mixed));
    let numbers: BTreeSet<_> = again.iter().map(|x| x.sequence).collect();
    assert_eq!(numbers.len(), 5);
    // All known: nothing moves.
    assert_eq!(s.deposit(origin, envelopes(0..3), NOW + 9).await.unwrap(), first);
    assert_eq!(read_all(s, 0, &mut Cursor::default(), 100).await, ids(&envelopes(0..6)));
}

async fn seed_b06_nothing_is_skipped_at_any_page_size(s: Arc<dyn EnvelopeStore>) {
    let s = &*s;
    let origin = lease(s, NOW).await;
    let all: Vec<_> = (0..250).map(|n| envelope(n, (n % 3) as u16, NOW)).collect();
    for part in all.chunks(37) {
        s.deposit(origin, part.to_vec(), NOW).await.unwrap();
    }
    for bucket in 0..3 {
        let expected: Vec<_> = all.iter().filter(|e| e.bucket() == bucket).map(Envelope::id).collect();
        for limit in [1, 2, 7, 83, 84, 120] {
            assert_eq!(read_all(s, bucket, &mut Cursor::default(), limit).await, expected, "pages of {limit}");
        }
    }
}

async fn pages_hold_one_bucket(s: Arc<dyn EnvelopeStore>) {
    let s = &*s;
    let origin = lease(s, NOW).await;
    s.deposit(origin, (0..10).map(|n| envelope(n, 7, NOW)).collect(), NOW).await.unwrap();
    let page = s.fetch(8, &Cursor::default(), 5).await.unwrap();
    assert!(page.envelopes.is_empty() && !page.more);
    assert_eq!(page.cursor.after(origin.id), 10, "others' numbers need not be looked at again");
    let unknown = Cursor([(origin.id, 4), (1, 99)].into());
    let page = s.fetch(7, &unknown, 100).await.unwrap();
    assert_eq!((page.envelopes.len(), page.cursor), (6, Cursor([(origin.id, 10)].into())));
}

async fn presence_is_told_in_order(s: Arc<dyn EnvelopeStore>) {
    let s = &*s;
    let asked = ids(&envelopes(0..6));
    assert_eq!(s.present(asked.clone()).await.unwrap(), vec![None; 6]);
    let origin = lease(s, NOW).await;
    let stored = s.deposit(origin, envelopes(2..4), NOW).await.unwrap();
    let told = s.present(asked).await.unwrap();
    assert_eq!(told, vec![None, None, Some(stored[0]), Some(stored[1]), None, None]);
    assert_eq!(s.present(vec![]).await.unwrap(), vec![]);
}

async fn what_is_old_goes_and_the_rest_stays(s: Arc<dyn EnvelopeStore>) {
    let s = &*s;
    const DAY: u64 = 86_400;
    let origin = lease(s, NOW).await;
    let old: Vec<_> = (0..5).map(|n| envelope(n, 0, NOW)).collect();
    let late = NOW + 3 * DAY;
    let new: Vec<_> = (5..9).map(|n| envelope(n, 0, late)).collect();
    s.deposit(origin, old.clone(), NOW).await.unwrap();
    s.deposit(origin, new.clone(), late).await.unwrap();
    assert_eq!(s.expire_before(NOW).await.unwrap(), 0);
    assert_eq!(read_all(s, 0, &mut Cursor::default(), 100).await.len(), 9);
    assert_eq!(s.expire_before(late - DAY).await.unwrap(), 5);
    let mut cursor = Cursor::default();
    assert_eq!(read_all(s, 0, &mut cursor, 100).await, ids(&new));
    assert_eq!(s.present(ids(&old)).await.unwrap(), vec![None; 5]);
    assert_eq!(s.expire_before(late - DAY).await.unwrap(), 0);
    // Numbers go on where they were, even when nothing is left.
    assert_eq!(s.expire_before(late + 2 * DAY).await.unwrap(), 4);
    assert!(read_all(s, 0, &mut Cursor::default(), 100).await.is_empty());
    let later = late + 3 * DAY;
    let next = s.deposit(origin, vec![envelope(20, 0, later)], later).await.unwrap();
    assert_eq!(next[0].sequence, 10);
    assert_eq!(read_all(s, 0, &mut cursor, 100).await.len(), 1);
}

/// Epochs of both days come mixed while the day changes.
async fn around_midnight_nothing_is_lost(s: Arc<dyn EnvelopeStore>) {
    let s = &*s;
    let midnight = NOW - NOW % 86_400 + 86_400;
    let origin = lease(s, midnight).await;
    let all: Vec<_> = (0..60).map(|n| envelope(n, 0, midnight - 600 + u64::from(n * 7 % 3) * 600)).collect();
    for part in all.chunks(11) {
        let stored = s.deposit(origin, part.to_vec(), midnight).await.unwrap();
        assert_eq!(s.deposit(origin, part.to_vec(), midnight + 1).await.unwrap(), stored);
    }
    for limit in [1, 4, 13, 100] {
        assert_eq!(read_all(s, 0, &mut Cursor::default(), limit).await, ids(&all), "pages of {limit}");
    }
}

async fn an_origin_taken_over_is_fenced(s: Arc<dyn EnvelopeStore>) {
    let s = &*s;
    let first = lease(s, NOW).await;
    s.deposit(first, envelopes(0..3), NOW).await.unwrap();
    s.renew_origin(first, NOW + 1).await.unwrap();
    let second = lease(s, NOW + limits::LEASE + 60).await;
    assert_eq!(second.id, first.id, "a lease that ran out is used again");
    assert!(second.token > first.token);
    let late = s.deposit(first, envelopes(3..4), NOW + 2).await;
    assert!(matches!(late, Err(DepositError::Fenced)), "{late:?}");
    assert!(matches!(s.renew_origin(first, NOW + 2).await, Err(DepositError::Fenced)));
    assert_eq!(s.present(ids(&envelopes(3..4))).await.unwrap(), vec![None], "nothing of it was stored");
    let stored = s.deposit(second, envelopes(3..5), NOW + 70).await.unwrap();
    assert_eq!(stored.iter().map(|x| x.sequence).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(read_all(s, 0, &mut Cursor::default(), 2).await, ids(&envelopes(0..5)));
    // Given back, it is free at once.
    s.release_origin(second).await.unwrap();
    assert_eq!(lease(s, NOW + 71).await.id, first.id);
}

async fn many_writers_at_once_lose_and_double_nothing(s: Arc<dyn EnvelopeStore>) {
    let origin = lease(&*s, NOW).await;
    let writers = (0..16u32).map(|w| {
        let s = s.clone();
        tokio::spawn(async move {
            // Neighbours overlap by half.
            for part in envelopes(w * 10..w * 10 + 20).chunks(4) {
                s.deposit(origin, part.to_vec(), NOW).await.unwrap();
            }
        })
    });
    for w in writers.collect::<Vec<_>>() {
        w.await.unwrap();
    }
    let got = read_all(&*s, 0, &mut Cursor::default(), 33).await;
    let once: BTreeSet<_> = got.iter().copied().collect();
    assert_eq!(got.len(), 170);
    assert_eq!(once, ids(&envelopes(0..170)).into_iter().collect());
}

/// Readers that follow while others write see everything, once, in the order of the numbers.
async fn readers_never_miss_a_number(s: Arc<dyn EnvelopeStore>) {
    let origin = lease(&*s, NOW).await;
    let readers: Vec<_> = (1..4usize)
        .map(|limit| {
            let s = s.clone();
            tokio::spawn(async move {
                let (mut cursor, mut got) = (Cursor::default(), Vec::new());
                while got.len() < 120 {
                    got.extend(read_all(&*s, 0, &mut cursor, limit * 5).await);
                }
                got
            })
        })
        .collect();
    let mut expected = Vec::new();
    for part in envelopes(0..120).chunks(6) {
        let stored = s.deposit(origin, part.to_vec(), NOW).await.unwrap();
        expected.extend(stored.iter().map(|x| x.id));
    }
    for r in readers {
        assert_eq!(r.await.unwrap(), expected);
    }
}

async fn strange_epochs_name_no_collections(s: Arc<dyn EnvelopeStore>) {
    let s = &*s;
    let origin = lease(s, NOW).await;
    for then in [0, NOW - 3 * 86_400, NOW + 3 * 86_400] {
        let refused = s.deposit(origin, vec![envelope(1, 0, then)], NOW).await;
        assert!(matches!(refused, Err(DepositError::Epoch)), "{refused:?}");
    }
    assert!(read_all(s, 0, &mut Cursor::default(), 9).await.is_empty());
}

async fn changes_are_told(s: Arc<dyn EnvelopeStore>) {
    let mut changes = s.changes();
    changes.mark_unchanged();
    let origin = lease(&*s, NOW).await;
    s.deposit(origin, envelopes(0..1), NOW).await.unwrap();
    changes.changed().await.unwrap();
}
