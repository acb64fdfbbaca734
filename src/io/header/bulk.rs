//! How much memory a raster takes while it is read, as its header says; one that would take too much is refused.
//!
//! A file of a few kilobytes can unpack to gigabytes: its blocks are what is unpacked at once, whatever is wanted of them.

use std::fs::File;
use std::path::Path;

use gdal::{Dataset, Metadata};

use super::jp2;
use crate::io::IoError;
use crate::io::tiff::Tiff;

/// No block with all bands that lie in it may take more, bytes unpacked. A strip of 64 rows of a whole Sentinel-2 tile in ten bands takes 13 MiB,
/// a tile of 2048 px in four bands 32.
pub const MAX_BLOCK: usize = 64 << 20;

/// More bands are refused: hyperspectral scenes have some hundred.
const MAX_BANDS: usize = 1024;

/// A header may not take more, bytes in memory.
const MAX_HEADER: usize = 40 << 20;

/// Decoding a tile of JPEG 2000 may not take more beside its pixels, bytes: a single one of 20,000 x 20,000 px in usual code-blocks takes 90 MB.
const MAX_CODING: u64 = 128 << 20;

/// Boxes of JPEG 2000 may not take more, bytes: GDAL makes trees of them.
const MAX_BOXES: u64 = 1 << 20;

/// Allowances: bytes that a band takes in an open handle, and those of where each block lies.
const BAND_BYTES: usize = 2048;
const PLACE_BYTES: usize = 24;

/// An open handle holds tags some times over: 31 bytes were seen for each of a long list of metadata.
const TAG_COPIES: u64 = 32;

/// What reading a raster takes, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::io) struct Bulk {
    /// The largest block, unpacked, with all bands that come with it.
    pub block: usize,
    /// Bands that lie in it.
    pub bands: usize,
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
        let together = together(dataset, tiff);
        if bands > MAX_BANDS {
            return Err(refuse(format!(
                "it has {bands} bands, more than {MAX_BANDS}; take out those of interest with gdal_translate -b"
            )));
        }
        let (block, px) = block(dataset, tiff, together).map_err(|error| IoError::gdal("opening", path, &error))?;
        if block > MAX_BLOCK as u64 {
            return Err(refuse(format!(
                "its blocks of {} x {} px take {} MiB each with all bands in them, more than {}; cut it into smaller ones, for example with \
                 gdal_translate -co TILED=YES -co INTERLEAVE=BAND",
                px.0,
                px.1,
                block.div_ceil(1 << 20),
                MAX_BLOCK >> 20
            )));
        }
        let places = tiff.map_or(0, Tiff::blocks);
        let coded = match is_jpeg2000(dataset) {
            true => Some(jpeg2000(path)?),
            false => None,
        };
        let tags = tiff.map_or(0, |tiff| tiff.tag_bytes);
        let tags = (tags + coded.map_or(0, |coded| coded.boxes)).saturating_mul(TAG_COPIES);
        let header = places
            .saturating_mul(PLACE_BYTES as u64)
            .saturating_add(tags)
            .saturating_add(coded.map_or(0, |coded| coded.tiles))
            .saturating_add((bands * BAND_BYTES) as u64);
        if header > MAX_HEADER as u64 {
            return Err(refuse(format!(
                "its {places} blocks and its tags take {} MiB before a pixel is read, more than {}; cut it into larger ones, for example \
                 with gdal_translate -co TILED=YES",
                header >> 20,
                MAX_HEADER >> 20
            )));
        }
        Ok(Self {
            block: block as usize,
            bands: together,
            header: (header + coded.map_or(0, |coded| coded.coding + coded.packed)) as usize,
        })
    }
}

/// What decoding the JPEG 2000 file `path` takes beside pixels: looked at before GDAL opens it, which takes some of it already.
///
/// # Errors
/// Headers that cannot be read, or a file that would take too much.
pub(in crate::io) fn jpeg2000(path: &Path) -> Result<jp2::Weight, IoError> {
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
    let file = File::open(path).map_err(IoError::system(path))?;
    let found = jp2::weight(&file).map_err(|message| refuse(format!("{message}; fetch the file again")))?;
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    if found.boxes > MAX_BOXES {
        return Err(refuse(format!(
            "its boxes take {} bytes beside the pixels, more than {MAX_BOXES}; leave its metadata out, for example with gdal_translate -nomd",
            found.boxes
        )));
    }
    if found.tiles > MAX_HEADER as u64 {
        return Err(refuse(format!(
            "its tiles take {} MiB before a pixel is read, more than {}; cut it into larger ones, for example with gdal_translate -co \
             BLOCKXSIZE=1024 -co BLOCKYSIZE=1024",
            mib(found.tiles),
            MAX_HEADER >> 20
        )));
    }
    if found.coding > MAX_CODING {
        return Err(refuse(format!(
            "the precincts and code-blocks of one of its tiles take {} MiB, more than {}; make smaller tiles of larger code-blocks, for example \
             with gdal_translate -co BLOCKXSIZE=1024 -co BLOCKYSIZE=1024",
            mib(found.coding),
            MAX_CODING >> 20
        )));
    }
    Ok(found)
}

