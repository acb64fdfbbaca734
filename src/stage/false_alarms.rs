//! How many anomalies are expected to be false: the tail of the scores of a comparison, learnt object by object.
//!
//! Scores of ground that did not change have longer tails than a normal distribution: season, growth and harvest are common to a pair, and a
//! score may be a product. So the tail is not derived but observed, and on objects, not on pixels, which hang together. The
//! judged pixels are cut into clusters, as regions are, at a level that much unchanged ground reaches. How far their peaks lie
//! above it is close to an exponential distribution (Pickands, "Statistical inference using extreme order statistics", 1975, with shape 0;
//! Friston et al., "Assessing the significance of focal activations using their spatial extent", 1994, for clusters of a smooth
//! field). What it lets expect at a higher score is the number of false anomalies there; docs/accuracy.md measures it.
//!
//! The highest `CENSORED` part of the peaks is judged by the rest, so that change does not make itself likely: of `m` of them, above
//! the `r` others, `m (1 + x / S)^-r` are expected to lie `x` or more above the highest of the others. `S` is the sum of the heights of
//! the others, and of as many times that of their highest as there are peaks above it: the sum that a censored sample leaves of the
//! mean (Epstein and Sobel, "Life testing", 1953), from which the distribution of a further height follows exactly, however few they are.
//! Where more than that part is change, the numbers are too high.

use super::fringe::without_fringes;
use super::regions::{Labeller, Run, runs};
use crate::geo::Rect;
use crate::raster::Plane;
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};

/// This part of the peaks, the highest, is judged by the rest.
const CENSORED: f64 = 0.2;
/// What is known before a cluster was seen: as much as one cluster tells whose peak lies this high above the level, sigma.
const BEFOREHAND: f64 = 1.0;

/// Which scores make clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterRule {
    /// Stored score at or above which they lie.
    pub level: i16,
    /// Smaller ones are left out, pixels.
    pub min_pixels: u64,
    /// How far smoothing draws a fringe around a peak, pixels.
    pub fringe_px: usize,
}

/// Clusters of judged pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clusters {
    /// Their peaks, stored scores.
    pub peaks: Vec<i16>,
    /// Judged pixels among which they were found.
    pub pixels: u64,
}

impl Clusters {
    /// The clusters of `scores` whose peak lies in `core`; `scores` reach beyond it but where the grid ends.
    pub fn of(scores: &Plane<i16>, core: &Rect, rule: &ClusterRule) -> Self {
        let judged = scores.part(core).iter().filter(|score| **score != SCORE_NODATA).count();
        let left = without_fringes(scores, &scores.rect(), rule.fringe_px);
        let mut labeller = Labeller::new(rule.level, rule.min_pixels);
        labeller.add_band(runs(&left, rule.level, rule.level));
        let inside = |run: &&Run| {
            let middle = Rect::new((run.from + run.to) / 2, run.y, 1, 1);
            middle.intersect(core).area() > 0
        };
        let mut peaks = Vec::new();
        for region in labeller.finish() {
            let peak = region.peak();
            // The first of its highest runs stands for its place.
            let highest = region.runs.iter().find(|run| run.peak == peak);
            peaks.extend(highest.filter(inside).map(|run| run.peak));
        }
        Self {
            peaks,
            pixels: judged as u64,
        }
    }

    /// Adds those of another part.
    pub fn merge(&mut self, other: Self) {
        self.peaks.extend(other.peaks);
        self.pixels += other.pixels;
    }
}

/// What chance makes of an anomaly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Significance {
    /// Probability that a cluster without change has a peak as high.
    pub p: f64,
    /// Expected share of false ones among the anomalies with a peak as high or higher.
    pub q: f64,
}

/// The distribution of the peaks of clusters without change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// Stored score at or above which clusters lie.
    pub level: i16,
    /// Clusters that it was fitted to.
    pub found: u64,
    /// Judged pixels among which they were found.
    pixels: u64,
    /// Of the clusters, those that are judged by the others.
    judged: f64,
    /// Height of the highest of the others above the level, sigma.
    height: f64,
    /// The others, and the one known beforehand.
    known: f64,
    /// The sum of all heights, none counted higher than `height`, and of the one known beforehand, sigma.
    sum: f64,
}

