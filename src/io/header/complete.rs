//! Whether a file is long enough for the pixels that its header promises, before any is read: what a broken download leaves is not.

use std::path::Path;

use gdal::{Dataset, Metadata};

use crate::io::IoError;
use crate::io::tiff::Tiff;

/// Codes of TIFF for pixels that are not packed.
const UNPACKED: u64 = 1;

/// Looks whether the file `path`, opened as `dataset`, holds all pixels that it promises; `tiff` is how it is packed, if it is one.
///
/// # Errors
/// It does not.
pub(in crate::io) fn check(dataset: &Dataset, tiff: Option<&Tiff>, path: &Path) -> Result<(), IoError> {
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message: format!("{message}; fetch the file again"),
    };
    let bytes = std::fs::metadata(path).map_err(IoError::system(path))?.len();
    if let Some(tiff) = tiff {
        return blocks(tiff, bytes).map_err(refuse);
    }
    match raw_bytes(dataset) {
        Some(needed) if needed > bytes => Err(refuse(format!(
            "it is not complete: it ends after {bytes} bytes, and its header promises {needed}"
        ))),
        _ => Ok(()),
    }
}

/// Looks whether all blocks of `tiff` end within the `bytes` of its file.
///
/// # Errors
/// They do not, in words.
pub(in crate::io) fn blocks(tiff: &Tiff, bytes: u64) -> Result<(), String> {
    let (offsets, sizes) = (tiff.all(&tiff.offsets)?, tiff.all(&tiff.sizes)?);
    let down = tiff.size.1.div_ceil(tiff.block.1);
    let across = if tiff.is_tiled {
        tiff.size.0.div_ceil(tiff.block.0)
    } else {
        1
    };
    let beyond = offsets
        .iter()
        .zip(&sizes)
        .enumerate()
        .filter(|(index, (offset, size))| {
            // Of the last strip some programs count rows that the raster does not have.
            let rows = match tiff.is_tiled {
                true => tiff.block.1,
                false => tiff.block.1.min(tiff.size.1 - index / across % down * tiff.block.1),
            };
            let needed = match tiff.compression {
                UNPACKED => tiff.row_bytes().saturating_mul(rows as u64).min(**size),
                _ => **size,
            };
            offset.saturating_add(needed) > bytes
        });
    match beyond.count() {
        0 => Ok(()),
        missing => Err(format!(
            "it is not complete: it ends after {bytes} bytes, and {missing} of its {} blocks lie beyond",
            offsets.len()
        )),
    }
}

/// Bytes that a raster of plain numbers takes; `None` where they are packed, or lie otherwise.
fn raw_bytes(dataset: &Dataset) -> Option<u64> {
    const DOMAIN: &str = "ENVI";
    if dataset.driver().short_name() != DOMAIN {
        return None;
    }
    let number = |key: &str| {
        dataset
            .metadata_item(key, DOMAIN)
            .and_then(|text| text.trim().parse::<u64>().ok())
    };
    if number("file_compression").is_some_and(|packed| packed != 0) {
        return None;
    }
    let (width, height) = dataset.raster_size();
    let pixel = u64::from(dataset.rasterband(1).ok()?.band_type().bits() / 8);
    let numbers = (width as u64)
        .checked_mul(height as u64)?
        .checked_mul(dataset.raster_count() as u64)?;
    numbers
        .checked_mul(pixel)?
        .checked_add(number("header_offset").unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use gdal::DriverManager;
    use gdal::raster::{Buffer, RasterCreationOptions};

    use crate::io::formats::USUAL;
    use crate::io::open;

    /// A raster of 40 x 50 px in two bands by that driver.
    fn raster(folder: &std::path::Path, driver: &str, options: &[(&str, &str)]) -> PathBuf {
        crate::io::prepare();
        let path = folder.join("a.dat");
        let options: RasterCreationOptions = options.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let driver = DriverManager::get_driver_by_name(driver).unwrap();
        // Drivers look for headers that they have just made: the program hides them.
        const HIDDEN: &str = "GDAL_DISABLE_READDIR_ON_OPEN";
        gdal::config::set_thread_local_config_option(HIDDEN, "NO").unwrap();
        let mut dataset = driver
            .create_with_band_type_with_options::<u16, _>(&path, 40, 50, 2, &options)
            .unwrap();
        dataset
            .set_geo_transform(&[500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0])
            .unwrap();
        dataset
            .set_spatial_ref(&crate::io::crs::parse("EPSG:32631").unwrap())
            .unwrap();
        for band in 1..=2 {
            let pixels = (0..2000).map(|at| (at * 7919 % 65_521) as u16).collect();
            let mut pixels = Buffer::new((40, 50), pixels);
            dataset
                .rasterband(band)
                .unwrap()
                .write((0, 0), (40, 50), &mut pixels)
                .unwrap();
        }
        dataset.close().unwrap();
        gdal::config::clear_thread_local_config_option(HIDDEN).unwrap();
        path
    }

    #[test]
    fn a_file_that_was_cut_short_is_refused_when_it_is_opened() {
        let tiled = [("TILED", "YES"), ("BLOCKXSIZE", "16"), ("BLOCKYSIZE", "16")];
        let apart = [("INTERLEAVE", "BAND"), ("COMPRESS", "DEFLATE")];
        for (driver, options) in [
            ("GTiff", &[][..]),
            ("GTiff", &tiled),
            ("GTiff", &apart),
            ("GTiff", &[("COMPRESS", "LZW"), ("BIGTIFF", "YES")]),
            ("ENVI", &[]),
            ("ENVI", &[("INTERLEAVE", "BIP")]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = raster(folder.path(), driver, options);
            assert!(open::info(&path, USUAL).is_ok(), "{driver} {options:?}");
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_len(file.metadata().unwrap().len() - 200).unwrap();
            let why = open::info(&path, USUAL).unwrap_err().to_string();
            assert!(
                why.contains("it is not complete") && why.contains("fetch"),
                "{driver} {options:?}: {why}"
            );
        }
    }
}
