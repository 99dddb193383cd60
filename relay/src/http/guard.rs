//! Around every request: bounded numbers, a task of its own, a time limit, headers, metrics.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::Failure;
use crate::limits;

/// Runs the request in a task of its own: a client that goes away, or our time limit, must not drop a database call
/// half-way or leave a code used up with no session to show for it. A panic ends this request alone.
pub(crate) async fn detach(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let slot = tokio::time::timeout(limits::REQUEST_WAIT, app.slots.clone().acquire_owned()).await;
    let Ok(Ok(slot)) = slot else { return Failure::busy().into_response() };
    let task = tokio::spawn(async move {
        let response = next.run(request).await;
        drop(slot);
        response
    });
    match tokio::time::timeout(limits::REQUEST_TIME, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panicked)) => Failure::internal().into_response(),
        Err(_elapsed) => Failure::too_slow().into_response(),
    }
}

/// Counts, and sets what every answer carries.
pub(crate) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    const HEADERS: [(&str, &str); 3] = [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ];
    let began = Instant::now();
    // The pattern, never the path: paths hold names.
    let route = request.extensions().get::<MatchedPath>().map_or("none".into(), |m| m.as_str().to_owned());
    let method = match request.method().as_str() {
        m @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | "OPTIONS") => m.to_owned(),
        _ => "other".to_owned(),
    };
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    app.metrics.request(&route, &method, status, took);
    tracing::debug!(route, method, status, ms = took.as_millis(), "answered");
    response
}
