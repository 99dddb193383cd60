//! The directory and its KeyPackages.

use std::sync::Arc;

use axum::extract::State;
use livechat_wire::http::{Claim, DirectoryEntry, KeyPackageStock, PublishKeyPackages};

use super::Answer;
use crate::http::App;
use crate::http::extract::{Client, Json, Segment, Who};
use crate::http::openapi::Problems;
use crate::http::problem::Failure;

/// Who has this name.
#[utoipa::path(get, path = "/v1/directory/{username}", tag = "directory",
    params(("username" = String, Path, description = "A name")),
    responses((status = 200, description = "Log and devices", body = DirectoryEntry), Problems))]
pub(crate) async fn look_up(
    State(app): State<Arc<App>>,
    Client(client): Client,
    Segment(username): Segment,
) -> Answer<DirectoryEntry> {
    app.rates.lookups.check(client).map_err(Failure::too_many)?;
    Ok(Json(app.accounts.look_up(&username).await?))
}

/// Who has this name, with a KeyPackage of each device. Needs no session: who asks is nobody's business.
#[utoipa::path(post, path = "/v1/directory/claim", tag = "directory", request_body = Claim,
    responses((status = 200, description = "Log, devices, KeyPackages", body = DirectoryEntry), Problems))]
pub(crate) async fn claim(
    State(app): State<Arc<App>>,
    Client(client): Client,
    Json(request): Json<Claim>,
) -> Answer<DirectoryEntry> {
    app.rates.claims.check(client).map_err(Failure::too_many)?;
    Ok(Json(app.accounts.claim(&request.username).await?))
}

/// Stocks KeyPackages of the device that asks; beyond the limit the oldest go.
#[utoipa::path(put, path = "/v1/key-packages", tag = "directory", request_body = PublishKeyPackages,
    security(("session" = [])), responses((status = 200, description = "The stock", body = KeyPackageStock), Problems))]
pub(crate) async fn publish(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<PublishKeyPackages>,
) -> Answer<KeyPackageStock> {
    Ok(Json(app.accounts.publish(&who, &request).await?))
}

/// What is left of the KeyPackages of the device that asks.
#[utoipa::path(get, path = "/v1/key-packages", tag = "directory", security(("session" = [])),
    responses((status = 200, description = "The stock", body = KeyPackageStock), Problems))]
pub(crate) async fn stock(State(app): State<Arc<App>>, Who(who): Who) -> Answer<KeyPackageStock> {
    Ok(Json(app.accounts.stock(&who).await?))
}
