//! Bodies of pixels and what lies around them: discs, majorities, sums over boxes. All depend on near pixels only, never on a tile.

use ndarray::{Array2, Zip};

use crate::raster::plane;

/// Where a set pixel lies within `reach` pixels, centre to centre.
pub(in crate::stage) fn within(mask: &Array2<bool>, reach: f64) -> Array2<bool> {
    let (rows, columns) = mask.dim();
    if !any(mask) {
        return mask.clone();
    }
    // Distance along the column to the next set pixel, then the nearest of these along the row. Whole rows at a time.
    let mut along: Array2<u16> = mask.mapv(|is| if is { 0 } else { u16::MAX });
    let mut before = vec![u16::MAX; columns];
    let mut step = |mut row: ndarray::ArrayViewMut1<'_, u16>| {
        for (here, before) in row.iter_mut().zip(&mut before) {
            *here = (*here).min(before.saturating_add(1));
            *before = *here;
        }
    };
    along.rows_mut().into_iter().for_each(&mut step);
    along.rows_mut().into_iter().rev().for_each(&mut step);
    let radius = reach.max(0.0) as usize;
    let mut near = Array2::from_elem((rows, columns), false);
    let lines = plane::values_mut(&mut near).chunks_exact_mut(columns);
    for (near, along) in lines.zip(plane::values(&along).chunks_exact(columns)) {
        for dx in 0..=radius.min(columns - 1) {
            let height = (reach * reach - (dx * dx) as f64).max(0.0).sqrt() as u16;
            let (right, left) = (&along[dx..], &along[..columns - dx]);
            near.iter_mut()
                .zip(right)
                .for_each(|(near, along)| *near |= *along <= height);
            near[dx..]
                .iter_mut()
                .zip(left)
                .for_each(|(near, along)| *near |= *along <= height);
        }
    }
    near
}

/// Sums of both dates over boxes, and how many pixels they are of. In whole ten-thousandths, so that a sum does not depend on where a
/// tile begins.
pub(in crate::stage) struct Sums(Array2<[i64; 3]>);

impl Sums {
    /// Of the pixels that hold a value on both dates.
    pub(in crate::stage) fn of(here: &Array2<f32>, there: &Array2<f32>) -> Self {
        let (rows, columns) = here.dim();
        let whole = |value: f32| (f64::from(value).clamp(0.0, 2.0) * 1e4).round() as i64;
        let mut sums = Array2::from_elem((rows + 1, columns + 1), [0; 3]);
        for row in 0..rows {
            let mut line = [0; 3];
            for column in 0..columns {
                let (a, b) = (here[[row, column]], there[[row, column]]);
                if a.is_finite() && b.is_finite() {
                    line = [line[0] + whole(a), line[1] + whole(b), line[2] + 1];
                }
                let above: [i64; 3] = sums[[row, column + 1]];
                sums[[row + 1, column + 1]] = [0, 1, 2].map(|what| above[what] + line[what]);
            }
        }
        Self(sums)
    }

    /// Both sums and their count over the box of `radius` around a pixel, cut at the edges of the array.
    pub(in crate::stage) fn boxed(&self, row: usize, column: usize, radius: usize) -> [f64; 3] {
        let (rows, columns) = self.0.dim();
        let (top, bottom) = (row.saturating_sub(radius), (row + radius + 1).min(rows - 1));
        let (left, right) = (column.saturating_sub(radius), (column + radius + 1).min(columns - 1));
        [0, 1, 2].map(|what| {
            let at = |row: usize, column: usize| self.0[[row, column]][what];
            (at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left)) as f64
        })
    }

    /// By how much the first date is above the second, mean over a box; 0 without a pixel.
    pub(in crate::stage) fn rise(&self, row: usize, column: usize, radius: usize) -> f64 {
        let [here, there, count] = self.boxed(row, column, radius);
        if count > 0.0 {
            (here - there) / count * 1e-4
        } else {
            0.0
        }
    }
}

