//! Rosin's corner ("Unimodal thresholding", Pattern Recognition 2001): the histogram of one heap with a long tail is cut where it
//! is farthest from the straight line between its peak and its end.

use super::null::Null;
use crate::raster::stats::Histogram;

/// Width of a bin, hundredths of sigma: single hundredths are too few pixels to have a shape.
const BIN: i32 = 10;
/// A tail shorter than this, in bins, has no corner.
const MIN_BINS: usize = 10;

/// The corner, as a stored score.
///
/// Distance to the line is compared downwards: it is in a fixed ratio to the distance across, so neither axis has a unit.
///
/// # Errors
/// The reason, when there is no tail above the peak, or when the null distribution explains most of what lies above the corner.
pub fn seed(scores: &Histogram, null: &Null) -> Result<i16, String> {
    let counts = binned(scores);
    let peak = (0..counts.len()).rev().max_by_key(|i| counts[*i]).unwrap_or(0);
    let tail = &counts[peak.min(counts.len())..];
    if tail.len() < MIN_BINS {
        return Err(format!(
            "the tail above the peak is {} sigma long, expected at least {}",
            tail.len() as f64 * f64::from(BIN) / 100.0,
            MIN_BINS as f64 * f64::from(BIN) / 100.0
        ));
    }
    let (first, last) = (tail[0] as f64, tail[tail.len() - 1] as f64);
    let slope = (last - first) / (tail.len() - 1) as f64;
    let mut corner = (0.0, 0);
    for (i, n) in tail.iter().enumerate() {
        let under = first + slope * i as f64 - *n as f64;
        if under > corner.0 {
            corner = (under, i);
        }
    }
    let lowest = scores.occupied().next().map_or(0, |(score, _)| i32::from(score));
    let level = lowest + BIN * (peak + corner.1) as i32;
    super::plausible::unlike_no_change(scores, null, level.clamp(-32767, 32767) as i16)
}

/// Pixels in bins of [`BIN`], from the lowest score that occurs to the highest.
fn binned(scores: &Histogram) -> Vec<u64> {
    let mut counts: Vec<u64> = Vec::new();
    let mut lowest = None;
    for (score, n) in scores.occupied() {
        let score = i32::from(score);
        let bin = ((score - *lowest.get_or_insert(score)) / BIN) as usize;
        counts.resize(bin + 1, 0);
        counts[bin] += n;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exponential, normal, with};
    use super::*;

    fn seed_of(histogram: &Histogram) -> Result<i16, String> {
        seed(histogram, &Null::fit(histogram).unwrap())
    }

    #[test]
    fn the_corner_of_two_straight_lines_is_their_meeting() {
        // Counts fall from 1000 at 0 to 40 at bin 32, then by one a bin to 1: the corner is at 320.
        let mut histogram = Histogram::default();
        let mut put = |bin: i32, n: i32| (0..n).for_each(|_| histogram.add((bin * BIN) as i16));
        (0..=32).for_each(|bin| put(bin, 1000 - 30 * bin));
        (33..=72).for_each(|bin| put(bin, 73 - bin));
        let level = seed(
            &histogram,
            &Null {
                centre: 0.0,
                scale: 1.0,
                fraction: 0.9,
            },
        )
        .unwrap();
        assert_eq!(level, 320);
    }

    #[test]
    fn the_corner_of_no_change_with_a_tail_lies_at_its_foot() {
        let mut histogram = normal(20_000, 0.0, 1.0);
        exponential(&mut histogram, 1_000, 3.0, 2.0);
        let level = seed_of(&histogram).unwrap();
        assert!((200..400).contains(&level), "{level}");
    }

    #[test]
    fn no_tail_and_a_normal_tail_are_refused() {
        assert!(
            seed_of(&with(Histogram::default(), 50, 3.0))
                .unwrap_err()
                .contains("long")
        );
        assert!(seed_of(&normal(20_000, 0.0, 1.0)).unwrap_err().contains("no change"));
    }
}
