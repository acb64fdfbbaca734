//! One pixel's series as a yearly course with a trend.
//!
//! The model is that of CCDC and COLD (Zhu and Woodcock, "Continuous change detection and classification of land cover using all
//! available Landsat data", 2014; Zhu et al., "Continuous monitoring of land disturbance based on Landsat time series", 2020):
//! `x(t) = a0 + c1 t + sum_k (a_k cos(2 pi k t / T) + b_k sin(2 pi k t / T))`, with one, two or three harmonics as there are
//! observations. It is fitted by least squares with a slight ridge, where they take the lasso: the penalty is needed only where
//! the observations do not span the year, the solution is exact, and it does not depend on the unit of the values.

use crate::raster::stats::{MAD_TO_SIGMA, median};

/// Days of a year, the period of the model.
const YEAR_DAYS: f64 = 365.25;
/// Coefficients of the largest model: level, trend, and three harmonics.
const MAX_COEFFICIENTS: usize = 8;
/// Sizes of the model, largest first: none, one, two or three harmonics beyond level and trend.
const SIZES: [usize; 3] = [8, 6, 4];
/// Observations that each coefficient asks for (pyccd).
const PER_COEFFICIENT: usize = 3;
/// Observations and days without which there is no model (pyccd `MEOW_SIZE`, `DAY_DELTA`).
const MIN_OBSERVATIONS: usize = 12;
/// See [`MIN_OBSERVATIONS`].
const MIN_DAYS: f64 = 365.0;
/// What the ridge adds to each coefficient but the level, as observations of the value zero: too little to move a coefficient
/// that the data determine.
const RIDGE: f64 = 0.1;
/// Factor on the spread beyond which the bisquare gives no weight (Beaton and Tukey, 1974).
const BISQUARE: f64 = 4.685;

/// A fitted course of one pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// By band: level, trend a year, then cosine and sine of each harmonic; zero beyond [`Model::used`].
    coefficients: Vec<[f64; MAX_COEFFICIENTS]>,
    /// Coefficients that were fitted: 4, 6 or 8.
    pub used: usize,
    /// The day that the trend counts from.
    origin: f64,
    /// Cholesky factor of the normal equations.
    factor: [[f64; MAX_COEFFICIENTS]; MAX_COEFFICIENTS],
}

/// The values that the coefficients stand on at day `t`.
fn row(t: f64, origin: f64) -> [f64; MAX_COEFFICIENTS] {
    let years = (t - origin) / YEAR_DAYS;
    let angle = 2.0 * std::f64::consts::PI * (t / YEAR_DAYS).fract();
    let (c, s) = (libm::cos(angle), libm::sin(angle));
    let (c2, s2) = (c * c - s * s, 2.0 * c * s);
    [1.0, years, c, s, c2, s2, c2 * c - s2 * s, s2 * c + c2 * s]
}

/// Coefficients that `n` observations over `days` pay for; `None` when they pay for no model.
pub fn size(n: usize, days: f64) -> Option<usize> {
    if n < MIN_OBSERVATIONS || days < MIN_DAYS {
        return None;
    }
    SIZES.into_iter().find(|size| n >= PER_COEFFICIENT * size)
}

/// The lower factor of a symmetric positive matrix of size `n`; `None` when it is not positive.
fn cholesky(
    matrix: &[[f64; MAX_COEFFICIENTS]; MAX_COEFFICIENTS],
    n: usize,
) -> Option<[[f64; MAX_COEFFICIENTS]; MAX_COEFFICIENTS]> {
    let mut l = [[0.0; MAX_COEFFICIENTS]; MAX_COEFFICIENTS];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            let rest = matrix[i][j] - dot;
            if i == j {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                l[i][i] = rest.sqrt();
            } else {
                l[i][j] = rest / l[j][j];
            }
        }
    }
    Some(l)
}

