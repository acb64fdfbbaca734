//! Pictures for the report: the site as a whole, and before/after chips of the anomalies, all stretched alike.

use std::sync::atomic::AtomicBool;

use geo::MultiPolygon;

use super::SiteError;
use super::driver::in_order;
use super::passes::{Colours, Lattice};
use super::plan::Ground;
use crate::geo::Rect;
use crate::raster::{PixelSource, ReadError};
use crate::report::{Chip, ReportError, Rgb, Rings, Stretch, png};

/// Ground around an anomaly in its chip: this part of its size, and no less than [`CHIP_MARGIN_PX`].
const CHIP_MARGIN: f64 = 0.5;
const CHIP_MARGIN_PX: i64 = 12;
/// Longest edge of a chip's picture, pixels; larger windows are thinned.
const CHIP_PX: usize = 192;
/// Small chips are enlarged to about this edge.
const CHIP_SHOWN_PX: usize = 240;

/// The bands that are shown as red, green and blue: those where there are, else the first three, else one as grey.
pub fn display_bands(bands: &[String]) -> [usize; 3] {
    let find = |name: &str| bands.iter().position(|band| band == name);
    match (find("red"), find("green"), find("blue")) {
        (Some(r), Some(g), Some(b)) => [r, g, b],
        (Some(r), Some(g), None) => match find("nir") {
            // The usual false colour: near infrared, red, green.
            Some(nir) => [nir, r, g],
            None => [r, g, g],
        },
        _ if bands.len() >= 3 => [0, 1, 2],
        _ => [0; 3],
    }
}

/// The overview of both dates and the stretch that all pictures of the comparison share.
///
/// # Errors
/// A picture that cannot be encoded.
pub fn overview(lattice: &Lattice, colours: &[Colours]) -> Result<(Vec<u8>, Vec<u8>, Stretch), ReportError> {
    let picture = |date: usize| Rgb {
        width: lattice.size.0,
        height: lattice.size.1,
        pixels: colours.iter().map(|both| both[date]).collect(),
    };
    let (before, after) = (picture(0), picture(1));
    let stretch = Stretch::of(&[&before, &after]);
    Ok((png(&before, &stretch, 1)?, png(&after, &stretch, 1)?, stretch))
}

/// Before/after chips of the windows `windows`, read from sources that hold just the display bands.
///
/// # Errors
/// A file that cannot be read; a picture that cannot be encoded; the run was stopped.
pub fn chips(
    sources: [&dyn PixelSource; 2],
    channels: [usize; 3],
    windows: &[(String, Rect)],
    stretch: &Stretch,
    stop: &AtomicBool,
) -> Result<Vec<(String, Chip)>, SiteError> {
    let mut made = Vec::with_capacity(windows.len());
    in_order(
        windows,
        stop,
        |(id, window)| {
            let picture = |source| -> Result<Vec<u8>, SiteError> {
                let rgb = thinned(source, window, channels)?;
                let enlarge = (CHIP_SHOWN_PX / rgb.width.max(rgb.height).max(1)).clamp(1, 8);
                Ok(png(&rgb, stretch, enlarge as u32)?)
            };
            let chip = Chip {
                before: picture(sources[0])?,
                after: picture(sources[1])?,
                window_px: [window.x, window.y, window.w as i64, window.h as i64],
            };
            Ok((id.clone(), chip))
        },
        |chip: Result<_, SiteError>| {
            made.push(chip?);
            Ok::<(), SiteError>(())
        },
    )?;
    Ok(made)
}

/// The window of an anomaly's chip: its bounds with some ground around.
pub fn chip_window(bounds: &Rect) -> Rect {
    let margin = ((bounds.w.max(bounds.h) as f64 * CHIP_MARGIN) as i64).max(CHIP_MARGIN_PX);
    // Square, so that chips stand side by side.
    let edge = bounds.w.max(bounds.h) as i64 + 2 * margin;
    // A whole number of strides, so that a thinned picture covers exactly its window.
    let stride = (edge as usize).div_ceil(CHIP_PX) as i64;
    let edge = (edge + stride - 1) / stride * stride;
    let (x, y) = (
        bounds.x + bounds.w as i64 / 2 - edge / 2,
        bounds.y + bounds.h as i64 / 2 - edge / 2,
    );
    Rect::new(x, y, edge as usize, edge as usize)
}

