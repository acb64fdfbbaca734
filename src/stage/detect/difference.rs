//! Change vector analysis in units of the no-change noise (Malila, "Change vector analysis: an approach for detecting forest
//! changes with Landsat", 1980), answered in sigma.
//!
//! Both dates are smoothed; the squared magnitude is `M = sum d_b^2` over the bands, each in units of its noise. The fourth
//! root of a sum of squares is close to normal for any number of bands that real imagery leaves independent (Hawkins and
//! Wixley, "A note on the transformation of chi-squared variables to normality", 1986), so the score is `M^(1/4)` on the scale
//! of its own centre and lower spread over the survey: change only adds to the upper side.

use ndarray::Array2;

use super::DetectParams;
use crate::geo::Rect;
use crate::raster::stats::{SCORE_NODATA, quantise};
use crate::raster::{Flags, Plane, flags, plane};
use crate::stage::normalise::{BandLaw, Sample};

/// One band alone counts for no more than this many squared sigma: sun glint on a roof must not outweigh all else.
const BAND_CAP: f64 = 200.0;

/// How far the detector looks, pixels: three standard deviations of its Gaussian; what is cut off weighs 0.3 percent.
pub fn halo(params: &DetectParams) -> usize {
    (3.0 * params.smooth_px).ceil() as usize
}

/// `bands` on `area`, smoothed by a Gaussian over clear pixels alone; NaN where `reasons` is not clear.
///
/// `bands` hold the pixels of `whole`. `reasons` lies inside it and must reach the Gaussian's radius beyond `area`.
pub fn smooth(
    bands: &[Array2<f32>],
    whole: &Rect,
    reasons: &Plane<Flags>,
    area: &Rect,
    params: &DetectParams,
) -> Vec<Array2<f32>> {
    let radius = halo(params);
    let kernel = gaussian(params.smooth_px, radius);
    let wide = area.grow(radius);
    let clear = reasons
        .view(&wide)
        .mapv(|flag| if flag == flags::CLEAR { 1.0_f32 } else { 0.0 });
    let all_clear = clear.iter().all(|weight| *weight == 1.0);
    let weights = if all_clear {
        None
    } else {
        Some(convolve(&clear, &kernel))
    };
    bands
        .iter()
        .map(|band| {
            let mut values = plane::view(band, whole, &wide).to_owned();
            if !all_clear {
                values.zip_mut_with(&clear, |value, weight| {
                    if *weight == 0.0 {
                        *value = 0.0;
                    }
                });
            }
            let mut smoothed = convolve(&values, &kernel);
            if let Some(weights) = &weights {
                let centre = clear.slice(ndarray::s![radius..radius + area.h, radius..radius + area.w]);
                for ((value, weight), clear) in smoothed.iter_mut().zip(weights).zip(centre) {
                    *value = if *clear == 1.0 { *value / *weight } else { f32::NAN };
                }
            }
            smoothed
        })
        .collect()
}

/// Weights of a Gaussian of `sigma` pixels at -radius..=radius; they add up to one.
fn gaussian(sigma: f64, radius: usize) -> Vec<f32> {
    if radius == 0 {
        return vec![1.0];
    }
    let raw: Vec<f64> = (0..=2 * radius)
        .map(|i| (i as f64 - radius as f64) / sigma)
        .map(|t| libm::exp(-0.5 * t * t))
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|w| (w / sum) as f32).collect()
}

/// `values` convolved with `kernel` along rows, then columns, where the whole kernel fits: smaller by its length less one.
fn convolve(values: &Array2<f32>, kernel: &[f32]) -> Array2<f32> {
    let (rows, columns) = values.dim();
    let (out_rows, out_columns) = (rows + 1 - kernel.len(), columns + 1 - kernel.len());
    let mut across = Array2::<f32>::zeros((rows, out_columns));
    for (source, mut target) in values.rows().into_iter().zip(across.rows_mut()) {
        let (Some(source), Some(target)) = (source.as_slice(), target.as_slice_mut()) else {
            continue;
        };
        for (i, weight) in kernel.iter().enumerate() {
            target
                .iter_mut()
                .zip(&source[i..])
                .for_each(|(sum, value)| *sum += weight * value);
        }
    }
    let mut down = Array2::<f32>::zeros((out_rows, out_columns));
    for (row, mut target) in down.rows_mut().into_iter().enumerate() {
        for (i, weight) in kernel.iter().enumerate() {
            target.scaled_add(*weight, &across.row(row + i));
        }
    }
    down
}

