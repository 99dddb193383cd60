//! What may be asked: the page, its files, the session, the socket.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
    SET_COOKIE,
};
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use livechat_node::Node;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::gate::{self, Hosts};
use crate::sessions::Sessions;
use crate::{assets, backup, download, env, files, headers, limits, qr, socket};

/// What every handler sees.
pub(crate) struct Shared {
    pub(crate) node: Node,
    pub(crate) hosts: Hosts,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) sockets: Arc<Semaphore>,
    pub(crate) files: Arc<Semaphore>,
    /// Cancelled when the server stops: sockets close.
    pub(crate) stopping: CancellationToken,
}

/// The whole server. The gate is outermost: nothing is routed before it is passed.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/login", get(page))
        .route("/signup", get(page))
        .route("/chat/{conversation}", get(page))
        .route("/api/session", get(has_session).post(swap_token).layer(DefaultBodyLimit::max(limits::BODY)))
        .route("/api/socket", get(socket::upgrade))
        .route("/api/export", get(download::export))
        .route("/api/backup", post(backup::save).layer(DefaultBodyLimit::max(limits::BODY)))
        .route("/api/qr", post(qr::read).layer(DefaultBodyLimit::max(limits::PICTURE)))
        .route("/api/restore", post(backup::restore).layer(DefaultBodyLimit::disable()))
        .route("/api/files/{conversation}", post(files::send).layer(DefaultBodyLimit::disable()))
        .route("/api/files/{conversation}/{position}", get(files::get))
        .fallback(get(asset))
        .layer(from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut answer = match gate::judge(&parts, &shared.hosts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => {
            tracing::info!(?refusal, "a request was turned away");
            refusal.status().into_response()
        }
    };
    headers::seal(answer.headers_mut());
    answer
}

async fn page() -> Response {
    let Ok(nonce) = env::random::<16>() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let nonce = HEXLOWER.encode(&nonce);
    let Ok(policy) = HeaderValue::try_from(headers::page_policy(&nonce)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(CONTENT_SECURITY_POLICY, policy), (CONTENT_TYPE, kind)], assets::page(&nonce)).into_response()
}

async fn asset(uri: Uri, asked: HeaderMap) -> Response {
    let Some(asset) = assets::find(uri.path()) else { return StatusCode::NOT_FOUND.into_response() };
    let keep = if asset.immutable() { "private, max-age=31536000, immutable" } else { "private, no-cache" };
    let about = [(ETAG, asset.etag), (CACHE_CONTROL, keep)];
    if asked.get(IF_NONE_MATCH).is_some_and(|v| v == asset.etag) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, [(CONTENT_TYPE, asset.kind)], Body::from(Bytes::from_static(asset.bytes))).into_response()
}

/// Whether the browser has a session: 204, else 401. A WebSocket can't tell its page why it was refused.
async fn has_session(State(shared): State<Arc<Shared>>, asked: HeaderMap) -> StatusCode {
    if admitted(&shared, &asked) { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Swap {
    token: String,
}

/// Swaps the token of a one-time link for the session cookie.
async fn swap_token(State(shared): State<Arc<Shared>>, asked: HeaderMap, body: Bytes) -> Response {
    if asked.get(CONTENT_TYPE).is_none_or(|v| v != "application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(Swap { token }) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    // Writing the session to disk waits for the disk.
    let sessions = shared.sessions.clone();
    match tokio::task::spawn_blocking(move || sessions.swap(&token)).await {
        Ok(Ok(Some(session))) => {
            let (name, age) = (shared.sessions.cookie(), limits::SESSION_LIFE.as_secs());
            let cookie = format!("{name}={session}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict");
            (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
        }
        Ok(Ok(None)) => StatusCode::UNAUTHORIZED.into_response(),
        Ok(Err(e)) => {
            tracing::error!("a link could not be swapped for a session: {e}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether a request carries this node's session cookie.
pub(crate) fn admitted(shared: &Shared, asked: &HeaderMap) -> bool {
    asked
        .get_all(COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .any(|(name, value)| name == shared.sessions.cookie() && shared.sessions.admits(value))
}
