//! A window of a raster, and values from the four pixels of it around a point, as far as they are usable.

use ndarray::Array2;

use crate::geo::Rect;
use crate::raster::{Flags, Plane, flags};

/// What weighs less counts for nothing: coordinates are not exact.
pub(super) const NO_WEIGHT: f32 = 0.001;

/// A window of a raster: values (NaN where unusable) and, where any is unusable, why.
pub struct Window {
    /// Values; the rectangle is in pixels of the raster.
    pub values: Plane<f32>,
    /// Reasons per pixel; `None` when every pixel is usable.
    pub reasons: Option<Plane<Flags>>,
}

/// Weighted sum, weight and reasons of the four pixels around the point (`u`, `v`) of the raster.
pub(super) fn sample(window: &Window, u: f64, v: f64, size: (usize, usize)) -> (f32, f32, Flags) {
    if u < 0.0 || v < 0.0 || u >= size.0 as f64 || v >= size.1 as f64 {
        return (0.0, 0.0, flags::NOT_COVERED);
    }
    // Between a raster's outermost pixel centres and its edge the outermost pixel holds.
    let (u, v) = (
        (u - 0.5).clamp(0.0, size.0 as f64 - 1.0),
        (v - 0.5).clamp(0.0, size.1 as f64 - 1.0),
    );
    let (i, j) = (u as i64, v as i64);
    let (s, t) = ((u - i as f64) as f32, (v - j as f64) as f32);
    let weights = [(1.0 - s) * (1.0 - t), s * (1.0 - t), (1.0 - s) * t, s * t];
    let have = &window.values.rect();
    // Nearly every point has four usable pixels around it; any that is not makes the sum NaN.
    if i >= have.x && j >= have.y && i + 1 < have.right() && j + 1 < have.bottom() {
        let (row, column) = ((j - have.y) as usize, (i - have.x) as usize);
        let data = &window.values;
        let [a, b, c, d] = weights;
        let sum = a * data[[row, column]]
            + b * data[[row, column + 1]]
            + c * data[[row + 1, column]]
            + d * data[[row + 1, column + 1]];
        if !sum.is_nan() {
            return (sum, a + b + c + d, flags::CLEAR);
        }
    }
    let (mut sum, mut weight, mut why) = (0.0, 0.0, flags::CLEAR);
    for ((x, y), w) in [(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)]
        .into_iter()
        .zip(weights)
    {
        if w <= 0.0 {
            continue;
        }
        match window.values.get(x, y) {
            Some(value) if !value.is_nan() => {
                sum += w * value;
                weight += w;
            }
            Some(_) if w < NO_WEIGHT => {}
            Some(_) => {
                let (row, column) = (
                    (y - window.values.rect().y) as usize,
                    (x - window.values.rect().x) as usize,
                );
                why |= window.reasons.as_ref().map_or(flags::NODATA, |r| r[[row, column]]);
            }
            None if w >= NO_WEIGHT => why |= flags::NOT_COVERED,
            None => {}
        }
    }
    (sum, weight, why)
}

/// Gives pixels without a value that of the four pixels around their `point`, or tells why they have none.
pub(super) fn filled(
    values: &mut Array2<f32>,
    rect: &Rect,
    window: &Window,
    size: (usize, usize),
    mut point: impl FnMut(i64, i64) -> [f64; 2],
) -> Option<Plane<Flags>> {
    let mut reasons: Option<Plane<Flags>> = None;
    for (row, mut line) in values.outer_iter_mut().enumerate() {
        if line.iter().map(|value| u32::from(value.is_nan())).sum::<u32>() == 0 {
            continue;
        }
        for (column, value) in line.iter_mut().enumerate().filter(|(_, value)| value.is_nan()) {
            let [u, v] = point(rect.x + column as i64, rect.y + row as i64);
            let (sum, weight, why) = sample(window, u, v, size);
            if weight >= 0.5 {
                *value = sum / weight;
            } else {
                reasons.get_or_insert_with(|| Plane::filled(*rect, flags::CLEAR))[[row, column]] = why;
            }
        }
    }
    reasons
}
