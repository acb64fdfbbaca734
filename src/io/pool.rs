//! A pool of open datasets: a handle belongs to one thread at a time, and none is opened twice without need.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use gdal::Dataset;
use gdal::raster::GdalType;
use ndarray::Array2;

use super::formats::{Format, USUAL};
use super::{IoError, open};
use crate::geo::Rect;
use crate::raster::Plane;

/// A type that pixels are stored as.
pub trait StoredPixel: GdalType + Copy {}
impl StoredPixel for u8 {}
impl StoredPixel for u16 {}
impl StoredPixel for i16 {}
impl StoredPixel for f32 {}

/// Handles kept open when nobody uses them. A process has 1,024 files by default; two threads on 26 files stay far below.
const KEPT: usize = 192;

/// Open handles that nobody uses at the moment, by file.
pub struct Pool {
    formats: Vec<Format>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    handles: BTreeMap<PathBuf, Vec<Dataset>>,
    count: usize,
}

impl Default for Pool {
    /// An empty pool of rasters in the usual formats.
    fn default() -> Self {
        Self::new(USUAL.to_vec())
    }
}

impl Pool {
    /// An empty pool of rasters in `formats`.
    pub fn new(formats: Vec<Format>) -> Self {
        Self {
            formats,
            idle: Mutex::default(),
        }
    }

    /// Whatever `work` makes of an open handle on `path`; the handle is put back afterwards.
    ///
    /// # Errors
    /// Those of opening; `work`'s own result is passed through as it is.
    pub fn with<T>(&self, path: &Path, work: impl FnOnce(&Dataset) -> T) -> Result<T, IoError> {
        let dataset = match self.take(path) {
            Some(dataset) => dataset,
            None => match open::open(path, &self.formats) {
                Err(error) if error.is_out_of_files() => {
                    self.close_idle();
                    open::open(path, &self.formats)?
                }
                opened => opened?,
            },
        };
        let result = work(&dataset);
        self.put(path, dataset);
        Ok(result)
    }

    /// The stored pixels of `rect`, which must lie inside band `band` (from 1) of `path`.
    ///
    /// # Errors
    /// A file that cannot be opened or read.
    pub fn read<T: StoredPixel>(&self, path: &Path, band: usize, rect: &Rect) -> Result<Plane<T>, IoError> {
        self.with(path, |dataset| read(dataset, path, band, rect))?
    }

    /// Closes the handles on `path` that nobody uses.
    pub fn forget(&self, path: &Path) {
        let gone = {
            let mut idle = self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let gone = idle.handles.remove(path).unwrap_or_default();
            idle.count -= gone.len();
            gone
        };
        drop(gone); // closed outside the lock
    }

    fn close_idle(&self) {
        let all = std::mem::take(&mut *self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        drop(all); // closed outside the lock
    }

    fn take(&self, path: &Path) -> Option<Dataset> {
        let mut idle = self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let dataset = idle.handles.get_mut(path)?.pop()?;
        idle.count -= 1;
        Some(dataset)
    }

    fn put(&self, path: &Path, dataset: Dataset) {
        let surplus = {
            let mut idle = self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let surplus = (idle.count >= KEPT).then(|| std::mem::take(&mut *idle));
            idle.handles.entry(path.to_owned()).or_default().push(dataset);
            idle.count += 1;
            surplus
        };
        drop(surplus); // closed outside the lock
    }
}

/// The stored pixels of the block at `index` in band `band` of `dataset`, which is the file `path`; those inside `rect`, the block's part of
/// the raster. It goes past GDAL's cache, which would copy them.
pub(super) fn read_block<T: StoredPixel>(
    dataset: &Dataset,
    path: &Path,
    band: usize,
    index: (usize, usize),
    rect: &Rect,
) -> Result<Plane<T>, IoError> {
    let failed = |error| IoError::gdal("reading", path, &error);
    let block = dataset
        .rasterband(band)
        .and_then(|band| band.read_block::<T>(index))
        .map_err(failed)?;
    let (width, height) = block.shape();
    let whole = Rect::new(rect.x, rect.y, width, height);
    let data = shaped(path, whole, block.into_shape_and_vec().1)?;
    Ok(match whole == *rect {
        true => data,
        // At the edges of a raster a block reaches beyond it.
        false => data.crop(rect),
    })
}

/// The stored pixels of `rect` in band `band` of `dataset`, which is the file `path`.
pub(super) fn read<T: StoredPixel>(
    dataset: &Dataset,
    path: &Path,
    band: usize,
    rect: &Rect,
) -> Result<Plane<T>, IoError> {
    let failed = |error| IoError::gdal("reading", path, &error);
    let size = (rect.w, rect.h);
    let values = dataset
        .rasterband(band)
        .and_then(|band| band.read_as::<T>((rect.x as isize, rect.y as isize), size, size, None))
        .map_err(failed)?;
    shaped(path, *rect, values.into_shape_and_vec().1)
}

/// The pixels of `rect` of the file `path`, row by row, as a plane.
pub(super) fn shaped<T>(path: &Path, rect: Rect, values: Vec<T>) -> Result<Plane<T>, IoError> {
    let data = Array2::from_shape_vec((rect.h, rect.w), values).map_err(|error| IoError::Gdal {
        doing: "reading",
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    Ok(Plane { rect, data })
}
