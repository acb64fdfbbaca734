//! The cutoff: the score from which on change is claimed, chosen from the integer histogram of the scores, without labels.
//!
//! Methods are tried in the order given; each answers with a level or refuses, saying why, and the next is tried. When all
//! refuse, nothing is claimed. `fdr` claims where a pixel is strong and grows the region down to a lower level; the others have
//! one level, and a region is what lies above it.

mod excess;
mod fdr;
mod minimum_error;
mod null;
mod otsu;
mod params;
mod plausible;
mod rosin;

use crate::raster::stats::{Histogram, quantise};
use crate::stage::false_alarms::{Significance, Tail};
pub use null::Null;
pub use params::{CutoffParams, CutoffRule, Method};
use plausible::at_or_above;

impl Method {
    /// The stored score at which a region is claimed, or why it cannot tell.
    fn seed(self, scores: &Histogram, null: &Null, params: &CutoffRule) -> Result<i16, String> {
        match self {
            Self::Fdr => {
                let seed = fdr::seed(scores, null, params.seed_fdr)?.max(quantise(params.least_sigma));
                if at_or_above(scores, seed) == 0 {
                    return Err(format!(
                        "no score reaches {} sigma, below which it claims nothing",
                        params.least_sigma
                    ));
                }
                Ok(seed)
            }
            Self::Otsu => otsu::seed(scores, null),
            Self::Excess => excess::seed(scores, null, params.grow_fdr, params.seed_fdr),
            Self::MinimumError => minimum_error::seed(scores, null),
            Self::Rosin => rosin::seed(scores, null),
            Self::Fixed => Ok(quantise(params.fixed_sigma)),
        }
    }
}

/// A fitted cutoff.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutoff {
    /// Stored scores at which a region is claimed, and down to which it grows; `None` when every method refused.
    pub levels: Option<(i16, i16)>,
    /// The method that set the seed.
    pub method: Option<Method>,
    /// Those tried before it, and why each refused.
    pub refusals: Vec<(Method, String)>,
    /// The null distribution; absent where no pixel was judged.
    pub null: Option<Null>,
    /// How high clusters reach without change.
    pub tail: Option<Tail>,
    /// From this stored score on something would have been claimed.
    least: Option<i16>,
    /// Pixels that were judged.
    pub judged: u64,
    /// Those at or above the seed.
    pub claimed: u64,
    /// How it was set.
    pub rule: CutoffRule,
}

/// The cutoff for the judged pixels' `scores`, whose clusters follow `tail`.
pub fn fit(scores: &Histogram, tail: Option<Tail>, params: &CutoffRule) -> Cutoff {
    let null = Null::fit(scores);
    let mut refusals = Vec::new();
    let mut chosen = None;
    for method in &params.methods {
        let seed = match &null {
            Some(null) => method.seed(scores, null, params),
            None => Err("no pixel was judged".into()),
        };
        match seed {
            Ok(seed) => {
                chosen = Some((*method, seed));
                break;
            }
            Err(reason) => refusals.push((*method, reason)),
        }
    }
    let levels = chosen.map(|(method, seed)| {
        let grow = match (&null, method) {
            (Some(null), Method::Fdr) => fdr::level(scores, null, params.grow_fdr),
            _ => None,
        };
        (seed, grow.map_or(seed, |grow| grow.min(seed)))
    });
    let levels = match (&null, tail.zip(params.most_false)) {
        (Some(null), Some((tail, most))) => {
            // The budget says which regions are claimed; how far they reach is told as without it, but never less far than the
            // seed: they must have the least area, as the clusters have from which they are expected.
            let seed = tail.score_of(scores.total(), most);
            let grow = levels
                .map(|(_, grow)| grow)
                .or_else(|| fdr::level(scores, null, params.grow_fdr));
            Some((seed, grow.filter(|grow| *grow < seed).unwrap_or(tail.level)))
        }
        _ => levels,
    };
    let lone = null
        .filter(|_| params.methods.contains(&Method::Fdr))
        .map(|null| fdr::lone(scores.total(), &null, params.seed_fdr).max(quantise(params.least_sigma)));
    Cutoff {
        levels,
        method: chosen.map(|(method, _)| method),
        refusals,
        null,
        tail,
        least: levels.map(|(seed, _)| seed).or(lone),
        judged: scores.total(),
        claimed: levels.map_or(0, |(seed, _)| at_or_above(scores, seed)),
        rule: params.clone(),
    }
}

