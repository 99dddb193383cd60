//! Sealed files. Whoever has a session puts them here; whoever knows the id fetches them, and is asked for nothing else.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use livechat_wire::http::{BeginBlob, BlobSpace, BlobState};

use super::Answer;
use crate::http::App;
use crate::http::extract::{Blob, BlobPart, Client, Json, Octets, Who};
use crate::http::openapi::Problems;
use crate::http::problem::Failure;

/// What this account has here, and may have.
#[utoipa::path(get, path = "/v1/blobs", tag = "files", security(("session" = [])),
    responses((status = 200, description = "Bytes and seconds", body = BlobSpace), Problems))]
pub(crate) async fn space(State(app): State<Arc<App>>, Who(who): Who) -> Answer<BlobSpace> {
    Ok(Json(app.blobs.space(app.accounts.blob_owner(&who)).await?))
}

/// Begins a file, or asks how far it is.
#[utoipa::path(put, path = "/v1/blobs/{id}", tag = "files", request_body = BeginBlob, security(("session" = [])),
    params(("id" = String, Path, description = "32 random bytes in hexadecimal")),
    responses((status = 200, description = "How far it is", body = BlobState), Problems))]
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Blob(id): Blob,
    Json(request): Json<BeginBlob>,
) -> Answer<BlobState> {
    let state = app.blobs.begin(app.accounts.blob_owner(&who), id, request.size).await?;
    if state.parts == 0 {
        app.metrics.file_begun();
    }
    Ok(Json(state))
}

/// Puts a part in: 262,144 bytes, the last one what is left. Said twice is said once.
#[utoipa::path(put, path = "/v1/blobs/{id}/{part}", tag = "files", security(("session" = [])),
    params(("id" = String, Path, description = "Of a file that was begun"),
        ("part" = u32, Path, description = "From 0 on, one after the other")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "How far it is", body = BlobState), Problems))]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Client(client): Client,
    BlobPart(id, part): BlobPart,
    Octets(bytes): Octets,
) -> Answer<BlobState> {
    app.rates.file_parts.check(client).map_err(Failure::too_many)?;
    let length = bytes.len();
    let state = app.blobs.put(app.accounts.blob_owner(&who), id, part, bytes).await?;
    app.metrics.file_bytes("in", length);
    Ok(Json(state))
}

/// A part of a whole file. Needs no session: who fetches is nobody's business.
#[utoipa::path(get, path = "/v1/blobs/{id}/{part}", tag = "files",
    params(("id" = String, Path, description = "Of a file"), ("part" = u32, Path, description = "From 0 on")),
    responses((status = 200, description = "Its bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        Problems))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Client(client): Client,
    BlobPart(id, part): BlobPart,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), Failure> {
    app.rates.file_parts.check(client).map_err(Failure::too_many)?;
    let bytes = app.blobs.part(id, part).await?;
    app.metrics.file_bytes("out", bytes.len());
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes))
}

/// Takes a file of this account back.
#[utoipa::path(delete, path = "/v1/blobs/{id}", tag = "files", security(("session" = [])),
    params(("id" = String, Path, description = "Of a file of this account")),
    responses((status = 204, description = "It is gone"), Problems))]
pub(crate) async fn remove(State(app): State<Arc<App>>, Who(who): Who, Blob(id): Blob) -> Result<StatusCode, Failure> {
    app.blobs.remove(app.accounts.blob_owner(&who), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
