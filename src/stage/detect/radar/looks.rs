//! Looks of radar images: power from decibels, averages over windows, and how many independent looks a value is worth.
//!
//! Speckle of `L` looks makes the power of homogeneous ground follow a gamma distribution of shape `L`, so that `mean^2 / variance = L`.
//! Two estimates are taken, and the smaller one counts: the mode of that ratio over small windows (Anfinsen, Doulgeris and
//! Eltoft, "Estimation of the equivalent number of looks in polarimetric synthetic aperture radar imagery", 2009: windows on
//! texture only lower it, so that homogeneous ground stands out as the mode), and the looks that would make ratios between
//! dates scatter as they do (they hold what correlated neighbours and restless ground take away).

use ndarray::{Array2, ArrayView2};

use crate::raster::plane;
use crate::raster::stats::{MAD_TO_SIGMA, median};
use crate::stage::detect::calibrate::Calibration;
use crate::stage::detect::{Cell, ScreenedStack};

/// Why a radar detector cannot be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RadarError {
    /// A window has no middle pixel.
    #[error("a radar window needs an odd number of pixels, got {key} = {px}: set 1, 3, 5, ...")]
    Window {
        /// The key of the pipeline file.
        key: &'static str,
        /// What it says, pixels.
        px: usize,
    },
    /// A probability outside (0, 1).
    #[error(
        "the significance of a change point must lie between 0 and 1, got alpha = {alpha}: set 0.0001, for instance"
    )]
    Alpha {
        /// What the pipeline file says.
        alpha: f64,
    },
    /// Not the dates that the detector compares.
    #[error("{detector} compares {expected} dates, found {found}: choose the detector for this number of dates")]
    Dates {
        /// Which detector.
        detector: &'static str,
        /// How many it needs.
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// The cells of the training sample are unlike each other, or have no band.
    #[error("the cells of the survey must all hold the same dates and bands, at least one band: read them anew")]
    Unlike,
    /// Nothing to learn the noise from.
    #[error(
        "fitting {detector}: no pixel of the survey is clear on the dates that are compared; widen the site or the masks"
    )]
    Nothing {
        /// Which detector.
        detector: &'static str,
    },
}

/// Side of the windows on which looks are counted, pixels: small, because homogeneous ground comes in fields.
const WINDOW_PX: usize = 9;
/// Fewer windows than this show no mode.
const MIN_WINDOWS: usize = 30;
/// Bins of the logarithm of the looks, and over how many of them the mode is sought: +-0.25, about the scatter of one window.
const BIN: f64 = 0.05;
const REACH: i64 = 5;
/// Most looks that are believed: beyond, no image is without texture.
const MAX_LOOKS: f64 = 1000.0;
/// At most about this many pixels tell what is common to a date and how ratios scatter: medians good to half a percent of the scatter.
const TRAINING_PIXELS: usize = 1 << 15;
/// How often the gains are taken, each time from what the time before left.
const GAIN_ROUNDS: usize = 2;
/// Looks where no estimate can be had: Sentinel-1 IW ground range (eesarseq).
pub const DEFAULT_LOOKS: f64 = 4.4;

/// Linear power of `db` after taking off `gain_db`; NaN stays NaN.
pub fn power(db: ArrayView2<f32>, gain_db: f64) -> Array2<f64> {
    db.mapv(|v| libm::exp((f64::from(v) - gain_db) * (std::f64::consts::LN_10 / 10.0)))
}

/// The radius of a window of `px` pixels.
///
/// # Errors
/// [`RadarError::Window`] when it has no middle pixel.
pub fn radius(key: &'static str, px: usize) -> Result<usize, RadarError> {
    if px % 2 == 1 {
        Ok(px / 2)
    } else {
        Err(RadarError::Window { key, px })
    }
}

/// Independent averages over windows of radius `inner` in a window of radius `outer` around them.
pub fn independent(inner: usize, outer: usize) -> f64 {
    let [inner, outer] = [inner, outer].map(|r| (2 * r + 1) as f64);
    let side = (inner + outer - 1.0) / inner;
    side * side
}

