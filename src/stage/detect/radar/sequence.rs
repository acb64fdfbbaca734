//! The sequence of omnibus tests of one pixel of a radar series: is the newest date another, and when did it change.
//!
//! Conradsen, Nielsen and Skriver, "Determining the points of change in time series of polarimetric SAR data", 2016, with the
//! polarisations independent of each other (the diagonal case, `p = 1` in the corrections; program sar_seq of M. Canty):
//! `ln R_j = n {j ln j - (j-1) ln(j-1) + (j-1) ln M + ln X_j - j ln M'}` compares date `j` with the `j - 1` dates of the segment that it
//! would prolong (`M`, `M'`: means without and with it), `ln Q = sum ln R_j` all of a segment, and `-2 rho ln R_j` is close to
//! chi-square, with as many degrees of freedom as polarisations. Where `Q` and `R_j` are both significant a segment ends. What rose in
//! all polarisations is positive, what fell in all negative (the Loewner order of diagonal matrices: Nielsen, Skriver and
//! Conradsen, "The Loewner order and direction of detected change in Sentinel-1 and Radarsat-2 data", 2020).
//!
//! Real ground is more restless than speckle, and each pixel in its own way. So what `-2 rho ln R_j` is compared with is the pixel's own
//! dispersion: the median over neighbouring dates tells segments apart, because a step spoils only one of them, and the mean within
//! the segments, moderated by speckle, is the unit of the newest date: Fisher's distribution instead of chi-square, as for the deviance of a gamma
//! model (McCullagh and Nelder, "Generalized linear models", 1989, 8.3), never finer than speckle.

use crate::raster::stats::median;
use crate::stage::detect::{BreakDate, Direction};
use crate::stage::distributions::{beta_part, chi_square_tail, normal_upper};

/// Dates whose worth of plain speckle moderates the dispersion of a pixel.
const PRIOR_DATES: f64 = 4.0;

/// The changes of one pixel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// When each change came, and which way it went, oldest first: their number, the first and the last.
    pub all: Vec<(BreakDate, Direction)>,
}

/// What the sequence says of one pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// Evidence of change on the judged dates, sigma; NaN where they or the past are not clear.
    pub sigma: f64,
    /// The strongest of the judged steps.
    pub step: Option<BreakDate>,
    /// All changes of the series.
    pub changes: Changes,
}

/// Correction of `-2 ln R_j` of one band of `looks` looks (and of `-2 ln Q` of `j` dates where `whole`).
fn rho(looks: f64, j: f64, whole: bool) -> f64 {
    let dates = if whole {
        (1.0 + j) / j
    } else {
        1.0 + 1.0 / (j * (j - 1.0))
    };
    (1.0 - dates / (6.0 * looks)).max(0.1)
}

/// Probability of a value of `z` or more without change, to second order: `omega` after Conradsen et al. 2016.
fn tail(z: f64, degrees: usize, omega: f64) -> f64 {
    (1.0 - omega) * chi_square_tail(z, degrees) + omega * chi_square_tail(z, degrees + 4)
}

/// The value that a tail exceeds with probability `alpha`.
fn limit(tail: impl Fn(f64) -> f64, alpha: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e4);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if tail(middle) > alpha {
            low = middle
        } else {
            high = middle
        }
    }
    0.5 * (low + high)
}

/// `-2 rho ln R_j` of a value `x` against the mean `m` of `dates` dates, of one band.
fn step(x: f64, m: f64, dates: f64, looks: f64) -> f64 {
    let j = dates + 1.0;
    let joint = (dates * m + x) / j;
    let ln_r = looks * (dates * libm::log(m) + libm::log(x) - j * libm::log(joint));
    (-2.0 * rho(looks, j, false) * ln_r).max(0.0)
}

/// What speckle allows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Speckle {
    /// Looks of each band after averaging.
    looks: Vec<f64>,
    /// Median of the chi-square distribution of as many degrees of freedom as bands.
    middle: f64,
    /// Largest `-2 rho ln R_j` of chance, by the length of the segment that it prolongs.
    step_limits: Vec<f64>,
    /// Largest `-2 rho ln Q` of chance, by the number of dates.
    all_limits: Vec<f64>,
}

impl Speckle {
    /// The distribution of speckle for series of `dates` dates of bands of `looks` looks; a segment ends by chance with the probability
    /// `alpha`.
    pub fn new(looks: Vec<f64>, dates: usize, alpha: f64) -> Self {
        let bands = looks.len();
        let mut speckle = Self {
            middle: limit(|z| chi_square_tail(z, bands), 0.5),
            looks,
            step_limits: Vec::new(),
            all_limits: Vec::new(),
        };
        for length in 0..=dates {
            let j = (length.max(1) + 1) as f64;
            let omega = |whole: bool, degrees: f64| {
                let one = |looks: &f64| 1.0 - 1.0 / rho(*looks, j, whole);
                speckle
                    .looks
                    .iter()
                    .map(|looks| -0.25 * degrees * one(looks) * one(looks))
                    .sum::<f64>()
            };
            let steps = limit(|z| tail(z, bands, omega(false, 1.0)), alpha);
            let degrees = bands * length.max(1);
            let all = limit(|z| tail(z, degrees, omega(true, j - 1.0)), alpha);
            speckle.step_limits.push(steps);
            speckle.all_limits.push(all);
        }
        speckle
    }

    /// Looks of each band.
    pub fn looks(&self) -> &[f64] {
        &self.looks
    }

    /// `-2 rho ln R` of the values `x` of one date against the means `m` of `dates` dates, all bands together.
    fn steps(&self, x: &[f64], m: &[f64], dates: f64) -> f64 {
        let bands = x.iter().zip(m).zip(&self.looks);
        bands.map(|((x, m), looks)| step(*x, *m, dates, *looks)).sum()
    }

