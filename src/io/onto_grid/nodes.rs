//! Raster coordinates at regular nodes of the site grid, and between them.

use ndarray::Array2;

use super::grid_to_raster::GridToRaster;
use crate::geo::Rect;
use crate::io::IoError;

/// Nodes are first tried this far apart, pixels of the site grid.
pub(super) const WIDEST_STEP: usize = 64;
/// Pixels of the raster around a point that make its value, at most.
pub(super) const REACH_PX: usize = 2;

/// Both coordinates of what has no place on the side of a map that is read: beyond every raster.
const NOWHERE: f64 = -1e12;

/// Raster coordinates at regular nodes of the site grid.
#[derive(Debug, Clone)]
pub struct Nodes {
    step: usize,
    /// Column and row of the first node, in pixels of the site grid.
    origin: (i64, i64),
    /// Raster x and y at each node, pixels.
    at: Array2<[f64; 2]>,
    /// Pixels of the raster along a pixel of the grid.
    pub(in crate::io) scale: f64,
    /// Samples along a pixel of the grid that make one value, at least 1.
    pub(in crate::io) samples: usize,
    /// Whether some of the grid lies on another side of the map, which has no place here.
    pub(super) is_torn: bool,
}

impl Nodes {
    /// Along `to_raster`, over `area` of the site grid, that many pixels apart.
    ///
    /// # Errors
    /// A place that has no image.
    pub(super) fn new(to_raster: &GridToRaster<'_>, area: &Rect, step: usize) -> Result<Self, IoError> {
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
        to_raster.follow(&mut points)?;
        let mut is_torn = false;
        for (to, from) in points.iter_mut().zip(from) {
            if to_raster.is_torn(from, *to) {
                *to = [NOWHERE; 2];
                is_torn = true;
            }
        }
        let at = Array2::from_shape_fn((rows, columns), |(row, column)| points[row * columns + column]);
        let (a, b, c) = (at[[0, 0]], at[[0, 1]], at[[1, 0]]);
        let straight = ((b[0] - a[0]).hypot(b[1] - a[1])).max((c[0] - a[0]).hypot(c[1] - a[1])) / step as f64;
        let scale = match &to_raster.centre {
            Some(centre) if is_torn => centre.scale,
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
    pub fn locate(&self, x: f64, y: f64) -> (f64, f64) {
        let mut at = [(0.0, 0.0)];
        self.locate_row(x, y, &mut at);
        at[0]
    }

    /// Raster coordinates of the points (`x`, `y`), (`x` + 1, `y`) and so on of the site grid, pixels.
    pub(in crate::io) fn locate_row(&self, x: f64, y: f64, out: &mut [(f64, f64)]) {
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
    pub(super) fn error_at(&self, finer: &Self) -> f64 {
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

    /// The pixels of the raster that are needed for `rect` of the site grid, wherever the raster ends.
    pub(super) fn bounds(&self, rect: &Rect) -> Rect {
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
