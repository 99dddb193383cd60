//! What needs a session and a code.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use livechat_wire::http::{ChangeName, ConfirmAuthenticator, PendingSignUp, RecoveryCodes, WithCode};

use super::Answer;
use crate::http::App;
use crate::http::extract::{Json, Who};
use crate::http::openapi::Problems;
use crate::http::problem::Failure;

/// Begins adding a second authenticator.
#[utoipa::path(post, path = "/v1/account/authenticators", tag = "account", request_body = WithCode,
    security(("session" = [])),
    responses((status = 200, description = "What the app needs", body = PendingSignUp), Problems))]
pub(crate) async fn begin_authenticator(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<WithCode>,
) -> Answer<PendingSignUp> {
    Ok(Json(app.accounts.begin_authenticator(&who, &request.code).await?))
}

/// Puts it into force with its first code.
#[utoipa::path(post, path = "/v1/account/authenticators/confirm", tag = "account",
    request_body = ConfirmAuthenticator, security(("session" = [])),
    responses((status = 204, description = "It is in force"), Problems))]
pub(crate) async fn confirm_authenticator(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<ConfirmAuthenticator>,
) -> Result<StatusCode, Failure> {
    app.accounts.confirm_authenticator(&who, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps the authenticator that gave the code and removes the other. The last one can't be removed.
#[utoipa::path(delete, path = "/v1/account/authenticators", tag = "account", request_body = WithCode,
    security(("session" = [])), responses((status = 204, description = "The other is gone"), Problems))]
pub(crate) async fn remove_authenticator(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<WithCode>,
) -> Result<StatusCode, Failure> {
    app.accounts.remove_other_authenticator(&who, &request.code).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ten fresh recovery codes; the ones before are void.
#[utoipa::path(post, path = "/v1/account/recovery-codes", tag = "account", request_body = WithCode,
    security(("session" = [])), responses((status = 200, description = "Shown once", body = RecoveryCodes), Problems))]
pub(crate) async fn recovery_codes(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<WithCode>,
) -> Answer<RecoveryCodes> {
    Ok(Json(RecoveryCodes { recovery_codes: app.accounts.recovery_codes(&who, &request.code).await? }))
}

/// Gives the account another name: its log goes on with one entry that binds it. The name before stays held for thirty
/// days: it leads nobody to the account, and nobody else can have it.
#[utoipa::path(put, path = "/v1/account/name", tag = "account", request_body = ChangeName,
    security(("session" = [])), responses((status = 204, description = "That is the name now"), Problems))]
pub(crate) async fn rename(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<ChangeName>,
) -> Result<StatusCode, Failure> {
    app.accounts.rename(&who, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes the account: log, devices, keys, sessions and files, at once. Its name stays held for thirty days.
#[utoipa::path(delete, path = "/v1/account", tag = "account", request_body = WithCode,
    security(("session" = [])), responses((status = 204, description = "Deleted"), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Json(request): Json<WithCode>,
) -> Result<StatusCode, Failure> {
    app.accounts.delete(&who, &request.code).await?;
    // The account is gone whatever comes of this; files that stay are over in a month at the latest.
    if let Err(e) = app.blobs.remove_all(app.accounts.blob_owner(&who)).await {
        tracing::warn!(error = %e, "files of a deleted account stay until they are over");
    }
    Ok(StatusCode::NO_CONTENT)
}
