//! Radiometric normalisation: gain and offset of each band on ground that did not change, and the noise that is left.
//!
//! Pixels are chosen and fitted in turn: those whose residual over all bands is least count as unchanged, the line through
//! them gives the next residual. The line is the reduced major axis (gain = ratio of standard deviations), which treats both
//! dates alike (Kermack and Haldane, "Organic correlation and allometry", 1950; for imagery Schott, Salvaggio and Volchok, 1988).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raster::stats::{median, median_and_sigma};

/// `[normalise]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormaliseParams {
    /// How unchanged ground is found and fitted.
    pub method: Method,
    /// The least changed part of the pixels, on which gain and offset are fitted.
    #[schemars(range(min = 0.05, max = 1.0))]
    pub keep_fraction: f64,
    /// Rounds of fitting and choosing anew.
    #[schemars(range(min = 1, max = 100))]
    pub max_iterations: usize,
    /// Fewer pixels than this: the pair is not compared.
    #[schemars(range(min = 10, max = 1_000_000_000), extend("unit" = "pixels"))]
    pub min_pixels: usize,
}

/// How unchanged ground is found and fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// [`fit`]: the least changed part of the pixels, and the reduced major axis through them.
    Robust,
    /// [`super::invariant`]: the pixels that IR-MAD holds for unchanged, and orthogonal regression; `robust` where that refuses.
    Invariant,
}

impl Method {
    /// The word that names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Robust => "robust",
            Self::Invariant => "invariant",
        }
    }
}

/// Gains outside these bounds are no radiometry: a factor of five between two dates.
const GAIN_BOUNDS: (f64, f64) = (0.2, 5.0);
/// The fit has settled when no gain moves by more than this part.
const SETTLED: f64 = 1e-4;
/// Noise is never taken below this part of the band's own spread: constant and quantised bands.
const MIN_NOISE: f64 = 1e-3;

/// Pixels of both dates that were clear on both, band by band.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// The earlier date: one vector a band.
    pub before: Vec<Vec<f32>>,
    /// The later date, in the same order.
    pub after: Vec<Vec<f32>>,
    /// Squared gradients of both dates, for the detector.
    pub squared_gradients: Vec<Vec<[f32; 2]>>,
    /// Which pixel of the site grid each is, column and row.
    pub places: Vec<(i64, i64)>,
}

impl Sample {
    /// Pixels in the sample.
    pub fn len(&self) -> usize {
        self.before.first().map_or(0, Vec::len)
    }

    /// Whether it holds no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The linear fit of one band on unchanged ground: after = gain x before + offset, with noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearFit {
    /// Factor on the earlier date.
    pub gain: f64,
    /// Added to it, in the band's unit.
    pub offset: f64,
    /// Standard deviation of what is left on unchanged ground: 1.4826 x median absolute deviation, and the sensor's own noise.
    pub noise: f64,
    /// What comes to it, as a part of the value.
    pub noise_fraction: f64,
    /// Correlation of both dates on unchanged ground.
    pub correlation: f64,
}

impl LinearFit {
    /// A value of the earlier date as the later one would show it, in the band's unit.
    pub fn normalised(&self, before: f32) -> f32 {
        (self.gain * f64::from(before) + self.offset) as f32
    }

    /// After minus normalised before, in whole thousandths of the noise and held inside +-1,000 times it; 0 where one is not clear.
    pub fn millisigma(&self, before: f32, after: f32) -> i64 {
        let residual = f64::from(after) - self.gain * f64::from(before) - self.offset;
        (residual / self.noise * 1000.0).clamp(-1e6, 1e6).round() as i64
    }
}

/// Noise that a band has whatever the pair: what its sensor states.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SensorNoise {
    /// Standard deviation, in the band's unit; 0 where it is not known.
    pub floor: f64,
    /// What comes to it, as a part of the value.
    pub fraction: f64,
}

/// A fitted normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// One a band.
    pub bands: Vec<LinearFit>,
    /// Which pixels of the sample count as unchanged.
    pub unchanged: Vec<bool>,
}

/// Why a pair cannot be normalised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NormaliseError {
    /// Too few pixels are clear on both dates.
    #[error(
        "normalising: expected at least {expected} pixels that are clear on both dates, found {found}; choose other scenes or a larger margin_m"
    )]
    TooFew {
        /// Needed.
        expected: usize,
        /// There.
        found: usize,
    },
}

