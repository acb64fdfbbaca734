//! The curve of detection: the probability that a change is found, by its size and its contrast.
//!
//! `P = (1 - lapse) / (1 + exp(-(a + b ln size)))`: a logistic curve with a share of places where no size is found, as psychophysics fits it
//! (Wichmann and Hill, "The psychometric function: I", 2001). One curve a kind of change and contrast: none leans on another. It is fitted
//! by maximum likelihood; a normal prior of standard deviation `PRIOR` on the slope keeps it finite where the data part without overlap
//! (ridge regression: le Cessie and van Houwelingen 1992). Intervals come from a parametric bootstrap (Efron and Tibshirani 1993, chapter 13).

use libm::{exp, log};

use crate::stage::random::SplitMix;

/// Standard deviation of the prior of the slope, in log odds for a factor of e in size.
const PRIOR: f64 = 10.0;
/// The lapse is looked for in hundredths up to this.
const MAX_LAPSE: f64 = 0.6;
/// Curves are drawn anew so many times.
const DRAWS: usize = 200;
/// Of these, so many at either end lie outside of an interval of 95 %.
const OUTSIDE: usize = 5;

/// What was found of the changes of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tally {
    /// Their area, pixels.
    pub size_px: f64,
    /// How many were injected.
    pub injected: u64,
    /// How many of them were found.
    pub found: u64,
}

/// A fitted curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    /// a and b.
    pub coefficients: [f64; 2],
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
        let most = (100.0 * MAX_LAPSE) as u32;
        let coarse = best(&rows, (0..=most).step_by(5), [0.0; 2]);
        let lapse = (100.0 * coarse.lapse).round() as u32;
        let around = lapse.saturating_sub(4)..=(lapse + 4).min(most);
        Some(best(&rows, around, coarse.coefficients))
    }

    /// The probability that a change of `size_px` pixels is found.
    pub fn probability(&self, size_px: f64) -> f64 {
        let [a, b] = self.coefficients;
        (1.0 - self.lapse) * logistic(a + b * log(size_px))
    }

    /// The size, of `smallest` to `largest` pixels, from which on a change is found with `probability`.
    pub fn size(&self, probability: f64, [smallest, largest]: [f64; 2]) -> Size {
        if self.probability(smallest) >= probability {
            return Size::Smallest;
        }
        if self.probability(largest) < probability {
            return Size::Beyond;
        }
        let share = probability / (1.0 - self.lapse);
        let [a, b] = self.coefficients;
        let odds = log(share / (1.0 - share));
        Size::At(exp((odds - a) / b).clamp(smallest, largest))
    }
}

