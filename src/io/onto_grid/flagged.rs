//! Flags of the pixels of a raster, on the site grid: a pixel has those of all that would make its value.

use super::kernel::Kernel;
use super::mapping::Mapping;
use super::nodes::Nodes;
use super::window::NO_WEIGHT;
use crate::geo::Rect;
use crate::raster::{Flags, Plane, flags};

/// Flags of `rect` of the site grid by those of a raster of `size`, of which `stored` holds what is needed: of each pixel all that stand under
/// `kernel`, and under all samples where several pixels make one; [`flags::NOT_COVERED`] beyond the raster.
pub fn onto_grid(
    mapping: &Mapping,
    rect: &Rect,
    stored: &Plane<Flags>,
    size: (usize, usize),
    kernel: Kernel,
) -> Plane<Flags> {
    match mapping {
        Mapping::Window { dx, dy } => moved([*dx, *dy], rect, stored),
        Mapping::Shift { dx, dy, s, t } => {
            let stored = spread(stored, kernel.reach(*s), kernel.reach(*t));
            let along = |v: i64, whole: i64, part: f32| (v + whole) as f64 + 0.5 + f64::from(part);
            under_kernel(rect, &stored, size, |y, at| {
                for (x, at) in (rect.x..).zip(at) {
                    *at = (along(x, *dx, *s), along(y, *dy, *t));
                }
            })
        }
        Mapping::Nodes(nodes) if nodes.samples > 1 => under_samples(nodes, rect, stored, size),
        Mapping::Nodes(nodes) => {
            let whole = kernel.reach(0.5);
            let stored = spread(stored, whole, whole);
            under_kernel(rect, &stored, size, |y, at| {
                nodes.locate_row(rect.x as f64 + 0.5, y as f64 + 0.5, at)
            })
        }
    }
}

/// Ground that makes a value is looked at no further away, pixels of the site grid: that of 60 m under cubic convolution on a grid of 10 m.
const MAX_REACH_PX: f64 = 16.0;

/// How far from a pixel's centre lies the ground that makes its value, pixels of the site grid across and down: its own edge where it is a pixel
/// of the raster, else the edges of the pixels under `kernel`, wherever between them it lies.
pub fn reach(mapping: &Mapping, kernel: Kernel) -> [f64; 2] {
    let along = |part: f32| match kernel.reach(part) {
        [0, 0] => 0.5,
        [first, last] => {
            let part = f64::from(part);
            (part - first as f64 + 0.5).max(last as f64 + 0.5 - part)
        }
    };
    let far = match mapping {
        Mapping::Window { .. } => [0.5; 2],
        Mapping::Shift { s, t, .. } => [along(*s), along(*t)],
        // An average is of samples all over the pixel, each between four.
        Mapping::Nodes(nodes) if nodes.samples > 1 => [0.5 + 1.0 / nodes.scale; 2],
        Mapping::Nodes(nodes) => {
            let widest = [0.0, 0.5, 1.0].map(along).into_iter().fold(0.5, f64::max);
            [widest / nodes.scale; 2]
        }
    };
    far.map(|far| far.min(MAX_REACH_PX))
}

