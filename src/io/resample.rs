//! Values between the pixels of a raster, on the site grid.
//!
//! Each value depends on the pixels around its own point alone, in one order of sums: no tile can be seen.

use ndarray::Array2;

use super::mapping::{Mapping, Nodes};
use crate::geo::Rect;
use crate::raster::{Flags, Plane, flags, plane};

/// A window of a raster: values (NaN where unusable) and, where any is unusable, why.
pub struct Window {
    /// Values; the rectangle is in pixels of the raster.
    pub values: Plane<f32>,
    /// Reasons per pixel; `None` when every pixel is usable.
    pub reasons: Option<Array2<Flags>>,
}

/// One band on a rectangle of the site grid: values, and why there is none; `None` where all pixels have one.
pub type Resampled = (Array2<f32>, Option<Plane<Flags>>);

/// What weighs less counts for nothing: coordinates are not exact.
pub(super) const NO_WEIGHT: f32 = 0.001;

/// How values between a raster's pixels come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// From four pixels: never outside their range, but it blurs.
    Bilinear,
    /// From sixteen, by cubic convolution with a = -1/2 (Keys, "Cubic convolution interpolation for digital image processing",
    /// 1981), which keeps edges about as sharp as those of a date that is read as it is; from four where not all are usable.
    Cubic,
}

impl Kernel {
    /// The first and the last of the pixels, counted from that before a point at `s`, 0 to 1, that make its value.
    pub(super) fn reach(self, s: f32) -> [i64; 2] {
        let weights = self.weights(s);
        let counts = |weight: &f32| weight.abs() >= NO_WEIGHT;
        let first = weights.iter().position(counts).unwrap_or(1);
        let last = weights.iter().rposition(counts).unwrap_or(1);
        [first as i64 - 1, last as i64 - 1]
    }

    /// Weights of the pixels at -1, 0, 1 and 2 for a point at `s`, 0 to 1.
    fn weights(self, s: f32) -> [f32; 4] {
        match self {
            Self::Bilinear => [0.0, 1.0 - s, s, 0.0],
            Self::Cubic => {
                let (s2, s3) = (s * s, s * s * s);
                [
                    s2 - 0.5 * (s + s3),
                    1.0 - 2.5 * s2 + 1.5 * s3,
                    0.5 * s + 2.0 * s2 - 1.5 * s3,
                    0.5 * (s3 - s2),
                ]
            }
        }
    }
}

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
    let have = window.values.rect;
    let wanted = Rect::new(rect.x + dx, rect.y + dy, rect.w, rect.h);
    if wanted == have {
        let reasons = window.reasons.map(|data| Plane { rect: *rect, data });
        return (window.values.data, reasons);
    }
    let mut values = Array2::from_elem((rect.h, rect.w), f32::NAN);
    let mut reasons = Plane::filled(*rect, flags::NOT_COVERED);
    let part = wanted.intersect(&have);
    if !part.is_empty() {
        let (x, y) = ((part.x - wanted.x) as usize, (part.y - wanted.y) as usize);
        let target = ndarray::s![y..y + part.h, x..x + part.w];
        values.slice_mut(target).assign(&window.values.view(&part));
        match &window.reasons {
            Some(why) => reasons.data.slice_mut(target).assign(&plane::view(why, &have, &part)),
            None => reasons.data.slice_mut(target).fill(flags::CLEAR),
        }
    }
    (values, Some(reasons))
}

/// The window convolved with the weights of four rows and four columns; NaN where not all sixteen pixels are there and usable.
fn convolved([dx, dy]: [i64; 2], rect: &Rect, values: &Plane<f32>, across: [f32; 4], down: [f32; 4]) -> Array2<f32> {
    let mut out = Array2::from_elem((rect.h, rect.w), f32::NAN);
    // The first of the four lies one before the pixel; these have all four inside the window.
    let have = values.rect;
    let whole = Rect::new(
        have.x + 1 - dx,
        have.y + 1 - dy,
        have.w.saturating_sub(3),
        have.h.saturating_sub(3),
    );
    let part = whole.intersect(rect);
    let (Some(source), Some(target)) = (values.data.as_slice(), out.as_slice_mut()) else {
        return out;
    };
    if part.is_empty() {
        return out;
    }
    let width = part.w + 3;
    let mut sums = vec![0.0_f32; width];
    let left = (part.x + dx - 1 - have.x) as usize;
    for y in part.y..part.bottom() {
        let top = (y + dy - 1 - have.y) as usize;
        let row = |k: usize| &source[(top + k) * have.w + left..][..width];
        let [a, b, c, d] = down;
        for ((((sum, one), two), three), four) in sums.iter_mut().zip(row(0)).zip(row(1)).zip(row(2)).zip(row(3)) {
            *sum = a * one + b * two + c * three + d * four;
        }
        let from = (y - rect.y) as usize * rect.w + (part.x - rect.x) as usize;
        let line = &mut target[from..from + part.w];
        let [a, b, c, d] = across;
        for (value, four) in line.iter_mut().zip(sums.windows(4)) {
            *value = a * four[0] + b * four[1] + c * four[2] + d * four[3];
        }
    }
    out
}

