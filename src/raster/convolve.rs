//! Windowed sums: a plane convolved with a kernel along both axes.
//!
//! Each sum runs over its kernel in one order, whatever the instructions that make it: no tile and no processor can be seen.

use multiversion::multiversion;
use ndarray::Array2;

/// `values` convolved with `kernel` along columns, then rows, where the whole kernel fits: smaller by its length less one.
pub fn convolve(values: &Array2<f32>, kernel: &[f32]) -> Array2<f32> {
    let (rows, columns) = values.dim();
    let mut out = Array2::zeros((
        (rows + 1).saturating_sub(kernel.len()),
        (columns + 1).saturating_sub(kernel.len()),
    ));
    let values = values.as_standard_layout();
    if let (Some(from), Some(to)) = (values.as_slice(), out.as_slice_mut()) {
        slide(from, columns, kernel, to);
    }
    out
}

#[multiversion(targets("x86_64+avx2"))]
fn slide(values: &[f32], columns: usize, kernel: &[f32], out: &mut [f32]) {
    let width = (columns + 1).saturating_sub(kernel.len());
    if width == 0 {
        return;
    }
    let mut down = vec![0.0_f32; columns];
    for (row, out) in out.chunks_exact_mut(width).enumerate() {
        down.fill(0.0);
        add(&mut down, &values[row * columns..], columns, kernel);
        add(out, &down, 1, kernel);
    }
}

/// Adds the products of `kernel` with values that lie `step` apart, from each sum's own place on.
#[inline(always)]
fn add(sums: &mut [f32], values: &[f32], step: usize, kernel: &[f32]) {
    let length = sums.len();
    let of = |tap: usize| &values[tap * step..][..length];
    let mut fours = kernel.chunks_exact(4);
    let mut tap = 0;
    // Four at a time: a sum is fetched and stored less often. Its order is the same.
    for four in &mut fours {
        let (a, b, c, d) = (of(tap), of(tap + 1), of(tap + 2), of(tap + 3));
        for ((((sum, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *sum = (((*sum + four[0] * a) + four[1] * b) + four[2] * c) + four[3] * d;
        }
        tap += 4;
    }
    for weight in fours.remainder() {
        for (sum, value) in sums.iter_mut().zip(of(tap)) {
            *sum += weight * value;
        }
        tap += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_products() {
        let values = Array2::from_shape_fn((9, 12), |(y, x)| ((x * 31 + y * 17) % 23) as f32);
        for kernel in [&[1.0][..], &[0.5, 0.25], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]] {
            let found = convolve(&values, kernel);
            assert_eq!(found.dim(), (10 - kernel.len(), 13 - kernel.len()));
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
