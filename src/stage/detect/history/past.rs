//! A pixel's series, what its past makes expected, and how the pixel scatters around that.

use super::harmonic::{self, Model};
use crate::raster::stats::{MAD_TO_SIGMA, median, median_and_sigma};

/// Past observations without which a pixel is not judged: the fewest of which a median leaves one out.
pub const MIN_PAST: usize = 3;
/// A median absolute deviation knows as much of the variance as this part of the observations does by their squares (Rousseeuw and
/// Croux, "Alternatives to the median absolute deviation", 1993: 37 percent efficient).
const MAD_EFFICIENCY: f64 = 0.37;
/// Factors on the median absolute deviation of 2 to 9 observations (Croux and Rousseeuw, "Time-efficient algorithms for two highly
/// robust estimators of scale", 1992); n / (n - 0.8) beyond.
const FEW: [f64; 8] = [1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107];
/// Variance of a median of normal observations, in units of that of their mean.
const MEDIAN_VARIANCE: f64 = core::f64::consts::FRAC_PI_2;
/// Rounds of weighing down what lies off the yearly course.
const ROBUST_ROUNDS: usize = 3;
/// Rounds of fitting a line and leaving out what lies off it by more than [`OFF_LINE`] standard deviations.
const LINE_ROUNDS: usize = 5;
const OFF_LINE: f64 = 3.0;
/// A deviation counts for no more than this many sigma when correlations are taken.
const CORRELATION_CAP: f64 = 3.0;

/// The clear observations of one pixel, oldest first.
pub struct Series {
    /// Their places among the dates.
    pub places: Vec<usize>,
    /// Their days.
    pub days: Vec<f64>,
    /// Their values, by band.
    pub bands: Vec<Vec<f64>>,
}

/// What a pixel's past is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its median.
    Level,
    /// Its yearly course.
    Yearly,
}

/// What a pixel is expected to show.
pub enum Shape {
    /// The same on every date, by band.
    Level(Vec<f64>),
    /// A yearly course.
    Yearly(Box<Model>),
}

/// A pixel's past.
pub struct Past {
    /// What it was taken for.
    pub kind: Kind,
    /// What it makes expected.
    pub shape: Shape,
    /// Observations.
    pub n: usize,
    /// By band: own variance over that of the dates.
    pub ratio: Vec<f64>,
    /// What that rests on, degrees of freedom.
    pub degrees: f64,
    /// By band: mean variance of its dates.
    pub usual: Vec<f64>,
}

impl Series {
    /// Coefficients of the yearly course that the first `upto` observations pay for.
    pub fn coefficients(&self, upto: usize) -> Option<usize> {
        let days = self.days.get(..upto)?;
        harmonic::size(upto, days.last()? - days.first()?)
    }

    /// What the first `upto` observations make expected; `None` when they do not pay for it.
    pub fn shape(&self, upto: usize, kind: Kind) -> Option<Shape> {
        if upto < MIN_PAST {
            return None;
        }
        let mut bands: Vec<Vec<f64>> = self.bands.iter().map(|values| values[..upto].to_vec()).collect();
        if kind == Kind::Level {
            return bands
                .iter_mut()
                .map(|values| median(values))
                .collect::<Option<_>>()
                .map(Shape::Level);
        }
        let used = self.coefficients(upto)?;
        harmonic::fit_robust(&self.days[..upto], &bands, used, ROBUST_ROUNDS)
            .map(|model| Shape::Yearly(Box::new(model)))
    }