/// Whether the raster is JPEG 2000, of which OpenJPEG decodes all components of a tile, to 32 bits.
fn is_jpeg2000(dataset: &Dataset) -> bool {
    dataset.driver().short_name() == "JP2OpenJPEG"
}

/// Bands whose pixels lie in one block.
fn together(dataset: &Dataset, tiff: Option<&Tiff>) -> usize {
    let is_apart = match tiff {
        // Where GDAL's bands are not the file's samples, it makes them of all.
        Some(tiff) => tiff.is_apart && tiff.samples == dataset.raster_count(),
        None => dataset.metadata_item("INTERLEAVE", "IMAGE_STRUCTURE").as_deref() == Some("BAND"),
    };
    if is_apart && !is_jpeg2000(dataset) {
        1
    } else {
        dataset.raster_count().max(tiff.map_or(0, |tiff| tiff.samples))
    }
}

/// Bytes of the largest block with the bands that lie `together` in it, as GDAL unpacks it, and its columns and rows.
fn block(dataset: &Dataset, tiff: Option<&Tiff>, together: usize) -> gdal::errors::Result<(u64, (usize, usize))> {
    // A value of less than a byte, or of an odd number of bits, is unpacked to a whole number.
    let least_bytes = if is_jpeg2000(dataset) { 4 } else { 1 };
    let mut most = (0, (0, 0));
    for index in 1..=dataset.raster_count() {
        let band = dataset.rasterband(index)?;
        // GDAL hides large strips: it hands them out in rows.
        let (width, height) = tiff.map_or(band.block_size(), |tiff| tiff.block);
        // The binding knows no complex numbers, of which the largest have 16 bytes.
        let bytes = match band.band_type().bits() {
            0 => 16,
            bits => usize::from(bits).div_ceil(8).max(least_bytes),
        };
        let all = [width, height, bytes, together];
        let all = all.iter().fold(1_u64, |all, one| all.saturating_mul(*one as u64));
        most = most.max((all, (width, height)));
    }
    Ok(most)
}

#[cfg(test)]
mod tests {
    use gdal::DriverManager;
    use gdal::raster::RasterCreationOptions;

    use super::*;
    use crate::io::open;

    /// What opening a sparse raster of zeros says, made by GDAL's `options` and with `tag` bytes of metadata; or bytes of its largest block.
    fn said(size: (usize, usize), bands: usize, options: &[(&str, &str)], tag: usize) -> Result<usize, String> {
        crate::io::prepare();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let mut all = RasterCreationOptions::new();
        for (key, value) in [&[("SPARSE_OK", "TRUE"), ("COMPRESS", "DEFLATE")], options].concat() {
            all.set_name_value(key, value).unwrap();
        }
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let mut dataset = driver
            .create_with_band_type_with_options::<u16, _>(&path, size.0, size.1, bands, &all)
            .unwrap();
        dataset.set_geo_transform(&[5e5, 10.0, 0.0, 5e6, 0.0, -10.0]).unwrap();
        dataset
            .set_spatial_ref(&gdal::spatial_ref::SpatialRef::from_epsg(32633).unwrap())
            .unwrap();
        dataset.set_metadata_item("note", &"x".repeat(tag), "").unwrap();
        dataset.close().unwrap();
        open::info(&path, crate::io::formats::USUAL)
            .map(|info| info.block_bytes)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn rasters_that_unpack_to_too_much_are_refused_and_others_say_how_much() {
        const TILE: [(&str, &str); 3] = [("TILED", "YES"), ("BLOCKXSIZE", "1024"), ("BLOCKYSIZE", "1024")];
        let (apart, together) = (("INTERLEAVE", "BAND"), ("INTERLEAVE", "PIXEL"));
        assert_eq!(said((3000, 3000), 4, &[&TILE[..], &[apart]].concat(), 9), Ok(2 << 20));
        assert_eq!(
            said((3000, 3000), 4, &[&TILE[..], &[together]].concat(), 9),
            Ok(8 << 20)
        );
        // The strip that GDAL hands out in rows.
        let strip = [apart, ("BLOCKYSIZE", "6000")];
        let error = said((6000, 6000), 1, &strip, 9).unwrap_err();
        assert!(
            error.contains("6000 x 6000 px take 69 MiB") && error.contains("gdal_translate"),
            "{error}"
        );
        let error = said((1024, 1024), 40, &[&TILE[..], &[together]].concat(), 9).unwrap_err();
        assert!(
            error.contains("take 80 MiB each with all bands in them, more than 64"),
            "{error}"
        );
        // Bits become bytes.
        let bits = [apart, ("BLOCKYSIZE", "1000"), ("NBITS", "1")];
        assert_eq!(said((1000, 1000), 2, &bits, 9), Ok(2_000_000));
        let error = said((16, 16), 1025, &[], 9).unwrap_err();
        assert!(error.contains("it has 1025 bands, more than 1024"), "{error}");
        let rows = [apart, ("BLOCKYSIZE", "1"), ("BIGTIFF", "YES")];
        let error = said((1, 900_000), 2, &rows, 9).unwrap_err();
        assert!(error.contains("its 1800000 blocks"), "{error}");
        let error = said((16, 16), 1, &[], 1 << 20).unwrap_err();
        assert!(error.contains("its tags take") && error.contains("-nomd"), "{error}");
    }
}
