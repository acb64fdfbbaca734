//! The survey: a fixed lattice of the site grid, read before the passes, to which normalisation and detectors are fitted.

use std::sync::atomic::AtomicBool;

use super::SiteError;
use super::driver::in_order;
use super::observe::{Clouds, View};
use crate::geo::{Grid, Rect};
use crate::raster::{ReadError, flags};
use crate::stage::detect::{self, Cell, DetectParams, smooth};
use crate::stage::normalise::Sample;

/// Ground of a smaller edge does not tell what is common to a scene: a small site is surveyed together with its surroundings, pixels.
const LEAST_SURVEY_PX: usize = 512;

/// Pixels around `grid` that belong to its survey.
pub fn surroundings(grid: &Grid) -> usize {
    LEAST_SURVEY_PX.saturating_sub(grid.width.min(grid.height)).div_ceil(2)
}

/// Edge of a survey cell, pixels.
const CELL_PX: usize = 128;
const WIDE_CELL_PX: usize = 512;
/// At most this many cells are read in each direction, in a regular lattice.
const CELLS: usize = 8;
/// No more values than these are held for the survey: 160 MiB.
const MAX_VALUES: usize = 40 << 20;
/// At most this many pixels are sampled: medians of them are good to a quarter of a percent of their spread.
const SAMPLE: usize = 1 << 18;

/// The cells to read for comparisons that are judged together on `grid`, of at most `planes` bands of dates each; the same for all of
/// them, on a fixed lattice: neither tiles nor threads matter.
pub fn cores(grid: &Grid, planes: usize, clouds: Clouds) -> Vec<Rect> {
    // Where much ground is read around a cell, few large cells read less than many small ones.
    let edge = match clouds {
        Clouds::Stated => CELL_PX,
        Clouds::Tested => WIDE_CELL_PX,
    };
    survey_cells(grid.rect().grow(surroundings(grid)), planes, edge)
}

/// What `view` shows of `cores`, in their order.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn read(view: &View<'_>, cores: &[Rect], stop: &AtomicBool) -> Result<Vec<Cell>, SiteError> {
    let mut cells = Vec::new();
    in_order(
        cores,
        stop,
        |core| {
            let seen = view.see(core, detect::WIDEST_HALO)?;
            Ok(Cell { core: *core, seen })
        },
        |cell: Result<Cell, ReadError>| {
            cells.push(cell?);
            Ok::<(), SiteError>(())
        },
    )?;
    Ok(cells)
}

/// The cells to read, of an edge of `cell_px` pixels and so many `planes` each.
fn survey_cells(area: Rect, planes: usize, cell_px: usize) -> Vec<Rect> {
    let edge = |length: usize| length.min(cell_px) + 2 * detect::WIDEST_HALO;
    let affordable = MAX_VALUES / (edge(area.w) * edge(area.h) * planes.max(1));
    let most = (1..=CELLS).rev().find(|n| n * n <= affordable).unwrap_or(1);
    let picks = |length: usize| -> Vec<usize> {
        let cells = length.div_ceil(cell_px);
        let count = cells.min(most);
        (0..count).map(|i| (2 * i + 1) * cells / (2 * count)).collect()
    };
    let mut cells = Vec::new();
    for row in picks(area.h) {
        for column in picks(area.w) {
            let (x, y) = (column * cell_px, row * cell_px);
            cells.push(Rect::new(
                area.x + x as i64,
                area.y + y as i64,
                cell_px.min(area.w - x),
                cell_px.min(area.h - y),
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
        let cells = survey_cells(Rect::new(0, 0, 200, 130), 8, CELL_PX);
        assert_eq!(cells.iter().map(Rect::area).sum::<usize>(), 200 * 130);
        let cells = survey_cells(Rect::new(0, 0, 10_980, 10_980), 8, CELL_PX);
        assert_eq!(cells.len(), 64);
        assert!(
            cells
                .iter()
                .all(|cell| Rect::new(0, 0, 10_980, 10_980).intersect(cell) == *cell)
        );
        assert_eq!(survey_cells(Rect::new(0, 0, 10_980, 10_980), 68, CELL_PX).len(), 16);
    }
}
