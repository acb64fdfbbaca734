//! The dates of a comparison seen through the chain up to the detector: read and screened. Every pass looks through this.

use std::sync::atomic::AtomicBool;

use ndarray::Zip;

use super::SiteError;
use super::config::Config;
use super::driver::in_order;
use crate::geo::{Grid, Rect};
use crate::raster::{PixelSource, Plane, ReadError, flags};
use crate::scene::Coding;
use crate::stage::detect::{self, Cell, DetectParams, Seen, smooth};
use crate::stage::normalise::Sample;
use crate::stage::screen;

/// One date and how its quality bands are coded.
pub struct Date<'a> {
    /// What reads it.
    pub source: &'a dyn PixelSource,
    /// A coding for each quality band.
    pub codings: Vec<&'a Coding>,
}

/// The dates of a comparison, oldest first, and how they are looked at.
pub struct View<'a> {
    /// The dates; the judged one is the last.
    pub dates: Vec<Date<'a>>,
    /// The site grid.
    pub grid: &'a Grid,
    /// Parameters.
    pub config: &'a Config,
}

/// Pixels that are read around a rectangle at most, on a grid of `pixel_m` metres.
pub fn halo(config: &Config, pixel_m: f64) -> usize {
    config.screen.halo(pixel_m) + detect::WIDEST_HALO
}

/// A series is judged where at least so many of its earlier dates are clear.
const LEAST_EARLIER: u16 = 3;

impl View<'_> {
    /// All dates on `core` and `halo` pixels around it.
    ///
    /// A pixel of a pair can be judged where both dates are clear; of a series where the judged date is, and enough others are.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn see(&self, core: &Rect, halo: usize) -> Result<Seen, ReadError> {
        let rect = core.grow(halo);
        let padded = rect.grow(self.config.screen.halo(self.grid.pixel_m));
        let mut dates = Vec::with_capacity(self.dates.len());
        let mut reasons = Plane::filled(rect, flags::CLEAR);
        let mut earlier = Plane::filled(rect, (0_u16, flags::CLEAR));
        for (index, date) in self.dates.iter().enumerate() {
            let stack = date.source.read(&padded)?;
            let why = screen::screen(&stack, &date.codings, &rect, self.grid.pixel_m, &self.config.screen);
            if index + 1 == self.dates.len() {
                reasons.data.zip_mut_with(&why.data, |all, one| *all |= one);
            } else {
                earlier.data.zip_mut_with(&why.data, |(clear, all), one| {
                    *clear += u16::from(*one == flags::CLEAR);
                    *all |= one;
                });
            }
            let bands = stack.bands.iter().map(|band| {
                let mut band = crate::raster::plane::view(band, &padded, &rect).to_owned();
                Zip::from(&mut band).and(&why.data).for_each(|value, why| {
                    if *why != flags::CLEAR {
                        *value = f32::NAN;
                    }
                });
                band
            });
            dates.push(bands.collect());
        }
        let needed = LEAST_EARLIER.min(self.dates.len().saturating_sub(1) as u16);
        reasons.data.zip_mut_with(&earlier.data, |reason, (clear, why)| {
            if *clear < needed {
                *reason |= why;
            }
        });
        Ok(Seen {
            rect,
            dates,
            flags: reasons,
        })
    }

    /// The cells of a fixed lattice over the site grid, in a fixed order: neither tiles nor threads matter.
    ///
    /// # Errors
    /// A file that cannot be read; the run was stopped.
    pub fn survey(&self, bands: usize, stop: &AtomicBool) -> Result<Vec<Cell>, SiteError> {
        let mut cells = Vec::new();
        in_order(
            &survey_cells(self.grid.rect(), bands * self.dates.len()),
            stop,
            |core| {
                let seen = self.see(core, detect::WIDEST_HALO)?;
                Ok(Cell { core: *core, seen })
            },
            |cell: Result<Cell, ReadError>| {
                cells.push(cell?);
                Ok::<(), SiteError>(())
            },
        )?;
        Ok(cells)
    }
}

/// Edge of a survey cell, pixels.
const CELL_PX: usize = 128;
/// At most this many cells are read in each direction, in a regular lattice.
const CELLS: usize = 8;
/// No more values than these are held for the survey: 96 MiB.
const MAX_VALUES: usize = 24 << 20;
/// At most this many pixels are sampled: medians of them are good to a quarter of a percent of their spread.
const SAMPLE: usize = 1 << 18;

/// The cells to read, of so many `planes` each.
fn survey_cells(area: Rect, planes: usize) -> Vec<Rect> {
    let edge = CELL_PX + 2 * detect::WIDEST_HALO;
    let affordable = MAX_VALUES / (edge * edge * planes.max(1));
    let most = (1..=CELLS).rev().find(|n| n * n <= affordable).unwrap_or(1);
    let picks = |length: usize| -> Vec<usize> {
        let cells = length.div_ceil(CELL_PX);
        let count = cells.min(most);
        (0..count).map(|i| (2 * i + 1) * cells / (2 * count)).collect()
    };
    let mut cells = Vec::new();
    for row in picks(area.h) {
        for column in picks(area.w) {
            let (x, y) = (column * CELL_PX, row * CELL_PX);
            cells.push(Rect::new(
                x as i64,
                y as i64,
                CELL_PX.min(area.w - x),
                CELL_PX.min(area.h - y),
            ));
        }
    }
    cells
}

/// Clear pixels of the judged date and of the one before it, smoothed, on a regular lattice over `cells`.
pub fn sample(cells: &[Cell], params: &DetectParams) -> Sample {
    let pixels: usize = cells.iter().map(|cell| cell.core.area()).sum();
    let stride = (1..).find(|stride| pixels / (stride * stride) <= SAMPLE).unwrap_or(1) as i64;
    let mut sample = Sample::default();
    for Cell { core, seen } in cells {
        let [before, after] = seen
            .sides()
            .map(|bands| smooth::smooth(&bands, &seen.rect, &seen.flags, core, params));
        let bands = before.values.len();
        sample.before.resize(bands, Vec::new());
        sample.after.resize(bands, Vec::new());
        sample.slopes.resize(bands, Vec::new());
        for ((row, column), flag) in seen.flags.view(core).indexed_iter() {
            let (x, y) = (core.x + column as i64, core.y + row as i64);
            if *flag != flags::CLEAR || x % stride != 0 || y % stride != 0 {
                continue;
            }
            let at = [row, column];
            sample.places.push((x, y));
            for band in 0..bands {
                sample.before[band].push(before.values[band][at]);
                sample.after[band].push(after.values[band][at]);
                sample.slopes[band].push([before.slopes[band][at], after.slopes[band][at]]);
            }
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_site_is_surveyed_whole_and_a_large_one_evenly() {
        let cells = survey_cells(Rect::new(0, 0, 200, 130), 8);
        assert_eq!(cells.iter().map(Rect::area).sum::<usize>(), 200 * 130);
        let cells = survey_cells(Rect::new(0, 0, 10_980, 10_980), 8);
        assert_eq!(cells.len(), 64);
        assert!(
            cells
                .iter()
                .all(|cell| Rect::new(0, 0, 10_980, 10_980).intersect(cell) == *cell)
        );
        assert_eq!(survey_cells(Rect::new(0, 0, 10_980, 10_980), 68).len(), 9);
    }
}