    /// The first `upto` observations as a past; `variance` is that of a date by (place, band, expected value).
    pub fn past(&self, upto: usize, kind: Kind, variance: impl Fn(usize, usize, f64) -> f64) -> Option<Past> {
        let shape = self.shape(upto, kind)?;
        let (mut sizes, mut usual) = (
            vec![Vec::with_capacity(upto); self.bands.len()],
            vec![0.0; self.bands.len()],
        );
        for at in 0..upto {
            for (band, expected) in shape.expected(self.days[at]).into_iter().enumerate() {
                let variance = variance(self.places[at], band, expected);
                usual[band] += variance / upto as f64;
                sizes[band].push((self.bands[band][at] - expected).abs() / variance.sqrt());
            }
        }
        // A course of p coefficients can make p - 1 residuals vanish beside the one in the middle: the spread is that of the others.
        let (used, factor) = match &shape {
            Shape::Level(_) => (
                1,
                FEW.get(upto - 2).copied().unwrap_or(upto as f64 / (upto as f64 - 0.8)),
            ),
            Shape::Yearly(model) => (model.used, 1.0),
        };
        let own = |sizes: &mut Vec<f64>| {
            sizes.sort_by(f64::total_cmp);
            let sigma = factor * MAD_TO_SIGMA * median(&mut sizes[used - 1..]).unwrap_or(0.0);
            sigma * sigma
        };
        Some(Past {
            kind,
            n: upto,
            ratio: sizes.iter_mut().map(own).collect(),
            degrees: MAD_EFFICIENCY * (upto - used) as f64,
            usual,
            shape,
        })
    }
}

impl Shape {
    /// What is expected on a day, by band.
    pub fn expected(&self, day: f64) -> Vec<f64> {
        match self {
            Self::Level(level) => level.clone(),
            Self::Yearly(model) => model.predict(day).collect(),
        }
    }

    /// Variance of what is expected on a day, in units of that of one of the `n` observations behind it.
    pub fn lever(&self, n: usize, day: f64) -> f64 {
        match self {
            Self::Level(_) => MEDIAN_VARIANCE / n as f64,
            Self::Yearly(model) => model.leverage(day),
        }
    }
}

/// Gain and offset of the line through `pairs` of (x, y) without what lies far off it, the gain inside `bounds`; by a plain
/// regression on x, which here is a median of dates with little noise of its own.
pub fn line(pairs: &[(f64, f64)], bounds: (f64, f64)) -> (f64, f64) {
    let rest = |gain: f64| -> Vec<f64> { pairs.iter().map(|(x, y)| y - gain * x).collect() };
    let mut gain = 1.0_f64.clamp(bounds.0, bounds.1);
    for _ in 0..LINE_ROUNDS {
        let left = rest(gain);
        let Some((centre, sigma)) = median_and_sigma(&mut left.clone()) else {
            break;
        };
        let near = |r: f64| (r - centre).abs() <= OFF_LINE * sigma;
        let kept = || pairs.iter().zip(&left).filter(|(_, r)| near(**r)).map(|(pair, _)| pair);
        let n = kept().count() as f64;
        let (x_mean, y_mean) = (
            kept().map(|p| p.0).sum::<f64>() / n,
            kept().map(|p| p.1).sum::<f64>() / n,
        );
        let xx: f64 = kept().map(|p| (p.0 - x_mean) * (p.0 - x_mean)).sum();
        let xy: f64 = kept().map(|p| (p.0 - x_mean) * (p.1 - y_mean)).sum();
        if xx.is_nan() || xx <= 0.0 {
            break;
        }
        gain = (xy / xx).clamp(bounds.0, bounds.1);
    }
    (gain, median(&mut rest(gain)).unwrap_or(0.0))
}

/// How much of the earlier deviation is found again in the later one, and the part of the spread that is left, of `pairs` of
/// (earlier, later).
pub fn memory(pairs: &[(f64, f64)]) -> (f64, f64) {
    let spread = |kept: f64| {
        let mut left: Vec<f64> = pairs.iter().map(|(earlier, later)| later - kept * earlier).collect();
        median_and_sigma(&mut left).map_or(0.0, |(_, sigma)| sigma)
    };
    let (kept, _) = line(pairs, (0.0, 1.0));
    let (before, after) = (spread(0.0), spread(kept));
    if after > 0.0 && after < before {
        (kept, after / before)
    } else {
        (0.0, 1.0)
    }
}

/// The normal value that is as far out as `t` is for Student's distribution (Wallace, "Bounds on normal approximations to Student's and the
/// chi-square distributions", 1959; good to 2 percent from 6 degrees on).
pub fn student_to_normal(t: f64, degrees: f64) -> f64 {
    let z = (degrees * libm::log1p(t * t / degrees)).sqrt() * (8.0 * degrees + 1.0) / (8.0 * degrees + 3.0);
    z.copysign(t)
}

