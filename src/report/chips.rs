//! Pictures from pixels: both dates of a pair are stretched alike, so that what looks different is different.

use image::{
    ExtendedColorType, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};

use super::ReportError;

/// Ends of the stretch, as fractions of the observed pixels.
const LOW_QUANTILE: f64 = 0.02;
const HIGH_QUANTILE: f64 = 0.98;

/// No picture is larger than this, pixels: a page must stay readable.
const MAX_PIXELS: u64 = 64 << 20;

/// The hatch of pixels that were not observed: stripes of two greys, 8 pixels apart.
const HATCH: [u8; 2] = [0xb4, 0x8c];

/// Three bands of a scene, row by row from the top; in any unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rgb {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` pixels; NaN where not observed.
    pub pixels: Vec<[f32; 3]>,
}

/// The values that are drawn black and full, per channel, in the unit of the bands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Drawn as 0.
    pub low: [f32; 3],
    /// Drawn as 255.
    pub high: [f32; 3],
}

impl Stretch {
    /// The 2nd and 98th percentile of each channel over all `pictures` together; 0 to 1 when no pixel was observed.
    pub fn of(pictures: &[&Rgb]) -> Self {
        let mut stretch = Self {
            low: [0.0; 3],
            high: [1.0; 3],
        };
        for channel in 0..3 {
            let pixels = pictures.iter().flat_map(|p| &p.pixels).filter(|p| observed(p));
            let mut values: Vec<f32> = pixels.map(|p| p[channel]).collect();
            if values.is_empty() {
                continue;
            }
            let last = (values.len() - 1) as f64;
            let (low, high) = (
                (LOW_QUANTILE * last).floor() as usize,
                (HIGH_QUANTILE * last).ceil() as usize,
            );
            stretch.low[channel] = *values.select_nth_unstable_by(low, f32::total_cmp).1;
            stretch.high[channel] = *values.select_nth_unstable_by(high, f32::total_cmp).1;
        }
        stretch
    }

    /// The grey of `value` in `channel`, 0 to 255; the middle when the stretch is empty.
    fn apply(&self, value: f32, channel: usize) -> u8 {
        let (low, high) = (self.low[channel], self.high[channel]);
        if high > low {
            ((value - low) / (high - low) * 255.0).round().clamp(0.0, 255.0) as u8
        } else {
            127
        }
    }
}

fn observed(pixel: &[f32; 3]) -> bool {
    pixel.iter().all(|v| v.is_finite())
}

/// `picture` as PNG, each of its pixels a square of `enlarge` x `enlarge` (nearest: pixels stay pixels), unobserved ones hatched.
///
/// # Errors
/// When the picture is empty, does not hold `width * height` pixels, or would be larger than 64 Mpixel.
pub fn png(picture: &Rgb, stretch: &Stretch, enlarge: u32) -> Result<Vec<u8>, ReportError> {
    let what = || {
        format!(
            "a picture of {} x {} pixels, enlarged {enlarge} times",
            picture.width, picture.height
        )
    };
    let refuse = |message: String| ReportError::Picture { what: what(), message };
    let factor = enlarge.max(1) as usize;
    let sides = picture
        .width
        .checked_mul(factor)
        .zip(picture.height.checked_mul(factor));
    let size = sides.and_then(|(w, h)| Some((w, h, w.checked_mul(h)?)));
    let Some((width, height, _)) = size.filter(|(_, _, n)| (1..=MAX_PIXELS).contains(&(*n as u64))) else {
        return Err(refuse(format!(
            "expected 1 to {MAX_PIXELS} pixels; use a smaller window or a coarser scale"
        )));
    };
    if picture.pixels.len() != picture.width * picture.height {
        return Err(refuse(format!("found {} pixels", picture.pixels.len())));
    }
    let mut bytes = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let pixel = &picture.pixels[(y / factor) * picture.width + x / factor];
            if observed(pixel) {
                bytes.extend((0..3).map(|channel| stretch.apply(pixel[channel], channel)));
            } else {
                bytes.extend([HATCH[usize::from((x + y) % 8 < 3)]; 3]);
            }
        }
    }
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive)
        .write_image(&bytes, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(|source| ReportError::Image { what: what(), source })?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(values: &[f32]) -> Rgb {
        Rgb {
            width: values.len(),
            height: 1,
            pixels: values.iter().map(|v| [*v; 3]).collect(),
        }
    }

    fn decode(png: &[u8]) -> image::RgbImage {
        image::load_from_memory(png).unwrap().to_rgb8()
    }

    #[test]
    fn one_value_is_one_colour_on_both_dates() {
        let (before, after) = (flat(&[0.1, 0.2, 0.3]), flat(&[0.3, 0.8, 0.9]));
        let stretch = Stretch::of(&[&before, &after]);
        assert_eq!((stretch.low, stretch.high), ([0.1; 3], [0.9; 3]));
        let (a, b) = (
            decode(&png(&before, &stretch, 1).unwrap()),
            decode(&png(&after, &stretch, 1).unwrap()),
        );
        assert_eq!(a.get_pixel(2, 0), b.get_pixel(0, 0));
        assert_eq!((a.get_pixel(0, 0).0, b.get_pixel(2, 0).0), ([0; 3], [255; 3]));
    }

    #[test]
    fn outliers_do_not_decide_the_stretch() {
        let mut values: Vec<f32> = (0..=100).map(|v| v as f32).collect();
        values[100] = 1e9;
        values.push(f32::NAN);
        let stretch = Stretch::of(&[&flat(&values)]);
        assert_eq!((stretch.low, stretch.high), ([2.0; 3], [98.0; 3]));
    }

    #[test]
    fn pixels_stay_pixels_and_the_unobserved_is_hatched() {
        let picture = flat(&[0.0, f32::NAN, 1.0]);
        let image = decode(
            &png(
                &picture,
                &Stretch {
                    low: [0.0; 3],
                    high: [1.0; 3],
                },
                16,
            )
            .unwrap(),
        );
        assert_eq!(image.dimensions(), (48, 16));
        assert!((0..16).all(|i| image.get_pixel(i, i).0 == [0; 3] && image.get_pixel(32 + i, i).0 == [255; 3]));
        let mut hatch: Vec<u8> = (16..32).map(|x| image.get_pixel(x, 5).0[0]).collect();
        hatch.sort_unstable();
        hatch.dedup();
        assert_eq!(hatch, [HATCH[1], HATCH[0]]);
    }

    #[test]
    fn nothing_observed_and_wrong_sizes() {
        let blind = flat(&[f32::NAN, f32::INFINITY]);
        assert!(png(&blind, &Stretch::of(&[&blind]), 4).is_ok());
        assert!(png(&flat(&[]), &Stretch::of(&[]), 1).is_err());
        let short = Rgb {
            width: 3,
            ..flat(&[1.0])
        };
        assert!(png(&short, &Stretch::of(&[&short]), 1).is_err());
        assert!(png(&flat(&[1.0]), &Stretch::of(&[]), u32::MAX).is_err());
    }
}
