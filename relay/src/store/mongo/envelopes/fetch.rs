//! Reading: which are here, and what comes after a cursor.

use std::collections::HashMap;

use futures::TryStreamExt;
use livechat_wire::sync::Cursor;
use livechat_wire::{Envelope, EnvelopeId};
use mongodb::ClientSession;
use mongodb::bson::doc;

use super::ingest::{bytes, find};
use super::origins::{self, OriginRecord};
use super::{Page, Shared, Stored, signed, unsigned};
use crate::store::StoreError;

/// Which of these are kept. Newest day first: the question is mostly about what was just sent.
pub(super) async fn present(s: &Shared, ids: &[EnvelopeId]) -> Result<Vec<Option<Stored>>, StoreError> {
    let mut session = s.session().await?;
    let mut missing = ids.to_vec();
    let mut found: HashMap<EnvelopeId, Stored> = HashMap::new();
    for day in s.known_days(&mut session).await?.into_iter().rev() {
        if missing.is_empty() {
            break;
        }
        found.extend(find(&s.day(day), &missing).await?);
        missing.retain(|id| !found.contains_key(id));
    }
    Ok(ids.iter().map(|id| found.get(id).copied()).collect())
}

/// Up to `limit` envelopes after `cursor`.
pub(super) async fn page(s: &Shared, bucket: u16, cursor: &Cursor, limit: usize) -> Result<Page, StoreError> {
    let mut session = s.session().await?;
    // The heads first: all up to them is committed and visible; what comes later is for the next page.
    let records = origins::all(s, Some(&mut session)).await?;
    let mut page = Page { envelopes: vec![], cursor: Cursor::default(), more: false };
    for record in records {
        let after = cursor.after(record.id);
        let room = limit - page.envelopes.len();
        if record.head <= after || room == 0 {
            page.more |= record.head > after;
            page.cursor.advance(record.id, after);
            continue;
        }
        let mut rows = stretch(s, &mut session, bucket, &record, after, room).await?;
        let cut = rows.len() > room;
        rows.truncate(room);
        let last = rows.last().map_or(after, |(sequence, _)| *sequence);
        page.more |= cut;
        page.cursor.advance(record.id, if cut { last } else { record.head });
        page.envelopes.extend(rows.into_iter().map(|(_, envelope)| envelope));
    }
    page.cursor.0.retain(|_, sequence| *sequence > 0);
    Ok(page)
}

/// The first envelopes of one origin after a number, in order: all of them, or more than `room`. Around midnight two
/// days' numbers interleave, so a day is left out only when it begins above what we have.
async fn stretch(
    s: &Shared,
    session: &mut ClientSession,
    bucket: u16,
    record: &OriginRecord,
    after: u64,
    room: usize,
) -> Result<Vec<(u64, Envelope)>, StoreError> {
    let mut rows: Vec<(u64, Envelope)> = Vec::new();
    for span in record.days.iter().filter(|span| span.last > after) {
        if rows.get(room).is_some_and(|(sequence, _)| *sequence < span.first) {
            break;
        }
        let range = doc! { "$gt": signed(after), "$lte": signed(record.head) };
        let mut found = s
            .day(span.day)
            .find(doc! { "bucket": i32::from(bucket), "origin": signed(record.id), "sequence": range })
            .sort(doc! { "sequence": 1 })
            .limit(signed(room as u64 + 1))
            .projection(doc! { "_id": 0, "sequence": 1, "bytes": 1 })
            .session(&mut *session)
            .await?;
        let mut found = found.stream(session);
        while let Some(row) = found.try_next().await? {
            let sequence = row.get_i64("sequence").map(unsigned).map_err(|_| StoreError::Damaged("envelope"))?;
            let envelope = Envelope::decode(bytes(&row, "bytes")?).map_err(|_| StoreError::Damaged("envelope"))?;
            rows.push((sequence, envelope));
        }
        rows.sort_unstable_by_key(|(sequence, _)| *sequence);
        rows.truncate(room + 1);
    }
    Ok(rows)
}
