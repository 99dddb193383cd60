//! Numbers for Prometheus. No label ever holds a name, an address or an id: health, not people (DESIGN §7).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Which request, as the routes name it, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: String,
    status: u16,
}

/// How a log-in ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LogInLabels {
    outcome: &'static str,
}

/// Which way bytes of files went.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FileLabels {
    direction: &'static str,
}

/// The relay's registry and its own metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<RequestLabels, Counter>,
    durations: Histogram,
    log_ins: Family<LogInLabels, Counter>,
    sign_ups: Counter,
    files_begun: Counter,
    file_bytes: Family<FileLabels, Counter>,
    live: Gauge,
    unavailable: Counter,
}

impl Metrics {
    /// Adds the relay's own metrics to a registry.
    #[must_use]
    pub fn new(mut registry: Registry) -> Self {
        let requests = Family::default();
        let durations = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        let log_ins = Family::default();
        let sign_ups = Counter::default();
        let files_begun = Counter::default();
        let file_bytes = Family::default();
        let live = Gauge::default();
        let unavailable = Counter::default();
        let r = registry.sub_registry_with_prefix("livechat_relay");
        r.register("http_requests", "HTTP requests by route and status", requests.clone());
        r.register("http_seconds", "Time to answer HTTP requests", durations.clone());
        r.register("log_ins", "Log-ins by outcome", log_ins.clone());
        r.register("sign_ups", "Sign-ups confirmed", sign_ups.clone());
        r.register("files_begun", "Uploads begun", files_begun.clone());
        r.register("file_bytes", "Bytes of sealed files, by direction", file_bytes.clone());
        r.register("live_accounts", "Accounts heard of in two minutes, rounded to two digits", live.clone());
        r.register("unavailable", "Requests answered with 503", unavailable.clone());
        Self {
            registry: Mutex::new(registry),
            requests,
            durations,
            log_ins,
            sign_ups,
            files_begun,
            file_bytes,
            live,
            unavailable,
        }
    }

    /// The text that Prometheus scrapes.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string can't fail.
        if encode(&mut out, &registry).is_err() {
            out.clear();
        }
        out
    }

    pub(crate) fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let labels = RequestLabels { route: route.to_owned(), method: method.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.durations.observe(took.as_secs_f64());
        if status == 503 {
            self.unavailable.inc();
        }
    }

    pub(crate) fn log_in(&self, outcome: &'static str) {
        self.log_ins.get_or_create(&LogInLabels { outcome }).inc();
    }

    pub(crate) fn sign_up(&self) {
        self.sign_ups.inc();
    }

    pub(crate) fn file_begun(&self) {
        self.files_begun.inc();
    }

    /// `in` or `out`.
    pub(crate) fn file_bytes(&self, direction: &'static str, bytes: usize) {
        self.file_bytes.get_or_create(&FileLabels { direction }).inc_by(bytes as u64);
    }

    pub(crate) fn live(&self, users: u32) {
        self.live.set(i64::from(users));
    }
}