impl Tail {
    /// The tail of `clusters` at or above the stored score `level`; `None` where nothing was judged.
    pub fn fit(clusters: &Clusters, level: i16) -> Option<Self> {
        if clusters.pixels == 0 {
            return None;
        }
        let mut peaks = clusters.peaks.clone();
        peaks.sort_unstable();
        let judged = ((CENSORED * peaks.len() as f64).ceil() as usize).max(1);
        let known = peaks.len().saturating_sub(judged);
        let cap = peaks[..known].last().copied().unwrap_or(level);
        let height = |peak: i16| i64::from(peak.min(cap)) - i64::from(level);
        let sum: i64 = peaks.iter().map(|peak| height(*peak)).sum();
        Some(Self {
            level,
            found: peaks.len() as u64,
            pixels: clusters.pixels,
            judged: judged as f64,
            height: height(cap) as f64 * SCORE_SCALE,
            known: known as f64 + 1.0,
            sum: sum as f64 * SCORE_SCALE + BEFOREHAND,
        })
    }

    /// The mean height of peaks above the level, sigma.
    pub fn mean_height(&self) -> f64 {
        self.sum / self.known
    }

    /// The probability that the peak of a cluster without change has the stored score `score` or more. Below the highest of the
    /// peaks that the distribution is fitted to, it falls evenly to the part that lies above that.
    pub fn p(&self, score: i16) -> f64 {
        let height = ((f64::from(score) - f64::from(self.level)) * SCORE_SCALE).max(0.0);
        let part = self.judged / (self.found as f64).max(self.judged);
        if height < self.height {
            return libm::exp(libm::log(part) * height / self.height);
        }
        part * libm::exp(-self.known * libm::log1p((height - self.height) / self.sum))
    }

    /// Anomalies whose peak has the stored score `score` or more that are expected among `judged` pixels without change.
    pub fn expected(&self, judged: u64, score: i16) -> f64 {
        (self.found as f64).max(1.0) * judged as f64 / self.pixels as f64 * self.p(score)
    }

    /// The lowest stored score, not below the level, at which no more than `most` false anomalies are expected among `judged` pixels.
    pub fn score_of(&self, judged: u64, most: f64) -> i16 {
        let fits = |score: &i32| self.expected(judged, *score as i16) <= most;
        let scores: Vec<i32> = (i32::from(self.level)..=i32::from(i16::MAX)).collect();
        let at = scores.partition_point(|score| !fits(score));
        scores.get(at).map_or(i16::MAX, |score| *score as i16)
    }

