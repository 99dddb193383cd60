//! Reads a QR code out of a picture that the page has turned into shades of grey: no browser of ours need bring a
//! reader, and no picture is decoded outside the browser.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::HeaderMap;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::limits;
use crate::routes::{Shared, admitted};

/// Pixels in a row of the body.
const WIDTH: HeaderName = HeaderName::from_static("livechat-width");

/// `POST /api/qr`: one byte a pixel, row by row; answered by the text of the first code in it.
pub(crate) async fn read(State(shared): State<Arc<Shared>>, asked: HeaderMap, body: Bytes) -> Response {
    if !admitted(&shared, &asked) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let width = asked.get(WIDTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let Some(width) = width.filter(|w: &usize| *w > 0 && body.len().is_multiple_of(*w) && !body.is_empty()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // Looking for a code takes the processor a while.
    match tokio::task::spawn_blocking(move || find(&body, width)).await {
        Ok(Some(text)) => text.into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    }
}

fn find(pixels: &[u8], width: usize) -> Option<String> {
    let height = pixels.len() / width;
    let pixel = |x: usize, y: usize| pixels.get(y * width + x).copied().unwrap_or(255);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
    let found = picture.detect_grids().into_iter().find_map(|grid| grid.decode().ok().map(|(_, text)| text));
    found.filter(|text| text.len() <= limits::QR_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_in_a_picture_and_noise_is_none() {
        let text =
            "LIVECHAT-VERIFY:AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYUCULBOGAZDINRYHI6D4QCCIRDEQSSMJZIFEVCWLBNFYXTAMJSGM2DKNRX";
        let code = fast_qr::QRBuilder::new(text).ecl(fast_qr::ECL::M).build().unwrap();
        let (module, quiet) = (4, 4);
        let side = (code.size + 2 * quiet) * module;
        let dark = |x: usize, y: usize| {
            let at = |v: usize| (v / module).checked_sub(quiet).filter(|v| *v < code.size);
            matches!((at(x), at(y)), (Some(x), Some(y)) if code[y][x].value())
        };
        let picture: Vec<u8> = (0..side * side).map(|n| if dark(n % side, n / side) { 20 } else { 235 }).collect();
        assert_eq!(find(&picture, side).as_deref(), Some(text));
        assert_eq!(find(&vec![128; 40_000], 200), None);
        let noise: Vec<u8> = (0..40_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(find(&noise, 200), None);
        assert_eq!(find(&[0; 7], 7), None);
    }
}
