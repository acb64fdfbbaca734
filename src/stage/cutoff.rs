//! The cutoff: the score above which change is claimed, at a stated false discovery rate.
//!
//! The law of no change is fitted to the scores themselves (Efron, "Large-scale simultaneous hypothesis testing: the choice of a
//! null hypothesis", 2004), so that what is common to the pair (season, haze, misregistration) widens it instead of being
//! claimed. Over that law the largest set of pixels with the wanted rate is taken (Benjamini and Hochberg, "Controlling the
//! false discovery rate", 1995), exactly, from the integer histogram.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{CutoffRecord, round, significant};
use crate::raster::stats::{Histogram, SCORE_SCALE};

/// `[cutoff]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CutoffParams {
    /// False discovery rate at which a region's peak is claimed.
    pub seed_fdr: f64,
    /// False discovery rate down to which a region grows.
    pub grow_fdr: f64,
}

/// A normal law of the scores of ground that did not change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Null {
    /// Its centre, sigma.
    pub centre: f64,
    /// Its scale, sigma: 1 when the pair is as quiet as its noise says.
    pub scale: f64,
    /// Estimated fraction of pixels that follow it.
    pub fraction: f64,
}

/// The quartile of the standard normal law.
const QUARTILE: f64 = 0.674_489_750_196_081_7;
/// Scores are in sigma of the noise: a law narrower than that would know more than the noise lets it.
const LEAST_SCALE: f64 = 1.0;
/// Rounds of cutting off the tail above [`TAIL`] scales and fitting anew.
const ROUNDS: usize = 6;
const TAIL: f64 = 3.0;
/// The upper half may be this much wider than the lower before the rest counts as change.
const WIDEST: f64 = 1.5;
/// From this scale on the record says that the pair is noisier than its noise.
const NOTED_SCALE: f64 = 1.3;

impl Null {
    /// The law of the bulk of `scores`; `None` when there are none.
    ///
    /// The lower half, where no change reaches, gives the least scale. Pervasive change widens the upper half: its own quartile
    /// is believed up to `WIDEST` times the lower one. Neither
    /// centre nor scale lies below those of the noise, 0 and 1.
    pub fn fit(scores: &Histogram) -> Option<Self> {
        let occupied: Vec<(f64, u64)> = scores
            .occupied()
            .map(|(score, n)| (f64::from(score) * SCORE_SCALE, n))
            .collect();
        let total = |limit: f64| {
            occupied
                .iter()
                .take_while(|(score, _)| *score <= limit)
                .map(|(_, n)| n)
                .sum::<u64>()
        };
        let quantile = |q: f64, of: u64| {
            let mut below = 0;
            occupied.iter().find(|(_, n)| {
                below += n;
                below as f64 >= q * of as f64
            })
        };
        let mut kept = scores.total();
        let (mut centre, mut lower) = (0.0, LEAST_SCALE);
        for _ in 0..ROUNDS {
            let (low, middle) = (quantile(0.25, kept)?.0, quantile(0.5, kept)?.0);
            (centre, lower) = (middle, ((middle - low) / QUARTILE).max(LEAST_SCALE));
            let within = total(centre + TAIL * lower);
            if within == kept {
                break;
            }
            kept = within;
        }
        let upper = (quantile(0.75, kept)?.0 - centre) / QUARTILE;
        let below = total(centre);
        let fraction = (2.0 * below as f64 / scores.total() as f64).min(1.0);
        Some(Self {
            centre: centre.max(0.0),
            scale: upper.clamp(lower, WIDEST * lower),
            fraction,
        })
    }

    /// Probability that a pixel without change has the stored score `score` or more.
    pub fn tail(&self, score: i16) -> f64 {
        let z = (f64::from(score) * SCORE_SCALE - self.centre) / self.scale;
        0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
    }
}

/// A fitted cutoff.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutoff {
    /// Stored scores at which a region is claimed, and down to which it grows; `None` when no score fulfils the rate.
    pub levels: Option<(i16, i16)>,
    null: Option<Null>,
    judged: u64,
    claimed: u64,
    params: CutoffParams,
}

/// The cutoff for the judged pixels' `scores`.
pub fn fit(scores: &Histogram, params: &CutoffParams) -> Cutoff {
    let null = Null::fit(scores);
    let level = |rate| null.and_then(|null| level(scores, &null, rate));
    let levels = level(params.seed_fdr).map(|seed| (seed, level(params.grow_fdr).unwrap_or(seed).min(seed)));
    let claimed = levels.map_or(0, |(seed, _)| {
        scores
            .occupied()
            .rev()
            .take_while(|(score, _)| *score >= seed)
            .map(|(_, n)| n)
            .sum()
    });
    Cutoff {
        levels,
        null,
        judged: scores.total(),
        claimed,
        params: params.clone(),
    }
}

/// The lowest score at which the expected share of false pixels among those at or above it is at most `rate`.
fn level(scores: &Histogram, null: &Null, rate: f64) -> Option<i16> {
    let mut claimed = 0;
    let mut lowest = None;
    for (score, n) in scores.occupied().rev() {
        claimed += n;
        if null.fraction * scores.total() as f64 * null.tail(score) <= rate * claimed as f64 {
            lowest = Some(score);
        }
    }
    // Below the centre of the law every set would do that is mostly change; none of it is told from no change there.
    lowest.filter(|score| f64::from(*score) * SCORE_SCALE > null.centre)
}

