//! Whether tie points are spread over the site: those in one corner bend the image (PEERS.md: AROSICS#12, #21).

use super::model::{MIN_CELLS, MIN_HULL, Unmeasured};
use crate::geo::Rect;

/// Whether the points are spread over the site; `all` are the middles of all windows.
///
/// # Errors
/// [`Unmeasured::Clustered`].
pub(super) fn judge_spread(points: &[[f64; 2]], all: &[[f64; 2]], area: Rect) -> Result<(), Unmeasured> {
    let cells = cells(points, area);
    let part = hull_area(points) / hull_area(all).max(f64::MIN_POSITIVE);
    if cells < MIN_CELLS || part < MIN_HULL {
        return Err(Unmeasured::Clustered {
            cells,
            hull: 100.0 * part,
        });
    }
    Ok(())
}

/// How many cells of a 3 x 3 division of the site hold a point.
pub(super) fn cells(points: &[[f64; 2]], area: Rect) -> usize {
    let along = |at: f64, from: i64, length: usize| ((at - from as f64) * 3.0 / length as f64).floor().clamp(0.0, 2.0);
    let mut held = [false; 9];
    for p in points {
        held[(along(p[1], area.y, area.h) * 3.0 + along(p[0], area.x, area.w)) as usize] = true;
    }
    held.iter().filter(|h| **h).count()
}

/// The area of the convex hull (Andrew, "Another efficient algorithm for convex hulls in two dimensions", 1979).
fn hull_area(points: &[[f64; 2]]) -> f64 {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let cross = |o: [f64; 2], a: [f64; 2], b: [f64; 2]| (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
    let chain = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut out: Vec<[f64; 2]> = Vec::new();
        for p in points {
            while let [.., o, a] = out[..] {
                if cross(o, a, p) > 0.0 {
                    break;
                }
                out.pop();
            }
            out.push(p);
        }
        out
    };
    let mut ring = chain(&mut sorted.iter().copied());
    ring.pop();
    ring.extend(chain(&mut sorted.iter().rev().copied()));
    ring.windows(2)
        .map(|w| if let [a, b] = w { a[0] * b[1] - a[1] * b[0] } else { 0.0 })
        .sum::<f64>()
        .abs()
        / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_ninths_of_the_site() {
        let area = Rect::new(-30, 60, 30, 90);
        assert_eq!(
            cells(&[[-30.0, 60.0], [-21.0, 89.0], [-1.0, 149.0], [0.0, 150.0]], area),
            2
        );
        assert_eq!(cells(&[], area), 0);
    }

    #[test]
    fn the_hull_of_a_square_is_its_area() {
        let square = [[0.0, 0.0], [2.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.0, 2.0], [1.0, 0.0]];
        assert_eq!(hull_area(&square), 4.0);
        assert_eq!(hull_area(&[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), 0.0);
        assert_eq!((hull_area(&[]), hull_area(&[[1.0, 1.0]])), (0.0, 0.0));
    }
}