/// Flags of `rect` of the site grid by those of a raster of `size` that lies otherwise than the bands: of each pixel all that meet the ground that
/// makes its value, which [`reach`]es so far from its centre; [`flags::NOT_COVERED`] beyond the raster.
pub fn within(
    mapping: &Mapping,
    rect: &Rect,
    stored: &Plane<Flags>,
    size: (usize, usize),
    reach: [f64; 2],
) -> Plane<Flags> {
    /// Coordinates are not exact, pixels of the raster: what meets by less does not.
    const EDGE_PX: f64 = 0.01;
    let mut out = Plane::filled(*rect, flags::CLEAR);
    let is_clear = stored.values().iter().all(|flag| *flag == flags::CLEAR);
    let [across, down] = reach.map(|reach| reach * mapping.scale() - EDGE_PX);
    // A pixel meets so many in a row, or one more: two that know what stands to their right and below tell of all.
    let [columns, rows] = [across, down].map(|reach| (2.0 * reach).floor() as i64);
    let spread = spread(stored, [0, columns], [0, rows]);
    let ends = |at: f64, reach: f64, more: i64, first: i64| {
        let end = |v: i64| v.max(first);
        [
            end((at - reach).floor() as i64),
            end((at + reach).floor() as i64 - more),
        ]
    };
    let mut at = vec![(0.0, 0.0); rect.w];
    for (y, line) in (rect.y..).zip(out.rows_mut()) {
        mapping.locate_row(rect.x as f64 + 0.5, y as f64 + 0.5, &mut at);
        for (flag, (u, v)) in line.iter_mut().zip(&at) {
            if is_beyond((*u, *v), size) {
                *flag = flags::NOT_COVERED;
            } else if !is_clear {
                for y in ends(*v, down, rows, spread.rect().y) {
                    for x in ends(*u, across, columns, spread.rect().x) {
                        *flag |= spread.get(x, y).copied().unwrap_or(flags::CLEAR);
                    }
                }
            }
        }
    }
    out
}

/// Flags of `rect` by those of `spread`, which hold all under the kernel; `locate` gives the points of a row.
fn under_kernel(
    rect: &Rect,
    spread: &Plane<Flags>,
    size: (usize, usize),
    locate: impl Fn(i64, &mut [(f64, f64)]),
) -> Plane<Flags> {
    let mut out = Plane::filled(*rect, flags::CLEAR);
    let mut at = vec![(0.0, 0.0); rect.w];
    for (y, line) in (rect.y..).zip(out.rows_mut()) {
        locate(y, &mut at);
        for (flag, at) in line.iter_mut().zip(&at) {
            *flag = match is_beyond(*at, size) {
                true => flags::NOT_COVERED,
                false => first_of(*at, spread),
            };
        }
    }
    out
}

/// The flag where the pixel lies that is the first of the two in each direction around (`u`, `v`); at a raster's left and upper edge, of the
/// outermost.
fn first_of((u, v): (f64, f64), stored: &Plane<Flags>) -> Flags {
    let along = |v: f64| ((v - 0.5).floor() as i64).max(0);
    stored.get(along(u), along(v)).copied().unwrap_or(flags::CLEAR)
}

fn is_beyond((u, v): (f64, f64), size: (usize, usize)) -> bool {
    u < 0.0 || v < 0.0 || u >= size.0 as f64 || v >= size.1 as f64
}

/// Flags of `rect` where it is the raster's own lattice, moved by so many columns and rows.
fn moved([dx, dy]: [i64; 2], rect: &Rect, stored: &Plane<Flags>) -> Plane<Flags> {
    let wanted = Rect::new(rect.x + dx, rect.y + dy, rect.w, rect.h);
    let mut out = Plane::filled(*rect, flags::NOT_COVERED);
    let part = wanted.intersect(&stored.rect());
    if !part.is_empty() {
        let target = Rect::new(part.x - dx, part.y - dy, part.w, part.h);
        out.part_mut(&target).assign(&stored.part(&part));
    }
    out
}

/// Of each pixel the flags of all from the first to the last column and row of `across` and `down`, counted from it.
fn spread(stored: &Plane<Flags>, across: [i64; 2], down: [i64; 2]) -> Plane<Flags> {
    let is_clear = stored.values().iter().all(|flag| *flag == flags::CLEAR);
    if is_clear || (across, down) == ([0, 0], [0, 0]) {
        return stored.clone();
    }
    let of_line = |from: &[Flags], to: &mut [Flags], by: i64| {
        let by_whole = by.unsigned_abs() as usize;
        let (from, to) = match by >= 0 {
            true => (from.get(by_whole..).unwrap_or_default(), to),
            false => (from, to.get_mut(by_whole..).unwrap_or_default()),
        };
        to.iter_mut().zip(from).for_each(|(to, from)| *to |= from);
    };
    let mut wide = Plane::filled(stored.rect(), flags::CLEAR);
    for (from, to) in stored.rows().zip(wide.rows_mut()) {
        (across[0]..=across[1]).for_each(|by| of_line(from, to, by));
    }
    let mut all = Plane::filled(stored.rect(), flags::CLEAR);
    let height = stored.rect().h as i64;
    for (row, to) in (0..height).zip(all.rows_mut()) {
        let reached = (row + down[0]).max(0)..(row + down[1] + 1).min(height);
        reached.for_each(|row| of_line(wide.row(row as usize), to, 0));
    }
    all
}

