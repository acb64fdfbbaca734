//! Where each pixel of the site grid lies in a raster, and the raster's value there.
//!
//! Coordinates come from PROJ at nodes of the site grid and are interpolated between them, with an error below
//! [`NODE_TOLERANCE_PX`]; they depend on the absolute pixel alone, so that no tiling can be seen in the result.

use ndarray::Array2;

use super::{IoError, crs::Projector};
use crate::geo::{Affine, Grid, Rect};
use crate::raster::{Flags, Plane, flags};

/// Largest error of an interpolated coordinate, pixels of the raster.
pub const NODE_TOLERANCE_PX: f64 = 0.01;
/// A raster whose pixels lie within this part of a pixel of the site grid's is read without resampling.
pub const ALIGNED_PX: f64 = 0.01;
/// Nodes are first tried this far apart, pixels of the site grid.
const WIDEST_STEP: usize = 64;

/// Where the pixels of a site grid lie in a raster.
#[derive(Debug, Clone)]
pub enum Mapping {
    /// Pixel (x, y) of the grid is pixel (x + dx, y + dy) of the raster.
    Window {
        /// Columns to add.
        dx: i64,
        /// Rows to add.
        dy: i64,
    },
    /// Interpolated between nodes.
    Nodes(Nodes),
}

/// Raster coordinates at regular nodes of the site grid.
#[derive(Debug, Clone)]
pub struct Nodes {
    step: usize,
    /// Column and row of the first node, in pixels of the site grid.
    origin: (i64, i64),
    /// Raster x and y at each node, pixels.
    at: Array2<[f64; 2]>,
    /// Pixels of the raster to a pixel of the grid, at least 1: how many samples make one value.
    samples: usize,
}

impl Mapping {
    /// The mapping from `grid`, and a margin of `margin` pixels around it, to a raster with `geotransform` in `crs_wkt`, of
    /// which the point `moved` of the grid is to be read at each point: the measured shift, in the same resampling as the rest.
    ///
    /// # Errors
    /// Reference systems between which PROJ has no way.
    pub fn new(
        grid: &Grid,
        margin: usize,
        geotransform: &[f64; 6],
        crs_wkt: &str,
        moved: &Affine,
    ) -> Result<Self, IoError> {
        let way = Way {
            grid,
            moved,
            geotransform,
            projector: Projector::new(&grid.crs, crs_wkt)?,
        };
        let area = grid.rect().grow(margin);
        if let Some(window) = aligned(&way, &area)? {
            return Ok(window);
        }
        let mut step = WIDEST_STEP;
        loop {
            let nodes = Nodes::new(&way, &area, step)?;
            let finer = Nodes::new(&way, &area, step / 2)?;
            if step == 2 || nodes.error_at(&finer) < NODE_TOLERANCE_PX {
                return Ok(Self::Nodes(nodes));
            }
            step /= 2;
        }
    }

    /// Whether pixels are taken as they are.
    pub fn is_window(&self) -> bool {
        matches!(self, Self::Window { .. })
    }

    /// The pixels of a raster of `width` x `height` that are needed for `rect` of the site grid; empty when it misses.
    pub fn window(&self, rect: &Rect, width: usize, height: usize) -> Rect {
        let whole = Rect::new(0, 0, width, height);
        match self {
            Self::Window { dx, dy } => Rect::new(rect.x + dx, rect.y + dy, rect.w, rect.h).intersect(&whole),
            Self::Nodes(nodes) => nodes.bounds(rect).intersect(&whole),
        }
    }
}

/// The way from a point of the site grid to one of a raster.
struct Way<'a> {
    grid: &'a Grid,
    moved: &'a Affine,
    geotransform: &'a [f64; 6],
    projector: Projector,
}

fn aligned(way: &Way<'_>, area: &Rect) -> Result<Option<Mapping>, IoError> {
    let corners = [
        (area.x, area.y),
        (area.right(), area.y),
        (area.x, area.bottom()),
        (area.right(), area.bottom()),
        (area.x + area.w as i64 / 2, area.y + area.h as i64 / 2),
    ];
    let mut shift = None;
    for (x, y) in corners {
        let mut at = [[x as f64, y as f64]];
        way.follow(&mut at)?;
        let (dx, dy) = (at[0][0] - x as f64, at[0][1] - y as f64);
        let whole = (dx.round(), dy.round());
        if (dx - whole.0).abs() > ALIGNED_PX
            || (dy - whole.1).abs() > ALIGNED_PX
            || *shift.get_or_insert(whole) != whole
        {
            return Ok(None);
        }
    }
    Ok(shift.map(|(dx, dy)| Mapping::Window {
        dx: dx as i64,
        dy: dy as i64,
    }))
}

