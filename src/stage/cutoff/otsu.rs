//! Otsu's threshold ("A threshold selection method from gray-level histograms", 1979): the cut that leaves most of the variance
//! between its two classes. It finds common change. Where change is rare it would cut the heap of no change in two, and refuses.

use super::null::Null;
use crate::raster::stats::Histogram;

/// A cut of a histogram in two classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Lowest stored score of the upper class.
    pub level: i16,
    /// Share of the variance that lies between the classes, 0 to 1 (Otsu's eta).
    pub separability: f64,
    /// Share of the pixels in the upper class.
    pub upper: f64,
}

/// Otsu's cut of the stored scores; `None` when there are fewer than two different ones.
///
/// Sums are whole numbers, so the order of counting cannot show; of equal cuts it is the lowest.
pub fn split(scores: &Histogram) -> Option<Split> {
    let occupied: Vec<(i16, i128)> = scores.occupied().map(|(score, n)| (score, i128::from(n))).collect();
    let (mut n, mut sum, mut squares) = (0, 0, 0);
    for (score, count) in &occupied {
        let score = i128::from(*score);
        n += count;
        sum += count * score;
        squares += count * score * score;
    }
    // n^2 times the variance, and n^2 times the part of it between the classes.
    let all = (n * squares - sum * sum) as f64;
    let (mut below, mut below_sum) = (0, 0);
    let mut best: Option<(f64, i16, i128)> = None;
    for pair in occupied.windows(2) {
        let (score, count) = pair[0];
        below += count;
        below_sum += count * i128::from(score);
        let apart = (n * below_sum - below * sum) as f64;
        let between = apart * apart / (below as f64 * (n - below) as f64);
        if best.is_none_or(|(most, ..)| between > most) {
            best = Some((between, pair[1].0, below));
        }
    }
    best.map(|(between, level, below)| Split {
        level,
        separability: between / all,
        upper: (n - below) as f64 / n as f64,
    })
}

/// The lowest score of the upper class, as a stored score.
///
/// # Errors
/// The reason, when there are not two classes: the upper one is too small, or the null distribution explains much of it.
///
/// Separability alone does not tell: a normal distribution cut through its middle has 0.64, two urban scenes with a long tail 0.65 and
/// 0.67, and a scene where the cut is right 0.65.
pub fn seed(scores: &Histogram, null: &Null) -> Result<i16, String> {
    let split = split(scores).ok_or("all scores are equal")?;
    super::plausible::common(split.upper)
        .map_err(|reason| format!("{reason} (separability {:.2})", split.separability))?;
    super::plausible::unlike_no_change(scores, null, split.level)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{add_normal, normal, with};
    use super::*;

    fn of(values: &[(i16, u64)]) -> Histogram {
        let mut histogram = Histogram::default();
        for (score, n) in values {
            (0..*n).for_each(|_| histogram.add(*score));
        }
        histogram
    }

    #[test]
    fn the_cut_is_that_of_scikit_image() {
        // c = [30, 80, 120, 60, 20, 5, 8, 25, 40, 15]; skimage.filters.threshold_otsu(hist=(c, np.arange(10))) = 4: classes
        // [0, 4] and [5, 9]. numpy, x = np.repeat(np.arange(10), c): between-class over total variance = 0.842177
        let counts = [30, 80, 120, 60, 20, 5, 8, 25, 40, 15];
        let values: Vec<(i16, u64)> = (0..10).zip(counts).collect();
        let found = split(&of(&values)).unwrap();
        assert_eq!(found.level, 5);
        assert!(
            (found.separability - 0.842_176_698_777_849_1).abs() < 1e-12,
            "{found:?}"
        );
        assert!((found.upper - 93.0 / 403.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_and_a_single_score_cannot_be_cut() {
        assert_eq!(split(&Histogram::default()), None);
        assert_eq!(split(&of(&[(7, 1000)])), None);
    }

    #[test]
    fn common_change_is_cut_in_its_valley() {
        let mut histogram = normal(16_000, 0.0, 1.0);
        add_normal(&mut histogram, 4_000, 8.0, 1.0);
        let level = seed(&histogram, &Null::fit(&histogram).unwrap()).unwrap();
        assert!((300..500).contains(&level), "{level}");
    }

    #[test]
    fn otsu_refuses_what_has_not_two_classes() {
        let refused = |histogram: Histogram| seed(&histogram, &Null::fit(&histogram).unwrap()).unwrap_err();
        assert!(refused(of(&[(7, 1000)])).contains("equal"));
        assert!(refused(normal(20_000, 0.0, 1.0)).contains("no change"));
        assert!(refused(normal(20_000, 1.0, 3.0)).contains("no change"));
        assert!(refused(with(normal(20_000, 0.0, 1.0), 10, 8.0)).contains("no change"));
        // Sun glint: few pixels, far away.
        assert!(refused(with(normal(20_000, 0.0, 1.0), 60, 300.0)).contains("rare"));
        // Two heaps that both lie where no change reaches.
        let mut near = normal(10_000, -1.0, 0.2);
        add_normal(&mut near, 10_000, 1.0, 0.2);
        assert!(refused(near).contains("no change"));
    }
}
