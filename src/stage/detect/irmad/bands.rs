//! Which bands are no use to a transform that inverts their covariance.

use nalgebra::DMatrix;
use nalgebra::linalg::SymmetricEigen;

use super::mad::Moments;

/// Why a band takes no part.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Useless {
    /// It is constant on one of the dates.
    #[error("it is constant on one of the dates")]
    Constant,
    /// On one of the dates it repeats an earlier band.
    #[error("on one of the dates it repeats an earlier band: they correlate by {correlation:.5}")]
    Repeats {
        /// The earlier band.
        band: usize,
        /// How they correlate.
        correlation: f64,
    },
    /// On one of the dates the bands together determine each other, and it is the one that the others give best.
    #[error("on one of the dates the other bands determine it: condition number {condition:.2e}")]
    Depends {
        /// Ratio of the greatest to the least eigenvalue of the correlations.
        condition: f64,
    },
}

/// Spread below this part of the mean is rounding of f32.
const MIN_SPREAD: f64 = 1e-6;
/// Bands that correlate more than this repeat each other (ours).
const REPEATS: f64 = 0.9999;
/// Correlations with a condition number above this leave too few digits to f64 (ours).
const WORST_CONDITION: f64 = 1e10;

/// The bands that are no use on either date, by number, ascending; without them [`super::mad::canonical`] has an answer.
pub fn useless(moments: &Moments) -> Vec<(usize, Useless)> {
    let p = moments.means.len() / 2;
    let mut found: Vec<(usize, Useless)> = Vec::new();
    let mut kept: Vec<usize> = Vec::new();
    for band in 0..p {
        let spread = |k: usize| moments.covariance[k][k].max(0.0).sqrt();
        let correlation = |first: usize, i: usize, j: usize| {
            moments.covariance[first + i][first + j] / (spread(first + i) * spread(first + j))
        };
        let constant = |first: usize| {
            let least = MIN_SPREAD * moments.means[first + band].abs();
            spread(first + band).is_nan() || spread(first + band) <= least
        };
        let strongest = |other: usize| {
            let both = [0, p].map(|first| correlation(first, other, band));
            if both[0].abs() >= both[1].abs() {
                both[0]
            } else {
                both[1]
            }
        };
        if constant(0) || constant(p) {
            found.push((band, Useless::Constant));
        } else if let Some(other) = kept.iter().find(|other| strongest(**other).abs() > REPEATS) {
            let correlation = strongest(*other);
            found.push((
                band,
                Useless::Repeats {
                    band: *other,
                    correlation,
                },
            ));
        } else {
            kept.push(band);
        }
    }
    while let Some((place, condition)) = [0, p].iter().find_map(|first| dependent(moments, *first, &kept)) {
        found.push((kept.remove(place), Useless::Depends { condition }));
    }
    found.sort_by_key(|(band, _)| *band);
    found
}

/// The place in `kept` of the band that weighs most in the worst direction of one date, if that direction is bad enough.
fn dependent(moments: &Moments, first: usize, kept: &[usize]) -> Option<(usize, f64)> {
    if kept.len() < 2 {
        return None;
    }
    let covariance = |i: usize, j: usize| moments.covariance[first + kept[i]][first + kept[j]];
    let correlations = DMatrix::from_fn(kept.len(), kept.len(), |i, j| {
        covariance(i, j) / (covariance(i, i) * covariance(j, j)).sqrt()
    });
    let eigen = SymmetricEigen::try_new(correlations, f64::EPSILON, 10_000)?;
    let (worst, least) = eigen.eigenvalues.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?;
    let greatest = eigen.eigenvalues.iter().copied().fold(0.0, f64::max);
    let condition = greatest / least.max(f64::MIN_POSITIVE);
    let weights = eigen
        .eigenvectors
        .column(worst)
        .iter()
        .map(|w| w.abs())
        .enumerate()
        .collect::<Vec<_>>();
    let place = weights
        .iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(place, _)| *place)?;
    (condition > WORST_CONDITION).then_some((place, condition))
}

#[cfg(test)]
mod tests {
    use super::super::mad::canonical;
    use super::super::mad::tests::{columns, of};
    use super::*;

    #[test]
    fn bands_of_no_use_are_named() {
        let fine = columns(3000);
        assert_eq!(useless(&of(&fine)), []);
        let mut constant = fine.clone();
        constant[4].fill(7.5);
        assert_eq!(useless(&of(&constant)), [(1, Useless::Constant)]);
        let mut repeated = fine.clone();
        repeated[5] = repeated[3].iter().map(|v| 90.0 - 0.5 * v).collect();
        let found = useless(&of(&repeated));
        assert!(
            matches!(found[..], [(2, Useless::Repeats { band: 0, correlation })] if correlation < -0.9999),
            "{found:?}"
        );
        let mut sum = fine;
        sum[2] = sum[0].iter().zip(&sum[1]).map(|(a, b)| a + b).collect();
        let found = useless(&of(&sum));
        assert!(
            matches!(found[..], [(2, Useless::Depends { condition })] if condition > 1e10),
            "{found:?}"
        );
        assert!(canonical(&of(&repeated), 0.0).is_none_or(|mad| mad.rho.iter().all(|rho| rho.is_finite())));
    }
}