/// `L^-1 b`.
fn forward(
    l: &[[f64; MAX_COEFFICIENTS]; MAX_COEFFICIENTS],
    b: &[f64; MAX_COEFFICIENTS],
    n: usize,
) -> [f64; MAX_COEFFICIENTS] {
    let mut x = [0.0; MAX_COEFFICIENTS];
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| l[i][k] * x[k]).sum();
        x[i] = (b[i] - dot) / l[i][i];
    }
    x
}

/// `L^-T b`.
fn backward(
    l: &[[f64; MAX_COEFFICIENTS]; MAX_COEFFICIENTS],
    b: &[f64; MAX_COEFFICIENTS],
    n: usize,
) -> [f64; MAX_COEFFICIENTS] {
    let mut x = [0.0; MAX_COEFFICIENTS];
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| l[k][i] * x[k]).sum();
        x[i] = (b[i] - dot) / l[i][i];
    }
    x
}

impl Model {
    /// What is expected in each band on day `t`.
    pub fn predict(&self, t: f64) -> impl Iterator<Item = f64> + '_ {
        let x = row(t, self.origin);
        self.coefficients
            .iter()
            .map(move |c| c.iter().zip(&x).map(|(c, x)| c * x).sum())
    }

    /// Variance of the prediction on day `t`, in units of that of an observation: `x' (X'WX)^-1 x`.
    pub fn leverage(&self, t: f64) -> f64 {
        let l = forward(&self.factor, &row(t, self.origin), self.used);
        l.iter().map(|v| v * v).sum()
    }
}

/// The course of `bands` (one slice of values a band) on the days `times`, in order; an observation of weight 0 does not count.
/// `used` is the number of coefficients, from [`size`]. `None` when they cannot be determined.
fn fit(times: &[f64], bands: &[Vec<f64>], weights: &[f64], used: usize) -> Option<Model> {
    let counted = || (0..times.len()).filter(|i| weights[*i] > 0.0);
    let (first, last) = (counted().next()?, counted().next_back()?);
    let origin = 0.5 * (times[first] + times[last]);
    let rows: Vec<(usize, [f64; MAX_COEFFICIENTS])> = counted().map(|i| (i, row(times[i], origin))).collect();
    let mut normal = [[0.0; MAX_COEFFICIENTS]; MAX_COEFFICIENTS];
    for (at, x) in &rows {
        for i in 0..used {
            for j in 0..=i {
                normal[i][j] += weights[*at] * x[i] * x[j];
            }
        }
    }
    (1..used).for_each(|i| normal[i][i] += RIDGE);
    let factor = cholesky(&normal, used)?;
    let coefficients = bands.iter().map(|values| {
        let mut right = [0.0; MAX_COEFFICIENTS];
        for (at, x) in &rows {
            (0..used).for_each(|i| right[i] += weights[*at] * x[i] * values[*at]);
        }
        backward(&factor, &forward(&factor, &right, used), used)
    });
    Some(Model {
        coefficients: coefficients.collect(),
        used,
        origin,
        factor,
    })
}

/// The course of `bands` (one slice of values a band) on the days `times`, in order, with observations far off the course weighed down in
/// `rounds` rounds, in all bands together, by Tukey's bisquare of their root mean squared residual.
/// `used` is the number of coefficients, from [`size`]. `None` when they cannot be determined.
pub fn fit_robust(times: &[f64], bands: &[Vec<f64>], used: usize, rounds: usize) -> Option<Model> {
    let mut model = fit(times, bands, &vec![1.0; times.len()], used)?;
    for _ in 0..rounds {
        let off = off_the_course(&model, times, bands)?;
        let weight = |off: &f64| {
            let u2 = off / (bands.len() as f64 * BISQUARE * BISQUARE);
            (1.0 - u2).max(0.0) * (1.0 - u2).max(0.0)
        };
        let weights: Vec<f64> = off.iter().map(weight).collect();
        if weights.iter().filter(|w| **w > 0.0).count() <= used {
            break;
        }
        model = fit(times, bands, &weights, used)?;
    }
    Some(model)
}

