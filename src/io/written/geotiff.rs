//! A tiled GeoTIFF, written window by window and read back before anyone relies on it.

use std::path::{Path, PathBuf};

use gdal::raster::{Buffer, GdalType, RasterBand, RasterCreationOptions};
use gdal::{Dataset, DriverManager, Metadata};

use super::{overviews, vsi};
use crate::geo::Rect;
use crate::io::{IoError, crs, failures, plain, prepare};

/// What a pixel is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 16 bits.
    I16,
    /// IEEE 754 single precision.
    F32,
}

/// How blocks are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    None,
    /// Deflate at a level of 1 (fast) to 9, with the predictor that suits the pixel type.
    Deflate(u8),
}

/// The layout of a raster file.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bands, stored one after the other.
    pub bands: usize,
    /// The type of every pixel.
    pub data_type: DataType,
    /// GDAL's order: x of the top-left corner, pixel width, 0, y of the top-left corner, 0, minus pixel height.
    pub transform: [f64; 6],
    /// `EPSG:<number>`.
    pub crs: String,
    /// The value that means "nothing here".
    pub nodata: Option<f64>,
    /// How blocks are stored.
    pub compression: Compression,
    /// Edge of the square blocks, in pixels, a multiple of 16; windows that cover whole blocks are written once.
    pub block: usize,
}

/// Reads one window of a band and tells whether it holds what was written.
type Check = Box<dyn Fn(&RasterBand) -> gdal::errors::Result<bool> + Send>;

/// A GeoTIFF being written. Nothing is certain before [`GeoTiffWriter::finish`] has returned `Ok`.
pub struct GeoTiffWriter {
    dataset: Dataset,
    path: PathBuf,
    layout: Layout,
    /// Per band: the check of the window that was written last.
    last: Vec<Option<Check>>,
    /// What [`failures`] said when the file was created.
    failures: u64,
}

impl GeoTiffWriter {
    /// A new file at `path`, which is overwritten. To make it appear whole, give a name aside and rename after `finish`.
    ///
    /// # Errors
    /// When the file cannot be created or the layout is not one that GDAL accepts.
    pub fn create(path: &Path, layout: Layout) -> Result<Self, IoError> {
        prepare();
        let failures = failures();
        let failed = |error| IoError::gdal("creating", path, &error);
        let name = vsi::name(path);
        let mut options = RasterCreationOptions::new();
        let mut set = |key: &str, value: &str| options.set_name_value(key, value).map_err(failed);
        set("TILED", "YES")?;
        set("BLOCKXSIZE", &layout.block.to_string())?;
        set("BLOCKYSIZE", &layout.block.to_string())?;
        set("INTERLEAVE", "BAND")?;
        set("BIGTIFF", "IF_SAFER")?;
        if let Compression::Deflate(level) = layout.compression {
            set("COMPRESS", "DEFLATE")?;
            set("ZLEVEL", &level.to_string())?;
            set("PREDICTOR", if layout.data_type == DataType::F32 { "3" } else { "2" })?;
        }
        let driver = DriverManager::get_driver_by_name("GTiff").map_err(failed)?;
        let Layout {
            width, height, bands, ..
        } = layout;
        let made = match layout.data_type {
            DataType::U8 => driver.create_with_band_type_with_options::<u8, _>(&name, width, height, bands, &options),
            DataType::U16 => driver.create_with_band_type_with_options::<u16, _>(&name, width, height, bands, &options),
            DataType::I16 => driver.create_with_band_type_with_options::<i16, _>(&name, width, height, bands, &options),
            DataType::F32 => driver.create_with_band_type_with_options::<f32, _>(&name, width, height, bands, &options),
        };
        let mut dataset = made.map_err(|error| match vsi::failure(path) {
            Some(error) => torn(path, error.to_string()),
            None => failed(error),
        })?;
        dataset.set_geo_transform(&layout.transform).map_err(failed)?;
        dataset.set_spatial_ref(&crs::parse(&layout.crs)?).map_err(failed)?;
        if layout.nodata.is_some() {
            // In a GeoTIFF all bands share one value.
            dataset
                .rasterband(1)
                .and_then(|mut band| band.set_no_data_value(layout.nodata))
                .map_err(failed)?;
        }
        let last = (0..bands).map(|_| None).collect();
        Ok(Self {
            dataset,
            path: path.to_owned(),
            layout,
            last,
            failures,
        })
    }

    /// Names band `band` (from 1). Before the first write, or GDAL rewrites the header.
    ///
    /// # Errors
    /// When there is no such band.
    pub fn describe(&mut self, band: usize, name: &str) -> Result<(), IoError> {
        self.dataset
            .rasterband(band)
            .and_then(|mut band| band.set_description(name))
            .map_err(|error| IoError::gdal("naming a band of", &self.path, &error))
    }

    /// States that a pixel of band `band` (from 1) means `pixel * scale + offset`.
    ///
    /// # Errors
    /// When there is no such band.
    pub fn scale(&mut self, band: usize, scale: f64, offset: f64) -> Result<(), IoError> {
        let set = |mut band: RasterBand| band.set_scale(scale).and_then(|()| band.set_offset(offset));
        self.dataset
            .rasterband(band)
            .and_then(set)
            .map_err(|error| IoError::gdal("scaling a band of", &self.path, &error))
    }