impl Way<'_> {
    /// Replaces points in pixels of the grid by points in pixels of the raster.
    fn follow(&self, points: &mut [[f64; 2]]) -> Result<(), IoError> {
        let world = |p: &[f64; 2]| {
            let (x, y) = self.moved.apply(p[0], p[1]);
            self.grid.to_world(x, y)
        };
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.iter().map(world).unzip();
        self.projector.project(&mut x, &mut y)?;
        let [x0, a, b, y0, c, d] = *self.geotransform;
        let determinant = a * d - b * c;
        for (point, (x, y)) in points.iter_mut().zip(x.iter().zip(&y)) {
            let (u, v) = (x - x0, y - y0);
            *point = [(d * u - b * v) / determinant, (a * v - c * u) / determinant];
        }
        Ok(())
    }
}

impl Nodes {
    fn new(way: &Way<'_>, area: &Rect, step: usize) -> Result<Self, IoError> {
        let step = step.max(1);
        // Nodes lie at multiples of the widest step, whatever the area: a halo moves no coordinate.
        let snap = |v: i64| v.div_euclid(WIDEST_STEP as i64) * WIDEST_STEP as i64;
        let origin = (snap(area.x), snap(area.y));
        let columns = (area.right() - origin.0) as usize / step + 2;
        let rows = (area.bottom() - origin.1) as usize / step + 2;
        let mut points = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            points.extend((0..columns).map(|column| {
                [
                    (origin.0 + (column * step) as i64) as f64,
                    (origin.1 + (row * step) as i64) as f64,
                ]
            }));
        }
        way.follow(&mut points)?;
        let at =
            Array2::from_shape_vec((rows, columns), points).unwrap_or_else(|_| Array2::from_elem((1, 1), [0.0, 0.0]));
        let (a, b, c) = (at[[0, 0]], at[[0, 1]], at[[1, 0]]);
        let scale = ((b[0] - a[0]).hypot(b[1] - a[1])).max((c[0] - a[0]).hypot(c[1] - a[1])) / step as f64;
        Ok(Self {
            step,
            origin,
            at,
            samples: (scale - 0.25).ceil().clamp(1.0, 32.0) as usize,
        })
    }

    /// Raster coordinates of the point (`x`, `y`) of the site grid, pixels.
    fn locate(&self, x: f64, y: f64) -> (f64, f64) {
        let mut at = [(0.0, 0.0)];
        self.locate_row(x, y, &mut at);
        at[0]
    }

    /// Raster coordinates of the points (`x`, `y`), (`x` + 1, `y`) and so on of the site grid, pixels.
    fn locate_row(&self, x: f64, y: f64, out: &mut [(f64, f64)]) {
        let (rows, columns) = self.at.dim();
        let v = (y - self.origin.1 as f64) / self.step as f64;
        let j = (v as usize).min(rows - 2);
        let t = v - j as f64;
        let (upper, lower) = (self.at.row(j), self.at.row(j + 1));
        for (k, at) in out.iter_mut().enumerate() {
            let u = (x + k as f64 - self.origin.0 as f64) / self.step as f64;
            let i = (u as usize).min(columns - 2);
            let s = u - i as f64;
            let (a, b, c, d) = (upper[i], upper[i + 1], lower[i], lower[i + 1]);
            let mix = |k: usize| {
                let (above, below) = (a[k] + (b[k] - a[k]) * s, c[k] + (d[k] - c[k]) * s);
                above + (below - above) * t
            };
            *at = (mix(0), mix(1));
        }
    }

    /// The largest distance between this interpolation and the nodes of a finer one.
    fn error_at(&self, finer: &Self) -> f64 {
        let mut worst = 0.0_f64;
        let (rows, columns) = self.at.dim();
        let limit = (
            self.origin.0 + ((columns - 1) * self.step) as i64,
            self.origin.1 + ((rows - 1) * self.step) as i64,
        );
        for ((row, column), exact) in finer.at.indexed_iter() {
            let (x, y) = (
                finer.origin.0 + (column * finer.step) as i64,
                finer.origin.1 + (row * finer.step) as i64,
            );
            if x <= limit.0 && y <= limit.1 {
                let (u, v) = self.locate(x as f64, y as f64);
                worst = worst.max((u - exact[0]).abs()).max((v - exact[1]).abs());
            }
        }
        worst
    }

    fn bounds(&self, rect: &Rect) -> Rect {
        // The mapping is smooth: its extremes over a rectangle lie on the rectangle's edge, within a fraction of a pixel.
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        let mut see = |x: i64, y: i64| {
            let (u, v) = self.locate(x as f64, y as f64);
            low = [low[0].min(u), low[1].min(v)];
            high = [high[0].max(u), high[1].max(v)];
        };
        (rect.x..=rect.right()).for_each(|x| {
            see(x, rect.y);
            see(x, rect.bottom());
        });
        (rect.y..=rect.bottom()).for_each(|y| {
            see(rect.x, y);
            see(rect.right(), y);
        });
        let (x, y) = (low[0].floor() as i64 - 2, low[1].floor() as i64 - 2);
        Rect::new(
            x,
            y,
            (high[0].ceil() as i64 + 2 - x).max(0) as usize,
            (high[1].ceil() as i64 + 2 - y).max(0) as usize,
        )
    }
}