/// Mean of the finite values of the square window of `2 x radius + 1` pixels around each pixel; NaN where the pixel itself is not
/// finite, or half of the window or more.
///
/// Of the same shape as `values`; what lies beyond the array counts as not finite. Sums run along rows, then down columns, in the
/// order of the grid: no tile can be seen in them.
pub fn window_mean(values: &Array2<f64>, radius: usize) -> Array2<f64> {
    let (h, w) = values.dim();
    let around = |at: usize, end: usize| at.saturating_sub(radius)..(at + radius + 1).min(end);
    let rows = Array2::from_shape_fn((h, w), |(y, x)| {
        around(x, w)
            .map(|i| values[[y, i]])
            .filter(|v| v.is_finite())
            .fold((0.0, 0_usize), |(sum, n), v| (sum + v, n + 1))
    });
    let full = (2 * radius + 1) * (2 * radius + 1);
    Array2::from_shape_fn((h, w), |(y, x)| {
        let (sum, n) = around(y, h)
            .map(|i| rows[[i, x]])
            .fold((0.0, 0), |(sum, n), (s, m)| (sum + s, n + m));
        if values[[y, x]].is_finite() && 2 * n > full {
            sum / n as f64
        } else {
            f64::NAN
        }
    })
}

/// Natural logarithms of `mean^2 / variance` of `power` in windows side by side, without those that have a pixel that is not finite.
pub fn log_looks(power: &Array2<f64>) -> Vec<f64> {
    let n = (WINDOW_PX * WINDOW_PX) as f64;
    power
        .exact_chunks((WINDOW_PX, WINDOW_PX))
        .into_iter()
        .filter_map(|window| {
            let mean = window.iter().sum::<f64>() / n;
            let variance = window.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
            (mean > 0.0 && variance > 0.0).then(|| libm::log(mean * mean / variance))
        })
        .filter(|v| v.is_finite())
        .collect()
}

/// Equivalent number of looks of one band: the mode of `mean^2 / variance` over windows, given the logarithms that [`log_looks`] found on
/// all images; `None` with fewer than 30 windows.
///
/// The mode is that of the logarithm, which is where a variance from few pixels is most often right.
pub fn equivalent_looks(mut found: Vec<f64>) -> Option<f64> {
    if found.len() < MIN_WINDOWS {
        return None;
    }
    found.sort_by(f64::total_cmp);
    let (low, high) = (*found.first()?, *found.last()?);
    let within = |middle: f64, reach: f64| {
        let from = found.partition_point(|v| *v < middle - reach);
        let to = found.partition_point(|v| *v <= middle + reach);
        (from, to)
    };
    // The fullest stretch of the axis; triangular weights from the sum of two boxes, so that the peak is not flat.
    let fullness = |bin: i64| {
        let at = low + bin as f64 * BIN;
        let [wide, narrow] = [1.0, 0.5].map(|part| within(at, part * REACH as f64 * BIN));
        (wide.1 - wide.0) + (narrow.1 - narrow.0)
    };
    let bins = (((high - low) / BIN) as i64).min(4000);
    let mode = (0..=bins).max_by_key(|bin| (fullness(*bin), -bin))?;
    let (from, to) = within(low + mode as f64 * BIN, REACH as f64 * BIN);
    let core = found.get(from..to).filter(|c| !c.is_empty())?;
    let mean = core.iter().sum::<f64>() / core.len() as f64;
    Some(libm::exp(mean).clamp(0.5, MAX_LOOKS))
}

/// Variance of the logarithm of a gamma distribution of shape `looks`: the trigamma function, by its recurrence and its asymptotic series
/// (Abramowitz and Stegun, 6.4.6 and 6.4.12).
fn trigamma(looks: f64) -> f64 {
    let (mut x, mut sum) = (looks, 0.0);
    while x < 6.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let i = 1.0 / x;
    let i2 = i * i;
    sum + i * (1.0 + 0.5 * i + i2 * (1.0 / 6.0 - i2 * (1.0 / 30.0 - i2 / 42.0)))
}

