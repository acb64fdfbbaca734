//! Values from the sixteen pixels around a point, by the weights of a kernel.

use ndarray::Array2;

use super::nodes::Nodes;
use super::window::{NO_WEIGHT, Window};
use crate::geo::Rect;
use crate::raster::{Plane, plane};

/// How values between a raster's pixels come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// From four pixels: never outside their range, but it blurs.
    Bilinear,
    /// From sixteen, by cubic convolution with a = -1/2 (Keys, "Cubic convolution interpolation for digital image processing",
    /// 1981), which keeps edges about as sharp as those of a date that is read as it is; from four where not all are usable.
    Cubic,
}

impl Kernel {
    /// The first and the last of the pixels, counted from that before a point at `s`, 0 to 1, that make its value.
    pub(in crate::io) fn reach(self, s: f32) -> [i64; 2] {
        let weights = self.weights(s);
        let counts = |weight: &f32| weight.abs() >= NO_WEIGHT;
        let first = weights.iter().position(counts).unwrap_or(1);
        let last = weights.iter().rposition(counts).unwrap_or(1);
        [first as i64 - 1, last as i64 - 1]
    }

    /// Weights of the pixels at -1, 0, 1 and 2 for a point at `s`, 0 to 1.
    pub(super) fn weights(self, s: f32) -> [f32; 4] {
        match self {
            Self::Bilinear => [0.0, 1.0 - s, s, 0.0],
            Self::Cubic => {
                let (s2, s3) = (s * s, s * s * s);
                [
                    s2 - 0.5 * (s + s3),
                    1.0 - 2.5 * s2 + 1.5 * s3,
                    0.5 * s + 2.0 * s2 - 1.5 * s3,
                    0.5 * (s3 - s2),
                ]
            }
        }
    }
}

/// The window convolved with the weights of four rows and four columns; NaN where not all sixteen pixels are there and usable.
pub(super) fn convolved(
    [dx, dy]: [i64; 2],
    rect: &Rect,
    values: &Plane<f32>,
    across: [f32; 4],
    down: [f32; 4],
) -> Array2<f32> {
    let mut out = Array2::from_elem((rect.h, rect.w), f32::NAN);
    // The first of the four lies one before the pixel; these have all four inside the window.
    let have = values.rect();
    let whole = Rect::new(
        have.x + 1 - dx,
        have.y + 1 - dy,
        have.w.saturating_sub(3),
        have.h.saturating_sub(3),
    );
    let part = whole.intersect(rect);
    if part.is_empty() {
        return out;
    }
    let (source, target) = (values.values(), plane::values_mut(&mut out));
    let width = part.w + 3;
    let mut sums = vec![0.0_f32; width];
    let left = (part.x + dx - 1 - have.x) as usize;
    for y in part.y..part.bottom() {
        let top = (y + dy - 1 - have.y) as usize;
        let row = |k: usize| &source[(top + k) * have.w + left..][..width];
        let [a, b, c, d] = down;
        for ((((sum, one), two), three), four) in sums.iter_mut().zip(row(0)).zip(row(1)).zip(row(2)).zip(row(3)) {
            *sum = a * one + b * two + c * three + d * four;
        }
        let from = (y - rect.y) as usize * rect.w + (part.x - rect.x) as usize;
        let line = &mut target[from..from + part.w];
        let [a, b, c, d] = across;
        for (value, four) in line.iter_mut().zip(sums.windows(4)) {
            *value = a * four[0] + b * four[1] + c * four[2] + d * four[3];
        }
    }
    out
}

/// Where a point lies among the pixels of a window: the first of sixteen, and the weights of its columns and rows.
#[derive(Clone, Copy)]
struct Taps {
    first: Option<usize>,
    across: [f32; 4],
    down: [f32; 4],
}

/// Values of `rect` by each of `windows`, which hold the same pixels; NaN where not all sixteen around a point are usable.
pub(super) fn interpolated(nodes: &Nodes, rect: &Rect, windows: &[Window], kernel: Kernel) -> Vec<Array2<f32>> {
    let mut out = vec![Array2::from_elem((rect.h, rect.w), f32::NAN); windows.len()];
    let Some(have) = windows.first().map(|window| window.values.rect()) else {
        return out;
    };
    let mut at = vec![(0.0, 0.0); rect.w];
    let mut row_taps = Vec::with_capacity(rect.w);
    for row in 0..rect.h {
        nodes.locate_row(rect.x as f64 + 0.5, (rect.y + row as i64) as f64 + 0.5, &mut at);
        row_taps.clear();
        // Where a point lies is the same for all bands.
        row_taps.extend(at.iter().map(|(u, v)| {
            let (u, v) = (u - 0.5, v - 0.5);
            let (i, j) = (u.floor(), v.floor());
            let (column, row) = (i as i64 - 1 - have.x, j as i64 - 1 - have.y);
            let inside = column >= 0 && row >= 0 && column + 4 <= have.w as i64 && row + 4 <= have.h as i64;
            Taps {
                first: inside.then(|| row as usize * have.w + column as usize),
                across: kernel.weights((u - i) as f32),
                down: kernel.weights((v - j) as f32),
            }
        }));
        for (out, window) in out.iter_mut().zip(windows) {
            let data = window.values.values();
            for (value, taps) in out.row_mut(row).iter_mut().zip(&row_taps) {
                let Some(first) = taps.first else { continue };
                let across = |k: usize| {
                    let four = &data[first + k * have.w..][..4];
                    taps.across[0] * four[0]
                        + taps.across[1] * four[1]
                        + taps.across[2] * four[2]
                        + taps.across[3] * four[3]
                };
                *value = taps.down[0] * across(0)
                    + taps.down[1] * across(1)
                    + taps.down[2] * across(2)
                    + taps.down[3] * across(3);
            }
        }
    }
    out
}