/// Flags of all samples of each pixel of `rect`.
fn under_samples(nodes: &Nodes, rect: &Rect, stored: &Plane<Flags>, size: (usize, usize)) -> Plane<Flags> {
    let mut out = Plane::filled(*rect, flags::CLEAR);
    let n = nodes.samples;
    let part = |k: usize| (k as f64 + 0.5) / n as f64;
    let is_clear = stored.values().iter().all(|flag| *flag == flags::CLEAR);
    let mut at = vec![(0.0, 0.0); rect.w];
    for (row, line) in out.rows_mut().enumerate() {
        let y = (rect.y + row as i64) as f64;
        for (j, i) in (0..n * n).map(|k| (k / n, k % n)) {
            nodes.locate_row(rect.x as f64 + part(i), y + part(j), &mut at);
            for (flag, at) in line.iter_mut().zip(&at) {
                *flag |= match is_beyond(*at, size) {
                    true => flags::NOT_COVERED,
                    false if is_clear => flags::CLEAR,
                    false => around(*at, stored),
                };
            }
        }
    }
    out
}

/// Flags of the four pixels around a point that carry weight.
fn around((u, v): (f64, f64), stored: &Plane<Flags>) -> Flags {
    let ((i, s), (j, t)) = (split(u), split(v));
    let mut all = flags::CLEAR;
    for (y, down) in [(j, 1.0 - t), (j + 1, t)] {
        for (x, across) in [(i, 1.0 - s), (i + 1, s)] {
            if across * down >= NO_WEIGHT {
                all |= stored.get(x, y).copied().unwrap_or(flags::CLEAR);
            }
        }
    }
    all
}

