//! Change vector analysis in units of the no-change noise (Malila, "Change vector analysis: an approach for detecting forest
//! changes with Landsat", 1980), answered in sigma.
//!
//! The squared magnitude is `M = sum d_b^2` over the bands, each in units of its noise. To the noise belong a part of the value
//! that the sensor states, and what a shift between the dates makes of an edge: `sigma^2 = noise^2 + (part x value)^2 +
//! (shift x gradient)^2`, with the gentler gradient of both dates, because an edge that only one of them has was not shifted
//! there. The fourth root of a sum of squares is close to normal for
//! any number of bands that real imagery leaves independent (Hawkins and Wixley, "A note on the transformation of chi-squared
//! variables to normality", 1986), so the score is `M^(1/4)` on the scale of its own centre and lower spread over the training sample,
//! because change only adds to the upper side; but never on a finer scale than the noise itself gives.

use multiversion::multiversion;

use super::calibrate::{Calibration, QUARTILE};
use super::smooth::{self, Smoothed};
use super::{DetectParams, Scorer, ScreenedStack};
use crate::geo::Rect;
use crate::raster::stats::{SCORE_NODATA, median};
use crate::raster::{Flags, Plane, flags, plane};
use crate::stage::normalise::{LinearFit, Sample};

/// One band alone counts for no more than the square of this many of its own robust standard deviations over the training sample: sun
/// glint on a roof must not outweigh all else.
const BAND_CAP: f64 = 10.0;
/// Pixels that are scored at once: their sums stay in the processor's nearest cache.
const AT_ONCE: usize = 512;
/// The median of the chi-square distribution of one degree of freedom.
const CHI_SQUARE_MEDIAN: f64 = 0.454_936_423_119_572_8;

/// A fitted detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    params: DetectParams,
    fits: Vec<LinearFit>,
    /// Squared shift between the dates that is put down to registration, square pixels.
    shift2: f64,
    /// Largest squared deviation that counts, by band.
    caps: Vec<f64>,
    /// Of `M^(1/4)` over the training sample.
    calibration: Calibration,
}

/// The value below which a chi-square distribution of `degrees` keeps what a normal distribution keeps below `z` (Wilson and Hilferty, "The
/// distribution of chi-square", 1931; within 5 percent for the quartiles used here).
fn chi_square_quantile(degrees: f64, z: f64) -> f64 {
    let v = 2.0 / (9.0 * degrees);
    degrees * (1.0 - v + z * v.sqrt()).powi(3)
}

impl Difference {
    /// The detector for a normalised pair, whose dates may lie `shift_px` pixels beside each other.
    pub fn fit(sample: &Sample, fits: &[LinearFit], shift_px: f64, params: &DetectParams) -> Self {
        let mut scorer = Self {
            params: params.clone(),
            fits: fits.to_vec(),
            shift2: shift_px * shift_px,
            caps: Vec::with_capacity(fits.len()),
            calibration: Calibration::NONE,
        };
        let mut roots = vec![0.0; sample.len()];
        for (band, fit) in fits.iter().enumerate() {
            let [before, after] = [&sample.before[band], &sample.after[band]];
            let squared_gradients = &sample.squared_gradients[band];
            let squares: Vec<f64> = (0..sample.len())
                .map(|i| scorer.squared(fit, before[i], after[i], squared_gradients[i]))
                .collect();
            let spread2 = median(&mut squares.clone()).unwrap_or(0.0) / CHI_SQUARE_MEDIAN;
            let cap = BAND_CAP * BAND_CAP * spread2.max(1.0);
            scorer.caps.push(cap);
            roots.iter_mut().zip(&squares).for_each(|(sum, d2)| *sum += d2.min(cap));
        }
        roots.iter_mut().for_each(|m| *m = m.sqrt().sqrt());
        let [low, centre] = [-QUARTILE, 0.0].map(|z| chi_square_quantile(fits.len() as f64, z).sqrt().sqrt());
        scorer.calibration = Calibration::fit(&mut roots, centre, (centre - low) / QUARTILE);
        scorer
    }

    /// After minus normalised before in one band, squared, in units of its noise; `squared_gradients` are those of both dates.
    #[inline(always)]
    fn squared(&self, fit: &LinearFit, before: f32, after: f32, squared_gradients: [f32; 2]) -> f64 {
        let expected = fit.gain * f64::from(before) + fit.offset;
        let found = f64::from(after);
        let signal = 0.5 * (expected * expected + found * found);
        let squared_gradient =
            (fit.gain * fit.gain * f64::from(squared_gradients[0])).min(f64::from(squared_gradients[1]));
        let variance =
            fit.noise * fit.noise + fit.noise_fraction * fit.noise_fraction * signal + self.shift2 * squared_gradient;
        (found - expected) * (found - expected) / variance
    }

    /// Stored scores (hundredths of sigma) of the pixels that `reasons` leaves clear; both dates hold the same pixels.
    fn of_smoothed(&self, before: &Smoothed, after: &Smoothed, reasons: &Plane<Flags>) -> Plane<i16> {
        let mut scores = Plane::filled(reasons.rect(), SCORE_NODATA);
        scored(self, before, after, reasons.values(), scores.values_mut());
        scores
    }
}

