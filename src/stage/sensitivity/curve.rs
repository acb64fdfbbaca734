//! The curve of detection: the probability that a change is found, by its size and its contrast.
//!
//! `P = (1 - lapse) / (1 + exp(-(a + b ln size + c ln contrast)))`: a logistic law with a share of places where no size is found, as
//! psychophysics fits it (Wichmann and Hill, "The psychometric function: I", 2001). It is fitted by maximum likelihood; a normal prior
//! of standard deviation [`PRIOR`] on the slopes keeps them finite where the data part without overlap (ridge regression: le Cessie and
//! van Houwelingen 1992). Intervals come from a parametric bootstrap (Efron and Tibshirani 1993, chapter 13).

use libm::{exp, log};
use nalgebra::{Matrix3, Vector3};

use crate::stage::random::SplitMix;

/// Standard deviation of the prior of the slopes, in log odds for a factor of e in size or contrast.
const PRIOR: f64 = 10.0;
/// The lapse is looked for in hundredths up to this.
const MOST_LAPSE: f64 = 0.6;
/// Curves are drawn anew so many times.
const DRAWS: usize = 200;
/// Of these, so many at either end lie outside of an interval of 95 %.
const OUTSIDE: usize = 5;

/// What was found of the changes of one size and contrast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tally {
    /// Their area, pixels.
    pub size_px: f64,
    /// Their contrast, sigma; 1 where they have none.
    pub contrast: f64,
    /// How many were injected.
    pub injected: u64,
    /// How many of them were found.
    pub found: u64,
}

/// A fitted curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    /// a, b and c; c is 0 where there is one contrast only.
    pub coefficients: [f64; 3],
    /// The share of places where no size is found.
    pub lapse: f64,
    /// Logarithm of the likelihood, without the prior.
    pub log_likelihood: f64,
}

/// The size from which on a change is found with some probability, pixels.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub enum Size {
    /// The smallest that was tried, or less.
    Smallest,
    /// This.
    At(f64),
    /// More than the largest that was tried, if any.
    Beyond,
}

/// A size and its interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detectable {
    /// The curve's.
    pub size: Size,
    /// The interval's ends.
    pub interval: [Size; 2],
}

impl Curve {
    /// The curve through `tallies`; `None` where all or none were found, or nothing was injected: no curve can be told from that.
    pub fn fit(tallies: &[Tally]) -> Option<Self> {
        let injected: u64 = tallies.iter().map(|tally| tally.injected).sum();
        let found: u64 = tallies.iter().map(|tally| tally.found).sum();
        if found == 0 || found == injected {
            return None;
        }
        let rows: Vec<Row> = tallies.iter().map(Row::new).collect();
        let most = (100.0 * MOST_LAPSE) as u32;
        let coarse = best(&rows, (0..=most).step_by(5), [0.0; 3]);
        let lapse = (100.0 * coarse.lapse).round() as u32;
        let around = lapse.saturating_sub(4)..=(lapse + 4).min(most);
        Some(best(&rows, around, coarse.coefficients))
    }

    /// The probability that a change of `size_px` pixels and `contrast` is found.
    pub fn probability(&self, size_px: f64, contrast: f64) -> f64 {
        let [a, b, c] = self.coefficients;
        (1.0 - self.lapse) * logistic(a + b * log(size_px) + c * log(contrast))
    }

    /// The size, of `smallest` to `largest` pixels, from which on a change of `contrast` is found with `probability`.
    pub fn size(&self, probability: f64, contrast: f64, [smallest, largest]: [f64; 2]) -> Size {
        if self.probability(smallest, contrast) >= probability {
            return Size::Smallest;
        }
        if self.probability(largest, contrast) < probability {
            return Size::Beyond;
        }
        let share = probability / (1.0 - self.lapse);
        let [a, b, c] = self.coefficients;
        let odds = log(share / (1.0 - share));
        Size::At(exp((odds - a - c * log(contrast)) / b).clamp(smallest, largest))
    }
}

/// The sizes found with each of `probabilities` at each of `contrasts`, with their intervals, in that order; `range` is that of the
/// sizes that were tried. Where there is no curve, all were found or none.
pub fn detectable(tallies: &[Tally], probabilities: &[f64], contrasts: &[f64], range: [f64; 2]) -> Vec<Detectable> {
    let wanted: Vec<(f64, f64)> = probabilities
        .iter()
        .flat_map(|probability| contrasts.iter().map(move |contrast| (*probability, *contrast)))
        .collect();
    let sizes = |tallies: &[Tally]| -> Vec<Size> {
        let curve = Curve::fit(tallies);
        let all = tallies.iter().any(|tally| tally.found > 0);
        let one = |(probability, contrast): &(f64, f64)| match curve {
            Some(curve) => curve.size(*probability, *contrast, range),
            None if all => Size::Smallest,
            None => Size::Beyond,
        };
        wanted.iter().map(one).collect()
    };
    let found = sizes(tallies);
    let mut drawn: Vec<Vec<Size>> = vec![Vec::with_capacity(DRAWS); wanted.len()];
    let curve = Curve::fit(tallies);
    let mut random = SplitMix(1);
    for _ in 0..DRAWS {
        let again: Vec<Tally> = tallies.iter().map(|tally| redraw(tally, curve, &mut random)).collect();
        for (all, size) in drawn.iter_mut().zip(sizes(&again)) {
            all.push(size);
        }
    }
    let ends = |mut drawn: Vec<Size>| {
        drawn.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        [drawn[OUTSIDE], drawn[DRAWS - 1 - OUTSIDE]]
    };
    let detectable = |(size, drawn)| Detectable {
        size,
        interval: ends(drawn),
    };
    found.into_iter().zip(drawn).map(detectable).collect()
}

