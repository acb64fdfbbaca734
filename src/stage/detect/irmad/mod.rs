//! Iteratively reweighted multivariate alteration detection (Nielsen, "The regularized iteratively reweighted MAD method for change
//! detection in multi- and hyperspectral data", 2007).
//!
//! Each round weighs the pixels by their probability of no change under the transform of the round before, so that what changed
//! has less and less say. Gains and offsets of any band of either date make no difference: no normalisation is needed.
//!
//! The sum of squared standardised variates, Z, is chi-square distributed where nothing changed.

mod bands;
mod mad;
mod scorer;

use std::borrow::Cow;

use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raster::plane;
use crate::stage::distributions;
use crate::stage::normalise::Sample;
use bands::Useless;
use mad::{Kernel, Mad};

pub use scorer::IrmadScorer;

/// `[detect.irmad]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IrmadParams {
    /// Rounds at most.
    pub max_iterations: usize,
    /// The last round is the one in which no canonical correlation moves by more than this.
    pub tolerance: f64,
    /// How much the correlations between bands of one date are shrunk, 0 to less than 1.
    #[schemars(range(min = 0.0, max = 0.999))]
    pub ridge: f64,
}

#[cfg(test)]
impl Default for IrmadParams {
    /// 50 and 0.001 as in `iMad.py` of Canty's CRCDocker; no ridge.
    fn default() -> Self {
        Self {
            max_iterations: 50,
            tolerance: 1e-3,
            ridge: 0.0,
        }
    }
}

/// One round.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Canonical correlations, ascending.
    pub rho: Vec<f64>,
    /// The greatest move of one of them since the round before (since 0 in the first).
    pub change: f64,
    /// Sum of the weights that it began with: pixels that still had a say.
    pub weight: f64,
}

/// A fitted IR-MAD transform.
#[derive(Debug, Clone, PartialEq)]
pub struct Irmad {
    /// Numbers of the bands that take part, ascending.
    pub bands: Vec<usize>,
    /// Bands that do not, and why.
    pub dropped: Vec<(usize, Useless)>,
    /// The rounds of reweighting.
    pub history: Vec<Round>,
    /// The round that counts, by its place in `history`.
    pub round: usize,
    /// Whether it came to rest there.
    pub converged: bool,
    /// Weight that this round gives each pixel of the sample, which Nielsen takes for its probability of no change; NaN where a band is
    /// NaN.
    pub weights: Vec<f64>,
    /// The transform, over `bands`: that of all pixels but those which are beyond three sigma in the round that counts.
    pub mad: Mad,
    /// The variance of its variates where nothing changed, as a part of the true one.
    pub shrinkage: f64,
    /// Probability of no change of each pixel of the sample under this transform; NaN where a band is NaN.
    pub no_change: Vec<f64>,
}

/// Why there is no transform.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum IrmadError {
    /// The dates hold different bands or pixels.
    #[error(
        "fitting IR-MAD: expected as many bands and pixels on both dates, found others; compare scenes of one sensor"
    )]
    Unlike,
    /// Too few pixels.
    #[error(
        "fitting IR-MAD: expected at least {expected} clear pixels for {bands} bands, found {found}; choose other scenes or fewer bands"
    )]
    TooFew {
        /// Needed.
        expected: usize,
        /// There.
        found: usize,
        /// Bands of a date.
        bands: usize,
    },
    /// Every band is constant.
    #[error(
        "fitting IR-MAD: expected a band that varies on both dates, found {bands} that are constant on one; choose other scenes"
    )]
    Constant {
        /// Bands of a date.
        bands: usize,
    },
    /// Nothing is left to compare.
    #[error(
        "fitting IR-MAD: expected dates that differ, found them equal up to gain and offset; check that they are not the same scene"
    )]
    Same,
}

/// Pixels that are less probable than this without change (three sigma of a normal distribution) have no part in the last transform.
const OUTLIER: f64 = 0.0027;
/// Pixels needed for each band of a date (ours), also by weight: a transform of fewer follows single pixels.
const PIXELS_A_BAND: usize = 20;