impl Cutoff {
    /// What chance makes of each of the regions with `peaks`, highest first; `None` where nothing was judged.
    pub fn significances(&self, peaks: &[i16]) -> Option<Vec<Significance>> {
        self.tail.map(|tail| tail.significances(self.judged, peaks))
    }

    /// Whether a region of this significance is claimed.
    pub fn claims(&self, found: &Significance) -> bool {
        self.rule.object_fdr.is_none_or(|most| found.q <= most)
    }

    /// False anomalies that are expected on the site if nothing changed, where regions with the significances `claimed` are claimed and `dropped` were
    /// left out for the false discovery rate of objects; by the tail carried on to the seed, and where nothing was claimed to the least
    /// score from which on `fdr` claims a single pixel.
    pub fn expected_false(&self, claimed: &[Significance], dropped: u64) -> f64 {
        let expected = |(tail, least): (Tail, i16)| tail.expected(self.judged, least);
        let expected = self.tail.zip(self.least).map_or(0.0, expected);
        // Of those that were dropped as many are false as chance puts there.
        match weakest(claimed) {
            Some(q) if dropped > 0 => expected.min(q * claimed.len() as f64),
            None if dropped > 0 => 0.0,
            _ => expected,
        }
    }
}

/// The largest false discovery rate among those that are claimed.
pub fn weakest(claimed: &[Significance]) -> Option<f64> {
    let rates = claimed.iter().map(|one| one.q);
    rates.fold(None, |most: Option<f64>, q| Some(most.map_or(q, |most| most.max(q))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> CutoffRule {
        CutoffRule {
            methods: vec![Method::MinimumError, Method::Excess, Method::Fdr],
            seed_fdr: 0.01,
            grow_fdr: 0.1,
            least_sigma: 0.0,
            fixed_sigma: 4.0,
            object_fdr: None,
            most_false: None,
        }
    }

    /// Adds `n` scores of a normal distribution, by its quantiles.
    pub(super) fn add_normal(histogram: &mut Histogram, n: usize, centre: f64, scale: f64) {
        for i in 0..n {
            // Quantile by bisection of the error function: no table, no generator.
            let wanted = (i as f64 + 0.5) / n as f64;
            let (mut low, mut high) = (-8.0, 8.0);
            for _ in 0..30 {
                let middle = (low + high) / 2.0;
                let below = 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2);
                if below < wanted { low = middle } else { high = middle }
            }
            histogram.add(quantise(centre + scale * low));
        }
    }

    pub(super) fn normal(n: usize, centre: f64, scale: f64) -> Histogram {
        let mut histogram = Histogram::default();
        add_normal(&mut histogram, n, centre, scale);
        histogram
    }

    /// Adds `n` scores of an exponential distribution of mean `mean` that begins at `from`, by its quantiles.
    pub(super) fn exponential(histogram: &mut Histogram, n: usize, from: f64, mean: f64) {
        (0..n).for_each(|i| histogram.add(quantise(from - mean * libm::log(1.0 - (i as f64 + 0.5) / n as f64))));
    }

    /// `histogram` with `n` more scores at `at` sigma.
    pub(super) fn with(mut histogram: Histogram, n: usize, at: f64) -> Histogram {
        (0..n).for_each(|_| histogram.add(quantise(at)));
        histogram
    }

    #[test]
    fn a_false_discovery_rate_does_not_claim_below_what_is_stated() {
        let scores = with(normal(20_000, 0.0, 1.0), 50, 5.0);
        let least = |least_sigma| CutoffRule {
            methods: vec![Method::Fdr],
            least_sigma,
            ..params()
        };
        assert_eq!(fit(&scores, None, &least(5.0)).levels.map(|(seed, _)| seed), Some(500));
        let cutoff = fit(&scores, None, &least(6.0));
        assert_eq!(cutoff.levels, None);
        assert!(cutoff.refusals[0].1.contains("6 sigma"), "{:?}", cutoff.refusals);
    }

    #[test]
    fn without_change_next_to_nothing_is_claimed() {
        let cutoff = fit(&normal(20_000, 0.0, 1.0), None, &params());
        assert!(cutoff.claimed <= 2, "{cutoff:?}");
    }

    #[test]
    fn rare_change_is_claimed_and_nearly_nothing_else() {
        // One pixel in 2,000.
        let cutoff = fit(&with(normal(20_000, 0.0, 1.0), 10, 8.0), None, &params());
        assert_eq!(cutoff.method, Some(Method::Fdr));
        assert!((10..=12).contains(&cutoff.claimed), "{cutoff:?}");
        assert_eq!(cutoff.refusals.len(), 2);
    }

    #[test]
    fn common_change_is_cut_in_its_valley() {
        let mut histogram = normal(16_000, 0.0, 1.0);
        add_normal(&mut histogram, 4_000, 8.0, 1.0);
        let cutoff = fit(&histogram, None, &params());
        assert_eq!(cutoff.method, Some(Method::MinimumError));
        assert!((3_950..4_050).contains(&cutoff.claimed), "{cutoff:?}");
    }

    #[test]
    fn of_a_long_tail_only_the_unusual_is_claimed() {
        let mut histogram = normal(20_000, 0.0, 1.0);
        exponential(&mut histogram, 2_000, 2.5, 2.0);
        let cutoff = fit(&histogram, None, &params());
        assert_eq!(cutoff.method, Some(Method::Excess));
        assert!((100..500).contains(&cutoff.claimed), "{cutoff:?}");
    }

    #[test]
    fn methods_are_tried_in_their_order_and_say_why_they_refuse() {
        let histogram = with(normal(20_000, 0.0, 1.0), 300, 8.0);
        let methods = vec![Method::Otsu, Method::Fixed, Method::Fdr];
        let cutoff = fit(&histogram, None, &CutoffRule { methods, ..params() });
        assert_eq!((cutoff.method, cutoff.levels), (Some(Method::Fixed), Some((400, 400))));
        let [(method, reason)] = cutoff.refusals.as_slice() else {
            panic!("{cutoff:?}")
        };
        assert!(*method == Method::Otsu && reason.contains("rare"), "{cutoff:?}");
    }

    #[test]
    fn every_method_has_the_word_of_the_pipeline_file() {
        let list = [
            Method::Fdr,
            Method::Otsu,
            Method::Excess,
            Method::MinimumError,
            Method::Rosin,
            Method::Fixed,
        ];
        for method in list {
            let text = format!(
                "methods = [\"{}\"]\nseed_fdr = 0.01\ngrow_fdr = 0.1\nfixed_sigma = 4.0\n",
                method.word()
            );
            assert_eq!(toml::from_str::<CutoffParams>(&text).unwrap().methods, [method]);
        }
    }

    #[test]
    fn nothing_judged_claims_nothing() {
        for method in [
            Method::Fdr,
            Method::Otsu,
            Method::Excess,
            Method::MinimumError,
            Method::Rosin,
            Method::Fixed,
        ] {
            let cutoff = fit(
                &Histogram::default(),
                None,
                &CutoffRule {
                    methods: vec![method],
                    ..params()
                },
            );
            assert_eq!((cutoff.levels, cutoff.claimed), (None, 0));
            assert!(cutoff.refusals[0].1.contains("judged"));
        }
    }

    #[test]
    fn one_pixel_and_equal_scores_are_no_panic() {
        for n in [1, 5_000] {
            for at in [-327.67, 0.0, 327.67] {
                let histogram = with(Histogram::default(), n, at);
                for method in [
                    Method::Fdr,
                    Method::Otsu,
                    Method::Excess,
                    Method::MinimumError,
                    Method::Rosin,
                ] {
                    fit(
                        &histogram,
                        None,
                        &CutoffRule {
                            methods: vec![method],
                            ..params()
                        },
                    );
                }
            }
        }
    }
}