/// A window of a raster: values (NaN where unusable) and, where any is unusable, why.
pub struct Window {
    /// Values; the rectangle is in pixels of the raster.
    pub values: Plane<f32>,
    /// Reasons per pixel; `None` when every pixel is usable.
    pub reasons: Option<Array2<Flags>>,
}

/// How values between a raster's pixels come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// From four pixels: never outside their range, but it blurs.
    Bilinear,
    /// From sixteen, by cubic convolution with a = -1/2 (Keys, "Cubic convolution interpolation for digital image processing",
    /// 1981), which keeps edges about as sharp as those of a date that is read as it is; from four where not all are usable.
    Cubic,
}

/// Values and reasons of `rect` of the site grid, between the pixels of `window`.
///
/// `size` is that of the whole raster. A pixel is unusable when less than half of the weight around it is usable. Where several
/// pixels of the raster make one of the grid they are averaged, whatever the kernel.
pub fn interpolated(
    nodes: &Nodes,
    rect: &Rect,
    window: &Window,
    size: (usize, usize),
    kernel: Kernel,
) -> (Array2<f32>, Plane<Flags>) {
    let mut values = Array2::from_elem((rect.h, rect.w), f32::NAN);
    let mut reasons = Plane::filled(*rect, flags::CLEAR);
    let n = nodes.samples;
    let sharp = kernel == Kernel::Cubic && n == 1;
    let part = |k: usize| (k as f64 + 0.5) / n as f64;
    let mut at = vec![(0.0, 0.0); rect.w];
    let mut sums = vec![(0.0_f32, 0.0_f32, flags::CLEAR); rect.w];
    for row in 0..rect.h {
        let y = (rect.y + row as i64) as f64;
        sums.fill((0.0, 0.0, flags::CLEAR));
        for (j, i) in (0..n * n).map(|k| (k / n, k % n)) {
            nodes.locate_row(rect.x as f64 + part(i), y + part(j), &mut at);
            for ((sum, weight, why), (u, v)) in sums.iter_mut().zip(&at) {
                if sharp && let Some(value) = cubic(window, *u, *v) {
                    *sum = value;
                    *weight = 1.0;
                    continue;
                }
                let (s, w, reason) = sample(window, *u, *v, size);
                *sum += s;
                *weight += w;
                *why |= reason;
            }
        }
        for (column, (sum, weight, why)) in sums.iter().enumerate() {
            if *weight >= 0.5 * (n * n) as f32 {
                values[[row, column]] = sum / weight;
            } else {
                reasons.data[[row, column]] = *why;
            }
        }
    }
    (values, reasons)
}

