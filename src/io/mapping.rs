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

/// Both coordinates of what has no place on the side of a map that is read: beyond every raster.
const NOWHERE: f64 = -1e12;
/// A node is on another side of the map when it lies so many times as far from the centre as it should, and so many pixels more.
const TORN: f64 = 4.0;
const TORN_PX: f64 = 64.0;
/// Nodes are no farther apart where the map is torn, pixels of the site grid: what lies between two sides is not read.
const TORN_STEP: usize = 8;

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
    /// Whether some of the grid lies on another side of the map, which has no place here.
    is_torn: bool,
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
                if nodes.is_torn && step > TORN_STEP {
                    return Ok(Self::Nodes(Nodes::new(&way, &area, TORN_STEP)?));
                }
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
    /// The centre of the grid in it and in the raster, and pixels of the raster along a pixel of the grid there; none of a raster that goes around
    /// the earth. Most maps of the whole earth end at a meridian, and what lies beyond it is at their other end.
    centre: Option<([f64; 2], [f64; 2], f64)>,
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
        let mut way = Self {
            grid,
            moved,
            geotransform,
            to_pixels,
            shift_px,
            centre: None,
        };
        if way.to_pixels.turn_px(geotransform).is_none() {
            way.centre = Some(way.at_centre()?);
        }
        Ok(way)
    }

    /// See `centre`.
    fn at_centre(&self) -> Result<([f64; 2], [f64; 2], f64), IoError> {
        let [x, y] = [self.grid.width as f64 / 2.0, self.grid.height as f64 / 2.0];
        let mut points = [[x, y], [x - 1.0, y], [x + 1.0, y], [x, y - 1.0], [x, y + 1.0]];
        self.follow(&mut points)?;
        let [at, around @ ..] = points;
        let [left, right, up, down] = around.map(|one| (one[0] - at[0]).hypot(one[1] - at[1]));
        // The map may be torn there too, on one side.
        Ok(([x, y], at, left.min(right).max(up.min(down))))
    }

    /// Whether the point `to` of the raster, where `from` of the grid lies, is on another side of the map than the grid's centre.
    fn is_torn(&self, from: [f64; 2], to: [f64; 2]) -> bool {
        let Some((x, at, scale)) = self.centre else {
            return false;
        };
        let away = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        away(to, at) > TORN * scale * away(from, x) + TORN_PX
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
        let from = points.clone();
        way.follow(&mut points)?;
        let mut is_torn = false;
        for (to, from) in points.iter_mut().zip(from) {
            if way.is_torn(from, *to) {
                *to = [NOWHERE; 2];
                is_torn = true;
            }
        }
        let at =
            Array2::from_shape_vec((rows, columns), points).unwrap_or_else(|_| Array2::from_elem((1, 1), [0.0, 0.0]));
        let (a, b, c) = (at[[0, 0]], at[[0, 1]], at[[1, 0]]);
        let straight = ((b[0] - a[0]).hypot(b[1] - a[1])).max((c[0] - a[0]).hypot(c[1] - a[1])) / step as f64;
        let scale = match way.centre {
            Some((_, _, scale)) if is_torn => scale,
            _ => straight,
        };
        Ok(Self {
            step,
            is_torn,
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
                if self.is_torn && (is_nowhere(u) || is_nowhere(exact[0])) {
                    continue;
                }
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
            if self.is_torn && is_nowhere(u) {
                return;
            }
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
        if self.is_torn {
            // Its edge may lie inside.
            let along =
                |from: i64, origin: i64| origin + (from - origin).div_euclid(self.step as i64) * self.step as i64;
            for y in (along(rect.y, self.origin.1)..rect.bottom())
                .step_by(self.step)
                .filter(|y| *y >= rect.y)
            {
                let row = (along(rect.x, self.origin.0)..rect.right()).step_by(self.step);
                row.filter(|x| *x >= rect.x).for_each(|x| see(x, y));
            }
        }
        if low[0] > high[0] {
            return Rect::new(rect.x, rect.y, 0, 0);
        }
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

/// Whether a coordinate is that of no place: mixed with others it stays so far away.
fn is_nowhere(u: f64) -> bool {
    u < NOWHERE / 1e4
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
    fn beyond_the_end_of_a_map_nothing_is_read_from_its_other_end() {
        // The grid's upper edge crosses the 180th meridian a quarter from its left.
        let to_grid = crs::Projector::new(crs::WGS84, "EPSG:32660").unwrap();
        let (mut x, mut y) = ([180.0], [60.0]);
        to_grid.project(&mut x, &mut y).unwrap();
        let grid = Grid {
            crs: "EPSG:32660".into(),
            left_m: (x[0] - 750.0).round(),
            top_m: y[0].round(),
            ..grid()
        };
        let sinusoidal = "PROJCS[\"s\",GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],\
                          UNIT[\"degree\",0.0174532925199433]],PROJECTION[\"Sinusoidal\"],PARAMETER[\"longitude_of_center\",0],UNIT[\"metre\",1]]";
        let (width, transform) = (401_000, [-20_050_000.0, 100.0, 0.0, 10_000_000.0, 0.0, -100.0]);
        let mapping = Mapping::new(&grid, 5, (&transform, sinusoidal), 0, &Affine::IDENTITY).unwrap();
        let lies = |x: f64, y: f64| (0.0..f64::from(width)).contains(&mapping.locate(x, y).0);
        assert!(lies(299.5, 0.5) && lies(150.5, 100.5), "the side of the centre is read");
        assert!(!lies(0.5, 0.5) && !lies(60.5, 0.5), "the other is not");
        let needed = mapping.window(&grid.rect(), width as usize, 200_000);
        assert!(
            (1..200).contains(&needed.w) && (1..200).contains(&needed.h),
            "{needed:?}"
        );
        let none = mapping.window(&Rect::new(0, 0, 8, 8), width as usize, 200_000);
        assert!(none.is_empty(), "{none:?}");
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
