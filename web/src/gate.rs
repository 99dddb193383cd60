//! Who may ask: judged from the request's head alone, before anything else looks at it (P17).
//!
//! 1. Exactly one Host header, and it names us: a rebound DNS name ends here.
//! 2. An Origin, where there is one, is our own; what changes something or opens a socket must have one.
//! 3. Sec-Fetch-Site, where a browser sends it, says `same-origin`, or `none` for an address typed or opened.

use axum::http::header::{HOST, ORIGIN, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};

pub use crate::hosts::{BadHost, Hosts};

/// Why a request isn't served. One word each: whoever is turned away learns nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It wasn't meant for us.
    Host,
    /// Another site's page sent it.
    Origin,
    /// The browser says that another site made it.
    Site,
}

impl Refusal {
    /// What to answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin | Self::Site => StatusCode::FORBIDDEN,
        }
    }
}

/// Judges a request.
///
/// # Errors
/// The first rule that it breaks.
pub fn judge(parts: &Parts, hosts: &Hosts) -> Result<(), Refusal> {
    let host = only(&parts.headers, &HOST).ok_or(Refusal::Host)?.ok_or(Refusal::Host)?;
    // A request line with a whole URL names a host too.
    let other = parts.uri.authority().is_some_and(|a| a.as_str() != host);
    if other || !hosts.allow(host) {
        return Err(Refusal::Host);
    }

    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    let acts = !reads || parts.headers.contains_key(UPGRADE);
    match only(&parts.headers, &ORIGIN).ok_or(Refusal::Origin)? {
        Some(origin) if origin.strip_prefix("http://").is_some_and(|o| o.eq_ignore_ascii_case(host)) => {}
        Some(_) => return Err(Refusal::Origin),
        None if acts => return Err(Refusal::Origin),
        None => {}
    }

    match only(&parts.headers, &SEC_FETCH_SITE).ok_or(Refusal::Site)? {
        None | Some("same-origin") => Ok(()),
        Some("none") if !acts => Ok(()),
        Some(_) => Err(Refusal::Site),
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The header's only value; outer `None` when it comes more than once or isn't text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Some(None),
        (Some(value), None) => value.to_str().ok().map(Some),
        (Some(_), Some(_)) => None,
    }
}
