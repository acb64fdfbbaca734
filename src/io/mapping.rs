//! Where each pixel of the site grid lies in a raster.
//!
//! Coordinates come from PROJ at nodes of the site grid and are interpolated between them, with an error below
//! [`NODE_TOLERANCE_PX`]; they depend on the absolute pixel alone, so that no tiling can be seen in the result.

use ndarray::Array2;

use super::to_pixels::ToPixels;
use super::{IoError, crs};
use crate::geo::{Affine, Grid, Rect};

/// Largest error of an interpolated coordinate, pixels of the raster.
pub const NODE_TOLERANCE_PX: f64 = 0.01;
/// A raster whose pixels lie within this part of a pixel of the site grid's is read without resampling.
pub const ALIGNED_PX: f64 = 0.01;
/// Nodes are first tried this far apart, pixels of the site grid.
const WIDEST_STEP: usize = 64;
/// Pixels of the raster around a point that make its value, at most.
const REACH_PX: usize = 2;
/// Offsets that differ by no more than this part of a pixel all over a site are one.
const SAME_PX: f64 = 0.001;

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
    /// The centre of pixel (x, y) of the grid lies (s, t) beyond that of pixel (x + dx, y + dy) of the raster.
    Shift {
        /// Columns to add.
        dx: i64,
        /// Rows to add.
        dy: i64,
        /// Part of a column, 0 to 1.
        s: f32,
        /// Part of a row.
        t: f32,
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
    /// Pixels of the raster along a pixel of the grid.
    pub(super) scale: f64,
    /// Samples along a pixel of the grid that make one value, at least 1.
    pub(super) samples: usize,
}

impl Mapping {
    /// The mapping from `grid`, and a margin of `margin` pixels around it, to a raster with `geotransform` in `crs_wkt`, of
    /// which the point `moved` of the grid is to be read at each point: the measured shift, in the same resampling as the rest. Of a raster that
    /// goes around the earth it is that in the given one of the [`turns`].
    ///
    /// # Errors
    /// Reference systems between which PROJ has no way.
    pub fn new(
        grid: &Grid,
        margin: usize,
        (geotransform, crs_wkt): (&[f64; 6], &str),
        turn: i64,
        moved: &Affine,
    ) -> Result<Self, IoError> {
        let way = Way::new(grid, (geotransform, crs_wkt), turn, moved)?;
        let area = grid.rect().grow(margin);
        if let Some(translation) = translation(&way, &area)? {
            return Ok(translation);
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

    /// Where the point (`x`, `y`) of the site grid lies in the raster, pixels.
    pub fn locate(&self, x: f64, y: f64) -> (f64, f64) {
        match self {
            Self::Window { dx, dy } => (x + *dx as f64, y + *dy as f64),
            Self::Shift { dx, dy, s, t } => (x + *dx as f64 + f64::from(*s), y + *dy as f64 + f64::from(*t)),
            Self::Nodes(nodes) => nodes.locate(x, y),
        }
    }

    /// Where the points (`x`, `y`), (`x` + 1, `y`) and so on of the site grid lie in the raster, pixels.
    pub(super) fn locate_row(&self, x: f64, y: f64, out: &mut [(f64, f64)]) {
        match self {
            Self::Nodes(nodes) => nodes.locate_row(x, y, out),
            Self::Window { .. } | Self::Shift { .. } => {
                for (k, at) in out.iter_mut().enumerate() {
                    *at = self.locate(x + k as f64, y);
                }
            }
        }
    }

    /// Pixels of the raster along a pixel of the site grid.
    pub(super) fn scale(&self) -> f64 {
        match self {
            Self::Window { .. } | Self::Shift { .. } => 1.0,
            Self::Nodes(nodes) => nodes.scale,
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
            Self::Shift { dx, dy, .. } => {
                let moved = Rect::new(rect.x + dx, rect.y + dy, rect.w, rect.h);
                moved.grow(REACH_PX).intersect(&whole)
            }
            Self::Nodes(nodes) => nodes.bounds(rect).intersect(&whole),
        }
    }
}

/// In which turns around the earth a raster of `width` columns, with `geotransform` in `crs_wkt`, holds some of `grid` and a margin of `margin`
/// pixels around it: one, unless its edge or the meridian where longitude begins anew lies there.
///
/// # Errors
/// Reference systems between which PROJ has no way.
pub fn turns(
    grid: &Grid,
    margin: usize,
    (geotransform, crs_wkt): (&[f64; 6], &str),
    width: usize,
) -> Result<Vec<i64>, IoError> {
    if crs::turn(crs_wkt)?.is_none() {
        return Ok(vec![0]);
    }
    let way = Way::new(grid, (geotransform, crs_wkt), 0, &Affine::IDENTITY)?;
    let area = grid.rect().grow(margin);
    let mut edge: Vec<[f64; 2]> = Vec::new();
    for part in 0..=EDGE_PARTS {
        let along = part as f64 / EDGE_PARTS as f64;
        let (x, y) = (
            area.x as f64 + along * area.w as f64,
            area.y as f64 + along * area.h as f64,
        );
        edge.extend([[x, area.y as f64], [x, area.bottom() as f64]]);
        edge.extend([[area.x as f64, y], [area.right() as f64, y]]);
    }
    way.follow(&mut edge)?;
    let columns = edge.iter().map(|at| at[0]);
    let (least, most) = columns.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), u| {
        (least.min(u), most.max(u))
    });
    Ok(way.to_pixels.turns(geotransform, width, (least, most)))
}

/// Points along an edge of the grid by which it is told where it lies in a raster that goes around the earth.
const EDGE_PARTS: usize = 8;

