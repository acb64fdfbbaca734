//! A pair of dates in standard units, with the surroundings of each pixel: what a detector that learns is shown.

use ndarray::Array2;

use crate::geo::Rect;
use crate::raster::stats::median_and_sigma;
use crate::raster::{flags, plane};
use crate::stage::detect::Seen;
use crate::stage::detect::blur::{Mask, Window, inner};
use crate::stage::normalise::SensorNoise;

/// Standard deviations of the Gaussians that show the surroundings, pixels, and where they are cut off.
const NEAR_PX: (f64, usize) = (1.5, 4);
const FAR_PX: (f64, usize) = (4.0, 10);
/// Robust standard deviations of a band in one unit.
const UNIT: f64 = 2.0;
/// Values are held inside this many units: glint and saturation must not teach.
const BOUND: f32 = 6.0;
/// A band whose middle half is (almost) constant is still read no more finely than this part of its mean absolute deviation.
const LEAST_SPREAD: f64 = 0.1;

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
    /// The scale by the `values` of clear pixels, which are overwritten.
    pub fn fit(values: &mut [f64], noise: SensorNoise) -> Self {
        let mean = |values: &[f64], centre: f64| {
            values.iter().map(|v| (v - centre).abs()).sum::<f64>() / values.len().max(1) as f64
        };
        let centre = median_and_sigma(&mut values.to_vec()).map_or(0.0, |(centre, _)| centre);
        let spread = LEAST_SPREAD * mean(values, centre);
        let sigma = median_and_sigma(values)
            .map_or(0.0, |(_, sigma)| sigma)
            .max(spread)
            .max(noise.floor);
        let unit = if sigma > 0.0 { UNIT * sigma } else { 1.0 };
        Self {
            centre: centre as f32,
            per_unit: (1.0 / unit) as f32,
            floor2: (noise.floor / unit * (noise.floor / unit)) as f32,
            part: noise.fraction as f32,
            zero: (centre / unit) as f32,
        }
    }

    #[inline]
    fn standard(&self, value: f32) -> f32 {
        ((value - self.centre) * self.per_unit).clamp(-BOUND, BOUND)
    }

    /// `rows` of values in standard units; 0 where they are not clear.
    fn standards<'a>(&self, rows: impl Iterator<Item = &'a [f32]>, clear: &Mask) -> Array2<f32> {
        let mut out = Array2::zeros(clear.weights.dim());
        for ((mut out, row), weights) in out.rows_mut().into_iter().zip(rows).zip(clear.weights.rows()) {
            for ((out, value), weight) in out.iter_mut().zip(row).zip(weights) {
                // Not times the weight: what is not clear may be NaN.
                *out = if *weight == 0.0 { 0.0 } else { self.standard(*value) };
            }
        }
        out
    }

    /// Variance that the sensor states for a value in standard units.
    #[inline(always)]
    pub fn sensor_variance(&self, standard: f32) -> f32 {
        let part = self.part * (self.zero + standard);
        self.floor2 + part * part
    }
}

/// One date on an area.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Bands in standard units, on the area grown by the rim that was asked for; 0 where not clear.
    pub bands: Vec<Array2<f32>>,
    /// Squared length of their gradient on the same pixels, squared units a pixel, of the nearer surroundings.
    pub slopes: Vec<Array2<f32>>,
    /// Means of the nearer surroundings, on the same pixels.
    pub near: Vec<Array2<f32>>,
    /// Means of the farther surroundings, on the area.
    pub far: Vec<Array2<f32>>,
}

/// Both dates on an area.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Which pixels are clear on both, on the area grown by the rim.
    pub mask: Mask,
    /// The earlier and the later date.
    pub sides: [Side; 2],
}

/// What turns dates into a [`Pair`]: the scales of both, band by band.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    /// Of the earlier and the later date.
    pub scales: [Vec<Scale>; 2],
    near: Window,
    far: Window,
}

impl Standard {
    /// The standard by these scales.
    pub fn new(scales: [Vec<Scale>; 2]) -> Self {
        Self {
            scales,
            near: Window::gaussian(NEAR_PX.0, NEAR_PX.1),
            far: Window::gaussian(FAR_PX.0, FAR_PX.1),
        }
    }

    /// How far a pair with `rim` looks beyond its area, pixels.
    pub fn halo(rim: usize) -> usize {
        FAR_PX.1.max(rim + 1 + NEAR_PX.1)
    }

    /// What is seen of `area`, which lies at least [`Standard::halo`] pixels inside; `None` where the bands are not those of the scales.
    pub fn pair(&self, seen: &Seen, area: &Rect, rim: usize) -> Option<Pair> {
        let sides = seen.sides();
        if sides
            .iter()
            .zip(&self.scales)
            .any(|(side, scales)| side.len() != scales.len())
        {
            return None;
        }
        let halo = Self::halo(rim);
        let wide = area.grow(halo);
        let mask = clear(seen, &sides.each_ref().map(|side| &**side), &wide);
        // The nearer surroundings reach one pixel further than the rim, for the gradient.
        let cut = halo - (rim + 1 + NEAR_PX.1);
        let near_cover = self.near.cover(&mask.inner(cut));
        let far_cover = self.far.cover(&mask.inner(halo - FAR_PX.1));
        let rim_mask = mask.inner(halo - rim);
        let gradient_mask = mask.inner(halo - rim - 1);
        let side = |of: usize| {
            let mut side = Side {
                bands: Vec::new(),
                slopes: Vec::new(),
                near: Vec::new(),
                far: Vec::new(),
            };
            for (band, scale) in sides[of].iter().zip(&self.scales[of]) {
                let values = scale.standards(plane::rows(band, &seen.rect, &wide), &mask);
                let near = self.near.mean(&inner(&values, cut), near_cover.as_ref());
                side.slopes.push(squared_gradient(&near, &gradient_mask));
                side.near.push(inner(&near, 1));
                side.far
                    .push(self.far.mean(&inner(&values, halo - FAR_PX.1), far_cover.as_ref()));
                side.bands.push(inner(&values, halo - rim));
            }
            side
        };
        Some(Pair {
            sides: [side(0), side(1)],
            mask: rim_mask,
        })
    }
}

