//! Pictures for the report: the site as a whole, and chips of the anomalies, both dates drawn alike.

use std::sync::atomic::AtomicBool;

use crate::engine::EngineError;
use crate::engine::counts::{OverviewGrid, OverviewPixel};
use crate::engine::driver::in_order;
use crate::engine::rasters::RasterBand;
use crate::engine::score::Scored;
use crate::engine::session::SiteWork;
use crate::finding::Anomaly;
use crate::geo::tile::in_strips;
use crate::geo::{Affine, Rect};
use crate::io::mapping::Target;
use crate::io::mosaic::Mosaic;
use crate::raster::stats::SCORE_NODATA;
use crate::raster::{PixelSource, Plane};
use crate::report::{self, Chip, Painter, Pixel, ReportError, Samples, draw, draw_scores};
use crate::scene::Acquisition;
use crate::stage::normalise::LinearFit;

/// Ground around an anomaly in its chip: this part of its size, and no less than [`CHIP_MARGIN_PX`].
const CHIP_MARGIN: f64 = 0.5;
const CHIP_MARGIN_PX: i64 = 12;

/// Longest edges of a chip, pixels; larger windows are thinned. The first with which a page stays small is taken.
const CHIP_PX: [usize; 7] = [192, 144, 96, 72, 56, 40, 28];

/// Pixels that all chips of a page have together, in one rendition of one date. On the page one of them takes at most 17.7 bytes with all
/// renditions of both dates and the score (twelve real sites, a simulated one): all together 9 MiB of the 15 that a page may have.
const PAGE_PIXELS: usize = 520_000;

/// The longest edge of chips of anomalies with these `bounds`, where so many comparisons share the page, pixels.
fn chip_px<'a>(bounds: impl Iterator<Item = &'a Rect> + Clone, comparisons: usize) -> usize {
    let most = PAGE_PIXELS / comparisons.max(1);
    let pixels = |chip_px: usize| -> usize {
        let windows = bounds.clone().map(|bounds| chip_window(bounds, chip_px));
        let edges = windows.map(|window| window.w / window.w.div_ceil(chip_px).max(1));
        edges.map(|edge| edge * edge).sum()
    };
    let fitting = CHIP_PX.into_iter().find(|chip_px| pixels(*chip_px) <= most);
    fitting.unwrap_or(CHIP_PX[CHIP_PX.len() - 1])
}

/// The painters of a comparison: one stretch for all its pictures.
fn painters(overview_grid: &OverviewGrid, overview: &[OverviewPixel]) -> Vec<Painter> {
    let date = |date: usize| -> Vec<Pixel> { overview.iter().map(|pixel| pixel.dates[date]).collect() };
    Painter::all(&overview_grid.palette, &[&date(0), &date(1)])
}

/// The picture of the site as a whole.
///
/// # Errors
/// A picture that cannot be encoded.
pub fn overview(overview_grid: &OverviewGrid, overview: &[OverviewPixel]) -> Result<Chip, ReportError> {
    let whole = Rect::new(0, 0, overview_grid.size.0, overview_grid.size.1);
    chip_of_cells(overview_grid, overview, &whole, 1, &painters(overview_grid, overview))
}

/// The chip of a window that is so large that the overview shows it as well: cut out of it and thinned to `chip_px`, without reading a pixel.
///
/// # Errors
/// A picture that cannot be encoded.
fn chip_of_overview(
    overview_grid: &OverviewGrid,
    overview: &[OverviewPixel],
    window: &Rect,
    chip_px: usize,
    painters: &[Painter],
) -> Result<Chip, ReportError> {
    let step = overview_grid.stride as i64;
    let (left, top) = (window.x.div_euclid(step), window.y.div_euclid(step));
    let reach = |end: i64, start: i64| (-(-end).div_euclid(step) - start) as usize;
    let cells = Rect::new(left, top, reach(window.right(), left), reach(window.bottom(), top));
    chip_of_cells(
        overview_grid,
        overview,
        &cells,
        cells.w.max(cells.h).div_ceil(chip_px),
        painters,
    )
}

