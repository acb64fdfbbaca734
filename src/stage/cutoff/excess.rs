//! The unusual among what is too strong for no change.
//!
//! On real scenes much more than the wanted change exceeds the noise: season, growth, harvest, shadows. It shows as a tail of the
//! histogram, common to the scene. The foot of the tail is the level at which the null distribution leaves the false discovery
//! rate `grow_fdr`. The mean height `e` of an exponential tail above its foot is its standard deviation, and is its median over
//! `ln 2`; the larger of both counts. The level is
//!
//! `foot + 2 e`,
//!
//! which leaves one in seven of such a tail; but no higher than half of the highest score, where the edge of a smoothed plateau
//! lies. The rule is ours; it is measured, not derived: see docs/accuracy.md.

use super::fdr;
use super::null::Null;
use super::plausible::{at_or_above, percent};
use crate::raster::stats::{Histogram, SCORE_SCALE};

/// How many mean heights of the tail the level lies above its foot.
const HEIGHTS: f64 = 2.0;
/// What was changed evenly is a plateau, and smoothing puts its edge at half of its height.
const EDGE: f64 = 0.5;
/// What is beyond no change on a smaller part of the pixels is not common to the scene.
const MIN_COMMON: f64 = 0.05;
/// Fewer pixels than these have no tail to speak of.
const MIN_PIXELS: u64 = 100;

/// The level, as a stored score; never below that of the false discovery rate `seed_fdr`.
///
/// # Errors
/// The reason, when too few pixels are beyond no change, when that is rare in the scene, or when they are a heap apart.
pub fn seed(scores: &Histogram, null: &Null, grow_fdr: f64, seed_fdr: f64) -> Result<i16, String> {
    let foot = fdr::seed(scores, null, grow_fdr)?;
    let significant = fdr::seed(scores, null, seed_fdr)?;
    let beyond = at_or_above(scores, foot);
    if beyond < MIN_PIXELS {
        return Err(format!(
            "{beyond} pixels lie beyond no change, expected at least {MIN_PIXELS}"
        ));
    }
    let share = beyond as f64 / scores.total() as f64;
    if share < MIN_COMMON {
        return Err(format!(
            "{} of the pixels lie beyond no change, expected at least {}: what changed there is not common to the scene",
            percent(share),
            percent(MIN_COMMON)
        ));
    }
    if is_heap(scores, null, foot) {
        return Err("the scores beyond no change are a heap of their own, not a tail".into());
    }
    // Heights above the foot in hundredths of sigma. Whole numbers: the order of counting cannot show.
    let (mut above, mut sum, mut squares, mut median) = (0, 0, 0, 0);
    for (score, n) in scores.occupied().rev().take_while(|(score, _)| *score >= foot) {
        let (height, n) = (i128::from(score) - i128::from(foot), i128::from(n));
        if 2 * above < i128::from(beyond) {
            median = height;
        }
        above += n;
        sum += n * height;
        squares += n * height * height;
    }
    let n = beyond as f64;
    let variance = (i128::from(beyond) * squares - sum * sum) as f64 / (n * n);
    let by_median = median as f64 / std::f64::consts::LN_2;
    let mean_height = variance.sqrt().max(by_median);
    let level = f64::from(foot) + (HEIGHTS * mean_height).round();
    let highest = scores.occupied().next_back().map_or(foot, |(score, _)| score);
    let level = level.min((EDGE * f64::from(highest)).round());
    Ok(significant.max(level as i16))
}

/// A bin is higher than that at the foot from this ratio, and from this many standard deviations of the counts, on.
const HIGHER_RATIO: f64 = 1.25;
const HIGHER_SIGMA: f64 = 5.0;

/// Whether the counts at or above `foot`, in bins of half a scale of no change, are highest elsewhere than at the foot.
fn is_heap(scores: &Histogram, null: &Null, foot: i16) -> bool {
    let width = (0.5 * null.scale / SCORE_SCALE).round().max(1.0) as i32;
    let mut counts: Vec<u64> = Vec::new();
    for (score, n) in scores.occupied().filter(|(score, _)| *score >= foot) {
        let bin = ((i32::from(score) - i32::from(foot)) / width) as usize;
        counts.resize(bin + 1, 0);
        counts[bin] += n;
    }
    let first = counts.first().map_or(0.0, |n| *n as f64);
    let highest = counts.iter().max().map_or(0.0, |n| *n as f64);
    highest > HIGHER_RATIO * first + HIGHER_SIGMA * (highest + first).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{add_normal, exponential, normal, with};
    use super::*;

    fn seed_of(histogram: &Histogram) -> Result<i16, String> {
        seed(histogram, &Null::fit(histogram).unwrap(), 0.1, 0.01)
    }

    #[test]
    fn above_an_exponential_tail_the_level_is_twice_its_mean_height() {
        let mut histogram = normal(40_000, 0.0, 1.0);
        exponential(&mut histogram, 6_000, 1.5, 2.0);
        let null = Null::fit(&histogram).unwrap();
        let foot = fdr::level(&histogram, &null, 0.1).unwrap();
        let level = seed_of(&histogram).unwrap();
        let expected = 4.0;
        assert!(
            (f64::from(level - foot) / 100.0 / expected - 1.0).abs() < 0.1,
            "{foot} {level} {expected}"
        );
    }

    #[test]
    fn refuses_where_nothing_is_beyond_no_change() {
        assert!(seed_of(&normal(500, 0.0, 1.0)).unwrap_err().contains("rare enough"));
        let few = with(normal(20_000, 0.0, 1.0), 10, 8.0);
        assert!(seed_of(&few).unwrap_err().contains("expected at least 100"));
        let rare = with(normal(20_000, 0.0, 1.0), 300, 8.0);
        assert!(seed_of(&rare).unwrap_err().contains("not common to the scene"));
    }

    #[test]
    fn refuses_a_heap_apart() {
        let mut histogram = normal(20_000, 0.0, 1.0);
        add_normal(&mut histogram, 2_000, 9.0, 1.0);
        assert!(seed_of(&histogram).unwrap_err().contains("heap"));
    }

    #[test]
    fn a_plateau_is_claimed_up_to_its_edge() {
        // Ever fewer scores from 3 to 20 sigma: two mean heights above the foot would be 13.
        let mut histogram = normal(20_000, 0.0, 1.0);
        for step in 0..=170_i16 {
            (0..(180 - step) / 10).for_each(|_| histogram.add(300 + 10 * step));
        }
        assert_eq!(seed_of(&histogram), Ok(1000));
    }
}