    /// Adds a tag to the file's metadata, such as `TIFFTAG_DATETIME`.
    ///
    /// # Errors
    /// When GDAL refuses the key or value.
    pub fn tag(&mut self, key: &str, value: &str) -> Result<(), IoError> {
        self.dataset
            .set_metadata_item(key, value, "")
            .map_err(|error| IoError::gdal("setting a tag of", &self.path, &error))
    }

    /// Writes `window` of band `band` (from 1), its pixels row by row.
    ///
    /// # Errors
    /// When the window leaves the raster, the pixels are not as many, or GDAL reports any failure.
    pub fn write<T>(&mut self, band: usize, window: &Rect, pixels: &[T]) -> Result<(), IoError>
    where
        T: GdalType + Copy + Into<f64> + Send + Sync + 'static,
    {
        let Rect { x, y, w, h } = *window;
        let failed = |message: String| IoError::Gdal {
            doing: "writing",
            path: self.path.clone(),
            message: format!("{message} ({w} x {h} pixels at column {x}, row {y} of band {band})"),
        };
        // Buffer::new panics on another count.
        if pixels.len() != w * h {
            return Err(failed(format!("expected {} pixels, found {}", w * h, pixels.len())));
        }
        let (Ok(left), Ok(top)) = (isize::try_from(x), isize::try_from(y)) else {
            return Err(failed("the window lies outside the raster".into()));
        };
        let mut buffer = Buffer::new((w, h), pixels.to_vec());
        self.dataset
            .rasterband(band)
            .and_then(|mut band| band.write((left, top), (w, h), &mut buffer))
            .map_err(|error| {
                failed(vsi::failure(&self.path).map_or_else(|| plain(&error), |error| error.to_string()))
            })?;
        self.last[band - 1] = Some(Box::new(move |band| {
            let found = band.read_as::<T>((left, top), (w, h), (w, h), None)?;
            let bits = |value: &T| Into::<f64>::into(*value).to_bits();
            Ok(found.data().iter().map(bits).eq(buffer.data().iter().map(bits)))
        }));
        Ok(())
    }

    /// Adds overviews, for whoever looks at the whole; after the last write.
    ///
    /// # Errors
    /// When GDAL reports any failure.
    pub fn add_overviews(&mut self) -> Result<(), IoError> {
        let nodata = self.layout.nodata;
        match self.layout.data_type {
            DataType::I16 => overviews::add(&mut self.dataset, nodata.map(|value| value as i16)),
            DataType::U16 => overviews::add(&mut self.dataset, nodata.map(|value| value as u16)),
            // Nobody looks at those from afar.
            DataType::U8 | DataType::F32 => Ok(()),
        }
        .map_err(|error| IoError::gdal("making overviews of", &self.path, &error))
    }

    /// Closes the file, brings it to the disk, opens it again and compares.
    ///
    /// A call to the system that failed is told. What GDAL itself may have got wrong: every block must lie inside the file, and
    /// the last window written to each band must read back as it was written. When GDAL reported any failure since the
    /// file was created (another thread's count too), every block is decoded.
    ///
    /// # Errors
    /// [`IoError::Torn`] when the file is not what was written; the caller then removes it.
    pub fn finish(self) -> Result<(), IoError> {
        let Self {
            dataset,
            path,
            layout,
            last,
            failures: before,
        } = self;
        let closed = dataset.close();
        let system = |error: std::io::Error| torn(&path, error.to_string());
        vsi::settle(&path).map_err(system)?;
        closed.map_err(|error| IoError::gdal("closing", &path, &error))?;
        let length = std::fs::metadata(&path).map_err(system)?.len();
        verify(&path, length, &layout, &last, failures() != before)
    }
}

fn torn(path: &Path, message: impl Into<String>) -> IoError {
    IoError::Torn {
        path: path.to_owned(),
        message: message.into(),
    }
}

