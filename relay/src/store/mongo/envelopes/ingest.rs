//! One batch, one transaction.

use std::collections::HashMap;
use std::time::Duration;

use futures::TryStreamExt;
use livechat_wire::{Envelope, EnvelopeId};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use mongodb::error::{TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT};
use mongodb::{ClientSession, Collection, IndexModel};

use super::days::Day;
use super::origins::{self, Span, is_duplicate};
use super::{Ordering, Shared, Writer, signed, unsigned};
use crate::store::StoreError;
use crate::store::envelopes::{Origin, Stored, limits};

/// How one attempt ended.
enum Attempt {
    Done,
    /// The head wasn't where we thought, or the token isn't ours.
    Elsewhere,
    /// Something in the batch is there already.
    Duplicate,
    /// Another transaction was faster, or the server changed: try again.
    Collision(StoreError),
}

/// Stores what is new, under the next numbers of `origin`; `None` when the origin isn't ours any more. Also tells
/// whether anything was new.
pub(super) async fn commit(
    s: &Shared,
    origin: Origin,
    envelopes: &[Envelope],
    now: u64,
) -> Result<Option<(Vec<Stored>, bool)>, StoreError> {
    let mut writer = s.writer.lock().await;
    let ids: Vec<_> = envelopes.iter().map(|e| (e.id(), Day::of_epoch(e.epoch()))).collect();
    let mut wary = s.wary.load(Ordering::Relaxed) > 0;
    let mut failed = StoreError::Timeout;
    for n in 0..limits::COLLISIONS {
        // Nothing the first time, then 2, 4, 8 … ms: whoever was faster has its commit on disk by then.
        tokio::time::sleep(Duration::from_millis((1 << n) & !1)).await;
        let Some(head) = known_head(s, &mut writer, origin).await? else { return Ok(None) };
        let mut known = if wary { existing(s, &ids).await? } else { HashMap::new() };
        let batch = number(envelopes, &ids, origin, head, now, &mut known);
        let answer =
            |known: &HashMap<EnvelopeId, Stored>| ids.iter().filter_map(|(id, _)| known.get(id).copied()).collect();
        if batch.is_empty() {
            return Ok(Some((answer(&known), false)));
        }
        let last = head + batch.len() as u64;
        match attempt(s, &mut writer, origin, head, batch, now).await? {
            Attempt::Done => {
                writer.head = Some((origin, last));
                s.wary.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).unwrap_or(0);
                return Ok(Some((answer(&known), true)));
            }
            Attempt::Elsewhere => writer.head = None,
            Attempt::Duplicate => {
                wary = true;
                s.wary.store(limits::WARY_BATCHES, Ordering::Relaxed);
            }
            Attempt::Collision(e) => {
                writer.head = None;
                failed = e;
            }
        }
    }
    Err(failed)
}

/// The last number of the origin, read anew unless our own last commit told it.
async fn known_head(s: &Shared, writer: &mut Writer, origin: Origin) -> Result<Option<u64>, StoreError> {
    if let Some((of, head)) = writer.head
        && of == origin
    {
        return Ok(Some(head));
    }
    let head = origins::head(s, origin).await?;
    writer.head = head.map(|h| (origin, h));
    Ok(head)
}

/// Numbers what isn't in `known` yet and adds it there.
fn number(
    envelopes: &[Envelope],
    ids: &[(EnvelopeId, Day)],
    origin: Origin,
    head: u64,
    now: u64,
    known: &mut HashMap<EnvelopeId, Stored>,
) -> Vec<(Day, Document, u64)> {
    let mut batch = Vec::with_capacity(envelopes.len());
    for (envelope, (id, day)) in envelopes.iter().zip(ids) {
        if known.contains_key(id) {
            continue;
        }
        let sequence = head + batch.len() as u64 + 1;
        known.insert(*id, Stored { id: *id, origin: origin.id, sequence, time: now });
        let document = doc! {
            "_id": binary(&id.0),
            "bucket": i32::from(envelope.bucket()),
            "origin": signed(origin.id),
            "sequence": signed(sequence),
            "time": signed(now),
            "bytes": binary(envelope.as_bytes()),
        };
        batch.push((*day, document, sequence));
    }
    batch
}