/// A tally as the curve would have it. Where there is no curve, as the shares of Jeffreys' prior would.
fn redraw(tally: &Tally, curve: Option<Curve>, random: &mut SplitMix) -> Tally {
    let probability = curve.map_or_else(
        || (tally.found as f64 + 0.5) / (tally.injected as f64 + 1.0),
        |curve| curve.probability(tally.size_px, tally.contrast),
    );
    let found = (0..tally.injected).filter(|_| random.unit() < probability).count();
    Tally {
        found: found as u64,
        ..*tally
    }
}

/// A tally as the fit sees it.
struct Row {
    x: Vector3<f64>,
    found: f64,
    missed: f64,
}

impl Row {
    fn new(tally: &Tally) -> Self {
        Self {
            x: Vector3::new(1.0, log(tally.size_px), log(tally.contrast)),
            found: tally.found as f64,
            missed: (tally.injected - tally.found) as f64,
        }
    }
}

fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        exp(x) / (1.0 + exp(x))
    }
}

fn log_likelihood(rows: &[Row], coefficients: &[f64; 3], lapse: f64) -> f64 {
    let beta = Vector3::from(*coefficients);
    let of = |row: &Row| {
        let share = logistic(row.x.dot(&beta));
        let probability = (1.0 - lapse) * share;
        // 1 - P without cancelling where P is near 1.
        let rest = lapse * share + logistic(-row.x.dot(&beta));
        let part = |n: f64, p: f64| if n > 0.0 { n * log(p.max(1e-300)) } else { 0.0 };
        part(row.found, probability) + part(row.missed, rest)
    };
    rows.iter().map(of).sum()
}

/// The likeliest curve whose lapse is one of `hundredths`; the smallest of equals.
fn best(rows: &[Row], hundredths: impl Iterator<Item = u32>, start: [f64; 3]) -> Curve {
    let nothing = Curve {
        coefficients: start,
        lapse: 0.0,
        log_likelihood: f64::NEG_INFINITY,
    };
    let (mut best, mut highest) = (nothing, f64::NEG_INFINITY);
    for lapse in hundredths.map(|n| f64::from(n) / 100.0) {
        let (coefficients, found) = climb(rows, lapse, best.coefficients);
        if found > highest + 1e-9 {
            highest = found;
            best = Curve {
                coefficients,
                lapse,
                log_likelihood: log_likelihood(rows, &coefficients, lapse),
            };
        }
    }
    best
}

fn objective(rows: &[Row], beta: &Vector3<f64>, lapse: f64) -> f64 {
    let prior = (beta[1] * beta[1] + beta[2] * beta[2]) / (2.0 * PRIOR * PRIOR);
    log_likelihood(rows, &[beta[0], beta[1], beta[2]], lapse) - prior
}