/// The linear fit of each band of `sample`; `sensor` is the noise of each band that the sensor states.
///
/// # Errors
/// Fewer pixels than [`NormaliseParams::min_pixels`].
pub fn fit(sample: &Sample, sensor: &[SensorNoise], params: &NormaliseParams) -> Result<Fit, NormaliseError> {
    let n = sample.len();
    if n < params.min_pixels {
        return Err(NormaliseError::TooFew {
            expected: params.min_pixels,
            found: n,
        });
    }
    let mut bands: Vec<LinearFit> = sample
        .before
        .iter()
        .zip(&sample.after)
        .map(|(x, y)| match_spread(x, y))
        .collect();
    let mut unchanged = vec![true; n];
    for _ in 0..params.max_iterations {
        unchanged = least_changed(sample, &bands, params.keep_fraction);
        let mut moved = 0.0_f64;
        for (fit, (x, y)) in bands.iter_mut().zip(sample.before.iter().zip(&sample.after)) {
            let gain = fit.gain;
            refit(fit, x, y, &unchanged);
            moved = moved.max((fit.gain / gain - 1.0).abs());
        }
        if moved < SETTLED {
            break;
        }
    }
    for ((fit, sensor), (x, y)) in bands
        .iter_mut()
        .zip(sensor)
        .zip(sample.before.iter().zip(&sample.after))
    {
        let kept = |values: &[f32]| {
            values
                .iter()
                .zip(&unchanged)
                .filter(|(_, keep)| **keep)
                .map(|(v, _)| *v)
                .collect::<Vec<_>>()
        };
        let left = noise(fit, &kept(x), &kept(y), 0.0).max(MIN_NOISE * fit.noise);
        fit.noise = (left * left + sensor.floor * sensor.floor).sqrt();
        fit.noise_fraction = sensor.fraction;
    }
    Ok(Fit { bands, unchanged })
}

/// First guess: medians and spreads of both dates made equal.
fn match_spread(x: &[f32], y: &[f32]) -> LinearFit {
    let spread =
        |v: &[f32]| median_and_sigma(&mut v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>()).unwrap_or((0.0, 0.0));
    let ((x_centre, x_sigma), (y_centre, y_sigma)) = (spread(x), spread(y));
    let gain = if x_sigma > 0.0 && y_sigma > 0.0 {
        (y_sigma / x_sigma).clamp(GAIN_BOUNDS.0, GAIN_BOUNDS.1)
    } else {
        1.0
    };
    let mut fit = LinearFit {
        gain,
        offset: y_centre - gain * x_centre,
        noise: 0.0,
        noise_fraction: 0.0,
        correlation: 0.0,
    };
    fit.noise = noise(&fit, x, y, y_sigma);
    fit
}

fn residual(fit: &LinearFit, x: f32, y: f32) -> f64 {
    f64::from(y) - fit.gain * f64::from(x) - fit.offset
}

fn noise(fit: &LinearFit, x: &[f32], y: &[f32], spread: f64) -> f64 {
    let mut residuals: Vec<f64> = x.iter().zip(y).map(|(x, y)| residual(fit, *x, *y)).collect();
    let sigma = median_and_sigma(&mut residuals).map_or(0.0, |(_, sigma)| sigma);
    sigma.max(MIN_NOISE * spread).max(f64::from(f32::EPSILON))
}

/// The `keep` part of the pixels with the least sum of squared residuals, each in units of its band's noise.
fn least_changed(sample: &Sample, bands: &[LinearFit], keep: f64) -> Vec<bool> {
    let mut sums = vec![0.0; sample.len()];
    for (fit, (x, y)) in bands.iter().zip(sample.before.iter().zip(&sample.after)) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            let d = residual(fit, *x, *y) / fit.noise;
            *sum += d * d;
        }
    }
    let mut sorted = sums.clone();
    let place = ((keep * sums.len() as f64) as usize).clamp(1, sums.len()) - 1;
    let limit = *sorted.select_nth_unstable_by(place, f64::total_cmp).1;
    sums.iter().map(|sum| *sum <= limit).collect()
}

