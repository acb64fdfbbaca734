//! What says beside no-data values which pixels of a raster are none: masks in the file and beside it, alpha bands, blocks left out.

use std::path::Path;

use gdal::Dataset;
use gdal::raster::GdalDataType;

use super::bands::{self, Content, Mask};
use super::bulk::MAX_BLOCK;
use super::complete;
use super::formats::{self, Format};
use super::open::{Opened, open_plausible};
use crate::io::tiff::Tiff;
use crate::io::{IoError, plain};

/// The masks of a raster.
pub(super) struct Masks {
    pub all: Vec<Mask>,
    /// Bytes of the largest block of those that are rasters themselves, unpacked; 0 where there is none.
    pub block_bytes: usize,
}

/// A mask that is a raster itself, and the bytes of its largest block.
struct MaskRaster {
    mask: Mask,
    block_bytes: usize,
}

impl Masks {
    fn add(&mut self, found: MaskRaster) {
        self.block_bytes = self.block_bytes.max(found.block_bytes);
        self.all.push(found.mask);
    }
}

/// The masks of `opened`, which is the file `path`, has one among its directories where `has_mask`, and whose bands hold `content`.
///
/// # Errors
/// A mask that cannot be read.
pub(super) fn of(path: &Path, opened: &Opened, has_mask: bool, content: &[Content]) -> Result<Masks, IoError> {
    let refuse = IoError::refused(path);
    let dataset = &opened.dataset;
    let mut masks = Masks {
        all: Vec::new(),
        block_bytes: 0,
    };
    match inside(path, dataset)? {
        Some(found) => masks.add(found),
        None if has_mask => {
            return Err(refuse(
                "it holds a mask that this GDAL does not read; write it anew with gdal_translate where a GDAL reads it"
                    .into(),
            ));
        }
        None => {}
    }
    if let Some(tiff) = &opened.tiff
        && tiff.is_sparse().map_err(refuse)?
    {
        masks.all.push(Mask::Sparse);
    }
    masks
        .all
        .extend(bands::nodata_together(dataset).map(|_| Mask::Together));
    masks.all.extend(bands::alphas(content).map(Mask::Alpha));
    if let Some(found) = beside(path, dataset)? {
        masks.add(found);
    }
    Ok(masks)
}

/// The mask in the file `path` itself that all bands of `dataset` share.
///
/// # Errors
/// It cannot be read, or its blocks are too large.
fn inside(path: &Path, dataset: &Dataset) -> Result<Option<MaskRaster>, IoError> {
    let refuse = IoError::refused(path);
    let failed = |error: gdal::errors::GdalError| refuse(plain(&error));
    let first = dataset.rasterband(1).map_err(failed)?;
    if !bands::has_mask(&first).map_err(failed)? {
        return Ok(None);
    }
    let mask = first.open_mask_band().map_err(failed)?;
    let of_mask = Tiff::of_mask(dataset, path)?;
    if of_mask.is_some() {
        complete::check(dataset, of_mask.as_ref(), path)?;
    }
    let block = of_mask.map_or(mask.block_size(), |tiff| tiff.block);
    let block_bytes = block.0.saturating_mul(block.1);
    if block_bytes > MAX_BLOCK {
        return Err(refuse(format!(
            "the blocks of its mask have {} x {} px, more than {} MiB; cut them smaller, for example with gdal_translate -co TILED=YES",
            block.0,
            block.1,
            MAX_BLOCK >> 20
        )));
    }
    Ok(Some(MaskRaster {
        mask: Mask::Inside(mask.block_size()),
        block_bytes,
    }))
}

/// The mask of `dataset` in a file of its own beside `path`.
///
/// # Errors
/// That file is no mask of it.
fn beside(path: &Path, dataset: &Dataset) -> Result<Option<MaskRaster>, IoError> {
    let refuse = IoError::refused(path);
    let names = [".msk", ".MSK"].map(|extension| formats::appended(path, extension));
    let Some(beside) = formats::first_file(path, names)? else {
        return Ok(None);
    };
    let found = open_plausible(&beside, &[Format::GTiff])?;
    let (size, bands) = (found.dataset.raster_size(), found.dataset.raster_count());
    let (expected, expected_bands) = (dataset.raster_size(), dataset.raster_count());
    let band = found.dataset.rasterband(1).map_err(|error| refuse(plain(&error)))?;
    let is_of_bytes = band.band_type() == GdalDataType::UInt8;
    if size != expected || !(bands == 1 || bands == expected_bands) || !is_of_bytes {
        return Err(refuse(format!(
            "{} beside it is no mask of it: expected {} x {} px of bytes in one band or {expected_bands}, found {} x {} px in {bands}; take it away",
            beside.display(),
            expected.0,
            expected.1,
            size.0,
            size.1
        )));
    }
    Ok(Some(MaskRaster {
        mask: Mask::SideFile {
            block: band.block_size(),
            of_each: bands > 1,
            path: beside,
        },
        block_bytes: found.bulk.block,
    }))
}