/// A fitted detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Scorer {
    laws: Vec<BandLaw>,
    /// Median of `M^(1/4)` over the survey.
    centre: f64,
    /// Its spread below the median, as a standard deviation.
    scale: f64,
}

/// The quartile of the standard normal law.
const QUARTILE: f64 = 0.674_489_750_196_081_7;
/// Rounds of cutting off the tail above [`TAIL`] standard deviations and taking centre and scale anew.
const ROUNDS: usize = 6;
const TAIL: f64 = 3.0;

impl Scorer {
    /// The detector for a normalised pair.
    pub fn fit(sample: &Sample, laws: &[BandLaw]) -> Self {
        let mut scorer = Self {
            laws: laws.to_vec(),
            centre: 0.0,
            scale: 1.0,
        };
        let mut roots = vec![0.0; sample.len()];
        for (band, (before, after)) in sample.before.iter().zip(&sample.after).enumerate() {
            for (sum, (x, y)) in roots.iter_mut().zip(before.iter().zip(after)) {
                *sum += scorer.squared(band, *x, *y);
            }
        }
        roots.iter_mut().for_each(|m| *m = m.sqrt().sqrt());
        roots.sort_by(f64::total_cmp);
        let mut kept = roots.len();
        for _ in 0..ROUNDS {
            let Some((low, centre)) = roots.get(kept / 4).zip(roots.get(kept / 2)) else {
                break;
            };
            scorer.centre = *centre;
            scorer.scale = ((centre - low) / QUARTILE).max(1e-6);
            let within = roots.partition_point(|u| *u <= scorer.centre + TAIL * scorer.scale);
            if within == kept {
                break;
            }
            kept = within;
        }
        scorer
    }

    /// Bands that it compares.
    pub fn bands(&self) -> usize {
        self.laws.len()
    }

    /// Noise of a band in its unit.
    pub fn noise(&self, band: usize) -> f64 {
        self.laws[band].noise
    }

    /// After minus normalised before in one band, in sigma of its noise.
    fn deviation(&self, band: usize, before: f32, after: f32) -> f64 {
        let law = &self.laws[band];
        (f64::from(after) - law.gain * f64::from(before) - law.offset) / law.noise
    }

    fn squared(&self, band: usize, before: f32, after: f32) -> f64 {
        let d = self.deviation(band, before, after);
        (d * d).min(BAND_CAP)
    }

    /// The deviation in whole thousandths of sigma, held inside +-1,000 sigma; 0 for a pixel that was not judged.
    pub fn band_millisigma(&self, band: usize, before: f32, after: f32) -> i64 {
        (self.deviation(band, before, after) * 1000.0).clamp(-1e6, 1e6).round() as i64
    }