/// Where a point lies among the pixels of a window: the first of sixteen, and the weights of its columns and rows.
#[derive(Clone, Copy)]
struct Foot {
    first: Option<usize>,
    across: [f32; 4],
    down: [f32; 4],
}

/// Values of `rect` by each of `windows`, which hold the same pixels; NaN where not all sixteen around a point are usable.
fn interpolated(nodes: &Nodes, rect: &Rect, windows: &[Window], kernel: Kernel) -> Vec<Array2<f32>> {
    let mut out = vec![Array2::from_elem((rect.h, rect.w), f32::NAN); windows.len()];
    let Some(have) = windows.first().map(|window| window.values.rect) else {
        return out;
    };
    let mut at = vec![(0.0, 0.0); rect.w];
    let mut feet = Vec::with_capacity(rect.w);
    for row in 0..rect.h {
        nodes.locate_row(rect.x as f64 + 0.5, (rect.y + row as i64) as f64 + 0.5, &mut at);
        feet.clear();
        // Where a point lies is the same for all bands.
        feet.extend(at.iter().map(|(u, v)| {
            let (u, v) = (u - 0.5, v - 0.5);
            let (i, j) = (u.floor(), v.floor());
            let (column, row) = (i as i64 - 1 - have.x, j as i64 - 1 - have.y);
            let inside = column >= 0 && row >= 0 && column + 4 <= have.w as i64 && row + 4 <= have.h as i64;
            Foot {
                first: inside.then(|| row as usize * have.w + column as usize),
                across: kernel.weights((u - i) as f32),
                down: kernel.weights((v - j) as f32),
            }
        }));
        for (out, window) in out.iter_mut().zip(windows) {
            let Some(data) = window.values.data.as_slice() else {
                continue;
            };
            for (value, foot) in out.row_mut(row).iter_mut().zip(&feet) {
                let Some(first) = foot.first else { continue };
                let across = |k: usize| {
                    let four = &data[first + k * have.w..][..4];
                    foot.across[0] * four[0]
                        + foot.across[1] * four[1]
                        + foot.across[2] * four[2]
                        + foot.across[3] * four[3]
                };
                *value = foot.down[0] * across(0)
                    + foot.down[1] * across(1)
                    + foot.down[2] * across(2)
                    + foot.down[3] * across(3);
            }
        }
    }
    out
}

/// Gives pixels without a value that of the four pixels around their `point`, or tells why they have none.
fn filled(
    values: &mut Array2<f32>,
    rect: &Rect,
    window: &Window,
    size: (usize, usize),
    mut point: impl FnMut(i64, i64) -> [f64; 2],
) -> Option<Plane<Flags>> {
    let mut reasons: Option<Plane<Flags>> = None;
    for (row, mut line) in values.outer_iter_mut().enumerate() {
        if line.iter().map(|value| u32::from(value.is_nan())).sum::<u32>() == 0 {
            continue;
        }
        for (column, value) in line.iter_mut().enumerate().filter(|(_, value)| value.is_nan()) {
            let [u, v] = point(rect.x + column as i64, rect.y + row as i64);
            let (sum, weight, why) = sample(window, u, v, size);
            if weight >= 0.5 {
                *value = sum / weight;
            } else {
                reasons.get_or_insert_with(|| Plane::filled(*rect, flags::CLEAR)).data[[row, column]] = why;
            }
        }
    }
    reasons
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
                reasons.get_or_insert_with(|| Plane::filled(*rect, flags::CLEAR)).data[[row, column]] = *why;
            }
        }
    }
    (values, reasons)
}

