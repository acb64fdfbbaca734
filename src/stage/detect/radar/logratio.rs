//! The ratio of two radar dates, tested by the distribution of speckle and answered in sigma.
//!
//! 1. What is common to a date is taken off, and power is averaged over a window (multilook). Products that are multilooked already
//!    (ground range, terrain-corrected) did best with a window of one pixel: evidence is better averaged than power, in which one
//!    bright scatterer drowns its neighbours.
//! 2. Of two averages of `L` looks the ratio follows Fisher's distribution of `2L` and `2L` degrees of freedom when nothing changed (Rignot
//!    and van Zyl, "Change detection techniques for ERS-1 SAR data", 1993, for the ratio; the distribution is exact for gamma speckle). Its
//!    two-sided tail is read as standard deviations `z` of a normal distribution.
//! 3. The evidence of a pixel is the mean of `|z|` over the polarisations and over a second window. On real imagery this ranked
//!    better than the sum of logarithms of the tails (Fisher's method) and than the Wishart test of both polarisations, whose large
//!    values come from single restless pixels, and it misses no change that goes up in one and down in the other.
//! 4. The score is the cube root of the evidence on its own centre and spread over the training sample, never finer than speckle alone gives.
//!    Speckle alone would ask for the power 2/3 (Wilson and Hilferty, 1931); real ground is more restless, and the cube root is
//!    the highest power at which next to nothing was claimed between the dates of quiet Sentinel-1 stacks.

use ndarray::{Array2, ArrayView2, Zip};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::looks::{
    RadarError, calibrate, gains_db, independent, log_looks, looks_after, power, radius, sample_step, window_mean,
};
use crate::geo::Rect;
use crate::raster::stats::SCORE_NODATA;
use crate::raster::{Plane, flags, plane};
use crate::stage::detect::calibrate::{Calibration, QUARTILE};
use crate::stage::detect::{Cell, Diagnostics, Scorer, ScreenedStack};
use crate::stage::distributions::{beta_part, normal_upper};

/// `[detect.logratio]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogRatioParams {
    /// Side of the window over which power is averaged, pixels, odd; 1 for none.
    #[schemars(range(min = 1, max = 21), extend("unit" = "pixels"))]
    pub window_px: usize,
    /// Side of the window over which the evidence of change is averaged, pixels, odd; 1 for none.
    #[schemars(range(min = 1, max = 19), extend("unit" = "pixels"))]
    pub evidence_px: usize,
}

#[cfg(test)]
impl Default for LogRatioParams {
    fn default() -> Self {
        Self {
            window_px: 1,
            evidence_px: 5,
        }
    }
}

/// Step and end of the table of sigma over the logarithm of the ratio, nepers: 70 decibels, all that a reader lets through.
const STEP: f64 = 1.0 / 128.0;
const END: f64 = 16.2;
const NAME: &str = "logratio";

/// A fitted detector.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRatio {
    radius: usize,
    evidence_radius: usize,
    /// What is common to each date, decibels, by date and band.
    gains_db: Vec<Vec<f64>>,
    /// Looks of each band after averaging.
    looks: Vec<f64>,
    /// Sigma by the logarithm of the ratio, a table for each band.
    sigma: Vec<Vec<f64>>,
    calibration: Calibration,
}

/// Standard deviations that a ratio `exp(log_ratio)` of two averages of `looks` looks is worth, two-sided, sign left off.
pub fn ratio_sigma(log_ratio: f64, looks: f64) -> f64 {
    let tail = beta_part(1.0 / (1.0 + libm::exp(log_ratio.abs())), looks, looks);
    normal_upper(tail).max(0.0)
}

fn table(looks: f64) -> Vec<f64> {
    (0..=(END / STEP) as usize)
        .map(|i| ratio_sigma(i as f64 * STEP, looks))
        .collect()
}

/// [`ratio_sigma`] by its table; between its places in proportion.
fn look_up(table: &[f64], log_ratio: f64) -> f64 {
    if log_ratio.is_nan() {
        return f64::NAN;
    }
    let at = (log_ratio.abs() / STEP).min(END / STEP);
    let low = at as usize;
    match (table.get(low), table.get(low + 1)) {
        (Some(a), Some(b)) => a + (b - a) * (at - low as f64),
        _ => table.last().copied().unwrap_or(f64::NAN),
    }
}

/// Least centre and scale of the cube root of the mean of `n` independent `|z|`: the mean of `|z|` is near Nakagami's distribution (Wilson and
/// Hilferty, "The distribution of chi-square", 1931, for its quantiles), with its second moment and the degrees of freedom that its
/// scatter has; exact to 3 percent for n = 1.
fn least(n: f64) -> (f64, f64) {
    let second = core::f64::consts::FRAC_2_PI + (1.0 - core::f64::consts::FRAC_2_PI) / n;
    let v = 2.0 / (9.0 * (0.876 * n + 0.124));
    let quantile = |z: f64| {
        let root = 1.0 - v + z * v.sqrt();
        libm::cbrt((second * root * root * root).sqrt())
    };
    (quantile(0.0), (quantile(0.0) - quantile(-QUARTILE)) / QUARTILE)
}