/// Whether the file at `path`, `length` bytes long, has the layout, all of its blocks, and the windows written last;
/// with `all`, whether every block can be decoded too.
fn verify(path: &Path, length: u64, layout: &Layout, last: &[Option<Check>], all: bool) -> Result<(), IoError> {
    let dataset =
        Dataset::open(path).map_err(|error| torn(path, format!("it does not open again ({})", plain(&error))))?;
    let (found, expected) = (dataset.raster_size(), (layout.width, layout.height));
    if found != expected || dataset.raster_count() != layout.bands {
        let (bands, count) = (layout.bands, dataset.raster_count());
        return Err(torn(
            path,
            format!("expected {expected:?} pixels and {bands} bands, found {found:?} and {count}"),
        ));
    }
    for (number, check) in (1..).zip(last) {
        let unread = |error| torn(path, format!("band {number} does not read back ({})", plain(&error)));
        let band = dataset.rasterband(number).map_err(unread)?;
        for row in 0..layout.height.div_ceil(layout.block) {
            for column in 0..layout.width.div_ceil(layout.block) {
                let ask = |what: &str| {
                    let item = band.metadata_item(&format!("{what}_{column}_{row}"), "TIFF");
                    item.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
                };
                let (offset, size) = (ask("BLOCK_OFFSET"), ask("BLOCK_SIZE"));
                if offset == 0 || size == 0 || offset.saturating_add(size) > length {
                    return Err(torn(
                        path,
                        format!(
                            "block {column}, {row} of band {number} should be {size} bytes at {offset}, and the file has {length} bytes"
                        ),
                    ));
                }
                if all {
                    let (x, y) = (column * layout.block, row * layout.block);
                    let (w, h) = (layout.block.min(layout.width - x), layout.block.min(layout.height - y));
                    band.read_as::<f64>((x as isize, y as isize), (w, h), (w, h), None)
                        .map_err(unread)?;
                }
            }
        }
        if let Some(check) = check
            && !check(&band).map_err(unread)?
        {
            return Err(torn(
                path,
                format!("band {number} does not read back as it was written"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(data_type: DataType) -> Layout {
        Layout {
            width: 20,
            height: 18,
            bands: 2,
            data_type,
            transform: [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0],
            crs: "EPSG:32633".into(),
            nodata: Some(0.0),
            compression: Compression::Deflate(1),
            block: 16,
        }
    }

    #[test]
    fn what_is_written_is_read_back_with_its_place_and_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let mut writer = GeoTiffWriter::create(&path, layout(DataType::U16)).unwrap();
        writer.describe(2, "nir").unwrap();
        writer.scale(2, 0.0001, 0.0).unwrap();
        writer.tag("TIFFTAG_DATETIME", "2021:05:03 10:10:31").unwrap();
        let pixels: Vec<u16> = (0..360).collect();
        for band in [1, 2] {
            writer.write(band, &Rect::new(0, 0, 20, 18), &pixels).unwrap();
        }
        writer.finish().unwrap();

        let dataset = Dataset::open(&path).unwrap();
        assert_eq!(
            dataset.geo_transform().unwrap(),
            [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0]
        );
        assert_eq!(dataset.spatial_ref().unwrap().auth_code().unwrap(), 32633);
        assert_eq!(
            dataset.metadata_item("TIFFTAG_DATETIME", "").as_deref(),
            Some("2021:05:03 10:10:31")
        );
        let band = dataset.rasterband(2).unwrap();
        assert_eq!(band.description().unwrap(), "nir");
        assert_eq!((band.scale(), band.no_data_value()), (Some(0.0001), Some(0.0)));
        assert_eq!(
            band.read_as::<u16>((19, 17), (1, 1), (1, 1), None).unwrap().data(),
            &[359]
        );
    }

    #[test]
    fn nan_reads_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let mut writer = GeoTiffWriter::create(&path, layout(DataType::F32)).unwrap();
        let mut pixels = vec![0.5_f32; 360];
        pixels[7] = f32::NAN;
        for band in [1, 2] {
            writer.write(band, &Rect::new(0, 0, 20, 18), &pixels).unwrap();
        }
        writer.finish().unwrap();
    }

    #[test]
    fn a_short_file_and_a_changed_one_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let shape = Layout {
            compression: Compression::None,
            ..layout(DataType::U8)
        };
        let mut writer = GeoTiffWriter::create(&path, shape.clone()).unwrap();
        for band in [1, 2] {
            writer.write(band, &Rect::new(0, 0, 20, 18), &[7_u8; 360]).unwrap();
        }
        let last = std::mem::take(&mut writer.last);
        writer.dataset.close().unwrap();
        let whole = std::fs::read(&path).unwrap();
        let length = whole.len() as u64;
        verify(&path, length, &shape, &last, false).unwrap();

        std::fs::write(&path, &whole[..whole.len() - 100]).unwrap();
        let error = verify(&path, length - 100, &shape, &last, false).unwrap_err();
        assert!(error.to_string().contains("bytes at"), "{error}");

        let mut changed = whole.clone();
        let at = whole
            .windows(20)
            .rposition(|run| run.iter().all(|&byte| byte == 7))
            .unwrap();
        changed[at] = 9;
        std::fs::write(&path, &changed).unwrap();
        assert!(
            verify(&path, length, &shape, &last, false)
                .unwrap_err()
                .to_string()
                .contains("read back")
        );
    }

    #[test]
    fn wrong_windows_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = GeoTiffWriter::create(&folder.path().join("a.tif"), layout(DataType::I16)).unwrap();
        assert!(writer.write(1, &Rect::new(0, 0, 4, 4), &[0_i16; 15]).is_err());
        assert!(writer.write(1, &Rect::new(18, 0, 4, 4), &[0_i16; 16]).is_err());
        assert!(writer.write(3, &Rect::new(0, 0, 4, 4), &[0_i16; 16]).is_err());
        assert!(GeoTiffWriter::create(Path::new("/nonexistent/a.tif"), layout(DataType::U8)).is_err());
    }
}
