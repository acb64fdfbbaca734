//! A pool of open datasets: a handle belongs to one thread at a time, and none is opened twice without need.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use gdal::Dataset;
use gdal::raster::GdalType;

use crate::geo::Rect;
use crate::io::formats::{Format, USUAL};
use crate::io::header::bulk::Bulk;
use crate::io::stored::StoredPixel;
use crate::io::tiff::{Tiff, inflate, pixels};
use crate::io::{IoError, open};
use crate::raster::Plane;

/// Handles kept open when nobody uses them, two files each. A process has 1,024 files by default; two threads on 26 files stay far below.
const KEPT: usize = 192;

/// What these hold at most, bytes: GDAL keeps room for a block with each.
pub(crate) const KEPT_BYTES: usize = 48 << 20;

/// An open raster file.
pub(in crate::io) struct Handle {
    /// GDAL's handle.
    pub dataset: Dataset,
    /// How it is packed, if it is a TIFF.
    pub tiff: Option<Tiff>,
    /// How the mask inside it is packed, if it has one.
    pub mask: Option<Tiff>,
    /// What the handle holds between two reads, bytes.
    bytes: usize,
}

impl Handle {
    fn open(path: &Path, formats: &[Format]) -> Result<Self, IoError> {
        let dataset = open::open(path, formats)?;
        let tiff = Tiff::of(&dataset, path)?;
        let bulk = Bulk::of(&dataset, tiff.as_ref(), path)?;
        let mask = Tiff::of_mask(&dataset, path)?;
        // What is unpacked here, GDAL has no room for.
        let block = if tiff.as_ref().is_some_and(inflate::is_deflate) {
            0
        } else {
            bulk.block
        };
        Ok(Self {
            dataset,
            tiff,
            mask,
            bytes: block + bulk.header,
        })
    }

    /// How it is packed, if by deflate.
    pub fn deflate(&self) -> Option<&Tiff> {
        self.tiff.as_ref().filter(|tiff| inflate::is_deflate(tiff))
    }
}

/// Open handles that nobody uses at the moment, by file.
pub struct Pool {
    formats: Vec<Format>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    handles: BTreeMap<PathBuf, Vec<Handle>>,
    count: usize,
    bytes: usize,
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
    pub(in crate::io) fn with<T>(&self, path: &Path, work: impl FnOnce(&Handle) -> T) -> Result<T, IoError> {
        let handle = match self.take(path) {
            Some(handle) => handle,
            None => match Handle::open(path, &self.formats) {
                Err(error) if error.is_out_of_files() => {
                    self.close_idle();
                    Handle::open(path, &self.formats)?
                }
                opened => opened?,
            },
        };
        let result = work(&handle);
        self.put(path, handle);
        Ok(result)
    }

    /// The stored pixels of `rect`, which must lie inside band `band` (from 1) of `path`.
    ///
    /// # Errors
    /// A file that cannot be opened or read, or is damaged there.
    pub fn read<T: StoredPixel>(&self, path: &Path, band: usize, rect: &Rect) -> Result<Plane<T>, IoError> {
        self.with(path, |handle| read(handle, path, band, rect))?
    }

    /// Closes the handles on `path` that nobody uses.
    pub fn forget(&self, path: &Path) {
        let gone = {
            let mut idle = self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let gone = idle.handles.remove(path).unwrap_or_default();
            idle.count -= gone.len();
            idle.bytes -= gone.iter().map(|handle| handle.bytes).sum::<usize>();
            gone
        };
        drop(gone); // closed outside the lock
    }

    fn close_idle(&self) {
        let all = std::mem::take(&mut *self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        drop(all); // closed outside the lock
    }

    fn take(&self, path: &Path) -> Option<Handle> {
        let mut idle = self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let handle = idle.handles.get_mut(path)?.pop()?;
        idle.count -= 1;
        idle.bytes -= handle.bytes;
        Some(handle)
    }

    fn put(&self, path: &Path, handle: Handle) {
        if handle.bytes > KEPT_BYTES {
            return;
        }
        let surplus = {
            let mut idle = self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let is_full = idle.count >= KEPT || idle.bytes + handle.bytes > KEPT_BYTES;
            let surplus = is_full.then(|| std::mem::take(&mut *idle));
            idle.count += 1;
            idle.bytes += handle.bytes;
            idle.handles.entry(path.to_owned()).or_default().push(handle);
            surplus
        };
        drop(surplus); // closed outside the lock
    }
}

/// The stored pixels of the block at `index` in band `band` of `dataset`, which is the file `path`; those inside `rect`, the block's part of
/// the raster. It goes past GDAL's cache, which would copy them.
pub(in crate::io) fn read_block<T: GdalType + Copy>(
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
    let plane = Plane::new(whole, block.into_shape_and_vec().1);
    Ok(match whole == *rect {
        true => plane,
        // At the edges of a raster a block reaches beyond it.
        false => plane.crop(rect),
    })
}

/// The stored pixels of `rect` in band `band` of `handle`, which is the file `path`.
fn read<T: StoredPixel>(handle: &Handle, path: &Path, band: usize, rect: &Rect) -> Result<Plane<T>, IoError> {
    if let Some(tiff) = handle.deflate() {
        if let Some(plane) = pixels::read(tiff, path, &[band], rect)?.and_then(|planes| planes.into_iter().next()) {
            return Ok(plane);
        }
        inflate::verify(tiff, path, band, rect)?;
    }
    read_window(&handle.dataset, path, band, rect)
}

/// The stored pixels of `rect` in band `band` of `dataset`, which is the file `path`, as GDAL reads them.
pub(in crate::io) fn read_window<T: GdalType + Copy>(
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
    Ok(Plane::new(*rect, values.into_shape_and_vec().1))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};

    const FOLDER: &str = "SITEWATCH_TEST_POOL";

    /// A test again, in a process that may have 40 files open: a limit holds for a whole process.
    fn with_few_files(test: &str, folder: &Path) -> std::process::Output {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "ulimit -n 40; exec \"$@\"", "sh"])
            .arg(std::env::current_exe().unwrap());
        shell.args(["--exact", test, "--ignored", "--test-threads=1"]);
        shell.env(FOLDER, folder).output().unwrap()
    }

    #[test]
    fn handles_that_nobody_uses_make_way_when_the_system_has_no_more_files() {
        let folder = tempfile::tempdir().unwrap();
        let first = folder.path().join("0.tif");
        let layout = Layout {
            width: 4,
            height: 4,
            bands: 1,
            data_type: DataType::U16,
            transform: [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0],
            crs: "EPSG:32633".into(),
            nodata: None,
            compression: Compression::Deflate(1),
            block: 16,
        };
        let mut writer = GeoTiffWriter::create(&first, layout).unwrap();
        writer.write(1, &Rect::new(0, 0, 4, 4), &[7_u16; 16]).unwrap();
        writer.finish().unwrap();
        for i in 1..60 {
            std::fs::copy(&first, folder.path().join(format!("{i}.tif"))).unwrap();
        }
        let child = with_few_files("io::decoded::pool::tests::sixty_files_are_read_twice", folder.path());
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    #[ignore = "run by the test above, in a process of its own"]
    fn sixty_files_are_read_twice() {
        let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
        let pool = Pool::default();
        for i in (0..60).chain(0..60) {
            let read = pool.read::<u16>(&folder.join(format!("{i}.tif")), 1, &Rect::new(0, 0, 4, 4));
            assert_eq!(read.unwrap()[[3, 3]], 7);
        }
    }
}
