//! Devices that come and go.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use livechat_wire::http::{ClaimSession, ClaimedSession, OwnLog, PendDevice, PendingDevice, PutLog};

use super::Answer;
use crate::http::App;
use crate::http::extract::{Json, Who};
use crate::http::openapi::Problems;
use crate::http::problem::Failure;

/// Notes this device as one that wants to be the account's, for an hour; another one that waits makes room.
#[utoipa::path(put, path = "/v1/devices/pending", tag = "devices", request_body = PendDevice,
    security(("session" = [])), responses((status = 200, description = "It waits", body = PendingDevice), Problems))]
pub(crate) async fn pend(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<PendDevice>,
) -> Answer<PendingDevice> {
    Ok(Json(app.accounts.pend_device(&who, &request.bundle.0).await?))
}

/// The device that waits. Compare its code with the one that it shows before you add it.
#[utoipa::path(get, path = "/v1/devices/pending", tag = "devices", security(("session" = [])),
    responses((status = 200, description = "It waits", body = PendingDevice), Problems))]
pub(crate) async fn pending(State(app): State<Arc<App>>, Who(who): Who) -> Answer<PendingDevice> {
    Ok(Json(app.accounts.pending_device(&who).await?.ok_or_else(Failure::no_pending_device)?))
}

/// Continues the account's log. Devices that it revokes lose sessions, bundle and KeyPackages.
#[utoipa::path(put, path = "/v1/devices/log", tag = "devices", request_body = PutLog, security(("session" = [])),
    responses((status = 204, description = "It is the account's log now"), Problems))]
pub(crate) async fn put_log(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<PutLog>,
) -> Result<StatusCode, Failure> {
    app.accounts.put_log(&who, &request.log.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The account's log as it stands, whatever the account is called by now.
#[utoipa::path(get, path = "/v1/devices/log", tag = "devices", security(("session" = [])),
    responses((status = 200, description = "Name and log", body = OwnLog), Problems))]
pub(crate) async fn own_log(State(app): State<Arc<App>>, Who(who): Who) -> Answer<OwnLog> {
    Ok(Json(app.accounts.own_log(&who).await?))
}

/// Makes this session one of the device that signed: the log names it by now.
#[utoipa::path(put, path = "/v1/sessions/current/device", tag = "devices", request_body = ClaimSession,
    security(("session" = [])),
    responses((status = 200, description = "A known device's session", body = ClaimedSession), Problems))]
pub(crate) async fn claim_session(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<ClaimSession>,
) -> Answer<ClaimedSession> {
    Ok(Json(app.accounts.claim_session(&who, &request).await?))
}