    /// What chance makes of each of the anomalies with `peaks`, highest first, among `judged` pixels: Benjamini and Hochberg's
    /// step-up over objects ("Controlling the false discovery rate", 1995), `q_i = min over j >= i of E(z_j) / j`, at most 1.
    pub fn significances(&self, judged: u64, peaks: &[i16]) -> Vec<Significance> {
        let mut least = 1.0_f64;
        let mut found: Vec<Significance> = Vec::with_capacity(peaks.len());
        for (place, peak) in peaks.iter().enumerate().rev() {
            least = least.min(self.expected(judged, *peak) / (place + 1) as f64);
            found.push(Significance {
                p: self.p(*peak),
                q: least,
            });
        }
        found.reverse();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::random::SplitMix;

    /// `n` peaks of an exponential distribution of mean `mean` sigma above `level`, by its quantiles.
    fn exponential(n: usize, level: i16, mean: f64) -> Vec<i16> {
        let quantile = |i: usize| -mean * libm::log(1.0 - (i as f64 + 0.5) / n as f64);
        (0..n).map(|i| level + (100.0 * quantile(i)).round() as i16).collect()
    }

    fn tail(peaks: Vec<i16>, pixels: u64) -> Tail {
        Tail::fit(&Clusters { peaks, pixels }, 200).unwrap()
    }

    #[test]
    fn an_exponential_tail_is_carried_on() {
        let tail = tail(exponential(2000, 200, 1.5), 1_000_000);
        assert!((tail.mean_height() / 1.5 - 1.0).abs() < 0.02, "{tail:?}");
        // 2000 exp(-(12 - 2) / 1.5) = 2.546
        let expected = tail.expected(1_000_000, 1200);
        assert!((expected / 2.546 - 1.0).abs() < 0.12, "{expected}");
        let score = tail.score_of(500_000, 1.0);
        assert!(tail.expected(500_000, score) <= 1.0 && tail.expected(500_000, score - 1) > 1.0);
        assert_eq!(tail.score_of(500_000, 1e9), 200);
        assert_eq!(tail.score_of(u64::MAX, 0.0), i16::MAX);
    }

    #[test]
    fn of_few_clusters_the_law_of_a_further_one_is_that_of_lomax() {
        // Heights 1, 2, 3, 4 are known, 6 is judged by them: 1/5 of scipy.stats.lomax.sf(2, 5, scale=15) = 0.5349, where
        // 15 = 1 + 2 + 3 + 4 + 4 and the one known beforehand.
        let tail = tail(vec![800, 300, 500, 600, 400], 10_000);
        assert!((tail.p(800) - 0.2 * (15.0_f64 / 17.0).powi(5)).abs() < 1e-12);
        assert!((tail.p(600) - 0.2).abs() < 1e-12 && (tail.p(400) - 0.2_f64.sqrt()).abs() < 1e-12);
        assert_eq!((tail.p(200), tail.p(100)), (1.0, 1.0));
    }

    #[test]
    fn false_anomalies_are_as_many_as_expected_whether_clusters_are_few_or_many() {
        // Sites of the distribution that is assumed, each with a mean of its own; a budget of 40 shared among them.
        let mut random = SplitMix(7);
        for clusters in [6, 40] {
            let mut found = 0;
            for site in 0..400 {
                let mean = 0.5 + 0.005 * f64::from(site);
                let draw = |_| {
                    let uniform = 0.5 + 0.499_999 * f64::from(random.symmetric());
                    200 - (100.0 * mean * libm::log(uniform)).round() as i16
                };
                let peaks: Vec<i16> = (0..clusters).map(draw).collect();
                let seed = tail(peaks.clone(), 10_000).score_of(10_000, 0.1);
                found += peaks.iter().filter(|peak| **peak >= seed).count();
            }
            // Of 40 expected, 28 to 53 in 95 of 100 cases (Poisson).
            assert!((28..=53).contains(&found), "{clusters}: {found}");
        }
    }

    #[test]
    fn a_few_changes_do_not_make_themselves_likely() {
        let mut peaks = exponential(100, 200, 1.0);
        peaks.extend([4000; 5]);
        let tail = tail(peaks, 100_000);
        assert!(tail.mean_height() < 1.3, "{tail:?}");
        assert!(tail.expected(100_000, 4000) < 1e-6);
    }

    #[test]
    fn nothing_judged_has_no_law_and_no_cluster_a_cautious_one() {
        assert_eq!(Tail::fit(&Clusters::default(), 200), None);
        let tail = tail(vec![], 50_000);
        assert!(tail.expected(50_000, 300) > 0.2 && tail.expected(50_000, 1200) < 0.2);
    }

    #[test]
    fn a_higher_peak_is_never_less_significant() {
        let tail = tail(exponential(50, 200, 1.0), 40_000);
        let found = tail.significances(40_000, &[3000, 900, 650, 640, 300]);
        assert!(found.windows(2).all(|two| two[0].p <= two[1].p && two[0].q <= two[1].q));
        assert!(found[0].q < 1e-6 && found[4].q <= 1.0);
        // Benjamini and Hochberg: E(z_3) / 3 or E(z_4) / 4, whichever is less.
        let least = (tail.expected(40_000, 650) / 3.0).min(tail.expected(40_000, 640) / 4.0);
        assert!((found[2].q - least).abs() < 1e-12);
        assert_eq!(tail.significances(40_000, &[]), []);
    }

    #[test]
    fn every_peak_is_counted_in_one_part_only() {
        let rect = Rect::new(0, 0, 64, 40);
        let mut scores = Plane::from_fn(rect, |[y, x]| {
            ((x * 7919 + y * 104_729 + x * y * 31) % 700) as i16 - 350
        });
        scores.part_mut(&Rect::new(28, 10, 9, 6)).fill(900);
        scores[[3, 3]] = SCORE_NODATA;
        let rule = ClusterRule {
            level: 250,
            min_pixels: 1,
            fringe_px: 0,
        };
        let mut whole = Clusters::of(&scores, &rect, &rule);
        let mut parts = Clusters::default();
        for (x, y) in [(0, 0), (32, 0), (0, 20), (32, 20)] {
            let core = Rect::new(x, y, 32, 20);
            parts.merge(Clusters::of(
                &scores.crop(&core.grow(16).intersect(&rect)),
                &core,
                &rule,
            ));
        }
        whole.peaks.sort_unstable();
        parts.peaks.sort_unstable();
        assert_eq!(whole, parts);
        assert_eq!(whole.pixels, 64 * 40 - 1);
        assert!(whole.peaks.iter().filter(|peak| **peak == 900).count() == 1);
    }
}