/// The pixel whose centre lies before a coordinate, and how far behind it that is.
fn split(u: f64) -> (i64, f32) {
    let first = (u - 0.5).floor();
    (first as i64, (u - 0.5 - first) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::Grid;
    use crate::io::mapping::tests::{grid, mapped, target, wkt};

    const SIZE: (usize, usize) = (12, 10);

    /// A raster of clear pixels with one cloud.
    fn clouded(x: usize, y: usize) -> Plane<Flags> {
        let mut plane = Plane::filled(Rect::new(0, 0, SIZE.0, SIZE.1), flags::CLEAR);
        plane[[y, x]] = flags::CLOUD;
        plane
    }

    /// Quality at 20 m under bands of 10 m, read as they are, moved, and coarser than the grid.
    #[test]
    fn a_coarser_quality_band_says_no_more_than_its_pixels() {
        let grid = Grid {
            pixel_m: 10.0,
            width: 24,
            height: 20,
            ..grid()
        };
        let transform = [grid.left_m, 20.0, 0.0, grid.top_m, 0.0, -20.0];
        let coarse = mapped(&target(&grid, 0), &transform, &wkt(&grid.crs));
        let clouds = |band: &Mapping| {
            let out = within(&coarse, &grid.rect(), &clouded(5, 4), SIZE, reach(band, Kernel::Cubic));
            let columns: Vec<usize> = (0..24).filter(|x| out[[9, *x]] == flags::CLOUD).collect();
            let rows: Vec<usize> = (0..20).filter(|y| out[[*y, 10]] == flags::CLOUD).collect();
            (columns, rows)
        };
        let window = Mapping::Window { dx: 0, dy: 0 };
        assert_eq!(clouds(&window), (vec![10, 11], vec![8, 9]));
        // Four pixels of ten metres make a value: two beyond the cloud on each side touch it.
        let (dx, dy, s, t) = (0, 0, 0.5, 0.0);
        assert_eq!(
            clouds(&Mapping::Shift { dx, dy, s, t }),
            ((8..14).collect(), vec![8, 9])
        );
        // Of bands of its own pixel, by as many of theirs.
        assert_eq!(clouds(&coarse), ((6..16).collect(), (4..14).collect()));
    }

    fn clouds(mapping: &Mapping, rect: &Rect, kernel: Kernel) -> Vec<(i64, i64)> {
        let out = onto_grid(mapping, rect, &clouded(5, 4), SIZE, kernel);
        let at = |((row, column), _): ((usize, usize), &Flags)| (rect.x + column as i64, rect.y + row as i64);
        out.indexed_iter()
            .filter(|(_, flag)| **flag & flags::CLOUD != 0)
            .map(at)
            .collect()
    }

    #[test]
    fn a_pixel_has_the_flags_of_all_pixels_under_its_kernel() {
        let rect = Rect::new(0, 0, SIZE.0, SIZE.1);
        let window = Mapping::Window { dx: 1, dy: 0 };
        assert_eq!(clouds(&window, &rect, Kernel::Cubic), [(4, 4)]);
        let shift = |s, t| Mapping::Shift { dx: 0, dy: 0, s, t };
        // The second of two pixels around it, and the first.
        let four = [(4, 3), (5, 3), (4, 4), (5, 4)];
        assert_eq!(clouds(&shift(0.3, 0.6), &rect, Kernel::Bilinear), four);
        assert_eq!(clouds(&shift(0.3, 0.6), &rect, Kernel::Cubic).len(), 16);
        // In a direction that is not shifted a pixel is its own.
        assert_eq!(clouds(&shift(0.3, 0.0), &rect, Kernel::Bilinear), [(4, 4), (5, 4)]);
    }

    #[test]
    fn ground_beyond_the_raster_is_not_covered() {
        let rect = Rect::new(-2, -1, SIZE.0 + 4, SIZE.1 + 2);
        for mapping in [
            Mapping::Window { dx: 0, dy: 0 },
            Mapping::Shift {
                dx: 0,
                dy: 0,
                s: 0.4,
                t: 0.4,
            },
        ] {
            let out = onto_grid(&mapping, &rect, &clouded(5, 4), SIZE, Kernel::Cubic);
            for ((row, column), flag) in out.indexed_iter() {
                let (x, y) = (rect.x + column as i64, rect.y + row as i64);
                let is_inside = Rect::new(0, 0, SIZE.0, SIZE.1).contains(x, y);
                assert_eq!(flag & flags::NOT_COVERED == 0, is_inside, "{mapping:?}: {x}, {y}");
            }
        }
    }

    /// Nodes that make one pixel of the grid of several of the raster; the other half of the grid's pixel has its own.
    #[test]
    fn a_coarse_pixel_has_the_flags_of_all_its_samples_and_no_others() {
        let grid = Grid {
            pixel_m: 60.0,
            width: 20,
            height: 20,
            ..grid()
        };
        let transform = [grid.left_m, 10.0, 0.0, grid.top_m, 0.0, -10.0];
        let mapping = mapped(&target(&grid, 0), &transform, &wkt(&grid.crs));
        let mut plane = Plane::filled(Rect::new(0, 0, 120, 120), flags::CLEAR);
        for (x, y) in [(0, 0), (35, 41), (60, 60)] {
            plane[[y, x]] = flags::CLOUD;
        }
        let out = onto_grid(&mapping, &grid.rect(), &plane, (120, 120), Kernel::Cubic);
        let found: Vec<_> = out
            .indexed_iter()
            .filter(|(_, flag)| **flag != flags::CLEAR)
            .map(|(at, _)| at)
            .collect();
        assert_eq!(found, [(0, 0), (6, 5), (10, 10)]);
    }
}