/// The stored score of each pixel that is clear: of the root of the sum over bands of their squared deviations.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn scored(scorer: &Difference, before: &Smoothed, after: &Smoothed, reasons: &[Flags], out: &mut [i16]) {
    let of = [
        &before.values,
        &after.values,
        &before.squared_gradients,
        &after.squared_gradients,
    ];
    let mut sums = [0.0_f64; AT_ONCE];
    let chunks = out.chunks_mut(AT_ONCE).zip(reasons.chunks(AT_ONCE)).enumerate();
    for (chunk, (out, reasons)) in chunks {
        let from = chunk * AT_ONCE;
        sums.fill(0.0);
        for (band, (fit, cap)) in scorer.fits.iter().zip(&scorer.caps).enumerate() {
            let values = of.map(|planes| plane::values(&planes[band]));
            let [x, y, s, t] = values.map(|values| &values[from..from + out.len()]);
            for ((((sum, x), y), s), t) in sums.iter_mut().zip(x).zip(y).zip(s).zip(t) {
                *sum += scorer.squared(fit, *x, *y, [*s, *t]).min(*cap);
            }
        }
        for ((score, sum), reason) in out.iter_mut().zip(&sums).zip(reasons) {
            let stored = scorer.calibration.stored(sum.sqrt().sqrt());
            *score = if *reason == flags::CLEAR { stored } else { SCORE_NODATA };
        }
    }
}

impl Scorer for Difference {
    fn halo(&self) -> usize {
        smooth::halo(&self.params)
    }

    fn score(&self, stack: &ScreenedStack, core: &Rect) -> Plane<i16> {
        let [before, after] = stack
            .sides()
            .map(|bands| smooth::smooth(&bands, &stack.rect, &stack.flags, core, &self.params));
        self.of_smoothed(&before, &after, &stack.flags.crop(core))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    const FIT: LinearFit = LinearFit {
        gain: 1.0,
        offset: 0.0,
        noise: 0.5,
        noise_fraction: 0.0,
        correlation: 1.0,
    };

    /// A detector of one band, fitted where a quarter of its squared deviation takes the quantiles of the chi-square distribution of two degrees:
    /// d = sqrt(-2 ln(1 - p)).
    fn fitted() -> (Difference, Vec<f32>) {
        let n = 40_000;
        let p = |i: u32| (f64::from(i) + 0.5) / f64::from(n);
        let after: Vec<f32> = (0..n).map(|i| (-2.0 * (1.0 - p(i)).ln()).sqrt() as f32).collect();
        let sample = Sample {
            before: vec![vec![0.0; n as usize]],
            after: vec![after.clone()],
            squared_gradients: vec![vec![[0.0; 2]; n as usize]],
            ..Sample::default()
        };
        (Difference::fit(&sample, &[FIT], 0.5, &DetectParams::default()), after)
    }

    fn date(values: &[f32], squared_gradient: f32) -> Smoothed {
        let row = |values: Vec<f32>| Array2::from_shape_vec((1, values.len()), values).unwrap();
        Smoothed {
            values: vec![row(values.to_vec())],
            squared_gradients: vec![row(vec![squared_gradient; values.len()])],
        }
    }

    fn scores(scorer: &Difference, after: &[f32], squared_gradients: [f32; 2]) -> Vec<f64> {
        let clear = Plane::filled(Rect::new(0, 0, after.len(), 1), flags::CLEAR);
        let stored = scorer.of_smoothed(
            &date(&vec![0.0; after.len()], squared_gradients[0]),
            &date(after, squared_gradients[1]),
            &clear,
        );
        stored.values().iter().map(|s| f64::from(*s) / 100.0).collect()
    }

    #[test]
    fn the_score_is_standard_normal_without_change_and_grows_with_it() {
        let (scorer, after) = fitted();
        let found = scores(&scorer, &after, [0.0; 2]);
        // Quantiles of the standard normal distribution; `after` rises, and so do its scores.
        for (q, z) in [(0.1587, -1.0), (0.5, 0.0), (0.8413, 1.0), (0.9772, 2.0)] {
            let at = found[(q * found.len() as f64) as usize];
            assert!((at - z).abs() < 0.25, "{q}: {at} against {z}");
        }
        let [two, three, eight] = scores(&scorer, &[2.0, 3.0, 8.0], [0.0; 2])[..] else {
            panic!()
        };
        assert!(three > two && eight > three && eight > 2.0);
    }

    #[test]
    fn a_pair_quieter_than_its_stated_noise_is_not_read_more_finely() {
        // Differences of a tenth of the noise; scipy.stats.chi2.ppf([.25, .5], 1) = 0.1015, 0.4549.
        let n = 1000;
        let after: Vec<f32> = (0..n).map(|i| 0.1 * (i % 7) as f32 / 7.0).collect();
        let sample = Sample {
            before: vec![vec![0.0; n]],
            after: vec![after],
            squared_gradients: vec![vec![[0.0; 2]; n]],
            ..Sample::default()
        };
        let scorer = Difference::fit(&sample, &[FIT], 0.0, &DetectParams::default());
        let [half, six] = scores(&scorer, &[0.25, 3.0], [0.0; 2])[..] else {
            panic!()
        };
        assert!(half < 0.0 && (3.5..4.5).contains(&six), "{half}, {six}");
        for (z, exact) in [(-QUARTILE, 0.1015), (0.0, 0.4549)] {
            assert!((chi_square_quantile(1.0, z) / exact - 1.0).abs() < 0.045);
        }
    }

    #[test]
    fn a_difference_that_a_shift_explains_counts_less_and_only_where_both_dates_have_the_edge() {
        let (scorer, _) = fitted();
        let [level] = scores(&scorer, &[8.0], [0.0; 2])[..] else {
            panic!()
        };
        let [shifted] = scores(&scorer, &[8.0], [256.0; 2])[..] else {
            panic!()
        };
        let [new] = scores(&scorer, &[8.0], [0.0, 256.0])[..] else {
            panic!()
        };
        assert!(shifted < 1.0 && level > 5.0, "{shifted}, {level}");
        assert_eq!(new, level);
    }
}