/// The sizes found with each of `probabilities`, with their intervals; `range` is that of the sizes that were tried. Where there is no
/// curve, all were found or none.
pub fn detectable(tallies: &[Tally], probabilities: &[f64], range: [f64; 2]) -> Vec<Detectable> {
    let sizes = |tallies: &[Tally], curve: Option<Curve>| -> Vec<Size> {
        let all = tallies.iter().any(|tally| tally.found > 0);
        let one = |probability: &f64| match curve {
            Some(curve) => curve.size(*probability, range),
            None if all => Size::Smallest,
            None => Size::Beyond,
        };
        probabilities.iter().map(one).collect()
    };
    let curve = Curve::fit(tallies);
    let mut drawn: Vec<Vec<Size>> = vec![Vec::with_capacity(DRAWS); probabilities.len()];
    let mut random = SplitMix(1);
    for _ in 0..DRAWS {
        let again: Vec<Tally> = tallies.iter().map(|tally| redraw(tally, curve, &mut random)).collect();
        for (all, size) in drawn.iter_mut().zip(sizes(&again, Curve::fit(&again))) {
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
    sizes(tallies, curve).into_iter().zip(drawn).map(detectable).collect()
}

/// A tally as the curve would have it. Where there is no curve, as the shares of Jeffreys' prior would.
fn redraw(tally: &Tally, curve: Option<Curve>, random: &mut SplitMix) -> Tally {
    let probability = curve.map_or_else(
        || (tally.found as f64 + 0.5) / (tally.injected as f64 + 1.0),
        |curve| curve.probability(tally.size_px),
    );
    let found = (0..tally.injected).filter(|_| random.unit() < probability).count();
    Tally {
        found: found as u64,
        ..*tally
    }
}

/// A tally as the fit sees it.
struct Row {
    log_size: f64,
    found: f64,
    missed: f64,
}

impl Row {
    fn new(tally: &Tally) -> Self {
        Self {
            log_size: log(tally.size_px),
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

fn log_likelihood(rows: &[Row], [a, b]: [f64; 2], lapse: f64) -> f64 {
    let of = |row: &Row| {
        let odds = a + b * row.log_size;
        let (share, other) = (logistic(odds), logistic(-odds));
        // 1 - P without cancelling where P is near 1.
        let (probability, rest) = ((1.0 - lapse) * share, lapse * share + other);
        let part = |n: f64, p: f64| if n > 0.0 { n * log(p.max(1e-300)) } else { 0.0 };
        part(row.found, probability) + part(row.missed, rest)
    };
    rows.iter().map(of).sum()
}

/// The likeliest curve whose lapse is one of `hundredths`; the smallest of equals.
fn best(rows: &[Row], hundredths: impl Iterator<Item = u32>, start: [f64; 2]) -> Curve {
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
                log_likelihood: log_likelihood(rows, coefficients, lapse),
            };
        }
    }
    best
}

fn objective(rows: &[Row], coefficients: [f64; 2], lapse: f64) -> f64 {
    log_likelihood(rows, coefficients, lapse) - coefficients[1] * coefficients[1] / (2.0 * PRIOR * PRIOR)
}

/// The coefficients of greatest likelihood under the prior at that lapse, and its logarithm: Fisher scoring with halved steps.
fn climb(rows: &[Row], lapse: f64, start: [f64; 2]) -> ([f64; 2], f64) {
    let mut at = start;
    let mut highest = objective(rows, at, lapse);
    for _ in 0..100 {
        // Gradient and expected information (aa, ab, bb), the prior's first.
        let mut gradient = [0.0, -at[1] / (PRIOR * PRIOR)];
        let mut information = [0.0, 0.0, 1.0 / (PRIOR * PRIOR)];
        for row in rows {
            let odds = at[0] + at[1] * row.log_size;
            let (share, other) = (logistic(odds), logistic(-odds));
            let probability = ((1.0 - lapse) * share).max(1e-300);
            let rest = (lapse * share + other).max(1e-300);
            let slope = (1.0 - lapse) * share * other;
            let pull = slope * (row.found / probability - row.missed / rest);
            let weight = (row.found + row.missed) * slope * slope / (probability * rest);
            gradient[0] += pull;
            gradient[1] += pull * row.log_size;
            information[0] += weight;
            information[1] += weight * row.log_size;
            information[2] += weight * row.log_size * row.log_size;
        }
        let [aa, ab, bb] = information;
        let determinant = aa * bb - ab * ab;
        if determinant.is_nan() || determinant <= 0.0 {
            break;
        }
        let step = [
            (bb * gradient[0] - ab * gradient[1]) / determinant,
            (aa * gradient[1] - ab * gradient[0]) / determinant,
        ];
        let tried = (0..30)
            .map(|halvings| f64::from(1_u32 << halvings))
            .map(|part| [at[0] + step[0] / part, at[1] + step[1] / part])
            .map(|next| (next, objective(rows, next, lapse)))
            .find(|(_, found)| *found > highest);
        let Some((next, found)) = tried else { break };
        let gained = found - highest;
        (at, highest) = (next, found);
        if gained < 1e-9 {
            break;
        }
    }
    (at, highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally((size_px, injected, found): (f64, u64, u64)) -> Tally {
        Tally {
            size_px,
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

    #[test]
    fn the_curve_is_that_of_scikit_learn_and_scipy() {
        let tallies = [(1.0, 40, 3), (4.0, 40, 15), (16.0, 40, 33), (64.0, 40, 35)].map(tally);
        // sklearn LogisticRegression(C=100, solver="newton-cholesky", tol=1e-12) on ln size of the 160 single trials.
        let rows: Vec<Row> = tallies.iter().map(Row::new).collect();
        let (coefficients, _) = climb(&rows, 0.0, [0.0; 2]);
        near(&coefficients, &[-2.12115516, 1.14360363], 1e-5);
        // scipy.optimize.minimize of -log likelihood + b^2 / 200 for each lapse of 0, 0.01 ... 0.6, the best of them.
        let curve = Curve::fit(&tallies).unwrap();
        near(&curve.coefficients, &[-2.55234426, 1.67469500], 1e-4);
        near(&[curve.lapse, curve.log_likelihood], &[0.1, -70.92875940], 1e-6);
        // Nothing overlaps: the prior holds the slope. The same call.
        let parted = [(1.0, 10, 0), (4.0, 10, 0), (9.0, 10, 10), (64.0, 10, 10)].map(tally);
        let curve = Curve::fit(&parted).unwrap();
        near(&curve.coefficients, &[-19.086_531_8, 10.652_396_1], 1e-3);
        near(&[curve.lapse, curve.log_likelihood], &[0.0, -0.264_461_05], 1e-5);
    }

    #[test]
    fn sizes_invert_the_curve_and_are_never_invented() {
        let curve = |intercept| Curve {
            coefficients: [intercept, 1.5],
            lapse: 0.05,
            log_likelihood: 0.0,
        };
        let range = [1.0, 64.0];
        for probability in [0.5, 0.9] {
            let Size::At(size) = curve(-3.0).size(probability, range) else {
                panic!("{probability}")
            };
            assert!((curve(-3.0).probability(size) - probability).abs() < 1e-12);
        }
        assert_eq!(curve(4.0).size(0.5, range), Size::Smallest);
        assert_eq!(curve(-9.0).size(0.5, range), Size::Beyond);
        // A share of 95 % is all that is ever found.
        assert_eq!(curve(99.0).size(0.96, range), Size::Beyond);
    }

    #[test]
    fn all_or_nothing_gives_no_curve_but_an_answer() {
        let all = [(1.0, 9, 9), (64.0, 9, 9)].map(tally);
        let none = [(1.0, 9, 0), (64.0, 9, 0)].map(tally);
        let size = |tallies: &[Tally]| detectable(tallies, &[0.9], [1.0, 64.0])[0];
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
            coefficients: [-4.0, 2.0],
            lapse: 0.04,
            log_likelihood: 0.0,
        };
        let Size::At(size) = truth.size(0.9, [1.0, 64.0]) else {
            panic!()
        };
        let mut random = SplitMix(11);
        let design = [1.0, 2.0, 4.0, 9.0, 16.0, 36.0, 64.0].map(|size| tally((size, 30, 0)));
        let mut held = 0;
        let n = 60;
        for _ in 0..n {
            let data = design.map(|row| redraw(&row, Some(truth), &mut random));
            let [low, high] = detectable(&data, &[0.9], [1.0, 64.0])[0].interval;
            held += u32::from(low <= Size::At(size) && Size::At(size) <= high);
        }
        // 95 %, and what 60 draws leave open.
        assert!(held >= 52, "{held} of {n}");
    }
}