/// The value at the point (`u`, `v`) of the raster by cubic convolution; `None` where not all of the sixteen pixels are usable.
fn cubic(window: &Window, u: f64, v: f64) -> Option<f32> {
    let (u, v) = (u - 0.5, v - 0.5);
    let (i, j) = (u.floor(), v.floor());
    let (column, row) = (i as i64 - 1 - window.values.rect.x, j as i64 - 1 - window.values.rect.y);
    if column < 0 || row < 0 || column + 4 > window.values.rect.w as i64 || row + 4 > window.values.rect.h as i64 {
        return None;
    }
    let (across, down) = (keys((u - i) as f32), keys((v - j) as f32));
    let data = window.values.data.as_slice()?;
    let mut sum = 0.0;
    for (k, weight) in down.iter().enumerate() {
        let from = (row as usize + k) * window.values.rect.w + column as usize;
        let line = &data[from..from + 4];
        sum += weight * (across[0] * line[0] + across[1] * line[1] + across[2] * line[2] + across[3] * line[3]);
    }
    (!sum.is_nan()).then_some(sum)
}

/// Weights of the pixels at -1, 0, 1 and 2 for a point at `s`, 0 to 1.
fn keys(s: f32) -> [f32; 4] {
    let (s2, s3) = (s * s, s * s * s);
    [
        s2 - 0.5 * (s + s3),
        1.0 - 2.5 * s2 + 1.5 * s3,
        0.5 * s + 2.0 * s2 - 1.5 * s3,
        0.5 * (s3 - s2),
    ]
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
            Some(_) => {
                let (row, column) = ((y - window.values.rect.y) as usize, (x - window.values.rect.x) as usize);
                why |= window.reasons.as_ref().map_or(flags::NODATA, |r| r[[row, column]]);
            }
            None => why |= flags::NOT_COVERED,
        }
    }
    (sum, weight, why)
}