/// The looks of two images whose logarithmic ratio has the standard deviation `sigma` (nepers of power): `2 trigamma(L) = sigma^2`.
pub fn looks_of_ratio(sigma: f64) -> f64 {
    let (mut low, mut high) = (0.1, MAX_LOOKS);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if 2.0 * trigamma(middle) > sigma * sigma {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Of so many pixels of a training sample one is looked at.
pub fn sample_step(cells: &[Cell]) -> usize {
    let pixels: usize = cells.iter().map(|cell| cell.core.area()).sum();
    pixels.div_ceil(TRAINING_PIXELS).max(1)
}

/// What is common to the scene on each date, decibels, by date and band: the median over the training sample of what a pixel lies above its
/// own mean over the dates. Rain, season, wind and calibration do that; it is not change of a place. Taken twice, because pixels
/// that miss a date have another mean.
///
/// # Errors
/// [`RadarError::Unlike`] when cells differ in dates or bands.
pub fn gains_db(cells: &[Cell]) -> Result<Vec<Vec<f64>>, RadarError> {
    let shape = |stack: &ScreenedStack| stack.dates.iter().map(Vec::len).collect::<Vec<_>>();
    let first = cells.first().map(|cell| shape(&cell.stack)).unwrap_or_default();
    let bands = first.first().copied().unwrap_or(0);
    let like = cells.iter().all(|cell| shape(&cell.stack) == first) && first.iter().all(|n| *n == bands);
    if bands == 0 || !like {
        return Err(RadarError::Unlike);
    }
    let mut gains = vec![vec![0.0; bands]; first.len()];
    let step = sample_step(cells);
    for band in (0..bands).flat_map(|band| [band; GAIN_ROUNDS]) {
        let mut above = vec![Vec::new(); first.len()];
        for Cell { core, stack } in cells {
            let views: Vec<_> = stack
                .dates
                .iter()
                .map(|date| plane::view(&date[band], &stack.rect, core))
                .collect();
            for i in (0..core.area()).step_by(step) {
                let at = [i / core.w, i % core.w];
                let left = |(date, view): (usize, &ArrayView2<f32>)| (date, f64::from(view[at]) - gains[date][band]);
                let clear = || views.iter().enumerate().map(left).filter(|(_, v)| v.is_finite());
                let (sum, n) = clear().fold((0.0, 0.0), |(sum, n), (_, v)| (sum + v, n + 1.0));
                clear().for_each(|(date, v)| above[date].push(v - sum / n));
            }
        }
        for (date, values) in above.iter_mut().enumerate() {
            gains[date][band] += median(values).unwrap_or(0.0);
        }
    }
    Ok(gains)
}

/// Looks of one band after averaging over windows of `window_px`: the mode over windows of all images before averaging (`found`, by
/// [`log_looks`]) times the pixels of a window, and no more than ratios between dates (`ratios`: natural logarithms, after averaging)
/// allow, which are overwritten.
pub fn looks_after(found: Vec<f64>, window_px: usize, ratios: &mut [f64]) -> f64 {
    let ground = equivalent_looks(found).unwrap_or(DEFAULT_LOOKS) * (window_px * window_px) as f64;
    ratios.iter_mut().for_each(|v| *v = v.abs());
    let between = median(ratios).map_or(ground, |mad| looks_of_ratio(MAD_TO_SIGMA * mad));
    ground.min(between)
}

/// The upper tenth of no-change evidence, in standard deviations of a normal distribution, and where it starts.
const UPPER: (f64, f64) = (0.95, 1.644_853_626_951_472_2);

/// Centre and scale of evidence over the training sample, as [`Calibration::fit`] gives them, but with no smaller scale than the upper tenth asks
/// for: rain on fields, wind and single scatterers make the upper side of radar evidence the wider one on scenes where nothing
/// was built. Change on less than a tenth of the site hardly moves it.
pub fn calibrate(statistics: &mut [f64], least_centre: f64, least_scale: f64) -> Calibration {
    let mut found = Calibration::fit(statistics, least_centre, least_scale);
    if let Some(upper) = statistics.get((UPPER.0 * statistics.len() as f64) as usize) {
        found.scale = found.scale.max((upper - found.centre) / UPPER.1);
    }
    found
}

#[cfg(test)]
pub(super) mod tests {
    use ndarray::array;

    use super::*;
    use crate::geo::Rect;
    use crate::raster::{Plane, flags};
    use crate::stage::random::SplitMix;

    /// Power of `looks` looks of ground of power 1, a new field for each `seed` (a gamma distribution as a sum of exponentials).
    pub fn speckle(seed: u64, looks: usize, h: usize, w: usize) -> Array2<f64> {
        let mut random = SplitMix(seed.wrapping_mul(0xd134_2543_de82_ef95));
        let mut uniform = || random.unit() + 1e-17;
        Array2::from_shape_simple_fn((h, w), || {
            (0..looks).map(|_| -uniform().ln()).sum::<f64>() / looks as f64
        })
    }

    /// A cell of `dates` x `bands` of speckle in decibels, `halo` pixels around a square core of `side`.
    pub fn cell(dates: usize, bands: usize, looks: usize, side: usize, halo: usize) -> Cell {
        let core = Rect::new(0, 0, side, side);
        let rect = core.grow(halo);
        let field = |i: usize| speckle(1 + i as u64, looks, rect.h, rect.w).mapv(|v| (10.0 * v.log10()) as f32);
        let date = |d: usize| (0..bands).map(|b| field(d * bands + b)).collect();
        let stack = ScreenedStack {
            rect,
            dates: (0..dates).map(date).collect(),
            flags: Plane::filled(rect, flags::CLEAR),
        };
        Cell { core, stack }
    }

    #[test]
    fn looks_of_speckle_are_found_and_texture_beside_it_does_not_matter() {
        for looks in [1, 4, 20] {
            let mut image = speckle(7, looks, 280, 280);
            let plain = equivalent_looks(log_looks(&image)).unwrap();
            assert!((plain / looks as f64 - 1.0).abs() < 0.1, "{looks}: {plain}");
            // A third of the image is built up: every third column ten times as bright.
            image
                .indexed_iter_mut()
                .filter(|((y, x), _)| *y < 93 && x % 3 == 0)
                .for_each(|(_, v)| *v *= 10.0);
            let beside = equivalent_looks(log_looks(&image)).unwrap();
            assert!((beside / looks as f64 - 1.0).abs() < 0.1, "{looks}: {beside}");
        }
        assert_eq!(equivalent_looks(log_looks(&Array2::ones((280, 280)))), None);
        assert_eq!(
            equivalent_looks(log_looks(&Array2::from_elem((280, 280), f64::NAN))),
            None
        );
    }

    #[test]
    fn ratios_tell_looks_by_the_trigamma_function() {
        // scipy.special.polygamma(1, [1, 4.4, 30]).
        for (looks, exact) in [(1.0, 1.644_934_07), (4.4, 0.255_036_21), (30.0, 0.033_895_06)] {
            assert!((trigamma(looks) - exact).abs() < 1e-7);
            assert!((looks_of_ratio((2.0 * exact).sqrt()) / looks - 1.0).abs() < 1e-6);
        }
        assert!((looks_of_ratio(0.0) - MAX_LOOKS).abs() < 1.0);
        // Nothing to tell from: the default, over the window.
        assert_eq!(looks_after(Vec::new(), 3, &mut []), 9.0 * DEFAULT_LOOKS);
    }

    #[test]
    fn a_window_mean_leaves_out_what_is_not_clear() {
        let nan = f64::NAN;
        let values = array![[1.0, 2.0, 3.0], [4.0, nan, 6.0], [7.0, 8.0, 36.0]];
        let found = window_mean(&values, 1);
        assert!(found[[1, 1]].is_nan());
        // Five of nine beside the border and the hole; three of nine in the corner are too few.
        assert_eq!(found[[0, 1]], 16.0 / 5.0);
        assert!(found[[0, 0]].is_nan());
        assert_eq!(window_mean(&values, 0)[[2, 2]], 36.0);
        assert_eq!(window_mean(&Array2::zeros((0, 0)), 1).dim(), (0, 0));
    }

    #[test]
    fn what_is_common_to_a_date_is_found_and_unlike_cells_are_refused() {
        let mut one = cell(3, 2, 4, 40, 0);
        one.stack.dates[2][1].mapv_inplace(|v| v + 3.0);
        let gains = gains_db(std::slice::from_ref(&one)).unwrap();
        assert!((gains[2][1] - gains[0][1] - 3.0).abs() < 0.5, "{gains:?}");
        assert!((gains[2][0] - gains[0][0]).abs() < 0.5);
        let other = cell(2, 2, 4, 40, 0);
        assert_eq!(gains_db(&[one, other]), Err(RadarError::Unlike));
        assert_eq!(gains_db(&[]), Err(RadarError::Unlike));
        assert!(radius("window_px", 4).is_err() && radius("window_px", 0).is_err());
    }
}