/// The chip of every `stride`th of some cells of the overview; nothing is seen beyond it.
fn chip_of_cells(
    overview_grid: &OverviewGrid,
    overview: &[OverviewPixel],
    cells: &Rect,
    stride: usize,
    painters: &[Painter],
) -> Result<Chip, ReportError> {
    let at = |column: i64, row: i64| {
        let (x, y) = (usize::try_from(column).ok()?, usize::try_from(row).ok()?);
        (x < overview_grid.size.0).then(|| overview.get(y * overview_grid.size.0 + x))?
    };
    let (width, height) = (cells.w.div_ceil(stride), cells.h.div_ceil(stride));
    let place = |[row, column]: [usize; 2]| (cells.x + column as i64, cells.y + row as i64);
    let places = places(height, width, stride).map(place);
    let pixels: Vec<OverviewPixel> = places
        .map(|(column, row)| at(column, row).copied().unwrap_or(OverviewPixel::NONE))
        .collect();
    let dates = [0, 1].map(|date| Samples {
        width,
        height,
        pixels: pixels.iter().map(|pixel| pixel.dates[date]).collect(),
    });
    let scores: Vec<i16> = pixels.iter().map(|pixel| pixel.score).collect();
    let step = overview_grid.stride as i64;
    let size = [width * stride, height * stride].map(|edge| edge as i64);
    let window_px = [cells.x, cells.y, size[0], size[1]].map(|v| v * step);
    chip(&dates, &scores, window_px, painters)
}

fn chip(dates: &[Samples; 2], scores: &[i16], window_px: [i64; 4], painters: &[Painter]) -> Result<Chip, ReportError> {
    let mut drawn = Vec::with_capacity(painters.len());
    for painter in painters {
        drawn.push((
            painter.rendition,
            [draw(&dates[0], painter)?, draw(&dates[1], painter)?],
        ));
    }
    Ok(Chip {
        dates: drawn,
        score: Some(draw_scores(scores, dates[0].width, dates[0].height)?),
        window_px,
    })
}

/// Chips of the anomalies of one comparison that are on the page, by their ids; `comparisons` share that page.
///
/// # Errors
/// A file that cannot be read; a picture that cannot be encoded; the run was stopped.
pub fn chips(
    work: &SiteWork<'_>,
    scored: &Scored<'_>,
    anomalies: &[Anomaly],
    scores: &RasterBand<'_>,
    comparisons: usize,
) -> Result<Vec<(String, Chip)>, EngineError> {
    let (ground, overview_grid, main) = (work.ground, &scored.overview_grid, scored.main());
    let shown = report::shown(anomalies, work.config().report.max_shown);
    let ([.., before, after], false) = (main.moved.as_slice(), shown.is_empty()) else {
        return Ok(Vec::new());
    };
    let bounds: Vec<Rect> = shown
        .iter()
        .map(|index| {
            let [x, y, w, h] = anomalies[*index].bounds_px;
            Rect::new(x, y, w as usize, h as usize)
        })
        .collect();
    let chip_px = chip_px(bounds.iter(), comparisons);
    let overview = &scored.counts.overview;
    let painters = painters(overview_grid, overview);
    let windows = shown
        .iter()
        .zip(&bounds)
        .map(|(index, bounds)| (anomalies[*index].id.clone(), chip_window(bounds, chip_px)));
    let (large, mut windows): (Vec<_>, Vec<_>) =
        windows.partition(|(_, window)| is_shown_by(overview_grid, window, chip_px));
    let mut chips = Vec::with_capacity(shown.len());
    for (id, window) in large {
        chips.push((
            id,
            chip_of_overview(overview_grid, overview, &window, chip_px, &painters)?,
        ));
    }
    // Neighbours one after the other: they lie on the same blocks.
    in_strips(&mut windows, ground.strip_px, |(_, window)| (window.x, window.y));
    // A chip may reach beyond the grid by its margin.
    let beyond = |window: &Rect| {
        let inside = window.intersect(&ground.grid.rect());
        (window.w - inside.w).max(window.h - inside.h)
    };
    let margin_px = windows.iter().map(|(_, window)| beyond(window)).max().unwrap_or(0);
    // Only the bands that are shown are read.
    let bands: Vec<String> = overview_grid
        .palette
        .bands
        .iter()
        .map(|band| scored.pair.bands[*band].clone())
        .collect();
    let open = |date: &Acquisition, moved: &Affine| {
        let target = Target {
            grid: &ground.grid,
            margin: margin_px,
            moved,
        };
        work.session.open(date, &target, &bands).map(Mosaic::bare)
    };
    let dates = [open(&scored.pair.before, before)?, open(&scored.pair.after, after)?];
    let fits = main.track.linear_fits();
    let fits = overview_grid.palette.bands.iter().filter_map(|band| fits.get(*band));
    let chip_source = ChipSource {
        dates: [&dates[0], &dates[1]],
        fits: fits.cloned().collect(),
        scores,
        grid: ground.grid.rect(),
    };
    chips.extend(chips_of(&chip_source, &windows, chip_px, &painters, work.stop())?);
    Ok(chips)
}

