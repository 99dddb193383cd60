//! Extractors whose refusals are problems, and that keep what was sent out of them.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use livechat_wire::BlobId;
use livechat_wire::http::ProblemCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::App;
use super::client::{ClientKey, Peer, client};
use super::problem::Failure;
use crate::accounts::Authenticated;

/// A JSON body, typed and without unknown fields (SEED B3); as an answer, JSON.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(e) => Err(refused(&e)),
        }
    }
}

/// The status is the framework's; the text says no more than it must, since bodies hold codes.
fn refused(e: &JsonRejection) -> Failure {
    let status = e.status();
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Failure::new(status, ProblemCode::TooLarge, "The request is larger than this address takes.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let message = "The request must be JSON: set Content-Type to application/json.";
            Failure::new(status, ProblemCode::BadRequest, message)
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            let message = "The JSON doesn't have the fields this address takes. See /v1/openapi.json.";
            Failure::new(status, ProblemCode::BadRequest, message)
        }
        _ => Failure::bad_request("The request isn't well-formed JSON."),
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The one part of a path that varies.
pub(crate) struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match axum::extract::Path::<String>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(part)) => Ok(Self(part)),
            Err(_) => Err(Failure::bad_request("The address isn't well-formed.")),
        }
    }
}

/// A part of a blob, as it is.
pub(crate) struct Octets(pub Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for Octets {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        if kind.is_none_or(|kind| kind != "application/octet-stream") {
            let message = "A part of a file is sent as application/octet-stream.";
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ProblemCode::BadRequest, message));
        }
        match axum::body::Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes.into())),
            Err(e) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let message = "The request is larger than this address takes.";
                Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, ProblemCode::TooLarge, message))
            }
            Err(_) => Err(Failure::bad_request("The request ended too early.")),
        }
    }
}

/// A blob, by its id in hexadecimal.
pub(crate) struct Blob(pub BlobId);

impl<S: Send + Sync> FromRequestParts<S> for Blob {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Segment(id) = Segment::from_request_parts(parts, state).await?;
        id.parse().map(Self).map_err(|_| Failure::bad_request(BLOB_ADDRESS))
    }
}

/// A part of a blob, by the blob's id and its number.
pub(crate) struct BlobPart(pub BlobId, pub u32);

impl<S: Send + Sync> FromRequestParts<S> for BlobPart {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = axum::extract::Path::<(String, u32)>::from_request_parts(parts, state).await;
        let parsed = path.ok().and_then(|path| Some(Self(path.0.0.parse().ok()?, path.0.1)));
        parsed.ok_or_else(|| Failure::bad_request(BLOB_ADDRESS))
    }
}

const BLOB_ADDRESS: &str = "A file's id has 64 hexadecimal digits, its parts have numbers from 0 on.";

/// Whom limits are counted for.
pub(crate) struct Client(pub ClientKey);

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|c| c.0.0);
        // Without a connection there is no address; every such request counts as one client's.
        let peer = peer.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(Self(client(peer, &parts.headers, &app.limits.trusted_proxies)))
    }
}

/// A session, from `Authorization: Bearer …` and nowhere else. Never optional (SEED B2).
pub(crate) struct Who(pub Authenticated);

impl FromRequestParts<Arc<App>> for Who {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let mut given = parts.headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (given.next(), given.next()) else { return Err(Failure::unauthenticated()) };
        let (scheme, token) =
            value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(Failure::unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Failure::unauthenticated());
        }
        Ok(Self(app.accounts.authenticate(token.trim()).await?))
    }
}
