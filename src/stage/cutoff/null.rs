//! The distribution of the scores of ground that did not change, fitted to the scores themselves (Efron, "Large-scale simultaneous
//! hypothesis testing: the choice of a null hypothesis", 2004), so that what is common to the pair (season, haze,
//! misregistration) widens it instead of being claimed.

use crate::raster::stats::{Histogram, SCORE_SCALE, quantise};

/// A normal distribution of the scores of ground that did not change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Null {
    /// Its centre, sigma.
    pub centre: f64,
    /// Its scale, sigma: 1 when the pair is as quiet as its noise says.
    pub scale: f64,
    /// Estimated fraction of pixels that follow it.
    pub fraction: f64,
}

/// The quartile of the standard normal distribution.
const QUARTILE: f64 = 0.674_489_750_196_081_7;
/// Scores are in sigma of the noise: a distribution narrower than that would know more than the noise lets it.
const MIN_SCALE: f64 = 1.0;
/// Rounds of cutting off the tail above [`TAIL`] scales and fitting anew.
const ROUNDS: usize = 6;
const TAIL: f64 = 3.0;
/// The upper half may be this much wider than the lower before the rest counts as change.
const WIDEST: f64 = 1.5;

/// So many scales above the centre one pixel in forty lies.
const FOOT_SCALES: f64 = 2.0;

impl Null {
    /// The distribution of the bulk of `scores`; `None` when there are none.
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
        let (mut centre, mut lower) = (0.0, MIN_SCALE);
        for _ in 0..ROUNDS {
            let (low, middle) = (quantile(0.25, kept)?.0, quantile(0.5, kept)?.0);
            (centre, lower) = (middle, ((middle - low) / QUARTILE).max(MIN_SCALE));
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

    /// The stored score that much unchanged ground still reaches: where clusters of it are looked at.
    pub fn foot(&self) -> i16 {
        quantise(self.centre + FOOT_SCALES * self.scale)
    }

    /// Probability that a pixel without change has the stored score `score` or more.
    pub fn tail(&self, score: i16) -> f64 {
        let z = (f64::from(score) * SCORE_SCALE - self.centre) / self.scale;
        0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
    }

    /// Pixels without change, of `judged`, that are expected at the stored score `score` or more.
    pub fn expected(&self, judged: u64, score: i16) -> f64 {
        self.fraction * judged as f64 * self.tail(score)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::normal;
    use super::*;

    #[test]
    fn the_null_is_found_whatever_its_centre_and_scale() {
        for (centre, scale) in [(0.0, 1.0), (0.4, 1.7)] {
            let null = Null::fit(&normal(20_000, centre, scale)).unwrap();
            assert!(
                (null.centre - centre).abs() < 0.02 && (null.scale / scale - 1.0).abs() < 0.03,
                "{null:?}"
            );
        }
    }

    #[test]
    fn a_pair_quieter_than_its_noise_is_judged_by_its_noise() {
        let null = Null::fit(&normal(20_000, -1.5, 0.3)).unwrap();
        assert_eq!((null.centre, null.scale), (0.0, 1.0));
    }

    #[test]
    fn tails_are_those_of_scipy() {
        // scipy.stats.norm.sf(2) = 0.022750131948179195
        let null = Null {
            centre: 0.0,
            scale: 1.0,
            fraction: 0.5,
        };
        assert!((null.tail(200) - 0.022_750_131_948_179).abs() < 1e-12);
        assert!((null.expected(2_000_000, 200) - 22_750.131_948_179).abs() < 1e-6);
    }
}
