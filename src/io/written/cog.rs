//! Cloud Optimized GeoTIFFs, made from plain ones by GDAL's own driver.

use std::path::Path;

use gdal::raster::RasterCreationOptions;
use gdal::{Dataset, DriverManager};

use super::vsi;
use crate::io::formats::USUAL;
use crate::io::{IoError, failures, open};

/// Edge of the blocks of a raster of so many columns and rows, pixels: where it fits into one, that is no larger than need be.
pub fn block_px(width: usize, height: usize) -> usize {
    // The least and the usual size of GDAL's driver; a TIFF wants multiples of 16.
    width.max(height).next_multiple_of(16).clamp(128, 512)
}

/// A COG at `target` with the pixels, names, scales and overviews of the raster at `source`.
///
/// # Errors
/// A file that cannot be read or written, or that does not read back.
pub fn write(source: &Path, target: &Path, threads: usize) -> Result<(), IoError> {
    let before = failures();
    let failed = |error: gdal::errors::GdalError| IoError::gdal("writing", target, &error);
    let mut options = RasterCreationOptions::new();
    let dataset = open::open(source, USUAL)?;
    let (width, height) = dataset.raster_size();
    let block = block_px(width, height);
    // One block needs no help.
    let threads = if width.max(height) <= block { 1 } else { threads }.to_string();
    let block = block.to_string();
    for (key, value) in [
        ("COMPRESS", "DEFLATE"),
        ("LEVEL", "1"),
        ("PREDICTOR", "YES"),
        ("BLOCKSIZE", block.as_str()),
        ("OVERVIEWS", "FORCE_USE_EXISTING"),
        ("BIGTIFF", "IF_SAFER"),
        ("NUM_THREADS", threads.as_str()),
    ] {
        options.set_name_value(key, value).map_err(failed)?;
    }
    let driver = DriverManager::get_driver_by_name("COG").map_err(failed)?;
    let made = dataset
        .create_copy(&driver, vsi::name(target), &options)
        .and_then(Dataset::close);
    let torn = |message: String| IoError::Torn {
        path: target.to_owned(),
        message,
    };
    // What the system said comes first: GDAL's words follow from it.
    vsi::settle(target).map_err(|error| torn(error.to_string()))?;
    made.map_err(failed)?;
    if failures() != before {
        // Somebody failed at something: believe the file only when every pixel reads back.
        let (from, to) = (open::open(source, USUAL)?, open::open(target, USUAL)?);
        let (width, height) = from.raster_size();
        for band in 1..=from.raster_count() {
            let sum = |dataset: &Dataset| dataset.rasterband(band)?.checksum((0, 0), (width, height));
            if sum(&from).map_err(failed)? != sum(&to).map_err(|error| torn(crate::io::plain(&error)))? {
                return Err(torn(format!("band {band} differs from what was written")));
            }
        }
    }
    Ok(())
}