impl Cutoff {
    /// The cutoff as it stands in the record; `regions` are those that were kept.
    pub fn record(&self, seeds: impl ExactSizeIterator<Item = u64>) -> CutoffRecord {
        let sigma = |score: i16| round(f64::from(score) * SCORE_SCALE, 2);
        let null = self.null.unwrap_or(Null {
            centre: 0.0,
            scale: 1.0,
            fraction: 1.0,
        });
        let expected = self
            .levels
            .map_or(0.0, |(seed, _)| null.fraction * self.judged as f64 * null.tail(seed));
        let regions = seeds.len().max(1);
        let per_region = (seeds.sum::<u64>() as f64 / regions as f64).max(1.0);
        let mut notes = Vec::new();
        if self.levels.is_none() {
            notes.push(format!(
                "no score is rare enough for a false discovery rate of {}: nothing is claimed",
                self.params.seed_fdr
            ));
        }
        if null.scale > NOTED_SCALE {
            notes.push(format!(
                "scores without change scatter {:.1} times as widely as the noise says: season, haze or misregistration is common to the pair, and small changes are missed",
                null.scale
            ));
        }
        CutoffRecord {
            judged: self.judged,
            null_centre_sigma: round(null.centre, 3),
            null_scale_sigma: round(null.scale, 3),
            null_fraction: round(null.fraction, 4),
            seed_fdr: self.params.seed_fdr,
            seed_sigma: self.levels.map(|(seed, _)| sigma(seed)),
            grow_sigma: self.levels.map(|(_, grow)| sigma(grow)),
            claimed: self.claimed,
            expected_false_pixels: significant(expected),
            expected_false_anomalies: significant(expected / per_region),
            notes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> CutoffParams {
        CutoffParams {
            seed_fdr: 0.01,
            grow_fdr: 0.1,
        }
    }

    /// A histogram of `n` scores of a normal law, by its quantiles; and `changed` scores at `at` sigma.
    fn scores(n: usize, centre: f64, scale: f64, changed: u64, at: f64) -> Histogram {
        let mut histogram = Histogram::default();
        for i in 0..n {
            // Quantile by bisection of the error function: no table, no generator.
            let wanted = (i as f64 + 0.5) / n as f64;
            let (mut low, mut high) = (-8.0, 8.0);
            for _ in 0..50 {
                let middle = (low + high) / 2.0;
                let below = 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2);
                if below < wanted { low = middle } else { high = middle }
            }
            histogram.add(crate::raster::stats::quantise(centre + scale * low));
        }
        (0..changed).for_each(|_| histogram.add(crate::raster::stats::quantise(at)));
        histogram
    }

    #[test]
    fn the_null_is_found_whatever_its_centre_and_scale() {
        for (centre, scale) in [(0.0, 1.0), (0.4, 1.7)] {
            let null = Null::fit(&scores(20_000, centre, scale, 0, 0.0)).unwrap();
            assert!(
                (null.centre - centre).abs() < 0.02 && (null.scale / scale - 1.0).abs() < 0.03,
                "{null:?}"
            );
        }
    }

    #[test]
    fn a_pair_quieter_than_its_noise_is_judged_by_its_noise() {
        let null = Null::fit(&scores(20_000, -1.5, 0.3, 0, 0.0)).unwrap();
        assert_eq!((null.centre, null.scale), (0.0, 1.0));
    }

    #[test]
    fn tails_are_those_of_scipy() {
        // scipy.stats.norm.sf(2) = 0.022750131948179195
        let null = Null {
            centre: 0.0,
            scale: 1.0,
            fraction: 1.0,
        };
        assert!((null.tail(200) - 0.022_750_131_948_179).abs() < 1e-12);
    }

    #[test]
    fn without_change_next_to_nothing_is_claimed() {
        let cutoff = fit(&scores(20_000, 0.0, 1.0, 0, 0.0), &params());
        assert!(cutoff.claimed <= 2, "{cutoff:?}");
    }

    #[test]
    fn the_level_is_that_of_benjamini_and_hochberg() {
        let histogram = scores(20_000, 0.0, 1.0, 300, 8.0);
        let cutoff = fit(&histogram, &params());
        let (seed, grow) = cutoff.levels.unwrap();
        assert!(grow < seed);
        // By definition: expected false pixels over claimed ones stays at the rate, and one step lower it does not.
        let null = Null::fit(&histogram).unwrap();
        let share = |score: i16| {
            let claimed: u64 = histogram.occupied().filter(|(s, _)| *s >= score).map(|(_, n)| n).sum();
            null.fraction * histogram.total() as f64 * null.tail(score) / claimed as f64
        };
        let next = histogram.occupied().rev().find(|(score, _)| *score < seed).unwrap().0;
        assert!(
            share(seed) <= 0.01 && share(next) > 0.01,
            "{} {}",
            share(seed),
            share(next)
        );
        assert!(cutoff.claimed >= 300);
    }

    #[test]
    fn nothing_judged_claims_nothing() {
        let cutoff = fit(&Histogram::default(), &params());
        assert_eq!((cutoff.levels, cutoff.claimed), (None, 0));
        assert!(!cutoff.record(std::iter::empty()).notes.is_empty());
    }
}
