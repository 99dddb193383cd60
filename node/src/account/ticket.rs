//! What is shown next to "open your authenticator app".

use livechat_wire::http::{PendingSignUp, SecretText};

use super::saved::Pending;
use crate::api::SignUpTicket;
use crate::qr::svg;

/// The ticket of a sign-up, QR code included; `None` when the URI doesn't fit one.
pub(crate) fn of(pending: &Pending) -> Option<SignUpTicket> {
    drawn(&pending.username, &pending.otpauth_uri, &pending.setup_key, pending.expires_at)
}

/// The ticket of another authenticator.
pub(crate) fn of_authenticator(begun: &PendingSignUp) -> Option<SignUpTicket> {
    drawn(&begun.username, &begun.otpauth_uri, &begun.setup_key, begun.expires_at)
}

fn drawn(username: &str, uri: &SecretText, setup_key: &SecretText, expires_at: u64) -> Option<SignUpTicket> {
    Some(SignUpTicket {
        username: username.to_owned(),
        otpauth_uri: uri.0.clone(),
        setup_key: setup_key.0.clone(),
        qr_svg: svg(&uri.0)?,
        expires_at,
    })
}
