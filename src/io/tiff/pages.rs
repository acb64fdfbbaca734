//! Which images the directories of a TIFF are: rasters, overviews, masks.

use std::fs::File;
use std::path::Path;

use super::directory::{Directory, Head};
use crate::io::IoError;

/// Tags of more bytes are refused: GDAL holds some thirty times as much of them.
const MAX_TAG_BYTES: u64 = 1 << 20;

/// So many directories are looked at: overviews and masks have one each.
const MAX_DIRECTORIES: usize = 1000;

/// What the directories of a TIFF are, beside the first.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::io) struct Pages {
    /// One is a mask of the whole raster.
    pub has_mask: bool,
    /// So many are rasters of their own, the first too: neither overviews nor masks.
    pub count: usize,
    /// Columns and rows of the largest of these.
    pub largest: (u64, u64),
}

/// What the directories of the file `path` are. Before GDAL reads any, they are held against what their tags may take; other files than TIFFs
/// pass.
///
/// # Errors
/// Tags of more than a MiB.
pub(in crate::io) fn look_through(path: &Path) -> Result<Pages, IoError> {
    let file = File::open(path).map_err(IoError::system(path))?;
    let Ok(Some(head)) = Head::read(&file) else {
        return Ok(Pages::default());
    };
    let mut offset = head.first;
    let mut sum = 0_u64;
    let mut pages = Pages::default();
    for _ in 0..MAX_DIRECTORIES {
        // What cannot be read is GDAL's to tell.
        let Ok(directory) = Directory::read(&file, head, offset) else {
            return Ok(pages);
        };
        match kind(&directory, &file) {
            MASK => pages.has_mask = true,
            0 => {
                let [columns, rows] = [256, 257].map(|tag| directory.first(tag, &file).unwrap_or(0));
                pages.count += 1;
                let is_larger = columns.saturating_mul(rows) > pages.largest.0.saturating_mul(pages.largest.1);
                pages.largest = if is_larger { (columns, rows) } else { pages.largest };
            }
            _ => {}
        }
        sum = sum.saturating_add(directory.tag_bytes());
        if sum > MAX_TAG_BYTES {
            return Err(IoError::refused(path)(format!(
                "its tags take {sum} bytes beside the pixels, more than {MAX_TAG_BYTES}; leave its metadata out, for example with \
                 gdal_translate -nomd"
            )));
        }
        offset = directory.next;
        if offset == 0 {
            break;
        }
    }
    Ok(pages)
}

/// Bits of what kind of image a directory is.
const OVERVIEW: u64 = 1;
const MASK: u64 = 4;

/// Whether the pixels of `directory` are an overview, a mask, or both; 0 where they are neither.
fn kind(directory: &Directory, file: &File) -> u64 {
    directory.first(254, file).unwrap_or(0) & (OVERVIEW | MASK)
}
