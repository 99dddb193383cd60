//! Origins: `{_id, token, head, expires, days: {"20261122": {first, last}}}`.

use futures::TryStreamExt;
use livechat_wire::limits::CURSOR;
use mongodb::ClientSession;
use mongodb::bson::{Document, doc};
use mongodb::error::{ErrorKind, WriteFailure};
use mongodb::options::ReturnDocument;

use super::days::Day;
use super::{Shared, signed, unsigned};
use crate::store::StoreError;
use crate::store::envelopes::{Origin, limits};

/// An origin as its document describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OriginRecord {
    pub id: u64,
    pub token: u64,
    /// The last number committed.
    pub head: u64,
    /// Days with numbers of this origin, in the order of their first one.
    pub days: Vec<Span>,
}

/// Numbers of one origin in one day's collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub day: Day,
    pub first: u64,
    pub last: u64,
}

/// Takes an origin whose lease has run out, or makes one; none when there are too many.
pub(super) async fn lease(s: &Shared, fresh: u64, now: u64) -> Result<Option<Origin>, StoreError> {
    let expires = signed(now + limits::LEASE);
    let free = s
        .origins()
        .find_one_and_update(
            doc! { "expires": { "$lt": signed(now) } },
            doc! { "$inc": { "token": 1_i64 }, "$set": { "expires": expires } },
        )
        .sort(doc! { "_id": 1 })
        .return_document(ReturnDocument::After)
        .await?;
    if let Some(found) = free {
        let record = read(&found)?;
        return Ok(Some(Origin { id: record.id, token: record.token }));
    }
    if s.origins().count_documents(doc! {}).await? >= limits::ORIGINS {
        return Ok(None);
    }
    let id = (fresh & (u64::MAX >> 1)).max(1);
    let made = s
        .origins()
        .insert_one(doc! { "_id": signed(id), "token": 1_i64, "head": 0_i64, "expires": expires, "days": {} })
        .await;
    match made {
        Ok(_) => Ok(Some(Origin { id, token: 1 })),
        // A random name that is taken already is a process that made it and didn't hear so.
        Err(e) if is_duplicate(&e) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Sets when the lease ends; whether it was still held.
pub(super) async fn renew(s: &Shared, origin: Origin, expires: u64) -> Result<bool, StoreError> {
    let done = s.origins().update_one(held(origin), doc! { "$set": { "expires": signed(expires) } }).await?;
    Ok(done.matched_count == 1)
}

/// All origins, by id.
pub(super) async fn all(s: &Shared, session: Option<&mut ClientSession>) -> Result<Vec<OriginRecord>, StoreError> {
    let origins = s.origins();
    let find = origins.find(doc! {}).sort(doc! { "_id": 1 }).limit(CURSOR as i64);
    let docs: Vec<Document> = match session {
        Some(session) => find.session(&mut *session).await?.stream(session).try_collect().await?,
        None => find.await?.try_collect().await?,
    };
    docs.iter().map(read).collect()
}

/// The last number of an origin while we hold it.
pub(super) async fn head(s: &Shared, origin: Origin) -> Result<Option<u64>, StoreError> {
    s.origins().find_one(held(origin)).await?.map(|d| Ok(read(&d)?.head)).transpose()
}

/// Moves an origin's head within a transaction; whether it was held and at `head`.
pub(super) async fn advance(
    s: &Shared,
    session: &mut ClientSession,
    origin: Origin,
    head: u64,
    spans: &[Span],
    now: u64,
) -> Result<bool, mongodb::error::Error> {
    let mut guard = held(origin);
    guard.insert("head", signed(head));
    let last = spans.iter().map(|span| span.last).max().unwrap_or(head);
    let mut set = doc! { "head": signed(last), "expires": signed(now + limits::LEASE) };
    let mut min = Document::new();
    for span in spans {
        let key = span.day.key();
        set.insert(format!("days.{key}.last"), signed(span.last));
        min.insert(format!("days.{key}.first"), signed(span.first));
    }
    let done = s.origins().update_one(guard, doc! { "$set": set, "$min": min }).session(session).await?;
    Ok(done.matched_count == 1)
}

/// Forgets a day whose collection is gone.
pub(super) async fn forget_day(s: &Shared, day: Day) -> Result<(), StoreError> {
    let field = format!("days.{}", day.key());
    s.origins().update_many(doc! {}, doc! { "$unset": { field: "" } }).await?;
    Ok(())
}

/// Whether an error says that an `_id` exists.
pub(in crate::store::mongo) fn is_duplicate(e: &mongodb::error::Error) -> bool {
    const DUPLICATE_KEY: i32 = 11_000;
    match e.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(e)) => e.code == DUPLICATE_KEY,
        ErrorKind::InsertMany(e) => {
            e.write_errors.as_ref().is_some_and(|all| all.iter().any(|e| e.code == DUPLICATE_KEY))
        }
        ErrorKind::Command(e) => e.code == DUPLICATE_KEY,
        _ => false,
    }
}

fn held(origin: Origin) -> Document {
    doc! { "_id": signed(origin.id), "token": signed(origin.token) }
}

fn read(d: &Document) -> Result<OriginRecord, StoreError> {
    let damaged = |_| StoreError::Damaged("origin");
    let mut days = Vec::new();
    for (key, span) in d.get_document("days").map_err(damaged)? {
        let day = Day::from_key(key).ok_or(StoreError::Damaged("origin"))?;
        let span = span.as_document().ok_or(StoreError::Damaged("origin"))?;
        let number = |name| span.get_i64(name).map(unsigned).map_err(damaged);
        days.push(Span { day, first: number("first")?, last: number("last")? });
    }
    days.sort_unstable_by_key(|span| span.first);
    let number = |name| d.get_i64(name).map(unsigned).map_err(damaged);
    Ok(OriginRecord { id: number("_id")?, token: number("token")?, head: number("head")?, days })
}
