//! Windowed means over clear pixels alone: Gaussian and square.
//!
//! Arrays hold 0 where a pixel is not clear, and their [`Mask`] says so. What a window gives depends on its own pixels only, in one
//! order of summation: no tile can be seen in it.

use ndarray::Array2;

use crate::geo::Rect;
use crate::raster::convolve::{convolve, convolve_row};
use crate::raster::plane;

/// Which pixels are clear: 1 where they are, 0 where not.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// One weight a pixel.
    pub weights: Array2<f32>,
    /// Whether all of them are clear.
    pub all_clear: bool,
}

impl Mask {
    /// The mask with these weights.
    pub fn new(weights: Array2<f32>) -> Self {
        let all_clear = weights.iter().all(|weight| *weight == 1.0);
        Self { weights, all_clear }
    }

    /// The mask without its outermost `rim` pixels.
    pub fn inner(&self, rim: usize) -> Self {
        Self::new(inner(&self.weights, rim))
    }
}

/// An array without its outermost `rim` pixels.
pub fn inner(values: &Array2<f32>, rim: usize) -> Array2<f32> {
    let (rows, columns) = values.dim();
    let whole = Rect::new(0, 0, columns, rows);
    let part = Rect::new(rim as i64, rim as i64, columns - 2 * rim, rows - 2 * rim);
    plane::cropped(values, &whole, &part)
}

/// Weights of a window along one axis; the window is their product with themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    weights: Vec<f32>,
    /// What the whole window weighs amid clear pixels.
    full: f32,
}

impl Window {
    /// A Gaussian of `sigma` pixels, cut off beyond `radius`.
    pub fn gaussian(sigma: f64, radius: usize) -> Self {
        Self::new(gaussian(sigma, radius))
    }

    /// A square of 2 `radius` + 1 pixels.
    pub fn square(radius: usize) -> Self {
        let side = 2 * radius + 1;
        Self::new(vec![1.0 / side as f32; side])
    }

    fn new(weights: Vec<f32>) -> Self {
        let ones = Array2::ones((weights.len(), weights.len()));
        let full = convolve(&ones, &weights)[[0, 0]];
        Self { weights, full }
    }

    /// How far it reaches, pixels.
    pub fn radius(&self) -> usize {
        self.weights.len() / 2
    }

    /// What the sum of each window is multiplied by to be a mean over clear pixels, 0 where there is none; `None` when all are clear.
    /// Smaller than the mask by [`Window::radius`] on every side.
    pub fn cover(&self, mask: &Mask) -> Option<Array2<f32>> {
        let mut cover = (!mask.all_clear).then(|| convolve(&mask.weights, &self.weights))?;
        self.to_factors(plane::values_mut(&mut cover));
        Some(cover)
    }

    fn to_factors(&self, cover: &mut [f32]) {
        for weight in cover {
            // Amid clear pixels a sum is left as it is, as in a tile that is clear throughout: no tile can be seen.
            *weight = if *weight > 0.0 { self.full / *weight } else { 0.0 };
        }
    }

    /// One row of [`Window::cover`], from the rows of a mask that the window reaches.
    pub fn cover_row(&self, weights: &[&[f32]]) -> Vec<f32> {
        let width = weights.first().map_or(0, |row| row.len());
        let mut cover = vec![0.0; (width + 1).saturating_sub(self.weights.len())];
        convolve_row(weights, &self.weights, &mut vec![0.0; width], &mut cover);
        self.to_factors(&mut cover);
        cover
    }

    /// One row of [`Window::mean`], from the `rows` of values that the window reaches; `spare` is overwritten.
    pub fn mean_row(&self, rows: &[&[f32]], cover: Option<&[f32]>, spare: &mut Vec<f32>, out: &mut [f32]) {
        spare.resize(rows.first().map_or(0, |row| row.len()), 0.0);
        convolve_row(rows, &self.weights, spare, out);
        if let Some(cover) = cover {
            out.iter_mut().zip(cover).for_each(|(mean, cover)| *mean *= cover);
        }
    }

    /// The mean of each window over clear pixels, where `cover` is what [`Window::cover`] gave for them; 0 where a window has none.
    pub fn mean(&self, values: &Array2<f32>, cover: Option<&Array2<f32>>) -> Array2<f32> {
        let mut out = convolve(values, &self.weights);
        if let Some(cover) = cover {
            out.iter_mut().zip(cover).for_each(|(mean, cover)| *mean *= cover);
        }
        out
    }
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

#[cfg(test)]
mod tests {
    use ndarray::s;

    use super::*;

    #[test]
    fn a_mean_keeps_a_constant_and_skips_what_is_not_clear() {
        let mut weights = Array2::<f32>::ones((9, 11));
        weights[[4, 4]] = 0.0;
        let mask = Mask::new(weights);
        // What is not clear holds 0: were it counted, its neighbours would fall below 7.
        let values = mask.weights.mapv(|w| 7.0 * w);
        for window in [Window::gaussian(1.0, 3), Window::square(2)] {
            let mean = window.mean(&values, window.cover(&mask).as_ref());
            assert_eq!(mean.dim(), (9 - 2 * window.radius(), 11 - 2 * window.radius()));
            assert!(mean.iter().all(|m| (m - 7.0).abs() < 1e-5), "{mean}");
        }
    }

    #[test]
    fn the_mean_of_a_square_is_that_of_its_pixels() {
        let values = Array2::from_shape_fn((3, 4), |(y, x)| (y * y + 10 * x) as f32);
        let mean = Window::square(1).mean(&values, None);
        // (0 + 1 + 4) / 3 down, 10 and 20 across.
        assert!((mean[[0, 0]] - (5.0 / 3.0 + 10.0)).abs() < 1e-5 && (mean[[0, 1]] - (5.0 / 3.0 + 20.0)).abs() < 1e-5);
    }

    #[test]
    fn part_and_whole_give_the_same_bytes_though_only_the_whole_holds_a_cloud() {
        let mut weights = Array2::<f32>::ones((20, 30));
        weights[[18, 27]] = 0.0;
        let values = Array2::from_shape_fn((20, 30), |(y, x)| {
            weights[[y, x]] * ((x * 31 + y * 17) % 23) as f32 * 0.1
        });
        let window = Window::gaussian(1.5, 4);
        let whole = window.mean(&values, window.cover(&Mask::new(weights)).as_ref());
        let part = window.mean(&values.slice(s![2..14, 3..20]).to_owned(), None);
        assert_eq!(part, whole.slice(s![2..6, 3..12]));
    }
}
