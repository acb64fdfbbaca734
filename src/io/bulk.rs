//! How much memory a raster takes while it is read, as its header says; one that would take too much is refused.
//!
//! A file of a few kilobytes can unpack to gigabytes: its blocks are what is unpacked at once, whatever is wanted of them.

use std::path::Path;

use gdal::{Dataset, Metadata};

use super::IoError;
use super::tiff::Tiff;

/// No block with all bands that lie in it may take more, bytes unpacked. A strip of 64 rows of a whole Sentinel-2 tile in ten bands takes 14 MiB,
/// a tile of 2048 px in four bands 32.
pub const MOST_BLOCK: usize = 64 << 20;

/// More bands are not believed: hyperspectral scenes have some hundred.
const MOST_BANDS: usize = 1024;

/// A header may not take more, bytes in memory.
const MOST_HEADER: usize = 32 << 20;

/// Bytes that a band takes in an open handle, seen with 1,000 bands; and a block, its place and size beside where the handle keeps it.
const BAND_BYTES: usize = 2048;
const PLACE_BYTES: usize = 24;

/// What reading a raster takes, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bulk {
    /// The largest block, unpacked, with all bands that come with it.
    pub block: usize,
    /// What an open handle holds before anything is read.
    pub header: usize,
}

impl Bulk {
    /// Of `dataset`, which is the file `path`, and the TIFF `tiff` if it is one.
    ///
    /// # Errors
    /// A raster that would take too much.
    pub fn of(dataset: &Dataset, tiff: Option<&Tiff>, path: &Path) -> Result<Self, IoError> {
        let refuse = |message: String| IoError::Open {
            path: path.to_owned(),
            message,
        };
        let bands = dataset.raster_count();
        if bands > MOST_BANDS {
            return Err(refuse(format!(
                "it has {bands} bands, more than {MOST_BANDS}; take out those of interest with gdal_translate -b"
            )));
        }
        let (block, px) = match tiff {
            Some(tiff) => (tiff.block_bytes(), tiff.block),
            None => block(dataset, bands).map_err(|error| IoError::gdal("opening", path, &error))?,
        };
        if block > MOST_BLOCK as u64 {
            return Err(refuse(format!(
                "its blocks of {} x {} px take {} MiB each with all bands in them, more than {}; cut it into smaller ones, for example with \
                 gdal_translate -co TILED=YES -co INTERLEAVE=BAND",
                px.0,
                px.1,
                block.div_ceil(1 << 20),
                MOST_BLOCK >> 20
            )));
        }
        let places = tiff.map_or(0, Tiff::blocks);
        let header = places.saturating_mul(PLACE_BYTES as u64) + (bands * BAND_BYTES) as u64;
        if header > MOST_HEADER as u64 {
            return Err(refuse(format!(
                "its {places} blocks are so many that their places alone take {} MiB, more than {}; cut it into larger ones, for example \
                 with gdal_translate -co TILED=YES",
                header >> 20,
                MOST_HEADER >> 20
            )));
        }
        Ok(Self {
            block: block as usize,
            header: header as usize,
        })
    }
}

/// Bytes of the largest block of a raster that is no TIFF, and its columns and rows.
fn block(dataset: &Dataset, bands: usize) -> gdal::errors::Result<(u64, (usize, usize))> {
    let driver = dataset.driver().short_name();
    let is_apart = dataset.metadata_item("INTERLEAVE", "IMAGE_STRUCTURE").as_deref() == Some("BAND");
    // OpenJPEG decodes all components of a tile, to 32 bits.
    let is_jpeg2000 = driver == "JP2OpenJPEG";
    let together = if is_apart && !is_jpeg2000 { 1 } else { bands };
    let mut most = (0, (0, 0));
    for index in 1..=bands {
        let band = dataset.rasterband(index)?;
        let (width, height) = match driver.as_str() {
            // Interlaced PNG and progressive JPEG are decoded as a whole.
            "PNG" | "JPEG" => dataset.raster_size(),
            _ => band.block_size(),
        };
        let bytes = usize::from(band.band_type().bits()).div_ceil(8);
        let bytes = if is_jpeg2000 { bytes.max(4) } else { bytes };
        let all = [width, height, bytes, together];
        let all = all.iter().fold(1_u64, |all, one| all.saturating_mul(*one as u64));
        most = most.max((all, (width, height)));
    }
    Ok(most)
}
