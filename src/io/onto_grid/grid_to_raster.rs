//! The way from points of the site grid to points of a raster, as PROJ has it.

use super::to_pixels::ToPixels;
use crate::geo::{Affine, Grid, Rect};
use crate::io::IoError;
use crate::io::placement::Placement;

/// A node is on another side of the map when it lies so many times as far from the centre as it should, and so many pixels more.
const TORN: f64 = 4.0;
const TORN_PX: f64 = 64.0;

/// Which ground is read of rasters.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The site grid.
    pub grid: &'a Grid,
    /// Pixels around it that are read too.
    pub margin: usize,
    /// The point of the grid that is read at each of its points: the measured shift, in the same resampling as the rest.
    pub moved: &'a Affine,
}

impl Target<'_> {
    /// The grid and its margin, pixels of the grid.
    pub(super) fn area(&self) -> Rect {
        self.grid.rect().grow(self.margin)
    }
}

/// The way from a point of the site grid to one of a raster.
pub(super) struct GridToRaster<'a> {
    target: &'a Target<'a>,
    geotransform: &'a [f64; 6],
    pub to_pixels: ToPixels,
    /// Columns to add in the turn that is read.
    shift_px: f64,
    /// None of a raster that goes around the earth. Most maps of the whole earth end at a meridian, and what lies beyond it is at their other end.
    pub centre: Option<Centre>,
}

/// The centre of a site grid.
pub(super) struct Centre {
    /// In pixels of the grid.
    from: [f64; 2],
    /// In pixels of the raster.
    to: [f64; 2],
    /// Pixels of the raster along a pixel of the grid there.
    pub scale: f64,
}

impl<'a> GridToRaster<'a> {
    /// From `target` to a raster at `placement`, in that turn around the earth.
    ///
    /// # Errors
    /// Reference systems between which PROJ has no way.
    pub fn new(target: &'a Target<'a>, placement: Placement<'a>, turn: i64) -> Result<Self, IoError> {
        let (grid, geotransform) = (target.grid, placement.geotransform);
        let centre = grid.to_world(grid.width as f64 / 2.0, grid.height as f64 / 2.0);
        let to_pixels = ToPixels::new(&grid.crs, placement.crs_wkt, centre)?;
        let shift_px = to_pixels.turn_px(geotransform).map_or(0.0, |px| px * turn as f64);
        let mut to_raster = Self {
            target,
            geotransform,
            to_pixels,
            shift_px,
            centre: None,
        };
        if to_raster.to_pixels.turn_px(geotransform).is_none() {
            to_raster.centre = Some(to_raster.at_centre()?);
        }
        Ok(to_raster)
    }

    fn at_centre(&self) -> Result<Centre, IoError> {
        let [x, y] = [self.target.grid.width, self.target.grid.height].map(|length| length as f64 / 2.0);
        let mut points = [[x, y], [x - 1.0, y], [x + 1.0, y], [x, y - 1.0], [x, y + 1.0]];
        self.follow(&mut points)?;
        let [at, around @ ..] = points;
        let [left, right, up, down] = around.map(|one| (one[0] - at[0]).hypot(one[1] - at[1]));
        Ok(Centre {
            from: [x, y],
            to: at,
            // The map may be torn there too, on one side.
            scale: left.min(right).max(up.min(down)),
        })
    }

    /// Whether the point `to` of the raster, where `from` of the grid lies, is on another side of the map than the grid's centre.
    pub fn is_torn(&self, from: [f64; 2], to: [f64; 2]) -> bool {
        let Some(centre) = &self.centre else {
            return false;
        };
        let away = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        away(to, centre.to) > TORN * centre.scale * away(from, centre.from) + TORN_PX
    }

    /// Replaces points in pixels of the grid by points in pixels of the raster.
    ///
    /// # Errors
    /// A place that has no image, for example outside the projection's area.
    pub fn follow(&self, points: &mut [[f64; 2]]) -> Result<(), IoError> {
        let world = |p: &[f64; 2]| {
            let (x, y) = self.target.moved.apply(p[0], p[1]);
            self.target.grid.to_world(x, y)
        };
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.iter().map(world).unzip();
        self.to_pixels.follow(self.geotransform, &mut x, &mut y)?;
        for (point, (x, y)) in points.iter_mut().zip(x.into_iter().zip(y)) {
            *point = [x + self.shift_px, y];
        }
        Ok(())
    }
}