impl LogRatio {
    /// The detector for the two dates of the training sample `cells`, which hold [`Scorer::halo`] pixels around their cores.
    ///
    /// # Errors
    /// [`RadarError`] when a window is even, when there are not two dates, or when no pixel is clear on both.
    pub fn fit(cells: &[Cell], params: &LogRatioParams) -> Result<Self, RadarError> {
        let gains_db = gains_db(cells)?;
        if gains_db.len() != 2 {
            return Err(RadarError::Dates {
                detector: NAME,
                expected: "2",
                found: gains_db.len(),
            });
        }
        let mut fitted = Self {
            radius: radius("window_px", params.window_px)?,
            evidence_radius: radius("evidence_px", params.evidence_px)?,
            gains_db,
            looks: Vec::new(),
            sigma: Vec::new(),
            calibration: Calibration::NONE,
        };
        for band in 0..fitted.gains_db[0].len() {
            let dates = cells
                .iter()
                .flat_map(|Cell { core, stack }| stack.dates.iter().map(move |date| (core, stack, date)));
            let found = dates
                .flat_map(|(core, stack, date)| log_looks(&power(plane::view(&date[band], &stack.rect, core), 0.0)));
            let found = found.collect();
            let mut ratios: Vec<f64> = cells
                .iter()
                .flat_map(|cell| fitted.log_ratio(&cell.stack, &cell.core, band))
                .step_by(sample_step(cells))
                .filter(|v| v.is_finite())
                .collect();
            fitted.looks.push(looks_after(found, params.window_px, &mut ratios));
        }
        fitted.sigma = fitted.looks.iter().map(|looks| table(*looks)).collect();
        let mut statistics: Vec<f64> = Vec::new();
        for Cell { core, stack } in cells {
            let found = fitted.statistic(stack, core);
            statistics.extend(found.iter().copied().filter(|v| v.is_finite()));
        }
        if statistics.is_empty() {
            return Err(RadarError::Nothing { detector: NAME });
        }
        let n = fitted.looks.len() as f64 * independent(fitted.radius, fitted.evidence_radius);
        let (centre, scale) = least(n);
        fitted.calibration = calibrate(&mut statistics, centre, scale);
        Ok(fitted)
    }

    /// Looks of each band after averaging: for the record.
    pub fn looks(&self) -> &[f64] {
        &self.looks
    }

    /// Natural logarithm of after by before on `area`, averaged, without what is common to the dates.
    fn log_ratio(&self, stack: &ScreenedStack, area: &Rect, band: usize) -> Array2<f64> {
        let wide = area.grow(self.radius).intersect(&stack.rect);
        let [before, after] = [0, 1].map(|date| {
            let values: ArrayView2<f32> = plane::view(&stack.dates[date][band], &stack.rect, &wide);
            window_mean(&power(values, self.gains_db[date][band]), self.radius)
        });
        let mut ratio = after;
        ratio.zip_mut_with(&before, |a, b| *a = libm::log(*a / b));
        plane::view(&ratio, &wide, area).to_owned()
    }

    /// Cube root of the evidence on `core`.
    fn statistic(&self, stack: &ScreenedStack, core: &Rect) -> Array2<f64> {
        let wide = core.grow(self.evidence_radius).intersect(&stack.rect);
        let mut sum = Array2::<f64>::zeros((wide.h, wide.w));
        for (band, table) in self.sigma.iter().enumerate() {
            sum.zip_mut_with(&self.log_ratio(stack, &wide, band), |sum, ratio| {
                *sum += look_up(table, *ratio)
            });
        }
        let mean = window_mean(&sum, self.evidence_radius);
        plane::view(&mean, &wide, core).mapv(|v| libm::cbrt(v / self.sigma.len() as f64))
    }
}

impl Scorer for LogRatio {
    fn diagnostics(&self) -> Diagnostics {
        Diagnostics {
            looks: self.looks().to_vec(),
            ..Diagnostics::default()
        }
    }

    fn halo(&self) -> usize {
        self.radius + self.evidence_radius
    }

    fn score(&self, stack: &ScreenedStack, core: &Rect) -> Plane<i16> {
        if stack.dates.len() != 2 || stack.dates.iter().any(|date| date.len() != self.sigma.len()) {
            return Plane::filled(*core, SCORE_NODATA);
        }
        let scores = Zip::from(&self.statistic(stack, core))
            .and(stack.flags.part(core))
            .map_collect(|statistic, flag| match *flag == flags::CLEAR && !statistic.is_nan() {
                true => self.calibration.stored(*statistic),
                false => SCORE_NODATA,
            });
        Plane::of(*core, scores)
    }
}

#[cfg(test)]
mod tests {
    use super::super::looks::tests::cell;
    use super::*;

    const PARAMS: LogRatioParams = LogRatioParams {
        window_px: 3,
        evidence_px: 3,
    };

    fn sorted(scores: &Plane<i16>) -> Vec<i16> {
        let mut all: Vec<i16> = scores.values().to_vec();
        all.sort_unstable();
        all
    }

