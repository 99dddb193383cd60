//! QR codes as pictures for the page.

use fast_qr::convert::Builder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};

use crate::limits;

/// Modules of white around a QR code (ISO/IEC 18004 asks for four).
const QUIET_ZONE: usize = 4;

/// An SVG document, black on white whatever the page's colours are: cameras read no inverted codes.
pub(crate) fn svg(text: &str) -> Option<String> {
    if text.len() > limits::QR_TEXT {
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
        assert_eq!(svg(&"x".repeat(limits::QR_TEXT + 1)), None);
    }
}
