//! False discovery rate over the null distribution (Benjamini and Hochberg, "Controlling the false discovery rate", 1995),
//! exactly, from the integer histogram.

use super::null::Null;
use crate::raster::stats::{Histogram, SCORE_SCALE};

/// The lowest stored score at which the expected share of false pixels among those at or above it is at most `rate`.
pub fn level(scores: &Histogram, null: &Null, rate: f64) -> Option<i16> {
    let mut claimed = 0;
    let mut lowest = None;
    for (score, n) in scores.occupied().rev() {
        claimed += n;
        if null.expected(scores.total(), score) <= rate * claimed as f64 {
            lowest = Some(score);
        }
    }
    // Below the centre of the null every set would do that is mostly change; none of it is told from no change there.
    lowest.filter(|score| f64::from(*score) * SCORE_SCALE > null.centre)
}

/// The lowest stored score at which a single pixel would keep the false discovery rate `rate` among `judged` ones.
pub fn lone(judged: u64, null: &Null, rate: f64) -> i16 {
    let centre = (null.centre / SCORE_SCALE).round() as i16;
    let scores: Vec<i16> = (centre..=i16::MAX).collect();
    let at = scores.partition_point(|score| null.expected(judged, *score) > rate);
    scores.get(at).copied().unwrap_or(i16::MAX)
}

/// The seed at the false discovery rate `rate`, as a stored score.
///
/// # Errors
/// The reason, when no score is so rare without change.
pub fn seed(scores: &Histogram, null: &Null, rate: f64) -> Result<i16, String> {
    level(scores, null, rate).ok_or_else(|| {
        format!(
            "no score is rare enough without change: at none are at most {} of the pixels false",
            super::plausible::percent(rate)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{normal, with};
    use super::*;

    #[test]
    fn the_level_is_that_of_benjamini_and_hochberg() {
        let histogram = with(normal(20_000, 0.0, 1.0), 300, 8.0);
        let null = Null::fit(&histogram).unwrap();
        let [seed, grow] = [0.01, 0.1].map(|rate| level(&histogram, &null, rate).unwrap());
        assert!(grow < seed);
        // By definition: expected false pixels over claimed ones stays at the rate, and one step lower it does not.
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
    }

    #[test]
    fn refuses_where_every_score_is_as_common_without_change() {
        let histogram = normal(500, 0.0, 1.0);
        let reason = seed(&histogram, &Null::fit(&histogram).unwrap(), 0.01).unwrap_err();
        assert!(reason.contains("1 %"), "{reason}");
    }
}
