//! The lobby's door.

use std::sync::Arc;

use axum::extract::State;
use livechat_wire::http::{LobbyDoor, PutLobby, RenewLobby};

use super::Answer;
use crate::http::App;
use crate::http::extract::{Json, Who};
use crate::http::openapi::Problems;

/// The door, as it stands; none when nobody has put one up yet.
#[utoipa::path(get, path = "/v1/lobby", tag = "lobby", security(("session" = [])),
    responses((status = 200, description = "As it stands", body = LobbyDoor), Problems))]
pub(crate) async fn standing(State(app): State<Arc<App>>, Who(who): Who) -> Answer<LobbyDoor> {
    Ok(Json(app.accounts.lobby(&who).await?))
}

/// Puts a door up where none is, or in the place of a version behind which nobody was heard of for a day. Of several
/// at once one succeeds: the answer is what stands there then.
#[utoipa::path(put, path = "/v1/lobby", tag = "lobby", request_body = PutLobby, security(("session" = [])),
    responses((status = 200, description = "As it stands now", body = LobbyDoor), Problems))]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<PutLobby>,
) -> Answer<LobbyDoor> {
    Ok(Json(app.accounts.put_lobby(&who, &request.link.0, request.replaces).await?))
}

/// Says that somebody behind this version is about. The answer is what stands there, that version or a later one.
#[utoipa::path(post, path = "/v1/lobby/renewal", tag = "lobby", request_body = RenewLobby,
    security(("session" = [])), responses((status = 200, description = "As it stands", body = LobbyDoor), Problems))]
pub(crate) async fn renew(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<RenewLobby>,
) -> Answer<LobbyDoor> {
    app.accounts.renew_lobby(&who, request.version).await?;
    Ok(Json(app.accounts.lobby(&who).await?))
}
