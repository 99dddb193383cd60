//! Names and sign-up.

use std::sync::Arc;

use axum::extract::State;
use livechat_wire::http::{BeginSignUp, ConfirmSignUp, PendingSignUp, SignedUp, UsernameAvailability};

use super::Answer;
use crate::http::App;
use crate::http::extract::{Client, Json, Segment};
use crate::http::openapi::Problems;
use crate::http::problem::Failure;

/// Whether a name can be had now.
#[utoipa::path(get, path = "/v1/usernames/{username}", tag = "sign-up",
    params(("username" = String, Path, description = "As typed")),
    responses((status = 200, description = "Yes, or why not", body = UsernameAvailability), Problems))]
pub(crate) async fn availability(
    State(app): State<Arc<App>>,
    Client(client): Client,
    Segment(username): Segment,
) -> Answer<UsernameAvailability> {
    app.rates.lookups.check(client).map_err(Failure::too_many)?;
    Ok(Json(app.accounts.availability(&username).await?))
}

/// Holds a name for an hour and answers with what an authenticator app needs.
#[utoipa::path(post, path = "/v1/accounts", tag = "sign-up", request_body = BeginSignUp,
    responses((status = 200, description = "The name is held", body = PendingSignUp), Problems))]
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    Client(client): Client,
    Json(request): Json<BeginSignUp>,
) -> Answer<PendingSignUp> {
    app.rates.sign_ups.check(client).map_err(Failure::too_many)?;
    Ok(Json(app.accounts.begin_sign_up(&request.username).await?))
}

/// Makes the account active, with the authenticator's first code.
#[utoipa::path(post, path = "/v1/accounts/confirm", tag = "sign-up", request_body = ConfirmSignUp,
    responses((status = 200, description = "Signed up, and logged in", body = SignedUp), Problems))]
pub(crate) async fn confirm(State(app): State<Arc<App>>, Json(request): Json<ConfirmSignUp>) -> Answer<SignedUp> {
    let signed_up = app.accounts.confirm_sign_up(&request).await?;
    app.metrics.sign_up();
    Ok(Json(signed_up))
}
