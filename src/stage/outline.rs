//! The outline of a region along pixel edges.

use std::collections::BTreeMap;

use geo::{BoundingRect, Contains, LineString, MultiPolygon, Point, Polygon};

use super::regions::Run;

/// A corner between pixels: row, column.
type Corner = (i64, i64);

/// The outline of the pixels of `runs` (sorted by row and column, none overlapping), in pixels of the site grid.
///
/// Edges have the region on their right and are followed from corner to corner. Where two pixels touch at a corner only, the
/// ring turns back to the pixel that it came along, and a ring that meets itself is cut there: every ring is simple, and pieces
/// that hang together by a corner are polygons of their own.
pub fn outline(runs: &[Run]) -> MultiPolygon<f64> {
    let (mut outer, mut holes) = (Vec::new(), Vec::new());
    for ring in rings(edges(runs)) {
        if doubled_area(&ring) > 0 {
            outer.push((ring, Vec::new()));
        } else {
            holes.push(ring);
        }
    }
    let shells: Vec<Polygon<f64>> = outer
        .iter()
        .map(|(ring, _)| Polygon::new(line(ring), Vec::new()))
        .collect();
    for hole in holes {
        let owner = owner(&shells, &hole);
        if let Some((_, inside)) = outer.get_mut(owner) {
            inside.push(line(&hole));
        }
    }
    MultiPolygon(
        outer
            .into_iter()
            .zip(shells)
            .map(|((_, holes), shell)| Polygon::new(shell.exterior().clone(), holes))
            .collect(),
    )
}

/// Directed edges by their first corner: at most two leave a corner.
fn edges(runs: &[Run]) -> BTreeMap<Corner, Vec<Corner>> {
    let mut edges: BTreeMap<Corner, Vec<Corner>> = BTreeMap::new();
    let mut add = |from: Corner, to: Corner| edges.entry(from).or_default().push(to);
    let rows: Vec<&[Run]> = runs.chunk_by(|a, b| a.y == b.y).collect();
    for (index, row) in rows.iter().enumerate() {
        let y = row[0].y;
        let row_at = |index: Option<usize>, wanted: i64| -> &[Run] {
            let found = index.and_then(|i| rows.get(i)).copied();
            found.filter(|row| row[0].y == wanted).unwrap_or_default()
        };
        let (above, below) = (row_at(index.checked_sub(1), y - 1), row_at(Some(index + 1), y + 1));
        for run in *row {
            add((y + 1, run.from), (y, run.from));
            add((y, run.to), (y + 1, run.to));
        }
        uncovered(row, above, |from, to| add((y, from), (y, to)));
        uncovered(row, below, |from, to| add((y + 1, to), (y + 1, from)));
    }
    edges
}

/// The parts of the runs of `row` that no run of `other` covers.
fn uncovered(row: &[Run], other: &[Run], mut part: impl FnMut(i64, i64)) {
    let mut first = 0;
    for run in row {
        let mut from = run.from;
        while first < other.len() && other[first].to <= from {
            first += 1;
        }
        for cover in other[first..].iter().take_while(|cover| cover.from < run.to) {
            if cover.from > from {
                part(from, cover.from);
            }
            from = from.max(cover.to);
        }
        if from < run.to {
            part(from, run.to);
        }
    }
}

/// Simple rings of corners, without those on straight lines; the first is not repeated.
fn rings(mut edges: BTreeMap<Corner, Vec<Corner>>) -> Vec<Vec<Corner>> {
    let mut rings = Vec::new();
    while let Some((&start, _)) = edges.first_key_value() {
        let mut path = vec![start];
        let mut place = BTreeMap::from([(start, 0)]);
        while let Some(next) = step(&mut edges, &path) {
            match place.get(&next).copied() {
                None => {
                    place.insert(next, path.len());
                    path.push(next);
                }
                Some(at) => {
                    let ring = path.split_off(at);
                    for corner in &ring[1..] {
                        place.remove(corner);
                    }
                    path.push(next);
                    rings.push(straightened(&ring));
                    if at == 0 {
                        break;
                    }
                }
            }
        }
    }
    rings
}

/// The corner that follows the last of `path`; its edge is taken out.
fn step(edges: &mut BTreeMap<Corner, Vec<Corner>>, path: &[Corner]) -> Option<Corner> {
    let here = *path.last()?;
    let ways = edges.get_mut(&here)?;
    let right = path.len().checked_sub(2).map(|before| {
        let (dy, dx) = (here.0 - path[before].0, here.1 - path[before].1);
        (dx.signum(), -dy.signum())
    });
    let pick = ways
        .iter()
        .position(|way| Some(((way.0 - here.0).signum(), (way.1 - here.1).signum())) == right)
        .unwrap_or(0);
    let next = ways.swap_remove(pick);
    if ways.is_empty() {
        edges.remove(&here);
    }
    Some(next)
}

