//! Both dates smoothed over clear pixels, and the squares of their gradients.

use multiversion::multiversion;
use ndarray::Array2;

use super::DetectParams;
use super::blur::{Mask, Window, inner};
use crate::geo::Rect;
use crate::raster::{Flags, Plane, flags, plane};

/// Bands of one date.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Smoothed {
    /// Values; NaN where not clear.
    pub values: Vec<Array2<f32>>,
    /// Squared length of the gradient, squared units a pixel; what is not clear beside a pixel counts as level.
    pub squared_gradients: Vec<Array2<f32>>,
}

/// How far this looks, pixels: three standard deviations of the Gaussian (what is cut off weighs 0.3 percent), and one more
/// for the gradient.
pub fn halo(params: &DetectParams) -> usize {
    radius(params) + 1
}

fn radius(params: &DetectParams) -> usize {
    (3.0 * params.smooth_px).ceil() as usize
}

/// `bands` on `area`, smoothed by a Gaussian over clear pixels alone, and their slopes.
///
/// `bands` hold the pixels of `whole`. `reasons` lies inside it and must reach [`halo`] beyond `area`.
pub fn smooth(
    bands: &[Array2<f32>],
    whole: &Rect,
    reasons: &Plane<Flags>,
    area: &Rect,
    params: &DetectParams,
) -> Smoothed {
    let mut smoothed = Smoothed::default();
    for out in values(bands, whole, reasons, &area.grow(1), params) {
        smoothed.squared_gradients.push(squared_gradient(&out));
        smoothed.values.push(inner(&out, 1));
    }
    smoothed
}

/// `bands` on `area` as [`smooth`] makes them, without slopes: `reasons` must reach one pixel less far.
pub fn values(
    bands: &[Array2<f32>],
    whole: &Rect,
    reasons: &Plane<Flags>,
    area: &Rect,
    params: &DetectParams,
) -> Vec<Array2<f32>> {
    let window = Window::gaussian(params.smooth_px, radius(params));
    let radius = window.radius();
    let wide = area.grow(radius);
    let clear = reasons
        .crop(&wide)
        .map(|flag| f32::from(u8::from(*flag == flags::CLEAR)));
    let mask = Mask::new(clear.into_array());
    let cover = window.cover(&mask);
    let centre = mask.inner(radius);
    let smoothed = |band: &Array2<f32>| {
        let mut values = plane::cropped(band, whole, &wide);
        if !mask.all_clear {
            // Not times the weight: what is not clear may be NaN.
            replace_unclear(&mut values, &mask, 0.0);
        }
        let mut out = window.mean(&values, cover.as_ref());
        if !centre.all_clear {
            replace_unclear(&mut out, &centre, f32::NAN);
        }
        out
    };
    bands.iter().map(smoothed).collect()
}

fn replace_unclear(values: &mut Array2<f32>, mask: &Mask, by: f32) {
    let values = plane::values_mut(values);
    for (value, weight) in values.iter_mut().zip(plane::values(&mask.weights)) {
        *value = if *weight == 0.0 { by } else { *value };
    }
}

/// The squared length of the gradient by central differences, without the outermost pixels.
fn squared_gradient(values: &Array2<f32>) -> Array2<f32> {
    let (rows, columns) = values.dim();
    let mut out = Array2::zeros((rows - 2, columns - 2));
    gradient_rows(plane::values(values), columns, plane::values_mut(&mut out));
    out
}

#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma"))]
fn gradient_rows(values: &[f32], columns: usize, out: &mut [f32]) {
    let level = |d: f32| if d.is_nan() { 0.0 } else { 0.25 * d * d };
    for (row, line) in out.chunks_exact_mut((columns - 2).max(1)).enumerate() {
        let of = |row: usize, from: usize| values[row * columns + from..(row + 1) * columns].iter();
        let across = of(row + 1, 2).zip(of(row + 1, 0));
        let down = of(row + 2, 1).zip(of(row, 1));
        for ((squared_gradient, (right, left)), (below, above)) in line.iter_mut().zip(across).zip(down) {
            *squared_gradient = level(right - left) + level(below - above);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(smooth_px: f64) -> DetectParams {
        DetectParams {
            smooth_px,
            ..DetectParams::default()
        }
    }

    #[test]
    fn a_gaussian_keeps_a_constant_and_skips_what_is_not_clear() {
        let whole = Rect::new(0, 0, 20, 12);
        let area = whole.grow(0);
        let area = Rect::new(area.x + 4, area.y + 4, area.w - 8, area.h - 8);
        let mut band = Array2::from_elem((12, 20), 7.0_f32);
        let mut reasons = Plane::filled(whole, flags::CLEAR);
        // A cloud must not bleed into its neighbours.
        band[[5, 8]] = 1e6;
        reasons[[5, 8]] = flags::CLOUD;
        let out = smooth(&[band], &whole, &reasons, &area, &params(1.0));
        for ((y, x), value) in out.values[0].indexed_iter() {
            if (y + 4, x + 4) == (5, 8) {
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
        let mut reasons = Plane::filled(whole, flags::CLEAR);
        // Of the part's tile all is clear, of the whole it is not.
        reasons[[24, 34]] = flags::CLOUD;
        let params = params(1.0);
        let halo = halo(&params);
        let all = Rect::new(halo as i64, halo as i64, 40 - 2 * halo, 30 - 2 * halo);
        let full = smooth(std::slice::from_ref(&band), &whole, &reasons, &all, &params);
        let part = Rect::new(10, 8, 6, 5);
        let tile = part.grow(halo);
        let cut = plane::view(&band, &whole, &tile).to_owned();
        let out = smooth(&[cut], &tile, &reasons.crop(&tile), &part, &params);
        assert_eq!(out.values[0], plane::view(&full.values[0], &all, &part));
        assert_eq!(
            out.squared_gradients[0],
            plane::view(&full.squared_gradients[0], &all, &part)
        );
        // The outermost pixel of the halo is looked at: with another value there, the gradient is another.
        let mut spoilt = band;
        spoilt.row_mut(tile.y as usize).fill(1000.0);
        let cut = plane::view(&spoilt, &whole, &tile).to_owned();
        let spoilt = smooth(&[cut], &tile, &reasons.crop(&tile), &part, &params);
        assert_eq!(spoilt.values[0], out.values[0]);
        assert_ne!(spoilt.squared_gradients[0], out.squared_gradients[0]);
    }

    #[test]
    fn a_ramp_has_its_slope_and_what_is_not_clear_is_level() {
        let whole = Rect::new(0, 0, 9, 5);
        let band = Array2::from_shape_fn((5, 9), |(y, x)| 3.0 * x as f32 + 4.0 * y as f32);
        let mut reasons = Plane::filled(whole, flags::CLEAR);
        reasons[[2, 2]] = flags::NODATA;
        let out = smooth(&[band], &whole, &reasons, &Rect::new(1, 1, 7, 3), &params(0.0));
        assert_eq!(out.squared_gradients[0][[1, 4]], 25.0);
        assert_eq!(
            out.squared_gradients[0][[1, 2]],
            16.0,
            "its left neighbour is not clear"
        );
    }
}
