//! The HTTP API under `/v1` (types in `livechat_wire::http`), health, readiness, metrics, OpenAPI.
//!
//! Bearer tokens only: no cookie, no CORS header, so no web page can act for anybody (SEED B10). Whatever comes in,
//! the answer is JSON of a known type or a `Problem`; requests run in tasks of their own, so that a client that goes
//! away leaves nothing half done and a panic ends one request.

mod client;
mod extract;
mod guard;
mod limiter;
mod listener;
mod openapi;
mod problem;
mod routes;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::accounts::Accounts;
use crate::blobs::Blobs;
use crate::env::Env;
use crate::limits::{self, Limits};
use crate::metrics::Metrics;
use crate::store::envelopes::EnvelopeStore;
pub(crate) use limiter::RateLimits;

/// Where peers reach the relay, as it is now.
pub(crate) type Addresses = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// What every handler may use.
pub(crate) struct App {
    pub accounts: Accounts,
    pub blobs: Blobs,
    pub envelopes: Arc<dyn EnvelopeStore>,
    pub env: Env,
    pub metrics: Arc<Metrics>,
    pub rates: RateLimits,
    pub limits: Limits,
    pub network: String,
    pub addresses: Addresses,
    pub ready: routes::Readiness,
    slots: Arc<Semaphore>,
}

impl App {
    #[allow(clippy::too_many_arguments, reason = "each is a part of the relay")]
    pub(crate) fn new(
        accounts: Accounts,
        blobs: Blobs,
        envelopes: Arc<dyn EnvelopeStore>,
        env: Env,
        metrics: Arc<Metrics>,
        limits: Limits,
        network: String,
        addresses: Addresses,
    ) -> Arc<Self> {
        Arc::new(Self {
            rates: RateLimits::new(&limits, &env),
            ready: routes::Readiness::default(),
            slots: Arc::new(Semaphore::new(limits::REQUESTS)),
            accounts,
            blobs,
            envelopes,
            env,
            metrics,
            limits,
            network,
            addresses,
        })
    }
}

/// The OpenAPI document of the HTTP API, as JSON; what `/v1/openapi.json` serves.
#[must_use]
pub fn openapi() -> String {
    described().split_for_parts().1.to_pretty_json().unwrap_or_default()
}

/// All routes with their documentation.
fn described() -> OpenApiRouter<Arc<App>> {
    let document = openapi::Document::openapi();
    OpenApiRouter::with_openapi(document).merge(routes::all())
}

/// All routes, and the document that describes them.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let (api, document) = described().split_for_parts();
    let api = api.layer(DefaultBodyLimit::max(limits::SMALL_BODY));
    let document: Arc<str> = document.to_json().unwrap_or_default().into();
    let described = get(move || {
        let document = document.clone();
        async move { ([("content-type", "application/json")], document.to_string()) }
    });
    api.route("/v1/openapi.json", described)
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn_with_state(app.clone(), guard::detach))
        .layer(middleware::from_fn_with_state(app.clone(), guard::observe))
        .with_state(app.clone())
}

/// Serves until `stop` resolves, then lets requests end, at most [`limits::DRAIN`].
pub(crate) async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()> + Send + 'static) {
    let router = router(&app);
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let listener = listener::Bounded::new(listener, app.limits.trusted_proxies.clone());
    let service = router.into_make_service_with_connect_info::<client::Peer>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop.await;
        drop(stopping);
    });
    let late = async {
        // Resolves when the sender is dropped.
        drop(stopped.await);
        tokio::time::sleep(limits::DRAIN).await;
    };
    tokio::select! {
        done = server => if let Err(e) = done { tracing::error!(error = %e, "the HTTP server ended") },
        () = late => tracing::warn!("requests were still at work after {:?}", limits::DRAIN),
    }
}

/// Binds, or says what is in the way.
pub(crate) async fn bind(at: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(at).await
}

/// Whole seconds, rounded up, at least one: for `Retry-After`.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}