/// The transform of `sample`, whose NaN are passed over.
///
/// The round of least change counts: the last one where the search comes to rest. It does not always: with many bands it can settle
/// down and then leave for a clique of pixels that happen to agree, ever fewer, with correlations ever closer to 1 (three of the six
/// oscd cities with 13 bands). A round that cannot be solved (pixels of weight too few, or equal on both dates) ends the search.
///
/// The weights of IR-MAD leave a tenth of the pixels or fewer, and what they measure scatters accordingly. So the transform is measured
/// once more on every pixel that is no outlier by that of the search, as in the last step of a robust covariance (Rousseeuw and van
/// Driessen, "A fast algorithm for the minimum covariance determinant estimator", 1999).
///
/// # Errors
/// Dates with different bands; fewer than 20 pixels a band; no band that varies; equal dates.
pub fn fit(sample: &Sample, params: &IrmadParams) -> Result<Irmad, IrmadError> {
    let p = sample.before.len();
    let n = sample.len();
    let both = || sample.before.iter().chain(&sample.after);
    if p != sample.after.len() || both().any(|column| column.len() != n) {
        return Err(IrmadError::Unlike);
    }
    let clear: Vec<usize> = (0..n).filter(|i| both().all(|column| column[*i].is_finite())).collect();
    let expected = PIXELS_A_BAND * p.max(1);
    if clear.len() < expected {
        let found = clear.len();
        return Err(IrmadError::TooFew {
            expected,
            found,
            bands: p,
        });
    }
    let clear_of = |column: &Vec<f32>| -> Vec<f32> { clear.iter().map(|i| column[*i]).collect() };
    let columns: Vec<Vec<f32>> = both().map(clear_of).collect();
    let all: Vec<&[f32]> = columns.iter().map(Vec::as_slice).collect();
    let mut weights = vec![1.0; clear.len()];
    let dropped = mad::moments(&all, &weights)
        .map(|all| bands::useless(&all))
        .unwrap_or_default();
    let bands: Vec<usize> = (0..p)
        .filter(|band| dropped.iter().all(|(other, _)| other != band))
        .collect();
    if bands.is_empty() {
        return Err(IrmadError::Constant { bands: p });
    }
    let before: Vec<&[f32]> = bands.iter().map(|band| all[*band]).collect();
    let after: Vec<&[f32]> = bands.iter().map(|band| all[p + *band]).collect();
    let used: Vec<&[f32]> = before.iter().chain(&after).copied().collect();

    let degrees = bands.len();
    let probabilities = |mad: &Mad, shrinkage: f64, out: &mut [f64]| {
        Kernel::new(mad, shrinkage).run(&before, &after, out);
        out.iter_mut()
            .for_each(|z| *z = distributions::chi_square_tail(*z, degrees));
    };
    let rounds = if degrees < MIN_BANDS {
        1
    } else {
        params.max_iterations.max(1)
    };
    let (mut steadiest, mut history) = (None::<(usize, Mad)>, Vec::<Round>::new());
    for round in 0..rounds {
        let weight: f64 = weights.iter().sum();
        let solved = mad::moments(&used, &weights)
            .filter(|_| weight >= (PIXELS_A_BAND * degrees) as f64)
            .and_then(|moments| mad::canonical(&moments, params.ridge))
            .filter(Mad::has_spread);
        let Some(mad) = solved else {
            break;
        };
        let old = history.last().map_or(vec![0.0; degrees], |round| round.rho.clone());
        let moves = mad.rho.iter().zip(&old).map(|(new, old)| (new - old).abs());
        let change = moves.fold(0.0, f64::max);
        probabilities(&mad, 1.0, &mut weights);
        history.push(Round {
            rho: mad.rho.clone(),
            change,
            weight,
        });
        if steadiest
            .as_ref()
            .is_none_or(|(best, _)| change <= history[*best].change)
        {
            steadiest = Some((round, mad));
        }
        if change < params.tolerance {
            break;
        }
    }
    let (round, search) = steadiest.ok_or(IrmadError::Same)?;
    let converged = degrees < MIN_BANDS || history[round].change < params.tolerance;
    let of_all = |clear_ones: &[f64]| {
        let mut all = vec![f64::NAN; n];
        clear.iter().zip(clear_ones).for_each(|(i, value)| all[*i] = *value);
        all
    };
    probabilities(&search, 1.0, &mut weights);
    let face_value = of_all(&weights);

    let shrunk = (0..round).fold(1.0, |scale, _| {
        shrinkage(degrees, |z| distributions::chi_square_tail(z / scale, degrees))
    });
    let inlier = |p: f64| if p > OUTLIER { 1.0 } else { 0.0 };
    probabilities(&search, shrunk, &mut weights);
    weights.iter_mut().for_each(|p| *p = inlier(*p));
    let last = mad::moments(&used, &weights)
        .and_then(|moments| mad::canonical(&moments, params.ridge))
        .filter(Mad::has_spread)
        .map(|mad| {
            (
                mad,
                shrinkage(degrees, |z| inlier(distributions::chi_square_tail(z, degrees))),
            )
        });
    let (mad, shrinkage) = last.unwrap_or((search, shrunk));
    probabilities(&mad, shrinkage, &mut weights);
    Ok(Irmad {
        no_change: of_all(&weights),
        bands,
        dropped,
        history,
        round,
        converged,
        weights: face_value,
        mad,
        shrinkage,
    })
}

