//! Images, before they are sent: turned upright, encoded anew without anything that a camera adds (place, time, serial
//! number, a thumbnail of what was cropped away), and made into a small preview.
//!
//! Whoever sends knows the bytes, but not always where they come from: decoding is bounded before it allocates.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use livechat_wire::limits as wire;

use crate::limits;

/// What begins a scan of a JPEG, and nothing else in its pixels (ITU T.81, B.1.1.5).
const SCAN: [u8; 2] = [0xff, 0xda];

/// An image that can't be cleaned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    /// Too many pixels, or too many bytes.
    #[error("it is too large to be looked at safely")]
    TooLarge,
    /// Not what it says it is.
    #[error("it can't be read as an image")]
    Broken,
    /// Only its first picture would be left.
    #[error("it moves, and would stand still")]
    Moves,
}

/// An image as it is sent.
pub(super) struct Clean {
    pub bytes: Vec<u8>,
    pub media: &'static str,
    /// None when even the smallest one is too large for a message.
    pub preview: Option<Vec<u8>>,
}

/// Which kind of image these bytes begin, of those that are cleaned.
pub(super) fn kind(first: &[u8]) -> Option<&'static str> {
    match image::guess_format(first).ok()? {
        ImageFormat::Jpeg => Some("image/jpeg"),
        ImageFormat::Png => Some("image/png"),
        ImageFormat::WebP => Some("image/webp"),
        _ => None,
    }
}

/// Whether an image of so many bytes, which begin like this, can be shown beside text without harm: its dimensions are
/// read, nothing else.
pub(super) fn is_modest(first: &[u8], size: u64) -> bool {
    let reader = ImageReader::new(Cursor::new(first)).with_guessed_format();
    let Ok((w, h)) = reader.map_err(drop).and_then(|r| r.into_dimensions().map_err(drop)) else { return false };
    w <= limits::IMAGE_SIDE && h <= limits::IMAGE_SIDE && is_worth_it(u64::from(w) * u64::from(h) * 4, size)
}

/// Whether an image may take so much memory: little for the asking, more for bytes that real pictures have.
fn is_worth_it(decoded: u64, size: u64) -> bool {
    decoded <= limits::IMAGE_CHEAP || decoded <= limits::IMAGE_DECODED && decoded / limits::IMAGE_RATIO <= size
}

/// Whether it is one picture of several, in the formats that are cleaned.
fn moves(format: ImageFormat, bytes: &[u8]) -> bool {
    match format {
        // The chunk that says so stands before the pixels; R-117 needs no more than a guess where none are.
        ImageFormat::Png => {
            let head = bytes.windows(4).position(|w| w == b"IDAT").map_or(bytes, |end| &bytes[..end]);
            head.windows(4).any(|w| w == b"acTL")
        }
        ImageFormat::WebP => bytes.get(12..21).is_some_and(|h| h.starts_with(b"VP8X") && h[8] & 0b10 != 0),
        _ => false,
    }
}

/// Decodes and encodes.
pub(super) fn clean(bytes: &[u8]) -> Result<Clean, ImageError> {
    let format = image::guess_format(bytes).map_err(|_| ImageError::Broken)?;
    if moves(format, bytes) {
        return Err(ImageError::Moves);
    }
    if format == ImageFormat::Jpeg && bytes.windows(2).filter(|w| *w == SCAN).count() > limits::IMAGE_SCANS {
        return Err(ImageError::TooLarge);
    }
    let mut bounds = Limits::no_limits();
    bounds.max_image_width = Some(limits::IMAGE_SIDE);
    bounds.max_image_height = Some(limits::IMAGE_SIDE);
    bounds.max_alloc = Some(limits::IMAGE_BESIDE);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(bounds.clone());
    let mut decoder = reader.into_decoder().map_err(|e| refused(&e))?;
    // Known from the header alone; nothing is allocated for pixels yet.
    if !is_worth_it(decoder.total_bytes(), bytes.len() as u64) {
        return Err(ImageError::TooLarge);
    }
    bounds.max_alloc = Some(limits::IMAGE_DECODED);
    decoder.set_limits(bounds).map_err(|e| refused(&e))?;
    let orientation = decoder.orientation().map_err(|e| refused(&e))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| refused(&e))?;
    picture.apply_orientation(orientation);
    let mut out = Cursor::new(Vec::new());
    let media = match format {
        ImageFormat::Jpeg => {
            let flat = DynamicImage::from(picture.to_rgb8());
            flat.write_with_encoder(JpegEncoder::new_with_quality(&mut out, 90)).map_err(|e| refused(&e))?;
            "image/jpeg"
        }
        ImageFormat::WebP => {
            picture.to_rgba8().write_to(&mut out, ImageFormat::WebP).map_err(|e| refused(&e))?;
            "image/webp"
        }
        _ => {
            picture.write_to(&mut out, ImageFormat::Png).map_err(|e| refused(&e))?;
            "image/png"
        }
    };
    Ok(Clean { bytes: out.into_inner(), media, preview: preview(&picture) })
}