    #[test]
    fn sigma_is_that_of_fishers_law() {
        // scipy.stats: norm.isf(f.sf(10 ** (db / 10), 2 * L, 2 * L)).
        for (looks, db, exact) in [
            (4.4, 0.5, 0.165_946_85),
            (4.4, 6.0, 1.922_322_13),
            (4.4, 15.0, 4.229_477_63),
            (30.0, 0.5, 0.443_917_74),
            (30.0, 6.0, 5.137_515_74),
            (30.0, 15.0, 11.265_543_96),
        ] {
            let ratio = db * std::f64::consts::LN_10 / 10.0;
            assert!((ratio_sigma(-ratio, looks) - exact).abs() < 1e-6);
            assert!((look_up(&table(looks), ratio) - exact).abs() < 1e-3);
        }
        assert!(look_up(&table(4.4), f64::NAN).is_nan() && look_up(&table(4.4), f64::INFINITY) > 9.0);
    }

    #[test]
    fn speckle_alone_scores_as_a_normal_law_and_a_gain_between_dates_is_no_change() {
        for bands in [1, 2] {
            let mut cell = cell(2, bands, 4, 120, 2);
            cell.stack.dates[1]
                .iter_mut()
                .for_each(|band| band.mapv_inplace(|v| v + 2.5));
            let fitted = LogRatio::fit(std::slice::from_ref(&cell), &PARAMS).unwrap();
            // Four looks, nine pixels a window.
            assert!(
                fitted.looks().iter().all(|looks| (looks / 36.0 - 1.0).abs() < 0.15),
                "{:?}",
                fitted.looks()
            );
            let all = sorted(&fitted.score(&cell.stack, &cell.core));
            for (part, sigma) in [(0.1587, -1.0), (0.5, 0.0), (0.8413, 1.0), (0.9772, 2.0)] {
                let at = f64::from(all[(part * all.len() as f64) as usize]) / 100.0;
                assert!((at - sigma).abs() < 0.3, "{bands} bands: {at} against {sigma}");
            }
            assert!(f64::from(all[all.len() - 1]) / 100.0 < 5.0);
        }
    }

    #[test]
    fn a_changed_block_stands_out_and_what_is_not_clear_is_not_judged() {
        let mut cell = cell(2, 2, 4, 120, 2);
        for (y, x) in (50..60).flat_map(|y| (50..60).map(move |x| (y, x))) {
            // Up in one polarisation, down in the other.
            cell.stack.dates[1][0][[y, x]] += 10.0;
            cell.stack.dates[1][1][[y, x]] -= 10.0;
        }
        cell.stack.dates[0][1][[12, 12]] = f32::NAN;
        cell.stack.flags[[22, 22]] = flags::NODATA;
        let fitted = LogRatio::fit(std::slice::from_ref(&cell), &PARAMS).unwrap();
        let scores = fitted.score(&cell.stack, &cell.core);
        let inside = scores[[52, 52]];
        let outside = scores
            .indexed_iter()
            .filter(|((y, x), _)| !(44..62).contains(y) || !(44..62).contains(x));
        assert!(outside.clone().all(|(_, score)| *score < inside), "{inside}");
        assert_eq!((scores[[10, 10]], scores[[20, 20]]), (SCORE_NODATA, SCORE_NODATA));
        assert_eq!(outside.filter(|(_, score)| **score == SCORE_NODATA).count(), 2);
    }

    #[test]
    fn a_tile_scores_as_the_whole() {
        let cell = cell(2, 2, 4, 60, 4);
        let params = LogRatioParams::default();
        let fitted = LogRatio::fit(std::slice::from_ref(&cell), &params).unwrap();
        let whole = fitted.score(&cell.stack, &cell.core);
        for tile in [Rect::new(0, 0, 17, 9), Rect::new(31, 22, 29, 38)] {
            let around = tile.grow(fitted.halo());
            let stack = cell.stack.crop(&around);
            assert_eq!(fitted.score(&stack, &tile), whole.crop(&tile));
        }
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let mut one = cell(3, 1, 4, 20, 3);
        assert!(matches!(
            LogRatio::fit(std::slice::from_ref(&one), &PARAMS),
            Err(RadarError::Dates { .. })
        ));
        one.stack.dates.pop();
        one.stack.dates[0][0].fill(f32::NAN);
        assert!(matches!(
            LogRatio::fit(&[one], &PARAMS),
            Err(RadarError::Nothing { .. })
        ));
        // A band that never varies has nothing to be told from.
        let mut flat = cell(2, 1, 4, 60, 3);
        flat.stack.dates.iter_mut().for_each(|date| date[0].fill(-10.0));
        let fitted = LogRatio::fit(std::slice::from_ref(&flat), &PARAMS).unwrap();
        assert!(
            fitted
                .score(&flat.stack, &flat.core)
                .values()
                .iter()
                .all(|score| *score < 0)
        );
        assert!(
            fitted
                .score(&ScreenedStack::nothing(&flat.core), &flat.core)
                .values()
                .iter()
                .all(|s| *s == SCORE_NODATA)
        );
    }
}
