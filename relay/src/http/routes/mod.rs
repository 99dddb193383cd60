//! The handlers: extract, ask [`crate::accounts`], answer.

mod account;
mod blobs;
mod devices;
mod directory;
mod lobby;
mod operations;
mod sessions;
mod signup;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::Failure;
use crate::limits;
pub(crate) use operations::Readiness;

type Answer<T> = Result<super::extract::Json<T>, Failure>;

/// Every route with its documentation; those that take more than a name and a code say how much.
pub(crate) fn all() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(operations::relay))
        .routes(routes!(operations::healthz))
        .routes(routes!(operations::readyz))
        .routes(routes!(operations::metrics))
        .routes(routes!(signup::availability))
        .routes(routes!(signup::begin))
        .merge(with_body(OpenApiRouter::new().routes(routes!(signup::confirm)), limits::CONFIRM_BODY))
        .routes(routes!(sessions::log_in, sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::live))
        .merge(with_body(
            OpenApiRouter::new().routes(routes!(directory::publish, directory::stock)),
            livechat_wire::limits::HTTP_BODY,
        ))
        .merge(with_body(
            OpenApiRouter::new()
                .routes(routes!(devices::pend, devices::pending))
                .routes(routes!(devices::put_log, devices::own_log))
                .routes(routes!(account::rename)),
            limits::CONFIRM_BODY,
        ))
        .routes(routes!(devices::claim_session))
        .routes(routes!(lobby::standing, lobby::put))
        .routes(routes!(lobby::renew))
        .routes(routes!(directory::look_up))
        .routes(routes!(directory::claim))
        .routes(routes!(account::begin_authenticator, account::remove_authenticator))
        .routes(routes!(account::confirm_authenticator))
        .routes(routes!(account::recovery_codes))
        .routes(routes!(account::delete))
        .routes(routes!(blobs::space))
        .routes(routes!(blobs::begin, blobs::remove))
        .merge(with_body(
            OpenApiRouter::new().routes(routes!(blobs::put, blobs::get)),
            livechat_wire::limits::BLOB_PART,
        ))
}

fn with_body(router: OpenApiRouter<Arc<App>>, bytes: usize) -> OpenApiRouter<Arc<App>> {
    router.layer(DefaultBodyLimit::max(bytes))
}