/// The way from a point of the site grid to one of a raster.
struct Way<'a> {
    grid: &'a Grid,
    moved: &'a Affine,
    geotransform: &'a [f64; 6],
    to_pixels: ToPixels,
    /// Columns to add in the turn that is read.
    shift_px: f64,
}

/// The mapping where the raster's lattice is that of the grid, or that moved by the same offset everywhere.
fn translation(way: &Way<'_>, area: &Rect) -> Result<Option<Mapping>, IoError> {
    let corners = [
        (area.x, area.y),
        (area.right(), area.y),
        (area.x, area.bottom()),
        (area.right(), area.bottom()),
        (area.x + area.w as i64 / 2, area.y + area.h as i64 / 2),
    ];
    let mut offsets = Vec::with_capacity(corners.len());
    for (x, y) in corners {
        let mut at = [[x as f64, y as f64]];
        way.follow(&mut at)?;
        offsets.push([at[0][0] - x as f64, at[0][1] - y as f64]);
    }
    let whole = offsets[0].map(f64::round);
    let within = |of: [f64; 2], tolerance: f64| {
        let near = |offset: &[f64; 2]| (0..2).all(|axis| (offset[axis] - of[axis]).abs() <= tolerance);
        offsets.iter().all(near)
    };
    if within(whole, ALIGNED_PX) {
        let [dx, dy] = whole.map(|v| v as i64);
        return Ok(Some(Mapping::Window { dx, dy }));
    }
    if !within(offsets[0], SAME_PX) {
        return Ok(None);
    }
    let [u, v] = offsets[0];
    Ok(Some(Mapping::Shift {
        dx: u.floor() as i64,
        dy: v.floor() as i64,
        s: (u - u.floor()) as f32,
        t: (v - v.floor()) as f32,
    }))
}

impl<'a> Way<'a> {
    fn new(
        grid: &'a Grid,
        (geotransform, crs_wkt): (&'a [f64; 6], &str),
        turn: i64,
        moved: &'a Affine,
    ) -> Result<Self, IoError> {
        let centre = grid.to_world(grid.width as f64 / 2.0, grid.height as f64 / 2.0);
        let to_pixels = ToPixels::new(&grid.crs, crs_wkt, centre)?;
        let shift_px = to_pixels.turn_px(geotransform).map_or(0.0, |px| px * turn as f64);
        Ok(Self {
            grid,
            moved,
            geotransform,
            to_pixels,
            shift_px,
        })
    }

    /// Replaces points in pixels of the grid by points in pixels of the raster.
    fn follow(&self, points: &mut [[f64; 2]]) -> Result<(), IoError> {
        let world = |p: &[f64; 2]| {
            let (x, y) = self.moved.apply(p[0], p[1]);
            self.grid.to_world(x, y)
        };
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.iter().map(world).unzip();
        self.to_pixels.follow(self.geotransform, &mut x, &mut y)?;
        for (point, (x, y)) in points.iter_mut().zip(x.into_iter().zip(y)) {
            *point = [x + self.shift_px, y];
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
            scale,
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
    pub(super) fn locate_row(&self, x: f64, y: f64, out: &mut [(f64, f64)]) {
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
        let reach = REACH_PX as i64;
        let (x, y) = (low[0].floor() as i64 - reach, low[1].floor() as i64 - reach);
        Rect::new(
            x,
            y,
            (high[0].ceil() as i64 + reach - x).max(0) as usize,
            (high[1].ceil() as i64 + reach - y).max(0) as usize,
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::io::crs;

    pub fn grid() -> Grid {
        Grid {
            crs: "EPSG:32631".into(),
            left_m: 500_000.0,
            top_m: 5_000_000.0,
            pixel_m: 10.0,
            width: 300,
            height: 200,
        }
    }

    pub fn wkt(code: &str) -> String {
        crs::parse(code).unwrap().to_wkt().unwrap()
    }

    #[test]
    fn a_raster_on_the_lattice_is_read_as_it_is() {
        let mapping = Mapping::new(
            &grid(),
            3,
            (&[499_900.0, 10.0, 0.0, 5_000_050.0, 0.0, -10.0], &wkt("EPSG:32631")),
            0,
            &Affine::IDENTITY,
        )
        .unwrap();
        assert!(matches!(mapping, Mapping::Window { dx: 10, dy: 5 }), "{mapping:?}");
        let half = Mapping::new(
            &grid(),
            3,
            (&[499_905.0, 10.0, 0.0, 5_000_050.0, 0.0, -10.0], &wkt("EPSG:32631")),
            0,
            &Affine::IDENTITY,
        )
        .unwrap();
        assert!(!half.is_window());
        // A date that lies half a pixel beside the other is read where it shows the same.
        let moved = Mapping::new(
            &grid(),
            3,
            (&[499_905.0, 10.0, 0.0, 5_000_050.0, 0.0, -10.0], &wkt("EPSG:32631")),
            0,
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
            let mapping = Mapping::new(&grid(), 5, (&geotransform, &wkt(code)), 0, &moved).unwrap();
            let Mapping::Nodes(nodes) = mapping else {
                panic!("{code} is not the grid's lattice")
            };
            let (grid, wkt) = (grid(), wkt(code));
            let way = Way::new(&grid, (&geotransform, &wkt), 0, &moved).unwrap();
            for (x, y) in [(0.5, 0.5), (17.5, 150.5), (299.5, 199.5), (-4.5, 203.0)] {
                let mut exact = [[x, y]];
                way.follow(&mut exact).unwrap();
                let (u, v) = nodes.locate(x, y);
                assert!((u - exact[0][0]).abs() < NODE_TOLERANCE_PX && (v - exact[0][1]).abs() < NODE_TOLERANCE_PX);
            }
        }
    }
}
