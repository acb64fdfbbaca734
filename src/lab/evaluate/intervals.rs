//! 95 % intervals: exact ones of counts and of parts, and by drawing blocks again.

use crate::stage::distributions::{beta_part, chi_square_tail};
use crate::stage::random::SplitMix;

/// Probability on each side of an interval.
const TAIL: f64 = 0.025;
/// How often blocks are drawn anew.
const REPLICATES: usize = 1000;
/// Fewer blocks say too little of the spread between them.
pub const FEWEST_BLOCKS: usize = 10;

/// The interval of the mean of a Poisson count: Garwood, "Fiducial limits for the Poisson distribution", 1936.
pub fn poisson(count: u64) -> [f64; 2] {
    let wide = |count: f64| 60.0 + 2.0 * count + 20.0 * count.sqrt();
    // Half of the chi-square value of 2 `shape` degrees of freedom that is exceeded with probability `tail`.
    let limit = |shape: u64, tail: f64| {
        let exceeds = |x: f64| chi_square_tail(x, 2 * shape as usize) > tail;
        0.5 * border(0.0, wide(2.0 * shape as f64), exceeds)
    };
    let low = if count == 0 { 0.0 } else { limit(count, 1.0 - TAIL) };
    [low, limit(count + 1, TAIL)]
}

/// The interval of the probability behind `hits` of `n`; `None` of nothing. Clopper and Pearson, "The use of confidence or
/// fiducial limits illustrated in the case of the binomial", 1934.
pub fn binomial(hits: u64, n: u64) -> Option<[f64; 2]> {
    let (k, rest) = (hits as f64, n.checked_sub(hits)? as f64);
    let low = match hits {
        0 => 0.0,
        _ => border(0.0, 1.0, |p| beta_part(p, k, rest + 1.0) < TAIL),
    };
    let high = match hits == n {
        true => 1.0,
        false => border(0.0, 1.0, |p| beta_part(p, k + 1.0, rest) < 1.0 - TAIL),
    };
    (n > 0).then_some([low, high])
}

/// The place between `low` and `high` up to which `holds`, by halving.
fn border(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Draws of block numbers, with replacement: the bootstrap (Efron, 1979) over blocks, because pixels beside each other are no
/// independent witnesses. The draws depend on the number of blocks alone.
pub struct Replicates {
    blocks: usize,
    left: usize,
    random: SplitMix,
}

impl Replicates {
    /// Draws of `blocks`; `None` where they are fewer than [`FEWEST_BLOCKS`].
    pub fn of(blocks: usize) -> Option<Self> {
        (blocks >= FEWEST_BLOCKS).then_some(Self {
            blocks,
            left: REPLICATES,
            random: SplitMix(1979),
        })
    }
}

impl Iterator for Replicates {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        self.left = self.left.checked_sub(1)?;
        // The upper 32 bits as a fraction of all blocks.
        let mut draw = || (((self.random.draw() >> 32) * self.blocks as u64) >> 32) as usize;
        Some((0..self.blocks).map(|_| draw()).collect())
    }
}

/// The 2.5 and 97.5 percent points of `values`, between the two nearest in proportion; `None` of fewer than half of the draws:
/// where a figure seldom exists, it has no interval.
pub fn percentiles(mut values: Vec<f64>) -> Option<[f64; 2]> {
    if 2 * values.len() < REPLICATES {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let point = |part: f64| {
        let at = part * (values.len() - 1) as f64;
        let below = values.get(at as usize)?;
        let above = values.get(at as usize + 1).unwrap_or(below);
        Some(below + (above - below) * at.fract())
    };
    Some([point(TAIL)?, point(1.0 - TAIL)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: [f64; 2], expected: [f64; 2]) {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() <= 1e-9 * (1.0 + b), "{found:?}, expected {expected:?}");
        }
    }

    #[test]
    fn counts_have_the_limits_of_garwood() {
        // scipy 1.17.1: chi2.ppf(0.025, 2 * k) / 2, chi2.ppf(0.975, 2 * k + 2) / 2
        near(poisson(0), [0.0, 3.6888794541139354]);
        near(poisson(1), [0.025317807984289876, 5.571643390938898]);
        near(poisson(3), [0.6186721228956014, 8.767273069742323]);
        near(poisson(12), [6.200575108722218, 20.96158504817696]);
        near(poisson(240), [210.594328093381, 272.3626254288974]);
        near(poisson(3000), [2893.5986209846633, 3109.313530471967]);
        near(poisson(80000), [79446.58623032458, 80556.31153860594]);
    }

    #[test]
    fn parts_have_the_limits_of_clopper_and_pearson() {
        // scipy 1.17.1: beta.ppf(0.025, k, n - k + 1), beta.ppf(0.975, k + 1, n - k)
        near(binomial(0, 8).unwrap(), [0.0, 0.3694166475528192]);
        near(binomial(8, 8).unwrap(), [0.6305833524471807, 1.0]);
        near(binomial(3, 11).unwrap(), [0.06021773417290665, 0.6097425595724212]);
        near(binomial(57, 60).unwrap(), [0.8607567532789272, 0.9895676703556517]);
        near(binomial(412, 1003).unwrap(), [0.3801227367615524, 0.4419379741896375]);
        near(
            binomial(3, 50000).unwrap(),
            [1.2373613379830209e-05, 0.0001753353489979278],
        );
        assert_eq!(binomial(0, 0), None);
    }

    #[test]
    fn percentiles_lie_where_numpy_has_them() {
        // numpy: percentile(arange(1000) ** 2, [2.5, 97.5])
        let squares = (0..1000).rev().map(|i| f64::from(i * i)).collect();
        near(percentiles(squares).unwrap(), [623.775, 948724.725]);
        assert_eq!(percentiles(vec![1.0; 499]), None);
    }

    #[test]
    fn every_block_is_drawn_about_as_often_as_every_other() {
        let mut counts = [0_i64; 10];
        for drawn in Replicates::of(10).unwrap() {
            assert_eq!(drawn.len(), 10);
            drawn.iter().for_each(|block| counts[*block] += 1);
        }
        // Binomial: 1000 expected, standard deviation 30.
        assert!(counts.iter().all(|n| (n - 1000).abs() < 120), "{counts:?}");
        assert!(Replicates::of(FEWEST_BLOCKS - 1).is_none());
    }
}
