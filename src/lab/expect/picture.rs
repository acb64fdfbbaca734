//! A picture of a difference: what is expected, what was found, and where they differ, side by side.

use std::path::Path;

use image::{Rgb, RgbImage};

use super::ExpectError;
use super::layers::Layer;
use crate::geo::Rect;
use crate::io::{open, pool::Pool};
use crate::raster::flags;
use crate::raster::stats::SCORE_NODATA;

/// The longer edge of each of the three, pixels.
const EDGE: usize = 480;
/// Between them, pixels.
const GAP: usize = 8;
/// Scores from black to white, hundredths of sigma.
const SHOWN: (i32, i32) = (-200, 1000);
const NOTHING: Rgb<u8> = Rgb([40, 60, 110]);
const OTHER: Rgb<u8> = Rgb([220, 30, 30]);
const SAME: Rgb<u8> = Rgb([225, 225, 225]);

/// Writes the picture of a band (from 1) of two rasters, what is expected and what was found, as PNG to `path`; large rasters are thinned, but a difference is shown
/// wherever there is one.
///
/// # Errors
/// A raster that cannot be read, a picture that cannot be written.
pub fn write(layer: Layer, band: usize, [expected, found]: [&Path; 2], path: &Path) -> Result<(), ExpectError> {
    let info = open::info(expected)?;
    let pool = Pool::default();
    let stride = info.width.max(info.height).div_ceil(EDGE).max(1);
    let (width, height) = (info.width.div_ceil(stride), info.height.div_ceil(stride));
    let mut picture = RgbImage::from_pixel((3 * width + 2 * GAP) as u32, height as u32, Rgb([255; 3]));
    for row in 0..height {
        let y = row * stride;
        let rect = Rect::new(0, y as i64, info.width, stride.min(info.height - y));
        let a = layer.read(&pool, expected, band, &rect)?;
        let b = layer.read(&pool, found, band, &rect)?;
        for column in 0..width {
            let columns = column * stride..((column + 1) * stride).min(info.width);
            let cell = columns.flat_map(|x| (0..rect.h).map(move |y| [y, x]));
            let is_other = cell.into_iter().any(|at| layer.differs(a.data[at], b.data[at]));
            let first = [0, column * stride];
            let colours = [
                colour(layer, a.data[first]),
                colour(layer, b.data[first]),
                if is_other { OTHER } else { SAME },
            ];
            for (panel, colour) in colours.into_iter().enumerate() {
                picture.put_pixel((panel * (width + GAP) + column) as u32, row as u32, colour);
            }
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