/// Which pixels of `area` can be judged and have a number in every band of both dates.
pub fn clear(seen: &Seen, sides: &[&[Array2<f32>]; 2], area: &Rect) -> Mask {
    let mut weights = Array2::zeros((area.h, area.w));
    let flags = plane::rows(&seen.flags.data, &seen.rect, area);
    for (mut weights, flags) in weights.rows_mut().into_iter().zip(flags) {
        for (weight, flag) in weights.iter_mut().zip(flags) {
            *weight = if *flag == flags::CLEAR { 1.0 } else { 0.0 };
        }
    }
    for band in sides.iter().copied().flatten() {
        let rows = plane::rows(band, &seen.rect, area);
        for (mut weights, row) in weights.rows_mut().into_iter().zip(rows) {
            for (weight, value) in weights.iter_mut().zip(row) {
                *weight = if value.is_finite() { *weight } else { 0.0 };
            }
        }
    }
    Mask::new(weights)
}

/// The squared length of the gradient by central differences, without the outermost pixels; what is not clear beside a pixel counts
/// as level. `mask` is that of `values`.
fn squared_gradient(values: &Array2<f32>, mask: &Mask) -> Array2<f32> {
    let (rows, columns) = (values.dim().0 - 2, values.dim().1 - 2);
    let mut out = Array2::zeros((rows, columns));
    let (Some(values), Some(weights)) = (values.as_slice(), mask.weights.as_slice()) else {
        return out;
    };
    for (row, mut line) in out.rows_mut().into_iter().enumerate() {
        // Right and left of each pixel, below and above.
        for (ahead, behind) in [((1, 2), (1, 0)), ((2, 1), (0, 1))] {
            let [ahead, behind] = [ahead, behind].map(|(y, x)| {
                let from = (row + y) * (columns + 2) + x;
                from..from + columns
            });
            let steps = values[ahead.clone()].iter().zip(&values[behind.clone()]);
            if mask.all_clear {
                for (sum, (ahead, behind)) in line.iter_mut().zip(steps) {
                    let d = ahead - behind;
                    *sum += 0.25 * d * d;
                }
            } else {
                let both = weights[ahead].iter().zip(&weights[behind]).map(|(a, b)| a * b);
                for ((sum, (ahead, behind)), weight) in line.iter_mut().zip(steps).zip(both) {
                    let d = (ahead - behind) * weight;
                    *sum += 0.25 * d * d;
                }
            }
        }
    }
    out
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
        let mut values: Vec<f64> = (0..101).map(f64::from).collect();
        let scale = Scale::fit(
            &mut values,
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
        for values in [&mut [][..], &mut [3.0][..], &mut [7.0; 9][..]] {
            let scale = Scale::fit(values, QUIET);
            assert!(scale.standard(7.0).is_finite() && scale.sensor_variance(1.0) == 0.0);
        }
        // More than half of the pixels are alike, the others are not.
        let mut values = vec![0.0; 60];
        values.extend((0..40).map(f64::from));
        assert!(Scale::fit(&mut values, QUIET).standard(1.0) < 1.0);
    }

    #[test]
    fn a_part_is_the_part_of_the_whole_and_clouds_do_not_bleed() {
        let rect = Rect::new(-3, 5, 50, 44);
        let mut seen = Seen::nothing(&rect);
        let ramp = |d: usize| Array2::from_shape_fn((44, 50), |(y, x)| ((x * 31 + y * 17 + d * 5) % 23) as f32);
        seen.dates = (0..2).map(|d| vec![ramp(d)]).collect();
        seen.flags.data.fill(flags::CLEAR);
        // A cloud on one date that only the whole sees, and one that both see.
        seen.dates[1][0][[41, 47]] = f32::NAN;
        let scale = Scale::fit(&mut (0..23).map(f64::from).collect::<Vec<_>>(), QUIET);
        let standard = Standard::new([vec![scale], vec![scale]]);
        let halo = Standard::halo(2);
        let all = Rect::new(rect.x + halo as i64, rect.y + halo as i64, 50 - 2 * halo, 44 - 2 * halo);
        let part = Rect::new(all.x + 3, all.y + 2, 9, 7);
        for value in [f32::NAN, 1e6] {
            seen.dates[0][0][[16, 18]] = value;
            seen.flags.data[[16, 18]] = flags::CLOUD;
            let whole = standard.pair(&seen, &all, 2).unwrap();
            let tile = part.grow(halo);
            let pair = standard.pair(&seen.crop(&tile), &part, 2).unwrap();
            let (rim, wide) = (part.grow(2), all.grow(2));
            for (a, b) in pair.sides.iter().zip(&whole.sides) {
                assert_eq!(a.near[0], plane::view(&b.near[0], &wide, &rim));
                assert_eq!(a.slopes[0], plane::view(&b.slopes[0], &wide, &rim));
                assert_eq!(a.far[0], plane::view(&b.far[0], &all, &part));
                assert!(b.far[0].iter().chain(&b.near[0]).all(|v| v.abs() < 3.0));
            }
        }
        assert!(standard.pair(&Seen::nothing(&rect), &all, 2).is_none());
    }
}
