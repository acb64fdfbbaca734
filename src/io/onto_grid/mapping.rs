//! Where each pixel of the site grid lies in a raster.
//!
//! Coordinates come from PROJ at nodes of the site grid and are interpolated between them, with an error below
//! [`NODE_TOLERANCE_PX`]; they depend on the absolute pixel alone, so that no tiling can be seen in the result.

use super::grid_to_raster::GridToRaster;
pub use super::grid_to_raster::Target;
use super::nodes::{Nodes, REACH_PX, WIDEST_STEP};
use crate::geo::Rect;
use crate::io::placement::Placement;
use crate::io::{IoError, crs};

/// Largest error of an interpolated coordinate, pixels of the raster.
pub const NODE_TOLERANCE_PX: f64 = 0.01;
/// A raster whose pixels lie within this part of a pixel of the site grid's is read without resampling.
pub const ALIGNED_PX: f64 = 0.01;
/// Offsets that differ by no more than this part of a pixel all over a site are one.
const SAME_PX: f64 = 0.001;
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

impl Mapping {
    /// The mapping from `target` to a raster at `placement`; of one that goes around the earth, to what it holds in the given one of the
    /// [`turns`].
    ///
    /// # Errors
    /// Reference systems between which PROJ has no way.
    pub fn new(target: &Target, placement: Placement, turn: i64) -> Result<Self, IoError> {
        let to_raster = GridToRaster::new(target, placement, turn)?;
        let area = target.area();
        if let Some(translation) = translation(&to_raster, &area)? {
            return Ok(translation);
        }
        let mut step = WIDEST_STEP;
        loop {
            let nodes = Nodes::new(&to_raster, &area, step)?;
            let finer = Nodes::new(&to_raster, &area, step / 2)?;
            if step == 2 || nodes.error_at(&finer) < NODE_TOLERANCE_PX {
                if nodes.is_torn && step > TORN_STEP {
                    return Ok(Self::Nodes(Nodes::new(&to_raster, &area, TORN_STEP)?));
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
    pub(in crate::io) fn locate_row(&self, x: f64, y: f64, out: &mut [(f64, f64)]) {
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
    pub(in crate::io) fn scale(&self) -> f64 {
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

/// The mapping where the raster's lattice is that of the grid, or that moved by the same offset everywhere.
fn translation(to_raster: &GridToRaster<'_>, area: &Rect) -> Result<Option<Mapping>, IoError> {
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
        to_raster.follow(&mut at)?;
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

/// In which turns around the earth a raster of `width` columns, which lies at `placement`, holds some of `target`: one, unless its edge or the
/// meridian where longitude begins anew lies there.
///
/// # Errors
/// Reference systems between which PROJ has no way.
pub fn turns(target: &Target, placement: Placement, width: usize) -> Result<Vec<i64>, IoError> {
    if crs::turn(placement.crs_wkt)?.is_none() {
        return Ok(vec![0]);
    }
    let to_raster = GridToRaster::new(target, placement, 0)?;
    let area = target.area();
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
    to_raster.follow(&mut edge)?;
    let columns = edge.iter().map(|at| at[0]);
    let (least, most) = columns.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), u| {
        (least.min(u), most.max(u))
    });
    Ok(to_raster.to_pixels.turns(placement.geotransform, width, (least, most)))
}

/// Points along an edge of the grid by which it is told where it lies in a raster that goes around the earth.
const EDGE_PARTS: usize = 8;

#[cfg(test)]
pub(in crate::io) mod tests {
    use super::*;
    use crate::geo::{Affine, Grid};

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

    /// `grid` where it lies, and `margin` pixels around it.
    pub fn target(grid: &Grid, margin: usize) -> Target<'_> {
        Target {
            grid,
            margin,
            moved: &Affine::IDENTITY,
        }
    }

    /// The mapping to a raster of that transform in the reference system `crs_wkt`.
    pub fn mapped(target: &Target, geotransform: &[f64; 6], crs_wkt: &str) -> Mapping {
        let placement = Placement { geotransform, crs_wkt };
        Mapping::new(target, placement, 0).unwrap()
    }

    #[test]
    fn a_raster_on_the_lattice_is_read_as_it_is() {
        let (grid, wkt) = (grid(), wkt("EPSG:32631"));
        let target = target(&grid, 3);
        let mapping = mapped(&target, &[499_900.0, 10.0, 0.0, 5_000_050.0, 0.0, -10.0], &wkt);
        assert!(matches!(mapping, Mapping::Window { dx: 10, dy: 5 }), "{mapping:?}");
        let beside = [499_905.0, 10.0, 0.0, 5_000_050.0, 0.0, -10.0];
        assert!(!mapped(&target, &beside, &wkt).is_window());
        // A date that lies half a pixel beside the other is read where it shows the same.
        let moved = &Affine::shift(0.5, 2.0);
        let moved = mapped(&Target { moved, ..target }, &beside, &wkt);
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
        let mapping = mapped(&target(&grid, 5), &transform, sinusoidal);
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
            let (grid, wkt) = (grid(), wkt(code));
            let target = Target {
                moved: &moved,
                ..target(&grid, 5)
            };
            let Mapping::Nodes(nodes) = mapped(&target, &geotransform, &wkt) else {
                panic!("{code} is not the grid's lattice")
            };
            let placement = Placement {
                geotransform: &geotransform,
                crs_wkt: &wkt,
            };
            let to_raster = GridToRaster::new(&target, placement, 0).unwrap();
            for (x, y) in [(0.5, 0.5), (17.5, 150.5), (299.5, 199.5), (-4.5, 203.0)] {
                let mut exact = [[x, y]];
                to_raster.follow(&mut exact).unwrap();
                let (u, v) = nodes.locate(x, y);
                assert!((u - exact[0][0]).abs() < NODE_TOLERANCE_PX && (v - exact[0][1]).abs() < NODE_TOLERANCE_PX);
            }
        }
    }
}
