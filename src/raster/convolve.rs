//! Windowed sums: a plane convolved with a kernel along both axes.
//!
//! Each sum runs over its kernel in one order, each step rounded once (a fused multiplication and addition), whatever the instructions
//! that make it: no tile and no processor can be seen.

use multiversion::multiversion;
use ndarray::Array2;

use super::plane;

/// `values` convolved with `kernel` along columns, then rows, where the whole kernel fits: smaller by its length less one.
pub fn convolve(values: &Array2<f32>, kernel: &[f32]) -> Array2<f32> {
    let (rows, columns) = values.dim();
    let (height, width) = (
        (rows + 1).saturating_sub(kernel.len()),
        (columns + 1).saturating_sub(kernel.len()),
    );
    let mut out = Array2::zeros((height, width));
    if width > 0 {
        let (from, to) = (plane::values(values), plane::values_mut(&mut out));
        let mut down = vec![0.0; columns];
        let mut lines: Vec<&[f32]> = Vec::with_capacity(kernel.len());
        for (row, out) in to.chunks_exact_mut(width).enumerate() {
            lines.clear();
            lines.extend(from[row * columns..].chunks_exact(columns).take(kernel.len()));
            convolve_row(&lines, kernel, &mut down, out);
        }
    }
    out
}

/// One row of what [`convolve`] makes of as many `rows` as `kernel` has weights, all as long as `down`, which is overwritten; `out` is
/// shorter than they are by the length of the kernel less one.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma"))]
pub fn convolve_row(rows: &[&[f32]], kernel: &[f32], down: &mut [f32], out: &mut [f32]) {
    sum(down, kernel, |tap| rows[tap]);
    let down = &*down;
    sum(out, kernel, |tap| &down[tap..]);
}

/// Sums that are made side by side, in registers.
const SIDE_BY_SIDE: usize = 64;

/// Sums of the products of `kernel` with the values of one row a tap, each from the sum's own place on.
#[inline(always)]
fn sum<'a>(sums: &mut [f32], kernel: &[f32], row: impl Fn(usize) -> &'a [f32]) {
    let Some(last) = sums.len().checked_sub(SIDE_BY_SIDE) else {
        for (index, sum) in sums.iter_mut().enumerate() {
            let taps = kernel.iter().enumerate();
            *sum = taps.fold(0.0, |sum, (tap, weight)| weight.mul_add(row(tap)[index], sum));
        }
        return;
    };
    // The last ones overlap those before, and come out the same.
    for from in (0..last).step_by(SIDE_BY_SIDE).chain([last]) {
        let mut side_by_side = [0.0_f32; SIDE_BY_SIDE];
        for (tap, weight) in kernel.iter().enumerate() {
            let values = &row(tap)[from..from + SIDE_BY_SIDE];
            for (sum, value) in side_by_side.iter_mut().zip(values) {
                *sum = weight.mul_add(*value, *sum);
            }
        }
        sums[from..from + SIDE_BY_SIDE].copy_from_slice(&side_by_side);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_products() {
        // Wide enough for sums side by side and some beyond.
        let values = Array2::from_shape_fn((9, 150), |(y, x)| ((x * 31 + y * 17) % 23) as f32);
        for kernel in [&[1.0][..], &[0.5, 0.25], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]] {
            let found = convolve(&values, kernel);
            assert_eq!(found.dim(), (10 - kernel.len(), 151 - kernel.len()));
            for ((y, x), sum) in found.indexed_iter() {
                let of_column = |x: usize| {
                    kernel
                        .iter()
                        .enumerate()
                        .fold(0.0, |sum, (i, w)| sum + w * values[[y + i, x]])
                };
                let by_hand = kernel
                    .iter()
                    .enumerate()
                    .fold(0.0, |sum, (i, w)| sum + w * of_column(x + i));
                assert_eq!(*sum, by_hand);
            }
        }
        assert!(convolve(&values, &[1.0; 10]).is_empty());
    }
}