async fn attempt(
    s: &Shared,
    writer: &mut Writer,
    origin: Origin,
    head: u64,
    batch: Vec<(Day, Document, u64)>,
    now: u64,
) -> Result<Attempt, StoreError> {
    let mut days: Vec<(Span, Vec<Document>)> = Vec::new();
    for (day, document, sequence) in batch {
        match days.iter_mut().find(|(span, _)| span.day == day) {
            Some((span, documents)) => {
                span.last = sequence;
                documents.push(document);
            }
            None => days.push((Span { day, first: sequence, last: sequence }, vec![document])),
        }
    }
    for (span, _) in &days {
        prepare(s, writer, span.day).await?;
    }
    let spans: Vec<_> = days.iter().map(|(span, _)| *span).collect();
    let mut session = s.session().await?;
    session.start_transaction().await?;
    let outcome = async {
        if !origins::advance(s, &mut session, origin, head, &spans, now).await? {
            return Ok(false);
        }
        for (span, documents) in days {
            s.day(span.day).insert_many(documents).session(&mut session).await?;
        }
        Ok(true)
    };
    match outcome.await {
        Ok(true) => finish(session).await,
        Ok(false) => {
            session.abort_transaction().await?;
            Ok(Attempt::Elsewhere)
        }
        Err(e) => {
            // The server undoes it by itself if this doesn't arrive.
            drop(session.abort_transaction().await);
            classify(e)
        }
    }
}

/// Commits; while it is unknown whether that worked, asks again, which the server takes as the same question.
async fn finish(mut session: ClientSession) -> Result<Attempt, StoreError> {
    let mut tries = 0;
    loop {
        match session.commit_transaction().await {
            Ok(()) => return Ok(Attempt::Done),
            Err(e) if e.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) && tries < limits::COLLISIONS => tries += 1,
            Err(e) => return classify(e),
        }
    }
}

fn classify(e: mongodb::error::Error) -> Result<Attempt, StoreError> {
    if is_duplicate(&e) {
        return Ok(Attempt::Duplicate);
    }
    if e.contains_label(TRANSIENT_TRANSACTION_ERROR) || e.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) {
        return Ok(Attempt::Collision(e.into()));
    }
    Err(e.into())
}

/// Which of these are there, read from the majority: what is found is durable.
pub(super) async fn existing(s: &Shared, ids: &[(EnvelopeId, Day)]) -> Result<HashMap<EnvelopeId, Stored>, StoreError> {
    let mut days: Vec<_> = ids.iter().map(|(_, day)| *day).collect();
    days.sort_unstable();
    days.dedup();
    let mut found = HashMap::new();
    for day in days {
        let wanted: Vec<_> = ids.iter().filter(|(_, d)| *d == day).map(|(id, _)| *id).collect();
        found.extend(find(&s.day(day), &wanted).await?);
    }
    Ok(found)
}

/// Which of these a day's collection has.
pub(super) async fn find(
    collection: &Collection<Document>,
    ids: &[EnvelopeId],
) -> Result<Vec<(EnvelopeId, Stored)>, StoreError> {
    let wanted: Vec<_> = ids.iter().map(|id| binary(&id.0)).collect();
    let mut rows = collection
        .find(doc! { "_id": { "$in": wanted } })
        .projection(doc! { "origin": 1, "sequence": 1, "time": 1 })
        .await?;
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let id = bytes(&row, "_id")?.try_into().map(EnvelopeId).map_err(|_| StoreError::Damaged("envelope"))?;
        let number = |name| row.get_i64(name).map(unsigned).map_err(|_| StoreError::Damaged("envelope"));
        let stored = Stored { id, origin: number("origin")?, sequence: number("sequence")?, time: number("time")? };
        found.push((id, stored));
    }
    Ok(found)
}

/// Creates a day's index (and thereby its collection) once: inside a transaction it couldn't be waited for.
async fn prepare(s: &Shared, writer: &mut Writer, day: Day) -> Result<(), StoreError> {
    if writer.prepared.contains(&day) {
        return Ok(());
    }
    let index = IndexModel::builder().keys(doc! { "bucket": 1, "origin": 1, "sequence": 1 }).build();
    s.day(day).create_index(index).await?;
    writer.prepared.push(day);
    // Three at most are written to at once: yesterday, today, tomorrow.
    if writer.prepared.len() > 3 {
        writer.prepared.remove(0);
    }
    Ok(())
}

fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
}

/// A binary field.
pub(super) fn bytes<'d>(row: &'d Document, name: &str) -> Result<&'d [u8], StoreError> {
    row.get_binary_generic(name).map(Vec::as_slice).map_err(|_| StoreError::Damaged("envelope"))
}
