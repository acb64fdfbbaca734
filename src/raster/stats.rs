//! Integer statistics of scores, and order statistics of samples.

/// Scores are stored in hundredths of sigma: what decides is an integer.
pub const SCORE_SCALE: f64 = 0.01;
/// The stored score of a pixel that was not judged.
pub const SCORE_NODATA: i16 = i16::MIN;

/// The stored form of a score in sigma: rounded half away from zero, held inside +-327.67.
#[inline(always)]
pub fn quantise(sigma: f64) -> i16 {
    (sigma / SCORE_SCALE).round().clamp(-32767.0, 32767.0) as i16
}

/// How often each stored score occurs: a count for each hundredth of sigma.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; 1 << 16],
            total: 0,
        }
    }
}

impl Histogram {
    /// Counts one stored score; [`SCORE_NODATA`] is passed over.
    pub fn add(&mut self, score: i16) {
        if score != SCORE_NODATA {
            self.counts[(i32::from(score) + 32768) as usize] += 1;
            self.total += 1;
        }
    }

    /// Counts `new` in the place of `old`, which was counted; [`SCORE_NODATA`] is passed over.
    pub fn replace(&mut self, old: i16, new: i16) {
        if old != SCORE_NODATA && self.count(old) > 0 {
            self.counts[(i32::from(old) + 32768) as usize] -= 1;
            self.total -= 1;
        }
        self.add(new);
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
        self.total += other.total;
    }

    /// Scores counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Pixels with exactly this stored score.
    pub fn count(&self, score: i16) -> u64 {
        self.counts[(i32::from(score) + 32768) as usize]
    }

    /// Stored scores that occur, ascending, each with its count.
    pub fn occupied(&self) -> impl DoubleEndedIterator<Item = (i16, u64)> + '_ {
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0)
            .map(|(i, n)| ((i as i32 - 32768) as i16, *n))
    }

    /// The lowest stored score at or below which at least the fraction `q` of the pixels lies; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<i16> {
        let wanted = (q * self.total as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        self.occupied()
            .find(|(_, n)| {
                below += n;
                below >= wanted
            })
            .map(|(score, _)| score)
    }
}

/// The median of `values` (the mean of the middle two when even in number), which are reordered; `None` when empty.
pub fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let (middle, odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = if odd {
        *upper
    } else {
        below.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    };
    Some((lower + *upper) / 2.0)
}

/// 1 / Phi^-1(3/4): turns a median absolute deviation into a standard deviation of a normal distribution.
pub const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// Median and 1.4826 x median absolute deviation of `values`, which are overwritten; `None` when empty.
pub fn median_and_sigma(values: &mut [f64]) -> Option<(f64, f64)> {
    let centre = median(values)?;
    values.iter_mut().for_each(|v| *v = (*v - centre).abs());
    Some((centre, MAD_TO_SIGMA * median(values)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_samples() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
        let (centre, sigma) = median_and_sigma(&mut [1.0, 2.0, 3.0, 4.0, 100.0]).unwrap();
        assert_eq!((centre, sigma), (3.0, MAD_TO_SIGMA));
    }

    #[test]
    fn a_histogram_forgets_nothing_but_order() {
        let (mut a, mut b) = (Histogram::default(), Histogram::default());
        [5, -32767, 32767, 5, SCORE_NODATA].iter().for_each(|s| a.add(*s));
        [7].iter().for_each(|s| b.add(*s));
        a.merge(&b);
        assert_eq!(a.total(), 5);
        assert_eq!(
            a.occupied().collect::<Vec<_>>(),
            [(-32767, 1), (5, 2), (7, 1), (32767, 1)]
        );
        assert_eq!(a.quantile(0.5), Some(5));
        assert_eq!(a.quantile(1.0), Some(32767));
        let before = a.clone();
        a.replace(5, -8);
        a.replace(SCORE_NODATA, SCORE_NODATA);
        assert_eq!((a.count(5), a.count(-8), a.total()), (1, 1, 5));
        a.replace(-8, 5);
        assert_eq!(a, before);
    }

    #[test]
    fn scores_are_held_inside_their_range() {
        assert_eq!(quantise(1.234), 123);
        assert_eq!(quantise(1e9), 32767);
        assert_eq!(quantise(-1e9), -32767);
    }
}
