//! Dates whose pixels are far coarser, or far finer, than those of the others: they are no views of one ground.

/// Pixels may be this many times as long as the finest.
const MAX_TIMES: f64 = 10.0;
/// And so many times where few of them lie on the site.
const MAX_TIMES_OF_FEW: f64 = 4.0;
/// Fewer pixels on a site are few.
const FEW_PIXELS: f64 = 16.0;

/// Of dates whose pixels are so many metres long (`None` where that is not known), on a site of `area_m2`, those that are passed over, and why;
/// `ids` names them.
///
/// They are held against the finest; but against the next finest where that one stands alone.
pub fn passed_over(pixels_m: &[Option<f64>], area_m2: f64, ids: &[&str]) -> Vec<(usize, String)> {
    let mut known: Vec<(f64, usize)> = pixels_m
        .iter()
        .enumerate()
        .filter_map(|(at, pixel)| pixel.map(|pixel| (pixel, at)))
        .collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let is_far = |coarse: f64, fine: f64| {
        let is_few = area_m2 / (coarse * coarse) < FEW_PIXELS;
        // Sizes are rounded.
        coarse > 1.001 * fine * if is_few { MAX_TIMES_OF_FEW } else { MAX_TIMES }
    };
    let mut passed = Vec::new();
    let mut told = |(pixel, at): (f64, usize), (other, beside): (f64, usize)| {
        let (times, than) = if pixel > other {
            (pixel / other, "coarser")
        } else {
            (other / pixel, "finer")
        };
        passed.push((
            at,
            format!(
                "passed over: its pixels are {} m, {times:.0} times {than} than those of {}",
                short(pixel),
                ids.get(beside).copied().unwrap_or_default()
            ),
        ));
    };
    if let [finest, next, _, ..] = known[..]
        && is_far(next.0, finest.0)
    {
        told(finest, next);
        known.remove(0);
    }
    if let Some(finest) = known.first().copied() {
        let far = known.iter().filter(|one| is_far(one.0, finest.0));
        far.for_each(|one| told(*one, finest));
    }
    passed.sort();
    passed
}

/// A length as it is said, to two digits that count.
fn short(metres: f64) -> f64 {
    let last = 10_f64.powf(metres.log10().floor() - 1.0);
    let rounded = (metres / last).round() * last;
    (rounded * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is passed over of pixels of these lengths on a square site of `edge_m`; 0 where it is not known.
    fn passed(pixels_m: &[f64], edge_m: f64) -> Vec<usize> {
        let known: Vec<Option<f64>> = pixels_m.iter().map(|pixel| (*pixel > 0.0).then_some(*pixel)).collect();
        let ids = vec!["x"; known.len()];
        let told = passed_over(&known, edge_m * edge_m, &ids);
        told.into_iter().map(|(at, _)| at).collect()
    }

    const NONE: [usize; 0] = [];

    #[test]
    fn what_is_far_coarser_is_passed_over() {
        assert_eq!(passed(&[10.0, 500.0, 10.0], 50_000.0), [1]);
        assert_eq!(passed(&[10.0, 10.0, 500.0, 500.0, 500.0], 50_000.0), [2, 3, 4]);
        assert_eq!(passed(&[10.0, 30.0, 60.0, 100.0, 0.0], 50_000.0), NONE);
        // A handful of pixels on the site are no view of it.
        assert_eq!(passed(&[30.0, 250.0, 30.0], 10_000.0), NONE);
        assert_eq!(passed(&[30.0, 250.0, 30.0], 800.0), [1]);
        assert_eq!(passed(&[10.0, 30.0, 10.0], 40.0), NONE);
        let told = passed_over(&[Some(10.0), Some(463.3)], 1e9, &["fine", "coarse"]);
        assert_eq!(
            told,
            [(
                1,
                "passed over: its pixels are 460 m, 46 times coarser than those of fine".to_owned()
            )]
        );
    }

    #[test]
    fn one_fine_date_costs_no_series() {
        assert_eq!(passed(&[10.0, 0.5, 10.0, 30.0], 5_000.0), [1]);
        assert_eq!(passed(&[0.5, 0.5, 10.0], 5_000.0), [2]);
        assert_eq!(passed(&[500.0, 500.0], 100.0), NONE);
        assert_eq!(passed(&[], 1.0), NONE);
    }
}