/// Where most of the three by three pixels around (5 or more) are set: single pixels neither make nor break a body.
pub(in crate::stage) fn mostly(mask: &Array2<bool>) -> Array2<bool> {
    if !any(mask) {
        return mask.clone();
    }
    let (rows, columns) = mask.dim();
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        let count: usize = (row.saturating_sub(1)..(row + 2).min(rows))
            .map(|y| {
                (column.saturating_sub(1)..(column + 2).min(columns))
                    .filter(|x| mask[[y, *x]])
                    .count()
            })
            .sum();
        count >= 5
    })
}

/// The parts of `mask` that a disc of `reach` pixels fits into (morphological opening). Beyond the edge nothing is set.
pub(in crate::stage) fn fits(mask: &Array2<bool>, reach: f64) -> Array2<bool> {
    if !any(mask) {
        return mask.clone();
    }
    // A frame of unset pixels as wide as the disc: a disc that leaves the array does not fit.
    let (rows, columns) = mask.dim();
    let frame = reach.max(0.0) as usize + 1;
    let mut unset = Array2::from_elem((rows + 2 * frame, columns + 2 * frame), true);
    let inner = ndarray::s![frame..frame + rows, frame..frame + columns];
    unset.slice_mut(inner).zip_mut_with(mask, |unset, is| *unset = !is);
    let centres = within(&unset, reach).slice(inner).mapv(|near| !near);
    within(&centres, reach)
}

/// Whether a pixel is set.
pub(in crate::stage) fn any(mask: &Array2<bool>) -> bool {
    mask.iter().any(|is| *is)
}

/// Set in either.
pub(in crate::stage) fn either(a: &Array2<bool>, b: &Array2<bool>) -> Array2<bool> {
    Zip::from(a).and(b).map_collect(|a, b| *a || *b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_between_centres() {
        let mask = Array2::from_shape_fn((17, 23), |(row, column)| (row * 31 + column * 17) % 67 == 0);
        for reach in [0.0, 1.0, 2.5, 5.0, 40.0] {
            for ((row, column), near) in within(&mask, reach).indexed_iter() {
                let by_hand = mask
                    .indexed_iter()
                    .any(|((y, x), is)| *is && (y as f64 - row as f64).hypot(x as f64 - column as f64) <= reach);
                assert_eq!(*near, by_hand, "{row} {column} {reach}");
            }
        }
    }

    #[test]
    fn a_body_holds_the_disc() {
        let mut mask = Array2::from_elem((30, 30), false);
        mask.slice_mut(ndarray::s![5..16, 5..16]).fill(true);
        mask.slice_mut(ndarray::s![20..29, 20..29]).fill(true);
        mask.slice_mut(ndarray::s![0..11, 20..30]).fill(true);
        let found = fits(&mask, 5.0);
        // A disc of radius 5 fits into 11 x 11 pixels, not into 9 x 9, and not over the edge.
        assert!(found[[10, 10]] && found[[5, 10]] && !found[[5, 5]]);
        assert!(!found[[24, 24]] && !found[[5, 26]]);
        assert!(found.indexed_iter().all(|(at, is)| !is || mask[at]));
    }

    #[test]
    fn a_sum_is_of_pixels_with_both_values() {
        let here = Array2::from_shape_fn((4, 5), |(row, column)| (row * 5 + column) as f32 / 100.0);
        let mut there = here.mapv(|value| value + 0.01);
        there[[1, 1]] = f32::NAN;
        let sums = Sums::of(&here, &there);
        // Rows 0 to 2, columns 0 to 2, without the middle: 0 1 2 5 7 10 11 12 hundredths.
        assert_eq!(sums.boxed(1, 1, 1), [4800.0, 5600.0, 8.0]);
        assert_eq!(sums.rise(1, 1, 9), -0.01);
        assert_eq!(
            Sums::of(&there, &Array2::from_elem((4, 5), f32::NAN)).rise(1, 1, 9),
            0.0
        );
    }
}
