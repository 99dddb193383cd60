//! Sealed backups that the browser saves, and gives back. Both by `fetch` from our own page: what acts has an Origin.

use std::io::{Seek, Write};
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use futures::stream::{self, StreamExt as _};
use livechat_node::api::{Error, ErrorCode, Restored};
use serde::Deserialize;

use crate::limits;
use crate::routes::{Shared, admitted};

/// Carries what opens a backup, in base64: its file is the body.
const SECRET: HeaderName = HeaderName::from_static("livechat-secret");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    secret: String,
}

/// `POST /api/backup`: seals a backup, chunk by chunk.
pub(crate) async fn save(State(shared): State<Arc<Shared>>, asked: HeaderMap, body: Bytes) -> Response {
    if !admitted(&shared, &asked) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if asked.get(CONTENT_TYPE).is_none_or(|v| v != "application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(Wanted { secret }) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let (head, chunks) = match shared.node.back_up(secret).await {
        Ok(begun) => begun,
        Err(e) => return refused(e),
    };
    let rest = stream::try_unfold(chunks, |mut chunks| async move {
        let chunk = chunks.next().await?;
        Ok::<_, Error>(chunk.map(|chunk| (Bytes::from(chunk), chunks)))
    });
    let body = Body::from_stream(stream::iter([Ok(Bytes::from(head))]).chain(rest));
    let about = [(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, "attachment")];
    (about, body).into_response()
}

/// `POST /api/restore`: gives a backup back.
pub(crate) async fn restore(State(shared): State<Arc<Shared>>, asked: HeaderMap, body: Body) -> Response {
    if !admitted(&shared, &asked) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let secret = asked.get(SECRET).and_then(|v| BASE64.decode(v.as_bytes()).ok());
    let Some(secret) = secret.and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // One of the places for sockets: each of these holds a file, too.
    let Ok(_place) = shared.sockets.clone().try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match take(&shared, secret, body).await {
        Ok(done) => Json(done).into_response(),
        Err(e) => refused(e),
    }
}

/// Keeps the file, which is sealed, until it is read: a transaction doesn't wait for a browser.
async fn take(shared: &Shared, secret: String, body: Body) -> Result<Restored, Error> {
    let failed = |cause: &std::io::Error| {
        error(ErrorCode::StoreFailed, &format!("The file can't be kept: {cause}."), "Free some disk space.")
    };
    let mut file = tempfile::tempfile_in(shared.node.data_dir()).map_err(|e| failed(&e))?;
    let mut length = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| error(ErrorCode::BadRequest, "The file didn't come whole.", "Try again."))?;
        length += chunk.len() as u64;
        if length > limits::BACKUP {
            return Err(error(ErrorCode::BadRequest, "That file is too long.", "Use `livechat restore`."));
        }
        file.write_all(&chunk).map_err(|e| failed(&e))?;
    }
    file.rewind().map_err(|e| failed(&e))?;
    shared.node.give_back(file, secret).await
}

fn error(code: ErrorCode, message: &str, hint: &str) -> Error {
    Error { code, message: message.into(), hint: hint.into(), retry_after: None }
}

fn refused(e: Error) -> Response {
    (StatusCode::CONFLICT, Json(e)).into_response()
}