/// Where chips are read from.
struct ChipSource<'a> {
    /// Both dates; they hold just the bands of the palette, in its order.
    dates: [&'a dyn PixelSource; 2],
    /// The fits that normalise the earlier date, band by band; none where it is not normalised.
    fits: Vec<LinearFit>,
    /// The scores.
    scores: &'a RasterBand<'a>,
    /// The site grid.
    grid: Rect,
}

/// Chips of `windows`, thinned to `chip_px`.
fn chips_of(
    chip_source: &ChipSource<'_>,
    windows: &[(String, Rect)],
    chip_px: usize,
    painters: &[Painter],
    stop: &AtomicBool,
) -> Result<Vec<(String, Chip)>, EngineError> {
    let mut made = Vec::with_capacity(windows.len());
    in_order(
        windows,
        stop,
        |(id, window)| -> Result<(String, Chip), EngineError> {
            let mut scores = Vec::new();
            let mut dates: [Vec<Pixel>; 2] = Default::default();
            let stride = window.w.div_ceil(chip_px).max(1);
            let (width, height) = (window.w.div_ceil(stride), window.h.div_ceil(stride));
            // Strip by strip, so that a large window needs little memory.
            let strip_rows = (64 / stride).max(1);
            for first in (0..height).step_by(strip_rows) {
                let rows = strip_rows.min(height - first);
                let y = window.y + (first * stride) as i64;
                let strip = Rect::new(window.x, y, window.w, (rows - 1) * stride + 1);
                let none = Vec::new();
                let fits = [&chip_source.fits, &none];
                for ((source, pixels), fits) in chip_source.dates.iter().zip(&mut dates).zip(fits) {
                    let stack = source.read(&strip)?;
                    let value = |place: [usize; 2]| -> Pixel {
                        std::array::from_fn(|band| {
                            let value = stack.bands.get(band).map_or(0.0, |plane| plane[place]);
                            fits.get(band).map_or(value, |fit| fit.normalised(value))
                        })
                    };
                    pixels.extend(places(rows, width, stride).map(value));
                }
                let inside = strip.intersect(&chip_source.grid);
                let plane: Option<Plane<i16>> = (inside.area() > 0)
                    .then(|| chip_source.scores.read(&inside))
                    .transpose()?;
                let score = |[row, column]: [usize; 2]| {
                    let (x, y) = (strip.x + column as i64, strip.y + row as i64);
                    let found = plane.as_ref().and_then(|plane| plane.get(x, y));
                    found.copied().unwrap_or(SCORE_NODATA)
                };
                scores.extend(places(rows, width, stride).map(score));
            }
            let dates = dates.map(|pixels| Samples { width, height, pixels });
            let window_px = [window.x, window.y, window.w as i64, window.h as i64];
            Ok((id.clone(), chip(&dates, &scores, window_px, painters)?))
        },
        |chip: Result<_, EngineError>| {
            made.push(chip?);
            Ok::<(), EngineError>(())
        },
    )?;
    Ok(made)
}

/// Every n-th place of some rows, row by row: row and column.
fn places(rows: usize, columns: usize, stride: usize) -> impl Iterator<Item = [usize; 2]> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| [row * stride, column * stride]))
}