/// How many of the `bands` deviate independently: `B^2 / sum of squared correlations`, rounded (Satterthwaite, "An approximate
/// distribution of estimates of variance components", 1946).
pub fn independent(deviations: &[Vec<f64>], bands: usize) -> usize {
    let held = |z: f64| z.clamp(-CORRELATION_CAP, CORRELATION_CAP);
    let product = |a: usize, b: usize| -> f64 { deviations.iter().map(|z| held(z[a]) * held(z[b])).sum() };
    let mut sum = 0.0;
    for a in 0..bands {
        for b in 0..bands {
            let (ab, aa, bb) = (product(a, b), product(a, a), product(b, b));
            sum += if a == b {
                1.0
            } else if aa > 0.0 && bb > 0.0 {
                ab * ab / (aa * bb)
            } else {
                0.0
            };
        }
    }
    ((bands * bands) as f64 / f64::max(sum, 1.0)).round().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_law_is_that_of_scipy() {
        // scipy.stats.norm.isf(scipy.stats.t.sf([2, 5, 20], 8))
        for (t, z) in [(2.0, 1.7477), (5.0, 3.2760), (20.0, 5.4876)] {
            let found = student_to_normal(t, 8.0);
            assert!((found / z - 1.0).abs() < 0.02, "{t}: {found}");
        }
        assert_eq!(student_to_normal(-2.0, 8.0), -student_to_normal(2.0, 8.0));
    }

    #[test]
    fn a_line_leaves_out_what_lies_off_it() {
        let pairs: Vec<(f64, f64)> = (0..200)
            .map(|i| {
                (
                    f64::from(i),
                    if i % 10 == 0 {
                        900.0
                    } else {
                        0.5 * f64::from(i) + 3.0 + f64::from(i % 3)
                    },
                )
            })
            .collect();
        let (gain, offset) = line(&pairs, (0.2, 5.0));
        assert!(
            (gain - 0.5).abs() < 0.01 && (offset - 4.0).abs() < 1.0,
            "{gain}, {offset}"
        );
        assert_eq!(line(&[], (0.2, 5.0)), (1.0, 0.0));
        assert_eq!(line(&[(1.0, 3.0); 5], (0.2, 5.0)), (1.0, 2.0));
    }

    #[test]
    fn what_is_found_again_is_taken_off() {
        // Two waves of incommensurate periods, uncorrelated.
        let wave = |i: i32, period: f64| libm::sin(2.0 * core::f64::consts::PI * f64::from(i) / period);
        let pairs: Vec<(f64, f64)> = (0..1000)
            .map(|i| (wave(i, 7.3), 0.8 * wave(i, 7.3) + 0.6 * wave(i, 11.9)))
            .collect();
        let (kept, left) = memory(&pairs);
        assert!((kept - 0.8).abs() < 0.05 && left < 0.85, "{kept}, {left}");
        assert_eq!(memory(&[]), (0.0, 1.0));
    }

    #[test]
    fn bands_that_go_together_count_once() {
        let z: Vec<Vec<f64>> = (0..100)
            .map(|i| vec![f64::from(i % 7) - 3.0, f64::from(i % 5) - 2.0])
            .collect();
        assert_eq!(independent(&z, 2), 2);
        let same: Vec<Vec<f64>> = z.iter().map(|z| vec![z[0]; 3]).collect();
        assert_eq!(independent(&same, 3), 1);
        assert_eq!(independent(&[], 2), 2);
    }

    #[test]
    fn the_spread_of_few_observations_is_not_too_small() {
        let series = Series {
            places: (0..5).collect(),
            days: (0..5).map(f64::from).collect(),
            bands: vec![vec![1.0, 2.0, 3.0, 4.0, 9.0]],
        };
        let past = series.past(4, Kind::Level, |_, _, _| 4.0).unwrap();
        // Median 2.5, deviations 1.5, 0.5, 0.5, 1.5 over 2: their median 0.5.
        let sigma = FEW[2] * MAD_TO_SIGMA * 0.5;
        assert!((past.ratio[0] - sigma * sigma).abs() < 1e-12 && past.usual == [4.0]);
        assert!(series.past(2, Kind::Level, |_, _, _| 1.0).is_none() && series.shape(5, Kind::Yearly).is_none());
    }
}
