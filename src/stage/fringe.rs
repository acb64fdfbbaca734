//! The fringe that smoothing draws around what changed: taken off before regions are made, so that their outlines are those of the change.

use crate::geo::Rect;
use crate::raster::Plane;
use crate::raster::stats::SCORE_NODATA;

/// A smoothed edge of a plateau lies at half of its height: what is lower beside a peak is fringe.
const EDGE: f64 = 0.5;
/// Peaks lower than this are as likely noise, hundredths of sigma.
const MIN_PEAK: i16 = 500;

/// `scores` on `core`, without those that lie below half of the greatest score within `reach_px` rows and columns.
///
/// `scores` must reach as far beyond `core`, but where the grid ends.
pub fn without_fringes(scores: &Plane<i16>, core: &Rect, reach_px: usize) -> Plane<i16> {
    let mut left = scores.crop(core);
    if reach_px == 0 {
        return left;
    }
    let peaks = greatest_around(scores, reach_px).crop(core);
    left.zip_mut_with(&peaks, |score, peak| {
        if *peak >= MIN_PEAK && f64::from(*score) < EDGE * f64::from(*peak) {
            *score = SCORE_NODATA;
        }
    });
    left
}

/// The greatest value within `reach` rows and columns of each.
fn greatest_around(values: &Plane<i16>, reach: usize) -> Plane<i16> {
    let Rect {
        w: columns, h: rows, ..
    } = values.rect();
    let mut across = values.clone();
    // Whole rows at a time: each is compared with itself, moved.
    for (out, row) in across.rows_mut().zip(values.rows()) {
        for step in 1..=reach.min(columns.saturating_sub(1)) {
            raise(out, &row[step..]);
            raise(&mut out[step..], row);
        }
    }
    let mut peaks = across.clone();
    for (row, out) in peaks.rows_mut().enumerate() {
        let near = row.saturating_sub(reach)..(row + reach + 1).min(rows);
        for other in near.filter(|other| *other != row) {
            raise(out, across.row(other));
        }
    }
    peaks
}

/// Raises each value to the other where that is greater.
fn raise(values: &mut [i16], others: &[i16]) {
    values
        .iter_mut()
        .zip(others)
        .for_each(|(value, other)| *value = (*value).max(*other));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skirt_of_a_peak_goes_and_what_stands_alone_stays() {
        let row = [4000, 4000, 2000, 1900, 200, 0, 0, SCORE_NODATA, 0, 400, 0];
        let rect = Rect::new(10, 20, 11, 9);
        let scores = Plane::from_fn(rect, |[_, x]| row[x]);
        let core = Rect::new(11, 22, 9, 3);
        let left = without_fringes(&scores, &core, 2);
        let n = SCORE_NODATA;
        assert_eq!(left.row(1), [4000, 2000, n, n, n, 0, n, 0, 400]);
        assert_eq!(without_fringes(&scores, &core, 0), scores.crop(&core));
        // Part and whole agree.
        let part = Rect::new(13, 23, 3, 1);
        let tile = scores.crop(&part.grow(2));
        assert_eq!(without_fringes(&tile, &part, 2), left.crop(&part));
    }
}
