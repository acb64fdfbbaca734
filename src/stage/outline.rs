//! The outline of a region along pixel edges.

use std::collections::BTreeMap;

use geo::{LineString, MultiPolygon, Polygon};

use super::regions::Run;

/// A corner between pixels: row, column.
type Corner = (i64, i64);

/// The outline of the pixels of `runs` (sorted by row and column, none overlapping), in pixels of the site grid.
///
/// Edges have the region on their right and are followed from corner to corner. Where two pixels touch at a corner only, the
/// ring turns back to the pixel that it came along, and a ring that meets itself is cut there: every ring is simple, and pieces
/// that hang together by a corner are polygons of their own.
pub fn outline(runs: &[Run]) -> MultiPolygon<f64> {
    let pieces = pieces(runs);
    let (mut shells, mut holes) = (Vec::new(), BTreeMap::<usize, Vec<LineString<f64>>>::new());
    for ring in rings(edges(runs)) {
        let Some(piece) = beside(&ring, runs).and_then(|run| pieces.get(run)) else {
            continue;
        };
        if doubled_area(&ring) > 0 {
            shells.push((*piece, line(&ring)));
        } else {
            holes.entry(*piece).or_default().push(line(&ring));
        }
    }
    let polygon = |(piece, shell)| Polygon::new(shell, holes.remove(&piece).unwrap_or_default());
    MultiPolygon(shells.into_iter().map(polygon).collect())
}

/// A number for each run, which those have in common whose pixels hang together by their edges: they are one polygon.
fn pieces(runs: &[Run]) -> Vec<usize> {
    // Each run points to another one of its piece, or to itself.
    let mut parents: Vec<usize> = (0..runs.len()).collect();
    fn root(parents: &mut [usize], mut run: usize) -> usize {
        while parents[run] != run {
            parents[run] = parents[parents[run]];
            run = parents[run];
        }
        run
    }
    let mut above = 0;
    for (index, run) in runs.iter().enumerate() {
        while (runs[above].y, runs[above].to) <= (run.y - 1, run.from) {
            above += 1;
        }
        let touches = |other: &&Run| (other.y, other.from) < (run.y - 1, run.to);
        for other in above..above + runs[above..index].iter().take_while(touches).count() {
            let (a, b) = (root(&mut parents, index), root(&mut parents, other));
            parents[a.max(b)] = a.min(b);
        }
    }
    (0..runs.len()).map(|run| root(&mut parents, run)).collect()
}

/// The run with the pixel beside the first edge of `ring`.
fn beside(ring: &[Corner], runs: &[Run]) -> Option<usize> {
    let &[(ay, ax), (by, bx), ..] = ring else { return None };
    let (dy, dx) = ((by - ay).signum(), (bx - ax).signum());
    let pixel = (ay - i64::from(dy + dx < 0), ax - i64::from(dx - dy < 0));
    runs.partition_point(|run| (run.y, run.from) <= pixel).checked_sub(1)
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

#[cfg(test)]
mod tests {
    use geo::{Area, Contains, Point, Validation};
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