/// The coefficients of greatest likelihood under the prior at that lapse, and its logarithm: Fisher scoring with halved steps.
fn climb(rows: &[Row], lapse: f64, start: [f64; 3]) -> ([f64; 3], f64) {
    let mut beta = Vector3::from(start);
    let mut highest = objective(rows, &beta, lapse);
    for _ in 0..100 {
        let mut gradient = Vector3::new(0.0, -beta[1], -beta[2]) / (PRIOR * PRIOR);
        let mut information = Matrix3::from_diagonal(&Vector3::new(1e-9, 1.0, 1.0)) / (PRIOR * PRIOR);
        for row in rows {
            let eta = row.x.dot(&beta);
            let (share, other) = (logistic(eta), logistic(-eta));
            let probability = ((1.0 - lapse) * share).max(1e-300);
            let rest = (lapse * share + other).max(1e-300);
            let slope = (1.0 - lapse) * share * other;
            gradient += row.x * (slope * (row.found / probability - row.missed / rest));
            let n = row.found + row.missed;
            information += row.x * row.x.transpose() * (n * slope * slope / (probability * rest));
        }
        let Some(step) = information.cholesky().map(|factor| factor.solve(&gradient)) else {
            break;
        };
        let tried = (0..30)
            .map(|halvings| beta + step / f64::from(1_u32 << halvings))
            .map(|next| (next, objective(rows, &next, lapse)))
            .find(|(_, found)| *found > highest);
        let Some((next, found)) = tried else { break };
        let gained = found - highest;
        (beta, highest) = (next, found);
        if gained < 1e-10 {
            break;
        }
    }
    ([beta[0], beta[1], beta[2]], highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally((size_px, contrast, injected, found): (f64, f64, u64, u64)) -> Tally {
        Tally {
            size_px,
            contrast,
            injected,
            found,
        }
    }

    fn near(found: &[f64], expected: &[f64], tolerance: f64) {
        let worst = found
            .iter()
            .zip(expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        assert!(worst < tolerance, "{found:?} against {expected:?}");
    }

    fn two_contrasts() -> Vec<Tally> {
        let all = [
            (1.0, 2.0, 20, 1),
            (4.0, 2.0, 20, 6),
            (16.0, 2.0, 20, 14),
            (64.0, 2.0, 20, 17),
            (1.0, 4.0, 20, 4),
            (4.0, 4.0, 20, 13),
            (16.0, 4.0, 20, 18),
            (64.0, 4.0, 20, 18),
        ];
        all.map(tally).to_vec()
    }

    #[test]
    fn the_curve_is_that_of_scikit_learn_and_scipy() {
        // sklearn LogisticRegression(C=100, solver="newton-cholesky") on ln size, ln contrast of the 160 single trials.
        let rows: Vec<Row> = two_contrasts().iter().map(Row::new).collect();
        let (coefficients, _) = climb(&rows, 0.0, [0.0; 3]);
        near(&coefficients, &[-3.555_838_7, 1.046_991_1, 1.760_094_0], 1e-6);
        // scipy.optimize.minimize of -log likelihood + (b^2 + c^2) / 200 for each lapse of 0, 0.01 ... 0.6, the best of them.
        let curve = Curve::fit(&two_contrasts()).unwrap();
        near(&curve.coefficients, &[-4.536_910_42, 1.491_650_25, 2.424_997_58], 1e-5);
        near(&[curve.lapse, curve.log_likelihood], &[0.09, -73.041_184_285_8], 1e-8);
        // Nothing overlaps: the prior holds the slope. The same call.
        let parted = [
            (1.0, 1.0, 10, 0),
            (4.0, 1.0, 10, 0),
            (9.0, 1.0, 10, 10),
            (64.0, 1.0, 10, 10),
        ]
        .map(tally);
        let curve = Curve::fit(&parted).unwrap();
        near(&curve.coefficients, &[-19.086_531_8, 10.652_396_1, 0.0], 1e-4);
        near(&[curve.lapse, curve.log_likelihood], &[0.0, -0.264_461_05], 1e-6);
    }

    #[test]
    fn sizes_invert_the_curve_and_are_never_invented() {
        let curve = Curve {
            coefficients: [-3.0, 1.5, 1.0],
            lapse: 0.05,
            log_likelihood: 0.0,
        };
        let range = [1.0, 64.0];
        for (probability, contrast) in [(0.5, 1.0), (0.9, 2.0)] {
            let Size::At(size) = curve.size(probability, contrast, range) else {
                panic!("{probability} {contrast}")
            };
            assert!((curve.probability(size, contrast) - probability).abs() < 1e-12);
        }
        assert_eq!(curve.size(0.5, 1000.0, range), Size::Smallest);
        assert_eq!(curve.size(0.5, 0.01, range), Size::Beyond);
        // A share of 95 % is all that is ever found.
        assert_eq!(curve.size(0.96, 1e6, range), Size::Beyond);
    }

    #[test]
    fn all_or_nothing_gives_no_curve_but_an_answer() {
        let all = [(1.0, 1.0, 9, 9), (64.0, 1.0, 9, 9)].map(tally);
        let none = [(1.0, 1.0, 9, 0), (64.0, 1.0, 9, 0)].map(tally);
        let size = |tallies: &[Tally]| detectable(tallies, &[0.9], &[1.0], [1.0, 64.0])[0];
        assert_eq!((Curve::fit(&all), Curve::fit(&none)), (None, None));
        assert_eq!((size(&all).size, size(&none).size), (Size::Smallest, Size::Beyond));
        assert_eq!(size(&none).interval[1], Size::Beyond);
        // Nine are too few to tell that 90 % of the largest are found.
        assert_eq!(size(&all).interval[1], Size::Beyond);
        assert_eq!(size(&[]).size, Size::Beyond);
    }

    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        let truth = Curve {
            coefficients: [-4.0, 2.0, 0.0],
            lapse: 0.04,
            log_likelihood: 0.0,
        };
        let Size::At(size) = truth.size(0.9, 1.0, [1.0, 64.0]) else {
            panic!()
        };
        let mut random = SplitMix(11);
        let sizes = [1.0, 2.0, 4.0, 9.0, 16.0, 36.0, 64.0];
        let design = sizes.map(|size| tally((size, 1.0, 30, 0)));
        let mut held = 0;
        let n = 60;
        for _ in 0..n {
            let data = design.map(|row| redraw(&row, Some(truth), &mut random));
            let [low, high] = detectable(&data, &[0.9], &[1.0], [1.0, 64.0])[0].interval;
            held += u32::from(low <= Size::At(size) && Size::At(size) <= high);
        }
        // 95 %, and what 60 draws leave open.
        assert!(held >= 52, "{held} of {n}");
    }
}