/// The reduced major axis through the unchanged pixels; the old gain stays where they do not correlate.
fn refit(fit: &mut LinearFit, x: &[f32], y: &[f32], unchanged: &[bool]) {
    let pairs = || {
        x.iter()
            .zip(y)
            .zip(unchanged)
            .filter(|(_, keep)| **keep)
            .map(|((x, y), _)| (f64::from(*x), f64::from(*y)))
    };
    let (mut n, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    pairs().for_each(|(x, y)| {
        n += 1.0;
        x_sum += x;
        y_sum += y;
    });
    let (x_mean, y_mean) = (x_sum / n, y_sum / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    pairs().for_each(|(x, y)| {
        xx += (x - x_mean) * (x - x_mean);
        yy += (y - y_mean) * (y - y_mean);
        xy += (x - x_mean) * (y - y_mean);
    });
    if xx > 0.0 && yy > 0.0 && xy > 0.0 {
        fit.gain = (yy / xx).sqrt().clamp(GAIN_BOUNDS.0, GAIN_BOUNDS.1);
        fit.correlation = xy / (xx * yy).sqrt();
    } else {
        fit.correlation = 0.0;
    }
    let mut rest: Vec<f64> = pairs().map(|(x, y)| y - fit.gain * x).collect();
    fit.offset = median(&mut rest).unwrap_or(fit.offset);
    fit.noise = noise(fit, x, y, (yy / n).sqrt());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> NormaliseParams {
        NormaliseParams {
            method: Method::Robust,
            keep_fraction: 0.5,
            max_iterations: 10,
            min_pixels: 100,
        }
    }

    fn quiet(first: f64, second: f64) -> [SensorNoise; 2] {
        [first, second].map(|floor| SensorNoise { floor, fraction: 0.0 })
    }

    /// A noise of known spread without a generator: equidistant quantiles of a triangular distribution, in scrambled order.
    fn noise_at(i: usize) -> f64 {
        let scrambled = (i * 7919) % 1000;
        let other = (i * 104_729 + 31) % 1000;
        (scrambled as f64 + other as f64) / 1000.0 - 1.0
    }

    fn pair(changed: usize) -> Sample {
        let before: Vec<f32> = (0..2000).map(|i| (i % 500) as f32 * 0.01).collect();
        let after = before
            .iter()
            .enumerate()
            .map(|(i, x)| {
                if i < changed {
                    9.0
                } else {
                    (1.5 * f64::from(*x) + 0.7 + 0.02 * noise_at(i)) as f32
                }
            })
            .collect();
        Sample {
            before: vec![before.clone(), before],
            after: vec![after, vec![0.25; 2000]],
            ..Sample::default()
        }
    }

    #[test]
    fn gain_and_offset_are_those_of_unchanged_ground() {
        for changed in [0, 500] {
            let fit = fit(&pair(changed), &quiet(0.0, 0.0), &params()).unwrap();
            let fit = fit.bands[0];
            assert!(
                (fit.gain - 1.5).abs() < 0.01 && (fit.offset - 0.7).abs() < 0.02,
                "{changed}: {fit:?}"
            );
            assert!(fit.correlation > 0.999, "{fit:?}");
            // The median absolute value of a triangular distribution on [-1, 1] is 1 - sqrt(1/2). Of two bands the other is constant, so the
            // kept pixels are those with the least residual here: from the half of the whole up to two thirds of what did not change.
            let of = |kept: f64| 0.02 * 1.4826 * (1.0 - (1.0 - kept / 2.0).sqrt());
            assert!(
                fit.noise > 0.9 * of(0.5) && fit.noise < 1.1 * of(1.0),
                "{fit:?}: {} to {}",
                of(0.5),
                of(1.0)
            );
        }
    }

    #[test]
    fn a_constant_band_has_noise_above_zero() {
        let fit = fit(&pair(0), &quiet(0.0, 0.0), &params()).unwrap();
        assert!(fit.bands[1].noise > 0.0 && fit.bands[1].gain.is_finite());
    }

    #[test]
    fn the_sensor_noise_is_a_floor() {
        let fit = fit(&pair(0), &quiet(3.0, 4.0), &params()).unwrap();
        assert!(fit.bands[0].noise > 3.0 && fit.bands[0].noise < 3.01);
    }

    #[test]
    fn a_change_is_told_in_thousandths_of_the_noise() {
        let fit = LinearFit {
            gain: 1.0,
            offset: 0.0,
            noise: 0.5,
            noise_fraction: 0.0,
            correlation: 1.0,
        };
        assert_eq!(fit.millisigma(1.0, -7.0), -16_000);
        assert_eq!(fit.millisigma(f32::NAN, 1.0), 0);
    }

    #[test]
    fn too_few_pixels_are_refused() {
        let sample = Sample {
            before: vec![vec![1.0; 99]],
            after: vec![vec![1.0; 99]],
            ..Sample::default()
        };
        assert_eq!(
            fit(&sample, &[SensorNoise::default()], &params()),
            Err(NormaliseError::TooFew {
                expected: 100,
                found: 99
            })
        );
    }
}
