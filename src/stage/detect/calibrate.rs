//! From a statistic to sigma of no-change noise: its own centre and lower spread over the training sample.
//!
//! Change only adds to the upper side, so the half below the median gives the spread; but never a finer one than the noise itself has.

use crate::raster::stats::quantise;

/// The quartile of the standard normal distribution.
pub const QUARTILE: f64 = 0.674_489_750_196_081_7;
/// Rounds of cutting off the tail above [`TAIL`] standard deviations and taking centre and scale anew.
const ROUNDS: usize = 6;
const TAIL: f64 = 3.0;

/// Where a statistic lies without change, and how far it scatters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Its median.
    pub centre: f64,
    /// Its spread below the median, as a standard deviation.
    pub scale: f64,
}

impl Calibration {
    /// What leaves a statistic as it is.
    pub const NONE: Self = Self {
        centre: 0.0,
        scale: 1.0,
    };

    /// The calibration by `statistics`, which are sorted; neither centre nor scale falls below what the noise alone gives.
    pub fn fit(statistics: &mut [f64], least_centre: f64, least_scale: f64) -> Self {
        statistics.sort_by(f64::total_cmp);
        let (mut centre, mut scale) = (least_centre, least_scale);
        let mut kept = statistics.len();
        for _ in 0..ROUNDS {
            let Some((low, middle)) = statistics.get(kept / 4).zip(statistics.get(kept / 2)) else {
                break;
            };
            centre = *middle;
            scale = ((middle - low) / QUARTILE).max(1e-6);
            let within = statistics.partition_point(|u| *u <= centre + TAIL * scale);
            if within == kept {
                break;
            }
            kept = within;
        }
        Self {
            centre: centre.max(least_centre),
            scale: scale.max(least_scale),
        }
    }

    /// The stored score of a statistic: hundredths of sigma.
    #[inline(always)]
    pub fn stored(&self, statistic: f64) -> i16 {
        quantise((statistic - self.centre) / self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_on_the_upper_side_moves_neither_centre_nor_scale_much() {
        // Quantiles of a uniform distribution on [-1, 1]: median 0, quartile -0.5.
        let mut all: Vec<f64> = (0..1000).map(|i| f64::from(i) / 500.0 - 1.0).collect();
        all.extend([50.0; 30]);
        let found = Calibration::fit(&mut all, -1.0, 0.1);
        assert!(
            found.centre.abs() < 0.02 && (found.scale - 0.5 / QUARTILE).abs() < 0.02,
            "{found:?}"
        );
        assert_eq!(found.stored(found.centre + 2.0 * found.scale), 200);
    }

    #[test]
    fn quiet_statistics_are_not_read_more_finely_than_the_noise_lets_them() {
        let found = Calibration::fit(&mut [0.0; 20], 0.3, 0.2);
        assert_eq!((found.centre, found.scale), (0.3, 0.2));
        assert_eq!(
            Calibration::fit(&mut [], 0.3, 0.2),
            Calibration {
                centre: 0.3,
                scale: 0.2
            }
        );
    }
}