/// By observation: the sum over the bands of its squared residuals, each in units of the band's spread; a band without spread adds nothing.
fn off_the_course(model: &Model, times: &[f64], bands: &[Vec<f64>]) -> Option<Vec<f64>> {
    let mut off = vec![0.0; times.len()];
    let expected: Vec<Vec<f64>> = times.iter().map(|t| model.predict(*t).collect()).collect();
    for (band, values) in bands.iter().enumerate() {
        let residual = |at: usize| values[at] - expected[at][band];
        let mut sizes: Vec<f64> = (0..times.len()).map(|at| residual(at).abs()).collect();
        // Of n residuals under p coefficients only n - p are free: the spread is that of the largest ones (pyccd, robust fit).
        sizes.sort_by(f64::total_cmp);
        let free = &mut sizes[(model.used - 1).min(times.len() - 1)..];
        let spread = MAD_TO_SIGMA * median(free)?;
        if spread > 0.0 {
            (0..times.len()).for_each(|at| off[at] += (residual(at) / spread) * (residual(at) / spread));
        }
    }
    Some(off)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five bands every `step` days: a year's course, noise of 20 (two golden-ratio sequences), and what `more` adds.
    fn series(n: usize, step: f64, more: impl Fn(usize) -> f64) -> (Vec<f64>, Vec<Vec<f64>>) {
        let times: Vec<f64> = (0..n).map(|i| 730_000.0 + step * i as f64).collect();
        let value = |band: usize, i: usize| {
            let u = |by: f64| ((i * 5 + band) as f64 * by).fract() - 0.5;
            let year = 2.0 * std::f64::consts::PI * times[i] / YEAR_DAYS;
            1000.0
                + 300.0 * libm::cos(year)
                + 20.0 * libm::sin(2.0 * year)
                + 49.0 * (u(0.618_034) + u(0.754_878))
                + more(i)
        };
        let bands = (0..5).map(|band| (0..n).map(|i| value(band, i)).collect()).collect();
        (times, bands)
    }

    #[test]
    fn a_course_is_found_again_and_outliers_do_not_move_it() {
        let (times, mut bands) = series(60, 16.0, |_| 0.0);
        let clean = fit(&times, &bands, &[1.0; 60], 8).unwrap();
        let [level, trend, cosine] = [0, 1, 2].map(|i| clean.coefficients[0][i]);
        assert!(
            (level - 1000.0).abs() < 10.0 && trend.abs() < 15.0 && (cosine - 300.0).abs() < 10.0,
            "{clean:?}"
        );
        // Far ahead less is known than amid the observations.
        assert!(clean.leverage(times[59] + 700.0) > 3.0 * clean.leverage(times[30]));
        for at in [10, 31] {
            bands.iter_mut().for_each(|values| values[at] += 4000.0);
        }
        let robust = fit_robust(&times, &bands, 8, 5).unwrap();
        let apart =
            |model: &Model| (model.predict(times[10]).next().unwrap() - clean.predict(times[10]).next().unwrap()).abs();
        let plain = fit(&times, &bands, &[1.0; 60], 8).unwrap();
        assert!(
            apart(&robust) < 10.0 && apart(&plain) > 20.0,
            "{}, {}",
            apart(&robust),
            apart(&plain)
        );
    }

    #[test]
    fn the_model_grows_with_the_observations() {
        let sizes = [
            (11, 900.0),
            (12, 364.0),
            (12, 365.0),
            (17, 900.0),
            (18, 900.0),
            (24, 900.0),
        ]
        .map(|(n, days)| size(n, days));
        assert_eq!(sizes, [None, None, Some(4), Some(4), Some(6), Some(8)]);
        assert_eq!(fit(&[], &[], &[], 4), None);
        assert_eq!(fit(&[1.0, 2.0], &[vec![1.0, 2.0]], &[0.0, 0.0], 4), None);
    }
}
