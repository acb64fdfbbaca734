//! Minimum error thresholding (Kittler and Illingworth, "Minimum error thresholding", Pattern Recognition 1986): the cut whose
//! two classes, each taken as a normal distribution of its own mean and variance, would be told apart with the fewest errors.

use super::null::Null;
use crate::raster::stats::Histogram;

/// Variance of a score that is known to the hundredth only (Sheppard's correction): no class is narrower.
const ROUNDING: f64 = 1.0 / 12.0;
/// Free numbers of two normal distributions more than of one.
const MORE_PARAMETERS: f64 = 3.0;

/// Moments of a class: pixels, sum and sum of squares of the stored scores.
#[derive(Clone, Copy, Default)]
struct Moments(i128, i128, i128);

impl Moments {
    fn add(&mut self, score: i16, n: u64) {
        let (score, n) = (i128::from(score), i128::from(n));
        (self.0, self.1, self.2) = (self.0 + n, self.1 + n * score, self.2 + n * score * score);
    }

    fn less(&self, other: &Self) -> Self {
        Self(self.0 - other.0, self.1 - other.1, self.2 - other.2)
    }

    /// Squared hundredths of sigma.
    fn variance(&self) -> f64 {
        let n = self.0 as f64;
        (self.0 * self.2 - self.1 * self.1) as f64 / (n * n) + ROUNDING
    }

    /// `P ln sigma^2 - 2 P ln P` with P the share of the pixels.
    fn cost(&self, all: f64) -> f64 {
        let share = self.0 as f64 / all;
        share * libm::log(self.variance()) - 2.0 * share * libm::log(share)
    }
}

/// The cut with the least expected error, as the lowest stored score of the upper class.
///
/// The criterion is `J(T) = 1 + 2 (P1 ln s1 + P2 ln s2) - 2 (P1 ln P1 + P2 ln P2)`. At either end of the histogram it is
/// `1 + 2 ln s`, that of one normal distribution.
///
/// # Errors
/// The reason, when no cut inside the histogram is better than that by what three more parameters cost (the Bayesian
/// information criterion, Schwarz, "Estimating the dimension of a model", 1978), when the upper class is too rare, or when the law
/// of no change explains much of it.
pub fn seed(scores: &Histogram, null: &Null) -> Result<i16, String> {
    let mut all = Moments::default();
    scores.occupied().for_each(|(score, n)| all.add(score, n));
    let pixels = all.0 as f64;
    let mut below = Moments::default();
    let mut best: Option<(f64, i16)> = None;
    let mut scores_above = scores.occupied().skip(1);
    for (score, n) in scores.occupied() {
        below.add(score, n);
        let Some((next, _)) = scores_above.next() else {
            break;
        };
        let cost = below.cost(pixels) + all.less(&below).cost(pixels);
        if best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, next));
        }
    }
    let (cost, level) = best.ok_or("all scores are equal")?;
    if pixels * (all.cost(pixels) - cost) <= MORE_PARAMETERS * libm::log(pixels) {
        return Err("the criterion has no minimum inside the histogram: one normal law does as well as two".into());
    }
    super::plausible::common(super::plausible::at_or_above(scores, level) as f64 / pixels)?;
    super::plausible::unlike_no_change(scores, null, level)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{add_normal, normal, with};
    use super::*;

    fn seed_of(histogram: &Histogram) -> Result<i16, String> {
        seed(histogram, &Null::fit(histogram).unwrap())
    }

    #[test]
    fn two_normal_laws_are_cut_where_they_are_as_likely() {
        // 0.8 N(0, 1) against 0.2 N(6, 1): 3 + ln(4) / 6 = 3.231.
        let mut histogram = normal(16_000, 0.0, 1.0);
        add_normal(&mut histogram, 4_000, 6.0, 1.0);
        let level = seed_of(&histogram).unwrap();
        assert!((f64::from(level) / 100.0 - 3.231).abs() < 0.05, "{level}");
        // 0.8 N(0, 1) against 0.2 N(8, 2): scipy.optimize.brentq(lambda t: .8*norm.pdf(t) - .2*norm.pdf(t, 8, 2), 0, 8) = 3.163.
        let mut histogram = normal(16_000, 0.0, 1.0);
        add_normal(&mut histogram, 4_000, 8.0, 2.0);
        let level = seed_of(&histogram).unwrap();
        assert!((f64::from(level) / 100.0 - 3.163).abs() < 0.1, "{level}");
    }

    #[test]
    fn rare_change_is_refused() {
        let reason = seed_of(&with(normal(20_000, 0.0, 1.0), 40, 12.0)).unwrap_err();
        assert!(reason.contains("rare"), "{reason}");
    }

    #[test]
    fn one_law_is_not_cut() {
        assert!(seed_of(&normal(20_000, 0.0, 1.0)).unwrap_err().contains("minimum"));
        assert!(seed_of(&normal(20_000, 2.0, 3.0)).unwrap_err().contains("minimum"));
        assert!(
            seed_of(&with(Histogram::default(), 50, 3.0))
                .unwrap_err()
                .contains("equal")
        );
    }

    #[test]
    fn a_cut_inside_no_change_is_refused() {
        let mut near = normal(10_000, -1.0, 0.2);
        add_normal(&mut near, 10_000, 1.0, 0.2);
        assert!(seed_of(&near).unwrap_err().contains("no change"));
    }
}