fn straightened(ring: &[Corner]) -> Vec<Corner> {
    let n = ring.len();
    let turns = |i: usize| {
        let (a, b, c) = (ring[(i + n - 1) % n], ring[i], ring[(i + 1) % n]);
        (a.0 == b.0) != (b.0 == c.0)
    };
    (0..n).filter(|i| turns(*i)).map(|i| ring[i]).collect()
}

/// Twice the area: positive for outer rings, negative for holes.
fn doubled_area(ring: &[Corner]) -> i64 {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).map(|(a, b)| a.1 * b.0 - b.1 * a.0).sum()
}

fn line(ring: &[Corner]) -> LineString<f64> {
    ring.iter().map(|(y, x)| (*x as f64, *y as f64)).collect()
}

/// The smallest of `shells` that holds the pixel beside the first edge of `hole`.
fn owner(shells: &[Polygon<f64>], hole: &[Corner]) -> usize {
    let ((ay, ax), (by, bx)) = (hole[0], hole[1]);
    let (dy, dx) = ((by - ay).signum() as f64, (bx - ax).signum() as f64);
    let pixel = Point::new(ax as f64 + 0.5 * (dx - dy), ay as f64 + 0.5 * (dy + dx));
    let size = |shell: &Polygon<f64>| shell.bounding_rect().map_or(0.0, |b| b.width() * b.height());
    (0..shells.len())
        .filter(|i| shells.len() == 1 || shells[*i].bounding_rect().is_some_and(|b| b.contains(&pixel)))
        .filter(|i| shells.len() == 1 || shells[*i].contains(&pixel))
        .min_by(|a, b| size(&shells[*a]).total_cmp(&size(&shells[*b])))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use geo::{Area, Validation};
    use proptest::prelude::*;

    use super::*;

    fn runs(rows: &[&str]) -> Vec<Run> {
        let mut found = Vec::new();
        for (y, row) in rows.iter().enumerate() {
            let pixels = row
                .bytes()
                .enumerate()
                .filter(|(_, pixel)| *pixel == b'#')
                .map(|(x, _)| x as i64);
            for x in pixels {
                match found.last_mut() {
                    Some(Run { y: last, to, .. }) if *last == y as i64 && *to == x => *to += 1,
                    _ => found.push(Run {
                        y: y as i64,
                        from: x,
                        to: x + 1,
                        peak: 0,
                        sum: 0,
                        seeds: 0,
                    }),
                }
            }
        }
        found
    }

    #[test]
    fn a_square_has_four_corners_a_frame_a_hole_and_corners_part_polygons() {
        let square = outline(&runs(&["##", "##"]));
        assert_eq!(square.0[0].exterior().0.len(), 5);
        let frame = outline(&runs(&["###", "#.#", "###"]));
        assert_eq!(
            (frame.0.len(), frame.0[0].interiors().len(), frame.unsigned_area()),
            (1, 1, 8.0)
        );
        assert_eq!(outline(&runs(&["#.", ".#"])).0.len(), 2);
        // Two holes that touch at a corner, in one polygon.
        let holes = outline(&runs(&["####", "#.##", "##.#", "####"]));
        assert_eq!((holes.0.len(), holes.0[0].interiors().len()), (1, 2));
        // A polygon in the hole of another.
        let nested = outline(&runs(&["#####", "#...#", "#.#.#", "#...#", "#####"]));
        assert_eq!((nested.0.len(), nested.unsigned_area()), (2, 17.0));
        assert_eq!(outline(&[]).0.len(), 0);
    }

    proptest! {
        #[test]
        fn an_outline_is_valid_and_holds_just_its_pixels(pixels in proptest::collection::vec(any::<bool>(), 8 * 9)) {
            let rows: Vec<String> = pixels.chunks(9).map(|row| row.iter().map(|p| if *p { '#' } else { '.' }).collect()).collect();
            let outline = outline(&runs(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
            prop_assert!(outline.iter().all(|polygon| polygon.is_valid()), "{:?}", rows);
            for (i, pixel) in pixels.iter().enumerate() {
                let centre = Point::new((i % 9) as f64 + 0.5, (i / 9) as f64 + 0.5);
                prop_assert_eq!(outline.contains(&centre), *pixel, "{:?}", rows);
            }
        }
    }
}