/// Weighted sum, weight and reasons of the four pixels around the point (`u`, `v`) of the raster.
fn sample(window: &Window, u: f64, v: f64, size: (usize, usize)) -> (f32, f32, Flags) {
    if u < 0.0 || v < 0.0 || u >= size.0 as f64 || v >= size.1 as f64 {
        return (0.0, 0.0, flags::NOT_COVERED);
    }
    // Between a raster's outermost pixel centres and its edge the outermost pixel holds.
    let (u, v) = (
        (u - 0.5).clamp(0.0, size.0 as f64 - 1.0),
        (v - 0.5).clamp(0.0, size.1 as f64 - 1.0),
    );
    let (i, j) = (u as i64, v as i64);
    let (s, t) = ((u - i as f64) as f32, (v - j as f64) as f32);
    let weights = [(1.0 - s) * (1.0 - t), s * (1.0 - t), (1.0 - s) * t, s * t];
    let have = &window.values.rect;
    // Nearly every point has four usable pixels around it; any that is not makes the sum NaN.
    if i >= have.x && j >= have.y && i + 1 < have.right() && j + 1 < have.bottom() {
        let (row, column) = ((j - have.y) as usize, (i - have.x) as usize);
        let data = &window.values.data;
        let [a, b, c, d] = weights;
        let sum = a * data[[row, column]]
            + b * data[[row, column + 1]]
            + c * data[[row + 1, column]]
            + d * data[[row + 1, column + 1]];
        if !sum.is_nan() {
            return (sum, a + b + c + d, flags::CLEAR);
        }
    }
    let (mut sum, mut weight, mut why) = (0.0, 0.0, flags::CLEAR);
    for ((x, y), w) in [(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)]
        .into_iter()
        .zip(weights)
    {
        if w <= 0.0 {
            continue;
        }
        match window.values.get(x, y) {
            Some(value) if !value.is_nan() => {
                sum += w * value;
                weight += w;
            }
            Some(_) if w < NO_WEIGHT => {}
            Some(_) => {
                let (row, column) = ((y - window.values.rect.y) as usize, (x - window.values.rect.x) as usize);
                why |= window.reasons.as_ref().map_or(flags::NODATA, |r| r[[row, column]]);
            }
            None if w >= NO_WEIGHT => why |= flags::NOT_COVERED,
            None => {}
        }
    }
    (sum, weight, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::Affine;
    use crate::io::mapping::tests::{grid, wkt};

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
        let mapping = Mapping::new(&grid(), 0, (&geotransform, &wkt("EPSG:32631")), 0, &Affine::IDENTITY).unwrap();
        assert!(matches!(mapping, Mapping::Nodes(_)), "{mapping:?}");
        mapping
    }

    #[test]
    fn a_shift_gives_what_nodes_give_also_beside_the_edge_and_what_is_unusable() {
        let values = Plane {
            rect: Rect::new(0, 0, 30, 24),
            data: Array2::from_shape_fn((24, 30), |(y, x)| match (x, y) {
                (12, 9) | (13, 9) | (20, 15) => f32::NAN,
                _ => ((x * 31 + y * 17) % 23) as f32,
            }),
        };
        let rect = Rect::new(-3, -2, 36, 30);
        for kernel in [Kernel::Cubic, Kernel::Bilinear] {
            for (x, y) in [(499_997.0, 5_000_004.0), (500_012.0, 4_999_996.5)] {
                let geotransform = [x, 10.0, 0.0, y, 0.0, -10.0];
                let shift =
                    Mapping::new(&grid(), 0, (&geotransform, &wkt("EPSG:32631")), 0, &Affine::IDENTITY).unwrap();
                assert!(matches!(shift, Mapping::Shift { .. }), "{shift:?}");
                let read = |mapping: &Mapping| {
                    let window = Window {
                        values: values.clone(),
                        reasons: Some(
                            values
                                .data
                                .mapv(|v| if v.is_nan() { flags::NODATA } else { flags::CLEAR }),
                        ),
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
        let mapping = Mapping::new(&grid(), 0, (&geotransform, &wkt("EPSG:32631")), 0, &Affine::IDENTITY).unwrap();
        let rect = Rect::new(0, 0, 4, 2);
        let values = Plane {
            rect: Rect::new(0, 0, 20, 4),
            data: Array2::from_shape_fn((4, 20), |(_, x)| x as f32),
        };
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
        window.values.data.column_mut(10).fill(f32::NAN);
        window.values.data.column_mut(11).fill(f32::NAN);
        let (out, why) = read(&window);
        assert!((out[[0, 0]] - 9.0).abs() < 1e-3 && out[[0, 1]].is_nan(), "{out}");
        assert_eq!(why.unwrap().data[[0, 1]], flags::NODATA);
    }

    #[test]
    fn cubic_convolution_is_exact_for_a_parabola_and_gives_way_beside_what_is_unusable() {
        let geotransform = [499_902.5, 10.0, 0.0, 5_000_050.0, 0.0, -10.0];
        let mapping = Mapping::new(&grid(), 0, (&geotransform, &wkt("EPSG:32631")), 0, &Affine::IDENTITY).unwrap();
        let rect = Rect::new(0, 0, 8, 1);
        let values = Plane {
            rect: Rect::new(0, 0, 24, 12),
            data: Array2::from_shape_fn((12, 24), |(_, x)| (x * x) as f32),
        };
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
        window.values.data.column_mut(8).fill(f32::NAN);
        assert!((read(&window)[[0, 0]] - 95.25).abs() < 1e-3);
    }
}