/// The chip of a window that is so large that the overview shows it as well: cut out of `colours`, without reading a pixel.
///
/// # Errors
/// A picture that cannot be encoded.
pub fn chip_of_overview(
    lattice: &Lattice,
    colours: &[Colours],
    window: &Rect,
    stretch: &Stretch,
) -> Result<Chip, ReportError> {
    let step = lattice.stride as i64;
    let (left, top) = (window.x.div_euclid(step), window.y.div_euclid(step));
    let reach = |end: i64, start: i64| (-(-end).div_euclid(step) - start) as usize;
    let (width, height) = (reach(window.right(), left), reach(window.bottom(), top));
    let at = |column: i64, row: i64| {
        let (x, y) = (usize::try_from(column).ok()?, usize::try_from(row).ok()?);
        (x < lattice.size.0).then(|| colours.get(y * lattice.size.0 + x))?
    };
    let picture = |date: usize| {
        let pixels = (0..height as i64).flat_map(|row| {
            (0..width as i64).map(move |column| at(left + column, top + row).map_or([f32::NAN; 3], |both| both[date]))
        });
        let rgb = Rgb {
            width,
            height,
            pixels: pixels.collect(),
        };
        png(
            &rgb,
            stretch,
            (CHIP_SHOWN_PX / width.max(height).max(1)).clamp(1, 8) as u32,
        )
    };
    Ok(Chip {
        before: picture(0)?,
        after: picture(1)?,
        window_px: [left * step, top * step, width as i64 * step, height as i64 * step],
    })
}

/// Whether a chip of `window` would be as coarse as the overview.
pub fn is_shown_by(lattice: &Lattice, window: &Rect) -> bool {
    window.w.div_ceil(CHIP_PX) >= lattice.stride && lattice.stride > 1
}

/// Every n-th pixel of `window`, read strip by strip so that a large window needs little memory.
fn thinned(source: &dyn PixelSource, window: &Rect, channels: [usize; 3]) -> Result<Rgb, ReadError> {
    let stride = window.w.div_ceil(CHIP_PX).max(1);
    let (width, height) = (window.w.div_ceil(stride), window.h.div_ceil(stride));
    let strip_rows = (64 / stride).max(1);
    let mut pixels = Vec::with_capacity(width * height);
    for first in (0..height).step_by(strip_rows) {
        let rows = strip_rows.min(height - first);
        let strip = Rect::new(
            window.x,
            window.y + (first * stride) as i64,
            window.w,
            (rows - 1) * stride + 1,
        );
        let stack = source.read(&strip)?;
        for row in 0..rows {
            for column in 0..width {
                pixels.push(channels.map(|channel| stack.bands[channel][[row * stride, column * stride]]));
            }
        }
    }
    Ok(Rgb { width, height, pixels })
}

/// The rings of a polygon in pixels.
pub fn rings(polygon: &MultiPolygon<f64>) -> Rings {
    let ring = |line: &geo::LineString<f64>| line.coords().map(|c| [c.x, c.y]).collect();
    polygon
        .iter()
        .flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()))
        .map(ring)
        .collect()
}

/// Outlines of what is declared on `ground`.
pub fn declared_outlines(ground: &Ground, pictures: &mut crate::report::Pictures) {
    pictures.site_outline = rings(ground.boundary.polygon());
    pictures.zone_outlines = ground
        .zones
        .iter()
        .map(|zone| (zone.id.clone(), rings(zone.area.polygon())))
        .collect();
    pictures.activity_outlines = ground
        .activities
        .iter()
        .map(|declared| (declared.activity.id.clone(), rings(declared.area.polygon())))
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_chip_is_cut_from_the_overview_and_covers_its_window() {
        let lattice = Lattice::new(Rect::new(0, 0, 12, 8), 3, [0; 3]);
        assert_eq!((lattice.stride, lattice.size), (4, (3, 2)));
        let grey = |place: usize| [[place as f32; 3], [10.0 + place as f32; 3]];
        let colours: Vec<Colours> = (0..6).map(grey).collect();
        let stretch = Stretch::of(&[&Rgb {
            width: 2,
            height: 1,
            pixels: vec![[0.0; 3], [20.0; 3]],
        }]);
        // Columns 7 to 13 lie in the second and third pixel of the overview, and one beyond it.
        let chip = chip_of_overview(&lattice, &colours, &Rect::new(7, 4, 6, 4), &stretch).unwrap();
        assert_eq!(chip.window_px, [4, 4, 12, 4]);
        let picture = image::load_from_memory(&chip.before).unwrap().to_rgba8();
        assert_eq!(picture.dimensions(), (3 * 8, 8));
        let shade = |column: u32| picture.get_pixel(column * 8, 0).0;
        assert!(shade(0)[0] < shade(1)[0], "{:?} {:?}", shade(0), shade(1));
        assert_eq!(
            [24, 3].map(|edge| is_shown_by(&lattice, &Rect::new(0, 0, CHIP_PX * edge, 1))),
            [true, false]
        );
    }
}