/// With fewer bands the weights shrink the variances without end, also where nothing changed, so they are not reweighted (ours).
const MIN_BANDS: usize = 3;

/// The variance that `weight`, a function of Z, leaves to each variate where nothing changed, as a part of the true one.
///
/// Weights take from the tails also where nothing changed. For a normal distribution they depend on the variates alone and alike in every
/// direction, so they multiply all variances by E(w Z) / (p E(w)) and leave the directions (ours). The weights of IR-MAD do so again in
/// each round. That comes to rest above 0 for p > 2 only: near scale 0, where the density is level, the factor is 2 p / (p + 2).
fn shrinkage(degrees: usize, weight: impl Fn(f64) -> f64) -> f64 {
    const STEPS: i32 = 1500;
    const FARTHEST: f64 = 12.0;
    let (mut sum, mut weighted) = (0.0, 0.0);
    for step in 0..STEPS {
        let r = (f64::from(step) + 0.5) * FARTHEST / f64::from(STEPS);
        let w = weight(r * r) * libm::exp((degrees as f64 - 1.0) * libm::log(r) - 0.5 * r * r);
        sum += w;
        weighted += w * r * r;
    }
    weighted / (degrees as f64 * sum)
}

impl Irmad {
    /// Degrees of freedom of Z: variates, as many as bands that take part.
    pub fn degrees(&self) -> usize {
        self.bands.len()
    }

    /// Z of a pixel, chi-square distributed where nothing changed; `before` and `after` hold every band of the sample, also those that
    /// were dropped. NaN where a band is NaN or missing.
    pub fn chi_square(&self, before: &[f32], after: &[f32]) -> f64 {
        let centred = |date: &[f32], means: &[f64]| -> Vec<f64> {
            let value = |band: &usize| date.get(*band).map_or(f64::NAN, |v| f64::from(*v));
            self.bands
                .iter()
                .zip(means)
                .map(|(band, mean)| value(band) - mean)
                .collect()
        };
        let (x, y) = (centred(before, &self.mad.means[0]), centred(after, &self.mad.means[1]));
        let along = |weights: &[f64], values: &[f64]| weights.iter().zip(values).map(|(w, v)| w * v).sum::<f64>();
        let variates = self.mad.a.iter().zip(&self.mad.b).zip(&self.mad.sigma);
        variates
            .map(|((a, b), sigma)| (along(a, &x) - along(b, &y)) / sigma)
            .map(|m| m * m * self.shrinkage)
            .sum()
    }

    /// Z of every pixel of two dates, whose arrays hold every band of the sample and have one shape; NaN where a band is NaN or missing.
    pub fn chi_squares(&self, before: &[Array2<f32>], after: &[Array2<f32>]) -> Array2<f64> {
        let shape = before.first().map_or((0, 0), Array2::dim);
        self.of_used(&self.used(before), &self.used(after), shape)
    }

    /// The bands of a date that take part.
    pub(super) fn used<'a>(&self, date: &'a [Array2<f32>]) -> Cow<'a, [Array2<f32>]> {
        if self.dropped.is_empty() {
            Cow::Borrowed(date)
        } else {
            Cow::Owned(self.bands.iter().filter_map(|band| date.get(*band)).cloned().collect())
        }
    }

    /// [`Irmad::chi_squares`] of arrays of the bands that take part.
    pub(super) fn of_used(&self, before: &[Array2<f32>], after: &[Array2<f32>], shape: (usize, usize)) -> Array2<f64> {
        let mut out = Array2::from_elem(shape, f64::NAN);
        let [before, after] = [before, after].map(|date| date.iter().map(plane::values).collect::<Vec<_>>());
        Kernel::new(&self.mad, self.shrinkage).run(&before, &after, plane::values_mut(&mut out));
        out
    }
}

#[cfg(test)]
pub(crate) mod tests;