    /// `-2 rho ln Q` of the dates in `values`.
    fn together(&self, values: &[f64]) -> f64 {
        let bands = self.looks.len();
        let k = (values.len() / bands) as f64;
        let band = |(b, looks): (usize, &f64)| {
            let of = || values.iter().skip(b).step_by(bands);
            let mean = of().sum::<f64>() / k;
            let logs = of().map(|v| libm::log(*v)).sum::<f64>();
            -2.0 * rho(*looks, k, true) * looks * (logs - k * libm::log(mean))
        };
        self.looks.iter().enumerate().map(band).sum()
    }

    /// The tests of one pixel: `values` by date and band on its clear `dates`, of `count` in all, of which the newest `judged_dates` are
    /// judged.
    pub fn sequence(&self, dates: &[usize], values: &[f64], count: usize, judged_dates: usize) -> Sequence {
        let mut told = Sequence {
            sigma: f64::NAN,
            step: None,
            changes: Changes::default(),
        };
        let bands = self.looks.len();
        let k = dates.len();
        let at = |j: usize| &values[j * bands..(j + 1) * bands];
        let judged_from = count.saturating_sub(judged_dates.clamp(1, count.max(2) - 1));
        // Dates before the judged ones: the past.
        let past = dates.partition_point(|date| *date < judged_from);
        let judged = past > 0 && dates.last().is_some_and(|date| date + 1 == count);
        if k < 2 {
            return told;
        }
        let mut pairs: Vec<f64> = (1..past).map(|j| self.steps(at(j), at(j - 1), 1.0)).collect();
        let restless = (median(&mut pairs).unwrap_or(0.0) / self.middle).max(1.0);
        let (mut within, mut degrees) = (0.0, 0.0);
        let (mut start, mut mean) = (0, at(0).to_vec());
        let mut differs = self.differs(values, restless);
        let mut tests = 0;
        let mut most = f64::NEG_INFINITY;
        for j in 1..k {
            let length = j - start;
            let found = self.steps(at(j), &mean, length as f64);
            if judged && j >= past {
                let prior = PRIOR_DATES * bands as f64;
                let unit = ((prior + within) / (prior + degrees)).max(restless);
                let ratio = found / unit / bands as f64;
                let below = prior + degrees;
                let part = below / (below + bands as f64 * ratio);
                let sigma = normal_upper(beta_part(part, 0.5 * below, 0.5 * bands as f64));
                tests += 1;
                if sigma > most {
                    most = sigma;
                    told.step = Some(break_date(dates, j));
                }
            }
            if differs && found > restless * self.step_limits[length] {
                let up = at(j).iter().zip(&mean).filter(|(x, m)| x > m).count();
                let direction = match up {
                    0 => Direction::Negative,
                    up if up == bands => Direction::Positive,
                    _ => Direction::Indefinite,
                };
                told.changes.all.push((break_date(dates, j), direction));
                (start, mean) = (j, at(j).to_vec());
                differs = self.differs(&values[j * bands..], restless);
            } else {
                if j < past {
                    within += found;
                    degrees += bands as f64;
                }
                for (m, x) in mean.iter_mut().zip(at(j)) {
                    *m += (x - *m) / (length + 1) as f64;
                }
            }
        }
        if tests > 0 {
            told.sigma = strongest_of(most, tests);
        }
        told
    }

    /// Whether the dates in `values` are not all alike.
    fn differs(&self, values: &[f64], restless: f64) -> bool {
        let steps = (values.len() / self.looks.len()).saturating_sub(1);
        steps > 0 && self.together(values) > restless * self.all_limits[steps]
    }
}

/// From the clear date before the `j`th clear one to that one.
fn break_date(dates: &[usize], j: usize) -> BreakDate {
    BreakDate {
        last_unchanged: dates[j - 1] as u16,
        first_changed: dates[j] as u16,
    }
}

/// Sigma of the largest of `tests` independent tests (Sidak, "Rectangular confidence regions", 1967).
fn strongest_of(sigma: f64, tests: usize) -> f64 {
    if tests <= 1 || sigma > 6.0 {
        return sigma;
    }
    let one = 0.5 * libm::erfc(sigma * core::f64::consts::FRAC_1_SQRT_2);
    normal_upper(-libm::expm1(tests as f64 * libm::log1p(-one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_the_whole_are_those_of_the_published_formulas() {
        // scipy, the formulas of ALGORITHMS.md 10 with p = 1 for each band: X = [[1, .2], [1.3, .25], [.9, .18], [2.8, .5]], n = 20, 15.
        let speckle = Speckle::new(vec![20.0, 15.0], 4, 1e-4);
        let values = [1.0, 0.2, 1.3, 0.25, 0.9, 0.18, 2.8, 0.5];
        let step = speckle.steps(&values[6..], &[3.2 / 3.0, 0.63 / 3.0], 3.0);
        assert!((step - 25.249_459_078).abs() < 1e-6, "{step}");
        assert!((tail(step, 2, -5.785_871_2e-5) / 3.272_078_407e-6 - 1.0).abs() < 1e-6);
        let whole = speckle.together(&values);
        assert!((whole - 27.504_532_951).abs() < 1e-6, "{whole}");
        assert!((tail(whole, 6, -2.318_824_97e-4) / 1.159_762_66e-4 - 1.0).abs() < 1e-6);
        // scipy.stats.chi2.isf(1e-4, 2).
        assert!((limit(|z| tail(z, 2, 0.0), 1e-4) - 18.420_680_744).abs() < 1e-6);
    }
}
