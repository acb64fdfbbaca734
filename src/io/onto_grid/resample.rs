//! Values between the pixels of a raster, on the site grid.
//!
//! Each value depends on the pixels around its own point alone, in one order of sums: no tile can be seen.

use ndarray::Array2;

pub use super::kernel::Kernel;
use super::kernel::{convolved, interpolated};
use super::mapping::Mapping;
use super::nodes::Nodes;
pub use super::window::Window;
use super::window::{filled, sample};
use crate::geo::Rect;
use crate::raster::{Flags, Plane, flags};

/// One band on a rectangle of the site grid: values, and why there is none; `None` where all pixels have one.
pub type Resampled = (Array2<f32>, Option<Plane<Flags>>);

/// Values and reasons of `rect` of the site grid, by the pixels of each of `windows`, which lie alike in rasters of `size`.
///
/// A pixel is unusable when less than half of the weight around it is usable. Where several pixels of the raster make one of the grid
/// they are averaged, whatever the kernel, and it is unusable when any of them is.
pub fn onto_grid(
    mapping: &Mapping,
    rect: &Rect,
    windows: Vec<Window>,
    size: (usize, usize),
    kernel: Kernel,
) -> Vec<Resampled> {
    match mapping {
        Mapping::Window { dx, dy } => windows
            .into_iter()
            .map(|window| shifted([*dx, *dy], rect, window))
            .collect(),
        Mapping::Shift { dx, dy, s, t } => {
            let [across, down] = [*s, *t].map(|part| kernel.weights(part));
            let point = |x: i64, y: i64| {
                [(x, dx, s), (y, dy, t)].map(|(v, whole, part)| (v + whole) as f64 + f64::from(*part) + 0.5)
            };
            let one = |window: &Window| {
                let mut values = convolved([*dx, *dy], rect, &window.values, across, down);
                let reasons = filled(&mut values, rect, window, size, point);
                (values, reasons)
            };
            windows.iter().map(one).collect()
        }
        Mapping::Nodes(nodes) if nodes.samples > 1 => {
            let one = |window: &Window| averaged(nodes, rect, window, size);
            windows.iter().map(one).collect()
        }
        Mapping::Nodes(nodes) => {
            let mut all = interpolated(nodes, rect, &windows, kernel);
            let one = |(values, window): (&mut Array2<f32>, &Window)| {
                let mut at = Vec::new();
                let mut located = None;
                filled(values, rect, window, size, |x, y| {
                    if located != Some(y) {
                        at.resize(rect.w, (0.0, 0.0));
                        nodes.locate_row(rect.x as f64 + 0.5, y as f64 + 0.5, &mut at);
                        located = Some(y);
                    }
                    let (u, v) = at[(x - rect.x) as usize];
                    [u, v]
                })
            };
            let reasons: Vec<_> = all.iter_mut().zip(&windows).map(one).collect();
            all.into_iter().zip(reasons).collect()
        }
    }
}

/// Values of `rect` of the site grid, each that of the raster's pixel in which its centre lies; NaN outside.
pub fn nearest(mapping: &Mapping, rect: &Rect, window: Window) -> Array2<f32> {
    match mapping {
        Mapping::Window { dx, dy } => shifted([*dx, *dy], rect, window).0,
        Mapping::Shift { dx, dy, s, t } => {
            let beyond = |part: f32| i64::from(part >= 0.5);
            shifted([dx + beyond(*s), dy + beyond(*t)], rect, window).0
        }
        Mapping::Nodes(nodes) => {
            let mut at = vec![(0.0, 0.0); rect.w];
            let mut values = Array2::from_elem((rect.h, rect.w), f32::NAN);
            for (row, mut line) in values.outer_iter_mut().enumerate() {
                nodes.locate_row(rect.x as f64 + 0.5, (rect.y + row as i64) as f64 + 0.5, &mut at);
                for (value, (u, v)) in line.iter_mut().zip(&at) {
                    if let Some(found) = window.values.get(u.floor() as i64, v.floor() as i64) {
                        *value = *found;
                    }
                }
            }
            values
        }
    }
}

/// Values of `rect` of the site grid where it is the raster's own lattice, moved by so many columns and rows.
fn shifted([dx, dy]: [i64; 2], rect: &Rect, window: Window) -> Resampled {
    let have = window.values.rect();
    let wanted = Rect::new(rect.x + dx, rect.y + dy, rect.w, rect.h);
    if wanted == have {
        let reasons = window.reasons.map(|why| Plane::of(*rect, why.into_array()));
        return (window.values.into_array(), reasons);
    }
    let mut values = Plane::filled(*rect, f32::NAN);
    let mut reasons = Plane::filled(*rect, flags::NOT_COVERED);
    let part = wanted.intersect(&have);
    if !part.is_empty() {
        let target = Rect::new(part.x - dx, part.y - dy, part.w, part.h);
        values.part_mut(&target).assign(&window.values.part(&part));
        match &window.reasons {
            Some(why) => reasons.part_mut(&target).assign(&why.part(&part)),
            None => reasons.part_mut(&target).fill(flags::CLEAR),
        }
    }
    (values.into_array(), Some(reasons))
}