/// Values of `rect` of the site grid, each that of the raster's pixel in which its centre lies; NaN outside.
pub fn nearest(nodes: &Nodes, rect: &Rect, window: &Window) -> Array2<f32> {
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

/// Values of `rect` of the site grid where it is the raster's own lattice, moved by (`dx`, `dy`).
pub fn shifted(dx: i64, dy: i64, rect: &Rect, window: &Window) -> (Array2<f32>, Plane<Flags>) {
    let mut values = Array2::from_elem((rect.h, rect.w), f32::NAN);
    let mut reasons = Plane::filled(*rect, flags::NOT_COVERED);
    let have = &window.values.rect;
    let part = Rect::new(rect.x + dx, rect.y + dy, rect.w, rect.h).intersect(have);
    if !part.is_empty() {
        let (x, y) = ((part.x - dx - rect.x) as usize, (part.y - dy - rect.y) as usize);
        let target = ndarray::s![y..y + part.h, x..x + part.w];
        values.slice_mut(target).assign(&window.values.view(&part));
        match &window.reasons {
            Some(why) => reasons
                .data
                .slice_mut(target)
                .assign(&crate::raster::plane::view(why, have, &part)),
            None => reasons.data.slice_mut(target).fill(flags::CLEAR),
        }
    }
    (values, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::crs;

    fn grid() -> Grid {
        Grid {
            crs: "EPSG:32631".into(),
            left_m: 500_000.0,
            top_m: 5_000_000.0,
            pixel_m: 10.0,
            width: 300,
            height: 200,
        }
    }

    fn wkt(code: &str) -> String {
        crs::parse(code).unwrap().to_wkt().unwrap()
    }

    #[test]
    fn a_raster_on_the_lattice_is_read_as_it_is() {
        let mapping = Mapping::new(
            &grid(),
            3,
            &[499_900.0, 10.0, 0.0, 5_000_050.0, 0.0, -10.0],
            &wkt("EPSG:32631"),
            &Affine::IDENTITY,
        )
        .unwrap();
        assert!(matches!(mapping, Mapping::Window { dx: 10, dy: 5 }), "{mapping:?}");
        let half = Mapping::new(
            &grid(),
            3,
            &[499_905.0, 10.0, 0.0, 5_000_050.0, 0.0, -10.0],
            &wkt("EPSG:32631"),
            &Affine::IDENTITY,
        )
        .unwrap();
        assert!(!half.is_window());
        // A date that lies half a pixel beside the other is read where it shows the same.
        let moved = Mapping::new(
            &grid(),
            3,
            &[499_905.0, 10.0, 0.0, 5_000_050.0, 0.0, -10.0],
            &wkt("EPSG:32631"),
            &Affine::shift(0.5, 2.0),
        )
        .unwrap();
        assert!(matches!(moved, Mapping::Window { dx: 10, dy: 7 }), "{moved:?}");
    }

    #[test]
    fn interpolated_coordinates_are_those_of_proj() {
        let moved = Affine {
            x: [1.0002, 0.0001, 0.6],
            y: [-0.0001, 0.9998, -1.4],
        };
        for (code, geotransform) in [
            ("EPSG:4326", [2.9, 1e-4, 0.0, 45.2, 0.0, -1e-4]),
            ("EPSG:32632", [20_000.0, 9.0, 2.0, 5_020_000.0, 2.0, -9.0]),
        ] {
            let Mapping::Nodes(nodes) = Mapping::new(&grid(), 5, &geotransform, &wkt(code), &moved).unwrap() else {
                panic!("{code} is not the grid's lattice")
            };
            let way = Way {
                grid: &grid(),
                moved: &moved,
                geotransform: &geotransform,
                projector: Projector::new("EPSG:32631", &wkt(code)).unwrap(),
            };
            for (x, y) in [(0.5, 0.5), (17.5, 150.5), (299.5, 199.5), (-4.5, 203.0)] {
                let mut exact = [[x, y]];
                way.follow(&mut exact).unwrap();
                let (u, v) = nodes.locate(x, y);
                assert!((u - exact[0][0]).abs() < NODE_TOLERANCE_PX && (v - exact[0][1]).abs() < NODE_TOLERANCE_PX);
            }
        }
    }

    #[test]
    fn a_plane_is_resampled_to_itself() {
        // A linear ramp stays the same ramp under bilinear interpolation, half a pixel off.
        let geotransform = [499_905.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0];
        let mapping = Mapping::new(&grid(), 0, &geotransform, &wkt("EPSG:32631"), &Affine::IDENTITY).unwrap();
        let Mapping::Nodes(nodes) = mapping else { panic!() };
        let rect = Rect::new(0, 0, 4, 2);
        let values = Plane {
            rect: Rect::new(0, 0, 20, 4),
            data: Array2::from_shape_fn((4, 20), |(_, x)| x as f32),
        };
        let mut window = Window { values, reasons: None };
        let (out, why) = interpolated(&nodes, &rect, &window, (20, 4), Kernel::Bilinear);
        assert!(
            (out[[0, 0]] - 9.5).abs() < 1e-4 && (out[[1, 3]] - 12.5).abs() < 1e-4,
            "{out}"
        );
        assert!(why.data.iter().all(|f| *f == flags::CLEAR));
        // Half of the weight is enough, less is not: with column 10 gone, pixel 0 (9 | 10) holds 9, and nothing is lost.
        window.values.data.column_mut(10).fill(f32::NAN);
        window.values.data.column_mut(11).fill(f32::NAN);
        let (out, why) = interpolated(&nodes, &rect, &window, (20, 4), Kernel::Bilinear);
        assert!((out[[0, 0]] - 9.0).abs() < 1e-3 && out[[0, 1]].is_nan(), "{out}");
        assert_eq!(why.data[[0, 1]], flags::NODATA);
    }

    #[test]
    fn cubic_convolution_is_exact_for_a_parabola_and_gives_way_beside_what_is_unusable() {
        let geotransform = [499_902.5, 10.0, 0.0, 5_000_050.0, 0.0, -10.0];
        let mapping = Mapping::new(&grid(), 0, &geotransform, &wkt("EPSG:32631"), &Affine::IDENTITY).unwrap();
        let Mapping::Nodes(nodes) = mapping else { panic!() };
        let rect = Rect::new(0, 0, 8, 1);
        let values = Plane {
            rect: Rect::new(0, 0, 24, 12),
            data: Array2::from_shape_fn((12, 24), |(_, x)| (x * x) as f32),
        };
        let mut window = Window { values, reasons: None };
        let read = |window: &Window| interpolated(&nodes, &rect, window, (24, 12), Kernel::Cubic).0;
        for (x, value) in read(&window).iter().enumerate() {
            let at = x as f64 + 9.75;
            assert!((f64::from(*value) - at * at).abs() < 1e-3, "{value} at {at}");
        }
        // Between the parabola's points 9 and 10 a line: 81 + 0.75 * 19, where the pixel before them is gone.
        window.values.data.column_mut(8).fill(f32::NAN);
        assert!((read(&window)[[0, 0]] - 95.25).abs() < 1e-3);
    }
}
