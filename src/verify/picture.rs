//! A picture of a difference: what is expected, what was found, and where they differ, side by side.

use std::path::Path;

use image::{Rgb, RgbImage};

use super::error::ExpectError;
use super::layers::Layer;
use crate::finding::Verdict;
use crate::geo::Rect;
use crate::io::{formats, open, pool::Pool};
use crate::raster::flags;
use crate::raster::stats::SCORE_NODATA;

/// The longer edge of each of the three, pixels.
const EDGE: usize = 480;
/// Between them, pixels.
const GAP: usize = 8;
/// Scores from black to white, hundredths of sigma.
const SHOWN: (i32, i32) = (-200, 1000);
const NOTHING: Rgb<u8> = Rgb([40, 60, 110]);
const OTHER: Rgb<u8> = Rgb([245, 190, 130]);
const SAME: Rgb<u8> = Rgb([225, 225, 225]);

/// An anomaly's bounds, as [`crate::finding::Anomaly::bounds_px`], and its verdict.
pub type Frame = ([i64; 4], Verdict);

/// Writes the picture of a band (from 1) of two rasters of one size, what is expected and what was found, as PNG to `path`: each with
/// frames around its anomalies, the third around those that only one of them has at this place with this verdict. Large rasters are
/// thinned, but a difference is shown wherever there is one; small ones are enlarged.
///
/// # Errors
/// A raster that cannot be read, a picture that cannot be written.
pub fn write(
    layer: Layer,
    band: usize,
    [expected, found]: [&Path; 2],
    frames: &[Vec<Frame>; 2],
    path: &Path,
) -> Result<(), ExpectError> {
    let info = open::info(expected, formats::USUAL)?;
    let pool = Pool::default();
    let longer = info.width.max(info.height).max(1);
    let (stride, zoom) = (longer.div_ceil(EDGE), (EDGE / longer).max(1));
    let (columns, rows) = (info.width.div_ceil(stride), info.height.div_ceil(stride));
    let (width, height) = (columns * zoom, rows * zoom);
    let mut picture = RgbImage::from_pixel((3 * width + 2 * GAP) as u32, height as u32, Rgb([255; 3]));
    let left = |panel: usize| panel * (width + GAP);
    for row in 0..rows {
        let y = row * stride;
        let rect = Rect::new(0, y as i64, info.width, stride.min(info.height - y));
        let a = layer.read(&pool, expected, band, &rect)?;
        let b = layer.read(&pool, found, band, &rect)?;
        for column in 0..columns {
            let within = column * stride..((column + 1) * stride).min(info.width);
            let cell = within.flat_map(|x| (0..rect.h).map(move |y| [y, x]));
            let is_other = cell.into_iter().any(|at| layer.differs(a[at], b[at]));
            let first = [0, column * stride];
            let colours = [
                colour(layer, a[first]),
                colour(layer, b[first]),
                if is_other { OTHER } else { SAME },
            ];
            for (panel, colour) in colours.into_iter().enumerate() {
                fill(
                    &mut picture,
                    [left(panel) + column * zoom, row * zoom],
                    [zoom; 2],
                    colour,
                );
            }
        }
    }
    let only = |one: &[Frame], other: &[Frame]| one.iter().filter(|f| !other.contains(f)).copied().collect::<Vec<_>>();
    let [of_expected, of_found] = frames;
    let of_one = [only(of_expected, of_found), only(of_found, of_expected)].concat();
    let shown = |at: i64, cells: usize| at.div_euclid(stride as i64).clamp(0, cells as i64) as usize * zoom;
    for (panel, frames) in [of_expected, of_found, &of_one].into_iter().enumerate() {
        for ([x, y, w, h], verdict) in frames {
            // A pixel around the anomaly, so that its edge is seen.
            let [x0, x1] = [x - 1, x + w + stride as i64].map(|x| left(panel) + shown(x, columns));
            let [y0, y1] = [y - 1, y + h + stride as i64].map(|y| shown(y, rows));
            let (w, h, colour) = (x1.saturating_sub(x0), y1.saturating_sub(y0), frame(*verdict));
            fill(&mut picture, [x0, y0], [w, 1], colour);
            fill(&mut picture, [x0, y1.saturating_sub(1)], [w, 1], colour);
            fill(&mut picture, [x0, y0], [1, h], colour);
            fill(&mut picture, [x1.saturating_sub(1), y0], [1, h], colour);
        }
    }
    let failed = |message: String| ExpectError::Write {
        path: path.to_owned(),
        message,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
    }
    picture.save(path).map_err(|error| failed(error.to_string()))
}

fn fill(picture: &mut RgbImage, [left, top]: [usize; 2], [w, h]: [usize; 2], colour: Rgb<u8>) {
    for (x, y) in (top..top + h).flat_map(|y| (left..left + w).map(move |x| (x, y))) {
        if let Some(pixel) = picture.get_pixel_mut_checked(x as u32, y as u32) {
            *pixel = colour;
        }
    }
}

fn frame(verdict: Verdict) -> Rgb<u8> {
    match verdict {
        Verdict::Undeclared | Verdict::OverRun => Rgb([255, 60, 60]),
        Verdict::Consistent => Rgb([60, 220, 60]),
        Verdict::DeclaredNotSeen | Verdict::NotObservable | Verdict::Inconclusive => Rgb([255, 220, 0]),
    }
}

fn colour(layer: Layer, value: i32) -> Rgb<u8> {
    let grey = |part: f64| Rgb([(255.0 * part.clamp(0.0, 1.0)) as u8; 3]);
    match layer {
        Layer::Score if value == i32::from(SCORE_NODATA) => NOTHING,
        Layer::Score => grey(f64::from(value - SHOWN.0) / f64::from(SHOWN.1 - SHOWN.0)),
        Layer::Flags if value == i32::from(flags::OUTSIDE_SITE) => NOTHING,
        // The fewer the bits, the lighter: reasons stand beside each other in shades.
        Layer::Flags => grey(1.0 - f64::from(32 - (value as u32).leading_zeros()) / 12.0),
    }
}