    /// Stored scores (hundredths of sigma) of the pixels that `reasons` leaves clear; both dates hold the same pixels.
    pub fn score(&self, before: &[Array2<f32>], after: &[Array2<f32>], reasons: &Plane<Flags>) -> Plane<i16> {
        let mut magnitude = Array2::<f64>::zeros(reasons.data.dim());
        for (band, (x, y)) in before.iter().zip(after).enumerate() {
            ndarray::Zip::from(&mut magnitude)
                .and(x)
                .and(y)
                .for_each(|sum, x, y| *sum += self.squared(band, *x, *y));
        }
        let mut scores = Plane::filled(reasons.rect, SCORE_NODATA);
        ndarray::Zip::from(&mut scores.data)
            .and(&magnitude)
            .and(&reasons.data)
            .for_each(|score, m, flag| {
                if *flag == flags::CLEAR {
                    *score = quantise((m.sqrt().sqrt() - self.centre) / self.scale);
                }
            });
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(smooth_px: f64) -> DetectParams {
        DetectParams {
            detector: "difference".into(),
            smooth_px,
        }
    }

    #[test]
    fn a_gaussian_keeps_a_constant_and_skips_what_is_not_clear() {
        let whole = Rect::new(0, 0, 20, 12);
        let area = whole.grow(0);
        let area = Rect::new(area.x + 3, area.y + 3, area.w - 6, area.h - 6);
        let mut band = Array2::from_elem((12, 20), 7.0_f32);
        let mut reasons = Plane::filled(whole, flags::CLEAR);
        // A cloud must not bleed into its neighbours.
        band[[5, 8]] = 1e6;
        reasons.data[[5, 8]] = flags::CLOUD;
        let out = smooth(&[band], &whole, &reasons, &area, &params(1.0));
        for ((y, x), value) in out[0].indexed_iter() {
            if (y + 3, x + 3) == (5, 8) {
                assert!(value.is_nan());
            } else {
                assert!((value - 7.0).abs() < 1e-4, "{value} at {x}, {y}");
            }
        }
    }

    #[test]
    fn smoothing_a_part_gives_the_part_of_the_whole_and_a_halo_one_short_does_not() {
        let whole = Rect::new(0, 0, 40, 30);
        let band = Array2::from_shape_fn((30, 40), |(y, x)| ((x * 31 + y * 17) % 23) as f32);
        let reasons = Plane::filled(whole, flags::CLEAR);
        let params = params(1.0);
        let halo = halo(&params);
        let all = Rect::new(halo as i64, halo as i64, 40 - 2 * halo, 30 - 2 * halo);
        let full = &smooth(&[band.clone()], &whole, &reasons, &all, &params)[0];
        let part = Rect::new(10, 8, 6, 5);
        let tile = part.grow(halo);
        let cut = plane::view(&band, &whole, &tile).to_owned();
        let out = &smooth(&[cut], &tile, &reasons.crop(&tile), &part, &params)[0];
        assert_eq!(out, plane::view(full, &all, &part));
        // One pixel less around it and the outermost weights are missing.
        assert!(gaussian(params.smooth_px, halo)[0] > 0.0);
    }

    #[test]
    fn the_score_is_standard_normal_without_change_and_grows_with_it() {
        // Sums of twelve scrambled uniforms are close to normal; two bands, gain 1.
        let noise = |seed: usize, i: usize| -> f64 {
            let uniform = |k: usize| {
                ((i * 2_654_435_761 + seed * 40_503 + k * 97_531) % 1_000_003 * 7_919 % 10_007) as f64 / 10_007.0
            };
            (0..12).map(uniform).sum::<f64>() - 6.0
        };
        let dates = |seed: usize| -> Vec<Vec<f32>> {
            (0..2)
                .map(|band| (0..40_000).map(|i| noise(seed + band, i) as f32).collect())
                .collect()
        };
        let sample = Sample {
            before: vec![vec![0.0; 40_000]; 2],
            after: dates(1),
        };
        let laws = [BandLaw {
            gain: 1.0,
            offset: 0.0,
            noise: 1.0,
            correlation: 1.0,
        }; 2];
        let scorer = Scorer::fit(&sample, &laws);
        let rect = Rect::new(0, 0, 200, 200);
        let square = |values: &Vec<f32>| Array2::from_shape_vec((200, 200), values.clone()).unwrap();
        let (before, after): (Vec<_>, Vec<_>) = (
            sample.before.iter().map(square).collect(),
            sample.after.iter().map(square).collect(),
        );
        let mut scores: Vec<f64> = scorer
            .score(&before, &after, &Plane::filled(rect, flags::CLEAR))
            .data
            .iter()
            .map(|s| f64::from(*s) / 100.0)
            .collect();
        scores.sort_by(f64::total_cmp);
        let quantile = |q: f64| scores[(q * scores.len() as f64) as usize];
        // Quantiles of the standard normal law.
        for (q, z) in [(0.1587, -1.0), (0.5, 0.0), (0.8413, 1.0), (0.9772, 2.0)] {
            assert!((quantile(q) - z).abs() < 0.2, "{q}: {} against {z}", quantile(q));
        }
        let at = |d: f64| {
            let one = |v: f64| Array2::from_elem((1, 1), v as f32);
            let clear = Plane::filled(Rect::new(0, 0, 1, 1), flags::CLEAR);
            scorer.score(&[one(0.0), one(0.0)], &[one(d), one(d)], &clear).data[[0, 0]]
        };
        assert!(at(3.0) > at(2.0) && at(8.0) > at(3.0) && at(3.0) > 200);
    }
}