/// Values of `rect`, each the mean of regular samples over its pixel.
fn averaged(nodes: &Nodes, rect: &Rect, window: &Window, size: (usize, usize)) -> Resampled {
    let mut values = Array2::from_elem((rect.h, rect.w), f32::NAN);
    let mut reasons: Option<Plane<Flags>> = None;
    let n = nodes.samples;
    let part = |k: usize| (k as f64 + 0.5) / n as f64;
    let mut at = vec![(0.0, 0.0); rect.w];
    let mut sums = vec![(0.0_f32, 0.0_f32, flags::CLEAR); rect.w];
    for row in 0..rect.h {
        let y = (rect.y + row as i64) as f64;
        sums.fill((0.0, 0.0, flags::CLEAR));
        for (j, i) in (0..n * n).map(|k| (k / n, k % n)) {
            nodes.locate_row(rect.x as f64 + part(i), y + part(j), &mut at);
            for ((sum, weight, why), (u, v)) in sums.iter_mut().zip(&at) {
                let (s, w, reason) = sample(window, *u, *v, size);
                *sum += s;
                *weight += w;
                *why |= reason;
            }
        }
        for (column, (sum, weight, why)) in sums.iter().enumerate() {
            if *why == flags::CLEAR {
                values[[row, column]] = sum / weight;
            } else {
                reasons.get_or_insert_with(|| Plane::filled(*rect, flags::CLEAR))[[row, column]] = *why;
            }
        }
    }
    (values, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::mapping::tests::{grid, mapped, target, wkt};

    fn copy(window: &Window) -> Window {
        Window {
            values: window.values.clone(),
            reasons: window.reasons.clone(),
        }
    }

    /// The mapping of a raster half a pixel and so on off the grid, by nodes.
    fn nodes(x: f64, y: f64) -> Mapping {
        // A pixel a little wider is no translation.
        let geotransform = [x, 10.00005, 0.0, y, 0.0, -10.0];
        let mapping = mapped(&target(&grid(), 0), &geotransform, &wkt("EPSG:32631"));
        assert!(matches!(mapping, Mapping::Nodes(_)), "{mapping:?}");
        mapping
    }

    #[test]
    fn a_shift_gives_what_nodes_give_also_beside_the_edge_and_what_is_unusable() {
        let values = Plane::from_fn(Rect::new(0, 0, 30, 24), |[y, x]| match (x, y) {
            (12, 9) | (13, 9) | (20, 15) => f32::NAN,
            _ => ((x * 31 + y * 17) % 23) as f32,
        });
        let rect = Rect::new(-3, -2, 36, 30);
        for kernel in [Kernel::Cubic, Kernel::Bilinear] {
            for (x, y) in [(499_997.0, 5_000_004.0), (500_012.0, 4_999_996.5)] {
                let geotransform = [x, 10.0, 0.0, y, 0.0, -10.0];
                let shift = mapped(&target(&grid(), 0), &geotransform, &wkt("EPSG:32631"));
                assert!(matches!(shift, Mapping::Shift { .. }), "{shift:?}");
                let read = |mapping: &Mapping| {
                    let window = Window {
                        values: values.clone(),
                        reasons: Some(values.map(|v| if v.is_nan() { flags::NODATA } else { flags::CLEAR })),
                    };
                    onto_grid(mapping, &rect, vec![window], (30, 24), kernel).remove(0)
                };
                let ((a, why), (b, because)) = (read(&shift), read(&nodes(x, y)));
                assert!(
                    a.iter()
                        .zip(&b)
                        .all(|(a, b)| (a.is_nan() && b.is_nan()) || (a - b).abs() < 0.2),
                    "{kernel:?}"
                );
                assert!(a.iter().any(|v| v.is_nan()) && why == because);
            }
        }
    }

    #[test]
    fn a_plane_is_resampled_to_itself() {
        // A linear ramp stays the same ramp under bilinear interpolation, half a pixel off.
        let geotransform = [499_905.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0];
        let mapping = mapped(&target(&grid(), 0), &geotransform, &wkt("EPSG:32631"));
        let rect = Rect::new(0, 0, 4, 2);
        let values = Plane::from_fn(Rect::new(0, 0, 20, 4), |[_, x]| x as f32);
        let mut window = Window { values, reasons: None };
        let read =
            |window: &Window| onto_grid(&mapping, &rect, vec![copy(window)], (20, 4), Kernel::Bilinear).remove(0);
        let (out, why) = read(&window);
        assert!(
            (out[[0, 0]] - 9.5).abs() < 1e-4 && (out[[1, 3]] - 12.5).abs() < 1e-4,
            "{out}"
        );
        assert_eq!(why, None);
        // Half of the weight is enough, less is not: with column 10 gone, pixel 0 (9 | 10) holds 9, and nothing is lost.
        window.values.part_mut(&Rect::new(10, 0, 2, 4)).fill(f32::NAN);
        let (out, why) = read(&window);
        assert!((out[[0, 0]] - 9.0).abs() < 1e-3 && out[[0, 1]].is_nan(), "{out}");
        assert_eq!(why.unwrap()[[0, 1]], flags::NODATA);
    }

    #[test]
    fn cubic_convolution_is_exact_for_a_parabola_and_gives_way_beside_what_is_unusable() {
        let geotransform = [499_902.5, 10.0, 0.0, 5_000_050.0, 0.0, -10.0];
        let mapping = mapped(&target(&grid(), 0), &geotransform, &wkt("EPSG:32631"));
        let rect = Rect::new(0, 0, 8, 1);
        let values = Plane::from_fn(Rect::new(0, 0, 24, 12), |[_, x]| (x * x) as f32);
        let mut window = Window { values, reasons: None };
        let read = |window: &Window| {
            onto_grid(&mapping, &rect, vec![copy(window)], (24, 12), Kernel::Cubic)
                .remove(0)
                .0
        };
        for (x, value) in read(&window).iter().enumerate() {
            let at = x as f64 + 9.75;
            assert!((f64::from(*value) - at * at).abs() < 1e-3, "{value} at {at}");
        }
        // Between the parabola's points 9 and 10 a line: 81 + 0.75 * 19, where the pixel before them is gone.
        window.values.part_mut(&Rect::new(8, 0, 1, 12)).fill(f32::NAN);
        assert!((read(&window)[[0, 0]] - 95.25).abs() < 1e-3);
    }
}
