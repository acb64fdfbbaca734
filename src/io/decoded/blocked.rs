//! How a raster file is cut into cells that are decoded and kept as one.

use std::path::Path;
use std::sync::Arc;

use crate::geo::Rect;
use crate::io::open::RasterInfo;

/// Blocks smaller than this many pixels, mostly single rows, are kept in stacks of about so many.
const CELL_PIXELS: usize = 1 << 15;

/// A raster file as it is cut into cells: a block, or some small blocks one below the other.
pub struct Blocked {
    /// The file.
    pub path: Arc<Path>,
    /// Its pixels.
    pub bounds: Rect,
    /// Columns and rows of a cell.
    pub(in crate::io) cell: (usize, usize),
    /// Bytes of a pixel as it is kept.
    pub(in crate::io) pixel_bytes: usize,
    /// Whether its bytes are signed, which GDAL before 3.7 hands out as if they were not.
    pub(in crate::io) has_signed_bytes: bool,
    /// Bands that are read together, where their pixels lie side by side: a block of one brings the rest.
    pub(in crate::io) bands: Vec<usize>,
}

impl Blocked {
    /// The file at `path`, of which `bands` (from 1) will be read.
    pub fn new(path: &Path, info: &RasterInfo, bands: Vec<usize>) -> Self {
        Self {
            path: path.into(),
            bounds: Rect::new(0, 0, info.width, info.height),
            cell: cell(info, info.block),
            pixel_bytes: info.kept_bytes,
            has_signed_bytes: info.has_signed_bytes,
            bands: if info.bands_in_block > 1 { bands } else { Vec::new() },
        }
    }

    /// The mask of the file at `path`, in blocks of so many columns and rows.
    pub fn mask(path: &Path, info: &RasterInfo, block: (usize, usize)) -> Self {
        Self {
            path: path.into(),
            bounds: Rect::new(0, 0, info.width, info.height),
            cell: cell(info, block),
            pixel_bytes: 1,
            has_signed_bytes: false,
            bands: Vec::new(),
        }
    }

    pub(in crate::io) fn rect(&self, column: usize, row: usize) -> Rect {
        let (w, h) = self.cell;
        Rect::new((column * w) as i64, (row * h) as i64, w, h).intersect(&self.bounds)
    }
}

/// Columns and rows of what is kept of a raster together, whose blocks have so many.
fn cell(info: &RasterInfo, (width, height): (usize, usize)) -> (usize, usize) {
    let (width, height) = (width.clamp(1, info.width), height.clamp(1, info.height));
    let stacked = CELL_PIXELS.div_ceil(width * height);
    (width, (height * stacked).min(info.height))
}
