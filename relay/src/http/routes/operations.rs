//! What a node needs to join, and what an operator watches.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use livechat_wire::http::RelayInfo;
use livechat_wire::limits::RETENTION;

use crate::http::App;
use crate::http::extract::Json;
use crate::http::openapi::Problems;
use crate::http::problem::Failure;
use crate::limits;

/// How old an answer of `/readyz` may be: it writes to the database, and anybody may ask.
const PROBE_AGE: Duration = Duration::from_secs(1);

/// The last probe and its outcome.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    fn recent(&self) -> Option<bool> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| at.elapsed() < PROBE_AGE).map(|(_, ready)| ready)
    }

    fn note(&self, ready: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), ready));
    }
}

/// What a node needs to join.
#[utoipa::path(get, path = "/v1/relay", tag = "relay",
    responses((status = 200, description = "Key, network, addresses", body = RelayInfo), Problems))]
pub(crate) async fn relay(State(app): State<Arc<App>>) -> Json<RelayInfo> {
    Json(RelayInfo {
        relay: app.accounts.relay(),
        network: app.network.clone(),
        addresses: (app.addresses)(),
        generation: limits::GENERATION,
        bucket_bits: limits::BUCKET_BITS,
        topic_bits: limits::TOPIC_BITS,
        time: app.env.now(),
        retention_seconds: RETENTION.as_secs(),
    })
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "Alive"), Problems))]
pub(crate) async fn healthz() -> StatusCode {
    StatusCode::OK
}

/// The stores answer too.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses((status = 200, description = "Ready"), Problems))]
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Result<StatusCode, Failure> {
    let ready = match app.ready.recent() {
        Some(ready) => ready,
        None => {
            let ready = app.accounts.probe().await.is_ok() && app.envelopes.probe().await.is_ok();
            app.ready.note(ready);
            ready
        }
    };
    if ready { Ok(StatusCode::OK) } else { Err(Failure::not_ready()) }
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "OpenMetrics text", body = String,
        content_type = "application/openmetrics-text"), Problems))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> ([(HeaderName, &'static str); 1], String) {
    app.metrics.live(app.accounts.live());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(axum::http::header::CONTENT_TYPE, kind)], app.metrics.text())
}
