//! The site grid: the one pixel lattice on which everything about a site is computed.

use serde::{Deserialize, Serialize};

use super::Rect;

/// A north-up lattice of square pixels in a projected CRS with metres as its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// The CRS as `EPSG:n`.
    pub crs: String,
    /// Easting of the outer left edge, metres.
    pub left_m: f64,
    /// Northing of the outer top edge, metres.
    pub top_m: f64,
    /// Edge of a pixel, metres.
    pub pixel_m: f64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Grid {
    /// The smallest grid that covers the box and whose pixel edges lie at `phase + n x pixel_m`.
    ///
    /// `bounds_m` is `[west, south, east, north]`, `phase_m` the easting and northing of any pixel corner, all in metres.
    pub fn covering(crs: &str, bounds_m: [f64; 4], pixel_m: f64, phase_m: [f64; 2]) -> Self {
        let [west, south, east, north] = bounds_m;
        let before = |v: f64, phase: f64| phase + ((v - phase) / pixel_m + 1e-6).floor() * pixel_m;
        let after = |v: f64, phase: f64| phase + ((v - phase) / pixel_m - 1e-6).ceil() * pixel_m;
        let (left_m, top_m) = (before(west, phase_m[0]), after(north, phase_m[1]));
        let (right_m, bottom_m) = (after(east, phase_m[0]), before(south, phase_m[1]));
        Self {
            crs: crs.to_owned(),
            left_m: tidy(left_m),
            top_m: tidy(top_m),
            pixel_m,
            width: ((right_m - left_m) / pixel_m).round().max(1.0) as usize,
            height: ((top_m - bottom_m) / pixel_m).round().max(1.0) as usize,
        }
    }

    /// The whole grid as a rectangle of its own pixels.
    pub fn rect(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// The grid of the pixels of `rect`, which may lie beyond this one, on the same lattice.
    pub fn part(&self, rect: &Rect) -> Self {
        let (left_m, top_m) = self.to_world(rect.x as f64, rect.y as f64);
        Self {
            crs: self.crs.clone(),
            left_m: tidy(left_m),
            top_m: tidy(top_m),
            pixel_m: self.pixel_m,
            width: rect.w,
            height: rect.h,
        }
    }

    /// Area of one pixel in the projection's plane, square metres.
    pub fn pixel_area_m2(&self) -> f64 {
        self.pixel_m * self.pixel_m
    }

    /// GDAL's affine geotransform of the grid.
    pub fn geotransform(&self) -> [f64; 6] {
        [self.left_m, self.pixel_m, 0.0, self.top_m, 0.0, -self.pixel_m]
    }

    /// Easting and northing in metres of a point in pixels ((0, 0) is the outer top-left corner).
    pub fn to_world(&self, x: f64, y: f64) -> (f64, f64) {
        (self.left_m + x * self.pixel_m, self.top_m - y * self.pixel_m)
    }

    /// The point in pixels of an easting and northing in metres.
    pub fn to_pixel(&self, east_m: f64, north_m: f64) -> (f64, f64) {
        (
            (east_m - self.left_m) / self.pixel_m,
            (self.top_m - north_m) / self.pixel_m,
        )
    }
}

/// A micrometre is far below what a pixel means, and keeps the sums of a lattice free of binary dust.
fn tidy(v: f64) -> f64 {
    (v * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_snaps_outwards_to_its_phase() {
        let grid = Grid::covering("EPSG:32631", [101.0, 199.0, 128.0, 231.0], 10.0, [0.0, 5.0]);
        assert_eq!((grid.left_m, grid.top_m), (100.0, 235.0));
        assert_eq!((grid.width, grid.height), (3, 4));
        assert_eq!(grid.to_pixel(100.0, 235.0), (0.0, 0.0));
        assert_eq!(grid.to_world(1.5, 2.0), (115.0, 215.0));
    }

    #[test]
    fn a_part_lies_on_the_same_lattice() {
        let grid = Grid::covering("EPSG:32631", [100.0, 200.0, 130.0, 230.0], 10.0, [0.0, 0.0]);
        let part = grid.part(&Rect::new(-2, 1, 7, 5));
        assert_eq!((part.left_m, part.top_m, part.width, part.height), (80.0, 220.0, 7, 5));
    }

    #[test]
    fn a_box_on_the_lattice_gains_no_pixel() {
        let grid = Grid::covering("EPSG:32631", [100.0, 200.0, 130.0, 230.0], 10.0, [0.0, 0.0]);
        assert_eq!((grid.width, grid.height), (3, 3));
    }
}
