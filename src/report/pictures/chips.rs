//! Pictures from pixels: the same ground on both dates, drawn alike, and the score over it.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::rendition::{Painter, Pixel};
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};
use crate::report::ReportError;

/// No picture is larger than this, pixels: a page must stay readable.
const MAX_PIXELS: usize = 64 << 20;

/// Larger pictures, which show a thinned site and not single pixels, lose a little to JPEG so that the page stays small.
const LOSSLESS_PIXELS: usize = 256 * 256;
const JPEG_QUALITY: u8 = 88;

/// The hatch of pixels that were not observed: stripes of two greys.
const HATCH: [u8; 2] = [0xb4, 0x8c];
const HATCH_PX: usize = 3;

/// Classes of the score that are drawn over a scene: from how many sigma on, and the colour. Twice as much, the next class.
pub const SCORE_CLASSES: [(f64, [u8; 3]); 4] = [
    (2.0, [255, 240, 150]),
    (4.0, [255, 170, 40]),
    (8.0, [230, 60, 30]),
    (16.0, [150, 20, 140]),
];
const SCORE_ALPHA: u8 = 170;

/// What a scene shows of some ground, row by row from the top.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` pixels.
    pub pixels: Vec<Pixel>,
}

/// `samples` as PNG, or as JPEG when it is large, a pixel a pixel; hatched where not observed.
///
/// # Errors
/// When the picture is empty, does not hold `width * height` pixels, or would be larger than 64 Mpixel.
pub fn draw(samples: &Samples, painter: &Painter) -> Result<Vec<u8>, ReportError> {
    let Samples { width, height, pixels } = samples;
    check(*width, *height, pixels.len())?;
    let mut bytes = Vec::with_capacity(pixels.len() * 3);
    for (place, pixel) in pixels.iter().enumerate() {
        let stripe = (place % width + place / width) / HATCH_PX % 2;
        bytes.extend(painter.colour(pixel).unwrap_or([HATCH[stripe]; 3]));
    }
    let mut coded = Vec::new();
    if pixels.len() > LOSSLESS_PIXELS {
        let jpeg = JpegEncoder::new_with_quality(&mut coded, JPEG_QUALITY);
        write(jpeg, &bytes, *width, *height, ExtendedColorType::Rgb8)?;
    } else {
        write(png(&mut coded), &bytes, *width, *height, ExtendedColorType::Rgb8)?;
    }
    Ok(coded)
}

/// The classes of `scores` (stored scores, row by row) as PNG; nothing is drawn where there is none or little.
///
/// # Errors
/// As [`draw`].
pub fn draw_scores(scores: &[i16], width: usize, height: usize) -> Result<Vec<u8>, ReportError> {
    check(width, height, scores.len())?;
    let colour = |score: i16| -> [u8; 4] {
        let sigma = f64::from(score) * SCORE_SCALE;
        let class = SCORE_CLASSES.iter().rev().find(|(from, _)| sigma >= *from);
        match class.filter(|_| score != SCORE_NODATA) {
            Some((_, [r, g, b])) => [*r, *g, *b, SCORE_ALPHA],
            None => [0; 4],
        }
    };
    let bytes: Vec<u8> = scores.iter().flat_map(|score| colour(*score)).collect();
    let mut coded = Vec::new();
    write(png(&mut coded), &bytes, width, height, ExtendedColorType::Rgba8)?;
    Ok(coded)
}

fn png(out: &mut Vec<u8>) -> PngEncoder<&mut Vec<u8>> {
    PngEncoder::new_with_quality(out, CompressionType::Default, FilterType::Adaptive)
}

fn write(
    encoder: impl ImageEncoder,
    bytes: &[u8],
    width: usize,
    height: usize,
    colours: ExtendedColorType,
) -> Result<(), ReportError> {
    encoder
        .write_image(bytes, width as u32, height as u32, colours)
        .map_err(|source| ReportError::Image {
            what: format!("a picture of {width} x {height} pixels"),
            source,
        })
}

fn check(width: usize, height: usize, pixels: usize) -> Result<(), ReportError> {
    let expected = width.checked_mul(height).filter(|n| (1..=MAX_PIXELS).contains(n));
    if expected == Some(pixels) {
        return Ok(());
    }
    Err(ReportError::Picture {
        what: format!("a picture of {width} x {height} pixels"),
        message: format!("expected so many and 1 to {MAX_PIXELS}, found {pixels} pixels; use a smaller window"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::pictures::rendition::Palette;

    fn flat(values: &[f32]) -> Samples {
        Samples {
            width: values.len(),
            height: 1,
            pixels: values.iter().map(|v| [*v, 0.0, 0.0, 0.0]).collect(),
        }
    }

    fn painter(samples: &Samples) -> Painter {
        Painter::all(&Palette::of(&["vv".to_owned()]), &[&samples.pixels])[0]
    }

    #[test]
    fn pixels_stay_pixels_and_the_unobserved_is_hatched() {
        let row: Vec<f32> = std::iter::once(0.0).chain([f32::NAN; 12]).chain([1.0]).collect();
        let samples = flat(&row);
        let image = image::load_from_memory(&draw(&samples, &painter(&samples)).unwrap()).unwrap();
        let image = image.to_rgb8();
        assert_eq!(image.dimensions(), (14, 1));
        assert_eq!((image.get_pixel(0, 0).0, image.get_pixel(13, 0).0), ([0; 3], [255; 3]));
        let hatch: Vec<u8> = (3..9).map(|x| image.get_pixel(x, 0).0[0]).collect();
        assert_eq!(hatch, [HATCH[1], HATCH[1], HATCH[1], HATCH[0], HATCH[0], HATCH[0]]);
    }

    #[test]
    fn a_large_picture_is_smaller_than_its_pixels() {
        let samples = Samples {
            width: 400,
            height: 300,
            pixels: (0..120_000).map(|i| [(i * 7919 % 251) as f32, 0.0, 0.0, 0.0]).collect(),
        };
        let coded = draw(&samples, &painter(&samples)).unwrap();
        assert_eq!(image::guess_format(&coded).unwrap(), image::ImageFormat::Jpeg);
        assert_eq!(
            image::load_from_memory(&coded).unwrap().to_rgb8().dimensions(),
            (400, 300)
        );
    }

    #[test]
    fn a_score_is_drawn_by_its_class_and_little_is_not() {
        let scores = [SCORE_NODATA, 0, 199, 200, 1_599, 1_600, 30_000, -900];
        let coded = draw_scores(&scores, 4, 2).unwrap();
        let image = image::load_from_memory(&coded).unwrap().to_rgba8();
        let alpha: Vec<bool> = image.pixels().map(|p| p.0[3] > 0).collect();
        assert_eq!(alpha, [false, false, false, true, true, true, true, false]);
        let colour = |x: u32, y: u32| image.get_pixel(x, y).0[..3].to_vec();
        assert_eq!(colour(0, 1), SCORE_CLASSES[2].1);
        assert_eq!(colour(1, 1), SCORE_CLASSES[3].1);
    }

    #[test]
    fn wrong_sizes_are_refused() {
        let blind = flat(&[f32::NAN, f32::INFINITY]);
        assert!(draw(&blind, &painter(&blind)).is_ok());
        let empty = flat(&[]);
        assert!(draw(&empty, &painter(&empty)).is_err());
        let short = Samples {
            width: 3,
            ..flat(&[1.0])
        };
        assert!(draw(&short, &painter(&short)).is_err());
        assert!(draw_scores(&[1], usize::MAX, 2).is_err());
    }
}
