//! What is shown next to "open your authenticator app".

use fast_qr::convert::Builder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};

use livechat_wire::http::{PendingSignUp, SecretText};

use super::saved::Pending;
use crate::api::SignUpTicket;
use crate::limits;

/// Modules of white around a QR code (ISO/IEC 18004 asks for four).
const QUIET_ZONE: usize = 4;

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

/// An SVG document, black on white whatever the page's colours are: cameras read no inverted codes.
pub(crate) fn svg(text: &str) -> Option<String> {
    if text.len() > limits::OTPAUTH {
        return None;
    }
    // Medium correction: screens don't get dirty, and a smaller code is read from further away.
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let mut builder = SvgBuilder::default();
    Some(builder.margin(QUIET_ZONE).background_color("#ffffff").module_color("#000000").to_str(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_drawn_black_on_white_and_bounded() {
        let drawn =
            svg("otpauth://totp/LiveChat:alice?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=LiveChat").unwrap();
        assert!(drawn.starts_with("<svg") && drawn.contains("#ffffff") && drawn.contains("#000000"), "{drawn}");
        assert!(
            !drawn.contains("<script") && !drawn.contains("http://") || drawn.contains("http://www.w3.org/2000/svg")
        );
        assert_eq!(svg(&"x".repeat(limits::OTPAUTH + 1)), None);
    }
}