/// As good a preview as a message has room for.
fn preview(picture: &DynamicImage) -> Option<Vec<u8>> {
    let sizes = [(limits::PREVIEW_SIDE, 70), (limits::PREVIEW_SIDE, 45), (limits::PREVIEW_SIDE / 2, 60), (64, 40)];
    sizes.into_iter().find_map(|(side, quality)| {
        let small =
            if picture.width().max(picture.height()) > side { picture.thumbnail(side, side) } else { picture.clone() };
        let mut out = Vec::new();
        small.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut out, quality)).ok()?;
        (out.len() <= wire::PREVIEW && livechat_wire::content::is_preview(&out)).then_some(out)
    })
}

fn refused(e: &image::ImageError) -> ImageError {
    match e {
        image::ImageError::Limits(_) => ImageError::TooLarge,
        _ => ImageError::Broken,
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    fn picture(w: u32, h: u32) -> DynamicImage {
        RgbImage::from_fn(w, h, |x, y| Rgb([(x * 7) as u8, (y * 5) as u8, (x * y / 9) as u8])).into()
    }

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    /// A JPEG as cameras make them: an APP1 segment behind the first two bytes, with place and orientation.
    fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let tiff =
            [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat();
        let exif = [b"Exif\0\0".as_slice(), &tiff, b"CANARY 47.3769N 8.5417E"].concat();
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn what_a_camera_adds_is_left_behind_and_the_picture_stands_upright() {
        let shot = with_exif(&encoded(&picture(300, 200), ImageFormat::Jpeg), 6);
        assert!(shot.windows(6).any(|w| w == b"CANARY"), "control");
        let clean = clean(&shot).unwrap();
        assert_eq!((kind(&clean.bytes), clean.media), (Some("image/jpeg"), "image/jpeg"));
        assert!(!clean.bytes.windows(6).any(|w| w == b"CANARY") && !clean.bytes.windows(4).any(|w| w == b"Exif"));
        let again = image::load_from_memory(&clean.bytes).unwrap();
        assert_eq!((again.width(), again.height()), (200, 300), "turned");
        let preview = clean.preview.unwrap();
        assert!(livechat_wire::content::is_preview(&preview) && !preview.windows(6).any(|w| w == b"CANARY"));
    }

    #[test]
    fn png_and_webp_keep_every_pixel() {
        let picture = picture(700, 500);
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let clean = clean(&encoded(&picture, format)).unwrap();
            assert_eq!(kind(&clean.bytes), Some(clean.media));
            assert!(image::load_from_memory(&clean.bytes).unwrap().to_rgb8() == picture.to_rgb8());
            assert!(livechat_wire::content::is_preview(&clean.preview.unwrap()));
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let good = encoded(&picture(90, 90), ImageFormat::Png);
        assert!(matches!(clean(b"\x89PNG\r\n\x1a\nnothing"), Err(ImageError::Broken)));
        assert!(matches!(clean(&good[..good.len() / 2]), Err(ImageError::Broken)));
        assert!(matches!(clean(b"<svg onload=alert(1)>"), Err(ImageError::Broken)));
        assert_eq!(kind(b"GIF89a"), None);
        // What moves would stand still.
        let mut webp = encoded(&picture(9, 9), ImageFormat::WebP);
        webp.splice(12..12, *b"VP8X\x0a\0\0\0\x02\0\0\0\x08\0\0\x08\0\0");
        assert!(matches!(clean(&webp), Err(ImageError::Moves)));
        assert_eq!(kind(b"<svg xmlns='http://www.w3.org/2000/svg'>"), None);
    }
}
