//! Images, before they are sent: turned upright, encoded anew without anything that a camera adds (place, time, serial
//! number, a thumbnail of what was cropped away), and made into a small preview.
//!
//! Whoever sends knows the bytes, but not always where they come from: decoding is bounded before it allocates.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use livechat_wire::limits as wire;

use crate::limits;

/// An image that can't be cleaned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    /// Too many pixels, or too many bytes.
    #[error("it is too large to be looked at safely")]
    TooLarge,
    /// Not what it says it is.
    #[error("it can't be read as an image")]
    Broken,
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

/// Whether an image can be shown beside text without harm: its dimensions are read, nothing else.
pub(super) fn is_modest(first: &[u8]) -> bool {
    let reader = ImageReader::new(Cursor::new(first)).with_guessed_format();
    let Ok((w, h)) = reader.map_err(drop).and_then(|r| r.into_dimensions().map_err(drop)) else { return false };
    w <= limits::IMAGE_SIDE && h <= limits::IMAGE_SIDE && u64::from(w) * u64::from(h) * 4 <= limits::IMAGE_DECODED
}

/// Decodes and encodes.
pub(super) fn clean(bytes: &[u8]) -> Result<Clean, ImageError> {
    let format = image::guess_format(bytes).map_err(|_| ImageError::Broken)?;
    let mut bounds = Limits::no_limits();
    bounds.max_image_width = Some(limits::IMAGE_SIDE);
    bounds.max_image_height = Some(limits::IMAGE_SIDE);
    bounds.max_alloc = Some(limits::IMAGE_DECODED);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().map_err(|e| refused(&e))?;
    // Known from the header alone; nothing is allocated for pixels yet.
    if decoder.total_bytes() > limits::IMAGE_DECODED {
        return Err(ImageError::TooLarge);
    }
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
    use std::time::{Duration, Instant};

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

    /// A PNG that says it is so large, with as much behind it as fits.
    fn bomb(w: u32, h: u32) -> Vec<u8> {
        let mut png = encoded(&picture(8, 8), ImageFormat::Png);
        png[16..20].copy_from_slice(&w.to_be_bytes());
        png[20..24].copy_from_slice(&h.to_be_bytes());
        let crc = png[12..29].iter().fold(u32::MAX, |crc, b| {
            (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
        });
        png[29..33].copy_from_slice(&(!crc).to_be_bytes());
        png
    }

    /// The promise is 200 ms and 128 MiB; refusing reads a header, so it is far below both, even here.
    #[test]
    fn bombs_are_refused_before_anything_is_allocated() {
        for (w, h) in [(50_000, 50_000), (16_384, 16_384), (1, 60_000), (u32::MAX >> 1, 1)] {
            let bomb = bomb(w, h);
            let begun = Instant::now();
            assert!(matches!(clean(&bomb), Err(ImageError::TooLarge | ImageError::Broken)), "{w}×{h}");
            assert!(!is_modest(&bomb), "{w}×{h}");
            assert!(begun.elapsed() < Duration::from_millis(200), "{w}×{h}: {:?}", begun.elapsed());
        }
        // Control: the same with an honest header is no bomb.
        assert!(clean(&bomb(8, 8)).is_ok() && is_modest(&bomb(8, 8)));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let good = encoded(&picture(90, 90), ImageFormat::Png);
        assert!(matches!(clean(b"\x89PNG\r\n\x1a\nnothing"), Err(ImageError::Broken)));
        assert!(matches!(clean(&good[..good.len() / 2]), Err(ImageError::Broken)));
        assert!(matches!(clean(b"<svg onload=alert(1)>"), Err(ImageError::Broken)));
        assert_eq!(kind(b"GIF89a"), None);
        assert_eq!(kind(b"<svg xmlns='http://www.w3.org/2000/svg'>"), None);
    }
}
