//! A pair of scenes seen through the chain up to the detector: read, screened, smoothed. Every pass looks through this.

use std::sync::atomic::AtomicBool;

use ndarray::Array2;

use super::SiteError;
use super::config::Config;
use super::driver::in_order;
use crate::geo::{Grid, Rect};
use crate::raster::{Flags, PixelSource, Plane, ReadError};
use crate::scene::Coding;
use crate::stage::detect::smooth::{self, Smoothed};
use crate::stage::normalise::Sample;
use crate::stage::screen;

/// Two dates of a site and how they are looked at.
pub struct PairView<'a> {
    /// The earlier date.
    pub before: &'a dyn PixelSource,
    /// The later date.
    pub after: &'a dyn PixelSource,
    /// Codings of the quality bands of both.
    pub codings: [Vec<&'a Coding>; 2],
    /// The site grid.
    pub grid: &'a Grid,
    /// Parameters.
    pub config: &'a Config,
}

/// Pixels that are read around a rectangle to observe it, on a grid of `pixel_m` metres.
pub fn halo(config: &Config, pixel_m: f64) -> usize {
    config.screen.halo(pixel_m) + smooth::halo(&config.detect)
}

/// Both dates on a rectangle, ready for the detector.
pub struct Observed {
    /// The earlier date; NaN where `flags` is not clear.
    pub before: Smoothed,
    /// The later date.
    pub after: Smoothed,
    /// Why a pixel cannot be judged, from either date.
    pub flags: Plane<Flags>,
}

impl PairView<'_> {
    /// Pixels that are read around a rectangle to observe it.
    pub fn halo(&self) -> usize {
        halo(self.config, self.grid.pixel_m)
    }

    /// Both dates on `core`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn observe(&self, core: &Rect) -> Result<Observed, ReadError> {
        let padded = core.grow(self.halo());
        let screened = core.grow(smooth::halo(&self.config.detect));
        let look = |source: &dyn PixelSource, codings: &[&Coding]| {
            let stack = source.read(&padded)?;
            let flags = screen::screen(&stack, codings, &screened, self.grid.pixel_m, &self.config.screen);
            Ok((stack, flags))
        };
        let (before, mut flags) = look(self.before, &self.codings[0])?;
        let (after, later) = look(self.after, &self.codings[1])?;
        flags.data.zip_mut_with(&later.data, |both, one| *both |= one);
        let smooth = |bands: &[Array2<f32>]| smooth::smooth(bands, &padded, &flags, core, &self.config.detect);
        Ok(Observed {
            before: smooth(&before.bands),
            after: smooth(&after.bands),
            flags: flags.crop(core),
        })
    }

    /// Clear pixels of both dates from a fixed lattice over the site grid, in a fixed order: neither tiles nor threads matter.
    ///
    /// # Errors
    /// A file that cannot be read; the run was stopped.
    pub fn survey(&self, stop: &AtomicBool) -> Result<Sample, SiteError> {
        let (cells, stride) = survey_lattice(self.grid.rect());
        let mut sample = Sample::default();
        in_order(
            &cells,
            stop,
            |cell| Ok((*cell, self.observe(cell)?)),
            |seen: Result<(Rect, Observed), ReadError>| {
                let (cell, observed) = seen?;
                add_to(&mut sample, &cell, &observed, stride);
                Ok::<(), SiteError>(())
            },
        )?;
        Ok(sample)
    }
}

/// Edge of a survey cell, pixels.
const CELL_PX: usize = 128;
/// At most this many cells are read, in a regular lattice.
const CELLS: usize = 8;
/// At most this many pixels enter the survey: medians of 65,536 pixels are good to half a percent of their spread.
const SAMPLE: usize = 1 << 16;

/// The cells to read and the distance of sampled pixels in them.
fn survey_lattice(area: Rect) -> (Vec<Rect>, i64) {
    let picks = |length: usize| -> Vec<usize> {
        let cells = length.div_ceil(CELL_PX);
        let count = cells.min(CELLS);
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
    let pixels: usize = cells.iter().map(Rect::area).sum();
    let stride = (1..).find(|stride| pixels / (stride * stride) <= SAMPLE).unwrap_or(1);
    (cells, stride as i64)
}

fn add_to(sample: &mut Sample, cell: &Rect, observed: &Observed, stride: i64) {
    let (before, after) = (&observed.before, &observed.after);
    let bands = before.values.len();
    sample.before.resize(bands, Vec::new());
    sample.after.resize(bands, Vec::new());
    sample.slopes.resize(bands, Vec::new());
    for ((row, column), flag) in observed.flags.data.indexed_iter() {
        let (x, y) = (cell.x + column as i64, cell.y + row as i64);
        if *flag == 0 && x % stride == 0 && y % stride == 0 {
            let at = [row, column];
            for band in 0..bands {
                sample.before[band].push(before.values[band][at]);
                sample.after[band].push(after.values[band][at]);
                sample.slopes[band].push([before.slopes[band][at], after.slopes[band][at]]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_site_is_surveyed_whole_and_a_large_one_evenly() {
        let (cells, stride) = survey_lattice(Rect::new(0, 0, 200, 130));
        assert_eq!((cells.iter().map(Rect::area).sum::<usize>(), stride), (200 * 130, 1));
        let (cells, stride) = survey_lattice(Rect::new(0, 0, 10_980, 10_980));
        assert_eq!((cells.len(), stride), (64, 4));
        assert!(
            cells
                .iter()
                .all(|cell| Rect::new(0, 0, 10_980, 10_980).intersect(cell) == *cell)
        );
    }
}
