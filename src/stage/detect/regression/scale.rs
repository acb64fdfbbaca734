//! The scale of one band of one date: what makes of it a band of unit scale.

use multiversion::multiversion;

use crate::raster::stats::median_and_sigma;
use crate::stage::normalise::SensorNoise;

/// Robust standard deviations of a band in one unit.
const UNIT: f64 = 2.0;
/// Values are held inside this many units: glint and saturation must not teach.
const BOUND: f32 = 6.0;
/// A band whose middle half is (almost) constant is still read no more finely than this part of its mean absolute deviation.
const MIN_SPREAD: f64 = 0.1;
/// So many robust standard deviations is the most that one value adds to that mean, where no sensor says what values can be: a patch of 255 or
/// -9999 that nobody states as no data would coarsen all others until no change is seen.
const MAX_DEVIATION: f64 = 100.0;

/// How one band of one date becomes one of unit scale, and the noise that its sensor states, in that unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    centre: f32,
    per_unit: f32,
    /// Squared noise whatever the value.
    floor2: f32,
    /// Noise as a part of the value, and the value where the unit has its zero.
    part: f32,
    zero: f32,
}

impl Scale {
    /// The scale by the `values` of clear pixels.
    pub fn fit(values: &[f64], noise: SensorNoise) -> Self {
        let (centre, sigma) = median_and_sigma(&mut values.to_vec()).unwrap_or((0.0, 0.0));
        let most = match sigma > 0.0 && noise.floor == 0.0 {
            true => MAX_DEVIATION * sigma,
            false => f64::INFINITY,
        };
        let deviations = values.iter().map(|v| (v - centre).abs().min(most));
        let spread = MIN_SPREAD * deviations.sum::<f64>() / values.len().max(1) as f64;
        let sigma = sigma.max(spread).max(noise.floor);
        let unit = if sigma > 0.0 { UNIT * sigma } else { 1.0 };
        Self {
            centre: centre as f32,
            per_unit: (1.0 / unit) as f32,
            floor2: (noise.floor / unit * (noise.floor / unit)) as f32,
            part: noise.fraction as f32,
            zero: (centre / unit) as f32,
        }
    }

    #[inline(always)]
    fn standard(&self, value: f32) -> f32 {
        ((value - self.centre) * self.per_unit).clamp(-BOUND, BOUND)
    }

    /// Variance that the sensor states for a value in standard units.
    #[inline(always)]
    pub fn sensor_variance(&self, standard: f32) -> f32 {
        let part = self.part * (self.zero + standard);
        self.floor2 + part * part
    }
}

/// A row of values in standard units; 0 where their weight in `clear` is.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma"))]
pub fn standards(scale: &Scale, values: &[f32], clear: &[f32], out: &mut [f32]) {
    for ((out, value), weight) in out.iter_mut().zip(values).zip(clear) {
        // Not times the weight: what is not clear may be NaN.
        *out = if *weight == 0.0 { 0.0 } else { scale.standard(*value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: SensorNoise = SensorNoise {
        floor: 0.0,
        fraction: 0.0,
    };

    #[test]
    fn a_band_has_unit_scale_whatever_its_own_and_glint_is_held() {
        let values: Vec<f64> = (0..101).map(f64::from).collect();
        let scale = Scale::fit(
            &values,
            SensorNoise {
                floor: 2.0,
                fraction: 0.1,
            },
        );
        // Median 50, median absolute deviation 25.
        let unit = 2.0 * 25.0 * 1.4826;
        assert!((f64::from(scale.standard(50.0 + unit as f32)) - 1.0).abs() < 1e-4);
        assert_eq!(scale.standard(1e9), BOUND);
        let stated = (4.0 + 0.01 * 50.0 * 50.0) / (unit * unit);
        assert!((f64::from(scale.sensor_variance(0.0)) / stated - 1.0).abs() < 1e-4);
    }

    #[test]
    fn constant_bands_and_no_pixel_have_a_scale() {
        for values in [&[][..], &[3.0][..], &[7.0; 9][..]] {
            let scale = Scale::fit(values, QUIET);
            assert!(scale.standard(7.0).is_finite() && scale.sensor_variance(1.0) == 0.0);
        }
        // More than half of the pixels are alike, the others are not.
        let mut values = vec![0.0; 60];
        values.extend((0..40).map(f64::from));
        assert!(Scale::fit(&values, QUIET).standard(1.0) < 1.0);
    }
}