/// The window of an anomaly's chip: its bounds with some ground around.
fn chip_window(bounds: &Rect, chip_px: usize) -> Rect {
    let margin = ((bounds.w.max(bounds.h) as f64 * CHIP_MARGIN) as i64).max(CHIP_MARGIN_PX);
    // Square, so that chips stand side by side.
    let edge = bounds.w.max(bounds.h) as i64 + 2 * margin;
    // A whole number of strides, so that a thinned picture covers exactly its window.
    let stride = (edge as usize).div_ceil(chip_px) as i64;
    let edge = (edge + stride - 1) / stride * stride;
    let (x, y) = (
        bounds.x + bounds.w as i64 / 2 - edge / 2,
        bounds.y + bounds.h as i64 / 2 - edge / 2,
    );
    Rect::new(x, y, edge as usize, edge as usize)
}

/// Whether a chip of `window` would be as coarse as the overview.
fn is_shown_by(overview_grid: &OverviewGrid, window: &Rect, chip_px: usize) -> bool {
    window.w.div_ceil(chip_px) >= overview_grid.stride && overview_grid.stride > 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Palette;

    #[test]
    fn chips_are_as_large_as_the_page_allows() {
        let few = vec![Rect::new(0, 0, 90, 60); 10];
        assert_eq!(chip_px(few.iter(), 1), 192);
        // A window of 180 pixels: 500 of them have to be thinned, and so have 10 on a page of 50 comparisons.
        let many = vec![Rect::new(0, 0, 90, 60); 500];
        assert_eq!(chip_px(many.iter(), 1), 28);
        assert_eq!(chip_px(few.iter(), 50), 28);
        assert_eq!(chip_px(few.iter(), 10), 72);
        // Small anomalies stay whole.
        let small = vec![Rect::new(0, 0, 5, 4); 500];
        let edge = chip_px(small.iter(), 1);
        assert_eq!(chip_window(&small[0], edge).w.div_ceil(edge), 1);
    }

    #[test]
    fn a_large_chip_is_cut_from_the_overview_and_covers_its_window() {
        let palette = Palette::of(&["vv".to_owned()]);
        let overview_grid = OverviewGrid::new(Rect::new(0, 0, 12, 8), 3, palette);
        assert_eq!((overview_grid.stride, overview_grid.size), (4, (3, 2)));
        let grey = |place: usize| OverviewPixel {
            dates: [[place as f32, 0.0, 0.0, 0.0], [10.0 + place as f32, 0.0, 0.0, 0.0]],
            score: 100 * place as i16,
        };
        let pixels: Vec<OverviewPixel> = (0..6).map(grey).collect();
        let painters = painters(&overview_grid, &pixels);
        let window = Rect::new(-2, 3, 9, 6);
        let chip = chip_of_overview(&overview_grid, &pixels, &window, 192, &painters).unwrap();
        assert_eq!(chip.window_px, [-4, 0, 12, 12]);
        let picture = image::load_from_memory(&chip.dates[0].1[0]).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (3, 3));
        let shown = painters[0].colour(&pixels[4].dates[0]).unwrap();
        assert_eq!(picture.get_pixel(2, 1).0, shown);
        let score = image::load_from_memory(&chip.score.unwrap()).unwrap().to_rgba8();
        assert!(score.get_pixel(2, 1).0[3] > 0 && score.get_pixel(0, 0).0[3] == 0);
        // Every second cell, to the end of what the window covers.
        let chip = chip_of_overview(&overview_grid, &pixels, &window, 2, &painters).unwrap();
        assert_eq!(chip.window_px, [-4, 0, 16, 16]);
        let picture = image::load_from_memory(&chip.dates[0].1[0]).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (2, 2));
        assert_eq!(
            picture.get_pixel(1, 0).0,
            painters[0].colour(&pixels[1].dates[0]).unwrap()
        );
    }

    #[test]
    fn a_chip_is_square_with_ground_around_and_whole_strides() {
        let window = chip_window(&Rect::new(100, 50, 20, 8), 192);
        assert_eq!(window, Rect::new(88, 32, 44, 44));
        let large = chip_window(&Rect::new(0, 0, 300, 100), 192);
        assert_eq!(large.w % large.w.div_ceil(192), 0);
        assert!(large.x <= -150 && large.right() >= 450);
    }
}
