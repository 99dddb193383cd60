//! Log-in, sessions, live count.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use livechat_wire::http::{LiveCount, LogIn, ProblemCode, Session, SessionList};

use super::Answer;
use crate::http::App;
use crate::http::extract::{Client, Json, Segment, Who};
use crate::http::openapi::Problems;
use crate::http::problem::Failure;

/// Logs in with name and code. Whatever is wrong, the answer is the same.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = LogIn,
    responses((status = 200, description = "Logged in for ten days", body = Session), Problems))]
pub(crate) async fn log_in(
    State(app): State<Arc<App>>,
    Client(client): Client,
    Json(request): Json<LogIn>,
) -> Answer<Session> {
    if request.device.is_some() {
        app.rates.proofs.check(client).map_err(Failure::too_many)?;
    }
    let result = app.accounts.log_in(&request, || app.rates.log_ins.check(client)).await.map_err(Failure::from);
    app.metrics.log_in(match &result {
        Ok(s) if s.known_device => "known_device",
        Ok(_) => "new_device",
        Err(f) if f.code() == ProblemCode::InvalidCredentials => "refused",
        Err(f) if f.code() == ProblemCode::TooManyRequests => "limited",
        Err(_) => "failed",
    });
    Ok(Json(result?))
}

/// All sessions of the account.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", security(("session" = [])),
    responses((status = 200, description = "Newest first", body = SessionList), Problems))]
pub(crate) async fn list(State(app): State<Arc<App>>, Who(who): Who) -> Answer<SessionList> {
    Ok(Json(app.accounts.sessions(&who).await?))
}

/// Ends a session; `current` is this one.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "sessions", security(("session" = [])),
    params(("id" = String, Path, description = "From the list, or `current`")),
    responses((status = 204, description = "Ended"), Problems))]
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Segment(id): Segment,
) -> Result<StatusCode, Failure> {
    app.accounts.end_session(&who, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many accounts were heard of in the last two minutes.
#[utoipa::path(get, path = "/v1/live", tag = "sessions", security(("session" = [])),
    responses((status = 200, description = "Exact below ten, then two digits", body = LiveCount), Problems))]
pub(crate) async fn live(State(app): State<Arc<App>>, _who: Who) -> Answer<LiveCount> {
    Ok(Json(LiveCount { users: app.accounts.live() }))
}
